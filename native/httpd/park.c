/* native/httpd/park.c - the hooks around a request that waits, and what the MPM is told. Two ways: CONN_STATE_ASYNC_WAITIO (2.4.63 and
 * later), and before it what event's own comments offer: WRITE_COMPLETION with WANT_READ and clogging_input_filters (2.4.53 and later).
 *
 * The MPM polls the connection's socket. While a request waits the descriptor inside that socket is the slot's, which becomes readable when
 * net/dispatch says so; the client's is put back before anybody uses it. The MPM adds to its poll set last, when the thread is done with
 * the connection: nobody wakes it too early. Before 2.4.63 the MPM still writes to the client after our process_connection: there the
 * swap has to wait for its suspend_connection. */
#include "park.h"

#include "logfile.h"
#include "startup.h"

#include "jk/net/dispatch.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_portable.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_request.h>
#include <http_ssl.h>
#include <mpm_common.h>
#include <poll.h>
#include <scoreboard.h>
#include <stdatomic.h>
#include <string.h>

#define SELDOM __attribute__((noinline))      /* so that what is called for every request saves no registers for it */
#define AFTER 10                              /* ms: JkParkAfter */
#define AFTER_SLOW 1                          /* where few threads are idle, and many requests wait already */
#define A_MOMENT apr_time_from_msec(10)       /* who was woken so soon need not have waited without a thread */
#define UPLOAD_TICK apr_time_from_sec(1)      /* the clock of mod_reqtimeout runs only when it is called */
#define CAN_WAITIO 19                         /* AP_MPMQ_CAN_WAITIO, and ... */
#define ASYNC_WAITIO 8                        /* ... CONN_STATE_ASYNC_WAITIO of 2.4.63: one binary for those before it too */
#define FACTOR 2                              /* AsyncRequestWorkerFactor's default */
#define TEST_COMPAT "JK_TEST_PARK_COMPAT"     /* httpd -D: the way of older versions, for tests */

typedef enum { IN_PLACE, WAITIO, COMPAT } mode;

struct jk_park {
    mode mode;
    unsigned threads, limit;
    const jk_server *main_conf;
    jk_shm *shm;                  /* with the gauges */
    jk_dispatch *dispatch;        /* of this process; NULL: none */
    atomic_uint busy;             /* threads that work on requests of ours */
    volatile apr_uint32_t stopping; /* s; 0: the process does not stop */
    bool over;                    /* it ends */
};

struct jk_parking {
    conn_rec *c;
    jk_park *park;
    jk_outlet outlet;
    bool in_chain;   /* our process_connection runs the others */
    bool late;       /* the process was stopping already when it came */
    bool swapped;
    bool blind;      /* it cannot be watched: it has to wait in place */
    jk_guest *guest; /* who waits; NULL: nobody */
    jk_berth *berth;
    jk_wake came;
    jk_park_wait counted;     /* while swapped */
    apr_os_sock_t client;     /* while swapped */
};

static jk_parking *parking_of(const conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &jk_module);
}

jk_view_parked jk_park_look(const jk_park *park)
{
    jk_view_parked parked = { .known = park && park->dispatch };

    if (!parked.known)
        return parked;
    parked.limit = park->limit;
    parked.here = jk_dispatch_count(park->dispatch).now;
    parked.all = jk_gauges_read(park->shm);
    for (int i = 0; i < JK_PARK_WAITS; i++)
        parked.waiting += parked.all.now[i];
    return parked;
}

/* ---- what the MPM can ---- */

static int asked(int what)
{
    int value = 0;

    return ap_mpm_query(what, &value) == APR_SUCCESS ? value : 0;
}

static bool at_least_2_4(int patch)
{
    ap_version_t v;

    ap_get_server_revision(&v);
    return v.major == 2 && v.minor == 4 && v.patch >= patch;
}

/* Trunk has another way: there we wait in place until it was tried. */
static mode possible(void)
{
    if (!asked(AP_MPMQ_IS_ASYNC) || strcmp(ap_show_mpm(), "event") != 0 || !at_least_2_4(53))
        return IN_PLACE;
    return asked(CAN_WAITIO) && !ap_exists_config_define(TEST_COMPAT) ? WAITIO : COMPAT;
}

