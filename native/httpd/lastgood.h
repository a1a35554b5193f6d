/* native/httpd/lastgood.h - the workers' configuration and the rule files as text, and the last good ones of them.
 *
 * The module is unloaded and loaded again at a restart, and its structs and statics vanish with it: what shall outlive that is text
 * (spec: decisions.md "Never dies of a typo"). */
#ifndef JK_HTTPD_LASTGOOD_H
#define JK_HTTPD_LASTGOOD_H

#include "config.h"

#include "jk/conf/workers.h"

/* Which state of a file was read: unequal, and it is to be read again. */
typedef struct jk_file_state {
    apr_time_t mtime;
    apr_off_t size;
    apr_ino_t inode;
    apr_status_t failed; /* it could not be looked at */
} jk_file_state;

/* A JkMountFile. */
typedef struct jk_rule_text {
    const char *path;
    jk_span text; /* absent: it could not be read */
    jk_file_state state;
} jk_rule_text;

typedef struct jk_lastgood_text {
    apr_array_header_t *lines; /* of jk_prop: JkWorkerProperty */
    const char *file;          /* JkWorkersFile; NULL: none */
    jk_span text;              /* what it says */
    apr_array_header_t *rules; /* of jk_rule_text: those of all virtual hosts, each once */
} jk_lastgood_text;

/* The state of a file as it is now. */
jk_file_state jk_lastgood_state(apr_pool_t *p, const char *path);
bool jk_lastgood_same(const jk_file_state *a, const jk_file_state *b);

/* Reads a regular file as a whole. *state is that of what was read, or of what could not be; false: *why says it in words. */
bool jk_lastgood_file(apr_pool_t *p, const char *path, jk_span *text, jk_file_state *state, const char **why);

/* The one of this path; NULL: there is none. */
const jk_rule_text *jk_lastgood_rules(const apr_array_header_t *rules, const char *path);

/* What the directives and the files say now; a file that cannot be read is a finding. Lives in p. */
jk_lastgood_text jk_lastgood_read(apr_pool_t *p, server_rec *s, jk_findings *found);

/* In the parent, in check_config: keeps a copy in place of the one before. `process` is httpd's pool that outlives restarts. */
void jk_lastgood_keep(apr_pool_t *process, const jk_lastgood_text *src);

/* A copy, in p, of what was kept; false: nothing was. Rule files that were not there then are as they are `now`; the states are those of now. */
bool jk_lastgood_find(apr_pool_t *p, apr_pool_t *process, const jk_lastgood_text *now, jk_lastgood_text *src);

#endif
