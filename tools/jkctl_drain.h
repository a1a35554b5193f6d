/* tools/jkctl_drain.h - takes a member out of service so that nobody notices, and says when its container may be stopped. */
#ifndef JKCTL_DRAIN_H
#define JKCTL_DRAIN_H

#include "jkctl_change.h"

#include <signal.h>

typedef struct jkc_drain {
    int64_t wait;  /* ms; the most that it may take until nobody uses it */
    int64_t idle;  /* ms without a request that are taken as that */
    int64_t every; /* ms between looks */
    bool force;    /* when the time is over it is stopped nevertheless: sessions go to others */
    bool json;
    const jkc_way *way;
    const volatile sig_atomic_t *over; /* set by a signal: it ends, and says how things stand */
} jkc_drain;

/* Disables it: only sessions that it has go on. When no request was there for `idle`, stops it, waits for what is under way still, and
 * JKC_GOOD: nothing is under way, and nothing will come. JKC_NOT_DONE: there are requests still; without `force` it stays disabled. */
jkc_exit jkc_drain_run(jkc_line *line, const char *name, const jkc_drain *how);

/* Waits until a member is in no error. JKC_NOT_DONE: it is. */
jkc_exit jkc_drain_await_good(jkc_line *line, const char *name, const jkc_drain *how);

#endif
