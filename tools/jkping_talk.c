/* tools/jkping_talk.c - bytes, packets and times of one connection, and a look at the path of a Unix socket. */
#include "jkping_talk.h"

#include "jk/ajp/codes.h"
#include "jk/ajp/exchange.h"
#include "jk/ajp/reply.h"
#include "jk/base/buf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define START_BYTES 8      /* tell every protocol that is known here */
#define START_WAIT_MS 100  /* for the rest of them */

int64_t jkp_talk_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void begin_step(jkp_line *line, jkp_step *step)
{
    *step = (jkp_step){ .made = true };
    line->began = jkp_talk_now();
    line->first = -1;
}

static int64_t elapsed(const jkp_line *line)
{
    return jkp_talk_now() - line->began;
}

/* ms of `most` that may still be waited. */
static int wait_of(const jkp_line *line, int most)
{
    int64_t left = line->until ? (line->until - jkp_talk_now()) / 1000 : most;

    return left > most ? most : left < 0 ? 0 : (int)left;
}

/* ---- connecting ---- */

jk_rc jkp_talk_connect(jkp_line *line, const jk_addr *to, int timeout_ms, int *err, jkp_times *times)
{
    const jk_sock_options options = { .socket_timeout = (timeout_ms + 999) / 1000 };

    *times = (jkp_times){ -1, -1, -1, -1 };
    line->len = line->taken = 0;
    line->body = 0;
    line->timeout = timeout_ms;
    line->began = jkp_talk_now();
    jk_rc rc = jk_sock_open(to, &options, &line->fd, err);
    if (rc == JK_AGAIN) {
        *err = ETIMEDOUT;
        rc = jk_sock_wait(line->fd, true, wait_of(line, timeout_ms)) ? jk_sock_opened(line->fd, &options, err) : JK_E_CONNECT;
    }
    if (rc == JK_OK)
        times->connect = elapsed(line);
    else
        jkp_talk_close(line);
    return rc == JK_E_SHORT ? JK_E_CONNECT : rc; /* who asks here is told the errno, whoever is to blame */
}

void jkp_talk_close(jkp_line *line)
{
    if (line->fd >= 0)
        jk_sock_close(line->fd);
    line->fd = -1;
}

/* ---- bytes ---- */

