/* native/worker/where.c - looks up a host, now and then, until it is known. */
#include "where.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <string.h>

#define LOOK_UP_AGAIN apr_time_from_sec(5) /* an unresolved host is asked for by requests no more often */
#define UNIX "unix:"

static bool is_unix(const jk_where *where)
{
    return strncmp(where->host, UNIX, sizeof UNIX - 1) == 0;
}

void jk_where_init(jk_where *where, const jk_tune *tune, bool prefer_ipv6)
{
    memset(where, 0, sizeof *where);
    apr_cpystrn(where->host, tune->host, sizeof where->host);
    where->port = tune->port;
    where->prefer_ipv6 = prefer_ipv6;
}

jk_where *jk_where_make(jk_kept *kept, const jk_tune *tune, bool prefer_ipv6)
{
    jk_where *where = jk_kept_take(kept, sizeof *where);

    if (where)
        jk_where_init(where, tune, prefer_ipv6);
    return where;
}

bool jk_where_is(const jk_where *where, const jk_tune *tune)
{
    return where->port == tune->port && strcmp(where->host, tune->host) == 0;
}

static jk_rc look_up(jk_where *where, const char **why)
{
    *why = "the path of the Unix socket is too long";
    if (is_unix(where))
        return jk_sock_unix(where->host + sizeof UNIX - 1, &where->addr);
    return jk_sock_resolve(where->host, where->port, where->prefer_ipv6, &where->addr, why);
}

jk_rc jk_where_look_up(jk_where *where, const char **why)
{
    apr_time_t now = apr_time_now();
    jk_rc rc = JK_AGAIN;

    *why = "";
    if (apr_atomic_cas32(&where->looking, 1, 0) != 0)
        return JK_AGAIN;
    if (!where->resolved && (where->looked_up == 0 || now - where->looked_up >= LOOK_UP_AGAIN)) {
        rc = look_up(where, why);
        where->looked_up = apr_time_now();
        if (rc == JK_OK)
            apr_atomic_set32(&where->resolved, 1);
    }
    apr_atomic_set32(&where->looking, 0);
    return rc;
}

bool jk_where_known(const jk_where *where)
{
    return apr_atomic_read32((volatile uint32_t *)&where->resolved);
}

const char *jk_where_text(const jk_where *where)
{
    if (where->port == 0 && !is_unix(where))
        return "invalid";
    return jk_where_known(where) ? where->addr.text : "unresolved";
}
