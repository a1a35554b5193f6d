/* native/httpd/requestlog.h - JkRequestLogFormat: one line for each request that this module had in its hands (spec: log.md 3). */
#ifndef JK_HTTPD_REQUESTLOG_H
#define JK_HTTPD_REQUESTLOG_H

#include "config.h"

#include "jk/conf/findings.h"

/* In check_config: a format with an escape that there is not. */
void jk_requestlog_check(const jk_server *conf, jk_findings *found);

/* At post_config. NULL: no format, or one that is not right. */
const jk_requestlog *jk_requestlog_make(apr_pool_t *p, const char *format);

/* The log_transaction hook. */
int jk_requestlog_write(request_rec *r);

#endif
