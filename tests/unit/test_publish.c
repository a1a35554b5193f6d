/* tests/unit/test_publish.c - path=: which part of a pattern it replaces, the URI that is forwarded, and header fields on their way back. */
#include <check.h>

#include "guard.h"
#include "jk/route/path.h"
#include "jk/route/publish.h"

#include <stdlib.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static jk_publish publish(const char *outside, const char *inside)
{
    return (jk_publish){ jk_span_of(outside), jk_span_of(inside), { JK_SPAN_LIT("shop.example"), JK_SPAN_LIT("shop.example:8080") } };
}

/* ---- the part of a pattern ---- */

static const struct {
    const char *pattern, *outside, *why;
} patterns[] = {
    { "/shop", "/shop", "an exact one: all of it" },
    { "/shop/*", "/shop", "what stands before the wildcard, without its slash" },
    { "/shop/", "/shop", "a slash at the end is no part" },
    { "/shop/index.jsp", "/shop/index.jsp", "a page is a path too" },
    { "/a/b/*", "/a/b", "more than one segment" },
    { "/shop/*.do", "/shop", "what follows the wildcard does not matter" },
    { "/shop/a*", "/shop", "up to the last slash before it" },
    { "/shop/?/x", "/shop", "'?' is a wildcard" },
    { "/shop*", "", "no slash before the wildcard but the first: nothing" },
    { "/*", "", "everything" },
    { "/*.jsp", "", "all pages" },
    { "/", "", "the root alone" },
};

START_TEST(the_head_of_a_pattern_is_replaced)
{
    jk_span got = jk_publish_outside(jk_span_of(patterns[_i].pattern));

    ck_assert_msg(jk_span_eq(got, jk_span_of(patterns[_i].outside)), "%s: %.*s", patterns[_i].why, (int)got.len, (const char *)got.p);
}
END_TEST

static const struct {
    const char *path;
    bool may;
    const char *why;
} paths[] = {
    { "/store", true, "a path" },         { "/", true, "the root" },
    { "/store/", true, "a slash at its end" }, { "/a/b-c_d.e~1", true, "unreserved characters" },
    { "store", false, "not absolute" },   { "", false, "nothing" },
    { "/a/../b", false, "dots" },         { "//a", false, "an empty segment" },
    { "/a;x=1", false, "a parameter" },   { "/a?b", false, "a query" },
    { "/a b", false, "a blank must be escaped" }, { "/a%20b", false, "so must a per cent sign" },
    { "/a*", false, "a wildcard" },       { "/\xC3\xA4", false, "not ASCII" },
};

START_TEST(what_may_be_a_path)
{
    ck_assert_msg(jk_publish_is_path(paths[_i].path) == paths[_i].may, "%s", paths[_i].why);
}
END_TEST

/* ---- simple, resolved ---- */

static const struct {
    const char *uri, *resolved, *why;
    bool simple;
} forms[] = {
    { "/a/b", "/a/b", "as it is", true },
    { "/a/b/", "/a/b/", "a slash at the end", true },
    { "/", "/", "the root", true },
    { "/a;x=1/b;y=2", "/a;x=1/b;y=2", "parameters stay", true },
    { "/a/;x=1", "/a/;x=1", "of an empty last segment too", true },
    { "/a/...", "/a/...", "three dots are a name", true },
    { "/a//b", "/a/b", "an empty segment", false },
    { "/a/;x=1/b", "/a/b", "with a parameter", false },
    { "/a/./b", "/a/b", "a dot", false },
    { "/a/.", "/a/", "at the end", false },
    { "/a/.;x/b", "/a/b", "with a parameter", false },
    { "/a/../b", "/b", "two dots", false },
    { "/a;x=1/../b", "/b", "take the parameters with them", false },
    { "/a/b/..;x=1/c", "/a/c", "with a parameter of their own", false },
    { "/a/b/..", "/a/", "at the end", false },
    { "/a/..", "/", "up to the root", false },
    { "//a/b/../..//c;v=1/", "/c;v=1/", "all at once", false },
};

START_TEST(odd_segments_are_resolved_and_parameters_stay)
{
    const char *uri = forms[_i].uri;
    size_t n = strlen(uri) + 1;
    const char *at_the_end = (const char *)jk_guarded(uri, n);
    char *out = malloc(n), *twice = malloc(n);

    ck_assert_msg(jk_publish_is_simple(at_the_end) == forms[_i].simple, "%s", forms[_i].why);
    jk_publish_resolve(at_the_end, out);
    ck_assert_msg(strcmp(out, forms[_i].resolved) == 0, "%s: %s", forms[_i].why, out);
    ck_assert(jk_publish_is_simple(out));
    /* What is mapped does not change. */
    strcpy(twice, uri);
    ck_assert_int_eq(jk_path_normalise(twice), JK_PATH_FINE);
    ck_assert_int_eq(jk_path_normalise(out), JK_PATH_FINE);
    ck_assert_str_eq(out, twice);
    free(out);
    free(twice);
}
END_TEST

