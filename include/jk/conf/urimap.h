/* include/jk/conf/urimap.h - mounts as they were written -> compiled rules (spec: uri_map.md 1, 3; directives.md 4). */
#ifndef JK_CONF_URIMAP_H
#define JK_CONF_URIMAP_H

#include "jk/conf/findings.h"
#include "jk/route/match.h"

typedef struct jk_urimap {
    apr_pool_t *p;
    apr_array_header_t *rules; /* of jk_rule, in the order of definition */
} jk_urimap;

jk_urimap *jk_urimap_make(apr_pool_t *p);

/* One mount; "a|b" makes two rules, "a" and "ab". `data` goes into the rules. uri and worker must live as long as p. */
void jk_urimap_add(jk_urimap *map, jk_findings *found, const jk_rule *like, const char *uri);

/* The compiled rules; they live in p. NULL: no memory. */
const jk_match *jk_urimap_compile(jk_urimap *map);

#endif
