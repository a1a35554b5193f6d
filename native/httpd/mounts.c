/* native/httpd/mounts.c - the mounts of each server: checked against the workers, gathered by the rules of inheritance, compiled. */
#include "mounts.h"

#include "logfile.h"
#include "startup.h"

#include "jk/conf/urimap.h"

#include <string.h>

void jk_mounts_check(const jk_server *conf, const jk_workers_conf *workers, jk_findings *found)
{
    for (int i = 0; i < conf->mounts->nelts; i++) {
        const jk_mount *m = &APR_ARRAY_IDX(conf->mounts, i, jk_mount);
        const jk_worker_conf *worker = jk_workers_find(workers, m->worker);
        if ((m->exclude && strcmp(m->worker, "*") == 0) || (worker && worker->listed))
            continue;
        const char **names = apr_palloc(found->p, ((size_t)workers->workers->nelts + 1) * sizeof *names);
        for (int w = 0; w < workers->workers->nelts; w++)
            names[w] = APR_ARRAY_IDX(workers->workers, w, jk_worker_conf *)->name;
        jk_findings_add(found, JK_FIND_LENIENT, m->file, m->line, "%s %s: there is no worker '%s' in worker.list%s%s",
                        m->exclude ? "JkUnMount" : "JkMount", m->uri, m->worker,
                        m->exclude ? "" : "; its requests are answered with 500",
                        jk_findings_hint(found->p, m->worker, names, (size_t)workers->workers->nelts));
    }
}

static void add_mount(jk_urimap *map, const jk_mount *m, jk_findings *found)
{
    jk_rule as = { .worker = jk_span_of(m->worker), .source = JK_RULE_MOUNT, .exclude = m->exclude, .file = m->file, .line = m->line };

    as.data = m->exclude ? NULL : jk_startup_worker(m->worker);
    jk_urimap_add(map, found, &as, m->uri);
}

static bool defined_here(const jk_server *conf, const jk_mount *m)
{
    for (int i = 0; i < conf->mounts->nelts; i++) {
        const jk_mount *mine = &APR_ARRAY_IDX(conf->mounts, i, jk_mount);
        if (mine->exclude == m->exclude && strcmp(mine->uri, m->uri) == 0)
            return true;
    }
    return false;
}

static const jk_match *compile(apr_pool_t *p, const jk_server *conf, const jk_server *copied)
{
    jk_urimap *map = jk_urimap_make(p);
    jk_findings *found = jk_findings_make(p);

    for (int i = 0; i < conf->mounts->nelts; i++)
        add_mount(map, &APR_ARRAY_IDX(conf->mounts, i, jk_mount), found);
    for (int i = 0; copied && i < copied->mounts->nelts; i++) {
        const jk_mount *m = &APR_ARRAY_IDX(copied->mounts, i, jk_mount);
        if (!defined_here(conf, m))
            add_mount(map, m, found);
    }
    return map->rules->nelts ? jk_urimap_compile(map) : NULL;
}

void jk_mounts_compile(apr_pool_t *p, jk_server *conf, const jk_server *main_conf)
{
    bool copy = conf != main_conf && conf->mount_copy == JK_COPY_ON;

    if (copy && conf->mounts->nelts == 0)
        conf->map = main_conf->map;
    else
        conf->map = compile(p, conf, copy ? main_conf : NULL);
}

/* Nobody finds this by looking at the configuration: a request to a virtual host is simply not mapped. */
void jk_mounts_tell_lonely(const jk_server *main_conf)
{
    jk_log log = jk_logfile_for(main_conf, "POST_CONFIG");

    if (main_conf->mounts->nelts == 0 || main_conf->s->next == NULL)
        return;
    for (server_rec *v = main_conf->s->next; v; v = v->next)
        if (jk_config_of(v)->mount_copy == JK_COPY_ON)
            return;
    JK_INFO(&log, "the main server's %d mounts apply to no virtual host: JkMountCopy On inside a <VirtualHost>, or JkMountCopy All in the "
            "main server, copies them", main_conf->mounts->nelts);
}
