/* native/shm/stat.c - the only file that touches the shared fields.
 *
 * Counters are relaxed: nobody draws conclusions from one about another. States are moved by compare-and-swap, so that of many who saw
 * the same state one alone moves it. The values in force stand under a sequence lock: odd while somebody writes. */
#include "jk/shm/stat.h"

#include "own.h"

#include <apr_time.h>
#include <string.h>

struct jk_stat {
    jk_shm *shm;
    jk_layout_slot *slot;
    uint32_t at; /* number of the slot */
};

#define RELAXED memory_order_relaxed
#define GET(field) atomic_load_explicit(&(field), RELAXED)
#define PUT(field, value) atomic_store_explicit(&(field), value, RELAXED)
#define ADD(field, n) atomic_fetch_add_explicit(&(field), n, RELAXED)

jk_stat *jk_stat_make(apr_pool_t *p, jk_shm *shm, uint32_t slot)
{
    jk_stat *stat = apr_palloc(p, sizeof *stat);

    *stat = (jk_stat){ shm, jk_layout_slot_at(shm->seg, slot), slot };
    return stat;
}

uint32_t jk_shm_edits(const jk_shm *shm)
{
    return GET(shm->seg->edits);
}

/* ---- values in force ---- */

uint32_t jk_stat_tune_version(const jk_stat *stat)
{
    return GET(stat->slot->tune_version);
}

/* A process that is killed between the two steps would leave the lock odd: who finds it so for too long takes it over. */
#define WRITER_GONE 20000 /* turns of 50 us: 1 s */

static uint32_t copy_tune(const jk_stat *stat, const void *from, void *out, size_t size)
{
    for (int turns = 0;; turns++) {
        uint32_t before = atomic_load_explicit(&stat->slot->tune_version, memory_order_acquire);
        if (before % 2 == 0 || turns >= WRITER_GONE) { /* one who was killed at it has left it so: what is there is used */
            memcpy(out, from, size);
            atomic_thread_fence(memory_order_acquire);
            if (GET(stat->slot->tune_version) == before)
                return before;
        }
        apr_sleep(50); /* somebody writes, in this moment: an edit is rare and short */
    }
}

uint32_t jk_stat_tune_read(const jk_stat *stat, jk_tune *out)
{
    return copy_tune(stat, &stat->slot->now, out, sizeof *out);
}

void jk_stat_limits_read(const jk_stat *stat, jk_limits *out)
{
    (void)copy_tune(stat, (const char *)&stat->slot->now + JK_LIMITS_AT, out, sizeof *out);
}

void jk_stat_tune_file(const jk_stat *stat, jk_tune *out)
{
    (void)copy_tune(stat, &stat->slot->file, out, sizeof *out);
}

void jk_stat_tune_write(jk_stat *stat, const jk_tune *now)
{
    atomic_uint *version = &stat->slot->tune_version;
    uint32_t was = GET(*version);

    for (int turns = 0; was % 2 != 0 || !atomic_compare_exchange_weak(version, &was, was + 1); turns++) {
        if (was % 2 != 0 && turns >= WRITER_GONE)
            break;
        apr_sleep(50);
        was = GET(*version);
    }
    atomic_thread_fence(memory_order_release);
    memcpy(&stat->slot->now, now, sizeof *now);
    atomic_store_explicit(version, (was | 1) + 1, memory_order_release);
    atomic_fetch_add_explicit(&stat->shm->seg->edits, 1, memory_order_release);
}

/* ---- under way ---- */

static jk_layout_share *own_share(const jk_stat *stat)
{
    return &stat->shm->row->shares[stat->at];
}

/* The sum over all children. Also the overflow row, which is everybody's who found no row. */
static jk_stat_numbers under_way(const jk_stat *stat)
{
    jk_layout_header *seg = stat->shm->seg;
    uint32_t rows = GET(seg->rows_used);
    jk_layout_share *extra = &jk_layout_row_at(seg, seg->nrows)->shares[stat->at];
    jk_stat_numbers sum = { .busy = GET(extra->busy), .connected = GET(extra->connected) };

    for (uint32_t i = 0; i < rows; i++) {
        const jk_layout_share *one = &jk_layout_row_at(seg, i)->shares[stat->at];
        sum.busy += GET(one->busy);
        sum.connected += GET(one->connected);
    }
    return sum;
}