static bool send_all(jkp_line *line, const uint8_t *p, size_t n, jkp_step *step)
{
    while (n > 0) {
        bool ready = jk_sock_wait(line->fd, true, wait_of(line, line->timeout));
        ssize_t sent = send(line->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EINTR || (errno == EAGAIN && ready)))
            continue;
        if (sent < 0) {
            step->rc = errno == EAGAIN ? JK_E_TIMEOUT : JK_E_SEND;
            step->err = errno;
            return false;
        }
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* More bytes behind those that are held. */
static jk_rc receive(jkp_line *line, int wait_ms, int *err)
{
    ssize_t n;

    *err = 0;
    if (line->until && jkp_talk_now() >= line->until) /* of a flood there would always be more */
        return JK_E_TIMEOUT;
    if (!jk_sock_wait(line->fd, false, wait_of(line, wait_ms)))
        return JK_E_TIMEOUT;
    do
        n = recv(line->fd, line->in + line->len, sizeof line->in - line->len, 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        *err = n < 0 ? errno : 0;
        return JK_E_RECV;
    }
    if (line->first < 0)
        line->first = elapsed(line);
    line->len += (size_t)n;
    return JK_OK;
}

static jk_rc no_packet(jkp_line *line, jkp_step *step)
{
    int ignored;

    while (line->len < START_BYTES && receive(line, START_WAIT_MS, &ignored) == JK_OK)
        ;
    step->wrong = jkp_wrong_start((jk_span){ line->in, line->len });
    return JK_E_FRAME;
}

/* The next packet's payload, valid until the next call. */
static jk_rc next_packet(jkp_line *line, jkp_step *step, jk_span *payload)
{
    jk_rc rc;

    memmove(line->in, line->in + line->taken, line->len - line->taken);
    line->len -= line->taken;
    line->taken = 0;
    while ((rc = jk_frame_next((jk_span){ line->in, line->len }, JK_FRAME_MAX_PACKET, payload, &line->taken)) == JK_AGAIN) {
        rc = receive(line, line->timeout, &step->err);
        if (rc == JK_E_RECV && step->err == 0 && line->len > 0) {
            step->wrong = JKP_WRONG_CUT;
            return JK_E_FRAME;
        }
        if (rc != JK_OK)
            return rc;
    }
    if (rc != JK_OK)
        return no_packet(line, step);
    if (payload->len > line->longest)
        line->longest = payload->len;
    return JK_OK;
}

static jk_rc next_message(jkp_line *line, jkp_step *step, jk_reply *reply)
{
    jk_span payload;
    jk_rc rc = next_packet(line, step, &payload);

    if (rc != JK_OK)
        return rc;
    rc = jk_reply_parse(payload, reply);
    if (rc != JK_OK)
        step->wrong = jkp_wrong_message(payload);
    return rc;
}

/* ---- the CPing ---- */

void jkp_talk_ping(jkp_line *line, jkp_step *step, jkp_times *times)
{
    jk_reply reply;

    begin_step(line, step);
    if (!send_all(line, jk_frame_cping, sizeof jk_frame_cping, step))
        return;
    step->rc = next_message(line, step, &reply);
    if (step->rc != JK_OK)
        return;
    if (reply.type != JK_AJP_CPONG) {
        step->rc = JK_E_FRAME;
        step->wrong = JKP_WRONG_ORDER;
        return;
    }
    times->pong = elapsed(line);
}

jkp_wrong jkp_talk_foreign(jkp_line *line, jk_span words)
{
    jkp_step step;
    int ignored;

    begin_step(line, &step);
    if (!send_all(line, words.p, words.len, &step) || receive(line, line->timeout, &ignored) != JK_OK)
        return JKP_WRONG_NOTHING;
    while (line->len < START_BYTES && receive(line, START_WAIT_MS, &ignored) == JK_OK)
        ;
    return jkp_wrong_start((jk_span){ line->in, line->len });
}

/* ---- a request ---- */

/* As jk_forward_encode(), but without what it always writes: nothing is left that a connector could object to. */
static jk_rc encode_bare(const jk_request *rq, uint8_t *p, size_t cap, size_t *len)
{
    jk_out out = jk_out_over(p, cap);

    out.len = JK_FRAME_HEAD;
    jk_out_u8(&out, JK_AJP_FORWARD_REQUEST);
    jk_out_u8(&out, jk_codes_method(rq->method));
    jk_out_string(&out, rq->protocol);
    jk_out_string(&out, rq->uri);
    jk_out_string(&out, rq->remote_addr);
    jk_out_string(&out, rq->remote_host);
    jk_out_string(&out, rq->server_name);
    jk_out_u16(&out, rq->server_port);
    jk_out_u8(&out, rq->is_ssl);
    jk_out_u16(&out, (unsigned)rq->nheaders);
    for (size_t i = 0; i < rq->nheaders; i++) {
        jk_header_code is = jk_codes_request_header(rq->headers[i].name);
        if (is.code)
            jk_out_u16(&out, is.code);
        else
            jk_out_string(&out, rq->headers[i].name);
        jk_out_string(&out, rq->headers[i].value);
    }
    if (rq->secret.p) {
        jk_out_u8(&out, JK_AJP_ATTR_SECRET);
        jk_out_string(&out, rq->secret);
    }
    if (rq->query.p) {
        jk_out_u8(&out, JK_AJP_ATTR_QUERY);
        jk_out_string(&out, rq->query);
    }
    jk_out_u8(&out, JK_AJP_ATTR_END);
    if (out.bad)
        return JK_E_SPACE;
    jk_frame_begin(p, out.len - JK_FRAME_HEAD);
    *len = out.len;
    return JK_OK;
}

static void keep_cookies(jkp_answer *keep, jk_reply reply)
{
    jk_span name, value;
    size_t len = strlen(keep->cookies);

    while (jk_reply_field(&reply, &name, &value)) {
        if (!jk_span_ieq(name, JK_SPAN_LIT("Set-Cookie")) || value.len + 2 > sizeof keep->cookies - len)
            continue;
        memcpy(keep->cookies + len, value.p, value.len);
        len += value.len;
        keep->cookies[len++] = '\n';
        keep->cookies[len] = 0;
    }
}

static void keep_body(jkp_answer *keep, jk_span bytes)
{
    size_t room = sizeof keep->body - 1 - keep->len, n = bytes.len < room ? bytes.len : room;

    if (n > 0)
        memcpy(keep->body + keep->len, bytes.p, n);
    keep->len += n;
    keep->body[keep->len] = 0;
    for (size_t i = 0; i < bytes.len; i++) /* FNV-1a */
        keep->sum = (keep->sum ^ bytes.p[i]) * 0x100000001B3u;
}

static jk_rc act_on(jkp_line *line, jk_exchange *x, jk_act act, const jk_reply *reply, jkp_step *step)
{
    uint8_t empty[JK_FRAME_BODY_HEAD];

    switch (act) {
    case JK_ACT_PASS_HEAD:
        step->status = reply->status;
        if (line->keep)
            keep_cookies(line->keep, *reply);
        return JK_OK;
    case JK_ACT_PASS_BODY:
        line->body += reply->body.len;
        if (line->keep)
            keep_body(line->keep, reply->body);
        return JK_OK;
    case JK_ACT_SEND_BODY: /* a GET has none, and says so */
        jk_exchange_answered_body(x);
        jk_exchange_body(x, 0, true);
        return send_all(line, empty, jk_frame_begin_body(empty, 0), step) ? JK_OK : step->rc;
    case JK_ACT_FAIL_FRAME:
    case JK_ACT_FAIL_PAYLOAD:
        step->wrong = JKP_WRONG_ORDER;
        return act == JK_ACT_FAIL_FRAME ? JK_E_FRAME : JK_E_PAYLOAD;
    default:
        return JK_OK;
    }
}

static void read_answer(jkp_line *line, jkp_step *step)
{
    jk_exchange x;
    jk_reply reply;
    jk_act act = JK_ACT_IGNORE;

    jk_exchange_start(&x, JK_BODY_NONE, 0, JK_FRAME_DEFAULT_PACKET);
    jk_exchange_sent(&x);
    while (step->rc == JK_OK && act != JK_ACT_FINISH) {
        step->rc = next_message(line, step, &reply);
        if (step->rc != JK_OK)
            return;
        act = jk_exchange_event(&x, jk_exchange_event_of(&reply));
        step->rc = act_on(line, &x, act, &reply, step);
    }
    step->reuse = x.keep;
}

void jkp_talk_get(jkp_line *line, const jk_request *rq, bool bare, jkp_step *step, jkp_times *times)
{
    uint8_t packet[JK_FRAME_MAX_PACKET];
    size_t most = line->packet ? line->packet : JK_FRAME_DEFAULT_PACKET, len = 0;

    begin_step(line, step);
    if (line->keep)
        *line->keep = (jkp_answer){ .sum = 0xCBF29CE484222325u };
    step->rc = bare ? encode_bare(rq, packet, most, &len) : jk_forward_encode(rq, packet, most, &len);
    if (step->rc != JK_OK || !send_all(line, packet, len, step))
        return;
    read_answer(line, step);
    times->first = line->first;
    if (step->rc == JK_OK)
        times->whole = elapsed(line);
}

/* ---- a Unix socket's path ---- */

static void describe(char *where, size_t room, const char *path, const struct stat *st)
{
    if (st)
        snprintf(where, room, "%s (mode %04o, owner %u, group %u)", path, (unsigned)(st->st_mode & 07777), (unsigned)st->st_uid,
                 (unsigned)st->st_gid);
    else
        snprintf(where, room, "%s", path);
}

/* Calls `bad` on each directory of the path from / on; true at the first for which it is true, its name in `at`. */
static bool find_directory(const char *path, char at[PATH_MAX], bool (*bad)(const char *at))
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        if (n >= PATH_MAX)
            return false;
        memcpy(at, path, n);
        at[n] = 0;
        if (bad(at))
            return true;
    }
    return false;
}

