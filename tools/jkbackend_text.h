/* tools/jkbackend_text.h - a text that grows, and what must be escaped on its way into HTML or JSON. */
#ifndef JKBACKEND_TEXT_H
#define JKBACKEND_TEXT_H

#include "jk/base/span.h"

/* All zero is an empty text. Once memory ran out it is "bad" and takes nothing more. */
typedef struct jkb_text {
    char *p;
    size_t len, cap;
    bool bad;
} jkb_text;

/* Empties it and keeps its memory. */
void jkb_text_clear(jkb_text *t);
void jkb_text_free(jkb_text *t);

void jkb_text_put(jkb_text *t, const char *s);
void jkb_text_bytes(jkb_text *t, jk_span s);
/* At most 511 bytes; the rest is cut. */
void jkb_text_format(jkb_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* For element content and quoted attributes. UTF-8 stays, control characters and all other bytes are shown as \xNN. */
void jkb_text_html(jkb_text *t, jk_span s);

/* A JSON string with its quotes, or null for an absent span. Bytes from 80 on are written as U+0080 .. U+00FF, so that
 * a reader gets every byte back by encoding to Latin-1. */
void jkb_text_json(jkb_text *t, jk_span s);

#endif
