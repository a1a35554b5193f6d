/* tests/sim/simulate_lb.c - a million requests through each method of the balancer: shares, sessions, failures, recovery.
 *
 * Four parts per method, each a world of its own (world.h): `shares`, where all are well and the loads must follow lbfactor; `back`,
 * where one member after the other goes and comes back, and neither starves nor is flooded; `storm`, where everything happens at
 * once and what must hold for each single request is checked; `huge`, where factors and sizes are as large as they can be.
 *
 * What is expected is computed from the actors' side: who was asked, when, in which state. Each run is the same; JK_SIM_SEED makes another
 * one, JK_SIM_REQUESTS a shorter or longer one. */
#include "world.h"

#include <apr_general.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST WORLD_MEMBERS
#define SESSIONS 3000
#define SECONDS 20000
#define MS(n) ((apr_time_t)(n) * 1000)
#define SEC(n) apr_time_from_sec(n)

typedef enum mood { WELL, REFUSES, STALLS, DROPS, BREAKS, SAYS_503, SAYS_404, FULL, FLAPS, SOME_DROP, MOODS } mood;

typedef struct session {
    char cookie[32]; /* "JSESSIONID=x.m3" */
    int member;
} session;

typedef struct sim {
    world *w;
    jk_method method;
    const char *part;
    uint64_t seed;
    int n, processes;
    /* What the configuration says, as it was last edited. */
    int factor[MOST], distance[MOST], redirect[MOST], busy_limit[MOST];
    char domain[MOST]; /* 0: none */
    jk_activation active[MOST];
    unsigned edits, edit_of_call;
    /* What the actors do. */
    mood mood[MOST];
    apr_time_t mood_until[MOST], good_since[MOST], fast, full_at;
    bool heavy; /* answers of up to a megabyte */
    /* What was seen. */
    session sessions[SESSIONS];
    int nsessions;
    uint64_t visits[MOST], fresh[MOST], bytes[MOST], window[MOST];
    double busy_us[MOST];
    int under_way[MOST];
    world_call *probe[MOST];
    apr_time_t since;
    uint32_t started[SECONDS], resent[SECONDS];
    int64_t first_second;
    uint64_t requests, good, bad, failovers, resends, refusals, forced, probes, killed, value_before[MOST];
    bool killing;
    jk_member_state state[MOST]; /* before the request at hand */
    bool must_work; /* every request must be answered */
    unsigned faults;
} sim;

static unsigned faults;

