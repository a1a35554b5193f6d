/* tools/jkctl_doctor.c - configuration -> targets -> threads that ask -> what is printed. Asking is jkctl_probe's, judging jkctl_decide's. */
#include "jkctl_doctor.h"

#include "conf_find.h"
#include "jk/conf/workers.h"
#include "jkctl_probe.h"

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

#define BUDGET_MS 2700 /* with what is around it less than 3 s */
#define AT_ONCE 32     /* workers that are asked side by side */
#define GROUPS_MOST 256

/* A worker to be asked. The thread that asks it writes under the lock, and only as long as nobody has given it up: a look-up may take any time. */
typedef struct jkc_case {
    const char *name; /* "lb:member", "worker" */
    jkd_target target;
    const jkd_how *how;
    bool port_0;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool asked, given_up;
    int64_t took, pong; /* µs; pong: -1 where none came */
    jkd_facts facts;
    const jkd_finding *found[JKD_FOUND_MOST];
    size_t nfound;
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
    int weights[JKD_FAULT + 1]; /* findings of each weight */
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
        jkc_say("the workers file %s cannot be read: %s", conf->workers_file, strerror(errno));
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

static jkd_target target_of(const jk_worker_conf *lb, const jk_worker_conf *one)
{
    return (jkd_target){ .worker = one->name, .host = one->unix_path ? "localhost" : one->tune.host, .socket = one->unix_path,
                         .port = one->tune.port, .prefer_ipv6 = one->prefer_ipv6, .stored_methods = one->stored_methods,
                         .sticky = lb && lb->tune.sticky_session, .secret = one->secret && *one->secret ? one->secret : NULL,
                         .route = one->tune.route, .session_cookie = lb ? lb->tune.session_cookie : "JSESSIONID",
                         .packet = (size_t)one->tune.max_packet_size };
}

/* What a thread may still use when all is over is never freed. */
static void add_case(jkc_round *r, const jk_worker_conf *lb, const jk_worker_conf *one)
{
    const char *name = lb ? apr_pstrcat(r->p, lb->name, ":", one->name, NULL) : one->name;
    jkd_target target = target_of(lb, one);

    if (!is_meant(r->how, name, lb, one) || is_twice(r, &target))
        return;
    jkc_case *c = jkc_must(calloc(1, sizeof *c));
    c->name = name;
    c->target = target;
    c->how = &r->asks;
    c->port_0 = target.port == 0 && target.socket == NULL;
    c->pong = -1;
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
    if (jkd_probe_resolve(&c->target, c->how, &to, &mine->facts) == JK_OK)
        jkc_must(jkd_probe_ask(&c->target, c->how, &to, began + (int64_t)c->how->budget * 1000, &mine->facts, &mine->pong) == JK_OK ? mine : NULL);
    pthread_mutex_lock(&c->lock);
    if (!c->given_up) {
        c->facts = mine->facts;
        c->pong = mine->pong;
        c->took = jkp_talk_now() - began;
        c->asked = true;
    }
    pthread_cond_signal(&c->done);
    pthread_mutex_unlock(&c->lock);
    free(mine);
    return NULL;
}

static void start(jkc_case *c)
{
    if (!c->port_0 && pthread_create(&c->thread, NULL, ask_one, c) != 0)
        jkc_must(NULL);
}

/* The name service alone can make it late: then nothing else is known. */
static void give_up(jkc_case *c)
{
    c->given_up = true;
    c->took = (int64_t)c->how->budget * 1000;
    c->facts = (jkd_facts){ .worker = c->target.worker, .host = c->target.host, .socket = "", .route = c->target.route, .path = c->how->path,
                            .user = c->how->user, .httpd_user = "", .httpd_group = "", .port = c->target.port, .lookup_slow = true,
                            .talk.connect = JK_E_RESOLVE };
    snprintf(c->facts.address, sizeof c->facts.address, "%.100s:%d", c->target.host, c->target.port);
    snprintf(c->facts.listen, sizeof c->facts.listen, "%.60s", c->target.host);
}

static void await(jkc_case *c, int64_t until)
{
    const struct timespec at = { until / 1000000, until % 1000000 * 1000 };

    if (c->port_0)
        return;
    pthread_mutex_lock(&c->lock);
    while (!c->asked && pthread_cond_timedwait(&c->done, &c->lock, &at) != ETIMEDOUT)
        ;
    if (!c->asked)
        give_up(c);
    pthread_mutex_unlock(&c->lock);
    if (c->asked)
        pthread_join(c->thread, NULL);
    c->nfound = jkd_decide(&c->facts, c->found);
}

static void ask_all(jkc_round *r)
{
    for (size_t from = 0; from < r->n; from += AT_ONCE) {
        size_t to = from + AT_ONCE < r->n ? from + AT_ONCE : r->n;
        for (size_t i = from; i < to; i++)
            start(r->cases[i]);
        int64_t until = jkp_talk_now() + (int64_t)r->asks.budget * 1000 + 100000; /* who asks has an end of its own, at the budget's */
        for (size_t i = from; i < to; i++)
            await(r->cases[i], until);
    }
    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < r->cases[i]->nfound; j++)
            r->weights[r->cases[i]->found[j]->weight]++;
}

