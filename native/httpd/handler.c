/* native/httpd/handler.c - which worker a request belongs to, and the call of that worker (spec: directives.md 5). */
#include "handler.h"

#include "answer.h"
#include "autoalias.h"
#include "follow.h"
#include "forwarded.h"
#include "logfile.h"
#include "park.h"
#include "published.h"
#include "request.h"
#include "startup.h"
#include "statuspage.h"

#include "jk/route/path.h"
#include "jk/route/session.h"
#include "jk/status/manager.h"
#include "jk/worker/lb.h"
#include "jk/worker/visit.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

APLOG_USE_MODULE(jk);

/* What was found out about a request before its handler runs, kept with it. */
typedef struct jk_mapped {
    const char *name; /* the worker's, as mounted; NULL: no mount */
    const jk_worker *worker; /* NULL: there is none of that name */
    const jk_extension *more; /* of the rule; NULL: none */
    const jk_rule *rule; /* NULL: none has mapped it */
    const char *uri;  /* the decoded path before it was normalised */
    const apr_table_t *hop_fields; /* see request.h; NULL: none */
    bool taken; /* the handler has not declined it */
} jk_mapped;

/* Everything of one request; the run's address is known to the connection pool while it waits. */
typedef struct jk_call {
    jk_run run;
    jk_visit visit; /* the run's: one allocation less */
    jk_guest guest;
    jk_inlet inlet;
    jk_tally *tally; /* of the mount; NULL: it is not counted, or not any more */
    const jk_server *conf;
    jk_incoming in;
    jk_answer answer;
    jk_log log;
    char duration[JK_DECIMAL_ROOM + 8]; /* the note */
} jk_call;

static const char handler_name[] = "jakarta-servlet";

static jk_mapped *kept_of(request_rec *r)
{
    return ap_get_module_config(r->request_config, &jk_module);
}

/* NULL: no mount maps it. */
static jk_mapped *mapped_of(request_rec *r)
{
    jk_mapped *kept = kept_of(r);

    return kept && kept->name ? kept : NULL;
}

static void keep(request_rec *r, jk_mapped found)
{
    jk_mapped *kept = kept_of(r);

    if (kept == NULL) {
        kept = apr_palloc(r->pool, sizeof *kept);
        ap_set_module_config(r->request_config, &jk_module, kept);
    } else {
        found.hop_fields = kept->hop_fields;
    }
    *kept = found;
}

/* ---- what Connection names ---- */

/* A redirect inside the server and a sub-request share the header fields of the request they come from. */
static void keep_hop_fields(request_rec *r)
{
    request_rec *from = r->prev ? r->prev : r->main;
    const jk_mapped *before = from ? kept_of(from) : NULL;
    const apr_table_t *fields = from ? (before ? before->hop_fields : NULL) : jk_request_hop_fields(r);

    if (fields) {
        keep(r, (jk_mapped){ .name = NULL });
        kept_of(r)->hop_fields = fields;
    }
}

/* ---- mapping ---- */

/* The normal form of r->uri: itself where it is clean. OK, or 400 with the log told. */
static int normal_form(request_rec *r, const char **normal)
{
    char *copy;
    jk_log log;

    *normal = r->uri;
    if (jk_path_is_clean(r->uri))
        return OK;
    copy = apr_pstrdup(r->pool, r->uri);
    *normal = copy;
    jk_path_fault fault = jk_path_normalise(copy);
    if (fault == JK_PATH_FINE)
        return OK;
    log = jk_logfile_about(r);
    if (fault == JK_PATH_ABOVE_ROOT)
        JK_EMERG(&log, 401, "refused with 400, contains a sequence that tries to escape above the root: %s", r->uri);
    else
        JK_WARN(&log, 402, "refused with 400, Uri '%s' is invalid. Uri must start with /", r->uri);
    return HTTP_BAD_REQUEST;
}

static void note_mapped(request_rec *r, const jk_rule *rule, const char *uri)
{
    const jk_target *target = rule->data;

    if (kept_of(r) == NULL) /* so there is no note of ours yet */
        apr_table_addn(r->notes, "JK_WORKER_NAME", target->name);
    else
        apr_table_setn(r->notes, "JK_WORKER_NAME", target->name);
    keep(r, (jk_mapped){ .name = target->name, .worker = target->worker, .more = target->more, .rule = rule, .uri = uri });
    r->handler = handler_name;
}

