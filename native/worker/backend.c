/* native/worker/backend.c - takes a run to one container: a connection, the exchange, and another attempt where that is
 * allowed. The stages of a run here:
 *
 *   BEGIN -> LEND -> idle? ----------------------> BODY -> LOOK -> PING -> RUN -> done
 *            ^  +--> CONNECT -> GREET (CPing) -----^        |       |       |
 *            |          ^-- a connection of the pool was dead: a new one ---+       |
 *            +-------- PAUSE (retry_interval), while balance/retry allows it -------+
 *
 * LOOK and PING come directly before the request is written, and after the client's first body packet was read: that may have
 * taken a while. */
#include "jk/worker/backend.h"

#include "complain.h"
#include "where.h"

#include "jk/balance/retry.h"
#include "jk/net/upkeep.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdatomic.h>

enum { BEGIN, LEND, SLOT, CONNECT, GREET, BODY, LOOK, PING, PINGING, RUN, PAUSE };

#define ROOM_EVERY apr_time_from_msec(20)   /* how often room under max_connections is asked for */
#define SURELY_ALIVE apr_time_from_sec(1)   /* a connection that was used this short a time ago needs no safe ping */

/* The limits as this process knows them. Never changed: an edit leads to another one, and the old one stays, some 60 bytes for each
 * edit, since a request may be reading it (kept.h). */
typedef struct picture {
    uint32_t version;
    jk_limits limits;
} picture;

typedef struct jk_backend {
    jk_worker worker;
    jk_stat *stat; /* shared with the other processes */
    bool is_member; /* a balancer keeps its state */
    jk_pool *pool; /* of this process; NULL before child_init */
    jk_sock_options options;
    jk_addr source;
    jk_kept *kept;                      /* what edits made */
    jk_where home;                      /* where the container was when this configuration began */
    _Atomic(jk_where *) where;          /* where it is */
    volatile apr_uint32_t refusal_told; /* s, when a refusal was explained last */
    picture first;                      /* as the process began */
    _Atomic(const picture *) picture;   /* NULL: before child(), when there are no requests */
} jk_backend;

static jk_backend *backend_of(const jk_worker *worker)
{
    return worker->own;
}

/* ---- the address ---- */

static jk_where *where_of(const jk_backend *backend)
{
    return atomic_load_explicit(&backend->where, memory_order_acquire);
}

/* For log lines. */
static const char *address(const jk_backend *backend)
{
    return where_of(backend)->addr.text;
}

static void tell_unresolved(const jk_backend *backend, const jk_log *log, const char *why)
{
    const char *name = backend->worker.name;

    JK_ERROR(log, 201, "(%s) can't resolve tomcat address %s: %s; check worker.%s.host and the name service; it is looked up "
             "again in a while", name, where_of(backend)->host, why, name);
}

/* The values in force were edited: perhaps the container is elsewhere now. What is connected to the old place is of no use any more: idle
 * connections are closed, those in use when they come back. */
static void follow_address(jk_backend *backend)
{
    jk_where *was = where_of(backend), *fresh;
    jk_tune tune;

    jk_stat_tune_read(backend->stat, &tune);
    if (jk_where_is(was, &tune))
        return;
    fresh = jk_where_make(backend->kept, &tune, backend->worker.conf->prefer_ipv6);
    if (fresh == NULL || !atomic_compare_exchange_strong(&backend->where, &was, fresh))
        return; /* somebody else was first */
    if (backend->pool)
        jk_upkeep_empty(backend->pool);
}

static jk_rc ensure_address(jk_backend *backend, const jk_log *log)
{
    jk_where *where = where_of(backend);
    const char *why;

    if (jk_where_known(where))
        return JK_OK;
    if (jk_where_look_up(where, &why) == JK_E_RESOLVE)
        tell_unresolved(backend, log, why);
    return jk_where_known(where) ? JK_OK : JK_E_RESOLVE;
}

/* ---- one attempt ---- */

/* Why a connection is closed with which something was done. */
static jk_close_why why_closed(const jk_run *run)
{
    if (run->stage != JK_STAGE_END)
        return JK_CLOSE_FAILED;
    return !run->x.keep ? JK_CLOSE_CONTAINER : jk_run_reusable(run) ? JK_CLOSE_UNWANTED : JK_CLOSE_FAILED;
}

