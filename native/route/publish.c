/* native/route/publish.c - replaces the head of a path on its way to the container, and puts it back where the container names its own
 * paths. What is mapped and access-checked is never changed here: that is the form before. */
#include "jk/route/publish.h"

#include "jk/route/path.h"
#include "jk/route/rule.h"

/* ---- what is replaced ---- */

jk_span jk_publish_outside(jk_span pattern)
{
    jk_rule_shape shape = jk_rule_shape_of(pattern);
    size_t n = shape.head;

    while (shape.form != JK_RULE_EXACT && n > 0 && pattern.p[n - 1] != '/')
        n--;
    while (n > 0 && pattern.p[n - 1] == '/')
        n--;
    return (jk_span){ pattern.p, n };
}

bool jk_publish_is_path(const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/~$-_.+!'(),:@&=";

    return *path == '/' && path[strspn(path, plain)] == '\0' && jk_path_is_clean(path);
}

/* ---- segments ---- */

static bool ends_segment(char c)
{
    return c == '/' || c == '\0';
}

static size_t name_length(const char *s)
{
    return strcspn(s, ";/");
}

static size_t segment_length(const char *s)
{
    return strcspn(s, "/");
}

typedef enum kind { NAMED, EMPTY, HERE, UP } kind;

static kind kind_of(const char *s)
{
    size_t n = name_length(s);

    if (n == 0)
        return EMPTY;
    if (n == 1 && s[0] == '.')
        return HERE;
    return n == 2 && s[0] == '.' && s[1] == '.' ? UP : NAMED;
}

bool jk_publish_is_simple(const char *uri)
{
    for (; *uri == '/'; uri += 1 + segment_length(uri + 1))
        if (kind_of(uri + 1) != NAMED && (kind_of(uri + 1) != EMPTY || uri[1 + segment_length(uri + 1)] == '/'))
            return false;
    return *uri == '\0';
}

void jk_publish_resolve(const char *uri, char *out)
{
    char *at = out; /* "/a/b" stands before it, and no '/' at its end */

    while (*uri == '/') {
        const char *segment = uri + 1;
        size_t len = segment_length(segment);
        kind k = kind_of(segment);
        bool last = segment[len] == '\0';

        uri = segment + len;
        while (k == UP && at > out && *--at != '/')
            ;
        if (k != NAMED && !last)
            continue;
        *at++ = '/';
        if (k == NAMED || k == EMPTY) { /* the parameters of an empty last one are the URI's */
            memcpy(at, segment, len);
            at += len;
        }
    }
    *at = '\0';
}

/* ---- to the container ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Steps over the byte `c` of the decoded path in its forwarded form: how many bytes it has there, 0 where it is another byte. */
static size_t width_of(const char *forwarded, char c, bool literal)
{
    if (literal || *forwarded != '%')
        return *forwarded == c ? 1 : 0;
    int hi = hex_value(forwarded[1]), lo = hi < 0 ? -1 : hex_value(forwarded[2]);
    return lo >= 0 && (char)(hi << 4 | lo) == c ? 3 : 0;
}

/* The absolute form of a request target: its path begins behind the authority. */
static size_t before_path(const char *forwarded)
{
    const char *s = *forwarded == '/' ? NULL : strstr(forwarded, "://");

    return s ? (size_t)(s - forwarded) + 3 + strcspn(s + 3, "/") : 0;
}

static size_t slashes(jk_span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == '/';
    return n;
}

bool jk_publish_forward(const jk_publish *p, const char *uri, const char *forwarded, bool literal, char *out)
{
    const char *from = forwarded + before_path(forwarded);
    char *begin;

    memcpy(out, forwarded, (size_t)(from - forwarded));
    out += from - forwarded;
    begin = out;
    memcpy(out, p->inside.p, p->inside.len);
    out += p->inside.len;
    for (size_t left = slashes(p->outside); left > 0; left--) {
        bool parameters = false;
        do { /* one segment: from its '/' to before the next */
            size_t width = width_of(from, *uri, literal);
            if (width == 0 || *uri == '\0')
                return false;
            if (*uri == ';' && width == 1 && out == begin) /* a path begins with '/' */
                *out++ = '/';
            parameters = parameters || (*uri == ';' && width == 1);
            if (parameters) {
                memcpy(out, from, width);
                out += width;
            }
            from += width;
        } while (!ends_segment(*++uri));
    }
    if (*from != '/' && out == begin)
        *out++ = '/';
    strcpy(out, from); /* NOLINT: the room is asked for in the header */
    return true;
}

