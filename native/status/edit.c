/* native/status/edit.c - from parameters to checked changes, and the changes. */
#include "jk/status/edit.h"

#include "jk/conf/values.h"
#include "jk/net/sock.h"
#include "jk/status/render.h"
#include "jk/worker/manage.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>

#define PACKET_STEP 1024
#define CONTAINER (JK_OF_MEMBER | JK_OF_AJP)

const jk_attribute jk_attributes[] = {
    { "vlr", "retries", JK_OF_LB, false },
    { "vlri", "retry_interval", JK_OF_LB, false },
    { "vlt", "recover_time", JK_OF_LB, false },
    { "vlee", "error_escalation_time", JK_OF_LB, false },
    { "vlx", "max_reply_timeouts", JK_OF_LB, false },
    { "vls", "sticky_session", JK_OF_LB, false },
    { "vlf", "sticky_session_force", JK_OF_LB, false },
    { "vlm", "method", JK_OF_LB, false },
    { "vll", "lock", JK_OF_LB, false },
    { "vlb", "retry_budget", JK_OF_LB, false },
    { "vlsc", "session_cookie", JK_OF_LB, false },
    { "vlsp", "session_path", JK_OF_LB, false },
    { "vwa", "activation", JK_OF_MEMBER, false },
    { "vwf", "lbfactor", JK_OF_MEMBER, false },
    { "vwn", "route", JK_OF_MEMBER, false },
    { "vwr", "redirect", JK_OF_MEMBER, false },
    { "vwc", "domain", JK_OF_MEMBER, false },
    { "vwd", "distance", JK_OF_MEMBER, false },
    { "vaprt", "port", CONTAINER, true }, /* before the host: a port that stands there wins */
    { "vahst", "host", CONTAINER, true },
    { "vacpt", "connection_pool_timeout", CONTAINER, false },
    { "vapng", "ping_timeout", CONTAINER, false },
    { "vact", "connect_timeout", CONTAINER, false },
    { "vapt", "prepost_timeout", CONTAINER, false },
    { "vart", "reply_timeout", CONTAINER, false },
    { "var", "retries", CONTAINER, false },
    { "vari", "retry_interval", CONTAINER, false },
    { "vacpi", "connection_ping_interval", CONTAINER, false },
    { "varo", "recovery_options", CONTAINER, false },
    { "vabl", "busy_limit", CONTAINER, false },
    { "vamps", "max_packet_size", CONTAINER, false },
    { "vacat", "connection_acquire_timeout", CONTAINER, false },
    { "vamc", "max_connections", CONTAINER, false },
    { NULL },
};

const jk_key *jk_attribute_key(const jk_attribute *a)
{
    bool old;

    return jk_keys_find(a->key, &old);
}

/* One worker or member, and what becomes of its values. */
typedef struct target {
    const jk_worker *worker, *lb; /* lb: of a member, else NULL */
    jk_tune from, to;
} target;

static void refuse(jk_result *result, int status, const char *message)
{
    if (jk_result_ok(result))
        *result = (jk_result){ status, message };
}

/* "Adding failed" where a new member was asked for. */
static const char *failure_of(const jk_edit *e)
{
    return e->ask->command->does & JK_CMD_NEW ? "Adding failed" : "Update failed";
}

/* Before anything was done. */
static void refuse_value(const jk_edit *e, jk_result *result, const char *wrong)
{
    refuse(result, 422, apr_psprintf(e->p, "%s: %s; nothing was changed", failure_of(e), wrong));
}

/* "sub worker 'n1' of lb worker 'lb'" */
static const char *words_of(apr_pool_t *p, const jk_worker *worker, const jk_worker *lb)
{
    if (lb)
        return apr_psprintf(p, "sub worker '%s' of lb worker '%s'", worker->name, lb->name);
    return apr_psprintf(p, "%s worker '%s'", worker->conf->kind == JK_WORKER_LB ? "lb" : "ajp", worker->name);
}

/* ---- a value ---- */

static const char *range_of(apr_pool_t *p, const jk_key *key)
{
    const char *what = jk_values_allowed(p, key);
    bool number = key->type == JK_KEY_INT || key->type == JK_KEY_TIME || key->type == JK_KEY_SIZE;

    return number ? apr_psprintf(p, "%s, from %d to %d", what, (int)key->min, (int)key->max) : what;
}

