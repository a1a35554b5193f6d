/* native/net/ping.c - sends five bytes and waits for five. */
#include "jk/net/ping.h"

#include "jk/ajp/codes.h"
#include "jk/ajp/frame.h"

#include <errno.h>
#include <sys/socket.h>

void jk_ping_start(jk_ping *ping)
{
    *ping = (jk_ping){ .got = 0 };
}

static jk_rc failed(int *err, int why)
{
    *err = why;
    return JK_E_PING;
}

/* An idle connection takes five bytes at once, or something is wrong with it. */
static jk_rc send_cping(jk_ping *ping, int fd, int *err)
{
    ssize_t n;

    do
        n = send(fd, jk_frame_cping, sizeof jk_frame_cping, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof jk_frame_cping)
        return failed(err, n < 0 ? errno : EAGAIN);
    ping->sent = true;
    return JK_AGAIN;
}

static jk_rc take(int fd, void *p, size_t room, size_t *got, int *err)
{
    ssize_t n;

    do
        n = recv(fd, p, room, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return JK_AGAIN;
    if (n <= 0)
        return failed(err, n < 0 ? errno : 0);
    *got = (size_t)n;
    return JK_OK;
}

static jk_rc drop(jk_ping *ping, int fd, int *err)
{
    uint8_t waste[1024];
    size_t got = 0;
    jk_rc rc = take(fd, waste, ping->skip < sizeof waste ? ping->skip : sizeof waste, &got, err);

    ping->skip -= got;
    return rc;
}

static bool is_a_reply(unsigned code)
{
    return code >= JK_AJP_SEND_BODY_CHUNK && code < JK_AJP_CPONG;
}

/* The head is whole. JK_AGAIN: it was another message, the CPong may still come. */
static jk_rc judge(jk_ping *ping, size_t max_packet, int *err)
{
    size_t len = 0;

    if (jk_frame_head((jk_span){ ping->head, sizeof ping->head }, max_packet, &len) != JK_OK)
        return failed(err, EPROTO);
    if (ping->head[4] == JK_AJP_CPONG)
        return len == 1 ? JK_OK : failed(err, EPROTO);
    if (ping->other || !is_a_reply(ping->head[4]))
        return failed(err, EPROTO);
    ping->other = true;
    ping->skip = len - 1;
    ping->got = 0;
    return JK_AGAIN;
}

jk_rc jk_ping_step(jk_ping *ping, int fd, size_t max_packet, int *err)
{
    jk_rc rc = JK_OK;
    size_t got = 0;

    *err = 0;
    if (!ping->sent)
        return send_cping(ping, fd, err);
    for (;;) {
        if (ping->skip > 0) {
            if ((rc = drop(ping, fd, err)) != JK_OK)
                return rc;
            continue;
        }
        if ((rc = take(fd, ping->head + ping->got, sizeof ping->head - ping->got, &got, err)) != JK_OK)
            return rc;
        ping->got += got;
        if (ping->got == sizeof ping->head && (rc = judge(ping, max_packet, err)) != JK_AGAIN)
            return rc;
    }
}
