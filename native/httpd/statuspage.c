/* native/httpd/statuspage.c - who may do what, by which method; the body of a form; what the answer carries. What is done and shown is the
 * status room's. */
#include "statuspage.h"

#include "environ.h"
#include "logfile.h"
#include "park.h"
#include "scrape.h"
#include "startup.h"
#include "statusmaps.h"
#include "token.h"

#include "jk/status/edit.h"
#include "jk/status/manager.h"
#include "jk/status/render.h"
#include "jk/status/style.h"

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <unistd.h>

#define FORM "application/x-www-form-urlencoded"

/* One request. */
typedef struct page {
    request_rec *r;
    const jk_worker_conf *conf; /* of the status worker */
    const char *user;           /* NULL: nobody is known */
    const char *token;          /* that a change needs; "": nothing can be changed */
    const char *sent;           /* that came with it; NULL: none */
    jk_startup_state state;
    jk_log log;
    jk_ask ask;
    jk_result result;
} page;

static void refuse(page *p, int status, const char *message)
{
    if (jk_result_ok(&p->result))
        p->result = (jk_result){ status, message };
}

/* ---- who ---- */

/* As the container would be told. */
static const char *user_of(request_rec *r, const jk_server *conf)
{
    const char *value[JK_ENV_COUNT] = { NULL };

    if (!jk_environ_read(conf->environ, r, value) || value[JK_ENV_REMOTE_USER] == NULL)
        return r->user;
    return *value[JK_ENV_REMOTE_USER] ? value[JK_ENV_REMOTE_USER] : NULL;
}

static bool may_use(const page *p)
{
    const apr_array_header_t *users = p->conf->user;

    for (int i = 0; p->user && i < users->nelts; i++) {
        const char *one = APR_ARRAY_IDX(users, i, const char *);
        if (p->conf->user_case_insensitive ? ap_cstr_casecmp(one, p->user) == 0 : strcmp(one, p->user) == 0)
            return true;
    }
    return users->nelts == 0;
}

/* ---- what was sent ---- */

/* The body of a form, of JK_QUERY_BYTES at most. OK, or a status. */
static int read_body(request_rec *r, const char **text)
{
    char *room = apr_palloc(r->pool, JK_QUERY_BYTES + 2);
    apr_size_t len = 0;
    long n;
    int status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);

    *text = "";
    if (status != OK || !ap_should_client_block(r))
        return status;
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    if (type == NULL || strncasecmp(type, FORM, sizeof FORM - 1) != 0 || (type[sizeof FORM - 1] && !strchr("; ", type[sizeof FORM - 1])))
        return HTTP_UNSUPPORTED_MEDIA_TYPE;
    while ((n = ap_get_client_block(r, room + len, JK_QUERY_BYTES + 1 - len)) > 0) {
        len += (apr_size_t)n;
        if (len > JK_QUERY_BYTES)
            return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    if (n < 0)
        return HTTP_BAD_REQUEST;
    room[len] = '\0';
    *text = memchr(room, '\0', len) ? "NUL=%" : room; /* no form has one: the reader of queries refuses it */
    return OK;
}

/* The parameters: of the query, and of the body behind them, whose word counts. The token comes by the body or by a header, never by the
 * query: that stands in logs and histories. */
static void read_ask(page *p)
{
    request_rec *r = p->r;
    const char *query = r->args ? r->args : "", *body = "", *name;
    jk_query form;
    int status = OK;

    if (r->method_number == M_POST)
        status = read_body(r, &body);
    else
        (void)ap_discard_request_body(r);
    jk_ask_read(r->pool, jk_span_of(apr_pstrcat(r->pool, query, *body ? "&" : "", body, NULL)), p->conf, &p->ask, &p->result);
    p->sent = apr_table_get(r->headers_in, "X-JK-Token");
    if (p->sent == NULL && jk_query_read(r->pool, jk_span_of(body), &form, &name) == JK_OK)
        p->sent = jk_query_get(&form, "token");
    if (status == HTTP_UNSUPPORTED_MEDIA_TYPE)
        p->result = (jk_result){ status, "the body of a POST must be a form: Content-Type " FORM };
    else if (status == HTTP_REQUEST_ENTITY_TOO_LARGE)
        p->result = (jk_result){ status, "the form is too large" };
    else if (status != OK)
        p->result = (jk_result){ status >= 400 ? status : HTTP_BAD_REQUEST, "the body could not be read" };
}

/* ---- may it change something ---- */

/* A browser says where a request comes from; who says nothing is none. Sec-Fetch-Site is the browser's own word, and knows nothing of
 * proxies that change the Host; Origin is for browsers that are older. */
static bool is_from_elsewhere(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site"), *origin = apr_table_get(r->headers_in, "Origin");
    const char *host = apr_table_get(r->headers_in, "Host"), *at = origin ? strstr(origin, "://") : NULL;

    if (site)
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    if (origin == NULL)
        return false;
    return at == NULL || host == NULL || ap_cstr_casecmp(at + 3, host) != 0;
}

