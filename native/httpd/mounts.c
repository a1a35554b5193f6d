/* native/httpd/mounts.c - the mounts of each server: gathered by the rules of inheritance, each with the worker that it leads to, compiled.
 * How a rule file is followed is follow's. */
#include "mounts.h"

#include "follow.h"
#include "lastgood.h"
#include "logfile.h"
#include "startup.h"

#include "jk/route/publish.h"

#include <apr_strings.h>
#include <string.h>

#define CONTEXTS_MOST 8 /* that are named in one line of the log */

/* One making. */
typedef struct making {
    apr_pool_t *p;
    const jk_mounts_from *from;
    jk_urimap *map;
    const char *vhost; /* whose mounts are being added */
} making;

/* ---- what a rule leads to ---- */

static const char *hint_of_workers(const making *m, const char *name)
{
    const apr_array_header_t *all = m->from->workers->workers;
    const char **names = apr_palloc(m->p, ((size_t)all->nelts + 1) * sizeof *names);

    for (int i = 0; i < all->nelts; i++)
        names[i] = APR_ARRAY_IDX(all, i, jk_worker_conf *)->name;
    return jk_findings_hint(m->p, name, names, (size_t)all->nelts);
}

/* The words before the pattern in a finding. */
static const char *words_of(const jk_rule *rule)
{
    if (rule->source == JK_RULE_MOUNT)
        return rule->exclude ? "JkUnMount " : "JkMount ";
    return rule->source == JK_RULE_WORKER ? "worker.NAME.mount " : "";
}

static bool is_member(const making *m, const char *name)
{
    const apr_array_header_t *all = m->from->workers->workers;

    for (int i = 0; i < all->nelts; i++) {
        const apr_array_header_t *members = APR_ARRAY_IDX(all, i, const jk_worker_conf *)->members;
        for (int k = 0; k < members->nelts; k++)
            if (strcmp(APR_ARRAY_IDX(members, k, const jk_worker_conf *)->name, name) == 0)
                return true;
    }
    return false;
}

static void unknown_worker(const making *m, const jk_rule *rule, const char *uri, const char *name)
{
    const jk_worker_conf *known = jk_workers_find(m->from->workers, name);
    const char *hint = known ? "; it is a member of a balancer: mount that one, or add it to worker.list" : hint_of_workers(m, name);
    const char *then = m->from->reload ? "; the rule is left out" : rule->exclude ? "" : "; its requests are answered with 500";

    if (known && !is_member(m, name)) /* it is in the list and could not be made, of which there is an error already */
        return;
    jk_findings_add(m->from->found, m->from->reload ? JK_FIND_WARN : JK_FIND_LENIENT, rule->file, rule->line,
                    "%s%s: there is no worker '%s' in worker.list%s%s", words_of(rule), uri, name, then, hint);
}

/* The modifiers of the grammar: a disabled rule is not looked at, an exclusion may name all workers. */
static bool is_disabled(const jk_rule *rule, const char *uri)
{
    return rule->source != JK_RULE_MOUNT && *uri == '-';
}

static bool is_exclusion(const jk_rule *rule, const char *uri)
{
    return rule->exclude || (rule->source != JK_RULE_MOUNT && uri[*uri == '-'] == '!');
}

/* "pattern" and "worker;extension=value" -> a rule. */
static void add(const making *m, jk_rule as, const char *uri, const char *text)
{
    jk_target *target = apr_pcalloc(m->p, sizeof *target);
    const jk_prop place = { uri, text, as.file, as.line };
    const jk_worker_conf *worker;
    jk_rule told = as;

    told.exclude = is_exclusion(&as, uri);
    target->name = jk_extension_name(m->p, text);
    target->written = text;
    target->vhost = m->vhost;
    worker = jk_workers_find(m->from->workers, target->name);
    if (worker && !worker->listed)
        worker = NULL;
    if (worker == NULL && !is_disabled(&as, uri) && !(told.exclude && strcmp(target->name, "*") == 0)) {
        unknown_worker(m, &told, uri, target->name);
        if (m->from->reload)
            return;
    }
    target->worker = worker ? jk_startup_worker(target->name) : NULL;
    target->more = jk_extension_parse(m->p, text, worker, &place, m->from->found);
    as.worker = jk_span_of(target->name);
    as.data = target;
    jk_urimap_add(m->map, m->from->found, &as, uri);
}

/* ---- where rules come from ---- */