/* ---- what is printed ---- */

static jkd_weight worst_of(const jkc_case *c)
{
    jkd_weight worst = JKD_HINT;

    for (size_t i = 0; i < c->nfound; i++)
        if (c->found[i]->weight > worst)
            worst = c->found[i]->weight;
    return worst;
}

static const char *result_of(const jkc_case *c)
{
    static const char *const words[] = { [JKD_HINT] = "good", [JKD_WARNING] = "degraded", [JKD_FAULT] = "bad" };

    return c->port_0 ? "not asked" : words[worst_of(c)];
}

/* Lines of a template, each expanded; `say` gets one after the other. */
static void each_line(const char *lines, const jkd_facts *facts, void (*say)(void *data, int n, const char *line), void *data)
{
    for (int n = 1; lines; n++) {
        size_t len = strcspn(lines, "\n");
        char *one = jkc_must(strndup(lines, len)), *words = jkc_must(jkd_decide_words(one, facts)), *clean = jkc_clean(words);
        say(data, n, clean);
        free(clean);
        free(words);
        free(one);
        lines = lines[len] ? lines + len + 1 : NULL;
    }
}

static void print_cause(void *data, int n, const char *line)
{
    (void)data;
    printf("      %d. %s\n", n, line);
}

static void print_line(void *data, int n, const char *line)
{
    if (n == 1)
        printf("    %s\n", (const char *)data);
    printf("      %s\n", line);
}

static void print_what(void *data, int n, const char *line)
{
    const jkd_finding *f = data;

    (void)n;
    printf("  %s %s (%s): %s\n", f->code, f->name, jkd_decide_weight(f->weight), line);
}

static void print_finding(const jkd_finding *f, const jkd_facts *facts)
{
    static char workers[] = "in workers.properties:", server[] = "in server.xml (then restart Tomcat):", shell[] = "or on the command line:";

    each_line(f->what, facts, print_what, (void *)(uintptr_t)f);
    puts("    likely, the likeliest first:");
    each_line(f->causes, facts, print_cause, NULL);
    each_line(f->httpd, facts, print_line, workers);
    each_line(f->container, facts, print_line, server);
    each_line(f->shell, facts, print_line, shell);
}

static void print_step(const char *method, const char *path, const jkp_step *step)
{
    if (step->made && step->rc == JK_OK)
        printf(", %s %s %u", method, path, step->status);
}

static void print_result(const jkc_case *c, bool colours)
{
    static const char *const paints[] = { [JKD_HINT] = "\033[32m", [JKD_WARNING] = "\033[33m", [JKD_FAULT] = "\033[31m" };

    colours = colours && !c->port_0;
    printf("%s%s%s", colours ? paints[worst_of(c)] : "", result_of(c), colours ? "\033[0m" : "");
}

static void print_case(const jkc_case *c, bool colours)
{
    const jkd_facts *f = &c->facts;
    char *name = jkc_clean(c->name);

    printf("%s  %s  ", name, c->port_0 ? "port 0, provisioned for later:" : f->address);
    print_result(c, colours);
    if (c->pong >= 0)
        printf("  CPong %.1f ms", (double)c->pong / 1000);
    print_step("OPTIONS", "*", &f->talk.get);
    print_step("GET", f->path, &f->page.step);
    if (*f->server)
        printf(", %s", f->server);
    putchar('\n');
    for (size_t i = 0; i < c->nfound; i++)
        print_finding(c->found[i], f);
    free(name);
}

