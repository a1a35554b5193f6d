/* include/jk/shm/gauges.h - how many requests wait without a thread, and for what; how many had to wait with one, and why. Each child
 * counts in memory of its own that all can read; what a child had counted stays when it has ended.
 *
 * Counting takes a few instructions and no lock; any thread may. Reading walks the children: for a status page. */
#ifndef JK_SHM_GAUGES_H
#define JK_SHM_GAUGES_H

#include "jk/shm/shm.h"

#include <stdint.h>

/* What is waited for: enum, name, words. */
#define JK_PARK_WAIT_ROWS(X) \
    X(JK_PARKED_BACKEND, "backend", "for the container") \
    X(JK_PARKED_CLIENT_WRITE, "client_write", "for a client that reads slowly") \
    X(JK_PARKED_CLIENT_READ, "client_read", "for a client that sends slowly") \
    X(JK_PARKED_SLOT, "slot", "for a connection of the pool") \
    X(JK_PARKED_TIMER, "timer", "until the next attempt")

/* Why a request had to do it with its thread. The first ones are known when it begins, and are counted whether it then waits or not; the
 * last three are counted when it waits. */
#define JK_PARK_REASON_ROWS(X) \
    X(JK_FELL_HTTP2, "http2", "streams of HTTP/2") \
    X(JK_FELL_SUBREQUEST, "subrequest", "sub-requests") \
    X(JK_FELL_REDIRECT, "redirect", "redirects inside the server") \
    X(JK_FELL_CLOGGED, "clogged", "filters that clog the connection") \
    X(JK_FELL_CALLER, "caller", "connections that another module serves") \
    X(JK_FELL_BODY_FILTER, "body_filter", "bodies that go through a filter of their content: only the body is waited for with a thread") \
    X(JK_FELL_LIMIT, "limit", "JkParkMax was reached") \
    X(JK_FELL_DESCRIPTOR, "descriptor", "no descriptor was left") \
    X(JK_FELL_WATCH, "watch", "a descriptor could not be watched") \
    X(JK_FELL_STOPPING, "stopping", "connections that came while the process was stopping")

#define JK_GAUGES_ENUM(id, name, words) id,
typedef enum jk_park_wait { JK_PARK_WAIT_ROWS(JK_GAUGES_ENUM) JK_PARK_WAITS } jk_park_wait;
typedef enum jk_park_reason { JK_PARK_REASON_ROWS(JK_GAUGES_ENUM) JK_PARK_REASONS } jk_park_reason;
#undef JK_GAUGES_ENUM

typedef struct jk_gauges_word {
    const char *name;  /* for machines */
    const char *words; /* for people */
} jk_gauges_word;

extern const jk_gauges_word jk_gauges_waits[JK_PARK_WAITS];
extern const jk_gauges_word jk_gauges_reasons[JK_PARK_REASONS];

/* Sums over all children, those that ended among them, since the memory was made. */
typedef struct jk_park_gauges {
    uint32_t now[JK_PARK_WAITS];         /* wait at this moment */
    uint32_t most;                       /* waited at once in one process: to be compared with JkParkMax */
    uint32_t children;                   /* processes that have at least one now */
    uint64_t wakes;                      /* times that a request went on after it had waited so */
    uint64_t fell_back[JK_PARK_REASONS];
} jk_park_gauges;

/* In a child: a request waits from now on, and goes on. Once for each other. */
void jk_gauges_begin(jk_shm *shm, jk_park_wait what);
void jk_gauges_end(jk_shm *shm, jk_park_wait what);

/* In a child: one more that has to wait with its thread, or will where it must. */
void jk_gauges_fell_back(jk_shm *shm, jk_park_reason why);

/* Anywhere: of all children. */
jk_park_gauges jk_gauges_read(const jk_shm *shm);

/* In a child: its own. */
jk_park_gauges jk_gauges_own(const jk_shm *shm);

#endif
