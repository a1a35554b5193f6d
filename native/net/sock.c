/* native/net/sock.c - sockets to a backend. Nothing here knows AJP13; nothing here waits, but for jk_sock_wait(). */
#include "jk/net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DRAIN_MOST 32768

static void write_text(jk_addr *addr)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const void *sa = &addr->sa;

    if (addr->sa.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = sa;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        snprintf(addr->text, sizeof addr->text, "[%s]:%d", host, ntohs(in6->sin6_port));
        return;
    }
    const struct sockaddr_in *in = sa;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    snprintf(addr->text, sizeof addr->text, "%s:%d", host, ntohs(in->sin_port));
}

static const struct addrinfo *choose(const struct addrinfo *list, bool prefer_ipv6)
{
    if (!prefer_ipv6)
        for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
            if (ai->ai_family == AF_INET)
                return ai;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
        if (ai->ai_family == AF_INET6)
            return ai;
    return list;
}

jk_rc jk_sock_resolve(const char *host, int port, bool prefer_ipv6, jk_addr *out, const char **why)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list = NULL;
    char service[8];

    snprintf(service, sizeof service, "%d", port & 0xFFFF);
    int rc = getaddrinfo(host, service, &hints, &list);
    if (rc != 0) {
        *why = gai_strerror(rc);
        return JK_E_RESOLVE;
    }
    const struct addrinfo *ai = choose(list, prefer_ipv6);
    memset(out, 0, sizeof *out);
    memcpy(&out->sa, ai->ai_addr, ai->ai_addrlen);
    out->len = ai->ai_addrlen;
    write_text(out);
    freeaddrinfo(list);
    return JK_OK;
}

jk_rc jk_sock_unix(const char *path, jk_addr *out)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof un.sun_path)
        return JK_E_RESOLVE;
    memcpy(un.sun_path, path, len + 1);
    memset(out, 0, sizeof *out);
    memcpy(&out->sa, &un, sizeof un);
    out->len = sizeof un;
    snprintf(out->text, sizeof out->text, "unix:%s", path);
    return JK_OK;
}

static void set_timeout(int fd, int option, int ms)
{
    struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

    setsockopt(fd, SOL_SOCKET, option, &tv, sizeof tv);
}

/* Blocking from now on, each read and write under socket_timeout. */
static void settle(int fd, const jk_sock_options *opt)
{
    int flags = fcntl(fd, F_GETFL, 0);

    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    if (opt->socket_timeout > 0) {
        set_timeout(fd, SO_RCVTIMEO, opt->socket_timeout * 1000);
        set_timeout(fd, SO_SNDTIMEO, opt->socket_timeout * 1000);
    }
}

static void tune(int fd, int family, const jk_sock_options *opt)
{
    int on = 1;

    if (family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (opt->keepalive)
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (opt->buffer > 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &opt->buffer, sizeof opt->buffer);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &opt->buffer, sizeof opt->buffer);
    }
}

/* Nothing was even tried: whoever is at the other end has no part in it. */
static bool is_short(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS || err == EADDRINUSE;
}

/* connect() says EADDRNOTAVAIL where no local port is left, and where this machine has no address that leads there. A datagram socket wants the
 * same address, and none of these ports: if it gets on, it is the ports, for which bind() says EADDRINUSE. */
static int why_not(const jk_addr *to, int err)
{
    int s;

    if (err != EADDRNOTAVAIL)
        return err;
    s = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0 || connect(s, (const void *)&to->sa, to->len) == 0 || errno != EADDRNOTAVAIL)
        err = EADDRINUSE;
    if (s >= 0)
        close(s);
    return err;
}

/* Where this machine has no such address, connecting from another is better than not at all. The port is left to connect(), which may take one
 * that leads to another container already. */
static void come_from(int fd, const jk_addr *source)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
    int on = 1;

    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
    (void)!bind(fd, (const void *)&source->sa, source->len);
}

