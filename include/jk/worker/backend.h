/* include/jk/worker/backend.h - the worker type ajp13: one container behind one address. */
#ifndef JK_WORKER_BACKEND_H
#define JK_WORKER_BACKEND_H

#include "jk/worker/worker.h"

extern const jk_worker_type jk_backend_type;

/* Allocates from p; conf must live as long. Looks up nothing and opens nothing. */
jk_worker *jk_backend_make(apr_pool_t *p, const jk_worker_conf *conf);

#endif
