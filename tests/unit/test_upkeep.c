/* tests/unit/test_upkeep.c - who is closed, who is pinged, and that the pool's books balance. */
#include <check.h>

#include "jk/net/upkeep.h"

#include <apr_general.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 8

static apr_pool_t *p;
static jk_pool *pool;
static int theirs[MOST]; /* the container's ends, by number */

static void begin(void)
{
    apr_pool_create(&p, NULL);
}

static void end(void)
{
    apr_pool_destroy(p); /* closes what is idle */
}

/* n idle connections; number i is idle since ages[i]. */
static void fill(const apr_time_t *ages, int n)
{
    jk_sock_options none = { 0 };
    jk_conn *got[MOST];
    jk_waiter w = { 0 };
    int fd[2];

    pool = jk_pool_make(p, 0);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(jk_pool_lend(pool, &w, &got[i]), JK_OK);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        theirs[i] = fd[1];
        got[i] = jk_conn_make(fd[0], &none);
    }
    for (int i = 0; i < n; i++)
        jk_pool_give_back(pool, &got[i], ages[i]);
}

/* The ages of the idle ones, the one used last first. */
static void expect_idle(const apr_time_t *ages, unsigned n)
{
    jk_idle all[MOST];

    ck_assert_uint_eq(jk_pool_idle(pool, all, MOST), n);
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(all[i].since, ages[i]);
    ck_assert_uint_eq(jk_pool_count(pool).idle, n);
    ck_assert_uint_eq(jk_pool_count(pool).open, n);
}

START_TEST(a_look_closes_what_the_container_closed_or_wrote_to)
{
    unsigned unasked;

    fill((apr_time_t[]){ 1, 2, 3, 4 }, 4);
    close(theirs[0]);
    ck_assert_int_eq(write(theirs[2], "x", 1), 1);
    ck_assert_uint_eq(jk_upkeep_look(pool, &unasked), 2);
    ck_assert_uint_eq(unasked, 1);
    expect_idle((apr_time_t[]){ 4, 2 }, 2);
    ck_assert_uint_eq(jk_pool_count(pool).dead, 2);
    ck_assert_uint_eq(jk_upkeep_look(pool, &unasked), 0);
}
END_TEST

static const struct {
    apr_time_t now, most;
    unsigned keep, closed, left;
    const char *why;
} ages[] = {
    { 100, 50, 0, 2, 2, "those idle for more than 50: since 10 and 20" },
    { 100, 80, 0, 1, 3, "exactly 80 is not more than 80" },
    { 100, 50, 3, 1, 3, "three stay open, whatever their age" },
    { 100, 50, 4, 0, 4, "all may stay" },
    { 1000, 50, 0, 4, 0, "all are old" },
    { 0, 50, 0, 0, 4, "a clock that was put back" },
};

START_TEST(the_oldest_go_first)
{
    static const apr_time_t since[4] = { 10, 20, 70, 90 }, newest[4] = { 90, 70, 20, 10 };

    fill(since, 4);
    ck_assert_msg(jk_upkeep_age(pool, ages[_i].now, ages[_i].most, ages[_i].keep) == ages[_i].closed, "%s", ages[_i].why);
    expect_idle(newest, ages[_i].left);
    ck_assert_uint_eq(jk_pool_count(pool).aged, ages[_i].closed);
}
END_TEST

START_TEST(who_is_not_wanted_is_neither_old_nor_dead)
{
    fill((apr_time_t[]){ 1, 2, 3 }, 3);
    jk_upkeep_empty(pool);
    expect_idle(NULL, 0);
    ck_assert_uint_eq(jk_pool_count(pool).aged + jk_pool_count(pool).dead, 0);
    ck_assert_uint_eq(jk_pool_count(pool).open, 0);
    jk_upkeep_empty(pool); /* nobody is there */
}
END_TEST

START_TEST(lent_connections_count_as_open)
{
    jk_waiter w = { 0 };
    jk_conn *lent = NULL;

    fill((apr_time_t[]){ 1, 2, 3 }, 3);
    ck_assert_int_eq(jk_pool_lend(pool, &w, &lent), JK_OK);
    ck_assert_uint_eq(jk_upkeep_age(pool, 100, 1, 2), 1);
    ck_assert_uint_eq(jk_pool_count(pool).open, 2);
    jk_pool_give_back(pool, &lent, 3);
    expect_idle((apr_time_t[]){ 3, 2 }, 2);
}
END_TEST

