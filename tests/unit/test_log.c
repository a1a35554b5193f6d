/* tests/unit/test_log.c - the log's macros: what is wanted is formatted and handed over once, what is not costs nothing. */
#include "jk/base/log.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

typedef struct seen {
    int lines;
    jk_log_level level;
    unsigned id;
    int line;
    char text[5000], function[64], file[256];
} seen;

static void remember(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *text)
{
    seen *s = log->sink;

    s->lines++;
    s->level = level;
    s->id = id;
    s->line = place->line;
    strncpy(s->text, text, sizeof s->text - 1);
    strncpy(s->function, place->function, sizeof s->function - 1);
    strncpy(s->file, place->file, sizeof s->file - 1);
}

static int evaluated;

static int counted(void)
{
    return ++evaluated;
}

static void log_one(const jk_log *log, jk_log_level level)
{
    switch (level) {
    case JK_LOG_TRACE:
        JK_TRACE(log, "%d", counted());
        break;
    case JK_LOG_DEBUG:
        JK_DEBUG(log, "%d", counted());
        break;
    case JK_LOG_INFO:
        JK_INFO(log, "%d", counted());
        break;
    case JK_LOG_WARN:
        JK_WARN(log, 9901, "%d", counted());
        break;
    case JK_LOG_ERROR:
        JK_ERROR(log, 9902, "%d", counted());
        break;
    case JK_LOG_EMERG:
        JK_EMERG(log, 9903, "%d", counted());
        break;
    }
}

START_TEST(lines_below_the_level_are_not_even_formatted)
{
    static const unsigned ids[] = { 0, 0, 0, 9901, 9902, 9903 };
    jk_log_level at = (jk_log_level)(_i / 6), level = (jk_log_level)(_i % 6);
    seen s = { 0 };
    jk_log log = { at, remember, "TEST", NULL, &s };

    evaluated = 0;
    log_one(&log, level);
    ck_assert_int_eq(s.lines, level >= at);
    ck_assert_int_eq(evaluated, level >= at);
    if (level < at)
        return;
    ck_assert_int_eq(s.level, level);
    ck_assert_uint_eq(s.id, ids[level]);
    ck_assert_str_eq(s.text, "1");
}
END_TEST

START_TEST(a_line_knows_where_it_was_written)
{
    seen s = { 0 };
    jk_log log = { JK_LOG_TRACE, remember, "TEST", NULL, &s };

    JK_INFO(&log, "worker %s: %d%%", "node1", 7);
    int here = __LINE__ - 1;
    ck_assert_str_eq(s.text, "worker node1: 7%");
    ck_assert_int_eq(s.line, here);
    ck_assert_ptr_nonnull(strstr(s.function, "a_line_knows_where_it_was_written"));
    ck_assert_ptr_nonnull(strstr(s.file, "test_log.c"));
}
END_TEST

START_TEST(a_long_line_is_cut_and_still_ends)
{
    seen s = { 0 };
    jk_log log = { JK_LOG_TRACE, remember, "TEST", NULL, &s };
    char *text = malloc(10001);

    memset(text, 'x', 10000);
    text[10000] = 0;
    JK_INFO(&log, "%s", text);
    ck_assert_int_eq(s.lines, 1);
    ck_assert_uint_eq(strlen(s.text), 4095);
    free(text);
}
END_TEST

START_TEST(percent_signs_in_what_is_logged_are_only_text)
{
    seen s = { 0 };
    jk_log log = { JK_LOG_TRACE, remember, "TEST", NULL, &s };

    JK_ERROR(&log, 9904, "uri %s", "/%n%s%x");
    ck_assert_str_eq(s.text, "uri /%n%s%x");
}
END_TEST

START_TEST(a_macro_is_one_statement)
{
    seen s = { 0 };
    jk_log log = { JK_LOG_TRACE, remember, "TEST", NULL, &s };

    if (_i)
        JK_INFO(&log, "yes");
    else
        JK_DEBUG(&log, "no");
    ck_assert_int_eq(s.lines, 1);
    ck_assert_str_eq(s.text, _i ? "yes" : "no");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/log");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, lines_below_the_level_are_not_even_formatted, 0, 36);
    tcase_add_test(all, a_line_knows_where_it_was_written);
    tcase_add_test(all, a_long_line_is_cut_and_still_ends);
    tcase_add_test(all, percent_signs_in_what_is_logged_are_only_text);
    tcase_add_loop_test(all, a_macro_is_one_statement, 0, 2);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
