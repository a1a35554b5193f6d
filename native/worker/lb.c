/* native/worker/lb.c - takes a run to one member after the other. The stages of a run here:
 *
 *   BEGIN -> CHOOSE -> MEMBER (worker/backend's own stages) -> done
 *              ^  \       |
 *              |   \      +-- it failed, and another may have it --+
 *              |    +-- no member is left: PAUSE, another pass     |
 *              +---------------------------------------------------+
 *
 * Who is chosen is balance/choose's to say, what a failure means for the member balance/member's, whether the request may be sent
 * again balance/retry's and balance/budget's. */
#include "group.h"

#include "jk/ajp/frame.h"
#include "jk/balance/retry.h"
#include "jk/conf/keys.h"
#include "jk/route/session.h"
#include "jk/worker/backend.h"
#include "jk/worker/visit.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <string.h>

enum { BEGIN, CHOOSE, MEMBER, PAUSE };

#define NOBODY JK_CHOOSE_NOBODY
#define COOKIES_MOST 8 /* Cookie headers that are looked at: clients send one */

/* How far a run has come with this balancer. */
typedef struct jk_tour {
    jk_lb *lb;
    const jk_group *group;
    int stage, pass, tried; /* tried: members in this pass */
    uint32_t member, last;  /* the one that has it; the last that had it */
    bool counted, forced, is_new, sent;
    bool owes; /* it was written, and would be sent again: that is the budget's to allow */
    jk_method method; /* and multiplier that the member was chosen by: an edit meanwhile must not unbalance the books */
    uint64_t mult;
    uint64_t bytes_before, *failed;
    jk_rc last_rc;
    bool glanced;
    jk_lb_glance *glances; /* first and last; NULL: nobody wants them */
    /* written by read_session() */
    bool has_session;
    jk_span id; /* of the session, for messages */
    const jk_span *routes;
    size_t nroutes;
    jk_span only_route; /* where routes points to, where there is one: nearly always */
} jk_tour;

static const jk_wish no_wish = { .reply_timeout = -1 };

static const jk_wish *wish_of(const jk_run *run)
{
    return run->wish ? run->wish : &no_wish;
}

/* As it is for this request: its rule may have a word on it. */
static jk_activation activation_of(const jk_run *run, uint32_t member)
{
    const int8_t *by_rule = wish_of(run)->activations;

    if (by_rule && by_rule[member] != JK_CHOOSE_AS_CONFIGURED)
        return (jk_activation)by_rule[member];
    return run->tour->group->choose.members[member].activation;
}

/* ---- glances ---- */

static void glance(const jk_run *run, jk_lb_glance *out)
{
    const jk_tour *tour = run->tour;
    const jk_lb_member *m;

    if (tour->last == NOBODY)
        return;
    m = &tour->lb->members[tour->last];
    *out = (jk_lb_glance){ m->worker->name, jk_stat_value(m->stat), jk_stat_read(m->stat), activation_of(run, tour->last),
                           jk_stat_state(m->stat) };
}

const jk_lb_glance *jk_lb_first(const jk_run *run)
{
    return &run->tour->glances[0];
}

const jk_lb_glance *jk_lb_last(const jk_run *run)
{
    return &run->tour->glances[1];
}

const char *jk_lb_route(const jk_run *run)
{
    const jk_tour *tour = run->tour;
    const jk_span *route = tour && tour->last != NOBODY ? &tour->group->choose.members[tour->last].route : NULL;

    return route && route->len ? (const char *)route->p : NULL;
}

/* ---- the session ---- */

/* As clients write it, or in other letters. */
static bool is_cookie(jk_span name)
{
    return name.len == 6 && (memcmp(name.p, "Cookie", 6) == 0 || jk_span_ieq(name, JK_SPAN_LIT("Cookie")));
}

