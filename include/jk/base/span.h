/* include/jk/base/span.h - a run of bytes that somebody else owns: a pointer and a length, no terminator needed.
 *
 * A span with p == NULL is "absent" (AJP13's null string); one with p != NULL and len == 0 is the empty string. */
#ifndef JK_BASE_SPAN_H
#define JK_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct jk_span {
    const uint8_t *p;
    size_t len;
} jk_span;

#define JK_SPAN_NONE ((jk_span){ NULL, 0 })
/* A string literal as a span, without strlen. */
#define JK_SPAN_LIT(s) ((jk_span){ (const uint8_t *)("" s), sizeof(s) - 1 })

/* A C string as a span; NULL is absent. */
static inline jk_span jk_span_of(const char *s)
{
    return s ? (jk_span){ (const uint8_t *)s, strlen(s) } : JK_SPAN_NONE;
}

static inline bool jk_span_eq(jk_span a, jk_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* One byte in lower case, for A-Z alone: the tables of protocols know no locale. */
static inline uint8_t jk_span_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* n in decimal digits, at the end of `room`; the span lies in it. */
#define JK_DECIMAL_ROOM 20
jk_span jk_span_decimal(char room[JK_DECIMAL_ROOM], uint64_t n);

/* Equal but for the case of A-Z. */
bool jk_span_ieq(jk_span a, jk_span b);

/* `list` as in "a, b ,c": does it name `word`, whatever the case (RFC 9110, 5.6.1)? */
bool jk_span_lists(jk_span list, jk_span word);

#endif
