/* include/jk/worker/manage.h - workers seen from outside of requests: what a status page shows of them, and what an administrator does to
 * them beside editing values (jk_stat_tune_edit). For any thread of a child process; nothing here is on the way of a request. */
#ifndef JK_WORKER_MANAGE_H
#define JK_WORKER_MANAGE_H

#include "jk/net/pool.h"
#include "jk/worker/worker.h"

/* Its shared numbers and values; NULL: its type has none. */
jk_stat *jk_manage_stat(const jk_worker *worker);

/* A balancer's places, in their order: i < jk_manage_members(); 0 for every other type. Those of the file's members come first, behind them those
 * for members that are added at run time. NULL: nobody is there now. */
size_t jk_manage_members(const jk_worker *worker);
const jk_worker *jk_manage_member(const jk_worker *worker, size_t i);

/* Its worker, whether somebody is there or not. */
const jk_worker *jk_manage_place(const jk_worker *worker, size_t i);

/* Is it a place for members that are added at run time? */
bool jk_manage_is_spare(const jk_worker *worker, size_t i);

/* The place for a new member: nobody is there, nobody is under way there, and of several it was left longest ago. jk_manage_members():
 * there is none. */
size_t jk_manage_free_place(const jk_worker *worker);

/* A member begins in a place that was free: stopped, for the caller has more to look at; with all other values of *to, jk_tune.name among
 * them, and with nothing counted. JK_E_CONF: somebody else took it; JK_E_BUSY: another edit does not end. */
jk_rc jk_manage_begin(const jk_worker *worker, size_t i, const jk_tune *to, int64_t now);

/* It gets nothing new from now on, and is not shown any more. As jk_manage_begin(), but JK_E_CONF: it is another one by now. */
jk_rc jk_manage_end(const jk_worker *worker, size_t i);

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
