/* tools/jkconf_explain.c - `jkconf explain`: the way of one URL, step by step as native/httpd/handler.c goes it, with the same rules, the same
 * look-up and the same forms of the URI. What only httpd can know is named as such. */
#include "jkconf.h"

#include "jkconf_host.h"
#include "jkconf_url.h"
#include "jkconf_world.h"

#include "native/httpd/autoalias.h"
#include "native/httpd/check.h"
#include "native/httpd/forwarded.h"
#include "native/httpd/mounts.h"

#include "jk/balance/choose.h"
#include "jk/conf/values.h"
#include "jk/route/path.h"
#include "jk/route/session.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HANDLER "jakarta-servlet"
#define BEATEN_MOST 20
#define FAULTS_MOST 5

/* One line of the answer. */
typedef struct step {
    const char *label, *text;
} step;

typedef struct story {
    const jkconf_asked *asked;
    apr_pool_t *p;
    jkconf_httpd *h;
    const jk_workers_conf *workers;
    const apr_array_header_t *files; /* of jk_rule_text */
    const server_rec *s;
    const jk_server *conf, *main_conf;
    jkconf_url url;
    const char *host;
    jkconf_world world;
    const jk_match *match;
    jk_match_answer found;
    apr_array_header_t *steps; /* of step */
    json_t *facts;
    int status;
} story;

/* ---- telling ---- */

