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

/* In the parent, every ten seconds or so. */
int jk_startup_monitor(apr_pool_t *p, server_rec *s);

/* The worker of a name that only the request knows (JK_WORKER_NAME); NULL: there is none. */
const jk_worker *jk_startup_worker(const char *name);

/* After a request: upkeep that is due, where no thread does it. */
void jk_startup_tend(void);

/* Of this process; NULL: nothing is configured. */
struct jk_park *jk_startup_park(void);

/* What the status page asks for. */
typedef struct jk_startup_state {
    const jk_registry *registry;
    const jk_workers_conf *workers;
    server_rec *main_server;
    const apr_array_header_t *findings; /* of jk_finding, of the last check; those of a broken configuration where it is stale */
    bool stale;
    const uint8_t *token_key; /* see token.h */
    struct jk_park *park;
    jk_shm *shm;
} jk_startup_state;

jk_startup_state jk_startup_look(void);

/* Is the last good configuration in force because the newest is broken? */
bool jk_startup_is_stale(void);

#endif
