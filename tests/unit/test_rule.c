/* tests/unit/test_rule.c - rules from their text, the parts of a pattern, and one pattern against one URI. */
#include "guard.h"
#include "jk/route/rule.h"

#include <check.h>
#include <stdlib.h>

/* ck_assert() writes a line for every call; in a loop of many thousands only the failure is worth one. */
#define MUST(x, ...)                   \
    do {                               \
        if (!(x))                      \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static jk_span guarded(const char *s)
{
    return (jk_span){ jk_guarded(s, strlen(s)), strlen(s) };
}

static bool is(jk_span got, const char *want)
{
    return jk_span_eq(got, jk_span_of(want));
}

/* ---- text -> rules ---- */

enum { BAD = -1, PLAIN = 0, NOT = 1, OFF = 2 };

static const struct {
    jk_rule_source source;
    const char *text;
    int flags;
    const char *a, *b, *why;
} texts[] = {
    { JK_RULE_MOUNT, "/app/*", PLAIN, "/app/*", NULL, "one rule" },
    { JK_RULE_MOUNT, "/app|/*", PLAIN, "/app", "/app/*", "two" },
    { JK_RULE_MOUNT, "/a|b|c", PLAIN, "/a", "/ab|c", "the first bar alone counts" },
    { JK_RULE_MOUNT, "/a|", PLAIN, "/a", NULL, "the second would be the first again" },
    { JK_RULE_MOUNT, "/a||", PLAIN, "/a", "/a|", "a bar is a byte" },
    { JK_RULE_MOUNT, "/|/", PLAIN, "/", "//", "nothing is made normal" },
    { JK_RULE_MOUNT, "|/a", BAD, NULL, NULL, "the first would be empty" },
    { JK_RULE_MOUNT, "*.jsp", BAD, NULL, NULL, "in the incumbent's manual, and refused by it" },
    { JK_RULE_MOUNT, "", BAD, NULL, NULL, "empty" },
    { JK_RULE_MOUNT, "a/b", BAD, NULL, NULL, "relative" },
    { JK_RULE_MOUNT, "!/a", BAD, NULL, NULL, "a directive has no modifiers" },
    { JK_RULE_MOUNT, "-/a", BAD, NULL, NULL, "none" },
    { JK_RULE_MOUNT, " /a", BAD, NULL, NULL, "a blank" },
    { JK_RULE_FILE, "/a", PLAIN, "/a", NULL, "one rule" },
    { JK_RULE_FILE, "!/a|/*", NOT, "/a", "/a/*", "both are exclusions" },
    { JK_RULE_FILE, "-/a|/*", OFF, "/a", "/a/*", "both are disabled" },
    { JK_RULE_FILE, "-!/a", NOT | OFF, "/a", NULL, "both flags" },
    { JK_RULE_FILE, "!-/a", BAD, NULL, NULL, "in this order only" },
    { JK_RULE_FILE, "!!/a", BAD, NULL, NULL, "once" },
    { JK_RULE_FILE, "--/a", BAD, NULL, NULL, "once" },
    { JK_RULE_FILE, "!", BAD, NULL, NULL, "an exclusion of nothing" },
    { JK_RULE_FILE, "-", BAD, NULL, NULL, "nothing, disabled" },
    { JK_RULE_FILE, "!|/a", BAD, NULL, NULL, "an empty first" },
    { JK_RULE_FILE, "!*.html", BAD, NULL, NULL, "no slash" },
    { JK_RULE_WORKER, "!/a", NOT, "/a", NULL, "a worker's own mount has modifiers" },
    { JK_RULE_WORKER, "-/a", OFF, "/a", NULL, "both" },
    { JK_RULE_WORKER, "/a|/*", PLAIN, "/a|/*", NULL, "but there a bar is a byte" },
    { JK_RULE_WORKER, "*", BAD, NULL, NULL, "no slash" },
};

START_TEST(rules_from_text)
{
    int data;
    jk_rule like = { .worker = JK_SPAN_LIT("w"), .source = texts[_i].source, .serial = 7, .data = &data, .file = "f",
                     .line = 3 };
    jk_span text = guarded(texts[_i].text);
    char *room = (char *)(uintptr_t)jk_guarded(texts[_i].text, text.len);
    const char *want[2] = { texts[_i].a, texts[_i].b };
    jk_rule got[2];
    size_t n = 9;

    jk_rc rc = jk_rule_parse(text, &like, room, got, &n);
    ck_assert_msg(rc == (texts[_i].flags == BAD ? JK_E_CONF : JK_OK), "%s: %s", texts[_i].text, texts[_i].why);
    ck_assert_msg(n == (want[0] != NULL) + (size_t)(want[1] != NULL), "%s: %s", texts[_i].text, texts[_i].why);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(is(got[i].pattern, want[i]), "%s: %s", texts[_i].text, texts[_i].why);
        ck_assert(is(got[i].text, texts[_i].text));
        ck_assert_int_eq(got[i].exclude, (texts[_i].flags & NOT) != 0);
        ck_assert_int_eq(got[i].disabled, (texts[_i].flags & OFF) != 0);
        ck_assert(is(got[i].worker, "w") && got[i].source == like.source && got[i].serial == 7);
        ck_assert(got[i].data == &data && got[i].line == 3);
        ck_assert_str_eq(got[i].file, "f");
    }
}
END_TEST

