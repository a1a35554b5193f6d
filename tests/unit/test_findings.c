/* tests/unit/test_findings.c - what is told once, what is kept where there is too much, what refuses, and which word was meant. */
#include <check.h>

#include "jk/conf/findings.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;

static const char *text_of(const jk_findings *f, int i)
{
    return jk_findings_text(pool, &APR_ARRAY_IDX(f->all, i, jk_finding));
}

/* ---- one finding ---- */

static const struct {
    const char *file;
    int line;
    const char *text, *why;
} places[] = {
    { "a.conf", 3, "a.conf:3: x=1", "file and line" },
    { "a.conf", 0, "a.conf: x=1", "the file as a whole" },
    { NULL, 0, "x=1", "nobody to blame" },
};

START_TEST(each_place_is_written)
{
    jk_findings *f = jk_findings_make(pool);

    jk_findings_add(f, JK_FIND_WARN, places[_i].file, places[_i].line, "x=%d", 1);
    ck_assert_msg(strcmp(text_of(f, 0), places[_i].text) == 0, "%s: %s", places[_i].why, text_of(f, 0));
}
END_TEST

static const struct {
    jk_severity severity;
    bool refused, refused_strictly;
} severities[] = {
    { JK_FIND_INFO, false, false }, { JK_FIND_WARN, false, false }, { JK_FIND_LENIENT, false, true }, { JK_FIND_ERROR, true, true },
};

START_TEST(each_severity_refuses_or_not)
{
    jk_findings *f = jk_findings_make(pool);

    ck_assert(!jk_findings_refuse(f, true));
    jk_findings_add(f, severities[_i].severity, "f", 1, "x");
    ck_assert(jk_findings_refuse(f, false) == severities[_i].refused);
    ck_assert(jk_findings_refuse(f, true) == severities[_i].refused_strictly);
    ck_assert_int_eq(jk_findings_count(f, severities[_i].severity), 1);
}
END_TEST

/* ---- many ---- */

static const struct {
    jk_severity severity;
    const char *file;
    int line;
    const char *text, *why;
    int kept;
} again[] = {
    { JK_FIND_WARN, "f", 1, "x", "the same", 1 },
    { JK_FIND_WARN, "g", 1, "x", "another file", 2 },
    { JK_FIND_WARN, NULL, 1, "x", "no file", 2 },
    { JK_FIND_WARN, "f", 2, "x", "another line", 2 },
    { JK_FIND_WARN, "f", 1, "y", "other words", 2 },
    { JK_FIND_ERROR, "f", 1, "x", "more severe", 2 },
};

START_TEST(the_same_is_told_once)
{
    jk_findings *f = jk_findings_make(pool);
    const char *file = apr_pstrdup(pool, "f"); /* another pointer, the same name */

    jk_findings_add(f, JK_FIND_WARN, file, 1, "%s", "x");
    jk_findings_add(f, again[_i].severity, again[_i].file, again[_i].line, "%s", again[_i].text);
    ck_assert_msg(f->all->nelts == again[_i].kept, "%s: %d", again[_i].why, f->all->nelts);
    ck_assert_int_eq(jk_findings_count(f, JK_FIND_WARN) + jk_findings_count(f, JK_FIND_ERROR), again[_i].kept);
}
END_TEST

static jk_findings *full(jk_severity severity)
{
    jk_findings *f = jk_findings_make(pool);

    for (int i = 0; i < JK_FINDINGS_MOST + 7; i++)
        jk_findings_add(f, severity, "f", i + 1, "x");
    return f;
}

START_TEST(too_many_are_counted)
{
    jk_findings *f = full(JK_FIND_WARN);

    ck_assert_int_eq(f->all->nelts, JK_FINDINGS_MOST);
    ck_assert_int_eq(jk_findings_count(f, JK_FIND_WARN), JK_FINDINGS_MOST + 7);
}
END_TEST

START_TEST(what_refuses_is_kept_behind_many_that_do_not)
{
    jk_findings *f = full(JK_FIND_INFO);

    jk_findings_add(f, JK_FIND_WARN, "f", 9001, "warned");
    jk_findings_add(f, JK_FIND_ERROR, "f", 9002, "refused");
    jk_findings_add(f, JK_FIND_INFO, "f", 9003, "one more");
    ck_assert_int_eq(f->all->nelts, JK_FINDINGS_MOST);
    ck_assert_str_eq(text_of(f, JK_FINDINGS_MOST - 1), "f:9002: refused");
    ck_assert_str_eq(text_of(f, JK_FINDINGS_MOST - 2), "f:9001: warned");
    ck_assert_str_eq(text_of(f, 0), "f:1: x");
    ck_assert(jk_findings_refuse(f, false));
}
END_TEST

