/* native/httpd/request.c - reads a request_rec and nothing else: no decision about workers or mapping is taken here. */
#include "request.h"

#include "jk/route/path.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_ssl.h>
#include <util_filter.h>

/* ---- the URI ---- */

static const char *forwarded_uri(request_rec *r, int options, const char *uri)
{
    char *out;

    if (options & JK_OPT_URI_COMPAT)
        return uri;
    if (options & JK_OPT_URI_UNPARSED)
        return apr_pstrmemdup(r->pool, r->unparsed_uri, jk_path_forward_unparsed(r->unparsed_uri).len);
    if (!(options & JK_OPT_URI_ESCAPED) && jk_path_is_plain(uri, r->unparsed_uri))
        return uri;
    out = apr_palloc(r->pool, 3 * strlen(uri) + 1);
    if (options & JK_OPT_URI_ESCAPED)
        jk_path_forward_escaped(uri, out);
    else
        jk_path_forward_proxy(uri, r->unparsed_uri, out);
    return out;
}

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

static void take_headers(jk_request *rq, request_rec *r, const apr_table_t *hop_fields)
{
    const apr_array_header_t *table = apr_table_elts(r->headers_in);
    const apr_table_entry_t *e = (const void *)table->elts;
    jk_field *fields = apr_palloc(r->pool, (size_t)table->nelts * sizeof *fields);

    for (int i = 0; i < table->nelts; i++)
        fields[i] = (jk_field){ jk_span_of(e[i].key), jk_span_of(e[i].val ? e[i].val : "") };
    rq->headers = fields;
    rq->nheaders = (size_t)table->nelts;
    if (hop_fields)
        rq->connection = still_the_clients(r, hop_fields);
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

/* ---- TLS, looked up through httpd: no SSLOptions are needed ---- */

static const char *ssl_fact(request_rec *r, const char *name)
{
    const char *value = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, name);

    return value && *value ? value : NULL;
}

/* Only a verified certificate: under optional_no_ca a self-signed one would pass for an identity. */
static const char *client_cert(request_rec *r, bool chain)
{
    const char *verify = ssl_fact(r, "SSL_CLIENT_VERIFY"), *cert, *next;

    if (verify == NULL || strcmp(verify, "SUCCESS") != 0)
        return apr_table_get(r->subprocess_env, "SSL_CLIENT_CERT");
    cert = ssl_fact(r, "SSL_CLIENT_CERT");
    for (int i = 0; cert && chain; i++) {
        next = ssl_fact(r, apr_psprintf(r->pool, "SSL_CLIENT_CERT_CHAIN_%d", i));
        if (next == NULL)
            break;
        cert = apr_pstrcat(r->pool, cert, next, NULL);
    }
    return cert;
}

static void take_tls(jk_request *rq, request_rec *r, int options)
{
    const char *bits;

    rq->is_ssl = true;
    rq->ssl_cipher = jk_span_of(ssl_fact(r, "SSL_CIPHER"));
    rq->ssl_protocol = jk_span_of(ssl_fact(r, "SSL_PROTOCOL"));
    rq->ssl_session = jk_span_of(ssl_fact(r, "SSL_SESSION_ID"));
    rq->ssl_cert = jk_span_of(client_cert(r, options & JK_OPT_CERT_CHAIN));
    bits = options & JK_OPT_KEY_SIZE ? ssl_fact(r, "SSL_CIPHER_USEKEYSIZE") : NULL;
    if (bits)
        rq->ssl_key_size = atoi(bits);
}

/* ---- the body ---- */

/* A filter may swallow what it reads and have nothing to give yet (mod_deflate); one that goes on like that has lost its client. */
#define EMPTY_MOST 1000

/* Takes what fits; a rest of a bucket stays for the next call. */
static jk_rc take_bucket(jk_incoming *in, apr_bucket *b, uint8_t *p, size_t room, size_t *got)
{
    const char *data;
    apr_size_t len;

    if (APR_BUCKET_IS_EOS(b))
        in->ended = true;
    if (AP_BUCKET_IS_ERROR(b))
        return JK_E_CLIENT_READ;
    if (!APR_BUCKET_IS_METADATA(b)) {
        if (apr_bucket_read(b, &data, &len, APR_BLOCK_READ) != APR_SUCCESS)
            return JK_E_CLIENT_READ;
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

    if (in->inlet)
        return jk_inlet_read(in->inlet, in->bb, (apr_off_t)room);
    if (ap_get_brigade(r->input_filters, in->bb, AP_MODE_READBYTES, APR_BLOCK_READ, (apr_off_t)room) != APR_SUCCESS)
        return JK_E_CLIENT_READ;
    return JK_OK;
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

static int take_body(jk_incoming *in, request_rec *r)
{
    jk_request *rq = &in->rq;
    int status;

    in->r = r;
    in->source = (jk_source){ read_body, in };
    if (r->main) /* the body is the main request's */
        return OK;
    if ((status = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK)) != OK)
        return status;
    if (r->read_chunked)
        rq->body = JK_BODY_UNKNOWN;
    else if (r->remaining > 0) /* a filter of the content (mod_deflate) changes how long it is */
        rq->body = r->input_filters != r->proto_input_filters || apr_table_get(r->subprocess_env, "JK_IGNORE_CL") ? JK_BODY_UNKNOWN : JK_BODY_LENGTH;
    rq->content_length = r->remaining > 0 ? (uint64_t)r->remaining : 0;
    if (rq->body != JK_BODY_NONE)
        in->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    return OK;
}

int jk_request_take(jk_incoming *in, request_rec *r, const jk_server *conf, const char *uri, const apr_table_t *hop_fields)
{
    jk_request *rq = &in->rq;
    const char *https;

    rq->ssl_key_size = -1;
    rq->method = jk_span_of(r->method);
    rq->protocol = jk_span_of(r->protocol);
    rq->uri = jk_span_of(forwarded_uri(r, conf->options, uri));
    rq->query = jk_span_of(r->args);
    rq->server_name = jk_span_of(ap_get_server_name(r));
    rq->server_port = ap_get_server_port(r);
    rq->remote_user = jk_span_of(r->user);
    rq->auth_type = jk_span_of(r->ap_auth_type);
    rq->activation = JK_SPAN_LIT("ACT");
    take_headers(rq, r, hop_fields);
    take_addresses(in, r, conf->options);
    https = apr_is_empty_table(r->subprocess_env) ? NULL : apr_table_get(r->subprocess_env, "HTTPS");
    if (ap_ssl_conn_is_ssl(r->connection))
        take_tls(rq, r, conf->options);
    else if (https && !ap_cstr_casecmp(https, "on"))
        rq->is_ssl = true;
    return take_body(in, r);
}
