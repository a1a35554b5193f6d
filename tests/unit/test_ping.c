/* tests/unit/test_ping.c - what may come instead of a CPong, at once and byte by byte. */
#include <check.h>

#include "jk/net/ping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define B(s) s, sizeof(s) - 1
#define PONG "AB\0\1\11"

static const struct {
    const char *bytes;
    size_t len;
    bool close; /* the peer closes after these bytes */
    jk_rc rc;
    int err;
    const char *why;
} rows[] = {
    { B(PONG), false, JK_OK, 0, "a CPong" },
    { B("AB\0\4\3\0\0\0" PONG), false, JK_OK, 0, "a flush that was under way is let pass once" },
    { B("AB\0\2\5\1" PONG), false, JK_OK, 0, "an END_RESPONSE too" },
    { B("AB\0\4\3\0\0\0" "AB\0\2\5\1" PONG), false, JK_E_PING, EPROTO, "but not twice" },
    { B("AB\0\2\11\0"), false, JK_E_PING, EPROTO, "a CPong with something behind it is none" },
    { B("AB\0\1\12"), false, JK_E_PING, EPROTO, "our own CPing: an echo service" },
    { B("AB\0\1\2"), false, JK_E_PING, EPROTO, "a FORWARD_REQUEST" },
    { B("HTTP/"), false, JK_E_PING, EPROTO, "HTTP" },
    { B("\25\3\3\0\2"), false, JK_E_PING, EPROTO, "TLS" },
    { B("\x12\x34\0\1\11"), false, JK_E_PING, EPROTO, "the other direction's magic" },
    { B("AB\xFF\xFF\3"), false, JK_E_PING, EPROTO, "longer than a packet may be" },
    { B("AB\0\0\0"), false, JK_E_PING, EPROTO, "an empty packet" },
    { B(""), true, JK_E_PING, 0, "an end of file" },
    { B("AB\0"), true, JK_E_PING, 0, "an end of file in the middle" },
    { B("AB\0\100\3\0\0\0"), true, JK_E_PING, 0, "an end of file in what is let pass" },
    { B("AB\0\1"), false, JK_AGAIN, 0, "not whole yet" },
    { B(""), false, JK_AGAIN, 0, "nothing yet" },
};

static int ours, theirs;

static void connect_pair(void)
{
    int fd[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    ours = fd[0];
    theirs = fd[1];
}

static void disconnect(void)
{
    close(ours);
    if (theirs >= 0)
        close(theirs);
}

static void say(const char *p, size_t n)
{
    ck_assert_int_eq(write(theirs, p, n), (ssize_t)n);
}

static void hang_up(void)
{
    close(theirs);
    theirs = -1;
}

static void expect_cping(void)
{
    uint8_t got[16];

    ck_assert_int_eq(read(theirs, got, sizeof got), 5);
    ck_assert_mem_eq(got, "\x12\x34\0\1\12", 5);
}

START_TEST(one_answer)
{
    jk_ping ping;
    int err;

    jk_ping_start(&ping);
    ck_assert_int_eq(jk_ping_step(&ping, ours, 8192, &err), JK_AGAIN);
    expect_cping();
    if (rows[_i].len)
        say(rows[_i].bytes, rows[_i].len);
    if (rows[_i].close)
        hang_up();
    ck_assert_msg(jk_ping_step(&ping, ours, 8192, &err) == rows[_i].rc, "%s", rows[_i].why);
    ck_assert_msg(err == rows[_i].err, "%s: %d", rows[_i].why, err);
}
END_TEST

START_TEST(the_same_byte_by_byte)
{
    jk_ping ping;
    jk_rc rc = JK_AGAIN;
    int err;

    jk_ping_start(&ping);
    ck_assert_int_eq(jk_ping_step(&ping, ours, 8192, &err), JK_AGAIN);
    for (size_t i = 0; i < rows[_i].len && rc == JK_AGAIN; i++) {
        say(rows[_i].bytes + i, 1);
        rc = jk_ping_step(&ping, ours, 8192, &err);
    }
    if (rows[_i].close) {
        expect_cping(); /* what a closing peer had not read would turn its end of file into a reset */
        hang_up();
        rc = jk_ping_step(&ping, ours, 8192, &err);
    }
    ck_assert_msg(rc == rows[_i].rc, "%s", rows[_i].why);
}
END_TEST

START_TEST(a_dead_peer_is_seen_when_the_cping_is_sent)
{
    jk_ping ping;
    int err;

    hang_up();
    jk_ping_start(&ping);
    ck_assert_int_eq(jk_ping_step(&ping, ours, 8192, &err), JK_E_PING);
    ck_assert_int_eq(err, EPIPE);
}
END_TEST

START_TEST(a_full_socket_is_no_idle_connection)
{
    static const char waste[4096];
    jk_ping ping;
    int err;

    while (send(ours, waste, sizeof waste, MSG_DONTWAIT) > 0)
        ;
    jk_ping_start(&ping);
    ck_assert_int_eq(jk_ping_step(&ping, ours, 8192, &err), JK_E_PING);
    ck_assert_int_eq(err, EAGAIN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net/ping");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");
    int n = (int)(sizeof rows / sizeof rows[0]);

    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, connect_pair, disconnect);
    tcase_add_loop_test(all, one_answer, 0, n);
    tcase_add_loop_test(all, the_same_byte_by_byte, 0, n);
    tcase_add_test(all, a_dead_peer_is_seen_when_the_cping_is_sent);
    tcase_add_test(all, a_full_socket_is_no_idle_connection);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
