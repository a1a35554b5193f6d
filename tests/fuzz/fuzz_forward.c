/* tests/fuzz/fuzz_forward.c - any request, written by ajp/forward and read again by the project's own container (tools/jkbackend_decode): what
 * arrives is what was given, less the headers that must stay here, and with a Content-Length that is the body's. Which headers those are is
 * said once more, slowly, by the lists below.
 *
 *   | flags | key size | port, 2 bytes | packet size, 2 bytes | strings .. |    a string: its length (FF: absent), its bytes
 *   strings: method, protocol, uri, .. in the order of `texts`; then the headers and, from the flags on, the JkEnvVars
 *
 * The same bytes are also read as a packet by that decoder, which no container's word must bring down either. */
#include "jk/ajp/codes.h"
#include "jk/ajp/forward.h"
#include "jk/ajp/frame.h"
#include "jkbackend_decode.h"
#include "promise.h"

#include <inttypes.h>

#define FIELDS_MOST 200

typedef struct taker {
    const uint8_t *p;
    size_t left;
} taker;

static unsigned take_byte(taker *t)
{
    if (t->left == 0)
        return 0;
    t->left--;
    return *t->p++;
}

static jk_span take_string(taker *t)
{
    size_t n = take_byte(t);

    if (n == 0xFF)
        return JK_SPAN_NONE;
    if (n == 0xFE) /* a long one */
        n = (size_t)take_byte(t) << 8 | take_byte(t);
    if (n > t->left)
        n = t->left;
    jk_span s = { t->p, n };
    t->p += n;
    t->left -= n;
    return s;
}

/* What httpd always gives. */
static jk_span take_present(taker *t, const char *instead)
{
    jk_span s = take_string(t);

    return s.len ? s : jk_span_of(instead);
}

static jk_request take_request(taker *t, jk_field fields[FIELDS_MOST])
{
    unsigned flags = take_byte(t), key_size = take_byte(t);
    jk_request rq = { .is_ssl = flags & 1, .stored_methods = flags & 2, .body = (jk_body_kind)((flags >> 2 & 3) % 3) };
    jk_span *texts[] = { &rq.remote_addr, &rq.remote_host, &rq.server_name, &rq.connection, &rq.secret, &rq.remote_user, &rq.auth_type,
                         &rq.query, &rq.route, &rq.ssl_cert, &rq.ssl_cipher, &rq.ssl_session, &rq.ssl_protocol, &rq.remote_port,
                         &rq.local_addr, &rq.activation };
    size_t n = 0, nenv = flags >> 4;

    rq.ssl_key_size = key_size == 0xFF ? -1 : (int)key_size * 16;
    rq.server_port = (uint16_t)(take_byte(t) << 8);
    rq.server_port = (uint16_t)(rq.server_port | take_byte(t));
    rq.content_length = rq.body == JK_BODY_LENGTH ? (uint64_t)take_byte(t) * 1000003u + take_byte(t) + 1 : 0;
    rq.method = take_present(t, "GET");
    rq.protocol = take_string(t);
    rq.uri = take_present(t, "/");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = take_string(t);
    for (; n < FIELDS_MOST && t->left > 0; n++) {
        fields[n].name = take_present(t, "X");
        fields[n].value = take_string(t);
        if (fields[n].value.p == NULL)
            fields[n].value = JK_SPAN_LIT("");
    }
    rq.nenv = nenv < n ? nenv : n;
    rq.env = fields + n - rq.nenv;
    rq.headers = fields;
    rq.nheaders = n - rq.nenv;
    return rq;
}

/* ---- what must arrive ---- */

static int lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool alike(const uint8_t *a, const uint8_t *b, size_t n)
{
    while (n > 0 && lower(a[n - 1]) == lower(b[n - 1]))
        n--;
    return n == 0;
}

static bool is(jk_span s, const char *word)
{
    return s.len == strlen(word) && alike(s.p, (const uint8_t *)word, s.len);
}

