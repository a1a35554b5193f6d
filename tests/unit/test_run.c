/* tests/unit/test_run.c - a run over a socketpair: source, sink and backend answer JK_AGAIN at every step, and the bytes do not
 * change; the same run blocking gives the same. */
#include <check.h>

#include "jk/ajp/codes.h"
#include "jk/net/run.h"

#include <apr_general.h>
#include <stdlib.h>
#include <unistd.h>

/* What the container says: a question for more of the body, headers, two chunks with a flush between, the end. */
static const uint8_t whole_reply[] = {
    'A', 'B', 0, 3, 6, 0x1F, 0xFA,
    'A', 'B', 0, 18, 4, 0, 200, 0, 2, 'O', 'K', 0, 0, 1, 0xA0, 0x06, 0, 3, '/', 'x', 'y', 0,
    'A', 'B', 0, 9, 3, 0, 5, 'h', 'e', 'l', 'l', 'o', 0,
    'A', 'B', 0, 4, 3, 0, 0, 0,
    'A', 'B', 0, 6, 3, 0, 2, '!', '!', 0,
    'A', 'B', 0, 2, 5, 1,
};

static apr_pool_t *pool;

typedef struct world {
    bool reluctant; /* JK_AGAIN before everything */
    size_t stops;   /* the client sends no more when so many bytes are left; 0: it does not stop */
    bool turn, pass_turn; /* passing has a turn of its own: it is asked again after every lend */
    uint8_t memory[64], got[256];
    size_t ngot, heads, flushes, body_left;
    bool passed; /* to the client: nothing is forgotten */
    char location[16];
} world;

static bool not_now(world *w)
{
    w->turn = !w->turn;
    return w->reluctant && w->turn;
}

static jk_rc read_body(void *ctx, uint8_t *p, size_t room, size_t *got, bool *ended)
{
    world *w = ctx;

    if (not_now(w) || (w->stops && w->body_left <= w->stops))
        return JK_AGAIN;
    *got = w->body_left < room ? w->body_left : room;
    if (w->reluctant && *got > 3)
        *got = 3;
    memset(p, 'b', *got);
    w->body_left -= *got;
    *ended = w->body_left == 0;
    return JK_OK;
}

static jk_rc lend(void *ctx, struct iovec piece[2], int *n)
{
    world *w = ctx;

    if (not_now(w))
        return JK_AGAIN;
    piece[0] = (struct iovec){ w->memory, w->reluctant ? 1 : 5 };
    piece[1] = (struct iovec){ w->memory + 32, 7 };
    *n = w->reluctant ? 1 : 2;
    return JK_OK;
}

static jk_rc head(void *ctx, jk_reply *h)
{
    world *w = ctx;
    jk_span name, value;

    if (not_now(w))
        return JK_AGAIN;
    w->heads++;
    ck_assert_uint_eq(h->status, 200);
    ck_assert(jk_reply_field(h, &name, &value));
    memcpy(w->location, value.p, value.len);
    return JK_OK;
}

static jk_rc body(void *ctx, jk_span bytes)
{
    world *w = ctx;

    if (not_now(w))
        return JK_AGAIN;
    memcpy(w->got + w->ngot, bytes.p, bytes.len);
    w->ngot += bytes.len;
    return JK_OK;
}

static jk_rc pass(void *ctx, bool flush)
{
    world *w = ctx;

    w->pass_turn = !w->pass_turn;
    if (w->reluctant && w->pass_turn)
        return JK_AGAIN;
    w->flushes += flush;
    return JK_OK;
}

static bool holds(void *ctx)
{
    (void)ctx;
    return false;
}

static bool forget(void *ctx)
{
    world *w = ctx;

    return !w->passed;
}

static const jk_sink_ops ops = { lend, NULL, head, body, pass, holds, forget };

typedef struct table {
    world w;
    jk_request rq;
    jk_source source;
    jk_sink sink;
    jk_log log;
    jk_run run;
    int container;
    uint8_t seen[20000];
    size_t nseen;
} table;