/* The attempt's connection goes back, or is closed and its place freed. A leg has just ended: that is now. */
static void put_away(jk_backend *backend, jk_run *run, bool reusable, bool hard)
{
    if (run->conn && reusable && run->conn->to == where_of(backend)) {
        jk_pool_give_back(backend->pool, &run->conn, run->since);
        run->up->has_place = false;
        return;
    }
    if (run->conn) {
        run->conn->why = why_closed(run);
        jk_conn_close(&run->conn, hard);
    }
    if (run->up->has_place)
        jk_pool_free_place(backend->pool);
    run->up->has_place = false;
}

/* It waits without a connection; the books are told once. */
static void queue(jk_backend *backend, jk_run *run)
{
    if (!run->up->queued)
        jk_stat_wait(backend->stat);
    run->up->queued = true;
}

static __attribute__((noinline)) void leave_queue(jk_backend *backend, jk_run *run)
{
    jk_run_enter(run, JK_LEG_QUEUE);
    jk_stat_waited(backend->stat);
    run->up->queued = false;
}

static jk_rc slot_wait(jk_backend *backend, jk_run *run)
{
    queue(backend, run);
    run->up->stage = SLOT;
    run->wait = (jk_wait){ JK_WAIT_SLOT, -1, run->up->slot_until, false };
    return JK_AGAIN;
}

static jk_rc no_slot(jk_backend *backend, jk_run *run)
{
    jk_pool_counts n = jk_pool_count(backend->pool);

    jk_pool_give_up(backend->pool, &run->up->waiter);
    JK_WARN(run->log, 203, "(%s) Unable to get the free endpoint for worker %s from %u slots: all are busy; raise "
            "worker.%s.connection_pool_size or connection_acquire_timeout", backend->worker.name, backend->worker.name, n.open,
            backend->worker.name);
    return JK_E_BUSY;
}

/* Who has not waited has been in no queue: what little has passed belongs to what follows. */
static inline jk_rc lent(jk_run *run)
{
    run->up->has_place = true;
    run->up->slot_until = 0;
    run->up->fresh = run->up->pinged = false;
    run->up->stage = run->conn ? BODY : CONNECT;
    run->leg = run->conn ? JK_LEG_SEND : JK_LEG_CONNECT;
    jk_run_attempt(run);
    return JK_OK;
}

/* Is there time left to wait for a connection? The first who asks begins the time. */
static bool may_wait(jk_run *run)
{
    apr_time_t now = apr_time_now();

    if (run->up->slot_until == 0)
        run->up->slot_until = now + (apr_time_t)run->up->limits->connection_acquire_timeout * 1000;
    return now < run->up->slot_until;
}

static jk_rc lend(jk_backend *backend, jk_run *run)
{
    run->up->waiter.wake = NULL; /* of a wait before this one */
    if (jk_pool_lend(backend->pool, &run->up->waiter, &run->conn) == JK_OK)
        return lent(run);
    return may_wait(run) ? slot_wait(backend, run) : no_slot(backend, run);
}

static jk_rc slot(jk_backend *backend, jk_run *run)
{
    if (jk_pool_granted(backend->pool, &run->up->waiter, &run->conn) != JK_OK)
        return jk_run_late(run, apr_time_now()) ? no_slot(backend, run) : slot_wait(backend, run);
    leave_queue(backend, run);
    return lent(run);
}

/* A connection of the pool is no good, since it is dead or leads to where the container was: a new one is made in its place, which counts as no
 * attempt. Those that lie behind it in the pool are looked at by their own borrowers and by the upkeep. */
static jk_rc replace(jk_backend *backend, jk_run *run, jk_close_why why)
{
    jk_run_enter(run, JK_LEG_CONNECT);
    run->conn->why = why;
    jk_conn_close(&run->conn, false);
    if (why == JK_CLOSE_DEAD)
        jk_pool_found_dead(backend->pool);
    run->up->stage = CONNECT;
    return JK_OK;
}

/* ---- pings ---- */

static jk_rc ping(jk_run *run, int stage, int ms)
{
    jk_ping_start(&run->up->ping);
    run->up->ping_ms = ms;
    run->up->stage = stage;
    jk_run_enter(run, JK_LEG_PING);
    run->wait = (jk_wait){ JK_WAIT_BACKEND_READ, run->conn->fd, run->since + (apr_time_t)ms * 1000, false };
    return JK_OK;
}

