/* native/shm/stat.c - the only file that touches the shared fields of workers.
 *
 * Counters are relaxed: nobody draws conclusions from one about another. States are moved by compare-and-swap, so that of many who saw
 * the same state one alone moves it. The values in force have two places: an edit fills the one that is not in force. What is read
 * is not believed: every process can write there. */
#include "jk/shm/stat.h"

#include "own.h"

#include <apr_time.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct jk_stat {
    jk_shm *shm;
    jk_layout_slot *slot;
    uint32_t at; /* number of the slot */
};

#define RELAXED memory_order_relaxed
#define GET(field) atomic_load_explicit(&(field), RELAXED)
#define PUT(field, value) atomic_store_explicit(&(field), value, RELAXED)
#define ADD(field, n) atomic_fetch_add_explicit(&(field), n, RELAXED)

/* Sums and differences of it stay far from the ends of the type. */
static int64_t time_in(const _Atomic int64_t *field)
{
    int64_t t = GET(*field);

    return t > 0 && t < INT64_MAX / 4 ? t : 0;
}

jk_stat *jk_stat_make(apr_pool_t *p, jk_shm *shm, uint32_t slot)
{
    jk_stat *stat = apr_palloc(p, sizeof *stat);

    *stat = (jk_stat){ shm, jk_layout_slot_at(shm->base, &shm->plan, slot), slot };
    return stat;
}

uint32_t jk_shm_edits(const jk_shm *shm)
{
    return GET(shm->head->edits);
}

/* ---- values in force ---- */

uint32_t jk_stat_tune_version(const jk_stat *stat)
{
    return GET(stat->slot->edition);
}

#define NOW offsetof(jk_layout_edition, now)
#define FILE_SAID offsetof(jk_layout_edition, file)

/* `words` of the edition in force, from byte `at` of it. It lies still until the next edit but one begins. Bounded: a process that
 * counts up without end keeps nobody here. */
static uint32_t copy_out(const jk_layout_slot *slot, size_t at, void *out, size_t words)
{
    uint32_t n = atomic_load_explicit(&slot->edition, memory_order_acquire), again;

    for (int tries = 0; tries < 1000; tries++, n = again) {
        const char *edition = (const char *)&slot->editions[n % 2];
        jk_layout_words_out((const void *)(edition + at), out, words);
        again = atomic_load_explicit(&slot->edition, memory_order_acquire);
        if (again == n)
            break;
    }
    return n;
}

static uint32_t copy_tune(const jk_layout_slot *slot, size_t at, jk_tune *out)
{
    uint32_t n = copy_out(slot, at, out, JK_TUNE_WORDS);

    jk_layout_seal(out);
    return n;
}

void jk_stat_tune_copy(const jk_layout_slot *slot, jk_tune *out)
{
    (void)copy_tune(slot, NOW, out);
}

uint32_t jk_stat_tune_read(const jk_stat *stat, jk_tune *out)
{
    return copy_tune(stat->slot, NOW, out);
}

void jk_stat_tune_file(const jk_stat *stat, jk_tune *out)
{
    (void)copy_tune(stat->slot, FILE_SAID, out);
}

void jk_stat_limits_read(const jk_stat *stat, jk_limits *out)
{
    (void)copy_out(stat->slot, NOW + JK_LIMITS_AT, out, sizeof *out / sizeof(uint32_t));
    jk_layout_seal_limits(out);
}

/* ---- edits ----
 *
 * `editor` is the only lock in shared memory. It takes microseconds, and is never waited for on the way of a request. Who is killed holding it
 * has changed nothing that is in force; the parent frees it when it is told of the death, and whoever waits frees it where
 * no such process is left. */

static bool holder_is_gone(int pid)
{
    return pid <= 0 || (kill(pid, 0) != 0 && errno == ESRCH);
}

/* Takes from *ms what it waits. */
static bool take_editor(jk_layout_slot *slot, int *ms)
{
    for (;; (*ms)--) {
        int holder = 0;
        if (atomic_compare_exchange_strong(&slot->editor, &holder, (int)getpid()))
            return true;
        if (holder_is_gone(holder) && atomic_compare_exchange_strong(&slot->editor, &holder, (int)getpid()))
            return true;
        if (*ms <= 0)
            return false;
        apr_sleep(1000);
    }
}

