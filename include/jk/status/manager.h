/* include/jk/status/manager.h - the worker type status: it is mounted and listed as any other, but no request is driven by it. The glue sees
 * its type and answers with a page (httpd/statuspage). */
#ifndef JK_STATUS_MANAGER_H
#define JK_STATUS_MANAGER_H

#include "jk/worker/worker.h"

extern const jk_worker_type jk_manager_type;

/* Allocates from p; conf must live as long. */
jk_worker *jk_manager_make(apr_pool_t *p, const jk_worker_conf *conf);

#endif