static void quiet(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *text)
{
    (void)log, (void)level, (void)place, (void)id, (void)text;
}

static table *lay(bool reluctant, size_t body_bytes)
{
    table *t = calloc(1, sizeof *t);
    jk_sock_options none = { 0 };
    int fd[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    t->container = fd[1];
    t->w.reluctant = reluctant;
    t->w.body_left = body_bytes;
    t->rq = (jk_request){ .method = JK_SPAN_LIT("POST"), .protocol = JK_SPAN_LIT("HTTP/1.1"), .uri = JK_SPAN_LIT("/x"), .ssl_key_size = -1,
                          .body = body_bytes ? JK_BODY_LENGTH : JK_BODY_NONE, .content_length = body_bytes };
    t->source = (jk_source){ read_body, &t->w };
    t->sink = (jk_sink){ &ops, &t->w };
    t->log = (jk_log){ JK_LOG_EMERG, quiet, "TEST", NULL, NULL };
    t->run = (jk_run){ .pool = pool, .rq = &t->rq, .source = &t->source, .sink = &t->sink, .log = &t->log, .may_block = !reluctant,
                       .max_packet = 8192 };
    jk_run_init(&t->run);
    ck_assert_int_eq(jk_run_encode(&t->run), JK_OK);
    t->run.conn = jk_conn_make(fd[0], &none);
    jk_run_attempt(&t->run);
    return t;
}

static void clear(table *t)
{
    jk_conn_close(&t->run.conn, false);
    close(t->container);
    free(t);
}

static void collect(table *t)
{
    ssize_t n;

    while ((n = recv(t->container, t->seen + t->nseen, sizeof t->seen - t->nseen, MSG_DONTWAIT)) > 0)
        t->nseen += (size_t)n;
}

/* The container writes one byte whenever the run waits for it; each wait must name what is waited for. */
static jk_rc drip(table *t, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    jk_rc rc;

    for (int steps = 0; (rc = jk_run_crank(&t->run)) == JK_AGAIN; steps++) {
        ck_assert_int_lt(steps, 100000);
        ck_assert_int_ne(t->run.wait.what, JK_WAIT_NOTHING);
        collect(t);
        if (t->run.wait.what != JK_WAIT_BACKEND_READ)
            continue;
        if (at == len)
            break;
        ck_assert_int_eq(send(t->container, bytes + at++, 1, 0), 1);
    }
    collect(t);
    return rc;
}

static void check_answer(const table *t)
{
    ck_assert_uint_eq(t->w.heads, 1);
    ck_assert_uint_eq(t->w.flushes, 1);
    ck_assert_uint_eq(t->w.ngot, 7);
    ck_assert_int_eq(memcmp(t->w.got, "hello!!", 7), 0);
    ck_assert_str_eq(t->w.location, "/xy");
    ck_assert(jk_run_reusable(&t->run));
}

START_TEST(again_at_every_step_changes_no_byte)
{
    table *slow = lay(true, 9000), *fast = lay(false, 9000);

    ck_assert_int_eq(drip(slow, whole_reply, sizeof whole_reply), JK_OK);
    check_answer(slow);
    ck_assert_int_eq(send(fast->container, whole_reply, sizeof whole_reply, 0), sizeof whole_reply);
    ck_assert_int_eq(jk_run_crank(&fast->run), JK_OK);
    collect(fast);
    check_answer(fast);
    ck_assert_uint_eq(slow->nseen, fast->nseen);
    ck_assert_int_eq(memcmp(slow->seen, fast->seen, fast->nseen), 0);
    clear(slow);
    clear(fast);
}
END_TEST

START_TEST(first_body_packet_leaves_with_the_request)
{
    table *t = lay(false, 9000);
    ssize_t n;

    ck_assert_int_eq(send(t->container, whole_reply, sizeof whole_reply, 0), sizeof whole_reply);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_OK);
    n = recv(t->container, t->seen, sizeof t->seen, MSG_DONTWAIT);
    ck_assert_uint_eq((size_t)n, t->run.forward_len + 8192 + 6 + 9000 - 8186);
    ck_assert_uint_eq(t->seen[t->run.forward_len + 4] << 8 | t->seen[t->run.forward_len + 5], 8186);
    clear(t);
}
END_TEST