/* Is this mod_dir's question for an index page of a directory? */
static bool for_directory(const request_rec *r)
{
    return r->main && r->main->finfo.filetype == APR_DIR;
}

/* The map may be replaced while the request is under way: what mapped it stays as long as it does. */
static const jk_rule *find_and_hold(request_rec *r, jk_follow *follow, const char *path)
{
    jk_held *held = jk_follow_hold(follow, r);
    const jk_rule *rule = jk_match_find(jk_follow_match(held), jk_span_of(path)).rule;
    request_rec *top = r;

    while (top->main) /* which gets the notes of its sub-requests */
        top = top->main;
    if (rule)
        jk_follow_drop_with(held, top->pool);
    else
        jk_follow_drop(held);
    return rule;
}

/* The rule that maps the path; NULL: none does. */
static inline const jk_rule *find_rule(request_rec *r, const jk_server *conf, const char *path)
{
    return conf->follow ? find_and_hold(r, conf->follow, path) : jk_match_find(conf->map, jk_span_of(path)).rule;
}

/* OK: mapped. DECLINED: not ours. Else a status. *normal is the path's normal form. */
static int map(request_rec *r, const jk_server *conf, const char **normal)
{
    const jk_rule *rule;
    int status = normal_form(r, normal);

    if (status != OK)
        return status;
    if ((conf->options & JK_OPT_REJECT_UNSAFE) && jk_path_is_unsafe(*normal)) {
        jk_log log = jk_logfile_about(r);
        JK_INFO(&log, "Potentially unsafe request url '%s' rejected", *normal);
        return DECLINED;
    }
    if (conf->alias_dir && (conf->map == NULL || (for_directory(r) && !jk_autoalias_has(r, conf->alias_dir, *normal))))
        return DECLINED;
    rule = find_rule(r, conf, *normal);
    if (rule == NULL)
        return DECLINED;
    note_mapped(r, rule, r->uri);
    r->uri = (char *)*normal; /* access control of what follows looks at the form that was mapped */
    return OK;
}

static bool not_ours(request_rec *r)
{
    return r->uri == NULL || *r->uri == '\0' || r->proxyreq != PROXYREQ_NONE;
}

static bool switched_off(request_rec *r)
{
    return !apr_is_empty_table(r->subprocess_env) && apr_table_get(r->subprocess_env, "no-jk") != NULL;
}

/* mod_dir wants a regular file: only so does "/" with a mounted index page work. */
static void map_main(request_rec *r)
{
    jk_mapped found = *mapped_of(r);

    found.uri = r->main->uri;
    keep(r->main, found);
    apr_table_setn(r->main->notes, "JK_WORKER_NAME", found.name);
    r->main->handler = handler_name;
}

int jk_handler_translate(request_rec *r)
{
    const jk_server *conf = jk_config_of(r->server);
    const char *normal;
    int status;

    keep_hop_fields(r);
    if ((conf->map == NULL && conf->alias_dir == NULL) || not_ours(r) || switched_off(r))
        return DECLINED;
    if (r->handler && strcmp(r->handler, handler_name) == 0)
        return DECLINED;
    status = map(r, conf, &normal);
    if (status == DECLINED && conf->alias_dir)
        return jk_autoalias_translate(r, conf->alias_dir, normal);
    if (status == OK && for_directory(r))
        map_main(r);
    return status;
}

/* ---- what is not mapped ---- */

static char *without(request_rec *r, char *path, const char *parameter)
{
    jk_span cut = path ? jk_session_cut(jk_span_of(path), jk_span_of(parameter)) : JK_SPAN_NONE;

    if (cut.p == NULL)
        return path;
    return apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, path, (apr_size_t)((const char *)cut.p - path)), (const char *)cut.p + cut.len, NULL);
}

/* JkStripSession: httpd's files know no sessions. */
static void strip_session(request_rec *r, const char *parameter)
{
    r->uri = without(r, r->uri, parameter);
    r->filename = without(r, r->filename, parameter);
}