/* Not that of another, who took it away. */
static void leave_editor(jk_layout_slot *slot)
{
    int mine = (int)getpid();

    atomic_compare_exchange_strong(&slot->editor, &mine, 0);
}

bool jk_stat_let_go(jk_layout_slot *slot, int pid)
{
    return GET(slot->editor) == pid && atomic_compare_exchange_strong(&slot->editor, &pid, 0);
}

/* Only who holds `editor` comes here. */
static void publish(jk_layout_slot *slot, uint32_t was, const jk_tune *file, const jk_tune *now)
{
    uint32_t next = was + 1 ? was + 1 : 2; /* never 0, and even as 0 is */
    jk_layout_edition *edition = &slot->editions[next % 2];

    jk_layout_words_in(edition->file, file, JK_TUNE_WORDS);
    jk_layout_words_in(edition->now, now, JK_TUNE_WORDS);
    atomic_store_explicit(&slot->edition, next, memory_order_release);
}

jk_rc jk_stat_tune_edit(jk_stat *stat, const jk_tune *from, const jk_tune *to)
{
    jk_layout_slot *slot = stat->slot;
    jk_tune file, now;
    int ms = JK_SHM_PATIENCE;

    if (!take_editor(slot, &ms))
        return JK_E_BUSY;
    (void)copy_tune(slot, FILE_SAID, &file);
    uint32_t was = copy_tune(slot, NOW, &now);
    if (strcmp(now.name, from->name) != 0) {
        leave_editor(slot);
        return JK_E_CONF;
    }
    jk_layout_merge(&now, from, to);
    publish(slot, was, &file, &now);
    atomic_fetch_add_explicit(&stat->shm->head->edits, 1, memory_order_release);
    leave_editor(slot);
    return JK_OK;
}

_Static_assert(sizeof(((jk_layout_slot *)0)->edited_by) == JK_STAT_WHO, "a name has another room in shared memory");

void jk_stat_sign_edit(jk_stat *stat, const char *by, int64_t at)
{
    char name[JK_STAT_WHO] = "";
    size_t n = strlen(by);

    memcpy(name, by, n < sizeof name ? n : sizeof name - 1);
    jk_layout_words_in(stat->slot->edited_by, name, sizeof name / sizeof(uint32_t));
    PUT(stat->slot->edited_at, at);
}

/* Whoever wrote there, it is a name of ASCII: the rest becomes a question mark. */
jk_stat_sign jk_stat_signed(const jk_stat *stat)
{
    jk_stat_sign sign = { .at = time_in(&stat->slot->edited_at) };

    jk_layout_words_out(stat->slot->edited_by, sign.by, sizeof sign.by / sizeof(uint32_t));
    sign.by[sizeof sign.by - 1] = '\0';
    for (char *c = sign.by; *c; c++) /* whether a char is signed or not is the machine's choice */
        if ((uint8_t)*c < ' ' || (uint8_t)*c >= 0x7f)
            *c = '?';
    return sign;
}

/* The parent waits for nobody for ever, nor for a while at each slot: it cannot be told that a child has died as long as it stands here. A process
 * that was stopped in the middle of an edit for so long, and goes on, may leave a mixture of the two. */
void jk_stat_tune_load(jk_layout_slot *slot, const jk_tune *said, int *patience)
{
    jk_tune file, now;

    if (!take_editor(slot, patience))
        atomic_store(&slot->editor, (int)getpid());
    (void)copy_tune(slot, FILE_SAID, &file);
    uint32_t was = copy_tune(slot, NOW, &now);
    jk_layout_merge(&now, &file, said);
    if (was == 0)
        publish(slot, was, said, said);
    else if (memcmp(&file, said, sizeof file) != 0)
        publish(slot, was, said, &now);
    leave_editor(slot);
}

/* Nobody who could know this slot lives. */
void jk_stat_renew(jk_layout_slot *slot)
{
    memset(slot, 0, sizeof *slot);
    PUT(slot->last_reset, apr_time_sec(apr_time_now()));
}

void jk_stat_begin_anew(jk_stat *stat, int64_t now)
{
    size_t from = offsetof(jk_layout_slot, state), to = offsetof(jk_layout_slot, budget);

    memset((char *)stat->slot + from, 0, to - from); /* nobody counts there; who only reads may see half of it */
    PUT(stat->slot->last_reset, now);
}

/* ---- under way ---- */

