/* tests/unit/test_path.c - the normal form against the vectors and a slow reference, the forwarded forms against their
 * tables and the one promise: decoding the result once gives what was put in. */
#include "guard.h"
#include "jk/route/path.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX 256

/* ck_assert() writes a line for every call; in a loop of many thousands only the failure is worth one. */
#define MUST(x, ...)                   \
    do {                               \
        if (!(x))                      \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

/* A deterministic stream of numbers: a failure can be repeated. */
static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static char *pick(uint32_t *seed, const char *letters, size_t max, char *out)
{
    size_t n = next(seed) % (max + 1), many = strlen(letters);

    for (size_t i = 0; i < n; i++)
        out[i] = letters[next(seed) % many];
    out[n] = '\0';
    return out;
}

static const char *guarded(const char *s)
{
    return (const char *)jk_guarded(s, strlen(s) + 1);
}

/* The same bytes, in memory that may be written and ends where a page ends. */
static char *writable(const char *s)
{
    return (char *)(uintptr_t)guarded(s);
}

/* ---- the normal form ---- */

static const struct {
    const char *in, *out, *why;
} normal[] = {
    { "/a;x=1/b", "/a/b", "parameters of an inner segment" },
    { "/jkstatus;", "/jkstatus", "an empty parameter" },
    { "/a;b;c/d", "/a/d", "several" },
    { "//a", "/a", "two slashes at the start" },
    { "/a//b", "/a/b", "and inside" },
    { "///", "/", "nothing else" },
    { "/a/./b", "/a/b", "a dot inside" },
    { "/a/.", "/a/", "a dot at the end leaves the directory" },
    { "/.", "/", "a dot alone" },
    { "/./", "/", "a dot and a slash" },
    { "/./a", "/a", "a dot at the start" },
    { "/a/../b", "/b", "one up" },
    { "/a/..", "/", "one up at the end" },
    { "/a/b/..", "/a/", "leaves the directory" },
    { "/a/b/../", "/a/", "the same with its slash" },
    { "/a/b/../..", "/", "up to the root and not above" },
    { "/a/../", "/", "the root itself" },
    { "/a;/../b", "/b", "up from a segment that had parameters" },
    { "/a/..;/b", "/b", "a parameter hides no dots" },
    { "/a/..;x", "/", "at the end neither" },
    { "/a/.;x/b", "/a/b", "nor one dot" },
    { "/.;/a", "/a", "at the start" },
    { "/;x/a", "/a", "parameters of an empty segment" },
    { "/;x", "/", "of nothing else" },
    { "/a//../b", "/b", "slashes merge before dots resolve" },
    { "/a/;/../b", "/b", "even where parameters stood between them" },
    { "/a/;x=y", "/a/", "parameters of an empty last segment" },
    { "/a/...", "/a/...", "three dots are a name" },
    { "/a/..b", "/a/..b", "a name may begin with dots" },
    { "/a/b..", "/a/b..", "or end with them" },
    { "/.b", "/.b", "a hidden file" },
    { "/a/b/", "/a/b/", "a slash at the end stays" },
    { "/a/%2e%2e/b", "/a/%2e%2e/b", "nothing is decoded again" },
    { "/a/%3bx", "/a/%3bx", "neither is this" },
    { "/a?b;c/../d", "/d", "a decoded '?' is a byte as any other" },
    { "/a?b;c/d", "/a?b/d", "and does not end the path" },
    { "/", "/", "the root" },
    { "*", "*", "OPTIONS" },
    { "/*", "/*", "an asterisk is a name" },
    { "/\\..\\a", "/\\..\\a", "a backslash separates nothing" },
    { "/a\n/b", "/a\n/b", "control characters are no business of this file" },
};

START_TEST(vectors_of_the_normal_form)
{
    char *uri = writable(normal[_i].in);
    bool clean = strcmp(normal[_i].in, normal[_i].out) == 0;

    ck_assert_msg(jk_path_is_clean(uri) == clean, "%s", normal[_i].why);
    ck_assert_int_eq(jk_path_normalise(uri), JK_PATH_FINE);
    ck_assert_msg(strcmp(uri, normal[_i].out) == 0, "%s -> %s: %s", normal[_i].in, uri, normal[_i].why);
    ck_assert(jk_path_is_clean(uri));
}
END_TEST

static const struct {
    const char *in;
    jk_path_fault fault;
    const char *why;
} faults[] = {
    { "", JK_PATH_NOT_ABSOLUTE, "empty" },
    { "a", JK_PATH_NOT_ABSOLUTE, "relative" },
    { "a/b", JK_PATH_NOT_ABSOLUTE, "with a slash" },
    { "*a", JK_PATH_NOT_ABSOLUTE, "only the asterisk alone is accepted" },
    { "**", JK_PATH_NOT_ABSOLUTE, "one" },
    { ";/a", JK_PATH_NOT_ABSOLUTE, "parameters of nothing" },
    { "../a", JK_PATH_NOT_ABSOLUTE, "dots" },
    { "http://a/b", JK_PATH_NOT_ABSOLUTE, "a proxy's form" },
    { "/..", JK_PATH_ABOVE_ROOT, "at once" },
    { "/../a", JK_PATH_ABOVE_ROOT, "at the start" },
    { "/a/b/../../../c", JK_PATH_ABOVE_ROOT, "in the end" },
    { "/a/../../a", JK_PATH_ABOVE_ROOT, "coming back does not help" },
    { "/..;x/a", JK_PATH_ABOVE_ROOT, "with parameters" },
    { "//..", JK_PATH_ABOVE_ROOT, "an empty segment is none to climb from" },
    { "/./../a", JK_PATH_ABOVE_ROOT, "neither is a dot" },
    { "/;a/..", JK_PATH_ABOVE_ROOT, "neither are parameters" },
};

START_TEST(faults_of_the_normal_form)
{
    char *uri = writable(faults[_i].in);

    ck_assert_msg(!jk_path_is_clean(uri), "%s", faults[_i].why);
    ck_assert_msg(jk_path_normalise(uri) == faults[_i].fault, "%s", faults[_i].why);
}
END_TEST

static void replace(char *at, size_t gone, const char *by)
{
    char rest[MAX];

    strcpy(rest, at + gone);
    strcpy(at, by);
    strcat(at, rest);
}

/* The passes as they are described, each over the whole string, one after the other. */
static jk_path_fault by_passes(char *s)
{
    char *at, *up;

    if (strcmp(s, "*") == 0)
        return JK_PATH_FINE;
    if (*s != '/')
        return JK_PATH_NOT_ABSOLUTE;
    while ((at = strchr(s, ';')) != NULL)
        replace(at, strcspn(at, "/"), "");
    while ((at = strstr(s, "//")) != NULL)
        replace(at, 2, "/");
    strcat(s, strlen(s) > 1 && (!strcmp(s + strlen(s) - 2, "/.")) ? "/" : "");
    strcat(s, strlen(s) > 2 && (!strcmp(s + strlen(s) - 3, "/..")) ? "/" : "");
    while ((at = strstr(s, "/./")) != NULL)
        replace(at, 3, "/");
    while ((at = strstr(s, "/../")) != NULL) {
        if (at == s)
            return JK_PATH_ABOVE_ROOT;
        for (up = at - 1; *up != '/'; up--)
            ;
        replace(up, (size_t)(at - up) + 4, "/");
    }
    return JK_PATH_FINE;
}

START_TEST(one_walk_does_what_the_passes_do)
{
    char in[MAX], passes[MAX];
    uint32_t seed = 20031;

    for (int i = 0; i < 200000; i++) {
        in[0] = '/';
        pick(&seed, "//.;.a", 14, in + (next(&seed) % 50 != 0));
        strcpy(passes, in);
        char *walk = writable(in);
        bool clean = jk_path_is_clean(walk);
        jk_path_fault want = by_passes(passes), got = jk_path_normalise(walk);
        MUST(got == want, "%s: %d, not %d", in, got, want);
        if (want != JK_PATH_FINE) {
            MUST(!clean, "%s", in);
            continue;
        }
        MUST(strcmp(walk, passes) == 0, "%s -> %s, not %s", in, walk, passes);
        MUST(clean == (strcmp(in, walk) == 0), "%s", in);
        MUST(jk_path_is_clean(walk), "%s -> %s is not clean", in, walk);
    }
}
END_TEST

START_TEST(long_uris_go_through)
{
    size_t n = 60000;
    char *uri = malloc(2 * n + 2);

    for (size_t i = 0; i < n; i++)
        memcpy(uri + 2 * i, "/a", 2);
    uri[2 * n] = '\0';
    ck_assert(jk_path_is_clean(uri));
    ck_assert_int_eq(jk_path_normalise(uri), JK_PATH_FINE);
    ck_assert_uint_eq(strlen(uri), 2 * n);
    for (size_t i = 0; i < n / 3; i++)
        memcpy(uri + 6 * i, i % 2 ? "/../b;" : "/aaaaa", 6);
    ck_assert_int_eq(jk_path_normalise(uri), JK_PATH_FINE);
    ck_assert_uint_eq(strlen(uri), n / 3);
    free(uri);
}
END_TEST

START_TEST(what_is_unsafe)
{
    ck_assert(!jk_path_is_unsafe(guarded("/a/b;c?d")));
    ck_assert(!jk_path_is_unsafe(guarded("")));
    ck_assert(jk_path_is_unsafe(guarded("/a/%2e")));
    ck_assert(jk_path_is_unsafe(guarded("%")));
    ck_assert(jk_path_is_unsafe(guarded("/a\\")));
}
END_TEST

/* ---- the forwarded forms ---- */

static const struct {
    const char *decoded, *raw, *out, *why;
} proxy[] = {
    { "/bytes/100", "/bytes/100", "/bytes/100", "nothing to do" },
    { "/bytes/100", NULL, "/bytes/100", "nothing is known of the request target" },
    { "/bytes/100", "/bytes/100?a=b", "/bytes/100", "the query is not the path" },
    { "/a b", "/a%20b", "/a%20b", "as written" },
    { "/a b", NULL, "/a%20b", "by the table" },
    { "/a b", "/a%20b?x%", "/a%20b", "the query is not looked at" },
    { "/a;x=1/b", "/a%3Bx=1/b", "/a%3Bx=1/b", "an escaped semicolon stays one" },
    { "/a;x=1/b", "/a%3bx=1/b", "/a%3Bx=1/b", "in upper case" },
    { "/a;x=1/b", "/a;x=1/b", "/a;x=1/b", "and a semicolon one" },
    { "/a;x=1/b", NULL, "/a;x=1/b", "nothing is known" },
    { "/a;b;c", "/a%3bb;c", "/a%3Bb;c", "each as it was written" },
    { "/a/b", "/a%2Fb", "/a%2Fb", "AllowEncodedSlashes On" },
    { "/a/b/c", "/a%2fb/c", "/a%2Fb/c", "one of two slashes" },
    { "/a%2Fb", "/a%2Fb", "/a%252Fb", "AllowEncodedSlashes NoDecode: the text is %2F, and stays so" },
    { "/a%2Fb c;d", "/a%2Fb%20c%3Bd", "/a%252Fb%20c;d", "and nothing in it is as written" },
    { "/a%", "/a%25", "/a%25", "a percent sign" },
    { "/a%2e", "/a%252e", "/a%252e", "escaped twice" },
    { "/ab", "/%61%62", "/%61%62", "letters too" },
    { "/a//b;c", "/a//b%3Bc", "/a//b%3Bc", "slashes that were kept" },
    { "/a/b;c", "/a//b%3Bc", "/a/b;c", "slashes that were merged" },
    { "/b;c", "/a/../b%3Bc", "/b;c", "dots that were resolved" },
    { "/b;c", "/./b%3Bc", "/b;c", "one dot" },
    { "/new;c", "/old%3Bc", "/new;c", "rewritten" },
    { "/a;c", "/a%3Bc/d", "/a;c", "cut short by a rewrite" },
    { "/a;c/d", "/a%3Bc", "/a;c/d", "made longer by a rewrite" },
    { "/a;c?d", "/a%3Bc?d", "/a;c%3Fd", "the query is no part of it" },
    { "/a?d", "/a%3Fd", "/a%3Fd", "a question mark in a name" },
    { "/a?d", "/a?d", "/a%3Fd", "came into it by a rewrite" },
    { "/a#d", "/a%23d?q", "/a%23d", "a hash in a name" },
    { "/a;", "/a%3B#d", "/a%3B", "a fragment is not the path" },
    { "/a;c", "http://host/a%3Bc", "/a%3Bc", "the absolute form" },
    { "/a;c", "https://u:p@[::1]:8443/a%3Bc?q", "/a%3Bc", "with all that an authority can have" },
    { "/", "http://host", "/", "the absolute form without a path" },
    { "/ ", "http://host?/%20", "/%20", "its query has a slash" },
    { "/;", "http://host#/%3b", "/;", "or its fragment" },
    { "/a/;", "://h/a/%3b", "/a/;", "no scheme" },
    { "/a;", "http:/a%3b", "/a;", "no authority" },
    { "/x:;", "/x:%3b", "/x:%3B", "a colon in an origin form" },
    { "/://h/;", "/://h/%3b", "/://h/%3B", "even with slashes" },
    { "*", "*", "*", "OPTIONS" },
    { "", "", "", "empty" },
    { "", NULL, "", "empty" },
    { " ", "", "%20", "out of nothing" },
    { "/a b;", "/a b%3B", "/a%20b%3B", "a blank that a lenient server let pass" },
    { "/a;\377", "/a%3B%ff", "/a%3B%FF", "above ASCII" },
    { "/\303\244;", "/\303\244%3b", "/%C3%A4%3B", "raw bytes above ASCII" },
    { "/a%;", "/a%%3b", "/a%25;", "half an escape is none" },
    { "/a;", "/a%3", "/a;", "cut inside an escape" },
    { "/a;", "/a%", "/a;", "at its start" },
    { "/a;", "/a%3g", "/a;", "no digit" },
    { "/a;", "/a%g3", "/a;", "no digit" },
    { "/a;b", "/a%3B%00", "/a;b", "a zero byte matches nothing" },
    { "/a;", "/a%3B%00", "/a;", "not even the end" },
};

/* What is said to be plain comes out as it is. */
static const char *forwarded(const char *decoded, const char *raw, char *out)
{
    jk_path_forward_proxy(decoded, raw, out);
    MUST(!jk_path_is_plain(decoded, raw) || strcmp(decoded, out) == 0, "%s beside %s is not plain: %s", decoded, raw, out);
    return out;
}

START_TEST(vectors_of_the_proxy_form)
{
    char out[MAX];
    const char *raw = proxy[_i].raw ? guarded(proxy[_i].raw) : NULL;
    const char *got = forwarded(guarded(proxy[_i].decoded), raw, out);

    ck_assert_msg(strcmp(got, proxy[_i].out) == 0, "%s beside %s -> %s, not %s: %s", proxy[_i].decoded,
                  proxy[_i].raw ? proxy[_i].raw : "nothing", got, proxy[_i].out, proxy[_i].why);
}
END_TEST

START_TEST(what_does_not_change_is_plain)
{
    ck_assert(jk_path_is_plain("/a/b;c=1", "/a/b;c=1?q"));
    ck_assert(!jk_path_is_plain("/a;b", "/a%3Bb"));
    ck_assert(!jk_path_is_plain("/a b", "/a b"));
    ck_assert(!jk_path_is_plain("/a", NULL));
}
END_TEST

#define KEPT "/~$-_.+!*'(),;:@&=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

START_TEST(every_byte_by_the_table)
{
    for (int c = 1; c < 256; c++) {
        char in[2] = { (char)c, 0 }, out[4], want[4], lower[4];

        snprintf(want, sizeof want, strchr(KEPT, c) ? "%c" : "%%%02X", (unsigned char)c);
        snprintf(lower, sizeof lower, strchr(KEPT, c) ? "%c" : "%%%02x", (unsigned char)c);
        ck_assert_str_eq(forwarded(in, NULL, out), want);
        jk_path_forward_escaped(in, out);
        ck_assert_str_eq(out, lower);
    }
}
END_TEST

START_TEST(every_byte_as_written)
{
    for (int c = 1; c < 256; c++) {
        char in[3] = { '/', (char)c, 0 }, raw[5], out[8], want[5];

        snprintf(raw, sizeof raw, "/%%%02x", (unsigned char)c);
        snprintf(want, sizeof want, "/%%%02X", (unsigned char)c);
        ck_assert_str_eq(forwarded(in, raw, out), want);
    }
}
END_TEST

static unsigned digit(char c)
{
    const char *digits = "0123456789ABCDEF0123456789abcdef", *at = strchr(digits, c);

    MUST(c != '\0' && at != NULL, "no digit");
    return (unsigned)(at - digits) % 16;
}

static void decode(const char *in, char *out)
{
    while (*in) {
        if (*in == '%') {
            *out++ = (char)(digit(in[1]) << 4 | digit(in[2]));
            in += 3;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
}

/* A request target that decodes to `in`, with some of it escaped; then perhaps spoilt in one place. */
static void write_raw(uint32_t *seed, const char *in, char *raw)
{
    static const char *const heads[] = { "", "", "", "http://h", "HTTPS://u@h:1" };
    static const char *const ends[] = { "", "", "?", "?a%zz", "#f" };
    char *at = raw + sprintf(raw, "%s", heads[next(seed) % 5]);

    for (; *in; in++) {
        unsigned char c = (unsigned char)*in;
        at += sprintf(at, !strchr(KEPT, c) || next(seed) % 3 == 0 ? next(seed) % 2 ? "%%%02x" : "%%%02X" : "%c", c);
    }
    strcpy(at, ends[next(seed) % 5]);
    if (next(seed) % 3 == 0 && *raw)
        raw[next(seed) % strlen(raw)] = "/%;a2?"[next(seed) % 6];
}

/* Whatever the client wrote, the result means what was mapped, and holds no byte that the table does not allow. */
START_TEST(decoding_once_gives_the_uri)
{
    char in[MAX], raw[4 * MAX], out[3 * MAX + 1], back[3 * MAX + 1];
    uint32_t seed = 4711;

    for (int i = 0; i < 200000; i++) {
        in[0] = '/';
        pick(&seed, i % 2 ? "/;%2Fa?# \377" : "/;%.2ef\\\1\200", 12, in + 1);
        write_raw(&seed, in, raw);
        if (i % 7 == 0)
            pick(&seed, "/;%2f3Ba?#:", 14, raw);
        memset(out, '#', sizeof out);
        const char *got = forwarded(guarded(in), i % 11 ? guarded(raw) : NULL, out);
        MUST(strspn(got, KEPT "%") == strlen(got), "%s", got);
        decode(got, back);
        MUST(strcmp(back, in) == 0, "%s beside %s -> %s", in, raw, got);
        MUST(strlen(got) <= 3 * strlen(in), "%s", got);
        jk_path_forward_escaped(guarded(in), out);
        decode(out, back);
        MUST(strcmp(back, in) == 0, "%s -> %s", in, out);
    }
}
END_TEST

/* Where the two are the same path, an escape of the client's is there and everything else is by the table. */
START_TEST(what_was_escaped_is_escaped)
{
    char in[MAX], raw[4 * MAX], want[4 * MAX] = "", out[3 * MAX + 1];
    uint32_t seed = 815;

    for (int i = 0; i < 50000; i++) {
        char *r = raw, *w = want;
        pick(&seed, "/;%2Fa?# \377", 12, in + 1);
        in[0] = '/';
        for (const char *s = in; *s; s++) {
            bool kept = strchr(KEPT, *s) != NULL, escaped = !kept || next(&seed) % 3 == 0;
            r += sprintf(r, escaped ? "%%%02x" : "%c", (unsigned char)*s);
            w += sprintf(w, escaped ? "%%%02X" : "%c", (unsigned char)*s);
        }
        const char *got = forwarded(in, guarded(raw), out);
        MUST(strcmp(got, want) == 0, "%s beside %s -> %s", in, raw, got);
    }
}
END_TEST

START_TEST(unparsed_is_cut_at_the_query)
{
    static const char *const rows[][2] = {
        { "/a%20b;c?d?e", "/a%20b;c" }, { "/a", "/a" }, { "?", "" }, { "", "" },
        { "http://h/a?b", "http://h/a" }, { "/a#b?c", "/a#b" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        jk_span got = jk_path_forward_unparsed(guarded(rows[i][0]));
        ck_assert_uint_eq(got.len, strlen(rows[i][1]));
        ck_assert_mem_eq(got.p, rows[i][1], got.len);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route/path");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, vectors_of_the_normal_form, 0, sizeof normal / sizeof normal[0]);
    tcase_add_loop_test(all, faults_of_the_normal_form, 0, sizeof faults / sizeof faults[0]);
    tcase_add_test(all, one_walk_does_what_the_passes_do);
    tcase_add_test(all, long_uris_go_through);
    tcase_add_test(all, what_is_unsafe);
    tcase_add_loop_test(all, vectors_of_the_proxy_form, 0, sizeof proxy / sizeof proxy[0]);
    tcase_add_test(all, what_does_not_change_is_plain);
    tcase_add_test(all, every_byte_by_the_table);
    tcase_add_test(all, every_byte_as_written);
    tcase_add_test(all, decoding_once_gives_the_uri);
    tcase_add_test(all, what_was_escaped_is_escaped);
    tcase_add_test(all, unparsed_is_cut_at_the_query);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
