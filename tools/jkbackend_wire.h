/* tools/jkbackend_wire.h - AJP13 packets over one connected socket, from a container's end. Blocking. What goes out is
 * gathered in one buffer and written when it is full, before something is read, and at the end of a response.
 *
 *   in:  | the request, held while it is served | body packets, moved down as they are read |
 */
#ifndef JKBACKEND_WIRE_H
#define JKBACKEND_WIRE_H

#include "jkbackend_decode.h"

typedef struct jkb_wire {
    int fd;
    int stop_fd;   /* readable once the server is to end */
    size_t packet; /* most bytes of a packet, its head included */
    bool broken;   /* the connection is of no use any more: nothing is read or written */
    bool mute;     /* no body may follow the headers: HEAD, 204, 304 */
    uint8_t *in, *out;
    size_t in_cap, out_cap;
    size_t base, pos, end; /* of in: what is held ends at base; bytes from pos to end are not yet read */
    size_t out_len;
    bool body_known, body_ended, body_cut; /* cut: it ended before its Content-Length */
    uint64_t body_left;                    /* of a known length: bytes that have not come */
    jk_span body_ready;                    /* came unasked and was not read yet */
} jkb_wire;

/* Takes fd. JK_E_MEMORY: fd is closed. */
jk_rc jkb_wire_open(jkb_wire *w, int fd, int stop_fd, size_t packet);
void jkb_wire_close(jkb_wire *w);

/* The next packet's payload, valid until the next call. JK_E_RECV: the connection ended; JK_E_FRAME: no packet;
 * JK_E_SPACE: one that is larger than ours may be. */
jk_rc jkb_wire_packet(jkb_wire *w, jk_span *payload);

/* The packet that was just read stays in place until it is let go. */
void jkb_wire_hold(jkb_wire *w);
void jkb_wire_let_go(jkb_wire *w);

/* A body begins: of a known length above 0 the first packet comes unasked and is read at once. */
void jkb_wire_body_begin(jkb_wire *w, const jkb_request *rq);

/* The body's next bytes, valid until the next call; false at its end, and when the connection broke. */
bool jkb_wire_body_read(jkb_wire *w, jk_span *bytes);

/* SEND_HEADERS. False: they do not fit into a packet, nothing was written. */
bool jkb_wire_head(jkb_wire *w, unsigned status, const jkb_field *fields, size_t n);

/* As many SEND_BODY_CHUNKs as needed; nothing when `mute`. */
void jkb_wire_body(jkb_wire *w, jk_span bytes);

/* The empty SEND_BODY_CHUNK; all that was gathered is written. */
void jkb_wire_flush(jkb_wire *w);

/* END_RESPONSE; all is written. */
void jkb_wire_end(jkb_wire *w, bool reuse);

void jkb_wire_pong(jkb_wire *w);

/* Sleeps. False: the peer went away or the server is to end. */
bool jkb_wire_sleep(jkb_wire *w, int ms);

#endif
