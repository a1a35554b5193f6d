/* native/shm/tally.c - touches the mounts of shared memory, and nothing else of it. Places are given out by whoever compiles a rule first: the
 * parent at a start, a child that has read a changed rule file. What is under way stands in the child's row, and goes with it.
 *
 * What is read is not believed: any process can write there. A place is a process's own number, and leads nobody anywhere else. */
#include "jk/shm/tally.h"

#include "own.h"

#include <string.h>

#define RELAXED memory_order_relaxed
#define GET(field) atomic_load_explicit(&(field), RELAXED)
#define PUT(field, value) atomic_store_explicit(&(field), value, RELAXED)
#define ADD(field, n) atomic_fetch_add_explicit(&(field), n, RELAXED)

struct jk_tally {
    jk_shm *shm;
    jk_layout_mount *mount;
    uint32_t at;
};

/* ---- names ---- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}

/* A NUL stands between the parts: none has one in it. */
uint64_t jk_tally_key(const char *vhost, jk_span pattern, const char *worker)
{
    uint64_t hash = mix(UINT64_C(14695981039346656037), vhost, strlen(vhost) + 1);

    hash = mix(mix(mix(hash, pattern.p, pattern.len), "", 1), worker, strlen(worker));
    return hash ? hash : 1;
}

/* ---- places ---- */

static void use(jk_shm *shm, uint32_t at)
{
    if (GET(shm->mounts[at].generation) < shm->generation)
        PUT(shm->mounts[at].generation, shm->generation);
}

/* 0: it has none. */
static uint32_t find(const jk_shm *shm, uint64_t key)
{
    for (uint32_t i = 1; i < JK_LAYOUT_MOUNTS; i++)
        if (GET(shm->mounts[i].key) == key)
            return i;
    return 0;
}

/* Two processes that look for one name at once find the same place: who comes second finds it taken, by that name. Only what looks free is written
 * to: many rules that find no place ask at every reload. */
static uint32_t claim(jk_shm *shm, uint64_t key)
{
    for (uint32_t i = 1; i < JK_LAYOUT_MOUNTS; i++) {
        uint64_t seen = GET(shm->mounts[i].key);
        if (seen == 0 && atomic_compare_exchange_strong(&shm->mounts[i].key, &seen, key))
            return i;
        if (seen == key)
            return i;
    }
    return 0;
}

/* Nobody who could know its mount lives. Its place is never without a name: a child that looks for one does not come between. False: it has
 * another one by now. */
static bool take_over(jk_shm *shm, uint32_t at, uint64_t old, uint64_t key)
{
    jk_layout_mount *mount = &shm->mounts[at];

    if (!atomic_compare_exchange_strong(&mount->key, &old, key))
        return false;
    memset((char *)mount + sizeof mount->key, 0, sizeof *mount - sizeof mount->key);
    for (uint32_t i = 0; i < jk_shm_rows(shm); i++)
        PUT(jk_layout_flights_at(shm->base, &shm->plan, i)->busy[at], 0);
    return true;
}

/* Only the parent asks: to a child no generation is older than the oldest alive, since it lives. A place without one was taken by a child just now. */
static uint32_t abandoned(jk_shm *shm)
{
    uint32_t oldest = jk_shm_oldest_alive(shm), best = 0;

    for (uint32_t i = 1; i < JK_LAYOUT_MOUNTS; i++)
        if (GET(shm->mounts[i].generation) > 0 && GET(shm->mounts[i].generation) < oldest && (best == 0 || GET(shm->mounts[i].generation) < GET(shm->mounts[best].generation)))
            best = i;
    return best;
}

static bool is_parent(const jk_shm *shm)
{
    return shm->row == shm->own;
}

static uint32_t place_for(jk_shm *shm, uint64_t key)
{
    uint32_t at = find(shm, key);

    if (at == 0)
        at = claim(shm, key);
    if (at == 0 && is_parent(shm) && (at = abandoned(shm)) != 0 && !take_over(shm, at, GET(shm->mounts[at].key), key))
        at = 0;
    return at;
}

