/* tools/jkbackend_serve.c - what a container's connector does before and after a page: pings, the secret, refusals that
 * end the connection, and one line on stderr for whatever is no AJP13. */
#include "jkbackend_serve.h"

#include "jk/ajp/codes.h"

#include <stdio.h>
#include <stdlib.h>

static void complain(const jkb_visit *v, const char *what)
{
    fprintf(stderr, "jkbackend: connection %llu, after %llu requests: %s\n", (unsigned long long)v->connection,
            (unsigned long long)v->number, what);
}

/* Takes as long for a wrong secret as for a right one of the same length. */
static bool admitted(const char *secret, jk_span given)
{
    jk_span wanted = jk_span_of(secret);
    unsigned differs = 0;

    if (secret == NULL)
        return true;
    if (given.len != wanted.len)
        return false;
    for (size_t i = 0; i < wanted.len; i++)
        differs |= (unsigned)(wanted.p[i] ^ given.p[i]);
    return differs == 0;
}

/* Refused as Tomcat does: an answer, and END_RESPONSE that keeps nothing. */
static bool refuse(jkb_visit *v, unsigned status, const char *why)
{
    complain(v, why);
    jkb_page_plain(v, status, why);
    jkb_wire_end(v->wire, false);
    return false;
}

static bool serve_request(jkb_visit *v, jk_span payload)
{
    jk_rc rc = jkb_decode(payload, v->rq);

    if (rc == JK_E_SPACE)
        return refuse(v, 500, "too many headers");
    if (rc != JK_OK) {
        complain(v, "malformed FORWARD_REQUEST");
        return false;
    }
    v->number++;
    if (v->rq->length_broken)
        return refuse(v, 400, "bad Content-Length");
    jkb_wire_hold(v->wire);
    jkb_wire_body_begin(v->wire, v->rq);
    if (!admitted(v->server->secret, v->rq->secret))
        return refuse(v, 403, "wrong or missing secret");
    jkb_page_answer(v);
    if (v->wire->broken)
        return false;
    jkb_wire_end(v->wire, !v->wire->body_cut);
    jkb_wire_let_go(v->wire);
    return !v->wire->body_cut && !v->wire->broken;
}

static bool serve_packet(jkb_visit *v)
{
    jk_span payload;

    switch (jkb_wire_packet(v->wire, &payload)) {
    case JK_OK:
        break;
    case JK_E_FRAME:
        complain(v, "no AJP13 packet");
        return false;
    case JK_E_SPACE:
        return refuse(v, 400, "a packet larger than --packet-size");
    default: /* the connection's ordinary end */
        return false;
    }
    if (payload.len == 1 && payload.p[0] == JK_AJP_CPING) {
        jkb_wire_pong(v->wire);
        return true;
    }
    if (payload.len > 0 && payload.p[0] == JK_AJP_FORWARD_REQUEST)
        return serve_request(v, payload);
    complain(v, "neither a FORWARD_REQUEST nor a CPING");
    return false;
}

void jkb_serve(jkb_server *server, jkb_wire *wire, uint64_t serial)
{
    jkb_text text = { 0 };
    jkb_visit v = { .server = server, .wire = wire, .text = &text, .connection = serial };

    v.rq = malloc(sizeof *v.rq);
    while (v.rq && serve_packet(&v))
        ;
    free(v.rq);
    jkb_text_free(&text);
}