static bool wanted(server_rec *s, int what)
{
    for (; s; s = s->next)
        if (jk_config_of(s)->park == what)
            return true;
    return false;
}

static bool all_off(server_rec *s)
{
    for (; s; s = s->next)
        if (jk_config_of(s)->park != JK_PARK_OFF)
            return false;
    return true;
}

static const char *argument_of(const ap_directive_t *node, const char *name)
{
    const char *found = NULL, *inner;

    for (; node; node = node->next) {
        if (ap_cstr_casecmp(node->directive, name) == 0)
            found = node->args;
        inner = argument_of(node->first_child, name);
        if (inner)
            found = inner;
    }
    return found;
}

/* The MPM takes no more connections than its threads and, for each idle one, so many more; those that wait count. */
static void tell_limits(const jk_park *park, const jk_log *log)
{
    const char *word = argument_of(ap_conftree, "AsyncRequestWorkerFactor");
    unsigned factor = word && atoi(word) > 0 ? (unsigned)atoi(word) : FACTOR, most = park->threads * factor;

    JK_INFO(log, "requests that wait hold no thread: up to %u per process (JkParkMax), %s", park->limit,
            park->mode == WAITIO ? "by WAITIO" : "in the way of httpd before 2.4.63");
    if (park->limit > most)
        JK_INFO(log, "JkParkMax %u is more than the MPM takes: with AsyncRequestWorkerFactor %u about %u connections wait beside %u threads of a "
                "process; set AsyncRequestWorkerFactor to %u", park->limit, factor, most, park->threads,
                (park->limit + park->threads - 1) / park->threads);
    if (asked(AP_MPMQ_HARD_LIMIT_DAEMONS) <= asked(AP_MPMQ_MAX_DAEMONS))
        JK_INFO(log, "ServerLimit has no room beyond MaxRequestWorkers / ThreadsPerChild: after a graceful restart a process whose requests still "
                "wait keeps a new one from starting; raise ServerLimit");
}

jk_park *jk_park_make(apr_pool_t *pconf, server_rec *main_server, jk_shm *shm)
{
    jk_park *park = apr_pcalloc(pconf, sizeof *park);
    const jk_server *conf = jk_config_of(main_server);
    jk_log log = jk_logfile_for(conf, "POST_CONFIG");
    int threads = asked(AP_MPMQ_MAX_THREADS);

    park->main_conf = conf;
    park->shm = shm;
    park->threads = threads > 0 ? (unsigned)threads : 1;
    park->limit = conf->global->park_max >= 0 ? (unsigned)conf->global->park_max : 2 * park->threads;
    if (all_off(main_server) || park->limit == 0)
        return park;
    park->mode = possible();
    if (park->mode != IN_PLACE)
        tell_limits(park, &log);
    else if (wanted(main_server, JK_PARK_ON))
        JK_WARN(&log, 701, "JkPark On: the MPM %s of this httpd cannot let a request wait without a thread; requests wait as with JkPark Off; load "
                "mpm_event of httpd 2.4.63 or later", ap_show_mpm());
    return park;
}

/* ---- the process ---- */

static void tell_gauges(const jk_park *park)
{
    jk_dispatch_counts n = jk_dispatch_count(park->dispatch);
    jk_park_gauges g = jk_gauges_own(park->shm);
    jk_log log = jk_logfile_for(park->main_conf, "CHILD_EXIT");

    if (n.waits > 0)
        JK_INFO(&log, "waits without a thread: %llu, at most %u at once; ended by time %llu, by the client's leaving %llu; wakes that queued %llu",
                n.waits, n.most, n.late, n.gone, n.paced);
    for (int i = 0; i < JK_PARK_REASONS; i++)
        if (g.fell_back[i] > 0)
            JK_INFO(&log, "not without a thread: %" APR_UINT64_T_FMT " (%s)", g.fell_back[i], jk_gauges_reasons[i].words);
}

