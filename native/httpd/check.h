/* native/httpd/check.h - what only the server can find out about its configuration: who may read and write the files, do names resolve, is a
 * worker mounted at all. And how everything that was found is told. All of it in check_config. */
#ifndef JK_HTTPD_CHECK_H
#define JK_HTTPD_CHECK_H

#include "lastgood.h"

typedef struct jk_check {
    apr_pool_t *p;
    server_rec *s; /* the main server */
    const jk_workers_conf *workers;
    const jk_lastgood_text *texts;
    apr_hash_t *mounted; /* names of workers that some rule leads to */
    jk_findings *found;
} jk_check;

/* Does any server name workers? If not, nothing is checked, and nothing is made. */
bool jk_check_has_workers(server_rec *s);

/* The workers of these texts, in p; `kinds` are the jk_worker_kind bits that the caller can make. */
jk_workers_conf *jk_check_parse(apr_pool_t *p, const jk_lastgood_text *src, int kinds, jk_findings *found);

/* Looks at mounts, files and directives, and adds to c->mounted; asks nobody. */
void jk_check_all(const jk_check *c);

/* Looks up every host, for 2 s in all: for -t alone, where somebody waits for an answer. */
void jk_check_hosts(const jk_check *c);

/* How many findings were counted and not kept. */
int jk_check_more(const jk_findings *f);

/* The last line below the findings; NULL: there is nothing to say. `refused` as below. */
const char *jk_check_verdict(apr_pool_t *p, const jk_findings *f, bool strict, bool refused);

/* Writes all findings, by file and line, each once: at the first of the two passes of a start only for who sits at a terminal, since the
 * second writes them to the log. `refused`: nothing better is there to go on with. */
void jk_check_tell(const jk_check *c, bool refused);

#endif