/* mod_rewrite without [PT] makes of a path a file, and the path stays as it was: no hook sees what it became. */
static const char *rewritten_path(request_rec *r)
{
    const char *root = ap_document_root(r), *path = r->filename;
    const char *told = apr_is_empty_table(r->notes) ? NULL : apr_table_get(r->notes, "mod_rewrite_rewritten");
    size_t n = strlen(root);

    if (told == NULL || strcmp(told, "0") == 0 || path == NULL || r->main)
        return NULL;
    if (strncmp(path, root, n) == 0 && path[n] == '/')
        path += n;
    return *path == '/' && strcmp(path, r->uri) != 0 && jk_path_is_clean(path) ? path : NULL;
}

static void tell_rewrite(request_rec *r, jk_server *conf)
{
    const char *path = rewritten_path(r);
    const jk_rule *rule = path ? find_rule(r, conf, path) : NULL;

    if (rule && apr_atomic_cas32(&conf->told_rewrite, 1, 0) == 0) {
        jk_log log = jk_logfile_about(r);
        JK_INFO(&log, "mod_rewrite made of %s the file %s, whose path is mounted for %.*s: without the flag [PT] a rewritten path is no longer "
                "looked up among the mounts. Add PT to the flags of the RewriteRule", r->uri, r->filename, (int)rule->worker.len,
                (const char *)rule->worker.p);
    }
}

static void leave_alone(request_rec *r, jk_server *conf)
{
    if (conf->map && !conf->told_rewrite)
        tell_rewrite(r, conf);
    if (conf->strip && *conf->strip)
        strip_session(r, conf->strip);
}

/* mod_dir's question for an index page that is mounted: there it is where the file is. Else the directory itself is forwarded. */
static void look_for_index(request_rec *r)
{
    char *path;

    if (apr_filepath_merge(&path, r->main->filename, r->filename, APR_FILEPATH_SECUREROOT | APR_FILEPATH_TRUENAME, r->pool) != APR_SUCCESS)
        return;
    r->filename = path;
    if (apr_stat(&r->finfo, path, APR_FINFO_MIN, r->pool) != APR_SUCCESS)
        r->finfo.filetype = APR_NOFILE;
}

/* No file lies behind a mapped request: no directory walk, no .htaccess. */
int jk_handler_map_to_storage(request_rec *r)
{
    jk_server *conf = jk_config_of(r->server);
    const char *slash, *normal;
    int status;

    if (not_ours(r))
        return DECLINED;
    if (mapped_of(r) == NULL) { /* sub-requests, and URIs that were rewritten meanwhile */
        if ((conf->map == NULL && conf->strip == NULL) || switched_off(r))
            return DECLINED;
        status = conf->map ? map(r, conf, &normal) : DECLINED;
        if (status == DECLINED)
            leave_alone(r, conf);
        if (status != OK)
            return status;
    }
    slash = strrchr(r->uri, '/');
    r->filename = (char *)(slash ? slash + 1 : r->uri); /* a name alone: no file stands behind it, and nobody writes into it */
    if (for_directory(r) && r->main->filename)
        look_for_index(r);
    return OK;
}

/* ---- SetHandler jakarta-servlet ---- */

/* httpd has checked the access to r->uri; the container will see its normal form. Where they differ, what is allowed for that
 * form decides (CVE-2018-11759 in another dress). */
static int check_access(request_rec *r)
{
    const char *normal;
    request_rec *sub;
    int status = normal_form(r, &normal);

    if (status != OK || normal == r->uri || strcmp(normal, r->uri) == 0)
        return status;
    sub = ap_sub_req_method_uri(r->method, ap_escape_uri(r->pool, normal), r, NULL);
    status = sub->status == HTTP_OK ? OK : sub->status;
    ap_destroy_sub_req(sub);
    return status;
}

/* What is wrong with the extensions of an environment variable is said once: it is so with every request. */
static void tell_indicator(request_rec *r, jk_server *conf, const jk_findings *found, const char *text)
{
    jk_log log;

    if (found->all->nelts == 0 || apr_atomic_cas32(&conf->told_indicator, 1, 0) != 0)
        return;
    log = jk_logfile_about(r);
    for (int i = 0; i < found->all->nelts; i++)
        JK_WARN(&log, 407, "the variable that names the worker, '%s': %s", text, APR_ARRAY_IDX(found->all, i, jk_finding).text);
}

