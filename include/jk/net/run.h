/* include/jk/net/run.h - one request on its way, resumable at every step: all its state lies in struct jk_run.
 *
 *   crank:  ENCODE -> FIRST_BODY -> WRITE -> READ <-> BODY -> WRITE .. -> END
 *
 * While a body packet waits for its client the container may speak, or leave: BODY goes to READ for what is there, and back.
 *
 * A step returns JK_OK, an outcome, or JK_AGAIN with run->wait saying for what. The blocking driver (jk_run_wait) waits in place and
 * steps again; a parked driver gives its thread back instead. Both share every line. Nothing that is needed after a
 * JK_AGAIN stands on a stack. One thread at a time works on a run. */
#ifndef JK_NET_RUN_H
#define JK_NET_RUN_H

#include "jk/ajp/exchange.h"
#include "jk/ajp/frame.h"
#include "jk/base/log.h"
#include "jk/net/pool.h"
#include "jk/net/scatter.h"

typedef enum jk_wait_kind {
    JK_WAIT_NOTHING,
    JK_WAIT_BACKEND_READ,
    JK_WAIT_BACKEND_WRITE, /* a connect in progress, or a full socket */
    JK_WAIT_CLIENT_READ,
    JK_WAIT_CLIENT_WRITE,
    JK_WAIT_SLOT,          /* the pool is full */
    JK_WAIT_TIMER          /* retry_interval: a run never sleeps */
} jk_wait_kind;

typedef struct jk_wait {
    jk_wait_kind what;
    int fd;           /* of the backend; -1: none. For CLIENT_READ: it may speak meanwhile, be it only to end the connection */
    apr_time_t until; /* when waiting is over at the latest; 0: no limit */
    bool tried;       /* it was waited for in place already, as long as the run's patience lasts */
} jk_wait;

/* The request's body. read: up to `room` bytes; JK_OK with *got >= 1, or *ended; JK_AGAIN; JK_E_CLIENT_READ. After *ended it
 * is not called again. */
typedef struct jk_source {
    jk_rc (*read)(void *ctx, uint8_t *p, size_t room, size_t *got, bool *ended);
    void *ctx;
} jk_source;

/* The response. The sink lends the memory that replies are read into and gets body bytes back as ranges of it, so that they
 * need no copy; a range stays the sink's until it is done with it. Each may answer JK_AGAIN (call again, nothing was taken)
 * or JK_E_CLIENT_WRITE. */
typedef struct jk_sink_ops {
    /* One or two pieces of memory to read into; *n says how many. They are filled in any order: body bytes that belong together come to lie
     * side by side where that can be known before (net/scatter), so the ranges given back need not rise. */
    jk_rc (*lend)(void *ctx, struct iovec piece[2], int *n);
    /* The first bytes of all are read where they cannot stay, so that a request that waits for them holds no memory for them: copies them
     * into such memory, and says where; NULL: there is none left. May be missing: then lend() is asked for them, too. */
    const uint8_t *(*keep)(void *ctx, const uint8_t *p, size_t n);
    /* The status and the headers: the first thing, once, or once more after forget(). */
    jk_rc (*head)(void *ctx, jk_reply *head);
    jk_rc (*body)(void *ctx, jk_span bytes);
    /* Everything gathered goes on; `flush`: as far as the client. Called with nothing gathered before somebody waits without a thread:
     * JK_AGAIN while the client is behind. */
    jk_rc (*pass)(void *ctx, bool flush);
    /* Does it hold bytes that were not passed on? */
    bool (*holds)(void *ctx);
    /* Takes back the head, and what came behind it, as if there had been none: another may come. False: something was passed on, and
     * nothing is taken back. */
    bool (*forget)(void *ctx);
} jk_sink_ops;

typedef struct jk_sink {
    const jk_sink_ops *ops;
    void *ctx;
} jk_sink;

typedef enum jk_stage { JK_STAGE_ENCODE, JK_STAGE_FIRST_BODY, JK_STAGE_WRITE, JK_STAGE_READ, JK_STAGE_BODY, JK_STAGE_END } jk_stage;

/* Where the time of a request goes. At each moment it is in one of them, so that their sum is the whole; further attempts add to them. */
typedef enum jk_leg {
    JK_LEG_QUEUE,   /* a connection is waited for, or the time before another attempt */
    JK_LEG_CONNECT, /* one is made */
    JK_LEG_PING,    /* a CPong is waited for */
    JK_LEG_SEND,    /* the request and its body go out; the client's bytes may be waited for */
    JK_LEG_FIRST,   /* the answer's head is waited for */
    JK_LEG_BODY,    /* and now its end */
    JK_LEGS
} jk_leg;

typedef struct jk_run jk_run;
struct jk_run {
    /* Given by the driver; unchanged by all below. */
    apr_pool_t *pool; /* r->pool */
    jk_request *rq;
    jk_source *source;
    jk_sink *sink;
    const jk_log *log;
    const struct jk_wish *wish; /* what a balancer must know of the request (worker/worker); NULL: nothing is wished */
    bool no_reuse;  /* DisableReuse: the connection is closed after the answer */
    bool timed;     /* somebody asks where the time went: else SEND and FIRST are told apart only where there is a body */
    bool may_block; /* steps may wait in place for the backend's bytes */
    int patience;   /* ms that they may do so where may_block does not hold; 0: not at all */
    /* Given by the worker. */
    const char *worker; /* for log lines */
    size_t max_packet;  /* bytes */
    int reply_timeout;  /* ms of silence; 0: socket_timeout alone */
    int socket_timeout; /* s; 0: none */
    const int32_t *fail_on; /* fail_on_status: statuses, negative ones are soft; the first that fits counts */
    int nfail_on;
    size_t first_most;  /* bytes of the first body packet, so that every member of a balancer could take it; 0: max_packet decides */
    void (*on_head)(jk_run *run, jk_reply head); /* sees each answer's headers before the sink; NULL: nobody does */
    const char *cookie; /* a Set-Cookie of the balancer's, behind the backend's headers; NULL: none */

