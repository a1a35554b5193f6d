/* tests/unit/test_gauges.c - each gauge is its own, children add up, and what a child counted outlives it. */
#include <check.h>

#include "jk/shm/gauges.h"

#include <apr_general.h>
#include <stdlib.h>

#define ONE_PID 2000000001 /* of no process */
#define OTHER_PID 2000000002
#define THIRD_PID 2000000003

static apr_pool_t *process, *p;
static jk_shm *shm, *views[3];

/* All views are opened before there is a child: opening frees the rows of processes that are gone, as these are. */
static void open_views(void)
{
    jk_shm_news news;

    shm = jk_shm_parent_open(process, p, 4, 2, &news);
    for (int i = 0; i < 3; i++)
        views[i] = jk_shm_parent_open(process, p, 4, 2, &news);
}

static void begin(void)
{
    apr_pool_create(&process, NULL);
    apr_pool_create(&p, process);
    open_views();
    ck_assert_int_eq(jk_shm_child_begin(shm, ONE_PID), JK_OK);
}

static void end(void)
{
    apr_pool_destroy(process);
}

START_TEST(every_gauge_is_its_own)
{
    for (int i = 0; i < JK_PARK_WAITS; i++)
        for (int n = 0; n <= i; n++)
            jk_gauges_begin(shm, (jk_park_wait)i);
    for (int i = 0; i < JK_PARK_REASONS; i++)
        for (int n = 0; n <= i; n++)
            jk_gauges_fell_back(shm, (jk_park_reason)i);
    jk_park_gauges g = jk_gauges_read(shm);
    for (int i = 0; i < JK_PARK_WAITS; i++)
        ck_assert_uint_eq(g.now[i], (unsigned)i + 1);
    for (int i = 0; i < JK_PARK_REASONS; i++)
        ck_assert_uint_eq(g.fell_back[i], (unsigned)i + 1);
    ck_assert_uint_eq(g.most, JK_PARK_WAITS * (JK_PARK_WAITS + 1) / 2);
    ck_assert_uint_eq(g.children, 1);
    ck_assert_uint_eq(g.wakes, 0);
}
END_TEST

START_TEST(what_has_ended_waits_no_more)
{
    jk_gauges_begin(shm, JK_PARKED_SLOT);
    jk_gauges_begin(shm, JK_PARKED_SLOT);
    jk_gauges_end(shm, JK_PARKED_SLOT);
    jk_gauges_begin(shm, JK_PARKED_BACKEND);
    jk_park_gauges g = jk_gauges_own(shm);
    ck_assert_uint_eq(g.now[JK_PARKED_SLOT], 1);
    ck_assert_uint_eq(g.now[JK_PARKED_BACKEND], 1);
    ck_assert_uint_eq(g.most, 2);
    ck_assert_uint_eq(g.wakes, 1);
}
END_TEST

START_TEST(children_add_up_and_the_dead_are_not_forgotten)
{
    jk_shm *other = views[0];

    ck_assert_int_eq(jk_shm_child_begin(other, OTHER_PID), JK_OK);
    jk_gauges_begin(shm, JK_PARKED_BACKEND);
    for (int i = 0; i < 3; i++)
        jk_gauges_begin(other, JK_PARKED_CLIENT_READ);
    jk_gauges_end(other, JK_PARKED_CLIENT_READ);
    jk_gauges_fell_back(other, JK_FELL_LIMIT);
    jk_park_gauges g = jk_gauges_read(shm);
    ck_assert_uint_eq(g.now[JK_PARKED_BACKEND], 1);
    ck_assert_uint_eq(g.now[JK_PARKED_CLIENT_READ], 2);
    ck_assert_uint_eq(g.children, 2);
    ck_assert_uint_eq(g.most, 3);
    ck_assert_uint_eq(jk_gauges_own(shm).most, 1);
    jk_shm_parent_child_ended(shm, OTHER_PID); /* killed: it could put nothing in order */
    g = jk_gauges_read(shm);
    ck_assert_uint_eq(g.now[JK_PARKED_CLIENT_READ], 0);
    ck_assert_uint_eq(g.children, 1);
    ck_assert_uint_eq(g.most, 3);
    ck_assert_uint_eq(g.wakes, 1);
    ck_assert_uint_eq(g.fell_back[JK_FELL_LIMIT], 1);
    other = views[1];
    ck_assert_int_eq(jk_shm_child_begin(other, OTHER_PID), JK_OK); /* the next one there begins at zero */
    ck_assert_uint_eq(jk_gauges_own(other).most, 0);
    ck_assert_uint_eq(jk_gauges_own(other).wakes, 0);
}
END_TEST

START_TEST(a_child_without_a_row_counts_for_itself)
{
    jk_shm *third = views[1];

    ck_assert_int_eq(jk_shm_child_begin(views[0], OTHER_PID), JK_OK);
    ck_assert_int_eq(jk_shm_child_begin(third, THIRD_PID), JK_E_SPACE); /* two rows */
    jk_gauges_begin(third, JK_PARKED_BACKEND);
    ck_assert_uint_eq(jk_gauges_read(third).now[JK_PARKED_BACKEND], 1);
    ck_assert_uint_eq(jk_gauges_read(shm).now[JK_PARKED_BACKEND], 0);
}
END_TEST

START_TEST(every_row_has_words)
{
    for (int i = 0; i < JK_PARK_WAITS; i++)
        ck_assert(jk_gauges_waits[i].name[0] && jk_gauges_waits[i].words[0]);
    for (int i = 0; i < JK_PARK_REASONS; i++)
        ck_assert(jk_gauges_reasons[i].name[0] && jk_gauges_reasons[i].words[0]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gauges");
    TCase *all = tcase_create("all");

    apr_initialize();
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, every_gauge_is_its_own);
    tcase_add_test(all, what_has_ended_waits_no_more);
    tcase_add_test(all, children_add_up_and_the_dead_are_not_forgotten);
    tcase_add_test(all, a_child_without_a_row_counts_for_itself);
    tcase_add_test(all, every_row_has_words);
    suite_add_tcase(s, all);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
