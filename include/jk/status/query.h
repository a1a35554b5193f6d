/* include/jk/status/query.h - the parameters of a request for the status page: "w=lb&sw=node1&vwf=2", of a query or of a form's body.
 *
 * A value is %-decoded, and + is a blank; a parameter without '=' or without a name is none; of two with one name the last counts. */
#ifndef JK_STATUS_QUERY_H
#define JK_STATUS_QUERY_H

#include "jk/base/outcome.h"
#include "jk/base/span.h"

#include <apr_tables.h>

#define JK_QUERY_BYTES 65536 /* more is refused, */
#define JK_QUERY_MOST 4096   /* and so are more parameters */

typedef struct jk_query {
    apr_array_header_t *params; /* of jk_param, names in the order of the text */
} jk_query;

typedef struct jk_param {
    const char *name, *value; /* as they are meant; without a NUL byte in them */
} jk_param;

/* In p. JK_OK; JK_E_CONF: an escape is none, or stands for a NUL, or a limit is passed; *name is the parameter, in p, or "". */
jk_rc jk_query_read(apr_pool_t *p, jk_span text, jk_query *query, const char **name);

/* The value of a name; NULL: it is not there. */
const char *jk_query_get(const jk_query *query, const char *name);

#endif
