/* native/httpd/startup.c - check_config reads everything that files say and has it checked, post_config makes workers, maps and logs of that
 * parse, child_init readies a process. The only file with mutable variables of file scope. */
#include "startup.h"

#include "background.h"
#include "check.h"
#include "config.h"
#include "dump.h"
#include "environ.h"
#include "lastgood.h"
#include "logfile.h"
#include "mounts.h"
#include "park.h"
#include "requestlog.h"
#include "statefile.h"
#include "token.h"

#include "jk/status/manager.h"
#include "jk/worker/backend.h"
#include "jk/worker/lb.h"

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>

APLOG_USE_MODULE(jk);

/* What one check left for post_config; filled anew for each generation. */
static struct {
    jk_workers_conf *workers;
    jk_lastgood_text texts; /* that they were made of */
    bool stale;
    jk_registry *registry;
    jk_background *background;
    jk_park *park;
    jk_shm *shm;
    server_rec *main_server;
    const apr_array_header_t *findings;
    const uint8_t *token_key;
    jk_statefile *statefile;
} now;

static const jk_registry_type worker_types[] = { { JK_WORKER_AJP13, jk_backend_make }, { JK_WORKER_LB, jk_lb_make },
                                                 { JK_WORKER_STATUS, jk_manager_make }, { 0, NULL } };

const jk_worker *jk_startup_worker(const char *name)
{
    return jk_registry_find(now.registry, name);
}

bool jk_startup_is_stale(void)
{
    return now.stale;
}

jk_startup_state jk_startup_look(void)
{
    return (jk_startup_state){ now.registry, now.workers, now.main_server, now.findings, now.stale, now.token_key, now.park, now.shm };
}

jk_park *jk_startup_park(void)
{
    return now.park;
}

void jk_startup_tend(void)
{
    jk_background_request(now.background);
}

/* A virtual host without any Jk directive shares the main server's object: it must not inherit its mounts that way. */
static jk_server *own_config(apr_pool_t *p, server_rec *s, jk_server *main_conf)
{
    jk_server *conf = jk_config_of(s);

    if (conf->s == s)
        return conf;
    conf = jk_directives_merge(p, main_conf, jk_directives_create(p, s));
    conf->s = s;
    ap_set_module_config(s->module_config, &jk_module, conf);
    return conf;
}

/* ---- check_config ---- */

static jk_workers_conf *parse(apr_pool_t *p, const jk_lastgood_text *src, jk_findings *found)
{
    int kinds = 0;

    for (const jk_registry_type *type = worker_types; type->make; type++)
        kinds |= (int)type->kind;
    return jk_check_parse(p, src, kinds, found);
}

static void check_all(apr_pool_t *ptemp, server_rec *s, jk_findings *found)
{
    const jk_check c = { ptemp, s, now.workers, &now.texts, apr_hash_make(ptemp), found };

    jk_check_all(&c);
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST)
        jk_check_hosts(&c);
}

/* For the status page: they are to live as long as the configuration. */
static const apr_array_header_t *keep_findings(apr_pool_t *p, jk_findings *found)
{
    apr_array_header_t *all = apr_array_copy(p, found->all);

    for (int i = 0; i < all->nelts; i++) {
        jk_finding *one = &APR_ARRAY_IDX(all, i, jk_finding);
        one->file = one->file ? apr_pstrdup(p, one->file) : NULL;
        one->text = apr_pstrdup(p, one->text);
    }
    return all;
}

static void tell(apr_pool_t *ptemp, server_rec *s, jk_findings *found, bool refused)
{
    jk_check_tell(&(jk_check){ .p = ptemp, .s = s, .found = found }, refused);
}

/* Runs in -t and -S, at -k graceful before the signal is sent, at the start and at each restart. An error from here ends a running
 * server, so it is one only while there is nothing better to go on with. */
