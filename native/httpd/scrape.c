/* native/httpd/scrape.c - answers `SetHandler jk-metrics`. Who may ask is said by httpd's own access control. */
#include "scrape.h"

#include "startup.h"
#include "statusmaps.h"

#include <ap_mpm.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

jk_metrics_from jk_scrape_from(request_rec *r)
{
    jk_startup_state now = jk_startup_look();
    int generation = 0;

    ap_mpm_query(AP_MPMQ_GENERATION, &generation);
    return (jk_metrics_from){ .registry = now.registry,
                              .shm = now.shm,
                              .mounts = now.shm ? jk_statusmaps_mounts(r, now.main_server) : NULL,
                              .version = JK_VERSION,
                              .generation = generation > 0 ? (uint32_t)generation : 0,
                              .stale = now.stale };
}

static int not_allowed(request_rec *r)
{
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1); /* and HEAD */
    return HTTP_METHOD_NOT_ALLOWED;
}

/* A megabyte for a hundred members: it goes out of the memory that it was written to. */
static int pass(request_rec *r, jk_span text)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, alloc);

    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create((const char *)text.p, text.len, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    (void)ap_pass_brigade(r->output_filters, bb); /* a client that left is its own affair */
    return OK;
}

int jk_scrape_run(request_rec *r)
{
    jk_metrics_from from;
    jk_metrics_form form;

    if (r->handler == NULL || strcmp(r->handler, "jk-metrics") != 0)
        return DECLINED;
    if (r->method_number != M_GET)
        return not_allowed(r);
    from = jk_scrape_from(r);
    form = jk_metrics_wanted(apr_table_get(r->headers_in, "Accept"));
    jk_span text = jk_metrics_write(r->pool, &from, form);
    ap_set_content_type(r, jk_metrics_type(form));
    ap_set_content_length(r, (apr_off_t)text.len);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    return r->header_only ? OK : pass(r, text);
}
