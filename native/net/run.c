/* native/net/run.c - moves the bytes of one exchange: packets out, gulps in. It decides nothing about retries or workers
 * (worker/backend) and knows neither httpd nor buckets: memory is lent by the sink. */
#include "jk/net/run.h"

#include "jk/ajp/codes.h"

#include <errno.h>

#define CHUNK_HEAD (JK_FRAME_HEAD + JK_REPLY_CHUNK_HEAD)
#define MIN(a, b) ((a) < (b) ? (a) : (b))

void jk_run_init(jk_run *run)
{
    run->begun = run->since = apr_time_now();
}

/* How many body bytes follow the request unasked. */
static size_t first_size(const jk_run *run)
{
    size_t most = run->max_packet - JK_FRAME_BODY_HEAD;

    if (run->rq->body != JK_BODY_LENGTH)
        return 0;
    if (run->first_most && run->first_most < most)
        most = run->first_most;
    return (size_t)MIN((uint64_t)most, run->rq->content_length);
}

jk_rc jk_run_encode(jk_run *run)
{
    size_t most = MIN(jk_forward_bound(run->rq), run->max_packet), first = first_size(run);
    const uint8_t *kept = run->first_body_read ? run->out + run->forward_len : NULL;

    if (run->encoded)
        return JK_OK;
    run->out_cap = most + (first ? JK_FRAME_BODY_HEAD + first : 0);
    run->out = apr_palloc(run->pool, run->out_cap);
    if (run->out == NULL)
        return JK_E_MEMORY;
    jk_rc rc = jk_forward_encode(run->rq, run->out, most, &run->forward_len);
    if (rc == JK_OK && kept)
        memcpy(run->out + run->forward_len, kept, JK_FRAME_BODY_HEAD + run->first_len);
    run->encoded = rc == JK_OK;
    return rc;
}

void jk_run_elsewhere(jk_run *run)
{
    run->encoded = false;
}

void jk_run_attempt(jk_run *run)
{
    jk_exchange_start(&run->x, run->rq->body, run->rq->content_length, run->max_packet);
    run->stage = JK_STAGE_FIRST_BODY;
    run->out_sent = 0;
    run->at = run->nin = 0;
    run->chunk_left = run->chunk_skip = run->msg_len = 0;
    run->chunk_len = 0;
    run->act_pending = run->withheld = run->hears = false;
    run->dropped = 0;
    run->err = 0;
    run->odd_len = 0;
    run->status = 0;
    run->silent_since = 0;
}

static jk_rc wait_for(jk_run *run, jk_wait_kind what, apr_time_t until)
{
    run->wait = (jk_wait){ what, run->conn ? run->conn->fd : -1, until, false };
    return JK_AGAIN;
}

/* How long the backend may be silent, in ms; 0: for ever. Where reply_timeout is set it alone holds between packets: a container may
 * think for longer than a socket may stall inside of one. */
static int silence_allowed(const jk_run *run)
{
    int by_socket = run->socket_timeout * 1000;
    bool inside = run->msg_len > 0 || run->chunk_left > 0;

    return run->reply_timeout <= 0 || (inside && by_socket > 0) ? by_socket : run->reply_timeout;
}

/* The backend neither takes nor sends anything, `waited` ms of it in place. Silence that lasts over several waits is one. */
static jk_rc silent(jk_run *run, jk_wait_kind what, int allowed, int waited)
{
    apr_time_t now = apr_time_now(), until;

    if (run->silent_since == 0)
        run->silent_since = now - (apr_time_t)waited * 1000;
    until = allowed > 0 ? run->silent_since + (apr_time_t)allowed * 1000 : 0;
    if (until != 0 && now >= until) {
        run->err = ETIMEDOUT;
        return what == JK_WAIT_BACKEND_WRITE ? JK_E_SEND : run->reply_timeout > 0 && allowed == run->reply_timeout ? JK_E_TIMEOUT : JK_E_RECV;
    }
    wait_for(run, what, until);
    run->wait.tried = waited > 0;
    return JK_AGAIN;
}

