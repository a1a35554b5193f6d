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
    atomic_uint *flights, *own_flights;    /* likewise: requests under way at each mount */
    jk_layout_mount *mounts;               /* the table; NULL: it has none */
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

/* The oldest generation that a living child belongs to; 0: that is not known. Of shm.c. */
uint32_t jk_shm_oldest_alive(const jk_shm *shm);

/* A histogram's bucket: the first whose bound `us` does not pass. Of bounds of which each is at least twice the one before, at most one lies
 * between a power of two and the next. */
static inline unsigned jk_shm_bucket(uint64_t us)
{
    static const uint8_t first[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14 };
    unsigned bits;

    if (us <= 1000) /* jk_stat_bounds[0]: the shortest pay the least */
        return 0;
    bits = 63 - (unsigned)__builtin_clzll(us);
    if (bits >= sizeof first)
        return JK_STAT_BUCKETS - 1;
    return first[bits] + (us > jk_stat_bounds[first[bits]]);
}

static inline void jk_shm_book_time(jk_layout_histogram *h, int64_t us)
{
    uint64_t took = us > 0 ? (uint64_t)us : 0;

    atomic_fetch_add_explicit(&h->bucket[jk_shm_bucket(took)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum, took, memory_order_relaxed);
}

/* 0 other, 1 1xx .. 5 5xx. */
static inline unsigned jk_shm_class(unsigned status)
{
    if (status - 200 < 100) /* as nearly always */
        return 2;
    return status / 100 < JK_STAT_CLASSES ? status / 100 : 0;
}

/* ---- of stat.c, for the parent ---- */

/* Loads what the file says: a value that differs from what it said last is put in force. *patience: ms that it may
 * still wait for editors, in all. */
void jk_stat_tune_load(jk_layout_slot *slot, const jk_tune *file, int *patience);

/* What is in force there. */
void jk_stat_tune_copy(const jk_layout_slot *slot, jk_tune *out);

/* A child that ended had so many connections open, and closed none of them itself. */
void jk_stat_lost(jk_layout_slot *slot, uint32_t connections);

/* Nothing of what the slot's last owner did is left. */
void jk_stat_renew(jk_layout_slot *slot);

/* What a process that ended held there: an edit it did not finish. true: it did. */
bool jk_stat_let_go(jk_layout_slot *slot, int pid);

/* ---- of gauges.c, for the parent ---- */

/* The child of this row has ended: what it counted stays, what waited there does not. */
void jk_gauges_retire(void *base, const jk_layout_plan *plan, uint32_t row);

/* What was counted in a segment of our layout goes over to another one. */
void jk_gauges_carry(void *to, const jk_layout_plan *to_plan, void *from, const jk_layout_plan *from_plan);

/* ---- of tally.c, for the parent ---- */

void jk_tally_retire(void *base, const jk_layout_plan *plan, uint32_t row);

#endif