/* ---- and back ---- */

static bool is_boundary(jk_span s, size_t at)
{
    return at >= s.len || memchr("/?#;,\"' ", s.p[at], 8) != NULL;
}

/* Does `inside` stand at `at`? */
static bool is_inside(const jk_publish *p, jk_span value, size_t at)
{
    size_t end = at + p->inside.len;

    return end <= value.len && (p->inside.len == 0 || memcmp(value.p + at, p->inside.p, p->inside.len) == 0) && is_boundary(value, end);
}

/* What stands from `at` to `end` becomes `outside`. */
static void put_outside(const jk_publish *p, jk_span value, size_t at, size_t end, char *out)
{
    memcpy(out, value.p, at);
    out += at;
    if (p->outside.len)
        memcpy(out, p->outside.p, p->outside.len);
    out += p->outside.len;
    if (p->outside.len == 0 && (end == value.len || value.p[end] != '/'))
        *out++ = '/';
    memcpy(out, value.p + end, value.len - end);
    out[value.len - end] = '\0';
}

static bool replace_at(const jk_publish *p, jk_span value, size_t at, char *out)
{
    if (at > value.len || !is_inside(p, value, at))
        return false;
    put_outside(p, value, at, at + p->inside.len, out);
    return true;
}

static bool is_host(const jk_publish *p, jk_span authority)
{
    for (size_t i = 0; i < 2; i++)
        if (p->hosts[i].p && authority.len == p->hosts[i].len && jk_span_ieq(authority, p->hosts[i]))
            return true;
    return false;
}

static bool starts_with(jk_span s, size_t at, jk_span with)
{
    return s.len - at >= with.len && jk_span_ieq((jk_span){ s.p + at, with.len }, with);
}

/* Where the path of a URL begins that stands at `at`; value.len + 1: it leads elsewhere, or is relative. */
static size_t path_at(const jk_publish *p, jk_span value, size_t at)
{
    size_t end;

    if (starts_with(value, at, JK_SPAN_LIT("http://")))
        at += 7;
    else if (starts_with(value, at, JK_SPAN_LIT("https://")))
        at += 8;
    else if (starts_with(value, at, JK_SPAN_LIT("//")))
        at += 2;
    else
        return at < value.len && value.p[at] == '/' ? at : value.len + 1;
    for (end = at; !is_boundary(value, end); end++)
        ;
    return is_host(p, (jk_span){ value.p + at, end - at }) ? end : value.len + 1;
}

bool jk_publish_back(const jk_publish *p, jk_span value, char *out)
{
    size_t at = path_at(p, value, 0);

    return replace_at(p, value, at, out);
}

static size_t skip(jk_span s, size_t at, const char *what)
{
    while (at < s.len && strchr(what, s.p[at]) && s.p[at])
        at++;
    return at;
}

/* 5; url='/store/x' */
bool jk_publish_back_refresh(const jk_publish *p, jk_span value, char *out)
{
    size_t at = skip(value, 0, " \t0123456789.");

    at = skip(value, at, " \t;,");
    if (at >= value.len)
        return false;
    if (starts_with(value, at, JK_SPAN_LIT("url"))) {
        size_t sign = skip(value, at + 3, " \t");
        at = sign < value.len && value.p[sign] == '=' ? skip(value, sign + 1, " \t\"'") : at;
    }
    return replace_at(p, value, path_at(p, value, at), out);
}

/* JSESSIONID=1; Path=/store; HttpOnly. The root's own path is "/", and must become "/shop": a browser sends no cookie of "/shop/" to "/shop". */
bool jk_publish_back_cookie(const jk_publish *p, jk_span value, char *out)
{
    const uint8_t *semicolon = value.p;

    while ((semicolon = memchr(semicolon, ';', value.len - (size_t)(semicolon - value.p))) != NULL) {
        size_t at = skip(value, (size_t)(++semicolon - value.p), " \t");
        if (!starts_with(value, at, JK_SPAN_LIT("Path")))
            continue;
        at = skip(value, at + 4, " \t");
        if (at >= value.len || value.p[at] != '=')
            continue;
        at = skip(value, at + 1, " \t\"");
        if (at >= value.len || value.p[at] != '/' || !is_inside(p, value, at))
            return false;
        bool root = p->inside.len == 0 && is_boundary(value, at + 1);
        put_outside(p, value, at, at + (root ? 1 : p->inside.len), out);
        return true;
    }
    return false;
}
