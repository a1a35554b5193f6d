/* native/worker/group.c - pictures of the values in force, and the maintenance of all members at once. */
#include "group.h"

#include "jk/worker/backend.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <stdlib.h>

/* ---- pictures ---- */

static jk_span kept(const jk_lb *lb, const char *text)
{
    char *copy = *text ? jk_kept_text(lb->kept, text) : NULL;

    return copy ? jk_span_of(copy) : JK_SPAN_LIT("");
}

static jk_choose_live live(void *ctx, size_t i)
{
    jk_lb *lb = ctx;
    jk_lb_member *m = &lb->members[i];
    jk_choose_live seen = { jk_stat_value(m->stat), jk_stat_state(m->stat) };

    if (seen.state == JK_STATE_BUSY) { /* until a slot is free again */
        int32_t limit = lb->group->busy_limits[i];
        bool below = limit <= 0 || jk_stat_busy(m->stat) < (uint32_t)limit;
        if (below && jk_backend_has_room(m->worker))
            seen.state = jk_stat_event(m->stat, JK_MEMBER_FREE, apr_time_sec(apr_time_now()), &lb->group->rules).next;
    }
    return seen;
}

/* Another name leads to another string, and the old one stays: a log line may be made of it. It changes only where nobody is under way. */
static void call(const jk_lb *lb, jk_lb_member *m, const char *name)
{
    const char *fresh = strcmp(m->worker->name, name) != 0 ? jk_kept_text(lb->kept, name) : NULL;

    if (fresh == NULL)
        return;
    m->route_told = 0;
    __atomic_store_n(&m->spare->name, fresh, __ATOMIC_RELEASE);
    __atomic_store_n(&m->worker->name, fresh, __ATOMIC_RELEASE);
}

/* Is somebody there? He is called by his name from now on. */
static bool is_there(const jk_lb *lb, jk_lb_member *m, const jk_tune *tune)
{
    if (m->spare == NULL)
        return true;
    if (*tune->name)
        call(lb, m, tune->name);
    return *tune->name;
}

jk_worker *jk_group_member(const jk_lb *lb, size_t i)
{
    jk_lb_member *m = &lb->members[i];
    jk_tune tune;

    if (m->spare == NULL)
        return m->worker;
    jk_stat_tune_read(m->stat, &tune);
    return is_there(lb, m, &tune) ? m->worker : NULL;
}

/* What a picture is drawn with, by place. An empty place is as good as none: stopped, without a route, and of no weight. */
typedef struct draft {
    uint64_t *mults;
    int32_t *factors;
    jk_tune *tune;
    jk_choose_member *members;
    jk_choose_slot *slots;
    size_t count; /* without the empty ones at the end */
} draft;

/* In one piece, and as the last: what is kept cannot be given back. */
static jk_group *frame(const jk_lb *lb, draft *d)
{
    size_t n = lb->places + 1, slots = jk_choose_slots(lb->places);
    size_t each = sizeof *d->members + sizeof(int32_t) + sizeof(bool);
    jk_group *g = jk_kept_take(lb->kept, sizeof *g + n * each + slots * sizeof *d->slots);

    if (g == NULL)
        return NULL;
    d->members = (void *)(g + 1);
    d->slots = (void *)(d->members + n);
    g->busy_limits = (void *)(d->slots + slots);
    g->there = (void *)(g->busy_limits + n);
    return g;
}

static void draw(jk_lb *lb, jk_group *g, draft *d, size_t i)
{
    const jk_tune *tune = d->tune;

    jk_stat_tune_read(lb->members[i].stat, d->tune);
    g->there[i] = is_there(lb, &lb->members[i], tune);
    d->members[i] = (jk_choose_member){ .route = JK_SPAN_LIT(""), .domain = JK_SPAN_LIT(""), .redirect = JK_SPAN_LIT(""), .activation = JK_STOPPED };
    d->factors[i] = 1;
    if (!g->there[i])
        return;
    d->members[i] = (jk_choose_member){ .route = kept(lb, tune->route), .domain = kept(lb, tune->domain),
                                        .redirect = kept(lb, tune->redirect), .distance = tune->distance,
                                        .activation = (jk_activation)tune->activation };
    d->factors[i] = tune->lbfactor;
    g->busy_limits[i] = tune->busy_limit;
    d->count = i + 1;
}

static void fill(jk_lb *lb, jk_group *g, draft *d)
{
    size_t n = lb->places;

    for (size_t i = 0; i < n; i++)
        draw(lb, g, d, i);
    jk_method_multipliers(d->factors, d->mults, n);
    for (size_t i = 0; i < n; i++)
        d->members[i].mult = d->mults[i];
    g->choose = (jk_choose_group){ .members = d->members, .count = d->count, .live = live, .ctx = lb };
    jk_choose_prepare(&g->choose, d->slots, jk_choose_slots(d->count));
}

/* Who comes back must not get all that it had missed, nor who goes be waited for: all begin anew. Each process does it that sees the edit. */
static void begin_anew_if_activated(jk_lb *lb, const jk_group *was, const jk_group *now)
{
    bool changed = false;

    for (size_t i = 0; was && i < lb->places; i++)
        changed |= was->choose.members[i].activation != now->choose.members[i].activation;
    if (changed)
        jk_group_values_to_zero(lb, (jk_method)now->rules.method);
}

void jk_group_values_to_zero(jk_lb *lb, jk_method method)
{
    for (size_t i = 0; jk_method_remembers(method) && i < lb->places; i++)
        jk_stat_value_set(lb->members[i].stat, 0);
}