static size_t take_cookies(jk_span cookies[COOKIES_MOST], const jk_request *rq)
{
    size_t n = 0;

    for (size_t i = 0; i < rq->nheaders && n < COOKIES_MOST; i++)
        if (is_cookie(rq->headers[i].name))
            cookies[n++] = rq->headers[i].value;
    return n;
}

/* Later attempts try the same routes. */
static void keep_session(jk_tour *tour, jk_run *run, const jk_session *found)
{
    tour->has_session = found->place != JK_SESSION_NOWHERE;
    tour->id = found->id;
    tour->nroutes = found->nroutes;
    if (found->nroutes > 0)
        tour->only_route = found->routes[0];
    tour->routes = found->nroutes < 2 ? &tour->only_route : apr_pmemdup(run->pool, found->routes, found->nroutes * sizeof *found->routes);
}

static void read_session(jk_tour *tour, jk_run *run)
{
    const jk_wish *wish = wish_of(run);
    const jk_group *g = tour->group;
    jk_span cookies[COOKIES_MOST];
    jk_session found;

    if (!g->sticky || wish->sticky_ignore)
        return;
    jk_session_from from = { .forced = wish->route, .uri = run->rq->uri, .cookies = cookies, .ncookies = take_cookies(cookies, run->rq) };
    from.parameter = wish->session_path.len ? wish->session_path : g->session_path;
    from.cookie = wish->session_cookie.len ? wish->session_cookie : g->session_cookie;
    jk_session_read(&from, &found);
    if (found.empty)
        JK_INFO(run->log, "(%s) Detected empty session identifier", tour->lb->worker.name);
    keep_session(tour, run, &found);
}

/* ---- the beginning ---- */

static jk_rc begin(jk_lb *lb, jk_run *run)
{
    size_t words = JK_CHOOSE_WORDS(lb->places);
    jk_tour *tour = apr_palloc(run->pool, sizeof *tour + words * sizeof *tour->failed);

    memset(tour, 0, sizeof *tour);
    tour->failed = (uint64_t *)(tour + 1);
    for (size_t i = 0; i < words; i++)
        tour->failed[i] = 0;
    if (wish_of(run)->glances)
        tour->glances = apr_pcalloc(run->pool, 2 * sizeof *tour->glances);
    tour->lb = lb;
    tour->group = jk_group_now(lb);
    tour->member = tour->last = NOBODY;
    tour->last_rc = JK_E_BUSY;
    tour->stage = CHOOSE;
    run->tour = tour;
    run->first_most = lb->first_most;
    read_session(tour, run);
    tour->is_new = !tour->has_session && !wish_of(run)->stateless;
    jk_stat_begin(lb->stat);
    tour->counted = true;
    jk_stat_add(lb->stat, JK_COUNT_SERVED, 1);
    if (tour->group->retry_budget > 0)
        jk_stat_budget_started(lb->stat, apr_time_sec(run->begun));
    return JK_OK;
}

/* ---- choosing ---- */

/* A session without a member of its own gets a cookie that leads back to this one. */
static void set_cookie(jk_tour *tour, jk_run *run, jk_span route)
{
    static const char *const same_site[] = { "", ";SameSite=Lax", ";SameSite=Strict", ";SameSite=None" };
    const jk_worker_conf *conf = tour->lb->conf;
    const jk_wish *wish = wish_of(run);
    jk_span name = wish->session_cookie.len ? wish->session_cookie : tour->group->session_cookie;
    const char *path = wish->session_cookie_path ? wish->session_cookie_path : conf->session_cookie_path;

    run->cookie = apr_psprintf(run->pool, "%.*s=.%.*s%s%s;HttpOnly%s%s", (int)name.len, (const char *)name.p, (int)route.len,
                               (const char *)route.p, *path ? ";PATH=" : "", path,
                               run->rq->is_ssl ? ";Secure" : "", same_site[conf->session_cookie_samesite]);
}

