/* native/status/view.c - fills the snapshot: asks shm/stat for numbers, conf for what the files say, and counts. */
#include "jk/status/view.h"

#include "jk/conf/values.h"

#include <apr_strings.h>
#include <apr_time.h>

/* ---- times ---- */

static const char *stamp(apr_pool_t *p, const char *format, int64_t s)
{
    apr_time_exp_t t;
    apr_size_t n;
    char text[64];

    if (apr_time_exp_lt(&t, apr_time_from_sec(s)) != APR_SUCCESS || apr_strftime(text, &n, sizeof text, format, &t) != APR_SUCCESS)
        return "";
    return apr_pstrdup(p, text);
}

static const char *zone(apr_pool_t *p, int64_t s)
{
    apr_time_exp_t t;
    int minutes;

    if (apr_time_exp_lt(&t, apr_time_from_sec(s)) != APR_SUCCESS)
        return "+0000";
    minutes = (t.tm_gmtoff < 0 ? -t.tm_gmtoff : t.tm_gmtoff) / 60;
    return apr_psprintf(p, "%c%02d%02d", t.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* A clock that went back makes no negative age. */
static int64_t age(int64_t now, int64_t then)
{
    return then > 0 && now > then ? now - then : 0;
}

/* ---- what is not the file's ---- */

static bool is_of(const jk_key *key, const jk_worker_conf *conf)
{
    return key->home == JK_HOME_TUNE && (key->kinds & (int)conf->kind);
}

static void find_edits(jk_view *view, jk_view_worker *w, const jk_stat *stat)
{
    jk_worker_conf now = *w->worker->conf, file = now;

    now.tune = w->now;
    jk_stat_tune_file(stat, &file.tune);
    w->edits = apr_array_make(view->p, 2, sizeof(jk_view_edit));
    for (size_t i = 0; i < jk_keys_count; i++) {
        const jk_key *key = &jk_keys[i];
        const char *was, *is;
        if (!is_of(key, &now))
            continue;
        is = jk_values_text(view->p, key, &now);
        was = jk_values_text(view->p, key, &file);
        if (strcmp(is, was) == 0)
            continue;
        APR_ARRAY_PUSH(w->edits, jk_view_edit) = (jk_view_edit){ key, key->name, apr_pstrdup(view->p, was), apr_pstrdup(view->p, is) };
        w->edited = apr_pstrcat(view->p, w->edited, *w->edited ? "," : "", key->name, NULL);
    }
}

/* ---- what all kinds have ---- */

static const char *word_of(jk_view *view, const jk_worker_conf *conf, const jk_tune *now, const char *name)
{
    jk_worker_conf copy = *conf;
    bool old;

    copy.tune = *now;
    return jk_values_text(view->p, jk_keys_find(name, &old), &copy);
}

static jk_view_worker begin(jk_view *view, const jk_worker *worker)
{
    const jk_stat *stat = jk_manage_stat(worker);
    jk_view_worker w = { .name = worker->name, .type = worker->type->name, .worker = worker, .edited = "" };
    jk_stat_sign sign;

    w.last_failure = w.address = w.source = w.state = w.health = w.error_datetime = w.error_tz = w.activation = w.method = w.lock = "";
    w.maps = apr_array_make(view->p, 4, sizeof(const jk_view_map *));
    jk_stat_tune_read(stat, &w.now);
    sign = jk_stat_signed(stat);
    w.edited_at = sign.at;
    w.edited_by = apr_pstrdup(view->p, sign.by);
    w.numbers = jk_stat_read(stat);
    w.reset_ago = age(view->from.now, w.numbers.last_reset);
    find_edits(view, &w, stat);
    return w;
}

/* ---- containers ---- */

static void set_error(jk_view *view, jk_view_worker *w, int64_t at)
{
    if (at <= 0)
        return;
    w->error_at = at;
    w->error_ago = age(view->from.now, at);
    w->error_datetime = stamp(view->p, "%Y%m%d%H%M%S", at);
    w->error_tz = zone(view->p, at);
}

static void take_totals(jk_view_worker *w, const jk_stat *stat)
{
    jk_stat_totals all;

    jk_stat_totals_read(stat, &all);
    w->first = all.time[JK_TIME_FIRST];
    w->made = all.count[JK_COUNT_CONNECTS];
    memcpy(w->closed, all.closed, sizeof w->closed);
}

#define PROCESSES_MOST 1024 /* that are shown */

static apr_array_header_t *processes_of(apr_pool_t *p, const jk_stat *stat)
{
    jk_stat_share shares[PROCESSES_MOST];
    size_t n = jk_stat_shares(stat, shares, PROCESSES_MOST);
    apr_array_header_t *all = apr_array_make(p, (int)n + 1, sizeof(jk_stat_share));

    for (size_t i = 0; i < n; i++)
        APR_ARRAY_PUSH(all, jk_stat_share) = shares[i];
    return all;
}

static jk_view_worker container(jk_view *view, const jk_worker *worker)
{
    jk_view_worker w = begin(view, worker);
    jk_member_view m = jk_stat_view(jk_manage_stat(worker));

    w.address = jk_manage_address(worker, view->p);
    w.source = *worker->conf->source ? worker->conf->source : "undefined";
    w.state_code = m.state;
    w.state = jk_member_label(m.state);
    w.pool = jk_manage_pool(worker);
    take_totals(&w, jk_manage_stat(worker));
    w.processes = processes_of(view->p, jk_manage_stat(worker));
    w.failure = jk_stat_failure_of(jk_manage_stat(worker));
    w.last_failure = w.failure.rc == JK_OK ? "" : jk_outcome_words(w.failure.rc);
    return w;
}

/* ---- members ---- */

#define RECENT 5 /* minutes, full ones, and the one that is not over yet */

/* May it be stopped, and nobody notices? Sessions of whoever did not come for so long may be lost. */
static void set_drain(const jk_view *view, jk_view_worker *m)
{
    m->sticky = jk_stat_sticky_read(jk_manage_stat(m->worker), view->from.now);
    for (size_t i = JK_STAT_MINUTES - 1 - RECENT; i < JK_STAT_MINUTES; i++)
        m->sticky_recent += m->sticky.count[i];
    m->safe_to_stop = m->now.activation != JK_ACTIVE && m->numbers.busy == 0 && m->sticky_recent == 0;
}

static jk_rated rated(jk_member_state state)
{
    static const jk_rated as[JK_STATES] = { [JK_STATE_IDLE] = JK_RATED_IDLE, [JK_STATE_OK] = JK_RATED_OK, [JK_STATE_REC] = JK_RATED_RECOVER,
                                            [JK_STATE_FRC] = JK_RATED_RECOVER, [JK_STATE_PRB] = JK_RATED_RECOVER,
                                            [JK_STATE_BUSY] = JK_RATED_BUSY, [JK_STATE_ERR] = JK_RATED_ERROR };

    return as[state];
}

/* bad is asked first. */
static jk_view_health health_of(const jk_view *view, const jk_view_worker *m)
{
    uint32_t bit = JK_RATING((uint32_t)m->now.activation, rated(m->state_code));

    if (view->from.status->bad_when & bit)
        return JK_VIEW_BAD;
    return view->from.status->good_when & bit ? JK_VIEW_GOOD : JK_VIEW_DEGRADED;
}

/* It is the maintenance that lets a member recover: not before that comes, nor much later. */
static void set_recovery(const jk_view *view, const jk_view_worker *lb, jk_view_worker *m, int64_t last_error)
{
    int64_t left = lb->now.recover_time - age(view->from.now, last_error);

    if (m->state_code != JK_STATE_ERR)
        return;
    m->recover_min = left > lb->maintain_min ? left : lb->maintain_min;
    m->recover_max = left + view->from.workers->maintain;
    if (m->recover_max < m->recover_min)
        m->recover_max = m->recover_min;
}

static void add_member(jk_view *view, jk_view_worker *lb, size_t i)
{
    static const char *const words[] = { "good", "degraded", "bad" };
    const jk_worker *worker = jk_manage_member(lb->worker, i);

    if (worker == NULL)
        return;
    jk_view_worker m = container(view, worker);
    jk_member_view seen = jk_stat_view(jk_manage_stat(worker));
    jk_view_health health = health_of(view, &m);
    int32_t *counts[] = { &lb->good, &lb->degraded, &lb->bad };

    m.added = jk_manage_is_spare(lb->worker, i);
    m.activation = jk_member_activation((jk_activation)m.now.activation);
    m.mult = jk_manage_mult(lb->worker, i);
    m.value = jk_stat_value(jk_manage_stat(worker));
    m.health = words[health];
    ++*counts[health];
    set_error(view, &m, seen.first_error);
    set_drain(view, &m);
    set_recovery(view, lb, &m, seen.last_error);
    APR_ARRAY_PUSH(lb->members, jk_view_worker) = m;
}

/* ---- balancers ---- */

static void set_maintenance(const jk_view *view, jk_view_worker *lb)
{
    int64_t every = view->from.workers->maintain, last = jk_stat_maintained(jk_manage_stat(lb->worker));

    if (every <= 0)
        return;
    lb->maintain_min = every - age(view->from.now, last);
    if (lb->maintain_min < 0)
        lb->maintain_min = 0;
    lb->maintain_max = lb->maintain_min + every;
}

static jk_view_worker balancer(jk_view *view, const jk_worker *worker)
{
    jk_view_worker lb = begin(view, worker);
    size_t n = jk_manage_members(worker);

    lb.method = word_of(view, worker->conf, &lb.now, "method");
    lb.lock = word_of(view, worker->conf, &lb.now, "lock");
    lb.members = apr_array_make(view->p, n ? (int)n : 1, sizeof(jk_view_worker));
    set_maintenance(view, &lb);
    for (size_t i = 0; i < n; i++)
        add_member(view, &lb, i);
    lb.member_count = lb.members->nelts;
    return lb;
}

/* ---- all ---- */

static void add_worker(jk_view *view, const jk_worker *worker)
{
    if (jk_manage_stat(worker) == NULL)
        return;
    if (worker->conf->kind == JK_WORKER_LB) {
        APR_ARRAY_PUSH(view->balancers, jk_view_worker) = balancer(view, worker);
        return;
    }
    jk_view_worker w = container(view, worker);
    set_error(view, &w, jk_stat_view(jk_manage_stat(worker)).last_error);
    APR_ARRAY_PUSH(view->workers, jk_view_worker) = w;
}

static void add_maps(jk_view *view)
{
    for (int i = 0; view->from.maps && i < view->from.maps->nelts; i++) {
        jk_view_map *map = &APR_ARRAY_IDX(view->from.maps, i, jk_view_map);
        jk_view_worker *w = (jk_view_worker *)jk_view_find(view, map->worker);
        if (w == NULL)
            continue;
        map->id = ++w->map_count;
        APR_ARRAY_PUSH(w->maps, const jk_view_map *) = map;
    }
}

static void add_findings(jk_view *view)
{
    static const char *const words[JK_FIND_COUNT] = { "info", "warning", "lenient", "error" };

    view->findings = apr_array_make(view->p, 4, sizeof(jk_view_finding));
    for (int i = 0; view->from.findings && i < view->from.findings->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(view->from.findings, i, jk_finding);
        APR_ARRAY_PUSH(view->findings, jk_view_finding) =
            (jk_view_finding){ words[one->severity], one->file ? one->file : "", one->text, one->line };
    }
    view->finding_count = view->findings->nelts;
}

jk_view *jk_view_make(apr_pool_t *p, const jk_view_from *from)
{
    jk_view *view = apr_pcalloc(p, sizeof *view);

    view->p = p;
    view->from = *from;
    view->datetime = stamp(p, "%Y%m%d%H%M%S", from->now);
    view->tz = zone(p, from->now);
    view->readable = apr_pstrcat(p, stamp(p, "%Y-%m-%d %H:%M:%S ", from->now), view->tz, NULL);
    view->balancers = apr_array_make(p, 4, sizeof(jk_view_worker));
    view->workers = apr_array_make(p, 4, sizeof(jk_view_worker));
    for (size_t i = 0; i < jk_registry_count(from->registry); i++)
        add_worker(view, jk_registry_at(from->registry, i));
    view->lb_count = view->balancers->nelts;
    view->ajp_count = view->workers->nelts;
    add_maps(view);
    add_findings(view);
    return view;
}

static const jk_view_worker *find(const apr_array_header_t *all, const char *name)
{
    for (int i = 0; all && i < all->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(all, i, jk_view_worker).name, name) == 0)
            return &APR_ARRAY_IDX(all, i, jk_view_worker);
    return NULL;
}

const jk_view_worker *jk_view_find(const jk_view *view, const char *name)
{
    const jk_view_worker *lb = find(view->balancers, name);

    return lb ? lb : find(view->workers, name);
}

const jk_view_worker *jk_view_member(const jk_view_worker *lb, const char *name)
{
    return find(lb->members, name);
}
