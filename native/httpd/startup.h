/* native/httpd/startup.h - from directives to something that answers: check, make, and ready each child. */
#ifndef JK_HTTPD_STARTUP_H
#define JK_HTTPD_STARTUP_H

#include "jk/worker/registry.h"

#include <httpd.h>
#include <ap_mpm.h>

int jk_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
/* httpd's test_config, after a check that refused nothing: prints all that is in force where -D DUMP_JK asks for it. */
void jk_startup_test(apr_pool_t *p, server_rec *s);
int jk_startup_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);
void jk_startup_child(apr_pool_t *p, server_rec *s);
void jk_startup_child_status(server_rec *s, pid_t pid, ap_generation_t gen, int slot, mpm_child_status state);

/* The worker of a name that only the request knows (JK_WORKER_NAME); NULL: there is none. */
const jk_worker *jk_startup_worker(const char *name);

/* After a request: upkeep that is due, where no thread does it. */
void jk_startup_tend(void);

/* Of this process; NULL: nothing is configured. */
struct jk_park *jk_startup_park(void);

/* Is the last good configuration in force because the newest is broken? */
bool jk_startup_is_stale(void);

#endif