/* ---- the request's body ---- */

/* Fills the packet whose bytes begin at out[at + head]; JK_OK: it has packet_room bytes, or the source ended. */
static jk_rc fill_packet(jk_run *run, size_t at, bool *ended)
{
    uint8_t *p = run->out + at + JK_FRAME_BODY_HEAD;

    *ended = false;
    while (run->packet_got < run->packet_room && !*ended) {
        size_t got = 0;
        jk_rc rc = run->source->read(run->source->ctx, p + run->packet_got, run->packet_room - run->packet_got, &got, ended);
        if (rc == JK_AGAIN)
            return wait_for(run, JK_WAIT_CLIENT_READ, 0);
        if (rc != JK_OK)
            return rc;
        run->packet_got += got;
    }
    return JK_OK;
}

static jk_rc first_body(jk_run *run)
{
    size_t first = run->first_body_read ? run->first_len : first_size(run);
    bool ended;

    if (first > 0 && !run->first_body_read) {
        run->packet_room = first;
        jk_rc rc = fill_packet(run, run->forward_len, &ended);
        run->wait.fd = -1; /* nothing was written yet: nobody has anything to say */
        if (rc != JK_OK)
            return rc;
        if (run->packet_got < first) /* shorter than its Content-Length said */
            return JK_E_CLIENT_READ;
        jk_frame_begin_body(run->out + run->forward_len, first);
        run->first_body_read = true;
        run->first_len = first;
    }
    if (first > 0)
        jk_exchange_body(&run->x, first, false);
    run->out_len = run->forward_len + (first > 0 ? JK_FRAME_BODY_HEAD + first : 0);
    run->out_sent = 0;
    run->stage = JK_STAGE_WRITE;
    return JK_OK;
}

/* The answer to a GET_BODY_CHUNK is built at the beginning of `out`: the request itself is not needed any more, since a
 * body that was consumed cannot be sent again. */
static jk_rc begin_body(jk_run *run)
{
    size_t room = jk_exchange_wanted(&run->x, run->pending.wanted);

    if (run->out_cap < room + JK_FRAME_BODY_HEAD) {
        run->out_cap = run->max_packet;
        run->out = apr_palloc(run->pool, run->out_cap);
        if (run->out == NULL)
            return JK_E_MEMORY;
    }
    jk_exchange_answered_body(&run->x);
    run->packet_room = room;
    run->packet_got = 0;
    run->stage = JK_STAGE_BODY;
    if (run->leg == JK_LEG_FIRST)
        jk_run_enter(run, JK_LEG_SEND);
    return JK_OK;
}

/* Where a thread waits for the client in place the source does it, and nobody listens meanwhile. */
static jk_rc hear(jk_run *run)
{
    if (run->act_pending) /* it asked a second time, before the first answer */
        run->wait.fd = -1;
    if (run->wait.fd < 0 || !jk_sock_wait(run->wait.fd, false, 0))
        return JK_AGAIN;
    run->hears = true;
    run->stage = JK_STAGE_READ;
    return JK_OK;
}

static jk_rc heard(jk_run *run)
{
    run->hears = false;
    run->stage = JK_STAGE_BODY;
    return JK_OK;
}

