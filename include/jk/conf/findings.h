/* include/jk/conf/findings.h - everything that a check of the configuration found, to be told at once and not one by one.
 *   /etc/httpd/workers.properties:12: what; allowed: ...; did you mean 'port'? */
#ifndef JK_CONF_FINDINGS_H
#define JK_CONF_FINDINGS_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <stdbool.h>

typedef enum jk_severity {
    JK_FIND_INFO,
    JK_FIND_WARN,
    JK_FIND_LENIENT, /* an error that can be lived with: refuses the configuration only under JkStrict On */
    JK_FIND_ERROR    /* refuses the configuration */
} jk_severity;

typedef struct jk_finding {
    jk_severity severity;
    const char *file; /* NULL: none to blame */
    int line;         /* 0: the file as a whole */
    const char *text;
} jk_finding;

typedef struct jk_findings {
    apr_pool_t *p;
    apr_array_header_t *all; /* of jk_finding, in the order they were found */
} jk_findings;

jk_findings *jk_findings_make(apr_pool_t *p);

/* Formats and keeps. `file` must live as long as the findings. */
void jk_findings_add(jk_findings *f, jk_severity severity, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Must the configuration be refused? */
bool jk_findings_refuse(const jk_findings *f, bool strict);

/* One finding as a line, without its end. */
const char *jk_findings_text(apr_pool_t *p, const jk_finding *one);

/* " did you mean 'x'?" for the candidate that is nearest to `word`, or "" where none is near. */
const char *jk_findings_hint(apr_pool_t *p, const char *word, const char *const *candidates, size_t n);

#endif
