/* tools/jkctl_probe.h - asks one worker's container all that the decision needs: from a target to facts. It changes nothing there: the CPing, OPTIONS
 * and GET of *, which reach no application, GET, PROPFIND of one path, TRACE where PROPFIND was answered oddly. Blocking; all of it ends in time. */
#ifndef JKCTL_PROBE_H
#define JKCTL_PROBE_H

#include "jkctl_decide.h"
#include "jkping_talk.h"

/* What is asked of all workers alike. */
typedef struct jkd_how {
    int budget;            /* ms that one worker may take */
    bool path_given;       /* by the caller; else it is the target's as it came */
    const char *host;      /* the Host header; NULL: the worker's host */
    const char *user;      /* "": none */
    const char *selinux;   /* /sys/fs/selinux */
    const jk_field *attributes;
    size_t nattributes;
    const jkp_user *httpd; /* who must get through to Unix sockets; NULL: not known */
    const char *httpd_user, *httpd_group; /* by their names; "": not known */
} jkd_how;

typedef struct jkd_target {
    const char *worker, *host, *socket; /* socket: the path of a Unix socket; NULL: TCP */
    int port;
    bool prefer_ipv6, stored_methods, sticky;
    const char *secret; /* NULL: none */
    const char *route, *session_cookie;
    const char *path; /* begins with '/' */
    size_t packet;
} jkd_target;

/* Looks the host up, which is the one thing that may take longer than the budget; the facts get their texts. */
jk_rc jkd_probe_resolve(const jkd_target *target, const jkd_how *how, jk_addr *to, jkd_facts *facts);

/* All the rest, until `until` as jkp_talk_now(). *pong: µs of the CPing, -1: none came. JK_E_MEMORY, else JK_OK. */
jk_rc jkd_probe_ask(const jkd_target *target, const jkd_how *how, const jk_addr *to, int64_t until, jkd_facts *facts, int64_t *pong);

#endif