START_TEST(who_answers_no_ping_is_closed_and_the_others_keep_their_age)
{
    unsigned asked, closed;

    fill((apr_time_t[]){ 1, 2, 3 }, 3);
    ck_assert_int_eq(write(theirs[0], "AB\0\1\11", 5), 5);
    ck_assert_int_eq(write(theirs[2], "AB\0\1\11", 5), 5);
    jk_upkeep_probe(pool, 1, 50, &asked, &closed);
    ck_assert_uint_eq(asked, 3);
    ck_assert_uint_eq(closed, 1);
    expect_idle((apr_time_t[]){ 3, 1 }, 2);
}
END_TEST

START_TEST(who_was_pinged_or_used_just_now_is_let_alone)
{
    unsigned asked, closed;
    apr_time_t now = apr_time_now(), hour = apr_time_from_sec(3600);

    fill((apr_time_t[]){ 1, now }, 2);
    ck_assert_int_eq(write(theirs[0], "AB\0\1\11", 5), 5);
    jk_upkeep_probe(pool, hour, 50, &asked, &closed);
    ck_assert_uint_eq(asked, 1);
    ck_assert_uint_eq(closed, 0);
    jk_upkeep_probe(pool, hour, 50, &asked, &closed);
    ck_assert_uint_eq(asked, 0);
    expect_idle((apr_time_t[]){ now, 1 }, 2);
}
END_TEST

START_TEST(a_withdrawn_connection_is_nobodys_and_comes_back_to_its_place)
{
    jk_idle all[MOST];
    jk_conn *out, *again;

    fill((apr_time_t[]){ 1, 2, 3 }, 3);
    ck_assert_uint_eq(jk_pool_idle(pool, all, MOST), 3);
    out = jk_pool_withdraw(pool, all[1].id);
    ck_assert_ptr_nonnull(out);
    again = jk_pool_withdraw(pool, all[1].id);
    ck_assert_ptr_null(again);
    ck_assert_uint_eq(jk_pool_count(pool).idle, 2);
    ck_assert_uint_eq(jk_pool_count(pool).open, 3);
    jk_pool_return(pool, &out);
    ck_assert_ptr_null(out);
    expect_idle((apr_time_t[]){ 3, 2, 1 }, 3);
}
END_TEST

START_TEST(a_waiter_gets_what_upkeep_gives_back)
{
    jk_sock_options none = { 0 };
    jk_waiter w1 = { 0 }, w2 = { 0 };
    jk_conn *out = NULL, *got = NULL;
    jk_idle idle;
    int fd[2];

    pool = jk_pool_make(p, 1);
    ck_assert_int_eq(jk_pool_lend(pool, &w1, &out), JK_OK);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    out = jk_conn_make(fd[0], &none);
    jk_pool_give_back(pool, &out, 1);
    ck_assert_uint_eq(jk_pool_idle(pool, &idle, 1), 1);
    out = jk_pool_withdraw(pool, idle.id);
    ck_assert_int_eq(jk_pool_lend(pool, &w2, &got), JK_AGAIN); /* the only place is out for a look */
    jk_pool_return(pool, &out);
    ck_assert_int_eq(jk_pool_granted(pool, &w2, &got), JK_OK);
    ck_assert_ptr_nonnull(got);
    jk_conn_close(&got, false);
    jk_pool_free_place(pool);
    close(fd[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net/upkeep");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");

    apr_initialize();
    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, a_look_closes_what_the_container_closed_or_wrote_to);
    tcase_add_loop_test(all, the_oldest_go_first, 0, (int)(sizeof ages / sizeof ages[0]));
    tcase_add_test(all, who_is_not_wanted_is_neither_old_nor_dead);
    tcase_add_test(all, lent_connections_count_as_open);
    tcase_add_test(all, who_answers_no_ping_is_closed_and_the_others_keep_their_age);
    tcase_add_test(all, who_was_pinged_or_used_just_now_is_let_alone);
    tcase_add_test(all, a_withdrawn_connection_is_nobodys_and_comes_back_to_its_place);
    tcase_add_test(all, a_waiter_gets_what_upkeep_gives_back);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