static void print_configuration(const jkc_round *r)
{
    for (int i = 0; i < r->findings->all->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(r->findings->all, i, jk_finding);
        char *line = jkc_clean(jk_findings_line(r->p, one, false));
        if (one->severity != JK_FIND_INFO)
            printf("%s\n", line);
        free(line);
    }
}

static void print_all(const jkc_round *r)
{
    int good = 0;

    print_configuration(r);
    for (size_t i = 0; i < r->n; i++) {
        print_case(r->cases[i], r->how->colours);
        good += !r->cases[i]->port_0 && worst_of(r->cases[i]) == JKD_HINT;
    }
    printf("%d of %d workers good; %d faults, %d warnings\n", good, (int)r->n, r->weights[JKD_FAULT], r->weights[JKD_WARNING]);
    if (r->weights[JKD_FAULT] + r->weights[JKD_WARNING] + r->weights[JKD_HINT])
        puts("THE-WORDS-IN-CAPITALS are yours to fill in. docs/doctor.md has all codes.");
}

/* ---- JSON ---- */

static void append_line(void *data, int n, const char *line)
{
    (void)n;
    json_array_append_new(data, json_string(line));
}

static json_t *json_lines(const char *lines, const jkd_facts *facts)
{
    json_t *all = json_array();

    each_line(lines, facts, append_line, all);
    return all;
}

static json_t *json_finding(const jkd_finding *f, const jkd_facts *facts)
{
    char *what = jkc_must(jkd_decide_words(f->what, facts)), *clean = jkc_clean(what);
    json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "code", f->code, "name", f->name, "weight", jkd_decide_weight(f->weight),
                            "what", clean, "causes", json_lines(f->causes, facts), "workers_properties", json_lines(f->httpd, facts),
                            "server_xml", json_lines(f->container, facts), "commands", json_lines(f->shell, facts));

    free(clean);
    free(what);
    return one;
}

static json_t *json_case(const jkc_case *c)
{
    json_t *findings = json_array();
    char *name = jkc_clean(c->name);

    for (size_t i = 0; i < c->nfound; i++)
        json_array_append_new(findings, json_finding(c->found[i], &c->facts));
    json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:f, s:o}", "name", name, "address", c->facts.address, "result", result_of(c), "server",
                            c->facts.server, "seconds", (double)c->took / 1e6, "findings", findings);
    free(name);
    return one;
}

static void print_json(const jkc_round *r)
{
    json_t *workers = json_array(), *configuration = json_array(), *all;

    for (size_t i = 0; i < r->n; i++)
        json_array_append_new(workers, json_case(r->cases[i]));
    for (int i = 0; i < r->findings->all->nelts; i++) {
        char *line = jkc_clean(jk_findings_line(r->p, &APR_ARRAY_IDX(r->findings->all, i, jk_finding), false));
        json_array_append_new(configuration, json_string(line));
        free(line);
    }
    all = json_pack("{s:i, s:i, s:i, s:o, s:o}", "faults", r->weights[JKD_FAULT], "warnings", r->weights[JKD_WARNING], "hints",
                    r->weights[JKD_HINT], "configuration", configuration, "workers", workers);
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(all);
}

/* ---- all ---- */

static jkc_exit exit_of(const jkc_round *r)
{
    if (r->weights[JKD_FAULT] || jk_findings_refuse(r->findings, false))
        return JKC_BAD;
    return r->weights[JKD_WARNING] || jk_findings_count(r->findings, JK_FIND_LENIENT) ? JKC_DEGRADED : JKC_GOOD;
}

static jkc_exit run(jkc_round *r)
{
    const jkc_doctor *how = r->how;

    if (!read_conf(r))
        return JKC_CANNOT_ASK;
    r->asks = (jkd_how){ .budget = how->budget ? (int)how->budget : BUDGET_MS, .path = how->path ? how->path : "/", .path_given = how->path,
                         .host = how->host, .user = how->remote_user ? how->remote_user : "", .selinux = "/sys/fs/selinux" };
    find_httpd_user(r);
    gather_attributes(r);
    gather_cases(r);
    if (r->n == 0) {
        print_configuration(r);
        say_none(r);
        return how->only ? JKC_REFUSED : JKC_CANNOT_ASK;
    }
    ask_all(r);
    (how->json ? print_json : print_all)(r);
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
