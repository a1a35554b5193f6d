/* native/conf/urimap.c - gathers rules and compiles them. */
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
        jk_findings_add(found, JK_FIND_ERROR, like->file, like->line, "invalid context '%s': it does not begin with '/'", uri);
        return;
    }
    for (size_t i = 0; i < n; i++)
        APR_ARRAY_PUSH(map->rules, jk_rule) = rules[i];
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
