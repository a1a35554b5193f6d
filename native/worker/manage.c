/* native/worker/manage.c - looks into the types of workers, so that nobody else has to. */
#include "jk/worker/manage.h"

#include "group.h"

#include "jk/worker/backend.h"

jk_stat *jk_manage_stat(const jk_worker *worker)
{
    if (worker->type == &jk_lb_type)
        return jk_lb_of(worker)->stat;
    return worker->type == &jk_backend_type ? jk_backend_stat(worker) : NULL;
}

size_t jk_manage_members(const jk_worker *worker)
{
    return worker->type == &jk_lb_type ? jk_lb_of(worker)->places : 0;
}

const jk_worker *jk_manage_member(const jk_worker *worker, size_t i)
{
    return jk_group_member(jk_lb_of(worker), i);
}

const jk_worker *jk_manage_place(const jk_worker *worker, size_t i)
{
    return jk_lb_of(worker)->members[i].worker;
}

bool jk_manage_is_spare(const jk_worker *worker, size_t i)
{
    return jk_lb_of(worker)->members[i].spare;
}

uint64_t jk_manage_mult(const jk_worker *worker, size_t i)
{
    return jk_group_now(jk_lb_of(worker))->choose.members[i].mult;
}

const char *jk_manage_address(const jk_worker *worker, apr_pool_t *p)
{
    return jk_backend_address(worker, p);
}

jk_pool_counts jk_manage_pool(const jk_worker *worker)
{
    return jk_backend_pool(worker);
}

/* ---- what an administrator does ---- */

/* The value of Busyness tells of requests that are running: it stays. */
static void reset_member(jk_lb *lb, size_t i, int64_t now)
{
    const jk_group *g = jk_group_now(lb);

    (void)jk_stat_event(lb->members[i].stat, JK_MEMBER_RESET, now, &g->rules);
    if (jk_method_remembers((jk_method)g->rules.method))
        jk_stat_value_set(lb->members[i].stat, 0);
}

void jk_manage_reset_member(const jk_worker *worker, size_t i, int64_t now)
{
    reset_member(jk_lb_of(worker), i, now);
}

void jk_manage_reset(const jk_worker *worker, int64_t now)
{
    jk_stat *stat = jk_manage_stat(worker);

    if (stat)
        jk_stat_reset(stat, now);
    for (size_t i = 0; i < jk_manage_members(worker); i++)
        if (jk_manage_member(worker, i))
            reset_member(jk_lb_of(worker), i, now);
}

/* ---- members that come and go ---- */

size_t jk_manage_free_place(const jk_worker *worker)
{
    const jk_lb *lb = jk_lb_of(worker);
    size_t best = lb->places;

    for (size_t i = lb->count; i < lb->places; i++) {
        const jk_stat *stat = lb->members[i].stat;
        if (jk_group_member(lb, i) || jk_stat_busy(stat) > 0)
            continue;
        if (best == lb->places || jk_stat_signed(stat).at < jk_stat_signed(lb->members[best].stat).at)
            best = i;
    }
    return best;
}

jk_rc jk_manage_begin(const jk_worker *worker, size_t i, const jk_tune *to, int64_t now)
{
    jk_stat *stat = jk_lb_of(worker)->members[i].stat;
    jk_tune was, stopped = *to;
    jk_rc rc;

    stopped.activation = JK_STOPPED;
    jk_stat_tune_read(stat, &was);
    if (*was.name)
        return JK_E_CONF;
    rc = jk_stat_tune_edit(stat, &was, &stopped);
    if (rc == JK_OK)
        jk_stat_begin_anew(stat, now);
    return rc;
}

jk_rc jk_manage_end(const jk_worker *worker, size_t i)
{
    jk_stat *stat = jk_lb_of(worker)->members[i].stat;
    jk_tune was, is;

    jk_stat_tune_read(stat, &was);
    jk_lb_vacate(&was, &is);
    return *was.name ? jk_stat_tune_edit(stat, &was, &is) : JK_E_CONF;
}

/* ---- */

bool jk_manage_recover(const jk_worker *worker, size_t i, int64_t now)
{
    jk_lb *lb = jk_lb_of(worker);
    const jk_group *g = jk_group_now(lb);
    jk_member_change change = jk_stat_event(lb->members[i].stat, JK_MEMBER_RECOVER, now, &g->rules);

    if (!change.moved)
        return false;
    if (jk_method_remembers((jk_method)g->rules.method))
        jk_group_value_to_max(lb, i);
    return true;
}