static jk_layout_share *own_share(const jk_stat *stat)
{
    return &stat->shm->row->shares[stat->at];
}

static const jk_layout_share *share_of(const jk_stat *stat, uint32_t row)
{
    return &jk_layout_row_at(stat->shm->base, &stat->shm->plan, row)->shares[stat->at];
}

/* The sum over all children, and what a process without a row has in its own. Not relaxed, as the additions before it: of two who begin at
 * once each must see the other, or both would pass a limit. */
static jk_stat_numbers under_way(const jk_stat *stat)
{
    uint32_t rows = jk_shm_rows(stat->shm);
    const jk_layout_share *extra = &stat->shm->own->shares[stat->at];
    jk_stat_numbers sum = { .busy = atomic_load(&extra->busy), .connected = atomic_load(&extra->connected), .waiting = atomic_load(&extra->waiting) };

    for (uint32_t i = 0; i < rows; i++) {
        sum.busy += atomic_load(&share_of(stat, i)->busy);
        sum.connected += atomic_load(&share_of(stat, i)->connected);
        sum.waiting += atomic_load(&share_of(stat, i)->waiting);
    }
    return sum;
}

static uint32_t busy_of_all(const jk_stat *stat)
{
    uint32_t rows = jk_shm_rows(stat->shm), sum = atomic_load(&stat->shm->own->shares[stat->at].busy);

    for (uint32_t i = 0; i < rows; i++)
        sum += atomic_load(&share_of(stat, i)->busy);
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
    atomic_fetch_add(&own_share(stat)->busy, 1);
    uint32_t n = busy_of_all(stat);
    reach(&stat->slot->max_busy, n);
    return n;
}

