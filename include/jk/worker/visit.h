/* include/jk/worker/visit.h - how far a run has come with one container: what worker/backend needs between two of its steps. */
#ifndef JK_WORKER_VISIT_H
#define JK_WORKER_VISIT_H

#include "jk/balance/tune.h"
#include "jk/net/ping.h"
#include "jk/net/pool.h"
#include "jk/worker/worker.h"

typedef struct jk_visit {
    const jk_worker *worker;
    int stage, attempt;
    int refusals; /* of the last attempts: fresh connects that were refused, or had no way to the host */
    const jk_limits *limits; /* in force when it began; they never change, an edit makes others */
    jk_waiter waiter;
    apr_time_t slot_until; /* a connection is waited for until then; 0: it is not */
    jk_ping ping;
    int ping_ms;      /* how long its CPong was waited for */
    bool has_place;   /* of the pool */
    bool fresh;       /* the connection was made for this attempt */
    bool pinged, counted;
    bool queued;      /* the books know that it waits */
    jk_stat *budget;        /* whose retry budget bounds resends; NULL: nobody's */
    int32_t budget_percent;
    /* Where another container had the run before this one: */
    uint64_t read_before, written_before; /* its bytes until then */
    apr_time_t began;                     /* here */
} jk_visit;

#endif
