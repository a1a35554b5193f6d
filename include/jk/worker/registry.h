/* include/jk/worker/registry.h - the workers of one configuration, by name. Made at post_config, read-only afterwards. */
#ifndef JK_WORKER_REGISTRY_H
#define JK_WORKER_REGISTRY_H

#include "jk/worker/worker.h"

typedef struct jk_registry jk_registry;

/* One type of workers: its number in the checked configuration and how one is made. The table is passed in, so that the
 * registry needs to know no room that makes them. */
typedef struct jk_registry_type {
    jk_worker_kind kind;
    jk_worker *(*make)(apr_pool_t *p, const jk_worker_conf *conf);
} jk_registry_type;

/* Makes every listed worker whose type is in the table. Ends with a row whose make is NULL. */
jk_registry *jk_registry_make(apr_pool_t *p, const jk_workers_conf *conf, const jk_registry_type *types);

/* NULL: there is none of this name. */
jk_worker *jk_registry_find(const jk_registry *registry, const char *name);

/* All of them, in the order of worker.list: i < jk_registry_count(); none where there is no registry. */
size_t jk_registry_count(const jk_registry *registry);
jk_worker *jk_registry_at(const jk_registry *registry, size_t i);

/* At post_config: what all processes share. */
void jk_registry_ready(const jk_registry *registry, apr_pool_t *p, jk_shm *shm, const jk_log *log);

/* In a child process: readies every worker. */
jk_rc jk_registry_child(const jk_registry *registry, apr_pool_t *p, const jk_log *log);

/* In a child process, by one thread at a time: upkeep of every worker. */
void jk_registry_tend(const jk_registry *registry, const jk_tend *what, const jk_log *log);

#endif