static void add_mount(const making *m, const jk_mount *one)
{
    add(m, (jk_rule){ .source = JK_RULE_MOUNT, .exclude = one->exclude, .file = one->file, .line = one->line }, one->uri, one->worker);
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

static void add_mounts(making *m, const jk_server *conf, const jk_server *copied)
{
    for (int i = 0; i < conf->mounts->nelts; i++)
        add_mount(m, &APR_ARRAY_IDX(conf->mounts, i, jk_mount));
    if (copied)
        m->vhost = jk_mounts_server(m->p, copied->s);
    for (int i = 0; copied && i < copied->mounts->nelts; i++)
        if (!defined_here(conf, &APR_ARRAY_IDX(copied->mounts, i, jk_mount)))
            add_mount(m, &APR_ARRAY_IDX(copied->mounts, i, jk_mount));
}

static const char *environment(const char *name)
{
    return getenv(name);
}

static void add_file(const making *m, const char *path)
{
    const jk_rule_text *file = path ? jk_lastgood_rules(m->from->files, path) : NULL;
    apr_array_header_t *lines;

    if (file == NULL || file->text.p == NULL)
        return;
    lines = jk_urimap_lines(m->p, file->text, file->path, environment, m->from->found);
    for (int i = 0; i < lines->nelts; i++) {
        const jk_prop *line = &APR_ARRAY_IDX(lines, i, jk_prop);
        add(m, (jk_rule){ .source = JK_RULE_FILE, .file = line->file, .line = line->line }, line->key, line->value);
    }
}

/* worker.NAME.mount: those of workers that are no worker of their own have been told of by conf/workers. */
static void add_workers(const making *m)
{
    const apr_array_header_t *all = m->from->workers->workers;

    for (int i = 0; i < all->nelts; i++) {
        const jk_worker_conf *worker = APR_ARRAY_IDX(all, i, jk_worker_conf *);
        for (int k = 0; worker->listed && k < worker->mount->nelts; k++)
            add(m, (jk_rule){ .source = JK_RULE_WORKER, .file = worker->file, .line = worker->line }, APR_ARRAY_IDX(worker->mount, k, const char *),
                worker->name);
    }
}

/* ---- what a server has ---- */

static bool copies(const jk_server *conf, const jk_server *main_conf)
{
    return conf != main_conf && conf->mount_copy == JK_COPY_ON;
}

static bool has_own(const jk_server *conf)
{
    return conf->mounts->nelts > 0 || conf->mount_file;
}

/* A map of its own, and not the main server's. */
static bool shares(const jk_server *conf, const jk_server *main_conf)
{
    return copies(conf, main_conf) && !has_own(conf);
}

const char *jk_mounts_file(const jk_server *conf, const jk_server *main_conf)
{
    return conf->mount_file || !copies(conf, main_conf) ? conf->mount_file : main_conf->mount_file;
}

/* Only what stands before the first wildcard and ends at a '/' can be replaced; who writes /shop* means more. */
static void check_paths(const jk_match *match, jk_findings *found)
{
    for (size_t i = 0; match && i < jk_match_count(match); i++) {
        const jk_rule *rule = jk_match_rule(match, i);
        const jk_target *target = rule->data;
        jk_rule_shape shape = jk_rule_shape_of(rule->pattern);
        jk_span outside = jk_publish_outside(rule->pattern);
        if (target->more == NULL || target->more->path == NULL || rule->exclude || shape.head <= outside.len + 1 || shape.form == JK_RULE_EXACT)
            continue;
        jk_findings_add(found, JK_FIND_WARN, rule->file, rule->line, "path=%s takes the place of '%.*s' alone, which is what stands before the last "
                        "'/' of '%.*s'; write %.*s|/* for all below it", *target->more->path ? target->more->path : "/",
                        outside.len ? (int)outside.len : 1, outside.len ? (const char *)outside.p : "/", (int)rule->pattern.len,
                        (const char *)rule->pattern.p, (int)shape.head, (const char *)rule->pattern.p);
    }
}

const jk_match *jk_mounts_make(apr_pool_t *p, const jk_server *conf, const jk_server *main_conf, const jk_mounts_from *from)
{
    const char *own = jk_mounts_server(p, conf->s);
    making m = { p, from, jk_urimap_make(p), own };
    const char *path = jk_mounts_file(conf, main_conf);
    const jk_match *match;

    add_mounts(&m, conf, copies(conf, main_conf) ? main_conf : NULL);
    m.vhost = path == conf->mount_file ? own : jk_mounts_server(p, main_conf->s);
    add_file(&m, path);
    if (conf == main_conf)
        add_workers(&m);
    if (m.map->rules->nelts == 0 && path == NULL)
        return NULL;
    match = jk_urimap_compile(m.map);
    check_paths(match, from->found);
    return match;
}

void jk_mounts_compile(apr_pool_t *p, jk_server *conf, const jk_server *main_conf, const jk_mounts_from *from)
{
    if (shares(conf, main_conf)) {
        conf->map = main_conf->map;
        conf->follow = main_conf->follow;
        return;
    }
    conf->map = jk_mounts_make(p, conf, main_conf, from);
    conf->follow = jk_follow_make(p, conf, main_conf, from);
}

/* ---- numbers ---- */

const char *jk_mounts_server(apr_pool_t *p, const server_rec *s)
{
    if (s->is_virtual && s->addrs)
        return apr_psprintf(p, "%s [%s:%d]", s->server_hostname ? s->server_hostname : "", s->addrs->virthost, (int)s->addrs->host_port);
    return s->port ? apr_psprintf(p, "%s:%d", s->server_hostname, (int)s->port) : s->server_hostname ? s->server_hostname : "";
}

/* A status worker's requests go to no container. */
static bool counts(const jk_rule *rule)
{
    const jk_target *target = rule->data;

    return !rule->exclude && !rule->disabled && !(target->worker && target->worker->conf->kind == JK_WORKER_STATUS);
}

/* "/a|b" is one mount, though two rules. */
static uint64_t key_of(const jk_rule *rule)
{
    const jk_target *target = rule->data;

    return jk_tally_key(target->vhost, rule->text, target->name);
}

void jk_mounts_count(apr_pool_t *p, const jk_match *match, jk_shm *shm)
{
    for (size_t i = 0; match && i < jk_match_count(match); i++) {
        const jk_rule *rule = jk_match_rule(match, i);
        jk_target *target = (jk_target *)rule->data; /* ours, and nobody else has seen it yet */
        if (counts(rule) && target->tally == NULL)
            target->tally = jk_tally_make(p, shm, key_of(rule));
    }
}

void jk_mounts_names(apr_pool_t *p, const jk_match *match, apr_hash_t *names)
{
    for (size_t i = 0; match && i < jk_match_count(match); i++) {
        uint64_t key = key_of(jk_match_rule(match, i));
        if (counts(jk_match_rule(match, i)))
            apr_hash_set(names, apr_pmemdup(p, &key, sizeof key), sizeof key, "");
    }
}

static void hold(const jk_match *match, jk_shm *shm)
{
    for (size_t i = 0; match && i < jk_match_count(match); i++)
        if (counts(jk_match_rule(match, i)))
            jk_tally_parent_hold(shm, key_of(jk_match_rule(match, i)));
}

void jk_mounts_count_all(apr_pool_t *p, server_rec *s, jk_shm *shm)
{
    for (server_rec *v = s; v; v = v->next)
        hold(jk_config_of(v)->map, shm);
    for (server_rec *v = s; v; v = v->next)
        jk_mounts_count(p, jk_config_of(v)->map, shm);
}

/* ---- what is told at the start ---- */

/* Nobody finds this by looking at the configuration: a request to a virtual host is simply not mapped. */
static void tell_lonely(const jk_server *main_conf, const jk_log *log)
{
    if (main_conf->map == NULL || jk_match_count(main_conf->map) == 0 || main_conf->s->next == NULL)
        return;
    for (server_rec *v = main_conf->s->next; v; v = v->next)
        if (jk_config_of(v)->mount_copy == JK_COPY_ON)
            return;
    JK_INFO(log, "the main server's %" APR_SIZE_T_FMT " mounts apply to no virtual host: JkMountCopy On inside a <VirtualHost>, or JkMountCopy All "
            "in the main server, copies them", jk_match_count(main_conf->map));
}

/* The context of "/app" and a star behind its slash, where nothing maps /app itself; absent: this is no such rule. */
static jk_span lost_context(const jk_match *match, const jk_rule *rule)
{
    jk_rule_shape shape = jk_rule_shape_of(rule->pattern);
    jk_span context = { rule->pattern.p, shape.head - (shape.head > 0) };

    if (rule->exclude || rule->disabled || shape.form != JK_RULE_PREFIX || shape.head < 2 || rule->pattern.p[shape.head - 1] != '/')
        return JK_SPAN_NONE;
    return jk_match_find(match, context).winner ? JK_SPAN_NONE : context;
}

/* A browser that asks for /app gets a 404, or a directory of httpd's, and the tutorials say nothing of it. */
static void tell_contexts(apr_pool_t *p, const jk_server *conf, const jk_log *log)
{
    const char *list = "";
    int n = 0;

    for (size_t i = 0; conf->map && i < jk_match_count(conf->map); i++) {
        const jk_rule *rule = jk_match_rule(conf->map, i);
        jk_span context = lost_context(conf->map, rule);
        if (context.p && ++n <= CONTEXTS_MOST)
            list = apr_psprintf(p, "%s%s%.*s|/* (%s:%d)", list, *list ? ", " : "", (int)context.len, (const char *)context.p, rule->file, rule->line);
    }
    if (n > 0)
        JK_INFO(log, "%d mounts leave out their own context: a request for /app is none for what lies below /app/, and here nothing maps it. "
                "Written like this they map both: %s%s", n, list, n > CONTEXTS_MOST ? ", and so on" : "");
}

void jk_mounts_tell(server_rec *s)
{
    const jk_server *main_conf = jk_config_of(s);
    apr_pool_t *p;

    if (apr_pool_create(&p, NULL) != APR_SUCCESS)
        return;
    for (server_rec *v = s; v; v = v->next) {
        const jk_server *conf = jk_config_of(v);
        jk_log log = jk_logfile_for(conf, "POST_CONFIG");
        if (conf == main_conf || conf->map != main_conf->map)
            tell_contexts(p, conf, &log);
        if (conf == main_conf)
            tell_lonely(main_conf, &log);
    }
    apr_pool_destroy(p);
}
