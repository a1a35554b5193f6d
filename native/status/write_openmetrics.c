/* native/status/write_openmetrics.c - mime=openmetrics: what `SetHandler jk-metrics` gives (status/metrics), under the status worker's own access
 * rules. It is sorted by metric and not by worker: the walk gives nothing to it, and all is written at its end. */
#include "formats.h"

void jk_write_openmetrics_begin(jk_page *page)
{
    (void)page;
}

void jk_write_openmetrics_open(jk_page *page, jk_element element, const void *what)
{
    (void)page, (void)element, (void)what;
}

void jk_write_openmetrics_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value)
{
    (void)page, (void)element, (void)field, (void)value;
}

void jk_write_openmetrics_body(jk_page *page, jk_element element)
{
    (void)page, (void)element;
}

void jk_write_openmetrics_close(jk_page *page, jk_element element)
{
    (void)page, (void)element;
}

/* Of a request that was refused nothing is told but that it is over: its status says why. */
void jk_write_openmetrics_end(jk_page *page)
{
    jk_span text = JK_SPAN_LIT("# EOF\n");

    if (page->view && jk_result_ok(page->result))
        text = jk_metrics_write(page->p, &page->view->from.metrics, JK_METRICS_OPEN);
    jk_page_bytes(page, (const char *)text.p, text.len);
}
