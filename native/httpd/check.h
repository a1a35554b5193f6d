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

/* Looks at files and directives; asks nobody. */
void jk_check_files(const jk_check *c);
void jk_check_directives(const jk_check *c);

/* Looks up every host, for 2 s in all: for -t alone, where somebody waits for an answer. */
void jk_check_hosts(const jk_check *c);

/* Writes all findings, by file and line, each once: at the first of the two passes of a start only for who sits at a terminal, since the
 * second writes them to the log. `refused`: nothing better is there to go on with. */
void jk_check_tell(const jk_check *c, bool refused);

#endif
