/* include/jk/shm/shm.h - the memory that all processes of the server share: made once, found again by each restart, slots by the
 * worker's name (spec: decisions.md "Never forgets what an administrator changed").
 *
 * The parent makes it at post_config and tells it of each child that died; a child claims a row and then only counts
 * (shm/stat). Nothing here is on the path of a request. The segment holds numbers and texts; where they lie, and whose
 * they are, is kept in each process's own memory, since children may be less trusted than the parent. */
#ifndef JK_SHM_SHM_H
#define JK_SHM_SHM_H

#include "jk/balance/tune.h"
#include "jk/base/outcome.h"

#include <apr_pools.h>

typedef struct jk_shm jk_shm;

/* What became of the memory, worth a line in the log. */
typedef enum jk_shm_news {
    JK_SHM_MADE,    /* the first of this server */
    JK_SHM_FOUND,   /* that of the configuration before */
    JK_SHM_CARRIED, /* a new one, with the values of one of another layout or size */
    JK_SHM_PRIVATE  /* the system gives none: each process counts for itself */
} jk_shm_news;

#define JK_SHM_SLOTS 1024 /* workers and members, unless JkShmSize asks for more; only touched pages cost */

/* How many slots lie in so many bytes; at least JK_SHM_SLOTS. */
uint32_t jk_shm_slots_in(uint64_t bytes);

/* In the parent, once per configuration. `process` is the process's pool: it outlives the module. The handle lies in p. `rows` is how
 * many children there can be at once. Never NULL. */
jk_shm *jk_shm_parent_open(apr_pool_t *process, apr_pool_t *p, uint32_t slots, uint32_t rows, jk_shm_news *news);

/* In the parent: the slot of a worker, or of a member as "lb/member"; found by its name, else a new one. What the file says is `file`: a value
 * that differs from what it said last is put in force, every other keeps what was changed at run time. Returns the slot's number, or
 * JK_SHM_FULL: only a full restart makes room. */
#define JK_SHM_FULL UINT32_MAX
uint32_t jk_shm_parent_slot(jk_shm *shm, const char *name, int kind, const jk_tune *file);

/* In the parent, for each name that jk_shm_parent_slot() will be asked for, before it is asked for any: the slots that these have are given to no
 * other worker. */
void jk_shm_parent_hold(jk_shm *shm, const char *name);

/* In the parent: what is in force in the slot of this name and kind, without asking for it. False: there is none. */
bool jk_shm_parent_peek(const jk_shm *shm, const char *name, int kind, jk_tune *now);

/* In the parent, for its tests: segments that it holds, that of now among them. The one before is released with its last child. */
uint32_t jk_shm_parent_segments(const jk_shm *shm);

/* One slot of this process alone, for a worker that found no room: it works, and counts for itself. */
jk_shm *jk_shm_private(apr_pool_t *p);

/* Grows with every change of values in force, of whatever worker: who has made something of them looks here first. One relaxed load. */
uint32_t jk_shm_edits(const jk_shm *shm);

/* In the parent, for every child that was made: one that is slow to begin is known to use this generation's slots. */
void jk_shm_parent_child_started(jk_shm *shm, int pid);

/* In a new child, before its first request and its first thread: claims a row for its counts. The pid is its own. JK_OK; JK_E_SPACE: there are more
 * children than rows; this one limits what it has under way itself, and the others do not see it. */
jk_rc jk_shm_child_begin(jk_shm *shm, int pid);

/* In the parent, for every child that ended, however it did: what it had under way goes with it, and an edit that it did not finish is
 * dropped. */
void jk_shm_parent_child_ended(jk_shm *shm, int pid);

#endif
