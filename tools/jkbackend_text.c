/* tools/jkbackend_text.c - a growing text, HTML and JSON escapes. */
#include "jkbackend_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void jkb_text_clear(jkb_text *t)
{
    t->len = 0;
    t->bad = false;
}

void jkb_text_free(jkb_text *t)
{
    free(t->p);
    *t = (jkb_text){ 0 };
}

static bool room(jkb_text *t, size_t n)
{
    if (t->bad)
        return false;
    if (t->cap - t->len >= n)
        return true;
    size_t cap = (t->cap + n) * 2;
    char *p = realloc(t->p, cap);
    if (p == NULL) {
        t->bad = true;
        return false;
    }
    t->p = p;
    t->cap = cap;
    return true;
}

void jkb_text_bytes(jkb_text *t, jk_span s)
{
    if (s.len == 0 || !room(t, s.len))
        return;
    memcpy(t->p + t->len, s.p, s.len);
    t->len += s.len;
}

void jkb_text_put(jkb_text *t, const char *s)
{
    jkb_text_bytes(t, jk_span_of(s));
}

void jkb_text_format(jkb_text *t, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    jkb_text_put(t, line);
}

/* The length of the UTF-8 character at p; 0: there is none. */
static size_t utf8(const uint8_t *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;

    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    /* Overlong forms, surrogates and what lies beyond U+10FFFF. */
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
        return 0;
    if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

static const char *html_entity(uint8_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void jkb_text_html(jkb_text *t, jk_span s)
{
    size_t n;

    for (size_t i = 0; i < s.len; i += n) {
        const char *entity = html_entity(s.p[i]);
        size_t len = utf8(s.p + i, s.len - i);

        n = len ? len : 1;
        if (entity)
            jkb_text_put(t, entity);
        else if (len == 0 || s.p[i] < 0x20 || s.p[i] == 0x7F)
            jkb_text_format(t, "\\x%02X", s.p[i]);
        else
            jkb_text_bytes(t, (jk_span){ s.p + i, n });
    }
}

void jkb_text_json(jkb_text *t, jk_span s)
{
    if (s.p == NULL) {
        jkb_text_put(t, "null");
        return;
    }
    jkb_text_put(t, "\"");
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.p[i];
        if (c == '"' || c == '\\')
            jkb_text_format(t, "\\%c", c);
        /* < and > too: a browser that takes the answer for HTML must find none. */
        else if (c < 0x20 || c >= 0x7F || c == '<' || c == '>')
            jkb_text_format(t, "\\u%04X", c);
        else
            jkb_text_bytes(t, (jk_span){ s.p + i, 1 });
    }
    jkb_text_put(t, "\"");
}