static void say(story *st, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void say(story *st, const char *label, const char *fmt, ...)
{
    va_list more;

    va_start(more, fmt);
    APR_ARRAY_PUSH(st->steps, step) = (step){ label, apr_pvsprintf(st->p, fmt, more) };
    va_end(more);
}

static json_t *text_of(apr_pool_t *p, const char *text)
{
    return text ? json_string(jkconf_shown(p, text)) : json_null();
}

static void fact(story *st, const char *name, const char *text)
{
    json_object_set_new(st->facts, name, text_of(st->p, text));
}

static const char *at_line(apr_pool_t *p, const char *file, int line)
{
    return file == NULL ? "-" : line ? apr_psprintf(p, "%s:%d", file, line) : file;
}

static const char *at_node(apr_pool_t *p, const ap_directive_t *node)
{
    return apr_psprintf(p, "%s:%d", node->filename, node->line_num);
}

static void print_text(const story *st)
{
    for (int i = 0; i < st->steps->nelts; i++) {
        const step *one = &APR_ARRAY_IDX(st->steps, i, step);
        printf("%-10s %s\n", one->label, jkconf_shown(st->p, one->text));
    }
}

static void print_json(const story *st)
{
    json_t *steps = json_array();

    for (int i = 0; i < st->steps->nelts; i++) {
        const step *one = &APR_ARRAY_IDX(st->steps, i, step);
        json_array_append_new(steps, json_pack("{s:s, s:o}", "step", one->label, "text", text_of(st->p, one->text)));
    }
    json_object_set_new(st->facts, "steps", steps);
    json_dumpf(st->facts, stdout, JSON_INDENT(2));
    printf("\n");
}

/* ---- rules ---- */

static const char *source_of(const jk_rule *rule)
{
    if (rule->source == JK_RULE_MOUNT)
        return rule->exclude ? "JkUnMount" : "JkMount";
    return rule->source == JK_RULE_FILE ? "rule file" : "worker.mount";
}

static const char *written(const jk_rule *rule)
{
    return ((const jk_target *)rule->data)->written;
}

static const char *shown(apr_pool_t *p, const jk_rule *rule)
{
    return apr_psprintf(p, "%s%s%.*s %s  (%s %s)", rule->disabled ? "-" : "", rule->exclude ? "!" : "", (int)rule->pattern.len,
                        (const char *)rule->pattern.p, written(rule), source_of(rule), at_line(p, rule->file, rule->line));
}

static bool matches(const story *st, const jk_rule *rule)
{
    return jk_rule_matches(rule->pattern, jk_span_of(st->world.normal));
}

/* Why the first goes before the second. */
static const char *why_before(apr_pool_t *p, const jk_rule *first, const jk_rule *second)
{
    size_t slashes = jk_rule_slashes(first->pattern), fewer = jk_rule_slashes(second->pattern);

    if (slashes != fewer)
        return apr_psprintf(p, "it has fewer slashes: %" APR_SIZE_T_FMT ", not %" APR_SIZE_T_FMT, fewer, slashes);
    if (first->pattern.len != second->pattern.len)
        return apr_psprintf(p, "it is shorter: %" APR_SIZE_T_FMT " characters, not %" APR_SIZE_T_FMT, second->pattern.len, first->pattern.len);
    if (first->source != second->source)
        return first->source == JK_RULE_FILE ? "a rule file goes before directives" : "worker.mount goes last";
    return "it stands behind the other";
}

/* "/app" and a star behind its slash, asked for /app itself; or other letters. "": it is simply another pattern. */
static const char *nearly(const story *st, const jk_rule *rule)
{
    jk_span uri = jk_span_of(st->world.normal), pattern = rule->pattern;
    char *lower = apr_pstrdup(st->p, st->world.normal), *of = apr_pstrmemdup(st->p, (const char *)pattern.p, pattern.len);

    if (uri.p && pattern.len == uri.len + 2 && memcmp(pattern.p, uri.p, uri.len) == 0 && memcmp(pattern.p + uri.len, "/*", 2) == 0)
        return apr_psprintf(st->p, "it is for what lies below; %s|/* is for %s, too", st->world.normal, st->world.normal);
    for (char *c = lower; *c; c++)
        *c = (char)jk_span_lower((uint8_t)*c);
    for (char *c = of; *c; c++)
        *c = (char)jk_span_lower((uint8_t)*c);
    return jk_rule_matches(jk_span_of(of), jk_span_of(lower)) ? "upper and lower case differ" : "";
}

static void tell_other(story *st, const jk_rule *rule)
{
    const jk_match_answer *f = &st->found;

    if (!matches(st, rule)) {
        if (f->winner == NULL && !rule->exclude && !rule->disabled && *nearly(st, rule))
            say(st, "not", "%s: %s", shown(st->p, rule), nearly(st, rule));
    } else if (rule->disabled) {
        say(st, "not", "%s: it is switched off by the '-'", shown(st->p, rule));
    } else if (rule->exclude) {
        if (f->winner && rule != f->exclusion)
            say(st, "not", "%s: this exclusion is of another worker than the rule's, %.*s", shown(st->p, rule), (int)f->winner->worker.len,
                (const char *)f->winner->worker.p);
    } else if (f->winner) {
        say(st, "beaten", "%s: %s", shown(st->p, rule), why_before(st->p, f->winner, rule));
    }
}

/* All but the winner and the exclusion that took hold; another exclusion of the same worker would be one more that does. */
static void tell_others(story *st)
{
    int before = st->steps->nelts;

    for (size_t i = 0; i < jk_match_count(st->match) && st->steps->nelts - before < BEATEN_MOST; i++) {
        const jk_rule *rule = jk_match_rule(st->match, i);
        if (rule != st->found.winner && rule != st->found.exclusion)
            tell_other(st, rule);
    }
}

static void fact_rule(story *st, const char *name, const jk_rule *rule)
{
    json_object_set_new(st->facts, name, json_pack("{s:o, s:o, s:s, s:o, s:i}", "pattern", text_of(st->p, apr_pstrmemdup(st->p,
                        (const char *)rule->pattern.p, rule->pattern.len)), "worker", text_of(st->p, written(rule)), "source", source_of(rule),
                        "file", text_of(st->p, rule->file), "line", rule->line));
}

static const jk_match *map_of(story *st, const jk_server *conf)
{
    const jk_mounts_from from = { st->workers, st->files, jk_findings_make(st->p), false };

    return jk_mounts_make(st->p, conf, st->main_conf, &from);
}

/* The main server's mounts end where a virtual host begins. */
static void tell_copy(story *st)
{
    const jk_match *main_map;
    const jk_rule *rule;

    if (st->conf == st->main_conf || st->conf->mount_copy == JK_COPY_ON || (main_map = map_of(st, st->main_conf)) == NULL)
        return;
    rule = jk_match_find(main_map, jk_span_of(st->world.normal)).rule;
    if (rule)
        say(st, "not", "%s: it is the main server's, and this virtual host has no JkMountCopy On", shown(st->p, rule));
}

/* ---- the worker ---- */

static const jk_worker_conf *worker_of(const story *st, const char *name)
{
    const jk_worker_conf *worker = jk_workers_find(st->workers, name);

    return worker && worker->listed ? worker : NULL;
}

static const char *address_of(apr_pool_t *p, const jk_worker_conf *m)
{
    return m->unix_path ? apr_pstrcat(p, "unix:", m->unix_path, NULL) :
           apr_psprintf(p, strchr(m->tune.host, ':') ? "[%s]:%d" : "%s:%d", m->tune.host, m->tune.port);
}

static const char *activation_of(const story *st, const jk_worker_conf *m, const jk_extension *more, int i)
{
    bool old;
    jk_worker_conf as = *m;

    if (more && more->activations && more->activations[i] != JK_CHOOSE_AS_CONFIGURED)
        as.tune.activation = (jk_activation)more->activations[i];
    return jk_values_text(st->p, jk_keys_find("activation", &old), &as);
}

static jk_choose_live all_well(void *ctx, size_t i)
{
    (void)ctx, (void)i;
    return (jk_choose_live){ 0, JK_STATE_OK };
}

/* As worker/group makes it of the values in force: here those of the file. */
static jk_choose_group group_of(const story *st, const jk_worker_conf *lb)
{
    size_t n = (size_t)lb->members->nelts, nslots = jk_choose_slots(n);
    jk_choose_group g = { .members = apr_pcalloc(st->p, (n + 1) * sizeof *g.members), .count = n, .live = all_well };

    for (size_t i = 0; i < n; i++) {
        const jk_tune *tune = &APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *)->tune;
        g.members[i] = (jk_choose_member){ .route = jk_span_of(tune->route), .domain = jk_span_of(tune->domain),
                                           .redirect = jk_span_of(tune->redirect), .distance = tune->distance,
                                           .activation = (jk_activation)tune->activation };
    }
    jk_choose_prepare(&g, apr_pcalloc(st->p, nslots * sizeof(jk_choose_slot)), nslots);
    return g;
}