/* Before the threads' pools go: from here on nobody is woken, and requests that wait are only forgotten; what they counted goes with the
 * process. */
static apr_status_t end_child(void *data)
{
    jk_park *park = data;

    jk_dispatch_stop(park->dispatch);
    park->over = true;
    tell_gauges(park);
    return APR_SUCCESS;
}

void jk_park_child(jk_park *park, apr_pool_t *pchild)
{
    if (park->mode == IN_PLACE)
        return;
    park->dispatch = jk_dispatch_make(park->limit, park->threads / 2, true);
    if (park->dispatch)
        apr_pool_pre_cleanup_register(pchild, park, end_child);
}

static void child_stopping(apr_pool_t *p, int graceful)
{
    jk_park *park = jk_startup_park();

    (void)p, (void)graceful;
    if (park)
        apr_atomic_set32(&park->stopping, (apr_uint32_t)apr_time_sec(apr_time_now()));
}

/* ---- a request's side ---- */

/* Who called us must know SUSPENDED: an HTTP/2 stream's caller takes it for its end, a redirect inside the server for a failure. */
static bool may(const request_rec *r, const jk_parking *p)
{
    const conn_rec *c = r->connection;

    if (p == NULL || !p->in_chain || p->late || c->master || r->main || r->prev)
        return false;
    return !c->clogging_input_filters && c->cs->state == CONN_STATE_HANDLER;
}

static jk_park_reason why_not(const request_rec *r)
{
    const conn_rec *c = r->connection;

    if (c->master)
        return JK_FELL_HTTP2;
    if (r->main)
        return JK_FELL_SUBREQUEST;
    if (r->prev)
        return JK_FELL_REDIRECT;
    if (parking_of(c) && parking_of(c)->late)
        return JK_FELL_STOPPING;
    return c->clogging_input_filters ? JK_FELL_CLOGGED : JK_FELL_CALLER;
}

static SELDOM void count_refusal(const request_rec *r)
{
    const jk_park *park = jk_startup_park();

    if (park && park->dispatch)
        jk_gauges_fell_back(park->shm, why_not(r));
}

void jk_park_invite(jk_guest *guest, const jk_server *conf)
{
    conn_rec *c = guest->r->connection;
    jk_parking *p;

    if (conf->park == JK_PARK_OFF)
        return;
    p = parking_of(c);
    if (!may(guest->r, p)) {
        count_refusal(guest->r);
        return;
    }
    guest->place = p;
    jk_outlet_begin(&p->outlet);
}

void jk_park_fell_back(const jk_guest *guest, jk_park_reason why)
{
    jk_gauges_fell_back(guest->place->park->shm, why);
}

jk_outlet *jk_park_outlet(const jk_guest *guest)
{
    return &guest->place->outlet;
}

/* The container is slow, since many wait: waiting in place is in vain. Where more wait than there are threads twice over that is so without a
 * look at the threads: half of them, each waiting for 10 ms, would let a burst in at a rate of 50 a second and thread. Few idle
 * threads alone say nothing: under load they are all busy with answers that come at once. */
static bool in_vain(const jk_park *park, unsigned others)
{
    unsigned waiting = jk_dispatch_waiting(park->dispatch);

    return waiting >= 2 * park->threads || (others * 2 >= park->threads && waiting * 2 >= park->threads);
}

int jk_park_work(jk_guest *guest, const jk_server *conf)
{
    jk_park *park = guest->place->park;
    int after = conf->park_after >= 0 ? conf->park_after : AFTER;
    unsigned others = atomic_fetch_add_explicit(&park->busy, 1, memory_order_relaxed);

    if (guest->since && apr_time_now() - guest->since > A_MOMENT)
        return 0;
    return after > AFTER_SLOW && in_vain(park, others) ? AFTER_SLOW : after;
}

void jk_park_rest(jk_guest *guest)
{
    atomic_fetch_sub_explicit(&guest->place->park->busy, 1, memory_order_relaxed);
}