/* Does the list name it? Word by word. */
static bool named_by(jk_span list, jk_span name)
{
    size_t at = 0;

    while (list.p && at <= list.len) {
        size_t end = at;
        while (end < list.len && list.p[end] != ',')
            end++;
        size_t from = at, to = end;
        while (from < to && (list.p[from] == ' ' || list.p[from] == '\t'))
            from++;
        while (to > from && (list.p[to - 1] == ' ' || list.p[to - 1] == '\t'))
            to--;
        if (to - from == name.len && alike(list.p + from, name.p, name.len))
            return true;
        at = end + 1;
    }
    return false;
}

static bool stays_here(const jk_request *rq, jk_span name)
{
    static const char *const hops[] = { "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade" };

    for (size_t i = 0; i < sizeof hops / sizeof *hops; i++)
        if (is(name, hops[i]))
            return true;
    return (name.len > 6 && alike(name.p, (const uint8_t *)"Proxy-", 6)) || named_by(rq->connection, name);
}

/* Equal, and absent where absent was written. */
static bool same(jk_span a, jk_span b)
{
    if (a.p == NULL || b.p == NULL)
        return a.p == b.p && a.len == b.len;
    return jk_span_eq(a, b);
}

static void check_headers(const jk_request *rq, const jkb_request *got)
{
    char length[24] = "0";
    size_t at = 0, lengths = 0;

    if (rq->body == JK_BODY_LENGTH)
        snprintf(length, sizeof length, "%" PRIu64, rq->content_length);
    for (size_t i = 0; i < rq->nheaders; i++) {
        const jk_field *field = &rq->headers[i];
        if (is(field->name, "Content-Length")) {
            if (rq->body == JK_BODY_UNKNOWN || lengths++ > 0)
                continue;
            must(at < got->nheaders && jk_span_eq(got->fields[at].value, jk_span_of(length)), "Content-Length is the body's, in its place");
        } else if (stays_here(rq, field->name)) {
            continue;
        } else {
            must(at < got->nheaders && jk_span_ieq(got->fields[at].name, field->name), "a header's name arrives");
            must(jk_span_eq(got->fields[at].value, field->value), "a header's value arrives");
        }
        at++;
    }
    if (rq->body != JK_BODY_UNKNOWN && lengths == 0) {
        must(at < got->nheaders && is(got->fields[at].name, "Content-Length"), "a Content-Length where the client sent none");
        must(jk_span_eq(got->fields[at].value, jk_span_of(length)), "and it is the body's");
        at++;
    }
    must(at == got->nheaders, "no header more");
    must(got->length_known == (rq->body != JK_BODY_UNKNOWN) && !got->length_broken, "one Content-Length, or none");
}

static void next_attribute(const jkb_request *got, size_t *at, const char *name, jk_span value)
{
    must(*at < got->nattributes, "an attribute is there");
    const jkb_field *field = &got->fields[got->nheaders + (*at)++];
    must(jk_span_eq(field->name, jk_span_of(name)) && same(field->value, value), "an attribute has its name and value");
}

static void maybe_attribute(const jkb_request *got, size_t *at, const char *name, jk_span value)
{
    if (value.p)
        next_attribute(got, at, name, value);
}

