/* tests/unit/test_session.c - where session ids stand, in which order, and what of them is a route. */
#include "guard.h"
#include "jk/route/session.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define MUST(x, ...)                   \
    do {                               \
        if (!(x))                      \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

static jk_span guarded(const char *s, size_t n)
{
    return s ? (jk_span){ jk_guarded(s, n), n } : JK_SPAN_NONE;
}

/* "8F2.n1/n1 77/-": each id, and behind the last '/' its route. */
static const char *walked(const jk_session_from *from, char *out, size_t max)
{
    jk_session_walk walk = jk_session_begin(from);
    jk_session_id id;
    size_t n = 0;

    out[0] = '\0';
    while (jk_session_next(&walk, &id)) {
        const char *route = id.too_long ? "long" : "-";
        n += (size_t)snprintf(out + n, max - n, "%s%.*s/%.*s", n ? " " : "", (int)id.id.len, (const char *)id.id.p,
                              id.route.p ? (int)id.route.len : (int)strlen(route),
                              id.route.p ? (const char *)id.route.p : route);
        MUST(n < max, "more ids than there is room for");
        MUST(id.place != JK_SESSION_NOWHERE, "an id is found somewhere");
    }
    return out;
}

/* ---- path parameters ---- */

static const struct {
    const char *uri, *name, *ids, *why;
} paths[] = {
    { "/a;jsessionid=1.n1", ";jsessionid", "1.n1/n1", "at the end" },
    { "/a;jsessionid=1.n1?x", ";jsessionid", "1.n1/n1", "ends at the query" },
    { "/a;jsessionid=1.n1;v=2", ";jsessionid", "1.n1/n1", "ends at the next parameter" },
    { "/a;jsessionid=1.n1/b/c", ";jsessionid", "1.n1/n1", "in any segment" },
    { "/;jsessionid=1.n1/b", ";jsessionid", "1.n1/n1", "of an empty segment" },
    { ";jsessionid=1.n1", ";jsessionid", "1.n1/n1", "first of all" },
    { "/a;v=2;jsessionid=1.n1", ";jsessionid", "1.n1/n1", "behind another" },
    { "/a;jsessionid=1.n1;jsessionid=2.n2", ";jsessionid", "1.n1/n1", "the first occurrence" },
    { "/a;jsessionidx=1.n1", ";jsessionid", "", "another's name" },
    { "/a;jsessionidx=1.n1;jsessionid=2.n2", ";jsessionid", "2.n2/n2", "and ours behind it" },
    { "/a;xjsessionid=1.n1", ";jsessionid", "", "another's, too" },
    { "/a;JSESSIONID=1.n1", ";jsessionid", "", "case counts" },
    { "/a;jsessionid", ";jsessionid", "", "no value" },
    { "/a;jsessionid=", ";jsessionid", "", "nothing follows" },
    { "/a;jsessionid=?1.n1", ";jsessionid", "", "nothing of the path follows" },
    { "/a;jsessionid=;v=2", ";jsessionid", "/-", "an empty id: there, and empty" },
    { "/a;jsessionid=/b;jsessionid=1.n1", ";jsessionid", "/-", "an empty one is the first occurrence" },
    { "/a?b;jsessionid=1.n1", ";jsessionid", "", "the query is not looked at" },
    { "/a;jsessionid=1", ";jsessionid", "1/-", "no route" },
    { "/a;jsessionid=1.", ";jsessionid", "1./-", "no route behind the dot" },
    { "/a;jsessionid=.n1", ";jsessionid", ".n1/n1", "no id before it" },
    { "/a;jsessionid=1.d.n1", ";jsessionid", "1.d.n1/d.n1", "the route is behind the first dot" },
    { "/a;jsessionid=1.n1%3Bx", ";jsessionid", "1.n1%3Bx/n1%3Bx", "nothing is decoded" },
    { "/a%3Bjsessionid=1.n1", ";jsessionid", "", "neither is the name" },
    { "/a;jsessionid==1.n1", ";jsessionid", "=1.n1/n1", "the first '=' ends the name" },
    { "/a;sid=1.n1", ";sid", "1.n1/n1", "another name" },
    { "/a;xsid=1.n1", "sid", "1.n1/n1", "a name without its ';' is plain text" },
    { "/a;jsessionid=1.n1", "", "", "no name: not looked for" },
    { "/a;jsessionid=1.n1", NULL, "", "absent likewise" },
    { "/aaa=1.n1", "aa", "1.n1/n1", "a name that overlaps itself" },
    { "/;j;j;jj=1.n1", ";jj", "1.n1/n1", "beginnings of the name before it" },
    { "", ";jsessionid", "", "empty" },
    { NULL, ";jsessionid", "", "absent" },
};

START_TEST(path_parameters)
{
    char got[200];
    size_t n = paths[_i].uri ? strlen(paths[_i].uri) : 0;
    jk_session_from from = { .uri = guarded(paths[_i].uri, n), .parameter = jk_span_of(paths[_i].name) };

    walked(&from, got, sizeof got);
    ck_assert_msg(strcmp(got, paths[_i].ids) == 0, "%s -> %s: %s", paths[_i].uri, got, paths[_i].why);
}
END_TEST

/* ---- cookies ---- */

static const struct {
    const char *first, *second; /* headers */
    const char *ids, *why;
} cookies[] = {
    { "JSESSIONID=1.n1", NULL, "1.n1/n1", "alone" },
    { "a=b; JSESSIONID=1.n1; c=d", NULL, "1.n1/n1", "among others" },
    { "a=b;JSESSIONID=1.n1;c=d", NULL, "1.n1/n1", "without blanks" },
    { "a=b,JSESSIONID=1.n1,c=d", NULL, "1.n1/n1", "commas separate too" },
    { "a\tJSESSIONID=1.n1", NULL, "1.n1/n1", "so does white space before a name" },
    { "XJSESSIONID=1.n1", NULL, "", "another's name" },
    { "X-JSESSIONID=1.n1", NULL, "", "whatever stands before it" },
    { "a=JSESSIONID=1.n1", NULL, "", "a value is no name" },
    { "JSESSIONIDX=1.n1", NULL, "", "a longer name" },
    { "JSESSIONIDX=1.n1; JSESSIONID=2.n2", NULL, "2.n2/n2", "and ours behind it" },
    { "jsessionid=1.n1", NULL, "", "case counts" },
    { "JSESSIONID = 1.n1", NULL, "1.n1/n1", "blanks around the sign" },
    { "JSESSIONID=1.n1 ; a=b", NULL, "1.n1/n1", "blanks behind the value are not the route's" },
    { "JSESSIONID=\"1.n1\"", NULL, "1.n1/n1", "quoted" },
    { "JSESSIONID= \"1.n1\" ; a", NULL, "1.n1/n1", "quoted, with blanks" },
    { "JSESSIONID=\"1.n1", NULL, "\"1.n1/n1", "half a quotation is none" },
    { "JSESSIONID=\"", NULL, "\"/-", "one quote is not two" },
    { "JSESSIONID=\"\"", NULL, "/-", "quoted emptiness" },
    { "JSESSIONID=\"a;b.n1\"", NULL, "\"a/-", "a quotation hides no separator" },
    { "JSESSIONID=", NULL, "", "nothing follows" },
    { "JSESSIONID", NULL, "", "no sign" },
    { "JSESSIONID ", NULL, "", "only a blank" },
    { "JSESSIONID=;a=b", NULL, "/-", "empty" },
    { "JSESSIONID= ", NULL, "/-", "blank" },
    { "JSESSIONID=1.n1; JSESSIONID=2.n2", NULL, "1.n1/n1 2.n2/n2", "several, in their order" },
    { "JSESSIONID=; JSESSIONID=2.n2", NULL, "/- 2.n2/n2", "an empty one hides none" },
    { "JSESSIONID=1; JSESSIONID=2.n2", NULL, "1/- 2.n2/n2", "nor does one without a route" },
    { "JSESSIONID=1 JSESSIONID=2.n2", NULL, "1 JSESSIONID=2.n2/n2 2.n2/n2", "a blank does not end a value, but begins a name" },
    { "JSESSIONID=1.n1", "JSESSIONID=2.n2", "1.n1/n1 2.n2/n2", "several headers" },
    { "a=b", "JSESSIONID=2.n2", "2.n2/n2", "in the second alone" },
    { "", "JSESSIONID=2.n2", "2.n2/n2", "an empty header" },
    { "JSESSIONID=1.d.n1", NULL, "1.d.n1/d.n1", "the first dot" },
    { "", NULL, "", "none" },
};

START_TEST(cookies_of_a_request)
{
    char got[200];
    jk_span headers[2] = { guarded(cookies[_i].first, strlen(cookies[_i].first)) };
    jk_session_from from = { .cookie = JK_SPAN_LIT("JSESSIONID"), .cookies = headers, .ncookies = 1 };

    if (cookies[_i].second) {
        headers[1] = guarded(cookies[_i].second, strlen(cookies[_i].second));
        from.ncookies = 2;
    }
    walked(&from, got, sizeof got);
    ck_assert_msg(strcmp(got, cookies[_i].ids) == 0, "%s -> %s: %s", cookies[_i].first, got, cookies[_i].why);
    from.cookie = JK_SPAN_LIT("");
    ck_assert_str_eq(walked(&from, got, sizeof got), "");
}
END_TEST

/* ---- which of them counts ---- */

static const struct {
    const char *forced, *uri, *cookie;
    jk_session_place place;
    bool empty;
    const char *routes, *why;
} sessions[] = {
    { NULL, "/a", NULL, JK_SESSION_NOWHERE, false, "", "none" },
    { "n3", "/a;jsessionid=1.n1", "JSESSIONID=2.n2", JK_SESSION_FORCED, false, "n3", "JK_ROUTE before all" },
    { "", "/a;jsessionid=1.n1", "JSESSIONID=2.n2", JK_SESSION_PATH, false, "n1", "an empty JK_ROUTE is none; the path before cookies" },
    { "d.n3", "/a", NULL, JK_SESSION_FORCED, false, "d.n3", "JK_ROUTE is the route, dots and all" },
    { NULL, "/a", "JSESSIONID=2.n2", JK_SESSION_COOKIES, false, "n2", "cookies" },
    { NULL, "/a", "JSESSIONID=2.n2;JSESSIONID=1.n1", JK_SESSION_COOKIES, false, "n2 n1", "all of them" },
    { NULL, "/a;jsessionid=1", "JSESSIONID=2.n2", JK_SESSION_PATH, false, "", "an id without a route is a session" },
    { NULL, "/a", "JSESSIONID=2", JK_SESSION_COOKIES, false, "", "in a cookie too" },
    { NULL, "/a;jsessionid=/", "JSESSIONID=2.n2", JK_SESSION_NOWHERE, true, "", "an empty one is found, and is no session" },
    { NULL, "/a;jsessionid=", "JSESSIONID=2.n2", JK_SESSION_COOKIES, false, "n2", "where nothing follows, none is found" },
    { NULL, "/a", "JSESSIONID=;", JK_SESSION_NOWHERE, true, "", "an empty cookie" },
    { NULL, "/a", "JSESSIONID=;JSESSIONID=2.n2", JK_SESSION_COOKIES, false, "n2", "beside a good one it does not count" },
    { NULL, "/a", "JSESSIONID=.n2", JK_SESSION_COOKIES, false, "n2", "a route alone is a session" },
};

static const char *joined(const jk_session *s, char *out)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < s->nroutes; i++)
        n += (size_t)sprintf(out + n, "%s%.*s", i ? " " : "", (int)s->routes[i].len, (const char *)s->routes[i].p);
    return out;
}