static uint32_t busy_of_all(const jk_stat *stat)
{
    jk_layout_header *seg = stat->shm->seg;
    uint32_t rows = GET(seg->rows_used), sum = GET(jk_layout_row_at(seg, seg->nrows)->shares[stat->at].busy);

    for (uint32_t i = 0; i < rows; i++)
        sum += GET(jk_layout_row_at(seg, i)->shares[stat->at].busy);
    return sum;
}

static void reach(atomic_uint *most, uint32_t n)
{
    uint32_t was = GET(*most);

    while (n > was && !atomic_compare_exchange_weak_explicit(most, &was, n, RELAXED, RELAXED))
        ;
}

uint32_t jk_stat_begin(jk_stat *stat)
{
    ADD(own_share(stat)->busy, 1);
    uint32_t n = busy_of_all(stat);
    reach(&stat->slot->max_busy, n);
    return n;
}

bool jk_stat_begin_within(jk_stat *stat, uint32_t limit)
{
    ADD(own_share(stat)->busy, 1);
    uint32_t n = busy_of_all(stat);
    if (limit > 0 && n > limit) {
        jk_stat_end(stat);
        return false;
    }
    reach(&stat->slot->max_busy, n);
    return true;
}

/* A slot that was given to another worker meanwhile has begun at zero: never below that. */
static void drop_one(atomic_uint *n)
{
    uint32_t was = GET(*n);

    while (was > 0 && !atomic_compare_exchange_weak_explicit(n, &was, was - 1, RELAXED, RELAXED))
        ;
}

void jk_stat_end(jk_stat *stat)
{
    drop_one(&own_share(stat)->busy);
}

uint32_t jk_stat_busy(const jk_stat *stat)
{
    return busy_of_all(stat);
}

bool jk_stat_connect_within(jk_stat *stat, uint32_t limit)
{
    ADD(own_share(stat)->connected, 1);
    uint32_t n = under_way(stat).connected;
    if (limit > 0 && n > limit) {
        jk_stat_disconnect(stat);
        return false;
    }
    reach(&stat->slot->max_connected, n);
    return true;
}

void jk_stat_disconnect(jk_stat *stat)
{
    drop_one(&own_share(stat)->connected);
}

uint32_t jk_stat_connected(const jk_stat *stat)
{
    return under_way(stat).connected;
}

/* ---- done ---- */

static _Atomic uint64_t *counter(jk_layout_slot *slot, jk_stat_count what)
{
    switch (what) {
    case JK_COUNT_SERVED:
        return &slot->served;
    case JK_COUNT_ERRORS:
        return &slot->errors;
    case JK_COUNT_CLIENT_ERRORS:
        return &slot->client_errors;
    case JK_COUNT_READ:
        return &slot->read;
    case JK_COUNT_WRITTEN:
        return &slot->written;
    case JK_COUNT_SESSIONS:
        return &slot->sessions;
    case JK_COUNT_RESENDS:
        return &slot->resends;
    case JK_COUNT_REFUSALS:
        return &slot->refusals;
    case JK_COUNT_TIMEOUTS:
        return &slot->timeouts;
    case JK_COUNT_CONNECTS:
        return &slot->connects;
    default:
        return &slot->rejects;
    }
}

void jk_stat_add(jk_stat *stat, jk_stat_count what, uint64_t n)
{
    ADD(*counter(stat->slot, what), n);
}

jk_stat_numbers jk_stat_read(const jk_stat *stat)
{
    jk_stat_numbers n = under_way(stat);

    for (int i = 0; i < JK_COUNTS; i++)
        n.count[i] = GET(*counter(stat->slot, (jk_stat_count)i));
    n.max_busy = GET(stat->slot->max_busy);
    n.max_connected = GET(stat->slot->max_connected);
    n.last_reset = GET(stat->slot->last_reset);
    return n;
}

