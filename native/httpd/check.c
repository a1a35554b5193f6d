/* native/httpd/check.c - findings about the world around the configuration, and the words that all findings are told in. What the text of the
 * files says is conf's to judge, mounts are mounts.c's. */
#include "check.h"

#include "access.h"
#include "autoalias.h"
#include "logfile.h"
#include "lookup.h"
#include "mounts.h"
#include "requestlog.h"

#include "jk/conf/keys.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

APLOG_USE_MODULE(jk);

/* ---- what there is to check ---- */

static const char *environment(const char *name)
{
    return getenv(name);
}

/* Without a '/' at its end: "$(ServerRoot)/conf" is what people write. */
static const char *server_root(apr_pool_t *p)
{
    const char *root = ap_server_root_relative(p, "");
    size_t n = strlen(root);

    return n > 1 && root[n - 1] == '/' ? apr_pstrmemdup(p, root, n - 1) : root;
}

jk_workers_conf *jk_check_parse(apr_pool_t *p, const jk_lastgood_text *src, int kinds, jk_findings *found)
{
    jk_workers_input in = { (const jk_prop *)src->lines->elts, src->lines->nelts, src->file, src->text, server_root(p), environment, kinds };

    return jk_workers_parse(p, &in, found);
}

bool jk_check_has_workers(server_rec *s)
{
    for (; s; s = s->next) {
        const jk_server *conf = jk_config_of(s);
        if (conf && (conf->mounts->nelts || conf->mount_file || (conf->global && (conf->global->workers_file || conf->global->properties->nelts))))
            return true;
    }
    return false;
}

/* ---- files ---- */

static bool holds_secret(const jk_check *c, const char *file)
{
    const apr_array_header_t *all = c->workers->props->all;

    for (int i = 0; i < all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(all, i, jk_prop);
        const jk_key *row = jk_keys_of(prop->key);
        if (row && (row->flags & JK_KEY_SECRET) && prop->file && strcmp(prop->file, file) == 0)
            return true;
    }
    return false;
}

static void check_secret(const jk_check *c, const char *file)
{
    if (holds_secret(c, file) && jk_access_all_may(file, JK_ACCESS_READ))
        jk_findings_add(c->found, JK_FIND_WARN, file, 0, "the file holds a secret, and every user of this machine can read it; chmod o-r %s", file);
}

static void check_writable(const jk_check *c, const char *file)
{
    const char *open = jk_access_open_to_all(c->p, file);

    if (open)
        jk_findings_add(c->found, JK_FIND_WARN, file, 0, "every user of this machine can change what the server does: %s can be written by all; "
                        "chmod o-w %s", open, open);
}

static void check_files(const jk_check *c)
{
    const apr_array_header_t *all = c->workers->props->all;
    apr_hash_t *seen = apr_hash_make(c->p);

    for (int i = 0; i < all->nelts; i++) {
        const char *file = APR_ARRAY_IDX(all, i, jk_prop).file;
        if (file == NULL || apr_hash_get(seen, file, APR_HASH_KEY_STRING))
            continue;
        apr_hash_set(seen, file, APR_HASH_KEY_STRING, file);
        check_secret(c, file);
        check_writable(c, file);
    }
    for (const server_rec *v = c->s; v; v = v->next) {
        const jk_server *conf = jk_config_of((server_rec *)v);
        if (conf->s == v && conf->mount_file)
            check_writable(c, conf->mount_file);
    }
}

/* ---- Unix sockets ---- */

static const jk_prop *host_line(const jk_check *c, const jk_worker_conf *one)
{
    const apr_array_header_t *all = c->workers->props->all;
    const char *key = apr_pstrcat(c->p, "worker.", one->name, ".host", NULL);

    for (int i = all->nelts - 1; i >= 0; i--)
        if (strcmp(APR_ARRAY_IDX(all, i, jk_prop).key, key) == 0)
            return &APR_ARRAY_IDX(all, i, jk_prop);
    return NULL;
}

static void check_socket(const jk_check *c, const jk_access *children, const jk_worker_conf *one)
{
    const jk_prop *at = host_line(c, one);
    struct stat st;

    if (at == NULL || at->hidden)
        return;
    if (stat(one->unix_path, &st) != 0)
        jk_findings_add(c->found, JK_FIND_INFO, JK_PROP_AT(at), "%s is not there; is Tomcat not running, or its unixDomainSocketPath another?",
                        one->unix_path);
    else if (!S_ISSOCK(st.st_mode))
        jk_findings_add(c->found, JK_FIND_WARN, JK_PROP_AT(at), "%s is no socket; allowed: unix: and Tomcat's unixDomainSocketPath", one->unix_path);
    else if (!jk_access_may(children, one->unix_path, JK_ACCESS_WRITE))
        jk_findings_add(c->found, JK_FIND_WARN, JK_PROP_AT(at), "the server's user (%s) may not write to %s: connecting will fail; make its "
                        "group the server's, with Tomcat's unixDomainSocketPathPermissions=\"rw-rw----\", and look at the directories above",
                        jk_access_name(children), one->unix_path);
}

