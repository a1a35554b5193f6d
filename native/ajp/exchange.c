/* native/ajp/exchange.c - the table of an AJP13 request's states, and the bookkeeping of its body. */
#include "jk/ajp/exchange.h"

#include "jk/ajp/codes.h"
#include "jk/ajp/frame.h"

typedef struct jk_move {
    jk_phase next;
    jk_act act;
} jk_move;

#define BROKEN(why) { JK_PHASE_BROKEN, why }
#define NEVER_FRAME BROKEN(JK_ACT_FAIL_FRAME)
#define NEVER_PAYLOAD BROKEN(JK_ACT_FAIL_PAYLOAD)

static const jk_move moves[JK_PHASE_COUNT][JK_EVENT_COUNT] = {
    [JK_PHASE_WAITING] = {
        [JK_EVENT_FLUSH] = { JK_PHASE_WAITING, JK_ACT_IGNORE }, /* left over from the response before (JBoss) */
        [JK_EVENT_CHUNK] = NEVER_PAYLOAD,
        [JK_EVENT_INTERIM] = { JK_PHASE_WAITING, JK_ACT_IGNORE },
        [JK_EVENT_HEADERS] = { JK_PHASE_HEADED, JK_ACT_PASS_HEAD },
        [JK_EVENT_GET_BODY] = { JK_PHASE_WAITING, JK_ACT_SEND_BODY },
        [JK_EVENT_END_KEEP] = NEVER_FRAME,
        [JK_EVENT_END_CLOSE] = NEVER_FRAME,
        [JK_EVENT_PONG] = NEVER_PAYLOAD,
    },
    [JK_PHASE_HEADED] = {
        [JK_EVENT_FLUSH] = { JK_PHASE_HEADED, JK_ACT_FLUSH },
        [JK_EVENT_CHUNK] = { JK_PHASE_BODY, JK_ACT_PASS_BODY },
        [JK_EVENT_INTERIM] = NEVER_FRAME,
        [JK_EVENT_HEADERS] = NEVER_FRAME,
        [JK_EVENT_GET_BODY] = { JK_PHASE_HEADED, JK_ACT_SEND_BODY },
        [JK_EVENT_END_KEEP] = { JK_PHASE_ENDED, JK_ACT_FINISH },
        [JK_EVENT_END_CLOSE] = { JK_PHASE_ENDED, JK_ACT_FINISH },
        [JK_EVENT_PONG] = NEVER_PAYLOAD,
    },
    [JK_PHASE_BODY] = {
        [JK_EVENT_FLUSH] = { JK_PHASE_BODY, JK_ACT_FLUSH },
        [JK_EVENT_CHUNK] = { JK_PHASE_BODY, JK_ACT_PASS_BODY },
        [JK_EVENT_INTERIM] = NEVER_FRAME,
        [JK_EVENT_HEADERS] = NEVER_FRAME,
        [JK_EVENT_GET_BODY] = { JK_PHASE_BODY, JK_ACT_SEND_BODY },
        [JK_EVENT_END_KEEP] = { JK_PHASE_ENDED, JK_ACT_FINISH },
        [JK_EVENT_END_CLOSE] = { JK_PHASE_ENDED, JK_ACT_FINISH },
        [JK_EVENT_PONG] = NEVER_PAYLOAD,
    },
    /* After the end nothing may come before the next request; the owner has stopped reading then. */
    [JK_PHASE_ENDED] = {
        [JK_EVENT_FLUSH] = NEVER_FRAME,    [JK_EVENT_CHUNK] = NEVER_FRAME,    [JK_EVENT_INTERIM] = NEVER_FRAME,
        [JK_EVENT_HEADERS] = NEVER_FRAME,  [JK_EVENT_GET_BODY] = NEVER_FRAME, [JK_EVENT_END_KEEP] = NEVER_FRAME,
        [JK_EVENT_END_CLOSE] = NEVER_FRAME, [JK_EVENT_PONG] = NEVER_FRAME,
    },
    [JK_PHASE_BROKEN] = {
        [JK_EVENT_FLUSH] = NEVER_FRAME,    [JK_EVENT_CHUNK] = NEVER_FRAME,    [JK_EVENT_INTERIM] = NEVER_FRAME,
        [JK_EVENT_HEADERS] = NEVER_FRAME,  [JK_EVENT_GET_BODY] = NEVER_FRAME, [JK_EVENT_END_KEEP] = NEVER_FRAME,
        [JK_EVENT_END_CLOSE] = NEVER_FRAME, [JK_EVENT_PONG] = NEVER_FRAME,
    },
};

