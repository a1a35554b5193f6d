/* native/httpd/scrape.h - `SetHandler jk-metrics`: the numbers of status/metrics for a server that comes for them. */
#ifndef JK_HTTPD_SCRAPE_H
#define JK_HTTPD_SCRAPE_H

#include "jk/status/metrics.h"

#include <httpd.h>

/* What jk_metrics_write() wants of this server. */
jk_metrics_from jk_scrape_from(request_rec *r);

/* The hook. */
int jk_scrape_run(request_rec *r);

#endif