static jk_rc ping_step(jk_backend *backend, jk_run *run, int next)
{
    jk_rc rc = jk_ping_step(&run->up->ping, run->conn->fd, run->max_packet, &run->err);

    if (rc == JK_AGAIN && !jk_run_late(run, apr_time_now()))
        return JK_AGAIN; /* run->wait still stands */
    if (rc == JK_OK) {
        jk_run_enter(run, JK_LEG_SEND);
        run->up->pinged = true;
        run->up->stage = next;
        return JK_OK;
    }
    if (rc == JK_AGAIN)
        run->err = ETIMEDOUT;
    run->odd_len = run->err == EPROTO ? run->up->ping.got : 0;
    memcpy(run->odd, run->up->ping.head, run->odd_len);
    if (run->up->fresh)
        return JK_E_PING;
    jk_complain(&backend->worker, address(backend), run, JK_E_PING);
    return replace(backend, run, JK_CLOSE_DEAD);
}

/* Would a connection that dies under the request lose it? Else every race with the container's own idle close would be a 502. */
static bool needs_safe_ping(const jk_backend *backend, const jk_run *run)
{
    const jk_worker_conf *conf = backend->worker.conf;

    if (!conf->safe_ping || jk_retry_may(JK_E_RECV, JK_RETRY_SENT, jk_retry_method_of(run->rq->method), (unsigned)run->up->limits->recovery_options))
        return false;
    return apr_time_now() - run->conn->idle_since >= SURELY_ALIVE;
}

/* ---- before the request is written ---- */

static jk_rc body(jk_run *run)
{
    jk_rc rc = jk_run_prepare(run);

    if (rc == JK_OK) /* nothing has passed since the connect where there was no body to wait for */
        run->up->stage = run->up->fresh && run->rq->body == JK_BODY_NONE ? PING : LOOK;
    return rc;
}

static void tell_look(const jk_backend *backend, const jk_run *run, jk_look seen)
{
    if (seen == JK_LOOK_BYTES)
        JK_WARN(run->log, 312, "(%s) data was waiting on an idle connection to %s that nobody asked for: the connection is dropped, nobody "
                "gets them; the container wrote after its END_RESPONSE", backend->worker.name, address(backend));
    else
        JK_DEBUG(run->log, "(%s) an idle connection to %s had been closed by the container", backend->worker.name, address(backend));
}

/* A connection found dead is replaced at once; one that we have just made was an attempt. */
static jk_rc look(jk_backend *backend, jk_run *run)
{
    jk_look seen;

    if (!run->up->fresh && run->conn->to != where_of(backend)) /* the container is elsewhere now */
        return replace(backend, run, JK_CLOSE_UNWANTED);
    seen = jk_sock_look(run->conn->fd);
    run->up->stage = PING;
    if (seen == JK_LOOK_QUIET || (seen == JK_LOOK_BYTES && run->up->fresh)) /* who speaks first is no AJP13 connector: the answer tells what it is */
        return JK_OK;
    tell_look(backend, run, seen);
    if (!run->up->fresh)
        return replace(backend, run, JK_CLOSE_DEAD);
    run->err = ECONNRESET;
    return JK_E_SEND;
}

static jk_rc last_ping(jk_backend *backend, jk_run *run)
{
    const jk_limits *limits = run->up->limits;

    run->up->stage = RUN;
    if (limits->prepost_timeout > 0 && !(run->up->fresh && run->up->pinged))
        return ping(run, PINGING, limits->prepost_timeout);
    if (!run->up->fresh && limits->prepost_timeout <= 0 && needs_safe_ping(backend, run))
        return ping(run, PINGING, limits->ping_timeout);
    return JK_OK;
}

/* ---- connecting ---- */

static jk_rc connected(jk_backend *backend, jk_run *run)
{
    int ms = run->up->limits->connect_timeout;
    apr_time_t from = run->since;

    jk_run_enter(run, JK_LEG_SEND);
    jk_stat_took(backend->stat, JK_TIME_CONNECT, run->since - from);
    jk_pool_opened(backend->pool);
    jk_stat_add(backend->stat, JK_COUNT_CONNECTS, 1);
    run->conn->made = true;
    run->up->fresh = true;
    run->up->pinged = false;
    if (ms > 0)
        return ping(run, GREET, ms);
    run->up->stage = BODY;
    return JK_OK;
}

_Static_assert((int)JK_CLOSE_WHYS == JK_STAT_CLOSED && JK_CLOSE_EXIT == 0, "the books have a place for each reason");

