/* native/httpd/dump.c - prints workers with all their values and where each was written, and the mounts of each server in the order in which they
 * are tried. One line for one thing: two dumps can be compared by diff. */
#include "dump.h"

#include "mounts.h"

#include "jk/conf/keys.h"
#include "jk/conf/values.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct dump {
    apr_pool_t *p;
    FILE *out;
    const jk_workers_conf *workers;
    apr_hash_t *lines;       /* key -> the last jk_prop of it */
    jk_worker_conf standard; /* nothing but defaults */
} dump;

static const char *shown(const char *text)
{
    return *text ? text : "-";
}

static const char *place(apr_pool_t *p, const char *file, int line)
{
    if (file == NULL || *file == '\0')
        return "-";
    return line ? apr_psprintf(p, "%s:%d", file, line) : file;
}

/* ---- workers ---- */

static const jk_prop *line_of(const dump *d, const jk_worker_conf *one, const jk_key *key)
{
    const jk_prop *line = apr_hash_get(d->lines, apr_pstrcat(d->p, "worker.", one->name, ".", key->name, NULL), APR_HASH_KEY_STRING);

    if (line || key->alias == NULL)
        return line;
    return apr_hash_get(d->lines, apr_pstrcat(d->p, "worker.", one->name, ".", key->alias, NULL), APR_HASH_KEY_STRING);
}

static const char *type_of(const jk_worker_conf *one)
{
    return one->kind == JK_WORKER_LB ? "lb" : one->kind == JK_WORKER_STATUS ? "status" : "ajp13";
}

static const char *value_of(const dump *d, const jk_worker_conf *one, const jk_key *key, const jk_prop *line)
{
    const char *text = jk_values_text(d->p, key, one);

    if (strcmp(key->name, "type") == 0)
        return type_of(one);
    if (((key->flags & JK_KEY_SECRET) || (line && line->hidden)) && (*text || line))
        return "(hidden)";
    if (key->home == JK_HOME_NOWHERE)
        return line ? line->value : "";
    if (*text == '-' && line == NULL && key->min >= 0) /* minsize: where the pool grows by need there is none */
        return "";
    return *text && *key->unit ? apr_pstrcat(d->p, text, " ", key->unit, NULL) : text;
}

/* Where the value comes from. */
static const char *origin_of(const dump *d, const jk_worker_conf *one, const jk_key *key, const jk_prop *line)
{
    if (line)
        return place(d->p, JK_PROP_AT(line));
    if (key->home == JK_HOME_NOWHERE || strcmp(jk_values_text(d->p, key, one), jk_values_text(d->p, key, &d->standard)) == 0)
        return "default";
    return "derived";
}

static void print_value(const dump *d, const jk_worker_conf *one, const jk_key *key)
{
    const jk_prop *line = line_of(d, one, key);

    if (!(key->kinds & (int)one->kind) || (line == NULL && key->state != JK_KEY_IN_FORCE))
        return;
    fprintf(d->out, "  %-28s %-24s %s%s\n", key->name, shown(value_of(d, one, key, line)), origin_of(d, one, key, line),
            key->state == JK_KEY_IGNORED ? " (ignored)" : key->state == JK_KEY_OLD ? " (deprecated)" : "");
}

static void print_member(const dump *d, const jk_worker_conf *m)
{
    bool old;
    const char *activation = jk_values_text(d->p, jk_keys_find("activation", &old), m);

    fprintf(d->out, "  member %s  route=%s domain=%s lbfactor=%d distance=%d activation=%s redirect=%s secret=%s address=", m->name,
            shown(m->tune.route), shown(m->tune.domain), m->tune.lbfactor, m->tune.distance, activation, shown(m->tune.redirect),
            *m->secret ? "(hidden)" : "-");
    if (m->unix_path)
        fprintf(d->out, "unix:%s\n", m->unix_path);
    else
        fprintf(d->out, strchr(m->tune.host, ':') ? "[%s]:%d\n" : "%s:%d\n", m->tune.host, m->tune.port);
}

static void print_worker(const dump *d, const jk_worker_conf *one)
{
    fprintf(d->out, "\nworker %s  %s, %s, named at %s\n", one->name, type_of(one), one->listed ? "in worker.list" : "a member only",
            place(d->p, one->file, one->line));
    for (size_t i = 0; i < jk_keys_count; i++)
        print_value(d, one, &jk_keys[i]);
    for (int i = 0; i < one->members->nelts; i++)
        print_member(d, APR_ARRAY_IDX(one->members, i, const jk_worker_conf *));
}

static void print_workers(const dump *d)
{
    const jk_prop *list = apr_hash_get(d->lines, "worker.list", APR_HASH_KEY_STRING);
    const jk_prop *maintain = apr_hash_get(d->lines, "worker.maintain", APR_HASH_KEY_STRING);
    const apr_array_header_t *all = d->workers->workers;

    fprintf(d->out, "%-30s", "worker.list");
    for (int i = 0, n = 0; i < all->nelts; i++)
        if (APR_ARRAY_IDX(all, i, const jk_worker_conf *)->listed)
            fprintf(d->out, "%s%s", n++ ? "," : " ", APR_ARRAY_IDX(all, i, const jk_worker_conf *)->name);
    fprintf(d->out, "  %s\n", list ? place(d->p, JK_PROP_AT(list)) : "default");
    fprintf(d->out, "%-30s %d s  %s\n", "worker.maintain", d->workers->maintain, maintain ? place(d->p, JK_PROP_AT(maintain)) : "default");
    for (int i = 0; i < all->nelts; i++)
        print_worker(d, APR_ARRAY_IDX(all, i, const jk_worker_conf *));
}