bool jk_park_enter(jk_guest *guest)
{
    jk_parking *p = guest->place;

    if (p->blind) {
        jk_park_fell_back(guest, JK_FELL_WATCH);
        return false;
    }
    if (p->berth == NULL)
        p->berth = jk_dispatch_take(p->park->dispatch);
    if (p->berth == NULL) {
        jk_park_fell_back(guest, jk_dispatch_is_full(p->park->dispatch) ? JK_FELL_LIMIT : JK_FELL_DESCRIPTOR);
        return false;
    }
    p->guest = guest;
    guest->since = apr_time_now();
    return true;
}

static void leave(jk_parking *p)
{
    p->guest = NULL;
    p->blind = false;
    if (p->berth)
        jk_dispatch_give_back(p->park->dispatch, &p->berth);
}

bool jk_park_leave(jk_guest *guest)
{
    jk_parking *p = guest->place;

    if (p == NULL || p->guest != guest)
        return false;
    if (p->park->over)
        return true;
    leave(p);
    return false;
}

/* ---- waiting ---- */

/* The MPM ends a connection that waits for Timeout: before that it has to be woken, if only to wait again. */
static apr_time_t before_timeout(const jk_parking *p, apr_time_t now)
{
    apr_interval_time_t a = p->c->base_server->timeout, b = p->guest->r->server->timeout, least = a < b ? a : b;

    return now + (least > apr_time_from_sec(4) ? least - apr_time_from_sec(2) : least / 2);
}

/* A client that has said already that nothing more will come only half-closed its connection: it reads the answer. */
static bool has_ended(int fd)
{
#ifdef POLLRDHUP
    struct pollfd f = { fd, POLLRDHUP, 0 };

    return poll(&f, 1, 0) > 0 && (f.revents & POLLRDHUP);
#else
    (void)fd;
    return false;
#endif
}

static jk_vigil vigil_of(const jk_parking *p)
{
    const jk_wait *wait = &p->guest->run->wait;
    apr_time_t now = apr_time_now(), until = before_timeout(p, now);
    jk_vigil v = { .fd = -1, .other = -1, .client = -1, .hears_bytes = !ap_ssl_conn_is_ssl(p->c) };

    if (wait->what == JK_WAIT_CLIENT_READ && now + UPLOAD_TICK < until)
        until = now + UPLOAD_TICK;
    if (wait->until && wait->until < until)
        until = wait->until;
    v.until = until;
    switch (wait->what) {
    case JK_WAIT_CLIENT_READ:
    case JK_WAIT_CLIENT_WRITE:
        v.fd = p->client;
        v.writable = wait->what == JK_WAIT_CLIENT_WRITE;
        if (wait->what == JK_WAIT_CLIENT_READ)
            v.other = wait->fd; /* the container may answer before it has the whole body, or leave */
        return v;
    case JK_WAIT_BACKEND_READ:
    case JK_WAIT_BACKEND_WRITE:
        v.fd = wait->fd;
        v.writable = wait->what == JK_WAIT_BACKEND_WRITE;
        break;
    default: /* a slot's call, or time */
        break;
    }
    v.client = p->client;
    if (!p->guest->asked) /* an end that comes later is its leaving */
        p->guest->ended = has_ended(p->client);
    p->guest->asked = true;
    v.ended = p->guest->ended;
    return v;
}

static jk_park_wait counted_as(jk_wait_kind what)
{
    switch (what) {
    case JK_WAIT_CLIENT_READ:
        return JK_PARKED_CLIENT_READ;
    case JK_WAIT_CLIENT_WRITE:
        return JK_PARKED_CLIENT_WRITE;
    case JK_WAIT_SLOT:
        return JK_PARKED_SLOT;
    case JK_WAIT_TIMER:
        return JK_PARKED_TIMER;
    default:
        return JK_PARKED_BACKEND;
    }
}

static void swap(jk_parking *p, apr_os_sock_t fd)
{
    apr_socket_t *s = ap_get_conn_socket(p->c);

    (void)apr_os_sock_put(&s, &fd, p->c->pool);
}

