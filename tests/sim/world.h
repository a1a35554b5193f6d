/* tests/sim/world.h - balancers without sockets: the real worker/lb, with its group, route/session, balance and shm below it, in several
 * "processes"; their members are actors instead of worker/backend, and the clock is set.
 *
 * This file takes the place of worker/backend when a program is linked: it defines what lb asks of it, and apr_time_now. Nothing of
 * the balancer is written again here. One thread: what is interleaved is the requests' steps, and two steps are never in one moment. */
#ifndef WORLD_H
#define WORLD_H

#include "jk/worker/lb.h"
#include "jk/worker/visit.h"

#define WORLD_MEMBERS 16
#define WORLD_PROCESSES 4

/* What a member does with a request, from the moment on that it gets one. */
typedef struct world_act {
    jk_rc rc;
    int err, refusals;      /* of JK_E_CONNECT: errno, and how many attempts in a row were refused */
    bool fresh, soft;       /* the connection was made for it; a negative status of fail_on_status */
    jk_progress progress;   /* when it ends */
    apr_time_t takes;       /* us */
    uint64_t read, written; /* bytes */
} world_act;

typedef struct world_call world_call;

/* What the program gives. */
typedef struct world_script {
    void *ctx;
    /* A member has got the request, and is counted as under way: what will come of it? */
    world_act (*visit)(void *ctx, world_call *call, int member);
    /* The run is over. The call is used again afterwards. */
    void (*over)(void *ctx, world_call *call, jk_rc rc);
    /* A line of level info or worse. */
    void (*line)(void *ctx, jk_log_level level, unsigned id, const char *text);
} world_script;

/* One request. The program fills what stands behind `mine`. */
struct world_call {
    jk_run run;
    jk_request rq;
    jk_wish wish;
    jk_field header; /* its Cookie */
    apr_pool_t *pool;
    jk_limits limits; /* in force at the member at hand */
    world_call *next; /* free ones */
    uint64_t order;
    int process;
    world_act act; /* what the member at hand makes of it */
    struct {
        int session, first, last, visits; /* first and last: members */
        bool resent, counted_new;
        jk_progress progress; /* that the visit before had come to */
        uint32_t seen;        /* members that had it, one bit each */
        int wanted;           /* who must get it first; -1: nobody knows */
        uint32_t allowed;     /* or one of these */
        bool own;             /* its session is the member's own */
    } mine;
};

typedef struct world world;

/* The clock, us. Moved by world_run and by the program between its calls. */
extern apr_time_t world_now;

/* `text`: a workers file with one lb named b, whose members are named m0, m1, ... */
world *world_make(const char *text, int processes, const world_script *script);
void world_end(world *w);

/* A request that goes to process `process` now. `cookie` may be NULL, and lives as long as the request. */
world_call *world_call_make(world *w, int process, const char *method, const char *uri, const char *cookie);

/* The first step; everything else comes by world_run. */
void world_call_start(world *w, world_call *call);

/* Lets the time go on until `until`, with all that happens meanwhile; each process is tended once a second. */
void world_run(world *w, apr_time_t until);

/* How many requests are under way. */
size_t world_busy(const world *w);

/* A process is killed: what it had under way is gone, and another one begins in its place. Returns how many requests that were. */
size_t world_kill(world *w, int process);

/* As the status worker will do it. */
jk_tune world_tune(const world *w, int member);
void world_edit(world *w, int member, const jk_tune *now); /* member -1: the lb */

jk_stat *world_stat(const world *w, int member); /* -1: the lb's */
int world_members(const world *w);
void world_maintain_every(world *w, int seconds);

#endif
