/* include/jk/status/view.h - a snapshot of everything that a status page shows: workers, members, mounts, facts of the server. Plain
 * values: whoever shows them asks nothing else. Numbers of different workers are of slightly different moments.
 *
 * Made for one request, in its pool. Times are seconds since 1970; clocks and facts of the server come in. */
#ifndef JK_STATUS_VIEW_H
#define JK_STATUS_VIEW_H

#include "jk/conf/keys.h"
#include "jk/conf/findings.h"
#include "jk/shm/gauges.h"
#include "jk/status/metrics.h"
#include "jk/worker/manage.h"
#include "jk/worker/registry.h"

/* One mount, as it is shown. Texts are never NULL. */
typedef struct jk_view_map {
    const char *worker; /* the name that it leads to */
    int32_t id;         /* from 1, among those of the same worker; filled in by jk_view_make */
    const char *server; /* "host", "host:port", "name [addr:port]" */
    const char *uri;    /* without its modifiers */
    const char *type;   /* "Exact", "Wildchar", behind "Disabled " and "Unmount " */
    const char *source; /* "JkMount", "uriworkermap", "worker definition" */
    int32_t reply_timeout; /* -1: the worker's */
    int32_t sticky_ignore, stateless, use_server_errors;
    const char *fail_on_status, *active, *disabled, *stopped; /* lists with commas */
    const char *path;   /* the extension path= */
    const char *place;  /* "file:line" */
    /* Its numbers since the server was started. They are of the mount as it is written: of both rules of "/a|b", and of all servers that have
     * taken it over. */
    int64_t counted;    /* 0: nobody counts them, and what follows is not there; -1: with all others that have no place of their own */
    bool again;         /* they stand at another one before this, too */
    const char *mount, *vhost; /* as it is written, and where */
    uint64_t requests, errors, client_errors, server_errors, read, written;
    uint32_t busy;
} jk_view_map;

/* A value in force that is not the file's. */
typedef struct jk_view_edit {
    const jk_key *key;
    const char *name, *file, *now; /* as text */
} jk_view_edit;

typedef enum jk_view_health { JK_VIEW_GOOD, JK_VIEW_DEGRADED, JK_VIEW_BAD } jk_view_health;

/* A worker of any kind, or a member. What its kind does not have is zero, or "". */
typedef struct jk_view_worker {
    const char *name, *type; /* "ajp13", "lb" */
    const jk_worker *worker;
    jk_tune now;      /* in force */
    const char *edited; /* names of the keys whose value is not the file's, with commas */
    apr_array_header_t *edits; /* of jk_view_edit */
    const char *edited_by;     /* who edited last, and when; 0: nobody did */
    int64_t edited_at;
    jk_stat_numbers numbers;
    int64_t reset_ago;
    /* ajp13 */
    const char *address; /* "ip:port", "unresolved", "invalid" */
    const char *source;  /* "undefined": none */
    const char *state, *health;
    jk_member_state state_code;
    int64_t error_at, error_ago; /* 0: no error */
    const char *error_datetime, *error_tz;
    jk_pool_counts pool; /* of this process */
    /* of all processes, since the server was started */
    uint64_t made, closed[JK_STAT_CLOSED]; /* connections; by jk_close_why of net/conn */
    jk_stat_histogram first;  /* time until the answers' heads */
    apr_array_header_t *processes; /* of jk_stat_share: what each of them has there now */
    jk_stat_failure failure;  /* why the last one of those that failed did */
    const char *last_failure; /* the same in words; "": none did */
    /* a member */
    bool added; /* at run time: the file does not name it */
    const char *activation; /* "ACT" */
    uint64_t mult, value;
    int64_t recover_min, recover_max; /* s until it may be tried again */
    jk_stat_visits sticky;  /* requests that came back to it, minute by minute */
    uint32_t sticky_recent; /* in the last five minutes */
    bool safe_to_stop;      /* nobody is there, nobody came back lately, and nobody new is sent there */
    /* lb */
    const char *method, *lock;
    apr_array_header_t *members; /* of jk_view_worker; NULL: it is no lb */
    int32_t member_count, good, degraded, bad;
    int64_t maintain_min, maintain_max;
    /* listed workers */
    apr_array_header_t *maps; /* of const jk_view_map * */
    int32_t map_count;
} jk_view_worker;

/* One finding of the last check of the configuration. */
typedef struct jk_view_finding {
    const char *severity, *file, *text;
    int32_t line;
} jk_view_finding;

/* Requests that wait without a thread. */
typedef struct jk_view_parked {
    bool known;         /* false: it cannot be, or is switched off */
    uint32_t limit;     /* of one process */
    uint32_t here;      /* wait in this process, */
    uint32_t waiting;   /* and in all of them */
    jk_park_gauges all; /* of all */
} jk_view_parked;

/* What the view is made of beside the workers themselves. */
typedef struct jk_view_from {
    const jk_registry *registry;
    const jk_workers_conf *workers;
    const jk_worker_conf *status;   /* the status worker that shows it: what it calls good and bad, and is allowed */
    const apr_array_header_t *maps; /* of jk_view_map, server by server, in the order in which they are tried */
    const apr_array_header_t *findings; /* of jk_finding, of the last check of the configuration; NULL: none are kept */
    int64_t now;
    const char *server_name, *web_server, *jk_version;
    int32_t server_port;
    int32_t pid, generation; /* of httpd's configuration: each restart adds one */
    bool stale;              /* the newest configuration is broken, and the last good one in force */
    jk_view_parked parked;
    jk_metrics_from metrics;
    const char *token;       /* that changes need; "": they are not allowed */
    const char *base;        /* path of the page itself, as it was asked for, for links */
} jk_view_from;

typedef struct jk_view {
    apr_pool_t *p;
    jk_view_from from;
    const char *datetime, *tz, *readable; /* of now: 20261121140342, +0000, 2026-11-21 14:03:42 +0000 */
    apr_array_header_t *balancers, *workers; /* of jk_view_worker: those of type lb; those of type ajp13 */
    int32_t lb_count, ajp_count, finding_count;
    apr_array_header_t *findings; /* of jk_view_finding */
} jk_view;

/* Looks at everything now. */
jk_view *jk_view_make(apr_pool_t *p, const jk_view_from *from);

/* A listed worker of any type but status, or its member; NULL: there is none. */
const jk_view_worker *jk_view_find(const jk_view *view, const char *name);
const jk_view_worker *jk_view_member(const jk_view_worker *lb, const char *name);

#endif