void jk_stat_reset(jk_stat *stat, int64_t now)
{
    jk_stat_numbers n = under_way(stat);

    for (int i = 0; i < JK_COUNTS; i++)
        PUT(*counter(stat->slot, (jk_stat_count)i), 0);
    PUT(stat->slot->served_before, 0);
    PUT(stat->slot->max_busy, n.busy);
    PUT(stat->slot->max_connected, n.connected);
    PUT(stat->slot->last_reset, now);
}

/* ---- a member's state ---- */

jk_member_state jk_stat_state(const jk_stat *stat)
{
    uint32_t state = GET(stat->slot->state);

    return state < JK_STATES ? (jk_member_state)state : JK_STATE_IDLE;
}

jk_member_view jk_stat_view(const jk_stat *stat)
{
    jk_layout_slot *slot = stat->slot;

    return (jk_member_view){ .state = jk_stat_state(stat),
                             .first_error = GET(slot->first_error),
                             .last_error = GET(slot->last_error),
                             .busy = jk_stat_busy(stat),
                             .reply_timeouts = GET(slot->reply_timeouts),
                             .refused = GET(slot->refused),
                             .quiet = GET(slot->served) == GET(slot->served_before) };
}

static void carry_out(jk_stat *stat, const jk_member_change *change, int64_t now)
{
    jk_layout_slot *slot = stat->slot;

    if (change->todo & JK_DO_STORE_TIMES) {
        PUT(slot->first_error, change->first_error);
        PUT(slot->last_error, change->last_error);
    }
    if (change->todo & JK_DO_ADD_ERROR)
        ADD(slot->errors, 1);
    if (change->todo & JK_DO_ADD_CLIENT_ERROR)
        ADD(slot->client_errors, 1);
    if (change->todo & JK_DO_ADD_REPLY_TIMEOUT) {
        ADD(slot->reply_timeouts, 1);
        ADD(slot->timeouts, 1);
    }
    if (change->todo & JK_DO_ADD_REFUSED)
        ADD(slot->refused, 1);
    if (change->todo & JK_DO_ZERO_REFUSED)
        PUT(slot->refused, 0);
    if (change->todo & JK_DO_ZERO_REPLY_TIMEOUTS)
        PUT(slot->reply_timeouts, 0);
    if (change->todo & JK_DO_ZERO_COUNTERS)
        jk_stat_reset(stat, now);
}

jk_member_change jk_stat_event(jk_stat *stat, jk_member_news news, int64_t now, const jk_tune *lb)
{
    for (;;) {
        jk_member_view view = jk_stat_view(stat);
        jk_member_change change = jk_member_event(&view, news, now, lb);
        uint32_t was = view.state;
        /* A claim that moves nothing is no claim; every other news without a move needs no swap. */
        if (!change.moved || atomic_compare_exchange_strong(&stat->slot->state, &was, change.next)) {
            carry_out(stat, &change, now);
            return change;
        }
    }
}

void jk_stat_free_probe(jk_stat *stat)
{
    uint32_t was = JK_STATE_PRB;

    if (jk_stat_busy(stat) == 0)
        atomic_compare_exchange_strong(&stat->slot->state, &was, JK_STATE_REC);
}

bool jk_stat_is_well(const jk_stat *stat)
{
    const jk_layout_slot *slot = stat->slot;

    return GET(slot->state) == JK_STATE_OK && GET(slot->first_error) == 0 && GET(slot->last_error) == 0 && GET(slot->refused) == 0;
}

