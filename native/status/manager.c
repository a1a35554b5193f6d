/* native/status/manager.c - what the registry wants of a worker, where there is nothing to do. */
#include "jk/status/manager.h"

static jk_rc step(const jk_worker *worker, jk_run *run)
{
    (void)worker;
    (void)run;
    return JK_E_CONF;
}

static void ready(jk_worker *worker, apr_pool_t *p, jk_shm *shm, const jk_log *log)
{
    (void)worker;
    (void)p;
    (void)shm;
    (void)log;
}

static jk_rc child(jk_worker *worker, apr_pool_t *p, const jk_log *log)
{
    (void)worker;
    (void)p;
    (void)log;
    return JK_OK;
}

static void tend(jk_worker *worker, const jk_tend *what, const jk_log *log)
{
    (void)worker;
    (void)what;
    (void)log;
}

static void finish(const jk_worker *worker, jk_run *run)
{
    (void)worker;
    (void)run;
}

const jk_worker_type jk_manager_type = { "status", step, NULL, NULL, ready, child, tend, finish };

jk_worker *jk_manager_make(apr_pool_t *p, const jk_worker_conf *conf)
{
    jk_worker *worker = apr_pcalloc(p, sizeof *worker);

    *worker = (jk_worker){ .type = &jk_manager_type, .conf = conf, .name = conf->name };
    return worker;
}