static void disconnected(void *ctx, const jk_conn *conn)
{
    if (conn->made)
        jk_stat_closed(ctx, conn->why);
    jk_stat_disconnect(ctx);
}

/* max_connections is reached. A process that closes one cannot wake us: it is asked for now and then, and of our own pool too. */
static jk_rc no_room(jk_backend *backend, jk_run *run)
{
    put_away(backend, run, false, false);
    if (!may_wait(run)) {
        JK_WARN(run->log, 208, "(%s) max_connections=%d reached: so many connections are open, all processes together; raise "
                "worker.%s.max_connections, within the connector's maxConnections", backend->worker.name, run->up->limits->max_connections,
                backend->worker.name);
        return JK_E_BUSY;
    }
    run->up->stage = PAUSE;
    queue(backend, run);
    jk_run_enter(run, JK_LEG_QUEUE);
    run->wait = (jk_wait){ JK_WAIT_TIMER, -1, run->since + ROOM_EVERY, false };
    return JK_AGAIN;
}

static jk_rc open_conn(jk_backend *backend, jk_run *run)
{
    int fd, ms = backend->options.connect_timeout;
    jk_rc rc = ensure_address(backend, run->log);
    const jk_where *where = where_of(backend); /* if it was edited just now: looked up with the next attempt */

    if (rc != JK_OK || !jk_where_known(where))
        return rc != JK_OK ? rc : JK_E_RESOLVE;
    if (!jk_stat_connect_within(backend->stat, run->up->limits->max_connections > 0 ? (uint32_t)run->up->limits->max_connections : 0))
        return no_room(backend, run);
    JK_DEBUG(run->log, "(%s) no usable connection found, will create a new one to %s", backend->worker.name, address(backend));
    rc = jk_sock_open(&where->addr, &backend->options, &fd, &run->err);
    if (rc == JK_OK || rc == JK_AGAIN)
        run->conn = jk_conn_make(fd, &backend->options);
    if (run->conn == NULL) {
        jk_stat_disconnect(backend->stat);
        if (fd < 0)
            return rc;
        jk_sock_close(fd);
        return JK_E_MEMORY;
    }
    run->conn->gone = disconnected;
    run->conn->gone_ctx = backend->stat;
    run->conn->to = where;
    if (rc == JK_OK)
        return connected(backend, run);
    run->wait = (jk_wait){ JK_WAIT_BACKEND_WRITE, fd, ms > 0 ? apr_time_now() + (apr_time_t)ms * 1000 : 0, false };
    return JK_AGAIN;
}

static jk_rc connect_step(jk_backend *backend, jk_run *run)
{
    if (run->conn == NULL)
        return open_conn(backend, run);
    if (!jk_sock_wait(run->conn->fd, true, 0)) {
        if (!jk_run_late(run, apr_time_now()))
            return JK_AGAIN; /* run->wait still stands */
        run->err = ETIMEDOUT;
        return JK_E_CONNECT;
    }
    jk_rc rc = jk_sock_opened(run->conn->fd, &backend->options, &run->err);
    return rc == JK_OK ? connected(backend, run) : rc;
}

/* ---- after an attempt ---- */

static jk_rc pause_or_lend(jk_backend *backend, jk_run *run)
{
    int ms = run->up->limits->retry_interval;

    if (ms <= 0) {
        run->up->stage = LEND;
        return JK_OK;
    }
    run->up->stage = PAUSE;
    queue(backend, run);
    run->wait = (jk_wait){ JK_WAIT_TIMER, -1, run->since + (apr_time_t)ms * 1000, false };
    return JK_AGAIN;
}

/* What was written once may be written again only so often (balance/budget): else a slow container gets twice the load. */
static bool within_budget(jk_backend *backend, jk_run *run)
{
    jk_visit *up = run->up;

    if (run->x.progress == JK_PROGRESS_NONE)
        return true;
    if (up->budget && !jk_stat_budget_take(up->budget, apr_time_sec(apr_time_now()), up->budget_percent)) {
        jk_stat_add(up->budget, JK_COUNT_REFUSALS, 1);
        JK_WARN(run->log, 210, "(%s) not sent again: more than %d%% of the requests of the last seconds were sent again already (retry_budget); "
                "the containers are slow or ill", backend->worker.name, up->budget_percent);
        return false;
    }
    jk_stat_add(backend->stat, JK_COUNT_RESENDS, 1);
    return true;
}

