/* native/worker/registry.c - a hash of names; a request never comes here, its mount holds the worker's pointer. */
#include "jk/worker/registry.h"

#include "jk/worker/lb.h"
#include "jk/worker/manage.h"

#include <apr_hash.h>

struct jk_registry {
    apr_hash_t *by_name;
    apr_array_header_t *all; /* of jk_worker *, in the order of worker.list */
};

static const jk_registry_type *type_of(const jk_registry_type *types, const jk_worker_conf *conf)
{
    for (; types->make; types++)
        if (types->kind == conf->kind)
            return types;
    return NULL;
}

jk_registry *jk_registry_make(apr_pool_t *p, const jk_workers_conf *conf, const jk_registry_type *types)
{
    jk_registry *registry = apr_palloc(p, sizeof *registry);

    registry->by_name = apr_hash_make(p);
    registry->all = apr_array_make(p, 8, sizeof(jk_worker *));
    for (int i = 0; i < conf->workers->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(conf->workers, i, jk_worker_conf *);
        const jk_registry_type *type = one->listed ? type_of(types, one) : NULL;
        if (type == NULL)
            continue;
        jk_worker *worker = type->make(p, one);
        apr_hash_set(registry->by_name, worker->name, APR_HASH_KEY_STRING, worker);
        APR_ARRAY_PUSH(registry->all, jk_worker *) = worker;
    }
    return registry;
}

jk_worker *jk_registry_find(const jk_registry *registry, const char *name)
{
    return registry ? apr_hash_get(registry->by_name, name, APR_HASH_KEY_STRING) : NULL;
}

static jk_worker *nth(const jk_registry *registry, int i)
{
    return APR_ARRAY_IDX(registry->all, i, jk_worker *);
}

size_t jk_registry_count(const jk_registry *registry)
{
    return registry ? (size_t)registry->all->nelts : 0;
}

jk_worker *jk_registry_at(const jk_registry *registry, size_t i)
{
    return nth(registry, (int)i);
}

/* Names that have a slot keep it, whoever is readied before them. */
static void hold_slots(const jk_worker *worker, apr_pool_t *p, jk_shm *shm)
{
    const jk_worker_conf *conf = worker->conf;
    apr_pool_t *scratch; /* a balancer could have had a thousand places */
    jk_tune now;

    if (worker->slot)
        jk_shm_parent_hold(shm, worker->slot);
    apr_pool_create(&scratch, p);
    for (int i = 0; conf->members && i < conf->members->nelts; i++)
        jk_shm_parent_hold(shm, jk_lb_slot_name(scratch, conf, APR_ARRAY_IDX(conf->members, i, const jk_worker_conf *)));
    for (int i = 1; conf->kind == JK_WORKER_LB && i <= JK_LB_SPARE_MOST; i++) {
        const char *slot = jk_lb_spare_slot_name(scratch, conf, i);
        if (i <= conf->spare_members || jk_lb_spare_taken(shm, slot, &now))
            jk_shm_parent_hold(shm, slot);
    }
    apr_pool_destroy(scratch);
}

/* Is there another worker of this name, or another balancer's member of the file? */
static const char *namesake(const jk_registry *registry, const jk_worker *lb, const char *name)
{
    if (apr_hash_get(registry->by_name, name, APR_HASH_KEY_STRING))
        return "in worker.list";
    for (int i = 0; i < registry->all->nelts; i++) {
        const jk_worker_conf *conf = nth(registry, i)->conf;
        for (int k = 0; nth(registry, i) != lb && conf->members && k < conf->members->nelts; k++)
            if (strcmp(APR_ARRAY_IDX(conf->members, k, const jk_worker_conf *)->name, name) == 0)
                return "a member of another balancer";
    }
    return NULL;
}

/* A name that was free when a member was added, and that the file has given to another worker since. Both serve: nothing leads to the one where the
 * other is meant but the eyes of who reads it. */
static void tell_namesakes(const jk_registry *registry, const jk_worker *lb, const jk_log *log)
{
    for (size_t i = 0; i < jk_manage_members(lb); i++) {
        const jk_worker *member = jk_manage_is_spare(lb, i) ? jk_manage_member(lb, i) : NULL;
        const char *where = member ? namesake(registry, lb, member->name) : NULL;
        if (where)
            JK_WARN(log, 606, "(%s) worker %s was added at run time, and the workers file has another worker of that name now, %s: both go on, each with "
                    "its own values and numbers; remove the added one (cmd=remove), and add it by another name", lb->name, member->name, where);
    }
}

void jk_registry_ready(const jk_registry *registry, apr_pool_t *p, jk_shm *shm, const jk_log *log)
{
    if (registry == NULL)
        return;
    for (int i = 0; i < registry->all->nelts; i++)
        hold_slots(nth(registry, i), p, shm);
    for (int i = 0; i < registry->all->nelts; i++)
        nth(registry, i)->type->ready(nth(registry, i), p, shm, log);
    for (int i = 0; i < registry->all->nelts; i++)
        tell_namesakes(registry, nth(registry, i), log);
}

void jk_registry_tend(const jk_registry *registry, const jk_tend *what, const jk_log *log)
{
    for (int i = 0; registry && i < registry->all->nelts; i++)
        nth(registry, i)->type->tend(nth(registry, i), what, log);
}

jk_rc jk_registry_child(const jk_registry *registry, apr_pool_t *p, const jk_log *log)
{
    for (int i = 0; registry && i < registry->all->nelts; i++) {
        jk_rc rc = nth(registry, i)->type->child(nth(registry, i), p, log);
        if (rc != JK_OK)
            return rc;
    }
    return JK_OK;
}
