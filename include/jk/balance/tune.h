/* include/jk/balance/tune.h - the values of a worker that may change at run time: one plain struct, the same in the checked
 * configuration and in shared memory. Fixed sizes, no pointers, no hidden padding; zero is never a surprise.
 *
 * One type for every kind of worker: a field that a kind does not have stays at its default. Times are in the unit that is
 * named; 0 means "none" where nothing else is said. Texts end with a NUL and are "" where there is none. */
#ifndef JK_BALANCE_TUNE_H
#define JK_BALANCE_TUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JK_NAME_MAX 255 /* bytes of a worker's name, a host, a route, a cookie's name */

/* jk_tune.activation: what the administrator wants of a member. */
typedef enum jk_activation { JK_ACTIVE, JK_DISABLED, JK_STOPPED } jk_activation;

/* jk_tune.method: what a member's load is measured by. */
typedef enum jk_method { JK_METHOD_REQUEST, JK_METHOD_TRAFFIC, JK_METHOD_BUSYNESS, JK_METHOD_SESSIONS, JK_METHOD_NEXT } jk_method;

/* jk_tune.lock: shown as it was written, and without effect. */
typedef enum jk_lock { JK_LOCK_OPTIMISTIC, JK_LOCK_PESSIMISTIC } jk_lock;

typedef struct jk_tune {
    /* ajp13: the container */
    char host[JK_NAME_MAX + 1]; /* a name, an address without brackets, or unix:/path */
    int32_t port;               /* 0: provisioned for later, not used yet */
    /* ajp13 and lb */
    int32_t retries;         /* ajp13: attempts, the first among them; lb: passes over the members */
    int32_t retry_interval;  /* ms before another attempt or pass; negative: none */
    int32_t max_packet_size; /* bytes, a multiple of 1024; lb: the largest of its members */
    /* ajp13 */
    int32_t connection_pool_timeout;    /* s */
    int32_t connection_acquire_timeout; /* ms; 0: one try */
    int32_t connection_ping_interval;   /* s */
    int32_t connect_timeout;            /* ms for the CPong after connecting */
    int32_t prepost_timeout;            /* ms for the CPong before a request */
    int32_t ping_timeout;               /* ms for any other CPong */
    int32_t reply_timeout;              /* ms */
    int32_t recovery_options;           /* bits of balance/retry.h */
    int32_t busy_limit;                 /* requests at once, all processes together */
    int32_t max_connections;            /* connections, all processes together */
    /* ajp13 as a member of an lb */
    char name[JK_NAME_MAX + 1]; /* of a member that was added at run time; "": an empty place, or a member that the file names */
    int32_t lbfactor;
    int32_t distance;
    int32_t activation; /* enum jk_activation */
    char route[JK_NAME_MAX + 1];
    char domain[JK_NAME_MAX + 1];
    char redirect[JK_NAME_MAX + 1];
    /* lb */
    int32_t method;                /* enum jk_method */
    int32_t lock;                  /* enum jk_lock */
    int32_t recover_time;          /* s */
    int32_t error_escalation_time; /* s; 0: at once */
    int32_t max_reply_timeouts;
    int32_t retry_budget; /* per cent; 0: no bound */
    char session_cookie[JK_NAME_MAX + 1];
    char session_path[JK_NAME_MAX + 1];
    bool sticky_session, sticky_session_force;
    bool spare[2]; /* false: fills the last word, so that equal values are equal bytes */
} jk_tune;

/* The numbers that a request needs on its way: a run of jk_tune's fields, in its order, so that they are copied at once. */
typedef struct jk_limits {
    int32_t retries, retry_interval, max_packet_size, connection_pool_timeout, connection_acquire_timeout, connection_ping_interval;
    int32_t connect_timeout, prepost_timeout, ping_timeout, reply_timeout, recovery_options, busy_limit, max_connections;
} jk_limits;

#define JK_LIMITS_AT offsetof(jk_tune, retries)
_Static_assert(offsetof(jk_tune, max_connections) - JK_LIMITS_AT == offsetof(jk_limits, max_connections), "jk_limits is no run of jk_tune");

_Static_assert(sizeof(bool) == 1, "jk_tune is laid out for booleans of one byte");
_Static_assert(sizeof(jk_tune) == 7 * (JK_NAME_MAX + 1) + 23 * 4 + 4, "jk_tune has a hole");

#endif
