/* tests/unit/test_dispatch.c - who is woken, why, in what order, and what is left: real sockets, and a clock that the test turns by hand. */
#include <check.h>

#include "jk/net/dispatch.h"

#include <apr_general.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 1000
#define NOW apr_time_from_sec(1000000)

static jk_dispatch *make(unsigned limit, unsigned pace)
{
    jk_dispatch *d = jk_dispatch_make(limit, pace, false);

    ck_assert_ptr_nonnull(d);
    return d;
}

/* Would the MPM see it now? */
static bool rings(const jk_berth *b)
{
    struct pollfd p = { jk_dispatch_fd(b), POLLIN, 0 };

    return poll(&p, 1, 0) == 1;
}

static jk_vigil nothing(void)
{
    return (jk_vigil){ .fd = -1, .other = -1, .client = -1 };
}

static void pair(int fd[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
}

static void say(int fd)
{
    ck_assert_int_eq(send(fd, "x", 1, 0), 1);
}

/* What happens at the other ends, and what must come of it. */
static const struct row {
    bool backend_says, client_says, client_ends, both_end, ended, hears_bytes, late, called;
    jk_wake came;
    const char *why;
} rows[] = {
    { .came = JK_WAKE_NOTHING, .why = "nothing happened" },
    { .backend_says = true, .came = JK_WAKE_READY, .why = "the backend answers" },
    { .both_end = true, .came = JK_WAKE_READY, .why = "the backend hangs up: who reads finds out" },
    { .client_says = true, .hears_bytes = true, .came = JK_WAKE_NOTHING, .why = "a pipelined request" },
    { .client_ends = true, .hears_bytes = true, .came = JK_WAKE_GONE, .why = "the client's end" },
    { .client_says = true, .client_ends = true, .hears_bytes = true, .came = JK_WAKE_NOTHING, .why = "a pipelined request, and then the end" },
    { .client_says = true, .client_ends = true, .came = JK_WAKE_GONE, .why = "TLS says goodbye before the end" },
    { .client_ends = true, .ended = true, .hears_bytes = true, .came = JK_WAKE_NOTHING, .why = "it had half-closed before" },
    { .late = true, .came = JK_WAKE_LATE, .why = "the time is over" },
    { .called = true, .came = JK_WAKE_READY, .why = "a pool calls" },
    { .backend_says = true, .client_ends = true, .called = true, .late = true, .hears_bytes = true, .came = JK_WAKE_READY, .why = "once is enough" },
};

START_TEST(what_comes_is_told)
{
    const struct row *row = &rows[_i];
    jk_dispatch *d = make(4, 4);
    jk_berth *b = jk_dispatch_take(d);
    int backend[2], client[2];
    bool woken = row->came != JK_WAKE_NOTHING;

    pair(backend);
    pair(client);
    jk_vigil v = { .fd = backend[0], .other = -1, .client = client[0], .ended = row->ended, .hears_bytes = row->hears_bytes, .until = NOW + 10 };
    ck_assert(jk_dispatch_arm(d, b, &v));
    if (row->called)
        jk_dispatch_call(b);
    if (row->backend_says)
        say(backend[1]);
    if (row->both_end)
        close(backend[1]);
    if (row->client_says)
        say(client[1]);
    if (row->client_ends)
        shutdown(client[1], SHUT_WR);
    for (int i = 0; i < 3; i++)
        jk_dispatch_turn(d, 0, row->late ? NOW + 10 : NOW);
    ck_assert_msg(rings(b) == woken, "%s", row->why);
    ck_assert_msg(jk_dispatch_disarm(d, b) == row->came, "%s", row->why);
    ck_assert_msg(!rings(b), "%s: it is silent again", row->why);
    ck_assert_int_eq(jk_dispatch_disarm(d, b), JK_WAKE_NOTHING);
    ck_assert_uint_eq(jk_dispatch_count(d).now, 0);
    ck_assert_uint_eq(jk_dispatch_count(d).gone, row->came == JK_WAKE_GONE);
    ck_assert_uint_eq(jk_dispatch_count(d).late, row->came == JK_WAKE_LATE);
    jk_dispatch_give_back(d, &b);
    ck_assert_ptr_null(b);
    jk_dispatch_free(d);
}
END_TEST

START_TEST(either_of_two_wakes)
{
    jk_dispatch *d = make(4, 4);
    jk_berth *b = jk_dispatch_take(d);
    int client[2], backend[2];

    pair(client);
    pair(backend);
    jk_vigil v = { .fd = client[0], .other = backend[0], .client = -1 };
    for (int i = 0; i < 4; i++) {
        ck_assert(jk_dispatch_arm(d, b, &v));
        jk_dispatch_turn(d, 0, NOW);
        ck_assert(!rings(b));
        if (i == 3)
            shutdown(backend[1], SHUT_WR);
        else
            say(i % 2 ? client[1] : backend[1]);
        jk_dispatch_turn(d, 0, NOW);
        ck_assert(rings(b));
        ck_assert_int_eq(jk_dispatch_disarm(d, b), JK_WAKE_READY);
        char waste[8];
        (void)!recv(i % 2 ? client[0] : backend[0], waste, sizeof waste, MSG_DONTWAIT);
    }
    jk_dispatch_give_back(d, &b);
    jk_dispatch_free(d);
}
END_TEST

START_TEST(writable_is_waited_for_too)
{
    jk_dispatch *d = make(4, 4);
    jk_berth *b = jk_dispatch_take(d);
    char waste[4096] = { 0 };
    int fd[2];

    pair(fd);
    while (send(fd[0], waste, sizeof waste, MSG_DONTWAIT) > 0)
        ;
    jk_vigil v = { .fd = fd[0], .writable = true, .other = -1, .client = -1 };
    ck_assert(jk_dispatch_arm(d, b, &v));
    jk_dispatch_turn(d, 0, NOW);
    ck_assert(!rings(b));
    while (recv(fd[1], waste, sizeof waste, MSG_DONTWAIT) > 0)
        ;
    jk_dispatch_turn(d, 0, NOW);
    ck_assert(rings(b));
    ck_assert_int_eq(jk_dispatch_disarm(d, b), JK_WAKE_READY);
    jk_dispatch_give_back(d, &b);
    jk_dispatch_free(d);
}
END_TEST

/* An event of the wait before must not wake the next one: its generation is another. */
START_TEST(a_late_call_wakes_the_next_wait_and_nobody_else)
{
    jk_dispatch *d = make(2, 2);
    jk_berth *b = jk_dispatch_take(d), *old = b, *other;
    jk_vigil v = nothing();

    ck_assert(jk_dispatch_arm(d, b, &v));
    ck_assert_int_eq(jk_dispatch_disarm(d, b), JK_WAKE_NOTHING);
    jk_dispatch_call(old); /* it does not wait */
    ck_assert(!rings(b));
    jk_dispatch_give_back(d, &b);
    jk_dispatch_call(old); /* it is nobody's */
    other = jk_dispatch_take(d);
    ck_assert_ptr_eq(other, old);
    ck_assert(!rings(other));
    ck_assert(jk_dispatch_arm(d, other, &v));
    jk_dispatch_call(old); /* a wake for nothing: who is woken looks, and waits again */
    ck_assert_int_eq(jk_dispatch_disarm(d, other), JK_WAKE_READY);
    jk_dispatch_give_back(d, &other);
    jk_dispatch_free(d);
}
END_TEST

START_TEST(times_come_in_order)
{
    jk_dispatch *d = make(MANY, MANY);
    jk_berth *b[MANY];
    apr_time_t until[MANY];

    srand(1);
    for (int i = 0; i < MANY; i++) {
        jk_vigil v = nothing();
        v.until = until[i] = NOW + 1 + rand() % 5000;
        b[i] = jk_dispatch_take(d);
        ck_assert(jk_dispatch_arm(d, b[i], &v));
    }
    for (int i = 0; i < MANY; i += 3) { /* out of the middle */
        ck_assert_int_eq(jk_dispatch_disarm(d, b[i]), JK_WAKE_NOTHING);
        until[i] = 0;
    }
    for (apr_time_t now = NOW; now <= NOW + 5000; now += 100) {
        jk_dispatch_turn(d, 0, now);
        for (int i = 0; i < MANY; i++)
            ck_assert_msg(rings(b[i]) == (until[i] != 0 && until[i] <= now), "%d of %lld", i, (long long)(now - NOW));
    }
    for (int i = 0; i < MANY; i++)
        jk_dispatch_give_back(d, &b[i]);
    ck_assert_uint_eq(jk_dispatch_count(d).now, 0);
    jk_dispatch_free(d);
}
END_TEST

START_TEST(wakes_are_paced)
{
    jk_dispatch *d = make(9, 3);
    jk_berth *b[9];
    jk_vigil v = nothing();
    int ringing;

    for (int i = 0; i < 9; i++) {
        b[i] = jk_dispatch_take(d);
        ck_assert(jk_dispatch_arm(d, b[i], &v));
    }
    for (int i = 0; i < 9; i++)
        jk_dispatch_call(b[i]);
    for (int i = 0; i < 9; i++)
        ck_assert_msg(rings(b[i]) == (i < 3), "only three, in order");
    ck_assert_uint_eq(jk_dispatch_count(d).paced, 6);
    ck_assert_int_eq(jk_dispatch_disarm(d, b[0]), JK_WAKE_READY);
    ck_assert_msg(!rings(b[3]), "its work is not done");
    ck_assert_int_eq(jk_dispatch_disarm(d, b[4]), JK_WAKE_READY); /* the MPM gave up one that queued */
    jk_dispatch_done(d, b[0]);
    jk_dispatch_done(d, b[0]);
    ck_assert(rings(b[3]) && !rings(b[5]));
    jk_dispatch_give_back(d, &b[1]); /* that ends its work too */
    ck_assert(rings(b[5]) && !rings(b[6]));
    jk_dispatch_give_back(d, &b[8]); /* the last of the queue goes: the queue's end must be found again */
    b[8] = jk_dispatch_take(d);
    ck_assert(jk_dispatch_arm(d, b[8], &v));
    jk_dispatch_call(b[8]);
    for (int i = 2; i < 6; i++)
        if (b[i])
            jk_dispatch_give_back(d, &b[i]);
    ringing = rings(b[6]) + rings(b[7]) + rings(b[8]);
    ck_assert_int_eq(ringing, 3);
    jk_dispatch_free(d);
}
END_TEST

START_TEST(there_is_a_limit)
{
    jk_dispatch *d = make(2, 1);
    jk_berth *a = jk_dispatch_take(d), *b = jk_dispatch_take(d);

    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_null(jk_dispatch_take(d));
    ck_assert_uint_eq(jk_dispatch_count(d).refused, 1);
    jk_dispatch_give_back(d, &a);
    ck_assert_ptr_nonnull(jk_dispatch_take(d));
    jk_dispatch_free(d);
}
END_TEST

START_TEST(what_cannot_be_watched_is_woken_at_once)
{
    jk_dispatch *d = make(2, 1);
    jk_berth *b = jk_dispatch_take(d);
    jk_vigil v = nothing();
    int fd[2];

    pair(fd);
    close(fd[0]);
    v.fd = fd[0];
    ck_assert(!jk_dispatch_arm(d, b, &v));
    ck_assert(rings(b));
    jk_dispatch_give_back(d, &b);
    jk_dispatch_stop(d);
    ck_assert_ptr_null(jk_dispatch_take(d));
    jk_dispatch_free(d);
}
END_TEST

START_TEST(a_lost_descriptor_is_replaced)
{
    jk_dispatch *d = make(2, 1);
    jk_berth *b = jk_dispatch_take(d);
    jk_vigil v = nothing();

    close(jk_dispatch_fd(b));
    jk_dispatch_fd_lost(b);
    ck_assert(jk_dispatch_arm(d, b, &v));
    jk_dispatch_call(b);
    ck_assert(rings(b));
    jk_dispatch_give_back(d, &b);
    jk_dispatch_free(d);
}
END_TEST

/* The thread itself: it sleeps without a limit, and an earlier time rings it. */
START_TEST(the_thread_wakes_who_is_due)
{
    jk_dispatch *d = jk_dispatch_make(4, 4, true);
    jk_berth *far = jk_dispatch_take(d), *soon = jk_dispatch_take(d), *ready = jk_dispatch_take(d);
    jk_vigil v = nothing();
    struct pollfd p = { jk_dispatch_fd(soon), POLLIN, 0 };
    int fd[2];

    pair(fd);
    v.until = apr_time_now() + apr_time_from_sec(1000);
    ck_assert(jk_dispatch_arm(d, far, &v));
    usleep(1000);
    v.until = apr_time_now() + 1000;
    ck_assert(jk_dispatch_arm(d, soon, &v));
    ck_assert_int_eq(poll(&p, 1, 10000), 1);
    ck_assert_int_eq(jk_dispatch_disarm(d, soon), JK_WAKE_LATE);
    v = (jk_vigil){ .fd = fd[0], .other = -1, .client = -1 };
    ck_assert(jk_dispatch_arm(d, ready, &v));
    say(fd[1]);
    p.fd = jk_dispatch_fd(ready);
    ck_assert_int_eq(poll(&p, 1, 10000), 1);
    ck_assert_int_eq(jk_dispatch_disarm(d, ready), JK_WAKE_READY);
    jk_dispatch_stop(d);
    jk_dispatch_stop(d);
    ck_assert_msg(jk_dispatch_disarm(d, far) == JK_WAKE_NOTHING, "torn down after the thread");
    jk_dispatch_give_back(d, &far);
    jk_dispatch_free(d);
}
END_TEST

/* Many threads at once: each waits, is called by another one, and goes on. */
static jk_dispatch *shared;
static void *wait_and_go_on(void *data)
{
    for (int i = 0; i < 300; i++) {
        jk_berth *b = jk_dispatch_take(shared);
        jk_vigil v = nothing();
        struct pollfd p = { jk_dispatch_fd(b), POLLIN, 0 };
        v.until = apr_time_now() + (i % 3 ? apr_time_from_sec(100) : 100);
        if (!jk_dispatch_arm(shared, b, &v))
            return data;
        if (i % 3)
            jk_dispatch_call(b);
        if (poll(&p, 1, 10000) != 1 || jk_dispatch_disarm(shared, b) == JK_WAKE_NOTHING)
            return data;
        jk_dispatch_give_back(shared, &b);
    }
    return NULL;
}

START_TEST(threads_do_not_disturb_one_another)
{
    static char mark;
    pthread_t thread[8];

    shared = jk_dispatch_make(8, 2, true);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, wait_and_go_on, &mark), 0);
    for (int i = 0; i < 8; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_uint_eq(jk_dispatch_count(shared).now, 0);
    ck_assert_uint_eq(jk_dispatch_count(shared).waits, 8 * 300);
    jk_dispatch_free(shared);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dispatch");
    TCase *t = tcase_create("dispatch");

    apr_initialize();
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, what_comes_is_told, 0, (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(t, either_of_two_wakes);
    tcase_add_test(t, writable_is_waited_for_too);
    tcase_add_test(t, a_late_call_wakes_the_next_wait_and_nobody_else);
    tcase_add_test(t, times_come_in_order);
    tcase_add_test(t, wakes_are_paced);
    tcase_add_test(t, there_is_a_limit);
    tcase_add_test(t, what_cannot_be_watched_is_woken_at_once);
    tcase_add_test(t, a_lost_descriptor_is_replaced);
    tcase_add_test(t, the_thread_wakes_who_is_due);
    tcase_add_test(t, threads_do_not_disturb_one_another);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
