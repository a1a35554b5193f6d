/* include/jk/conf/urimap.h - mounts as they were written -> compiled rules (spec: uri_map.md 1, 3; directives.md 4). */
#ifndef JK_CONF_URIMAP_H
#define JK_CONF_URIMAP_H

#include "jk/conf/props.h"
#include "jk/route/match.h"

typedef struct jk_urimap {
    apr_pool_t *p;
    apr_array_header_t *rules; /* of jk_rule, in the order of definition */
} jk_urimap;

jk_urimap *jk_urimap_make(apr_pool_t *p);

/* One mount; "a|b" makes two rules, "a" and "ab". `data` goes into the rules. uri and worker must live as long as p. What is no pattern is a
 * finding; that of a directive refuses the configuration. */
void jk_urimap_add(jk_urimap *map, jk_findings *found, const jk_rule *like, const char *uri);

/* The lines of a rule file that are in force, of jk_prop: `key` is a pattern with its modifiers, `value` a worker with its extensions. Of two
 * lines with the same pattern it is the last. Strings lie in p; `file` must live as long. */
apr_array_header_t *jk_urimap_lines(apr_pool_t *p, jk_span text, const char *file, const char *(*env)(const char *name), jk_findings *found);

/* The compiled rules; they live in p. NULL: no memory. */
const jk_match *jk_urimap_compile(jk_urimap *map);

#endif
