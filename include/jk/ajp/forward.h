/* include/jk/ajp/forward.h - a request as the container is to see it, and its one packet, FORWARD_REQUEST.
 *   | 2 | method | protocol | uri | remote addr, host | server name, port | is_ssl | headers | attributes | FF |
 * Pure: it knows neither httpd nor sockets. All spans belong to the caller and live as long as the request. */
#ifndef JK_AJP_FORWARD_H
#define JK_AJP_FORWARD_H

#include "jk/base/outcome.h"
#include "jk/base/span.h"

typedef struct jk_field {
    jk_span name, value;
} jk_field;

typedef enum jk_body_kind {
    JK_BODY_NONE,   /* there is no body; Content-Length 0 is sent, whatever the headers say */
    JK_BODY_LENGTH, /* content_length bytes, more than 0; Content-Length is sent, once, with that number */
    JK_BODY_UNKNOWN /* until the end; Content-Length headers are not forwarded */
} jk_body_kind;

/* An absent span (p == NULL) is sent as AJP13's null string where the protocol demands a string, and not at all where
 * it is an optional attribute. */
typedef struct jk_request {
    jk_span method, protocol, uri, remote_addr, remote_host, server_name;
    uint16_t server_port;
    bool is_ssl;
    bool stored_methods; /* send every method by name (the way around Tomcat's bug 69848) */
    jk_body_kind body;
    uint64_t content_length; /* bytes; only for JK_BODY_LENGTH */
    const jk_field *headers;
    size_t nheaders;
    jk_span connection; /* the client's Connection header where it names other headers, else absent */
    jk_span secret, remote_user, auth_type, query, route;
    jk_span ssl_cert, ssl_cipher, ssl_session, ssl_protocol;
    int ssl_key_size; /* bits; -1: not known, not sent */
    jk_span remote_port, local_addr, activation;
    const jk_field *env; /* JkEnvVar, in the order of the configuration */
    size_t nenv;
} jk_request;

/* What did not fit, for the log and for the choice between 414 and 431. */
typedef enum jk_misfit_part { JK_MISFIT_URI, JK_MISFIT_HEADER, JK_MISFIT_ATTRIBUTE } jk_misfit_part;
typedef struct jk_misfit {
    jk_misfit_part part;
    jk_span name; /* the largest header or attribute; absent for the URI */
    size_t size;  /* bytes of it, name and value; of the URI with its query */
    size_t total; /* bytes that the whole packet would need */
} jk_misfit;

/* An upper bound of the packet's bytes, head included: what to allocate. */
size_t jk_forward_bound(const jk_request *rq);

/* Encodes into p[0 .. cap), cap being the lesser of the bound and max_packet. JK_OK: *len bytes are the packet.
 * JK_E_SPACE: it does not fit, jk_forward_misfit() says why. */
jk_rc jk_forward_encode(const jk_request *rq, uint8_t *p, size_t cap, size_t *len);

/* Why a request does not fit: the largest of its parts. */
jk_misfit jk_forward_misfit(const jk_request *rq);

#endif
