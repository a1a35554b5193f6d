/* tests/fuzz/fuzz_session.c - any path and any cookies: the ids that are found are those that a slow and obvious search finds, the walk and the
 * reader agree, and every span lies in what was given.
 *
 *   | JK_ROUTE | \n | the parameter's name | \n | the cookie's name | \n | the URI | \n | Cookie headers, one a line | */
#include "jk/route/session.h"
#include "promise.h"

#define COOKIES_MOST 8
#define IDS_MOST 4096

typedef struct ids {
    jk_span all[IDS_MOST];
    size_t n;
    jk_session_place place;
} ids;

/* ---- the slow way ---- */

static bool blank(uint8_t c)
{
    return c && strchr(" \t\n\v\f\r", c) != NULL;
}

/* Does `word` stand at `at`? */
static bool stands(jk_span s, size_t at, jk_span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (at + i >= s.len || s.p[at + i] != word.p[i])
            return false;
    return word.len > 0;
}

static size_t until(jk_span s, size_t at, const char *ends)
{
    while (at < s.len && !(s.p[at] && strchr(ends, s.p[at])))
        at++;
    return at;
}

static jk_span between(jk_span s, size_t from, size_t to)
{
    return (jk_span){ s.p + from, to - from };
}

static void of_path(const jk_session_from *from, ids *out)
{
    jk_span path = between(from->uri, 0, until(from->uri, 0, "?"));

    for (size_t at = 0; at < path.len; at++) {
        size_t value = at + from->parameter.len + 1;
        if (!stands(path, at, from->parameter) || value >= path.len || path.p[value - 1] != '=')
            continue;
        out->all[out->n++] = between(path, value, until(path, value, ";/"));
        out->place = JK_SESSION_PATH;
        return;
    }
}

static jk_span bare(jk_span s)
{
    while (s.len > 0 && blank(s.p[0]))
        s = between(s, 1, s.len);
    while (s.len > 0 && blank(s.p[s.len - 1]))
        s.len--;
    return s.len > 1 && s.p[0] == '"' && s.p[s.len - 1] == '"' ? between(s, 1, s.len - 1) : s;
}

static void of_header(jk_span header, jk_span name, ids *out)
{
    for (size_t at = 0; at < header.len; at++) {
        bool begins = at == 0 || blank(header.p[at - 1]) || header.p[at - 1] == ';' || header.p[at - 1] == ',';
        size_t sign = at + name.len;
        if (!begins || !stands(header, at, name))
            continue;
        while (sign < header.len && blank(header.p[sign]))
            sign++;
        if (sign + 1 >= header.len || header.p[sign] != '=' || out->n == IDS_MOST)
            continue;
        out->all[out->n++] = bare(between(header, sign + 1, until(header, sign + 1, ";,")));
        at = sign; /* the next one begins behind the sign */
    }
}

static void find_slowly(const jk_session_from *from, ids *out)
{
    out->n = 0;
    out->place = JK_SESSION_COOKIES;
    if (from->forced.len > 0) {
        out->all[out->n++] = from->forced;
        out->place = JK_SESSION_FORCED;
        return;
    }
    of_path(from, out);
    for (size_t i = 0; out->place == JK_SESSION_COOKIES && i < from->ncookies; i++)
        of_header(from->cookies[i], from->cookie, out);
}

static jk_span route_slowly(jk_span id, jk_session_place place)
{
    size_t dot = until(id, 0, ".");

    if (place == JK_SESSION_FORCED)
        return id;
    return dot < id.len ? between(id, dot + 1, id.len) : JK_SPAN_NONE;
}

/* ---- both ---- */

static void check_walk(const jk_session_from *from, const ids *wanted)
{
    jk_session_walk walk = jk_session_begin(from);
    jk_session_id got;
    size_t n = 0;

    for (; jk_session_next(&walk, &got); n++) {
        must(n < wanted->n && got.place == wanted->place, "an id, and its place");
        must(jk_span_eq(got.id, wanted->all[n]) && got.id.p == wanted->all[n].p, "the slow way's id, where it stands");
        jk_span route = route_slowly(got.id, got.place);
        must(got.too_long == (route.len > JK_SESSION_ROUTE_MAX), "a route that is too long is told");
        must(jk_span_eq(got.route, got.too_long ? JK_SPAN_NONE : route), "what stands behind the first dot");
    }
    must(n == wanted->n, "all ids");
    must(!jk_session_next(&walk, &got), "an end is an end");
}

static void check_reader(const jk_session_from *from, const ids *wanted)
{
    jk_session got;
    size_t n = 0;

    jk_session_read(from, &got);
    must(got.nroutes <= JK_SESSION_ROUTES, "so many routes are tried");
    for (size_t i = 0; i < wanted->n && i < JK_SESSION_IDS && n < JK_SESSION_ROUTES; i++) {
        jk_span route = route_slowly(wanted->all[i], wanted->place);
        if (route.len == 0 || route.len > JK_SESSION_ROUTE_MAX)
            continue;
        must(n < got.nroutes && jk_span_eq(got.routes[n], route), "the routes of the ids, in their order");
        n++;
    }
    must(n == got.nroutes, "no route more");
    must(got.place == JK_SESSION_NOWHERE || got.id.len > 0, "a session has an id");
}

static void check_cut(jk_span path, jk_span parameter)
{
    jk_span cut = jk_session_cut(path, parameter);

    if (cut.p == NULL)
        return;
    must(cut.p >= path.p && cut.p + cut.len <= path.p + path.len && cut.len >= parameter.len, "what is cut lies in the path");
    must(stands(path, (size_t)(cut.p - path.p), parameter), "and begins with the parameter");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ids wanted;
    jk_span rest = { data, size }, line[4] = { JK_SPAN_NONE }, cookies[COOKIES_MOST];
    jk_session_from from = { .cookies = cookies };

    if (size == 0 || size > IDS_MOST)
        return 0;
    for (size_t i = 0; i < 4 && take_line(&rest, &line[i]); i++)
        ;
    while (from.ncookies < COOKIES_MOST && take_line(&rest, &cookies[from.ncookies])) {
        cookies[from.ncookies].p = exactly(cookies[from.ncookies]);
        from.ncookies++;
    }
    from.forced = line[0];
    from.parameter = line[1];
    from.cookie = line[2];
    from.uri = (jk_span){ exactly(line[3]), line[3].len };
    find_slowly(&from, &wanted);
    check_walk(&from, &wanted);
    check_reader(&from, &wanted);
    check_cut(from.uri, from.parameter);
    for (size_t i = 0; i < from.ncookies; i++)
        free((void *)(uintptr_t)cookies[i].p);
    free((void *)(uintptr_t)from.uri.p);
    return 0;
}
