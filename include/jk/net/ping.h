/* include/jk/net/ping.h - is there a living AJP13 connector at the other end? A CPing and its CPong on an idle connection.
 *   12 34 00 01 0A   ->        <-   41 42 00 01 09
 * Resumable, never blocks; the time limit is its caller's. */
#ifndef JK_NET_PING_H
#define JK_NET_PING_H

#include "jk/base/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct jk_ping {
    uint8_t head[5]; /* of the message that is coming */
    size_t got;      /* bytes of head */
    size_t skip;     /* bytes of another message that are still to be dropped */
    bool sent, other; /* other: one message that was no CPong has been let pass */
} jk_ping;

void jk_ping_start(jk_ping *ping);

/* One step. JK_OK: the CPong came, and nothing else is left over. JK_AGAIN: wait until fd is readable. JK_E_PING: *err says why: an
 * errno, 0 for an end of file, EPROTO for an answer that is no CPong (head[0 .. got) are its first bytes). A message that the
 * container had still under way from the response before is tolerated once (spec: ajp.md 8). max_packet in bytes. */
jk_rc jk_ping_step(jk_ping *ping, int fd, size_t max_packet, int *err);

#endif