static jk_session_from usual(const char *forced, const char *uri, const jk_span *cookie)
{
    return (jk_session_from){ .forced = jk_span_of(forced), .uri = jk_span_of(uri), .parameter = JK_SPAN_LIT(";jsessionid"),
                              .cookie = JK_SPAN_LIT("JSESSIONID"), .cookies = cookie, .ncookies = cookie->p ? 1 : 0 };
}

START_TEST(the_first_place_counts)
{
    jk_span cookie = jk_span_of(sessions[_i].cookie);
    jk_session_from from = usual(sessions[_i].forced, sessions[_i].uri, &cookie);
    jk_session got;
    char routes[200];

    jk_session_read(&from, &got);
    ck_assert_msg(got.place == sessions[_i].place, "%d: %s", (int)got.place, sessions[_i].why);
    ck_assert_msg(got.empty == sessions[_i].empty, "%s", sessions[_i].why);
    ck_assert_msg(strcmp(joined(&got, routes), sessions[_i].routes) == 0, "%s: %s", routes, sessions[_i].why);
    ck_assert_msg((got.id.len > 0) == (got.place != JK_SESSION_NOWHERE), "%s", sessions[_i].why);
    ck_assert(!got.left_out);
}
END_TEST

/* A route of n bytes in a cookie and in JK_ROUTE. */
static jk_session read_long(size_t n, bool forced)
{
    static char text[400];
    jk_span cookie = JK_SPAN_NONE;
    jk_session got;

    int head = sprintf(text, "%s", forced ? "" : "JSESSIONID=1.");
    memset(text + head, 'r', n);
    text[(size_t)head + n] = '\0';
    if (!forced)
        cookie = jk_span_of(text);
    jk_session_from from = usual(forced ? text : NULL, "/", &cookie);
    jk_session_read(&from, &got);
    return got;
}