static void check_change(page *p)
{
    bool post = p->r->method_number == M_POST;

    if (!(p->ask.command->does & JK_CMD_CHANGES))
        return;
    if (!post && !p->conf->allow_get_changes)
        refuse(p, HTTP_METHOD_NOT_ALLOWED, apr_psprintf(p->r->pool, "Changes need POST and a token; a GET changes nothing, unless "
                                                         "worker.%s.allow_get_changes=true", p->conf->name));
    else if (is_from_elsewhere(p->r))
        refuse(p, HTTP_FORBIDDEN, "The request comes from another site: nothing was changed");
    else if (post && !jk_token_is(p->token, p->sent))
        refuse(p, HTTP_FORBIDDEN, p->sent ? "The token is not valid (any more): load the page again" :
               "Changes need a token: the form field token, or the header X-JK-Token, with what mime=json shows under changes");
}

static const char *quoted_user(const page *p)
{
    return p->user ? apr_psprintf(p->r->pool, "user '%s'", p->user) : "somebody";
}

static void change(page *p)
{
    jk_edit done;

    if (!jk_result_ok(&p->result) || !(p->ask.command->does & JK_CMD_CHANGES))
        return;
    done = jk_edit_make(p->r->pool, p->state.registry, &p->ask, p->user ? p->user : "", apr_time_sec(p->r->request_time));
    jk_edit_do(&done, &p->result);
    for (int i = 0; i < done.lines->nelts; i++)
        JK_INFO(&p->log, "Status worker '%s' %s by %s at %s", p->conf->name, APR_ARRAY_IDX(done.lines, i, const char *), quoted_user(p),
                p->r->useragent_ip);
}

/* ---- the answer ---- */

static jk_view *look(const page *p)
{
    request_rec *r = p->r;
    jk_view_from from = { .registry = p->state.registry, .workers = p->state.workers, .status = p->conf, .findings = p->state.findings };

    from.maps = jk_statusmaps_make(r, p->state.main_server);
    from.now = apr_time_sec(apr_time_now());
    from.server_name = ap_get_server_name(r);
    from.server_port = ap_get_server_port(r);
    from.web_server = ap_get_server_banner();
    from.jk_version = "mod_jk/" JK_VERSION;
    from.pid = (int32_t)getpid();
    ap_mpm_query(AP_MPMQ_GENERATION, &from.generation);
    from.stale = p->state.stale;
    from.parked = jk_park_look(p->state.park);
    from.metrics = jk_scrape_from(r);
    from.token = p->ask.read_only ? "" : p->token;
    from.base = r->uri + strspn(r->uri, "/") - 1; /* two would begin the name of a host */
    return jk_view_make(r->pool, &from);
}

/* The stylesheet of the worker's `css` may lie elsewhere: "https://host" of it, or "". */
static const char *style_source(apr_pool_t *p, const char *css)
{
    size_t scheme = strncmp(css, "https://", 8) == 0 ? 8 : strncmp(css, "http://", 7) == 0 ? 7 : 0;
    size_t n = scheme ? scheme + strcspn(css + scheme, "/?#;, \t'\"") : 0;

    return n ? apr_pstrmemdup(p, css, n) : "";
}

static void set_headers(const page *p)
{
    request_rec *r = p->r;
    apr_table_t *out = r->headers_out;

    ap_set_content_type(r, p->ask.format->type);
    apr_table_setn(out, "Cache-Control", "no-cache, no-store");
    apr_table_setn(out, "Pragma", "no-cache");
    apr_table_setn(out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(out, "X-Frame-Options", "DENY");
    apr_table_setn(out, "Referrer-Policy", "same-origin"); /* with less the browser would hide the origin of our own forms */
    apr_table_setn(out, "Content-Security-Policy",
                   apr_pstrcat(r->pool, "default-src 'none'; style-src 'self' " JK_STYLE_HASH " ", style_source(r->pool, p->conf->css),
                               "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", NULL));
    if (p->result.status == HTTP_METHOD_NOT_ALLOWED)
        apr_table_setn(out, "Allow", "POST");
}

static int answer(const page *p)
{
    const jk_view *view = p->result.status == HTTP_FORBIDDEN ? NULL : look(p);
    jk_span text = jk_render(p->r->pool, view, &p->ask, &p->result, p->conf);

    set_headers(p);
    p->r->status = p->result.status;
    ap_set_content_length(p->r, (apr_off_t)text.len);
    if (!p->r->header_only)
        ap_rwrite(text.p, (int)text.len, p->r);
    return OK;
}

static void tell(const page *p)
{
    if (!jk_result_ok(&p->result))
        JK_WARN(&p->log, 801, "Status worker '%s': %s (asked by %s at %s: %s)", p->conf->name, p->result.message, quoted_user(p),
                p->r->useragent_ip, p->ask.command->name);
}

int jk_statuspage_run(request_rec *r, const jk_worker *worker)
{
    page p = { .r = r, .conf = worker->conf, .user = user_of(r, jk_config_of(r->server)), .log = jk_logfile_about(r) };

    if (r->method_number != M_GET && r->method_number != M_POST) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_POST, -1); /* and HEAD */
        return HTTP_METHOD_NOT_ALLOWED;
    }
    p.state = jk_startup_look();
    p.token = jk_token_make(r->pool, p.state.token_key, worker->name, p.user);
    read_ask(&p);
    if (!may_use(&p)) {
        p.result = (jk_result){ HTTP_FORBIDDEN, "Access denied." };
        JK_WARN(&p.log, 802, "Status worker '%s' service denied for user '%s': worker.%s.user does not name it", worker->name,
                p.user ? p.user : "(null)", worker->name);
        return answer(&p);
    }
    jk_edit_check_worker(p.state.registry, &p.ask, &p.result);
    check_change(&p);
    change(&p);
    tell(&p);
    return answer(&p);
}