static const char *wrong_value(apr_pool_t *p, const jk_attribute *a, const char *value, const char *allowed)
{
    return apr_psprintf(p, "'%s' is no value for %s (%s); allowed: %s", value, a->param, a->key, allowed);
}

/* Texts go into cookies, header fields and logs. */
static bool is_word(const char *text)
{
    for (const uint8_t *c = (const uint8_t *)text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("\",\\", *c))
            return false;
    return true;
}

static const char *set_host(apr_pool_t *p, const jk_attribute *a, const char *value, jk_tune *tune)
{
    jk_host host;
    const char *wrong = jk_workers_host(value, &host);

    if (wrong == NULL && !is_word(host.name)) /* the path of a Unix socket */
        wrong = "there is a blank, a control character, a quote, a backslash, a comma or a byte that is no ASCII in it";
    if (wrong)
        return apr_psprintf(p, "'%s' is no value for %s (%s): %s", value, a->param, a->key, wrong);
    apr_cpystrn(tune->host, host.name, sizeof tune->host);
    if (host.port >= 0)
        tune->port = host.port;
    return NULL;
}

static const char *wrong_text(apr_pool_t *p, const jk_attribute *a, const char *value)
{
    bool path = strcmp(a->key, "session_path") == 0;

    if (strlen(value) > JK_NAME_MAX)
        return apr_psprintf(p, "the value of %s (%s) has %d bytes; allowed: at most %d", a->param, a->key, (int)strlen(value), JK_NAME_MAX);
    if (!is_word(value) || (!path && strchr(value, ';')))
        return wrong_value(p, a, value, "ASCII characters but blanks, control characters, quotes, backslashes, commas and semicolons");
    if (*value == '\0' && strcmp(a->key, "redirect") != 0 && strcmp(a->key, "domain") != 0)
        return wrong_value(p, a, value, "a text that is not empty");
    return NULL;
}

/* What is read as a file's value would be, must be read without any finding. NULL, or in words what is wrong. */
static const char *set_value(apr_pool_t *p, const jk_attribute *a, const char *value, jk_tune *tune)
{
    const jk_key *key = jk_attribute_key(a);
    jk_findings *found = jk_findings_make(p);
    apr_array_header_t *props = apr_array_make(p, 1, sizeof(jk_prop));
    jk_worker_conf scratch = { .tune = *tune };
    const char *wrong = key->type == JK_KEY_TEXT ? wrong_text(p, a, value) : NULL;

    if (wrong)
        return wrong;
    APR_ARRAY_PUSH(props, jk_prop) = (jk_prop){ a->param, value, NULL, 0 };
    jk_values_set(key, props, &scratch, found);
    if (found->all->nelts > 0)
        return wrong_value(p, a, value, range_of(p, key));
    *tune = scratch.tune;
    tune->max_packet_size = (tune->max_packet_size + PACKET_STEP - 1) / PACKET_STEP * PACKET_STEP;
    return NULL;
}

const char *jk_attribute_set(apr_pool_t *p, const jk_attribute *a, const char *value, jk_tune *tune)
{
    return strcmp(a->key, "host") == 0 ? set_host(p, a, value, tune) : set_value(p, a, value, tune);
}

static void set(const jk_edit *e, const jk_attribute *a, const char *value, target *t, jk_result *result)
{
    const char *wrong = jk_attribute_set(e->p, a, value, &t->to);

    if (wrong)
        refuse_value(e, result, wrong);
}

/* ---- which attributes ---- */

static const jk_attribute *attribute_of(const char *param)
{
    for (const jk_attribute *a = jk_attributes; a->param; a++)
        if (strcmp(a->param, param) == 0)
            return a;
    return NULL;
}

/* val0, val1, .. */
static bool is_numbered(const char *param)
{
    return strncmp(param, "val", 3) == 0 && param[3] && param[3 + strspn(param + 3, "0123456789")] == '\0';
}

static void check_names(const jk_edit *e, unsigned of, jk_result *result)
{
    static const char *const words[] = { [JK_OF_LB] = "an lb worker", [JK_OF_MEMBER] = "a sub worker", [JK_OF_AJP] = "an ajp worker" };
    const apr_array_header_t *params = e->ask->query.params;

    for (int i = 0; i < params->nelts; i++) {
        const char *name = APR_ARRAY_IDX(params, i, jk_param).name;
        const jk_attribute *a = attribute_of(name);
        if (*name != 'v' || is_numbered(name) || (a && (a->of & of)))
            continue;
        refuse_value(e, result, apr_psprintf(e->p, "'%s' is no attribute of %s", name, words[of]));
    }
}

