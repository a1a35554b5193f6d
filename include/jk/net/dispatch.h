/* include/jk/net/dispatch.h - waits for many at once with one thread per process: descriptors, times and wake-up calls.
 *
 *   take -> arm -> (something comes: the slot's descriptor becomes readable) -> disarm says what -> .. done -> give_back
 *
 * A slot stands for one that waits. Its descriptor is polled by somebody else (the MPM), who then goes on with the work. Wakes are
 * paced: only so many slots are readable or at work at once, the others queue in order. Knows no httpd and no run. The thread
 * starts with the first arm() and never touches anything but slots. Any thread may call, but for one slot one at a time. */
#ifndef JK_NET_DISPATCH_H
#define JK_NET_DISPATCH_H

#include <apr_time.h>
#include <stdbool.h>

typedef struct jk_dispatch jk_dispatch;
typedef struct jk_berth jk_berth; /* a slot; its memory is never freed, so that a late wake-up call harms nobody */

typedef enum jk_wake {
    JK_WAKE_NOTHING, /* nothing came yet */
    JK_WAKE_READY,   /* the descriptor is ready, or somebody called */
    JK_WAKE_GONE,    /* the client went away */
    JK_WAKE_LATE     /* the time is over */
} jk_wake;

/* What is waited for. A descriptor of -1 is not looked at. */
typedef struct jk_vigil {
    int fd;           /* the awaited one */
    bool writable;    /* to be written to; else read from */
    int other;        /* awaited as well: to be read from */
    int client;       /* wakes when the client hangs up */
    bool ended;       /* the client has said already that it sends nothing more: only a reset counts as leaving */
    bool hears_bytes; /* bytes that lie before its end are a next request, and not a part of its leaving as under TLS */
    apr_time_t until; /* 0: no limit */
} jk_vigil;

typedef struct jk_dispatch_counts {
    unsigned now, most;                   /* that wait */
    unsigned long long waits, gone, late; /* in all; of them ended by the client's leaving, by time */
    unsigned long long paced;             /* wakes that had to queue */
    unsigned long long refused;           /* take() had none: the limit, or no descriptor */
} jk_dispatch_counts;

/* At most `limit` slots are taken at once, at most `pace` wakes are under way. `threaded` false: jk_dispatch_turn() is called by
 * hand. NULL: no memory, no descriptor, or a system without epoll. */
jk_dispatch *jk_dispatch_make(unsigned limit, unsigned pace, bool threaded);

/* NULL: the limit is reached, or there is no descriptor. */
jk_berth *jk_dispatch_take(jk_dispatch *d);

/* Are all slots taken? */
bool jk_dispatch_is_full(jk_dispatch *d);

/* What becomes readable when something came. It stays the slot's. */
int jk_dispatch_fd(const jk_berth *b);

/* The descriptor was closed by somebody who took it for his own: another one is made with the next arm(). */
void jk_dispatch_fd_lost(jk_berth *b);

/* From now on it may be woken, once. False: it cannot be watched (no thread, no more watches); it is woken at once. */
bool jk_dispatch_arm(jk_dispatch *d, jk_berth *b, const jk_vigil *vigil);

/* Says what came, and takes it back where nothing did. Idempotent. The slot keeps its place among those at work. */
jk_wake jk_dispatch_disarm(jk_dispatch *d, jk_berth *b);

/* Wakes it as JK_WAKE_READY, if it waits. `berth` is a jk_berth: the form of a pool's wake-up call. May come late: the slot may
 * wait for something else by then. */
void jk_dispatch_call(void *berth);

/* The work that a wake began is done, or waits again: the next one's turn. Idempotent. */
void jk_dispatch_done(jk_dispatch *d, jk_berth *b);

/* *b becomes NULL. */
void jk_dispatch_give_back(jk_dispatch *d, jk_berth **b);

/* Ends the thread. Nobody is woken any more; slots can still be disarmed and given back. */
void jk_dispatch_stop(jk_dispatch *d);

/* Stops it and frees it with all slots: where nobody has any more to do with them. A process that ends does not. */
void jk_dispatch_free(jk_dispatch *d);

/* How many wait, about: no mutex is taken. */
unsigned jk_dispatch_waiting(const jk_dispatch *d);

jk_dispatch_counts jk_dispatch_count(jk_dispatch *d);

/* One turn of the thread, for tests: takes what is ready, waits at most ms for it, and wakes who is late at `now`. */
void jk_dispatch_turn(jk_dispatch *d, int ms, apr_time_t now);

#endif
