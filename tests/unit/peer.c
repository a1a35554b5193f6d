/* tests/unit/peer.c - what the scripted container does for each letter. */
#include "peer.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FORWARD_REQUEST 2

static const uint8_t answer_keep[] = { JK_PEER_HEAD(200), JK_PEER_HI, JK_PEER_END(1) };
static const uint8_t answer_close[] = { JK_PEER_HEAD(200), JK_PEER_HI, JK_PEER_END(0) };
static const uint8_t answer_part[] = { JK_PEER_HEAD(200), JK_PEER_HI };
static const uint8_t end_keep[] = { JK_PEER_END(1) };
static const uint8_t ask_body[] = { 'A', 'B', 0, 3, 6, 0x1F, 0xFA };

static void say(jk_peer *pr, const void *bytes, size_t n)
{
    (void)!send(pr->conn, bytes, n, MSG_NOSIGNAL);
}
#define SAY(pr, bytes) say(pr, bytes, sizeof(bytes))

void jk_peer_count(jk_peer *pr, int *what)
{
    pthread_mutex_lock(&pr->mutex);
    ++*what;
    pthread_cond_broadcast(&pr->moved);
    pthread_mutex_unlock(&pr->mutex);
}

void jk_peer_await(jk_peer *pr, const int *what, int n)
{
    pthread_mutex_lock(&pr->mutex);
    while (*what < n)
        pthread_cond_wait(&pr->moved, &pr->mutex);
    pthread_mutex_unlock(&pr->mutex);
}

int jk_peer_look(jk_peer *pr, const int *what)
{
    pthread_mutex_lock(&pr->mutex);
    int n = *what;
    pthread_mutex_unlock(&pr->mutex);
    return n;
}

/* One packet; false: the module hung up. */
static bool hear(jk_peer *pr, uint8_t *p, size_t room, size_t *len)
{
    ssize_t n = recv(pr->conn, p, 4, MSG_WAITALL);

    if (n == 4) {
        *len = (size_t)p[2] << 8 | p[3];
        ck_assert_uint_le(*len + 4, room);
        n = *len ? recv(pr->conn, p + 4, *len, MSG_WAITALL) : 1;
    } else if (n > 0) {
        n = 0; /* a part of a head and then the end */
    }
    pthread_mutex_lock(&pr->mutex);
    pr->last_errno = n < 0 ? errno : 0;
    pthread_mutex_unlock(&pr->mutex);
    return n > 0;
}

static bool hear_request(jk_peer *pr)
{
    uint8_t packet[JK_PEER_PACKET];
    size_t len;

    do
        if (!hear(pr, packet, sizeof packet, &len))
            return false;
    while (packet[0] != 0x12 || packet[1] != 0x34 || len == 0 || packet[4] != FORWARD_REQUEST); /* body packets are passed by */
    pthread_mutex_lock(&pr->mutex);
    if (pr->requests < (int)sizeof pr->methods - 1)
        pr->methods[pr->requests] = (char)('0' + packet[5]);
    memcpy(pr->last, packet, len + 4);
    pr->nlast = len + 4;
    pthread_mutex_unlock(&pr->mutex);
    return true;
}

/* False: the connection is over. */
static bool act(jk_peer *pr, char what)
{
    uint8_t packet[JK_PEER_PACKET];
    size_t len;

    switch (what) {
    case 'a':
    case 'q':
        SAY(pr, answer_keep);
        return what == 'a';
    case 'c':
        SAY(pr, answer_close);
        return false;
    case 'x':
        SAY(pr, answer_keep);
        jk_peer_await(pr, &pr->gos, 1);
        SAY(pr, end_keep);
        jk_peer_count(pr, &pr->extra);
        return true;
    case 'w':
        jk_peer_await(pr, &pr->gos, 1);
        SAY(pr, answer_keep);
        return true;
    case 'h':
        jk_peer_await(pr, &pr->gos, 1);
        return false;
    case 'b':
        SAY(pr, ask_body);
        hear(pr, packet, sizeof packet, &len); /* the packet that came unasked */
        hear(pr, packet, sizeof packet, &len);
        return false;
    case 'p':
        SAY(pr, answer_part);
        return false;
    case 's':
        return true;
    case '*':
        say(pr, pr->odd, pr->nodd);
        return false;
    default:
        return false;
    }
}

/* What lies unread would make a reset of it, and that could overtake our last bytes. */
static void hang_up(int fd)
{
    char waste[JK_PEER_PACKET];

    shutdown(fd, SHUT_WR);
    while (recv(fd, waste, sizeof waste, MSG_DONTWAIT) > 0)
        continue;
    close(fd);
}

static void *serve(void *data)
{
    jk_peer *pr = data;

    while ((pr->conn = accept(pr->listener, NULL, NULL)) >= 0) {
        bool more = true;
        jk_peer_count(pr, &pr->accepted);
        while (more && hear_request(pr)) {
            char what = *pr->script ? *pr->script++ : 'd';
            jk_peer_count(pr, &pr->requests);
            more = act(pr, what);
        }
        hang_up(pr->conn);
        jk_peer_count(pr, &pr->hung_up);
    }
    return NULL;
}

/* They outlive the test's function: their threads go on until its end. */
static jk_peer peers[2];
static int npeers;

static jk_peer *new_peer(const char *script, int family)
{
    ck_assert_int_lt(npeers, (int)(sizeof peers / sizeof peers[0]));
    jk_peer *pr = &peers[npeers++];
    *pr = (jk_peer){ .script = script, .mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
    pr->listener = socket(family, SOCK_STREAM, 0);
    return pr;
}

jk_peer *jk_peer_bind(const char *script)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    jk_peer *pr = new_peer(script, AF_INET);

    ck_assert_int_eq(bind(pr->listener, (const void *)&in, sizeof in), 0);
    ck_assert_int_eq(getsockname(pr->listener, (void *)&in, &len), 0);
    pr->port = ntohs(in.sin_port);
    return pr;
}

void jk_peer_start(jk_peer *pr)
{
    ck_assert_int_eq(listen(pr->listener, 16), 0);
    ck_assert_int_eq(pthread_create(&pr->thread, NULL, serve, pr), 0);
    pr->serving = true;
}

jk_peer *jk_peer_tcp(const char *script)
{
    jk_peer *pr = jk_peer_bind(script);

    jk_peer_start(pr);
    return pr;
}

jk_peer *jk_peer_unix(const char *script)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    jk_peer *pr = new_peer(script, AF_UNIX);

    /* Absolute, as a configuration must have it; the build directory's path may be longer than a socket's can be. */
    snprintf(un.sun_path, sizeof un.sun_path, "/tmp/jk-peer.%ld.%d", (long)getpid(), npeers);
    memcpy(pr->path, un.sun_path, sizeof pr->path);
    ck_assert_int_eq(bind(pr->listener, (const void *)&un, sizeof un), 0);
    jk_peer_start(pr);
    return pr;
}

static void stop(jk_peer *pr)
{
    shutdown(pr->listener, SHUT_RDWR);
    if (pr->serving)
        pthread_join(pr->thread, NULL);
    close(pr->listener);
    if (*pr->path)
        unlink(pr->path);
}

void jk_peer_stop_all(void)
{
    while (npeers > 0)
        stop(&peers[--npeers]);
}
