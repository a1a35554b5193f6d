/* native/net/upkeep.c - works on a picture of the idle connections and takes out one by one those that it has business with. */
#include "jk/net/upkeep.h"

#include "jk/ajp/frame.h"
#include "jk/net/ping.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* The idle connections of this moment. NULL: there are none, or no memory, which is the same to us. */
static jk_idle *picture(jk_pool *pool, unsigned *n)
{
    unsigned room = jk_pool_count(pool).idle;
    jk_idle *all = room ? malloc(room * sizeof *all) : NULL;

    *n = all ? jk_pool_idle(pool, all, room) : 0;
    return all;
}

static void close_for(jk_pool *pool, jk_conn **conn, jk_close_why why)
{
    (*conn)->why = why;
    jk_conn_close(conn, false);
    jk_pool_gone(pool, why);
}

static bool close_idle(jk_pool *pool, uint64_t id, jk_close_why why)
{
    jk_conn *conn = jk_pool_withdraw(pool, id);

    if (conn == NULL)
        return false;
    close_for(pool, &conn, why);
    return true;
}

/* A descriptor may have been closed and opened again for something else since the picture was taken: who is taken out is looked at
 * once more, now that it is ours. */
static bool close_if_dead(jk_pool *pool, uint64_t id, unsigned *unasked)
{
    jk_conn *conn = jk_pool_withdraw(pool, id);
    jk_look seen = conn ? jk_sock_look(conn->fd) : JK_LOOK_QUIET;

    if (conn == NULL)
        return false;
    *unasked += seen == JK_LOOK_BYTES;
    if (seen == JK_LOOK_QUIET) {
        jk_pool_return(pool, &conn);
        return false;
    }
    close_for(pool, &conn, JK_CLOSE_DEAD);
    return true;
}

unsigned jk_upkeep_look(jk_pool *pool, unsigned *unasked)
{
    unsigned n, closed = 0;
    jk_idle *all = picture(pool, &n);
    struct pollfd *fds = n ? malloc(n * sizeof *fds) : NULL;

    *unasked = 0;
    for (unsigned i = 0; fds && i < n; i++)
        fds[i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
    if (fds && poll(fds, n, 0) > 0)
        for (unsigned i = 0; i < n; i++)
            if (fds[i].revents)
                closed += close_if_dead(pool, all[i].id, unasked);
    free(fds);
    free(all);
    return closed;
}

unsigned jk_upkeep_age(jk_pool *pool, apr_time_t now, apr_time_t most, unsigned keep)
{
    unsigned n, closed = 0;
    jk_idle *all = picture(pool, &n);

    for (unsigned i = n; i-- > 0 && now - all[i].since > most && jk_pool_count(pool).open > keep;)
        closed += close_idle(pool, all[i].id, JK_CLOSE_AGED);
    free(all);
    return closed;
}

void jk_upkeep_empty(jk_pool *pool)
{
    unsigned n;
    jk_idle *all = picture(pool, &n);

    for (unsigned i = 0; i < n; i++)
        (void)close_idle(pool, all[i].id, JK_CLOSE_UNWANTED);
    free(all);
}

/* ---- pings ---- */

typedef struct jk_probe {
    jk_conn *conn;
    jk_ping ping;
} jk_probe;

static void done(jk_pool *pool, jk_probe *probe, bool alive, apr_time_t now, unsigned *closed)
{
    if (alive) {
        probe->conn->probed = now;
        jk_pool_return(pool, &probe->conn);
        return;
    }
    close_for(pool, &probe->conn, JK_CLOSE_DEAD);
    (*closed)++;
}

/* Waits for the first of the answers that are still due. False: the time is over. */
static bool wait_for_some(jk_probe *probes, struct pollfd *fds, unsigned n, apr_time_t until)
{
    unsigned due = 0;
    apr_time_t left = until - apr_time_now();

    for (unsigned i = 0; i < n; i++)
        if (probes[i].conn)
            fds[due++] = (struct pollfd){ .fd = probes[i].conn->fd, .events = POLLIN };
    return due > 0 && left > 0 && (poll(fds, due, (int)(left / 1000) + 1) > 0 || errno == EINTR);
}

static void ask_all(jk_pool *pool, jk_probe *probes, struct pollfd *fds, unsigned n, int timeout_ms, unsigned *closed)
{
    apr_time_t until = apr_time_now() + (apr_time_t)timeout_ms * 1000;
    bool more = true;
    int err;

    while (more) {
        apr_time_t now = apr_time_now();
        for (unsigned i = 0; i < n; i++) {
            jk_rc rc = probes[i].conn ? jk_ping_step(&probes[i].ping, probes[i].conn->fd, JK_FRAME_MAX_PACKET, &err) : JK_AGAIN;
            if (rc != JK_AGAIN)
                done(pool, &probes[i], rc == JK_OK, now, closed);
        }
        more = wait_for_some(probes, fds, n, until);
    }
    for (unsigned i = 0; i < n; i++)
        if (probes[i].conn)
            done(pool, &probes[i], false, 0, closed);
}

void jk_upkeep_probe(jk_pool *pool, apr_time_t interval, int timeout_ms, unsigned *asked, unsigned *closed)
{
    unsigned n;
    jk_idle *all = picture(pool, &n);
    jk_probe *probes = n ? calloc(n, sizeof *probes) : NULL;
    struct pollfd *fds = n ? calloc(n, sizeof *fds) : NULL;
    apr_time_t now = apr_time_now();

    *asked = *closed = 0;
    for (unsigned i = 0; probes && fds && i < n; i++) {
        if (now - all[i].since < interval || now - all[i].probed < interval)
            continue;
        probes[*asked].conn = jk_pool_withdraw(pool, all[i].id);
        if (probes[*asked].conn)
            jk_ping_start(&probes[(*asked)++].ping);
    }
    if (*asked)
        ask_all(pool, probes, fds, *asked, timeout_ms, closed);
    free(fds);
    free(probes);
    free(all);
}