START_TEST(a_body_shorter_than_its_length_reaches_nobody)
{
    table *t = lay(false, 100);

    t->w.body_left = 60;
    ck_assert_int_eq(jk_run_crank(&t->run), JK_E_CLIENT_READ);
    collect(t);
    ck_assert_uint_eq(t->nseen, 0);
    ck_assert_int_eq(t->run.x.progress, JK_PROGRESS_NONE);
    clear(t);
}
END_TEST

START_TEST(every_cut_of_the_reply_is_an_end_of_file_and_not_reusable)
{
    for (size_t cut = 0; cut < sizeof whole_reply; cut++) {
        table *t = lay(false, 9000);
        if (cut)
            ck_assert_int_eq(send(t->container, whole_reply, cut, 0), (int)cut);
        shutdown(t->container, SHUT_WR);
        ck_assert_int_eq(jk_run_crank(&t->run), JK_E_RECV);
        ck_assert(!jk_run_reusable(&t->run));
        clear(t);
    }
}
END_TEST

START_TEST(bytes_after_the_end_keep_the_connection_out_of_the_pool)
{
    table *t = lay(false, 9000);

    ck_assert_int_eq(send(t->container, whole_reply, sizeof whole_reply, 0), sizeof whole_reply);
    ck_assert_int_eq(send(t->container, whole_reply, 3, 0), 3);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_OK);
    /* Either they were read with the answer, or the look before reuse finds them. */
    ck_assert(!jk_run_reusable(&t->run) || jk_sock_look(t->run.conn->fd) == JK_LOOK_BYTES);
    clear(t);
}
END_TEST

START_TEST(an_http_port_is_kept_for_the_log)
{
    table *t = lay(false, 0);

    ck_assert_int_eq(send(t->container, "HTTP/1.1 400 \r\n", 15, 0), 15);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_E_FRAME);
    ck_assert_uint_ge(t->run.odd_len, 4);
    ck_assert_int_eq(memcmp(t->run.odd, "HTTP", 4), 0);
    clear(t);
}
END_TEST

static const int32_t some_statuses[] = { 503, -404, 404, 200 };
static const struct {
    int nstatuses;
    bool fails, soft;
    const char *why;
} statuses[] = {
    { 4, true, false, "200 is one of them" },
    { 3, false, false, "200 is none of them" },
    { 0, false, false, "there are none" },
};

START_TEST(an_answer_that_counts_as_a_failure_is_withheld)
{
    table *t = lay(false, 9000);

    t->run.fail_on = some_statuses;
    t->run.nfail_on = statuses[_i].nstatuses;
    /* Without the question for the body: whoever has given that away cannot try again. */
    ck_assert_int_eq(send(t->container, whole_reply + 7, sizeof whole_reply - 7, 0), (int)sizeof whole_reply - 7);
    ck_assert_int_eq(jk_run_crank(&t->run), statuses[_i].fails ? JK_E_STATUS : JK_OK);
    ck_assert_msg(t->w.heads == !statuses[_i].fails, "%s", statuses[_i].why);
    ck_assert_uint_eq(t->w.ngot, statuses[_i].fails ? 0 : 7);
    ck_assert_int_eq(t->run.x.progress, statuses[_i].fails ? JK_PROGRESS_SENT : JK_PROGRESS_ANSWERED);
    ck_assert(jk_run_reusable(&t->run));
    clear(t);
}
END_TEST

