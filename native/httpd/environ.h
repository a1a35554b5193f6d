/* native/httpd/environ.h - what a request's environment (r->subprocess_env) says to the container: the variables that the indicator
 * directives name, and those of JkEnvVar (spec: directives.md 6). What is to be looked for is worked out once per server. */
#ifndef JK_HTTPD_ENVIRON_H
#define JK_HTTPD_ENVIRON_H

#include "config.h"

struct jk_environ {
    const char *names[JK_ENV_COUNT];
    uint32_t first;    /* a bit for each letter that one of them begins with, whatever its case */
    bool common_vars;  /* one of them, or of JkEnvVar, is a CGI variable: httpd has to make those first */
    bool tls_by_name;  /* JkHTTPSIndicator names a variable of the administrator's: it alone tells whether this is TLS */
    bool chain_by_look_up; /* JkCERTCHAINPrefix names variables of mod_ssl */
};

/* At post_config: what the directives of this server ask for. */
const jk_environ *jk_environ_make(apr_pool_t *p, const jk_server *conf);

/* Fills value[JK_ENV_OF_REQUEST ..] with what is set; all must be NULL before. In the handler: SetEnv is done by then.
 * False: nothing is set. */
bool jk_environ_read(const jk_environ *e, request_rec *r, const char *value[JK_ENV_COUNT]);

/* The attributes of JkEnvVar, in the order of the configuration, in r->pool. */
const jk_field *jk_environ_attributes(const jk_server *conf, request_rec *r, size_t *n);

/* At post_config: an info line about the names that Tomcat refuses unless its connector allows them. */
void jk_environ_tell(const jk_server *conf, apr_pool_t *p);

#endif
