/* tests/unit/test_backend.c - the worker type ajp13 against a scripted container: attempts, connections, outcomes, and what the log
 * says of them. No test asks how long something took. */
#include <check.h>

#include "jk/balance/budget.h"
#include "jk/worker/backend.h"
#include "jk/worker/visit.h"
#include "peer.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static apr_pool_t *pool;

/* ---- the log ---- */

typedef struct lines {
    pthread_mutex_t mutex; /* guards all below */
    char text[8192];
    int n[1000]; /* by id */
    unsigned worst;
} lines;

static lines told = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void keep_line(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *text)
{
    (void)log, (void)place;
    pthread_mutex_lock(&told.mutex);
    size_t at = strlen(told.text);
    apr_snprintf(told.text + at, sizeof told.text - at, "[%u] %s\n", id, text);
    if (id > 0 && id < COUNT(told.n))
        told.n[id]++;
    if (level > told.worst)
        told.worst = level;
    pthread_mutex_unlock(&told.mutex);
}

static const jk_log log_all = { JK_LOG_INFO, keep_line, "TEST", NULL, NULL };

static void forget_lines(void)
{
    *told.text = '\0';
    told.worst = 0;
    memset(told.n, 0, sizeof told.n);
}

/* ---- the client ---- */

typedef struct client {
    uint8_t memory[4096];
    char body[64];
    size_t nbody, body_left;
    unsigned status;
    bool gone_reading, gone_writing;
    bool passed; /* what was said was seen */
    jk_request rq;
    jk_source source;
    jk_sink sink;
    jk_run run;
} client;

static jk_rc read_body(void *ctx, uint8_t *p, size_t room, size_t *got, bool *ended)
{
    client *c = ctx;

    if (c->gone_reading)
        return JK_E_CLIENT_READ;
    *got = c->body_left < room ? c->body_left : room;
    memset(p, 'b', *got);
    c->body_left -= *got;
    *ended = c->body_left == 0;
    return JK_OK;
}

static jk_rc lend(void *ctx, struct iovec piece[2], int *n)
{
    client *c = ctx;

    piece[0] = (struct iovec){ c->memory, sizeof c->memory };
    *n = 1;
    return JK_OK;
}

static jk_rc head(void *ctx, jk_reply *h)
{
    client *c = ctx;

    c->status = h->status;
    return c->gone_writing ? JK_E_CLIENT_WRITE : JK_OK;
}

static jk_rc body(void *ctx, jk_span bytes)
{
    client *c = ctx;

    ck_assert_uint_lt(c->nbody + bytes.len, sizeof c->body);
    memcpy(c->body + c->nbody, bytes.p, bytes.len);
    c->nbody += bytes.len;
    return JK_OK;
}

static jk_rc pass(void *ctx, bool flush)
{
    (void)ctx, (void)flush;
    return JK_OK;
}

static bool holds(void *ctx)
{
    (void)ctx;
    return false;
}

static bool forget(void *ctx)
{
    client *c = ctx;

    if (c->passed)
        return false;
    c->status = 0;
    c->nbody = 0;
    memset(c->body, 0, sizeof c->body);
    return true;
}

static const jk_sink_ops ops = { lend, NULL, head, body, pass, holds, forget };

/* p: a pool of the calling thread. */
static client *come(apr_pool_t *p, const char *method, size_t body_bytes)
{
    client *c = apr_pcalloc(p, sizeof *c);

    c->body_left = body_bytes;
    c->rq = (jk_request){ .method = jk_span_of(method), .protocol = JK_SPAN_LIT("HTTP/1.1"), .uri = JK_SPAN_LIT("/x"), .ssl_key_size = -1,
                          .body = body_bytes ? JK_BODY_LENGTH : JK_BODY_NONE, .content_length = body_bytes };
    c->source = (jk_source){ read_body, c };
    c->sink = (jk_sink){ &ops, c };
    c->run = (jk_run){ .pool = p, .rq = &c->rq, .source = &c->source, .sink = &c->sink, .log = &log_all };
    jk_run_init(&c->run);
    return c;
}

/* ---- the worker ---- */

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

/* `keys`: lines after "worker.w.", with a blank between them. */
static const jk_worker_conf *conf_of(const char *host, int port, const char *keys)
{
    char *rest = apr_pstrdup(pool, keys), *state;
    const char *text = apr_psprintf(pool, "worker.list=w\nworker.w.host=%s%s\n", host, port ? apr_psprintf(pool, ":%d", port) : "");
    jk_findings *found = jk_findings_make(pool);

    for (char *key = apr_strtok(rest, " ", &state); key; key = apr_strtok(NULL, " ", &state))
        text = apr_pstrcat(pool, text, "worker.w.", key, "\n", NULL);
    jk_workers_input in = { NULL, 0, "w.properties", jk_span_of(text), "/srv", no_environment };
    jk_workers_conf *conf = jk_workers_parse(pool, &in, found);
    ck_assert(!jk_findings_refuse(found, false));
    return jk_workers_find(conf, "w");
}

