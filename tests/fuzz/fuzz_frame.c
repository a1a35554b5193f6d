/* tests/fuzz/fuzz_frame.c - any bytes as the head of a packet. Of a stream that comes byte by byte the answer may change once, from "wait" to its
 * end, and what the head says holds for the packet; what we write ourselves has the other magic and the length that it says.
 *
 *   | packet size, 2 bytes | the stream .. | */
#include "jk/ajp/frame.h"
#include "promise.h"

static void check_head(jk_span in, size_t max_packet, jk_rc whole, jk_span payload)
{
    size_t len = 0;
    jk_rc rc = jk_frame_head(in, max_packet, &len);

    must(rc != JK_OK || (len >= 1 && len <= max_packet), "a payload's length lies in its bounds");
    must((rc == JK_E_FRAME) == (whole == JK_E_FRAME), "the head alone says what is no packet");
    must(whole != JK_OK || (rc == JK_OK && len == payload.len), "head and packet agree");
    must(rc != JK_AGAIN || in.len < JK_FRAME_HEAD, "four bytes are a head");
}

/* Returns the packet's bytes; 0: there is none. */
static size_t every_prefix(jk_span stream, size_t max_packet)
{
    jk_rc before = JK_AGAIN;
    size_t all = 0;

    for (size_t n = 0; n <= stream.len && before == JK_AGAIN; n++) {
        uint8_t *copy = exactly((jk_span){ stream.p, n });
        jk_span in = { copy, n }, payload = JK_SPAN_NONE;
        size_t used = 0;
        before = jk_frame_next(in, max_packet, &payload, &used);
        check_head(in, max_packet, before, payload);
        if (before == JK_OK) {
            must(used == n && payload.p == copy + JK_FRAME_HEAD && used == payload.len + JK_FRAME_HEAD, "a packet ends with its last byte");
            all = used;
        } else {
            must(used == 0 && payload.p == NULL, "nothing is taken of what is no packet");
        }
        free(copy);
    }
    return all;
}

static void check_ours(size_t n)
{
    uint8_t head[JK_FRAME_BODY_HEAD];
    size_t len = 0, at = jk_frame_begin_body(head, n);

    must(at == (n ? JK_FRAME_BODY_HEAD : JK_FRAME_HEAD), "a body packet's head");
    must(head[0] == 0x12 && head[1] == 0x34, "our magic");
    must(((size_t)head[2] << 8 | head[3]) == (n ? n + 2 : 0), "a body packet's length");
    must(n == 0 || ((size_t)head[4] << 8 | head[5]) == n, "a body's own length");
    must(jk_frame_head((jk_span){ head, JK_FRAME_HEAD }, JK_FRAME_MAX_PACKET, &len) == JK_E_FRAME, "what we send is not what we take");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t max_packet = 1 + ((size_t)data[0] << 8 | data[1]), used;
    jk_span rest = { data + 2, size - 2 < 4096 ? size - 2 : 4096 }; /* a prefix costs a copy */

    check_ours(max_packet - 1 <= 65530 ? max_packet - 1 : 65530);
    while ((used = every_prefix(rest, max_packet)) > 0)
        rest = (jk_span){ rest.p + used, rest.len - used };
    return 0;
}
