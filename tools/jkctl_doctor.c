/* tools/jkctl_doctor.c - configuration -> targets -> threads that ask. Asking is jkctl_probe's, judging jkctl_decide's, printing jkctl_report's. */
#include "jkctl_doctor.h"

#include "conf_find.h"
#include "jk/conf/workers.h"
#include "jkctl_probe.h"
#include "jkctl_report.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUDGET_MS 2500 /* with what is around it less than 3 s */
#define STACK (1 << 20) /* of a thread: two packets lie on it */
#define AT_ONCE 32     /* workers that are asked side by side */
#define GROUPS_MOST 256
#define PATH_MOST 1000 /* bytes of a mount that make a path */

/* A worker to be asked. The thread that asks it writes under the lock, and only as long as nobody has given it up: a look-up may take any time. */
typedef struct jkc_case {
    jkc_examined is;
    jkd_target target;
    const jkd_how *how;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool looked_up, asked, given_up;
} jkc_case;

typedef struct jkc_round {
    apr_pool_t *p;
    const jkc_doctor *how;
    const conf_found *conf;
    const jk_workers_conf *workers;
    jk_findings *findings;
    jkd_how asks;
    jkp_user httpd;
    jk_field *attributes;
    jkc_case **cases;
    size_t n;
    jkc_report report;
} jkc_round;

/* ---- the configuration ---- */

static const char *environment(const char *name)
{
    return getenv(name);
}

