/* tests/unit/test_pool.c - what is lent, what waits, and that the books balance at the end. */
#include <check.h>

#include "jk/net/pool.h"

#include <apr_general.h>
#include <stdlib.h>
#include <unistd.h>

static apr_pool_t *p;
static int woken;

static void wake(void *ctx)
{
    (void)ctx;
    woken++;
}

static jk_conn *some_conn(void)
{
    jk_sock_options none = { 0 };
    int fd[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    close(fd[1]);
    return jk_conn_make(fd[0], &none);
}

START_TEST(the_one_used_last_is_lent_first)
{
    jk_pool *pool = jk_pool_make(p, 0);
    jk_waiter w = { 0 };
    jk_conn *a = some_conn(), *b = some_conn(), *got = NULL, *first = b;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(jk_pool_lend(pool, &w, &got), JK_OK);
        ck_assert_ptr_null(got);
    }
    jk_pool_give_back(pool, &a, 1);
    jk_pool_give_back(pool, &b, 2);
    ck_assert_ptr_null(b);
    ck_assert_int_eq(jk_pool_lend(pool, &w, &got), JK_OK);
    ck_assert_ptr_eq(got, first);
    ck_assert_uint_eq(jk_pool_count(pool).idle, 1);
    ck_assert_uint_eq(jk_pool_count(pool).open, 2);
    jk_pool_give_back(pool, &got, 3);
}
END_TEST

START_TEST(a_waiter_gets_the_connection_itself_in_turn)
{
    jk_pool *pool = jk_pool_make(p, 1);
    jk_waiter w1 = { .wake = wake }, w2 = { .wake = wake };
    jk_conn *conn = NULL, *got = NULL, *was;

    ck_assert_int_eq(jk_pool_lend(pool, &w1, &conn), JK_OK);
    conn = was = some_conn();
    ck_assert_int_eq(jk_pool_lend(pool, &w1, &got), JK_AGAIN);
    ck_assert_int_eq(jk_pool_lend(pool, &w2, &got), JK_AGAIN);
    ck_assert_uint_eq(jk_pool_count(pool).waiting, 2);
    woken = 0;
    jk_pool_give_back(pool, &conn, 1);
    ck_assert_int_eq(woken, 1);
    ck_assert_int_eq(jk_pool_granted(pool, &w2, &got), JK_AGAIN);
    ck_assert_int_eq(jk_pool_granted(pool, &w1, &got), JK_OK);
    ck_assert_ptr_eq(got, was);
    jk_conn_close(&got, false);
    jk_pool_free_place(pool); /* the place goes on to the second */
    ck_assert_int_eq(jk_pool_granted(pool, &w2, &got), JK_OK);
    ck_assert_ptr_null(got);
    jk_pool_free_place(pool);
    ck_assert_uint_eq(jk_pool_count(pool).open, 0);
}
END_TEST

START_TEST(who_gives_up_loses_nothing)
{
    jk_pool *pool = jk_pool_make(p, 1);
    jk_waiter w = { 0 };
    jk_conn *conn = NULL, *got = NULL;

    ck_assert_int_eq(jk_pool_lend(pool, &w, &conn), JK_OK);
    conn = some_conn();
    ck_assert_int_eq(jk_pool_lend(pool, &w, &got), JK_AGAIN);
    jk_pool_wait(pool, &w, apr_time_now() + 1000);
    jk_pool_give_back(pool, &conn, 1); /* granted, and then given up all the same */
    jk_pool_give_up(pool, &w);
    ck_assert_uint_eq(jk_pool_count(pool).idle, 1);
    ck_assert_uint_eq(jk_pool_count(pool).waiting, 0);
    ck_assert_int_eq(jk_pool_lend(pool, &w, &got), JK_OK);
    ck_assert_ptr_nonnull(got);
    jk_pool_give_back(pool, &got, 2);
}
END_TEST

START_TEST(a_look_tells_quiet_closed_and_bytes)
{
    int fd[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    ck_assert_int_eq(jk_sock_look(fd[0]), JK_LOOK_QUIET);
    ck_assert_int_eq(send(fd[1], "x", 1, 0), 1);
    ck_assert_int_eq(jk_sock_look(fd[0]), JK_LOOK_BYTES);
    close(fd[1]);
    ck_assert_int_eq(jk_sock_look(fd[0]), JK_LOOK_BYTES); /* unread bytes never count as healthy, nor as a clean end */
    ck_assert_int_eq(recv(fd[0], (char[1]){ 0 }, 1, 0), 1);
    ck_assert_int_eq(jk_sock_look(fd[0]), JK_LOOK_CLOSED);
    close(fd[0]);
}
END_TEST

/* A pool of its own for each test: idle connections are closed when it goes. */
static void begin(void)
{
    apr_pool_create(&p, NULL);
}

static void end(void)
{
    apr_pool_destroy(p);
}

int main(void)
{
    Suite *s = suite_create("pool");
    TCase *t = tcase_create("pool");

    apr_initialize();
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, the_one_used_last_is_lent_first);
    tcase_add_test(t, a_waiter_gets_the_connection_itself_in_turn);
    tcase_add_test(t, who_gives_up_loses_nothing);
    tcase_add_test(t, a_look_tells_quiet_closed_and_bytes);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
