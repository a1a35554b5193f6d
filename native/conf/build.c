/* native/conf/build.c - makes one worker of what was written about it. */
#include "build.h"

#include "derive.h"
#include "jk/conf/values.h"

#include <apr_strings.h>

static void unknown_type(jk_parse *ps, const jk_worker_conf *one, const jk_prop *prop)
{
    static const char *const types[] = { "ajp13", "lb", "status" };
    const char *type = jk_props_shown(ps->p, prop, NULL), *name = jk_source_shown(ps, one->name);

    if (strcmp(prop->value, "ajp12") == 0 || strcmp(prop->value, "ajp14") == 0)
        jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(prop), "worker '%s': the type %s is not supported any more; use ajp13",
                        name, type);
    else
        jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(prop), "Unknown worker type %s for worker %s; allowed: ajp13, lb, status%s",
                        type, name, jk_findings_hint(ps->p, type, types, 3));
}

/* The type is exact, and in lower case. false: it is none. */
static bool set_kind(jk_parse *ps, jk_worker_conf *one, const jk_prop *prop)
{
    bool old;

    one->kind = JK_WORKER_AJP13;
    if (prop == NULL)
        return true;
    for (const jk_key_word *w = jk_keys_find("type", &old)->words; w->word; w++) {
        if (strcmp(w->word, prop->value) != 0)
            continue;
        one->kind = (jk_worker_kind)w->value;
        return true;
    }
    unknown_type(ps, one, prop);
    return false;
}

static bool can_be_made(jk_parse *ps, const jk_worker_conf *one, const jk_prop *type)
{
    if (type == NULL || (ps->kinds & (int)one->kind))
        return true;
    jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(type), "worker '%s': the type %s is not built yet in this version; "
                    "allowed: ajp13", jk_source_shown(ps, one->name), type->value);
    return false;
}

static void set_host(jk_parse *ps, jk_worker_conf *one, const jk_prop *prop)
{
    jk_host host;
    const char *wrong = jk_workers_host(prop->value, &host);

    if (wrong)
        jk_findings_add(ps->found, *host.name ? JK_FIND_LENIENT : JK_FIND_ERROR, JK_PROP_AT(prop), "'%s' is no value for %s: %s",
                        jk_props_shown(ps->p, prop, NULL), prop->key, wrong);
    if (*host.name)
        apr_cpystrn(one->tune.host, host.name, sizeof one->tune.host);
    if (host.port >= 0 && host.port != one->tune.port && jk_keys_written(one, "port"))
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(prop), "the port in %s=%s is used, and not worker.%s.port; remove one of them", prop->key,
                        jk_props_shown(ps->p, prop, NULL), jk_source_shown(ps, one->name));
    if (host.port >= 0)
        one->tune.port = host.port;
    if (host.is_unix && *host.name)
        one->unix_path = apr_pstrdup(ps->p, host.name + 5);
}

static const char *word_of(int kind)
{
    return kind == JK_WORKER_LB ? "lb" : kind == JK_WORKER_STATUS ? "status" : "ajp13";
}

static void wrong_type(jk_parse *ps, const jk_worker_conf *one, const jk_prop *prop, const jk_key *key)
{
    const char *name = jk_source_shown(ps, one->name);
    bool one_type = key->kinds == JK_WORKER_LB || key->kinds == JK_WORKER_STATUS || key->kinds == JK_WORKER_AJP13;

    if (!jk_keys_written(one, "type") && one_type)
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(prop), "'%s' is ignored: worker '%s' is of type ajp13, since no type is written; "
                        "did you mean worker.%s.type=%s?", prop->key, name, name, word_of(key->kinds));
    else
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(prop), "'%s' has no meaning for a worker of type %s and is ignored", prop->key,
                        word_of((int)one->kind));
}

static void set_attribute(jk_parse *ps, jk_worker_conf *one, const jk_source *s, size_t row)
{
    const jk_key *key = &jk_keys[row];
    const jk_prop *last = &APR_ARRAY_IDX(s->by_row[row], s->by_row[row]->nelts - 1, jk_prop);

    if (!(key->kinds & (int)one->kind)) {
        if (!s->taken_over[row]) /* a template may serve workers of several types */
            wrong_type(ps, one, last, key);
        return;
    }
    if (key->home == JK_HOME_TUNE && key->offset == offsetof(jk_tune, host))
        set_host(ps, one, last); /* it comes after the port's row, for a port in the host's value wins */
    else
        jk_values_set(key, s->by_row[row], one, ps->found);
    jk_keys_write(one, key);
}

static void fill(jk_parse *ps, jk_worker_conf *one, const jk_source *s, bool list)
{
    const jk_prop *type = s ? jk_source_last(ps, s->name, "type") : NULL;

    one->listed = set_kind(ps, one, type) && list && can_be_made(ps, one, type);
    for (size_t row = 0; s && row < jk_keys_count; row++)
        if (s->by_row[row])
            set_attribute(ps, one, s, row);
    jk_derive_worker(ps, one);
}

jk_worker_conf *jk_build_worker(jk_parse *ps, const char *name, const jk_prop *where, bool list)
{
    const jk_source *s = jk_source_find(ps, name);
    jk_worker_conf *one = apr_hash_get(ps->conf->by_name, name, APR_HASH_KEY_STRING);

    if (one)
        return one;
    one = apr_pcalloc(ps->p, sizeof *one);
    *one = (jk_worker_conf){ .name = apr_pstrdup(ps->p, name), .file = where->file, .line = where->line };
    one->members = apr_array_make(ps->p, 4, sizeof(const jk_worker_conf *));
    jk_values_defaults(ps->p, one);
    if (where->hidden)
        apr_hash_set(ps->hidden, one->name, APR_HASH_KEY_STRING, one);
    apr_hash_set(ps->conf->by_name, one->name, APR_HASH_KEY_STRING, one);
    APR_ARRAY_PUSH(ps->conf->workers, jk_worker_conf *) = one;
    fill(ps, one, s, list);
    if (s == NULL && *where->key) /* the incumbent makes it too */
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(where),
                        "nothing is written about worker '%s': it is an ajp13 worker at localhost:8009%s",
                        jk_source_shown(ps, one->name), where->hidden ? "" : jk_source_hint(ps, name));
    return one;
}
