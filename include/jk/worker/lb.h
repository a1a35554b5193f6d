/* include/jk/worker/lb.h - the worker type lb: balances requests over members, keeps sessions with theirs, and goes elsewhere when one
 * fails (spec: workers.md 5-8, decisions.md). */
#ifndef JK_WORKER_LB_H
#define JK_WORKER_LB_H

#include "jk/worker/worker.h"

extern const jk_worker_type jk_lb_type;

/* Allocates from p, its members too; conf must live as long. */
jk_worker *jk_lb_make(apr_pool_t *p, const jk_worker_conf *conf);

/* A member's name in the shared memory, from p. */
const char *jk_lb_slot_name(apr_pool_t *p, const jk_worker_conf *lb, const jk_worker_conf *member);

/* That of place `i`, from 1, for a member that is added at run time: no member of a file can be called so. */
const char *jk_lb_spare_slot_name(apr_pool_t *p, const jk_worker_conf *lb, int i);

#define JK_LB_SPARE_SLOT "/spare " /* between the balancer's name and i */

/* Is somebody in that place, by what is known before it is asked for? His name goes into *now. In the parent. */
#define JK_LB_SPARE_MOST 1000 /* places: the most that spare_members may say */
bool jk_lb_spare_taken(const jk_shm *shm, const char *slot, jk_tune *now);

/* The values of such a place, once its member is removed: who is under way there still needs where the container is. */
void jk_lb_vacate(const jk_tune *was, jk_tune *is);

/* The numbers of a member at one moment of a request, for notes. */
typedef struct jk_lb_glance {
    const char *name; /* NULL: there was none */
    uint64_t value;
    jk_stat_numbers numbers;
    jk_activation activation;
    jk_member_state state;
} jk_lb_glance;

/* Of a run that an lb drove and that is over: the member that was tried first, and the last. Filled only where the wish asked for it. */
const jk_lb_glance *jk_lb_first(const jk_run *run);
const jk_lb_glance *jk_lb_last(const jk_run *run);

/* The route of the member that answered such a run, or else was tried last, whatever led to it; NULL: there was none. It lives as long as
 * the process. */
const char *jk_lb_route(const jk_run *run);

#endif