static jk_session session_of(const story *st, const jk_worker_conf *lb, const jk_extension *more, const char *forwarded)
{
    jk_span *cookie = apr_pcalloc(st->p, sizeof *cookie);
    jk_session_from from = { .uri = jk_span_of(forwarded), .cookies = cookie, .ncookies = st->asked->cookie ? 1 : 0 };
    jk_session found = { 0 };

    *cookie = jk_span_of(st->asked->cookie);
    if (!lb->tune.sticky_session || (more && more->sticky_ignore))
        return found;
    from.parameter = jk_span_of(more && more->session_path ? more->session_path : lb->tune.session_path);
    from.cookie = jk_span_of(more && more->session_cookie ? more->session_cookie : lb->tune.session_cookie);
    jk_session_read(&from, &found);
    return found;
}

/* The member that is chosen while all are well, whatever the balancer's turn is; -1: that depends on the load. */
static int sure_member(const jk_choose_group *g, jk_choose_request ask, jk_choose_answer *got)
{
    uint32_t first = JK_CHOOSE_NOBODY;

    for (ask.offset = 0; ask.offset < g->count; ask.offset++) {
        *got = jk_choose(g, &ask);
        if (got->result != JK_CHOOSE_FOUND || (first != JK_CHOOSE_NOBODY && got->member != first))
            return -1;
        first = got->member;
    }
    return (int)first;
}

static bool by_domain(const jk_choose_group *g, const jk_choose_answer *got)
{
    const jk_choose_member *m = &g->members[got->member];

    return m->domain.len > 0 && jk_span_eq(got->route, m->domain) && !jk_span_eq(m->route, m->domain);
}

