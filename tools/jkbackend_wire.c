/* tools/jkbackend_wire.c - AJP13 packets over one connected socket. */
#include "jkbackend_wire.h"

#include "jk/ajp/codes.h"
#include "jk/ajp/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Type and length precede a chunk's bytes, a NUL follows them. */
#define CHUNK_OVERHEAD (JK_FRAME_HEAD + 4)
#define LINGER_MS 200
#define LINGER_READS 64

jk_rc jkb_wire_open(jkb_wire *w, int fd, int stop_fd, size_t packet)
{
    *w = (jkb_wire){ .fd = fd, .stop_fd = stop_fd, .packet = packet };
    w->in_cap = 2 * packet;
    w->out_cap = packet < 65536 ? 65536 + packet : 2 * packet;
    w->in = malloc(w->in_cap);
    w->out = malloc(w->out_cap);
    if (w->in && w->out)
        return JK_OK;
    jkb_wire_close(w);
    return JK_E_MEMORY;
}

/* Closing with unread bytes resets the connection, and the peer may lose an answer that it has not read yet. */
static void linger(jkb_wire *w)
{
    struct pollfd p[2] = { { w->fd, POLLIN, 0 }, { w->stop_fd, POLLIN, 0 } };

    if (shutdown(w->fd, SHUT_WR) != 0)
        return;
    for (int i = 0; i < LINGER_READS && poll(p, 2, LINGER_MS) > 0; i++)
        if (p[1].revents || read(w->fd, w->in, w->in_cap) <= 0)
            return;
}

void jkb_wire_close(jkb_wire *w)
{
    if (w->in && !w->broken)
        linger(w);
    close(w->fd);
    free(w->in);
    free(w->out);
    w->in = w->out = NULL;
}

