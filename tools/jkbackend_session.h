/* tools/jkbackend_session.h - a bounded table of sessions, each with a counter. The oldest gives way when it is full. */
#ifndef JKBACKEND_SESSION_H
#define JKBACKEND_SESSION_H

#include "jkbackend_decode.h"

#include <pthread.h>

#define JKB_SESSIONS 1024
#define JKB_SESSION_ID 300

typedef struct jkb_sessions {
    pthread_mutex_t lock; /* guards all below */
    uint64_t clock;
    struct {
        char id[JKB_SESSION_ID];
        uint64_t visits, used;
    } slot[JKB_SESSIONS];
} jkb_sessions;

/* The session id that a request brings: from the JSESSIONID cookie, else from ;jsessionid in the URI; else absent. */
jk_span jkb_session_of(const jkb_request *rq);

/* Counts a visit. A session that is not known here is created with a new id, "<32 digits>.<route>"; *created says so.
 * Returns the visits; `id` receives the id. */
uint64_t jkb_session_visit(jkb_sessions *s, jk_span wanted, const char *route, char id[JKB_SESSION_ID], bool *created);

#endif
