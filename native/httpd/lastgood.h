/* native/httpd/lastgood.h - the workers' configuration as text, and the last good one of it.
 *
 * The module is unloaded and loaded again at a restart, and its structs and statics vanish with it: what shall outlive that is text
 * (spec: decisions.md "Never dies of a typo"). */
#ifndef JK_HTTPD_LASTGOOD_H
#define JK_HTTPD_LASTGOOD_H

#include "config.h"

#include "jk/conf/workers.h"

typedef struct jk_lastgood_text {
    apr_array_header_t *lines; /* of jk_prop: JkWorkerProperty */
    const char *file;          /* JkWorkersFile; NULL: none */
    jk_span text;              /* what it says */
} jk_lastgood_text;

/* What the directives and the file say now; a file that cannot be read is a finding. Lives in p. */
jk_lastgood_text jk_lastgood_read(apr_pool_t *p, const jk_global *global, jk_findings *found);

/* In the parent, in check_config: keeps a copy in place of the one before. `process` is httpd's pool that outlives restarts. */
void jk_lastgood_keep(apr_pool_t *process, const jk_lastgood_text *src);

/* A copy, in p, of what was kept; false: nothing was. */
bool jk_lastgood_find(apr_pool_t *p, apr_pool_t *process, jk_lastgood_text *src);

#endif
