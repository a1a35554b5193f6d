/* native/worker/backend.c - takes a run to one container: a connection, the exchange, and another attempt where that is
 * allowed. The stages of a run here:
 *
 *   BEGIN -> LEND -> [LOOK | CONNECT] -> RUN -> done
 *              ^                          |
 *              +-- PAUSE (retry_interval) +   while balance/retry allows it and attempts are left
 */
#include "jk/worker/backend.h"

#include "jk/balance/retry.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>

enum { BEGIN, LEND, SLOT, LOOK, CONNECT, RUN, PAUSE };

#define LOOK_UP_AGAIN apr_time_from_sec(5) /* an unresolved host is asked for by requests no more often */
#define REFUSAL_EVERY apr_time_from_sec(60) /* the same refusal is explained once in this time */

typedef struct jk_backend {
    jk_worker worker;
    jk_pool *pool;          /* of this process; NULL before child_init */
    jk_sock_options options;
    apr_thread_mutex_t *mutex; /* guards addr and resolved while they change */
    jk_addr addr;
    volatile apr_uint32_t resolved;
    apr_time_t looked_up;
    volatile apr_uint32_t refusal_told; /* s, when a refusal was explained last */
} jk_backend;

static jk_backend *backend_of(const jk_worker *worker)
{
    return worker->own;
}

/* ---- the address ---- */

static jk_rc look_up(jk_backend *backend, const char **why)
{
    const jk_worker_conf *conf = backend->worker.conf;

    *why = "the path of the Unix socket is too long";
    if (conf->unix_path)
        return jk_sock_unix(conf->unix_path, &backend->addr);
    return jk_sock_resolve(conf->tune.host, conf->tune.port, conf->prefer_ipv6, &backend->addr, why);
}

static jk_rc ensure_address(jk_backend *backend, const jk_log *log)
{
    const jk_worker_conf *conf = backend->worker.conf;
    const char *why = "";
    jk_rc rc = JK_E_RESOLVE;

    if (apr_atomic_read32(&backend->resolved))
        return JK_OK;
    apr_thread_mutex_lock(backend->mutex);
    apr_time_t now = apr_time_now();
    if (backend->resolved) {
        rc = JK_OK;
    } else if (now - backend->looked_up >= LOOK_UP_AGAIN) {
        backend->looked_up = now;
        rc = look_up(backend, &why);
        if (rc == JK_OK)
            apr_atomic_set32(&backend->resolved, 1);
        else
            JK_ERROR(log, 201, "(%s) can't resolve tomcat address %s: %s; check worker.%s.host and the name service; it is looked up "
                     "again by later requests", conf->name, conf->tune.host, why, conf->name);
    }
    apr_thread_mutex_unlock(backend->mutex);
    return rc;
}

/* ---- what went wrong, in words ---- */

static void tell_connect(const jk_backend *backend, const jk_run *run)
{
    const char *name = backend->worker.name, *to = backend->addr.text;

    JK_INFO(run->log, "(%s) connect to %s failed (errno=%d)", name, to, run->err);
    JK_ERROR(run->log, 202, "(%s) Failed opening socket to (%s): connecting to backend failed. Tomcat is probably not started or is "
             "listening on the wrong port (errno=%d): %s", name, to, run->err, jk_sock_words(run->err));
}