/* By the thread that gives the connection up, before the MPM polls it. */
static void watch(jk_parking *p)
{
    jk_guest *guest = p->guest;
    jk_vigil v;

    (void)apr_os_sock_get(&p->client, ap_get_conn_socket(p->c));
    v = vigil_of(p);
    p->blind = !jk_dispatch_arm(p->park->dispatch, p->berth, &v);
    if (guest->run->wait.what == JK_WAIT_SLOT && !p->blind &&
        guest->worker->type->wake_on_slot(guest->worker, guest->run, jk_dispatch_call, p->berth) == JK_OK)
        jk_dispatch_call(p->berth);
    swap(p, jk_dispatch_fd(p->berth));
    p->swapped = true;
    p->counted = counted_as(guest->run->wait.what);
    jk_gauges_begin(p->park->shm, p->counted);
}

/* By the thread that gets the connection, whatever for. */
static void unwatch(jk_parking *p)
{
    apr_os_sock_t fd = -1;

    if (!p->swapped)
        return;
    p->came = jk_dispatch_disarm(p->park->dispatch, p->berth);
    (void)apr_os_sock_get(&fd, ap_get_conn_socket(p->c));
    if (fd != jk_dispatch_fd(p->berth)) /* the MPM could not poll it and closed what it took for the client */
        jk_dispatch_fd_lost(p->berth);
    swap(p, p->client);
    p->swapped = false;
    jk_gauges_end(p->park->shm, p->counted);
}

static void suspend(conn_rec *c, request_rec *r)
{
    jk_parking *p = parking_of(c);

    (void)r;
    if (p && p->guest && !p->swapped)
        watch(p);
}

static void resume(conn_rec *c, request_rec *r)
{
    jk_parking *p = parking_of(c);

    (void)r;
    if (p)
        unwatch(p);
}

static void tell_mpm(jk_parking *p)
{
    conn_state_t *cs = p->c->cs;

    cs->sense = CONN_SENSE_WANT_READ; /* of the slot's descriptor, whatever is waited for */
    if (p->park->mode == WAITIO) {
        cs->state = ASYNC_WAITIO;
        watch(p);
        return;
    }
    cs->state = CONN_STATE_WRITE_COMPLETION;
    p->c->clogging_input_filters = 1;
}

/* ---- going on ---- */

static void finish(jk_parking *p, request_rec *r, int status)
{
    leave(p);
    if (ap_is_HTTP_VALID_RESPONSE(status)) /* else httpd has answered already: AP_FILTER_ERROR */
        r->status = HTTP_OK;               /* or its page would be taken for the failure of a page */
    ap_die(status, r);
    ap_process_request_after_handler(r); /* logs, and r is gone */
}

/* A process that stops is not kept for ever by a container that says nothing. */
static bool kept_too_long(const jk_parking *p)
{
    apr_time_t since = p->guest->run->silent_since, stopping = apr_time_from_sec(apr_atomic_read32(&p->park->stopping));

    if (stopping == 0 || since == 0)
        return false;
    return apr_time_now() - (since > stopping ? since : stopping) >= p->c->base_server->timeout;
}

static jk_rc news_of(const jk_parking *p)
{
    if (p->came == JK_WAKE_GONE)
        return JK_E_CLIENT_ABORT;
    return kept_too_long(p) ? JK_E_TIMEOUT : JK_OK;
}

static void begin_work(jk_parking *p, request_rec *r)
{
    conn_rec *c = p->c;

    c->cs->state = CONN_STATE_HANDLER;
    c->cs->sense = CONN_SENSE_DEFAULT;
    if (p->park->mode == COMPAT)
        c->clogging_input_filters = 0;
    ap_update_child_status(c->sbh, SERVER_BUSY_WRITE, r);
    if (ap_extended_status)
        ap_time_process_request(c->sbh, START_PREQUEST);
}

static SELDOM void go_on(jk_parking *p)
{
    jk_guest *guest = p->guest;
    request_rec *r = guest->r;
    int status;

    unwatch(p);
    begin_work(p, r);
    status = guest->go_on(guest, news_of(p));
    if (status != SUSPENDED) {
        finish(p, r, status);
        return;
    }
    if (ap_extended_status)
        ap_time_process_request(p->c->sbh, STOP_PREQUEST);
    jk_dispatch_done(p->park->dispatch, p->berth);
    tell_mpm(p);
}