static void write_out(jkb_wire *w)
{
    size_t done = 0;

    while (!w->broken && done < w->out_len) {
        ssize_t n = send(w->fd, w->out + done, w->out_len - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            w->broken = true;
        done += n > 0 ? (size_t)n : 0;
    }
    w->out_len = 0;
}

/* A writer over the place of the next packet's payload. */
static jk_out begin(jkb_wire *w)
{
    if (w->out_cap - w->out_len < w->packet)
        write_out(w);
    return jk_out_over(w->out + w->out_len + JK_FRAME_HEAD, w->packet - JK_FRAME_HEAD);
}

static bool finish(jkb_wire *w, const jk_out *payload)
{
    uint8_t *head = w->out + w->out_len;

    if (payload->bad)
        return false;
    head[0] = 'A';
    head[1] = 'B';
    head[2] = (uint8_t)(payload->len >> 8);
    head[3] = (uint8_t)payload->len;
    w->out_len += JK_FRAME_HEAD + payload->len;
    return true;
}

/* --- reading --- */

static jk_rc fill(jkb_wire *w)
{
    for (;;) {
        ssize_t n = read(w->fd, w->in + w->end, w->in_cap - w->end);
        if (n > 0) {
            w->end += (size_t)n;
            return JK_OK;
        }
        if (n == 0 || errno != EINTR)
            return JK_E_RECV;
    }
}

static jk_rc whole_packet(jkb_wire *w, jk_span *payload)
{
    const uint8_t *p = w->in + w->pos;
    size_t have = w->end - w->pos;

    if ((have > 0 && p[0] != 0x12) || (have > 1 && p[1] != 0x34))
        return JK_E_FRAME;
    if (have < JK_FRAME_HEAD)
        return JK_AGAIN;
    size_t len = (size_t)p[2] << 8 | p[3];
    if (len + JK_FRAME_HEAD > w->packet)
        return JK_E_SPACE;
    if (have < len + JK_FRAME_HEAD)
        return JK_AGAIN;
    *payload = (jk_span){ p + JK_FRAME_HEAD, len };
    w->pos += JK_FRAME_HEAD + len;
    return JK_OK;
}

jk_rc jkb_wire_packet(jkb_wire *w, jk_span *payload)
{
    jk_rc rc;

    write_out(w);
    /* Down to what is held: then any packet fits, and as a rule there is nothing to move. */
    memmove(w->in + w->base, w->in + w->pos, w->end - w->pos);
    w->end -= w->pos - w->base;
    w->pos = w->base;
    while ((rc = w->broken ? JK_E_RECV : whole_packet(w, payload)) == JK_AGAIN) {
        rc = fill(w);
        if (rc != JK_OK)
            return rc;
    }
    return rc;
}

void jkb_wire_hold(jkb_wire *w)
{
    w->base = w->pos;
}

void jkb_wire_let_go(jkb_wire *w)
{
    w->base = 0;
}

static bool body_failed(jkb_wire *w)
{
    w->broken = w->body_ended = true;
    return false;
}

static bool body_packet(jkb_wire *w, jk_span *bytes)
{
    jk_span payload;

    if (jkb_wire_packet(w, &payload) != JK_OK)
        return body_failed(w);
    jk_in in = jk_in_over(payload);
    unsigned n = payload.len ? jk_in_u16(&in) : 0;
    *bytes = jk_in_bytes(&in, n);
    if (in.bad || (w->body_known && n > w->body_left))
        return body_failed(w);
    w->body_left -= w->body_known ? n : 0;
    w->body_ended = n == 0 || (w->body_known && w->body_left == 0);
    w->body_cut = w->body_known && w->body_ended && w->body_left > 0;
    return n > 0;
}

void jkb_wire_body_begin(jkb_wire *w, const jkb_request *rq)
{
    w->body_known = rq->length_known;
    w->body_left = rq->length;
    w->body_ended = rq->length_known && rq->length == 0;
    w->body_cut = false;
    w->body_ready = JK_SPAN_NONE;
    if (rq->length_known && rq->length > 0)
        body_packet(w, &w->body_ready);
}

bool jkb_wire_body_read(jkb_wire *w, jk_span *bytes)
{
    if (w->body_ready.len > 0) {
        *bytes = w->body_ready;
        w->body_ready = JK_SPAN_NONE;
        return true;
    }
    if (w->body_ended || w->broken)
        return false;
    jk_out out = begin(w);
    jk_out_u8(&out, JK_AJP_GET_BODY_CHUNK);
    jk_out_u16(&out, (unsigned)(w->packet - JK_FRAME_BODY_HEAD));
    finish(w, &out);
    return body_packet(w, bytes);
}

/* --- writing --- */

bool jkb_wire_head(jkb_wire *w, unsigned status, const jkb_field *fields, size_t n)
{
    jk_out out = begin(w);
    char reason[12];

    snprintf(reason, sizeof reason, "%u", status);
    jk_out_u8(&out, JK_AJP_SEND_HEADERS);
    jk_out_u16(&out, status);
    jk_out_string(&out, jk_span_of(reason)); /* Tomcat's words for a status: the number again */
    jk_out_u16(&out, (unsigned)n);
    for (size_t i = 0; i < n; i++) {
        uint16_t code = jk_codes_response_header(fields[i].name).code;
        if (code)
            jk_out_u16(&out, code);
        else
            jk_out_string(&out, fields[i].name);
        jk_out_string(&out, fields[i].value);
    }
    w->mute |= status == 204 || status == 304;
    return finish(w, &out);
}

static void chunk(jkb_wire *w, jk_span bytes)
{
    jk_out out = begin(w);

    jk_out_u8(&out, JK_AJP_SEND_BODY_CHUNK);
    jk_out_u16(&out, (unsigned)bytes.len);
    jk_out_bytes(&out, bytes);
    jk_out_u8(&out, 0);
    finish(w, &out);
}

void jkb_wire_body(jkb_wire *w, jk_span bytes)
{
    while (!w->mute && !w->broken && bytes.len > 0) {
        size_t n = bytes.len < w->packet - CHUNK_OVERHEAD ? bytes.len : w->packet - CHUNK_OVERHEAD;
        chunk(w, (jk_span){ bytes.p, n });
        bytes = (jk_span){ bytes.p + n, bytes.len - n };
    }
}

void jkb_wire_flush(jkb_wire *w)
{
    chunk(w, JK_SPAN_NONE);
    write_out(w);
}

void jkb_wire_end(jkb_wire *w, bool reuse)
{
    jk_out out = begin(w);

    jk_out_u8(&out, JK_AJP_END_RESPONSE);
    jk_out_u8(&out, reuse);
    finish(w, &out);
    write_out(w);
    w->mute = false;
}

void jkb_wire_pong(jkb_wire *w)
{
    jk_out out = begin(w);

    jk_out_u8(&out, JK_AJP_CPONG);
    finish(w, &out);
    write_out(w);
}

bool jkb_wire_sleep(jkb_wire *w, int ms)
{
    struct pollfd p[2] = { { w->stop_fd, POLLIN, 0 }, { w->fd, POLLRDHUP, 0 } };

    write_out(w);
    if (!w->broken && poll(p, 2, ms) != 0)
        w->broken = true;
    return !w->broken;
}
