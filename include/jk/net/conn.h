/* include/jk/net/conn.h - one connection to a backend: a malloc'ed block with a raw descriptor, no pool and no buffer.
 *
 * At any time it belongs to exactly one: the pool it lies in, or the run that borrowed it. */
#ifndef JK_NET_CONN_H
#define JK_NET_CONN_H

#include "jk/net/sock.h"

#include <apr_time.h>

typedef struct jk_conn jk_conn;
struct jk_conn {
    jk_conn *next, *prev; /* in the pool's list of idle ones; guarded by the pool's mutex */
    uint64_t id;          /* unlike any other of its pool; given by the pool */
    int fd;
    int rcv_timeout;    /* ms that SO_RCVTIMEO stands at */
    apr_time_t idle_since;
    apr_time_t probed;  /* when upkeep pinged it last; 0: never */
    const void *to;     /* where it leads: its maker's, to be compared alone */
    void (*gone)(void *ctx); /* called when it is closed; NULL: nobody counts */
    void *gone_ctx;
};

/* A block for a descriptor that is open or being opened. NULL: no memory, the descriptor stays the caller's. */
jk_conn *jk_conn_make(int fd, const jk_sock_options *opt);

/* Closes in an orderly way (or with a reset) and frees; *conn becomes NULL. NULL inside is no error. */
void jk_conn_close(jk_conn **conn, bool hard);

/* Sets how long a blocking receive may last, in ms; 0: for ever. A system call only where it changes. */
void jk_conn_receive_within(jk_conn *conn, int ms);

#endif
