/* tests/fuzz/strict.c - the readers. Slow, and of nothing but the grammar: they share no line with the writers. */
#include "strict.h"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:"
#define DIGITS "0123456789"
#define DEPTH_MOST 64
#define ATTRIBUTES_MOST 4096

typedef struct reader {
    const uint8_t *at, *end;
    char *skeleton;
    size_t n, cap;
} reader;

static void keep(reader *r, const void *bytes, size_t n)
{
    if (r->cap - r->n <= n) {
        r->cap = 2 * r->cap + n + 64;
        r->skeleton = realloc(r->skeleton, r->cap);
        must(r->skeleton != NULL, "memory");
    }
    if (n)
        memcpy(r->skeleton + r->n, bytes, n);
    r->n += n;
    r->skeleton[r->n] = '\0';
}

static reader begin(jk_span text)
{
    reader r = { .at = text.p, .end = text.p + text.len };

    keep(&r, "", 0);
    return r;
}

static bool sees(const reader *r, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(r->end - r->at) >= n && memcmp(r->at, word, n) == 0;
}

static bool takes(reader *r, const char *word)
{
    bool there = sees(r, word);

    r->at += there ? strlen(word) : 0;
    return there;
}

static bool is_one_of(const reader *r, const char *bytes)
{
    return r->at < r->end && *r->at && strchr(bytes, *r->at);
}

static jk_span take_run(reader *r, const char *bytes)
{
    const uint8_t *from = r->at;

    while (is_one_of(r, bytes))
        r->at++;
    return (jk_span){ from, (size_t)(r->at - from) };
}

/* One character of UTF-8, the shortest form, no surrogate; its number. */
static uint32_t take_character(reader *r)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t c = *r->at++;
    int more = c < 0x80 ? 0 : c >= 0xC0 && c < 0xE0 ? 1 : c >= 0xE0 && c < 0xF0 ? 2 : c >= 0xF0 && c < 0xF8 ? 3 : -1;

    must(more >= 0 && r->end - r->at >= more, "a text is UTF-8");
    uint32_t code = c < 0x80 ? c : (uint32_t)(c & (0x3F >> more));
    for (int i = 0; i < more; i++, r->at++) {
        must((*r->at & 0xC0) == 0x80, "a text is UTF-8");
        code = code << 6 | (*r->at & 0x3F);
    }
    must(code >= least[more + 1] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF), "a text is UTF-8");
    return code;
}

/* ---- XML ---- */

static bool is_of_xml(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || (code >= ' ' && code != 0xFFFE && code != 0xFFFF);
}

