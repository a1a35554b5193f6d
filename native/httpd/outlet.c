/* native/httpd/outlet.c - what can be done with httpd 2.4's public functions: calling the last filter with NULL writes what is buffered,
 * once and without waiting (the MPM does the same). */
#include "outlet.h"

#include "config.h"

#include <http_connection.h>
#include <http_core.h>
#include <apr_portable.h>
#include <poll.h>
#ifdef __linux__
#include <linux/sockios.h>
#include <sys/ioctl.h>
#endif

#define NAME "JK_OUTLET"
#define STEP (32 * 1024)
#define REST (16 * 1024)
#define FLUSH_MAX 65535                  /* FlushMaxThreshold's default */
#define GRACE 2                          /* ms that a client may be behind before it counts */
#define A_MOMENT apr_time_from_msec(5)

static apr_status_t write_buffered(ap_filter_t *core)
{
    return core->frec->filter_func.out_func(core, NULL);
}

#define UNKNOWN ((apr_size_t)-1)

/* Takes FLUSH out; says whether there was one. A large answer has many buckets: few instructions for each. */
static bool count(jk_outlet *o, apr_bucket_brigade *bb)
{
    apr_size_t sum = 0, any = 0;
    apr_bucket *e, *next;
    bool flush = false;

    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = next) {
        next = APR_BUCKET_NEXT(e);
        if (APR_BUCKET_IS_FLUSH(e)) {
            apr_bucket_delete(e);
            flush = true;
            continue;
        }
        sum += e->length;
        any |= e->length;
    }
    if (any > UNKNOWN / 2 || o->pending > UNKNOWN / 2) /* somebody's bucket without a length, or an answer before */
        o->pending = UNKNOWN;
    else
        o->pending += sum;
    return flush;
}

static __attribute__((noinline)) apr_status_t pass_gently(ap_filter_t *f, apr_bucket_brigade *bb)
{
    jk_outlet *o = f->ctx;
    apr_status_t rv = APR_SUCCESS;
    bool flush = count(o, bb);

    if (!APR_BRIGADE_EMPTY(bb))
        rv = f->next->frec->filter_func.out_func(f->next, bb);
    if (rv == APR_SUCCESS && flush && f->c->data_in_output_filters)
        rv = write_buffered(f->next);
    if (!f->c->data_in_output_filters)
        o->pending = 0;
    return rv;
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const jk_outlet *o = f->ctx;

    if (o->gentle && bb)
        return pass_gently(f, bb);
    return f->next->frec->filter_func.out_func(f->next, bb);
}

void jk_outlet_register(void)
{
    ap_register_output_filter(NAME, filter, NULL, AP_FTYPE_NETWORK - 1);
}

void jk_outlet_add(jk_outlet *o, conn_rec *c)
{
    const core_server_config *core = ap_get_core_module_config(c->base_server->module_config);
    apr_size_t threshold = core->flush_max_threshold ? core->flush_max_threshold : FLUSH_MAX;

    o->c = c;
    o->step = (threshold + 1) / 2 < STEP ? (threshold + 1) / 2 : STEP;
    o->rest = threshold / 4 < REST ? threshold / 4 : REST;
    ap_add_output_filter(NAME, o, NULL, c);
}

jk_rc jk_outlet_pass(jk_outlet *o, ap_filter_t *f, apr_bucket_brigade *bb)
{
    apr_status_t rv;

    o->gentle = true;
    rv = ap_pass_brigade(f, bb);
    o->gentle = false;
    return rv != APR_SUCCESS || o->c->aborted ? JK_E_CLIENT_WRITE : JK_OK;
}

/* ---- a client that is behind ---- */

static int socket_of(conn_rec *c)
{
    apr_os_sock_t fd = -1;

    (void)apr_os_sock_get(&fd, ap_get_conn_socket(c));
    return fd;
}

/* How much the system still has to send; -1: it does not say. */
static int queued(conn_rec *c)
{
#ifdef SIOCOUTQ
    int n = 0;

    return ioctl(socket_of(c), SIOCOUTQ, &n) == 0 ? n : -1;
#else
    (void)c;
    return -1;
#endif
}

static bool write_once(jk_outlet *o)
{
    ap_filter_t *f = o->c->output_filters;

    while (f->next)
        f = f->next;
    return write_buffered(f) == APR_SUCCESS && !o->c->aborted;
}

static bool takes_some(jk_outlet *o)
{
    struct pollfd p = { socket_of(o->c), POLLOUT, 0 };

    return !o->slow && poll(&p, 1, GRACE) > 0;
}

/* The socket's queue is full again after every write: what was there before ours tells whether the client takes anything. A large
 * queue becomes writable only when a third of it is free, and a slow but steady client may need longer than Timeout for that. */
static jk_rc behind(jk_outlet *o, int before)
{
    apr_time_t now = apr_time_now();

    if (o->moved == 0 || before != o->queue)
        o->moved = now;
    else if (now - o->moved >= o->c->base_server->timeout) {
        o->c->aborted = 1;
        return JK_E_CLIENT_WRITE;
    }
    o->queue = queued(o->c);
    o->behind = now;
    return JK_AGAIN;
}

static jk_rc empty(jk_outlet *o)
{
    o->pending = 0;
    o->moved = 0;
    return JK_OK;
}

jk_rc jk_outlet_drain(jk_outlet *o, apr_size_t most)
{
    int before = -1;

    if (o->c->aborted)
        return JK_E_CLIENT_WRITE;
    if (!o->c->data_in_output_filters)
        return empty(o);
    if (most > 0 && o->pending <= most)
        return JK_OK;
    if (o->behind) {
        o->slow = apr_time_now() - o->behind > A_MOMENT;
        o->behind = 0;
        before = queued(o->c);
    }
    if (!write_once(o))
        return JK_E_CLIENT_WRITE;
    if (o->c->data_in_output_filters && takes_some(o) && !write_once(o))
        return JK_E_CLIENT_WRITE;
    return o->c->data_in_output_filters ? behind(o, before) : empty(o);
}
