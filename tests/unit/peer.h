/* tests/unit/peer.h - a scripted container: a thread behind a loopback or Unix socket, one connection after the other, and one
 * letter of the script for each request.
 *
 *   a  answers 200 "hi"        d  hangs up without an answer      b  asks for the body, reads it, hangs up
 *   c  answers, END says close q  answers and hangs up after it   p  hangs up in the middle of an answer
 *   x  answers; bytes that nobody asked for follow when the test says go
 *   w  answers when the test says go                              s  is silent until the module hangs up
 *   h  hangs up when the test says go                             *  sends `odd` and hangs up
 */
#ifndef TESTS_UNIT_PEER_H
#define TESTS_UNIT_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#define JK_PEER_PACKET 9000

/* Bytes of messages, for arrays. */
#define JK_PEER_HEAD(status) 'A', 'B', 0, 8, 4, (uint8_t)((status) >> 8), (uint8_t)(status), 0, 0, 0, 0, 0
#define JK_PEER_HI 'A', 'B', 0, 6, 3, 0, 2, 'h', 'i', 0
#define JK_PEER_END(reuse) 'A', 'B', 0, 2, 5, reuse

typedef struct jk_peer {
    const char *script;
    const void *odd; /* set before the first request */
    size_t nodd;
    int listener, port, conn;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* "": TCP */
    bool serving;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t moved;
    int accepted, requests, hung_up, extra, gos;
    int last_errno;   /* how the module ended the last connection: 0, in good order */
    char methods[64]; /* of the requests, as AJP13's codes + '0' */
    uint8_t last[JK_PEER_PACKET]; /* the last FORWARD_REQUEST */
    size_t nlast;
} jk_peer;

/* A port that refuses: it is held, and nobody listens. */
jk_peer *jk_peer_bind(const char *script);

/* From then on somebody does. */
void jk_peer_start(jk_peer *pr);

/* Both. */
jk_peer *jk_peer_tcp(const char *script);

/* Behind a Unix socket a close is seen at the other end when close() returns; over TCP a moment later. */
jk_peer *jk_peer_unix(const char *script);

/* Ends all of them, once the module has closed its connections. */
void jk_peer_stop_all(void);

/* Says that *what, one of the peer's counts, is one more; blocks until it has come to n; reads it. */
void jk_peer_count(jk_peer *pr, int *what);
void jk_peer_await(jk_peer *pr, const int *what, int n);
int jk_peer_look(jk_peer *pr, const int *what);

#endif
