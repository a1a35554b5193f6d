/* native/httpd/statefile.h - JkStateFile: edits made at run time are kept over a full stop. The parent alone reads and writes it: it may have
 * the rights that children have not. It is written within some ten seconds of a change (httpd's monitor hook), and when the server stops or
 * restarts; as a whole, or not at all. */
#ifndef JK_HTTPD_STATEFILE_H
#define JK_HTTPD_STATEFILE_H

#include "config.h"

#include "jk/worker/registry.h"

typedef struct jk_statefile jk_statefile;

/* At post_config, after the workers were readied; NULL: no JkStateFile. `fresh`: the shared memory is new, so what the file says is taken. */
jk_statefile *jk_statefile_open(apr_pool_t *pconf, const jk_server *main_conf, const jk_registry *registry, const jk_shm *shm, bool fresh);

/* In the parent, now and then: writes it where something was changed since. NULL is allowed. */
void jk_statefile_keep(jk_statefile *f);

#endif
