/* native/httpd/background.c - once a second in each process: the idle connections are looked at; every now and then they are
 * maintained. mod_watchdog is found by its optional functions; a process without it has its requests do the work. */
#include "background.h"

#include "logfile.h"

#include <apr_atomic.h>
#include <mod_watchdog.h>

#define LOOK_EVERY apr_time_from_sec(1)

struct jk_background {
    const jk_registry *registry;
    const jk_server *conf;
    int interval;                 /* s between maintenances; 0: none */
    int maintain;                 /* worker.maintain */
    bool threaded;
    volatile apr_uint32_t ready;  /* this process's workers are */
    volatile apr_uint32_t last;   /* s, when maintenance was begun */
};

static apr_uint32_t seconds_now(void)
{
    return (apr_uint32_t)apr_time_sec(apr_time_now());
}

/* Is maintenance due? One caller only is told so. */
static bool claim(jk_background *b)
{
    apr_uint32_t now = seconds_now(), last = apr_atomic_read32(&b->last);

    if (b->interval <= 0 || (apr_int32_t)(now - last) < b->interval)
        return false;
    return apr_atomic_cas32(&b->last, now, last) == last;
}

static void tend(jk_background *b, bool look, const char *who)
{
    jk_tend what = { apr_time_now(), look, b->maintain, claim(b) };
    jk_log log;

    if (!what.look && !what.maintain)
        return;
    log = jk_logfile_for(b->conf, who);
    jk_registry_tend(b->registry, &what, &log);
}

/* The watchdog starts its threads before our child_init: until that is over there is nothing to look at. */
static apr_status_t tick(int state, void *data, apr_pool_t *p)
{
    jk_background *b = data;

    (void)p;
    if (state == AP_WATCHDOG_STATE_RUNNING && apr_atomic_read32(&b->ready))
        tend(b, true, "WATCHDOG");
    return APR_SUCCESS;
}

static bool start_thread(jk_background *b, apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *dog;

    if (get == NULL || add == NULL)
        return false;
    if (get(&dog, "_jk_", 0, 0, pconf) != APR_SUCCESS)
        return false;
    return add(dog, LOOK_EVERY, b, tick) == APR_SUCCESS;
}

jk_background *jk_background_make(apr_pool_t *pconf, const jk_registry *registry, const jk_server *conf, int interval, int maintain)
{
    jk_background *b = apr_pcalloc(pconf, sizeof *b);
    jk_log log = jk_logfile_for(conf, "POST_CONFIG");

    b->registry = registry;
    b->conf = conf;
    b->maintain = maintain;
    b->interval = interval > 0 ? interval : maintain > 0 ? maintain : 0;
    b->threaded = interval != 0 && start_thread(b, pconf);
    if (!b->threaded)
        JK_INFO(&log, "no maintenance in the background (%s): requests do it every %d seconds, and idle connections are looked at when they "
                "are used", interval == 0 ? "JkWatchdogInterval 0" : "mod_watchdog is not loaded", b->interval);
    return b;
}

void jk_background_child(jk_background *b)
{
    apr_atomic_set32(&b->last, seconds_now());
    apr_atomic_set32(&b->ready, 1);
}

void jk_background_request(jk_background *b)
{
    if (!b->threaded)
        tend(b, false, "MAINTAIN");
}