/* Says once per process that the container names itself otherwise than its `route`: no session would stay with it. */
static void look_at_route(jk_run *run, jk_reply head)
{
    jk_tour *tour = run->tour;
    jk_lb_member *m = &tour->lb->members[tour->member];
    jk_span name, value, ours = tour->group->choose.members[tour->member].route;
    jk_span cookie = wish_of(run)->session_cookie.len ? wish_of(run)->session_cookie : tour->group->session_cookie;
    jk_session_id id;

    while (jk_reply_field(&head, &name, &value)) {
        if (name.len != 10 || !jk_span_ieq(name, JK_SPAN_LIT("Set-Cookie")))
            continue;
        jk_session_from from = { .cookie = cookie, .cookies = &value, .ncookies = 1 };
        jk_session_walk walk = jk_session_begin(&from);
        if (!jk_session_next(&walk, &id) || id.place != JK_SESSION_COOKIES || id.id.len == 0 || jk_span_eq(id.route, ours))
            continue;
        if (apr_atomic_cas32(&m->route_told, 1, 0) == 0)
            JK_WARN(run->log, 604, "(%s) the container of worker %s issues sessions with the route '%.*s', but its route here is '%.*s': sessions do "
                    "not stay with it; set jvmRoute=\"%.*s\" in the <Engine> of its server.xml, or worker.%s.route", tour->lb->worker.name,
                    m->worker->name, (int)(id.route.len < 64 ? id.route.len : 64), id.route.p ? (const char *)id.route.p : "",
                    (int)ours.len, (const char *)ours.p, (int)ours.len, (const char *)ours.p, m->worker->name);
    }
}

/* The first answers are all looked at, later ones now and then: a container does not change its name. */
static bool worth_a_look(jk_lb_member *m)
{
    uint32_t n = m->seen++;

    return n < 8 || n % 64 == 0;
}

/* What another member made of it before is not this one's. */
static __attribute__((noinline)) void begin_again(jk_tour *tour, jk_run *run)
{
    memset(run->up, 0, sizeof *run->up);
    run->up->read_before = run->read;
    run->up->written_before = run->written;
    run->up->began = run->since;
    run->status = 0;
    jk_stat_add(tour->lb->stat, JK_COUNT_RETRIES, 1);
}

static void go_to(jk_tour *tour, jk_run *run, const jk_choose_answer *answer)
{
    jk_lb *lb = tour->lb;
    const jk_choose_member *seen = &tour->group->choose.members[answer->member];
    jk_lb_member *m = &lb->members[answer->member];

    tour->member = tour->last = answer->member;
    tour->method = (jk_method)tour->group->rules.method;
    tour->mult = seen->mult;
    tour->bytes_before = run->read + run->written;
    jk_stat_value_move(m->stat, jk_method_before(tour->method, seen->mult, tour->is_new));
    if (tour->is_new)
        jk_stat_add(m->stat, JK_COUNT_SESSIONS, 1);
    if (answer->sticky)
        jk_stat_sticky(m->stat, apr_time_sec(run->begun));
    run->rq->route = wish_of(run)->route.len ? wish_of(run)->route : answer->route;
    run->rq->activation = (jk_span){ (const uint8_t *)jk_member_activation(activation_of(run, answer->member)), 3 }; /* each has three letters */
    run->cookie = NULL;
    if ((lb->conf->set_session_cookie || wish_of(run)->set_session_cookie) && tour->group->sticky && !answer->sticky)
        set_cookie(tour, run, seen->route); /* not its domain: the session would wander in that */
    run->on_head = seen->route.len && !m->route_told && worth_a_look(m) ? look_at_route : NULL;
    if (tour->sent || run->encoded)
        jk_run_elsewhere(run);
    run->x.progress = JK_PROGRESS_NONE;
    if (run->up->worker) /* another member's */
        begin_again(tour, run);
    if (tour->group->retry_budget > 0) {
        run->up->budget = lb->stat;
        run->up->budget_percent = tour->group->retry_budget;
    }
    tour->tried++;
    tour->stage = MEMBER;
}