static void tell_frame(const jk_backend *backend, const jk_run *run)
{
    const char *name = backend->worker.name, *to = backend->addr.text;
    const uint8_t *odd = run->odd;
    bool packet = run->odd_len >= 4 && odd[0] == 'A' && odd[1] == 'B';
    unsigned two = (unsigned)odd[0] << 8 | odd[1], size = (unsigned)odd[2] << 8 | odd[3];

    if (run->odd_len >= 4 && memcmp(odd, "HTTP", 4) == 0)
        JK_ERROR(run->log, 301, "(%s) %s answered in HTTP: worker.%s.port is the port of an HTTP connector; use the one of the AJP "
                 "connector (protocol=\"AJP/1.3\" in server.xml, often 8009)", name, to, name);
    else if (run->odd_len >= 2 && odd[0] == 0x15 && odd[1] == 0x03)
        JK_ERROR(run->log, 302, "(%s) %s answered in TLS: worker.%s.port is the port of an HTTPS connector; use the one of the AJP "
                 "connector (protocol=\"AJP/1.3\" in server.xml, often 8009)", name, to, name);
    else if (packet && size > run->max_packet)
        JK_ERROR(run->log, 303, "(%s) wrong message size %u from %s, more than max_packet_size %u: set worker.%s.max_packet_size to the "
                 "connector's packetSize", name, size, to, (unsigned)run->max_packet, name);
    else if (run->odd_len > 0 && !packet) /* of one byte alone: that one */
        JK_ERROR(run->log, 304, "(%s) wrong message format 0x%0*x from %s: this is not an AJP13 connector, or the connection was "
                 "disturbed; check host and port", name, run->odd_len > 1 ? 4 : 2, run->odd_len > 1 ? two : two >> 8, to);
    else
        JK_ERROR(run->log, 305, "(%s) protocol error from %s: a message came that is empty or may not come now; the connection is closed",
                 name, to);
}

static void tell_receive(const jk_backend *backend, const jk_run *run)
{
    const char *name = backend->worker.name, *to = backend->addr.text;
    const char *when = run->x.phase == JK_PHASE_WAITING ? "header" : "body";

    if (run->err == 0)
        JK_INFO(run->log, "(%s) can't receive the response %s message from tomcat, tomcat (%s) has forced a connection close for socket",
                name, when, to);
    else
        JK_INFO(run->log, "(%s) can't receive the response %s message from tomcat, network problems or tomcat (%s) is down (errno=%d): "
                "%s", name, when, to, run->err, run->err == ETIMEDOUT ? "socket_timeout is over" : strerror(run->err));
    if (run->x.progress < JK_PROGRESS_ANSWERED)
        JK_ERROR(run->log, 306, "(%s) Tomcat is down or refused connection. No response has been sent to the client (yet): %s closed or "
                 "broke the connection after the request was sent; look into Tomcat's own log", name, to);
    else
        JK_ERROR(run->log, 307, "(%s) Tomcat is down or network problems. Part of the response has already been sent to the client: %s broke "
                 "off in the middle; look into Tomcat's own log", name, to);
}

static void tell(const jk_backend *backend, const jk_run *run, jk_rc rc)
{
    const char *name = backend->worker.name;

    switch (rc) {
    case JK_E_CONNECT:
        tell_connect(backend, run);
        break;
    case JK_E_FRAME:
        tell_frame(backend, run);
        break;
    case JK_E_RECV:
        tell_receive(backend, run);
        break;
    case JK_E_TIMEOUT:
        JK_ERROR(run->log, 308, "(%s) Timeout with waiting reply from tomcat. Tomcat is down, stopped or network problems (errno=%d): it "
                 "was silent for reply_timeout=%d ms", name, run->err, run->reply_timeout);
        break;
    case JK_E_PAYLOAD:
        JK_ERROR(run->log, 309, "(%s) protocol error: a malformed message came from %s; the connection is closed. Is it Tomcat's AJP "
                 "connector?", name, backend->addr.text);
        break;
    case JK_E_SEND:
        JK_INFO(run->log, "(%s) error sending request to %s (errno=%d): %s", name, backend->addr.text, run->err, strerror(run->err));
        break;
    case JK_E_CLIENT_READ:
        JK_INFO(run->log, "(%s) Reading from client aborted or client network problems", name);
        break;
    case JK_E_CLIENT_WRITE:
        JK_INFO(run->log, "(%s) Writing to client aborted or client network problems", name);
        break;
    default:
        break;
    }
}

