/* native/shm/shm.c - make, find again, give out slots, and clear away what a dead child had under way.
 *
 * A slot stays its worker's when the worker leaves the configuration: it may come back. Slots that were never used go first, then
 * the one whose worker left longest ago, and only once every child that could know it is gone. */
#include "own.h"

#include <apr_strings.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the segment ---- */

static jk_layout_kept *kept_by(apr_pool_t *process)
{
    void *kept = NULL;

    apr_pool_userdata_get(&kept, JK_LAYOUT_KEPT, process);
    return kept && ((jk_layout_kept *)kept)->version == JK_LAYOUT_VERSION ? kept : NULL;
}

/* A page that nobody may touch on each side. The segment ends at the end of its last page: one byte too far is a crash, not a
 * silent change of something else. */
static bool map(jk_layout_kept *kept)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (size_t)((kept->plan.size + page - 1) / page * page);
    char *mem = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mem == MAP_FAILED)
        return false;
    if (mprotect(mem + page, bytes, PROT_READ | PROT_WRITE) != 0) {
        munmap(mem, bytes + 2 * page);
        return false;
    }
    kept->map = mem;
    kept->map_size = bytes + 2 * page;
    kept->base = mem + page + bytes - kept->plan.size;
    return true;
}

static jk_layout_kept *kept_of(apr_pool_t *p, const jk_layout_plan *plan)
{
    jk_layout_kept *kept = apr_pcalloc(p, jk_layout_kept_size(plan));

    jk_layout_kept_init(kept, plan);
    kept->pool = p;
    return kept;
}

/* Of this process alone, in p. */
static jk_layout_kept *make_private(apr_pool_t *p, const jk_layout_plan *plan)
{
    jk_layout_kept *kept = kept_of(p, plan);

    kept->base = apr_pcalloc(p, (apr_size_t)plan->size);
    return kept;
}

/* Where the system gives no shared memory it is this configuration's own, and every child gets a copy of it by its fork. */
static jk_layout_kept *make(apr_pool_t *process, apr_pool_t *p, const jk_layout_plan *plan)
{
    apr_pool_t *own;

    if (apr_pool_create(&own, process) != APR_SUCCESS)
        return make_private(p, plan);
    jk_layout_kept *kept = kept_of(own, plan);
    if (map(kept))
        return kept;
    apr_pool_destroy(own);
    return make_private(p, plan);
}

/* Every known value goes over; what the children of before still count stays in the old segment, which they keep. */
static void carry(jk_layout_kept *to, const jk_layout_kept *from)
{
    to->used = from->used < to->plan.nslots ? from->used : to->plan.nslots;
    to->generation = from->generation;
    memcpy(to->owners, from->owners, to->used * sizeof to->owners[0]);
    for (uint32_t i = 0; i < to->used; i++)
        jk_layout_carry(jk_layout_slot_at(to->base, &to->plan, i), from, i);
    jk_layout_carry_mounts(jk_layout_mounts_at(to->base, &to->plan), from);
    if (from->plan.hash == jk_layout_hash())
        jk_gauges_carry(to->base, &to->plan, from->base, &from->plan);
}

static bool fits(const jk_layout_kept *old, uint32_t rows, uint32_t slots)
{
    return old->plan.hash == jk_layout_hash() && old->plan.nrows >= rows && old->plan.nslots >= slots;
}

/* Of this process alone: the children that still count there keep their own view of it. */
static void release(jk_layout_kept **kept)
{
    if (*kept == NULL)
        return;
    release(&(*kept)->before);
    munmap((*kept)->map, (*kept)->map_size);
    apr_pool_destroy((*kept)->pool);
    *kept = NULL;
}

