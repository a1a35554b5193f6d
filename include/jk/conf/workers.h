/* include/jk/conf/workers.h - properties -> checked workers. No network, no file, no exit: what is wrong is a finding, and what
 * comes out is whole in any case (spec: workers.md 1-4, 10). */
#ifndef JK_CONF_WORKERS_H
#define JK_CONF_WORKERS_H

#include "jk/balance/tune.h"
#include "jk/conf/props.h"

typedef enum jk_worker_kind { JK_WORKER_AJP13 = 1, JK_WORKER_LB = 2, JK_WORKER_STATUS = 4 } jk_worker_kind;

typedef struct jk_worker_conf {
    const char *name;
    jk_worker_kind kind;
    const char *file; /* where it was first named */
    int line;
    bool listed; /* in worker.list, and can be made */
    jk_tune tune;
    const char *unix_path;      /* host=unix:/path; NULL: TCP */
    const char *secret;         /* "": none */
    int socket_timeout;         /* s; 0: none */
    int socket_connect_timeout; /* ms */
    int socket_buffer;          /* bytes; 0: the system's */
    int connection_pool_size;   /* 0: by need */
    bool socket_keepalive, prefer_ipv6, stored_methods;
} jk_worker_conf;

typedef struct jk_workers_conf {
    apr_array_header_t *workers; /* of jk_worker_conf *, in the order of worker.list */
} jk_workers_conf;

/* Where the properties come from. */
typedef struct jk_workers_input {
    const jk_prop *lines; /* JkWorkerProperty: `value` is the raw line */
    int nlines;
    const char *file; /* NULL: no JkWorkersFile */
    jk_span text;     /* its bytes */
    const char *server_root;
    const char *(*env)(const char *name);
} jk_workers_input;

jk_workers_conf *jk_workers_parse(apr_pool_t *p, const jk_workers_input *in, jk_findings *found);

/* NULL: there is none of this name. */
const jk_worker_conf *jk_workers_find(const jk_workers_conf *conf, const char *name);

#endif
