/* include/jk/worker/backend.h - the worker type ajp13: one container behind one address. */
#ifndef JK_WORKER_BACKEND_H
#define JK_WORKER_BACKEND_H

#include "jk/net/pool.h"
#include "jk/worker/worker.h"

extern const jk_worker_type jk_backend_type;

/* Allocates from p; conf must live as long. Looks up nothing and opens nothing. */
jk_worker *jk_backend_make(apr_pool_t *p, const jk_worker_conf *conf);

/* The same as a member of a balancer, which keeps its state; `slot` is its name in the shared memory. */
jk_worker *jk_backend_make_member(apr_pool_t *p, const jk_worker_conf *conf, const char *slot);

/* Its shared numbers; there from the worker's ready() on. */
jk_stat *jk_backend_stat(const jk_worker *worker);

/* The address that it connects to, as text, in p: "unresolved" where it has none yet, "invalid" where its port is 0. */
const char *jk_backend_address(const jk_worker *worker, apr_pool_t *p);

/* The connections of this process; zeros before it is readied. */
jk_pool_counts jk_backend_pool(const jk_worker *worker);

/* Nobody is to use it any more in this process: what is idle is closed. */
void jk_backend_close_idle(const jk_worker *worker);

/* Could a request have a connection in this process now? */
bool jk_backend_has_room(const jk_worker *worker);

#endif