/* JK_WORKER_NAME=name;extension=value */
static jk_mapped named_worker(request_rec *r, jk_server *conf, const char *text)
{
    jk_mapped m = { .name = text, .uri = r->uri };
    jk_findings *found;

    if (strchr(text, ';'))
        m.name = jk_extension_name(r->pool, text);
    m.worker = jk_startup_worker(m.name);
    if (m.name == text)
        return m;
    found = jk_findings_make(r->pool);
    m.more = jk_extension_parse(r->pool, text, m.worker ? m.worker->conf : NULL, &(jk_prop){ "", text, NULL, 0 }, found);
    if (m.more && m.more->path)
        jk_findings_add(found, JK_FIND_WARN, NULL, 0, "path= needs a mount: there is no pattern here whose head it could replace");
    tell_indicator(r, conf, found, text);
    return m;
}

/* The worker of a request that no mount had mapped. OK with m->name NULL: nobody. */
static int find_worker(request_rec *r, jk_server *conf, jk_mapped *m)
{
    const char *name = apr_table_get(r->subprocess_env, conf->env[JK_ENV_WORKER]), *normal;
    int status;

    *m = (jk_mapped){ .uri = r->uri };
    if (name) {
        *m = named_worker(r, conf, name);
        apr_table_setn(r->notes, "JK_WORKER_NAME", m->name);
        return check_access(r);
    }
    if (conf->map == NULL)
        return OK;
    status = map(r, conf, &normal);
    if (status == OK)
        *m = *mapped_of(r);
    return status == DECLINED ? OK : status;
}

/* ---- the call ---- */

/* NULL: no mount has mapped it, but JK_WORKER_NAME has named it; or the mount is a status worker's. */
static jk_tally *tally_of(const jk_mapped *m)
{
    return m->rule ? ((const jk_target *)m->rule->data)->tally : NULL;
}

/* The mount's books. The run's clock stands. */
static inline void leave_mount(jk_call *call, jk_rc rc)
{
    const jk_run *run = &call->run;

    if (call->tally == NULL)
        return;
    if (rc != JK_OK)
        jk_tally_fail(call->tally, rc, run->status);
    jk_tally_end(call->tally, run->read, run->written, run->since - run->begun, run->status);
    call->tally = NULL;
}

static __attribute__((noinline)) void break_off_at_mount(jk_call *call)
{
    leave_mount(call, JK_E_CLIENT_ABORT);
}

static apr_status_t tear_down(void *data)
{
    jk_call *call = data;

    if (!jk_park_leave(&call->guest))
        jk_run_finish(&call->run, JK_E_CLIENT_ABORT);
    if (call->tally)
        break_off_at_mount(call);
    jk_answer_drop(&call->answer);
    return APR_SUCCESS;
}

/* "0.012345" */
static const char *seconds(char text[JK_DECIMAL_ROOM + 8], apr_time_t took)
{
    char room[JK_DECIMAL_ROOM];
    jk_span us = jk_span_decimal(room, took > 0 ? (uint64_t)took : 0);
    size_t whole = us.len > 6 ? us.len - 6 : 0, at = whole ? whole : 1, shown = us.len - whole;

    memcpy(text, "0.000000", 8);
    if (whole)
        memcpy(text, us.p, whole);
    text[at] = '.';
    memcpy(text + at + 7 - shown, us.p + whole, shown);
    text[at + 7] = '\0';
    return text;
}

static void tell_misfit(const jk_call *call, const jk_worker *worker, const jk_misfit *why)
{
    static const char *const parts[] = { "the URI with its query", "the header", "the attribute" };

    JK_ERROR(&call->log, 501, "(%s) Creating AJP message failed without recovery - check max_packet_size: the request needs %" APR_SIZE_T_FMT
             " bytes, max_packet_size is %d; the largest part is %s %.*s with %" APR_SIZE_T_FMT " bytes. Raise worker.%s.max_packet_size and "
             "the connector's packetSize alike (at most 65536), or make the client send less",
             worker->name, why->total, (int)worker->conf->tune.max_packet_size, parts[why->part], why->name.len < 64 ? (int)why->name.len : 64,
             why->name.p ? (const char *)why->name.p : "", why->size, worker->name);
}

