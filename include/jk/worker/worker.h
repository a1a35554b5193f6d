/* include/jk/worker/worker.h - what can answer a request: the interface that all types of workers share.
 *
 * A worker is made at post_config and lives as long as that configuration; what a process adds (its connections) comes in
 * child_init. step() is called by any thread, again and again for one run, until it returns anything but JK_AGAIN. */
#ifndef JK_WORKER_WORKER_H
#define JK_WORKER_WORKER_H

#include "jk/conf/workers.h"
#include "jk/net/run.h"
#include "jk/shm/stat.h"

typedef struct jk_worker jk_worker;

/* What a worker must know of a request beside the request itself: the environment's word and the rule's. Spans that are absent wish nothing. */
typedef struct jk_wish {
    int32_t reply_timeout;                    /* ms, 0: none; -1: the worker's */
    const apr_array_header_t *fail_on_status; /* of int32_t, in place of the worker's; NULL: the worker's */
    /* For balancers: */
    jk_span route;                        /* JK_ROUTE; a NUL stands behind it */
    jk_span session_cookie, session_path; /* of the rule, in place of the balancer's */
    const int8_t *activations;            /* of the rule, by member (balance/choose); NULL: none */
    const char *session_cookie_path;      /* in place of the balancer's; NULL: none */
    bool set_session_cookie;              /* even where the balancer does not */
    bool sticky_ignore, stateless;
    bool glances; /* somebody asks for the numbers of the first and the last member */
} jk_wish;

/* What is to be done between requests. */
typedef struct jk_tend {
    apr_time_t now;
    bool look;     /* idle connections are looked at, an unresolved host is looked up again */
    int interval;  /* s between two global maintenances of a balancer, all processes together (worker.maintain); 0 or less: none */
    bool maintain; /* idle connections are closed for their age, and pinged */
} jk_tend;

typedef struct jk_worker_type {
    const char *name; /* "ajp13": JK_WORKER_TYPE */
    /* Takes the run one step on. JK_OK: the answer is with the sink. JK_AGAIN: see run->wait. Else what happened; the log
     * has been told. */
    jk_rc (*step)(const jk_worker *worker, jk_run *run);
    /* Waits in place for a JK_WAIT_SLOT of this worker. */
    void (*wait_slot)(const jk_worker *worker, jk_run *run);
    /* The same without a thread: `wake` is called, by any thread, when stepping on is worth it. JK_OK: it is already. JK_AGAIN: not yet; a call
     * may come even after the wait is over. */
    jk_rc (*wake_on_slot)(const jk_worker *worker, jk_run *run, void (*wake)(void *ctx), void *ctx);
    /* At post_config, once: what all processes share and what may ask the name service. */
    void (*ready)(jk_worker *worker, apr_pool_t *p, jk_shm *shm, const jk_log *log);
    /* In a child process, before its first request. p is destroyed when the child ends. */
    jk_rc (*child)(jk_worker *worker, apr_pool_t *p, const jk_log *log);
    /* In a child process, by one thread at a time; may wait for the name service or for CPongs. */
    void (*tend)(jk_worker *worker, const jk_tend *what, const jk_log *log);
    /* The run is torn down or over: what it still holds of this worker is given up. */
    void (*finish)(const jk_worker *worker, jk_run *run);
} jk_worker_type;

struct jk_worker {
    const jk_worker_type *type;
    const jk_worker_conf *conf;
    const char *name;
    const char *slot; /* its name in the shared memory: "lb/member" for a member */
    void *own;        /* the type's */
};

/* Before the first step of a run, by whoever drives it. */
void jk_worker_begin(const jk_worker *worker, jk_run *run);

/* Drives a run to its end, waiting in place: the blocking driver. The run is finished when it returns. It may have been advanced before. */
jk_rc jk_worker_drive(const jk_worker *worker, jk_run *run);

/* Drives it as far as it comes without waiting for longer than run->patience: the first half of the parked driver, whose other half
 * waits without a thread. JK_AGAIN: see run->wait. Else the run is finished. */
jk_rc jk_worker_advance(const jk_worker *worker, jk_run *run);

#endif
