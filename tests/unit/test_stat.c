/* tests/unit/test_stat.c - the shared numbers: limits, never below zero, one winner, copies that are whole. */
#include <check.h>

#include "jk/shm/stat.h"

#include <apr_general.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static apr_pool_t *p;
static jk_shm *shm;
static jk_stat *stat;
static jk_tune file;

static void begin(void)
{
    jk_shm_news news;

    apr_pool_create(&p, NULL);
    memset(&file, 0, sizeof file);
    file.recover_time = 60;
    file.error_escalation_time = 30;
    shm = jk_shm_parent_open(p, p, 4, 2, &news);
    stat = jk_stat_make(p, shm, jk_shm_parent_slot(shm, "lb/a", 1, &file));
    (void)jk_shm_child_begin(shm, (int)getpid());
}

static void end(void)
{
    apr_pool_destroy(p);
}

START_TEST(limits_hold_and_nothing_falls_below_zero)
{
    ck_assert(jk_stat_begin_within(stat, 2));
    ck_assert(jk_stat_begin_within(stat, 2));
    ck_assert(!jk_stat_begin_within(stat, 2));
    ck_assert_uint_eq(jk_stat_busy(stat), 2);
    ck_assert(jk_stat_begin_within(stat, 0));
    for (int i = 0; i < 5; i++)
        jk_stat_end(stat);
    ck_assert_uint_eq(jk_stat_busy(stat), 0);
    ck_assert(jk_stat_connect_within(stat, 1));
    ck_assert(!jk_stat_connect_within(stat, 1));
    jk_stat_disconnect(stat);
    jk_stat_disconnect(stat);
    ck_assert_uint_eq(jk_stat_connected(stat), 0);
    ck_assert_uint_eq(jk_stat_read(stat).max_busy, 3);
    ck_assert_uint_eq(jk_stat_read(stat).max_connected, 1);
}
END_TEST

START_TEST(every_counter_is_its_own)
{
    for (int i = 0; i < JK_COUNTS; i++)
        jk_stat_add(stat, (jk_stat_count)i, (uint64_t)i + 1);
    jk_stat_begin(stat);
    jk_stat_numbers n = jk_stat_read(stat);
    for (int i = 0; i < JK_COUNTS; i++)
        ck_assert_uint_eq(n.count[i], (uint64_t)i + 1);
    jk_stat_reset(stat, 1234);
    n = jk_stat_read(stat);
    for (int i = 0; i < JK_COUNTS; i++)
        ck_assert_uint_eq(n.count[i], 0);
    ck_assert_uint_eq(n.busy, 1);
    ck_assert_uint_eq(n.max_busy, 1);
    ck_assert_int_eq(n.last_reset, 1234);
}
END_TEST

START_TEST(news_are_stored)
{
    jk_member_change c = jk_stat_event(stat, JK_MEMBER_FAILED, 1000, &file);
    ck_assert_int_eq(c.next, JK_STATE_ERR); /* nobody else was at work there */
    ck_assert_int_eq(jk_stat_state(stat), JK_STATE_ERR);
    ck_assert_uint_eq(jk_stat_read(stat).count[JK_COUNT_ERRORS], 1);
    ck_assert_int_eq(jk_stat_view(stat).last_error, 1000);
    ck_assert_int_eq(jk_stat_event(stat, JK_MEMBER_MAINTAIN, 1030, &file).next, JK_STATE_ERR);
    ck_assert_int_eq(jk_stat_event(stat, JK_MEMBER_MAINTAIN, 1061, &file).next, JK_STATE_REC);
    c = jk_stat_event(stat, JK_MEMBER_CHOSEN, 1062, &file);
    ck_assert(c.todo & JK_DO_CLAIM);
    ck_assert_int_eq(jk_stat_state(stat), JK_STATE_PRB);
    jk_stat_event(stat, JK_MEMBER_SUCCEEDED, 1063, &file);
    ck_assert_int_eq(jk_stat_state(stat), JK_STATE_OK);
    ck_assert_int_eq(jk_stat_view(stat).first_error, 0);
}
END_TEST

START_TEST(values_move)
{
    jk_stat_value_move(stat, (jk_method_load){ 5, 0 });
    jk_stat_value_move(stat, (jk_method_load){ 0, 2 });
    ck_assert_uint_eq(jk_stat_value(stat), 3);
    jk_stat_value_move(stat, (jk_method_load){ 0, 9 });
    ck_assert_uint_eq(jk_stat_value(stat), 0);
    jk_stat_value_set(stat, 64);
    jk_stat_value_decay(stat, JK_METHOD_REQUEST, 2, 0);
    ck_assert_uint_eq(jk_stat_value(stat), 16);
    jk_stat_value_decay(stat, JK_METHOD_BUSYNESS, 2, 0);
    ck_assert_uint_eq(jk_stat_value(stat), 16);
}
END_TEST

START_TEST(maintenance_is_claimed_once_per_interval)
{
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 1000, 60), 0);
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 1059, 60), 0);
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 1060, 60), 1);
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 1060, 60), 0);
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 1300, 60), 4);
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 500, 60), 0); /* the clock was put back */
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 560, 60), 1);
    ck_assert_uint_eq(jk_stat_claim_maintenance(stat, 9999, 0), 0); /* off */
}
END_TEST