static bool is_refusal(jk_rc rc, int err)
{
    return rc == JK_E_CONNECT && (err == ECONNREFUSED || err == EHOSTUNREACH || err == ENETUNREACH);
}

/* A head of which nothing was passed on is as good as none; but it shows that what the request asks for was done. */
static void take_back(jk_run *run)
{
    bool answered = run->x.progress == JK_PROGRESS_ANSWERED;

    jk_run_forget(run);
    if (answered && run->x.progress == JK_PROGRESS_SENT && jk_retry_method_of(run->rq->method) == JK_RETRY_OTHER)
        run->x.progress = JK_PROGRESS_CONSUMED;
}

static jk_rc failed(jk_backend *backend, jk_run *run, jk_rc rc)
{
    const jk_limits *limits = run->up->limits;
    const char *name = backend->worker.name;
    bool untouched = run->up->stage == BODY && jk_outcome_blame(rc) == JK_BLAME_CLIENT;
    bool hard = jk_outcome_blame(rc) == JK_BLAME_CLIENT && (limits->recovery_options & JK_RECOVER_HARD_CLOSE);

    if (jk_outcome_blame(rc) == JK_BLAME_BACKEND)
        take_back(run);
    jk_complain(&backend->worker, address(backend), run, rc);
    jk_run_enter(run, JK_LEG_QUEUE);
    jk_stat_fail(backend->stat, rc);
    put_away(backend, run, untouched || (rc == JK_E_STATUS && jk_run_reusable(run) && !run->no_reuse), hard);
    run->up->attempt++;
    run->up->refusals = is_refusal(rc, run->err) ? run->up->refusals + 1 : 0;
    bool again = jk_retry_may(rc, (jk_retry_stage)run->x.progress, jk_retry_method_of(run->rq->method), (unsigned)limits->recovery_options);
    if (jk_outcome_blame(rc) == JK_BLAME_BACKEND)
        JK_INFO(run->log, "(%s) sending request to tomcat failed (%s), %s (attempt=%d)", name, again ? "recoverable" : "unrecoverable",
                jk_outcome_words(rc), run->up->attempt);
    if (again && run->up->attempt < limits->retries && within_budget(backend, run)) {
        jk_stat_add(backend->stat, JK_COUNT_RETRIES, 1);
        return pause_or_lend(backend, run);
    }
    if (again)
        JK_ERROR(run->log, 204, "(%s) connecting to tomcat failed (rc=%s, errors=%d, client_errors=0): %d attempts were made", name,
                 jk_outcome_name(rc), run->up->attempt, run->up->attempt);
    return rc;
}

static jk_rc succeeded(jk_backend *backend, jk_run *run)
{
    if (!run->x.keep)
        jk_stat_add(backend->stat, JK_COUNT_REJECTS, 1);
    if (!run->x.keep)
        jk_complain_refusal(&backend->worker, address(backend), run, &backend->refusal_told);
    jk_run_enter(run, JK_LEG_QUEUE);
    put_away(backend, run, jk_run_reusable(run) && !run->no_reuse, false);
    return JK_OK;
}

/* ---- the books ---- */

/* The one end of what begin() counted. A leg has just ended. */
static void leave(jk_backend *backend, jk_run *run)
{
    jk_visit *up = run->up;

    if (!up->counted)
        return;
    up->counted = false;
    if (up->queued)
        leave_queue(backend, run);
    jk_stat_leave(backend->stat, &(jk_stat_visit){ .read = run->read - up->read_before, .written = run->written - up->written_before,
                                                   .first = run->first, .total = run->since - (up->began ? up->began : run->begun),
                                                   .status = run->status });
}

static jk_rc enter(jk_backend *backend, jk_run *run)
{
    int32_t limit = run->up->limits->busy_limit;

    if (!jk_stat_begin_within(backend->stat, limit > 0 ? (uint32_t)limit : 0)) {
        JK_ERROR(run->log, 207, "(%s) busy limit %d reached: so many requests are there, all processes together; raise worker.%s.busy_limit, or look "
                 "why the container is slow", backend->worker.name, limit, backend->worker.name);
        return JK_E_BUSY;
    }
    run->up->counted = true;
    jk_stat_add(backend->stat, JK_COUNT_SERVED, 1);
    return JK_OK;
}

