/* native/ajp/forward.c - writes a FORWARD_REQUEST (spec: ajp.md 3, 4; header rules: decisions.md, RFC 9110 7.6.1). */
#include "jk/ajp/forward.h"

#include "jk/ajp/codes.h"
#include "jk/ajp/frame.h"
#include "jk/base/buf.h"

#include <inttypes.h>
#include <stdio.h>

/* Digits of a 64-bit number. */
#define LENGTH_DIGITS 20
/* Fixed bytes: head 4, type and method 2, port 2, is_ssl 1, count 2, key size 3, end 1; a Content-Length that the client
 * did not send takes 5 and its digits. */
#define FIXED (4 + 2 + 2 + 1 + 2 + 3 + 1 + 5 + LENGTH_DIGITS)
#define STRING(s) ((s).len + 3)
#define CODED(s) ((s).len + 4)
#define NAMED(n, s) (1 + STRING(n) + STRING(s))
#define KNOWN(n, s) ((n).len + STRING(s))

/* Attributes that most requests have, as they stand before their values: code, length, name and NUL. */
static const jk_span ssl_protocol_name = JK_SPAN_LIT("\x0A\0\x10" "AJP_SSL_PROTOCOL\0");
static const jk_span remote_port_name = JK_SPAN_LIT("\x0A\0\x0F" "AJP_REMOTE_PORT\0");
static const jk_span local_addr_name = JK_SPAN_LIT("\x0A\0\x0E" "AJP_LOCAL_ADDR\0");
static const jk_span activation_name = JK_SPAN_LIT("\x0A\0\x10" "JK_LB_ACTIVATION\0");

/* What is absent has no bytes and is counted with its head all the same: asking would cost more than the room. */
size_t jk_forward_bound(const jk_request *rq)
{
    size_t n = FIXED + STRING(rq->protocol) + STRING(rq->uri) + STRING(rq->remote_addr) + STRING(rq->remote_host) +
               STRING(rq->server_name);

    for (size_t i = 0; i < rq->nheaders; i++)
        n += STRING(rq->headers[i].name) + STRING(rq->headers[i].value);
    n += CODED(rq->secret) + CODED(rq->remote_user) + CODED(rq->auth_type) + CODED(rq->query) + CODED(rq->route);
    n += CODED(rq->ssl_cert) + CODED(rq->ssl_cipher) + CODED(rq->ssl_session) + CODED(rq->method);
    n += KNOWN(ssl_protocol_name, rq->ssl_protocol) + KNOWN(remote_port_name, rq->remote_port);
    n += KNOWN(local_addr_name, rq->local_addr) + KNOWN(activation_name, rq->activation);
    for (size_t i = 0; i < rq->nenv; i++)
        n += NAMED(rq->env[i].name, rq->env[i].value);
    return n;
}

static void put_header(jk_out *out, uint16_t code, const jk_field *field)
{
    if (code)
        jk_out_u16(out, code);
    else
        jk_out_string(out, field->name);
    jk_out_string(out, field->value);
}

/* The length is that of the body which will be sent, not what a header claims: the container waits for as many bytes as
 * it names and takes any packet beyond them for the next request. Without it the container would ask for a body. */
static void put_length(jk_out *out, const jk_request *rq)
{
    char digits[JK_DECIMAL_ROOM];

    jk_out_u16(out, 0xA008);
    jk_out_string(out, rq->body == JK_BODY_LENGTH ? jk_span_decimal(digits, rq->content_length) : JK_SPAN_LIT("0"));
}

static bool forwarded(const jk_request *rq, const jk_field *field, jk_header_kind kind)
{
    if (kind == JK_HEADER_HOP)
        return false;
    return rq->connection.p == NULL || !jk_span_lists(rq->connection, field->name);
}

static void put_headers(jk_out *out, const jk_request *rq)
{
    size_t count_at = out->len, count = 0;
    bool length_due = rq->body != JK_BODY_UNKNOWN;

    jk_out_u16(out, 0);
    for (size_t i = 0; i < rq->nheaders; i++) {
        const jk_field *field = &rq->headers[i];
        jk_header_code is = jk_codes_request_header(field->name);
        if (is.kind == JK_HEADER_LENGTH) { /* once, in its place, and not the client's to name in Connection */
            if (!length_due)
                continue;
            put_length(out, rq);
            length_due = false;
        } else if (forwarded(rq, field, is.kind)) {
            put_header(out, is.code, field);
        } else {
            continue;
        }
        count++;
    }
    if (length_due) {
        put_length(out, rq);
        count++;
    }
    if (out->bad) /* so is the writer of more headers than a count can say: no packet holds them */
        return;
    out->p[count_at] = (uint8_t)(count >> 8);
    out->p[count_at + 1] = (uint8_t)count;
}