static void tell_length(const jk_call *call, const jk_worker *worker)
{
    const jk_answer *a = &call->answer;

    JK_ERROR(&call->log, 505, "(%s) the answer to %s has %" APR_OFF_T_FMT " body bytes, its Content-Length said %" APR_OFF_T_FMT ": the client sees "
             "%s; look at the application", worker->name, a->r->uri, a->body, a->length, a->too_short ? "it cut" : "no more than that");
}

static void tell_result(const jk_call *call, const jk_worker *worker, jk_rc rc, int status)
{
    if (call->answer.too_short || call->answer.too_long)
        tell_length(call, worker);
    if (rc == JK_OK && status != OK)
        JK_INFO(&call->log, "No body with status=%d for worker=%s", status, worker->name);
    else if (jk_outcome_blame(rc) == JK_BLAME_CLIENT && rc != JK_E_SPACE)
        JK_INFO(&call->log, "Aborting connection for worker=%s %s", worker->name, jk_outcome_words(rc));
    else if (rc != JK_OK && call->answer.passed)
        JK_ERROR(&call->log, 502, "(%s) the answer to %s broke off after %" APR_OFF_T_FMT " body bytes %s: the client sees it cut, the access "
                 "log shows the status that had been sent", worker->name, call->answer.r->uri, call->answer.body, jk_outcome_words(rc));
    else if (rc != JK_OK)
        JK_INFO(&call->log, "Service error=%d for worker=%s", status, worker->name);
}

/* ---- what the environment and the rule wish ---- */

/* Of text that is set: empty, or a number other than 0. */
static bool is_on(const char *value)
{
    return *value == '\0' || atoi(value) != 0;
}

static void take_rule(jk_wish *wish, const jk_extension *more)
{
    wish->reply_timeout = more->reply_timeout;
    wish->fail_on_status = more->fail_on_status;
    wish->session_cookie = jk_span_of(more->session_cookie);
    wish->session_path = jk_span_of(more->session_path);
    wish->session_cookie_path = more->session_cookie_path;
    wish->set_session_cookie = more->set_session_cookie;
    wish->sticky_ignore = more->sticky_ignore;
    wish->stateless = more->stateless;
    wish->activations = more->activations;
}

/* It beats the rule. */
static void take_environment(jk_wish *wish, const apr_table_t *env)
{
    const char *timeout = apr_table_get(env, "JK_REPLY_TIMEOUT"), *ignore = apr_table_get(env, "JK_STICKY_IGNORE");
    const char *stateless = apr_table_get(env, "JK_STATELESS");

    wish->route = jk_span_of(apr_table_get(env, "JK_ROUTE"));
    if (timeout && atoi(timeout) >= 0)
        wish->reply_timeout = atoi(timeout);
    if (ignore)
        wish->sticky_ignore = is_on(ignore);
    if (stateless)
        wish->stateless = is_on(stateless);
}

/* Most requests wish nothing, and that costs nothing. */
static void take_wish(jk_call *call, request_rec *r, const jk_server *conf, const jk_mapped *m)
{
    bool lb = m->worker->type == &jk_lb_type, plain = apr_is_empty_table(r->subprocess_env);
    bool glances = lb && conf->global->glances;
    jk_wish *wish;

    if (!glances && plain && m->more == NULL)
        return;
    wish = apr_pcalloc(r->pool, sizeof *wish);
    wish->glances = glances;
    wish->reply_timeout = -1;
    if (m->more)
        take_rule(wish, m->more);
    if (!plain)
        take_environment(wish, r->subprocess_env);
    if (!lb && wish->route.len)
        call->in.rq.route = wish->route;
    call->run.wish = wish;
}

/* What of the rule's extensions concerns the URI and the answer. */
static void take_more(jk_call *call, request_rec *r, const jk_server *conf, const jk_mapped *m)
{
    call->answer.server_errors = m->more->use_server_errors;
    if (m->more->path == NULL || m->rule == NULL)
        return;
    call->answer.publish = jk_published_make(r, m->rule->pattern, m->more->path);
    call->in.rq.uri = jk_forwarded_inside(r->pool, call->answer.publish, conf->options, m->uri, call->in.rq.uri);
}

