/* native/httpd/mod_jk.c - the module record and its hooks. Everything they call lies beside this file. */
#include "config.h"
#include "handler.h"
#include "park.h"
#include "requestlog.h"
#include "scrape.h"
#include "startup.h"

#include <ap_mpm.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_check_config(jk_startup_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(jk_startup_test, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(jk_startup_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(jk_startup_child, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(jk_startup_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_status(jk_startup_child_status, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(jk_handler_translate, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_map_to_storage(jk_handler_map_to_storage, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(jk_handler_run, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(jk_scrape_run, NULL, NULL, APR_HOOK_MIDDLE);
    jk_park_hooks();
    ap_hook_log_transaction(jk_requestlog_write, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(jk) = {
    STANDARD20_MODULE_STUFF,
    NULL,                  /* no directive has a meaning of its own in a directory */
    NULL,
    jk_directives_create,
    jk_directives_merge,
    jk_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
