/* include/jk/net/conn.h - one connection to a backend: a malloc'ed block with a raw descriptor, no pool and no buffer.
 *
 * At any time it belongs to exactly one: the pool it lies in, or the run that borrowed it. */
#ifndef JK_NET_CONN_H
#define JK_NET_CONN_H

#include "jk/net/sock.h"

#include <apr_time.h>

/* Why one was closed. */
typedef enum jk_close_why {
    JK_CLOSE_EXIT,      /* its process ended */
    JK_CLOSE_DEAD,      /* it was idle, and the container had closed it, had written to it, or owed a CPong */
    JK_CLOSE_AGED,      /* it was idle for too long, or made room for others */
    JK_CLOSE_FAILED,    /* what was done with it failed, or was broken off */
    JK_CLOSE_CONTAINER, /* the answer said that it may not be used again */
    JK_CLOSE_UNWANTED,  /* DisableReuse; the container's address was changed, or the member removed */
    JK_CLOSE_WHYS
} jk_close_why;

typedef struct jk_conn jk_conn;
struct jk_conn {
    jk_conn *next, *prev; /* in the pool's list of idle ones; guarded by the pool's mutex */
    uint64_t id;          /* unlike any other of its pool; given by the pool */
    int fd;
    int rcv_timeout;    /* ms that SO_RCVTIMEO stands at */
    apr_time_t idle_since;
    apr_time_t probed;  /* when upkeep pinged it last; 0: never */
    jk_close_why why;   /* it would be closed now; whoever closes it says so before */
    bool made;          /* it came to be: the container took it */
    const void *to;     /* where it leads: its maker's, to be compared alone */
    void (*gone)(void *ctx, const jk_conn *conn); /* called when it is closed; NULL: nobody counts */
    void *gone_ctx;
};

/* A block for a descriptor that is open or being opened. NULL: no memory, the descriptor stays the caller's. */
jk_conn *jk_conn_make(int fd, const jk_sock_options *opt);

/* Closes in an orderly way (or with a reset) and frees; *conn becomes NULL. NULL inside is no error. */
void jk_conn_close(jk_conn **conn, bool hard);

/* Sets how long a blocking receive may last, in ms; 0: for ever. A system call only where it changes. */
void jk_conn_receive_within(jk_conn *conn, int ms);

#endif