START_TEST(a_route_may_be_too_long)
{
    for (int forced = 0; forced <= 1; forced++) {
        jk_session fits = read_long(JK_SESSION_ROUTE_MAX, forced);
        ck_assert_uint_eq(fits.nroutes, 1);
        ck_assert_uint_eq(fits.routes[0].len, JK_SESSION_ROUTE_MAX);
        ck_assert(!fits.left_out);
        jk_session more = read_long(JK_SESSION_ROUTE_MAX + 1, forced);
        ck_assert_uint_eq(more.nroutes, 0);
        ck_assert(more.left_out);
        ck_assert_int_ne(more.place, JK_SESSION_NOWHERE); /* a session nevertheless */
    }
}
END_TEST

static jk_session read_many(size_t n, bool routes)
{
    static char text[8192];
    size_t at = 0;
    jk_session got;

    for (size_t i = 0; i < n; i++)
        at += (size_t)sprintf(text + at, "JSESSIONID=%s%u;", routes ? "1.n" : "", (unsigned)i);
    jk_span cookie = { (const uint8_t *)text, at };
    jk_session_from from = usual(NULL, "/", &cookie);
    jk_session_read(&from, &got);
    return got;
}

START_TEST(cookies_without_end)
{
    jk_session most = read_many(JK_SESSION_ROUTES, true);
    ck_assert_uint_eq(most.nroutes, JK_SESSION_ROUTES);
    ck_assert(!most.left_out);
    jk_session more = read_many(JK_SESSION_ROUTES + 1, true);
    ck_assert_uint_eq(more.nroutes, JK_SESSION_ROUTES);
    ck_assert(jk_span_eq(more.routes[JK_SESSION_ROUTES - 1], JK_SPAN_LIT("n15")));
    ck_assert(more.left_out);
    jk_session bare = read_many(JK_SESSION_IDS, false);
    ck_assert(!bare.left_out);
    ck_assert_uint_eq(bare.nroutes, 0);
    ck_assert(read_many(JK_SESSION_IDS + 1, false).left_out);
}
END_TEST

