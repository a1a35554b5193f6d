/* native/httpd/logfile.h - mod_jk.log: a jk_log sink over a file or a pipe (spec: log.md 1).
 *   <stamp>[<request id>] [<pid>:<tid>] [<level>] <function>::<file> (<line>): <message> [JK0102]\n
 * One write per line to a file opened for appending, so that lines of several processes never mix. */
#ifndef JK_HTTPD_LOGFILE_H
#define JK_HTTPD_LOGFILE_H

#include "config.h"

/* Opens `name` (a path below ServerRoot, or "|command"). The same name in several servers is opened once. NULL: it cannot be
 * opened, *why says it in words. Call in post_config only. */
jk_logfile *jk_logfile_open(apr_pool_t *p, server_rec *s, const char *name, const char **why);

/* The stamp's format, taken apart once. Default where NULL. */
void jk_logfile_stamp(jk_logfile *log, apr_pool_t *p, const char *format);

/* The log of a server, for one of the fixed words. */
jk_log jk_logfile_for(const jk_server *conf, const char *word);

/* The log of a request. */
jk_log jk_logfile_about(request_rec *r);

/* JkLogLevel's word; -1: none of them. */
int jk_logfile_level(const char *word);

#endif
