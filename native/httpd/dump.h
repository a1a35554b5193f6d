/* native/httpd/dump.h - httpd -t -D DUMP_JK: everything that would be in force, for people and for diff (docs/dump.md). */
#ifndef JK_HTTPD_DUMP_H
#define JK_HTTPD_DUMP_H

#include "config.h"

#include "jk/conf/workers.h"

/* To standard output. `rules` is of jk_rule_text. Every server has a configuration of its own by now. */
void jk_dump_print(apr_pool_t *p, server_rec *s, const jk_workers_conf *workers, const apr_array_header_t *rules);

#endif