static jk_worker *worker_with(const jk_worker_conf *conf)
{
    jk_worker *worker = jk_backend_make(pool, conf);

    worker->type->ready(worker, pool, jk_shm_private(pool), &log_all);
    ck_assert_int_eq(worker->type->child(worker, pool, &log_all), JK_OK);
    return worker;
}

static jk_worker *worker_at(const char *host, int port, const char *keys)
{
    return worker_with(conf_of(host, port, keys));
}

static jk_worker *worker_of(const jk_peer *pr, const char *keys)
{
    return worker_at(*pr->path ? apr_pstrcat(pool, "unix:", pr->path, NULL) : "127.0.0.1", pr->port, keys);
}

static jk_stat_totals totals(const jk_worker *worker)
{
    jk_stat_totals t;

    jk_stat_totals_read(jk_backend_stat(worker), &t);
    return t;
}

/* At every moment a run is on one leg: they are its whole way. And a connection that was made is open, or was closed for a reason. */
static void look_at_books(const jk_worker *worker, const jk_run *run)
{
    jk_stat_totals t = totals(worker);
    jk_stat_numbers n = jk_stat_read(jk_backend_stat(worker));
    apr_time_t sum = 0;
    uint64_t closed = 0;

    for (int i = 0; i < JK_LEGS; i++)
        sum += run->spent[i];
    ck_assert_int_eq(sum, run->since - run->begun);
    for (int i = 0; i < JK_STAT_CLOSED; i++)
        closed += t.closed[i];
    ck_assert_uint_ge(t.count[JK_COUNT_CONNECTS], closed);
    if (n.busy == 0)
        ck_assert_uint_eq(n.waiting, 0);
}

static jk_rc ask(jk_worker *worker, client *c)
{
    jk_rc rc = jk_worker_drive(worker, &c->run);

    look_at_books(worker, &c->run);

    ck_assert(c->run.finished);
    ck_assert_ptr_null(c->run.conn);
    ck_assert(!c->run.up->has_place);
    return rc;
}

static jk_rc get(jk_worker *worker)
{
    client *c = come(pool, "GET", 0);
    jk_rc rc = ask(worker, c);

    if (rc == JK_OK) {
        ck_assert_uint_eq(c->status, 200);
        ck_assert_str_eq(c->body, "hi");
    }
    return rc;
}

/* ---- answers and connections ---- */

START_TEST(the_second_request_takes_the_same_connection)
{
    jk_peer *pr = jk_peer_tcp("aaa");

    jk_worker *worker = worker_of(pr, "retries=1");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(get(worker), JK_OK);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 1);
    ck_assert_int_eq(jk_peer_look(pr, &pr->requests), 3);
    ck_assert_msg(*told.text == '\0', "there is nothing to tell: %s", told.text);
}
END_TEST

START_TEST(the_secret_goes_along)
{
    jk_peer *pr = jk_peer_tcp("a");

    ck_assert_int_eq(get(worker_of(pr, "secret=open-sesame")), JK_OK);
    ck_assert_ptr_nonnull(memmem(pr->last, pr->nlast, "\x0C\0\x0Bopen-sesame", 15));
    ck_assert_msg(strstr(told.text, "sesame") == NULL, "and never into the log");
}
END_TEST

START_TEST(a_body_is_delivered_with_its_request)
{
    jk_peer *pr = jk_peer_tcp("aa");

    jk_worker *worker = worker_of(pr, "");
    ck_assert_int_eq(ask(worker, come(pool, "POST", 100)), JK_OK);
    ck_assert_int_eq(get(worker), JK_OK);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 1);
    ck_assert_str_eq(pr->methods, "42");
}
END_TEST

/* What the container does to an idle connection, before the next request. One attempt is all there is. */
static const struct {
    const char *script;
    unsigned id; /* 0: not worth a warning */
    jk_close_why closed;
    const char *why;
} idles[] = {
    { "qa", 0, JK_CLOSE_DEAD, "closed: any container does that after a time" },
    { "xa", 312, JK_CLOSE_DEAD, "bytes that belong to nobody: nobody gets them" },
    { "ca", 310, JK_CLOSE_CONTAINER, "END_RESPONSE said so" },
};

START_TEST(each_dead_idle_connection_is_replaced_and_no_attempt_counted)
{
    jk_peer *pr = jk_peer_unix(idles[_i].script);
    jk_worker *worker = worker_of(pr, "retries=1");
    client *second = come(pool, "POST", 10);

    ck_assert_int_eq(get(worker), JK_OK);
    if (*idles[_i].script == 'x') {
        jk_peer_count(pr, &pr->gos);
        jk_peer_await(pr, &pr->extra, 1);
    } else {
        jk_peer_await(pr, &pr->hung_up, 1);
    }
    ck_assert_msg(ask(worker, second) == JK_OK, "%s: %s", idles[_i].why, told.text);
    ck_assert_str_eq(second->body, "hi");
    ck_assert_int_eq(second->run.up->attempt, 0);
    ck_assert_uint_eq(totals(worker).count[JK_COUNT_CONNECTS], 2);
    ck_assert_uint_eq(totals(worker).closed[idles[_i].closed], 1);
    ck_assert_uint_eq(totals(worker).answers[2], 2);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 2);
    ck_assert_int_eq(jk_peer_look(pr, &pr->requests), 2);
    ck_assert_msg(idles[_i].id ? told.n[idles[_i].id] == 1 : told.worst < JK_LOG_INFO, "%s: %s", idles[_i].why, told.text);
}
END_TEST