/* ---- forwarded ---- */

static const struct {
    const char *outside, *inside, *uri, *forwarded, *result, *why;
    bool literal;
} ways[] = {
    { "/shop", "/store", "/shop/x", "/shop/x", "/store/x", "the head", false },
    { "/shop", "/store", "/shop", "/shop", "/store", "alone", false },
    { "/shop", "/store", "/shop/", "/shop/", "/store/", "with its slash", false },
    { "/shop", "/store", "/shop;jsessionid=1", "/shop;jsessionid=1", "/store;jsessionid=1", "the session stays", false },
    { "/shop", "/store", "/shop;v=1/x;w=2", "/shop;v=1/x;w=2", "/store;v=1/x;w=2", "in each segment", false },
    { "/a/b", "/c", "/a;v=1/b;w=2/x", "/a;v=1/b;w=2/x", "/c;v=1;w=2/x", "of two segments both", false },
    { "/shop", "/a/b", "/shop/x", "/shop/x", "/a/b/x", "a longer one", false },
    { "/shop", "", "/shop/x", "/shop/x", "/x", "the root", false },
    { "/shop", "", "/shop", "/shop", "/", "the root alone", false },
    { "/shop", "", "/shop;v=1/x", "/shop;v=1/x", "/;v=1/x", "the root with a parameter begins with a slash", false },
    { "", "/store", "/x", "/x", "/store/x", "from the root", false },
    { "", "/store", "/", "/", "/store/", "the root of it", false },
    { "/a b", "/store", "/a b/c d", "/a%20b/c%20d", "/store/c%20d", "escapes", false },
    { "/shop", "/store", "/shop/a;x=1", "/shop/a%3Bx=1", "/store/a%3Bx=1", "what was escaped stays so", false },
    { "/shop", "/store", "/shop;x/a", "/shop%3Bx/a", "/store/a", "an escaped ';' in the head is a part of the name that goes", false },
    { "/shop", "/store", "/shop/a%b", "/shop/a%b", "/store/a%b", "ForwardURICompat writes no escapes", true },
    { "/s%41", "/store", "/s%41/x", "/s%41/x", "/store/x", "nor reads any", true },
    { "/shop", "/store", "/shop/x", "http://h:80/shop/x", "http://h:80/store/x", "the absolute form", false },
    { "/shop", "/store", "/shop/x", "/%73hop/x", "/store/x", "as the client wrote it", false },
    { "/shop", "/store", "/shop/x", "/before/x", NULL, "after a rewrite: another path", false },
    { "/a/b", "/store", "/a", "/a", NULL, "too short", false },
};

START_TEST(the_forwarded_uri)
{
    jk_publish p = publish(ways[_i].outside, ways[_i].inside);
    size_t n = strlen(ways[_i].forwarded) + strlen(ways[_i].inside) + 2;
    char *out = malloc(n);
    bool ok = jk_publish_forward(&p, ways[_i].uri, (const char *)jk_guarded(ways[_i].forwarded, strlen(ways[_i].forwarded) + 1), ways[_i].literal, out);

    ck_assert_msg(ok == (ways[_i].result != NULL), "%s", ways[_i].why);
    if (ok)
        ck_assert_msg(strcmp(out, ways[_i].result) == 0, "%s: %s", ways[_i].why, out);
    free(out);
}
END_TEST

/* ---- back ---- */

enum { LOCATION, REFRESH, COOKIE };