static void tell_choice(story *st, const jk_worker_conf *lb, const jk_session *session, const jk_extension *more)
{
    jk_choose_group g = group_of(st, lb);
    jk_choose_request ask = { .routes = session->routes, .nroutes = session->nroutes, .has_session = session->place != JK_SESSION_NOWHERE,
                              .sticky_force = lb->tune.sticky_session_force, .activations = more ? more->activations : NULL };
    jk_choose_answer got = { .result = JK_CHOOSE_NONE };
    int i = sure_member(&g, ask, &got);
    const char *who = session->place == JK_SESSION_NOWHERE ? "no session is named" :
                      apr_psprintf(st->p, "%.*s of %s", (int)session->id.len, (const char *)session->id.p,
                                   session->place == JK_SESSION_PATH ? "the path" : "the cookie");
    const char *name = i < 0 ? NULL : APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *)->name;

    if (got.result != JK_CHOOSE_FOUND)
        say(st, "session", "%s: 503, no member may be taken%s", who, got.result == JK_CHOOSE_SESSION ? " (sticky_session_force)" : "");
    else if (by_domain(&g, &got))
        say(st, "session", "%s: a member of the domain %.*s, by load", who, (int)got.route.len, (const char *)got.route.p);
    else if (name)
        say(st, "session", "%s: member %s, if it is well", who, name);
    else
        say(st, "session", "%s: any active member, by load", who);
    fact(st, "member", got.result == JK_CHOOSE_FOUND && !by_domain(&g, &got) ? name : NULL);
}

static void tell_session(story *st, const jk_worker_conf *lb, const jk_extension *more, const char *forwarded)
{
    jk_session session = session_of(st, lb, more, forwarded);

    if (!lb->tune.sticky_session || (more && more->sticky_ignore))
        say(st, "session", "sessions do not matter here: %s", more && more->sticky_ignore ? "sticky_ignore of the rule" : "sticky_session is false");
    tell_choice(st, lb, &session, more);
}

static void tell_members(story *st, const jk_worker_conf *lb, const jk_extension *more)
{
    for (int i = 0; i < lb->members->nelts; i++) {
        const jk_worker_conf *m = APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *);
        say(st, "member", "%s  route %s, %s, %s%s%s", m->name, m->tune.route, activation_of(st, m, more, i), address_of(st->p, m),
            *m->tune.domain ? ", domain " : "", m->tune.domain);
    }
}

static void tell_worker(story *st, const char *name, const jk_extension *more, const char *forwarded)
{
    const jk_worker_conf *worker = worker_of(st, name);

    fact(st, "worker", name);
    if (worker == NULL) {
        say(st, "worker", "%s: there is no such worker in worker.list: 500", name);
        st->status = JKCONF_REFUSED;
        return;
    }
    st->status = JKCONF_CLEAN;
    if (worker->kind == JK_WORKER_STATUS)
        say(st, "worker", "%s, the status page  (%s)", name, at_line(st->p, worker->file, worker->line));
    else if (worker->kind == JK_WORKER_AJP13)
        say(st, "worker", "%s, ajp13 at %s  (%s)", name, address_of(st->p, worker), at_line(st->p, worker->file, worker->line));
    if (worker->kind != JK_WORKER_LB)
        return;
    say(st, "worker", "%s, lb  (%s)", name, at_line(st->p, worker->file, worker->line));
    tell_members(st, worker, more);
    tell_session(st, worker, more, forwarded);
}

/* ---- mapped ---- */

static const char *forwarded_of(story *st, const jk_rule *rule, const jk_extension *more)
{
    const char *uri = jk_forwarded_uri(st->p, st->conf->options, st->url.target, st->world.path);
    jk_publish paths;

    if (rule == NULL || more == NULL || more->path == NULL)
        return uri;
    paths = jk_forwarded_paths(st->p, rule->pattern, more->path);
    return (const char *)jk_forwarded_inside(st->p, &paths, st->conf->options, st->world.path, jk_span_of(uri)).p;
}

static void tell_forwarded(story *st, const char *forwarded)
{
    const char *query = strchr(st->url.target, '?');

    say(st, "forwarded", "%s%s%s", forwarded, query ? ", query " : "", query ? query + 1 : "");
    fact(st, "forwarded", forwarded);
}

