/* native/shm/layout.h - what lies where. The room's own; stat.c alone touches the fields of a slot, gauges.c the gauges, tally.c the
 * mounts.
 *
 *   shared, between two guard pages; every child can write anything there:
 *   +------+-------+-------+-----+--------+--------+-----+--------+-----+--------+
 *   | head | row 0 | row 1 | ..  | slot 0 | slot 1 | ..  | gauges | ..  | mounts |    numbers and texts, nothing that leads anywhere
 *   +------+-------+-------+-----+--------+--------+-----+--------+-----+--------+
 *     pid, busy and connected of every slot   values in force, state, counters   of each row, and of those that ended
 *
 *   mounts: | under way, of each row | counters of the others | of mount 1 | .. |
 *
 *   the parent's own memory (jk_layout_kept), which the children have a copy of from their fork:
 *   | plan: sizes and offsets | who has which slot | table of fields |
 *
 * A row belongs to one child process: what it has under way. Totals are sums over the rows, so that a child which is killed takes its share
 * with it, whatever it was doing. A slot belongs to one worker, found by its name. The segment and what is kept of it outlive
 * the module, which is unloaded and loaded again at a restart. The table of fields lets a module with another layout find the values by
 * their names. */
#ifndef JK_SHM_LAYOUT_H
#define JK_SHM_LAYOUT_H

#include "jk/balance/budget.h"
#include "jk/balance/tune.h"
#include "jk/shm/gauges.h"
#include "jk/shm/tally.h"
#include "jk/shm/stat.h"

#include <apr_pools.h>
#include <stdatomic.h>
#include <stddef.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "words are shared by processes: a lock in each of them would not do");
_Static_assert(sizeof(jk_tune) % sizeof(uint32_t) == 0 && JK_LIMITS_AT % sizeof(uint32_t) == 0, "a jk_tune is copied word by word");

#define JK_LAYOUT_NAME (2 * JK_NAME_MAX + 2) /* "lb/member" and its NUL */
#define JK_LAYOUT_FIELD_NAME 32
#define JK_TUNE_WORDS (sizeof(jk_tune) / sizeof(uint32_t))

/* ---- in the segment ---- */

typedef struct jk_layout_head {
    atomic_uint edits;     /* every change of values in force adds one */
    atomic_uint rows_used; /* rows 0 .. rows_used - 1 have had an owner: only so many are looked at */
    atomic_uint crowded;   /* 1: at some time a child found no row, so who lives is not known */
} jk_layout_head;

/* What one child has under way at one worker. */
typedef struct jk_layout_share {
    atomic_uint busy, connected, waiting;
} jk_layout_share;

typedef struct jk_layout_row {
    atomic_int pid;         /* 0: free */
    atomic_uint generation; /* of its child */
    jk_layout_share shares[];
} jk_layout_row;

/* Two of them: number `edition` % 2 is in force. An edit fills the other one and then counts up, so a reader waits for nobody, and an
 * editor who is killed has changed nothing. */
typedef struct jk_layout_edition {
    _Atomic uint32_t file[JK_TUNE_WORDS], now[JK_TUNE_WORDS];
} jk_layout_edition;

typedef struct jk_layout_histogram {
    _Atomic uint64_t bucket[JK_STAT_BUCKETS], sum;
} jk_layout_histogram;

typedef struct jk_layout_slot {
    atomic_uint edition; /* 0: nothing was loaded yet */
    atomic_int editor;   /* pid of the process that edits; 0: none does */
    /* who edited last, and when */
    _Atomic int64_t edited_at;
    _Atomic uint32_t edited_by[16];
    /* a member's state */
    atomic_uint state, reply_timeouts, refused;
    _Atomic int64_t first_error, last_error;
    _Atomic uint64_t lb_value;
    _Atomic uint64_t last_failure;                /* what came of the last request that failed: outcome, errno */
    _Atomic uint64_t sticky[JK_STAT_MINUTES + 1]; /* requests that a session led here: minute, how many in it */
    /* counted since the memory was made, and what of it was there at the last reset */
    _Atomic uint64_t count[JK_COUNTS], base[JK_COUNTS];
    _Atomic uint64_t failed[JK_RC_COUNT], closed[JK_STAT_CLOSED], answers[JK_STAT_CLASSES];
    jk_layout_histogram time[JK_TIMES];
    atomic_uint max_busy, max_connected;
    _Atomic int64_t last_reset;
    /* maintenance of an lb: when it was done last, and how much had been served then */
    _Atomic int64_t maintained;
    _Atomic uint64_t served_before;
    atomic_uint budget[JK_BUDGET_SECONDS][3]; /* second, started, resent */
    jk_layout_edition editions[2];
} jk_layout_slot;

/* Of a row's child: requests that wait without a thread. */
typedef struct jk_layout_gauges {
    atomic_uint all, most;
    atomic_uint now[JK_PARK_WAITS];
    _Atomic uint64_t wakes;
    _Atomic uint64_t fell_back[JK_PARK_REASONS];
} jk_layout_gauges;