/* ---- notes ---- */

static void note_glance(request_rec *r, const char *which, const jk_lb_glance *g)
{
    const struct {
        const char *name;
        uint64_t number;
    } rows[] = { { "VALUE", g->value },
                 { "ACCESSED", g->numbers.count[JK_COUNT_SERVED] },
                 { "SESSIONS", g->numbers.count[JK_COUNT_SESSIONS] },
                 { "READ", g->numbers.count[JK_COUNT_READ] },
                 { "TRANSFERRED", g->numbers.count[JK_COUNT_WRITTEN] },
                 { "ERRORS", g->numbers.count[JK_COUNT_ERRORS] },
                 { "BUSY", g->numbers.busy } };

    if (g->name == NULL)
        return;
    apr_table_setn(r->notes, apr_pstrcat(r->pool, which, "NAME", NULL), g->name);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        apr_table_setn(r->notes, apr_pstrcat(r->pool, which, rows[i].name, NULL), apr_psprintf(r->pool, "%" APR_UINT64_T_FMT, rows[i].number));
    apr_table_setn(r->notes, apr_pstrcat(r->pool, which, "ACTIVATION", NULL), jk_member_activation(g->activation));
    apr_table_setn(r->notes, apr_pstrcat(r->pool, which, "STATE", NULL), jk_member_label(g->state));
}

static void note_route(const jk_call *call, request_rec *r)
{
    const char *route = call->run.tour ? jk_lb_route(&call->run) : (const char *)call->in.rq.route.p; /* a NUL stands behind it */

    if (route && *route)
        apr_table_addn(r->notes, "JK_WORKER_ROUTE", route);
}

static void note_balancer(const jk_call *call, request_rec *r)
{
    note_glance(r, "JK_LB_FIRST_", jk_lb_first(&call->run));
    note_glance(r, "JK_LB_LAST_", jk_lb_last(&call->run));
}

static void note_time(request_rec *r, const char *name, apr_time_t us)
{
    const char *text = apr_psprintf(r->pool, "%" APR_TIME_T_FMT, us);

    apr_table_setn(r->notes, name, text);
    apr_table_setn(r->subprocess_env, name, text);
}

/* For log formats, and as variables for everything else. */
static __attribute__((noinline)) void note_times(const jk_run *run, request_rec *r)
{
    static const char *const names[JK_LEGS] = { "JK_T_QUEUE", "JK_T_CONNECT", "JK_T_PING", "JK_T_SEND", "JK_T_FIRST", "JK_T_BODY" };
    apr_time_t total = 0;

    for (int i = 0; i < JK_LEGS; i++) {
        note_time(r, names[i], run->spent[i]);
        total += run->spent[i];
    }
    note_time(r, "JK_T_TOTAL", total);
}

/* The run's last leg ended when the answer was whole; of a failure, or a worker that knows no legs, it ends here. */
static void stop_clock(jk_run *run, jk_rc rc)
{
    if (rc != JK_OK || run->since == run->begun)
        jk_run_enter(run, JK_LEG_QUEUE);
}

static int finish_call(jk_call *call, const jk_worker *worker, jk_rc rc)
{
    request_rec *r = call->in.r;
    jk_misfit misfit = { JK_MISFIT_HEADER, JK_SPAN_NONE, 0, 0 };

    if (rc == JK_E_SPACE) {
        misfit = jk_forward_misfit(&call->in.rq);
        tell_misfit(call, worker, &misfit);
    }
    stop_clock(&call->run, rc);
    apr_table_addn(r->notes, "JK_REQUEST_DURATION", seconds(call->duration, call->run.since - call->run.begun));
    if (call->run.timed)
        note_times(&call->run, r);
    note_route(call, r);
    if (call->run.wish && call->run.wish->glances)
        note_balancer(call, r);
    int status = jk_answer_end(&call->answer, rc, call->run.x.progress, &misfit);
    if (status == HTTP_BAD_REQUEST && rc == JK_E_CLIENT_READ && call->in.status)
        status = call->in.status;
    tell_result(call, worker, rc, status);
    return status;
}