START_TEST(disable_reuse_closes_after_each_answer)
{
    jk_peer *pr = jk_peer_tcp("aa");

    jk_worker *worker = worker_of(pr, "");
    for (int i = 1; i <= 2; i++) {
        client *c = come(pool, "GET", 0);
        c->run.no_reuse = true;
        ck_assert_int_eq(ask(worker, c), JK_OK);
        jk_peer_await(pr, &pr->hung_up, i);
    }
    ck_assert_uint_eq(totals(worker).closed[JK_CLOSE_UNWANTED], 2);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 2);
    ck_assert_int_eq(jk_peer_look(pr, &pr->last_errno), 0);
    ck_assert_str_eq(told.text, "");
}
END_TEST

/* ---- the container goes elsewhere ---- */

static void go_to(jk_worker *worker, int port)
{
    static const jk_tend nothing = { 0 };
    jk_tune was, is;

    jk_stat_tune_read(jk_backend_stat(worker), &was);
    is = was;
    is.port = port;
    ck_assert_int_eq(jk_stat_tune_edit(jk_backend_stat(worker), &was, &is), JK_OK);
    worker->type->tend(worker, &nothing, &log_all);
}

START_TEST(idle_connections_to_the_old_address_were_not_dead)
{
    jk_peer *from = jk_peer_tcp("a"), *to = jk_peer_tcp("a");
    jk_worker *worker = worker_of(from, "");

    ck_assert_int_eq(get(worker), JK_OK);
    go_to(worker, to->port);
    jk_peer_await(from, &from->hung_up, 1);
    ck_assert_uint_eq(totals(worker).closed[JK_CLOSE_UNWANTED], 1);
    ck_assert_uint_eq(totals(worker).closed[JK_CLOSE_AGED], 0);
    ck_assert_uint_eq(jk_backend_pool(worker).aged, 0);
    ck_assert_int_eq(get(worker), JK_OK);
    ck_assert_int_eq(jk_peer_look(to, &to->requests), 1);
}
END_TEST

typedef struct mover {
    client *c;
    jk_worker *worker;
    int port;
} mover;

/* While it is waited for, the address is changed. */
static jk_rc read_and_move(void *ctx, uint8_t *p, size_t room, size_t *got, bool *ended)
{
    mover *m = ctx;

    go_to(m->worker, m->port);
    return read_body(m->c, p, room, got, ended);
}

START_TEST(a_connection_that_was_lent_before_the_address_changed_was_not_dead)
{
    jk_peer *from = jk_peer_tcp("a"), *to = jk_peer_tcp("a");
    jk_worker *worker = worker_of(from, "");
    client *c = come(pool, "POST", 10);
    mover m = { c, worker, to->port };

    ck_assert_int_eq(get(worker), JK_OK);
    c->source = (jk_source){ read_and_move, &m };
    ck_assert_int_eq(ask(worker, c), JK_OK);
    ck_assert_int_eq(jk_peer_look(to, &to->requests), 1);
    ck_assert_uint_eq(totals(worker).closed[JK_CLOSE_UNWANTED], 1);
    ck_assert_uint_eq(totals(worker).closed[JK_CLOSE_DEAD], 0);
    ck_assert_uint_eq(jk_backend_pool(worker).dead, 0);
}
END_TEST

START_TEST(those_of_a_member_that_is_removed_were_not_old)
{
    jk_peer *pr = jk_peer_tcp("a");
    jk_worker *worker = worker_of(pr, "");

    ck_assert_int_eq(get(worker), JK_OK);
    jk_backend_close_idle(worker);
    jk_peer_await(pr, &pr->hung_up, 1);
    ck_assert_uint_eq(totals(worker).closed[JK_CLOSE_UNWANTED], 1);
    ck_assert_uint_eq(jk_backend_pool(worker).aged, 0);
}
END_TEST

/* ---- failures, and whether there is another attempt ---- */

static const struct {
    const char *keys;
    int attempts;
} refusals[] = { { "retries=1", 1 }, { "retries=2 retry_interval=1", 2 }, { "retries=5 retry_interval=0", 5 } };

START_TEST(a_refused_port_is_tried_as_often_as_retries_says)
{
    jk_peer *pr = jk_peer_bind("");
    client *c = come(pool, "POST", 10);

    jk_worker *worker = worker_of(pr, refusals[_i].keys);
    ck_assert_int_eq(ask(worker, c), JK_E_CONNECT);
    ck_assert_uint_eq(totals(worker).failed[JK_E_CONNECT], refusals[_i].attempts);
    ck_assert_uint_eq(totals(worker).count[JK_COUNT_RETRIES], refusals[_i].attempts - 1);
    ck_assert_uint_eq(totals(worker).count[JK_COUNT_SERVED], 1);
    ck_assert_int_eq(c->run.up->attempt, refusals[_i].attempts);
    ck_assert_int_eq(c->run.up->refusals, refusals[_i].attempts);
    ck_assert_int_eq(c->run.err, ECONNREFUSED);
    ck_assert_msg(told.n[202] == refusals[_i].attempts, "%s", told.text);
    ck_assert_int_eq(told.n[204], 1);
    ck_assert_ptr_nonnull(strstr(told.text, apr_psprintf(pool, "(w) Failed opening socket to (127.0.0.1:%d)", pr->port)));
    ck_assert_ptr_nonnull(strstr(told.text, "its AJP <Connector> is commented out"));
    ck_assert_ptr_nonnull(strstr(told.text, apr_psprintf(pool, "%d attempts were made", refusals[_i].attempts)));
}
END_TEST

