/* include/jk/conf/findings.h - everything that a check of the configuration found, to be told at once and not one by one.
 *   /etc/httpd/workers.properties:12: what; allowed: ...; did you mean 'port'?
 * The texts hold no secret: whoever adds one quotes keys, and values only of keys that are none. */
#ifndef JK_CONF_FINDINGS_H
#define JK_CONF_FINDINGS_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <stdbool.h>

typedef enum jk_severity {
    JK_FIND_INFO,
    JK_FIND_WARN,
    JK_FIND_LENIENT, /* an error that can be lived with: refuses the configuration only under JkStrict On */
    JK_FIND_ERROR,   /* refuses the configuration */
    JK_FIND_COUNT
} jk_severity;

typedef struct jk_finding {
    jk_severity severity;
    const char *file; /* NULL: none to blame */
    int line;         /* 0: the file as a whole */
    const char *text;
    unsigned turn;    /* when it was found */
} jk_finding;

/* More are counted and not kept, the mildest first: a file that is no configuration at all would fill the log. */
#define JK_FINDINGS_MOST 500

typedef struct jk_findings {
    apr_pool_t *p;
    apr_array_header_t *all; /* of jk_finding, in the order they were found, or of their places */
    unsigned turn;
    int count[JK_FIND_COUNT];
} jk_findings;

jk_findings *jk_findings_make(apr_pool_t *p);

/* Formats and keeps. `file` must live as long as the findings. The same words at the same place are told once. */
void jk_findings_add(jk_findings *f, jk_severity severity, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* How many there are of one severity, those that were not kept among them. */
int jk_findings_count(const jk_findings *f, jk_severity severity);

/* Must the configuration be refused? */
bool jk_findings_refuse(const jk_findings *f, bool strict);

/* By file and line, for those who are to read them. */
void jk_findings_sort(jk_findings *f);

/* One finding as a line, without its end. */
const char *jk_findings_text(apr_pool_t *p, const jk_finding *one);

/* The same behind a word that says how bad it is: error: FILE:LINE: TEXT. */
const char *jk_findings_line(apr_pool_t *p, const jk_finding *one, bool strict);

/* The candidate that `word` may be a slip of the finger for, whatever the case, but not `word` itself; NULL: none is near enough. */
const char *jk_findings_nearest(const char *word, const char *const *candidates, size_t n);

/* "; did you mean 'x'?" for that candidate, or "". */
const char *jk_findings_hint(apr_pool_t *p, const char *word, const char *const *candidates, size_t n);

#endif
