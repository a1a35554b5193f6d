/* native/worker/kept.c - a chain of blocks: each leads to the one before it.
 *
 *   kept -> block -> block -> NULL */
#include "kept.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct block {
    struct block *before;
    max_align_t bytes[];
} block;

struct jk_kept {
    _Atomic(block *) last;
};

static apr_status_t release(void *data)
{
    jk_kept *kept = data;
    block *one = atomic_load(&kept->last), *before;

    for (; one; one = before) {
        before = one->before;
        free(one);
    }
    return APR_SUCCESS;
}

jk_kept *jk_kept_make(apr_pool_t *p)
{
    jk_kept *kept = apr_palloc(p, sizeof *kept);

    atomic_init(&kept->last, NULL);
    apr_pool_cleanup_register(p, kept, release, apr_pool_cleanup_null);
    return kept;
}

void *jk_kept_take(jk_kept *kept, size_t size)
{
    block *one = calloc(1, sizeof *one + size);

    if (one == NULL)
        return NULL;
    one->before = atomic_load(&kept->last);
    while (!atomic_compare_exchange_weak(&kept->last, &one->before, one))
        ;
    return one->bytes;
}

char *jk_kept_text(jk_kept *kept, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = jk_kept_take(kept, size);

    return copy ? memcpy(copy, text, size) : NULL;
}