START_TEST(only_refusals_are_counted_as_such)
{
    client *c = come(pool, "GET", 0);

    ck_assert_int_eq(ask(worker_of(jk_peer_tcp("da"), "retries=1"), c), JK_E_RECV);
    ck_assert_int_eq(c->run.up->refusals, 0);
    c = come(pool, "GET", 0);
    ck_assert_int_eq(ask(worker_at("no.such.host.invalid", 8009, "retries=1"), c), JK_E_RESOLVE);
    ck_assert_int_eq(c->run.up->refusals, 0);
}
END_TEST

/* A balancer asks before it sends anybody to a member that was full. */
START_TEST(room_is_within_both_limits)
{
    jk_peer *pr = jk_peer_tcp("a");
    jk_worker *worker = worker_of(pr, "max_connections=1");

    ck_assert(jk_backend_has_room(worker));
    ck_assert(jk_stat_connect_within(jk_backend_stat(worker), 0)); /* another process has it */
    ck_assert(!jk_backend_has_room(worker));
    jk_stat_disconnect(jk_backend_stat(worker));
    ck_assert_int_eq(get(worker), JK_OK);
    ck_assert(jk_backend_has_room(worker)); /* it is open, and idle */
}
END_TEST

START_TEST(a_refused_worker_comes_back_when_the_port_does)
{
    jk_peer *pr = jk_peer_bind("a");
    jk_worker *worker = worker_of(pr, "retries=1 connection_pool_size=1");
    ck_assert_int_eq(get(worker), JK_E_CONNECT);
    jk_peer_start(pr);
    ck_assert_int_eq(get(worker), JK_OK); /* the one place was given back */
}
END_TEST

START_TEST(a_host_that_does_not_answer_is_given_up)
{
    jk_sock_options none = { 0 };
    const char *why;
    int fd, err;
    jk_addr to;
    jk_peer *pr = jk_peer_bind("");

    ck_assert_int_eq(listen(pr->listener, 0), 0);
    ck_assert_int_eq(jk_sock_resolve("127.0.0.1", pr->port, false, &to, &why), JK_OK);
    for (int i = 0; i < 4; i++) /* its queue is full: it does not answer any more */
        jk_sock_open(&to, &none, &fd, &err);
    ck_assert_int_eq(get(worker_of(pr, "retries=1 socket_connect_timeout=20")), JK_E_CONNECT);
    ck_assert_int_eq(told.n[202], 1);
    ck_assert_msg(strstr(told.text, "no answer within the connect timeout") != NULL, "%s", told.text);
}
END_TEST

START_TEST(an_unresolvable_host_is_looked_up_once)
{
    client *c = come(pool, "GET", 0);

    ck_assert_int_eq(ask(worker_at("no.such.host.invalid", 8009, "retries=3 retry_interval=1"), c), JK_E_RESOLVE);
    ck_assert_int_eq(c->run.up->attempt, 3);
    ck_assert_msg(told.n[201] == 1, "%s", told.text);
    ck_assert_int_eq(told.n[204], 1);
    ck_assert_ptr_nonnull(strstr(told.text, "can't resolve tomcat address no.such.host.invalid"));
}
END_TEST

START_TEST(a_path_too_long_for_a_unix_socket_is_told)
{
    jk_worker_conf conf = *conf_of("127.0.0.1", 0, "retries=1");
    char path[200];

    memset(path, 'p', sizeof path);
    memcpy(path, "unix:/", 6);
    path[sizeof path - 1] = '\0';
    memcpy(conf.tune.host, path, sizeof path);
    conf.unix_path = path + 5;
    ck_assert_int_eq(get(worker_with(&conf)), JK_E_RESOLVE);
    ck_assert_int_eq(told.n[201], 1);
    ck_assert_ptr_nonnull(strstr(told.text, "too long"));
}
END_TEST

