/* include/jk/conf/extension.h - rule extensions: what a mount says of its requests behind the worker's name (spec: uri_map.md 5).
 *
 *   JkMount /app|/x  lb;reply_timeout=5s;stopped=node2;session_path=;sid
 *
 * An extension is one row of a table in the .c. They are read once, where the configuration is; those of JK_WORKER_NAME with each
 * request. */
#ifndef JK_CONF_EXTENSION_H
#define JK_CONF_EXTENSION_H

#include "jk/conf/workers.h"

/* What was not written wishes nothing. Belongs to the pool of the parse, and never changes. */
typedef struct jk_extension {
    int32_t reply_timeout;     /* ms; 0: none; -1: the worker's */
    int32_t use_server_errors; /* from this status on the page is httpd's own; 0: never */
    bool sticky_ignore, stateless, set_session_cookie;
    const apr_array_header_t *fail_on_status; /* of int32_t, in place of the worker's; NULL: the worker's */
    const char *session_cookie, *session_path, *session_cookie_path; /* NULL: the worker's */
    const char *path;                         /* in place of the pattern's head, without a '/' at its end; NULL: it stays */
    const apr_array_header_t *active, *disabled, *stopped; /* of const char *, as written; NULL: none */
    const int8_t *activations;                /* by member: jk_activation, or -1 where the rule does not name it; NULL: it names none */
} jk_extension;

/* The worker's name in front of them, in p. */
const char *jk_extension_name(apr_pool_t *p, const char *text);

/* The extensions behind it, in p; NULL: there are none. `worker` is the one of that name, NULL where there is none: then nothing can be said of
 * its members. What is wrong is a finding at `place`, and left out. */
const jk_extension *jk_extension_parse(apr_pool_t *p, const char *text, const jk_worker_conf *worker, const jk_prop *place, jk_findings *found);

#endif
