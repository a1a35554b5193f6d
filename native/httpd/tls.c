/* native/httpd/tls.c - the facts of TLS, from the environment or from whichever module of httpd does TLS. */
#include "tls.h"

#include "environ.h"

#include <ap_mmn.h>
#include <apr_strings.h>
#include <stdlib.h>

#if AP_MODULE_MAGIC_AT_LEAST(20120211, 104)
#include <http_ssl.h>

bool jk_tls_is_on(conn_rec *c)
{
    return ap_ssl_conn_is_ssl(c) != 0;
}

static const char *raw_fact(request_rec *r, const char *name)
{
    return ap_ssl_var_lookup(r->pool, r->server, r->connection, r, name);
}

#else /* httpd before 2.4.49 */
#include <apr_optional.h>

APR_DECLARE_OPTIONAL_FN(int, ssl_is_https, (conn_rec *));
APR_DECLARE_OPTIONAL_FN(char *, ssl_var_lookup, (apr_pool_t *, server_rec *, conn_rec *, request_rec *, char *));

bool jk_tls_is_on(conn_rec *c)
{
    APR_OPTIONAL_FN_TYPE(ssl_is_https) *is_https = APR_RETRIEVE_OPTIONAL_FN(ssl_is_https);

    return is_https && is_https(c);
}

static const char *raw_fact(request_rec *r, const char *name)
{
    APR_OPTIONAL_FN_TYPE(ssl_var_lookup) *look_up = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);

    return look_up ? look_up(r->pool, r->server, r->connection, r, apr_pstrdup(r->pool, name)) : NULL;
}
#endif

/* Only mod_ssl's own names: for others it would answer with headers of the client, or with variables of the process. */
static const char *fact(request_rec *r, const char *name)
{
    const char *value = ap_cstr_casecmpn(name, "SSL_", 4) ? NULL : raw_fact(r, name);

    return value && *value ? value : NULL;
}

static const char *known(request_rec *r, const char *const value[JK_ENV_COUNT], jk_env which, bool on)
{
    if (value[which])
        return value[which];
    return on ? fact(r, jk_config_of(r->server)->environ->names[which]) : NULL;
}

/* ---- the client's certificate ---- */

/* Every variable whose name begins with the prefix, in the table's order (spec: directives.md 6). */
static const char *chain_of_table(request_rec *r, const char *prefix)
{
    const apr_array_header_t *all = apr_table_elts(r->subprocess_env);
    const char *chain = "";

    for (int i = 0; i < all->nelts; i++) {
        const apr_table_entry_t *one = &APR_ARRAY_IDX(all, i, apr_table_entry_t);
        if (!ap_cstr_casecmpn(one->key, prefix, strlen(prefix)))
            chain = apr_pstrcat(r->pool, chain, one->val, NULL);
    }
    return chain;
}

static const char *chain_looked_up(request_rec *r)
{
    const char *chain = "", *next;

    for (int i = 0; (next = fact(r, apr_psprintf(r->pool, "SSL_CLIENT_CERT_CHAIN_%d", i))) != NULL; i++)
        chain = apr_pstrcat(r->pool, chain, next, NULL);
    return chain;
}

static bool is_verified(request_rec *r)
{
    const char *verify = fact(r, "SSL_CLIENT_VERIFY");

    return verify && strcmp(verify, "SUCCESS") == 0;
}

/* Looked up only where it was verified: under optional_no_ca a self-signed one would pass for an identity. */
static const char *client_cert(request_rec *r, const char *const value[JK_ENV_COUNT], bool on)
{
    const jk_server *conf = jk_config_of(r->server);
    bool look_up = value[JK_ENV_SSL_CERT] == NULL && on && is_verified(r);
    const char *cert = known(r, value, JK_ENV_SSL_CERT, look_up), *chain;

    if (cert == NULL || *cert == '\0')
        return NULL;
    if (!(conf->options & JK_OPT_CERT_CHAIN))
        return cert;
    chain = chain_of_table(r, conf->cert_chain_prefix);
    if (*chain == '\0' && look_up && conf->environ->chain_by_look_up)
        chain = chain_looked_up(r);
    return *chain ? apr_pstrcat(r->pool, cert, chain, NULL) : cert;
}

void jk_tls_take(jk_request *rq, request_rec *r, const char *const value[JK_ENV_COUNT], bool on)
{
    const jk_server *conf = jk_config_of(r->server);
    const char *https = value[JK_ENV_HTTPS], *bits;

    rq->is_ssl = https ? !ap_cstr_casecmp(https, "on") : on && !conf->environ->tls_by_name;
    if (!rq->is_ssl)
        return;
    rq->ssl_cipher = jk_span_of(known(r, value, JK_ENV_SSL_CIPHER, on));
    rq->ssl_protocol = jk_span_of(known(r, value, JK_ENV_SSL_PROTOCOL, on));
    rq->ssl_session = jk_span_of(known(r, value, JK_ENV_SSL_SESSION, on));
    rq->ssl_cert = jk_span_of(client_cert(r, value, on));
    bits = conf->options & JK_OPT_KEY_SIZE ? known(r, value, JK_ENV_SSL_KEY_SIZE, on) : NULL;
    if (bits && atoi(bits) >= 0 && atoi(bits) <= 0xFFFF) /* AJP13 has 16 bits for it */
        rq->ssl_key_size = atoi(bits);
}