/* httpd would read the rest of the body to keep the connection, and a slow client would have its thread. */
static void drop_rest(jk_call *call, jk_rc rc)
{
    jk_incoming *in = &call->in;

    if (in->ended || rc == JK_E_CLIENT_READ || in->r->connection->aborted)
        return;
    if (!jk_inlet_drop_rest(in->inlet, in->bb))
        in->r->connection->keepalive = AP_CONN_CLOSE;
}

static int end(jk_call *call, jk_rc rc)
{
    int status;

    if (call->in.inlet)
        drop_rest(call, rc);
    status = finish_call(call, call->guest.worker, rc);
    leave_mount(call, rc);
    jk_startup_tend();
    return status;
}

/* From here on it waits in place. */
static __attribute__((noinline)) jk_rc stay(jk_call *call)
{
    call->guest.place = NULL;
    call->answer.outlet = NULL;
    call->in.inlet = NULL;
    return jk_worker_drive(call->guest.worker, &call->run);
}

/* True: the run waits, without a thread. */
static __attribute__((noinline)) bool waits_elsewhere(jk_call *call)
{
    if (!jk_run_has_input(&call->run))
        jk_answer_wait(&call->answer);
    return jk_park_enter(&call->guest);
}

/* As far as it comes: what the handler returns. SUSPENDED: nothing of the call may be touched any more. */
static int advance(jk_call *call)
{
    jk_guest *guest = &call->guest;
    jk_rc rc;

    if (guest->place == NULL)
        return end(call, jk_worker_drive(guest->worker, &call->run));
    call->run.patience = jk_park_work(guest, call->conf);
    rc = jk_worker_advance(guest->worker, &call->run);
    jk_park_rest(guest);
    if (rc != JK_AGAIN)
        return end(call, rc);
    return waits_elsewhere(call) ? SUSPENDED : end(call, stay(call));
}

static int go_on(jk_guest *guest, jk_rc why)
{
    jk_call *call = (void *)((char *)guest - offsetof(jk_call, guest));

    if (why == JK_OK)
        return advance(call);
    jk_run_finish(&call->run, why);
    return end(call, why);
}

/* May it wait without a thread? Then neither its client nor its container is waited for in place. */
static void invite(jk_call *call)
{
    request_rec *r = call->guest.r;

    jk_park_invite(&call->guest, call->conf);
    if (call->guest.place == NULL)
        return;
    call->answer.outlet = jk_park_outlet(&call->guest);
    if (call->in.rq.body == JK_BODY_NONE)
        return;
    if (!jk_inlet_can(r)) {
        jk_park_fell_back(&call->guest, JK_FELL_BODY_FILTER);
        return;
    }
    call->inlet.r = r;
    call->in.inlet = &call->inlet;
}

static const char *words(jk_span s)
{
    return s.p ? (const char *)s.p : "(null)";
}

/* All that the container is told of where the request came from. */
static void tell_service(const jk_call *call)
{
    const jk_request *rq = &call->in.rq;

    JK_DEBUG(&call->log, "Service protocol=%s method=%s ssl=%s host=%s addr=%s name=%s port=%d auth=%s user=%s laddr=%s raddr=%s uaddr=%s uri=%s",
             words(rq->protocol), words(rq->method), rq->is_ssl ? "true" : "false", words(rq->remote_host), words(rq->remote_addr),
             words(rq->server_name), rq->server_port, words(rq->auth_type), words(rq->remote_user), words(rq->local_addr),
             call->in.r->connection->client_ip, call->in.r->useragent_ip, words(rq->uri));
}