START_TEST(a_head_is_forgotten_unless_it_was_passed_on)
{
    table *t = lay(false, 0);

    t->w.passed = _i;
    jk_run_forget(&t->run); /* there is nothing */
    ck_assert_int_eq(t->run.x.progress, JK_PROGRESS_NONE);
    ck_assert_int_eq(send(t->container, whole_reply + 7, sizeof whole_reply - 7 - 6, 0), (int)sizeof whole_reply - 7 - 6); /* no end */
    shutdown(t->container, SHUT_WR);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_E_RECV);
    ck_assert_int_eq(t->run.x.progress, JK_PROGRESS_ANSWERED);
    ck_assert_uint_eq(t->run.body_passed, 7);
    jk_run_forget(&t->run);
    ck_assert_int_eq(t->run.x.progress, _i ? JK_PROGRESS_ANSWERED : JK_PROGRESS_SENT);
    ck_assert_uint_eq(t->run.body_passed, _i ? 7 : 0);
    clear(t);
}
END_TEST

START_TEST(a_withheld_answer_gets_no_more_body_and_no_end_without_limit)
{
    static const uint8_t head[] = { 'A', 'B', 0, 8, 4, 0, 200, 0, 0, 0, 0, 0 };
    static const uint8_t question[] = { 'A', 'B', 0, 3, 6, 0x1F, 0xFA };
    table *t = lay(false, 9000);

    t->run.fail_on = some_statuses;
    t->run.nfail_on = 4;
    ck_assert_int_eq(send(t->container, head, sizeof head, 0), sizeof head);
    ck_assert_int_eq(send(t->container, question, sizeof question, 0), sizeof question);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_E_STATUS);
    ck_assert_int_eq(t->run.x.progress, JK_PROGRESS_SENT);
    ck_assert(!jk_run_reusable(&t->run));
    clear(t);
}
END_TEST

/* ---- a container that speaks before it has the body ---- */

#define QUESTION 7 /* bytes of whole_reply */

/* The first packet has left, the container asked for more, and the client has stopped. */
static table *lay_stopped(size_t asked)
{
    table *t = lay(false, 9000);

    t->run.may_block = false;
    t->w.stops = 9000 - 8186;
    for (size_t i = 0; i < asked; i++)
        ck_assert_int_eq(send(t->container, whole_reply, QUESTION, 0), QUESTION);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_AGAIN);
    ck_assert_int_eq(t->run.wait.what, JK_WAIT_CLIENT_READ);
    ck_assert_int_eq(t->run.wait.fd, asked == 1 ? t->run.conn->fd : -1);
    collect(t);
    return t;
}

static void say(table *t, size_t from, size_t to)
{
    ck_assert_int_eq(send(t->container, whole_reply + from, to - from, 0), (int)(to - from));
}

START_TEST(an_answer_is_heard_while_the_body_is_slow)
{
    table *t = lay_stopped(1);
    size_t sent = t->nseen;

    say(t, QUESTION, sizeof whole_reply);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_OK);
    ck_assert_uint_eq(t->w.ngot, 7);
    ck_assert_msg(!jk_run_reusable(&t->run), "a body packet is due on it");
    collect(t);
    ck_assert_uint_eq(t->nseen, sent);
    clear(t);
}
END_TEST

START_TEST(the_body_goes_on_wherever_the_container_has_spoken_meanwhile)
{
    table *fast = lay(false, 9000);

    say(fast, 0, sizeof whole_reply);
    ck_assert_int_eq(jk_run_crank(&fast->run), JK_OK);
    collect(fast);
    for (size_t cut = QUESTION + 1; cut < sizeof whole_reply - 6; cut++) {
        table *t = lay_stopped(1);
        say(t, QUESTION, cut);
        ck_assert_int_eq(jk_run_crank(&t->run), JK_AGAIN);
        ck_assert_int_eq(t->run.wait.what, JK_WAIT_CLIENT_READ);
        t->w.stops = 0;
        ck_assert_int_eq(jk_run_crank(&t->run), JK_AGAIN);
        ck_assert_int_eq(t->run.wait.what, JK_WAIT_BACKEND_READ);
        say(t, cut, sizeof whole_reply);
        ck_assert_int_eq(jk_run_crank(&t->run), JK_OK);
        check_answer(t);
        collect(t);
        ck_assert_uint_eq(t->nseen, fast->nseen);
        ck_assert_int_eq(memcmp(t->seen, fast->seen, fast->nseen), 0);
        clear(t);
    }
    clear(fast);
}
END_TEST