void jk_tally_parent_hold(jk_shm *shm, uint64_t key)
{
    uint32_t at = shm->mounts ? find(shm, key) : 0;

    if (at)
        use(shm, at);
}

jk_tally *jk_tally_make(apr_pool_t *p, jk_shm *shm, uint64_t key)
{
    jk_tally *tally;
    uint32_t at;

    if (shm->mounts == NULL)
        return NULL;
    at = place_for(shm, key);
    if (at)
        use(shm, at);
    tally = apr_palloc(p, sizeof *tally);
    *tally = (jk_tally){ shm, &shm->mounts[at], at };
    return tally;
}

uint32_t jk_tally_place(const jk_tally *tally)
{
    return tally->at;
}

/* ---- counting ---- */

void jk_tally_begin(jk_tally *tally)
{
    ADD(tally->shm->flights[tally->at], 1);
}

/* An answer of 5xx is an error anyway: jk_tally_end() counts it. */
void jk_tally_fail(jk_tally *tally, jk_rc rc, unsigned status)
{
    if (rc > JK_AGAIN && rc < JK_RC_COUNT)
        ADD(tally->mount->failed[rc], 1);
    if (status < 500 && jk_outcome_blame(rc) != JK_BLAME_CLIENT)
        ADD(tally->mount->errors, 1);
}

static __attribute__((noinline)) void book_answer(jk_layout_mount *mount, unsigned status)
{
    ADD(mount->answers[jk_shm_class(status)], 1);
    if (status >= 500)
        ADD(mount->errors, 1);
}

void jk_tally_end(jk_tally *tally, uint64_t read, uint64_t written, int64_t total, unsigned status)
{
    jk_layout_mount *mount = tally->mount;

    ADD(tally->shm->flights[tally->at], -1U);
    ADD(mount->read, read);
    ADD(mount->written, written);
    if (status - 200 < 100)
        ADD(mount->answers[2], 1);
    else if (status)
        book_answer(mount, status);
    jk_shm_book_time(&mount->total, total);
}

/* ---- reading ---- */

static void copy(uint64_t *to, const _Atomic uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = GET(from[i]);
}

/* Below zero is none: the row was cleared under a thread that was on its way. */
static uint32_t some(uint32_t n)
{
    return n > INT32_MAX ? 0 : n;
}

static uint32_t busy_of_all(const jk_shm *shm, uint32_t at)
{
    uint32_t n = some(GET(shm->own_flights[at]));

    for (uint32_t i = 0; i < jk_shm_rows(shm); i++)
        n += some(GET(jk_layout_flights_at(shm->base, &shm->plan, i)->busy[at]));
    return n;
}

void jk_tally_read(const jk_tally *tally, jk_tally_numbers *out)
{
    const jk_layout_mount *mount = tally->mount;

    out->requests = 0;
    out->errors = GET(mount->errors);
    out->read = GET(mount->read);
    out->written = GET(mount->written);
    copy(out->failed, mount->failed, JK_RC_COUNT);
    copy(out->answers, mount->answers, JK_STAT_CLASSES);
    copy(out->total.bucket, mount->total.bucket, JK_STAT_BUCKETS);
    out->total.sum = GET(mount->total.sum);
    for (int i = 0; i < JK_STAT_BUCKETS; i++)
        out->requests += out->total.bucket[i];
    out->busy = busy_of_all(tally->shm, tally->at);
}

/* ---- a child's end ---- */

/* An untouched page of it stays untouched. */
void jk_tally_retire(void *base, const jk_layout_plan *plan, uint32_t row)
{
    jk_layout_flights *flights = jk_layout_flights_at(base, plan, row);

    for (uint32_t i = 0; i < JK_LAYOUT_MOUNTS; i++)
        if (GET(flights->busy[i]))
            PUT(flights->busy[i], 0);
}
