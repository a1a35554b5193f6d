/* tests/unit/test_stat.c - the shared numbers: limits, never below zero, one winner, copies that are whole. */
#include <check.h>

#include "jk/shm/stat.h"

#include <apr_general.h>
#include <limits.h>
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

static jk_stat_totals totals(void)
{
    jk_stat_totals t;

    jk_stat_totals_read(stat, &t);
    return t;
}

/* A server that watches would take it for a new beginning. */
START_TEST(no_reset_takes_a_total_back)
{
    jk_stat_totals was, is;

    for (int i = 0; i < JK_COUNTS; i++)
        jk_stat_add(stat, (jk_stat_count)i, 5);
    jk_stat_fail(stat, JK_E_PING);
    jk_stat_closed(stat, 2);
    jk_stat_begin(stat);
    jk_stat_leave(stat, &(jk_stat_visit){ .read = 1, .written = 2, .first = 3, .total = 4, .status = 200 });
    was = totals();
    jk_stat_reset(stat, 1234);
    (void)jk_stat_event(stat, JK_MEMBER_RESET, 1235, &file);
    is = totals();
    ck_assert_mem_eq(&is, &was, sizeof is);
    ck_assert_uint_eq(jk_stat_read(stat).count[JK_COUNT_READ], 0);
    jk_stat_add(stat, JK_COUNT_READ, 7);
    ck_assert_uint_eq(totals().count[JK_COUNT_READ], 13);
    ck_assert_uint_eq(jk_stat_read(stat).count[JK_COUNT_READ], 7);
}
END_TEST

static const struct {
    int64_t us;
    unsigned bucket;
    const char *why;
} durations[] = {
    { 0, 0, "no time at all" },        { -5, 0, "the clock was put back" },     { INT64_MIN, 0, "by very much" },
    { 1000, 0, "a bound belongs to its bucket" }, { 1001, 1, "what is beyond does not" }, { 499999, 8, "in the middle" },
    { 60000000, 14, "the last bound" }, { 60000001, 15, "more than any" },       { INT64_MAX, 15, "far more" },
};

START_TEST(each_time_has_its_bucket)
{
    for (int what = 0; what < JK_TIMES; what++) {
        jk_stat_totals was = totals();
        jk_stat_took(stat, (jk_stat_time)what, durations[_i].us);
        jk_stat_totals is = totals();
        for (unsigned i = 0; i < JK_STAT_BUCKETS; i++)
            ck_assert_msg(is.time[what].bucket[i] - was.time[what].bucket[i] == (i == durations[_i].bucket), "%s: %u", durations[_i].why, i);
        ck_assert_uint_eq(is.time[what].sum - was.time[what].sum, durations[_i].us > 0 ? (uint64_t)durations[_i].us : 0);
    }
}
END_TEST

/* Around each bound and each power of two: what a walk over the bounds finds. */
START_TEST(the_bucket_is_that_of_a_walk)
{
    for (int i = 0; i < 63 + JK_STAT_BUCKETS - 1; i++) {
        int64_t about = i < 63 ? INT64_C(1) << i : jk_stat_bounds[i - 63];
        for (int64_t us = about - 1; us <= about + 1; us++) {
            jk_stat_totals was = totals();
            unsigned at = 0;
            while (at < JK_STAT_BUCKETS - 1 && us > (int64_t)jk_stat_bounds[at])
                at++;
            jk_stat_took(stat, JK_TIME_TOTAL, us);
            jk_stat_totals is = totals();
            ck_assert_msg(is.time[JK_TIME_TOTAL].bucket[at] == was.time[JK_TIME_TOTAL].bucket[at] + 1, "%lld", (long long)us);
        }
    }
}
END_TEST

START_TEST(bounds_rise)
{
    for (int i = 1; i < JK_STAT_BUCKETS - 1; i++)
        ck_assert_uint_gt(jk_stat_bounds[i], jk_stat_bounds[i - 1]);
}
END_TEST