START_TEST(a_container_that_leaves_while_the_body_is_slow)
{
    table *t = lay_stopped(1);

    shutdown(t->container, SHUT_WR);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_E_RECV);
    ck_assert_int_eq(t->run.x.progress, JK_PROGRESS_CONSUMED);
    ck_assert(!jk_run_reusable(&t->run));
    clear(t);
}
END_TEST

START_TEST(a_second_question_waits_for_the_first_answer)
{
    table *t = lay_stopped(2);
    size_t sent = t->nseen;

    t->w.stops = 0;
    say(t, QUESTION, sizeof whole_reply);
    ck_assert_int_eq(jk_run_crank(&t->run), JK_OK);
    check_answer(t);
    collect(t);
    ck_assert_uint_eq(t->nseen - sent, 6 + 9000 - 8186 + 4); /* the rest, and the empty packet */
    clear(t);
}
END_TEST

static int finishes;
static void count_finish(jk_run *run, jk_rc outcome)
{
    (void)run, (void)outcome;
    finishes++;
}

START_TEST(a_run_ends_once)
{
    table *t = lay(false, 0);

    t->run.on_finish = count_finish;
    jk_run_finish(&t->run, JK_OK);
    jk_run_finish(&t->run, JK_E_CLIENT_ABORT);
    ck_assert_int_eq(finishes, 1);
    clear(t);
}
END_TEST

/* ---- long answers: whatever the guess where chunks end, and however the bytes arrive, the body is the same ---- */

#define LONG_MOST 200000

/* A sink with memory of its own: `room` bytes, in one piece or two. */
typedef struct well {
    size_t room, second;
    uint8_t memory[2][65536], kept[65536], got[LONG_MOST];
    size_t ngot, calls;
    bool reluctant, turn;
    int lends, keeps;
    bool full; /* there is no memory to keep anything in */
} well;

static jk_rc well_lend(void *ctx, struct iovec piece[2], int *n)
{
    well *w = ctx;

    w->lends++;
    memset(w->memory, 0xEE, sizeof w->memory);
    memset(w->kept, 0xDD, sizeof w->kept);
    piece[0] = (struct iovec){ w->memory[0], w->room };
    piece[1] = (struct iovec){ w->memory[1], w->second };
    *n = w->second ? 2 : 1;
    return JK_OK;
}

static const uint8_t *well_keep(void *ctx, const uint8_t *p, size_t n)
{
    well *w = ctx;

    w->keeps++;
    return w->full ? NULL : memcpy(w->kept, p, n);
}

static jk_rc well_head(void *ctx, jk_reply *h)
{
    (void)ctx, (void)h;
    return JK_OK;
}

static jk_rc well_body(void *ctx, jk_span bytes)
{
    well *w = ctx;

    w->turn = !w->turn;
    if (w->reluctant && w->turn)
        return JK_AGAIN;
    ck_assert_msg(w->ngot + bytes.len <= LONG_MOST, "more than was sent");
    memcpy(w->got + w->ngot, bytes.p, bytes.len);
    w->ngot += bytes.len;
    w->calls++;
    return JK_OK;
}

static jk_rc well_pass(void *ctx, bool flush)
{
    (void)ctx, (void)flush;
    return JK_OK;
}

