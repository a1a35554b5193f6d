/* native/httpd/background.h - upkeep between requests: by a thread of httpd's watchdog, or where there is none by requests. */
#ifndef JK_HTTPD_BACKGROUND_H
#define JK_HTTPD_BACKGROUND_H

#include "config.h"

#include "jk/worker/registry.h"

typedef struct jk_background jk_background;

/* At post_config. `interval`: JkWatchdogInterval in s, -1 where it is not set, 0 for no thread; `maintain`: worker.maintain in s, 0 or less
 * for no maintenance. */
jk_background *jk_background_make(apr_pool_t *pconf, const jk_registry *registry, const jk_server *conf, int interval, int maintain);

/* In a child, after its workers are ready: the watchdog's thread may run since long before. */
void jk_background_child(jk_background *background);

/* After a request was answered: maintenance where no thread does it. */
void jk_background_request(jk_background *background);

#endif