static void put_attribute(jk_out *out, unsigned code, jk_span value)
{
    if (value.p == NULL)
        return;
    jk_out_u8(out, code);
    jk_out_string(out, value);
}

static void put_named(jk_out *out, jk_span name, jk_span value)
{
    jk_out_u8(out, JK_AJP_ATTR_NAMED);
    jk_out_string(out, name);
    jk_out_string(out, value);
}

static void put_known(jk_out *out, jk_span name, jk_span value)
{
    jk_out_bytes(out, name);
    jk_out_string(out, value);
}

static void put_attributes(jk_out *out, const jk_request *rq, bool stored)
{
    put_attribute(out, JK_AJP_ATTR_SECRET, rq->secret);
    put_attribute(out, JK_AJP_ATTR_REMOTE_USER, rq->remote_user);
    put_attribute(out, JK_AJP_ATTR_AUTH_TYPE, rq->auth_type);
    put_attribute(out, JK_AJP_ATTR_QUERY, rq->query);
    put_attribute(out, JK_AJP_ATTR_ROUTE, rq->route);
    put_attribute(out, JK_AJP_ATTR_SSL_CERT, rq->ssl_cert);
    put_attribute(out, JK_AJP_ATTR_SSL_CIPHER, rq->ssl_cipher);
    put_attribute(out, JK_AJP_ATTR_SSL_SESSION, rq->ssl_session);
    if (rq->ssl_key_size != -1) {
        jk_out_u8(out, JK_AJP_ATTR_SSL_KEY_SIZE);
        jk_out_u16(out, (unsigned)rq->ssl_key_size);
    }
    if (stored)
        put_attribute(out, JK_AJP_ATTR_STORED_METHOD, rq->method);
    if (rq->ssl_protocol.len > 0)
        put_known(out, ssl_protocol_name, rq->ssl_protocol);
    put_known(out, remote_port_name, rq->remote_port);
    put_known(out, local_addr_name, rq->local_addr);
    put_known(out, activation_name, rq->activation);
    for (size_t i = 0; i < rq->nenv; i++)
        put_named(out, rq->env[i].name, rq->env[i].value);
    jk_out_u8(out, JK_AJP_ATTR_END);
}

jk_rc jk_forward_encode(const jk_request *rq, uint8_t *p, size_t cap, size_t *len)
{
    jk_out out = jk_out_over(p, cap);
    uint8_t method = rq->stored_methods ? JK_AJP_METHOD_STORED : jk_codes_method(rq->method);

    if (cap < JK_FRAME_HEAD)
        return JK_E_SPACE;
    out.len = JK_FRAME_HEAD;
    jk_out_u8(&out, JK_AJP_FORWARD_REQUEST);
    jk_out_u8(&out, method);
    jk_out_string(&out, rq->protocol);
    jk_out_string(&out, rq->uri);
    jk_out_string(&out, rq->remote_addr);
    jk_out_string(&out, rq->remote_host);
    jk_out_string(&out, rq->server_name);
    jk_out_u16(&out, rq->server_port);
    jk_out_u8(&out, rq->is_ssl);
    put_headers(&out, rq);
    put_attributes(&out, rq, method == JK_AJP_METHOD_STORED);
    if (out.bad || out.len > JK_FRAME_MAX_PACKET)
        return JK_E_SPACE;
    jk_frame_begin(p, out.len - JK_FRAME_HEAD);
    *len = out.len;
    return JK_OK;
}

static void larger(jk_misfit *most, jk_misfit_part part, jk_span name, jk_span value)
{
    if (name.len + value.len <= most->size)
        return;
    most->part = part;
    most->name = name;
    most->size = name.len + value.len;
}

jk_misfit jk_forward_misfit(const jk_request *rq)
{
    jk_misfit most = { JK_MISFIT_URI, JK_SPAN_NONE, rq->uri.len + rq->query.len, jk_forward_bound(rq) };

    for (size_t i = 0; i < rq->nheaders; i++)
        larger(&most, JK_MISFIT_HEADER, rq->headers[i].name, rq->headers[i].value);
    larger(&most, JK_MISFIT_ATTRIBUTE, JK_SPAN_LIT("remote user"), rq->remote_user);
    larger(&most, JK_MISFIT_ATTRIBUTE, JK_SPAN_LIT("client certificate"), rq->ssl_cert);
    for (size_t i = 0; i < rq->nenv; i++)
        larger(&most, JK_MISFIT_ATTRIBUTE, rq->env[i].name, rq->env[i].value);
    return most;
}
