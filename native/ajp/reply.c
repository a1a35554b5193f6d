/* native/ajp/reply.c - takes a container's message apart. SEND_HEADERS is walked twice: once to check it whole, then
 * field by field for the sink, so that no header is passed on from a message that turns out to be malformed. */
#include "jk/ajp/reply.h"

#include "jk/ajp/codes.h"

/* A name; *code is 0 where it is a string. */
static jk_span read_name(jk_in *in, unsigned *code)
{
    unsigned first = jk_in_u16(in);

    *code = 0;
    if ((first & 0xFF00) != 0xA000)
        return jk_in_string_rest(in, first);
    *code = first;
    jk_span name = jk_codes_response_header_name(first);
    if (name.p == NULL)
        in->bad = true;
    return name;
}

/* A NUL inside would cut the string for every reader after us. */
static bool whole(jk_span s)
{
    return s.p != NULL && (s.len == 0 || memchr(s.p, 0, s.len) == NULL);
}

static jk_rc parse_headers(jk_in in, jk_reply *out)
{
    unsigned code;

    out->status = jk_in_u16(&in);
    out->reason = jk_in_string(&in);
    out->nheaders = jk_in_u16(&in);
    out->nplain = 0;
    out->fields = in;
    if (in.bad || out->status == 0 || out->status == 0xFFFF || out->nheaders == 0xFFFF)
        return JK_E_PAYLOAD;
    if (out->reason.p && !whole(out->reason))
        return JK_E_PAYLOAD;
    for (unsigned i = 0; i < out->nheaders; i++) {
        jk_span name = read_name(&in, &code);
        jk_span value = jk_in_string(&in);
        if (in.bad || !whole(value) || (code == 0 && (name.len == 0 || !whole(name)))) /* the name of a code is our own */
            return JK_E_PAYLOAD;
        out->nplain += code == 0;
    }
    return JK_OK;
}

static jk_rc parse_chunk(jk_span payload, jk_reply *out)
{
    size_t len = 0;

    if (payload.len < JK_REPLY_CHUNK_HEAD)
        return JK_E_PAYLOAD;
    jk_rc rc = jk_reply_chunk(payload.p, payload.len, &len);
    out->body = (jk_span){ payload.p + JK_REPLY_CHUNK_HEAD, len };
    return rc;
}

jk_rc jk_reply_parse(jk_span payload, jk_reply *out)
{
    jk_in in = jk_in_over(payload);

    out->type = jk_in_u8(&in);
    if (in.bad)
        return JK_E_PAYLOAD;
    switch (out->type) {
    case JK_AJP_SEND_BODY_CHUNK:
        return parse_chunk(payload, out);
    case JK_AJP_SEND_HEADERS:
        return parse_headers(in, out);
    case JK_AJP_END_RESPONSE: {
        unsigned flag = jk_in_u8(&in);
        if (flag == 0xFF) /* no boolean (spec: ajp.md 7) */
            return JK_E_PAYLOAD;
        out->reuse = flag != 0;
        break;
    }
    case JK_AJP_GET_BODY_CHUNK:
        out->wanted = jk_in_u16(&in);
        break;
    case JK_AJP_CPONG:
        break;
    default:
        return JK_E_PAYLOAD;
    }
    return in.bad ? JK_E_PAYLOAD : JK_OK;
}

jk_rc jk_reply_chunk(const uint8_t head[JK_REPLY_CHUNK_HEAD], size_t payload_len, size_t *len)
{
    *len = (size_t)head[1] << 8 | head[2];
    if (payload_len < JK_REPLY_CHUNK_HEAD || *len > payload_len - JK_REPLY_CHUNK_HEAD)
        return JK_E_PAYLOAD;
    return JK_OK;
}

/* jk_reply_parse() has seen every byte of these: nothing is asked twice. */
static jk_span trusted_string(jk_in *in)
{
    size_t len = (size_t)in->p[0] << 8 | in->p[1];
    jk_span s = { in->p + 2, len };

    in->p += len + 3;
    in->left -= len + 3;
    return s;
}

bool jk_reply_field(jk_reply *reply, jk_span *name, jk_span *value)
{
    jk_in *in = &reply->fields;

    if (reply->nheaders == 0)
        return false;
    reply->nheaders--;
    reply->code = in->p[0] == 0xA0 ? 0xA000u | in->p[1] : 0;
    if (reply->code) {
        *name = jk_codes_response_header_name(reply->code);
        in->p += 2;
        in->left -= 2;
    } else {
        *name = trusted_string(in);
    }
    *value = trusted_string(in);
    return true;
}
