/* native/httpd/request.c - reads a request_rec and nothing else: no decision about workers or mapping is taken here. */
#include "request.h"

#include "environ.h"
#include "forwarded.h"
#include "tls.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <stdlib.h>
#include <util_filter.h>

/* ---- headers ---- */

static bool names_headers(const char *connection)
{
    return connection && ap_cstr_casecmp(connection, "keep-alive") && ap_cstr_casecmp(connection, "close");
}

apr_table_t *jk_request_hop_fields(request_rec *r)
{
    const char *connection = apr_table_get(r->headers_in, "Connection"), *value;
    apr_table_t *fields;
    char *rest, *word;

    if (!names_headers(connection))
        return NULL;
    fields = apr_table_make(r->pool, 2);
    for (word = apr_strtok(apr_pstrdup(r->pool, connection), ", \t", &rest); word; word = apr_strtok(NULL, ", \t", &rest))
        if ((value = apr_table_get(r->headers_in, word)) != NULL)
            apr_table_setn(fields, word, value);
    return apr_is_empty_table(fields) ? NULL : fields;
}

/* Those of `fields` that nobody in the server has set since, as the list that AJP's encoder leaves out. */
static jk_span still_the_clients(request_rec *r, const apr_table_t *fields)
{
    const apr_array_header_t *all = apr_table_elts(fields);
    const char *list = "";

    for (int i = 0; i < all->nelts; i++) {
        const apr_table_entry_t *one = &APR_ARRAY_IDX(all, i, apr_table_entry_t);
        if (apr_table_get(r->headers_in, one->key) == one->val)
            list = apr_pstrcat(r->pool, list, *list ? "," : "", one->key, NULL);
    }
    return *list ? jk_span_of(list) : JK_SPAN_NONE;
}

/* "Content-Length" or "Transfer-Encoding", or another name as long. */
static bool may_announce_body(jk_span name)
{
    return name.len == 14 || name.len == 17;
}

/* False: no header announces a body. */
static bool take_headers(jk_request *rq, request_rec *r, const apr_table_t *hop_fields)
{
    const apr_array_header_t *table = apr_table_elts(r->headers_in);
    const apr_table_entry_t *e = (const void *)table->elts;
    jk_field *fields = apr_palloc(r->pool, (size_t)table->nelts * sizeof *fields);
    bool announced = MODULE_MAGIC_NUMBER_MAJOR > 20120211; /* httpd after 2.4 knows bodies that no header announces */

    for (int i = 0; i < table->nelts; i++) {
        fields[i] = (jk_field){ jk_span_of(e[i].key), jk_span_of(e[i].val ? e[i].val : "") };
        announced |= may_announce_body(fields[i].name);
    }
    rq->headers = fields;
    rq->nheaders = (size_t)table->nelts;
    if (hop_fields)
        rq->connection = still_the_clients(r, hop_fields);
    return announced;
}

/* ---- who and where ---- */

static void take_addresses(jk_incoming *in, request_rec *r, int options)
{
    jk_request *rq = &in->rq;
    conn_rec *c = r->connection;
    const char *addr = r->useragent_ip;
    apr_sockaddr_t *peer = r->useragent_addr;

    if (options & JK_OPT_PHYSICAL_ADDRESS) {
        addr = c->client_ip;
        peer = c->client_addr;
    }
    rq->local_addr = jk_span_of(c->local_ip);
    rq->remote_host = jk_span_of(ap_get_remote_host(c, r->per_dir_config, REMOTE_HOST, NULL));
    if (options & JK_OPT_LOCAL_ADDRESS) { /* the container then sees requests of this server's own address */
        rq->remote_addr = rq->local_addr;
        rq->remote_port = JK_SPAN_LIT("0");
        return;
    }
    rq->remote_addr = jk_span_of(addr);
    rq->remote_port = jk_span_decimal(in->port, peer ? peer->port : 0);
}

/* ---- what the environment replaces ---- */

/* Set and empty takes the value away. */
static void replace(jk_span *what, const char *value)
{
    if (value)
        *what = *value ? jk_span_of(value) : JK_SPAN_NONE;
}

/* Set and empty is sent as it is: a server has a name and an address. */
static void replace_own(jk_span *what, const char *value)
{
    if (value)
        *what = jk_span_of(value);
}

/* Most requests have none. */
static bool has_environment(request_rec *r, const jk_server *conf)
{
    return !apr_is_empty_table(r->subprocess_env) || conf->environ->common_vars;
}

static void replace_values(jk_request *rq, const char *const value[JK_ENV_COUNT])
{
    const char *port = value[JK_ENV_LOCAL_PORT];

    replace(&rq->remote_addr, value[JK_ENV_REMOTE_ADDR]);
    replace(&rq->remote_port, value[JK_ENV_REMOTE_PORT]);
    replace(&rq->remote_host, value[JK_ENV_REMOTE_HOST]);
    replace(&rq->remote_user, value[JK_ENV_REMOTE_USER]);
    replace(&rq->auth_type, value[JK_ENV_AUTH_TYPE]);
    replace_own(&rq->server_name, value[JK_ENV_LOCAL_NAME]);
    replace_own(&rq->local_addr, value[JK_ENV_LOCAL_ADDR]);
    if (port && atoi(port) >= 0 && atoi(port) <= 0xFFFF)
        rq->server_port = (uint16_t)atoi(port);
}

