/* tools/jkbackend_decode.c - reads the fields of a FORWARD_REQUEST in their order (AJP13, version 1.3). */
#include "jkbackend_decode.h"

#include "jk/ajp/codes.h"

#include <stdio.h>

/* The names under which attributes with a code of their own are shown. */
static const char *const attribute_names[] = {
    [0x01] = "context",
    [0x02] = "servlet_path",
    [JK_AJP_ATTR_REMOTE_USER] = "remote_user",
    [JK_AJP_ATTR_AUTH_TYPE] = "auth_type",
    [JK_AJP_ATTR_QUERY] = "query_string",
    [JK_AJP_ATTR_ROUTE] = "route",
    [JK_AJP_ATTR_SSL_CERT] = "ssl_cert",
    [JK_AJP_ATTR_SSL_CIPHER] = "ssl_cipher",
    [JK_AJP_ATTR_SSL_SESSION] = "ssl_session",
    [JK_AJP_ATTR_NAMED] = NULL,
    [JK_AJP_ATTR_SSL_KEY_SIZE] = "ssl_key_size",
    [JK_AJP_ATTR_SECRET] = "secret",
    [JK_AJP_ATTR_STORED_METHOD] = "stored_method",
};

bool jkb_decode_number(jk_span digits, uint64_t most, uint64_t *value)
{
    uint64_t n = 0;

    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned d = digits.p[i] - (unsigned)'0';
        if (d > 9 || n > (most - d) / 10)
            return false;
        n = n * 10 + d;
    }
    *value = n;
    return true;
}

static jk_rc add(jkb_request *rq, jk_span name, jk_span value)
{
    size_t n = rq->nheaders + rq->nattributes;

    if (n == JKB_FIELDS_MAX)
        return JK_E_SPACE;
    rq->fields[n] = (jkb_field){ name, value };
    return JK_OK;
}

static void note_header(jkb_request *rq, jk_span name, jk_span value)
{
    if (jk_span_ieq(name, JK_SPAN_LIT("content-length"))) {
        rq->length_broken |= rq->length_known || !jkb_decode_number(value, INT64_MAX, &rq->length);
        rq->length_known = true;
    } else if (rq->cookie.p == NULL && jk_span_ieq(name, JK_SPAN_LIT("cookie"))) {
        rq->cookie = value;
    } else if (jk_span_ieq(name, JK_SPAN_LIT("content-type"))) {
        rq->content_type = value;
    }
}

static jk_span read_name(jk_in *in)
{
    unsigned first = jk_in_u16(in);

    if ((first & 0xFF00) == 0xA000)
        return jk_codes_request_header_name(first);
    return jk_in_string_rest(in, first);
}

static jk_rc read_headers(jk_in *in, jkb_request *rq)
{
    unsigned count = jk_in_u16(in);

    for (unsigned i = 0; i < count; i++) {
        jk_span name = read_name(in);
        jk_span value = jk_in_string(in);
        if (in->bad || name.len == 0 || value.p == NULL)
            return JK_E_PAYLOAD;
        jk_rc rc = add(rq, name, value);
        if (rc != JK_OK)
            return rc;
        rq->nheaders++;
        note_header(rq, name, value);
    }
    return in->bad ? JK_E_PAYLOAD : JK_OK;
}

/* One attribute's name and value. False: there is no such code. */
static bool read_attribute(jk_in *in, unsigned code, jkb_request *rq, jkb_field *field)
{
    if (code == JK_AJP_ATTR_NAMED) {
        field->name = jk_in_string(in);
        field->value = jk_in_string(in);
        return field->name.len > 0;
    }
    if (code >= sizeof attribute_names / sizeof attribute_names[0] || attribute_names[code] == NULL)
        return false;
    field->name = jk_span_of(attribute_names[code]);
    if (code == JK_AJP_ATTR_SSL_KEY_SIZE) {
        snprintf(rq->key_size, sizeof rq->key_size, "%u", jk_in_u16(in));
        field->value = jk_span_of(rq->key_size);
        return true;
    }
    field->value = jk_in_string(in);
    return true;
}

static void note_attribute(jkb_request *rq, unsigned code, jk_span value)
{
    switch (code) {
    case JK_AJP_ATTR_QUERY:
        rq->query = value;
        break;
    case JK_AJP_ATTR_SECRET:
        rq->secret = value;
        break;
    case JK_AJP_ATTR_STORED_METHOD:
        rq->method = value;
        break;
    default:
        break;
    }
}

static jk_rc read_attributes(jk_in *in, jkb_request *rq)
{
    for (;;) {
        jkb_field field = { JK_SPAN_NONE, JK_SPAN_NONE };
        unsigned code = jk_in_u8(in);

        if (in->bad)
            return JK_E_PAYLOAD;
        if (code == JK_AJP_ATTR_END)
            return JK_OK;
        if (!read_attribute(in, code, rq, &field) || in->bad)
            return JK_E_PAYLOAD;
        jk_rc rc = add(rq, field.name, field.value);
        if (rc != JK_OK)
            return rc;
        rq->nattributes++;
        note_attribute(rq, code, field.value);
    }
}

/* All but the fields themselves, which are overwritten as they come and would cost 64 KB of zeroes per request. */
static void forget(jkb_request *rq)
{
    rq->method = rq->query = rq->secret = rq->cookie = rq->content_type = JK_SPAN_NONE;
    rq->length_known = rq->length_broken = false;
    rq->length = 0;
    rq->nheaders = rq->nattributes = 0;
}

jk_rc jkb_decode(jk_span payload, jkb_request *rq)
{
    jk_in in = jk_in_over(payload);

    forget(rq);
    if (jk_in_u8(&in) != JK_AJP_FORWARD_REQUEST)
        return JK_E_PAYLOAD;
    unsigned method = jk_in_u8(&in);
    if (method != JK_AJP_METHOD_STORED)
        rq->method = jk_span_of(jk_codes_method_name(method));
    rq->protocol = jk_in_string(&in);
    rq->uri = jk_in_string(&in);
    rq->remote_addr = jk_in_string(&in);
    rq->remote_host = jk_in_string(&in);
    rq->server_name = jk_in_string(&in);
    rq->server_port = jk_in_u16(&in);
    rq->is_ssl = jk_in_u8(&in) != 0;
    if (in.bad)
        return JK_E_PAYLOAD;
    jk_rc rc = read_headers(&in, rq);
    if (rc == JK_OK)
        rc = read_attributes(&in, rq);
    if (rc != JK_OK)
        return rc;
    return rq->method.len == 0 || rq->uri.len == 0 ? JK_E_PAYLOAD : JK_OK;
}
