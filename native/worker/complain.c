/* native/worker/complain.c - what went wrong with a container, in words: worker, what happened, why, what to do about it. */
#include "complain.h"

#include <apr_atomic.h>
#include <errno.h>
#include <string.h>

#define REFUSAL_EVERY 60 /* s: the same refusal is explained once in this time */

static void tell_connect(const jk_worker *worker, const char *to, const jk_run *run)
{
    const char *name = worker->name;

    JK_INFO(run->log, "(%s) connect to %s failed (errno=%d)", name, to, run->err);
    JK_ERROR(run->log, 202, "(%s) Failed opening socket to (%s): connecting to backend failed. Tomcat is probably not started or is "
             "listening on the wrong port (errno=%d): %s", name, to, run->err, jk_sock_words(run->err));
}

/* Does something else than AJP13 live on this port? */
static bool tell_other_protocol(const jk_worker *worker, const char *to, const jk_run *run)
{
    const char *name = worker->name;
    const uint8_t *odd = run->odd;

    if (run->odd_len >= 4 && memcmp(odd, "HTTP", 4) == 0)
        JK_ERROR(run->log, 301, "(%s) %s answered in HTTP: worker.%s.port is the port of an HTTP connector; use the one of the AJP "
                 "connector (protocol=\"AJP/1.3\" in server.xml, often 8009)", name, to, name);
    else if (run->odd_len >= 2 && odd[0] == 0x15 && odd[1] == 0x03)
        JK_ERROR(run->log, 302, "(%s) %s answered in TLS: worker.%s.port is the port of an HTTPS connector; use the one of the AJP "
                 "connector (protocol=\"AJP/1.3\" in server.xml, often 8009)", name, to, name);
    else
        return false;
    return true;
}

static void tell_frame(const jk_worker *worker, const char *to, const jk_run *run)
{
    const char *name = worker->name;
    const uint8_t *odd = run->odd;

    if (tell_other_protocol(worker, to, run))
        return;
    bool packet = run->odd_len >= 4 && odd[0] == 'A' && odd[1] == 'B';
    unsigned two = (unsigned)odd[0] << 8 | odd[1], size = (unsigned)odd[2] << 8 | odd[3];

    if (packet && size > run->max_packet)
        JK_ERROR(run->log, 303, "(%s) wrong message size %u from %s, more than max_packet_size %u: set worker.%s.max_packet_size to the "
                 "connector's packetSize", name, size, to, (unsigned)run->max_packet, name);
    else if (run->odd_len > 0 && !packet) /* of one byte alone: that one */
        JK_ERROR(run->log, 304, "(%s) wrong message format 0x%0*x from %s: this is not an AJP13 connector, or the connection was "
                 "disturbed; check host and port", name, run->odd_len > 1 ? 4 : 2, run->odd_len > 1 ? two : two >> 8, to);
    else
        JK_ERROR(run->log, 305, "(%s) protocol error from %s: a message came that is empty or may not come now; the connection is closed",
                 name, to);
}

static void tell_receive(const jk_worker *worker, const char *to, const jk_run *run)
{
    const char *name = worker->name;
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

static const char *ping_words(const jk_run *run)
{
    switch (run->err) {
    case 0:
        return "the connection was closed: the container is stopping, or this is no AJP connector";
    case ETIMEDOUT:
        return "the time was over: the container hangs, or its port accepts connections for something else";
    case EPROTO:
        return "another answer came: this is no AJP connector, or an answer of before was left over";
    default:
        return strerror(run->err);
    }
}

/* Before a request on a connection of the pool this is an everyday event: another connection is made, and that one counts. */
static void tell_ping(const jk_worker *worker, const char *to, const jk_run *run)
{
    const char *name = worker->name;

    if (run->err == ETIMEDOUT)
        JK_INFO(run->log, "(%s) timeout in reply cpong after %d ms from %s", name, run->up->ping_ms, to);
    if (run->err == EPROTO && run->up->ping.got == sizeof run->up->ping.head)
        JK_INFO(run->log, "(%s) awaited reply cpong, received %d instead", name, run->up->ping.head[4]);
    if (!run->up->fresh)
        JK_INFO(run->log, "(%s) prepost cping/cpong failure on a connection of the pool to %s (errno=%d): %s; a new one is made", name, to,
                run->err, ping_words(run));
    else if (!tell_other_protocol(worker, to, run))
        JK_ERROR(run->log, 205, "(%s) cping/cpong after connecting to the backend server failed (%s, errno=%d): %s", name, to, run->err,
                 ping_words(run));
}

void jk_complain(const jk_worker *worker, const char *to, const jk_run *run, jk_rc rc)
{
    const char *name = worker->name;

    switch (rc) {
    case JK_E_CONNECT:
        tell_connect(worker, to, run);
        break;
    case JK_E_SHORT:
        JK_ERROR(run->log, 212, "(%s) no connection to %s could be opened (errno=%d): %s. The container is not to blame, and keeps its state", name,
                 to, run->err, jk_sock_words(run->err));
        break;
    case JK_E_PING:
        tell_ping(worker, to, run);
        break;
    case JK_E_STATUS:
        JK_INFO(run->log, "(%s) request failed%s, because of response status %u", name, run->soft ? " (soft)" : "", run->status);
        break;
    case JK_E_FRAME:
        tell_frame(worker, to, run);
        break;
    case JK_E_RECV:
        tell_receive(worker, to, run);
        break;
    case JK_E_TIMEOUT:
        JK_ERROR(run->log, 308, "(%s) Timeout with waiting reply from tomcat. Tomcat is down, stopped or network problems (errno=%d): it "
                 "was silent for reply_timeout=%d ms", name, run->err, run->reply_timeout);
        break;
    case JK_E_PAYLOAD:
        JK_ERROR(run->log, 309, "(%s) protocol error: a malformed message came from %s%s; the connection is closed. Is it Tomcat's AJP "
                 "connector?", name, to, run->odd_len ? ": Chunk length too large, it is beyond the end of its message" : "");
        break;
    case JK_E_SEND:
        JK_INFO(run->log, "(%s) error sending request to %s (errno=%d): %s", name, to, run->err, strerror(run->err));
        if (run->x.progress > JK_PROGRESS_NONE)
            JK_ERROR(run->log, 313, "(%s) %s went away in the middle of the request (errno=%d): Tomcat is down, or its connector gave the request "
                     "up; look into Tomcat's own log", name, to, run->err);
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

void jk_complain_refusal(const jk_worker *worker, const char *to, const jk_run *run, volatile apr_uint32_t *told_at)
{
    const char *name = worker->name, *causes;
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(apr_time_now()), told = apr_atomic_read32(told_at);

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
                "a new connection", name, to, run->status);
        return;
    }
    if (told && now - told < REFUSAL_EVERY)
        return;
    if (apr_atomic_cas32(told_at, now, told) != told)
        return;
    JK_WARN(run->log, 311, "(%s) Tomcat refused the request before the application saw it (status %u, connection closed, Reuse is set to "
            "false): %s. Secret set here: %s", name, run->status, causes, *worker->conf->secret ? "yes" : "no");
}