static int call_worker(request_rec *r, const jk_server *conf, const jk_mapped *m)
{
    jk_call *call = apr_pcalloc(r->pool, sizeof *call);
    const jk_mapped *kept = kept_of(r);
    int status = jk_request_take(&call->in, r, conf, m->uri, kept ? kept->hop_fields : NULL);

    if (status != OK)
        return status;
    call->log = jk_logfile_about(r);
    tell_service(call);
    jk_answer_init(&call->answer, r, call->in.tls);
    call->answer.flush_packets = (conf->options & JK_OPT_FLUSH_PACKETS) != 0;
    call->answer.flush_header = (conf->options & JK_OPT_FLUSH_HEADER) != 0;
    call->run.pool = r->pool;
    call->run.rq = &call->in.rq;
    call->run.source = &call->in.source;
    call->run.sink = &call->answer.sink;
    call->run.up = &call->visit;
    call->run.log = &call->log;
    call->run.no_reuse = (conf->options & JK_OPT_DISABLE_REUSE) != 0;
    call->run.timed = conf->times;
    call->answer.cookie = &call->run.cookie;
    take_wish(call, r, conf, m);
    if (m->more)
        take_more(call, r, conf, m);
    jk_run_init(&call->run);
    apr_pool_pre_cleanup_register(r->pool, call, tear_down);
    apr_table_addn(r->notes, "JK_WORKER_TYPE", m->worker->type->name); /* a handler runs once: there is nothing to replace */
    call->conf = conf;
    call->tally = tally_of(m);
    if (call->tally)
        jk_tally_begin(call->tally);
    call->guest.r = r;
    call->guest.run = &call->run;
    call->guest.worker = m->worker;
    call->guest.go_on = go_on;
    invite(call);
    return advance(call);
}

static bool for_us(request_rec *r, const jk_server *conf)
{
    if (r->handler == NULL)
        return false;
    if (r->handler == handler_name || strcmp(r->handler, handler_name) == 0) /* the first where a mount has set it */
        return true;
    return (conf->options & JK_OPT_DIRECTORIES) && strcmp(r->handler, DIR_MAGIC_TYPE) == 0;
}

static void count_unserved(jk_tally *tally)
{
    if (tally == NULL)
        return;
    jk_tally_begin(tally);
    jk_tally_fail(tally, JK_E_CONF, 0);
    jk_tally_end(tally, 0, 0, 0, 0);
}

static int unknown_worker(request_rec *r, const jk_mapped *m)
{
    jk_log log = jk_logfile_about(r);
    const char *name = m->name;

    count_unserved(tally_of(m));
    if (jk_startup_is_stale()) {
        JK_ERROR(&log, 503, "Could not find a worker for worker name=%s: the workers file is broken and the last good one is in force, which "
                 "does not define it; mend what the error log names and restart", name);
        return HTTP_SERVICE_UNAVAILABLE;
    }
    JK_ERROR(&log, 504, "Could not find a worker for worker name=%s: it is not in worker.list; `httpd -t` names every such mount", name);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* For the request log. */
static void note_taken(request_rec *r, const jk_server *conf)
{
    if (conf->format == NULL)
        return;
    if (kept_of(r) == NULL)
        keep(r, (jk_mapped){ .uri = r->uri });
    kept_of(r)->taken = true;
}

bool jk_handler_has_taken(request_rec *r)
{
    const jk_mapped *kept = kept_of(r);

    return kept && kept->taken;
}

static __attribute__((noinline)) int show_status(request_rec *r, const jk_worker *worker)
{
    char *text = apr_palloc(r->pool, JK_DECIMAL_ROOM + 8);
    apr_time_t begun = apr_time_now();
    int status;

    apr_table_addn(r->notes, "JK_WORKER_TYPE", worker->type->name);
    status = jk_statuspage_run(r, worker);
    apr_table_addn(r->notes, "JK_REQUEST_DURATION", seconds(text, apr_time_now() - begun));
    return status;
}

int jk_handler_run(request_rec *r)
{
    jk_server *conf = jk_config_of(r->server);
    const jk_mapped *kept;
    jk_mapped m;

    if (!for_us(r, conf) || switched_off(r))
        return DECLINED;
    kept = mapped_of(r);
    if (kept) {
        m = *kept;
    } else {
        int status = find_worker(r, conf, &m);
        if (status != OK)
            return status;
    }
    if (m.name == NULL)
        return DECLINED;
    note_taken(r, conf);
    if (r->proxyreq != PROXYREQ_NONE) {
        jk_log log = jk_logfile_about(r);
        JK_INFO(&log, "Proxy request for worker=%s", m.name);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (m.worker == NULL)
        return unknown_worker(r, &m);
    if (r->connection->aborted) /* nobody waits for the answer: the backend is not asked */
        return OK;
    return m.worker->type == &jk_manager_type ? show_status(r, m.worker) : call_worker(r, conf, &m);
}