static const char *usual_conf(void)
{
    static const char *const places[] = { "/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/etc/apache2/httpd.conf",
                                          "/usr/local/apache2/conf/httpd.conf" };

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

static bool read_workers(jkc_round *r)
{
    const conf_found *conf = r->conf;
    jk_workers_input in = { .lines = (const jk_prop *)conf->lines->elts, .nlines = conf->lines->nelts, .file = conf->workers_file,
                            .server_root = conf->server_root, .env = environment, .kinds = JK_WORKER_AJP13 | JK_WORKER_LB | JK_WORKER_STATUS };
    const char *text = "";

    if (conf->workers_file && (text = conf_find_read(r->p, conf->workers_file, &in.text.len)) == NULL) {
        bool guessed = r->how->workers == NULL && conf->workers_guessed;
        jkc_say("the workers file %s cannot be read: %s%s", conf->workers_file, strerror(errno),
                guessed ? " (no ServerRoot in the configuration: --workers says which file it is)" : "");
        return false;
    }
    in.text.p = (const uint8_t *)text;
    r->findings = jk_findings_make(r->p);
    r->workers = jk_workers_parse(r->p, &in, r->findings);
    jk_findings_sort(r->findings);
    return true;
}

static bool read_conf(jkc_round *r)
{
    const char *file = r->how->conf ? r->how->conf : r->how->workers ? NULL : usual_conf();

    if (file == NULL && r->how->workers == NULL) {
        jkc_say("which httpd? --conf names its httpd.conf, or --workers a workers file");
        return false;
    }
    conf_found *conf = file ? conf_find(r->p, file) : conf_find_workers(r->p, r->how->workers);
    if (file && r->how->workers)
        conf->workers_file = r->how->workers;
    r->conf = conf;
    for (int i = 0; i < conf->troubles->nelts; i++)
        jkc_say("%s", APR_ARRAY_IDX(conf->troubles, i, const char *));
    if (conf->workers_file == NULL && conf->lines->nelts == 0) {
        jkc_say("there is neither JkWorkersFile nor JkWorkerProperty in %s; --workers names the workers file", file);
        return false;
    }
    return read_workers(r);
}

/* ---- whom httpd runs as ---- */

static void find_httpd_user(jkc_round *r)
{
    const char *name = r->how->httpd_user ? r->how->httpd_user : r->conf->user;
    const struct passwd *pw = name ? (*name == '#' ? getpwuid((uid_t)atoi(name + 1)) : getpwnam(name)) : NULL;
    const struct group *gr = r->conf->group && !r->how->httpd_user ? getgrnam(r->conf->group) : NULL;
    gid_t *groups = apr_palloc(r->p, GROUPS_MOST * sizeof *groups);
    int n = GROUPS_MOST;

    r->asks.httpd_user = r->asks.httpd_group = "";
    if (r->how->httpd_user && pw == NULL)
        jkc_wrong_usage("--httpd-user: there is no such user", name);
    if (pw == NULL)
        return;
    r->asks.httpd_user = apr_pstrdup(r->p, pw->pw_name);
    gid_t first = gr ? gr->gr_gid : pw->pw_gid;
    if (getgrouplist(pw->pw_name, first, groups, &n) < 0)
        n = 0;
    r->httpd = (jkp_user){ .uid = pw->pw_uid, .groups = groups, .ngroups = (size_t)n };
    r->asks.httpd = &r->httpd;
    gr = getgrgid(first);
    if (gr)
        r->asks.httpd_group = apr_pstrdup(r->p, gr->gr_name);
}

/* ---- attributes ---- */

static void add_attribute(jkc_round *r, const char *name, size_t len, const char *value)
{
    r->attributes[r->asks.nattributes++] = (jk_field){ { (const uint8_t *)name, len }, jk_span_of(value) };
}

static void gather_attributes(jkc_round *r)
{
    const apr_array_header_t *env = r->conf->env;

    r->attributes = apr_palloc(r->p, (r->how->nattributes + (size_t)env->nelts + 1) * sizeof *r->attributes);
    for (size_t i = 0; i < r->how->nattributes; i++) {
        const char *text = r->how->attributes[i], *equals = strchr(text, '=');
        add_attribute(r, text, equals ? (size_t)(equals - text) : strlen(text), equals ? equals + 1 : "");
    }
    for (int i = 0; i < env->nelts; i++) {
        const conf_env *one = &APR_ARRAY_IDX(env, i, conf_env);
        add_attribute(r, one->name, strlen(one->name), one->value);
    }
    r->asks.attributes = r->attributes;
}

/* ---- who is asked ---- */

static bool is_meant(const jkc_doctor *how, const char *name, const jk_worker_conf *lb, const jk_worker_conf *one)
{
    if (how->only == NULL)
        return true;
    return strcmp(how->only, name) == 0 || strcmp(how->only, one->name) == 0 || (lb && strcmp(how->only, lb->name) == 0);
}

/* The same container, to be asked in the same words: a member that is in worker.list as well, or in two balancers. */
static bool is_twice(const jkc_round *r, const jkd_target *t)
{
    for (size_t i = 0; i < r->n; i++) {
        const jkd_target *o = &r->cases[i]->target;
        if (strcmp(o->worker, t->worker) == 0 && strcmp(o->host, t->host) == 0 && o->port == t->port && o->packet == t->packet &&
            strcmp(o->route, t->route) == 0 && o->sticky >= t->sticky && strcmp(o->secret ? o->secret : "", t->secret ? t->secret : "") == 0)
            return true;
    }
    return false;
}

/* A page that is there, most likely: the beginning of what is mounted to the worker, or to its balancer. */
static const char *path_of(const jkc_round *r, const jk_worker_conf *top)
{
    const apr_array_header_t *mounts = r->conf->mounts;

    for (int i = 0; i < mounts->nelts && r->how->path == NULL; i++) {
        const conf_mount *mount = &APR_ARRAY_IDX(mounts, i, conf_mount);
        size_t n = strcspn(mount->pattern, "*?|");
        if (strcmp(mount->worker, top->name) != 0 || n < 2 || n > PATH_MOST)
            continue;
        return apr_pstrcat(r->p, apr_pstrmemdup(r->p, mount->pattern, n), mount->pattern[n] == '|' ? "/" : "", NULL);
    }
    return r->how->path ? r->how->path : "/";
}

static jkd_target target_of(const jkc_round *r, const jk_worker_conf *lb, const jk_worker_conf *one)
{
    return (jkd_target){ .worker = one->name, .host = one->unix_path ? "localhost" : one->tune.host, .socket = one->unix_path,
                         .port = one->tune.port, .prefer_ipv6 = one->prefer_ipv6, .stored_methods = one->stored_methods,
                         .sticky = lb && lb->tune.sticky_session && !lb->set_session_cookie && lb->members->nelts > 1, .secret = one->secret && *one->secret ? one->secret : NULL,
                         .route = one->tune.route, .session_cookie = lb ? lb->tune.session_cookie : "JSESSIONID",
                         .packet = (size_t)one->tune.max_packet_size, .path = path_of(r, lb ? lb : one) };
}

/* What a thread may still use when all is over is never freed. */
static void add_case(jkc_round *r, const jk_worker_conf *lb, const jk_worker_conf *one)
{
    const char *name = lb ? apr_pstrcat(r->p, lb->name, ":", one->name, NULL) : one->name;
    jkd_target target = target_of(r, lb, one);

    if (!is_meant(r->how, name, lb, one) || is_twice(r, &target))
        return;
    jkc_case *c = jkc_must(calloc(1, sizeof *c));
    c->is.name = name;
    c->target = target;
    c->how = &r->asks;
    c->is.activation = one->tune.activation;
    c->is.port_0 = target.port == 0 && target.socket == NULL;
    c->is.pong = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->done, &monotonic);
    pthread_condattr_destroy(&monotonic);
    r->cases[r->n++] = c;
}

