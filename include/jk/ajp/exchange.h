/* include/jk/ajp/exchange.h - what may follow what on one connection, for one request: pure state, no bytes.
 *
 *   WAITING --headers--> HEADED --chunk--> BODY --+
 *      |                    |                |    +--end--> ENDED (kept or closed)
 *      +---- anything that may not come now ------+-------> BROKEN (the connection is never used again)
 *
 * The owner (net/run) tells it what was sent and what came; it says what to do next, whether the request may still be
 * repeated elsewhere and whether the connection may stay (spec: ajp.md 6-8, decisions.md "Never done twice"). */
#ifndef JK_AJP_EXCHANGE_H
#define JK_AJP_EXCHANGE_H

#include "jk/ajp/forward.h"
#include "jk/ajp/reply.h"

typedef enum jk_phase { JK_PHASE_WAITING, JK_PHASE_HEADED, JK_PHASE_BODY, JK_PHASE_ENDED, JK_PHASE_BROKEN, JK_PHASE_COUNT } jk_phase;

typedef enum jk_event {
    JK_EVENT_FLUSH,     /* SEND_BODY_CHUNK of length 0 */
    JK_EVENT_CHUNK,     /* SEND_BODY_CHUNK with bytes */
    JK_EVENT_INTERIM,   /* SEND_HEADERS with a status below 200 */
    JK_EVENT_HEADERS,   /* SEND_HEADERS, final */
    JK_EVENT_GET_BODY,  /* GET_BODY_CHUNK */
    JK_EVENT_END_KEEP,  /* END_RESPONSE, the container keeps the connection */
    JK_EVENT_END_CLOSE, /* END_RESPONSE, it does not */
    JK_EVENT_PONG,      /* CPONG, which nobody asked for during a request */
    JK_EVENT_COUNT
} jk_event;

typedef enum jk_act {
    JK_ACT_IGNORE,       /* read on */
    JK_ACT_PASS_HEAD,    /* hand the headers to the sink */
    JK_ACT_PASS_BODY,    /* hand the bytes to the sink */
    JK_ACT_FLUSH,        /* what the sink holds must reach the client now */
    JK_ACT_SEND_BODY,    /* answer with jk_exchange_wanted() bytes of the request's body */
    JK_ACT_FINISH,       /* the answer is whole */
    JK_ACT_FAIL_FRAME,   /* JK_E_FRAME: 502 */
    JK_ACT_FAIL_PAYLOAD  /* JK_E_PAYLOAD: 500 */
} jk_act;

/* How far a request has come: what balance/retry asks. Values only grow, but for a head that is withheld or forgotten. */
typedef enum jk_progress {
    JK_PROGRESS_NONE,     /* not a byte of the request left */
    JK_PROGRESS_SENT,     /* the FORWARD_REQUEST was written, or a part of it */
    JK_PROGRESS_CONSUMED, /* a GET_BODY_CHUNK was answered: the body cannot be sent again; or it must not, since it was done */
    JK_PROGRESS_ANSWERED  /* the sink was given headers, and keeps them: nothing is ever repeated */
} jk_progress;

typedef struct jk_exchange {
    jk_phase phase;
    jk_progress progress;
    jk_progress before_head; /* what progress was when the headers came */
    jk_body_kind body;
    uint64_t body_left; /* JK_BODY_LENGTH: bytes not yet sent */
    bool body_ended;    /* the client's body is at its end */
    bool owes_body;     /* the container waits for a body packet: the first one, or the answer to a GET_BODY_CHUNK */
    bool keep;          /* END_RESPONSE allowed the connection to stay */
    size_t max_body;    /* most body bytes in one packet */
} jk_exchange;

/* A new exchange; nothing was sent. max_packet in bytes. */
void jk_exchange_start(jk_exchange *x, jk_body_kind body, uint64_t length, size_t max_packet);

/* How many body bytes must follow the FORWARD_REQUEST unasked; 0: none. */
size_t jk_exchange_first(const jk_exchange *x);

/* At least a part of the FORWARD_REQUEST was written. */
void jk_exchange_sent(jk_exchange *x);

/* How many bytes answer a GET_BODY_CHUNK of `asked`; 0: the empty packet. */
size_t jk_exchange_wanted(const jk_exchange *x, size_t asked);

/* n bytes of the body were read for a packet; `ended`: the source has no more. */
void jk_exchange_body(jk_exchange *x, size_t n, bool ended);

/* A GET_BODY_CHUNK was answered, with the empty packet or a full one. */
void jk_exchange_answered_body(jk_exchange *x);

/* A message came: what to do with it. */
jk_act jk_exchange_event(jk_exchange *x, jk_event event);

/* After JK_ACT_PASS_HEAD: the headers are not passed on, or what the sink was given is taken back. The answer counts for nothing. */
void jk_exchange_withhold(jk_exchange *x);

/* The event that a parsed message is. */
jk_event jk_exchange_event_of(const jk_reply *reply);

/* The connection or the framing failed. */
void jk_exchange_break(jk_exchange *x);

/* May the connection carry another request? Only after an END_RESPONSE that said so, and when no body bytes are owed. */
bool jk_exchange_reusable(const jk_exchange *x);

#endif
