/* tools/jkbackend_decode.h - a FORWARD_REQUEST taken apart, as a servlet container does it. Pure: no I/O, no allocation.
 * It is forward.c's other side, on the same tables of codes; jkb_ is short for jkbackend. */
#ifndef JKBACKEND_DECODE_H
#define JKBACKEND_DECODE_H

#include "jk/base/buf.h"
#include "jk/base/outcome.h"

#define JKB_FIELDS_MAX 2048

typedef struct jkb_field {
    jk_span name, value;
} jkb_field;

/* All spans lie in the payload, in static tables or in the struct itself; absent is AJP13's null string. */
typedef struct jkb_request {
    jk_span method, protocol, uri, remote_addr, remote_host, server_name;
    unsigned server_port;
    bool is_ssl;
    bool length_known;  /* there is a Content-Length: that many bytes of body come */
    bool length_broken; /* it is no number, or there are two */
    uint64_t length;
    jk_span query, secret, cookie, content_type;
    jkb_field fields[JKB_FIELDS_MAX]; /* nheaders headers, then nattributes attributes */
    size_t nheaders, nattributes;
    char key_size[8];
} jkb_request;

/* Decodes a whole payload. JK_E_PAYLOAD: malformed; JK_E_SPACE: more than JKB_FIELDS_MAX headers and attributes. */
jk_rc jkb_decode(jk_span payload, jkb_request *rq);

/* Decimal digits and nothing else, at most `most`. */
bool jkb_decode_number(jk_span digits, uint64_t most, uint64_t *value);

#endif
