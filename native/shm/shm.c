/* native/shm/shm.c - make, find again, give out slots, and clear away what a dead child had under way. */
#include "own.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define KEPT "mod_jk:shared-memory" /* a jk_layout_header * in the process pool's userdata */

static jk_layout_header *map(uint32_t rows, uint32_t slots, bool *is_private)
{
    jk_layout_header plan = { .magic = 0 };
    void *mem;

    jk_layout_header_init(&plan, rows, slots);
    mem = mmap(NULL, plan.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *is_private = mem == MAP_FAILED;
    if (*is_private)
        mem = calloc(1, plan.size);
    if (mem == NULL)
        return NULL;
    memcpy(mem, &plan, sizeof plan);
    memcpy((char *)mem + plan.fields_at, jk_layout_fields, jk_layout_nfields * sizeof jk_layout_fields[0]);
    return mem;
}

static bool fits(const jk_layout_header *old, uint32_t rows, uint32_t slots)
{
    return old->hash == jk_layout_hash() && old->nrows >= rows && old->nslots >= slots;
}

/* Every known value goes over; what the children of before still count stays in the old segment, which they keep. */
static void carry(jk_layout_header *to, const jk_layout_header *from)
{
    uint32_t n = atomic_load(&from->used) < to->nslots ? atomic_load(&from->used) : to->nslots;

    for (uint32_t i = 0; i < n; i++) {
        jk_layout_slot *slot = jk_layout_slot_at(to, i);
        jk_layout_copy_slot(slot, from, i);
        slot->name[JK_LAYOUT_NAME - 1] = '\0';
        atomic_store(&slot->tune_version, 2); /* nobody of ours was writing */
    }
    atomic_store(&to->used, n);
    atomic_store(&to->generation, atomic_load(&from->generation));
}

static jk_layout_header *open_segment(apr_pool_t *process, uint32_t rows, uint32_t slots, jk_shm_news *news)
{
    jk_layout_header *seg, *old = NULL;
    bool is_private;
    void *kept = NULL;

    apr_pool_userdata_get(&kept, KEPT, process);
    if (kept && jk_layout_is_sound(kept))
        old = kept;
    *news = JK_SHM_FOUND;
    if (old && fits(old, rows, slots))
        return old;
    seg = map(rows, slots, &is_private);
    if (seg == NULL)
        return NULL;
    *news = is_private ? JK_SHM_PRIVATE : old ? JK_SHM_CARRIED : JK_SHM_MADE;
    if (old)
        carry(seg, old);
    if (!is_private)
        apr_pool_userdata_set(seg, KEPT, NULL, process); /* not setn: the key would vanish with this module */
    return seg;
}

uint32_t jk_shm_slots_in(uint64_t bytes)
{
    uint64_t n = bytes / sizeof(jk_layout_slot);

    return n < JK_SHM_SLOTS ? JK_SHM_SLOTS : n > 65536 ? 65536 : (uint32_t)n;
}

jk_shm *jk_shm_parent_open(apr_pool_t *process, apr_pool_t *p, uint32_t slots, uint32_t rows, jk_shm_news *news)
{
    jk_shm *shm = apr_pcalloc(p, sizeof *shm);

    shm->seg = open_segment(process, rows ? rows : 1, slots ? slots : JK_SHM_SLOTS, news);
    if (shm->seg == NULL)
        abort(); /* as APR does where memory ends at the start */
    shm->row = jk_layout_row_at(shm->seg, shm->seg->nrows);
    shm->generation = atomic_fetch_add(&shm->seg->generation, 1) + 1;
    return shm;
}

jk_shm *jk_shm_private(apr_pool_t *p)
{
    jk_shm *shm = apr_pcalloc(p, sizeof *shm);
    jk_layout_header plan = { .magic = 0 };

    jk_layout_header_init(&plan, 1, 1);
    shm->seg = apr_pcalloc(p, plan.size);
    memcpy(shm->seg, &plan, sizeof plan);
    shm->row = jk_layout_row_at(shm->seg, 1);
    shm->generation = 1;
    return shm;
}

/* ---- slots ---- */

/* The oldest generation that a living child belongs to. */
static uint32_t oldest_alive(const jk_shm *shm)
{
    uint32_t oldest = shm->generation;

    for (uint32_t i = 0; i < atomic_load(&shm->seg->rows_used); i++) {
        const jk_layout_row *row = jk_layout_row_at(shm->seg, i);
        uint32_t its = atomic_load(&row->generation);
        if (atomic_load(&row->pid) != 0 && its < oldest)
            oldest = its;
    }
    return oldest;
}

static bool is_named(const jk_layout_slot *slot, const char *name)
{
    return atomic_load(&slot->given) && strcmp(slot->name, name) == 0;
}

/* The slot of that name; else one that nobody has, or whose last owner is gone with all its children; else a new one. */
static uint32_t find(jk_shm *shm, const char *name)
{
    uint32_t used = atomic_load(&shm->seg->used), oldest = oldest_alive(shm), spare = JK_SHM_FULL;

    for (uint32_t i = 0; i < used; i++) {
        jk_layout_slot *slot = jk_layout_slot_at(shm->seg, i);
        if (is_named(slot, name))
            return i;
        if (spare == JK_SHM_FULL && (!atomic_load(&slot->given) || atomic_load(&slot->generation) < oldest))
            spare = i;
    }
    if (used < shm->seg->nslots) { /* a new one is taken first: a worker that comes back tomorrow finds its values */
        atomic_store(&shm->seg->used, used + 1);
        return used;
    }
    if (spare != JK_SHM_FULL)
        atomic_store(&jk_layout_slot_at(shm->seg, spare)->given, 0);
    return spare;
}

static void clear_shares(jk_shm *shm, uint32_t slot)
{
    for (uint32_t i = 0; i <= shm->seg->nrows; i++) {
        jk_layout_share *share = &jk_layout_row_at(shm->seg, i)->shares[slot];
        if (i >= atomic_load(&shm->seg->rows_used) && i < shm->seg->nrows)
            continue; /* an untouched page stays untouched */
        atomic_store(&share->busy, 0);
        atomic_store(&share->connected, 0);
    }
}

static void begin_slot(jk_shm *shm, uint32_t i, const char *name, int kind, const jk_tune *file)
{
    jk_layout_slot *slot = jk_layout_slot_at(shm->seg, i);

    memset(slot, 0, sizeof *slot);
    clear_shares(shm, i);
    apr_cpystrn(slot->name, name, sizeof slot->name);
    atomic_store(&slot->kind, kind);
    slot->file = slot->now = *file;
    atomic_store(&slot->tune_version, 2);
    atomic_store(&slot->given, 1);
}

/* Where the file says something else than last time, that is in force; the rest stays as it is. */
static void load_tune(jk_layout_slot *slot, const jk_tune *file)
{
    bool changed = false;

    for (size_t i = 0; i < jk_layout_nfields; i++) {
        const jk_layout_field *f = &jk_layout_fields[i];
        size_t at = f->offset - offsetof(jk_layout_slot, file);
        if (strncmp(f->name, "file.", 5) != 0 || memcmp((char *)&slot->file + at, (const char *)file + at, f->size) == 0)
            continue;
        if (!changed)
            atomic_fetch_or(&slot->tune_version, 1); /* odd already, where a writer was killed */
        changed = true;
        memcpy((char *)&slot->file + at, (const char *)file + at, f->size);
        memcpy((char *)&slot->now + at, (const char *)file + at, f->size);
    }
    if (changed)
        atomic_fetch_add(&slot->tune_version, 1);
}

uint32_t jk_shm_parent_slot(jk_shm *shm, const char *name, int kind, const jk_tune *file)
{
    uint32_t i = find(shm, name);
    jk_layout_slot *slot;

    if (i == JK_SHM_FULL)
        return i;
    slot = jk_layout_slot_at(shm->seg, i);
    if (is_named(slot, name) && atomic_load(&slot->kind) == kind)
        load_tune(slot, file);
    else
        begin_slot(shm, i, name, kind, file);
    atomic_store(&slot->generation, shm->generation);
    return i;
}

/* ---- children ---- */

void jk_shm_child_begin(jk_shm *shm, int pid)
{
    for (uint32_t i = 0; i < shm->seg->nrows; i++) {
        jk_layout_row *row = jk_layout_row_at(shm->seg, i);
        int nobody = 0;
        if (!atomic_compare_exchange_strong(&row->pid, &nobody, pid))
            continue;
        atomic_store(&row->generation, shm->generation);
        for (unsigned seen = atomic_load(&shm->seg->rows_used); seen <= i;)
            if (atomic_compare_exchange_weak(&shm->seg->rows_used, &seen, i + 1))
                break;
        shm->row = row;
        return;
    }
}

void jk_shm_parent_child_ended(jk_shm *shm, int pid)
{
    uint32_t slots = atomic_load(&shm->seg->used);

    for (uint32_t i = 0; i < atomic_load(&shm->seg->rows_used); i++) {
        jk_layout_row *row = jk_layout_row_at(shm->seg, i);
        if (atomic_load(&row->pid) != pid)
            continue;
        for (uint32_t s = 0; s < slots; s++) {
            atomic_store(&row->shares[s].busy, 0);
            atomic_store(&row->shares[s].connected, 0);
        }
        atomic_store(&row->pid, 0);
    }
}