static const struct {
    unsigned status, class;
} statuses[] = { { 100, 1 }, { 200, 2 }, { 299, 2 }, { 304, 3 }, { 404, 4 }, { 503, 5 }, { 599, 5 }, { 600, 0 }, { 42, 0 }, { UINT_MAX, 0 } };

START_TEST(a_visit_is_booked_as_it_was)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        jk_stat_totals was = totals();
        jk_stat_begin(stat);
        jk_stat_leave(stat, &(jk_stat_visit){ .read = 100, .written = 10, .first = 1500, .total = 3000000, .status = statuses[i].status });
        jk_stat_totals is = totals();
        ck_assert_uint_eq(is.answers[statuses[i].class] - was.answers[statuses[i].class], 1);
        ck_assert_uint_eq(is.count[JK_COUNT_READ] - was.count[JK_COUNT_READ], 100);
        ck_assert_uint_eq(is.count[JK_COUNT_WRITTEN] - was.count[JK_COUNT_WRITTEN], 10);
        ck_assert_uint_eq(is.time[JK_TIME_FIRST].bucket[1] - was.time[JK_TIME_FIRST].bucket[1], 1);
        ck_assert_uint_eq(is.time[JK_TIME_TOTAL].bucket[11] - was.time[JK_TIME_TOTAL].bucket[11], 1);
        ck_assert_uint_eq(jk_stat_busy(stat), 0);
    }
    jk_stat_begin(stat);
    jk_stat_totals was = totals();
    jk_stat_leave(stat, &(jk_stat_visit){ .first = 1500, .total = 5 }); /* nobody answered */
    ck_assert_uint_eq(totals().time[JK_TIME_FIRST].sum, was.time[JK_TIME_FIRST].sum);
}
END_TEST

START_TEST(only_failures_are_failures)
{
    for (int rc = -1; rc <= JK_RC_COUNT + 1; rc++)
        jk_stat_fail(stat, (jk_rc)rc);
    for (int rc = 0; rc < JK_RC_COUNT; rc++)
        ck_assert_uint_eq(totals().failed[rc], rc > JK_AGAIN);
    for (unsigned why = 0; why < JK_STAT_CLOSED + 2; why++)
        jk_stat_closed(stat, why);
    for (unsigned why = 0; why < JK_STAT_CLOSED; why++)
        ck_assert_uint_eq(totals().closed[why], 1);
}
END_TEST

static const struct {
    unsigned connected, busy, waiting, idle;
    const char *why;
} idles[] = { { 3, 0, 0, 3, "nobody is there" },     { 3, 2, 0, 1, "two have one each" },          { 3, 5, 2, 0, "two wait for one" },
              { 0, 2, 2, 0, "both wait" },           { 1, 3, 0, 0, "two have not begun theirs yet" }, { 2, 1, 3, 2, "told in another order" } };

START_TEST(idle_is_what_nobody_has)
{
    for (unsigned i = 0; i < idles[_i].connected; i++)
        (void)jk_stat_connect_within(stat, 0);
    for (unsigned i = 0; i < idles[_i].busy; i++)
        (void)jk_stat_begin(stat);
    for (unsigned i = 0; i < idles[_i].waiting; i++)
        jk_stat_wait(stat);
    ck_assert_msg(jk_stat_read(stat).idle == idles[_i].idle, "%s", idles[_i].why);
    ck_assert_uint_eq(jk_stat_read(stat).waiting, idles[_i].waiting);
    for (unsigned i = 0; i < idles[_i].waiting + 2; i++)
        jk_stat_waited(stat);
    ck_assert_uint_eq(jk_stat_read(stat).waiting, 0);
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
    tcase_add_test(all, no_reset_takes_a_total_back);
    tcase_add_test(all, the_bucket_is_that_of_a_walk);
    tcase_add_loop_test(all, each_time_has_its_bucket, 0, sizeof durations / sizeof durations[0]);
    tcase_add_test(all, bounds_rise);
    tcase_add_test(all, a_visit_is_booked_as_it_was);
    tcase_add_test(all, only_failures_are_failures);
    tcase_add_loop_test(all, idle_is_what_nobody_has, 0, sizeof idles / sizeof idles[0]);
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