static size_t count_all(const jk_workers_conf *conf)
{
    size_t n = 0;

    for (int i = 0; i < conf->workers->nelts; i++)
        n += 1 + (size_t)APR_ARRAY_IDX(conf->workers, i, const jk_worker_conf *)->members->nelts;
    return n;
}

/* Members first: as such they have routes. */
static void gather_cases(jkc_round *r)
{
    const apr_array_header_t *all = r->workers->workers;

    r->cases = jkc_must(calloc(count_all(r->workers) + 1, sizeof *r->cases));
    for (int i = 0; i < all->nelts; i++) {
        const jk_worker_conf *lb = APR_ARRAY_IDX(all, i, const jk_worker_conf *);
        for (int j = 0; lb->kind == JK_WORKER_LB && lb->listed && j < lb->members->nelts; j++)
            add_case(r, lb, APR_ARRAY_IDX(lb->members, j, const jk_worker_conf *));
    }
    for (int i = 0; i < all->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(all, i, const jk_worker_conf *);
        if (one->kind == JK_WORKER_AJP13 && one->listed)
            add_case(r, NULL, one);
    }
}

static void say_none(const jkc_round *r)
{
    const apr_array_header_t *all = r->workers->workers;
    const char **names = jkc_must(calloc((size_t)all->nelts + 1, sizeof *names));

    if (r->how->only == NULL) {
        jkc_say("there is no worker of type ajp13 in worker.list, and no member of a balancer");
    } else {
        for (int i = 0; i < all->nelts; i++)
            names[i] = APR_ARRAY_IDX(all, i, const jk_worker_conf *)->name;
        const char *near = jkc_look_near(r->how->only, names, (size_t)all->nelts);
        jkc_say("there is no worker of type ajp13 '%s'%s%s%s", r->how->only, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    free(names);
}

/* ---- asking ---- */

/* What a thread finds is its own until it hands it over. */
typedef struct jkc_result {
    jkd_facts facts;
    int64_t pong;
} jkc_result;

static void *ask_one(void *data)
{
    jkc_case *c = data;
    jkc_result *mine = jkc_must(calloc(1, sizeof *mine));
    int64_t began = jkp_talk_now();
    jk_addr to;

    mine->pong = -1;
    jk_rc rc = jkd_probe_resolve(&c->target, c->how, &to, &mine->facts);
    pthread_mutex_lock(&c->lock);
    c->looked_up = true;
    bool wanted = !c->given_up;
    pthread_mutex_unlock(&c->lock);
    if (rc == JK_OK && wanted)
        jkc_must(jkd_probe_ask(&c->target, c->how, &to, began + (int64_t)c->how->budget * 1000, &mine->facts, &mine->pong) == JK_OK ? mine : NULL);
    pthread_mutex_lock(&c->lock);
    if (!c->given_up) {
        c->is.facts = mine->facts;
        c->is.pong = mine->pong;
        c->is.took = jkp_talk_now() - began;
        c->asked = true;
    }
    pthread_cond_signal(&c->done);
    pthread_mutex_unlock(&c->lock);
    free(mine);
    return NULL;
}

static void start(jkc_case *c)
{
    pthread_attr_t roomy;

    if (c->is.port_0)
        return;
    pthread_attr_init(&roomy);
    pthread_attr_setstacksize(&roomy, STACK);
    if (pthread_create(&c->thread, &roomy, ask_one, c) != 0)
        jkc_must(NULL);
    pthread_attr_destroy(&roomy);
}

/* The name service alone can make it late: then nothing else is known. */
static void give_up(jkc_case *c)
{
    c->given_up = true;
    c->is.took = (int64_t)c->how->budget * 1000;
    c->is.facts = (jkd_facts){ .worker = c->target.worker, .host = c->target.host, .socket = "", .route = c->target.route, .path = c->target.path,
                            .user = c->how->user, .httpd_user = "", .httpd_group = "", .port = c->target.port, .lookup_slow = true,
                            .talk.connect = JK_E_RESOLVE };
    snprintf(c->is.facts.address, sizeof c->is.facts.address, "%.100s:%d", c->target.host, c->target.port);
    snprintf(c->is.facts.listen, sizeof c->is.facts.listen, "%.60s", c->target.host);
}

static void await(jkc_case *c, int64_t until)
{
    const struct timespec at = { until / 1000000, until % 1000000 * 1000 };

    if (c->is.port_0)
        return;
    pthread_mutex_lock(&c->lock);
    while (!c->asked && pthread_cond_timedwait(&c->done, &c->lock, &at) != ETIMEDOUT)
        ;
    if (!c->asked && !c->looked_up)
        give_up(c);
    while (!c->asked && !c->given_up) /* it ends of itself, on a busy machine a little late */
        pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
    if (c->asked)
        pthread_join(c->thread, NULL);
    c->is.nfound = jkd_decide(&c->is.facts, c->is.found);
}

static void ask_all(jkc_round *r)
{
    for (size_t from = 0; from < r->n; from += AT_ONCE) {
        size_t to = from + AT_ONCE < r->n ? from + AT_ONCE : r->n;
        for (size_t i = from; i < to; i++)
            start(r->cases[i]);
        int64_t until = jkp_talk_now() + (int64_t)r->asks.budget * 1000 ; /* who asks has an end of its own, then, too */
        for (size_t i = from; i < to; i++)
            await(r->cases[i], until);
    }
}

/* ---- all ---- */

static void make_report(jkc_round *r)
{
    jkc_report *report = &r->report;
    int n = r->findings->all->nelts;

    *report = (jkc_report){ .colours = r->how->colours, .n = r->n, .nlines = (size_t)n,
                             .file = r->conf->workers_file ? r->conf->workers_file : r->how->conf ? r->how->conf : "httpd.conf" };
    report->all = apr_pcalloc(r->p, (r->n + 1) * sizeof *report->all);
    report->lines = apr_pcalloc(r->p, ((size_t)n + 1) * sizeof *report->lines);
    for (size_t i = 0; i < r->n; i++) {
        report->all[i] = &r->cases[i]->is;
        for (size_t j = 0; j < r->cases[i]->is.nfound; j++)
            report->weights[r->cases[i]->is.found[j]->weight]++;
    }
    for (int i = 0; i < n; i++)
        report->lines[i] = jk_findings_line(r->p, &APR_ARRAY_IDX(r->findings->all, i, jk_finding), false);
}

static jkc_exit exit_of(const jkc_round *r)
{
    if (r->report.weights[JKD_FAULT] || jk_findings_refuse(r->findings, false))
        return JKC_BAD;
    return r->report.weights[JKD_WARNING] || jk_findings_count(r->findings, JK_FIND_LENIENT) ? JKC_DEGRADED : JKC_GOOD;
}

static jkc_exit run(jkc_round *r)
{
    const jkc_doctor *how = r->how;

    if (!read_conf(r))
        return JKC_CANNOT_ASK;
    r->asks = (jkd_how){ .budget = how->budget ? (int)how->budget : BUDGET_MS, .path_given = how->path,
                         .host = how->host, .user = how->remote_user ? how->remote_user : "", .selinux = "/sys/fs/selinux" };
    find_httpd_user(r);
    gather_attributes(r);
    gather_cases(r);
    if (r->n == 0) {
        make_report(r);
        if (!how->json)
            jkc_report_configuration(&r->report);
        say_none(r);
        return how->only ? JKC_REFUSED : JKC_CANNOT_ASK;
    }
    ask_all(r);
    make_report(r);
    (how->json ? jkc_report_json : jkc_report_text)(&r->report);
    return exit_of(r);
}

/* Where a thread still waits for the name service it may use all that it was given: then nothing is taken down, the process is about to end. */
static void end_round(jkc_round *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->cases[i]->given_up)
            return;
    for (size_t i = 0; i < r->n; i++) {
        pthread_cond_destroy(&r->cases[i]->done);
        pthread_mutex_destroy(&r->cases[i]->lock);
        free(r->cases[i]);
    }
    free(r->cases);
    apr_pool_destroy(r->p);
    apr_terminate();
    free(r);
}

jkc_exit jkc_doctor_run(const jkc_doctor *how)
{
    jkc_round *r = jkc_must(calloc(1, sizeof *r));

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&r->p, NULL) != APR_SUCCESS)
        jkc_must(NULL);
    r->how = how;
    jkc_exit rc = run(r);
    end_round(r);
    return rc;
}