static jk_rc more_body(jk_run *run)
{
    bool ended = false;
    jk_rc rc = fill_packet(run, 0, &ended);

    if (rc == JK_AGAIN)
        return hear(run);
    if (rc == JK_E_CLIENT_READ) {
        /* The container waits: the empty packet lets it go on (CVE-2008-5519), and the connection ends with this. */
        jk_frame_begin_body(run->out, 0);
        (void)!send(run->conn->fd, run->out, JK_FRAME_HEAD, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (rc != JK_OK)
        return rc;
    if (ended && run->rq->body == JK_BODY_LENGTH && run->packet_got < run->packet_room)
        return JK_E_CLIENT_READ;
    jk_exchange_body(&run->x, run->packet_got, ended);
    size_t head = jk_frame_begin_body(run->out, run->packet_got);
    run->out_len = head + run->packet_got;
    run->out_sent = 0;
    run->stage = JK_STAGE_WRITE;
    return JK_OK;
}

/* ---- writing ---- */

static jk_rc write_out(jk_run *run)
{
    while (run->out_sent < run->out_len) {
        int flags = MSG_NOSIGNAL | (run->may_block ? 0 : MSG_DONTWAIT);
        ssize_t n = send(run->conn->fd, run->out + run->out_sent, run->out_len - run->out_sent, flags);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !run->may_block)
            return silent(run, JK_WAIT_BACKEND_WRITE, run->socket_timeout * 1000, 0);
        if (n < 0) {
            run->err = errno == EAGAIN ? ETIMEDOUT : errno;
            return JK_E_SEND;
        }
        jk_exchange_sent(&run->x);
        run->out_sent += (size_t)n;
        run->written += (uint64_t)n;
        run->silent_since = 0;
    }
    run->stage = JK_STAGE_READ;
    if (run->leg == JK_LEG_SEND && (run->timed || run->rq->body != JK_BODY_NONE))
        jk_run_enter(run, JK_LEG_FIRST);
    return JK_OK;
}

/* ---- reading ---- */

static ssize_t receive(jk_run *run, struct iovec *piece, int n, int flags)
{
    struct msghdr m = { .msg_iov = piece, .msg_iovlen = (size_t)n };
    ssize_t got;

    do
        got = n == 1 ? recv(run->conn->fd, piece[0].iov_base, piece[0].iov_len, flags) : recvmsg(run->conn->fd, &m, flags);
    while (got < 0 && errno == EINTR);
    return got;
}

#define BY_POLL 1 /* ms: a receive timeout is rounded to the system's ticks, which are several of these */

/* How long the next receive may wait in place: in ms, 0 for ever, -1 not at all. */
static int may_wait(const jk_run *run)
{
    int allowed = silence_allowed(run);

    if (run->hears)
        return -1;
    if (run->may_block || (allowed > 0 && allowed < run->patience))
        return allowed;
    return run->patience > BY_POLL ? run->patience : -1;
}

/* What is gathered is passed on before anybody waits; and where the thread is given back, the client has to have it too. */
static jk_rc nothing_came(jk_run *run, bool holds, int waited)
{
    jk_rc rc = JK_OK;

    if (holds || !run->may_block)
        rc = run->sink->ops->pass(run->sink->ctx, false);
    if (rc != JK_OK)
        return rc == JK_AGAIN ? wait_for(run, JK_WAIT_CLIENT_WRITE, 0) : rc;
    if (holds)
        return JK_OK;
    if (run->hears)
        return heard(run);
    return silent(run, JK_WAIT_BACKEND_READ, silence_allowed(run), waited);
}

#define WORTH_A_GUESS 2048 /* bytes of a chunk */
#define TAIL_MOST 8        /* bytes behind it in its packet: containers write one */

/* The chunks to come are like the last one. Where that is no help *piece stays as it was lent. */
static int lay(const jk_run *run, int n, struct iovec **piece, struct iovec laid[JK_SCATTER_MOST])
{
    jk_guess guess = { run->chunk_left, run->chunk_skip + CHUNK_HEAD - MIN(run->msg_len, CHUNK_HEAD), run->chunk_len, run->chunk_tail + CHUNK_HEAD };

    if (run->chunk_len < WORTH_A_GUESS || run->chunk_tail > TAIL_MOST)
        return n;
    n = jk_scatter_lay(&guess, *piece, n, laid);
    *piece = laid;
    return n;
}

/* What came, in the order of the wire. */
static void take_pieces(jk_run *run, const struct iovec *piece, size_t got)
{
    run->at = run->nin = 0;
    for (; got > 0; piece++) {
        size_t n = MIN(got, piece->iov_len);
        run->in[run->nin++] = (jk_span){ piece->iov_base, n };
        got -= n;
    }
}

#define FIRST_GULP 7168 /* bytes: most answers */

/* Where the next bytes go: into the sink's memory, but for the first of all, which it is not asked to lend any for until they are there. */
static jk_rc lend(jk_run *run, struct iovec lent[2], struct iovec laid[JK_SCATTER_MOST], struct iovec **piece, int *n)
{
    jk_rc rc = run->sink->ops->lend(run->sink->ctx, lent, n);

    *piece = lent;
    if (rc != JK_OK)
        return rc == JK_AGAIN ? wait_for(run, JK_WAIT_CLIENT_WRITE, 0) : rc;
    *n = lay(run, *n, piece, laid);
    return JK_OK;
}

static jk_rc gulp(jk_run *run)
{
    uint8_t here[FIRST_GULP];
    struct iovec lent[2] = { { here, sizeof here } }, laid[JK_SCATTER_MOST], *piece = lent;
    const jk_sink_ops *ops = run->sink->ops;
    bool first = run->read == 0 && ops->keep, holds = ops->holds(run->sink->ctx);
    int n = 1;
    jk_rc rc = first ? JK_OK : lend(run, lent, laid, &piece, &n);

    if (rc != JK_OK)
        return rc;
    int ms = holds ? -1 : may_wait(run);
    if (ms >= 0)
        jk_conn_receive_within(run->conn, ms);
    ssize_t got = receive(run, piece, n, ms >= 0 ? 0 : MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return nothing_came(run, holds, ms > 0 ? ms : 0);
    if (got <= 0) {
        run->err = got < 0 ? errno : 0;
        return JK_E_RECV;
    }
    run->read += (uint64_t)got;
    run->silent_since = 0;
    if (first && (piece->iov_base = (uint8_t *)ops->keep(run->sink->ctx, here, (size_t)got)) == NULL)
        return JK_E_MEMORY;
    take_pieces(run, piece, (size_t)got);
    return JK_OK;
}

static void drop(jk_span *s, size_t n)
{
    s->p += n;
    s->len -= n;
}

static jk_rc broken(jk_run *run, jk_rc rc)
{
    jk_exchange_break(&run->x);
    return rc;
}

static jk_rc bad_frame(jk_run *run, jk_span head)
{
    run->odd_len = MIN(head.len, sizeof run->odd);
    memcpy(run->odd, head.p, run->odd_len);
    return broken(run, JK_E_FRAME);
}

/* ---- an answer that counts as a failure ---- */

#define WITHHELD_MOST (64 * 1024) /* bytes of it that are read for the sake of keeping the connection */

static bool fails(const jk_run *run, unsigned status, bool *soft)
{
    for (int i = 0; i < run->nfail_on; i++) {
        *soft = run->fail_on[i] < 0;
        if ((unsigned)(*soft ? -run->fail_on[i] : run->fail_on[i]) == status)
            return true;
    }
    return false;
}

/* Once per attempt, however often the head is passed on. */
static void came(jk_run *run)
{
    apr_time_t now = apr_time_now();

    run->first = now - run->since;
    jk_run_enter_at(run, JK_LEG_BODY, now);
}

static jk_rc pass_head(jk_run *run)
{
    if (run->leg != JK_LEG_BODY)
        came(run);
    run->status = run->pending.status;
    if (run->nfail_on && fails(run, run->status, &run->soft)) {
        run->withheld = true;
        jk_exchange_withhold(&run->x);
        return JK_OK;
    }
    if (run->on_head)
        run->on_head(run, run->pending);
    return run->sink->ops->head(run->sink->ctx, &run->pending);
}

static jk_rc withhold(jk_run *run, size_t n)
{
    run->dropped += n;
    return run->dropped > WITHHELD_MOST ? JK_E_STATUS : JK_OK;
}

/* What the table of the exchange says is done; JK_AGAIN leaves everything as it was, so that it is done again. */
static jk_rc perform(jk_run *run)
{
    const jk_sink_ops *ops = run->sink->ops;
    void *ctx = run->sink->ctx;
    jk_rc rc = JK_OK;

    switch (run->act) {
    case JK_ACT_IGNORE:
    case JK_ACT_PASS_BODY: /* the bytes follow, by way of chunk_left */
        break;
    case JK_ACT_PASS_HEAD:
        rc = pass_head(run);
        break;
    case JK_ACT_FLUSH:
        rc = run->withheld ? JK_OK : ops->pass(ctx, true);
        break;
    case JK_ACT_SEND_BODY:
        if (run->hears)
            return heard(run); /* stays pending */
        rc = run->withheld ? JK_E_STATUS : begin_body(run); /* the body is kept for another attempt */
        break;
    case JK_ACT_FINISH:
        run->stage = JK_STAGE_END;
        break;
    case JK_ACT_FAIL_FRAME:
        return JK_E_FRAME;
    case JK_ACT_FAIL_PAYLOAD:
        return JK_E_PAYLOAD;
    }
    if (rc == JK_AGAIN)
        return wait_for(run, JK_WAIT_CLIENT_WRITE, 0);
    run->act_pending = false;
    return rc;
}

static jk_rc message(jk_run *run, jk_span payload)
{
    jk_rc rc = jk_reply_parse(payload, &run->pending);

    if (rc != JK_OK)
        return broken(run, rc);
    run->act = jk_exchange_event(&run->x, jk_exchange_event_of(&run->pending));
    run->act_pending = true;
    return perform(run);
}

/* A body chunk begins: its bytes are passed on as they come. */
static jk_rc chunk(jk_run *run, const uint8_t *head, size_t payload_len)
{
    size_t len = 0;
    jk_rc rc = jk_reply_chunk(head, payload_len, &len);

    if (rc != JK_OK) {
        run->odd_len = JK_REPLY_CHUNK_HEAD;
        memcpy(run->odd, head, JK_REPLY_CHUNK_HEAD);
        return broken(run, rc);
    }
    run->chunk_left = len;
    run->chunk_skip = payload_len - JK_REPLY_CHUNK_HEAD - len;
    run->chunk_len = len;
    run->chunk_tail = run->chunk_skip;
    memcpy(run->chunk_head, head - JK_FRAME_HEAD, sizeof run->chunk_head);
    run->act = jk_exchange_event(&run->x, len ? JK_EVENT_CHUNK : JK_EVENT_FLUSH);
    run->act_pending = true;
    return perform(run);
}

/* What stands behind a chunk's bytes in its packet: containers write one NUL. */
static void skip(jk_run *run, jk_span *in)
{
    size_t n = MIN(run->chunk_skip, in->len);

    run->chunk_skip -= n;
    drop(in, n);
}

/* Between two chunks: the end of the one, and the same head once more. */
static bool is_gap(const jk_run *run, jk_span gap)
{
    return gap.len == run->chunk_tail + CHUNK_HEAD && memcmp(gap.p + run->chunk_tail, run->chunk_head, CHUNK_HEAD) == 0;
}

/* Where the guess came true the chunks behind this one lie side by side with it: they are taken for a part of it. What their heads say
 * was checked when the first one came. */
static jk_span *join(jk_run *run, jk_span *in)
{
    const jk_span *end = run->in + run->nin;

    while (in->len == run->chunk_left && end - in > 2 && is_gap(run, in[1]) && in[2].p == in->p + in->len) {
        in[2] = (jk_span){ in->p, in->len + in[2].len };
        in += 2;
        run->at += 2;
        run->chunk_left += run->chunk_len;
    }
    return in;
}

static jk_rc pass_chunk(jk_run *run, jk_span *in)
{
    in = join(run, in);
    size_t n = MIN(run->chunk_left, in->len);
    jk_rc rc = run->withheld ? withhold(run, n) : run->sink->ops->body(run->sink->ctx, (jk_span){ in->p, n });

    if (rc != JK_OK)
        return rc == JK_AGAIN ? wait_for(run, JK_WAIT_CLIENT_WRITE, 0) : rc;
    run->chunk_left -= n;
    run->body_passed += run->withheld ? 0 : n;
    drop(in, n);
    return JK_OK;
}

/* How many bytes of the message in `have` must be known before the next step; what is known decides how it goes on. */
static jk_rc needed(const jk_run *run, jk_span have, size_t *need)
{
    size_t len = 0;
    jk_rc rc = jk_frame_head(have, run->max_packet, &len);

    *need = JK_FRAME_HEAD + 1;
    if (rc == JK_E_FRAME || have.len <= JK_FRAME_HEAD)
        return rc == JK_E_FRAME ? rc : JK_OK;
    *need = JK_FRAME_HEAD + len;
    if (have.p[JK_FRAME_HEAD] == JK_AJP_SEND_BODY_CHUNK && len > JK_REPLY_CHUNK_HEAD)
        *need = JK_FRAME_HEAD + JK_REPLY_CHUNK_HEAD;
    return JK_OK;
}

/* `whole` holds a message, or the head of a body chunk. */
static jk_rc take(jk_run *run, jk_span whole)
{
    size_t len = (size_t)whole.p[2] << 8 | whole.p[3];

    if (whole.p[JK_FRAME_HEAD] == JK_AJP_SEND_BODY_CHUNK && len >= JK_REPLY_CHUNK_HEAD)
        return chunk(run, whole.p + JK_FRAME_HEAD, len);
    return message(run, (jk_span){ whole.p + JK_FRAME_HEAD, len });
}

static jk_rc keep_part(jk_run *run, jk_span *in, size_t need)
{
    size_t n = MIN(need - run->msg_len, in->len);

    if (run->msg_cap < need) {
        size_t cap = need <= 64 ? 64 : run->max_packet + JK_FRAME_HEAD;
        uint8_t *bigger = apr_palloc(run->pool, cap);
        if (bigger == NULL)
            return JK_E_MEMORY;
        if (run->msg_len)
            memcpy(bigger, run->msg, run->msg_len);
        run->msg = bigger;
        run->msg_cap = cap;
    }
    memcpy(run->msg + run->msg_len, in->p, n);
    run->msg_len += n;
    drop(in, n);
    return JK_OK;
}

/* A message that lies in one piece is parsed where it lies; one that does not is put together in `msg` first. */
static jk_rc next_message(jk_run *run, jk_span *in)
{
    jk_span have;
    size_t need = 0;
    jk_rc rc;

    skip(run, in);
    for (;;) {
        have = run->msg_len ? (jk_span){ run->msg, run->msg_len } : *in;
        if (needed(run, have, &need) != JK_OK)
            return bad_frame(run, have);
        if (have.len >= need)
            break;
        if (in->len == 0)
            return JK_OK;
        if ((rc = keep_part(run, in, need)) != JK_OK)
            return rc;
    }
    have.len = need;
    if (run->msg_len)
        run->msg_len = 0;
    else
        drop(in, need);
    return take(run, have);
}

/* Where to go on; NULL: everything is used up. */
static jk_span *next_piece(jk_run *run)
{
    while (run->at < run->nin && run->in[run->at].len == 0)
        run->at++;
    return run->at < run->nin ? &run->in[run->at] : NULL;
}

/* Everything that was read is used up, or something stops us. */
static jk_rc parse(jk_run *run)
{
    while (run->stage == JK_STAGE_READ) {
        jk_span *in = next_piece(run);
        jk_rc rc = JK_OK;
        if (run->act_pending)
            rc = perform(run);
        else if (in == NULL)
            return JK_OK;
        else if (run->chunk_left)
            rc = pass_chunk(run, in);
        else
            rc = next_message(run, in);
        if (rc != JK_OK)
            return rc;
    }
    return JK_OK;
}

static jk_rc read_in(jk_run *run)
{
    jk_rc rc = parse(run);

    if (rc != JK_OK || run->stage != JK_STAGE_READ)
        return rc;
    return gulp(run);
}

jk_rc jk_run_prepare(jk_run *run)
{
    return run->stage == JK_STAGE_FIRST_BODY ? first_body(run) : JK_OK;
}

static jk_rc turn(jk_run *run)
{
    jk_rc rc = JK_OK;

    while (rc == JK_OK) {
        switch (run->stage) {
        case JK_STAGE_ENCODE:
            return JK_E_CONF; /* jk_run_attempt() was forgotten: our own promise */
        case JK_STAGE_FIRST_BODY:
            rc = first_body(run);
            break;
        case JK_STAGE_WRITE:
            rc = write_out(run);
            break;
        case JK_STAGE_READ:
            rc = read_in(run);
            break;
        case JK_STAGE_BODY:
            rc = more_body(run);
            break;
        case JK_STAGE_END:
            return run->withheld ? JK_E_STATUS : JK_OK;
        }
    }
    return rc;
}

jk_rc jk_run_crank(jk_run *run)
{
    jk_rc rc = turn(run);

    if (run->withheld && rc != JK_OK && rc != JK_AGAIN) /* however the rest of it went */
        rc = JK_E_STATUS;
    return rc;
}

void jk_run_forget(jk_run *run)
{
    const jk_sink *sink = run->sink;

    if (run->x.progress != JK_PROGRESS_ANSWERED || !sink->ops->forget(sink->ctx))
        return;
    jk_exchange_withhold(&run->x);
    run->body_passed = 0;
}

bool jk_run_has_input(const jk_run *run)
{
    for (int i = run->at; i < run->nin; i++)
        if (run->in[i].len)
            return true;
    return false;
}

bool jk_run_reusable(const jk_run *run)
{
    if (jk_run_has_input(run) || run->msg_len || run->chunk_left) /* more than was due */
        return false;
    return !run->hears && jk_exchange_reusable(&run->x);
}

bool jk_run_late(const jk_run *run, apr_time_t now)
{
    return run->wait.until != 0 && now >= run->wait.until;
}

void jk_run_wait(jk_run *run)
{
    apr_time_t left = run->wait.until ? run->wait.until - apr_time_now() : 0;
    int ms = run->wait.until == 0 ? -1 : left <= 0 ? 0 : (int)(left / 1000) + 1;

    switch (run->wait.what) {
    case JK_WAIT_BACKEND_READ:
        jk_sock_wait(run->wait.fd, false, ms);
        break;
    case JK_WAIT_BACKEND_WRITE:
        jk_sock_wait(run->wait.fd, true, ms);
        break;
    case JK_WAIT_TIMER:
        if (left > 0)
            apr_sleep(left);
        break;
    default: /* SLOT is the worker's to wait for: it knows the pool */
        break;
    }
}

bool jk_run_wait_a_little(jk_run *run)
{
    apr_time_t left = run->wait.until ? run->wait.until - apr_time_now() : 0;
    bool longer = run->wait.until == 0 || left > (apr_time_t)run->patience * 1000;
    int ms = longer ? run->patience : left > 0 ? (int)((left + 999) / 1000) : 0;

    switch (run->wait.what) {
    case JK_WAIT_BACKEND_READ:
    case JK_WAIT_BACKEND_WRITE:
        if (run->wait.tried || (longer && ms == 0))
            return false;
        run->wait.tried = true;
        return jk_sock_wait(run->wait.fd, run->wait.what == JK_WAIT_BACKEND_WRITE, ms) || !longer;
    case JK_WAIT_TIMER:
        if (!longer && left > 0)
            apr_sleep(left);
        return !longer;
    default:
        return false;
    }
}

void jk_run_finish(jk_run *run, jk_rc outcome)
{
    if (run->finished)
        return;
    run->finished = true;
    if (run->on_finish)
        run->on_finish(run, outcome);
}
