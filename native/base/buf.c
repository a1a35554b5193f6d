/* native/base/buf.c - the longer half of the bounded writer and reader. */
#include "jk/base/buf.h"

void jk_out_string(jk_out *out, jk_span s)
{
    if (s.p == NULL) {
        jk_out_u16(out, 0xFFFF);
        return;
    }
    if (s.len > JK_STRING_MAX || !jk_out_room(out, s.len + 3)) {
        out->bad = true;
        return;
    }
    uint8_t *p = out->p + out->len;
    p[0] = (uint8_t)(s.len >> 8);
    p[1] = (uint8_t)s.len;
    memcpy(p + 2, s.p, s.len);
    p[2 + s.len] = 0;
    out->len += s.len + 3;
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
    if (len == 0xFFFF || in->bad)
        return JK_SPAN_NONE;
    jk_span got = jk_in_bytes(in, (size_t)len + 1);
    if (got.p == NULL || got.p[len] != 0) {
        in->bad = true;
        return JK_SPAN_NONE;
    }
    got.len = len;
    return got;
}

jk_span jk_in_string(jk_in *in)
{
    return jk_in_string_rest(in, jk_in_u16(in));
}