static void set_all(const jk_edit *e, unsigned of, target *t, jk_result *result)
{
    for (const jk_attribute *a = jk_attributes; a->param; a++) {
        const char *value = a->of & of ? jk_query_get(&e->ask->query, a->param) : NULL;
        if (value)
            set(e, a, value, t, result);
    }
}

/* ---- which workers ---- */

static target *add(apr_array_header_t *targets, const jk_worker *worker, const jk_worker *lb)
{
    target *t = apr_array_push(targets);

    *t = (target){ .worker = worker, .lb = lb };
    jk_stat_tune_read(jk_manage_stat(worker), &t->from);
    t->to = t->from;
    return t;
}

/* att=..&val0=..&val1=..: one attribute of each member. */
static void plan_column(const jk_edit *e, const jk_worker *lb, apr_array_header_t *targets, jk_result *result)
{
    const jk_attribute *a = attribute_of(e->ask->att);

    if (a == NULL || a->alone || !(a->of & JK_OF_MEMBER)) {
        refuse_value(e, result, apr_psprintf(e->p, "'%s' is no attribute that all sub workers have", e->ask->att));
        return;
    }
    for (size_t i = 0, shown = 0; i < jk_manage_members(lb); i++) {
        const jk_worker *member = jk_manage_member(lb, i);
        const char *value = member ? jk_query_get(&e->ask->query, apr_psprintf(e->p, "val%" APR_SIZE_T_FMT, shown++)) : NULL;
        if (value)
            set(e, a, value, add(targets, member, lb), result);
    }
}

static bool is_meant(const char *pattern, const char *name)
{
    if (strpbrk(pattern, "*?") == NULL)
        return strcmp(pattern, name) == 0;
    return apr_fnmatch(pattern, name, APR_FNM_NOESCAPE) == APR_SUCCESS;
}

static void plan_members(const jk_edit *e, const jk_worker *lb, apr_array_header_t *targets, jk_result *result)
{
    for (size_t i = 0; i < jk_manage_members(lb); i++) {
        const jk_worker *member = jk_manage_member(lb, i);
        if (member && is_meant(e->ask->sw, member->name))
            set_all(e, JK_OF_MEMBER, add(targets, member, lb), result);
    }
    check_names(e, JK_OF_MEMBER, result);
}

static void plan(const jk_edit *e, const jk_worker *worker, apr_array_header_t *targets, jk_result *result)
{
    unsigned of = worker->conf->kind == JK_WORKER_LB ? JK_OF_LB : JK_OF_AJP;

    if (of == JK_OF_LB && e->ask->sw) {
        plan_members(e, worker, targets, result);
    } else if (e->ask->att && *e->ask->att) {
        plan_column(e, worker, targets, result);
    } else {
        check_names(e, of, result);
        set_all(e, of, add(targets, worker, NULL), result);
    }
}

/* ---- what must fit together ---- */

static bool has_moved(const target *t)
{
    return strcmp(t->from.host, t->to.host) != 0 || t->from.port != t->to.port;
}

/* Looked up here once, so that a slip in a name does not put a container out of service. */
static void check_address(const jk_edit *e, const target *t, jk_result *result)
{
    const char *why;
    jk_addr addr;

    if (!has_moved(t) || t->to.port == 0 || strncmp(t->to.host, "unix:", 5) == 0)
        return;
    if (jk_sock_resolve(t->to.host, t->to.port, t->worker->conf->prefer_ipv6, &addr, &why) != JK_OK)
        refuse_value(e, result, apr_psprintf(e->p, "could not resolve address '%s:%d' for %s", t->to.host, (int)t->to.port,
                                             words_of(e->p, t->worker, t->lb)));
}

static const char *route_after(const apr_array_header_t *targets, const jk_worker *member, jk_tune *room)
{
    for (int i = 0; i < targets->nelts; i++)
        if (APR_ARRAY_IDX(targets, i, target).worker == member)
            return APR_ARRAY_IDX(targets, i, target).to.route;
    jk_stat_tune_read(jk_manage_stat(member), room);
    return room->route;
}