static void check_attributes(const jk_request *rq, const jkb_request *got, bool stored)
{
    char size[8];
    size_t at = 0;

    maybe_attribute(got, &at, "secret", rq->secret);
    maybe_attribute(got, &at, "remote_user", rq->remote_user);
    maybe_attribute(got, &at, "auth_type", rq->auth_type);
    maybe_attribute(got, &at, "query_string", rq->query);
    maybe_attribute(got, &at, "route", rq->route);
    maybe_attribute(got, &at, "ssl_cert", rq->ssl_cert);
    maybe_attribute(got, &at, "ssl_cipher", rq->ssl_cipher);
    maybe_attribute(got, &at, "ssl_session", rq->ssl_session);
    snprintf(size, sizeof size, "%d", rq->ssl_key_size & 0xFFFF);
    if (rq->ssl_key_size != -1)
        next_attribute(got, &at, "ssl_key_size", jk_span_of(size));
    if (stored)
        next_attribute(got, &at, "stored_method", rq->method);
    if (rq->ssl_protocol.len)
        next_attribute(got, &at, "AJP_SSL_PROTOCOL", rq->ssl_protocol);
    next_attribute(got, &at, "AJP_REMOTE_PORT", rq->remote_port);
    next_attribute(got, &at, "AJP_LOCAL_ADDR", rq->local_addr);
    next_attribute(got, &at, "JK_LB_ACTIVATION", rq->activation);
    for (size_t i = 0; i < rq->nenv; i++) {
        must(at < got->nattributes && jk_span_eq(got->fields[got->nheaders + at].name, rq->env[i].name), "a variable has its name");
        must(jk_span_eq(got->fields[got->nheaders + at++].value, rq->env[i].value), "and its value");
    }
    must(at == got->nattributes, "no attribute more: a header makes none");
}

static void check_request(const jk_request *rq, const uint8_t *packet, size_t len)
{
    static jkb_request got; /* 64 KB */

    must(packet[0] == 0x12 && packet[1] == 0x34 && ((size_t)packet[2] << 8 | packet[3]) == len - JK_FRAME_HEAD, "a packet's head");
    uint8_t *payload = exactly((jk_span){ packet + JK_FRAME_HEAD, len - JK_FRAME_HEAD });
    must(jkb_decode((jk_span){ payload, len - JK_FRAME_HEAD }, &got) == JK_OK, "what is written can be read");
    must(jk_span_eq(got.method, rq->method), "the method");
    must(same(got.protocol, rq->protocol) && same(got.uri, rq->uri), "protocol and URI");
    must(same(got.remote_addr, rq->remote_addr) && same(got.remote_host, rq->remote_host), "the client");
    must(same(got.server_name, rq->server_name) && got.server_port == rq->server_port && got.is_ssl == rq->is_ssl, "the server");
    check_headers(rq, &got);
    check_attributes(rq, &got, payload[1] == JK_AJP_METHOD_STORED);
    must(!rq->stored_methods || payload[1] == JK_AJP_METHOD_STORED, "every method by name where that is asked for");
    free(payload);
}

static void decode_as_it_is(const uint8_t *data, size_t size)
{
    static jkb_request got;
    uint8_t *copy = exactly((jk_span){ data, size });

    if (jkb_decode((jk_span){ copy, size }, &got) == JK_OK)
        must(got.nheaders + got.nattributes <= JKB_FIELDS_MAX && got.uri.len > 0 && got.method.len > 0, "a request is whole");
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static jk_field fields[FIELDS_MOST];
    taker t = { data, size };

    decode_as_it_is(data, size);
    if (size < 4)
        return 0;
    size_t cap = (size_t)take_byte(&t) << 8;
    cap |= take_byte(&t);
    jk_request rq = take_request(&t, fields);
    size_t bound = jk_forward_bound(&rq), len = 0;
    if (cap & 1 || cap > bound)
        cap = bound;
    uint8_t *packet = block(cap);
    jk_rc rc = jk_forward_encode(&rq, packet, cap, &len);
    must(rc == JK_OK || rc == JK_E_SPACE, "it fits or it does not");
    must(rc == JK_OK || cap < bound || bound > JK_FRAME_MAX_PACKET, "the bound is enough");
    must(rc != JK_OK || len <= cap, "a packet lies in its room");
    if (rc == JK_OK)
        check_request(&rq, packet, len);
    else
        must(jk_forward_misfit(&rq).total == bound, "what does not fit is told with its size");
    free(packet);
    return 0;
}