static const jk_sink_ops well_ops = { well_lend, NULL, well_head, well_body, well_pass, holds, NULL };
static const jk_sink_ops keeping_ops = { well_lend, well_keep, well_head, well_body, well_pass, holds, NULL };

typedef struct answer {
    uint8_t wire[LONG_MOST], body[LONG_MOST];
    size_t nwire, nbody, edge[64];
    int nedges; /* where packets begin */
} answer;

static void put(answer *a, const void *bytes, size_t n)
{
    memcpy(a->wire + a->nwire, bytes, n);
    a->nwire += n;
}

/* The bytes say where they stand; `decoy` puts what looks like a gap into the body. */
static void put_chunk(answer *a, size_t len, size_t tail, size_t decoy)
{
    size_t payload = 3 + len + tail;
    const uint8_t head[] = { 'A', 'B', (uint8_t)(payload >> 8), (uint8_t)payload, 3, (uint8_t)(len >> 8), (uint8_t)len };
    uint8_t *body = a->body + a->nbody;

    a->edge[a->nedges++] = a->nwire;
    for (size_t i = 0; i < len; i++)
        body[i] = (uint8_t)((a->nbody + i) * 31 >> 3);
    if (decoy && decoy + 8 <= len)
        memcpy(body + decoy, a->wire + a->edge[1] - 1, 8);
    put(a, head, sizeof head);
    put(a, body, len);
    a->nbody += len;
    memset(a->wire + a->nwire, 0, tail);
    a->nwire += tail;
}

static void put_begin(answer *a)
{
    static const uint8_t head[] = { 'A', 'B', 0, 8, 4, 0, 200, 0, 0, 0, 0, 0 };

    a->nwire = a->nbody = 0;
    a->nedges = 0;
    put(a, head, sizeof head);
}

static void put_end(answer *a)
{
    static const uint8_t end[] = { 'A', 'B', 0, 2, 5, 1 };

    a->edge[a->nedges++] = a->nwire;
    put(a, end, sizeof end);
}

typedef struct long_row {
    size_t chunk[10], tail[10], decoy;
    size_t most_calls; /* of the sink's body, when all comes at once into 60 KB; 0: any number */
    const char *why;
} long_row;

#define ONE { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }
static const long_row long_rows[] = {
    { { 8184, 8184, 8184, 8184, 8184, 8184, 3000 }, ONE, 0, 3, "as a container writes it" },
    { { 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048 }, ONE, 0, 3, "small chunks" },
    { { 4000, 4000, 8184, 8184, 8184, 8184 }, ONE, 0, 0, "longer from the third on" },
    { { 8184, 8184, 8184, 2500, 2500, 2500 }, ONE, 0, 0, "shorter from the fourth on" },
    { { 8184, 8184, 1, 8184, 8184, 8183, 8184 }, ONE, 0, 0, "one byte between, and one byte less" },
    { { 8184, 0, 8184, 0, 0, 8184, 8184, 8184 }, ONE, 0, 0, "flushes between" },
    { { 3000, 3000, 3000, 3000, 3000 }, { 0 }, 0, 3, "nothing behind the chunk" },
    { { 3000, 3000, 3000, 3000, 3000 }, { 5, 5, 5, 5, 5 }, 0, 3, "five bytes behind it" },
    { { 3000, 3000, 3000, 3000, 3000 }, { 1, 1, 0, 1, 2 }, 0, 0, "another number of bytes each time" },
    { { 3000, 3000, 6008, 3000, 8000, 3000 }, ONE, 3000, 0, "a body that looks like a gap where one was expected" },
    { { 3000, 3000, 2992, 3000 }, ONE, 0, 0, "a chunk that ends where the guess has the middle of a gap" },
};

