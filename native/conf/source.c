/* native/conf/source.c - sorts properties by worker and row, and resolves references between them. */
#include "source.h"

#include <apr_strings.h>

#define NESTING_MOST 20

/* "worker.a.b.port" -> "a.b", "port": the attribute is what stands behind the last dot. */
static bool split(apr_pool_t *p, const char *key, const char **name, const char **attr)
{
    const char *last = strrchr(key, '.');

    if (strncmp(key, "worker.", 7) != 0 || last <= key + 7)
        return false;
    *name = apr_pstrmemdup(p, key + 7, (apr_size_t)(last - key - 7));
    *attr = last + 1;
    return true;
}

static size_t row_of(const char *attr)
{
    bool old;

    return (size_t)(jk_keys_find(attr, &old) - jk_keys);
}

/* ---- every key ---- */

static const char *hint_of_attributes(apr_pool_t *p, const char *attr)
{
    const char **names = apr_palloc(p, jk_keys_count * sizeof *names);

    for (size_t i = 0; i < jk_keys_count; i++)
        names[i] = jk_keys[i].name;
    const char *hint = jk_findings_hint(p, attr, names, jk_keys_count);
    return *hint ? hint : "; correct or remove the line: the manual lists all attributes";
}

static void unknown_global(jk_parse *ps, const jk_prop *prop)
{
    static const char *const names[] = { "worker.list", "worker.maintain" };
    const char *hint = jk_findings_hint(ps->p, prop->key, names, 2);
    bool old;

    const char *attr = prop->key + 7 + (prop->key[7] == '.');
    if (jk_keys_find(attr, &old)) /* the name was forgotten */
        hint = apr_psprintf(ps->p, "; did you mean 'worker.NAME.%s'?", attr);
    jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(prop),
                    "attribute '%s' is not supported; allowed: worker.list, worker.maintain or worker.NAME.ATTRIBUTE%s", prop->key, hint);
}

static void tell_old(jk_parse *ps, const jk_prop *prop, const jk_key *key, bool alias)
{
    if (alias)
        jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(prop), "'%s' is deprecated: use %s", prop->key, key->name);
    else if (key->state == JK_KEY_OLD)
        jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(prop), "'%s' is deprecated: %s", prop->key, key->help);
    else if (key->state == JK_KEY_IGNORED) /* who sees the value somewhere waits for no effect */
        jk_findings_add(ps->found, key->home == JK_HOME_NOWHERE ? JK_FIND_WARN : JK_FIND_INFO, JK_PROP_AT(prop),
                        "'%s' is accepted and ignored: %s", prop->key, key->help);
}

/* Of a value that is a text, or a list of names. xmlns and its like may need them. */
static void check_quotes(jk_parse *ps, const jk_prop *prop, const jk_key *key)
{
    size_t n = strlen(prop->value);
    char c = *prop->value;

    if ((key->type != JK_KEY_TEXT && key->type != JK_KEY_LIST) || key->kinds == JK_WORKER_STATUS || strcmp(key->name, "host") == 0)
        return;
    if (n >= 2 && (c == '"' || c == '\'') && prop->value[n - 1] == c)
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(prop), "the quotes around the value of '%s' belong to it: write it without them",
                        prop->key);
}

/* Every key must be one that some worker could have. */
static void check_key(jk_parse *ps, const jk_prop *prop)
{
    const char *name, *attr;
    const jk_key *of = jk_keys_of(prop->key);
    bool alias;

    if (of)
        check_quotes(ps, prop, of);
    if (strncmp(prop->key, "worker.", 7) != 0 || (of && of->kinds == 0))
        return;
    if (!split(ps->p, prop->key, &name, &attr)) {
        unknown_global(ps, prop);
        return;
    }
    const jk_key *key = jk_keys_find(attr, &alias);
    if (key == NULL)
        jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(prop), "attribute '%s' is not supported%s", prop->key,
                        hint_of_attributes(ps->p, attr));
    else
        tell_old(ps, prop, key, alias);
    if (strlen(name) > JK_NAME_MAX)
        jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(prop), "the worker's name has %" APR_SIZE_T_FMT " bytes; allowed: %d",
                        strlen(name), JK_NAME_MAX);
}

/* Variables too: the incumbent would join their values with a '*'. */
static void check_duplicate(jk_parse *ps, apr_hash_t *seen, const jk_prop *late)
{
    const jk_prop *early = apr_hash_get(seen, late->key, APR_HASH_KEY_STRING);
    const jk_key *key = jk_keys_of(late->key);

    if (early && early->line && early->file && !(key && jk_keys_adds_up(key)))
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(late), "Duplicate key '%s' detected: it overrides the value of %s:%d",
                        late->key, JK_PROP_AT(early));
    apr_hash_set(seen, late->key, APR_HASH_KEY_STRING, late);
}

/* ---- by worker ---- */

jk_source *jk_source_find(const jk_parse *ps, const char *name)
{
    return apr_hash_get(ps->sources, name, APR_HASH_KEY_STRING);
}

static jk_source *find_or_make(jk_parse *ps, const char *name)
{
    jk_source *s = jk_source_find(ps, name);

    if (s)
        return s;
    s = apr_pcalloc(ps->p, sizeof *s);
    s->name = name;
    apr_hash_set(ps->sources, name, APR_HASH_KEY_STRING, s);
    APR_ARRAY_PUSH(ps->order, jk_source *) = s;
    return s;
}

