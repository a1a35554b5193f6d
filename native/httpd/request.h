/* native/httpd/request.h - what httpd knows of a request, as AJP13 is to see it: request_rec -> jk_request, and its body. */
#ifndef JK_HTTPD_REQUEST_H
#define JK_HTTPD_REQUEST_H

#include "config.h"
#include "inlet.h"

#include "jk/net/run.h"

typedef struct jk_incoming {
    jk_request rq;
    jk_source source;
    request_rec *r;
    apr_bucket_brigade *bb; /* read from the client, not yet taken */
    jk_inlet *inlet; /* reads without waiting; NULL: waits in place */
    bool ended;
    bool tls;   /* the client's connection is encrypted, whatever the container is told */
    int status; /* what httpd answers to a body that could not be read; 0: it could, or the client is gone */
    const char *const *env; /* JK_ENV_COUNT of jk_environ_read() */
    char port[JK_DECIMAL_ROOM]; /* of the client, in words */
} jk_incoming;

/* The header fields that the client's Connection names, with the values they have now; NULL: there are none. To be called
 * before anything in the server may set header fields: those are not the client's to take away (RFC 9110, 7.6.1). */
apr_table_t *jk_request_hop_fields(request_rec *r);

/* Fills *in, zeroed, from r. `uri` is the decoded path before it was normalised; hop_fields as above, or NULL. OK, or the status to
 * answer with. */
int jk_request_take(jk_incoming *in, request_rec *r, const jk_server *conf, const char *uri, const apr_table_t *hop_fields);

#endif