/* ---- mounts ---- */

static const char *source_of(const jk_rule *rule)
{
    if (rule->source == JK_RULE_MOUNT)
        return rule->exclude ? "JkUnMount" : "JkMount";
    return rule->source == JK_RULE_FILE ? "JkMountFile" : "worker.mount";
}

static bool is_copied(const jk_server *conf, const jk_rule *rule)
{
    for (int i = 0; i < conf->mounts->nelts; i++)
        if (APR_ARRAY_IDX(conf->mounts, i, jk_mount).line == rule->line && strcmp(APR_ARRAY_IDX(conf->mounts, i, jk_mount).file, rule->file) == 0)
            return false;
    return rule->source == JK_RULE_MOUNT;
}

static void print_rule(const dump *d, const jk_server *conf, const jk_rule *rule)
{
    const jk_target *target = rule->data;
    const jk_worker_conf *worker = jk_workers_find(d->workers, target->name);

    const char *pattern = apr_psprintf(d->p, "%s%s%.*s", rule->disabled ? "-" : "", rule->exclude ? "!" : "", (int)rule->pattern.len,
                                       (const char *)rule->pattern.p);

    fprintf(d->out, "  %-28s %-24s %s %s%s%s\n", pattern, target->written, source_of(rule), place(d->p, rule->file, rule->line),
            is_copied(conf, rule) ? " (copied)" : "",
            strcmp(target->name, "*") == 0 || (worker && worker->listed) ? "" : " (no such worker: 500)");
}

static const char *name_of(const dump *d, const server_rec *v)
{
    if (!v->is_virtual)
        return "main server";
    return apr_psprintf(d->p, "virtual host %s  %s", v->server_hostname ? v->server_hostname : "-",
                        place(d->p, v->defn_name, (int)v->defn_line_number));
}

static const char *copying(const jk_server *conf, const jk_server *main_conf)
{
    if (conf == main_conf)
        return conf->mount_copy == JK_COPY_ALL ? "JkMountCopy All: virtual hosts take these over" : "";
    return conf->mount_copy == JK_COPY_ON ? "JkMountCopy On: those of the main server are among them" : "JkMountCopy Off: its own alone";
}

static void print_mounts(const dump *d, server_rec *v, const jk_server *main_conf, const jk_mounts_from *from)
{
    const jk_server *conf = jk_config_of(v);
    const jk_match *match = jk_mounts_make(d->p, conf, main_conf, from);
    const char *file = jk_mounts_file(conf, main_conf), *copied = copying(conf, main_conf);
    size_t n = match ? jk_match_count(match) : 0;

    fprintf(d->out, "\nmounts of the %s, in the order in which they are tried%s%s\n", name_of(d, v), *copied ? "  " : "", copied);
    if (file)
        fprintf(d->out, "  JkMountFile %s, looked at every %d s\n", file, conf->mount_reload >= 0 ? conf->mount_reload : 60);
    for (size_t i = 0; i < n; i++)
        print_rule(d, conf, jk_match_rule(match, i));
    if (n == 0)
        fprintf(d->out, "  none\n");
}

static int by_place(const void *a, const void *b)
{
    const server_rec *x = *(server_rec *const *)a, *y = *(server_rec *const *)b;
    int files = strcmp(x->defn_name ? x->defn_name : "", y->defn_name ? y->defn_name : "");

    return x->is_virtual != y->is_virtual ? x->is_virtual - y->is_virtual : files ? files :
           (x->defn_line_number > y->defn_line_number) - (x->defn_line_number < y->defn_line_number);
}

/* The main server, then the virtual hosts as they are written: httpd's own list has them the other way round. */
static apr_array_header_t *servers(apr_pool_t *p, server_rec *s)
{
    apr_array_header_t *all = apr_array_make(p, 8, sizeof(server_rec *));

    for (server_rec *v = s; v; v = v->next)
        APR_ARRAY_PUSH(all, server_rec *) = v;
    qsort(all->elts, (size_t)all->nelts, sizeof(server_rec *), by_place);
    return all;
}

void jk_dump_print(apr_pool_t *p, server_rec *s, const jk_workers_conf *workers, const apr_array_header_t *rules)
{
    dump d = { p, stdout, workers, apr_hash_make(p), { 0 } };
    const jk_mounts_from from = { workers, rules, jk_findings_make(p), false };
    const apr_array_header_t *all = servers(p, s);

    for (int i = 0; i < workers->props->all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(workers->props->all, i, jk_prop);
        apr_hash_set(d.lines, prop->key, APR_HASH_KEY_STRING, prop);
    }
    jk_values_defaults(p, &d.standard);
    fprintf(d.out, "mod_jk/%s\n", JK_VERSION);
    print_workers(&d);
    for (int i = 0; i < all->nelts; i++)
        print_mounts(&d, APR_ARRAY_IDX(all, i, server_rec *), jk_config_of(s), &from);
    fflush(d.out);
}