START_TEST(an_error_beyond_the_kept_ones_refuses)
{
    jk_findings *f = full(JK_FIND_ERROR);

    jk_findings_add(f, JK_FIND_LENIENT, "f", 9001, "y");
    ck_assert_int_eq(f->all->nelts, JK_FINDINGS_MOST);
    ck_assert_int_eq(jk_findings_count(f, JK_FIND_LENIENT), 1);
    ck_assert(jk_findings_refuse(f, false));
}
END_TEST

/* ---- the word that was meant ---- */

static const char *const names[] = { "port", "host", "socket_timeout", "w", "lb", "node1", "Request" };

static const struct {
    const char *word, *meant, *why;
} words[] = {
    { "prot", "port", "two letters swapped count once" },
    { "hsot", "host", "and in the other name" },
    { "prt", "port", "one is missing" },
    { "portt", "port", "one too many" },
    { "post", "port", "one is another: the first of the nearest" },
    { "PORT", "port", "the case alone" },
    { "request", "Request", "the case of the candidate" },
    { "socket_timout", "socket_timeout", "in a long word" },
    { "sokcet_timout", "socket_timeout", "twice in a long word" },
    { "node2", "node1", "a number" },
    { "bl", "lb", "two letters" },
    { "port", NULL, "the word itself is no suggestion" },
    { "v", NULL, "one letter may be meant for any" },
    { "colour", NULL, "nothing is near" },
    { "", NULL, "nothing at all" },
    { "socket_timeout_socket_timeout_socket_timeout", NULL, "longer than any" },
};

START_TEST(each_slip_of_the_finger)
{
    const char *near = jk_findings_nearest(words[_i].word, names, sizeof names / sizeof names[0]);
    const char *hint = jk_findings_hint(pool, words[_i].word, names, sizeof names / sizeof names[0]);
    const char *wanted = words[_i].meant ? apr_psprintf(pool, "; did you mean '%s'?", words[_i].meant) : "";

    ck_assert_msg((near == NULL) == (words[_i].meant == NULL) && (near == NULL || strcmp(near, words[_i].meant) == 0), "%s: '%s' gives %s",
                  words[_i].why, words[_i].word, near ? near : "nothing");
    ck_assert_str_eq(hint, wanted);
}
END_TEST

START_TEST(no_candidates_no_hint)
{
    ck_assert_str_eq(jk_findings_hint(pool, "port", NULL, 0), "");
}
END_TEST

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

/* Places first by file, then by line; at one place as they were found; what has no place before all. */
START_TEST(places_are_in_order)
{
    jk_findings *f = jk_findings_make(pool);
    const char *text = "";

    jk_findings_add(f, JK_FIND_WARN, "b", 2, "4");
    jk_findings_add(f, JK_FIND_ERROR, "a", 10, "2");
    jk_findings_add(f, JK_FIND_WARN, "b", 10, "5");
    jk_findings_add(f, JK_FIND_WARN, "a", 9, "1");
    jk_findings_add(f, JK_FIND_INFO, "b", 10, "6");
    jk_findings_add(f, JK_FIND_INFO, "b", 0, "3");
    jk_findings_add(f, JK_FIND_ERROR, NULL, 0, "0");
    jk_findings_sort(f);
    for (int i = 0; i < f->all->nelts; i++)
        text = apr_pstrcat(pool, text, APR_ARRAY_IDX(f->all, i, jk_finding).text, NULL);
    ck_assert_str_eq(text, "0123456");
}
END_TEST

static const struct {
    jk_severity severity;
    bool strict;
    const char *line;
} told[] = {
    { JK_FIND_INFO, false, "info: f:1: x" },     { JK_FIND_WARN, true, "warning: f:1: x" }, { JK_FIND_LENIENT, false, "error (lived with): f:1: x" },
    { JK_FIND_LENIENT, true, "error: f:1: x" }, { JK_FIND_ERROR, false, "error: f:1: x" },
};

START_TEST(each_line_says_how_bad_it_is)
{
    jk_finding one = { told[_i].severity, "f", 1, "x", 0 };

    ck_assert_str_eq(jk_findings_line(pool, &one, told[_i].strict), told[_i].line);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("findings");
    TCase *t = tcase_create("findings");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_add_loop_test(t, each_place_is_written, 0, COUNT(places));
    tcase_add_loop_test(t, each_severity_refuses_or_not, 0, COUNT(severities));
    tcase_add_loop_test(t, the_same_is_told_once, 0, COUNT(again));
    tcase_add_test(t, too_many_are_counted);
    tcase_add_test(t, what_refuses_is_kept_behind_many_that_do_not);
    tcase_add_test(t, an_error_beyond_the_kept_ones_refuses);
    tcase_add_loop_test(t, each_slip_of_the_finger, 0, COUNT(words));
    tcase_add_test(t, no_candidates_no_hint);
    tcase_add_test(t, places_are_in_order);
    tcase_add_loop_test(t, each_line_says_how_bad_it_is, 0, COUNT(told));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