static const struct {
    int field;
    const char *outside, *inside, *value, *result, *why; /* NULL: it stays */
} backs[] = {
    { LOCATION, "/shop", "/store", "/store/x", "/shop/x", "a path" },
    { LOCATION, "/shop", "/store", "/store", "/shop", "alone" },
    { LOCATION, "/shop", "/store", "/store?q", "/shop?q", "with a query" },
    { LOCATION, "/shop", "/store", "/store;jsessionid=1", "/shop;jsessionid=1", "with a session" },
    { LOCATION, "/shop", "/store", "/storefront/x", NULL, "another path that begins alike" },
    { LOCATION, "/shop", "/store", "/other", NULL, "another path" },
    { LOCATION, "/shop", "/store", "x.jsp", NULL, "a relative one" },
    { LOCATION, "/shop", "/store", "", NULL, "nothing" },
    { LOCATION, "/shop", "/store", "http://shop.example/store/x", "http://shop.example/shop/x", "a URL of ours" },
    { LOCATION, "/shop", "/store", "https://shop.example:8080/store/x#f", "https://shop.example:8080/shop/x#f", "with its port" },
    { LOCATION, "/shop", "/store", "HTTP://SHOP.example/store", "HTTP://SHOP.example/shop", "whatever the case" },
    { LOCATION, "/shop", "/store", "http://other.example/store/x", NULL, "another server's" },
    { LOCATION, "/shop", "/store", "http://shop.example.evil/store/x", NULL, "a name that begins alike" },
    { LOCATION, "/shop", "/store", "http://shop.example", NULL, "no path" },
    { LOCATION, "/shop", "/store", "//shop.example/store/x", "//shop.example/shop/x", "without a scheme" },
    { LOCATION, "/shop", "/store", "//other.example/store/x", NULL, "another server's" },
    { LOCATION, "/shop", "/store", "ftp://shop.example/store", NULL, "another scheme" },
    { LOCATION, "/shop", "", "/x", "/shop/x", "from the root" },
    { LOCATION, "/shop", "", "/", "/shop/", "the root itself" },
    { LOCATION, "/shop", "", "//other.example/x", NULL, "not a server's name" },
    { LOCATION, "/shop", "", "http://shop.example", "http://shop.example/shop", "the root of a URL" },
    { LOCATION, "", "/store", "/store/x", "/x", "to the root" },
    { LOCATION, "", "/store", "/store", "/", "to the root itself" },
    { LOCATION, "", "/store", "/store?q", "/?q", "with a query" },
    { REFRESH, "/shop", "/store", "5; url=/store/x", "5; url=/shop/x", "as usual" },
    { REFRESH, "/shop", "/store", "0;URL='http://shop.example/store/x'", "0;URL='http://shop.example/shop/x'", "quoted" },
    { REFRESH, "/shop", "/store", "5;url = \"/store\"", "5;url = \"/shop\"", "blanks" },
    { REFRESH, "/shop", "/store", "5, /store/x", "5, /shop/x", "without url=" },
    { REFRESH, "/shop", "/store", "5", NULL, "no URL" },
    { REFRESH, "/shop", "/store", "5; url=", NULL, "an empty one" },
    { REFRESH, "/shop", "/store", "5; url=/other", NULL, "another path" },
    { COOKIE, "/shop", "/store", "J=1; Path=/store; HttpOnly", "J=1; Path=/shop; HttpOnly", "a cookie" },
    { COOKIE, "/shop", "/store", "J=1;path=/store", "J=1;path=/shop", "whatever the case" },
    { COOKIE, "/shop", "/store", "J=1; Path=\"/store\"", "J=1; Path=\"/shop\"", "quoted" },
    { COOKIE, "/shop", "/store", "J=1; Path=/store/x", "J=1; Path=/shop/x", "below" },
    { COOKIE, "/shop", "/store", "J=1; Path=/", NULL, "for all" },
    { COOKIE, "/shop", "/store", "J=/store", NULL, "a value is no path" },
    { COOKIE, "/shop", "/store", "Path=/store; Secure", NULL, "a cookie of that name" },
    { COOKIE, "/shop", "/store", "J=1; Pathway=/store", NULL, "another attribute" },
    { COOKIE, "/shop", "/store", "J=1; Path", NULL, "without a value" },
    { COOKIE, "/shop", "/store", "J=1; Path=", NULL, "with an empty one" },
    { COOKIE, "/shop", "/store", "J=1;", NULL, "nothing behind the ';'" },
    { COOKIE, "/shop", "", "J=1; Path=/", "J=1; Path=/shop", "from the root" },
    { COOKIE, "/shop", "", "J=1; Path=/; Secure", "J=1; Path=/shop; Secure", "with more behind it" },
    { COOKIE, "/shop", "", "J=1; Path=/x", "J=1; Path=/shop/x", "below the root" },
    { COOKIE, "", "/store", "J=1; Path=/store", "J=1; Path=/", "to the root" },
};

static bool back(int field, const jk_publish *p, jk_span value, char *out)
{
    return field == LOCATION ? jk_publish_back(p, value, out) : field == REFRESH ? jk_publish_back_refresh(p, value, out)
                                                                               : jk_publish_back_cookie(p, value, out);
}

START_TEST(what_the_container_names_is_mapped_back)
{
    jk_publish p = publish(backs[_i].outside, backs[_i].inside);
    size_t n = strlen(backs[_i].value);
    char *out = malloc(n + p.outside.len + 2);
    bool changed = back(backs[_i].field, &p, (jk_span){ jk_guarded(backs[_i].value, n), n }, out);

    ck_assert_msg(changed == (backs[_i].result != NULL), "%s", backs[_i].why);
    if (changed)
        ck_assert_msg(strcmp(out, backs[_i].result) == 0, "%s: %s", backs[_i].why, out);
    /* Cut at each byte, against the end of a page: nothing behind it is read. */
    for (size_t cut = 0; cut < n; cut++)
        (void)back(backs[_i].field, &p, (jk_span){ jk_guarded(backs[_i].value, cut), cut }, out);
    free(out);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("publish");
    TCase *t = tcase_create("publish");

    tcase_add_loop_test(t, the_head_of_a_pattern_is_replaced, 0, COUNT(patterns));
    tcase_add_loop_test(t, what_may_be_a_path, 0, COUNT(paths));
    tcase_add_loop_test(t, odd_segments_are_resolved_and_parameters_stay, 0, COUNT(forms));
    tcase_add_loop_test(t, the_forwarded_uri, 0, COUNT(ways));
    tcase_add_loop_test(t, what_the_container_names_is_mapped_back, 0, COUNT(backs));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