/* Two threads that see an edit at once make two, and one is in force. Without memory the old one stays in force. */
static const jk_limits *take_picture(jk_backend *backend, const picture *before)
{
    picture *made = jk_kept_take(backend->kept, sizeof *made);

    if (made == NULL)
        return &before->limits;
    made->version = jk_stat_tune_version(backend->stat); /* before the values: an edit meanwhile is seen by the next */
    jk_stat_limits_read(backend->stat, &made->limits);
    follow_address(backend);
    if (atomic_compare_exchange_strong(&backend->picture, &before, made))
        return &made->limits;
    return &before->limits;
}

static const jk_limits *limits_now(jk_backend *backend)
{
    const picture *known = atomic_load_explicit(&backend->picture, memory_order_acquire);

    return known->version == jk_stat_tune_version(backend->stat) ? &known->limits : take_picture(backend, known);
}

/* What the rule or the environment says beats the worker. */
static void take_wish(jk_run *run, const jk_wish *wish)
{
    if (wish->reply_timeout >= 0)
        run->reply_timeout = wish->reply_timeout;
    if (wish->fail_on_status) {
        run->fail_on = (const int32_t *)wish->fail_on_status->elts;
        run->nfail_on = wish->fail_on_status->nelts;
    }
}

static jk_rc begin(jk_backend *backend, jk_run *run)
{
    const jk_worker_conf *conf = backend->worker.conf;
    jk_rc rc;

    run->up->limits = limits_now(backend);
    run->status = 0; /* that of a member before is not this one's */
    run->worker = conf->name;
    run->max_packet = (size_t)run->up->limits->max_packet_size;
    run->reply_timeout = run->up->limits->reply_timeout;
    run->socket_timeout = conf->socket_timeout;
    run->rq->secret = *conf->secret ? jk_span_of(conf->secret) : JK_SPAN_NONE; /* not that of a member before */
    run->rq->stored_methods = conf->stored_methods;
    run->fail_on = (const int32_t *)conf->fail_on_status->elts;
    run->nfail_on = conf->fail_on_status->nelts;
    if (run->wish)
        take_wish(run, run->wish);
    run->up->worker = &backend->worker;
    run->up->stage = LEND;
    rc = enter(backend, run);
    return rc == JK_OK ? jk_run_encode(run) : rc;
}

static jk_rc one_stage(jk_backend *backend, jk_run *run)
{
    switch (run->up->stage) {
    case BEGIN:
        return begin(backend, run);
    case LEND:
        return lend(backend, run);
    case SLOT:
        return slot(backend, run);
    case CONNECT:
        return connect_step(backend, run);
    case GREET:
        return ping_step(backend, run, BODY);
    case BODY:
        return body(run);
    case LOOK:
        return look(backend, run);
    case PING:
        return last_ping(backend, run);
    case PINGING:
        return ping_step(backend, run, RUN);
    case PAUSE:
        if (!jk_run_late(run, apr_time_now()))
            return JK_AGAIN;
        leave_queue(backend, run);
        run->up->stage = LEND;
        return JK_OK;
    default:
        return jk_run_crank(run);
    }
}

/* The request is done with this container. */
static void over(jk_backend *backend, jk_run *run, jk_rc rc)
{
    leave(backend, run);
    if (rc == JK_OK && jk_stat_state(backend->stat) == JK_STATE_OK) /* as nearly always */
        return;
    if (jk_outcome_blame(rc) == JK_BLAME_BACKEND)
        jk_stat_failed(backend->stat, rc, run->err);
    if (!backend->is_member && rc != JK_E_BUSY)
        jk_stat_alone(backend->stat, jk_member_news_of(rc, run->soft), apr_time_sec(run->begun));
}

static jk_rc step(const jk_worker *worker, jk_run *run)
{
    jk_backend *backend = backend_of(worker);

    for (;;) {
        int stage = run->up->stage;
        jk_rc rc = one_stage(backend, run);
        if (rc == JK_OK && stage == RUN)
            rc = succeeded(backend, run);
        else if (rc == JK_OK)
            continue;
        else if (rc != JK_AGAIN && stage == BEGIN)
            jk_stat_fail(backend->stat, rc);
        else if (rc != JK_AGAIN && (rc = failed(backend, run, rc)) == JK_OK)
            continue;
        if (rc != JK_AGAIN)
            over(backend, run, rc);
        return rc;
    }
}