START_TEST(quiet_is_who_served_nothing_since_the_mark)
{
    ck_assert(jk_stat_view(stat).quiet);
    jk_stat_add(stat, JK_COUNT_SERVED, 1);
    ck_assert(!jk_stat_view(stat).quiet);
    jk_stat_served_mark(stat);
    ck_assert(jk_stat_view(stat).quiet);
}
END_TEST

START_TEST(the_budget_is_shared)
{
    int taken = 0;

    for (int i = 0; i < 1000; i++)
        jk_stat_budget_started(stat, 5000 + i / 100);
    while (taken < 2000 && jk_stat_budget_take(stat, 5009, 20))
        taken++;
    ck_assert_int_ge(taken, 200);
    ck_assert_int_lt(taken, 300);
    ck_assert(jk_stat_budget_take(stat, 5009, 0)); /* off */
    ck_assert(jk_stat_budget_take(stat, 5100, 20)); /* all is forgotten, the floor remains */
}
END_TEST

/* ---- many threads ---- */

#define THREADS 8
#define TURNS 4000

static int claims[THREADS];

static void *work(void *arg)
{
    int me = (int)(intptr_t)arg;
    jk_tune now;

    for (int i = 0; i < TURNS; i++) {
        jk_stat_begin(stat);
        jk_stat_add(stat, JK_COUNT_SERVED, 1);
        jk_stat_value_move(stat, (jk_method_load){ 2, 0 });
        jk_stat_value_move(stat, (jk_method_load){ 0, 1 });
        jk_stat_end(stat);
        if (i % 100 == 0) {
            jk_tune from;
            jk_stat_tune_read(stat, &from);
            now = from;
            now.connect_timeout = now.retries = me * TURNS + i;
            memset(now.route, 'a' + me, 200);
            if (jk_stat_tune_edit(stat, &from, &now) != JK_OK)
                return (void *)1;
        }
        jk_stat_tune_read(stat, &now);
        if (now.connect_timeout != now.retries || now.route[0] != now.route[199])
            return (void *)1;
        claims[me] += jk_stat_claim_maintenance(stat, 100 + i, 1) > 0;
    }
    return NULL;
}

START_TEST(sticky_requests_are_counted_by_the_minute)
{
    const int64_t noon = 1763726400;
    jk_stat_visits seen;

    for (int i = 0; i < 3; i++)
        jk_stat_sticky(stat, noon + i);
    jk_stat_sticky(stat, noon + 61);
    seen = jk_stat_sticky_read(stat, noon + 119);
    ck_assert_uint_eq(seen.count[JK_STAT_MINUTES - 1], 1);
    ck_assert_uint_eq(seen.count[JK_STAT_MINUTES - 2], 3);
    seen = jk_stat_sticky_read(stat, noon + 60 * (JK_STAT_MINUTES - 1));
    ck_assert_uint_eq(seen.count[0], 3);
    ck_assert_uint_eq(seen.count[1], 1);
    seen = jk_stat_sticky_read(stat, noon + 60 * JK_STAT_MINUTES);
    ck_assert_uint_eq(seen.count[0], 1);
    jk_stat_sticky(stat, noon + 60 * (JK_STAT_MINUTES + 1)); /* the place of the first minute */
    seen = jk_stat_sticky_read(stat, noon + 60 * (JK_STAT_MINUTES + 1));
    ck_assert_uint_eq(seen.count[JK_STAT_MINUTES - 1], 1);
    ck_assert_uint_eq(seen.count[0], 0);
}
END_TEST

START_TEST(the_last_failure_stays)
{
    ck_assert_int_eq(jk_stat_failure_of(stat).rc, JK_OK);
    jk_stat_failed(stat, JK_E_CONNECT, 111);
    jk_stat_failed(stat, JK_E_RECV, 0);
    ck_assert_int_eq(jk_stat_failure_of(stat).rc, JK_E_RECV);
    ck_assert_int_eq(jk_stat_failure_of(stat).err, 0);
    jk_stat_failed(stat, JK_RC_COUNT, -1);
    ck_assert_int_eq(jk_stat_failure_of(stat).rc, JK_OK);
    ck_assert_int_eq(jk_stat_failure_of(stat).err, 0);
}
END_TEST

START_TEST(threads_lose_nothing)
{
    pthread_t t[THREADS];
    void *torn = NULL;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++) {
        void *one;
        pthread_join(t[i], &one);
        torn = torn ? torn : one;
    }
    ck_assert_ptr_null(torn); /* every copy of the values was whole */
    ck_assert_uint_eq(jk_stat_read(stat).count[JK_COUNT_SERVED], THREADS * TURNS);
    ck_assert_uint_eq(jk_stat_value(stat), THREADS * TURNS);
    ck_assert_uint_eq(jk_stat_busy(stat), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stat");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");

    apr_initialize();
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, limits_hold_and_nothing_falls_below_zero);
    tcase_add_test(all, every_counter_is_its_own);
    tcase_add_test(all, news_are_stored);
    tcase_add_test(all, values_move);
    tcase_add_test(all, maintenance_is_claimed_once_per_interval);
    tcase_add_test(all, quiet_is_who_served_nothing_since_the_mark);
    tcase_add_test(all, the_budget_is_shared);
    tcase_add_test(all, sticky_requests_are_counted_by_the_minute);
    tcase_add_test(all, the_last_failure_stays);
    tcase_add_test(all, threads_lose_nothing);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