__attribute__((format(printf, 2, 3))) static void fault(sim *s, const char *fmt, ...)
{
    va_list ap;

    faults++;
    if (++s->faults > 6) /* the first ones tell what it is */
        return;
    fprintf(stderr, "%s, %s, request %llu: ", jk_method_name(s->method), s->part, (unsigned long long)s->requests);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* ---- chance ---- */

static uint64_t chance(sim *s)
{
    s->seed ^= s->seed << 13;
    s->seed ^= s->seed >> 7;
    s->seed ^= s->seed << 17;
    return s->seed * UINT64_C(0x2545F4914F6CDD1D);
}

static int below(sim *s, int n)
{
    return (int)((chance(s) >> 33) % (uint64_t)n);
}

static bool happens(sim *s, int percent)
{
    return below(s, 100) < percent;
}

/* Most are small, a few are long. */
static uint64_t size_of(sim *s)
{
    uint64_t n = 200 + (uint64_t)below(s, 8000);

    if (s->heavy && below(s, 50) == 0)
        n += (uint64_t)below(s, 1000000);
    return n;
}

/* ---- what actors do ---- */

static mood mood_now(const sim *s, int m)
{
    mood is = s->mood[m];

    if (is == FLAPS)
        return apr_time_sec(world_now) / 3 % 2 ? REFUSES : WELL;
    return is;
}

static world_act act_of(sim *s, int m)
{
    mood is = mood_now(s, m);
    world_act act = { .rc = JK_OK, .progress = JK_PROGRESS_ANSWERED, .takes = s->fast / 4 + below(s, (int)s->fast * 3 / 2), .read = size_of(s),
                      .written = 300 + (uint64_t)below(s, 600), .fresh = happens(s, 5) };

    if (is == SOME_DROP)
        is = happens(s, 10) ? DROPS : WELL;
    switch (is) {
    case REFUSES:
        return (world_act){ .rc = JK_E_CONNECT, .err = ECONNREFUSED, .refusals = 1, .takes = MS(1) };
    case STALLS:
        return (world_act){ .rc = JK_E_TIMEOUT, .progress = JK_PROGRESS_SENT, .takes = MS(2000), .written = act.written };
    case DROPS:
        return (world_act){ .rc = JK_E_RECV, .progress = JK_PROGRESS_SENT, .takes = MS(20), .written = act.written };
    case BREAKS:
        act.rc = JK_E_RECV;
        return act;
    case SAYS_503:
    case SAYS_404:
        return (world_act){ .rc = JK_E_STATUS, .soft = is == SAYS_404, .progress = JK_PROGRESS_SENT, .takes = MS(5), .written = act.written,
                            .read = 200 };
    case FULL:
        return happens(s, 50) ? act : (world_act){ .rc = JK_E_BUSY, .takes = MS(100) };
    default:
        return act;
    }
}

/* ---- the books of the actors' side ---- */

static void pass_time(sim *s)
{
    double us = (double)(world_now - s->since);

    for (int m = 0; m < s->n; m++)
        s->busy_us[m] += us * s->under_way[m];
    s->since = world_now;
}

static void visit_ends(sim *s, world_call *call, int m)
{
    pass_time(s);
    s->under_way[m]--;
    s->probe[m] = NULL; /* every end leaves PRB */
    if (call->act.rc == JK_OK)
        s->bytes[m] += call->act.read + call->act.written;
}

static size_t second_of(const sim *s)
{
    int64_t at = apr_time_sec(world_now) - s->first_second;

    return at < SECONDS ? (size_t)at : SECONDS - 1;
}

/* ---- what must hold when a member is asked ---- */

static void check_state(sim *s, world_call *call, int m)
{
    jk_member_state state = jk_stat_state(world_stat(s->w, m));

    if (state == JK_STATE_ERR || state == JK_STATE_BUSY || state == JK_STATE_REC)
        fault(s, "m%d was asked while it is %s", m, jk_member_label(state));
    if (state != JK_STATE_PRB)
        return;
    if (s->probe[m])
        fault(s, "m%d is tried by two requests at once", m);
    s->probe[m] = call;
    s->probes++;
}

static void check_wanted(sim *s, const world_call *call, int m)
{
    if (call->mine.visits > 0 || call->order != s->edits) /* a later attempt, or somebody edited meanwhile */
        return;
    if (call->mine.wanted >= 0 && call->mine.wanted != m)
        fault(s, "m%d was asked, and not m%d, whose session it is: that was %s and %s", m, call->mine.wanted,
              jk_member_label(s->state[call->mine.wanted]), jk_member_activation(s->active[call->mine.wanted]));
    if (call->mine.wanted < 0 && !(call->mine.allowed >> m & 1))
        fault(s, "m%d was asked, which is %s, distance %d: the request may go to %x", m, jk_member_activation(s->active[m]), s->distance[m],
              (unsigned)call->mine.allowed);
}

static void check_again(sim *s, const world_call *call, int m)
{
    const jk_tune lb = world_tune(s->w, -1);

    if (call->mine.visits == 0)
        return;
    s->failovers++;
    if (call->mine.visits >= 4) /* lb_retries=2, and once more after all were forced */
        fault(s, "%d members were asked", call->mine.visits + 1);
    if (call->mine.seen >> m & 1 && jk_stat_state(world_stat(s->w, m)) != JK_STATE_FRC && s->forced == 0)
        fault(s, "m%d was asked twice", m);
    if (call->mine.progress < JK_PROGRESS_SENT)
        return;
    if (call->mine.progress > JK_PROGRESS_SENT || call->rq.method.len != 3)
        fault(s, "sent again: a %.*s that had come to %d", (int)call->rq.method.len, (const char *)call->rq.method.p, (int)call->mine.progress);
    size_t now = second_of(s);
    uint64_t started = 0, resent = 0;
    for (size_t i = now < 9 ? 0 : now - 9; i <= now; i++) {
        started += s->started[i];
        resent += s->resent[i];
    }
    if (lb.retry_budget > 0 && s->resent[now] >= 3 && (resent + 1) * 100 > started * (uint64_t)lb.retry_budget)
        fault(s, "%llu of %llu requests of the last 10 s are sent again", (unsigned long long)resent + 1, (unsigned long long)started);
    s->resent[now]++;
    s->resends++;
}

static world_act visit(void *ctx, world_call *call, int m)
{
    sim *s = ctx;

    if (call->mine.visits > 0) {
        world_act now = call->act;
        visit_ends(s, call, call->mine.last);
        call->mine.progress = now.progress;
    }
    if (s->active[m] == JK_STOPPED && call->order == s->edits)
        fault(s, "m%d was asked, which is stopped", m);
    check_state(s, call, m);
    check_wanted(s, call, m);
    check_again(s, call, m);
    pass_time(s);
    if (++s->under_way[m] >= s->busy_limit[m] && s->busy_limit[m] > 0)
        s->full_at = world_now;
    s->visits[m]++;
    s->window[m]++;
    s->fresh[m] += call->mine.session < 0;
    if (call->mine.visits++ == 0)
        call->mine.first = m;
    call->mine.last = m;
    call->mine.seen |= 1u << m;
    call->mine.progress = JK_PROGRESS_NONE;
    return act_of(s, m);
}

/* ---- the end of a request ---- */

static void set_member(session *one, int member)
{
    one->member = member;
    snprintf(one->cookie, sizeof one->cookie, "JSESSIONID=x.m%d", member);
}

/* The container that answered issues the session id, with its own route. */
static void keep_session(sim *s, const world_call *call)
{
    int i = call->mine.session;

    if (i < 0 && s->nsessions < SESSIONS)
        i = s->nsessions++;
    else if (i < 0)
        i = below(s, SESSIONS);
    set_member(&s->sessions[i], call->mine.last);
}

static bool could_go(const sim *s, int m)
{
    jk_member_state state = jk_stat_state(world_stat(s->w, m));

    return s->active[m] == JK_ACTIVE && (jk_member_usable(state) || state == JK_STATE_ERR);
}

/* A request that failed: was there nobody else? */
static void check_failure(sim *s, const world_call *call, jk_rc rc)
{
    bool free = call->act.progress == JK_PROGRESS_NONE && rc != JK_E_BUSY;

    s->bad++;
    if (s->must_work)
        fault(s, "all are well again, and it failed: %s", jk_outcome_name(rc));
    if (call->mine.visits >= 2 || (call->mine.visits > 0 && !free) || call->order != s->edits)
        return;
    if (world_now - s->full_at < SEC(5)) /* who is full was one of those that were tried, without a visit */
        return;
    for (int m = 0; m < s->n; m++)
        if (could_go(s, m) && !(call->mine.seen >> m & 1))
            fault(s, "given up (%s) after %d members, and m%d is %s", jk_outcome_name(rc), call->mine.visits, m,
                  jk_member_label(jk_stat_state(world_stat(s->w, m))));
}

static void over(void *ctx, world_call *call, jk_rc rc)
{
    sim *s = ctx;

    if (call->mine.visits > 0)
        visit_ends(s, call, call->mine.last);
    if (rc != JK_OK)
        check_failure(s, call, rc);
    else {
        s->good++;
        keep_session(s, call);
    }
}

static void line(void *ctx, jk_log_level level, unsigned id, const char *text)
{
    sim *s = ctx;

    (void)level;
    s->refusals += id == 602;
    s->forced += strstr(text, "Forcing recovery") != NULL;
}

/* ---- a request begins ---- */

static bool certain(const sim *s, int m)
{
    return jk_member_usable(s->state[m]);
}

static bool perhaps(const sim *s, int m)
{
    return s->state[m] == JK_STATE_BUSY || s->busy_limit[m] > 0;
}

/* The nearest active ones of a domain (0: of all); empty: nobody is certain. */
static uint32_t nearest(const sim *s, char domain)
{
    int near = INT32_MAX;
    uint32_t set = 0;

    for (int m = 0; m < s->n; m++)
        if ((domain == 0 || s->domain[m] == domain) && s->active[m] == JK_ACTIVE && certain(s, m) && !perhaps(s, m) && s->distance[m] < near)
            near = s->distance[m];
    for (int m = 0; m < s->n; m++)
        if ((domain == 0 || s->domain[m] == domain) && s->active[m] == JK_ACTIVE && s->distance[m] <= near && (certain(s, m) || perhaps(s, m)))
            set |= 1u << m;
    return near == INT32_MAX ? 0 : set;
}

/* The session's own, or the one that stands in for it. */
static bool expect_member(sim *s, world_call *call, int m)
{
    if (m < 0 || s->active[m] == JK_STOPPED || (!certain(s, m) && !perhaps(s, m)))
        return false;
    if (perhaps(s, m))
        call->mine.allowed = ~0u;
    else
        call->mine.wanted = m;
    return true;
}

static void expect(sim *s, world_call *call)
{
    int m = call->mine.session < 0 ? -1 : s->sessions[call->mine.session].member;

    call->mine.wanted = -1;
    call->mine.allowed = 0;
    for (int i = 0; i < s->n; i++)
        s->state[i] = jk_stat_state(world_stat(s->w, i));
    if (expect_member(s, call, m))
        return;
    if (m >= 0 && s->redirect[m] >= 0 && expect_member(s, call, s->redirect[m]))
        return;
    if (m >= 0 && s->redirect[m] < 0 && s->domain[m])
        call->mine.allowed = nearest(s, s->domain[m]);
    if (call->mine.allowed == 0)
        call->mine.allowed = nearest(s, 0);
    if (call->mine.allowed == 0)
        call->mine.allowed = ~0u; /* a standby, or who is forced */
}

static void begin(sim *s, int session_percent)
{
    int one = s->nsessions > 0 && happens(s, session_percent) ? below(s, s->nsessions) : -1;
    const char *method = happens(s, 30) ? "POST" : "GET";
    world_call *call = world_call_make(s->w, below(s, s->processes), method, "/app/page", one < 0 ? NULL : s->sessions[one].cookie);

    call->mine.session = one;
    call->order = s->edits;
    expect(s, call);
    s->requests++;
    s->started[second_of(s)]++;
    world_call_start(s->w, call);
}

/* ---- parts ---- */

static void describe(char *text, size_t size, const sim *s, const char *more)
{
    size_t at = (size_t)snprintf(text, size, "worker.list=b\nworker.b.type=lb\nworker.b.method=%s\nworker.b.retries=1\n%sworker.b.balance_workers=",
                                 jk_method_name(s->method), more);

    for (int m = 0; m < s->n; m++)
        at += (size_t)snprintf(text + at, size - at, "%sm%d", m ? "," : "", m);
    for (int m = 0; m < s->n; m++) {
        at += (size_t)snprintf(text + at, size - at, "\nworker.m%d.type=ajp13\nworker.m%d.host=127.0.0.1\nworker.m%d.port=%d"
                               "\nworker.m%d.lbfactor=%d", m, m, m, 8000 + m, m, s->factor[m]);
        if (s->distance[m])
            at += (size_t)snprintf(text + at, size - at, "\nworker.m%d.distance=%d", m, s->distance[m]);
        if (s->domain[m])
            at += (size_t)snprintf(text + at, size - at, "\nworker.m%d.domain=%c", m, s->domain[m]);
        if (s->redirect[m] >= 0)
            at += (size_t)snprintf(text + at, size - at, "\nworker.m%d.redirect=m%d", m, s->redirect[m]);
        if (s->busy_limit[m])
            at += (size_t)snprintf(text + at, size - at, "\nworker.m%d.busy_limit=%d", m, s->busy_limit[m]);
        if (s->active[m] != JK_ACTIVE)
            at += (size_t)snprintf(text + at, size - at, "\nworker.m%d.activation=%s", m, s->active[m] == JK_DISABLED ? "disabled" : "stopped");
    }
    snprintf(text + at, size - at, "\n");
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void make(sim *s, jk_method method, const char *part, const int *factors, int n)
{
    memset(s, 0, sizeof *s);
    s->method = method;
    s->part = part;
    s->n = n;
    s->processes = 3;
    s->seed = UINT64_C(0x9E3779B97F4A7C15) + (unsigned)method + from_environment("JK_SIM_SEED", 0) * 1000;
    s->fast = MS(200);
    s->heavy = true;
    for (int m = 0; m < n; m++) {
        s->factor[m] = factors[m];
        s->redirect[m] = -1;
        s->good_since[m] = world_now;
    }
}

static void start(sim *s, const char *more)
{
    static world_script script = { .visit = visit, .over = over, .line = line };
    char text[8192];

    script.ctx = s;
    describe(text, sizeof text, s, more);
    s->w = world_make(text, s->processes, &script);
    s->since = world_now;
    s->first_second = apr_time_sec(world_now);
}

/* Everything that was begun has ended, and the books say so. */
static void finish(sim *s)
{
    world_run(s->w, world_now + SEC(10));
    if (world_busy(s->w) > 0)
        fault(s, "%zu requests never end", world_busy(s->w));
    world_run(s->w, world_now + SEC(130));
    for (int m = -1; m < s->n; m++)
        if (jk_stat_busy(world_stat(s->w, m)) != 0)
            fault(s, "at the end m%d has %u requests under way", m, jk_stat_busy(world_stat(s->w, m)));
    for (int m = 0; m < s->n; m++) {
        uint64_t served = jk_stat_read(world_stat(s->w, m)).count[JK_COUNT_SERVED], value = jk_stat_value(world_stat(s->w, m));
        if (served != s->visits[m])
            fault(s, "m%d was asked %llu times, its book says %llu", m, (unsigned long long)s->visits[m], (unsigned long long)served);
        if (s->method == JK_METHOD_BUSYNESS && value != 0)
            fault(s, "nothing is under way, and m%d has the value %llu", m, (unsigned long long)value);
    }
    if (s->requests != s->good + s->bad + s->killed)
        fault(s, "%llu requests, %llu ended well and %llu did not", (unsigned long long)s->requests, (unsigned long long)s->good,
              (unsigned long long)s->bad);
    world_end(s->w);
}

static double sum_of(const double *of, int n)
{
    double sum = 0;

    for (int m = 0; m < n; m++)
        sum += of[m];
    return sum;
}

/* What the method promises to share out. */
static double load_of(const sim *s, int m)
{
    switch (s->method) {
    case JK_METHOD_REQUEST:
        return (double)s->visits[m];
    case JK_METHOD_TRAFFIC:
        return (double)s->bytes[m];
    case JK_METHOD_BUSYNESS:
        return s->busy_us[m];
    default:
        return (double)s->fresh[m];
    }
}

/* How far a member's share may be off, in per cent of the whole load, and why. */
static const struct {
    const char *by;
    double points;
    int sessions;      /* per cent of the requests that have one */
    apr_time_t takes;  /* us, on average */
} promises[] = {
    /* At any moment one request more or less of some ten thousand that are remembered. */
    [JK_METHOD_REQUEST] = { "requests", 0.05, 70, MS(200) },
    /* It is known only when a request is over. Until then all new ones (60 a second for 0.2 s and, after a long answer, for longer) go to the
     * member that is least: some dozens of the 12,000 that are remembered. */
    [JK_METHOD_TRAFFIC] = { "bytes", 0.4, 70, MS(200) },
    /* Whole requests: one more or less of the 160 that are under way. Without sessions, which go where they must. */
    [JK_METHOD_BUSYNESS] = { "requests at once", 100.0 / 160, 0, MS(800) },
    [JK_METHOD_SESSIONS] = { "new sessions", 0.05, 70, MS(200) },
    [JK_METHOD_NEXT] = { "new sessions", 0.05, 70, MS(200) },
};

static void check_shares(sim *s)
{
    double loads[MOST] = { 0 }, factors = 0;

    for (int m = 0; m < s->n; m++) {
        loads[m] = load_of(s, m);
        factors += s->factor[m];
    }
    double all = sum_of(loads, s->n);
    for (int m = 0; m < s->n; m++) {
        double due = s->factor[m] / factors, got = loads[m] / all, off = 100 * (got - due);
        printf("%-9s m%d %8d %8.3f %% %8.3f %%   %+7.3f   %-17s %8llu requests, %7llu new sessions, %6.1f MB, %5.1f at once\n",
               m ? "" : jk_method_name(s->method), m, s->factor[m], 100 * due, 100 * got, off, m ? "" : promises[s->method].by,
               (unsigned long long)s->visits[m], (unsigned long long)s->fresh[m], (double)s->bytes[m] / 1e6,
               s->busy_us[m] / (double)(world_now - SEC(s->first_second)));
        if (off > promises[s->method].points || off < -promises[s->method].points)
            fault(s, "m%d has %.3f %% of the %s, and should have %.3f %%", m, 100 * got, promises[s->method].by, 100 * due);
    }
}

static void shares(jk_method method, uint64_t requests)
{
    static const int factors[] = { 1, 2, 3, 4, 6 };
    static sim s;

    make(&s, method, "shares", factors, 5);
    s.fast = promises[method].takes;
    start(&s, "");
    while (s.requests < requests) {
        world_run(s.w, world_now + 1 + below(&s, 10000)); /* 200 a second */
        begin(&s, promises[method].sessions);
    }
    check_shares(&s);
    finish(&s);
    if (s.bad)
        fault(&s, "%llu requests failed where all were well", (unsigned long long)s.bad);
}

/* ---- going and coming back ---- */

static void kill_one(sim *s, int process)
{
    pass_time(s);
    s->killed += world_kill(s->w, process);
    for (int m = 0; m < s->n; m++) {
        if (s->probe[m] && s->probe[m]->process == process)
            s->probe[m] = NULL;
        s->under_way[m] = (int)jk_stat_busy(world_stat(s->w, m));
    }
}

typedef struct window_of {
    double due;      /* of the member, had it had its share from the first moment on */
    double got;
} window_of;

static double load_now(const sim *s, int m)
{
    return s->method == JK_METHOD_BUSYNESS ? s->busy_us[m] + s->under_way[m] * (double)(world_now - s->since) : load_of(s, m);
}

/* So many requests, and what member m has of their load. */
static window_of watch(sim *s, int m, uint64_t requests, int every_us)
{
    double before[MOST] = { 0 }, after[MOST] = { 0 }, factors = 0;
    uint64_t until = s->requests + requests;

    for (int i = 0; i < s->n; i++) {
        before[i] = load_now(s, i);
        factors += s->factor[i];
    }
    while (s->requests < until) {
        world_run(s->w, world_now + 1 + below(s, 2 * every_us));
        begin(s, 0);
    }
    for (int i = 0; i < s->n; i++)
        after[i] = load_now(s, i) - before[i];
    return (window_of){ sum_of(after, s->n) * s->factor[m] / factors, after[m] };
}

/* From the moment on that it may be tried: how many requests until it is? */
/* `lost`: its first probe is killed with its process. */
static void come_back(sim *s, int m, int every_us, bool lost)
{
    jk_stat *stat = world_stat(s->w, m);
    uint64_t at, waited;

    s->mood[m] = WELL;
    for (int i = 0; i < 40000 && jk_stat_state(stat) == JK_STATE_ERR; i++)
        watch(s, m, 1, every_us);
    if (jk_stat_state(stat) == JK_STATE_ERR)
        return fault(s, "m%d never comes back", m);
    for (at = s->requests; jk_stat_state(stat) == JK_STATE_REC && s->requests < at + 5000;)
        watch(s, m, 1, every_us);
    waited = s->requests - at;
    /* It begins with the largest value: the others have to come there first, which is a round or two; with Traffic a few large answers. */
    if (waited > (s->method == JK_METHOD_TRAFFIC ? 800 : 60))
        fault(s, "m%d may be tried, and has to wait for %llu requests", m, (unsigned long long)waited);
    if (lost && s->probe[m])
        kill_one(s, s->probe[m]->process);
    for (int i = 0; i < 8000 && jk_stat_state(stat) != JK_STATE_OK; i++)
        watch(s, m, 1, every_us);
    if (jk_stat_state(stat) != JK_STATE_OK)
        fault(s, "m%d was tried, and is %s", m, jk_member_label(jk_stat_state(stat)));
}

/* In the window after it, it has its share, and not all that it had missed. */
static void check_window(sim *s, int m, const char *when, window_of got)
{
    double most = s->method == JK_METHOD_TRAFFIC ? 1.6 : s->method == JK_METHOD_BUSYNESS ? 1.3 : 1.1;

    if (got.got > got.due * most || got.got < got.due / most)
        fault(s, "%s, m%d has %.0f, and its share is %.0f", when, m, got.got, got.due);
}

static void back(jk_method method, uint64_t requests)
{
    static const int factors[] = { 1, 2, 3, 4 };
    static const mood ways[] = { REFUSES, STALLS, SAYS_503 };
    static sim s;
    const int every = 10000; /* 100 a second */

    make(&s, method, "back", factors, 4);
    s.fast = MS(400);
    s.heavy = false;
    start(&s, "worker.b.retry_budget=0\n");
    world_run(s.w, world_now + SEC(1));
    for (int round = 0; s.requests < requests; round++) {
        int m = round % s.n;
        watch(&s, m, 2000, every);
        s.mood[m] = ways[round % 3];
        watch(&s, m, 2000, every);
        if (round % 5 == 4) /* a quiet time: the rest of it is forgotten */
            world_run(s.w, world_now + SEC(300));
        come_back(&s, m, every, round % 4 == 3);
        check_window(&s, m, "after it came back", watch(&s, m, 2000, every));
        check_window(&s, m, "later", watch(&s, m, 2000, every));
    }
    finish(&s);
}

/* ---- the storm ---- */

static void change_mood(sim *s, int m)
{
    bool was_good = s->mood[m] == WELL;

    s->mood[m] = was_good ? (mood)(1 + below(s, MOODS - 1)) : WELL;
    s->mood_until[m] = world_now + SEC(s->mood[m] == WELL ? 100 + below(s, 400) : 20 + below(s, 140));
    s->good_since[m] = world_now;
}

static void edit_one(sim *s, int m)
{
    jk_tune tune = world_tune(s->w, m);

    if (happens(s, 50)) {
        s->active[m] = happens(s, 50) ? JK_ACTIVE : happens(s, 50) ? JK_DISABLED : JK_STOPPED;
        tune.activation = s->active[m];
    } else {
        tune.lbfactor = s->factor[m] = 1 + below(s, 8);
    }
    world_edit(s->w, m, &tune);
    s->edits++;
    s->good_since[m] = world_now;
}

/* Once a minute: whoever is well for long enough has been asked. recover_time, two maintenances and the escalation are 210 s. */
static void check_starved(sim *s)
{
    for (int m = 0; m < s->n; m++) {
        bool should = s->mood[m] == WELL && s->active[m] == JK_ACTIVE && s->distance[m] == 0 && world_now - s->good_since[m] > SEC(300);
        if (should && s->window[m] == 0)
            fault(s, "m%d is well since %d s, %s with value %llu, and nobody asked it in the last minute", m,
                  (int)apr_time_sec(world_now - s->good_since[m]), jk_member_label(jk_stat_state(world_stat(s->w, m))),
                  (unsigned long long)jk_stat_value(world_stat(s->w, m)));
        s->window[m] = 0;
    }
}

static void let_all(sim *s, mood how, int seconds)
{
    for (int m = 0; m < s->n; m++) {
        s->mood[m] = how;
        s->good_since[m] = world_now;
        s->mood_until[m] = world_now + SEC(seconds);
    }
}

static void requests_for(sim *s, int seconds, int sessions)
{
    for (apr_time_t until = world_now + SEC(seconds); world_now < until;) {
        world_run(s->w, world_now + 1 + below(s, 20000));
        begin(s, sessions);
    }
}

/* All are gone at once, and then all are back: nobody waits for recover_time then. */
static void black_out(sim *s)
{
    for (int m = 0; m < s->n; m++)
        if (s->active[m] == JK_STOPPED) {
            jk_tune tune = world_tune(s->w, m);
            tune.activation = s->active[m] = JK_ACTIVE;
            world_edit(s->w, m, &tune);
            s->edits++;
        }
    let_all(s, REFUSES, 1000);
    requests_for(s, 20, 50);
    let_all(s, WELL, 100);
    world_run(s->w, world_now + SEC(4));
    s->must_work = true;
    requests_for(s, 4, 50);
    world_run(s->w, world_now + SEC(4));
    s->must_work = false;
}

static void minute(sim *s, int no)
{
    static const int sessions[] = { 70, 70, 30, 0, 95 };

    for (int second = 0; second < 60; second++) {
        for (int m = 0; m < s->n; m++)
            if (world_now >= s->mood_until[m])
                change_mood(s, m);
        requests_for(s, 1, sessions[no % 5]);
    }
    check_starved(s);
    if (no % 3 == 2)
        edit_one(s, below(s, s->n - 1));
    if (no % 8 == 7)
        kill_one(s, below(s, s->processes));
    if (no % 25 == 24)
        black_out(s);
}

static void storm(jk_method method, uint64_t requests)
{
    /* m0, m1: a domain; m2: m7 stands in for it; m3, m4: a domain; m5: far away; m6: with a limit; m7: disabled, the standby */
    static const int factors[] = { 1, 2, 3, 4, 1, 2, 5, 2 };
    static sim s;

    make(&s, method, "storm", factors, 8);
    s.domain[0] = s.domain[1] = 'e';
    s.domain[3] = s.domain[4] = 'w';
    s.distance[5] = 1;
    s.redirect[2] = 7;
    s.busy_limit[6] = 6;
    s.active[7] = JK_DISABLED;
    start(&s, "worker.b.max_reply_timeouts=2\nworker.b.lb_retries=2\n");
    let_all(&s, WELL, 100);
    for (int no = 0; s.requests < requests; no++)
        minute(&s, no);
    finish(&s);
    printf("%-9s storm: %llu requests, %llu failed, %llu lost with their process; %llu times another member, %llu of them sent again; "
           "the budget refused %llu; %llu probes, %llu times forced\n",
           jk_method_name(method), (unsigned long long)s.requests, (unsigned long long)s.bad, (unsigned long long)s.killed,
           (unsigned long long)s.failovers, (unsigned long long)s.resends, (unsigned long long)s.refusals, (unsigned long long)s.probes,
           (unsigned long long)s.forced);
    if (requests >= 400000 && (s.resends == 0 || s.refusals == 0 || s.probes == 0 || s.forced == 0 || s.killed == 0))
        fault(&s, "it was no storm");
}

/* ---- as large as they can be ---- */

static world_act huge_visit(void *ctx, world_call *call, int m)
{
    sim *s = ctx;
    world_act act = visit(ctx, call, m);

    act.read = UINT64_C(1) << (30 + below(s, 20));
    return act;
}

static void huge(jk_method method, uint64_t requests)
{
    static const int factors[] = { 2147483647, 2147483629, 2147483587, 1 };
    static world_script script = { .visit = huge_visit, .over = over, .line = line };
    static sim s;
    char text[8192];

    make(&s, method, "huge", factors, 4);
    describe(text, sizeof text, &s, "");
    script.ctx = &s;
    s.w = world_make(text, s.processes, &script);
    s.since = world_now;
    s.first_second = apr_time_sec(world_now);
    world_maintain_every(s.w, 0); /* nothing is ever forgotten */
    while (s.requests < requests) {
        world_run(s.w, world_now + 1 + below(&s, 2000));
        begin(&s, 0);
        for (int m = 0; m < s.n && method != JK_METHOD_BUSYNESS; m++) {
            uint64_t value = jk_stat_value(world_stat(s.w, m));
            if (value < s.value_before[m])
                fault(&s, "the value of m%d went round the top: %llu after %llu", m, (unsigned long long)value,
                      (unsigned long long)s.value_before[m]);
            s.value_before[m] = value;
        }
    }
    for (int m = 0; m < 3; m++) /* the three large ones are as good as equal */
        if (method != JK_METHOD_TRAFFIC && (s.visits[m] * 4 < s.requests || s.visits[m] * 5 > 2 * s.requests))
            fault(&s, "m%d was asked %llu times", m, (unsigned long long)s.visits[m]);
    finish(&s);
}

int main(void)
{
    static const jk_method methods[] = { JK_METHOD_REQUEST, JK_METHOD_TRAFFIC, JK_METHOD_BUSYNESS, JK_METHOD_SESSIONS, JK_METHOD_NEXT };
    uint64_t n = from_environment("JK_SIM_REQUESTS", 1000000); /* per method */

    apr_initialize();
    printf("method    member lbfactor  due     measured   points off  of what\n");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        shares(methods[i], n * 35 / 100);
        back(methods[i], n * 14 / 100);
        huge(methods[i], n / 100);
        storm(methods[i], n / 2);
    }
    if (faults)
        fprintf(stderr, "%u faults\n", faults);
    return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}