/* ---- hosts ---- */

static bool needs_look_up(const jk_worker_conf *one)
{
    return one->kind == JK_WORKER_AJP13 && one->unix_path == NULL && one->tune.port != 0 && strstr(one->tune.host, "$(") == NULL;
}

void jk_check_hosts(const jk_check *c)
{
    const apr_array_header_t *all = c->workers->workers;
    apr_array_header_t *names = apr_array_make(c->p, 8, sizeof(const char *));
    const char **answers;
    int n = 0;

    for (int i = 0; i < all->nelts; i++)
        if (needs_look_up(APR_ARRAY_IDX(all, i, const jk_worker_conf *)))
            APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(all, i, const jk_worker_conf *)->tune.host;
    answers = jk_lookup_all(c->p, (const char *const *)names->elts, names->nelts);
    for (int i = 0; i < all->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(all, i, const jk_worker_conf *);
        const char *answer = needs_look_up(one) ? answers[n++] : NULL;
        const jk_prop *at = host_line(c, one);
        if (answer && at)
            jk_findings_add(c->found, JK_FIND_WARN, JK_PROP_AT(at), "can't resolve tomcat address '%s': %s; look for a slip in the name, and at the "
                            "name service; the server starts all the same, and looks it up again until it is known",
                            jk_props_shown(c->p, at, one->tune.host), answer);
    }
}

/* ---- directives ---- */

static const ap_directive_t *find_directive(const ap_directive_t *node, const char *name)
{
    for (; node; node = node->next) {
        const ap_directive_t *inner = ap_cstr_casecmp(node->directive, name) == 0 ? node : find_directive(node->first_child, name);
        if (inner)
            return inner;
    }
    return NULL;
}

static void tell_needless(const jk_check *c, const char *name, const char *why)
{
    const ap_directive_t *at = find_directive(ap_conftree, name);

    if (at)
        jk_findings_add(c->found, JK_FIND_INFO, at->filename, at->line_num, "%s is accepted and not needed: %s", name, why);
}

