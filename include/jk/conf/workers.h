/* include/jk/conf/workers.h - properties -> checked workers. No network, no file, no exit: what is wrong is a finding, and what
 * comes out is whole in any case (spec: workers.md 1-5, 10; status.md 1; decisions.md). */
#ifndef JK_CONF_WORKERS_H
#define JK_CONF_WORKERS_H

#include "jk/balance/tune.h"
#include "jk/conf/props.h"

typedef enum jk_worker_kind { JK_WORKER_AJP13 = 1, JK_WORKER_LB = 2, JK_WORKER_STATUS = 4 } jk_worker_kind;

/* Bits of ping_mode. */
enum { JK_PING_CONNECT = 1, JK_PING_PREPOST = 2, JK_PING_INTERVAL = 4 };

/* session_cookie_samesite. */
typedef enum jk_samesite { JK_SAMESITE_UNSET, JK_SAMESITE_LAX, JK_SAMESITE_STRICT, JK_SAMESITE_NONE } jk_samesite;

/* What a status worker calls good and bad: one bit for an activation (jk_activation) and a state. */
typedef enum jk_rated { JK_RATED_OK, JK_RATED_IDLE, JK_RATED_BUSY, JK_RATED_RECOVER, JK_RATED_ERROR, JK_RATED_STATES } jk_rated;
#define JK_RATING(activation, state) (1u << ((activation) * JK_RATED_STATES + (state)))

#define JK_KEYS_MOST 128 /* rows of conf/keys */

/* Effective values: what was not written is derived or the default. Texts are never NULL but unix_path ("": none), arrays
 * never NULL. Belongs to the pool of the parse. */
typedef struct jk_worker_conf {
    const char *name;
    jk_worker_kind kind;
    const char *file; /* where it was first named */
    int line;
    bool listed; /* in worker.list, and can be made */
    jk_tune tune;
    uint64_t written[JK_KEYS_MOST / 64]; /* by row of conf/keys, see jk_keys_written */
    apr_array_header_t *mount;           /* of const char *, as written */

    /* ajp13 */
    const char *unix_path; /* host=unix:/path; NULL: TCP */
    const char *secret;    /* lb: for members that have none; a member of an lb has inherited it */
    const char *source;
    int32_t socket_timeout;          /* s; 0: none */
    int32_t socket_connect_timeout;  /* ms; 0, which must be written: the system's */
    int32_t socket_buffer;           /* bytes; 0: the system's */
    int32_t connection_pool_size;    /* 0: by need */
    int32_t connection_pool_minsize; /* -1: half of the pool's size, whatever that becomes */
    int32_t ping_mode;               /* JK_PING_; the timeouts that follow from it are in tune */
    apr_array_header_t *fail_on_status; /* of int32_t; negative: soft */
    bool socket_keepalive, prefer_ipv6, stored_methods, safe_ping;
    bool disabled, stopped; /* the old spellings of activation, which has taken them in */

    /* lb */
    apr_array_header_t *balance_workers; /* of const char *, as written */
    apr_array_header_t *members;         /* of const jk_worker_conf *: each as this lb sees it */
    int32_t lb_retries, spare_members;
    const struct jk_worker_conf *spare;  /* what a member that is added at run time begins as, without a name; NULL: there is no room for any */
    const char *session_cookie_path;
    int32_t session_cookie_samesite; /* enum jk_samesite */
    bool set_session_cookie;

    /* status */
    const char *css, *ns, *xmlns, *doctype, *prefix;
    apr_array_header_t *user, *good, *bad; /* of const char * */
    uint32_t good_when, bad_when;          /* JK_RATING bits; bad is asked first */
    bool read_only, allow_get_changes, user_case_insensitive;
} jk_worker_conf;

typedef struct jk_workers_conf {
    /* Of jk_worker_conf *, in the order of worker.list; behind them the members of lbs that are not listed. */
    apr_array_header_t *workers;
    apr_hash_t *by_name;   /* name -> jk_worker_conf */
    int32_t maintain;      /* s between maintenances; 0 or less: none */
    const jk_props *props; /* all that was written, what references took over at the end: the status worker dumps it */
} jk_workers_conf;

/* Where the properties come from. */
typedef struct jk_workers_input {
    const jk_prop *lines; /* JkWorkerProperty: `value` is the raw line */
    int nlines;
    const char *file; /* NULL: no JkWorkersFile */
    jk_span text;     /* its bytes */
    const char *server_root;
    const char *(*env)(const char *name);
    int kinds; /* jk_worker_kind bits that the caller can make, 0: ajp13 alone. Listing another kind is an error */
} jk_workers_input;

/* Allocates from p, keeps pointers to the names of files in *in, and never returns NULL. */
jk_workers_conf *jk_workers_parse(apr_pool_t *p, const jk_workers_input *in, jk_findings *found);

/* NULL: there is none of this name. A member of an lb is there too, with `listed` unset. */
const jk_worker_conf *jk_workers_find(const jk_workers_conf *conf, const char *name);

/* Can a worker be called so? NULL, or in words what is wrong. Of names that come from elsewhere than a file, where blanks and commas part them. */
const char *jk_workers_name(const char *name);

/* Is it too long for the name of a worker, wherever it comes from? */
bool jk_workers_name_fits(const char *name);

/* The value of `host`, taken apart: name, name:port, 1.2.3.4, [v6], [v6]:port, a bare v6 address, unix:/path. */
typedef struct jk_host {
    char name[JK_NAME_MAX + 1]; /* without port and brackets; a Unix socket's with its unix: */
    int32_t port;               /* -1: none was given */
    bool is_unix;
} jk_host;

/* NULL, or in words what is wrong; *out then holds what could be understood. Looks up nothing. */
const char *jk_workers_host(const char *text, jk_host *out);

#endif
