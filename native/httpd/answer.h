/* native/httpd/answer.h - the response's way into httpd: a jk_sink over r->output_filters, and what an outcome means to the
 * client. It lends the memory that replies are read into and passes ranges of it on as shared heap buckets; of their first bytes, which came
 * without that, it keeps a copy. */
#ifndef JK_HTTPD_ANSWER_H
#define JK_HTTPD_ANSWER_H

#include "jk/net/run.h"
#include "jk/route/publish.h"

#include "outlet.h"

#include <httpd.h>
#include <apr_buckets.h>

/* Memory that replies are read into. The anchor is our own reference to it; buckets in the filters hold the others. */
typedef struct jk_block {
    apr_bucket *anchor;
    char *mem;
    size_t size, used; /* bytes; from `used` on nobody else looks */
} jk_block;

typedef struct jk_answer {
    jk_sink sink;
    request_rec *r;
    jk_outlet *outlet; /* passes without waiting for the client; NULL: waits in place */
    const jk_publish *publish; /* path= of the rule; NULL: none */
    int server_errors;         /* use_server_errors of the rule: from this status on the page is httpd's; 0: never */
    const char *const *cookie; /* a Set-Cookie to be added behind the backend's headers; NULL inside: none */
    apr_bucket_brigade *bb, own; /* bb is own: a brigade of its own would be a pool's, with a cleanup */
    jk_block first, big[2]; /* first: see keep() */
    size_t gathered;     /* body bytes in bb */
    const uint8_t *edge; /* where the last of them end */
    apr_off_t body;  /* body bytes in all, passed on or not */
    apr_off_t length; /* what the backend's Content-Length said; -1: nothing */
    struct {
        apr_table_t *fields; /* NULL: none */
        const char *type;
        apr_time_t mtime;
    } before; /* of the head: what stood in the request_rec */
    bool headed, passed, discard;
    bool replaced; /* httpd's own page takes the place of the answer */
    bool too_short, too_long; /* the body did not keep that word */
    bool flush_packets, flush_header, tls;
} jk_answer;

void jk_answer_init(jk_answer *a, request_rec *r, bool tls);

/* After the run's end: makes the client see it. Returns what the handler returns. `progress` tells a first packet that could not be
 * sent (503) from a later one (502); `misfit` is for JK_E_SPACE. */
int jk_answer_end(jk_answer *a, jk_rc outcome, jk_progress progress, const jk_misfit *misfit);

/* The run is going to wait for long, and has nothing to parse left: memory that holds nothing is given up. */
void jk_answer_wait(jk_answer *a);

/* Gives up our share of the memory; what filters still hold stays theirs. Call before the connection's bucket allocator goes. Idempotent. */
void jk_answer_drop(jk_answer *a);

#endif