/* What requests came to at one mount, since the memory was made. The first of the table is for all that have no place. */
typedef struct jk_layout_mount {
    _Atomic uint64_t key;   /* of which mount; 0: nobody's. Never that of the first */
    atomic_uint generation; /* the last that used it */
    _Atomic uint64_t errors, read, written;
    _Atomic uint64_t failed[JK_RC_COUNT], answers[JK_STAT_CLASSES];
    jk_layout_histogram total;
} jk_layout_mount;

#define JK_LAYOUT_MOUNTS (JK_MOUNTS + 1)

/* Of a row's child: requests under way at each mount. */
typedef struct jk_layout_flights {
    atomic_uint busy[JK_LAYOUT_MOUNTS];
} jk_layout_flights;

/* ---- beside it ---- */

typedef enum jk_layout_type { JK_FIELD_NUMBER, JK_FIELD_TEXT, JK_FIELD_BOOL, JK_FIELD_PART } jk_layout_type; /* PART: no value of its own */

typedef struct jk_layout_field {
    /* "tune.host" counts from the beginning of a jk_tune, "mount.read" from that of a jk_layout_mount, all others from that of a slot.
     * "mounts" is no field: their table, at the end of the segment, has `size` bytes, and each of them `offset`. */
    char name[JK_LAYOUT_FIELD_NAME];
    uint32_t type, offset, size;
} jk_layout_field;

typedef struct jk_layout_plan {
    uint64_t size; /* bytes of the whole segment */
    uint64_t rows_at, row_size, slots_at;
    uint32_t hash, nrows, nslots, slot_size;
} jk_layout_plan;

typedef struct jk_layout_owner {
    char name[JK_LAYOUT_NAME]; /* "": nobody's */
    int32_t kind;              /* a jk_worker_kind of conf: a name that changed its type begins anew */
    uint32_t generation;       /* the last that used it */
} jk_layout_owner;

/* Stays in the process pool's userdata from one configuration to the next, in a pool of its own there: no code of ours is needed for
 * it to live. A newer module reads it: what is here stays as it is, or the version changes. */
#define JK_LAYOUT_KEPT "mod_jk:shm"
#define JK_LAYOUT_VERSION UINT32_C(2)
typedef struct jk_layout_kept jk_layout_kept;
struct jk_layout_kept {
    uint32_t version;
    uint32_t generation; /* of the configuration */
    uint32_t used;       /* slots 0 .. used - 1 have been given out */
    uint32_t nfields;
    jk_layout_plan plan;
    apr_pool_t *pool;       /* it lies there */
    void *base;             /* of the segment */
    void *map;              /* with its guard pages; NULL: no mapping */
    size_t map_size;
    jk_layout_kept *before; /* the one that this took over from, while a child may still count there */
    jk_layout_field *fields;
    jk_layout_owner owners[];
};

/* The table of this module. */
extern const jk_layout_field jk_layout_fields[];
extern const size_t jk_layout_nfields;

/* Unequal: the segment was made by a module with another layout. */
uint32_t jk_layout_hash(void);

/* For so many rows and slots. Everything in the segment begins as zero. */
jk_layout_plan jk_layout_plan_of(uint32_t nrows, uint32_t nslots);

/* Bytes of what is kept of it, and its beginning in so many zeroed bytes. */
size_t jk_layout_kept_size(const jk_layout_plan *plan);
void jk_layout_kept_init(jk_layout_kept *kept, const jk_layout_plan *plan);

jk_layout_row *jk_layout_row_at(void *base, const jk_layout_plan *plan, uint32_t i);
jk_layout_slot *jk_layout_slot_at(void *base, const jk_layout_plan *plan, uint32_t i);

/* i may be nrows: of those that ended. Only where the layout is ours. */
jk_layout_gauges *jk_layout_gauges_at(void *base, const jk_layout_plan *plan, uint32_t i);

/* Likewise. mounts_at: the table, JK_LAYOUT_MOUNTS of them. */
jk_layout_flights *jk_layout_flights_at(void *base, const jk_layout_plan *plan, uint32_t i);
jk_layout_mount *jk_layout_mounts_at(void *base, const jk_layout_plan *plan);

/* Without any mounts: of a segment that is for one worker. */
void jk_layout_plan_bare(jk_layout_plan *plan);

/* Copies all mounts of a segment, of another layout perhaps, into zeroed ones of ours. */
void jk_layout_carry_mounts(jk_layout_mount *to, const jk_layout_kept *from);

/* Copies a slot of a segment with another layout into a zeroed one of ours: every value that both know by name and size. */
void jk_layout_carry(jk_layout_slot *to, const jk_layout_kept *from, uint32_t i);

/* Word by word: acquire and release, so that who reads a word of a later edition then sees that edition's number too. */
void jk_layout_words_out(const _Atomic uint32_t *from, void *to, size_t words);
void jk_layout_words_in(_Atomic uint32_t *to, const void *from, size_t words);

/* Makes a copy out of the segment harmless, whoever wrote there: texts end, flags are 0 or 1, enumerations and sizes are in their
 * range. Whether its values are wise is not asked. */
void jk_layout_seal(jk_tune *tune);
void jk_layout_seal_limits(jk_limits *limits);

/* Every field of `to` that differs from `from` goes into *now; the others stay. */
void jk_layout_merge(jk_tune *now, const jk_tune *from, const jk_tune *to);

#endif
