/* native/httpd/outlet.h - writes to a client that may be slow, without waiting for it: a filter directly above the core's.
 *
 *   .. gzip -> chunks -> TLS -> [outlet] -> core -> client
 *
 * A FLUSH must go down the whole chain (gzip and TLS hold bytes back), but in the core it would block. While its owner says so
 * the outlet takes it out and writes what the socket takes; and it counts what may still lie in the core, in bytes of the wire. The core blocks
 * of itself only when that and what is new pass FlushMaxThreshold. */
#ifndef JK_HTTPD_OUTLET_H
#define JK_HTTPD_OUTLET_H

#include "jk/base/outcome.h"

#include <httpd.h>
#include <util_filter.h>
#include <stdbool.h>

typedef struct jk_outlet {
    conn_rec *c;
    bool gentle;        /* one of our brigades is on its way */
    bool slow;          /* the client was behind for longer than a moment: it is not worth a wait in place */
    apr_size_t pending; /* bytes in the core, at most */
    apr_size_t step;    /* most bytes that may be passed at once while something is pending */
    apr_size_t rest;    /* most bytes that may be pending when more is read */
    apr_time_t behind;  /* when the client was found behind, and not waited for; 0: it is not */
    apr_time_t moved;   /* when something was last seen to move, while it is behind */
    int queue;          /* bytes in the socket's queue then */
} jk_outlet;

/* Once, when the hooks are registered. */
void jk_outlet_register(void);

/* Once per connection, before its first request is read: filters of requests point to those of the connection. */
void jk_outlet_add(jk_outlet *o, conn_rec *c);

/* A request begins that will use it. */
static inline void jk_outlet_begin(jk_outlet *o)
{
    o->pending = o->c->data_in_output_filters ? (apr_size_t)-1 : 0; /* of an answer before: unknown */
    o->behind = 0;
}

/* Passes bb to f without waiting for the client; bb may be used again. JK_OK or JK_E_CLIENT_WRITE. */
jk_rc jk_outlet_pass(jk_outlet *o, ap_filter_t *f, apr_bucket_brigade *bb);

/* JK_OK: at most `most` bytes lie in the core. JK_AGAIN: more do; ask again when the client takes some, or after half of Timeout.
 * JK_E_CLIENT_WRITE: it is gone, or took nothing for Timeout. */
jk_rc jk_outlet_drain(jk_outlet *o, apr_size_t most);

#endif
