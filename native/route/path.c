/* native/route/path.c - the forms of a URI. What is mapped and access-checked is the normal form; what the container
 * gets is made from the URI before that, so that ";jsessionid=" and "//" reach it. */
#include "jk/route/path.h"

/* ---- the normal form ---- */

/* A segment ends at the next '/', its name already at a ';'. */
static bool ends_name(char c)
{
    return c == '/' || c == ';' || c == '\0';
}

/* Does the segment at `s` vanish from the normal form: "", "." or ".."? A last one may be empty: "/a/" is normal. */
static bool is_odd_segment(const char *s)
{
    if (*s == '/')
        return true;
    return s[0] == '.' && (ends_name(s[1]) || (s[1] == '.' && ends_name(s[2])));
}

bool jk_path_is_clean(const char *uri)
{
    if (uri[0] != '/')
        return uri[0] == '*' && uri[1] == '\0';
    for (;; uri++) {
        if ((uint8_t)*uri > ';') /* as most are: '/' and the end are below it */
            continue;
        if (*uri == '\0')
            return true;
        if (*uri == ';' || (*uri == '/' && is_odd_segment(uri + 1)))
            return false;
    }
}

static size_t name_length(const char *s)
{
    size_t n = 0;

    while (!ends_name(s[n]))
        n++;
    return n;
}

/* `at` is the end of what was written, which begins at `root`: the end without the last segment, NULL if there is none.
 * Every byte that is gone back over was written once, so all of them together are no more than the URI. */
static char *without_last(char *root, char *at)
{
    if (at == root)
        return NULL;
    while (*--at != '/')
        ;
    return at;
}

jk_path_fault jk_path_normalise(char *uri)
{
    const char *in = uri;
    char *out = uri; /* "/a/b" stands before it, and no '/' at its end */

    if (uri[0] != '/')
        return jk_path_is_clean(uri) ? JK_PATH_FINE : JK_PATH_NOT_ABSOLUTE;
    while (*in == '/') {
        const char *name = in + 1;
        size_t len = name_length(name);
        bool up = len == 2 && name[0] == '.' && name[1] == '.';

        for (in = name + len; *in != '/' && *in != '\0'; in++)
            ;
        if (up) {
            out = without_last(uri, out);
            if (out == NULL)
                return JK_PATH_ABOVE_ROOT;
        }
        if (up || len == 0 || (len == 1 && name[0] == '.')) {
            if (*in == '\0') /* what a last one leaves is the directory */
                *out++ = '/';
            continue;
        }
        *out++ = '/';
        memmove(out, name, len);
        out += len;
    }
    *out = '\0';
    return JK_PATH_FINE;
}

bool jk_path_is_unsafe(const char *uri)
{
    return strpbrk(uri, "%\\") != NULL;
}

/* ---- the forwarded forms ---- */

/* The bytes that stand in a path as they are. The same for both forms that escape; not '?' and '#', which end a path,
 * and not '%'. */
static const bool kept[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
    ['/'] = true, ['~'] = true, ['$'] = true, ['-'] = true, ['_'] = true, ['.'] = true, ['+'] = true,
    ['!'] = true, ['*'] = true, ['\''] = true, ['('] = true, [')'] = true, [','] = true, [';'] = true,
    [':'] = true, ['@'] = true, ['&'] = true, ['='] = true,
};

static const char upper_digits[] = "0123456789ABCDEF";
static const char lower_digits[] = "0123456789abcdef";

static char *put_escaped(char *out, uint8_t c, const char *digits)
{
    *out++ = '%';
    *out++ = digits[c >> 4];
    *out++ = digits[c & 15];
    return out;
}

/* The table alone. */
static void escape(const char *in, char *out, const char *digits)
{
    for (; *in; in++) {
        uint8_t c = (uint8_t)*in;

        if (kept[c])
            *out++ = *in;
        else
            out = put_escaped(out, c, digits);
    }
    *out = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool ends_path(char c)
{
    return c == '\0' || c == '?' || c == '#';
}

/* The path of a request target: in the absolute form it begins at the first '/' after "scheme://". */
static const char *raw_path(const char *raw)
{
    if (*raw == '/')
        return raw;
    const char *s = raw + strcspn(raw, ":/?#");
    if (s == raw || strncmp(s, "://", 3) != 0)
        return raw;
    return s + 3 + strcspn(s + 3, "/?#");
}

/* The byte that stands at *raw, and whether it was written as %XX; *raw goes behind it. 0 where the path ends and where
 * a '%' has no two digits after it: no decoded byte is 0. */
static uint8_t take_raw(const char **raw, bool *escaped)
{
    const char *s = *raw;

    *escaped = *s == '%';
    if (ends_path(*s))
        return 0;
    if (!*escaped) {
        ++*raw;
        return (uint8_t)*s;
    }
    int hi = hex_value(s[1]), lo = hi < 0 ? -1 : hex_value(s[2]);
    if (lo < 0)
        return 0;
    *raw += 3;
    return (uint8_t)(hi << 4 | lo);
}

/* The table, and %XX where the client wrote it. false, and `out` is to be written anew, when the two are not the same
 * path: then what the client wrote says nothing about these bytes. */
static bool escape_as_written(const char *in, const char *raw, char *out)
{
    for (; *in; in++) {
        uint8_t c = (uint8_t)*in;
        bool escaped;

        if (take_raw(&raw, &escaped) != c)
            return false;
        if (kept[c] && !escaped)
            *out++ = *in;
        else
            out = put_escaped(out, c, upper_digits);
    }
    *out = '\0';
    return ends_path(*raw);
}

/* How many bytes stand as they are in either case. */
static size_t same_bytes(const char *decoded, const char *raw)
{
    size_t same = 0;

    while (kept[(uint8_t)decoded[same]] && decoded[same] == raw[same])
        same++;
    return same;
}

bool jk_path_is_plain(const char *decoded, const char *raw)
{
    return raw && decoded[same_bytes(decoded, raw)] == '\0';
}

void jk_path_forward_proxy(const char *decoded, const char *raw, char *out)
{
    raw = raw ? raw_path(raw) : "";
    size_t same = same_bytes(decoded, raw);
    memcpy(out, decoded, same);
    if (!escape_as_written(decoded + same, raw + same, out + same))
        escape(decoded + same, out + same, upper_digits);
}

void jk_path_forward_escaped(const char *decoded, char *out)
{
    escape(decoded, out, lower_digits);
}

jk_span jk_path_forward_unparsed(const char *raw)
{
    return (jk_span){ (const uint8_t *)raw, strcspn(raw, "?") };
}