/* A connector that refuses a request answers itself and hangs up; the application never saw it (spec: failures.md). */
static void tell_refusal(jk_backend *backend, const jk_run *run)
{
    const char *name = backend->worker.name, *causes;
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(apr_time_now()), told = apr_atomic_read32(&backend->refusal_told);

    switch (run->status) {
    case 403:
        causes = "the 'secret' is wrong or missing, or a request attribute is not allowed (allowedRequestAttributesPattern)";
        break;
    case 400:
        causes = "the request is larger than the connector's packetSize, or malformed to it";
        break;
    case 500:
        causes = "more headers than the connector's maxHeaderCount, or a method that it does not know";
        break;
    case 503:
        causes = "the container is stopping, or the application is not deployed yet";
        break;
    default:
        JK_WARN(run->log, 310, "(%s) AJP13 protocol: Reuse is set to false: %s answered %u and closed the connection; each such answer costs "
                "a new connection", name, backend->addr.text, run->status);
        return;
    }
    if (told && now - told < apr_time_sec(REFUSAL_EVERY))
        return;
    if (apr_atomic_cas32(&backend->refusal_told, now, told) != told)
        return;
    JK_WARN(run->log, 311, "(%s) Tomcat refused the request before the application saw it (status %u, connection closed, Reuse is set to "
            "false): %s. Secret set here: %s", name, run->status, causes, *backend->worker.conf->secret ? "yes" : "no");
}

/* ---- one attempt ---- */

/* The attempt's connection goes back, or is closed and its place freed. */
static void put_away(jk_backend *backend, jk_run *run, bool reusable, bool hard)
{
    if (run->conn && reusable) {
        jk_pool_give_back(backend->pool, &run->conn, apr_time_now());
        run->up.has_place = false;
        return;
    }
    if (run->conn)
        jk_conn_close(&run->conn, hard);
    if (run->up.has_place)
        jk_pool_free_place(backend->pool);
    run->up.has_place = false;
}

static jk_rc slot_wait(jk_run *run)
{
    run->up.stage = SLOT;
    run->wait = (jk_wait){ JK_WAIT_SLOT, -1, run->up.slot_until };
    return JK_AGAIN;
}

static jk_rc no_slot(jk_backend *backend, jk_run *run)
{
    jk_pool_counts n = jk_pool_count(backend->pool);

    jk_pool_give_up(backend->pool, &run->up.waiter);
    JK_WARN(run->log, 203, "(%s) Unable to get the free endpoint for worker %s from %u slots: all are busy; raise "
            "worker.%s.connection_pool_size or connection_acquire_timeout", backend->worker.name, backend->worker.name, n.open,
            backend->worker.name);
    return JK_E_BUSY;
}

static jk_rc lent(jk_run *run)
{
    run->up.has_place = true;
    run->up.stage = run->conn ? LOOK : CONNECT;
    return JK_OK;
}

static jk_rc lend(jk_backend *backend, jk_run *run)
{
    const jk_worker_conf *conf = backend->worker.conf;

    if (jk_pool_lend(backend->pool, &run->up.waiter, &run->conn) == JK_OK)
        return lent(run);
    if (conf->tune.connection_acquire_timeout <= 0)
        return no_slot(backend, run);
    run->up.slot_until = apr_time_now() + (apr_time_t)conf->tune.connection_acquire_timeout * 1000;
    return slot_wait(run);
}

static jk_rc slot(jk_backend *backend, jk_run *run)
{
    if (jk_pool_granted(backend->pool, &run->up.waiter, &run->conn) == JK_OK)
        return lent(run);
    return jk_run_late(run, apr_time_now()) ? no_slot(backend, run) : slot_wait(run);
}