static const struct {
    const char *method;
    size_t body;
    const char *keys, *script;
    jk_rc rc;
    int requests;
    unsigned id; /* 0: none */
    const char *why;
} drops[] = {
    { "GET", 0, "", "da", JK_OK, 2, 306, "a GET is sent again" },
    { "HEAD", 0, "", "da", JK_OK, 2, 306, "a HEAD too" },
    { "POST", 0, "", "da", JK_E_RECV, 1, 306, "a POST is delivered once" },
    { "POST", 10, "", "da", JK_E_RECV, 1, 306, "with a body as well" },
    { "get", 0, "", "da", JK_E_RECV, 1, 306, "'get' is no GET" },
    { "DELETE", 0, "", "da", JK_E_RECV, 1, 306, "idempotent or not: it is no GET" },
    { "GET", 0, "recovery_options=3", "da", JK_E_RECV, 1, 306, "not even a GET" },
    { "GET", 0, "recovery_options=11", "da", JK_E_RECV, 1, 306, "HEAD alone" },
    { "POST", 10, "recovery_options=0", "da", JK_OK, 2, 306, "whoever wants it" },
    { "POST", 10, "recovery_options=0", "ba", JK_E_RECV, 1, 306, "but not once its body was taken" },
    { "GET", 0, "retries=1", "da", JK_E_RECV, 1, 306, "there is one attempt" },
    { "GET", 0, "retries=2", "dda", JK_E_RECV, 2, 306, "there are two" },
    { "GET", 0, "retries=3", "dda", JK_OK, 3, 306, "there are three" },
    { "GET", 0, "", "pa", JK_OK, 2, 306, "the client has nothing of it" },
    { "GET", 0, "", "pa", JK_E_RECV, 1, 307, "the client has a part of it" },
    { "GET", 0, "recovery_options=0", "pa", JK_E_RECV, 1, 307, "whatever the options say" },
};

START_TEST(each_drop_is_sent_again_or_not)
{
    jk_peer *pr = jk_peer_tcp(drops[_i].script);
    client *c = come(pool, drops[_i].method, drops[_i].body);

    c->passed = drops[_i].id == 307;
    jk_rc rc = ask(worker_of(pr, apr_pstrcat(pool, "retry_interval=1 ", drops[_i].keys, NULL)), c);
    ck_assert_msg(rc == drops[_i].rc, "%s: %s", drops[_i].why, jk_outcome_name(rc));
    ck_assert_msg(jk_peer_look(pr, &pr->requests) == drops[_i].requests, "%s: %d requests", drops[_i].why, jk_peer_look(pr, &pr->requests));
    ck_assert_msg(told.n[drops[_i].id] > 0, "%s: %s", drops[_i].why, told.text);
    ck_assert_msg(strstr(told.text, "sending request to tomcat failed") != NULL, "%s", told.text);
    if (rc == JK_OK)
        ck_assert_str_eq(c->body, strcmp(drops[_i].method, "HEAD") ? "hi" : c->body);
}
END_TEST

/* A balancer's budget bounds what its members send again themselves; what was never written costs nothing. */
START_TEST(a_budget_bounds_what_is_sent_again)
{
    jk_shm *shm = jk_shm_private(pool);
    jk_tune none = { .port = 0 };
    jk_stat *lb = jk_stat_make(pool, shm, jk_shm_parent_slot(shm, "lb", JK_WORKER_LB, &none));
    jk_peer *pr = jk_peer_tcp("dada");
    jk_worker *worker = worker_of(pr, "retry_interval=0");

    for (int spent = 0; spent < 2; spent++) {
        client *c = come(pool, "GET", 0);
        jk_worker_begin(worker, &c->run);
        c->run.up->budget = lb;
        c->run.up->budget_percent = 20;
        ck_assert_int_eq(ask(worker, c), spent ? JK_E_RECV : JK_OK);
        for (int64_t s = 0; s < JK_BUDGET_SECONDS; s++) /* the floor of this second, and of those that may come meanwhile */
            while (jk_stat_budget_take(lb, apr_time_sec(apr_time_now()) + s, 20))
                ;
    }
    ck_assert_int_eq(jk_peer_look(pr, &pr->requests), 3);
    ck_assert_uint_eq(jk_stat_read(jk_backend_stat(worker)).count[JK_COUNT_RESENDS], 1);
    ck_assert_uint_eq(jk_stat_read(lb).count[JK_COUNT_REFUSALS], 1);
    ck_assert_int_eq(told.n[210], 1);
    jk_peer *refuses = jk_peer_bind("");
    client *c = come(pool, "GET", 0);
    worker = worker_of(refuses, "retries=4 retry_interval=0");
    jk_worker_begin(worker, &c->run);
    c->run.up->budget = lb;
    c->run.up->budget_percent = 20;
    ck_assert_int_eq(ask(worker, c), JK_E_CONNECT);
    ck_assert_int_eq(c->run.up->attempt, 4);
    ck_assert_int_eq(told.n[210], 1);
}
END_TEST

START_TEST(what_was_dropped_is_sent_again_byte_for_byte)
{
    jk_peer *once = jk_peer_tcp("a"), *twice = jk_peer_tcp("da");

    ck_assert_int_eq(get(worker_of(once, "")), JK_OK);
    ck_assert_int_eq(get(worker_of(twice, "retry_interval=1")), JK_OK);
    ck_assert_int_eq(jk_peer_look(twice, &twice->requests), 2);
    ck_assert_uint_eq(once->nlast, twice->nlast);
    ck_assert_int_eq(memcmp(once->last, twice->last, once->nlast), 0);
}
END_TEST

#define BYTES(s) s, sizeof(s) - 1

