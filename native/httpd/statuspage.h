/* native/httpd/statuspage.h - the handler of requests that are mapped to a worker of type status (spec: status.md 5, decisions.md "Never lets
 * strangers in"). */
#ifndef JK_HTTPD_STATUSPAGE_H
#define JK_HTTPD_STATUSPAGE_H

#include "jk/worker/worker.h"

#include <httpd.h>

/* The whole answer. What a handler returns. */
int jk_statuspage_run(request_rec *r, const jk_worker *worker);

#endif