START_TEST(an_unmount_is_said_by_the_caller)
{
    jk_rule like = { .source = JK_RULE_MOUNT, .exclude = true }, got[2];
    char room[8];
    size_t n;

    ck_assert_int_eq(jk_rule_parse(JK_SPAN_LIT("/a|/b"), &like, room, got, &n), JK_OK);
    ck_assert_uint_eq(n, 2);
    ck_assert(got[0].exclude && got[1].exclude && !got[0].disabled);
}
END_TEST

/* ---- a pattern's parts ---- */

static const struct {
    const char *pattern;
    jk_rule_form form;
    size_t head, tail, slashes;
} shapes[] = {
    { "/a/b", JK_RULE_EXACT, 4, 0, 2 },    { "/", JK_RULE_EXACT, 1, 0, 1 },
    { "", JK_RULE_EXACT, 0, 0, 0 },        { "/a/*", JK_RULE_PREFIX, 3, 0, 2 },
    { "/a*", JK_RULE_PREFIX, 2, 0, 1 },    { "/a***", JK_RULE_PREFIX, 2, 0, 1 },
    { "*", JK_RULE_PREFIX, 0, 0, 0 },      { "/*.jsp", JK_RULE_AFFIX, 1, 4, 1 },
    { "/a/**/b", JK_RULE_AFFIX, 3, 2, 3 }, { "/*x", JK_RULE_AFFIX, 1, 1, 1 },
    { "/a?", JK_RULE_GENERAL, 2, 0, 1 },   { "/a*?", JK_RULE_GENERAL, 2, 0, 1 },
    { "/a?*", JK_RULE_GENERAL, 2, 0, 1 },  { "/a*b*", JK_RULE_GENERAL, 2, 0, 1 },
    { "/*a?", JK_RULE_GENERAL, 1, 0, 1 },  { "/?*.do", JK_RULE_GENERAL, 1, 0, 1 },
};

START_TEST(parts_of_a_pattern)
{
    jk_span pattern = guarded(shapes[_i].pattern);
    jk_rule_shape got = jk_rule_shape_of(pattern);

    ck_assert_msg(got.form == shapes[_i].form, "%s", shapes[_i].pattern);
    ck_assert_msg(got.head == shapes[_i].head, "%s", shapes[_i].pattern);
    ck_assert_msg(got.tail == shapes[_i].tail, "%s", shapes[_i].pattern);
    ck_assert_msg(jk_rule_slashes(pattern) == shapes[_i].slashes, "%s", shapes[_i].pattern);
}
END_TEST

/* ---- a pattern against a URI ---- */

