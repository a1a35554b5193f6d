/* tools/jkconf_kind.h - which kind of configuration file is it? */
#ifndef JKCONF_KIND_H
#define JKCONF_KIND_H

#include <apr_pools.h>
#include <stddef.h>

typedef enum jkconf_kind { JKCONF_UNKNOWN, JKCONF_HTTPD, JKCONF_WORKERS, JKCONF_RULES } jkconf_kind;

/* By its lines: httpd's directives and sections, worker.NAME.KEY=VALUE, or /pattern=worker. The first line that is one of them decides. */
jkconf_kind jkconf_kind_of_text(const char *text, size_t len);

/* By its name: .conf, workers*, uriworkermap*. */
jkconf_kind jkconf_kind_of_name(const char *path);

/* `said` is httpd, workers or rules, or NULL; then the content decides, and where it does not, the name. UNKNOWN: *why says why. */
jkconf_kind jkconf_kind_of(apr_pool_t *p, const char *path, const char *said, const char **why);

#endif
