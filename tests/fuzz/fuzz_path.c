/* tests/fuzz/fuzz_path.c - any URI: its normal form against a slow and obvious one, and its forwarded forms against what they promise: decoding
 * once gives the URI back, and no byte goes out that means something else in a path. Then path=: what is replaced on the way there and back.
 *
 *   | the decoded URI | \n | the request target as the client wrote it | \n | outside | \n | inside | \n | a header's value | */
#include "jk/route/path.h"
#include "jk/route/publish.h"
#include "promise.h"

#define LINE_MOST 4000
#define SEGMENTS_MOST (LINE_MOST + 1)

/* ---- the slow way ---- */

/* The segments one after the other, their parameters cut off; "" and "." dropped, ".." takes the last that stayed away. */
static jk_path_fault slowly(const char *uri, char *out)
{
    static jk_span kept[SEGMENTS_MOST];
    size_t n = 0;
    bool directory = true;

    if (strcmp(uri, "*") == 0) {
        memcpy(out, "*", 2);
        return JK_PATH_FINE;
    }
    if (uri[0] != '/')
        return JK_PATH_NOT_ABSOLUTE;
    for (const char *s = uri; *s == '/'; s += 1 + strcspn(s + 1, "/")) {
        jk_span name = { (const uint8_t *)s + 1, strcspn(s + 1, ";/") };
        bool up = jk_span_eq(name, JK_SPAN_LIT(".."));
        if (up && n == 0)
            return JK_PATH_ABOVE_ROOT;
        directory = up || name.len == 0 || jk_span_eq(name, JK_SPAN_LIT("."));
        if (up)
            n--;
        else if (!directory)
            kept[n++] = name;
    }
    for (size_t i = 0; i < n; i++) {
        *out++ = '/';
        memcpy(out, kept[i].p, kept[i].len);
        out += kept[i].len;
    }
    if (directory)
        *out++ = '/';
    *out = '\0';
    return JK_PATH_FINE;
}

static int digit(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) % 16 : -1;
}

/* One byte of an escaped path: how many characters it takes. 0: there is none, or it is no byte. */
static size_t one_byte(const char *s, uint8_t *byte)
{
    if (*s != '%') {
        *byte = (uint8_t)*s;
        return *s && !strchr("?#", *s);
    }
    int hi = digit(s[1]), lo = hi < 0 ? -1 : digit(s[2]);
    *byte = (uint8_t)(hi * 16 + lo);
    return lo < 0 || *byte == 0 ? 0 : 3;
}

/* Where the path of a request target begins. */
static const char *path_of(const char *raw)
{
    const char *colon = strstr(raw, "://");

    if (raw[0] == '/' || colon == NULL || colon == raw || strcspn(raw, ":/?#") < (size_t)(colon - raw))
        return raw;
    return colon + 3 + strcspn(colon + 3, "/?#");
}

static bool decodes_to(const char *raw, const char *decoded)
{
    uint8_t byte;
    size_t n;

    for (raw = path_of(raw); (n = one_byte(raw, &byte)) > 0; raw += n, decoded++)
        if (byte != (uint8_t)*decoded)
            return false;
    return *decoded == '\0' && (*raw == '\0' || *raw == '?' || *raw == '#');
}

/* ---- the normal form ---- */

static void check_normal(const char *uri)
{
    char *mine = block(strlen(uri) + 2), *theirs = as_text(jk_span_of(uri)), *again;
    jk_path_fault wanted = slowly(uri, mine), got = jk_path_normalise(theirs);

    must(got == wanted, "the fault is the slow way's");
    must((got == JK_PATH_FINE && strcmp(theirs, uri) == 0) == jk_path_is_clean(uri), "clean is what stays as it is");
    if (got == JK_PATH_FINE) {
        must(strcmp(mine, theirs) == 0, "the normal form is the slow way's");
        must(jk_path_is_clean(theirs), "a normal form is clean");
        must(strstr(theirs, "/../") == NULL && strstr(theirs, "//") == NULL && strchr(theirs, ';') == NULL, "nothing odd is left");
        again = as_text(jk_span_of(theirs));
        must(jk_path_normalise(again) == JK_PATH_FINE && strcmp(again, theirs) == 0, "a normal form's is itself");
        free(again);
    }
    free(mine);
    free(theirs);
}

/* ---- the forwarded forms ---- */

static void check_escaped(const char *uri, const char *out, const char *raw)
{
    const char *from = raw ? path_of(raw) : NULL;
    uint8_t byte, theirs;
    size_t n;

    must(strlen(out) <= 3 * strlen(uri), "three bytes for one at most");
    for (; *out; out += n, uri++) {
        n = one_byte(out, &byte);
        must(n > 0 && byte == (uint8_t)*uri, "decoding once gives the URI");
        must(n == 3 || (*out > 0x20 && *out < 0x7F && !strchr("%\\\"<>^`{|}[]", *out)), "a byte that is bare means itself");
        if (from == NULL)
            continue;
        size_t width = one_byte(from, &theirs);
        must(width < 3 || n == 3, "what the client wrote as %XX stays so");
        from += width;
    }
    must(*uri == '\0', "the whole URI");
}

