/* include/jk/worker/manage.h - workers seen from outside of requests: what a status page shows of them, and what an administrator does to
 * them beside editing values (jk_stat_tune_edit). For any thread of a child process; nothing here is on the way of a request. */
#ifndef JK_WORKER_MANAGE_H
#define JK_WORKER_MANAGE_H

#include "jk/net/pool.h"
#include "jk/worker/worker.h"

/* Its shared numbers and values; NULL: its type has none. */
jk_stat *jk_manage_stat(const jk_worker *worker);

/* A balancer's members, in their order: i < jk_manage_members(); 0 for every other type. */
size_t jk_manage_members(const jk_worker *worker);
const jk_worker *jk_manage_member(const jk_worker *worker, size_t i);

/* What one request adds to the member's load value. */
uint64_t jk_manage_mult(const jk_worker *worker, size_t i);

/* Of an ajp13 worker: "127.0.0.1:8009", "unresolved", or "invalid" where its port is 0; a copy, in p. */
const char *jk_manage_address(const jk_worker *worker, apr_pool_t *p);

/* Of an ajp13 worker: the connections of this process. */
jk_pool_counts jk_manage_pool(const jk_worker *worker);

/* Counting begins anew, and a balancer's members are idle and not in error. Who runs there goes on. */
void jk_manage_reset(const jk_worker *worker, int64_t now);
void jk_manage_reset_member(const jk_worker *worker, size_t i, int64_t now);

/* A member in error may be tried again, at once. False: it was not in error. */
bool jk_manage_recover(const jk_worker *worker, size_t i, int64_t now);

#endif