static void take_environment(jk_incoming *in, request_rec *r, const jk_server *conf)
{
    static const char *const nothing[JK_ENV_COUNT];
    const char **value;

    in->env = nothing;
    if (!has_environment(r, conf))
        return;
    in->env = value = apr_pcalloc(r->pool, JK_ENV_COUNT * sizeof *value);
    if (jk_environ_read(conf->environ, r, value))
        replace_values(&in->rq, value);
}

/* ---- the body ---- */

/* A filter may swallow what it reads and have nothing to give yet (mod_deflate); one that goes on like that has lost its client. */
#define EMPTY_MOST 1000

/* httpd has a status of its own for a body beyond LimitRequestBody. */
static jk_rc unreadable(jk_incoming *in, apr_status_t why)
{
    in->status = ap_map_http_request_error(why, HTTP_BAD_REQUEST);
    return JK_E_CLIENT_READ;
}

/* Takes what fits; a rest of a bucket stays for the next call. */
static jk_rc take_bucket(jk_incoming *in, apr_bucket *b, uint8_t *p, size_t room, size_t *got)
{
    const char *data;
    apr_size_t len;
    apr_status_t rv;

    if (APR_BUCKET_IS_EOS(b))
        in->ended = true;
    if (AP_BUCKET_IS_ERROR(b)) {
        in->status = ((ap_bucket_error *)b->data)->status;
        return JK_E_CLIENT_READ;
    }
    if (!APR_BUCKET_IS_METADATA(b)) {
        rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
        if (rv != APR_SUCCESS)
            return unreadable(in, rv);
        if (len > room - *got) {
            len = room - *got;
            apr_bucket_split(b, len);
        }
        memcpy(p + *got, data, len);
        *got += len;
    }
    apr_bucket_delete(b);
    return JK_OK;
}

static jk_rc fetch(jk_incoming *in, size_t room)
{
    request_rec *r = in->r;

    if (in->inlet) {
        jk_rc rc = jk_inlet_read(in->inlet, in->bb, (apr_off_t)room);
        return rc == JK_E_CLIENT_READ ? unreadable(in, in->inlet->why) : rc;
    }
    apr_status_t rv = ap_get_brigade(r->input_filters, in->bb, AP_MODE_READBYTES, APR_BLOCK_READ, (apr_off_t)room);
    return rv == APR_SUCCESS ? JK_OK : unreadable(in, rv);
}

static jk_rc read_body(void *ctx, uint8_t *p, size_t room, size_t *got, bool *ended)
{
    jk_incoming *in = ctx;
    request_rec *r = in->r;

    *got = 0;
    for (int turns = 0; *got == 0 && !in->ended; turns++) {
        jk_rc rc = JK_OK;
        if (turns == EMPTY_MOST || r->connection->aborted)
            return JK_E_CLIENT_READ;
        if (APR_BRIGADE_EMPTY(in->bb) && (rc = fetch(in, room)) != JK_OK)
            return rc;
        while (*got < room && !in->ended && !APR_BRIGADE_EMPTY(in->bb)) {
            rc = take_bucket(in, APR_BRIGADE_FIRST(in->bb), p, room, got);
            if (rc != JK_OK)
                return rc;
        }
    }
    *ended = in->ended;
    return JK_OK;
}

/* Where nothing announces one, httpd need not look for it in the table: that is a hundred instructions of each GET. */
static int take_body(jk_incoming *in, request_rec *r, bool announced)
{
    jk_request *rq = &in->rq;
    int status;

    in->r = r;
    in->source = (jk_source){ read_body, in };
    if (r->main || !announced) /* the body is the main request's */
        return OK;
    if ((status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK)) != OK)
        return status;
    if (r->read_chunked)
        rq->body = JK_BODY_UNKNOWN;
    else if (r->remaining > 0) /* a filter of the content (mod_deflate) changes how long it is */
        rq->body = r->input_filters != r->proto_input_filters || in->env[JK_ENV_IGNORE_CL] ? JK_BODY_UNKNOWN : JK_BODY_LENGTH;
    rq->content_length = r->remaining > 0 ? (uint64_t)r->remaining : 0;
    if (rq->body != JK_BODY_NONE)
        in->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    return OK;
}

int jk_request_take(jk_incoming *in, request_rec *r, const jk_server *conf, const char *uri, const apr_table_t *hop_fields)
{
    jk_request *rq = &in->rq;

    rq->ssl_key_size = -1;
    rq->method = jk_span_of(r->method);
    rq->protocol = jk_span_of(r->protocol);
    rq->uri = jk_span_of(jk_forwarded_uri(r->pool, conf->options, r->unparsed_uri, uri));
    rq->query = jk_span_of(r->args);
    rq->server_name = jk_span_of(ap_get_server_name(r));
    rq->server_port = ap_get_server_port(r);
    rq->remote_user = jk_span_of(r->user);
    rq->auth_type = jk_span_of(r->ap_auth_type);
    rq->activation = JK_SPAN_LIT("ACT");
    bool announced = take_headers(rq, r, hop_fields);
    take_addresses(in, r, conf->options);
    take_environment(in, r, conf);
    if (conf->env_vars->nelts)
        rq->env = jk_environ_attributes(conf, r, &rq->nenv);
    in->tls = jk_tls_is_on(r->connection);
    if (conf->extract_ssl && (in->tls || in->env[JK_ENV_HTTPS]))
        jk_tls_take(rq, r, in->env, in->tls);
    return take_body(in, r, announced);
}
