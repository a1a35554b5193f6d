/* tests/unit/test_ports.c - opening connections on a machine of two local ports, and without IPv6: a network of this process's own. Where the
 * system allows none nothing is looked at, and the program counts as skipped. */
#include <check.h>

#include "jk/net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))
#define PORTS 2

enum { NOT_ALLOWED = 77 }; /* to make test: skipped */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return written;
}

/* This process's own network, of a loopback interface alone. False: the system does not allow it. */
static bool small_network(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
    int s;

    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = s >= 0 && ioctl(s, SIOCSIFFLAGS, &lo) == 0 && write_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001");
    (void)write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    close(s);
    return up;
}

static const jk_sock_options none = { 0 };

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

static jk_addr listening_at(int port)
{
    jk_addr addr = loopback(port);
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(s, (const void *)&addr.sa, addr.len), 0);
    ck_assert_int_eq(listen(s, 5), 0);
    return addr;
}

static bool comes_from(int fd, const jk_addr *source)
{
    struct sockaddr_in in = { 0 };
    socklen_t len = sizeof in;

    getsockname(fd, (void *)&in, &len);
    return in.sin_addr.s_addr == ((const struct sockaddr_in *)(const void *)&source->sa)->sin_addr.s_addr;
}

/* All that can be opened, and then one more. */
static int take_all_ports(const jk_addr *to, const jk_addr *source)
{
    jk_sock_options from = { .source = source };
    int fd, err = 0;

    for (int i = 0; i < PORTS; i++)
        if (open_to(to, &from, &fd, &err) != JK_OK || (source && !comes_from(fd, source)))
            return 1;
    return jk_sock_open(to, &from, &fd, &err) == JK_E_SHORT && err == EADDRINUSE && fd == -1 ? 0 : 2;
}

static int no_port_is_left(void)
{
    jk_addr to = listening_at(8009);

    return take_all_ports(&to, NULL);
}

/* A port that serves the connection to one container serves that to another too. */
static int nor_from_a_source(void)
{
    jk_addr source = loopback(0), a = listening_at(8009), b = listening_at(8010);
    int rc;

    ((struct sockaddr_in *)(void *)&source.sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK + 6);
    rc = take_all_ports(&a, &source);
    return rc ? rc : 10 * take_all_ports(&b, &source);
}

/* A container in a family in which this machine has no address: that is the configuration's fault. */
static int no_address_leads_there(void)
{
    int fd, err = 0;
    const char *why;
    jk_addr to;

    if (jk_sock_resolve("::1", 8009, true, &to, &why) != JK_OK)
        return 1;
    return jk_sock_open(&to, &none, &fd, &err) == JK_E_CONNECT && err == EADDRNOTAVAIL ? 0 : 2;
}

static const struct {
    int (*look)(void);
    const char *why;
} small[] = {
    { no_port_is_left, "without a free port nobody else is to blame" },
    { nor_from_a_source, "nor from a source, which is never left for want of a port" },
    { no_address_leads_there, "an address that is not there is no shortage" },
};

/* Tried in a child: a process that went there does not come back. */
static bool is_allowed(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        _exit(small_network() ? EXIT_SUCCESS : NOT_ALLOWED);
    return child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != NOT_ALLOWED;
}

START_TEST(on_a_small_machine)
{
    ck_assert(small_network()); /* each test is a child */
    ck_assert_msg(small[_i].look() == 0, "%s", small[_i].why);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ports");
    TCase *t = tcase_create("ports");

    if (!is_allowed()) {
        fprintf(stderr, "no network of its own is allowed here\n");
        return NOT_ALLOWED;
    }
    tcase_add_loop_test(t, on_a_small_machine, 0, COUNT(small));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_set_fork_status(r, CK_FORK);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
