/* include/jk/ajp/frame.h - one AJP13 packet at the head of a run of bytes. Pure: no I/O, no allocation, no log.
 *   | 'A' | 'B' | len hi | len lo | payload .. |      container -> web server
 *   | 12  | 34  | len hi | len lo | payload .. |      web server -> container */
#ifndef JK_AJP_FRAME_H
#define JK_AJP_FRAME_H

#include "jk/base/outcome.h"
#include "jk/base/span.h"

#define JK_FRAME_HEAD 4
/* A body packet carries its own length again before the bytes, but for the empty one. */
#define JK_FRAME_BODY_HEAD 6
#define JK_FRAME_MAX_PACKET 65536
#define JK_FRAME_DEFAULT_PACKET 8192

/* The head alone. JK_OK: *len is the payload's length, 1 .. max_packet. JK_AGAIN: `in` is a true prefix of a head.
 * JK_E_FRAME: no further byte can make a packet whose payload is at most max_packet. */
jk_rc jk_frame_head(jk_span in, size_t max_packet, size_t *len);

/* JK_OK: *payload lies inside `in`, *used bytes may be dropped. JK_AGAIN: `in` is a true prefix,
 * nothing was taken. JK_E_FRAME: as above. */
jk_rc jk_frame_next(jk_span in, size_t max_packet, jk_span *payload, size_t *used);

/* Writes the head of a packet that goes to the container. `payload_len` fits into 16 bits. */
void jk_frame_begin(uint8_t p[JK_FRAME_HEAD], size_t payload_len);

/* Writes what precedes `n` bytes of a request's body, and returns how many bytes that is: JK_FRAME_BODY_HEAD, or
 * JK_FRAME_HEAD for n == 0, the empty packet that says "no more". n <= max_packet - JK_FRAME_BODY_HEAD. */
size_t jk_frame_begin_body(uint8_t p[JK_FRAME_BODY_HEAD], size_t n);

/* A whole CPing. */
extern const uint8_t jk_frame_cping[5];

#endif
