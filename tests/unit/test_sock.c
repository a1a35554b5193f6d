/* tests/unit/test_sock.c - addresses, opening, looking at and closing sockets, as the peer on the loopback address sees it; and
 * the one timeout that a connection's block keeps (net/conn). */
#include <check.h>

#include "jk/net/conn.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static const jk_sock_options none = { 0 };

/* ---- the other side ---- */

static int bound(int *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    int s = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(s, (const void *)&in, sizeof in), 0);
    ck_assert_int_eq(getsockname(s, (void *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return s;
}

static int listening(int *port)
{
    int s = bound(port);

    ck_assert_int_eq(listen(s, 5), 0);
    return s;
}

static jk_addr loopback(int port)
{
    const char *why = NULL;
    jk_addr addr;

    ck_assert_int_eq(jk_sock_resolve("127.0.0.1", port, false, &addr, &why), JK_OK);
    return addr;
}

/* Opens, and waits where that is not decided at once. */
static jk_rc open_to(const jk_addr *to, const jk_sock_options *opt, int *fd, int *err)
{
    jk_rc rc = jk_sock_open(to, opt, fd, err);

    if (rc != JK_AGAIN)
        return rc;
    ck_assert(jk_sock_wait(*fd, true, 3000));
    return jk_sock_opened(*fd, opt, err);
}

typedef struct pair {
    int ours, theirs;
} pair;

static pair connected(const jk_sock_options *opt)
{
    int port, err = 0, s = listening(&port);
    jk_addr to = loopback(port);
    pair both;

    ck_assert_int_eq(open_to(&to, opt, &both.ours, &err), JK_OK);
    both.theirs = accept(s, NULL, NULL);
    ck_assert_int_ge(both.theirs, 0);
    close(s);
    return both;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* In ms. */
static int timeout_of(int fd, int name)
{
    struct timeval tv;
    socklen_t len = sizeof tv;

    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, name, &tv, &len), 0);
    return (int)(tv.tv_sec * 1000 + tv.tv_usec / 1000);
}

static void send_all(int fd, size_t n)
{
    char bytes[4096];

    memset(bytes, 'x', sizeof bytes);
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n < sizeof bytes ? n : sizeof bytes, MSG_NOSIGNAL);
        ck_assert_int_gt(sent, 0);
        n -= (size_t)sent;
    }
}

/* How many bytes came before the end; *last is what ended them: 0, or -1 with errno. */
static size_t receive_all(int fd, ssize_t *last)
{
    char bytes[4096];
    size_t n = 0;

    while ((*last = recv(fd, bytes, sizeof bytes, 0)) > 0)
        n += (size_t)*last;
    return n;
}

/* ---- addresses ---- */

/* A host that has both families is in no hosts file for sure: these are linked before the C library's, and know three. */
static struct sockaddr_in four = { .sin_family = AF_INET };
static struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
static struct addrinfo list[4];

static void add_address(size_t at, bool v6)
{
    if (at >= sizeof list / sizeof list[0])
        abort();
    list[at] = (struct addrinfo){ .ai_family = v6 ? AF_INET6 : AF_INET, .ai_addr = v6 ? (void *)&six : (void *)&four,
                                  .ai_addrlen = v6 ? sizeof six : sizeof four };
    if (at > 0)
        list[at - 1].ai_next = &list[at];
}