static const struct {
    const char *bytes;
    size_t n;
    jk_rc rc;
    unsigned id;
    const char *says, *why;
} odds[] = {
    { BYTES("HTTP/1.1 400 \r\n\r\n"), JK_E_FRAME, 301, "worker.w.port is the port of an HTTP connector", "an HTTP port" },
    { BYTES("\x15\x03\x01\0\x02\x02\x46"), JK_E_FRAME, 302, "the port of an HTTPS connector", "an HTTPS port: a TLS alert" },
    { BYTES("AB\xFF\xFF\x04"), JK_E_FRAME, 303, "wrong message size 65535", "longer than max_packet_size" },
    { BYTES("SSH-2.0-x\r\n"), JK_E_FRAME, 304, "wrong message format 0x5353", "something else" },
    { BYTES("H"), JK_E_FRAME, 304, "wrong message format 0x48 from", "one byte is enough to know" },
    { BYTES("AB\0\0"), JK_E_FRAME, 305, "a message came that is empty", "a packet without content" },
    { BYTES("AB\0\x02\x05\x01"), JK_E_FRAME, 305, "or may not come now", "an end without a beginning" },
    { BYTES("AB\0\x04\x04\0\xC8\x7F"), JK_E_PAYLOAD, 309, "a malformed message", "headers that end too soon" },
    { BYTES("AB\0\x01\x09"), JK_E_PAYLOAD, 309, "a malformed message", "a CPong that nobody asked for" },
};

START_TEST(each_odd_answer_is_named)
{
    jk_peer *pr = jk_peer_tcp("*");

    pr->odd = odds[_i].bytes;
    pr->nodd = odds[_i].n;
    ck_assert_msg(get(worker_of(pr, "retries=1")) == odds[_i].rc, "%s", odds[_i].why);
    ck_assert_msg(told.n[odds[_i].id] == 1, "%s: %s", odds[_i].why, told.text);
    ck_assert_msg(strstr(told.text, odds[_i].says) != NULL, "%s: %s", odds[_i].why, told.text);
}
END_TEST

static const struct {
    const char *method, *keys;
    bool passed;
    jk_rc rc;
    int requests;
    jk_progress progress;
    const char *why;
} heads[] = {
    { "GET", "", false, JK_OK, 2, JK_PROGRESS_ANSWERED, "nobody saw the head: the next container answers" },
    { "HEAD", "", false, JK_OK, 2, JK_PROGRESS_ANSWERED, "likewise" },
    { "GET", "", true, JK_E_PAYLOAD, 1, JK_PROGRESS_ANSWERED, "what was seen is not asked for again" },
    { "GET", "recovery_options=3", false, JK_E_PAYLOAD, 1, JK_PROGRESS_SENT, "the administrator says no" },
    { "POST", "", false, JK_E_PAYLOAD, 1, JK_PROGRESS_CONSUMED, "the head shows that it was done" },
    { "DELETE", "recovery_options=0", false, JK_E_PAYLOAD, 1, JK_PROGRESS_CONSUMED, "even where everything may be sent again" },
};

START_TEST(a_head_that_nobody_saw_is_as_good_as_none)
{
    static const uint8_t bytes[] = { JK_PEER_HEAD(201), 'A', 'B', 0, 1, 9 }; /* a CPong that nobody asked for */
    jk_peer *pr = jk_peer_tcp("*a");
    client *c = come(pool, heads[_i].method, 0);

    pr->odd = (const char *)bytes;
    pr->nodd = sizeof bytes;
    c->passed = heads[_i].passed;
    ck_assert_msg(ask(worker_of(pr, heads[_i].keys), c) == heads[_i].rc, "%s", heads[_i].why);
    ck_assert_msg(jk_peer_look(pr, &pr->requests) == heads[_i].requests, "%s", heads[_i].why);
    ck_assert_msg(c->run.x.progress == heads[_i].progress, "%s", heads[_i].why);
    ck_assert_msg(c->status == (heads[_i].rc == JK_OK ? 200 : heads[_i].passed ? 201 : 0), "%s: %u", heads[_i].why, c->status);
}
END_TEST

START_TEST(a_silent_container_is_given_up)
{
    jk_peer *pr = jk_peer_tcp("s");
    client *c = come(pool, "POST", 0);

    ck_assert_int_eq(ask(worker_of(pr, "reply_timeout=20"), c), JK_E_TIMEOUT);
    jk_peer_await(pr, &pr->hung_up, 1);
    ck_assert_int_eq(told.n[308], 1);
    ck_assert_ptr_nonnull(strstr(told.text, "reply_timeout=20 ms"));
}
END_TEST

START_TEST(socket_timeout_is_named_where_it_is_the_one)
{
    jk_peer *pr = jk_peer_tcp("s");

    ck_assert_int_eq(ask(worker_of(pr, "socket_timeout=1"), come(pool, "POST", 0)), JK_E_RECV);
    ck_assert_int_eq(told.n[306], 1);
    ck_assert_msg(strstr(told.text, "socket_timeout is over") != NULL, "%s", told.text);
}
END_TEST

/* ---- a connector that refuses by itself ---- */

