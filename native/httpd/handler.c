/* native/httpd/handler.c - which worker a request belongs to, and the call of that worker (spec: directives.md 5). */
#include "handler.h"

#include "answer.h"
#include "logfile.h"
#include "park.h"
#include "request.h"
#include "startup.h"

#include "jk/route/path.h"
#include "jk/worker/lb.h"

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
    const char *uri;  /* the decoded path before it was normalised */
    const apr_table_t *hop_fields; /* see request.h; NULL: none */
} jk_mapped;

/* Everything of one request; the run's address is known to the connection pool while it waits. */
typedef struct jk_call {
    jk_run run;
    jk_guest guest;
    jk_inlet inlet;
    const jk_server *conf;
    jk_incoming in;
    jk_answer answer;
    jk_log log;
    jk_wish wish;
    char duration[JK_DECIMAL_ROOM + 8]; /* the note */
} jk_call;

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
        keep(r, (jk_mapped){ NULL, NULL, NULL, NULL });
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

static void note_mapped(request_rec *r, const char *name, const jk_worker *worker, const char *uri)
{
    keep(r, (jk_mapped){ name, worker, uri, NULL });
    apr_table_setn(r->notes, "JK_WORKER_NAME", name);
    r->handler = JK_HANDLER;
}

/* OK: mapped. DECLINED: not ours. Else a status. */
static int map(request_rec *r, const jk_server *conf)
{
    const char *normal;
    jk_match_answer found;
    int status = normal_form(r, &normal);

    if (status != OK)
        return status;
    if ((conf->options & JK_OPT_REJECT_UNSAFE) && jk_path_is_unsafe(normal)) {
        jk_log log = jk_logfile_about(r);
        JK_INFO(&log, "Potentially unsafe request url '%s' rejected", normal);
        return DECLINED;
    }
    found = jk_match_find(conf->map, jk_span_of(normal));
    if (found.rule == NULL)
        return DECLINED;
    note_mapped(r, (const char *)found.rule->worker.p, found.rule->data, r->uri);
    if (r->main) /* mod_dir wants a regular file: only so does "/" with a mounted index page work */
        note_mapped(r->main, (const char *)found.rule->worker.p, found.rule->data, r->main->uri);
    r->uri = (char *)normal; /* access control of what follows looks at the form that was mapped */
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

int jk_handler_translate(request_rec *r)
{
    const jk_server *conf = jk_config_of(r->server);

    keep_hop_fields(r);
    if (conf->map == NULL || not_ours(r) || switched_off(r))
        return DECLINED;
    if (r->handler && strcmp(r->handler, JK_HANDLER) == 0)
        return DECLINED;
    return map(r, conf);
}

/* No file lies behind a mapped request: no directory walk, no .htaccess. */
int jk_handler_map_to_storage(request_rec *r)
{
    const jk_server *conf = jk_config_of(r->server);
    const char *slash;
    int status;

    if (not_ours(r))
        return DECLINED;
    if (mapped_of(r) == NULL) { /* sub-requests, and URIs that were rewritten meanwhile */
        if (conf->map == NULL || switched_off(r))
            return DECLINED;
        status = map(r, conf);
        if (status != OK)
            return status;
    }
    slash = strrchr(r->uri, '/');
    r->filename = (char *)(slash ? slash + 1 : r->uri); /* a name alone: no file stands behind it, and nobody writes into it */
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

/* The worker of a request that no mount had mapped. OK with m->name NULL: nobody. */
static int find_worker(request_rec *r, const jk_server *conf, jk_mapped *m)
{
    const char *name = apr_table_get(r->subprocess_env, "JK_WORKER_NAME");
    int status;

    *m = (jk_mapped){ NULL, NULL, r->uri, NULL };
    if (name) {
        *m = (jk_mapped){ name, jk_startup_worker(name), r->uri, NULL };
        apr_table_setn(r->notes, "JK_WORKER_NAME", name);
        return check_access(r);
    }
    if (conf->map == NULL)
        return OK;
    status = map(r, conf);
    if (status == OK)
        *m = *mapped_of(r);
    return status == DECLINED ? OK : status;
}

/* ---- the call ---- */

static apr_status_t tear_down(void *data)
{
    jk_call *call = data;

    if (!jk_park_leave(&call->guest))
        jk_run_finish(&call->run, JK_E_CLIENT_ABORT);
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

/* ---- balancers ---- */

/* Set and empty, or a number other than 0. */
static bool is_on(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->subprocess_env, name);

    return value && (*value == '\0' || atoi(value) != 0);
}

static void take_wish(jk_call *call, request_rec *r, const jk_server *conf)
{
    call->run.wish = &call->wish;
    call->wish.glances = conf->global->notes == JK_NOTES_ON;
    if (apr_is_empty_table(r->subprocess_env)) /* as it is for most requests */
        return;
    call->wish.route = jk_span_of(apr_table_get(r->subprocess_env, "JK_ROUTE"));
    call->wish.sticky_ignore = is_on(r, "JK_STICKY_IGNORE");
    call->wish.stateless = is_on(r, "JK_STATELESS");
}

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

static void note_balancer(const jk_call *call, request_rec *r)
{
    jk_span route = call->in.rq.route;

    if (route.len)
        apr_table_addn(r->notes, "JK_WORKER_ROUTE", (const char *)route.p);
    if (!call->wish.glances)
        return;
    note_glance(r, "JK_LB_FIRST_", jk_lb_first(&call->run));
    note_glance(r, "JK_LB_LAST_", jk_lb_last(&call->run));
}

static int finish_call(jk_call *call, const jk_worker *worker, jk_rc rc)
{
    request_rec *r = call->in.r;
    jk_misfit misfit = { JK_MISFIT_HEADER, JK_SPAN_NONE, 0, 0 };

    if (rc == JK_E_SPACE) {
        misfit = jk_forward_misfit(&call->in.rq);
        tell_misfit(call, worker, &misfit);
    }
    apr_table_addn(r->notes, "JK_REQUEST_DURATION", seconds(call->duration, apr_time_now() - call->run.begun));
    if (worker->type == &jk_lb_type)
        note_balancer(call, r);
    int status = jk_answer_end(&call->answer, rc, call->run.x.progress, &misfit);
    tell_result(call, worker, rc, status);
    return status;
}

static int end(jk_call *call, jk_rc rc)
{
    int status = finish_call(call, call->guest.worker, rc);

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
    if (call->run.in[0].len == 0 && call->run.in[1].len == 0)
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
    if (call->in.rq.body == JK_BODY_NONE || !jk_inlet_can(r))
        return;
    call->inlet.r = r;
    call->in.inlet = &call->inlet;
}

static int call_worker(request_rec *r, const jk_server *conf, const jk_mapped *m)
{
    jk_call *call = apr_pcalloc(r->pool, sizeof *call);
    const jk_mapped *kept = kept_of(r);
    int status = jk_request_take(&call->in, r, conf, m->uri, kept ? kept->hop_fields : NULL);

    if (status != OK)
        return status;
    call->log = jk_logfile_about(r);
    jk_answer_init(&call->answer, r, call->in.rq.is_ssl);
    call->answer.flush_packets = (conf->options & JK_OPT_FLUSH_PACKETS) != 0;
    call->answer.flush_header = (conf->options & JK_OPT_FLUSH_HEADER) != 0;
    call->run.pool = r->pool;
    call->run.rq = &call->in.rq;
    call->run.source = &call->in.source;
    call->run.sink = &call->answer.sink;
    call->run.log = &call->log;
    call->run.no_reuse = (conf->options & JK_OPT_DISABLE_REUSE) != 0;
    call->answer.cookie = &call->run.cookie;
    if (m->worker->type == &jk_lb_type)
        take_wish(call, r, conf);
    jk_run_init(&call->run);
    apr_pool_pre_cleanup_register(r->pool, call, tear_down);
    apr_table_addn(r->notes, "JK_WORKER_TYPE", m->worker->type->name); /* a handler runs once: there is nothing to replace */
    call->conf = conf;
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
    if (strcmp(r->handler, JK_HANDLER) == 0)
        return true;
    return (conf->options & JK_OPT_DIRECTORIES) && strcmp(r->handler, DIR_MAGIC_TYPE) == 0;
}

static int unknown_worker(request_rec *r, const char *name)
{
    jk_log log = jk_logfile_about(r);

    if (jk_startup_is_stale()) {
        JK_ERROR(&log, 503, "Could not find a worker for worker name=%s: the workers file is broken and the last good one is in force, which "
                 "does not define it; mend what the error log names and restart", name);
        return HTTP_SERVICE_UNAVAILABLE;
    }
    JK_ERROR(&log, 504, "Could not find a worker for worker name=%s: it is not in worker.list; `httpd -t` names every such mount", name);
    return HTTP_INTERNAL_SERVER_ERROR;
}

int jk_handler_run(request_rec *r)
{
    const jk_server *conf = jk_config_of(r->server);
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
    if (r->proxyreq != PROXYREQ_NONE) {
        jk_log log = jk_logfile_about(r);
        JK_INFO(&log, "Proxy request for worker=%s", m.name);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (m.worker == NULL)
        return unknown_worker(r, m.name);
    if (r->connection->aborted) /* nobody waits for the answer: the backend is not asked */
        return OK;
    return call_worker(r, conf, &m);
}
