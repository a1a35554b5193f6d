/* native/worker/kept.h - memory for what edits make at run time. A request may read for minutes what an edit has replaced, so that nothing of
 * it is freed while requests can be: it goes with the pool of the configuration. That is a restart in the parent, where there are no requests;
 * a child never clears this pool (its own is cleared while threads may run), its memory goes with the process. The room's own. */
#ifndef JK_WORKER_KEPT_H
#define JK_WORKER_KEPT_H

#include <apr_pools.h>

typedef struct jk_kept jk_kept;

/* At post_config. p: of the configuration, of no child and no request. */
jk_kept *jk_kept_make(apr_pool_t *p);

/* All zero, aligned for anything. For any thread. NULL: no memory. */
void *jk_kept_take(jk_kept *kept, size_t size);

/* A copy. For any thread. NULL: no memory. */
char *jk_kept_text(jk_kept *kept, const char *text);

#endif