    jk_wait wait;
    jk_stage stage;
    jk_conn *conn;
    jk_exchange x;

    /* To be written: out[out_sent .. out_len). The first forward_len bytes are the FORWARD_REQUEST, kept for another attempt with the
     * first body packet behind it. */
    uint8_t *out;
    size_t out_cap, out_len, out_sent, forward_len;
    size_t first_len;               /* bytes of the first body packet, once it was read */
    size_t packet_room, packet_got; /* the body packet that is being filled */
    bool first_body_read, encoded;
    bool hears; /* that packet is due, its bytes are slow to come, and the container says something meanwhile */

    apr_time_t silent_since; /* the backend took or sent nothing since; 0: it is not waited for */

    /* Read and not yet parsed, in the order of the wire: in[at .. nin). */
    jk_span in[JK_SCATTER_MOST];
    int at, nin;
    size_t chunk_left, chunk_skip; /* of the SEND_BODY_CHUNK at hand: bytes of body still to come, and what stands behind them */
    size_t chunk_len, chunk_tail;  /* the same of the whole packet */
    uint8_t chunk_head[JK_FRAME_HEAD + JK_REPLY_CHUNK_HEAD]; /* and its first bytes */
    uint8_t *msg;                  /* a message that does not lie in one piece */
    size_t msg_len, msg_cap;
    jk_reply pending; /* a message whose act the sink answered with JK_AGAIN */
    jk_act act;
    bool act_pending;
    bool withheld;    /* the answer's status is one of fail_on: nothing of it is passed on */
    bool soft;        /* and that row is a soft one */
    size_t dropped;   /* body bytes of it */
    uint8_t odd[8]; /* the first bytes of what was no AJP13 packet, or the head of a body chunk that was none */
    size_t odd_len;

    /* What happened, for the log and the books. */
    unsigned status;          /* of the backend's SEND_HEADERS; 0: none yet */
    uint64_t written, read;   /* bytes to and from the backend, all attempts */
    uint64_t body_passed;     /* body bytes given to the sink */
    apr_time_t begun;
    jk_leg leg;                  /* that it is on, */
    apr_time_t since;            /* since then */
    apr_time_t spent[JK_LEGS];   /* us, until then */
    apr_time_t first;            /* us from the request's last byte to the head of the attempt's answer; where `status` is not 0 */
    int err; /* errno of the last failure; 0: an end of file */
    bool finished;
    void (*on_finish)(jk_run *run, jk_rc outcome); /* set by the worker; called once */

    struct jk_visit *up;  /* worker/backend's own, between two of its steps (worker/visit). The driver may give it, cleared */
    struct jk_tour *tour; /* worker/lb's own */
    const void *driven;   /* the worker that the driver drives */
};

/* Before the first attempt: everything but what the driver gives is cleared. */
void jk_run_init(jk_run *run);

/* Encodes the request. JK_OK or JK_E_SPACE; nothing was sent. Once per worker: later attempts send the same bytes. A first body packet that
 * was read is kept. */
jk_rc jk_run_encode(jk_run *run);

/* The next attempt goes to another worker, which is told of the request in other words (secret, route, packet size): encode anew. */
void jk_run_elsewhere(jk_run *run);

/* A new attempt over run->conn. */
void jk_run_attempt(jk_run *run);

/* Reads the first body packet, where one must follow the request: before anything is written, so that a client that fails here leaves no
 * trace at the backend. JK_OK, JK_AGAIN, JK_E_CLIENT_READ or JK_E_MEMORY. The crank does it where it was not called. */
jk_rc jk_run_prepare(jk_run *run);

/* Turns the crank until the answer is whole (JK_OK), something failed, or JK_AGAIN. JK_E_STATUS: an answer that fail_on_status names. */
jk_rc jk_run_crank(jk_run *run);

/* After a failure: whatever the container said is taken back, where nothing of it was passed on. What the exchange's progress says then is
 * how far the request had come before its answer. */
void jk_run_forget(jk_run *run);

/* Is there something that was read and not parsed? It lies in memory that the sink lent, or kept it in. */
bool jk_run_has_input(const jk_run *run);

/* May the connection carry another request? */
bool jk_run_reusable(const jk_run *run);

/* Blocks until what run->wait names has come or its time is over. Not for CLIENT_READ and CLIENT_WRITE, which a blocking sink
 * and source never answer. */
void jk_run_wait(jk_run *run);

/* Waits in place as long as run->patience allows. True: step again. False: it takes longer; somebody else has to wait. */
bool jk_run_wait_a_little(jk_run *run);

/* A leg ends at `now`, and another begins. The clock may have been put back meanwhile: then it took no time. */
static inline void jk_run_enter_at(jk_run *run, jk_leg leg, apr_time_t now)
{
    if (now > run->since)
        run->spent[run->leg] += now - run->since;
    run->since = now;
    run->leg = leg;
}

static inline void jk_run_enter(jk_run *run, jk_leg leg)
{
    jk_run_enter_at(run, leg, apr_time_now());
}

/* Is the wait's time over? */
bool jk_run_late(const jk_run *run, apr_time_t now);

/* The end, whoever calls first: books it and gives up what the run still holds. Idempotent. */
void jk_run_finish(jk_run *run, jk_rc outcome);

#endif
