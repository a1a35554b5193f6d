/* include/jk/shm/stat.h - the shared numbers of one worker: its values in force, its state, what it has under way and what it did. The
 * only place where they are touched. No lock on any path but that of an edit; every other call takes a few instructions.
 *
 * Times are seconds. A jk_stat is a process's view of one slot; it is made at post_config and used by all threads of every child. */
#ifndef JK_SHM_STAT_H
#define JK_SHM_STAT_H

#include "jk/balance/member.h"
#include "jk/balance/method.h"
#include "jk/base/outcome.h"
#include "jk/shm/shm.h"

typedef struct jk_stat jk_stat;

/* The view of slot number `slot`, from p. */
jk_stat *jk_stat_make(apr_pool_t *p, jk_shm *shm, uint32_t slot);

/* ---- values in force ---- */

/* Changes with every edit; compare it with that of your own copy. One relaxed load. */
uint32_t jk_stat_tune_version(const jk_stat *stat);

/* A copy of one edit and not of two; returns its version. */
uint32_t jk_stat_tune_read(const jk_stat *stat, jk_tune *out);

/* The numbers that a request needs, of one moment. */
void jk_stat_limits_read(const jk_stat *stat, jk_limits *out);

/* What the file says. */
void jk_stat_tune_file(const jk_stat *stat, jk_tune *out);

/* An edit: each value of *to that differs from *from, the copy it was made of, is put in force in all processes; the others stay as somebody else
 * may have changed them meanwhile. JK_OK; JK_E_BUSY: another edit did not come to an end within a second (its process was stopped),
 * and nothing was changed; JK_E_CONF: it is another member's place by now (jk_tune.name), and nothing was changed. Not on the way of a request:
 * it may wait. */
jk_rc jk_stat_tune_edit(jk_stat *stat, const jk_tune *from, const jk_tune *to);

/* Another worker begins in this slot, and nobody uses it: all that is counted there begins at nothing. Its values and their version stay. */
void jk_stat_begin_anew(jk_stat *stat, int64_t now);

/* Who changed a value last, and when. */
#define JK_STAT_WHO 64 /* bytes of a name, with its NUL; longer ones are cut */
typedef struct jk_stat_sign {
    int64_t at; /* s; 0: nobody ever did */
    char by[JK_STAT_WHO]; /* ASCII without control characters; "": unknown */
} jk_stat_sign;

/* After an edit. */
void jk_stat_sign_edit(jk_stat *stat, const char *by, int64_t at);
jk_stat_sign jk_stat_signed(const jk_stat *stat);

/* ---- under way, all processes together ---- */

/* A request begins: how many there are now, this one among them. Books the largest number. */
uint32_t jk_stat_begin(jk_stat *stat);

/* As jk_stat_begin, unless there would be more than `limit` then (0: no limit): false, and nothing is changed. */
bool jk_stat_begin_within(jk_stat *stat, uint32_t limit);

/* It has ended. Once for each begin that succeeded. */
void jk_stat_end(jk_stat *stat);

/* It waits for a connection or for room, and does no more. */
void jk_stat_wait(jk_stat *stat);
void jk_stat_waited(jk_stat *stat);

uint32_t jk_stat_busy(const jk_stat *stat);

/* A connection is about to be made, and was closed or came to nothing: likewise. */
bool jk_stat_connect_within(jk_stat *stat, uint32_t limit);
void jk_stat_disconnect(jk_stat *stat);
uint32_t jk_stat_connected(const jk_stat *stat);

/* ---- done ---- */

typedef enum jk_stat_count {
    JK_COUNT_SERVED,        /* requests, failed ones too */
    JK_COUNT_ERRORS,
    JK_COUNT_CLIENT_ERRORS,
    JK_COUNT_READ,          /* bytes from the backend */
    JK_COUNT_WRITTEN,       /* bytes to it */
    JK_COUNT_SESSIONS,      /* requests that had no session */
    JK_COUNT_RESENDS,       /* requests that were sent again after they had been written */
    JK_COUNT_REFUSALS,      /* and those that the budget did not allow */
    JK_COUNT_TIMEOUTS,      /* reply timeouts, all of them */
    JK_COUNT_CONNECTS,
    JK_COUNT_REJECTS,       /* refused by the connector before the application saw them */
    JK_COUNT_RETRIES,       /* attempts after the first: at a member there, at a balancer with another member */
    JK_COUNTS
} jk_stat_count;

void jk_stat_add(jk_stat *stat, jk_stat_count what, uint64_t n);

/* An attempt (of a balancer: a request) came to this; JK_OK and JK_AGAIN are not counted. */
void jk_stat_fail(jk_stat *stat, jk_rc rc);

/* Why connections were closed: a jk_close_why of net/conn. */
#define JK_STAT_CLOSED 6
void jk_stat_closed(jk_stat *stat, unsigned why);

/* ---- times ---- */

typedef enum jk_stat_time {
    JK_TIME_CONNECT, /* of connections that were made, without a CPing */
    JK_TIME_FIRST,   /* from the request's last byte to the answer's head */
    JK_TIME_TOTAL,   /* at this worker, with all attempts and waits */
    JK_TIMES
} jk_stat_time;

/* A time belongs to the first bucket whose bound it does not pass; the last bucket has none. */
#define JK_STAT_BUCKETS 16
extern const uint32_t jk_stat_bounds[JK_STAT_BUCKETS - 1]; /* microseconds */

