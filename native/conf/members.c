/* native/conf/members.c - members as their lb sees them, with what it hands down, and checks across them (spec: workers.md 5). */
#include "members.h"

#include "build.h"
#include "jk/conf/values.h"

#include <apr_strings.h>

static const jk_worker_conf *member(const jk_worker_conf *lb, int i)
{
    return APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *);
}

static bool is_member(const jk_worker_conf *lb, const char *name)
{
    for (int i = 0; i < lb->members->nelts; i++)
        if (strcmp(member(lb, i)->name, name) == 0)
            return true;
    return false;
}

static const char *word_of(const jk_worker_conf *one)
{
    return one->kind == JK_WORKER_LB ? "lb" : one->kind == JK_WORKER_STATUS ? "status" : "ajp13";
}

/* A copy: another lb may see the same worker with another secret. */
static void add_member(jk_parse *ps, jk_worker_conf *lb, const jk_prop *where, const char *name)
{
    const char *shown = jk_props_shown(ps->p, where, name);

    if (is_member(lb, name)) {
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(where), "worker '%s' is a member of '%s' twice; once counts", shown,
                        jk_source_shown(ps, lb->name));
        return;
    }
    const jk_worker_conf *worker = strcmp(name, lb->name) == 0 ? lb : jk_build_worker(ps, name, where, false);
    if (worker->kind != JK_WORKER_AJP13) {
        jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(where),
                        "worker '%s' is of type %s and cannot be a member of '%s'; allowed: ajp13", shown, word_of(worker),
                        jk_source_shown(ps, lb->name));
        return;
    }
    jk_worker_conf *seen = apr_pmemdup(ps->p, worker, sizeof *worker);
    if (*seen->secret == '\0')
        seen->secret = lb->secret;
    if (seen->tune.port == 0 && seen->unix_path == NULL) /* provisioned: it waits for its address */
        seen->tune.activation = JK_STOPPED;
    APR_ARRAY_PUSH(lb->members, const jk_worker_conf *) = seen;
}

/* ---- checks ---- */

/* Where an attribute of a member was written, else the line that makes it a member. */
static const jk_prop *place(jk_parse *ps, const jk_worker_conf *lb, const jk_worker_conf *m, const char *attr)
{
    const jk_prop *prop = jk_source_last(ps, m->name, attr);

    return prop ? prop : jk_source_last(ps, lb->name, "balance_workers");
}

static void check_routes(jk_parse *ps, const jk_worker_conf *lb)
{
    for (int j = 1; j < lb->members->nelts; j++)
        for (int i = 0; i < j; i++) {
            const jk_worker_conf *a = member(lb, i), *b = member(lb, j);
            const jk_prop *at = place(ps, lb, b, "route");
            if (strcmp(a->tune.route, b->tune.route) == 0)
                jk_findings_add(ps->found, JK_FIND_ERROR, JK_PROP_AT(at),
                                "balanced workers '%s' and '%s' of '%s' share the same route '%s'; allowed: a route for each member",
                                jk_source_shown(ps, a->name), jk_source_shown(ps, b->name), jk_source_shown(ps, lb->name),
                                jk_props_shown(ps->p, at, b->tune.route));
        }
}

/* A redirect names a route; people write the worker's name. */
static const char *hint_of_routes(jk_parse *ps, const jk_worker_conf *lb, const char *redirect)
{
    const char **routes = apr_palloc(ps->p, (size_t)lb->members->nelts * sizeof *routes);
    size_t n = 0;

    for (int i = 0; i < lb->members->nelts; i++) {
        const jk_worker_conf *m = member(lb, i);
        if (place(ps, lb, m, "route")->hidden)
            continue;
        if (strcmp(m->name, redirect) == 0)
            return apr_psprintf(ps->p, "; did you mean '%s', the route of that worker?", m->tune.route);
        routes[n++] = m->tune.route;
    }
    return jk_findings_hint(ps->p, redirect, routes, n);
}

static bool is_domain(const jk_worker_conf *lb, const char *name)
{
    for (int i = 0; i < lb->members->nelts; i++)
        if (strcmp(member(lb, i)->tune.domain, name) == 0)
            return true;
    return false;
}

