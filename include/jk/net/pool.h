/* include/jk/net/pool.h - the connections of one process to one backend: keep, lend, retire.
 *
 *   lend: idle? -> the one used last    room? -> a place (open a connection for it)    else -> wait for one of both
 *
 * A place is the right to have one connection open. The mutex is held for a few instructions and never over I/O or an
 * allocation. Any thread of the process may call. Lists are last-in, first-out, so that those not needed grow old. */
#ifndef JK_NET_POOL_H
#define JK_NET_POOL_H

#include "jk/net/conn.h"

#include <apr_pools.h>

typedef struct jk_pool jk_pool;

/* One who waits for a connection or a place. Lies in the waiting run; the pool links it. */
typedef struct jk_waiter jk_waiter;
struct jk_waiter {
    jk_waiter *next, *prev;
    jk_conn *conn;  /* what was granted; NULL: a place */
    bool linked, granted;
    void (*wake)(void *ctx); /* called outside the mutex by whoever grants; NULL: the waiter uses jk_pool_wait() */
    void *ctx;
};

typedef struct jk_pool_counts {
    unsigned open, idle, waiting, most_open;
    unsigned long long opened, reused, dead; /* dead: found closed, with unread bytes, or without a CPong */
    unsigned long long aged;                 /* closed since they were idle for too long */
} jk_pool_counts;

/* limit: most connections open at once; 0: no limit, it grows by need. NULL: no memory or no mutex. Idle connections are closed
 * when p is destroyed; lent ones are their borrowers'. */
jk_pool *jk_pool_make(apr_pool_t *p, unsigned limit);

/* JK_OK: *conn is an idle connection, or NULL for a place to open one. JK_AGAIN: none; `waiter` is linked, to be granted later or
 * given up. */
jk_rc jk_pool_lend(jk_pool *pool, jk_waiter *waiter, jk_conn **conn);

/* JK_OK: granted, as jk_pool_lend(). JK_AGAIN: not yet. */
jk_rc jk_pool_granted(jk_pool *pool, jk_waiter *waiter, jk_conn **conn);

/* From now on `call` is called when the linked waiter is granted something. JK_OK: it has been already. JK_AGAIN: it will be called, perhaps
 * even a moment after the waiter has stopped waiting. */
jk_rc jk_pool_wake_by(jk_pool *pool, jk_waiter *waiter, void (*call)(void *ctx), void *ctx);

/* Blocks until granted or until `until`; only for waiters without a wake function. */
void jk_pool_wait(jk_pool *pool, jk_waiter *waiter, apr_time_t until);

/* Stops waiting. What had been granted meanwhile goes on to the next one. */
void jk_pool_give_up(jk_pool *pool, jk_waiter *waiter);

/* The connection is idle and clean from now on; *conn becomes NULL. */
void jk_pool_give_back(jk_pool *pool, jk_conn **conn, apr_time_t now);

/* A place is given up: its connection was closed by the caller or never came to be. */
void jk_pool_free_place(jk_pool *pool);

/* A lent connection turned out to be dead before its reuse and was closed; its place is kept by the caller. */
void jk_pool_found_dead(jk_pool *pool);

/* A connection was opened for a place. */
void jk_pool_opened(jk_pool *pool);

/* ---- upkeep: idle connections, seen from outside the mutex ---- */

/* What is known of an idle connection. It may be lent or closed at any time: fd is good for a harmless poll() alone. */
typedef struct jk_idle {
    uint64_t id;
    int fd;
    apr_time_t since, probed;
} jk_idle;

/* The idle connections, the one used last first; returns how many of at most `room`. */
unsigned jk_pool_idle(jk_pool *pool, jk_idle *out, unsigned room);

/* Takes an idle connection out to look at it; its place is kept. NULL: it is not idle any more. */
jk_conn *jk_pool_withdraw(jk_pool *pool, uint64_t id);

/* It goes back to where it was; *conn becomes NULL. */
void jk_pool_return(jk_pool *pool, jk_conn **conn);

/* It was closed, for this reason: its place is free. */
void jk_pool_gone(jk_pool *pool, jk_close_why why);

jk_pool_counts jk_pool_count(jk_pool *pool);

#endif