/* Nobody is left in this pass: another one after a pause, or the end. */
static jk_rc exhausted(jk_tour *tour, jk_run *run, const char *words)
{
    const jk_group *g = tour->group;

    if (++tour->pass < g->retries && tour->last != NOBODY) {
        tour->tried = 0;
        memset(tour->failed, 0, JK_CHOOSE_WORDS(tour->lb->places) * sizeof *tour->failed);
        if (g->retry_interval <= 0) {
            tour->stage = CHOOSE;
            return JK_OK;
        }
        tour->stage = PAUSE;
        run->wait = (jk_wait){ JK_WAIT_TIMER, -1, apr_time_now() + (apr_time_t)g->retry_interval * 1000, false };
        return JK_AGAIN;
    }
    JK_ERROR(run->log, 601, "(%s) %s: %d members were tried in the last pass; see the lines above, and the members' states",
             tour->lb->worker.name, words, tour->tried);
    return tour->last_rc;
}

/* Somebody would get what was written once already (balance/budget): else slow containers get twice the load. */
static bool within_budget(jk_tour *tour, jk_run *run)
{
    jk_stat *stat = tour->lb->stat;
    int32_t percent = tour->group->retry_budget;

    if (!tour->owes)
        return true;
    tour->owes = false;
    if (jk_stat_budget_take(stat, apr_time_sec(apr_time_now()), percent)) {
        jk_stat_add(stat, JK_COUNT_RESENDS, 1);
        return true;
    }
    jk_stat_add(stat, JK_COUNT_REFUSALS, 1);
    JK_WARN(run->log, 602, "(%s) not sent to another member: more than %d%% of the requests of the last seconds were sent again already "
            "(retry_budget); the containers are slow or ill", tour->lb->worker.name, percent);
    return false;
}

static jk_rc choose(jk_tour *tour, jk_run *run)
{
    jk_lb *lb = tour->lb;
    const jk_group *g = tour->group;
    int64_t now = apr_time_sec(run->begun);
    jk_choose_request ask = { .routes = tour->routes, .nroutes = tour->nroutes, .has_session = tour->has_session, .sticky_force = g->force,
                              .stateless = wish_of(run)->stateless, .was_forced = tour->forced, .activations = wish_of(run)->activations,
                              .failed = tour->failed, .offset = lb->offset };

    if (tour->tried > 0 && tour->tried >= lb->conf->lb_retries)
        return exhausted(tour, run, "All tomcat instances failed, no more workers left");
    jk_choose_answer answer = jk_choose(&g->choose, &ask);
    switch (answer.result) {
    case JK_CHOOSE_FOUND:
        if (!within_budget(tour, run))
            return tour->last_rc;
        if (answer.state == JK_STATE_REC && !(jk_stat_event(lb->members[answer.member].stat, JK_MEMBER_CHOSEN, now, &g->rules).todo & JK_DO_CLAIM))
            return JK_OK; /* another request tries it: ask again */
        lb->offset = (uint32_t)answer.offset;
        go_to(tour, run, &answer);
        return JK_OK;
    case JK_CHOOSE_FORCE:
        tour->forced = true;
        JK_INFO(run->log, "(%s) Forcing recovery once for %u workers", lb->worker.name, jk_group_force(lb, g, apr_time_sec(apr_time_now())));
        memset(tour->failed, 0, JK_CHOOSE_WORDS(lb->places) * sizeof *tour->failed);
        return JK_OK;
    case JK_CHOOSE_SESSION:
        JK_INFO(run->log, "(%s) all workers are in error state for session %.*s", lb->worker.name, (int)tour->id.len,
                tour->id.p ? (const char *)tour->id.p : "");
        return exhausted(tour, run, "All tomcat instances for the session are busy or in error state, and sticky_session_force allows no other");
    default:
        return exhausted(tour, run, "All tomcat instances are busy or in error state");
    }
}

/* ---- what a member made of it ---- */