START_TEST(reading_twice_gives_the_same)
{
    char text[] = "JSESSIONID=1.n1; JSESSIONID=\"2.n2\"";
    jk_span cookie = jk_span_of(text);
    jk_session_from from = usual(NULL, "/a", &cookie);
    jk_session first, second;

    jk_session_read(&from, &first);
    jk_session_read(&from, &second);
    ck_assert_uint_eq(second.nroutes, 2);
    ck_assert_uint_eq(first.nroutes, 2);
    ck_assert_mem_eq(first.routes, second.routes, 2 * sizeof first.routes[0]);
    ck_assert_str_eq(text, "JSESSIONID=1.n1; JSESSIONID=\"2.n2\"");
}
END_TEST

/* Every beginning of every row, before a page that cannot be read. */
START_TEST(cut_at_every_byte)
{
    char got[400];

    for (size_t i = 0; i < ROWS(paths); i++)
        for (size_t n = 0; paths[i].uri && n <= strlen(paths[i].uri); n++) {
            jk_session_from from = { .uri = guarded(paths[i].uri, n), .parameter = jk_span_of(paths[i].name) };
            walked(&from, got, sizeof got);
            jk_span cut = jk_session_cut(from.uri, from.parameter);
            MUST(cut.len <= n, "%s", paths[i].uri);
        }
    for (size_t i = 0; i < ROWS(cookies); i++)
        for (size_t n = 0; n <= strlen(cookies[i].first); n++) {
            jk_span header = guarded(cookies[i].first, n);
            jk_session_from from = { .cookie = JK_SPAN_LIT("JSESSIONID"), .cookies = &header, .ncookies = 1 };
            walked(&from, got, sizeof got);
        }
}
END_TEST