static void wait_slot(const jk_worker *worker, jk_run *run)
{
    jk_pool_wait(backend_of(worker)->pool, &run->up->waiter, run->wait.until);
}

static jk_rc wake_on_slot(const jk_worker *worker, jk_run *run, void (*wake)(void *ctx), void *ctx)
{
    return jk_pool_wake_by(backend_of(worker)->pool, &run->up->waiter, wake, ctx);
}

static void finish(const jk_worker *worker, jk_run *run)
{
    jk_backend *backend = backend_of(worker);

    if (run->up->worker != worker)
        return;
    if (run->up->stage == SLOT)
        jk_pool_give_up(backend->pool, &run->up->waiter);
    if (run->up->counted) { /* torn down */
        jk_run_enter(run, JK_LEG_QUEUE);
        jk_stat_fail(backend->stat, JK_E_CLIENT_ABORT);
    }
    put_away(backend, run, false, false);
    leave(backend, run);
}

/* ---- outside of requests ---- */

static void set_source(jk_backend *backend, const jk_log *log)
{
    const jk_worker_conf *conf = backend->worker.conf;
    const char *why;

    if (*conf->source == '\0' || conf->unix_path)
        return;
    if (jk_sock_resolve(conf->source, 0, conf->prefer_ipv6, &backend->source, &why) == JK_OK)
        backend->options.source = &backend->source;
    else
        JK_WARN(log, 206, "(%s) can't resolve source address %s: %s; connections are made from any address; correct worker.%s.source",
                conf->name, conf->source, why, conf->name);
}

static void ready(jk_worker *worker, apr_pool_t *p, jk_shm *shm, const jk_log *log)
{
    jk_backend *backend = backend_of(worker);
    uint32_t slot = jk_shm_parent_slot(shm, worker->slot, (int)worker->conf->kind, &worker->conf->tune);
    const char *why;
    jk_tune tune;

    if (slot == JK_SHM_FULL) {
        JK_WARN(log, 209, "(%s) the shared memory has no room for this worker: its limits hold for each process alone, and nothing of it is kept "
                "over a restart; stop and start the server, or raise JkShmSize", worker->name);
        shm = jk_shm_private(p);
        slot = jk_shm_parent_slot(shm, worker->slot, (int)worker->conf->kind, &worker->conf->tune);
    }
    backend->stat = jk_stat_make(p, shm, slot);
    set_source(backend, log);
    jk_stat_tune_read(backend->stat, &tune);
    jk_where_init(&backend->home, &tune, worker->conf->prefer_ipv6);
    atomic_store(&backend->where, &backend->home);
    if (*worker->conf->name == '\0' && *tune.name == '\0') /* a place without a member */
        return;
    if (jk_where_look_up(where_of(backend), &why) == JK_E_RESOLVE)
        tell_unresolved(backend, log, why);
}

static jk_rc child(jk_worker *worker, apr_pool_t *p, const jk_log *log)
{
    jk_backend *backend = backend_of(worker);

    (void)log;
    follow_address(backend); /* it may have been edited since ready() */
    backend->first.version = jk_stat_tune_version(backend->stat);
    jk_stat_limits_read(backend->stat, &backend->first.limits);
    atomic_store(&backend->picture, &backend->first);
    backend->pool = jk_pool_make(p, worker->conf->connection_pool_size > 0 ? (unsigned)worker->conf->connection_pool_size : 0);
    return backend->pool ? JK_OK : JK_E_MEMORY;
}

/* How many connections idle closing leaves open: half of the pool, or of what it has ever been where it has no size. */
static unsigned kept_open(const jk_backend *backend)
{
    const jk_worker_conf *conf = backend->worker.conf;
    unsigned size = conf->connection_pool_size > 0 ? (unsigned)conf->connection_pool_size : jk_pool_count(backend->pool).most_open;

    return conf->connection_pool_minsize >= 0 ? (unsigned)conf->connection_pool_minsize : (size + 1) / 2;
}