int jk_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const jk_global *global = jk_config_of(s)->global;
    jk_findings *found = jk_findings_make(ptemp);
    jk_lastgood_text src = jk_lastgood_read(pconf, s, found), good;

    (void)plog;
    memset(&now, 0, sizeof now);
    now.main_server = s;
    if (!jk_check_has_workers(s))
        return OK;
    now.workers = parse(pconf, &src, found);
    now.texts = src;
    check_all(ptemp, s, found);
    jk_findings_sort(found);
    now.findings = keep_findings(pconf, found);
    if (!jk_findings_refuse(found, global->strict)) {
        tell(ptemp, s, found, false);
        jk_lastgood_keep(s->process->pool, &src);
        return OK;
    }
    if (!jk_lastgood_find(pconf, s->process->pool, &src, &good)) {
        tell(ptemp, s, found, true);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    tell(ptemp, s, found, false);
    now.stale = true;
    now.workers = parse(pconf, &good, jk_findings_make(ptemp));
    now.texts = good;
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "mod_jk: the new configuration of the workers is broken (see the lines above): the last good "
                 "one stays in force; mend the file and restart again");
    return OK;
}

void jk_startup_test(apr_pool_t *p, server_rec *s)
{
    jk_server *main_conf = jk_config_of(s);

    if (now.workers == NULL || !ap_exists_config_define("DUMP_JK"))
        return;
    for (server_rec *v = s; v; v = v->next)
        own_config(p, v, main_conf);
    jk_dump_print(p, s, now.workers, now.texts.rules);
}

/* ---- post_config ---- */

/* Does any directive name one of these notes? A log format does, a header, an expression: whatever it is, the name stands there. */
static bool tree_names(const ap_directive_t *node, const char *what)
{
    for (; node; node = node->next)
        if ((node->args && strstr(node->args, what)) || tree_names(node->first_child, what))
            return true;
    return false;
}

static bool is_asked_for(int notes, const char *what)
{
    return notes == JK_NOTES_ON || (notes == JK_NOTES_AUTO && tree_names(ap_conftree, what));
}

/* What the directives of a server come to. */
static void ready_server(apr_pool_t *p, jk_server *conf, const jk_server *main_conf, jk_logfiles *logs)
{
    jk_directives_settle(conf);
    conf->times = is_asked_for(conf->global->notes, "JK_T_");
    conf->environ = jk_environ_make(p, conf);
    conf->format = jk_requestlog_make(p, conf->request_log);
    jk_logfile_open(logs, conf);
    if (conf == main_conf || conf->env_vars->nelts > main_conf->env_vars->nelts)
        jk_environ_tell(conf, p);
}

static void greet(apr_pool_t *p, const jk_server *conf)
{
    jk_log log = jk_logfile_for(conf, "POST_CONFIG");

    ap_add_version_component(p, "mod_jk/" JK_VERSION);
    JK_INFO(&log, "mod_jk/" JK_VERSION " initialized");
    if (conf->global->shm_file || conf->global->shm_size)
        JK_INFO(&log, "JkShmFile and JkShmSize are accepted and not needed: the optimal shared memory size is determined automatically");
    if (now.stale)
        JK_ERROR(&log, 101, "the workers' configuration is broken: the last good one stays in force; httpd's error log names what is wrong");
}

/* What a pool without a size can grow to, to be compared with the container's limits. */
static void tell_pools(const jk_log *log)
{
    int processes = 0, threads = 0;

    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &processes);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    if (threads < 1)
        threads = 1;
    for (int i = 0; i < now.workers->workers->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(now.workers->workers, i, const jk_worker_conf *);
        int each = one->connection_pool_size > 0 ? one->connection_pool_size : threads;
        if (one->kind == JK_WORKER_AJP13)
            JK_INFO(log, "(%s) up to %d connections to %s (%d processes x %d%s): compare maxConnections and maxThreads of its connector",
                    one->name, processes * each, one->tune.host, processes, each,
                    one->connection_pool_size > 0 ? "" : " threads, more with HTTP/2 and with requests that wait");
    }
}

/* Room for all that may be added at run time, in steps: a few more or less at a restart need no new memory. */
static uint32_t spare_slots(const jk_workers_conf *conf)
{
    const uint32_t step = 256;
    uint32_t n = 0;

    for (int i = 0; i < conf->workers->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(conf->workers, i, const jk_worker_conf *);
        n += one->listed && one->spare ? (uint32_t)one->spare_members : 0;
    }
    return (n + step - 1) / step * step;
}

