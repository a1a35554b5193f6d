/* native/httpd/environ.c - reads the environment and decides nothing: what a value means stands in request.c and tls.c. */
#include "environ.h"

#include "logfile.h"

#include <apr_strings.h>
#include <util_script.h>

/* What ap_add_common_vars() makes; the client's headers (HTTP_x) besides. It is dear: 3 K instructions, 21 K with 40 headers. */
static bool is_common_var(const char *name)
{
    static const char *const names[] = {
        "AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "CONTEXT_DOCUMENT_ROOT", "CONTEXT_PREFIX", "DOCUMENT_ROOT", "LD_LIBRARY_PATH", "PATH",
        "REDIRECT_QUERY_STRING", "REDIRECT_URL", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_PORT", "REMOTE_USER", "REQUEST_SCHEME",
        "SCRIPT_FILENAME", "SERVER_ADDR", "SERVER_ADMIN", "SERVER_NAME", "SERVER_PORT", "SERVER_SIGNATURE", "SERVER_SOFTWARE",
    };

    if (!ap_cstr_casecmpn(name, "HTTP_", 5))
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!ap_cstr_casecmp(name, names[i]))
            return true;
    return false;
}

const jk_environ *jk_environ_make(apr_pool_t *p, const jk_server *conf)
{
    jk_environ *e = apr_pcalloc(p, sizeof *e);

    for (int i = JK_ENV_OF_REQUEST; i < JK_ENV_COUNT; i++) {
        e->names[i] = conf->env[i];
        e->first |= 1u << (*conf->env[i] & 31);
        e->common_vars |= is_common_var(conf->env[i]);
    }
    for (int i = 0; i < conf->env_vars->nelts; i++)
        e->common_vars |= is_common_var(APR_ARRAY_IDX(conf->env_vars, i, jk_env_var).name);
    e->tls_by_name = ap_cstr_casecmp(conf->env[JK_ENV_HTTPS], "HTTPS") != 0;
    e->chain_by_look_up = ap_cstr_casecmp(conf->cert_chain_prefix, "SSL_CLIENT_CERT_CHAIN_") == 0;
    return e;
}

/* Two indicators may name one variable. Where a table has a name twice the first counts. */
static bool take(const jk_environ *e, const apr_table_entry_t *one, const char *value[JK_ENV_COUNT])
{
    bool taken = false;

    for (int i = JK_ENV_OF_REQUEST; i < JK_ENV_COUNT; i++)
        if (value[i] == NULL && !ap_cstr_casecmp(one->key, e->names[i])) {
            value[i] = one->val;
            taken = true;
        }
    return taken;
}

bool jk_environ_read(const jk_environ *e, request_rec *r, const char *value[JK_ENV_COUNT])
{
    const apr_array_header_t *all;
    const apr_table_entry_t *one;
    bool any = false;

    if (e->common_vars)
        ap_add_common_vars(r);
    all = apr_table_elts(r->subprocess_env);
    one = (const void *)all->elts;
    for (int i = 0; i < all->nelts; i++)
        if (e->first >> (*one[i].key & 31) & 1)
            any |= take(e, &one[i], value);
    return any;
}

const jk_field *jk_environ_attributes(const jk_server *conf, request_rec *r, size_t *n)
{
    const jk_env_var *var = (const void *)conf->env_vars->elts;
    jk_field *fields = apr_palloc(r->pool, (size_t)conf->env_vars->nelts * sizeof *fields);

    *n = 0;
    for (int i = 0; i < conf->env_vars->nelts; i++) {
        const char *value = apr_table_get(r->subprocess_env, var[i].name);
        if (value == NULL)
            value = var[i].standard;
        if (value)
            fields[(*n)++] = (jk_field){ jk_span_of(var[i].name), jk_span_of(value) };
    }
    return fields;
}

/* Tomcat knows these by name; any other it asks allowedRequestAttributesPattern for. */
static bool tomcat_knows(const char *name)
{
    static const char *const names[] = { "AJP_LOCAL_ADDR", "AJP_REMOTE_PORT", "AJP_SSL_PROTOCOL", "JK_LB_ACTIVATION" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "javax.servlet.request.", 22) == 0 || strncmp(name, "jakarta.servlet.request.", 24) == 0;
}

void jk_environ_tell(const jk_server *conf, apr_pool_t *p)
{
    jk_log log = jk_logfile_for(conf, "POST_CONFIG");
    const char *names = "";

    for (int i = 0; i < conf->env_vars->nelts; i++) {
        const char *name = APR_ARRAY_IDX(conf->env_vars, i, jk_env_var).name;
        if (!tomcat_knows(name))
            names = apr_pstrcat(p, names, *names ? "|" : "", name, NULL);
    }
    if (*names)
        JK_INFO(&log, "JkEnvVar: Tomcat (since 7.0.100, 8.5.51, 9.0.31) answers 403 to requests with these attributes unless its AJP connector "
                "says allowedRequestAttributesPattern=\"%s\"", names);
}