/* Two members of one route: a session could not tell them apart. */
static void check_route(const jk_edit *e, const apr_array_header_t *targets, const target *t, jk_result *result)
{
    jk_tune room;

    if (t->lb == NULL || strcmp(t->from.route, t->to.route) == 0)
        return;
    for (size_t i = 0; i < jk_manage_members(t->lb); i++) {
        const jk_worker *other = jk_manage_member(t->lb, i);
        if (other && other != t->worker && strcmp(route_after(targets, other, &room), t->to.route) == 0)
            refuse_value(e, result, apr_psprintf(e->p, "sub workers '%s' and '%s' would share the same route '%s'", t->worker->name, other->name,
                                                 t->to.route));
    }
}

/* ---- doing it ---- */

/* As the log has always had it. */
static const char *logged(apr_pool_t *p, const jk_key *key, const jk_worker_conf *conf)
{
    if (strcmp(key->name, "activation") == 0)
        return jk_member_activation((jk_activation)conf->tune.activation);
    return jk_values_text(p, key, conf);
}

static void tell_changes(jk_edit *e, const target *t)
{
    jk_worker_conf from = *t->worker->conf, to = from;

    from.tune = t->from;
    to.tune = t->to;
    for (size_t i = 0; i < jk_keys_count; i++) {
        const jk_key *key = &jk_keys[i];
        if (key->home != JK_HOME_TUNE || !(key->kinds & (int)from.kind))
            continue;
        const char *was = logged(e->p, key, &from), *is = logged(e->p, key, &to);
        if (strcmp(was, is) != 0)
            APR_ARRAY_PUSH(e->lines, const char *) = apr_psprintf(e->p, "changing '%s' for %s from '%s' to '%s'", key->name,
                                                                  words_of(e->p, t->worker, t->lb), was, is);
    }
}

static void apply(jk_edit *e, const apr_array_header_t *targets, jk_result *result)
{
    for (int i = 0; i < targets->nelts; i++) {
        const target *t = &APR_ARRAY_IDX(targets, i, target);
        if (memcmp(&t->from, &t->to, sizeof t->from) == 0)
            continue;
        jk_rc rc = jk_stat_tune_edit(jk_manage_stat(t->worker), &t->from, &t->to);
        if (rc != JK_OK) {
            refuse(result, 503, apr_psprintf(e->p, "Update failed (at least partially): %s %s", rc == JK_E_CONF ? "somebody has just removed" :
                                             "another change does not come to an end of", words_of(e->p, t->worker, t->lb)));
            return;
        }
        jk_stat_sign_edit(jk_manage_stat(t->worker), e->who, e->now);
        tell_changes(e, t);
    }
}

static void update(jk_edit *e, const jk_worker *worker, jk_result *result)
{
    apr_array_header_t *targets = apr_array_make(e->p, 4, sizeof(target));

    plan(e, worker, targets, result);
    for (int i = 0; i < targets->nelts && jk_result_ok(result); i++) {
        check_route(e, targets, &APR_ARRAY_IDX(targets, i, target), result);
        check_address(e, &APR_ARRAY_IDX(targets, i, target), result);
    }
    if (jk_result_ok(result))
        apply(e, targets, result);
}

/* jk_manage_members(): nobody is called so. */
static size_t index_of(const jk_worker *lb, const char *name)
{
    size_t i = 0;

    for (; i < jk_manage_members(lb); i++) {
        const jk_worker *member = jk_manage_member(lb, i);
        if (member && strcmp(member->name, name) == 0)
            break;
    }
    return i;
}

static void reset(jk_edit *e, const jk_worker *worker, jk_result *result)
{
    size_t i = e->ask->sw ? index_of(worker, e->ask->sw) : 0;

    if (e->ask->sw && i == jk_manage_members(worker)) {
        refuse(result, 404, "could not find sub worker");
        return;
    }
    if (e->ask->sw)
        jk_manage_reset_member(worker, i, e->now);
    else
        jk_manage_reset(worker, e->now);
    APR_ARRAY_PUSH(e->lines, const char *) =
        apr_psprintf(e->p, "resetting %s", e->ask->sw ? words_of(e->p, jk_manage_place(worker, i), worker) : words_of(e->p, worker, NULL));
}