static jk_layout_kept *open_segment(apr_pool_t *process, apr_pool_t *p, uint32_t rows, uint32_t slots, jk_shm_news *news)
{
    jk_layout_kept *old = kept_by(process), *now;

    if (old && slots < old->used) /* fewer are wanted: nobody loses the one he has */
        slots = old->used;
    jk_layout_plan plan = jk_layout_plan_of(rows, slots);
    *news = JK_SHM_FOUND;
    if (old && fits(old, rows, slots))
        return old;
    now = make(process, p, &plan);
    *news = now->map == NULL ? JK_SHM_PRIVATE : old ? JK_SHM_CARRIED : JK_SHM_MADE;
    if (old)
        carry(now, old);
    if (now->map == NULL)
        return now;
    apr_pool_userdata_set(now, JK_LAYOUT_KEPT, NULL, process); /* not setn: the key would vanish with this module */
    if (old) {
        release(&old->before); /* two at most */
        now->before = old;
        madvise(old->map, old->map_size, MADV_DONTFORK);
    }
    return now;
}

uint32_t jk_shm_slots_in(uint64_t bytes)
{
    uint64_t n = bytes / sizeof(jk_layout_slot);

    return n < JK_SHM_SLOTS ? JK_SHM_SLOTS : n > 65536 ? 65536 : (uint32_t)n;
}

static jk_shm *handle(apr_pool_t *p, jk_layout_kept *kept, bool mounts)
{
    jk_shm *shm = apr_pcalloc(p, sizeof *shm);

    shm->kept = kept;
    shm->base = kept->base;
    shm->head = kept->base;
    shm->plan = kept->plan;
    shm->own = shm->row = apr_pcalloc(p, (apr_size_t)kept->plan.row_size);
    shm->own_gauges = shm->gauges = apr_pcalloc(p, sizeof *shm->gauges);
    if (mounts) {
        shm->mounts = jk_layout_mounts_at(shm->base, &shm->plan);
        shm->own_flights = shm->flights = apr_pcalloc(p, JK_LAYOUT_MOUNTS * sizeof *shm->flights);
    }
    shm->generation = ++kept->generation;
    shm->patience = JK_SHM_PATIENCE;
    shm->by_name = apr_hash_make(p);
    for (uint32_t i = 0; i < kept->used; i++)
        if (kept->owners[i].name[0])
            apr_hash_set(shm->by_name, kept->owners[i].name, APR_HASH_KEY_STRING, (void *)((uintptr_t)i + 1));
    return shm;
}

/* ---- rows ---- */

static jk_layout_row *row_of(const jk_shm *shm, int pid)
{
    for (uint32_t i = 0; i < jk_shm_rows(shm); i++)
        if (atomic_load(&jk_layout_row_at(shm->base, &shm->plan, i)->pid) == pid)
            return jk_layout_row_at(shm->base, &shm->plan, i);
    return NULL;
}

static jk_layout_row *claim_row(jk_shm *shm, int pid)
{
    for (uint32_t i = 0; i < shm->plan.nrows; i++) {
        jk_layout_row *row = jk_layout_row_at(shm->base, &shm->plan, i);
        int nobody = 0;
        if (!atomic_compare_exchange_strong(&row->pid, &nobody, pid))
            continue;
        atomic_store(&row->generation, shm->generation);
        for (unsigned seen = atomic_load(&shm->head->rows_used); seen <= i;)
            if (atomic_compare_exchange_weak(&shm->head->rows_used, &seen, i + 1))
                break;
        return row;
    }
    atomic_store(&shm->head->crowded, 1);
    return NULL;
}

/* An untouched page of it stays untouched. */
static void clear_row(jk_layout_row *row, uint32_t slots)
{
    for (uint32_t i = 0; i < slots; i++) {
        atomic_store(&row->shares[i].busy, 0);
        atomic_store(&row->shares[i].connected, 0);
        atomic_store(&row->shares[i].waiting, 0);
    }
}

/* Nobody has pid 0. true: somebody else still has a row there. */
static bool end_rows(jk_layout_kept *kept, int pid)
{
    const jk_layout_head *head = kept->base;
    bool others = false;

    for (uint32_t i = 0; i < kept->plan.nrows && i < atomic_load(&head->rows_used); i++) {
        jk_layout_row *row = jk_layout_row_at(kept->base, &kept->plan, i);
        int its = atomic_load(&row->pid);
        others = others || (its != 0 && its != pid);
        if (its != pid || its == 0)
            continue;
        clear_row(row, kept->used);
        if (kept->plan.hash == jk_layout_hash()) {
            jk_gauges_retire(kept->base, &kept->plan, i);
            jk_tally_retire(kept->base, &kept->plan, i);
        }
        atomic_store(&row->pid, 0); /* last: the next owner finds it clean */
    }
    return others;
}

