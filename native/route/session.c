/* native/route/session.c - finds session ids by their names. A name is text to look for and not a grammar: containers and
 * frameworks write both forms as they like, and an id that none of them wrote leads to no member. */
#include "jk/route/session.h"

static bool blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What stands in `s` from `at` on. */
static jk_span from_on(jk_span s, size_t at)
{
    return (jk_span){ s.p + at, s.len - at };
}

/* Where `name` begins in `in`, from `at` on; in.len: nowhere. */
static inline size_t find(jk_span in, size_t at, jk_span name)
{
    /* memmem has a price before its first byte; most paths hold no ';', and most Cookie headers are short. */
    while (name.len > 0 && in.len - at >= name.len) {
        const uint8_t *hit = memchr(in.p + at, name.p[0], in.len - at - name.len + 1);
        if (hit == NULL)
            break;
        at = (size_t)(hit - in.p);
        if (memcmp(hit, name.p, name.len) == 0)
            return at;
        at++;
    }
    return in.len;
}

/* The bytes before the first of the two. */
static inline jk_span up_to(jk_span s, uint8_t a, uint8_t b)
{
    const uint8_t *end = s.len ? memchr(s.p, a, s.len) : NULL;
    size_t n = end ? (size_t)(end - s.p) : s.len;

    end = n && b != a ? memchr(s.p, b, n) : NULL;
    return (jk_span){ s.p, end ? (size_t)(end - s.p) : n };
}

/* ---- where ids stand ---- */

/* The value of the path parameter; absent: there is none. One with nothing at all behind its '=' is none. */
static jk_span path_id(jk_span uri, jk_span name)
{
    size_t at = find(uri, 0, name);

    if (at == uri.len)
        return JK_SPAN_NONE;
    jk_span path = up_to(uri, '?', '?');
    for (; at < path.len; at = find(path, at + 1, name)) {
        size_t value = at + name.len + 1;
        if (value < path.len && path.p[value - 1] == '=')
            return up_to(from_on(path, value), ';', '/');
    }
    return JK_SPAN_NONE;
}

/* Is the name at `at` a whole one? XJSESSIONID is another's. */
static bool begins_name(jk_span header, size_t at)
{
    return at == 0 || header.p[at - 1] == ';' || header.p[at - 1] == ',' || blank(header.p[at - 1]);
}

static jk_span trimmed(jk_span s)
{
    while (s.len > 0 && blank(s.p[0]))
        s = from_on(s, 1);
    while (s.len > 0 && blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

static jk_span unquoted(jk_span s)
{
    if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
        return (jk_span){ s.p + 1, s.len - 2 };
    return s;
}

/* The next cookie of this name in one header: *at goes behind its '='. */
static inline bool next_in(jk_span header, jk_span name, size_t *at, jk_span *id)
{
    for (size_t hit = find(header, *at, name); hit < header.len; hit = find(header, hit + 1, name)) {
        if (!begins_name(header, hit))
            continue;
        size_t sign = hit + name.len;
        while (sign < header.len && blank(header.p[sign]))
            sign++;
        if (sign + 1 >= header.len || header.p[sign] != '=')
            continue;
        *at = sign + 1;
        *id = unquoted(trimmed(up_to(from_on(header, *at), ';', ',')));
        return true;
    }
    return false;
}

/* ---- the walk ---- */

jk_session_walk jk_session_begin(const jk_session_from *from)
{
    if (from->forced.len > 0)
        return (jk_session_walk){ .from = from, .place = JK_SESSION_FORCED, .id = from->forced };
    jk_span id = path_id(from->uri, from->parameter);
    return (jk_session_walk){ .from = from, .place = id.p ? JK_SESSION_PATH : JK_SESSION_COOKIES, .id = id };
}

/* What stands behind the first dot. A forced id is a route already, dots and all. */
static jk_span route_of(jk_span id, jk_session_place place)
{
    if (place == JK_SESSION_FORCED || id.len == 0)
        return id;
    const uint8_t *dot = memchr(id.p, '.', id.len);
    return dot ? from_on(id, (size_t)(dot - id.p) + 1) : JK_SPAN_NONE;
}

static bool next_cookie(jk_session_walk *walk, jk_span *id)
{
    const jk_session_from *from = walk->from;

    for (; walk->header < from->ncookies; walk->header++, walk->at = 0)
        if (next_in(from->cookies[walk->header], from->cookie, &walk->at, id))
            return true;
    return false;
}

bool jk_session_next(jk_session_walk *walk, jk_session_id *id)
{
    *id = (jk_session_id){ .place = walk->place, .id = walk->id };
    if (walk->place == JK_SESSION_NOWHERE)
        return false;
    if (walk->place == JK_SESSION_COOKIES) {
        if (!next_cookie(walk, &id->id))
            return false;
    } else {
        walk->place = JK_SESSION_NOWHERE;
    }
    id->route = route_of(id->id, id->place);
    id->too_long = id->route.len > JK_SESSION_ROUTE_MAX;
    if (id->route.len == 0 || id->too_long)
        id->route = JK_SPAN_NONE;
    return true;
}

/* ---- all of it ---- */

/* One more id; false: no other is looked at. */
static inline bool take(jk_session *out, jk_session_place place, jk_span id)
{
    jk_span route = route_of(id, place);

    if (id.len > 0 && out->place == JK_SESSION_NOWHERE) {
        out->place = place;
        out->id = id;
    }
    if (route.len > JK_SESSION_ROUTE_MAX)
        out->left_out = true;
    else if (route.len > 0)
        out->routes[out->nroutes++] = route;
    return out->nroutes < JK_SESSION_ROUTES;
}

static void take_cookies(const jk_session_from *from, jk_session *out)
{
    size_t seen = 0;
    bool more = true;
    jk_span id;

    for (size_t i = 0; i < from->ncookies; i++)
        for (size_t at = 0; next_in(from->cookies[i], from->cookie, &at, &id);) {
            if (!more || seen++ == JK_SESSION_IDS) {
                out->left_out = true;
                return;
            }
            more = take(out, JK_SESSION_COOKIES, id);
        }
    out->empty = seen > 0 && out->place == JK_SESSION_NOWHERE;
}

void jk_session_read(const jk_session_from *from, jk_session *out)
{
    jk_span id = from->forced.len > 0 ? from->forced : path_id(from->uri, from->parameter);

    out->place = JK_SESSION_NOWHERE;
    out->empty = out->left_out = false;
    out->id = JK_SPAN_NONE;
    out->nroutes = 0;
    if (id.p == NULL) {
        take_cookies(from, out);
        return;
    }
    take(out, from->forced.len > 0 ? JK_SESSION_FORCED : JK_SESSION_PATH, id);
    out->empty = out->place == JK_SESSION_NOWHERE;
}

jk_span jk_session_cut(jk_span path, jk_span parameter)
{
    size_t at = find(path, 0, parameter);

    if (at == path.len)
        return JK_SPAN_NONE;
    jk_span value = up_to(from_on(path, at + parameter.len), ';', '/');
    return (jk_span){ path.p + at, parameter.len + value.len };
}