static jk_member_news news_of(const jk_run *run, jk_rc rc)
{
    if (rc == JK_E_BUSY && run->up->stage == 0) /* it was not even let in: busy_limit */
        return JK_MEMBER_BUSY;
    return jk_member_news_of(rc, run->soft);
}

/* Connects that were refused, or had no way, say more of a member than other failures; each of them does. */
static void tell_connect(jk_tour *tour, jk_run *run, jk_rc rc, int64_t now)
{
    jk_stat *stat = tour->lb->members[tour->member].stat;

    for (int i = 0; i < run->up->refusals; i++)
        (void)jk_stat_event(stat, JK_MEMBER_REFUSED, now, &tour->group->rules);
    if (rc != JK_E_CONNECT && run->up->fresh)
        (void)jk_stat_event(stat, JK_MEMBER_CONNECTED, now, &tour->group->rules);
}

static void book(jk_tour *tour, jk_run *run, jk_rc rc)
{
    jk_lb_member *m = &tour->lb->members[tour->member];
    uint64_t bytes = run->read + run->written - tour->bytes_before;
    jk_member_change change;

    jk_stat_value_move(m->stat, jk_method_after(tour->method, tour->mult, bytes));
    if (rc == JK_OK && jk_stat_is_well(m->stat) && !run->up->fresh)
        return;
    int64_t now = apr_time_sec(apr_time_now());
    tell_connect(tour, run, rc, now);
    change = jk_stat_event(m->stat, news_of(run, rc), now, &tour->group->rules);
    if (change.todo & JK_DO_VALUE_TO_MAX)
        jk_group_value_to_max(tour->lb, tour->member);
    if (change.todo & JK_DO_FAIL_HERE)
        jk_choose_set_failed(tour->failed, tour->member, true);
    if (jk_outcome_blame(rc) == JK_BLAME_BACKEND)
        JK_INFO(run->log, "(%s) service failed, worker %s is in %s", tour->lb->worker.name, m->worker->name,
                change.next == JK_STATE_ERR ? "error state" : "local error state");
}

/* May another member have it? What was never written may always move on. */
static bool may_move_on(jk_tour *tour, jk_run *run, jk_rc rc)
{
    if (jk_outcome_blame(rc) == JK_BLAME_CLIENT || rc == JK_E_SPACE)
        return false;
    if (rc == JK_E_BUSY || rc == JK_E_MEMORY)
        return run->x.progress == JK_PROGRESS_NONE;
    if (!jk_retry_may(rc, (jk_retry_stage)run->x.progress, jk_retry_method_of(run->rq->method), (unsigned)run->up->limits->recovery_options)) {
        JK_INFO(run->log, "(%s) unrecoverable error %s, request failed", tour->lb->worker.name, jk_outcome_name(rc));
        return false;
    }
    tour->owes = run->x.progress != JK_PROGRESS_NONE;
    return true;
}

static jk_rc member_step(jk_tour *tour, jk_run *run)
{
    jk_worker *worker = tour->lb->members[tour->member].worker;
    jk_rc rc = worker->type->step(worker, run);
    bool more;

    if (rc == JK_AGAIN)
        return rc;
    book(tour, run, rc);
    tour->last_rc = rc == JK_E_BUSY && tour->last_rc != JK_E_BUSY ? tour->last_rc : rc;
    tour->member = NOBODY;
    if (!tour->glanced && tour->glances)
        glance(run, &tour->glances[0]);
    tour->glanced = true;
    if (rc == JK_OK)
        return JK_OK;
    more = may_move_on(tour, run, rc);
    tour->group = jk_group_now(tour->lb); /* it may have taken minutes, and who was removed meanwhile gets nothing new */
    tour->sent = true;
    tour->stage = CHOOSE;
    return more ? JK_AGAIN : rc;
}

/* ---- the worker ---- */