static bool is_gone(int pid)
{
    return pid < 0 || (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH);
}

/* Children whose end nobody told: the module was not loaded, or its row's pid was overwritten. */
static void sweep(jk_layout_kept *kept)
{
    const jk_layout_head *head = kept->base;

    for (uint32_t i = 0; i < kept->plan.nrows && i < atomic_load(&head->rows_used); i++) {
        int pid = atomic_load(&jk_layout_row_at(kept->base, &kept->plan, i)->pid);
        if (is_gone(pid))
            (void)end_rows(kept, pid);
    }
}

/* Its layout may be another's, but rows and heads have never changed: if they do, so does the version. */
static void end_before(jk_layout_kept *kept, int pid)
{
    if (kept->before && !end_rows(kept->before, pid))
        release(&kept->before);
}

void jk_shm_parent_child_started(jk_shm *shm, int pid)
{
    if (row_of(shm, pid) == NULL)
        (void)claim_row(shm, pid);
}

static uint32_t number_of(const jk_shm *shm, const jk_layout_row *row)
{
    return (uint32_t)(((uint64_t)((const char *)row - (const char *)shm->base) - shm->plan.rows_at) / shm->plan.row_size);
}

/* Parent and child may claim one each in the same moment: both are free again when the child has ended. */
jk_rc jk_shm_child_begin(jk_shm *shm, int pid)
{
    jk_layout_row *row = row_of(shm, pid);

    if (row == NULL)
        row = claim_row(shm, pid);
    if (row == NULL)
        return JK_E_SPACE;
    clear_row(row, shm->kept->used); /* of a process that had this pid and whose end nobody told */
    atomic_store(&row->generation, shm->generation);
    shm->row = row;
    shm->gauges = jk_layout_gauges_at(shm->base, &shm->plan, number_of(shm, row));
    if (shm->mounts) {
        shm->flights = jk_layout_flights_at(shm->base, &shm->plan, number_of(shm, row))->busy;
        jk_tally_retire(shm->base, &shm->plan, number_of(shm, row));
    }
    return JK_OK;
}

/* A child that came to its end in good order has closed what it had. */
static void book_lost(const jk_shm *shm, int pid)
{
    const jk_layout_row *row = pid > 0 ? row_of(shm, pid) : NULL;

    for (uint32_t i = 0; row && i < shm->kept->used; i++)
        jk_stat_lost(jk_layout_slot_at(shm->base, &shm->plan, i), atomic_load(&row->shares[i].connected));
}

void jk_shm_parent_child_ended(jk_shm *shm, int pid)
{
    book_lost(shm, pid);
    (void)end_rows(shm->kept, pid);
    end_before(shm->kept, pid);
    for (uint32_t i = 0; i < shm->kept->used; i++)
        if (jk_stat_let_go(jk_layout_slot_at(shm->base, &shm->plan, i), pid))
            atomic_fetch_add(&shm->head->edits, 1); /* perhaps it was done, and had not said so yet */
}

/* ---- opening ---- */

jk_shm *jk_shm_parent_open(apr_pool_t *process, apr_pool_t *p, uint32_t slots, uint32_t rows, jk_shm_news *news)
{
    jk_layout_kept *kept = open_segment(process, p, rows ? rows : 1, slots ? slots : JK_SHM_SLOTS, news);

    sweep(kept);
    if (kept->before) {
        sweep(kept->before);
        end_before(kept, 0);
    }
    return handle(p, kept, true);
}

jk_shm *jk_shm_private(apr_pool_t *p)
{
    jk_layout_plan plan = jk_layout_plan_of(1, 1);

    jk_layout_plan_bare(&plan);
    return handle(p, make_private(p, &plan), false);
}

uint32_t jk_shm_parent_segments(const jk_shm *shm)
{
    return shm->kept->before ? 2 : 1;
}

/* ---- slots ---- */

