/* native/httpd/statusmaps.c - puts rules and their extensions into words. */
#include "statusmaps.h"

#include "follow.h"

#include <apr_strings.h>

static const char *type_of(apr_pool_t *p, const jk_rule *rule)
{
    bool exact = jk_rule_shape_of(rule->pattern).form == JK_RULE_EXACT;

    return apr_pstrcat(p, rule->disabled ? "Disabled " : "", rule->exclude ? "Unmount " : "", exact ? "Exact" : "Wildchar", NULL);
}

static const char *source_of(const jk_rule *rule)
{
    return rule->source == JK_RULE_MOUNT ? "JkMount" : rule->source == JK_RULE_FILE ? "uriworkermap" : "worker definition";
}

static const char *words(apr_pool_t *p, const apr_array_header_t *list)
{
    return list ? apr_array_pstrcat(p, list, ',') : "";
}

static const char *codes(apr_pool_t *p, const apr_array_header_t *list)
{
    const char *text = "";

    for (int i = 0; list && i < list->nelts; i++)
        text = apr_pstrcat(p, text, i ? "," : "", apr_itoa(p, APR_ARRAY_IDX(list, i, int32_t)), NULL);
    return text;
}

static void take_more(apr_pool_t *p, jk_view_map *map, const jk_extension *more)
{
    map->reply_timeout = more->reply_timeout;
    map->sticky_ignore = more->sticky_ignore;
    map->stateless = more->stateless;
    map->use_server_errors = more->use_server_errors;
    map->fail_on_status = codes(p, more->fail_on_status);
    map->active = words(p, more->active);
    map->disabled = words(p, more->disabled);
    map->stopped = words(p, more->stopped);
    map->path = more->path ? more->path : "";
}

static void take_numbers(jk_view_map *map, const jk_tally *tally, bool seen[JK_MOUNTS + 1])
{
    uint32_t place = jk_tally_place(tally);
    jk_tally_numbers n;

    jk_tally_read(tally, &n);
    map->counted = place ? (int64_t)place : -1;
    map->again = seen[place];
    map->requests = n.requests;
    map->errors = n.errors;
    map->client_errors = n.answers[4];
    map->server_errors = n.answers[5];
    map->read = n.read;
    map->written = n.written;
    map->busy = n.busy;
    seen[place] = true;
}

static void add(apr_array_header_t *maps, const char *server, const jk_rule *rule, bool seen[JK_MOUNTS + 1])
{
    apr_pool_t *p = maps->pool;
    const jk_target *target = rule->data;
    jk_view_map *map = apr_array_push(maps);

    *map = (jk_view_map){ .worker = target->name, .server = server, .uri = apr_pstrmemdup(p, (const char *)rule->pattern.p, rule->pattern.len),
                          .type = type_of(p, rule), .source = source_of(rule), .reply_timeout = -1, .fail_on_status = "", .active = "",
                          .disabled = "", .stopped = "", .path = "" };
    map->place = rule->file ? apr_psprintf(p, "%s:%d", rule->file, rule->line) : "";
    map->mount = apr_pstrmemdup(p, (const char *)rule->text.p, rule->text.len);
    map->vhost = target->vhost;
    if (target->more)
        take_more(p, map, target->more);
    if (target->tally)
        take_numbers(map, target->tally, seen);
}

/* NULL: this server maps nothing. */
static const jk_match *map_of(request_rec *r, const jk_server *conf)
{
    jk_held *held;

    if (conf->follow == NULL)
        return conf->map;
    held = jk_follow_hold_now(conf->follow, r);
    jk_follow_drop_with(held, r->pool);
    return jk_follow_match(held);
}

/* Those that have no place are one. */
static void add_mount(apr_array_header_t *mounts, bool seen[JK_MOUNTS + 1], const jk_rule *rule)
{
    const jk_target *target = rule->data;
    uint32_t place = target->tally ? jk_tally_place(target->tally) : 0;

    if (target->tally == NULL || seen[place])
        return;
    seen[place] = true;
    APR_ARRAY_PUSH(mounts, jk_metrics_mount) =
        place ? (jk_metrics_mount){ target->vhost, apr_pstrmemdup(mounts->pool, (const char *)rule->text.p, rule->text.len), target->name,
                                    target->tally } : (jk_metrics_mount){ "", "other", "", target->tally };
}

apr_array_header_t *jk_statusmaps_mounts(request_rec *r, server_rec *main_server)
{
    apr_array_header_t *mounts = apr_array_make(r->pool, 16, sizeof(jk_metrics_mount));
    bool seen[JK_MOUNTS + 1] = { false };

    for (server_rec *v = main_server; v; v = v->next) {
        const jk_match *match = map_of(r, jk_config_of(v));
        for (size_t i = 0; match && i < jk_match_count(match); i++)
            add_mount(mounts, seen, jk_match_rule(match, i));
    }
    return mounts;
}

apr_array_header_t *jk_statusmaps_make(request_rec *r, server_rec *main_server)
{
    apr_array_header_t *maps = apr_array_make(r->pool, 16, sizeof(jk_view_map));
    bool seen[JK_MOUNTS + 1] = { false };

    for (server_rec *v = main_server; v; v = v->next) {
        const jk_match *match = map_of(r, jk_config_of(v));
        const char *server = jk_mounts_server(r->pool, v);
        for (size_t i = 0; match && i < jk_match_count(match); i++)
            add(maps, server, jk_match_rule(match, i), seen);
    }
    return maps;
}