void jk_stat_alone(jk_stat *stat, jk_member_news news, int64_t now)
{
    jk_member_state was = jk_stat_state(stat), next = jk_member_alone(was, news);

    if (next != was)
        PUT(stat->slot->state, next);
    if (news == JK_MEMBER_SUCCEEDED || news == JK_MEMBER_RAN)
        return;
    if (news == JK_MEMBER_CLIENT) {
        ADD(stat->slot->client_errors, 1);
        return;
    }
    ADD(stat->slot->errors, 1);
    PUT(stat->slot->last_error, now);
    if (news == JK_MEMBER_TIMEOUT)
        ADD(stat->slot->timeouts, 1);
}

uint64_t jk_stat_value(const jk_stat *stat)
{
    return GET(stat->slot->lb_value);
}

void jk_stat_value_move(jk_stat *stat, jk_method_load load)
{
    uint64_t was = GET(stat->slot->lb_value);

    if (load.add == 0 && load.sub == 0)
        return;
    while (!atomic_compare_exchange_weak_explicit(&stat->slot->lb_value, &was, jk_method_apply(was, load), RELAXED, RELAXED))
        ;
}

void jk_stat_value_set(jk_stat *stat, uint64_t value)
{
    PUT(stat->slot->lb_value, value);
}

void jk_stat_value_decay(jk_stat *stat, jk_method method, unsigned exponent, uint64_t smallest)
{
    uint64_t was = GET(stat->slot->lb_value);

    while (!atomic_compare_exchange_weak_explicit(&stat->slot->lb_value, &was, jk_method_decayed(method, was, exponent, smallest), RELAXED,
                                                  RELAXED))
        ;
}

void jk_stat_timeouts_decay(jk_stat *stat, unsigned exponent)
{
    uint32_t was = GET(stat->slot->reply_timeouts);

    while (was && !atomic_compare_exchange_weak_explicit(&stat->slot->reply_timeouts, &was, (uint32_t)jk_method_halved(was, exponent), RELAXED,
                                                         RELAXED))
        ;
}

void jk_stat_served_mark(jk_stat *stat)
{
    PUT(stat->slot->served_before, GET(stat->slot->served));
}

/* ---- a balancer's ---- */

#define JK_CLOCK_SKEW 5 /* s: threads took their time a while ago */

unsigned jk_stat_claim_maintenance(jk_stat *stat, int64_t now, int32_t interval)
{
    int64_t last = GET(stat->slot->maintained);
    unsigned times;

    /* The first time, or a clock that was put back (and not a thread that is late): the interval begins here. */
    if (last == 0 || last > now + JK_CLOCK_SKEW) {
        atomic_compare_exchange_strong(&stat->slot->maintained, &last, now);
        return 0;
    }
    times = jk_method_exponent(now, last, interval);
    if (times == 0 || !atomic_compare_exchange_strong(&stat->slot->maintained, &last, now))
        return 0;
    return times;
}

enum { SECOND, STARTED, RESENT };

/* The bucket of this second, emptied by the first who comes to it. */
static atomic_uint *bucket_of(jk_stat *stat, uint32_t now)
{
    atomic_uint *bucket = stat->slot->budget[jk_budget_place(now)];
    uint32_t second = GET(bucket[SECOND]);

    if (jk_budget_is_stale(second, now) && atomic_compare_exchange_strong(&bucket[SECOND], &second, now)) {
        PUT(bucket[STARTED], 0);
        PUT(bucket[RESENT], 0);
    }
    return bucket;
}

void jk_stat_budget_started(jk_stat *stat, int64_t now)
{
    ADD(bucket_of(stat, (uint32_t)now)[STARTED], 1);
}

bool jk_stat_budget_take(jk_stat *stat, int64_t now, int32_t percent)
{
    jk_budget copy;

    for (size_t i = 0; i < JK_BUDGET_SECONDS; i++) {
        atomic_uint *bucket = stat->slot->budget[i];
        copy.buckets[i] = (jk_budget_bucket){ GET(bucket[SECOND]), GET(bucket[STARTED]), GET(bucket[RESENT]) };
    }
    if (!jk_budget_allows(&copy, (uint32_t)now, percent))
        return false;
    ADD(bucket_of(stat, (uint32_t)now)[RESENT], 1);
    return true;
}
