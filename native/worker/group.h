/* native/worker/group.h - a balancer's members as balance/choose wants them, made of the values in force. The room's own. */
#ifndef JK_WORKER_GROUP_H
#define JK_WORKER_GROUP_H

#include "jk/balance/choose.h"
#include "jk/worker/lb.h"
#include "kept.h"

typedef struct jk_lb jk_lb;

/* A member, for as long as the configuration lives. */
typedef struct jk_lb_member {
    jk_worker *worker;
    jk_worker_conf *spare; /* of a place for a member that is added at run time: its name follows; NULL: the file names it */
    jk_stat *stat;
    volatile uint32_t route_told; /* that its container has another route was said */
    uint32_t seen;                /* answers, more or less: threads may lose some */
} jk_lb_member;

/* A picture of the values in force. It never changes: an edit makes a new one, and the old one stays, since requests may look at
 * it for a long time (kept.h). Edits are made by people, and a picture is small: some hundred bytes per member. */
typedef struct jk_group {
    uint32_t version;
    jk_choose_group choose;
    int32_t retries, retry_interval, retry_budget;
    jk_tune rules; /* what balance/member asks for: the times, max_reply_timeouts, method */
    jk_span session_cookie, session_path; /* its texts */
    bool sticky, force;
    int32_t *busy_limits; /* by member */
    bool *there;          /* likewise: false for an empty place. There are choose.count of them; an empty one is stopped and has no route */
} jk_group;

struct jk_lb {
    jk_worker worker;
    const jk_worker_conf *conf;
    jk_shm *shm;
    jk_kept *kept; /* what edits made */
    jk_stat *stat; /* its own: values, busy, maintenance, budget */
    jk_lb_member *members;
    size_t count;  /* that the file names */
    size_t places; /* and those behind them, for members that are added at run time */
    size_t first_most; /* bytes of a first body packet that every member takes */
    jk_group *volatile group;
    volatile uint32_t building;
    volatile uint32_t offset; /* rotates */
};

static inline jk_lb *jk_lb_of(const jk_worker *worker)
{
    return worker->own;
}

/* Who has this place now, as the shared values say: the name goes to whatever names the worker in this process. NULL: nobody has it. For any
 * thread, but not on the way of a request. */
jk_worker *jk_group_member(const jk_lb *lb, size_t i);

/* The picture of now: one relaxed load where nothing was edited. Never NULL after jk_group_make() succeeded once. */
const jk_group *jk_group_now(jk_lb *lb);

/* Makes the first one. JK_OK or JK_E_MEMORY. */
jk_rc jk_group_make(jk_lb *lb);

/* The global part of maintenance, if it is due and nobody else does it: decay, recovery, escalation, idle marks. */
void jk_group_maintain(jk_lb *lb, int64_t now, int32_t interval, const jk_log *log);

/* All values begin anew, where the method remembers. */
void jk_group_values_to_zero(jk_lb *lb, jk_method method);

/* The member's value becomes the largest of all: who was away must not get everything at once. */
void jk_group_value_to_max(jk_lb *lb, size_t member);

/* Every member in error may be tried again. Returns how many there were. */
unsigned jk_group_force(jk_lb *lb, const jk_group *group, int64_t now);

#endif