jk_rc jk_sock_open(const jk_addr *to, const jk_sock_options *opt, int *fd, int *err)
{
    const struct sockaddr *sa = (const void *)&to->sa;
    int s = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

    *fd = -1;
    if (s < 0) {
        *err = errno;
        return is_short(*err) ? JK_E_SHORT : JK_E_CONNECT;
    }
    tune(s, sa->sa_family, opt);
    if (opt->source && opt->source->sa.ss_family == sa->sa_family)
        come_from(s, opt->source);
    do
        rc = connect(s, sa, to->len);
    while (rc < 0 && errno == EINTR);
    if (rc < 0 && errno != EINPROGRESS) {
        *err = why_not(to, errno);
        close(s);
        return is_short(*err) ? JK_E_SHORT : JK_E_CONNECT;
    }
    *fd = s;
    if (rc < 0)
        return JK_AGAIN;
    settle(s, opt);
    return JK_OK;
}

jk_rc jk_sock_opened(int fd, const jk_sock_options *opt, int *err)
{
    socklen_t len = sizeof *err;

    *err = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, err, &len) < 0)
        *err = errno;
    if (*err != 0)
        return JK_E_CONNECT;
    settle(fd, opt);
    return JK_OK;
}

bool jk_sock_wait(int fd, bool writable, int ms)
{
    struct pollfd p = { .fd = fd, .events = writable ? POLLOUT : POLLIN };
    int rc;

    do
        rc = poll(&p, 1, ms);
    while (rc < 0 && errno == EINTR);
    return rc > 0;
}

jk_look jk_sock_look(int fd)
{
    char one;
    ssize_t n;

    do
        n = recv(fd, &one, 1, MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return JK_LOOK_BYTES;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? JK_LOOK_QUIET : JK_LOOK_CLOSED;
}

void jk_sock_close(int fd)
{
    char waste[4096];
    ssize_t n;
    size_t drained = 0;

    if (shutdown(fd, SHUT_WR) == 0)
        while (drained < DRAIN_MOST && (n = recv(fd, waste, sizeof waste, MSG_DONTWAIT)) > 0)
            drained += (size_t)n;
    close(fd);
}

void jk_sock_abort(int fd)
{
    struct linger hard = { 1, 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

const char *jk_sock_words(int err)
{
    switch (err) {
    case ECONNREFUSED:
        return "connection refused: Tomcat is not started, its AJP <Connector> is commented out in server.xml, the connector did not "
               "start (secretRequired without a secret), it listens on another port, or only on the loopback address "
               "(set address=\"...\" in its <Connector>)";
    case ETIMEDOUT:
        return "no answer within the connect timeout: a firewall drops the packets, or the host is down; check the way to the "
               "host and port, and socket_connect_timeout";
    case EHOSTUNREACH:
        return "no route to host: a firewall rejects the connection (on the backend: firewall-cmd --add-port=PORT/tcp), or the host is "
               "down";
    case ENETUNREACH:
        return "network is unreachable: there is no route to this address; check host, and IPv4 against IPv6 (prefer_ipv6)";
    case EACCES:
    case EPERM:
        return "permission denied: SELinux keeps httpd from connecting (setsebool -P httpd_can_network_connect 1, or semanage "
               "port -a -t http_port_t -p tcp PORT), or for a Unix socket its directory or file does not let httpd's user in";
    case ENOENT:
        return "no such file: the Unix socket is not there; Tomcat is not started or its unixDomainSocketPath is another one";
    case EAGAIN: /* a Unix socket's connect() does not wait where a TCP one would */
        return "the Unix socket's queue of new connections is full: raise acceptCount of the connector, and look whether Tomcat still "
               "accepts (maxConnections, a stuck container)";
    case EMFILE:
    case ENFILE:
        return "out of file descriptors: raise the limit (ulimit -n, LimitNOFILE) of httpd";
    case ENOMEM:
    case ENOBUFS:
        return "the system has no memory for another socket: look at its free memory, and at net.ipv4.tcp_mem";
    case ECONNRESET:
        return "connection reset: the backend closed at once; it is stopping, or its port speaks another protocol";
    case EADDRINUSE:
        return "no local port is left to connect from: look at who has so many connections (ss -tan), and raise net.ipv4.ip_local_port_range";
    case EADDRNOTAVAIL:
        return "this host has no address from which that one is reached: check host, and IPv4 against IPv6 (prefer_ipv6)";
    case EAFNOSUPPORT:
        return "the address family is not supported on this host: check IPv4 against IPv6 (prefer_ipv6)";
    default:
        return strerror(err);
    }
}