static void over(jk_run *run, jk_rc rc)
{
    jk_tour *tour = run->tour;

    if (tour == NULL || !tour->counted)
        return;
    tour->counted = false;
    if (tour->member != NOBODY) { /* torn down in the middle: it says nothing of the member */
        jk_worker *worker = tour->lb->members[tour->member].worker;
        worker->type->finish(worker, run);
        book(tour, run, rc);
    }
    if (tour->glances)
        glance(run, &tour->glances[1]);
    if (rc != JK_OK)
        jk_stat_fail(tour->lb->stat, rc);
    jk_stat_took(tour->lb->stat, JK_TIME_TOTAL, run->since - run->begun);
    jk_stat_end(tour->lb->stat);
}

static jk_rc step(const jk_worker *worker, jk_run *run)
{
    jk_rc rc = JK_OK;

    if (run->tour == NULL)
        rc = begin(jk_lb_of(worker), run);
    while (rc == JK_OK) {
        jk_tour *tour = run->tour;
        switch (tour->stage) {
        case CHOOSE:
            rc = choose(tour, run);
            break;
        case PAUSE:
            if (!jk_run_late(run, apr_time_now()))
                return JK_AGAIN;
            jk_run_enter(run, JK_LEG_QUEUE); /* the next member's time begins here */
            tour->stage = CHOOSE;
            break;
        default:
            rc = member_step(tour, run);
            if (rc == JK_AGAIN && tour->stage == CHOOSE) /* not a wait: another member */
                rc = JK_OK;
            else if (rc == JK_OK) {
                over(run, JK_OK);
                return JK_OK;
            }
            break;
        }
    }
    if (rc != JK_AGAIN)
        over(run, rc);
    return rc;
}

static void wait_slot(const jk_worker *worker, jk_run *run)
{
    jk_lb *lb = jk_lb_of(worker);
    const jk_worker *member = lb->members[run->tour->member].worker;

    member->type->wait_slot(member, run);
}

static jk_rc wake_on_slot(const jk_worker *worker, jk_run *run, void (*wake)(void *ctx), void *ctx)
{
    jk_lb *lb = jk_lb_of(worker);
    const jk_worker *member = lb->members[run->tour->member].worker;

    return member->type->wake_on_slot(member, run, wake, ctx);
}

/* The file may have brought a member back that was drained: it must not get all that it had missed. */
static void begin_anew(jk_lb *lb)
{
    jk_tune rules;

    jk_stat_tune_read(lb->stat, &rules);
    jk_group_values_to_zero(lb, (jk_method)rules.method);
}

static void ready_member(jk_lb *lb, size_t i, apr_pool_t *p, const jk_log *log)
{
    jk_worker *member = lb->members[i].worker;

    member->type->ready(member, p, lb->shm, log);
    lb->members[i].stat = jk_backend_stat(member);
}

/* A place that each process had for itself would be a member that comes and goes from request to request. */
static bool has_slot(const jk_lb *lb, size_t i)
{
    const jk_worker *place = lb->members[i].worker;

    return jk_shm_parent_slot(lb->shm, place->slot, (int)place->conf->kind, &place->conf->tune) != JK_SHM_FULL;
}

/* What was said at run time of a member that the file names now, and that the file says nothing of, stays as an edit. */
static void hand_over(const jk_lb_member *from, const jk_lb_member *to)
{
    jk_tune said, template, was, is;
    jk_stat_sign sign = jk_stat_signed(from->stat);

    jk_stat_tune_read(from->stat, &said);
    jk_stat_tune_file(from->stat, &template);
    jk_stat_tune_read(to->stat, &was);
    is = was;
    template.activation = JK_ACTIVE; /* as it began */
    for (size_t i = 0; i < jk_keys_count; i++) {
        const jk_key *key = &jk_keys[i];
        const char *a = (const char *)&said + key->offset, *b = (const char *)&template + key->offset;
        bool own = key->home == JK_HOME_TUNE && (key->kinds & JK_WORKER_AJP13) && !jk_keys_written(to->worker->conf, key->name);
        if (own && memcmp(a, b, key->size) != 0)
            memcpy((char *)&is + key->offset, a, key->size);
    }
    if (memcmp(&was, &is, sizeof was) != 0 && jk_stat_tune_edit(to->stat, &was, &is) == JK_OK)
        jk_stat_sign_edit(to->stat, sign.by, sign.at);
}