/* The look comes directly before the request is written; a connection found dead is replaced at once. */
static jk_rc look(jk_backend *backend, jk_run *run)
{
    jk_look seen = jk_sock_look(run->conn->fd);

    if (seen == JK_LOOK_QUIET) {
        run->up.fresh = false;
        run->up.stage = RUN;
        jk_run_attempt(run);
        return JK_OK;
    }
    if (seen == JK_LOOK_BYTES)
        JK_WARN(run->log, 312, "(%s) data was waiting on an idle connection to %s that nobody asked for: the connection is dropped, nobody "
                "gets them; the container wrote after its END_RESPONSE", backend->worker.name, backend->addr.text);
    else
        JK_DEBUG(run->log, "(%s) an idle connection to %s had been closed by the container", backend->worker.name, backend->addr.text);
    jk_conn_close(&run->conn, false);
    jk_pool_found_dead(backend->pool);
    /* The place is kept: those that lie behind it in the list are as old or older, and are looked at by their own borrowers. */
    run->up.stage = CONNECT;
    return JK_OK;
}

static jk_rc connected(jk_backend *backend, jk_run *run)
{
    jk_pool_opened(backend->pool);
    run->up.fresh = true;
    run->up.stage = RUN;
    jk_run_attempt(run);
    return JK_OK;
}

