/* include/jk/ajp/reply.h - the payload of one packet from the container, checked as a whole before anything is believed.
 *   SEND_HEADERS   | 4 | status | reason | count | name or code, value | ..
 *   SEND_BODY_CHUNK| 3 | length | bytes | ..      END_RESPONSE | 5 | reuse      GET_BODY_CHUNK | 6 | length      CPONG | 9 |
 * Pure. Nothing beyond the payload is ever read; a malformed message is JK_E_PAYLOAD (spec: ajp.md 1, 5, 7). */
#ifndef JK_AJP_REPLY_H
#define JK_AJP_REPLY_H

#include "jk/base/buf.h"
#include "jk/base/outcome.h"

typedef struct jk_reply {
    unsigned type;     /* JK_AJP_SEND_HEADERS ... */
    unsigned status;   /* SEND_HEADERS */
    jk_span reason;    /* SEND_HEADERS; absent or empty: httpd's own */
    unsigned nheaders; /* SEND_HEADERS: how many jk_reply_field() will still give */
    jk_in fields;      /* SEND_HEADERS: where the next one begins */
    unsigned nplain;   /* SEND_HEADERS: how many of all names are strings and no codes */
    unsigned code;     /* SEND_HEADERS: of the name that jk_reply_field() gave, which then is a constant; 0: a part of the payload */
    jk_span body;      /* SEND_BODY_CHUNK; empty: a flush */
    unsigned wanted;   /* GET_BODY_CHUNK: bytes */
    bool reuse;        /* END_RESPONSE */
} jk_reply;

/* How many leading payload bytes say that a message is a body chunk, and how long the chunk is. */
#define JK_REPLY_CHUNK_HEAD 3

/* A whole payload. JK_OK or JK_E_PAYLOAD. */
jk_rc jk_reply_parse(jk_span payload, jk_reply *out);

/* The first JK_REPLY_CHUNK_HEAD bytes of a SEND_BODY_CHUNK whose payload has payload_len bytes in all: *len bytes of body
 * follow. JK_E_PAYLOAD: they would not lie in the packet. */
jk_rc jk_reply_chunk(const uint8_t head[JK_REPLY_CHUNK_HEAD], size_t payload_len, size_t *len);

/* The next header of a SEND_HEADERS for which jk_reply_parse() answered JK_OK: it is not checked again. false: there is none left. The value ends with a NUL beyond its span, and so
 * does the name. */
bool jk_reply_field(jk_reply *reply, jk_span *name, jk_span *value);

#endif
