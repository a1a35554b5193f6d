/* tools/jkbackend_pages.c - the pages and their choice. Everything that comes from a request is escaped. */
#include "jkbackend_pages.h"

#include <stdio.h>
#include <unistd.h>

#define MS_MOST 3600000
#define CHUNKS_MOST 1000000
#define HEADERS_MOST 1000
#define BYTES_MOST ((uint64_t)1 << 50)
#define LENGTH_TEXT 24

/* A page takes the numbers of its path, as many as the row says. */
typedef struct page {
    const char *name;
    unsigned numbers;
    uint64_t most[2];
    void (*answer)(jkb_visit *v, const uint64_t *number);
} page;

static jk_span number_text(char text[LENGTH_TEXT], uint64_t n)
{
    snprintf(text, LENGTH_TEXT, "%llu", (unsigned long long)n);
    return jk_span_of(text);
}

static jk_span text_span(const jkb_text *t)
{
    return (jk_span){ (const uint8_t *)t->p, t->len };
}

/* The text as the whole answer. */
static void send_text(jkb_visit *v, unsigned status, jk_span type)
{
    char length[LENGTH_TEXT];
    const jkb_field fields[] = {
        { JK_SPAN_LIT("Content-Type"), type },
        { JK_SPAN_LIT("Content-Length"), number_text(length, v->text->len) },
        { JK_SPAN_LIT("Cache-Control"), JK_SPAN_LIT("no-store") },
        { JK_SPAN_LIT("X-Content-Type-Options"), JK_SPAN_LIT("nosniff") },
    };

    if (v->text->bad) {
        v->wire->broken = true; /* out of memory: half an answer would look whole */
        return;
    }
    jkb_wire_head(v->wire, status, fields, sizeof fields / sizeof fields[0]);
    jkb_wire_body(v->wire, text_span(v->text));
}

void jkb_page_plain(jkb_visit *v, unsigned status, const char *sentence)
{
    jkb_text_clear(v->text);
    jkb_text_format(v->text, "%s\n", sentence);
    send_text(v, status, JK_SPAN_LIT("text/plain; charset=utf-8"));
}

static jk_span shown(jk_span name, jk_span value)
{
    return jk_span_eq(name, JK_SPAN_LIT("secret")) && value.p ? JK_SPAN_LIT("(not shown)") : value;
}

static uint64_t read_body(jkb_visit *v)
{
    uint64_t n = 0;
    jk_span bytes;

    while (jkb_wire_body_read(v->wire, &bytes))
        n += bytes.len;
    return n;
}

/* --- the request as a page --- */

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.45 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}"
    "h1{font-size:1.5rem;line-height:1.2;margin:.3rem 0 .6rem}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}"
    "nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:baseline;padding:.2rem 1rem .2rem 0;border-top:1px solid #8884}"
    "th{font-weight:400;width:14rem;opacity:.75;overflow-wrap:anywhere}"
    "td{font-family:ui-monospace,monospace;font-size:.9rem;padding-right:0;overflow-wrap:anywhere;white-space:pre-wrap}"
    ".none{opacity:.6;font-style:italic}"
    "@media(max-width:36rem){tr{display:block;border-top:1px solid #8884;padding:.25rem 0}"
    "th,td{display:block;width:auto;padding:0;border:0}th{font-size:.85rem}}";

static void row(jkb_text *t, jk_span name, jk_span value)
{
    jkb_text_put(t, "<tr><th scope=\"row\">");
    jkb_text_html(t, name);
    jkb_text_put(t, value.p ? "</th><td>" : "</th><td class=\"none\">none");
    jkb_text_html(t, value);
    jkb_text_put(t, "</td></tr>\n");
}

static void row_number(jkb_text *t, jk_span name, uint64_t n)
{
    char text[LENGTH_TEXT];

    row(t, name, number_text(text, n));
}

static void table(jkb_text *t, const char *title, const jkb_field *fields, size_t n)
{
    jkb_text_format(t, "<h2>%s (%zu)</h2>\n<table>\n", title, n);
    for (size_t i = 0; i < n; i++)
        row(t, fields[i].name, shown(fields[i].name, fields[i].value));
    jkb_text_put(t, "</table>\n");
}

/* Takes the last segment off a path, without its parameters. */
static jk_span take_last(jk_span *path)
{
    size_t from = path->len, len = 0;

    while (from > 0 && path->p[from - 1] != '/')
        from--;
    jk_span segment = { path->p + from, path->len - from };
    path->len = from > 0 ? from - 1 : 0;
    while (len < segment.len && segment.p[len] != ';')
        len++;
    segment.len = len;
    return segment;
}