static void check_forwarded(const char *uri, const char *raw)
{
    char *out = block(3 * strlen(uri) + 1);

    jk_path_forward_proxy(uri, raw, out);
    check_escaped(uri, out, raw && decodes_to(raw, uri) ? raw : NULL);
    must(!jk_path_is_plain(uri, raw) || strcmp(uri, out) == 0, "plain is what is forwarded as it is");
    jk_path_forward_escaped(uri, out);
    check_escaped(uri, out, NULL);
    free(out);
    if (raw)
        must(jk_path_forward_unparsed(raw).len == (strchr(raw, '?') ? (size_t)(strchr(raw, '?') - raw) : strlen(raw)), "up to the '?'");
}

/* ---- path= ---- */

static char *normal_of(const char *uri)
{
    char *copy = as_text(jk_span_of(uri));

    must(copy != NULL && jk_path_normalise(copy) == JK_PATH_FINE, "it can be normalised");
    return copy;
}

static void check_resolved(const char *uri, const char *simple)
{
    char *a = normal_of(uri), *b = normal_of(simple);

    must(jk_publish_is_simple(simple), "what is resolved is simple");
    must(strcmp(a, b) == 0, "resolving changes nothing that is mapped");
    free(a);
    free(b);
}

/* Where the pattern matches, the container gets the inner path and what stood behind the outer one. */
static void check_replaced(const jk_publish *p, const char *simple)
{
    size_t n = strlen(simple), out_len = p->outside.len;
    char *forwarded = block(3 * n + 1), *out = block(3 * n + p->inside.len + 2), *normal = normal_of(simple), *inner;

    jk_path_forward_proxy(simple, NULL, forwarded);
    bool inside = strncmp(normal, (const char *)p->outside.p, out_len) == 0 && (normal[out_len] == '/' || normal[out_len] == '\0');
    if (inside) {
        must(jk_publish_forward(p, simple, forwarded, false, out), "a path that the pattern matches is replaced");
        must(out[0] == '/', "what is forwarded is absolute");
        must(memcmp(out, p->inside.p, p->inside.len) == 0, "it begins with the inner path");
        inner = normal_of(out);
        must(strlen(normal) - out_len <= 1 || strlen(inner) >= p->inside.len, "and goes on with what stood behind");
        free(inner);
    }
    free(forwarded);
    free(out);
    free(normal);
}

static void check_back(const jk_publish *p, jk_span value)
{
    bool (*const backs[])(const jk_publish *, jk_span, char *) = { jk_publish_back, jk_publish_back_refresh, jk_publish_back_cookie };
    uint8_t *copy = exactly(value);
    char *out = block(value.len + p->outside.len + 2);

    for (size_t i = 0; i < 3; i++)
        if (backs[i](p, (jk_span){ copy, value.len }, out))
            must(strlen(out) <= value.len + p->outside.len + 1, "it lies in its room");
    free(copy);
    free(out);
}

static void check_publish(const char *uri, const char *outside, const char *inside, jk_span value)
{
    jk_publish p = { .outside = jk_publish_outside(jk_span_of(outside)), .inside = jk_span_of(inside),
                     .hosts = { JK_SPAN_LIT("host"), JK_SPAN_LIT("host:8080") } };

    if (!jk_publish_is_path(inside) || outside[0] != '/' || !jk_publish_is_path(outside))
        return;
    while (p.inside.len > 0 && p.inside.p[p.inside.len - 1] == '/')
        p.inside.len--;
    check_back(&p, value);
    char *copy = as_text(jk_span_of(uri)), *simple = block(strlen(uri) + 1);
    if (uri[0] == '/' && jk_path_normalise(copy) == JK_PATH_FINE) {
        jk_publish_resolve(uri, simple);
        check_resolved(uri, simple);
        check_replaced(&p, simple);
    }
    free(copy);
    free(simple);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    jk_span rest = { data, size }, line[5] = { JK_SPAN_NONE };
    char *text[4] = { NULL };
    bool whole = size <= LINE_MOST;

    for (size_t i = 0; i < 5 && size > 0 && take_line(&rest, &line[i]); i++)
        ;
    for (size_t i = 0; i < 4; i++)
        whole = (text[i] = as_text(line[i])) != NULL && whole;
    if (whole) {
        check_normal(text[0]);
        check_forwarded(text[0], line[1].p ? text[1] : NULL);
        check_publish(text[0], text[2], text[3], line[4]);
    }
    for (size_t i = 0; i < 4; i++)
        free(text[i]);
    return 0;
}
