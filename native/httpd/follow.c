/* native/httpd/follow.c - looks at the rule file, makes a new map of it, and counts who uses which. The lock guards the pointer and the
 * counts for some instructions; nothing is read, compiled or freed under it. */
#include "follow.h"

#include "lastgood.h"
#include "logfile.h"
#include "startup.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#define RELOAD_DEFAULT 60 /* s */
#define TOLD_MOST 20      /* findings of one reload that are logged */

struct jk_held {
    jk_follow *follow;
    const jk_match *match;
    apr_pool_t *pool; /* its own; NULL: it lies in the configuration's and goes with that */
    unsigned users;   /* requests, and 1 while it is in force */
};

struct jk_follow {
    const jk_server *conf, *main_conf;
    const jk_workers_conf *workers;
    const char *path;
    int interval; /* s */
    apr_thread_mutex_t *lock;
    jk_held *now;                  /* under lock, as are all users */
    jk_file_state seen;            /* of the file when it was read last, or failed; written by who is looking */
    volatile apr_uint32_t looked;  /* s */
    volatile apr_uint32_t looking; /* somebody is */
};

jk_follow *jk_follow_make(apr_pool_t *pconf, const jk_server *conf, const jk_server *main_conf, const jk_mounts_from *from)
{
    const char *path = jk_mounts_file(conf, main_conf);
    int interval = conf->mount_reload >= 0 ? conf->mount_reload : RELOAD_DEFAULT;
    const jk_rule_text *text = path ? jk_lastgood_rules(from->files, path) : NULL;
    jk_follow *f;

    if (text == NULL || interval == 0)
        return NULL;
    f = apr_pcalloc(pconf, sizeof *f);
    f->conf = conf;
    f->main_conf = main_conf;
    f->workers = from->workers;
    f->path = path;
    f->interval = interval;
    f->seen = text->state;
    f->now = apr_pcalloc(pconf, sizeof *f->now);
    *f->now = (jk_held){ f, conf->map, NULL, 1 };
    return apr_thread_mutex_create(&f->lock, APR_THREAD_MUTEX_DEFAULT, pconf) == APR_SUCCESS ? f : NULL;
}

/* ---- holding ---- */

const jk_match *jk_follow_match(const jk_held *held)
{
    return held->match;
}

static jk_held *hold(jk_follow *f)
{
    jk_held *held;

    apr_thread_mutex_lock(f->lock);
    held = f->now;
    held->users++;
    apr_thread_mutex_unlock(f->lock);
    return held;
}

void jk_follow_drop(jk_held *held)
{
    jk_follow *f = held->follow;
    bool last;

    apr_thread_mutex_lock(f->lock);
    last = --held->users == 0;
    apr_thread_mutex_unlock(f->lock);
    if (last && held->pool) /* nobody can find it any more */
        apr_pool_destroy(held->pool);
}

static apr_status_t drop_later(void *held)
{
    jk_follow_drop(held);
    return APR_SUCCESS;
}

void jk_follow_drop_with(jk_held *held, apr_pool_t *p)
{
    apr_pool_cleanup_register(p, held, drop_later, apr_pool_cleanup_null);
}

/* ---- a new one ---- */

static void tell(const jk_log *log, apr_pool_t *p, const jk_findings *found)
{
    int n = found->all->nelts;

    for (int i = 0; i < n && i < TOLD_MOST; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(found->all, i, jk_finding);
        if (one->severity >= JK_FIND_LENIENT)
            JK_ERROR(log, 403, "%s", jk_findings_text(p, one));
        else if (one->severity == JK_FIND_WARN)
            JK_WARN(log, 404, "%s", jk_findings_text(p, one));
        else
            JK_INFO(log, "%s", jk_findings_text(p, one));
    }
    if (n > TOLD_MOST)
        JK_INFO(log, "and %d findings more: `httpd -t` names them all", n - TOLD_MOST);
}

/* The new map, in p; NULL: the file is broken, and the log was told. */
static const jk_match *make(const jk_follow *f, apr_pool_t *p, jk_rule_text *text, const jk_log *log)
{
    apr_array_header_t files = { p, sizeof *text, 1, 1, (char *)text };
    jk_mounts_from from = { f->workers, &files, jk_findings_make(p), true };
    const jk_match *match = jk_mounts_make(p, f->conf, f->main_conf, &from);
    jk_shm *shm = jk_startup_look().shm;
    bool refused = match == NULL || jk_findings_refuse(from.found, f->main_conf->global->strict);

    tell(log, p, from.found);
    if (refused)
        JK_ERROR(log, 405, "%s has changed and is broken, see the lines above: the map from before it stays in force; correct the file", f->path);
    if (!refused && shm)
        jk_mounts_count(p, match, shm);
    return refused ? NULL : match;
}

static void swap(jk_follow *f, apr_pool_t *p, const jk_match *match)
{
    jk_held *fresh = apr_palloc(p, sizeof *fresh), *old;

    *fresh = (jk_held){ f, match, p, 1 };
    apr_thread_mutex_lock(f->lock);
    old = f->now;
    f->now = fresh;
    apr_thread_mutex_unlock(f->lock);
    jk_follow_drop(old);
}

/* The file is not as it was. Whatever comes of it is remembered, so that it is said once and tried once; but not of a file that changes while it
 * is read: that is looked at again. */
static void reload(jk_follow *f, const jk_log *log)
{
    jk_rule_text text = { f->path, JK_SPAN_NONE, { 0 } };
    jk_file_state after;
    const jk_match *match = NULL;
    const char *why = "";
    apr_pool_t *p;

    if (apr_pool_create_unmanaged(&p) != APR_SUCCESS) /* any thread may be the last that uses it */
        return;
    if (!jk_lastgood_file(p, f->path, &text.text, &text.state, &why)) {
        JK_ERROR(log, 406, "%s could not be read: %s; the map from before stays in force; the server's User must be able to read it", f->path, why);
        f->seen = text.state;
    } else {
        after = jk_lastgood_state(p, f->path);
        if (jk_lastgood_same(&text.state, &after)) {
            f->seen = text.state;
            match = make(f, p, &text, log);
        }
    }
    if (match == NULL) {
        apr_pool_destroy(p);
        return;
    }
    swap(f, p, match);
    JK_INFO(log, "Reloaded urimaps from %s", f->path);
    if (jk_match_count(match) == 0)
        JK_INFO(log, "No worker maps defined for %s", f->path);
}

static void look(jk_follow *f, request_rec *r)
{
    jk_file_state now = jk_lastgood_state(r->pool, f->path);

    if (jk_lastgood_same(&now, &f->seen))
        return;
    jk_log log = jk_logfile_about(r);
    reload(f, &log);
}

/* A clock that was set back makes a look due, too. One request finds it so. */
static bool due(jk_follow *f, apr_uint32_t now)
{
    apr_uint32_t last = apr_atomic_read32(&f->looked);

    return now - last >= (apr_uint32_t)f->interval && apr_atomic_cas32(&f->looked, now, last) == last;
}

/* One at a time. */
static void look_alone(jk_follow *f, request_rec *r)
{
    if (apr_atomic_cas32(&f->looking, 1, 0) != 0)
        return;
    look(f, r);
    apr_atomic_set32(&f->looking, 0);
}

jk_held *jk_follow_hold(jk_follow *f, request_rec *r)
{
    if (due(f, (apr_uint32_t)apr_time_sec(r->request_time)))
        look_alone(f, r);
    return hold(f);
}

jk_held *jk_follow_hold_now(jk_follow *f, request_rec *r)
{
    look_alone(f, r);
    return hold(f);
}
