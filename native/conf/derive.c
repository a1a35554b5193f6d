/* native/conf/derive.c - defaults that depend on other values, old spellings, and values that others bound (spec: workers.md 4, 5). */
#include "derive.h"

#include "rating.h"

#include <apr_strings.h>
#include <limits.h>

#define CONNECT_DEFAULT 5000 /* ms; connecting never waits for ever */
#define PACKET_STEP 1024

static bool written(const jk_worker_conf *one, const char *name)
{
    return jk_keys_written(one, name);
}

/* A finding about a value that was written; one that was not is never at fault. */
static void tell(jk_parse *ps, const jk_worker_conf *one, const char *attr, jk_severity severity, const char *what)
{
    const jk_prop *prop = jk_source_last(ps, one->name, attr);

    if (prop)
        jk_findings_add(ps->found, severity, JK_PROP_AT(prop), "%s %s", prop->key, what);
}

static void derive_sockets(jk_worker_conf *one)
{
    if (!written(one, "socket_connect_timeout"))
        one->socket_connect_timeout = one->socket_timeout > 0 ? one->socket_timeout * 1000 : CONNECT_DEFAULT;
    if (one->socket_buffer > 0 && one->socket_buffer < one->tune.max_packet_size)
        one->socket_buffer = one->tune.max_packet_size;
}

static void derive_pool(jk_parse *ps, jk_worker_conf *one)
{
    jk_tune *t = &one->tune;
    long long wait = t->retry_interval > 0 ? (long long)t->retries * t->retry_interval : 0;

    if (!written(one, "connection_acquire_timeout"))
        t->connection_acquire_timeout = wait < INT_MAX ? (int32_t)wait : INT_MAX;
    if (!written(one, "connection_pool_minsize")) {
        one->connection_pool_minsize = one->connection_pool_size > 0 ? (one->connection_pool_size + 1) / 2 : -1;
    } else if (one->connection_pool_size > 0 && one->connection_pool_minsize > one->connection_pool_size) {
        one->connection_pool_minsize = one->connection_pool_size;
        tell(ps, one, "connection_pool_minsize", JK_FIND_LENIENT, "is larger than connection_pool_size, which is used");
    }
}

/* What was written wins over what ping_mode asks for. */
static void derive_pings(jk_parse *ps, jk_worker_conf *one)
{
    jk_tune *t = &one->tune;

    if (!written(one, "connect_timeout") && (one->ping_mode & JK_PING_CONNECT))
        t->connect_timeout = t->ping_timeout;
    if (!written(one, "prepost_timeout") && (one->ping_mode & JK_PING_PREPOST))
        t->prepost_timeout = t->ping_timeout;
    if (!written(one, "connection_ping_interval") && (one->ping_mode & JK_PING_INTERVAL) && t->ping_timeout > 0)
        t->connection_ping_interval = t->ping_timeout < 100 ? 1 : t->ping_timeout / 100;
    if (one->ping_mode && t->ping_timeout == 0)
        tell(ps, one, "ping_mode", JK_FIND_WARN, "has no effect where ping_timeout is 0");
}

static void derive_packet(jk_parse *ps, jk_worker_conf *one)
{
    int32_t was = one->tune.max_packet_size, is = (was + PACKET_STEP - 1) / PACKET_STEP * PACKET_STEP;

    one->tune.max_packet_size = is;
    if (was != is)
        tell(ps, one, "max_packet_size", JK_FIND_WARN,
             apr_psprintf(ps->p, "is rounded up to %d, a multiple of %d: the connector's packetSize must be the same", is, PACKET_STEP));
}

/* activation, else stopped, else disabled. */
static void derive_activation(jk_worker_conf *one)
{
    if (!written(one, "activation") && (one->stopped || one->disabled))
        one->tune.activation = one->stopped ? JK_STOPPED : JK_DISABLED;
}

/* A route is the worker's name, a domain what stands before the first dot of the route, where nothing else was written. */
static void derive_route(jk_worker_conf *one)
{
    jk_tune *t = &one->tune;
    const char *dot;

    if (!written(one, "route"))
        apr_cpystrn(t->route, one->name, sizeof t->route);
    dot = strchr(t->route, '.');
    if (!written(one, "domain") && dot)
        apr_cpystrn(t->domain, t->route, (apr_size_t)(dot - t->route) + 1);
}

static void derive_ajp13(jk_parse *ps, jk_worker_conf *one)
{
    derive_packet(ps, one);
    derive_sockets(one);
    derive_pool(ps, one);
    derive_pings(ps, one);
    derive_activation(one);
    derive_route(one);
}

static void derive_lb(jk_parse *ps, jk_worker_conf *one)
{
    jk_tune *t = &one->tune;

    if (!written(one, "error_escalation_time"))
        t->error_escalation_time = t->recover_time / 2;
    if (t->sticky_session_force && !t->sticky_session)
        tell(ps, one, "sticky_session_force", JK_FIND_WARN, "has no effect where sticky_session is false");
    if (*t->session_path != ';')
        tell(ps, one, "session_path", JK_FIND_WARN, "does not begin with ';', which belongs to it");
    if (written(one, "session_cookie_samesite") && !one->set_session_cookie)
        tell(ps, one, "session_cookie_samesite", JK_FIND_WARN, "has no effect where set_session_cookie is false");
}

/* A '-' stands for an empty value, which cannot be written. */
static void derive_status(jk_parse *ps, jk_worker_conf *one)
{
    if (*one->ns == '-')
        one->ns = "";
    if (*one->xmlns == '-')
        one->xmlns = "";
    jk_rating_derive(ps, one);
}

void jk_derive_worker(jk_parse *ps, jk_worker_conf *one)
{
    if (one->kind == JK_WORKER_LB)
        derive_lb(ps, one);
    else if (one->kind == JK_WORKER_STATUS)
        derive_status(ps, one);
    else
        derive_ajp13(ps, one);
}