static void maintain(jk_backend *backend, apr_time_t now, const jk_log *log)
{
    const jk_worker_conf *conf = backend->worker.conf;
    unsigned aged = 0, asked = 0, dead = 0;
    jk_limits limits;

    jk_stat_limits_read(backend->stat, &limits);
    if (limits.connection_pool_timeout > 0)
        aged = jk_upkeep_age(backend->pool, now, apr_time_from_sec(limits.connection_pool_timeout), kept_open(backend));
    if (limits.connection_ping_interval > 0)
        jk_upkeep_probe(backend->pool, apr_time_from_sec(limits.connection_ping_interval), limits.ping_timeout, &asked, &dead);
    if (dead)
        JK_INFO(log, "(%s) keepalive cping/cpong failure: %u of %u idle connections to %s did not answer within %d ms and are closed",
                conf->name, dead, asked, address(backend), limits.ping_timeout);
    if (aged || asked)
        JK_DEBUG(log, "(%s) maintenance: %u idle connections closed for their age, %u pinged", conf->name, aged, asked);
}

/* Where no more may be opened, those that nobody uses in this process are closed for the sake of others. */
static void make_room(jk_backend *backend, apr_time_t now)
{
    jk_limits limits;

    jk_stat_limits_read(backend->stat, &limits);
    if (limits.max_connections > 0 && jk_stat_connected(backend->stat) >= (uint32_t)limits.max_connections)
        (void)jk_upkeep_age(backend->pool, now, SURELY_ALIVE, 0);
}

static void tend(jk_worker *worker, const jk_tend *what, const jk_log *log)
{
    jk_backend *backend = backend_of(worker);
    const char *why;

    if (backend->pool == NULL)
        return;
    (void)limits_now(backend); /* an edit is heard of where there are no requests, too */
    if (what->look && !jk_where_known(where_of(backend)) && jk_where_look_up(where_of(backend), &why) == JK_OK)
        JK_INFO(log, "(%s) tomcat address %s is resolved now: %s", worker->name, where_of(backend)->host, address(backend));
    if (what->look) {
        unsigned unasked, closed = jk_upkeep_look(backend->pool, &unasked);
        if (unasked)
            JK_WARN(log, 211, "(%s) data was waiting on %u idle connections to %s that nobody asked for: they are closed, nobody gets them; the "
                    "container wrote after its END_RESPONSE", worker->name, unasked, address(backend));
        if (closed)
            JK_DEBUG(log, "(%s) %u idle connections had been closed by the container", worker->name, closed);
        make_room(backend, what->now);
    }
    if (what->maintain)
        maintain(backend, what->now, log);
}

const jk_worker_type jk_backend_type = { "ajp13", step, wait_slot, wake_on_slot, ready, child, tend, finish };

jk_worker *jk_backend_make(apr_pool_t *p, const jk_worker_conf *conf)
{
    jk_backend *backend = apr_pcalloc(p, sizeof *backend);
    backend->worker = (jk_worker){ &jk_backend_type, conf, conf->name, conf->name, backend };
    backend->kept = jk_kept_make(p);
    backend->options = (jk_sock_options){ .socket_timeout = conf->socket_timeout,
                                          .connect_timeout = conf->socket_connect_timeout,
                                          .buffer = conf->socket_buffer,
                                          .keepalive = conf->socket_keepalive };
    return &backend->worker;
}

jk_worker *jk_backend_make_member(apr_pool_t *p, const jk_worker_conf *conf, const char *slot)
{
    jk_worker *worker = jk_backend_make(p, conf);

    worker->slot = slot;
    backend_of(worker)->is_member = true;
    return worker;
}

jk_stat *jk_backend_stat(const jk_worker *worker)
{
    return backend_of(worker)->stat;
}

const char *jk_backend_address(const jk_worker *worker, apr_pool_t *p)
{
    return apr_pstrdup(p, jk_where_text(where_of(backend_of(worker))));
}

jk_pool_counts jk_backend_pool(const jk_worker *worker)
{
    jk_pool *pool = backend_of(worker)->pool;

    return pool ? jk_pool_count(pool) : (jk_pool_counts){ 0 };
}

void jk_backend_close_idle(const jk_worker *worker)
{
    jk_pool *pool = backend_of(worker)->pool;

    if (pool && jk_pool_count(pool).idle > 0)
        jk_upkeep_empty(pool);
}

bool jk_backend_has_room(const jk_worker *worker)
{
    const jk_backend *backend = backend_of(worker);
    jk_pool_counts n = jk_pool_count(backend->pool);
    int size = worker->conf->connection_pool_size;
    jk_limits limits;

    if (n.idle > 0)
        return true;
    jk_stat_limits_read(backend->stat, &limits);
    if (limits.max_connections > 0 && jk_stat_connected(backend->stat) >= (uint32_t)limits.max_connections)
        return false;
    return size <= 0 || n.open < (unsigned)size;
}