static bool has_route(const jk_worker_conf *lb, const char *route)
{
    for (int i = 0; i < lb->members->nelts; i++)
        if (strcmp(member(lb, i)->tune.route, route) == 0)
            return true;
    return false;
}

static void check_redirect(jk_parse *ps, const jk_worker_conf *lb, const jk_worker_conf *m)
{
    const char *to = m->tune.redirect, *name = jk_source_shown(ps, m->name), *of = jk_source_shown(ps, lb->name);
    const jk_prop *at = place(ps, lb, m, "redirect");

    if (*to && strcmp(to, m->tune.route) == 0)
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(at), "member '%s' of '%s' redirects to itself", name, of);
    else if (*to && !has_route(lb, to))
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(at), "member '%s' of '%s' redirects to '%s', which is no member's route%s",
                        name, of, jk_props_shown(ps->p, at, to), at->hidden ? "" : is_domain(lb, to) ? ", but a domain; allowed: the route of "
                        "one member" : hint_of_routes(ps, lb, to));
}

static void check_members(jk_parse *ps, const jk_worker_conf *lb)
{
    const jk_prop *at = jk_source_last(ps, lb->name, "balance_workers");
    bool active = false;

    check_routes(ps, lb);
    for (int i = 0; i < lb->members->nelts; i++) {
        check_redirect(ps, lb, member(lb, i));
        active = active || member(lb, i)->tune.activation == JK_ACTIVE;
    }
    if (!active)
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(at), "no member of '%s' is active", jk_source_shown(ps, lb->name));
}

/* ---- the packet ---- */

/* A request must fit whichever member it goes to in the end. */
static void set_packet(jk_parse *ps, jk_worker_conf *lb)
{
    const jk_prop *written = jk_source_last(ps, lb->name, "max_packet_size");
    int32_t own = lb->tune.max_packet_size, most = 0;

    for (int i = 0; i < lb->members->nelts; i++)
        if (member(lb, i)->tune.max_packet_size > most)
            most = member(lb, i)->tune.max_packet_size;
    lb->tune.max_packet_size = most;
    if (written && own != most)
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(written), "%s has no effect: the largest of the members counts, %d",
                        written->key, most);
}

/* ---- room for more ---- */

/* Who is added at run time is like the first member - its secret, its timeouts - but for who it is and where. */
static void make_spare(jk_parse *ps, jk_worker_conf *lb)
{
    jk_worker_conf *spare = apr_pmemdup(ps->p, member(lb, 0), sizeof *spare);
    jk_tune *t = &spare->tune;
    char *const own[] = { t->host, t->route, t->domain, t->redirect };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        memset(own[i], 0, JK_NAME_MAX + 1);
    spare->name = "";
    spare->listed = false;
    spare->unix_path = NULL;
    t->port = t->distance = 0;
    t->lbfactor = 1;
    t->activation = JK_STOPPED; /* until somebody is there */
    if (lb->spare_members > 0)
        lb->spare = spare;
}

void jk_members_make(jk_parse *ps, jk_worker_conf *lb)
{
    const apr_array_header_t *lines = jk_source_lines(ps, lb->name, "balance_workers");
    const jk_prop *type = jk_source_last(ps, lb->name, "type");
    const char *name = jk_source_shown(ps, lb->name);

    for (int i = 0; lines && i < lines->nelts; i++) {
        const jk_prop *where = &APR_ARRAY_IDX(lines, i, jk_prop);
        apr_array_header_t *names = apr_array_make(ps->p, 4, sizeof(const char *));
        jk_values_words(names, where->value);
        for (int n = 0; n < names->nelts; n++)
            add_member(ps, lb, where, APR_ARRAY_IDX(names, n, const char *));
    }
    if (lb->balance_workers->nelts == 0)
        jk_findings_add(ps->found, JK_FIND_ERROR, type->file, type->line, "worker '%s' is of type lb and has no members; allowed: "
                        "worker.%s.balance_workers=NAME,NAME", name, name);
    if (lb->members->nelts == 0)
        return;
    set_packet(ps, lb);
    check_members(ps, lb);
    make_spare(ps, lb);
}