/* A link from this page, whether its own address ends with a '/' or not. */
static void nav_link(jkb_text *t, jk_span uri, const char *to, const char *text)
{
    jk_span here = take_last(&uri);

    jkb_text_put(t, "<a href=\"./");
    jkb_text_html(t, here);
    jkb_text_format(t, "%s%s\">%s</a>", here.len ? "/" : "", to, text);
}

static void nav(jkb_text *t, jk_span uri)
{
    static const char *const links[][2] = {
        { "json", "json" },
        { "session", "session" },
        { "bytes/100000", "bytes" },
        { "sleep/1000", "sleep" },
        { "chunks/10/200", "chunks" },
        { "hdrs/20", "headers" },
        { "status/404", "status" },
    };

    jkb_text_put(t, "<nav>");
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        nav_link(t, uri, links[i][0], links[i][1]);
    jkb_text_put(t, "</nav>\n");
}

static void page_top(jkb_text *t, const jkb_visit *v)
{
    jk_span who = v->server->route ? jk_span_of(v->server->route) : JK_SPAN_LIT("jkbackend");

    jkb_text_put(t, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    jkb_text_html(t, who);
    jkb_text_put(t, ": ");
    jkb_text_html(t, v->rq->uri);
    jkb_text_put(t, "</title>\n<style>");
    jkb_text_put(t, style);
    jkb_text_put(t, "</style>\n</head>\n<body>\n<h1>Answered by ");
    jkb_text_html(t, who);
    jkb_text_put(t, "</h1>\n");
    nav(t, v->rq->uri);
}

static void request_table(jkb_text *t, const jkb_visit *v, uint64_t body)
{
    const jkb_request *rq = v->rq;

    jkb_text_put(t, "<h2>Request</h2>\n<table>\n");
    row(t, JK_SPAN_LIT("Method"), rq->method);
    row(t, JK_SPAN_LIT("URI"), rq->uri);
    row(t, JK_SPAN_LIT("Query"), rq->query);
    row(t, JK_SPAN_LIT("Protocol"), rq->protocol);
    row(t, JK_SPAN_LIT("TLS"), rq->is_ssl ? JK_SPAN_LIT("yes") : JK_SPAN_LIT("no"));
    row(t, JK_SPAN_LIT("Remote address"), rq->remote_addr);
    row(t, JK_SPAN_LIT("Remote host"), rq->remote_host);
    row(t, JK_SPAN_LIT("Server name"), rq->server_name);
    row_number(t, JK_SPAN_LIT("Server port"), rq->server_port);
    row(t, JK_SPAN_LIT("Session"), jkb_session_of(rq));
    row(t, JK_SPAN_LIT("Route of this backend"), jk_span_of(v->server->route));
    row_number(t, JK_SPAN_LIT("Body bytes"), body);
    row_number(t, JK_SPAN_LIT("AJP connection"), v->connection);
    row_number(t, JK_SPAN_LIT("Request on it"), v->number);
    jkb_text_put(t, "</table>\n");
}

static void answer_page(jkb_visit *v, const uint64_t *number)
{
    jkb_text *t = v->text;
    uint64_t body = read_body(v);

    (void)number;
    page_top(t, v);
    request_table(t, v, body);
    table(t, "Headers", v->rq->fields, v->rq->nheaders);
    table(t, "Attributes", v->rq->fields + v->rq->nheaders, v->rq->nattributes);
    jkb_text_put(t, "</body>\n</html>\n");
    send_text(v, 200, JK_SPAN_LIT("text/html; charset=utf-8"));
}

/* --- the request as JSON --- */

static void json_member(jkb_text *t, const char *name, jk_span value)
{
    jkb_text_format(t, "  \"%s\": ", name);
    jkb_text_json(t, value);
    jkb_text_put(t, ",\n");
}

static void json_pairs(jkb_text *t, const char *name, const jkb_field *fields, size_t n)
{
    jkb_text_format(t, "  \"%s\": [", name);
    for (size_t i = 0; i < n; i++) {
        jkb_text_put(t, i ? ",\n    [" : "\n    [");
        jkb_text_json(t, fields[i].name);
        jkb_text_put(t, ", ");
        jkb_text_json(t, shown(fields[i].name, fields[i].value));
        jkb_text_put(t, "]");
    }
    jkb_text_put(t, n ? "\n  ],\n" : "],\n");
}

static void answer_json(jkb_visit *v, const uint64_t *number)
{
    const jkb_request *rq = v->rq;
    jkb_text *t = v->text;
    uint64_t body = read_body(v);

    (void)number;
    jkb_text_put(t, "{\n");
    json_member(t, "method", rq->method);
    json_member(t, "uri", rq->uri);
    json_member(t, "query", rq->query);
    json_member(t, "protocol", rq->protocol);
    json_member(t, "remote_addr", rq->remote_addr);
    json_member(t, "remote_host", rq->remote_host);
    json_member(t, "server_name", rq->server_name);
    jkb_text_format(t, "  \"server_port\": %u,\n  \"is_ssl\": %s,\n", rq->server_port, rq->is_ssl ? "true" : "false");
    json_member(t, "session", jkb_session_of(rq));
    json_member(t, "route", jk_span_of(v->server->route));
    json_pairs(t, "headers", rq->fields, rq->nheaders);
    json_pairs(t, "attributes", rq->fields + rq->nheaders, rq->nattributes);
    jkb_text_format(t, "  \"body_bytes\": %llu,\n  \"connection\": %llu,\n  \"request\": %llu,\n  \"pid\": %ld\n}\n",
                    (unsigned long long)body, (unsigned long long)v->connection, (unsigned long long)v->number,
                    (long)getpid());
    send_text(v, 200, JK_SPAN_LIT("application/json"));
}

/* --- the others --- */

static void answer_session(jkb_visit *v, const uint64_t *number)
{
    char id[JKB_SESSION_ID], cookie[JKB_SESSION_ID + 64], body[JKB_SESSION_ID + 64], length[LENGTH_TEXT];
    bool created;
    uint64_t visits = jkb_session_visit(&v->server->sessions, jkb_session_of(v->rq), v->server->route, id, &created);

    (void)number;
    snprintf(cookie, sizeof cookie, "JSESSIONID=%s; Path=/; HttpOnly%s", id, v->rq->is_ssl ? "; Secure" : "");
    snprintf(body, sizeof body, "session %s\nvisits %llu\n", id, (unsigned long long)visits);
    const jkb_field fields[] = {
        { JK_SPAN_LIT("Content-Type"), JK_SPAN_LIT("text/plain; charset=utf-8") },
        { JK_SPAN_LIT("Content-Length"), number_text(length, strlen(body)) },
        { JK_SPAN_LIT("Cache-Control"), JK_SPAN_LIT("no-store") },
        { JK_SPAN_LIT("Set-Cookie"), jk_span_of(cookie) },
    };
    jkb_wire_head(v->wire, 200, fields, created ? 4 : 3);
    jkb_wire_body(v->wire, jk_span_of(body));
}

static void answer_count(jkb_visit *v, const uint64_t *number)
{
    char sentence[LENGTH_TEXT];

    snprintf(sentence, sizeof sentence, "%llu", (unsigned long long)read_body(v));
    (void)number;
    jkb_page_plain(v, 200, sentence);
}

static void answer_echo(jkb_visit *v, const uint64_t *number)
{
    char length[LENGTH_TEXT];
    /* The client's own type would let a page of the client's making run under this server's name. */
    const jkb_field fields[] = {
        { JK_SPAN_LIT("Content-Type"), JK_SPAN_LIT("application/octet-stream") },
        { JK_SPAN_LIT("X-Content-Type-Options"), JK_SPAN_LIT("nosniff") },
        { JK_SPAN_LIT("Content-Length"), number_text(length, v->rq->length) },
    };
    jk_span bytes;

    (void)number;
    jkb_wire_head(v->wire, 200, fields, v->rq->length_known ? 3 : 2);
    while (jkb_wire_body_read(v->wire, &bytes))
        jkb_wire_body(v->wire, bytes);
    if (v->wire->body_cut)
        v->wire->broken = true; /* its length was promised */
}

static void answer_bytes(jkb_visit *v, const uint64_t *number)
{
    char length[LENGTH_TEXT];
    const jkb_field fields[] = {
        { JK_SPAN_LIT("Content-Type"), JK_SPAN_LIT("application/octet-stream") },
        { JK_SPAN_LIT("Content-Length"), number_text(length, number[0]) },
    };

    jkb_wire_head(v->wire, 200, fields, 2);
    for (uint64_t at = 0; at < number[0] && !v->wire->broken && !v->wire->mute;) {
        size_t n = number[0] - at < v->server->packet - 8 ? (size_t)(number[0] - at) : v->server->packet - 8;
        jkb_wire_body(v->wire, (jk_span){ v->server->pattern + at % 64, n });
        at += n;
    }
}

static void answer_sleep(jkb_visit *v, const uint64_t *number)
{
    if (!jkb_wire_sleep(v->wire, (int)number[0]))
        return;
    jkb_text_format(v->text, "slept %llu ms\n", (unsigned long long)number[0]);
    send_text(v, 200, JK_SPAN_LIT("text/plain; charset=utf-8"));
}

static void answer_status(jkb_visit *v, const uint64_t *number)
{
    char sentence[32];

    if (number[0] < 200) {
        jkb_page_plain(v, 400, "a status is 200 .. 599");
        return;
    }
    snprintf(sentence, sizeof sentence, "status %u", (unsigned)number[0]);
    jkb_page_plain(v, (unsigned)number[0], sentence);
}

static void answer_chunks(jkb_visit *v, const uint64_t *number)
{
    const jkb_field type = { JK_SPAN_LIT("Content-Type"), JK_SPAN_LIT("text/plain; charset=utf-8") };

    jkb_wire_head(v->wire, 200, &type, 1);
    for (uint64_t i = 1; i <= number[0] && !v->wire->broken; i++) {
        jkb_text_clear(v->text);
        jkb_text_format(v->text, "chunk %llu of %llu\n", (unsigned long long)i, (unsigned long long)number[0]);
        jkb_wire_body(v->wire, text_span(v->text));
        jkb_wire_flush(v->wire);
        if (i < number[0] && number[1] > 0)
            jkb_wire_sleep(v->wire, (int)number[1]);
    }
}

static void answer_hdrs(jkb_visit *v, const uint64_t *number)
{
    static const char body[] = "look at the headers\n";
    char text[HEADERS_MOST][2][LENGTH_TEXT], length[LENGTH_TEXT];
    jkb_field fields[HEADERS_MOST + 2] = {
        { JK_SPAN_LIT("Content-Type"), JK_SPAN_LIT("text/plain; charset=utf-8") },
        { JK_SPAN_LIT("Content-Length"), number_text(length, sizeof body - 1) },
    };

    for (size_t i = 0; i < number[0]; i++) {
        snprintf(text[i][0], LENGTH_TEXT, "X-Header-%u", (unsigned)(i + 1));
        snprintf(text[i][1], LENGTH_TEXT, "value %u", (unsigned)(i + 1));
        fields[i + 2] = (jkb_field){ jk_span_of(text[i][0]), jk_span_of(text[i][1]) };
    }
    if (jkb_wire_head(v->wire, 200, fields, number[0] + 2))
        jkb_wire_body(v->wire, jk_span_of(body));
    else
        jkb_page_plain(v, 500, "that many headers do not fit into a packet (--packet-size)");
}

/* --- the choice --- */

static const page pages[] = {
    { "json", 0, { 0, 0 }, answer_json },
    { "session", 0, { 0, 0 }, answer_session },
    { "echo", 0, { 0, 0 }, answer_echo },
    { "count", 0, { 0, 0 }, answer_count },
    { "bytes", 1, { BYTES_MOST, 0 }, answer_bytes },
    { "sleep", 1, { MS_MOST, 0 }, answer_sleep },
    { "status", 1, { 599, 0 }, answer_status },
    { "hdrs", 1, { HEADERS_MOST, 0 }, answer_hdrs },
    { "chunks", 2, { CHUNKS_MOST, MS_MOST }, answer_chunks },
};

static bool fits(const page *p, jk_span path, uint64_t number[2])
{
    for (unsigned i = p->numbers; i > 0; i--)
        if (!jkb_decode_number(take_last(&path), p->most[i - 1], &number[i - 1]))
            return false;
    return jk_span_eq(take_last(&path), jk_span_of(p->name));
}

void jkb_page_answer(jkb_visit *v)
{
    uint64_t number[2] = { 0, 0 };

    jkb_text_clear(v->text);
    v->wire->mute = jk_span_eq(v->rq->method, JK_SPAN_LIT("HEAD"));
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (fits(&pages[i], v->rq->uri, number)) {
            pages[i].answer(v, number);
            return;
        }
    }
    answer_page(v, number);
}