static void tell_extensions(story *st, const jk_target *target)
{
    const char *more = strchr(target->written, ';');

    if (more)
        say(st, "with", "%s", more + 1);
    if (target->more && target->more->use_server_errors)
        say(st, "with", "from status %d on the page is httpd's own", target->more->use_server_errors);
}

static void tell_mapped(story *st)
{
    const jk_rule *rule = st->found.rule;
    const jk_target *target = rule->data;
    const char *forwarded = forwarded_of(st, rule, target->more);

    tell_extensions(st, target);
    if (st->world.off_late.value) {
        say(st, "but", "no-jk of %s comes behind the mapping: mod_jk declines then, and httpd has no file for the path: 404",
            at_node(st->p, st->world.off_late.at));
        st->status = JKCONF_WARNED;
        return;
    }
    tell_forwarded(st, forwarded);
    tell_worker(st, target->name, target->more, forwarded);
}

/* ---- not mapped ---- */

static void strip(story *st)
{
    const char *parameter = st->conf->strip;
    jk_span cut = parameter && *parameter ? jk_session_cut(jk_span_of(st->world.path), jk_span_of(parameter)) : JK_SPAN_NONE;

    if (cut.p)
        say(st, "httpd gets", "%.*s%s, by JkStripSession", (int)((const char *)cut.p - st->world.path), st->world.path,
            (const char *)cut.p + cut.len);
}

/* JkAutoAlias; true: that was all. */
static bool alias(story *st)
{
    request_rec fake = { .pool = st->p, .uri = (char *)st->world.path };
    int status = st->conf->alias_dir ? jk_autoalias_translate(&fake, st->conf->alias_dir, st->world.normal) : DECLINED;

    if (status == OK)
        say(st, "file", "%s, by JkAutoAlias", fake.filename);
    else if (status != DECLINED)
        say(st, "refused", "%d, by JkAutoAlias: %s is the application's own", status, st->world.normal);
    if (status != OK && status != DECLINED)
        st->status = JKCONF_REFUSED;
    return status != DECLINED;
}

/* SetHandler jakarta-servlet. */
static bool handle(story *st)
{
    const jkconf_world *w = &st->world;
    const char *forwarded, *name;

    if (w->handler.value == NULL || strcmp(w->handler.value, HANDLER) != 0)
        return false;
    say(st, "handler", "%s  (SetHandler %s)", HANDLER, at_node(st->p, w->handler.at));
    if (w->worker.value == NULL) {
        say(st, "worker", "%s is not set: nobody is asked", w->indicator);
        return false;
    }
    if (w->off_late.value) {
        say(st, "but", "no-jk of %s: mod_jk declines", at_node(st->p, w->off_late.at));
        return false;
    }
    name = jk_extension_name(st->p, w->worker.value);
    say(st, "named", "%s=%s  (%s)", w->indicator, w->worker.value, at_node(st->p, w->worker.at));
    forwarded = forwarded_of(st, NULL, NULL);
    tell_forwarded(st, forwarded);
    tell_worker(st, name, jk_extension_parse(st->p, w->worker.value, worker_of(st, name), &(jk_prop){ "", w->worker.value, NULL, 0 },
                                             jk_findings_make(st->p)), forwarded);
    return true;
}

static void tell_unmapped(story *st)
{
    st->status = JKCONF_WARNED;
    tell_copy(st);
    if (alias(st))
        return;
    strip(st);
    if (!handle(st))
        say(st, "worker", "none: httpd serves it itself");
}

/* ---- the map ---- */

static void look_up(story *st)
{
    st->found = jk_match_find(st->match, jk_span_of(st->world.normal));
    if (st->found.winner) {
        say(st, "rule", "%s", shown(st->p, st->found.winner));
        fact_rule(st, "winner", st->found.winner);
    } else {
        say(st, "rule", "none of %" APR_SIZE_T_FMT " matches", jk_match_count(st->match));
    }
    if (st->found.exclusion) {
        say(st, "exclusion", "%s takes it away: no other rule is tried", shown(st->p, st->found.exclusion));
        fact_rule(st, "exclusion", st->found.exclusion);
    }
    tell_others(st);
    if (st->found.rule)
        fact_rule(st, "rule", st->found.rule);
}