/* Who can replace it says at the next start where the containers are. */
static void check_state_file(const jk_check *c, const jk_access *children)
{
    const char *written = jk_config_of((server_rec *)c->s)->global->state_file, *path, *open;
    const ap_directive_t *at = find_directive(ap_conftree, "JkStateFile");
    struct stat st;

    if (written == NULL || at == NULL)
        return;
    path = ap_server_root_relative(c->p, written);
    const char *dir = path ? ap_make_dirstr_parent(c->p, path) : NULL;
    if (dir == NULL || stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        jk_findings_add(c->found, JK_FIND_WARN, at->filename, at->line_num, "JkStateFile %s: there is no directory %s: what is changed at run time is "
                        "lost when the server stops; make it", written, dir ? dir : "");
    else if ((open = jk_access_open_to_all(c->p, dir)) != NULL)
        jk_findings_add(c->found, JK_FIND_WARN, at->filename, at->line_num, "JkStateFile %s: every user of this machine can change what the server "
                        "does: %s can be written by all; chmod o-w %s", written, open, open);
    else if (children && jk_access_may(children, dir, JK_ACCESS_WRITE))
        jk_findings_add(c->found, JK_FIND_WARN, at->filename, at->line_num, "JkStateFile %s: the server's user (%s) can write to %s, and need not: "
                        "httpd's parent writes the file; make the directory root's", written,
                        jk_access_name(children), dir);
}

static void check_mounted(const jk_check *c)
{
    const apr_array_header_t *all = c->workers->workers;

    for (int i = 0; i < all->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(all, i, const jk_worker_conf *);
        if (one->listed && one->file && apr_hash_get(c->mounted, one->name, APR_HASH_KEY_STRING) == NULL)
            jk_findings_add(c->found, JK_FIND_INFO, one->file, one->line, "no mount leads to worker '%s': nothing asks it, unless JK_WORKER_NAME "
                            "does", one->name);
    }
}

/* A path that leads to another file, or an empty one. */
static void check_content(const jk_check *c)
{
    const apr_array_header_t *all = c->workers->props->all;

    for (int i = 0; i < all->nelts; i++)
        if (strncmp(APR_ARRAY_IDX(all, i, jk_prop).key, "worker.", 7) == 0)
            return;
    if (c->texts->file && jk_findings_count(c->found, JK_FIND_ERROR) == 0)
        jk_findings_add(c->found, JK_FIND_WARN, c->texts->file, 0, "no line begins with 'worker.', and no worker is there but 'ajp13' at "
                        "localhost:8009; is this the workers file?");
}

static void check_directives(const jk_check *c)
{
    const jk_access *children = jk_access_of_children(c->p);
    const apr_array_header_t *all = c->workers->workers;

    tell_needless(c, "JkShmFile", "the shared memory has no file");
    tell_needless(c, "JkShmSize", "without it there is room for 1024 workers");
    if (c->texts->file == NULL && c->texts->lines->nelts == 0)
        jk_findings_add(c->found, JK_FIND_WARN, NULL, 0, "there is neither JkWorkersFile nor JkWorkerProperty: no worker is there but 'ajp13' at "
                        "localhost:8009; add JkWorkersFile conf/workers.properties");
    check_content(c);
    check_mounted(c);
    check_state_file(c, children);
    for (int i = 0; i < all->nelts; i++)
        if (APR_ARRAY_IDX(all, i, const jk_worker_conf *)->unix_path)
            check_socket(c, children, APR_ARRAY_IDX(all, i, const jk_worker_conf *));
}

/* ---- all of it ---- */

static void note_mounted(apr_hash_t *mounted, const jk_match *match)
{
    for (size_t i = 0; match && i < jk_match_count(match); i++) {
        const jk_rule *rule = jk_match_rule(match, i);
        const jk_target *target = rule->data;
        if (!rule->exclude && target)
            apr_hash_set(mounted, target->name, APR_HASH_KEY_STRING, target);
    }
}

/* No error: all that is served is served. */
static void check_tallies(const jk_check *c, const apr_hash_t *counted)
{
    unsigned n = apr_hash_count((apr_hash_t *)counted);

    if (n > JK_MOUNTS)
        jk_findings_add(c->found, JK_FIND_INFO, NULL, 0, "there are %u mounts: %d of them have numbers of their own (metrics, status page), those of "
                        "the others are counted together as 'other'; rules with wildcards need fewer", n, JK_MOUNTS);
}

static void check_servers(const jk_check *c)
{
    apr_hash_t *counted = apr_hash_make(c->p);
    const jk_mounts_from from = { c->workers, c->texts->rules, c->found, false };

    for (server_rec *v = c->s; v; v = v->next) {
        const jk_server *conf = jk_config_of(v);
        if (conf->s != v)
            continue;
        const jk_match *match = jk_mounts_make(c->p, conf, jk_config_of(c->s), &from);
        note_mounted(c->mounted, match);
        jk_mounts_names(c->p, match, counted);
        jk_autoalias_check(conf, c->found);
        jk_logfile_check(conf, c->found);
        jk_requestlog_check(conf, c->found);
    }
    check_tallies(c, counted);
}

void jk_check_all(const jk_check *c)
{
    check_servers(c);
    check_files(c);
    check_directives(c);
}

/* ---- telling ---- */

static int level_of(jk_severity severity)
{
    return severity >= JK_FIND_LENIENT ? APLOG_ERR : severity == JK_FIND_WARN ? APLOG_WARNING : APLOG_INFO;
}

static bool is_first_pass(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

static bool is_test(void)
{
    return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST;
}

int jk_check_more(const jk_findings *f)
{
    int more = -f->all->nelts;

    for (jk_severity severity = JK_FIND_INFO; severity < JK_FIND_COUNT; severity++)
        more += jk_findings_count(f, severity);
    return more;
}

const char *jk_check_verdict(apr_pool_t *p, const jk_findings *f, bool strict, bool refused)
{
    int lived = strict ? 0 : jk_findings_count(f, JK_FIND_LENIENT);
    int errors = jk_findings_count(f, JK_FIND_ERROR) + (strict ? jk_findings_count(f, JK_FIND_LENIENT) : 0);

    if (refused)
        return apr_psprintf(p, "Error in reading worker properties: the configuration is refused, because of the %d line%s above with \"error:\"",
                            errors, errors == 1 ? "" : "s");
    return lived ? "the server would start all the same, as mod_jk always has; with JkStrict On it would not" : NULL;
}

static void tell_all(const jk_check *c, bool strict)
{
    const jk_findings *f = c->found;
    int more = jk_check_more(f);

    for (int i = 0; i < f->all->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(f->all, i, jk_finding);
        int startup = one->severity > JK_FIND_INFO ? APLOG_STARTUP : 0;
        ap_log_error(APLOG_MARK, level_of(one->severity) | startup, 0, c->s, "mod_jk: %s", jk_findings_line(c->p, one, strict));
    }
    if (more > 0)
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, c->s, "mod_jk: and %d findings more", more);
}

void jk_check_tell(const jk_check *c, bool refused)
{
    bool strict = jk_config_of(c->s)->global->strict;
    const char *verdict = jk_check_verdict(c->p, c->found, strict, refused);

    if (is_first_pass() && !is_test() && !refused && !isatty(STDERR_FILENO))
        return;
    jk_findings_sort(c->found);
    tell_all(c, strict);
    if (verdict && (refused || is_test()))
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, c->s, "mod_jk: %s", verdict);
}