static const struct {
    unsigned status;
    int explained; /* of two */
    unsigned id;
    const char *says;
} selfs[] = {
    { 403, 1, 311, "'secret' is wrong or missing" },
    { 400, 1, 311, "packetSize" },
    { 500, 1, 311, "maxHeaderCount" },
    { 503, 1, 311, "not deployed yet" },
    { 200, 2, 310, "each such answer costs a new connection" },
};

START_TEST(each_refusal_is_explained_and_the_same_one_once)
{
    static uint8_t bytes[] = { JK_PEER_HEAD(200), JK_PEER_END(0) };
    jk_peer *pr = jk_peer_tcp("**");

    bytes[5] = (uint8_t)(selfs[_i].status >> 8);
    bytes[6] = (uint8_t)selfs[_i].status;
    pr->odd = bytes;
    pr->nodd = sizeof bytes;
    jk_worker *worker = worker_of(pr, "");
    for (int i = 0; i < 2; i++) {
        client *c = come(pool, "GET", 0);
        ck_assert_int_eq(ask(worker, c), JK_OK); /* it is an answer */
        ck_assert_uint_eq(c->status, selfs[_i].status);
    }
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 2);
    ck_assert_msg(told.n[selfs[_i].id] == selfs[_i].explained, "%s", told.text);
    ck_assert_msg(strstr(told.text, selfs[_i].says) != NULL, "%s", told.text);
}
END_TEST

/* ---- clients that fail ---- */

START_TEST(a_client_that_fails_before_a_byte_leaves_the_connection_alone)
{
    jk_peer *pr = jk_peer_tcp("aa");
    client *c = come(pool, "POST", 10);

    jk_worker *worker = worker_of(pr, "");
    ck_assert_int_eq(get(worker), JK_OK);
    c->gone_reading = true;
    ck_assert_int_eq(ask(worker, c), JK_E_CLIENT_READ);
    ck_assert_int_eq(get(worker), JK_OK);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 1);
    ck_assert_str_eq(pr->methods, "22");
    ck_assert_uint_lt(told.worst, JK_LOG_WARN);
}
END_TEST

static const struct {
    const char *keys;
    int seen;
    const char *why;
} aborts[] = {
    { "", 0, "in good order" },
    { "recovery_options=31", ECONNRESET, "bit 4: hard" },
};

START_TEST(each_client_that_is_gone_ends_the_connection)
{
    jk_peer *pr = jk_peer_tcp("a");
    client *c = come(pool, "GET", 0);

    c->gone_writing = true;
    ck_assert_int_eq(ask(worker_of(pr, aborts[_i].keys), c), JK_E_CLIENT_WRITE);
    jk_peer_await(pr, &pr->hung_up, 1);
    ck_assert_msg(jk_peer_look(pr, &pr->last_errno) == aborts[_i].seen, "%s: %d", aborts[_i].why, jk_peer_look(pr, &pr->last_errno));
    ck_assert_int_eq(jk_peer_look(pr, &pr->requests), 1);
    ck_assert_uint_lt(told.worst, JK_LOG_WARN);
}
END_TEST

/* ---- a pool with one place ---- */

typedef struct walk {
    jk_worker *worker;
    int requests, good;
} walk;

static void *walker(void *data)
{
    walk *w = data;
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    for (int i = 0; i < w->requests; i++) {
        client *c = come(own, "GET", 0);
        w->good += ask(w->worker, c) == JK_OK && strcmp(c->body, "hi") == 0;
    }
    apr_pool_destroy(own);
    return NULL;
}

#define WALK 200