/* The file's member of that name takes the place of the one that was added. */
static void yield_to_file(jk_lb *lb, size_t place, const jk_log *log)
{
    const jk_worker *added = jk_group_member(lb, place);
    jk_tune was, is;

    for (size_t i = 0; added && i < lb->count; i++) {
        if (strcmp(lb->members[i].worker->name, added->name) != 0)
            continue;
        hand_over(&lb->members[place], &lb->members[i]);
        jk_stat_tune_read(lb->members[place].stat, &was);
        jk_lb_vacate(&was, &is);
        (void)jk_stat_tune_edit(lb->members[place].stat, &was, &is);
        JK_INFO(log, "(%s) worker %s, which was added at run time, is named by the workers file now, whose word counts; what the file does not "
                "say of it stays as it was changed", lb->worker.name, added->name);
        return;
    }
}

static bool is_of_file(const jk_lb *lb, const char *name)
{
    for (size_t i = 0; i < lb->count; i++)
        if (strcmp(lb->members[i].worker->name, name) == 0)
            return true;
    return false;
}

/* The first place from *i on that nobody has. */
static bool next_free(const jk_lb *lb, size_t *i)
{
    jk_tune now;

    while (*i < lb->places && jk_lb_spare_taken(lb->shm, lb->members[*i].worker->slot, &now))
        ++*i;
    return *i < lb->places;
}

/* There are fewer places than at the last restart: who has one of those that are gone gets a free one, with all that is counted there. Who finds
 * none is told of, and what he was stays in the memory. */
static void seat(jk_lb *lb, apr_pool_t *p, const jk_log *log)
{
    size_t place = lb->count, needed = lb->places - lb->count;
    apr_pool_t *scratch;
    const char *lost = "";
    jk_tune now;

    apr_pool_create(&scratch, p);
    for (int i = (int)needed + 1; i <= JK_LB_SPARE_MOST; i++) {
        const char *slot = jk_lb_spare_slot_name(scratch, lb->conf, i);
        if (!jk_lb_spare_taken(lb->shm, slot, &now))
            continue;
        if (next_free(lb, &place)) /* also who is the file's by now: see yield_to_file() */
            lb->members[place].worker->slot = apr_pstrdup(p, slot);
        else if (!is_of_file(lb, now.name))
            lost = apr_pstrcat(p, lost, *lost ? ", " : "", now.name, NULL), needed++;
    }
    apr_pool_destroy(scratch);
    if (*lost)
        JK_WARN(log, 605, "(%s) spare_members=%d leaves no place for %s, added at run time: no requests go there any more; set worker.%s.spare_members=%d "
                "and restart, before the server is stopped, and they are back as they were; or name them in the workers file", lb->worker.name,
                (int)(lb->places - lb->count), lost, lb->worker.name, (int)needed);
}

static void ready(jk_worker *worker, apr_pool_t *p, jk_shm *shm, const jk_log *log)
{
    jk_lb *lb = jk_lb_of(worker);
    uint32_t slot = jk_shm_parent_slot(shm, worker->slot, (int)lb->conf->kind, &lb->conf->tune);

    if (slot == JK_SHM_FULL) {
        JK_WARN(log, 603, "(%s) the shared memory has no room for this worker: it balances in each process alone; stop and start the server, or "
                "raise JkShmSize", worker->name);
        shm = jk_shm_private(p);
        slot = jk_shm_parent_slot(shm, worker->slot, (int)lb->conf->kind, &lb->conf->tune);
    }
    lb->shm = shm;
    lb->stat = jk_stat_make(p, shm, slot);
    seat(lb, p, log);
    for (size_t i = 0; i < lb->places; i++) {
        if (i >= lb->count && !has_slot(lb, i))
            lb->places = i;
        else
            ready_member(lb, i, p, log);
    }
    for (size_t i = lb->count; i < lb->places; i++)
        yield_to_file(lb, i, log);
    begin_anew(lb);
}

