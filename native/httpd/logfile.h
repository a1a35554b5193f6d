/* native/httpd/logfile.h - mod_jk.log: a jk_log sink over a file or a pipe (spec: log.md 1).
 *   <stamp>[<request id>] [<pid>:<tid>] [<level>] <function>::<file> (<line>): <message> [JK0102]\n
 * One write per line to a file opened for appending, so that lines of several processes never mix. Where that fails - the disk is full,
 * the piped program gone or stuck - the line goes to httpd's error log, at its own level. */
#ifndef JK_HTTPD_LOGFILE_H
#define JK_HTTPD_LOGFILE_H

#include "config.h"

#include "jk/conf/findings.h"

/* JkLogLevel's words, JK_LOG_TRACE first. */
extern const char *const jk_logfile_levels[JK_LOG_EMERG + 1];

/* In check_config: what -t can know of JkLogFile without opening it. */
void jk_logfile_check(const jk_server *conf, jk_findings *found);

/* The logs of one start: what two servers name alike is opened once. */
typedef struct jk_logfiles jk_logfiles;
jk_logfiles *jk_logfile_all(apr_pool_t *p);

/* At post_config: conf->logfile. A file that cannot be opened is no reason to stand still: httpd's error log
 * says so, and gets the lines. */
void jk_logfile_open(jk_logfiles *all, jk_server *conf);

/* A line without level and place, whatever JkLogLevel says: of the request log. Control characters must be escaped by now. */
void jk_logfile_plain(const jk_server *conf, const char *text);

/* `text` with control characters as \x0a; itself where it has none. */
const char *jk_logfile_escaped(apr_pool_t *p, const char *text);

/* The log of a server, for one of the fixed words. */
jk_log jk_logfile_for(const jk_server *conf, const char *word);

/* The log of a request. */
jk_log jk_logfile_about(request_rec *r);

#endif
