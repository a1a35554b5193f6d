/* native/shm/own.h - the handle of a process, and what shm.c and stat.c know of each other. The room's own. */
#ifndef JK_SHM_OWN_H
#define JK_SHM_OWN_H

#include "layout.h"

#include "jk/shm/shm.h"

#include <apr_hash.h>

/* All of it lies in this process's memory: what another one writes to the segment leads nobody anywhere. */
struct jk_shm {
    jk_layout_head *head;
    void *base;
    jk_layout_plan plan;
    jk_layout_row *row; /* of this process: in the segment, or `own` */
    jk_layout_row *own; /* in this process's memory: for who has none there. Otherwise it stays zero */
    jk_layout_gauges *gauges, *own_gauges; /* likewise */
    jk_layout_kept *kept;
    apr_hash_t *by_name; /* of the slots: number + 1 */
    uint32_t generation;
    int patience; /* the parent's, with editors that do not come to an end */
};

#define JK_SHM_PATIENCE 1000 /* ms: then an editor was stopped, or was killed and the parent stands here and cannot be told */

/* Rows that have had an owner. */
static inline uint32_t jk_shm_rows(const jk_shm *shm)
{
    uint32_t used = atomic_load_explicit(&shm->head->rows_used, memory_order_relaxed);

    return used < shm->plan.nrows ? used : shm->plan.nrows;
}

/* ---- of stat.c, for the parent ---- */

/* Loads what the file says: a value that differs from what it said last is put in force. *patience: ms that it may
 * still wait for editors, in all. */
void jk_stat_tune_load(jk_layout_slot *slot, const jk_tune *file, int *patience);

/* A child that ended had so many connections open, and closed none of them itself. */
void jk_stat_lost(jk_layout_slot *slot, uint32_t connections);

/* Nothing of what the slot's last owner did is left. */
void jk_stat_renew(jk_layout_slot *slot);

/* What a process that ended held there: an edit it did not finish. true: it did. */
bool jk_stat_let_go(jk_layout_slot *slot, int pid);

/* ---- of gauges.c, for the parent ---- */

/* The child of this row has ended: what it counted stays, what waited there does not. */
void jk_gauges_retire(void *base, const jk_layout_plan *plan, uint32_t row);

#endif