static bool absent(const char *at)
{
    struct stat st;

    return stat(at, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static bool closed_to_me(const char *at)
{
    return access(at, X_OK) != 0;
}

static bool closed_to_others(const char *at)
{
    struct stat st;

    return stat(at, &st) == 0 && !(st.st_mode & S_IXOTH);
}

jkp_path jkp_talk_look(const char *path, int err, char *where, size_t room)
{
    char at[PATH_MAX];
    struct stat st;

    if (find_directory(path, at, absent)) {
        describe(where, room, at, NULL);
        return JKP_PATH_NO_DIRECTORY;
    }
    if (find_directory(path, at, closed_to_me)) {
        describe(where, room, at, stat(at, &st) == 0 ? &st : NULL);
        return JKP_PATH_CLOSED_DIRECTORY;
    }
    if (stat(path, &st) != 0) {
        describe(where, room, path, NULL);
        return JKP_PATH_NO_FILE;
    }
    describe(where, room, path, &st);
    if (!S_ISSOCK(st.st_mode))
        return JKP_PATH_NO_SOCKET;
    if (err == EACCES)
        return JKP_PATH_CLOSED_FILE;
    return err == ECONNREFUSED ? JKP_PATH_NOBODY : JKP_PATH_FINE;
}

static bool lets(const struct stat *st, const jkp_user *user, unsigned bit)
{
    if (user->uid == 0)
        return true;
    if (st->st_uid == user->uid)
        return st->st_mode & bit << 6;
    for (size_t i = 0; i < user->ngroups; i++)
        if (st->st_gid == user->groups[i])
            return st->st_mode & bit << 3;
    return st->st_mode & bit;
}

bool jkp_talk_closed_to(const jkp_user *user, const char *path, char *where, size_t room)
{
    char at[PATH_MAX];
    struct stat st;

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        if (n >= sizeof at)
            return false;
        memcpy(at, path, n);
        at[n] = 0;
        if (stat(at, &st) == 0 && !lets(&st, user, S_IXOTH)) {
            describe(where, room, at, &st);
            return true;
        }
    }
    if (stat(path, &st) != 0 || lets(&st, user, S_IWOTH))
        return false;
    describe(where, room, path, &st);
    return true;
}

bool jkp_talk_root_only(const char *path, char *where, size_t room)
{
    char at[PATH_MAX];
    struct stat st;

    if (geteuid() != 0)
        return false;
    if (find_directory(path, at, closed_to_others) && stat(at, &st) == 0) {
        describe(where, room, at, &st);
        return true;
    }
    if (stat(path, &st) != 0 || (st.st_mode & S_IWOTH))
        return false;
    describe(where, room, path, &st);
    return true;
}
