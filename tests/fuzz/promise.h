/* tests/fuzz/promise.h - what the targets of tests/fuzz share: a promise that ends the run where it is broken, blocks of exactly their size, so
 * that a sanitizer sees one byte too many, and a text's lines. */
#ifndef JK_FUZZ_PROMISE_H
#define JK_FUZZ_PROMISE_H

#include "jk/base/span.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool promise, const char *what)
{
    if (promise)
        return;
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

static inline void *block(size_t n)
{
    void *p = malloc(n ? n : 1);

    must(p != NULL, "memory");
    return p;
}

/* The line at the head of *rest, which goes behind it. false: there is none left. */
static inline bool take_line(jk_span *rest, jk_span *line)
{
    const uint8_t *eol = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;

    if (rest->p == NULL)
        return false;
    *line = (jk_span){ rest->p, eol ? (size_t)(eol - rest->p) : rest->len };
    *rest = eol ? (jk_span){ eol + 1, rest->len - line->len - 1 } : JK_SPAN_NONE;
    return true;
}

/* As a C string in a block of its own, to be freed; NULL where a NUL stands in it. */
static inline char *as_text(jk_span s)
{
    if (s.len && memchr(s.p, 0, s.len))
        return NULL;
    char *text = block(s.len + 1);
    if (s.len)
        memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    return text;
}

/* The same bytes in a block that ends with them, to be freed. */
static inline uint8_t *exactly(jk_span s)
{
    uint8_t *p = block(s.len);

    if (s.len)
        memcpy(p, s.p, s.len);
    return p;
}

#endif
