/* native/net/conn.c - the life of one connection's block. */
#include "jk/net/conn.h"

#include <stdlib.h>
#include <sys/time.h>

jk_conn *jk_conn_make(int fd, const jk_sock_options *opt)
{
    jk_conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL)
        return NULL;
    conn->fd = fd;
    conn->rcv_timeout = opt->socket_timeout > 0 ? opt->socket_timeout * 1000 : 0;
    return conn;
}

void jk_conn_close(jk_conn **conn, bool hard)
{
    jk_conn *gone = *conn;

    *conn = NULL;
    if (gone == NULL)
        return;
    if (gone->fd >= 0 && hard)
        jk_sock_abort(gone->fd);
    else if (gone->fd >= 0)
        jk_sock_close(gone->fd);
    if (gone->gone)
        gone->gone(gone->gone_ctx, gone);
    free(gone);
}

void jk_conn_receive_within(jk_conn *conn, int ms)
{
    if (conn->rcv_timeout == ms)
        return;
    struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
    setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    conn->rcv_timeout = ms;
}