static void check_long_with(const jk_sink_ops *sink_ops, const answer *a, const well *lent_by, const size_t *cut, int ncuts, const char *why)
{
    static well w;
    table *t = lay(false, 0);
    size_t at = 0;
    jk_rc rc = JK_AGAIN;

    w = (well){ .room = lent_by->room, .second = lent_by->second, .reluctant = lent_by->reluctant };
    t->sink = (jk_sink){ sink_ops, &w };
    t->run.may_block = false;
    ck_assert_int_eq(jk_run_crank(&t->run), JK_AGAIN);
    for (int i = 0; i <= ncuts; i++) {
        size_t to = i < ncuts ? cut[i] : a->nwire;
        if (to <= at)
            continue;
        ck_assert_int_eq(send(t->container, a->wire + at, to - at, 0), (int)(to - at));
        at = to;
        while ((rc = jk_run_crank(&t->run)) == JK_AGAIN && t->run.wait.what != JK_WAIT_BACKEND_READ)
            ;
    }
    ck_assert_msg(rc == JK_OK, "%s: outcome %d", why, rc);
    ck_assert_msg(w.ngot == a->nbody && memcmp(w.got, a->body, a->nbody) == 0, "%s: %zu bytes, cut at %zu", why, w.ngot, ncuts ? cut[0] : 0);
    ck_assert_msg(t->run.body_passed == a->nbody && jk_run_reusable(&t->run), "%s: the end", why);
    ck_assert_msg(lent_by->calls == 0 || w.calls <= lent_by->calls, "%s: the body came in %zu pieces", why, w.calls);
    ck_assert_msg(w.keeps == (sink_ops->keep ? 1 : 0), "%s: kept %d times", why, w.keeps);
    clear(t);
}

static void check_long(const answer *a, const well *lent_by, const size_t *cut, int ncuts, const char *why)
{
    check_long_with(&well_ops, a, lent_by, cut, ncuts, why);
    check_long_with(&keeping_ops, a, lent_by, cut, ncuts, why);
}

static void build(answer *a, const long_row *row)
{
    put_begin(a);
    for (int i = 0; i < 10 && (row->chunk[i] || (i < 9 && row->chunk[i + 1])); i++)
        put_chunk(a, row->chunk[i], row->tail[i], row->decoy);
    put_end(a);
}

START_TEST(a_long_answer_comes_through_whole)
{
    static answer a;
    const long_row *row = &long_rows[_i];
    size_t rooms[][2] = { { 61440, 0 }, { 8000, 0 }, { 4001, 61440 }, { 1024, 0 }, { 61440, 1024 } };
    size_t head_room[] = { 200 }; /* the first chunk's head has come: the rest is guessed at */

    build(&a, row);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        for (int reluctant = 0; reluctant < 2; reluctant++) {
            well by = { .room = rooms[i][0], .second = rooms[i][1], .reluctant = reluctant, .calls = i ? 0 : row->most_calls };
            check_long(&a, &by, head_room, 1, row->why);
        }
}
END_TEST

/* Cut at every byte near the beginning of a packet and here and there inside. */
START_TEST(a_long_answer_may_be_cut_anywhere)
{
    static answer a;
    const long_row *row = &long_rows[_i];
    well by = { .room = 61440 };
    size_t last = 0;

    build(&a, row);
    for (size_t cut = 13; cut < a.nwire; cut++) {
        bool near = false;
        for (int i = 0; i < a.nedges; i++)
            near = near || (cut + 9 > a.edge[i] && cut < a.edge[i] + 9);
        if (!near && cut < last + 997)
            continue;
        last = cut;
        check_long(&a, &by, (size_t[]){ 13 + (cut - 13) / 2, cut }, 2, row->why);
        check_long(&a, &by, (size_t[]){ a.edge[0] + 7, cut }, 2, row->why);
    }
}
END_TEST