static void recover(jk_edit *e, const jk_worker *worker, jk_result *result)
{
    size_t i = e->ask->sw ? index_of(worker, e->ask->sw) : 0;

    if (e->ask->sw == NULL || i == jk_manage_members(worker) || !jk_manage_recover(worker, i, e->now)) {
        refuse(result, 409, "Marking worker for recovery failed");
        return;
    }
    APR_ARRAY_PUSH(e->lines, const char *) = apr_psprintf(e->p, "marking %s for recovery", words_of(e->p, jk_manage_place(worker, i), worker));
}

/* ---- members that come and go ---- */

int jk_edit_named(const jk_registry *registry, const char *name)
{
    int n = 0;

    for (size_t i = 0; i < jk_registry_count(registry); i++) {
        const jk_worker *worker = jk_registry_at(registry, i);
        n += strcmp(worker->name, name) == 0;
        n += index_of(worker, name) < jk_manage_members(worker);
    }
    return n;
}

/* What it begins as, and what is asked for it. */
static void plan_new(const jk_edit *e, target *t, jk_result *result)
{
    const char *wrong = jk_workers_name(e->ask->sw), *dot;
    jk_tune *to = &t->to;

    if (wrong) {
        refuse_value(e, result, apr_psprintf(e->p, "'%s' is no name for a worker: %s", e->ask->sw, wrong));
        return;
    }
    jk_stat_tune_file(jk_manage_stat(t->worker), to);
    t->from = *to;
    apr_cpystrn(to->name, e->ask->sw, sizeof to->name);
    apr_cpystrn(to->route, e->ask->sw, sizeof to->route);
    to->port = 8009;
    to->activation = JK_ACTIVE;
    check_names(e, JK_OF_MEMBER, result);
    set_all(e, JK_OF_MEMBER, t, result);
    dot = strchr(to->route, '.');
    if (dot && jk_query_get(&e->ask->query, "vwc") == NULL) /* as with the file's */
        apr_cpystrn(to->domain, to->route, (apr_size_t)(dot - to->route) + 1);
    if (*to->host == '\0')
        refuse_value(e, result, "vahst is needed, the host of the new member (and vaprt, if its port is not 8009)");
}

/* Of two who add at once each sees the other: neither may stay that shares a name or a route. */
static bool is_alone(const jk_edit *e, const target *t)
{
    int routes = 0;
    jk_tune tune;

    for (size_t i = 0; i < jk_manage_members(t->lb); i++) {
        const jk_worker *other = jk_manage_member(t->lb, i);
        if (other)
            jk_stat_tune_read(jk_manage_stat(other), &tune);
        routes += other && strcmp(tune.route, t->to.route) == 0;
    }
    return jk_edit_named(e->registry, t->to.name) == 1 && routes == 1;
}

/* It was made stopped; it is let in when it is known to be the only one of its kind. */
static void let_in(jk_edit *e, const target *t, size_t place, jk_result *result)
{
    jk_stat *stat = jk_manage_stat(t->worker);
    jk_tune stopped = t->to;

    stopped.activation = JK_STOPPED;
    if (!is_alone(e, t)) {
        (void)jk_manage_end(t->lb, place);
        refuse(result, 409, "Adding failed: somebody else adds a sub worker of this name or route at the same time; nothing was changed");
    } else if (jk_stat_tune_edit(stat, &stopped, &t->to) != JK_OK) {
        refuse(result, 503, "Adding failed (at least partially): the new sub worker is stopped, another change of it does not come to an end");
    }
    jk_stat_sign_edit(stat, e->who, e->now);
}

