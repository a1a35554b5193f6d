/* include/jk/route/session.h - the session ids of a request and the routes in them (spec: workers.md 6.4). Pure: no
 * allocation, and what is found are spans into what the caller gave, which stays as it is.
 *
 *   JK_ROUTE=n1                                      n1, and nothing else is looked at
 *   /shop/a;jsessionid=8F2.n1/b?q                    8F2.n1, and the cookies are not looked at
 *   Cookie: JSESSIONID=8F2.n1; JSESSIONID="77.n2"    8F2.n1, then 77.n2
 *
 * The route is what stands behind the first '.' of an id. Whether ids count at all (sticky_session, sticky_ignore) is
 * the caller's to ask first. */
#ifndef JK_ROUTE_SESSION_H
#define JK_ROUTE_SESSION_H

#include "jk/base/span.h"

#define JK_SESSION_ROUTE_MAX 255 /* bytes: no member has a longer route */
#define JK_SESSION_ROUTES 16     /* routes of one request that are tried, */
#define JK_SESSION_IDS 64        /* and ids that are looked at for them: a client may send cookies without end */

/* What a request brings. A span that is absent or empty is not there, or not to be looked for. */
typedef struct jk_session_from {
    jk_span forced;         /* JK_ROUTE */
    jk_span uri;            /* as it is forwarded; a query is not looked at */
    jk_span parameter;      /* session_path: ";jsessionid" */
    jk_span cookie;         /* session_cookie: "JSESSIONID" */
    const jk_span *cookies; /* the values of all Cookie headers, in their order */
    size_t ncookies;
} jk_session_from;

/* Where a session was found: the first of these that has an id is the only one that counts. */
typedef enum jk_session_place { JK_SESSION_NOWHERE, JK_SESSION_FORCED, JK_SESSION_PATH, JK_SESSION_COOKIES } jk_session_place;

typedef struct jk_session_id {
    jk_session_place place;
    jk_span id;    /* without quotes and the blanks around them; of JK_ROUTE the route itself. May be empty */
    jk_span route; /* absent: the id has no '.', or nothing behind it, or too much */
    bool too_long; /* the route is longer than JK_SESSION_ROUTE_MAX */
} jk_session_id;

/* A walk over the ids. It holds a pointer to `from`. */
typedef struct jk_session_walk {
    const jk_session_from *from;
    jk_session_place place;
    jk_span id;    /* of FORCED and PATH: still to be given */
    size_t header; /* of COOKIES: which, */
    size_t at;     /* and how far it was read */
} jk_session_walk;

jk_session_walk jk_session_begin(const jk_session_from *from);

/* The next id; false: there is none any more. */
bool jk_session_next(jk_session_walk *walk, jk_session_id *id);

/* All of it, so that every attempt of a request tries the same routes. */
typedef struct jk_session {
    jk_session_place place; /* NOWHERE: the request has no session */
    bool empty;             /* there was an id, and it has no byte: no session, worth an info line */
    bool left_out;          /* a route that is too long, or ids behind the most that are looked at */
    jk_span id;             /* the first that is not empty, for messages */
    jk_span routes[JK_SESSION_ROUTES];
    size_t nroutes;
} jk_session;

void jk_session_read(const jk_session_from *from, jk_session *out);

/* JkStripSession: the bytes to cut out of a path, the first `parameter` and all up to the next ';' or '/' or the end. As
 * long as only the beginning fits, it is cut too: ";jsessionid" means ";jsessionidX=1". Absent: there is nothing to cut. */
jk_span jk_session_cut(jk_span path, jk_span parameter);

#endif
