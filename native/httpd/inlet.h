/* native/httpd/inlet.h - reads a request's body from a client that may be slow, without waiting for it. */
#ifndef JK_HTTPD_INLET_H
#define JK_HTTPD_INLET_H

#include "jk/base/outcome.h"

#include <httpd.h>
#include <apr_buckets.h>
#include <stdbool.h>

typedef struct jk_inlet {
    request_rec *r;
    bool slow;               /* the client was waited for longer than a moment: it is not worth a wait in place */
    apr_time_t silent_since; /* 0: it is not silent */
    apr_status_t why;        /* of JK_E_CLIENT_READ */
} jk_inlet;

/* May this request's body be read so? Filters of the content need not know how. */
static inline bool jk_inlet_can(const request_rec *r)
{
    return r->input_filters == r->proto_input_filters;
}

/* Up to `room` bytes into bb, and perhaps EOS. JK_AGAIN: nothing yet; ask again when the client's socket is readable, and every second: the clocks
 * of filters (mod_reqtimeout) run only when they are called. JK_E_CLIENT_READ: it failed, or the client is silent for Timeout. */
jk_rc jk_inlet_read(jk_inlet *in, apr_bucket_brigade *bb, apr_off_t room);

/* The answer is there before the body: takes what the client has sent of it, beginning with what lies in bb, and drops it. False: its end does
 * not come soon, or it is long. httpd itself would wait for it, with the thread. */
bool jk_inlet_drop_rest(jk_inlet *in, apr_bucket_brigade *bb);

#endif
