/* native/ajp/frame.c - where one packet ends and the next begins. */
#include "jk/ajp/frame.h"

#include "jk/ajp/codes.h"

const uint8_t jk_frame_cping[5] = { 0x12, 0x34, 0, 1, JK_AJP_CPING };

jk_rc jk_frame_head(jk_span in, size_t max_packet, size_t *len)
{
    if ((in.len > 0 && in.p[0] != 'A') || (in.len > 1 && in.p[1] != 'B'))
        return JK_E_FRAME;
    if (in.len < JK_FRAME_HEAD)
        return JK_AGAIN;
    *len = (size_t)in.p[2] << 8 | in.p[3];
    return *len == 0 || *len > max_packet ? JK_E_FRAME : JK_OK;
}

jk_rc jk_frame_next(jk_span in, size_t max_packet, jk_span *payload, size_t *used)
{
    size_t len = 0;
    jk_rc rc = jk_frame_head(in, max_packet, &len);

    if (rc != JK_OK)
        return rc;
    if (in.len - JK_FRAME_HEAD < len)
        return JK_AGAIN;
    *payload = (jk_span){ in.p + JK_FRAME_HEAD, len };
    *used = JK_FRAME_HEAD + len;
    return JK_OK;
}

void jk_frame_begin(uint8_t p[JK_FRAME_HEAD], size_t payload_len)
{
    p[0] = 0x12;
    p[1] = 0x34;
    p[2] = (uint8_t)(payload_len >> 8);
    p[3] = (uint8_t)payload_len;
}

size_t jk_frame_begin_body(uint8_t p[JK_FRAME_BODY_HEAD], size_t n)
{
    if (n == 0) {
        jk_frame_begin(p, 0);
        return JK_FRAME_HEAD;
    }
    jk_frame_begin(p, n + 2);
    p[4] = (uint8_t)(n >> 8);
    p[5] = (uint8_t)n;
    return JK_FRAME_BODY_HEAD;
}