typedef struct jk_stat_histogram {
    uint64_t bucket[JK_STAT_BUCKETS]; /* how many, each for itself */
    uint64_t sum;                     /* microseconds */
} jk_stat_histogram;

/* Books a time of `us` microseconds; one below 0 (the clock was put back) counts as 0. */
void jk_stat_took(jk_stat *stat, jk_stat_time what, int64_t us);

/* What a request was at a worker, for jk_stat_leave(). */
typedef struct jk_stat_visit {
    uint64_t read, written; /* bytes */
    int64_t first, total;   /* microseconds; first is booked where there was an answer */
    unsigned status;        /* of the answer; 0: there was none */
} jk_stat_visit;

/* jk_stat_end(), and the books of what it was. */
void jk_stat_leave(jk_stat *stat, const jk_stat_visit *visit);

/* ---- reading ---- */

typedef struct jk_stat_numbers {
    uint64_t count[JK_COUNTS]; /* since the last reset */
    uint32_t busy, max_busy, connected, max_connected;
    uint32_t waiting, idle; /* requests that wait for a connection; connections that no request has */
    int64_t last_reset;
} jk_stat_numbers;

jk_stat_numbers jk_stat_read(const jk_stat *stat);

/* What one process has there now. */
typedef struct jk_stat_share {
    int32_t pid;
    uint32_t busy, connected, waiting, idle;
} jk_stat_share;

/* Of the processes that have anything there, up to `room`: returns how many. */
size_t jk_stat_shares(const jk_stat *stat, jk_stat_share *out, size_t room);

#define JK_STAT_CLASSES 6 /* of statuses: 0 other, 1 1xx .. 5 5xx */

/* Since the shared memory was made: no reset, no restart and no child's end takes anything away. */
typedef struct jk_stat_totals {
    uint64_t count[JK_COUNTS], failed[JK_RC_COUNT], closed[JK_STAT_CLOSED], answers[JK_STAT_CLASSES];
    jk_stat_histogram time[JK_TIMES];
} jk_stat_totals;

void jk_stat_totals_read(const jk_stat *stat, jk_stat_totals *out);

/* What jk_stat_read() counts begins anew. What is under way stays. */
void jk_stat_reset(jk_stat *stat, int64_t now);

/* ---- a member's state ---- */

jk_member_state jk_stat_state(const jk_stat *stat);
jk_member_view jk_stat_view(const jk_stat *stat);

/* News for the member, from a request that is not counted as under way any more: asks balance/member and stores what comes out. Returns the change as it was stored; its JK_DO_CLAIM is there only
 * where this call won, and its JK_DO_VALUE_TO_MAX is the caller's to do, who knows the other members. */
jk_member_change jk_stat_event(jk_stat *stat, jk_member_news news, int64_t now, const jk_tune *lb);

/* Why a request failed there, when it was the backend's fault. */
typedef struct jk_stat_failure {
    jk_rc rc; /* JK_OK: none did, or what stands there is none */
    int err;  /* errno; 0: none, or an end of file */
} jk_stat_failure;

void jk_stat_failed(jk_stat *stat, jk_rc rc, int err);
jk_stat_failure jk_stat_failure_of(const jk_stat *stat);

/* A request came whose session belongs here. A load and an add; once a minute more. */
void jk_stat_sticky(jk_stat *stat, int64_t now);

#define JK_STAT_MINUTES 15

/* How many came in each of the last minutes, the oldest first; the last one is not over yet. */
typedef struct jk_stat_visits {
    uint32_t count[JK_STAT_MINUTES];
} jk_stat_visits;

jk_stat_visits jk_stat_sticky_read(const jk_stat *stat, int64_t now);

/* A member that is being tried, and nobody is there: it may be tried again. */
void jk_stat_free_probe(jk_stat *stat);

/* A success of such a member would store nothing: two relaxed loads instead of a look at everything. */
bool jk_stat_is_well(const jk_stat *stat);

/* The end of a request at a worker that is no member: its state is for show. */
void jk_stat_alone(jk_stat *stat, jk_member_news news, int64_t now);

uint64_t jk_stat_value(const jk_stat *stat);
void jk_stat_value_move(jk_stat *stat, jk_method_load load);
void jk_stat_value_set(jk_stat *stat, uint64_t value);
void jk_stat_value_decay(jk_stat *stat, jk_method method, unsigned exponent, uint64_t smallest);

/* Halves the count of reply timeouts, `exponent` times. */
void jk_stat_timeouts_decay(jk_stat *stat, unsigned exponent);

/* At maintenance: remembers what was served until now; jk_stat_view().quiet then tells whether anything came since. */
void jk_stat_served_mark(jk_stat *stat);

/* ---- a balancer's ---- */

/* Is maintenance due? One of all threads of all processes is told so: 0 for the others, and how often the interval passed for that one. */
unsigned jk_stat_claim_maintenance(jk_stat *stat, int64_t now, int32_t interval);

/* When it was done last; 0: never yet. */
int64_t jk_stat_maintained(const jk_stat *stat);

/* The retry budget (balance/budget). */
void jk_stat_budget_started(jk_stat *stat, int64_t now);
bool jk_stat_budget_take(jk_stat *stat, int64_t now, int32_t percent);

#endif
