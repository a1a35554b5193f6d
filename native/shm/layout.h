/* native/shm/layout.h - what lies where in the shared segment. The room's own; stat.c alone touches the fields of a slot.
 *
 *   +--------+--------------+---------------+---------------+-----+---------------+---------+---------+-----+
 *   | header | field table  | row 0         | row 1         | ..  | overflow row  | slot 0  | slot 1  | ..  |
 *   +--------+--------------+---------------+---------------+-----+---------------+---------+---------+-----+
 *                             pid, busy and connected of every slot                 name, tune, state, counters
 *
 * A row belongs to one child process: what it has under way. Totals are sums over the rows, so that a child which is killed takes its share
 * with it, whatever it was doing. A slot belongs to one worker, found by its name. Numbers and offsets, never pointers: the
 * segment outlives the module, which is unloaded and loaded again at a restart. The field table lets a module with another
 * layout find the values by their names. */
#ifndef JK_SHM_LAYOUT_H
#define JK_SHM_LAYOUT_H

#include "jk/balance/budget.h"
#include "jk/balance/tune.h"

#include <stdatomic.h>
#include <stddef.h>

#define JK_LAYOUT_MAGIC UINT32_C(0x6A6B5348)
#define JK_LAYOUT_NAME (2 * JK_NAME_MAX + 2) /* "lb/member" and its NUL */
#define JK_LAYOUT_FIELD_NAME 32

typedef struct jk_layout_field {
    char name[JK_LAYOUT_FIELD_NAME];
    uint32_t offset, size; /* in the slot */
} jk_layout_field;

typedef struct jk_layout_header {
    uint32_t magic, hash;
    uint64_t size;       /* bytes of the whole segment */
    uint32_t nfields, nrows, nslots, slot_size;
    uint64_t fields_at, rows_at, row_size, slots_at;
    atomic_uint generation; /* of the configuration, counted by the parent */
    atomic_uint used;       /* slots 0 .. used - 1 have been given out */
    atomic_uint edits;      /* every change of values in force adds one */
    atomic_uint rows_used;  /* rows 0 .. rows_used - 1 have had an owner */
} jk_layout_header;

/* What one child has under way at one worker. */
typedef struct jk_layout_share {
    atomic_uint busy, connected;
} jk_layout_share;

typedef struct jk_layout_row {
    atomic_int pid;         /* 0: free */
    atomic_uint generation; /* of its child */
    jk_layout_share shares[];
} jk_layout_row;

typedef struct jk_layout_slot {
    atomic_uint given;      /* it has an owner */
    atomic_uint generation; /* the last that used it */
    atomic_int kind;        /* a jk_worker_kind of conf: a name that changed its type begins anew */
    char name[JK_LAYOUT_NAME];
    /* tune: odd while somebody writes */
    atomic_uint tune_version;
    jk_tune file, now;
    /* a member's state */
    atomic_uint state, reply_timeouts, refused;
    _Atomic int64_t first_error, last_error;
    _Atomic uint64_t lb_value;
    /* counted since last_reset */
    _Atomic uint64_t served, errors, client_errors, read, written, sessions, resends, refusals, timeouts, connects, rejects;
    atomic_uint max_busy, max_connected;
    _Atomic int64_t last_reset;
    /* maintenance of an lb: when it was done last, and how much had been served then */
    _Atomic int64_t maintained;
    _Atomic uint64_t served_before;
    atomic_uint budget[JK_BUDGET_SECONDS][3]; /* second, started, resent */
} jk_layout_slot;

/* The table that this module writes. */
extern const jk_layout_field jk_layout_fields[];
extern const size_t jk_layout_nfields;

/* Unequal: the segment was made by a module with another layout. */
uint32_t jk_layout_hash(void);

/* Fills a header for so many rows and slots; everything else in the segment begins as zero. */
void jk_layout_header_init(jk_layout_header *header, uint32_t nrows, uint32_t nslots);

jk_layout_row *jk_layout_row_at(jk_layout_header *header, uint32_t i); /* i == nrows: the overflow row */
jk_layout_slot *jk_layout_slot_at(jk_layout_header *header, uint32_t i);

/* Copies a slot of a segment with another layout: every field that both know by name and size. */
void jk_layout_copy_slot(jk_layout_slot *to, const jk_layout_header *from, uint32_t i);

/* Does the segment's own table lie inside it, and its slots and rows too? */
bool jk_layout_is_sound(const jk_layout_header *header);

#endif
