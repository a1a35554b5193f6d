/* include/jk/base/buf.h - a bounded writer and a bounded reader of big-endian numbers and AJP13 strings.
 *
 * Both remember that something did not fit ("bad") and ignore all that follows, so a whole message is written or read
 * first and asked about once at its end. Neither allocates, and neither touches a byte outside its bounds. */
#ifndef JK_BASE_BUF_H
#define JK_BASE_BUF_H

#include "jk/base/span.h"

typedef struct jk_out {
    uint8_t *p;
    size_t cap, len;
    bool bad;
} jk_out;

typedef struct jk_in {
    const uint8_t *p;
    size_t left;
    bool bad;
} jk_in;

/* An AJP13 string has a 16-bit length, and FF FF is the null string. */
#define JK_STRING_MAX 65534

static inline jk_out jk_out_over(void *p, size_t cap)
{
    return (jk_out){ p, cap, 0, false };
}

static inline jk_in jk_in_over(jk_span bytes)
{
    return (jk_in){ bytes.p, bytes.len, false };
}

/* What is bad has no room left: one comparison asks for both. */
static inline void jk_out_fail(jk_out *out)
{
    out->bad = true;
    out->cap = out->len;
}

static inline bool jk_out_room(jk_out *out, size_t n)
{
    if (out->cap - out->len >= n)
        return true;
    jk_out_fail(out);
    return false;
}

static inline void jk_out_u8(jk_out *out, unsigned v)
{
    if (jk_out_room(out, 1))
        out->p[out->len++] = (uint8_t)v;
}

static inline void jk_out_u16(jk_out *out, unsigned v)
{
    if (jk_out_room(out, 2)) {
        out->p[out->len++] = (uint8_t)(v >> 8);
        out->p[out->len++] = (uint8_t)v;
    }
}

/* Bytes as they are. */
static inline void jk_out_bytes(jk_out *out, jk_span s)
{
    if (s.len == 0 || !jk_out_room(out, s.len))
        return;
    memcpy(out->p + out->len, s.p, s.len);
    out->len += s.len;
}

/* An AJP13 string: length, bytes, NUL; absent is FF FF. More than JK_STRING_MAX bytes make the writer bad. */
void jk_out_string(jk_out *out, jk_span s);

/* Likewise: what is bad has nothing left. */
static inline void jk_in_fail(jk_in *in)
{
    in->bad = true;
    in->left = 0;
}

static inline bool jk_in_has(jk_in *in, size_t n)
{
    if (in->left >= n)
        return true;
    jk_in_fail(in);
    return false;
}

/* A number that is not there reads as 0 and makes the reader bad. */
static inline unsigned jk_in_u8(jk_in *in)
{
    if (!jk_in_has(in, 1))
        return 0;
    in->left--;
    return *in->p++;
}

static inline unsigned jk_in_u16(jk_in *in)
{
    if (!jk_in_has(in, 2))
        return 0;
    unsigned v = (unsigned)in->p[0] << 8 | in->p[1];
    in->p += 2;
    in->left -= 2;
    return v;
}

/* `n` bytes; absent, and the reader bad, when there are fewer. */
jk_span jk_in_bytes(jk_in *in, size_t n);

/* An AJP13 string inside the bounds: its NUL is checked and is not part of the span. FF FF gives an absent span. */
jk_span jk_in_string(jk_in *in);

/* The rest of a string whose length has been read already (the length shares its place with header codes). */
jk_span jk_in_string_rest(jk_in *in, unsigned len);

#endif
