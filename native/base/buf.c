/* native/base/buf.c - the longer half of the bounded writer and reader. */
#include "jk/base/buf.h"

void jk_out_string(jk_out *out, jk_span s)
{
    if (s.p == NULL) {
        jk_out_u16(out, 0xFFFF);
        return;
    }
    if (s.len > JK_STRING_MAX)
        jk_out_fail(out);
    if (!jk_out_room(out, s.len + 3))
        return;
    uint8_t *p = out->p + out->len;
    out->len += s.len + 3;
    p[0] = (uint8_t)(s.len >> 8);
    p[1] = (uint8_t)s.len;
    p[2 + s.len] = 0;
    memcpy(p + 2, s.p, s.len); /* last: nothing has to be kept over the call (docs/fast.md) */
}

jk_span jk_in_bytes(jk_in *in, size_t n)
{
    if (!jk_in_has(in, n))
        return JK_SPAN_NONE;
    jk_span got = { in->p, n };
    in->p += n;
    in->left -= n;
    return got;
}

jk_span jk_in_string_rest(jk_in *in, unsigned len)
{
    jk_span got = { in->p, len };

    if (len == 0xFFFF)
        return JK_SPAN_NONE;
    if (in->left <= len || in->p[len] != 0) {
        jk_in_fail(in);
        return JK_SPAN_NONE;
    }
    in->p += len + 1;
    in->left -= len + 1;
    return got;
}

jk_span jk_in_string(jk_in *in)
{
    return jk_in_string_rest(in, jk_in_u16(in));
}
