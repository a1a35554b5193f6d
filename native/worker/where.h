/* native/worker/where.h - where a container is: host and port in force, and the address that they were found to have. The room's own. */
#ifndef JK_WORKER_WHERE_H
#define JK_WORKER_WHERE_H

#include "jk/balance/tune.h"
#include "jk/net/sock.h"
#include "kept.h"

#include <apr_time.h>

/* Host and port never change: an edit leads to another one, and the old one stays, some hundred bytes for each, since a request or a
 * connection may know it (kept.h). */
typedef struct jk_where {
    char host[JK_NAME_MAX + 1]; /* as in jk_tune */
    int32_t port;
    bool prefer_ipv6;
    volatile uint32_t resolved; /* set once, after addr was written: who sees it set may read addr */
    volatile uint32_t looking;  /* somebody looks it up */
    apr_time_t looked_up;       /* written by who is looking */
    jk_addr addr;               /* its text is "" until then */
} jk_where;

/* Looks up nothing. */
void jk_where_init(jk_where *where, const jk_tune *tune, bool prefer_ipv6);

/* The same, of what is kept; NULL: no memory. */
jk_where *jk_where_make(jk_kept *kept, const jk_tune *tune, bool prefer_ipv6);

/* Does it say the same as the values in force? */
bool jk_where_is(const jk_where *where, const jk_tune *tune);

/* One at a time and not too often; the name service may take its time, and nobody waits for who is waiting for it. JK_OK: it has just been
 * found. JK_E_RESOLVE: *why in words. JK_AGAIN: nobody looked. */
jk_rc jk_where_look_up(jk_where *where, const char **why);

bool jk_where_known(const jk_where *where);

/* "unresolved" where it is not known yet, "invalid" where there is no port. */
const char *jk_where_text(const jk_where *where);

#endif