/* The proper names of attributes go in first; a deprecated one counts only where the proper one was not written. */
static void sort_in(jk_parse *ps, const jk_prop *prop, bool aliases)
{
    const char *name, *attr, *other, *first;
    bool alias;

    if (!split(ps->p, prop->key, &name, &attr))
        return;
    const jk_key *key = jk_keys_find(attr, &alias);
    if (key == NULL || alias != aliases)
        return;
    apr_array_header_t **lines = &find_or_make(ps, name)->by_row[key - jk_keys];
    if (alias && *lines && split(ps->p, APR_ARRAY_IDX(*lines, 0, jk_prop).key, &other, &first) && strcmp(first, key->name) == 0) {
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(prop), "'%s' is ignored: %s is set too", prop->key, key->name);
        return;
    }
    if (*lines == NULL)
        *lines = apr_array_make(ps->p, 1, sizeof(jk_prop));
    APR_ARRAY_PUSH(*lines, jk_prop) = *prop;
}

void jk_source_gather(jk_parse *ps)
{
    const apr_array_header_t *all = ps->props->all;
    apr_hash_t *seen = apr_hash_make(ps->p);

    for (int i = 0; i < all->nelts; i++) {
        check_key(ps, &APR_ARRAY_IDX(all, i, jk_prop));
        check_duplicate(ps, seen, &APR_ARRAY_IDX(all, i, jk_prop));
    }
    for (int i = 0; i < all->nelts; i++)
        sort_in(ps, &APR_ARRAY_IDX(all, i, jk_prop), false);
    for (int i = 0; i < all->nelts; i++)
        sort_in(ps, &APR_ARRAY_IDX(all, i, jk_prop), true);
}

const apr_array_header_t *jk_source_lines(const jk_parse *ps, const char *name, const char *attr)
{
    const jk_source *s = jk_source_find(ps, name);

    return s ? s->by_row[row_of(attr)] : NULL;
}

const jk_prop *jk_source_last(const jk_parse *ps, const char *name, const char *attr)
{
    const apr_array_header_t *lines = jk_source_lines(ps, name, attr);

    return lines ? &APR_ARRAY_IDX(lines, lines->nelts - 1, jk_prop) : NULL;
}

const char *jk_source_shown(const jk_parse *ps, const char *name)
{
    return apr_hash_get(ps->hidden, name, APR_HASH_KEY_STRING) ? "(hidden)" : name;
}

const char *jk_source_hint(const jk_parse *ps, const char *name)
{
    const char **names = apr_palloc(ps->p, ((size_t)ps->order->nelts + 1) * sizeof *names);

    for (int i = 0; i < ps->order->nelts; i++)
        names[i] = APR_ARRAY_IDX(ps->order, i, jk_source *)->name;
    return jk_findings_hint(ps->p, name, names, (size_t)ps->order->nelts);
}

/* ---- references ---- */

/* The name that a reference's value stands for; NULL: it is none. */
static const char *target_of(const jk_prop *ref)
{
    return strncmp(ref->value, "worker.", 7) == 0 ? ref->value + 7 : NULL;
}

/* Follows the references of one source to their end. */
static bool ends_well(jk_parse *ps, const jk_source *s)
{
    const jk_prop *first = jk_source_last(ps, s->name, "reference"), *ref = first;

    for (int depth = 0; ref; depth++) {
        const char *target = target_of(ref);
        if (depth >= NESTING_MOST) {
            jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(first), "'%s' refers to itself, or through more than %d workers",
                            first->key, NESTING_MOST);
            return false;
        }
        if (target == NULL || jk_source_find(ps, target) == NULL) {
            jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(ref), "'%s=%s': there are no such properties; allowed: worker.NAME of a "
                            "worker in this file%s", ref->key, jk_props_shown(ps->p, ref, NULL),
                            ref->hidden ? "" : jk_source_hint(ps, target ? target : ref->value));
            return false;
        }
        ref = jk_source_last(ps, target, "reference");
    }
    return true;
}

/* The lines keep their own keys and places, for findings; the properties get them under the new name, for who lists them. */
static void take_over(jk_parse *ps, jk_source *s, const jk_source *from, size_t row)
{
    const apr_array_header_t *lines = from->by_row[row];

    s->by_row[row] = from->by_row[row];
    s->taken_over[row] = true;
    for (int i = 0; i < lines->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(lines, i, jk_prop);
        jk_props_copy(ps->props, prop, apr_pstrcat(ps->p, "worker.", s->name, strrchr(prop->key, '.'), NULL));
    }
}

static void resolve(jk_parse *ps, jk_source *s)
{
    const jk_prop *ref = jk_source_last(ps, s->name, "reference");

    if (s->resolved || s->broken || ref == NULL)
        return;
    s->resolved = true;
    jk_source *target = jk_source_find(ps, target_of(ref));
    resolve(ps, target);
    for (size_t row = 0; row < jk_keys_count; row++)
        if (s->by_row[row] == NULL && target->by_row[row])
            take_over(ps, s, target, row);
}

void jk_source_resolve(jk_parse *ps)
{
    for (int i = 0; i < ps->order->nelts; i++) {
        jk_source *s = APR_ARRAY_IDX(ps->order, i, jk_source *);
        s->broken = !ends_well(ps, s);
    }
    for (int i = 0; i < ps->order->nelts; i++)
        resolve(ps, APR_ARRAY_IDX(ps->order, i, jk_source *));
}