static void tell_off(story *st)
{
    const jkconf_set *off = &st->world.off;

    say(st, "rule", "none: no-jk is set, by %s %s", off->at->directive, at_node(st->p, off->at));
    say(st, "worker", "none: httpd serves it itself");
    st->status = JKCONF_WARNED;
}

static bool is_unsafe(const story *st)
{
    return (st->conf->options & JK_OPT_REJECT_UNSAFE) && jk_path_is_unsafe(st->world.normal);
}

/* httpd's sections are held against what the mapping leaves in r->uri. */
static void look_around(story *st)
{
    jkconf_world *w = &st->world;

    st->match = map_of(st, st->conf);
    w->seen = st->match && !is_unsafe(st) && jk_match_find(st->match, jk_span_of(w->normal)).rule ? w->normal : w->path;
    jkconf_world_look(w);
}

static void map(story *st)
{
    const char *file = jk_mounts_file(st->conf, st->main_conf);

    if (st->world.off.value) {
        tell_off(st);
        return;
    }
    if (file)
        say(st, "rule file", "%s", file);
    if (st->conf != st->main_conf && st->conf->mount_copy == JK_COPY_ON)
        say(st, "copied", "JkMountCopy: the main server's mounts are among the rules");
    if (is_unsafe(st))
        say(st, "rule", "none: JkOptions RejectUnsafeURI leaves alone what has a '%%' or a '\\' in it");
    else if (st->match == NULL)
        say(st, "rule", "none: nothing is mounted here");
    else
        look_up(st);
    if (st->found.rule)
        tell_mapped(st);
    else
        tell_unmapped(st);
}

/* ---- the path ---- */

static const char *words_of(int status)
{
    return status == 404 ? "an encoded slash or NUL is in the path, and AllowEncodedSlashes does not let it in" :
                           "the path cannot be decoded, or leads above the root";
}

/* False: httpd or mod_jk refuses it. */
static bool find_path(story *st)
{
    jkconf_world *w = &st->world;
    char *normal;
    int status;

    *w = (jkconf_world){ .h = st->h, .s = st->s, .indicator = st->conf->env[JK_ENV_WORKER] };
    jkconf_world_paths(w);
    status = jkconf_url_path(st->p, st->url.target, w->merge, (jkconf_slashes)w->slashes, &w->path);
    normal = status == 0 ? apr_pstrdup(st->p, w->path) : NULL;
    if (status || jk_path_normalise(normal) != JK_PATH_FINE) {
        say(st, "refused", "%d: %s", status ? status : 400, words_of(status));
        json_object_set_new(st->facts, "refused", json_integer(status ? status : 400));
        st->status = JKCONF_REFUSED;
        return false;
    }
    w->normal = normal;
    w->raw = apr_pstrmemdup(st->p, st->url.target, strcspn(st->url.target, "?"));
    say(st, "path", strcmp(w->path, normal) == 0 ? "%s" : "%s, looked up as %s", w->path, normal);
    fact(st, "path", normal);
    return true;
}

/* ---- the server ---- */

static bool listens_to(const story *st, int port)
{
    for (int i = 0; i < st->h->listens->nelts; i++)
        if (APR_ARRAY_IDX(st->h->listens, i, int) == port)
            return true;
    return st->h->listens->nelts == 0;
}

static void tell_doubts(story *st, const apr_array_header_t *doubts)
{
    json_t *all = json_object_get(st->facts, "depends");

    for (int i = 0; doubts && i < doubts->nelts; i++) {
        say(st, "depends", "%s", APR_ARRAY_IDX(doubts, i, const char *));
        json_array_append_new(all, text_of(st->p, APR_ARRAY_IDX(doubts, i, const char *)));
    }
}

/* A name in small letters, without the dot and the port behind it. */
static const char *plain_host(apr_pool_t *p, const char *host)
{
    size_t n = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");
    char *copy = *host == '[' ? apr_pstrmemdup(p, host + 1, n - 1) : strchr(host, ':') != strrchr(host, ':') ? apr_pstrdup(p, host) :
                 apr_pstrmemdup(p, host, n);

    n = strlen(copy);
    if (n > 1 && copy[n - 1] == '.')
        copy[n - 1] = '\0';
    for (char *c = copy; *c; c++)
        *c = (char)jk_span_lower((uint8_t)*c);
    return copy;
}