/* ---- cutting ---- */

static const struct {
    const char *path, *name, *left, *why;
} cuts[] = {
    { "/a;jsessionid=1.n1;x=2/b", ";jsessionid", "/a;x=2/b", "up to the next parameter" },
    { "/a;jsessionid=1/b;jsessionid=2", ";jsessionid", "/a/b;jsessionid=2", "the first alone" },
    { "/a;jsessionid=1.n1", ";jsessionid", "/a", "up to the end" },
    { "/a;jsessionidXX=1/b", ";jsessionid", "/a/b", "whatever begins so" },
    { "/a;jsessionid", ";jsessionid", "/a", "without a value" },
    { "/a;JSESSIONID=1", ";jsessionid", "/a;JSESSIONID=1", "case counts" },
    { "/a;sid=1/b", ";sid", "/a/b", "another name" },
    { "/a;jsessionid=1?b", ";jsessionid", "/a", "a decoded '?' ends nothing" },
    { "/a/b", ";jsessionid", "/a/b", "none" },
    { "/a;jsessio", ";jsessionid", "/a;jsessio", "half of it" },
    { "/a;x", "", "/a;x", "no name" },
    { "", ";jsessionid", "", "nothing" },
};

START_TEST(what_is_cut)
{
    jk_span path = guarded(cuts[_i].path, strlen(cuts[_i].path));
    jk_span cut = jk_session_cut(path, jk_span_of(cuts[_i].name));
    char left[100];
    size_t head = cut.p ? (size_t)(cut.p - path.p) : path.len;

    memcpy(left, path.p, head);
    memcpy(left + head, path.p + head + cut.len, path.len - head - cut.len);
    left[path.len - cut.len] = '\0';
    ck_assert_msg(strcmp(left, cuts[_i].left) == 0, "%s -> %s: %s", cuts[_i].path, left, cuts[_i].why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route/session");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, path_parameters, 0, ROWS(paths));
    tcase_add_loop_test(all, cookies_of_a_request, 0, ROWS(cookies));
    tcase_add_loop_test(all, the_first_place_counts, 0, ROWS(sessions));
    tcase_add_test(all, a_route_may_be_too_long);
    tcase_add_test(all, cookies_without_end);
    tcase_add_test(all, reading_twice_gives_the_same);
    tcase_add_test(all, cut_at_every_byte);
    tcase_add_loop_test(all, what_is_cut, 0, ROWS(cuts));
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