static void add_member(jk_edit *e, const jk_worker *lb, jk_result *result)
{
    size_t place = jk_manage_members(lb) ? jk_manage_free_place(lb) : 0;
    jk_worker called;
    target *t;
    apr_array_header_t *targets = apr_array_make(e->p, 1, sizeof(target));

    if (jk_edit_named(e->registry, e->ask->sw) > 0)
        refuse(result, 409, apr_psprintf(e->p, "Adding failed: there is a worker '%s' already; nothing was changed", e->ask->sw));
    else if (place == jk_manage_members(lb))
        refuse(result, 409, apr_psprintf(e->p, "Adding failed: no spare place is left for a sub worker of '%s' (worker.%s.spare_members=%d); remove "
                                         "one that was added, and wait until its last request is over; nothing was changed", lb->name, lb->name,
                                         (int)lb->conf->spare_members));
    if (!jk_result_ok(result))
        return;
    called = *jk_manage_place(lb, place);
    called.name = e->ask->sw; /* for messages: the place itself is called so when it is its */
    t = add(targets, &called, lb);
    plan_new(e, t, result);
    if (jk_result_ok(result))
        check_route(e, targets, t, result);
    if (jk_result_ok(result))
        check_address(e, t, result);
    if (!jk_result_ok(result))
        return;
    jk_rc rc = jk_manage_begin(lb, place, &t->to, e->now);
    if (rc != JK_OK) {
        refuse(result, rc == JK_E_CONF ? 409 : 503, "Adding failed: another change came first, or does not come to an end; nothing was changed");
        return;
    }
    let_in(e, t, place, result);
    if (jk_result_ok(result))
        APR_ARRAY_PUSH(e->lines, const char *) = apr_psprintf(e->p, "adding %s at '%s' port %d, route '%s'", words_of(e->p, &called, lb), t->to.host,
                                                              (int)t->to.port, t->to.route);
}

static void remove_member(jk_edit *e, const jk_worker *lb, jk_result *result)
{
    size_t place = index_of(lb, e->ask->sw);
    const char *words;

    if (place == jk_manage_members(lb)) {
        refuse(result, 404, "could not find sub worker");
        return;
    }
    words = words_of(e->p, jk_manage_place(lb, place), lb);
    if (!jk_manage_is_spare(lb, place)) {
        refuse(result, 409, apr_psprintf(e->p, "Removing failed: %s is named by the workers file: it can be stopped (vwa=S), not removed; take it "
                                         "out of worker.%s.balance_workers", words, lb->name));
        return;
    }
    if (jk_manage_end(lb, place) != JK_OK) {
        refuse(result, 503, apr_psprintf(e->p, "Removing failed: another change of %s came first, or does not come to an end", words));
        return;
    }
    jk_stat_sign_edit(jk_manage_stat(jk_manage_place(lb, place)), e->who, e->now);
    APR_ARRAY_PUSH(e->lines, const char *) = apr_psprintf(e->p, "removing %s", words);
}

static const struct {
    const char *command, *failure;
    void (*run)(jk_edit *e, const jk_worker *worker, jk_result *result);
} actions[] = {
    { "update", "Update failed", update }, { "reset", "Reset failed", reset }, { "recover", "Marking worker for recovery failed", recover },
    { "add", "Adding failed", add_member }, { "remove", "Removing failed", remove_member },
};

static bool has_member(const jk_worker *lb, const char *pattern)
{
    for (size_t i = 0; i < jk_manage_members(lb); i++) {
        const jk_worker *member = jk_manage_member(lb, i);
        if (member && is_meant(pattern, member->name))
            return true;
    }
    return false;
}

void jk_edit_check_worker(const jk_registry *registry, const jk_ask *ask, jk_result *result)
{
    const jk_worker *worker;

    if (!(ask->command->does & JK_CMD_WORKER) || !jk_result_ok(result))
        return;
    worker = jk_registry_find(registry, ask->w);
    if (worker == NULL)
        refuse(result, 404, "Could not find given worker");
    else if (worker->conf->kind != JK_WORKER_LB && (ask->sw || (ask->att && *ask->att)))
        refuse(result, 400, "worker type has no sub workers");
    else if (ask->sw && !(ask->command->does & JK_CMD_NEW) && !has_member(worker, ask->sw))
        refuse(result, 404, "could not find sub worker");
}

jk_edit jk_edit_make(apr_pool_t *p, const jk_registry *registry, const jk_ask *ask, const char *who, int64_t now)
{
    return (jk_edit){ p, registry, ask, who, now, apr_array_make(p, 4, sizeof(const char *)) };
}

void jk_edit_do(jk_edit *e, jk_result *result)
{
    const jk_worker *worker;

    jk_edit_check_worker(e->registry, e->ask, result);
    if (!jk_result_ok(result) || !(e->ask->command->does & JK_CMD_CHANGES))
        return;
    worker = jk_registry_find(e->registry, e->ask->w);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].command, e->ask->command->name) != 0)
            continue;
        if (jk_manage_stat(worker) == NULL) /* a status worker */
            refuse(result, 400, actions[i].failure);
        else
            actions[i].run(e, worker, result);
    }
}