static jk_rc open_conn(jk_backend *backend, jk_run *run)
{
    int fd, ms = backend->options.connect_timeout;
    jk_rc rc = ensure_address(backend, run->log);

    if (rc != JK_OK)
        return rc;
    rc = jk_sock_open(&backend->addr, &backend->options, &fd, &run->err);
    if (rc == JK_E_CONNECT)
        return rc;
    run->conn = jk_conn_make(fd, &backend->options);
    if (run->conn == NULL) {
        jk_sock_close(fd);
        return JK_E_MEMORY;
    }
    if (rc == JK_OK)
        return connected(backend, run);
    run->wait = (jk_wait){ JK_WAIT_BACKEND_WRITE, fd, ms > 0 ? apr_time_now() + (apr_time_t)ms * 1000 : 0 };
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

static jk_retry_method method_of(const jk_run *run)
{
    jk_span m = run->rq->method;

    if (m.len == 3 && memcmp(m.p, "GET", 3) == 0)
        return JK_RETRY_GET;
    return m.len == 4 && memcmp(m.p, "HEAD", 4) == 0 ? JK_RETRY_HEAD : JK_RETRY_OTHER;
}

static jk_rc pause_or_lend(jk_backend *backend, jk_run *run)
{
    int ms = backend->worker.conf->tune.retry_interval;

    if (ms <= 0) {
        run->up.stage = LEND;
        return JK_OK;
    }
    run->up.stage = PAUSE;
    run->wait = (jk_wait){ JK_WAIT_TIMER, -1, apr_time_now() + (apr_time_t)ms * 1000 };
    return JK_AGAIN;
}

static jk_rc failed(jk_backend *backend, jk_run *run, jk_rc rc)
{
    const jk_tune *tune = &backend->worker.conf->tune;
    const char *name = backend->worker.name;
    bool untouched = run->x.progress == JK_PROGRESS_NONE && run->up.stage == RUN && jk_outcome_blame(rc) == JK_BLAME_CLIENT;
    bool hard = jk_outcome_blame(rc) == JK_BLAME_CLIENT && (tune->recovery_options & JK_RECOVER_HARD_CLOSE);

    tell(backend, run, rc);
    put_away(backend, run, untouched, hard);
    run->up.attempt++;
    bool again = jk_retry_may(rc, (jk_retry_stage)run->x.progress, method_of(run), (unsigned)tune->recovery_options);
    if (jk_outcome_blame(rc) == JK_BLAME_BACKEND)
        JK_INFO(run->log, "(%s) sending request to tomcat failed (%s), %s (attempt=%d)", name, again ? "recoverable" : "unrecoverable",
                jk_outcome_words(rc), run->up.attempt);
    if (again && run->up.attempt < tune->retries)
        return pause_or_lend(backend, run);
    if (again)
        JK_ERROR(run->log, 204, "(%s) connecting to tomcat failed (rc=%s, errors=%d, client_errors=0): %d attempts were made", name,
                 jk_outcome_name(rc), run->up.attempt, run->up.attempt);
    return rc;
}

static jk_rc succeeded(jk_backend *backend, jk_run *run)
{
    if (!run->x.keep)
        tell_refusal(backend, run);
    put_away(backend, run, jk_run_reusable(run) && !run->no_reuse, false);
    return JK_OK;
}

static jk_rc begin(jk_backend *backend, jk_run *run)
{
    const jk_worker_conf *conf = backend->worker.conf;

    run->worker = conf->name;
    run->max_packet = (size_t)conf->tune.max_packet_size;
    run->reply_timeout = conf->tune.reply_timeout;
    run->socket_timeout = conf->socket_timeout;
    if (*conf->secret)
        run->rq->secret = jk_span_of(conf->secret);
    run->rq->stored_methods = conf->stored_methods;
    run->up.worker = &backend->worker;
    run->up.stage = LEND;
    return jk_run_encode(run);
}

static jk_rc one_stage(jk_backend *backend, jk_run *run)
{
    switch (run->up.stage) {
    case BEGIN:
        return begin(backend, run);
    case LEND:
        return lend(backend, run);
    case SLOT:
        return slot(backend, run);
    case LOOK:
        return look(backend, run);
    case CONNECT:
        return connect_step(backend, run);
    case PAUSE:
        if (!jk_run_late(run, apr_time_now()))
            return JK_AGAIN;
        run->up.stage = LEND;
        return JK_OK;
    default:
        return jk_run_crank(run);
    }
}

static jk_rc step(const jk_worker *worker, jk_run *run)
{
    jk_backend *backend = backend_of(worker);

    for (;;) {
        int stage = run->up.stage;
        jk_rc rc = one_stage(backend, run);
        if (rc == JK_OK && stage == RUN)
            return succeeded(backend, run);
        if (rc != JK_OK && rc != JK_AGAIN)
            rc = stage == BEGIN ? rc : failed(backend, run, rc);
        if (rc != JK_OK)
            return rc;
    }
}

static void wait_slot(const jk_worker *worker, jk_run *run)
{
    jk_pool_wait(backend_of(worker)->pool, &run->up.waiter, run->wait.until);
}

/* Whoever tears the run down: what it still holds is given up. */
static void on_finish(jk_run *run, jk_rc outcome)
{
    const jk_worker *worker = run->up.worker;

    (void)outcome;
    if (worker == NULL)
        return;
    if (run->up.stage == SLOT)
        jk_pool_give_up(backend_of(worker)->pool, &run->up.waiter);
    put_away(backend_of(worker), run, false, false);
}

static jk_rc child(jk_worker *worker, apr_pool_t *p, const jk_log *log)
{
    jk_backend *backend = backend_of(worker);

    (void)log;
    if (apr_thread_mutex_create(&backend->mutex, APR_THREAD_MUTEX_DEFAULT, p) != APR_SUCCESS)
        return JK_E_MEMORY;
    backend->pool = jk_pool_make(p, worker->conf->connection_pool_size > 0 ? (unsigned)worker->conf->connection_pool_size : 0);
    return backend->pool ? JK_OK : JK_E_MEMORY;
}

const jk_worker_type jk_backend_type = { "ajp13", step, wait_slot, child };

jk_worker *jk_backend_make(apr_pool_t *p, const jk_worker_conf *conf)
{
    jk_backend *backend = apr_pcalloc(p, sizeof *backend);

    backend->worker = (jk_worker){ &jk_backend_type, conf, conf->name, backend };
    backend->options = (jk_sock_options){ .socket_timeout = conf->socket_timeout,
                                          .connect_timeout = conf->socket_connect_timeout,
                                          .buffer = conf->socket_buffer,
                                          .keepalive = conf->socket_keepalive };
    return &backend->worker;
}

jk_rc jk_worker_drive(const jk_worker *worker, jk_run *run)
{
    jk_rc rc;

    run->may_block = true;
    run->on_finish = on_finish;
    while ((rc = worker->type->step(worker, run)) == JK_AGAIN) {
        if (run->wait.what == JK_WAIT_SLOT)
            worker->type->wait_slot(worker, run);
        else
            jk_run_wait(run);
    }
    jk_run_finish(run, rc);
    return rc;
}