static bool find(const jk_shm *shm, const char *name, uint32_t *i)
{
    uintptr_t found = (uintptr_t)apr_hash_get(shm->by_name, name, APR_HASH_KEY_STRING);

    *i = (uint32_t)found - 1;
    return found != 0;
}

void jk_shm_parent_hold(jk_shm *shm, const char *name)
{
    uint32_t i;

    if (find(shm, name, &i))
        shm->kept->owners[i].generation = shm->generation;
}

bool jk_shm_parent_peek(const jk_shm *shm, const char *name, int kind, jk_tune *now)
{
    uint32_t i;

    if (!find(shm, name, &i) || shm->kept->owners[i].kind != kind)
        return false;
    jk_stat_tune_copy(jk_layout_slot_at(shm->base, &shm->plan, i), now);
    return true;
}

uint32_t jk_shm_oldest_alive(const jk_shm *shm)
{
    uint32_t oldest = shm->generation;

    if (atomic_load(&shm->head->crowded))
        return 0;
    for (uint32_t i = 0; i < jk_shm_rows(shm); i++) {
        const jk_layout_row *row = jk_layout_row_at(shm->base, &shm->plan, i);
        uint32_t its = atomic_load(&row->generation);
        if (atomic_load(&row->pid) != 0 && its < oldest)
            oldest = its;
    }
    return oldest;
}

/* One that nobody can know any more, left longest ago. */
static uint32_t abandoned(const jk_shm *shm)
{
    uint32_t oldest = jk_shm_oldest_alive(shm), best = JK_SHM_FULL;
    const jk_layout_owner *owners = shm->kept->owners;

    for (uint32_t i = 0; i < shm->kept->used; i++)
        if (owners[i].generation < oldest && (best == JK_SHM_FULL || owners[i].generation < owners[best].generation))
            best = i;
    return best;
}

static void clear_shares(jk_shm *shm, uint32_t slot)
{
    for (uint32_t i = 0; i < jk_shm_rows(shm); i++) {
        jk_layout_share *share = &jk_layout_row_at(shm->base, &shm->plan, i)->shares[slot];
        atomic_store(&share->busy, 0);
        atomic_store(&share->connected, 0);
        atomic_store(&share->waiting, 0);
    }
}

static void disown(jk_shm *shm, jk_layout_owner *owner)
{
    apr_hash_set(shm->by_name, owner->name, APR_HASH_KEY_STRING, NULL);
    owner->name[0] = '\0';
}

/* A worker that comes back tomorrow finds its values, as long as there are slots that nobody ever had. */
static uint32_t new_slot(jk_shm *shm, const char *name, int kind)
{
    jk_layout_kept *kept = shm->kept;
    uint32_t i = kept->used < shm->plan.nslots ? kept->used : abandoned(shm);

    if (i == JK_SHM_FULL || strlen(name) >= JK_LAYOUT_NAME)
        return JK_SHM_FULL;
    jk_layout_owner *owner = &kept->owners[i];
    if (owner->name[0])
        disown(shm, owner);
    jk_stat_renew(jk_layout_slot_at(shm->base, &shm->plan, i));
    clear_shares(shm, i);
    owner->kind = kind;
    apr_cpystrn(owner->name, name, sizeof owner->name);
    apr_hash_set(shm->by_name, owner->name, APR_HASH_KEY_STRING, (void *)((uintptr_t)i + 1));
    if (i == kept->used)
        kept->used++;
    return i;
}

uint32_t jk_shm_parent_slot(jk_shm *shm, const char *name, int kind, const jk_tune *file)
{
    uint32_t i = JK_SHM_FULL;

    if (find(shm, name, &i) && shm->kept->owners[i].kind != kind) {
        disown(shm, &shm->kept->owners[i]); /* children of before go on there */
        i = JK_SHM_FULL;
    }
    if (i == JK_SHM_FULL)
        i = new_slot(shm, name, kind);
    if (i == JK_SHM_FULL)
        return i;
    shm->kept->owners[i].generation = shm->generation;
    jk_stat_tune_load(jk_layout_slot_at(shm->base, &shm->plan, i), file, &shm->patience);
    return i;
}
