/* tools/jkbackend_pages.h - what is served. A page is chosen by the last segments of the path, whatever comes before:
 *
 *   .../json            the request as JSON             .../echo          the request's body
 *   .../session         a session with a counter        .../status/NNN    that status
 *   .../bytes/N         N bytes                         .../sleep/MS      an answer after MS milliseconds
 *   .../chunks/N/MS     N small chunks, MS apart        .../hdrs/N        N extra response headers
 *   .../count           how many bytes the body has
 *   anything else       the request as a page to read
 */
#ifndef JKBACKEND_PAGES_H
#define JKBACKEND_PAGES_H

#include "jkbackend_session.h"
#include "jkbackend_text.h"
#include "jkbackend_wire.h"

typedef struct jkb_server {
    const char *route;   /* or NULL */
    const char *secret;  /* or NULL: none is asked for */
    const uint8_t *pattern; /* what .../bytes is made of: byte i of the body is pattern[i % 64]; `packet` + 64 bytes */
    size_t packet;
    int stop_fd; /* readable once the server is to end */
    jkb_sessions sessions;
} jkb_server;

/* One request on one connection. */
typedef struct jkb_visit {
    jkb_server *server;
    jkb_wire *wire;
    jkb_request *rq;
    jkb_text *text;
    uint64_t connection, number; /* of the connection; of the request on it; both from 1 */
} jkb_visit;

/* Answers, up to but without END_RESPONSE. */
void jkb_page_answer(jkb_visit *v);

/* A page of one sentence. */
void jkb_page_plain(jkb_visit *v, unsigned status, const char *sentence);

#endif