/* The rules of the balancer itself. */
static void read_rules(const jk_lb *lb, jk_group *g)
{
    g->version = jk_shm_edits(lb->shm); /* before the values are read: an edit meanwhile is seen by the next who looks */
    jk_stat_tune_read(lb->stat, &g->rules);
    g->retries = g->rules.retries;
    g->retry_interval = g->rules.retry_interval;
    g->retry_budget = g->rules.retry_budget;
    g->sticky = g->rules.sticky_session;
    g->force = g->rules.sticky_session_force;
    g->session_cookie = jk_span_of(g->rules.session_cookie);
    g->session_path = jk_span_of(g->rules.session_path);
}

jk_rc jk_group_make(jk_lb *lb)
{
    size_t n = lb->places + 1;
    draft d = { .mults = calloc(n, sizeof *d.mults), .factors = calloc(n, sizeof *d.factors), .tune = malloc(sizeof *d.tune) };
    jk_group *g = d.mults && d.factors && d.tune ? frame(lb, &d) : NULL;

    if (g) { /* else the old picture stays */
        read_rules(lb, g);
        fill(lb, g, &d);
        begin_anew_if_activated(lb, lb->group, g);
        lb->group = g;
    }
    free(d.tune);
    free(d.factors);
    free(d.mults);
    return g ? JK_OK : JK_E_MEMORY;
}

const jk_group *jk_group_now(jk_lb *lb)
{
    const jk_group *g = lb->group;

    if (g->version == jk_shm_edits(lb->shm) || apr_atomic_cas32(&lb->building, 1, 0) != 0)
        return g;
    (void)jk_group_make(lb);
    apr_atomic_set32(&lb->building, 0);
    return lb->group;
}

/* ---- all members at once ---- */

void jk_group_value_to_max(jk_lb *lb, size_t member)
{
    uint64_t most = 0;

    for (size_t i = 0; i < lb->places; i++)
        if (jk_stat_value(lb->members[i].stat) > most)
            most = jk_stat_value(lb->members[i].stat);
    jk_stat_value_set(lb->members[member].stat, most);
}

unsigned jk_group_force(jk_lb *lb, const jk_group *group, int64_t now)
{
    unsigned n = 0;

    for (size_t i = 0; i < group->choose.count; i++)
        if (group->there[i] && jk_stat_state(lb->members[i].stat) == JK_STATE_ERR)
            n += jk_stat_event(lb->members[i].stat, JK_MEMBER_FORCE, now, &group->rules).moved;
    return n;
}

/* Of the members that could be chosen: only the method Next asks for it. */
static uint64_t smallest_value(const jk_lb *lb, const jk_group *g)
{
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i < g->choose.count; i++) {
        uint64_t value = jk_stat_value(lb->members[i].stat);
        bool chosen = g->choose.members[i].activation == JK_ACTIVE && jk_member_usable(jk_stat_state(lb->members[i].stat));
        if (chosen && value < least)
            least = value;
    }
    return least == UINT64_MAX ? 0 : least;
}

/* Values that remember fade. That of Busyness is what runs there, and is set to it: a child that was killed had no time to take its part
 * away, and another method may have been in force. A request that begins or ends in this moment is missed until the next time. */
static void fade(jk_lb *lb, const jk_group *g, size_t i, unsigned times, uint64_t least)
{
    jk_stat *stat = lb->members[i].stat;
    jk_method method = (jk_method)g->rules.method;

    if (jk_method_remembers(method))
        jk_stat_value_decay(stat, method, times, least);
    else
        jk_stat_value_set(stat, jk_stat_busy(stat) * g->choose.members[i].mult);
    jk_stat_timeouts_decay(stat, times);
}

/* Whoever tried it may have been killed: it recovers anew, and with the largest value anew. */
static void free_probe(jk_lb *lb, const jk_group *g, size_t i)
{
    jk_stat *stat = lb->members[i].stat;

    if (jk_stat_state(stat) != JK_STATE_PRB)
        return;
    jk_stat_free_probe(stat);
    if (jk_stat_state(stat) == JK_STATE_REC && jk_method_remembers((jk_method)g->rules.method))
        jk_group_value_to_max(lb, i);
}

static void maintain_member(jk_lb *lb, const jk_group *g, size_t i, int64_t now, const jk_log *log)
{
    jk_stat *stat = lb->members[i].stat;

    free_probe(lb, g, i);
    jk_member_state was = jk_stat_state(stat);
    jk_member_change change = jk_stat_event(stat, JK_MEMBER_MAINTAIN, now, &g->rules);

    if (change.todo & JK_DO_VALUE_TO_MAX)
        jk_group_value_to_max(lb, i);
    jk_stat_served_mark(stat);
    if (change.moved && (was == JK_STATE_ERR || change.next == JK_STATE_ERR))
        JK_INFO(log, "(%s) worker %s is %s now, it was %s", lb->worker.name, lb->members[i].worker->name, jk_member_label(change.next),
                jk_member_label(was));
}

void jk_group_maintain(jk_lb *lb, int64_t now, int32_t interval, const jk_log *log)
{
    unsigned times = jk_stat_claim_maintenance(lb->stat, now, interval), alive = 0;
    const jk_group *g = jk_group_now(lb);

    if (times == 0)
        return;
    uint64_t least = smallest_value(lb, g);
    for (size_t i = 0; i < g->choose.count; i++)
        if (g->there[i])
            fade(lb, g, i, times, least);
    for (size_t i = 0; i < g->choose.count; i++) { /* who recovers gets the largest value of those that have faded */
        if (!g->there[i])
            continue;
        maintain_member(lb, g, i, now, log);
        alive += jk_stat_state(lb->members[i].stat) != JK_STATE_ERR;
    }
    if (alive == 0 && jk_group_force(lb, g, now) > 0)
        JK_INFO(log, "(%s) Forcing recovery once for %u workers: no other is left", lb->worker.name, (unsigned)g->choose.count);
}