/* Children of two generations may be alive at once. True: it holds nothing of before. */
static bool open_shm(apr_pool_t *pconf, const jk_server *main_conf, const jk_log *log)
{
    int children = 0;
    uint32_t slots;
    jk_shm_news news;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    slots = jk_shm_slots_in((uint64_t)main_conf->global->shm_size * 1024) + spare_slots(now.workers);
    now.shm = jk_shm_parent_open(main_conf->s->process->pool, pconf, slots, (uint32_t)(children > 0 ? children : 1) + 16, &news);
    if (news == JK_SHM_PRIVATE)
        JK_EMERG(log, 103, "the system gives no shared memory: every process counts and limits for itself; look at the limits of memory "
                 "(ulimit -v, cgroup)");
    else if (news == JK_SHM_CARRIED)
        JK_INFO(log, "the shared memory was made anew, for another layout or size; its values were taken over");
    return news == JK_SHM_MADE || news == JK_SHM_PRIVATE;
}

static void start_workers(apr_pool_t *pconf, const jk_server *main_conf)
{
    jk_log log = jk_logfile_for(main_conf, "POST_CONFIG");

    main_conf->global->glances = is_asked_for(main_conf->global->notes, "JK_LB_");
    tell_pools(&log);
    bool fresh = open_shm(pconf, main_conf, &log);
    jk_registry_ready(now.registry, pconf, now.shm, &log);
    jk_mounts_count_all(pconf, main_conf->s, now.shm);
    now.statefile = jk_statefile_open(pconf, main_conf, now.registry, now.shm, fresh);
    now.token_key = jk_token_key(main_conf->s->process->pool);
    now.park = jk_park_make(pconf, main_conf->s, now.shm);
    now.background = jk_background_make(pconf, now.registry, main_conf, main_conf->global->watchdog_interval, now.workers->maintain);
}

int jk_startup_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    jk_server *main_conf = jk_config_of(s);
    jk_logfiles *logs = jk_logfile_all(pconf);
    const jk_mounts_from from = { now.workers, now.texts.rules, jk_findings_make(ptemp), false };

    (void)plog;
    /* The first pass only tests; a pipe that it opened would be opened twice. */
    if (now.workers == NULL || ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    now.registry = jk_registry_make(pconf, now.workers, worker_types);
    for (server_rec *v = s; v; v = v->next) {
        jk_server *conf = own_config(pconf, v, main_conf);
        ready_server(pconf, conf, main_conf, logs);
        jk_mounts_compile(pconf, conf, main_conf, &from);
    }
    greet(pconf, main_conf);
    start_workers(pconf, main_conf);
    jk_mounts_tell(s);
    return OK;
}

/* ---- child_init ---- */

void jk_startup_child(apr_pool_t *p, server_rec *s)
{
    jk_log log;

    if (now.registry == NULL)
        return;
    log = jk_logfile_for(jk_config_of(s), "CHILD_INIT");
    if (jk_shm_child_begin(now.shm, (int)getpid()) != JK_OK)
        JK_WARN(&log, 104, "there are more child processes than the shared memory has rows: this one's requests and connections are not seen by the "
                "limits of the others; that passes when those of former configurations end, and a higher ServerLimit makes more room");
    if (jk_registry_child(now.registry, p, &log) != JK_OK)
        JK_EMERG(&log, 102, "a child process could not be readied: memory or mutexes ran out; its requests will fail");
    else
        jk_background_child(now.background);
    jk_park_child(now.park, p);
}

int jk_startup_monitor(apr_pool_t *p, server_rec *s)
{
    (void)p;
    (void)s;
    jk_statefile_keep(now.statefile);
    return DECLINED;
}

/* In the parent, for every birth and every death: what the child had under way goes with it. */
void jk_startup_child_status(server_rec *s, pid_t pid, ap_generation_t gen, int slot, mpm_child_status state)
{
    (void)s;
    (void)gen;
    (void)slot;
    if (state == MPM_CHILD_STARTED && now.shm)
        jk_shm_parent_child_started(now.shm, (int)pid);
    if (state == MPM_CHILD_EXITED && now.shm)
        jk_shm_parent_child_ended(now.shm, (int)pid);
}