/* "64.families.test" has an IPv6 address and then an IPv4 one. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (strstr(host, ".families.test") == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        return real(host, service, hints, out);
    }
    four.sin_addr.s_addr = htonl(0x01020304);
    four.sin_port = six.sin6_port = htons((uint16_t)atoi(service));
    for (size_t i = 0; host[i] != '.'; i++)
        add_address(i, host[i] == '6');
    *out = list;
    return 0;
}

void freeaddrinfo(struct addrinfo *gone)
{
    void (*real)(struct addrinfo *);

    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    if (gone != list)
        real(gone);
}

static const struct {
    const char *host;
    int port;
    bool v6;
    jk_rc rc;
    const char *text, *why;
} names[] = {
    { "127.0.0.1", 8009, false, JK_OK, "127.0.0.1:8009", "an IPv4 literal" },
    { "127.0.0.1", 8009, true, JK_OK, "127.0.0.1:8009", "whatever is preferred: it has no other" },
    { "::1", 8009, false, JK_OK, "[::1]:8009", "an IPv6 literal, in brackets" },
    { "0:0:0:0:0:0:0:1", 1, false, JK_OK, "[::1]:1", "written the long way" },
    { "10.1.2.3", 65535, false, JK_OK, "10.1.2.3:65535", "the last port" },
    { "64.families.test", 7, false, JK_OK, "1.2.3.4:7", "both: IPv4, though it stands second" },
    { "46.families.test", 7, true, JK_OK, "[::1]:7", "both: IPv6, where that is preferred" },
    { "6.families.test", 7, false, JK_OK, "[::1]:7", "IPv6 alone" },
    { "4.families.test", 7, true, JK_OK, "1.2.3.4:7", "IPv4 alone" },
    { "no.such.host.invalid", 8009, false, JK_E_RESOLVE, NULL, "a name that can never be (RFC 6761)" },
    { "", 8009, false, JK_E_RESOLVE, NULL, "no name" },
    { "127.0.0.1:8009", 8009, false, JK_E_RESOLVE, NULL, "a port is not part of a host here" },
    { "256.1.1.1.invalid", 8009, false, JK_E_RESOLVE, NULL, "nor what only looks like an address" },
};

START_TEST(each_name_has_its_address)
{
    const char *why = NULL;
    jk_addr addr = { .text = "" };

    ck_assert_msg(jk_sock_resolve(names[_i].host, names[_i].port, names[_i].v6, &addr, &why) == names[_i].rc, "%s", names[_i].why);
    if (names[_i].rc == JK_OK)
        ck_assert_msg(strcmp(addr.text, names[_i].text) == 0, "%s: %s", names[_i].why, addr.text);
    else
        ck_assert_msg(why != NULL && *why != '\0', "%s: no words for it", names[_i].why);
}
END_TEST

START_TEST(localhost_needs_no_name_service)
{
    const char *why = NULL;
    jk_addr addr;

    ck_assert_int_eq(jk_sock_resolve("localhost", 80, false, &addr, &why), JK_OK);
    ck_assert_msg(strcmp(addr.text, "127.0.0.1:80") == 0 || strcmp(addr.text, "[::1]:80") == 0, "%s", addr.text);
}
END_TEST

START_TEST(a_unix_path_fits_or_is_refused)
{
    size_t most = sizeof((struct sockaddr_un *)0)->sun_path - 1;
    char path[200];
    jk_addr addr;

    ck_assert_int_eq(jk_sock_unix("/run/ajp.sock", &addr), JK_OK);
    ck_assert_str_eq(addr.text, "unix:/run/ajp.sock");
    ck_assert_int_eq(addr.sa.ss_family, AF_UNIX);
    memset(path, 'p', sizeof path);
    path[most + 1] = '\0';
    ck_assert_int_eq(jk_sock_unix(path, &addr), JK_E_RESOLVE);
    path[most] = '\0';
    ck_assert_int_eq(jk_sock_unix(path, &addr), JK_OK);
    ck_assert_int_eq(jk_sock_unix("", &addr), JK_E_RESOLVE);
}
END_TEST

/* ---- opening ---- */

