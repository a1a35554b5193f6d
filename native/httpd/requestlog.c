/* native/httpd/requestlog.c - takes the format apart once, and puts a line together for each request. */
#include "requestlog.h"

#include "handler.h"
#include "logfile.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

/* A request as it came and as it went: httpd may have answered with another one (an error page, a directory's index). */
typedef struct moment {
    request_rec *r, *last;
} moment;

typedef const char *(*value_of)(const moment *m);

typedef struct item {
    value_of value; /* NULL: text as it is */
    const char *text;
} item;

struct jk_requestlog {
    apr_array_header_t *items; /* of item */
};

/* ---- the values; NULL: missing ---- */

static const char *number(apr_pool_t *p, apr_off_t n)
{
    return apr_psprintf(p, "%" APR_OFF_T_FMT, n);
}

static const char *bytes(const moment *m)
{
    return number(m->r->pool, m->last->sent_bodyct ? m->last->bytes_sent : 0);
}

static const char *bytes_or_dash(const moment *m)
{
    return m->last->sent_bodyct && m->last->bytes_sent ? bytes(m) : NULL;
}

static const char *protocol(const moment *m)
{
    return m->r->protocol;
}

static const char *method(const moment *m)
{
    return m->r->method;
}

static const char *port(const moment *m)
{
    return number(m->r->pool, m->r->server->port ? m->r->server->port : ap_default_port(m->r));
}

static const char *query(const moment *m)
{
    return m->r->args ? apr_pstrcat(m->r->pool, "?", m->r->args, NULL) : "";
}

/* Without the password that a URI may hold. */
static const char *first_line(const moment *m)
{
    request_rec *r = m->r;

    if (r->parsed_uri.password == NULL)
        return r->the_request;
    return apr_pstrcat(r->pool, r->method, " ", apr_uri_unparse(r->pool, &r->parsed_uri, 0), r->assbackwards ? NULL : " ", r->protocol, NULL);
}

static const char *route(const moment *m)
{
    return apr_table_get(m->r->notes, "JK_WORKER_ROUTE");
}

static const char *status(const moment *m)
{
    return m->last->status > 0 ? number(m->r->pool, m->last->status) : NULL;
}

static const char *duration(const moment *m)
{
    return apr_table_get(m->r->notes, "JK_REQUEST_DURATION");
}

static const char *path(const moment *m)
{
    return m->r->uri;
}

static const char *server(const moment *m)
{
    return m->r->server->server_hostname;
}

static const char *canonical_server(const moment *m)
{
    return ap_get_server_name(m->r);
}

static const char *worker(const moment *m)
{
    return apr_table_get(m->r->notes, "JK_WORKER_NAME");
}

static const struct {
    char letter;
    value_of value;
} escapes[] = { { 'b', bytes_or_dash }, { 'B', bytes }, { 'H', protocol }, { 'm', method }, { 'p', port }, { 'q', query }, { 'r', first_line },
                { 'R', route }, { 's', status }, { 'T', duration }, { 'U', path }, { 'v', server }, { 'V', canonical_server }, { 'w', worker } };

/* ---- the format ---- */

static value_of escape(char letter)
{
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
        if (escapes[i].letter == letter)
            return escapes[i].value;
    return NULL;
}

/* Text up to the next %; \n, \t and \\ are what they stand for, any other backslash stays. */
static const char *literal(apr_pool_t *p, const char **format)
{
    char *text = apr_palloc(p, strlen(*format) + 1), *out = text;
    const char *c = *format;

    for (; *c && *c != '%'; c++) {
        if (*c != '\\' || c[1] == '\0' || strchr("nt\\", c[1]) == NULL) {
            *out++ = *c;
            continue;
        }
        c++;
        *out++ = *c == 'n' ? '\n' : *c == 't' ? '\t' : '\\';
    }
    *out = '\0';
    *format = c;
    return text;
}

/* *wrong: the escape that there is not. */
static jk_requestlog *parse(apr_pool_t *p, const char *format, const char **wrong)
{
    jk_requestlog *log = apr_palloc(p, sizeof *log);

    log->items = apr_array_make(p, 16, sizeof(item));
    while (*format) {
        item one = { NULL, NULL };
        if (*format != '%') {
            one.text = literal(p, &format);
        } else if ((one.value = escape(format[1])) != NULL) {
            format += 2;
        } else {
            *wrong = apr_pstrndup(p, format, 2);
            return NULL;
        }
        APR_ARRAY_PUSH(log->items, item) = one;
    }
    return log;
}

void jk_requestlog_check(const jk_server *conf, jk_findings *found)
{
    const char *wrong = "";

    if (conf->request_log_at.file && parse(found->p, conf->request_log, &wrong) == NULL)
        jk_findings_add(found, JK_FIND_LENIENT, conf->request_log_at.file, conf->request_log_at.line,
                        "JkRequestLogFormat: '%s' is no escape; allowed: %%b %%B %%H %%m %%p %%q %%r %%R %%s %%T %%U %%v %%V %%w; there is no "
                        "request log", wrong);
}

const jk_requestlog *jk_requestlog_make(apr_pool_t *p, const char *format)
{
    const char *wrong;

    return format && *format ? parse(p, format, &wrong) : NULL;
}

/* ---- a line ---- */

/* The first that was ours of a request and those that httpd made of it; NULL: none was. */
static request_rec *ours(request_rec *r)
{
    while (r && !jk_handler_has_taken(r))
        r = r->next;
    return r;
}

int jk_requestlog_write(request_rec *r)
{
    const jk_server *conf = jk_config_of(r->server);
    moment m = { NULL, r };
    const char *text = "";

    if (conf->format == NULL || (m.r = ours(r)) == NULL)
        return DECLINED;
    while (m.last->next)
        m.last = m.last->next;
    for (int i = 0; i < conf->format->items->nelts; i++) {
        const item *one = &APR_ARRAY_IDX(conf->format->items, i, item);
        const char *value = one->value ? one->value(&m) : NULL;
        const char *part = one->text ? one->text : value ? jk_logfile_escaped(r->pool, value) : "-";
        text = apr_pstrcat(r->pool, text, part, NULL);
    }
    jk_logfile_plain(conf, text);
    return OK;
}
