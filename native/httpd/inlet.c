/* native/httpd/inlet.c - non-blocking reads go on until they say so: TLS and the core may hold bytes that no poll sees. */
#include "inlet.h"

#include <apr_portable.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_protocol.h>
#include <poll.h>
#include <util_filter.h>

#define GRACE 2 /* ms that a client may let us wait before it counts */
#define A_MOMENT apr_time_from_msec(5)
#define REST_GRACE 30                  /* ms that a client may be silent who is owed nothing any more */
#define REST_MOST (16 * 1024 * 1024)   /* bytes: a longer rest is not worth its connection */
#define REST_STEP 32768

/* httpd's own filter says 100 only when it is read from blocking. */
static void say_continue(request_rec *r)
{
    int status = r->status;
    const char *line = r->status_line;

    r->status = HTTP_CONTINUE;
    r->status_line = NULL;
    ap_send_interim_response(r, 0);
    r->status = status;
    r->status_line = line;
    r->expecting_100 = 0;
}

/* JK_AGAIN: nothing is there. The core says that with an empty brigade. */
static jk_rc read_once(jk_inlet *in, apr_bucket_brigade *bb, apr_off_t room)
{
    apr_status_t rv = ap_get_brigade(in->r->input_filters, bb, AP_MODE_READBYTES, APR_NONBLOCK_READ, room);

    if (APR_STATUS_IS_EAGAIN(rv) || (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(bb)))
        return JK_AGAIN;
    in->why = rv;
    return rv == APR_SUCCESS ? JK_OK : JK_E_CLIENT_READ;
}

static bool comes_within(const jk_inlet *in, int ms)
{
    struct pollfd p = { -1, POLLIN, 0 };

    (void)apr_os_sock_get(&p.fd, ap_get_conn_socket(in->r->connection));
    return poll(&p, 1, ms) > 0;
}

static jk_rc silent(jk_inlet *in)
{
    apr_time_t now = apr_time_now();

    if (in->silent_since == 0)
        in->silent_since = now;
    if (now - in->silent_since < in->r->connection->base_server->timeout)
        return JK_AGAIN;
    in->why = APR_TIMEUP;
    return JK_E_CLIENT_READ;
}

jk_rc jk_inlet_read(jk_inlet *in, apr_bucket_brigade *bb, apr_off_t room)
{
    jk_rc rc;

    if (in->r->expecting_100)
        say_continue(in->r);
    if (in->silent_since)
        in->slow = apr_time_now() - in->silent_since > A_MOMENT;
    rc = read_once(in, bb, room);
    if (rc == JK_AGAIN && !in->slow && comes_within(in, GRACE))
        rc = read_once(in, bb, room);
    if (rc == JK_AGAIN)
        return silent(in);
    in->silent_since = 0;
    return rc;
}

static bool has_end(const apr_bucket_brigade *bb)
{
    return !APR_BRIGADE_EMPTY(bb) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb));
}

bool jk_inlet_drop_rest(jk_inlet *in, apr_bucket_brigade *bb)
{
    bool ended = has_end(bb);

    if (in->r->expecting_100) /* who was not told to go on may send nothing */
        return false;
    for (apr_size_t dropped = 0; !ended && dropped < REST_MOST; dropped += REST_STEP) {
        apr_brigade_cleanup(bb);
        jk_rc rc = read_once(in, bb, REST_STEP);
        if (rc == JK_AGAIN && comes_within(in, REST_GRACE))
            rc = read_once(in, bb, REST_STEP);
        if (rc != JK_OK)
            return false;
        ended = has_end(bb);
    }
    return ended;
}