static void take_reference(reader *r)
{
    static const char *const names[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&apos;" };
    uint32_t code = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (takes(r, names[i]))
            return;
    must(takes(r, "&#"), "a & begins a reference");
    must(is_one_of(r, DIGITS), "a reference has a number");
    for (; is_one_of(r, DIGITS) && code < 0x110000; r->at++)
        code = code * 10 + (uint32_t)(*r->at - '0');
    must(takes(r, ";") && is_of_xml(code) && code < 0x110000, "a reference is one of a character");
}

static void take_data(reader *r)
{
    if (sees(r, "&"))
        take_reference(r);
    else
        must(!sees(r, "]]>") && is_of_xml(take_character(r)), "a character is one of XML");
}

static jk_span take_name(reader *r)
{
    must(is_one_of(r, NAME_BYTES), "a name begins with a letter");
    return take_run(r, NAME_BYTES DIGITS "-.");
}

static bool takes_blanks(reader *r)
{
    return take_run(r, " \t\r\n").len > 0;
}

typedef struct attribute {
    jk_span name, value; /* value: as it is written */
} attribute;

static attribute take_attribute(reader *r)
{
    attribute a = { .name = take_name(r) };
    uint8_t quote;

    must(takes(r, "="), "an attribute has a value");
    must(sees(r, "'") || sees(r, "\""), "a value has quotes");
    quote = *r->at++;
    a.value.p = r->at;
    while (r->at < r->end && *r->at != quote) {
        must(*r->at != '<', "no value holds a <");
        take_data(r);
    }
    a.value.len = (size_t)(r->at - a.value.p);
    must(r->at++ < r->end, "quotes end");
    return a;
}

static bool begins(jk_span text, const char *word)
{
    return text.len >= strlen(word) && memcmp(text.p, word, strlen(word)) == 0;
}

/* What no page may have, wherever it comes from. */
static void check_tag(jk_span element, const attribute *a, size_t n)
{
    static const char *const never[] = { "script", "iframe", "object", "embed", "base", "img", "frame", "applet" };

    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        must(!jk_span_eq(element, jk_span_of(never[i])), "no element that does something");
    for (size_t i = 0; i < n; i++) {
        bool link = jk_span_eq(a[i].name, JK_SPAN_LIT("href")) || jk_span_eq(a[i].name, JK_SPAN_LIT("action"));
        must(!begins(a[i].name, "on") && !jk_span_eq(a[i].name, JK_SPAN_LIT("style")) && !jk_span_eq(a[i].name, JK_SPAN_LIT("src")), "no handler");
        if (link && !jk_span_eq(element, JK_SPAN_LIT("link")))
            must(begins(a[i].value, "#") || (begins(a[i].value, "/") && !begins(a[i].value, "//") && !begins(a[i].value, "/\\")),
                 "a link stays here");
    }
}

/* The parts of a link are of its skeleton: a name may not make a parameter. */
static void keep_link(reader *r, const attribute *a)
{
    if (!jk_span_eq(a->name, JK_SPAN_LIT("href")) && !jk_span_eq(a->name, JK_SPAN_LIT("action")))
        return;
    for (size_t i = 0; i < a->value.len; i++)
        if (a->value.p[i] && strchr("?&#", a->value.p[i]))
            keep(r, a->value.p + i, 1);
}

/* Behind the <. True: it has content. */
static bool take_tag(reader *r, jk_span *element, bool page)
{
    static attribute all[ATTRIBUTES_MOST];
    size_t n = 0;
    bool empty;

    *element = take_name(r);
    keep(r, "<", 1);
    keep(r, element->p, element->len);
    while (takes_blanks(r) && !sees(r, ">") && !sees(r, "/>")) {
        must(n < ATTRIBUTES_MOST, "a tag has an end");
        all[n] = take_attribute(r);
        for (size_t i = 0; i < n; i++)
            must(!jk_span_eq(all[i].name, all[n].name), "an attribute stands there once");
        keep(r, " ", 1);
        keep(r, all[n].name.p, all[n].name.len);
        if (page)
            keep_link(r, &all[n]);
        n++;
    }
    empty = takes(r, "/>");
    must(empty || takes(r, ">"), "a tag ends");
    keep(r, empty ? "/>" : ">", empty ? 2 : 1);
    if (page)
        check_tag(*element, all, n);
    return !empty;
}

static void take_content(reader *r, bool page)
{
    jk_span open[DEPTH_MOST], element;
    int depth = 0;

    do {
        if (takes(r, "</")) {
            element = take_name(r);
            must(depth > 0 && jk_span_eq(element, open[--depth]) && (takes_blanks(r), takes(r, ">")), "what is open is closed, in order");
            keep(r, "</>", 3);
        } else if (takes(r, "<")) {
            must(depth < DEPTH_MOST, "elements do not lie that deep");
            depth += take_tag(r, &open[depth], page);
        } else {
            must(depth > 0, "there is one root");
            take_data(r);
        }
    } while (depth > 0 && r->at < r->end);
    must(depth == 0, "what is open is closed");
}

static char *read_xml(jk_span text, bool page)
{
    reader r = begin(text);

    if (!page)
        must(takes(&r, "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>"), "it says that it is XML");
    else
        must(takes(&r, "<!DOCTYPE html>"), "it says that it is HTML");
    takes_blanks(&r);
    take_content(&r, page);
    takes_blanks(&r);
    must(r.at == r.end, "there is one root");
    return r.skeleton;
}

char *strict_xml(jk_span text)
{
    return read_xml(text, false);
}

char *strict_page(jk_span text)
{
    return read_xml(text, true);
}

/* ---- lines ---- */

/* Up to the line's end: no control character. */
static void take_line_of(reader *r)
{
    for (; r->at < r->end && *r->at != '\n'; r->at++)
        must(*r->at >= ' ' && *r->at != 0x7f, "no control character");
    keep(r, "\n", 1);
    must(r->at++ < r->end, "a line ends");
}

/* The one element whose values are all quoted: id=1 server="" uri="" .. */
static void check_map(reader *r)
{
    must(takes(r, "Map: id=") && take_run(r, DIGITS).len > 0, "a mount has a number");
    while (takes(r, " ")) {
        must(take_run(r, NAME_BYTES).len > 0 && takes(r, "=\""), "a value has quotes");
        for (; r->at < r->end && *r->at != '"' && *r->at != '\n'; r->at++)
            r->at += *r->at == '\\' && r->end - r->at > 1;
        must(takes(r, "\""), "quotes end in their line");
    }
    must(sees(r, "\n"), "nothing stands behind the quotes");
}

char *strict_txt(jk_span text)
{
    static const char *const labels[] = { "Server: ", "Time: ", "Software: ", "Balancer Workers: ", "Balancer Worker: ", "Member: ", "AJP Workers: ",
                                          "AJP Worker: ", "Map: ", "Configuration:", "Result: " };
    reader r = begin(text), map;
    bool properties = false;

    while (r.at < r.end) {
        size_t i = 0;
        while (i < sizeof labels / sizeof labels[0] && !sees(&r, labels[i]))
            i++;
        must(i < sizeof labels / sizeof labels[0] || (properties && memchr(r.at, '=', (size_t)(r.end - r.at))), "a line has a label");
        properties = properties ? !sees(&r, "Result: ") : sees(&r, "Configuration:");
        map = r;
        if (sees(&r, "Map: ") && !properties)
            check_map(&map);
        take_line_of(&r);
    }
    return r.skeleton;
}

char *strict_prop(jk_span text)
{
    reader r = begin(text);

    while (r.at < r.end) {
        while (r.at < r.end && *r.at != '=') {
            must(*r.at >= ' ' && *r.at != 0x7f && *r.at != ':', "a key is one");
            r.at += *r.at == '\\' ? 2 : 1;
        }
        must(takes(&r, "="), "a line has a value");
        for (; r.at < r.end && *r.at != '\n'; r.at += *r.at == '\\' ? 2 : 1)
            must(*r.at >= ' ' && *r.at != 0x7f, "no control character");
        keep(&r, "\n", 1);
        must(r.at < r.end && *r.at++ == '\n', "a line ends");
    }
    return r.skeleton;
}

/* ---- metrics ---- */

/* Behind the name: {name="value",..}, in which \\, \" and \n alone are escapes. */
static void take_labels(reader *r)
{
    do {
        keep(r, ",", 1);
        jk_span name = take_name(r);
        keep(r, name.p, name.len);
        must(takes(r, "=\""), "a label has a value");
        while (r->at < r->end && *r->at != '"') {
            must(*r->at != '\n', "a label stays in its line");
            if (*r->at == '\\')
                must(takes(r, "\\\\") || takes(r, "\\\"") || takes(r, "\\n"), "an escape is known");
            else
                (void)take_character(r);
        }
        must(takes(r, "\""), "quotes end");
    } while (takes(r, ","));
    must(takes(r, "}"), "labels end");
}

static void take_sample(reader *r)
{
    jk_span name = take_name(r);

    keep(r, name.p, name.len);
    if (takes(r, "{"))
        take_labels(r);
    must(takes(r, " "), "a sample has a value");
    must(take_run(r, DIGITS ".").len > 0 && takes(r, "\n"), "a value is a number");
    keep(r, "\n", 1);
}

char *strict_metrics(jk_span text)
{
    reader r = begin(text);

    while (r.at < r.end && !sees(&r, "# EOF\n")) {
        if (!sees(&r, "# ")) {
            take_sample(&r);
            continue;
        }
        must(sees(&r, "# HELP ") || sees(&r, "# TYPE ") || sees(&r, "# UNIT "), "a comment is one of three");
        while (r.at < r.end && *r.at != '\n')
            (void)take_character(&r);
        must(takes(&r, "\n"), "a line ends");
    }
    must(takes(&r, "# EOF\n") && r.at == r.end, "it ends once");
    return r.skeleton;
}