bool jk_stat_begin_within(jk_stat *stat, uint32_t limit)
{
    atomic_fetch_add(&own_share(stat)->busy, 1);
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

void jk_stat_wait(jk_stat *stat)
{
    atomic_fetch_add(&own_share(stat)->waiting, 1);
}

void jk_stat_waited(jk_stat *stat)
{
    drop_one(&own_share(stat)->waiting);
}

uint32_t jk_stat_busy(const jk_stat *stat)
{
    return busy_of_all(stat);
}

bool jk_stat_connect_within(jk_stat *stat, uint32_t limit)
{
    atomic_fetch_add(&own_share(stat)->connected, 1);
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

const uint32_t jk_stat_bounds[JK_STAT_BUCKETS - 1] = { 1000,    2000,    5000,    10000,   20000,    50000,    100000,  200000,
                                                       500000,  1000000, 2000000, 5000000, 10000000, 30000000, 60000000 };

void jk_stat_add(jk_stat *stat, jk_stat_count what, uint64_t n)
{
    ADD(stat->slot->count[what], n);
}

void jk_stat_fail(jk_stat *stat, jk_rc rc)
{
    if (rc > JK_AGAIN && rc < JK_RC_COUNT)
        ADD(stat->slot->failed[rc], 1);
}

void jk_stat_closed(jk_stat *stat, unsigned why)
{
    if (why < JK_STAT_CLOSED)
        ADD(stat->slot->closed[why], 1);
}

void jk_stat_lost(jk_layout_slot *slot, uint32_t connections)
{
    if (connections)
        ADD(slot->closed[0], connections);
}

void jk_stat_took(jk_stat *stat, jk_stat_time what, int64_t us)
{
    jk_shm_book_time(&stat->slot->time[what], us);
}

void jk_stat_leave(jk_stat *stat, const jk_stat_visit *visit)
{
    jk_layout_slot *slot = stat->slot;

    if (visit->read)
        ADD(slot->count[JK_COUNT_READ], visit->read);
    if (visit->written)
        ADD(slot->count[JK_COUNT_WRITTEN], visit->written);
    if (visit->status) {
        ADD(slot->answers[jk_shm_class(visit->status)], 1);
        jk_shm_book_time(&slot->time[JK_TIME_FIRST], visit->first);
    }
    jk_shm_book_time(&slot->time[JK_TIME_TOTAL], visit->total);
    jk_stat_end(stat);
}

/* Everybody who is there and does not wait has a connection. */
static uint32_t idle_of(uint32_t busy, uint32_t waiting, uint32_t connected)
{
    uint32_t lent = busy > waiting ? busy - waiting : 0;

    return connected > lent ? connected - lent : 0;
}

size_t jk_stat_shares(const jk_stat *stat, jk_stat_share *out, size_t room)
{
    uint32_t rows = jk_shm_rows(stat->shm);
    size_t n = 0;

    for (uint32_t i = 0; i < rows && n < room; i++) {
        const jk_layout_share *s = share_of(stat, i);
        jk_stat_share one = { GET(jk_layout_row_at(stat->shm->base, &stat->shm->plan, i)->pid), GET(s->busy), GET(s->connected), GET(s->waiting), 0 };
        one.idle = idle_of(one.busy, one.waiting, one.connected);
        if (one.pid > 0 && (one.busy || one.connected || one.waiting))
            out[n++] = one;
    }
    return n;
}

jk_stat_numbers jk_stat_read(const jk_stat *stat)
{
    jk_stat_numbers n = under_way(stat);

    for (int i = 0; i < JK_COUNTS; i++) {
        uint64_t all = GET(stat->slot->count[i]), before = GET(stat->slot->base[i]);
        n.count[i] = all > before ? all - before : 0;
    }
    n.idle = idle_of(n.busy, n.waiting, n.connected);
    n.max_busy = GET(stat->slot->max_busy);
    n.max_connected = GET(stat->slot->max_connected);
    n.last_reset = time_in(&stat->slot->last_reset);
    return n;
}

static void copy_counts(uint64_t *to, const _Atomic uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = GET(from[i]);
}

void jk_stat_totals_read(const jk_stat *stat, jk_stat_totals *out)
{
    const jk_layout_slot *slot = stat->slot;

    copy_counts(out->count, slot->count, JK_COUNTS);
    copy_counts(out->failed, slot->failed, JK_RC_COUNT);
    copy_counts(out->closed, slot->closed, JK_STAT_CLOSED);
    copy_counts(out->answers, slot->answers, JK_STAT_CLASSES);
    for (int i = 0; i < JK_TIMES; i++) {
        copy_counts(out->time[i].bucket, slot->time[i].bucket, JK_STAT_BUCKETS);
        out->time[i].sum = GET(slot->time[i].sum);
    }
}

void jk_stat_reset(jk_stat *stat, int64_t now)
{
    jk_stat_numbers n = under_way(stat);

    for (int i = 0; i < JK_COUNTS; i++)
        PUT(stat->slot->base[i], GET(stat->slot->count[i]));
    PUT(stat->slot->served_before, GET(stat->slot->count[JK_COUNT_SERVED]));
    PUT(stat->slot->max_busy, n.busy);
    PUT(stat->slot->max_connected, n.connected);
    PUT(stat->slot->last_reset, now);
}

/* ---- a member's state ---- */

static jk_member_state known_state(uint32_t word)
{
    return word < JK_STATES ? (jk_member_state)word : JK_STATE_IDLE;
}

jk_member_state jk_stat_state(const jk_stat *stat)
{
    return known_state(GET(stat->slot->state));
}

jk_member_view jk_stat_view(const jk_stat *stat)
{
    jk_layout_slot *slot = stat->slot;

    return (jk_member_view){ .state = jk_stat_state(stat),
                             .first_error = time_in(&slot->first_error),
                             .last_error = time_in(&slot->last_error),
                             .busy = jk_stat_busy(stat),
                             .reply_timeouts = GET(slot->reply_timeouts),
                             .refused = GET(slot->refused),
                             .quiet = GET(slot->count[JK_COUNT_SERVED]) == GET(slot->served_before) };
}

static void carry_out(jk_stat *stat, const jk_member_change *change, int64_t now)
{
    jk_layout_slot *slot = stat->slot;

    if (change->todo & JK_DO_STORE_TIMES) {
        PUT(slot->first_error, change->first_error);
        PUT(slot->last_error, change->last_error);
    }
    if (change->todo & JK_DO_ADD_ERROR)
        ADD(slot->count[JK_COUNT_ERRORS], 1);
    if (change->todo & JK_DO_ADD_CLIENT_ERROR)
        ADD(slot->count[JK_COUNT_CLIENT_ERRORS], 1);
    if (change->todo & JK_DO_ADD_REPLY_TIMEOUT) {
        ADD(slot->reply_timeouts, 1);
        ADD(slot->count[JK_COUNT_TIMEOUTS], 1);
    }
    if (change->todo & JK_DO_ADD_REFUSED)
        ADD(slot->refused, 1);
    if (change->todo & JK_DO_ZERO_REFUSED)
        PUT(slot->refused, 0);
    if (change->todo & JK_DO_ZERO_REPLY_TIMEOUTS)
        PUT(slot->reply_timeouts, 0);
    if (change->todo & JK_DO_ZERO_COUNTERS) {
        PUT(slot->refused, 0);
        PUT(slot->reply_timeouts, 0);
        jk_stat_reset(stat, now);
    }
}

jk_member_change jk_stat_event(jk_stat *stat, jk_member_news news, int64_t now, const jk_tune *lb)
{
    for (;;) {
        uint32_t was = GET(stat->slot->state);
        jk_member_view view = jk_stat_view(stat);
        view.state = known_state(was); /* the word as it stands is what is swapped, whatever it means */
        jk_member_change change = jk_member_event(&view, news, now, lb);
        /* A claim that moves nothing is no claim; every other news without a move needs no swap. */
        if (!change.moved || atomic_compare_exchange_strong(&stat->slot->state, &was, change.next)) {
            carry_out(stat, &change, now);
            return change;
        }
    }
}

/* ---- what a page shows of it ---- */

void jk_stat_failed(jk_stat *stat, jk_rc rc, int err)
{
    PUT(stat->slot->last_failure, (uint64_t)rc << 32 | (uint32_t)err);
}

jk_stat_failure jk_stat_failure_of(const jk_stat *stat)
{
    uint64_t word = GET(stat->slot->last_failure);
    uint32_t rc = (uint32_t)(word >> 32), err = (uint32_t)word;

    return (jk_stat_failure){ rc < JK_RC_COUNT ? (jk_rc)rc : JK_OK, err <= INT16_MAX ? (int)err : 0 };
}

#define PLACES (JK_STAT_MINUTES + 1) /* a minute may be overwritten while it is read */

/* The first who comes in a minute empties its place; of several one does, and the others count on there. */
void jk_stat_sticky(jk_stat *stat, int64_t now)
{
    uint32_t minute = (uint32_t)(now / 60);
    _Atomic uint64_t *place = &stat->slot->sticky[minute % PLACES];
    uint64_t seen = GET(*place);

    if (seen >> 32 != minute && atomic_compare_exchange_strong(place, &seen, (uint64_t)minute << 32 | 1))
        return;
    if (seen >> 32 == minute)
        ADD(*place, 1);
}

jk_stat_visits jk_stat_sticky_read(const jk_stat *stat, int64_t now)
{
    jk_stat_visits visits = { { 0 } };
    uint32_t minute = (uint32_t)(now / 60) - JK_STAT_MINUTES;

    for (size_t i = 0; i < JK_STAT_MINUTES; i++) {
        uint64_t seen = GET(stat->slot->sticky[++minute % PLACES]);
        visits.count[i] = seen >> 32 == minute ? (uint32_t)seen : 0;
    }
    return visits;
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
        ADD(stat->slot->count[JK_COUNT_CLIENT_ERRORS], 1);
        return;
    }
    ADD(stat->slot->count[JK_COUNT_ERRORS], 1);
    PUT(stat->slot->last_error, now);
    if (news == JK_MEMBER_TIMEOUT)
        ADD(stat->slot->count[JK_COUNT_TIMEOUTS], 1);
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
    PUT(stat->slot->served_before, GET(stat->slot->count[JK_COUNT_SERVED]));
}

/* ---- a balancer's ---- */

#define JK_CLOCK_SKEW 5 /* s: threads took their time a while ago */

unsigned jk_stat_claim_maintenance(jk_stat *stat, int64_t now, int32_t interval)
{
    int64_t last = GET(stat->slot->maintained);
    unsigned times;

    /* The first time, or nonsense, or a clock that was put back (and not a thread that is late): the interval begins here. */
    if (last <= 0 || last > now + JK_CLOCK_SKEW) {
        atomic_compare_exchange_strong(&stat->slot->maintained, &last, now);
        return 0;
    }
    times = jk_method_exponent(now, last, interval);
    if (times == 0 || !atomic_compare_exchange_strong(&stat->slot->maintained, &last, now))
        return 0;
    return times;
}

int64_t jk_stat_maintained(const jk_stat *stat)
{
    return time_in(&stat->slot->maintained);
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
