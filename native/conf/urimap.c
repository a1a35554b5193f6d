/* native/conf/urimap.c - gathers rules, from rule files too, and compiles them. What a worker's name means is the caller's to know. */
#include "jk/conf/urimap.h"

#include <apr_strings.h>

jk_urimap *jk_urimap_make(apr_pool_t *p)
{
    jk_urimap *map = apr_palloc(p, sizeof *map);

    *map = (jk_urimap){ p, apr_array_make(p, 8, sizeof(jk_rule)) };
    return map;
}

void jk_urimap_add(jk_urimap *map, jk_findings *found, const jk_rule *like, const char *uri)
{
    jk_span text = jk_span_of(uri);
    jk_rule as = *like, rules[2];
    size_t n = 0;

    as.serial = (unsigned)map->rules->nelts;
    if (jk_rule_parse(text, &as, apr_palloc(map->p, text.len + 1), rules, &n) != JK_OK) {
        bool suffix = strncmp(uri, "*.", 2) == 0; /* as servlets are mapped */
        jk_findings_add(found, like->source == JK_RULE_MOUNT ? JK_FIND_ERROR : JK_FIND_LENIENT, like->file, like->line,
                        "invalid context '%s': it does not begin with '/'%s%s%s", uri, suffix ? "; did you mean '/" : "", suffix ? uri : "",
                        suffix ? "'?" : "");
        return;
    }
    for (size_t i = 0; i < n; i++)
        APR_ARRAY_PUSH(map->rules, jk_rule) = rules[i];
}

apr_array_header_t *jk_urimap_lines(apr_pool_t *p, jk_span text, const char *file, const char *(*env)(const char *name), jk_findings *found)
{
    jk_props *props = jk_props_make(p, env);
    apr_hash_t *last = apr_hash_make(p); /* pattern -> its last line */
    apr_array_header_t *lines = apr_array_make(p, 16, sizeof(jk_prop));

    jk_props_text(props, found, text, file);
    jk_props_close(props, found);
    for (int i = 0; i < props->all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(props->all, i, jk_prop);
        const jk_prop *before = apr_hash_get(last, prop->key, APR_HASH_KEY_STRING);
        if (before)
            jk_findings_add(found, JK_FIND_WARN, JK_PROP_AT(prop), "Duplicate key '%s' detected: it overrides the value of %s:%d", prop->key,
                            JK_PROP_AT(before));
        apr_hash_set(last, prop->key, APR_HASH_KEY_STRING, prop);
    }
    for (int i = 0; i < props->all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(props->all, i, jk_prop);
        if (apr_hash_get(last, prop->key, APR_HASH_KEY_STRING) == prop)
            APR_ARRAY_PUSH(lines, jk_prop) = *prop;
    }
    return lines;
}

static void *from_pool(void *ctx, size_t size)
{
    return apr_palloc(ctx, size);
}

const jk_match *jk_urimap_compile(jk_urimap *map)
{
    const jk_match *match = NULL;
    jk_match_memory memory = { from_pool, map->p };

    jk_match_make(memory, (const jk_rule *)map->rules->elts, (size_t)map->rules->nelts, &match);
    return match;
}
