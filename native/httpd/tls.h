/* native/httpd/tls.h - what the container hears of TLS. The environment wins where it says something (SSLOptions +StdEnvVars and
 * +ExportCertData, or a variable set by hand); the rest is looked up through httpd, so that no SSLOptions are needed. */
#ifndef JK_HTTPD_TLS_H
#define JK_HTTPD_TLS_H

#include "config.h"

/* Is the client's connection encrypted by this httpd? On HTTP/2's streams too. */
bool jk_tls_is_on(conn_rec *c);

/* Fills rq's TLS fields. `value` is of jk_environ_read(); `on` of jk_tls_is_on(). */
void jk_tls_take(jk_request *rq, request_rec *r, const char *const value[JK_ENV_COUNT], bool on);

#endif