START_TEST(a_listening_port_is_opened_and_settled)
{
    jk_sock_options opt = { .socket_timeout = 7, .buffer = 65536, .keepalive = true };
    pair both = connected(&opt);

    ck_assert_msg(fcntl(both.ours, F_GETFD) & FD_CLOEXEC, "a CGI program would inherit it");
    ck_assert_msg(!(fcntl(both.ours, F_GETFL) & O_NONBLOCK), "receives may wait");
    ck_assert_int_eq(option(both.ours, IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(option(both.ours, SOL_SOCKET, SO_KEEPALIVE), 1);
    ck_assert_int_ge(option(both.ours, SOL_SOCKET, SO_SNDBUF), 65536);
    ck_assert_int_ge(option(both.ours, SOL_SOCKET, SO_RCVBUF), 65536);
    ck_assert_int_eq(timeout_of(both.ours, SO_RCVTIMEO), 7000);
    ck_assert_int_eq(timeout_of(both.ours, SO_SNDTIMEO), 7000);
}
END_TEST

START_TEST(what_is_not_asked_for_is_not_set)
{
    pair both = connected(&none);

    ck_assert_int_eq(option(both.ours, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_eq(timeout_of(both.ours, SO_RCVTIMEO), 0);
    ck_assert_int_eq(timeout_of(both.ours, SO_SNDTIMEO), 0);
}
END_TEST

START_TEST(a_closed_port_is_refused)
{
    int port, fd = -1, err = 0, s = bound(&port);
    jk_addr to = loopback(port);

    ck_assert_int_eq(open_to(&to, &none, &fd, &err), JK_E_CONNECT);
    ck_assert_int_eq(err, ECONNREFUSED);
    if (fd >= 0)
        close(fd);
    close(s);
}
END_TEST

START_TEST(a_unix_socket_that_is_not_there_says_so_at_once)
{
    int fd = 5, err = 0;
    jk_addr to;

    ck_assert_int_eq(jk_sock_unix("/no/such/directory/ajp.sock", &to), JK_OK);
    ck_assert_int_eq(jk_sock_open(&to, &none, &fd, &err), JK_E_CONNECT);
    ck_assert_int_eq(err, ENOENT);
    ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(without_descriptors_nobody_else_is_to_blame)
{
    struct rlimit was, none_left;
    int fd = 5, err = 0, port, s = bound(&port);
    jk_addr to = loopback(port);

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
    none_left = was;
    none_left.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    jk_rc rc = jk_sock_open(&to, &none, &fd, &err);
    setrlimit(RLIMIT_NOFILE, &was);
    ck_assert_int_eq(rc, JK_E_SHORT);
    ck_assert_int_eq(err, EMFILE);
    ck_assert_int_eq(fd, -1);
    close(s);
}
END_TEST

/* Where TCP would let us wait for it, a Unix socket says at once that its queue is full. */
START_TEST(a_full_unix_socket_is_refused_and_not_waited_for)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int s = socket(AF_UNIX, SOCK_STREAM, 0), fd, err = 0;
    jk_rc rc = JK_OK;
    jk_addr to;

    snprintf(un.sun_path, sizeof un.sun_path, "test_sock.%ld", (long)getpid());
    ck_assert_int_eq(bind(s, (const void *)&un, sizeof un), 0);
    ck_assert_int_eq(listen(s, 0), 0);
    ck_assert_int_eq(jk_sock_unix(un.sun_path, &to), JK_OK);
    for (int i = 0; i < 4 && rc == JK_OK; i++)
        rc = jk_sock_open(&to, &none, &fd, &err);
    unlink(un.sun_path);
    ck_assert_int_eq(rc, JK_E_CONNECT);
    ck_assert_int_eq(err, EAGAIN);
}
END_TEST

START_TEST(nobody_waits_for_a_host_that_is_silent)
{
    int port, fd[4], err = 0, s = bound(&port), last;
    jk_addr to = loopback(port);
    jk_rc rc = JK_OK;

    ck_assert_int_eq(listen(s, 0), 0);
    for (int i = 0; i < COUNT(fd); i++) /* the queue is full soon: the rest is not answered */
        rc = jk_sock_open(&to, &none, &fd[i], &err);
    last = fd[COUNT(fd) - 1];
    ck_assert_int_eq(rc, JK_AGAIN);
    ck_assert(!jk_sock_wait(last, true, 20));
    ck_assert_msg(fcntl(last, F_GETFL) & O_NONBLOCK, "it is settled only when it is open");
    ck_assert_int_ne(fcntl(last, F_GETFD) & FD_CLOEXEC, 0);
}
END_TEST

static const struct {
    const char *source, *seen, *why;
} sources[] = {
    { "127.0.0.2", "127.0.0.2", "it is bound to first" },
    { "::1", "127.0.0.1", "of another family: not used" },
    { "192.0.2.1", "127.0.0.1", "not one of ours: connecting from another one is better than not at all" },
};

START_TEST(each_source_is_seen_by_the_peer)
{
    const char *why = NULL;
    jk_addr source;
    struct sockaddr_in in;
    socklen_t len = sizeof in;

    ck_assert_int_eq(jk_sock_resolve(sources[_i].source, 0, false, &source, &why), JK_OK);
    pair both = connected(&(jk_sock_options){ .source = &source });
    ck_assert_int_eq(getpeername(both.theirs, (void *)&in, &len), 0);
    ck_assert_msg(strcmp(inet_ntoa(in.sin_addr), sources[_i].seen) == 0, "%s: %s", sources[_i].why, inet_ntoa(in.sin_addr));
}
END_TEST

/* ---- looking ---- */

START_TEST(a_look_takes_nothing_and_waits_for_nothing)
{
    pair both = connected(&none);
    char one;

    ck_assert_int_eq(jk_sock_look(both.ours), JK_LOOK_QUIET);
    send_all(both.theirs, 1);
    ck_assert(jk_sock_wait(both.ours, false, 3000));
    ck_assert_int_eq(jk_sock_look(both.ours), JK_LOOK_BYTES);
    ck_assert_int_eq(jk_sock_look(both.ours), JK_LOOK_BYTES);
    ck_assert_int_eq(recv(both.ours, &one, 1, 0), 1);
    ck_assert_int_eq(jk_sock_look(both.ours), JK_LOOK_QUIET);
    close(both.theirs);
    ck_assert(jk_sock_wait(both.ours, false, 3000));
    ck_assert_int_eq(jk_sock_look(both.ours), JK_LOOK_CLOSED);
}
END_TEST

START_TEST(a_reset_connection_looks_closed)
{
    pair both = connected(&none);

    jk_sock_abort(both.theirs);
    ck_assert(jk_sock_wait(both.ours, false, 3000));
    ck_assert_int_eq(jk_sock_look(both.ours), JK_LOOK_CLOSED);
}
END_TEST

/* ---- closing ---- */

/* Bytes that lie unread at a close() make the kernel send a reset, which may overtake what was sent before. */
START_TEST(an_orderly_close_is_seen_after_all_bytes)
{
    pair both = connected(&none);
    ssize_t last;

    send_all(both.theirs, 10000);
    ck_assert(jk_sock_wait(both.ours, false, 3000));
    send_all(both.ours, 5000);
    jk_sock_close(both.ours);
    ck_assert_uint_eq(receive_all(both.theirs, &last), 5000);
    ck_assert_int_eq(last, 0);
}
END_TEST

START_TEST(an_abort_is_seen_as_a_reset)
{
    pair both = connected(&none);
    ssize_t last;

    jk_sock_abort(both.ours);
    ck_assert_uint_eq(receive_all(both.theirs, &last), 0);
    ck_assert_int_eq(last, -1);
    ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

START_TEST(a_close_waits_for_nobody)
{
    pair both = connected(&none);
    ssize_t last;

    jk_sock_close(both.ours); /* the peer is silent and keeps its side open */
    receive_all(both.theirs, &last);
    ck_assert_int_eq(last, 0);
}
END_TEST

/* A second descriptor of the same socket shows what the close has left. */
START_TEST(a_close_drains_no_more_than_it_says)
{
    size_t sent = 100000;
    ssize_t last;
    int fd[2], same;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    same = dup(fd[0]);
    send_all(fd[1], sent);
    close(fd[1]);
    jk_sock_close(fd[0]);
    size_t left = receive_all(same, &last);
    ck_assert_uint_le(left, sent - 32768);
    ck_assert_uint_ge(left, sent - 32768 - 4096);
}
END_TEST

/* ---- words ---- */

static const struct {
    int err;
    const char *remedy;
} words[] = {
    { ECONNREFUSED, "server.xml" },       { ETIMEDOUT, "socket_connect_timeout" }, { EHOSTUNREACH, "firewall-cmd" },
    { ENETUNREACH, "prefer_ipv6" },       { EACCES, "setsebool" },                 { EPERM, "setsebool" },
    { ENOENT, "unixDomainSocketPath" },   { EMFILE, "LimitNOFILE" },               { ENFILE, "LimitNOFILE" },
    { ENOMEM, "tcp_mem" },                { ENOBUFS, "tcp_mem" },
    { ECONNRESET, "another protocol" },   { EADDRNOTAVAIL, "prefer_ipv6" },        { EAFNOSUPPORT, "prefer_ipv6" },
    { EAGAIN, "acceptCount" },            { EADDRINUSE, "ip_local_port_range" },
};

START_TEST(each_errno_has_its_remedy)
{
    const char *text = jk_sock_words(words[_i].err);

    ck_assert_msg(strstr(text, words[_i].remedy) != NULL, "'%s' is not in: %s", words[_i].remedy, text);
}
END_TEST

START_TEST(no_errno_is_without_words)
{
    for (int err = 0; err < 200; err++)
        ck_assert_msg(jk_sock_words(err) != NULL && *jk_sock_words(err) != '\0', "%d", err);
}
END_TEST

/* ---- net/conn ---- */

/* The option is changed behind the block's back: what stays so was no system call. */
START_TEST(a_receive_timeout_is_set_only_where_it_changes)
{
    jk_sock_options opt = { .socket_timeout = 10 };
    pair both = connected(&opt);
    jk_conn *conn = jk_conn_make(both.ours, &opt);
    struct timeval other = { 3, 0 };

    ck_assert_int_eq(setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &other, sizeof other), 0);
    jk_conn_receive_within(conn, 10000);
    ck_assert_int_eq(timeout_of(conn->fd, SO_RCVTIMEO), 3000);
    jk_conn_receive_within(conn, 2500);
    ck_assert_int_eq(timeout_of(conn->fd, SO_RCVTIMEO), 2500);
    jk_conn_receive_within(conn, 0);
    ck_assert_int_eq(timeout_of(conn->fd, SO_RCVTIMEO), 0);
    ck_assert_int_eq(setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &other, sizeof other), 0);
    jk_conn_receive_within(conn, 0);
    ck_assert_int_eq(timeout_of(conn->fd, SO_RCVTIMEO), 3000);
    jk_conn_close(&conn, false);
}
END_TEST

START_TEST(a_receive_within_its_time_gives_up)
{
    pair both = connected(&none);
    jk_conn *conn = jk_conn_make(both.ours, &none);
    char one;

    jk_conn_receive_within(conn, 10);
    ck_assert_int_eq(recv(conn->fd, &one, 1, 0), -1);
    ck_assert_int_eq(errno, EAGAIN);
    jk_conn_close(&conn, false);
}
END_TEST

START_TEST(a_connection_is_closed_as_asked_and_given_up)
{
    for (int hard = 0; hard <= 1; hard++) {
        pair both = connected(&none);
        jk_conn *conn = jk_conn_make(both.ours, &none);
        ssize_t last;

        jk_conn_close(&conn, hard);
        ck_assert_ptr_null(conn);
        receive_all(both.theirs, &last);
        ck_assert_int_eq(last, hard ? -1 : 0);
        jk_conn_close(&conn, hard); /* there is none any more */
    }
}
END_TEST

static void add_opening(TCase *t)
{
    tcase_add_loop_test(t, each_name_has_its_address, 0, COUNT(names));
    tcase_add_test(t, localhost_needs_no_name_service);
    tcase_add_test(t, a_unix_path_fits_or_is_refused);
    tcase_add_test(t, a_listening_port_is_opened_and_settled);
    tcase_add_test(t, what_is_not_asked_for_is_not_set);
    tcase_add_test(t, a_closed_port_is_refused);
    tcase_add_test(t, a_unix_socket_that_is_not_there_says_so_at_once);
    tcase_add_test(t, a_full_unix_socket_is_refused_and_not_waited_for);
    tcase_add_test(t, without_descriptors_nobody_else_is_to_blame);
    tcase_add_test(t, nobody_waits_for_a_host_that_is_silent);
    tcase_add_loop_test(t, each_source_is_seen_by_the_peer, 0, COUNT(sources));
    tcase_add_loop_test(t, each_errno_has_its_remedy, 0, COUNT(words));
    tcase_add_test(t, no_errno_is_without_words);
}

int main(void)
{
    Suite *s = suite_create("sock");
    TCase *t = tcase_create("sock");

    tcase_set_timeout(t, 30); /* a name service may be slow to say no */
    add_opening(t);
    tcase_add_test(t, a_look_takes_nothing_and_waits_for_nothing);
    tcase_add_test(t, a_reset_connection_looks_closed);
    tcase_add_test(t, an_orderly_close_is_seen_after_all_bytes);
    tcase_add_test(t, an_abort_is_seen_as_a_reset);
    tcase_add_test(t, a_close_waits_for_nobody);
    tcase_add_test(t, a_close_drains_no_more_than_it_says);
    tcase_add_test(t, a_receive_timeout_is_set_only_where_it_changes);
    tcase_add_test(t, a_receive_within_its_time_gives_up);
    tcase_add_test(t, a_connection_is_closed_as_asked_and_given_up);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
