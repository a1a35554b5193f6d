/* native/httpd/statefile.c - reads the file at a start and at each restart, and replaces it by a new one: a half of one is never seen, and a link is never followed. */
#include "statefile.h"

#include "lastgood.h"
#include "logfile.h"

#include "jk/status/state.h"

#include <apr_strings.h>
#include <http_core.h>
#include <unistd.h>

struct jk_statefile {
    apr_pool_t *process;
    const jk_server *conf;
    const jk_registry *registry;
    const jk_shm *shm;
    const char *path;
    jk_span homeless; /* what stays in the file though nobody has it: jk_state_homeless() */
    uint32_t written; /* jk_shm_edits() when it was */
    pid_t parent;
};

/* ---- reading ---- */

static void tell(const jk_statefile *f, const jk_log *log, const jk_state_news *news)
{
    for (int i = 0; i < news->left->nelts; i++)
        JK_INFO(log, "%s: left out: %s", f->path, APR_ARRAY_IDX(news->left, i, const char *));
    if (news->taken > 0)
        JK_INFO(log, "%s: %d values that were changed at run time are in force again", f->path, news->taken);
}

/* `fresh`: its values are to be put in force; else the shared memory has them. */
static void take(jk_statefile *f, apr_pool_t *p, bool fresh)
{
    jk_log log = jk_logfile_for(f->conf, "POST_CONFIG");
    jk_file_state state;
    jk_state_news news;
    const char *why;
    jk_span text;

    if (!jk_lastgood_file(p, f->path, &text, &state, &why)) {
        if (!APR_STATUS_IS_ENOENT(state.failed))
            JK_WARN(&log, 105, "JkStateFile %s could not be read: %s; no value of it is taken", f->path, why);
        return;
    }
    if (fresh && text.len > 0 && jk_state_take(p, f->registry, text, &news, &why) != JK_OK) {
        JK_WARN(&log, 106, "JkStateFile %s is broken: %s; no value of it is taken, and it is replaced with the next change; move it away if you "
                "want to mend it", f->path, why);
    } else if (fresh && text.len > 0) {
        tell(f, &log, &news);
    }
    f->homeless = jk_state_homeless(p, f->registry, text);
}

/* ---- writing ---- */

static apr_status_t write_to(const char *path, jk_span text, apr_pool_t *p)
{
    apr_file_t *file;
    apr_status_t rv, closed;

    (void)apr_file_remove(path, p); /* of one who was killed at it */
    rv = apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_EXCL, APR_FPROT_UREAD | APR_FPROT_UWRITE, p);
    if (rv != APR_SUCCESS)
        return rv;
    rv = apr_file_write_full(file, text.p, text.len, NULL);
    if (rv == APR_SUCCESS)
        rv = apr_file_sync(file);
    closed = apr_file_close(file);
    return rv == APR_SUCCESS ? closed : rv;
}

static void put(jk_statefile *f, apr_pool_t *p)
{
    uint32_t edits = jk_shm_edits(f->shm); /* before the values: a change meanwhile is seen by the next look */
    const char *fresh = apr_pstrcat(p, f->path, ".new", NULL);
    apr_status_t rv = write_to(fresh, jk_state_text(p, f->registry, apr_time_sec(apr_time_now()), f->homeless), p);
    char words[120];

    if (rv == APR_SUCCESS)
        rv = apr_file_rename(fresh, f->path, p);
    f->written = edits; /* a full disk is said once for each change */
    if (rv == APR_SUCCESS)
        return;
    jk_log log = jk_logfile_for(f->conf, "STATEFILE");
    JK_WARN(&log, 107, "JkStateFile %s could not be written: %s; what was changed at run time is lost when the server stops", f->path,
            apr_strerror(rv, words, sizeof words));
}

void jk_statefile_keep(jk_statefile *f)
{
    apr_pool_t *p;

    if (f == NULL || jk_shm_edits(f->shm) == f->written || getpid() != f->parent)
        return;
    if (apr_pool_create(&p, NULL) != APR_SUCCESS)
        return;
    put(f, p);
    apr_pool_destroy(p);
}

/* ---- its life ---- */

/* The server stops: before its pools go, the shared memory among them. */
static apr_status_t stop(void *data)
{
    jk_statefile *f = data;

    jk_statefile_keep(f);
    f->process = NULL;
    return APR_SUCCESS;
}

/* A restart: this module may be unloaded. At a stop this comes too late, and there is nothing left to do. */
static apr_status_t restart(void *data)
{
    jk_statefile *f = data;

    if (f->process == NULL)
        return APR_SUCCESS;
    jk_statefile_keep(f);
    apr_pool_cleanup_kill(f->process, f, stop);
    return APR_SUCCESS;
}

jk_statefile *jk_statefile_open(apr_pool_t *pconf, const jk_server *main_conf, const jk_registry *registry, const jk_shm *shm, bool fresh)
{
    const char *path = main_conf->global->state_file;
    jk_statefile *f;

    if (path == NULL)
        return NULL;
    f = apr_palloc(pconf, sizeof *f);
    *f = (jk_statefile){ main_conf->s->process->pool, main_conf, registry, shm, ap_server_root_relative(pconf, path), JK_SPAN_NONE, 0, getpid() };
    take(f, pconf, fresh);
    f->written = jk_shm_edits(shm);
    apr_pool_pre_cleanup_register(f->process, f, stop);
    apr_pool_cleanup_register(pconf, f, restart, apr_pool_cleanup_null);
    return f;
}
