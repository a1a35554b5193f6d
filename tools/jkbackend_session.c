/* tools/jkbackend_session.c - session ids in requests, and the table of sessions. */
#include "jkbackend_session.h"

#include <stdio.h>
#include <sys/random.h>

/* The value of a cookie in "a=b; c=d". */
static jk_span cookie_value(jk_span list, jk_span name)
{
    size_t i = 0;

    while (i < list.len) {
        while (i < list.len && (list.p[i] == ' ' || list.p[i] == ';'))
            i++;
        size_t from = i;
        while (i < list.len && list.p[i] != ';')
            i++;
        jk_span pair = { list.p + from, i - from };
        if (pair.len > name.len && pair.p[name.len] == '=' && memcmp(pair.p, name.p, name.len) == 0)
            return (jk_span){ pair.p + name.len + 1, pair.len - name.len - 1 };
    }
    return JK_SPAN_NONE;
}

static jk_span path_parameter(jk_span uri, jk_span name)
{
    const uint8_t *at = memmem(uri.p, uri.len, name.p, name.len);

    if (at == NULL)
        return JK_SPAN_NONE;
    at += name.len;
    size_t left = uri.len - (size_t)(at - uri.p), n = 0;
    while (n < left && at[n] != ';' && at[n] != '/')
        n++;
    return (jk_span){ at, n };
}

jk_span jkb_session_of(const jkb_request *rq)
{
    jk_span id = cookie_value(rq->cookie, JK_SPAN_LIT("JSESSIONID"));

    return id.p ? id : path_parameter(rq->uri, JK_SPAN_LIT(";jsessionid="));
}

static void new_id(char id[JKB_SESSION_ID], const char *route)
{
    uint8_t chance[16] = { 0 };
    int at = 0;

    /* 16 bytes come whole once the kernel's pool is ready, and before that the call waits. */
    if (getrandom(chance, sizeof chance, 0) < 0)
        perror("jkbackend: getrandom");
    for (size_t i = 0; i < sizeof chance; i++)
        at += snprintf(id + at, JKB_SESSION_ID - (size_t)at, "%02X", chance[i]);
    if (route)
        snprintf(id + at, JKB_SESSION_ID - (size_t)at, ".%s", route);
}

static size_t find_locked(const jkb_sessions *s, jk_span id)
{
    size_t i = 0;

    while (i < JKB_SESSIONS && (s->slot[i].used == 0 || !jk_span_eq(id, jk_span_of(s->slot[i].id))))
        i++;
    return i;
}

static size_t oldest_locked(const jkb_sessions *s)
{
    size_t oldest = 0;

    for (size_t i = 1; i < JKB_SESSIONS; i++)
        if (s->slot[i].used < s->slot[oldest].used)
            oldest = i;
    return oldest;
}

uint64_t jkb_session_visit(jkb_sessions *s, jk_span wanted, const char *route, char id[JKB_SESSION_ID], bool *created)
{
    uint64_t visits;

    pthread_mutex_lock(&s->lock);
    size_t i = wanted.len ? find_locked(s, wanted) : JKB_SESSIONS;
    *created = i == JKB_SESSIONS;
    if (*created) {
        i = oldest_locked(s);
        s->slot[i].visits = 0;
        new_id(s->slot[i].id, route);
    }
    s->slot[i].used = ++s->clock;
    visits = ++s->slot[i].visits;
    memcpy(id, s->slot[i].id, JKB_SESSION_ID);
    pthread_mutex_unlock(&s->lock);
    return visits;
}