static const struct {
    const char *pattern, *uri;
    bool matches;
    const char *why;
} rows[] = {
    { "/foo/*", "/foo/", true, "a star may be nothing" },
    { "/foo/*", "/foo/a/b", true, "or have slashes" },
    { "/foo/*", "/foo", false, "the slash belongs to it" },
    { "/foo*", "/foo", true, "without it" },
    { "/foo*", "/foobar", true, "any continuation" },
    { "/foo*", "/fo", false, "too short" },
    { "/x*?", "/x", false, "one byte at least" },
    { "/x*?", "/xy", true, "one" },
    { "/x*?", "/xyz", true, "more" },
    { "/a?b", "/a/b", true, "a question mark is a slash too" },
    { "/a?b", "/ab", false, "but not nothing" },
    { "/a?b", "/axxb", false, "and not two" },
    { "/*.jsp", "/a/b.jsp", true, "at any depth" },
    { "/*.jsp", "/.jsp", true, "the name may be empty" },
    { "/*.jsp", "/a.jspx", false, "the end is the end" },
    { "/*.jsp", "/a.JSP", false, "the case counts" },
    { "/*.jsp", ".jsp", false, "head and tail do not overlap" },
    { "/aba*aba", "/ababa", false, "in the middle neither" },
    { "/aba*aba", "/abaaba", true, "side by side" },
    { "/**a", "/a", true, "two stars are one" },
    { "/a*b*c", "/aXbYc", true, "two choices" },
    { "/a*b*c", "/abbc", true, "the last star takes up the slack" },
    { "/a*b*c", "/acb", false, "in order" },
    { "/*ab*ab", "/abab", true, "the first takes as little as it can" },
    { "/*ab*ab", "/aab", false, "one is not two" },
    { "/a", "/a", true, "exact" },
    { "/a", "/a/", false, "exact" },
    { "/a|b", "/a|b", true, "a bar is a byte here" },
    { "", "", true, "nothing" },
    { "*", "", true, "anything" },
    { "?", "", false, "something" },
};

START_TEST(one_pattern_one_uri)
{
    bool got = jk_rule_matches(guarded(rows[_i].pattern), guarded(rows[_i].uri));

    ck_assert_msg(got == rows[_i].matches, "%s on %s: %s", rows[_i].pattern, rows[_i].uri, rows[_i].why);
}
END_TEST

/* What the words say, and nothing clever. */
static bool slowly(const char *p, const char *u)
{
    if (*p == '\0')
        return *u == '\0';
    if (*p == '*')
        return slowly(p + 1, u) || (*u && slowly(p, u + 1));
    return *u && (*p == '?' || *p == *u) && slowly(p + 1, u + 1);
}

static void pick(uint32_t *seed, const char *letters, size_t max, char *out)
{
    size_t n = next(seed) % (max + 1), many = strlen(letters);

    for (size_t i = 0; i < n; i++)
        out[i] = letters[next(seed) % many];
    out[n] = '\0';
}

START_TEST(the_same_as_going_back_everywhere)
{
    char pattern[16], uri[16];
    uint32_t seed = 99;
    int hits = 0;

    for (int i = 0; i < 300000; i++) {
        pick(&seed, "ab/*?*", 8, pattern);
        pick(&seed, "ab/", 10, uri);
        bool want = slowly(pattern, uri);
        MUST(jk_rule_matches(guarded(pattern), guarded(uri)) == want, "%s on %s", pattern, uri);
        hits += want;
    }
    ck_assert_int_gt(hits, 10000);
}
END_TEST

/* Sixteen stars over a long URI that ends wrongly: going back to each of them would not end in this life. */
START_TEST(many_stars_end)
{
    char pattern[] = "/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
    size_t n = 20000;
    char *uri = malloc(n);

    memset(uri, 'a', n);
    uri[0] = '/';
    ck_assert(!jk_rule_matches(jk_span_of(pattern), (jk_span){ (uint8_t *)uri, n }));
    uri[n - 1] = 'b';
    ck_assert(jk_rule_matches(jk_span_of(pattern), (jk_span){ (uint8_t *)uri, n }));
    free(uri);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route/rule");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, rules_from_text, 0, sizeof texts / sizeof texts[0]);
    tcase_add_test(all, an_unmount_is_said_by_the_caller);
    tcase_add_loop_test(all, parts_of_a_pattern, 0, sizeof shapes / sizeof shapes[0]);
    tcase_add_loop_test(all, one_pattern_one_uri, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(all, the_same_as_going_back_everywhere);
    tcase_add_test(all, many_stars_end);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
