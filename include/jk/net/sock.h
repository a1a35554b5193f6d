/* include/jk/net/sock.h - raw sockets to a backend: an address, a connect that never waits, and a careful close.
 *
 * A descriptor here is close-on-exec, TCP_NODELAY where that means something, and in blocking mode once it is settled
 * (who does not want to wait says MSG_DONTWAIT). errno is kept for the log and goes no higher than net and worker. */
#ifndef JK_NET_SOCK_H
#define JK_NET_SOCK_H

#include "jk/base/outcome.h"

#include <stdbool.h>
#include <sys/socket.h>

typedef struct jk_addr {
    struct sockaddr_storage sa;
    socklen_t len;
    char text[128]; /* "127.0.0.1:8009", "[::1]:8009", "unix:/run/ajp.sock" (cut), for log lines */
} jk_addr;

typedef struct jk_sock_options {
    int socket_timeout;  /* s; 0: none. Both ways. */
    int connect_timeout; /* ms; 0: none */
    int buffer;          /* bytes of SO_SNDBUF and SO_RCVBUF; 0: the system's */
    bool keepalive;      /* SO_KEEPALIVE */
    const jk_addr *source; /* bind to it first; NULL: no */
} jk_sock_options;

/* Looks up host (a name or a literal) and takes the first address, or the first IPv6 one where prefer_ipv6 says so. May
 * block on DNS. JK_OK, or JK_E_RESOLVE with *why in words (a static string). */
jk_rc jk_sock_resolve(const char *host, int port, bool prefer_ipv6, jk_addr *out, const char **why);

/* The address of a Unix socket. JK_E_RESOLVE: the path is longer than the system allows. */
jk_rc jk_sock_unix(const char *path, jk_addr *out);

/* Starts to connect. JK_OK: connected and settled. JK_AGAIN: *fd becomes writable when it is decided. JK_E_CONNECT, or JK_E_SHORT where
 * it is this process or the system that lacks something: *err is the errno (EADDRINUSE: no local port is left), *fd is -1. The caller owns *fd. */
jk_rc jk_sock_open(const jk_addr *to, const jk_sock_options *opt, int *fd, int *err);

/* After JK_AGAIN and a writable descriptor: JK_OK and settled, or JK_E_CONNECT with *err; the descriptor stays the caller's. */
jk_rc jk_sock_opened(int fd, const jk_sock_options *opt, int *err);

/* Waits until fd is readable (or writable) or ms have passed; -1: for ever. True: it is ready, or broken. */
bool jk_sock_wait(int fd, bool writable, int ms);

typedef enum jk_look { JK_LOOK_QUIET, JK_LOOK_CLOSED, JK_LOOK_BYTES } jk_look;

/* One look at an idle connection, without taking anything and without waiting. */
jk_look jk_sock_look(int fd);

/* Says "no more", drains what still comes (at most 32 KiB, and nothing is waited for) and closes: the peer then sees an
 * orderly end and not a reset that could overtake our last bytes. */
void jk_sock_close(int fd);

/* Closes with a reset: the peer is to see at once that the request was given up. */
void jk_sock_abort(int fd);

/* What an errno of connect() means to the person who runs it, and what to do. Never NULL. */
const char *jk_sock_words(int err);

#endif