START_TEST(a_run_that_waits_for_its_answer_was_lent_nothing)
{
    static answer a;
    static well w;

    build(&a, &long_rows[0]);
    for (int full = 0; full < 2; full++) {
        table *t = lay(false, 0);
        w = (well){ .room = 61440, .full = full };
        t->sink = (jk_sink){ &keeping_ops, &w };
        t->run.may_block = false;
        ck_assert_int_eq(jk_run_crank(&t->run), JK_AGAIN);
        ck_assert_int_eq(jk_run_crank(&t->run), JK_AGAIN);
        ck_assert_int_eq(w.keeps + w.lends, 0);
        ck_assert_int_eq(send(t->container, a.wire, a.edge[0] + 100, 0), (int)(a.edge[0] + 100));
        ck_assert_int_eq(jk_run_crank(&t->run), full ? JK_E_MEMORY : JK_AGAIN);
        ck_assert_int_eq(w.keeps, 1);
        ck_assert_int_eq(w.ngot, full ? 0 : 100 - 7); /* the chunk without its head */
        ck_assert(!jk_run_reusable(&t->run));
        clear(t);
    }
}
END_TEST

static unsigned next_number(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 8;
}

START_TEST(any_chunks_and_any_cuts_give_the_same_body)
{
    static answer a;
    static const size_t usual[] = { 8184, 8184, 8184, 4096, 2048, 2047, 1, 0 };

    for (unsigned round = 0; round < 200; round++) {
        unsigned seed = round * 7919u + (unsigned)_i;
        size_t cuts[12], len = usual[next_number(&seed) % 8];
        well by = { .room = 1024 + next_number(&seed) % 60000, .second = next_number(&seed) % 2 ? 1024 + next_number(&seed) % 9000 : 0 };
        put_begin(&a);
        for (int i = 0; i < 12; i++) {
            put_chunk(&a, len, next_number(&seed) % 9 ? 1 : next_number(&seed) % 6, next_number(&seed) % 4 ? 0 : len / 2);
            if (next_number(&seed) % 3 == 0)
                len = next_number(&seed) % 2 ? usual[next_number(&seed) % 8] : next_number(&seed) % 8184;
        }
        put_end(&a);
        size_t at = 0;
        for (int i = 0; i < 12; i++)
            cuts[i] = at = at + next_number(&seed) % ((a.nwire - at) / 3 + 1);
        check_long(&a, &by, cuts, 12, "by chance");
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run");
    TCase *t = tcase_create("run");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_add_test(t, again_at_every_step_changes_no_byte);
    tcase_add_test(t, first_body_packet_leaves_with_the_request);
    tcase_add_test(t, a_body_shorter_than_its_length_reaches_nobody);
    tcase_add_test(t, every_cut_of_the_reply_is_an_end_of_file_and_not_reusable);
    tcase_add_test(t, bytes_after_the_end_keep_the_connection_out_of_the_pool);
    tcase_add_test(t, an_http_port_is_kept_for_the_log);
    tcase_add_loop_test(t, a_head_is_forgotten_unless_it_was_passed_on, 0, 2);
    tcase_add_loop_test(t, an_answer_that_counts_as_a_failure_is_withheld, 0, (int)(sizeof statuses / sizeof statuses[0]));
    tcase_add_test(t, a_withheld_answer_gets_no_more_body_and_no_end_without_limit);
    tcase_add_test(t, an_answer_is_heard_while_the_body_is_slow);
    tcase_add_test(t, the_body_goes_on_wherever_the_container_has_spoken_meanwhile);
    tcase_add_test(t, a_container_that_leaves_while_the_body_is_slow);
    tcase_add_test(t, a_second_question_waits_for_the_first_answer);
    tcase_add_test(t, a_run_ends_once);
    tcase_add_loop_test(t, a_long_answer_comes_through_whole, 0, (int)(sizeof long_rows / sizeof long_rows[0]));
    tcase_add_loop_test(t, a_long_answer_may_be_cut_anywhere, 0, (int)(sizeof long_rows / sizeof long_rows[0]));
    tcase_add_test(t, a_run_that_waits_for_its_answer_was_lent_nothing);
    tcase_add_loop_test(t, any_chunks_and_any_cuts_give_the_same_body, 0, 4);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