static bool is_ours(const conn_rec *c, const jk_park *park)
{
    if (park == NULL || park->dispatch == NULL || c->master || c->cs == NULL)
        return false;
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 116)
    return !c->outgoing;
#else
    return true;
#endif
}

/* NULL: nobody waits there.
 * event's listener ends, once it is told to, when no connection is counted, and those that it has accepted are counted by their threads: it
 * may be gone before this one was. Nobody would poll it. Where the process does not stop yet it is counted in time: the state changes before
 * the listener is told. (The child_stopping hook comes after that.) */
static SELDOM jk_parking *make_parking(conn_rec *c)
{
    jk_park *park = jk_startup_park();
    jk_parking *p;

    if (!is_ours(c, park))
        return NULL;
    p = apr_pcalloc(c->pool, sizeof *p);
    p->c = c;
    p->park = park;
    p->late = asked(AP_MPMQ_MPM_STATE) == AP_MPMQ_STOPPING;
    jk_outlet_add(&p->outlet, c);
    ap_set_module_config(c->conn_config, &jk_module, p);
    return p;
}

/* What a slow client has not taken yet the MPM would write when it can: of a process that stops perhaps nobody is left there to do so. */
static SELDOM void write_all(conn_rec *c)
{
    apr_bucket_brigade *bb = apr_brigade_create(c->pool, c->bucket_alloc);

    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(c->bucket_alloc));
    (void)ap_pass_brigade(c->output_filters, bb);
}

/* Runs the other modules' process_connection itself, to put its own state in the place of SUSPENDED: http's would only let that one pass. */
static __attribute__((noinline)) int process_around(conn_rec *c, jk_parking *p)
{
    int status;

    if (p == NULL && (p = make_parking(c)) == NULL)
        return DECLINED;
    if (p->guest) {
        go_on(p);
        return OK;
    }
    p->in_chain = true;
    status = ap_run_process_connection(c);
    p->in_chain = false;
    if (p->guest && c->cs->state == CONN_STATE_SUSPENDED)
        tell_mpm(p);
    if (p->late)
        write_all(c);
    return status;
}

static int process(conn_rec *c)
{
    jk_parking *p = parking_of(c);

    return p && p->in_chain ? DECLINED : process_around(c, p);
}

/* The MPM closes a connection whose request waits. */
static int closing(conn_rec *c)
{
    jk_parking *p = parking_of(c);
    jk_guest *guest;
    jk_rc why = JK_E_TIMEOUT;

    if (p == NULL || p->guest == NULL || c->master)
        return OK;
    guest = p->guest;
    unwatch(p);
    if (guest->run->wait.what == JK_WAIT_CLIENT_READ)
        why = JK_E_CLIENT_READ;
    if (guest->run->wait.what == JK_WAIT_CLIENT_WRITE || c->aborted) {
        c->aborted = 1; /* or the end would wait for it */
        why = JK_E_CLIENT_WRITE;
    }
    if (p->park->mode == COMPAT)
        c->clogging_input_filters = 0;
    c->keepalive = AP_CONN_CLOSE;
    finish(p, guest->r, guest->go_on(guest, why));
    c->cs->state = CONN_STATE_LINGER; /* as it was: the MPM counts those */
    return OK;
}

void jk_park_hooks(void)
{
    jk_outlet_register();
    ap_hook_process_connection(process, NULL, NULL, APR_HOOK_REALLY_FIRST);
    if (!at_least_2_4(63) || ap_exists_config_define(TEST_COMPAT)) { /* else they would cost every request, and nobody needs them */
        ap_hook_suspend_connection(suspend, NULL, NULL, APR_HOOK_REALLY_LAST);
        ap_hook_resume_connection(resume, NULL, NULL, APR_HOOK_REALLY_FIRST);
    }
    ap_hook_pre_close_connection(closing, NULL, NULL, APR_HOOK_REALLY_FIRST);
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
#endif
}