static void find_server(story *st)
{
    int port = st->asked->port ? st->asked->port : st->url.port;
    jkconf_met met;

    st->host = plain_host(st->p, st->asked->host ? st->asked->host : st->url.host);
    met = jkconf_host_find(st->p, st->h->main_server, st->asked->address, port, st->host);
    st->s = met.s;
    st->conf = jk_config_of((server_rec *)met.s);
    st->main_conf = jk_config_of(st->h->main_server);
    say(st, "server", "%s, %s", jkconf_host_name(st->p, met.s), met.how);
    json_object_set_new(st->facts, "server", met.s->is_virtual ? json_pack("{s:o, s:o, s:i}", "name", text_of(st->p, met.s->server_hostname), "file",
                        text_of(st->p, met.s->defn_name), "line", (int)met.s->defn_line_number) : json_null());
    if (!listens_to(st, port))
        say(st, "but", "no Listen names the port %d", port);
    tell_doubts(st, met.doubts);
}

/* What is broken changes the answer, and `check` says it. */
static void tell_broken(story *st)
{
    jk_findings *f = st->h->found;
    int told = 0;

    jk_findings_sort(f);
    for (int i = 0; i < f->all->nelts && told < FAULTS_MOST; i++)
        if (APR_ARRAY_IDX(f->all, i, jk_finding).severity == JK_FIND_ERROR)
            say(st, told++ ? "" : "broken", "%s", jk_findings_text(st->p, &APR_ARRAY_IDX(f->all, i, jk_finding)));
    if (told)
        say(st, "", "httpd refuses this configuration: jkconf check says all of it; what follows is of the rest");
}

/* The reader's last word is why it cannot go on. */
static void tell_unread(const jk_findings *f)
{
    fprintf(stderr, "jkconf: %s\n", APR_ARRAY_IDX(f->all, f->all->nelts - 1, jk_finding).text);
}

static bool read_all(story *st)
{
    jk_lastgood_text texts;

    for (int i = 0; i < st->asked->confs->nelts; i++)
        if (!jkconf_read_file(st->h->reader, APR_ARRAY_IDX(st->asked->confs, i, const char *), &st->h->tree)) {
            tell_unread(st->h->found);
            return false;
        }
    jkconf_httpd_apply(st->h);
    texts = jk_lastgood_read(st->p, st->h->main_server, st->h->found);
    st->workers = jk_check_parse(st->p, &texts, JKCONF_WORKERS_ALL, st->h->found);
    st->files = texts.rules;
    jkconf_httpd_settle(st->h);
    return true;
}

static void tell(story *st)
{
    tell_broken(st);
    find_server(st);
    if (find_path(st)) {
        look_around(st);
        map(st);
        tell_doubts(st, st->world.doubts);
    }
    tell_doubts(st, st->h->reader->doubts);
    json_object_set_new(st->facts, "mapped", json_boolean(st->found.rule != NULL));
}

int jkconf_explain(const jkconf_asked *asked)
{
    story st = { .asked = asked, .p = asked->p, .h = jkconf_begin(asked) };
    const char *why;

    st.steps = apr_array_make(st.p, 16, sizeof(step));
    if (asked->confs->nelts == 0 || !jkconf_url_parse(st.p, APR_ARRAY_IDX(asked->words, 0, const char *), &st.url, &why)) {
        fprintf(stderr, "jkconf: %s\n", asked->confs->nelts ? why : "explain needs --conf FILE, httpd's configuration");
        return JKCONF_USAGE;
    }
    if (!read_all(&st))
        return JKCONF_CANNOT;
    st.facts = json_pack("{s:s, s:[]}", "url", jkconf_shown(st.p, APR_ARRAY_IDX(asked->words, 0, const char *)), "depends");
    tell(&st);
    (asked->json ? print_json : print_text)(&st);
    json_decref(st.facts);
    return st.status;
}