START_TEST(two_threads_share_one_place)
{
    static char script[2 * WALK + 1];
    pthread_t thread[2];
    walk walks[2];

    memset(script, 'a', 2 * WALK);
    jk_peer *pr = jk_peer_tcp(script);
    jk_worker *worker = worker_of(pr, "connection_pool_size=1 connection_acquire_timeout=20000");
    for (int i = 0; i < 2; i++) {
        walks[i] = (walk){ worker, WALK, 0 };
        ck_assert_int_eq(pthread_create(&thread[i], NULL, walker, &walks[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    ck_assert_msg(walks[0].good == WALK && walks[1].good == WALK, "%d and %d: %s", walks[0].good, walks[1].good, told.text);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 1);
}
END_TEST

static const struct {
    const char *acquire;
    const char *why;
} waits[] = { { "connection_acquire_timeout=0", "not at all" }, { "connection_acquire_timeout=10", "and in vain" } };

START_TEST(each_wait_for_a_busy_pool_ends)
{
    pthread_t thread;
    jk_peer *pr = jk_peer_tcp("wa");

    jk_worker *worker = worker_of(pr, apr_pstrcat(pool, "connection_pool_size=1 ", waits[_i].acquire, NULL));
    walk first = { worker, 1, 0 };
    ck_assert_int_eq(pthread_create(&thread, NULL, walker, &first), 0);
    jk_peer_await(pr, &pr->requests, 1);
    client *second = come(pool, "GET", 0);
    second->run.status = 404; /* another member's answer, which was withheld: not this one's */
    ck_assert_msg(ask(worker, second) == JK_E_BUSY, "%s", waits[_i].why);
    ck_assert_uint_eq(totals(worker).failed[JK_E_BUSY], 1);
    ck_assert_uint_eq(totals(worker).answers[4], 0);
    ck_assert_uint_eq(jk_stat_read(jk_backend_stat(worker)).waiting, 0);
    ck_assert_msg(told.n[203] == 1, "%s", told.text);
    ck_assert_ptr_nonnull(strstr(told.text, "from 1 slots"));
    jk_peer_count(pr, &pr->gos);
    pthread_join(thread, NULL);
    ck_assert_int_eq(first.good, 1);
    ck_assert_int_eq(get(worker), JK_OK);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), 1);
}
END_TEST

static const struct {
    const char *script;
    int good, accepted;
    const char *why;
} grants[] = { { "wa", 1, 1, "the connection itself" }, { "ha", 0, 2, "its place, to open another" } };

START_TEST(each_who_waits_is_granted_something)
{
    jk_peer *pr = jk_peer_tcp(grants[_i].script);
    client *c = come(pool, "GET", 0);
    pthread_t thread;

    jk_worker *worker = worker_of(pr, "connection_pool_size=1 connection_acquire_timeout=20000 recovery_options=3");
    walk first = { worker, 1, 0 };
    ck_assert_int_eq(pthread_create(&thread, NULL, walker, &first), 0);
    jk_peer_await(pr, &pr->requests, 1);
    jk_worker_begin(worker, &c->run);
    ck_assert_int_eq(worker->type->step(worker, &c->run), JK_AGAIN);
    ck_assert_int_eq(c->run.wait.what, JK_WAIT_SLOT);
    ck_assert_uint_eq(jk_stat_read(jk_backend_stat(worker)).waiting, 1);
    jk_peer_count(pr, &pr->gos);
    ck_assert_msg(ask(worker, c) == JK_OK, "%s: %s", grants[_i].why, told.text);
    pthread_join(thread, NULL);
    ck_assert_int_gt(c->run.spent[JK_LEG_QUEUE], 0);
    ck_assert_uint_eq(totals(worker).closed[JK_CLOSE_FAILED], !grants[_i].good);
    ck_assert_int_eq(first.good, grants[_i].good);
    ck_assert_int_eq(jk_peer_look(pr, &pr->accepted), grants[_i].accepted);
}
END_TEST

/* A pool and an empty log for each test. Idle connections are closed when the pool goes, and the container then goes home. */
static void begin(void)
{
    apr_pool_create(&pool, NULL);
    forget_lines();
}

static void end(void)
{
    apr_pool_destroy(pool);
    jk_peer_stop_all();
}

static void add_failures(TCase *t)
{
    tcase_add_loop_test(t, a_refused_port_is_tried_as_often_as_retries_says, 0, COUNT(refusals));
    tcase_add_test(t, only_refusals_are_counted_as_such);
    tcase_add_test(t, room_is_within_both_limits);
    tcase_add_test(t, a_refused_worker_comes_back_when_the_port_does);
    tcase_add_test(t, a_host_that_does_not_answer_is_given_up);
    tcase_add_test(t, an_unresolvable_host_is_looked_up_once);
    tcase_add_test(t, a_path_too_long_for_a_unix_socket_is_told);
    tcase_add_loop_test(t, each_drop_is_sent_again_or_not, 0, COUNT(drops));
    tcase_add_test(t, a_budget_bounds_what_is_sent_again);
    tcase_add_test(t, what_was_dropped_is_sent_again_byte_for_byte);
    tcase_add_loop_test(t, a_head_that_nobody_saw_is_as_good_as_none, 0, COUNT(heads));
    tcase_add_loop_test(t, each_odd_answer_is_named, 0, COUNT(odds));
    tcase_add_test(t, a_silent_container_is_given_up);
    tcase_add_test(t, socket_timeout_is_named_where_it_is_the_one);
    tcase_add_loop_test(t, each_refusal_is_explained_and_the_same_one_once, 0, COUNT(selfs));
}

int main(void)
{
    Suite *s = suite_create("backend");
    TCase *t = tcase_create("backend");

    apr_initialize();
    tcase_set_timeout(t, 30); /* a name service may be slow to say no */
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, the_second_request_takes_the_same_connection);
    tcase_add_test(t, the_secret_goes_along);
    tcase_add_test(t, a_body_is_delivered_with_its_request);
    tcase_add_loop_test(t, each_dead_idle_connection_is_replaced_and_no_attempt_counted, 0, COUNT(idles));
    tcase_add_test(t, disable_reuse_closes_after_each_answer);
    tcase_add_test(t, idle_connections_to_the_old_address_were_not_dead);
    tcase_add_test(t, a_connection_that_was_lent_before_the_address_changed_was_not_dead);
    tcase_add_test(t, those_of_a_member_that_is_removed_were_not_old);
    add_failures(t);
    tcase_add_test(t, a_client_that_fails_before_a_byte_leaves_the_connection_alone);
    tcase_add_loop_test(t, each_client_that_is_gone_ends_the_connection, 0, COUNT(aborts));
    tcase_add_test(t, two_threads_share_one_place);
    tcase_add_loop_test(t, each_wait_for_a_busy_pool_ends, 0, COUNT(waits));
    tcase_add_loop_test(t, each_who_waits_is_granted_something, 0, COUNT(grants));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
