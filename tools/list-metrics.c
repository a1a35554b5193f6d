/* tools/list-metrics.c - prints docs/metrics.md, made of the table of metrics. */
#include "jk/status/metrics.h"

#include <apr_general.h>
#include <stdio.h>

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    jk_span page = jk_metrics_manual(p);
    return fwrite(page.p, 1, page.len, stdout) == page.len && fflush(stdout) == 0 ? 0 : 1;
}