static jk_rc child(jk_worker *worker, apr_pool_t *p, const jk_log *log)
{
    jk_lb *lb = jk_lb_of(worker);

    for (size_t i = 0; i < lb->places; i++) {
        jk_worker *member = lb->members[i].worker;
        jk_rc rc = member->type->child(member, p, log);
        if (rc != JK_OK)
            return rc;
    }
    return jk_group_make(lb);
}

static void tend(jk_worker *worker, const jk_tend *what, const jk_log *log)
{
    jk_lb *lb = jk_lb_of(worker);
    const jk_group *group;

    if (lb->group == NULL)
        return;
    group = jk_group_now(lb);
    for (size_t i = 0; i < lb->places; i++) {
        jk_worker *member = lb->members[i].worker;
        if (group->there[i])
            member->type->tend(member, what, log);
        else
            jk_backend_close_idle(member);
    }
    jk_group_maintain(lb, apr_time_sec(what->now), what->interval, log);
}

static void finish(const jk_worker *worker, jk_run *run)
{
    (void)worker;
    over(run, JK_E_CLIENT_ABORT);
}

const jk_worker_type jk_lb_type = { "lb", step, wait_slot, wake_on_slot, ready, child, tend, finish };

const char *jk_lb_slot_name(apr_pool_t *p, const jk_worker_conf *lb, const jk_worker_conf *member)
{
    return apr_pstrcat(p, lb->name, "/", member->name, NULL);
}

const char *jk_lb_spare_slot_name(apr_pool_t *p, const jk_worker_conf *lb, int i)
{
    return apr_psprintf(p, "%s" JK_LB_SPARE_SLOT "%d", lb->name, i);
}

bool jk_lb_spare_taken(const jk_shm *shm, const char *slot, jk_tune *now)
{
    return jk_shm_parent_peek(shm, slot, JK_WORKER_AJP13, now) && *now->name;
}

void jk_lb_vacate(const jk_tune *was, jk_tune *is)
{
    *is = *was;
    memset(is->name, 0, sizeof is->name);
    memset(is->route, 0, sizeof is->route);
    is->activation = JK_STOPPED;
}

static void make_place(jk_lb *lb, apr_pool_t *p, size_t i)
{
    jk_lb_member *m = &lb->members[i];

    m->spare = apr_pmemdup(p, lb->conf->spare, sizeof *m->spare);
    m->worker = jk_backend_make_member(p, m->spare, jk_lb_spare_slot_name(p, lb->conf, (int)(i - lb->count) + 1));
}

jk_worker *jk_lb_make(apr_pool_t *p, const jk_worker_conf *conf)
{
    jk_lb *lb = apr_pcalloc(p, sizeof *lb);

    lb->worker = (jk_worker){ &jk_lb_type, conf, conf->name, conf->name, lb };
    lb->conf = conf;
    lb->kept = jk_kept_make(p);
    lb->count = (size_t)conf->members->nelts;
    lb->places = lb->count + (conf->spare ? (size_t)conf->spare_members : 0);
    lb->members = apr_pcalloc(p, (lb->places + 1) * sizeof *lb->members);
    for (size_t i = 0; i < lb->count; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(conf->members, (int)i, const jk_worker_conf *);
        size_t most = (size_t)one->tune.max_packet_size - JK_FRAME_BODY_HEAD;
        lb->members[i].worker = jk_backend_make_member(p, one, jk_lb_slot_name(p, conf, one));
        lb->first_most = lb->first_most && lb->first_most < most ? lb->first_most : most;
    }
    for (size_t i = lb->count; i < lb->places; i++)
        make_place(lb, p, i);
    return &lb->worker;
}