static void reach(jk_exchange *x, jk_progress progress)
{
    if (progress > x->progress)
        x->progress = progress;
}

void jk_exchange_start(jk_exchange *x, jk_body_kind body, uint64_t length, size_t max_packet)
{
    *x = (jk_exchange){ .phase = JK_PHASE_WAITING, .body = body, .max_body = max_packet - JK_FRAME_BODY_HEAD };
    x->body_left = body == JK_BODY_LENGTH ? length : 0;
    x->body_ended = body == JK_BODY_NONE;
    x->owes_body = body == JK_BODY_LENGTH;
}

size_t jk_exchange_first(const jk_exchange *x)
{
    if (x->body != JK_BODY_LENGTH)
        return 0;
    return x->body_left < x->max_body ? (size_t)x->body_left : x->max_body;
}

void jk_exchange_sent(jk_exchange *x)
{
    reach(x, JK_PROGRESS_SENT);
}

size_t jk_exchange_wanted(const jk_exchange *x, size_t asked)
{
    if (x->body_ended)
        return 0;
    /* Of a body without a known length a full packet is sent, whatever was asked for (ajp.md 6, 3). */
    if (x->body == JK_BODY_UNKNOWN || asked > x->max_body)
        asked = x->max_body;
    return x->body == JK_BODY_LENGTH && x->body_left < asked ? (size_t)x->body_left : asked;
}

void jk_exchange_body(jk_exchange *x, size_t n, bool ended)
{
    if (x->body == JK_BODY_LENGTH) {
        x->body_left -= n;
        ended |= x->body_left == 0;
    }
    x->body_ended |= ended;
    x->owes_body = false;
}

void jk_exchange_answered_body(jk_exchange *x)
{
    reach(x, JK_PROGRESS_CONSUMED);
}

jk_act jk_exchange_event(jk_exchange *x, jk_event event)
{
    jk_move move = moves[x->phase][event];

    x->phase = move.next;
    if (move.act == JK_ACT_PASS_HEAD) {
        x->before_head = x->progress;
        reach(x, JK_PROGRESS_ANSWERED);
    }
    if (move.act == JK_ACT_SEND_BODY)
        x->owes_body = true;
    if (move.act == JK_ACT_FINISH)
        x->keep = event == JK_EVENT_END_KEEP;
    return move.act;
}

void jk_exchange_withhold(jk_exchange *x)
{
    x->progress = x->before_head;
}

jk_event jk_exchange_event_of(const jk_reply *reply)
{
    switch (reply->type) {
    case JK_AJP_SEND_BODY_CHUNK:
        return reply->body.len ? JK_EVENT_CHUNK : JK_EVENT_FLUSH;
    case JK_AJP_SEND_HEADERS:
        return reply->status < 200 ? JK_EVENT_INTERIM : JK_EVENT_HEADERS;
    case JK_AJP_GET_BODY_CHUNK:
        return JK_EVENT_GET_BODY;
    case JK_AJP_END_RESPONSE:
        return reply->reuse ? JK_EVENT_END_KEEP : JK_EVENT_END_CLOSE;
    default:
        return JK_EVENT_PONG;
    }
}

void jk_exchange_break(jk_exchange *x)
{
    x->phase = JK_PHASE_BROKEN;
}

bool jk_exchange_reusable(const jk_exchange *x)
{
    return x->phase == JK_PHASE_ENDED && x->keep && !x->owes_body;
}
