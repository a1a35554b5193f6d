/* native/status/html_problems.c - what is wrong now, the worst first, each with what to do. A wrong thing is one row of `problem`; who finds
 * it is one function of `finders`. */
#include "html.h"

#include <apr_strings.h>

#define SHOWN 8 /* the others are folded up */

/* By what it means for requests: the smallest is shown first. */
enum { FAILS, SUFFERS, WANTED };

/* How each is drawn: errors and stops, limits and tries, what somebody wanted. */
static const jk_html_state looks[] = {
    [FAILS] = { "bad", "cross", "Failing" }, [SUFFERS] = { "warn", "full", "Attention" }, [WANTED] = { "off", "half", "On purpose" },
};

typedef struct problem {
    int rank;
    const char *title, *text;
    const char *w, *sw;    /* whom it is about; NULL: nobody */
    const char *anchor;    /* or where on the page */
    int64_t since;         /* 0: not known */
    bool recoverable;
} problem;

typedef struct search {
    apr_pool_t *p;
    const jk_view *view;
    apr_array_header_t *found; /* of problem */
} search;

static problem *add(search *s, int rank, const char *title, const char *text)
{
    problem *one = apr_array_push(s->found);

    *one = (problem){ .rank = rank, .title = title, .text = text };
    return one;
}

static void about(problem *one, const jk_view_worker *w, const jk_view_worker *lb)
{
    one->w = lb ? lb->name : w->name;
    one->sw = lb ? w->name : NULL;
}

/* ---- the configuration ---- */

static void find_stale(search *s)
{
    if (s->view->from.stale)
        add(s, FAILS, "The configuration on disk is broken; the last good one is in force",
            "Run httpd -t: it names every mistake with file and line. Correct them and restart gracefully. Until then mounts to workers that only "
            "the broken files define answer 503.");
}

static void find_findings(search *s)
{
    int errors = 0, warnings = 0;

    for (int i = 0; i < s->view->finding_count; i++) {
        const char *severity = APR_ARRAY_IDX(s->view->findings, i, jk_view_finding).severity;
        errors += strcmp(severity, "error") == 0 || strcmp(severity, "lenient") == 0;
        warnings += strcmp(severity, "warning") == 0;
    }
    if (errors + warnings == 0)
        return;
    add(s, SUFFERS, apr_psprintf(s->p, "The check of the configuration found %d error%s and %d warning%s", errors, errors == 1 ? "" : "s", warnings,
                                 warnings == 1 ? "" : "s"),
        "They are lived with, but something does not do what its line says. Each is named below with file and line, and by httpd -t.")
        ->anchor = "findings";
}

/* A mount that several servers have, or that is two rules, is one line to mend. */
static void find_lost_mounts(search *s)
{
    apr_hash_t *told = apr_hash_make(s->p);

    for (int i = 0; s->view->from.maps && i < s->view->from.maps->nelts; i++) {
        const jk_view_map *map = &APR_ARRAY_IDX(s->view->from.maps, i, jk_view_map);
        if (strcmp(map->worker, "*") == 0 || strstr(map->type, "Unmount") || jk_registry_find(s->view->from.registry, map->worker))
            continue;
        if (*map->place && apr_hash_get(told, map->place, APR_HASH_KEY_STRING))
            continue;
        apr_hash_set(told, map->place, APR_HASH_KEY_STRING, map);
        add(s, FAILS, apr_psprintf(s->p, "%s is mounted to %s, which is no worker", map->mount, map->worker),
            apr_psprintf(s->p, "Its requests are answered 500. Define worker.%s.type and add %s to worker.list, or correct the name%s%s.",
                         map->worker, map->worker,
                         *map->place ? " at " : "", map->place))->anchor = "mounts";
    }
}

/* ---- containers ---- */

static const char *name_of(search *s, const jk_view_worker *w, const jk_view_worker *lb)
{
    return lb ? apr_psprintf(s->p, "%s of %s", w->name, lb->name) : w->name;
}

static const char *next_try(search *s, const jk_view_worker *m)
{
    if (m->recover_max <= 0)
        return "";
    return apr_psprintf(s->p, " It is tried again in %s to %s; Try now does not wait for that.", jk_html_span(s->p, m->recover_min),
                        jk_html_span(s->p, m->recover_max));
}

static void find_error(search *s, const jk_view_worker *w, const jk_view_worker *lb)
{
    problem *one;

    if (w->state_code != JK_STATE_ERR || (lb && w->now.activation == JK_STOPPED))
        return;
    one = add(s, FAILS, apr_pstrcat(s->p, name_of(s, w, lb), lb ? " is in error" : ": the last request failed", NULL),
              apr_pstrcat(s->p, jk_html_reason(s->p, w), next_try(s, w), NULL));
    about(one, w, lb);
    one->since = w->error_at;
    one->recoverable = lb != NULL;
}

static void find_trial(search *s, const jk_view_worker *w, const jk_view_worker *lb)
{
    const char *text = w->state_code == JK_STATE_FRC ? "No other member could take a request, so it gets some although it was in error. " :
                       "It was in error; the next request or the one that is under way tells whether it is back. ";

    if (w->state_code == JK_STATE_REC || w->state_code == JK_STATE_PRB || w->state_code == JK_STATE_FRC)
        about(add(s, SUFFERS, apr_pstrcat(s->p, name_of(s, w, lb), " is being tried again", NULL), apr_pstrcat(s->p, text, jk_html_reason(s->p, w),
                                                                                                               NULL)), w, lb);
}

static void find_limits(search *s, const jk_view_worker *w, const jk_view_worker *lb)
{
    const char *name = name_of(s, w, lb);

    if (w->state_code == JK_STATE_BUSY)
        about(add(s, SUFFERS, apr_pstrcat(s->p, name, " takes no more requests", NULL),
                  apr_psprintf(s->p, "%u are under way, and busy_limit is %d, or its pool has no place. If the container can bear more, raise the "
                                     "limit; else add a member.", w->numbers.busy, (int)w->now.busy_limit)), w, lb);
    if (w->now.max_connections > 0 && w->numbers.connected >= (uint32_t)w->now.max_connections)
        about(add(s, SUFFERS, apr_pstrcat(s->p, name, " has as many connections as it may", NULL),
                  apr_psprintf(s->p, "max_connections is %d, all processes together. Raise it with the container's maxConnections and maxThreads, "
                                     "or find out why requests take so long.", (int)w->now.max_connections)), w, lb);
    if (w->numbers.waiting > 0 && w->worker->conf->connection_pool_size > 0)
        about(add(s, SUFFERS, apr_psprintf(s->p, "%u request%s wait%s for a connection to %s", w->numbers.waiting, w->numbers.waiting == 1 ? "" : "s",
                                           w->numbers.waiting == 1 ? "s" : "", name),
                  apr_psprintf(s->p, "%u connections are open, and each process may have %d. Raise connection_pool_size, or leave it out so that the "
                                     "pool grows by need.", w->numbers.connected, (int)w->worker->conf->connection_pool_size)), w, lb);
}

static void find_address(search *s, const jk_view_worker *w, const jk_view_worker *lb)
{
    if (strcmp(w->address, "unresolved") == 0)
        about(add(s, FAILS, apr_psprintf(s->p, "%s: the host %s has no address", name_of(s, w, lb), w->now.host),
                  "Check the name, DNS and /etc/hosts. It is looked up again in the background: nothing needs a restart."), w, lb);
}

/* An error of such a member is told as an error. */
static void find_wanted(search *s, const jk_view_worker *m, const jk_view_worker *lb)
{
    const char *text;

    if (m->now.activation == JK_ACTIVE || (m->now.activation == JK_DISABLED && m->state_code == JK_STATE_ERR))
        return;
    text = m->now.activation == JK_STOPPED ? "It gets no request at all, those of its sessions neither." :
           apr_psprintf(s->p, "It gets no new sessions, only requests of those it has. Safe to stop: %s.", jk_html_safe(s->p, m));
    about(add(s, WANTED, apr_pstrcat(s->p, name_of(s, m, lb), m->now.activation == JK_STOPPED ? " is stopped" : m->safe_to_stop ? " is disabled" :
                                     " is draining",
                                     NULL), text), m, lb);
}

static void find_in_container(search *s, const jk_view_worker *w, const jk_view_worker *lb)
{
    find_error(s, w, lb);
    find_address(s, w, lb);
    find_trial(s, w, lb);
    find_limits(s, w, lb);
    if (lb)
        find_wanted(s, w, lb);
}

/* ---- balancers ---- */

static bool takes_requests(const jk_view_worker *m)
{
    return m->now.activation != JK_STOPPED && jk_member_usable(m->state_code);
}

static void find_in_balancer(search *s, const jk_view_worker *lb)
{
    int usable = 0;

    for (int i = 0; i < lb->members->nelts; i++)
        usable += takes_requests(&APR_ARRAY_IDX(lb->members, i, jk_view_worker));
    if (lb->members->nelts == 0)
        about(add(s, FAILS, apr_pstrcat(s->p, lb->name, " has no members", NULL),
                  apr_psprintf(s->p, "Its requests are answered 503. Name some in worker.%s.balance_workers.", lb->name)), lb, NULL);
    else if (usable == 0)
        about(add(s, FAILS, apr_pstrcat(s->p, lb->name, " has no member that can take a request", NULL),
                  "Its requests are answered 503, but for the one now and then that tries a member again. See its members below."), lb, NULL);
    for (int i = 0; i < lb->members->nelts; i++)
        find_in_container(s, &APR_ARRAY_IDX(lb->members, i, jk_view_worker), lb);
}

static void find_in_workers(search *s)
{
    for (int i = 0; i < s->view->lb_count; i++)
        find_in_balancer(s, &APR_ARRAY_IDX(s->view->balancers, i, jk_view_worker));
    for (int i = 0; i < s->view->ajp_count; i++)
        find_in_container(s, &APR_ARRAY_IDX(s->view->workers, i, jk_view_worker), NULL);
}

static void find_parked(search *s)
{
    const jk_view_parked *parked = &s->view->from.parked;

    if (parked->known && parked->limit > 0 && parked->here >= parked->limit)
        add(s, SUFFERS, apr_psprintf(s->p, "%u requests of this process wait without a thread: no more may", parked->here),
            "Further ones keep their threads. Raise JkParkMax (and AsyncRequestWorkerFactor), or find out why requests take so long.");
}

static void (*const finders[])(search *s) = { find_stale, find_lost_mounts, find_in_workers, find_parked, find_findings };

/* ---- the section ---- */

static void put_where(jk_page *page, const problem *one)
{
    const jk_html_to to = { .cmd = "show", .w = one->w, .sw = one->sw };

    if (one->w)
        jk_html_put(page, "<a href='%s'>%s</a>", jk_html_url(page, &to), one->title);
    else if (one->anchor)
        jk_html_put(page, "<a href='#%s'>%s</a>", one->anchor, one->title);
    else
        jk_html_put(page, "%s", one->title);
}

static void put_problem(jk_page *page, const problem *one)
{
    jk_html_put(page, "<li class='%s'>", looks[one->rank].kind);
    jk_html_shape(page, looks[one->rank].shape);
    jk_html_put(page, "<div><p class='what'><span class='unseen'>%s: </span>", looks[one->rank].word);
    put_where(page, one);
    if (one->since > 0) {
        jk_html_put(page, " <span class='mute'>first ");
        jk_html_ago(page, one->since);
        jk_html_put(page, "</span>");
    }
    jk_html_put(page, "</p><p>%s</p></div>", one->text);
    if (one->recoverable && jk_html_may_change(page))
        jk_html_button_put(page, &(jk_html_button){ .cmd = "recover", .w = one->w, .sw = one->sw, .text = "Try now", .kind = "" });
    jk_html_put(page, "</li>\n");
}

/* Those of one rank, in the order in which they were found. */
static int put_rank(jk_page *page, const apr_array_header_t *found, int rank, int before)
{
    for (int i = 0; i < found->nelts; i++) {
        const problem *one = &APR_ARRAY_IDX(found, i, problem);
        if (one->rank != rank)
            continue;
        if (before++ == SHOWN)
            jk_html_put(page, "</ul><details><summary>%d more</summary><ul class='problems'>\n", found->nelts - SHOWN);
        put_problem(page, one);
    }
    return before;
}

static int count(const apr_array_header_t *found, int rank)
{
    int n = 0;

    for (int i = 0; i < found->nelts; i++)
        n += APR_ARRAY_IDX(found, i, problem).rank == rank;
    return n;
}

static void put_headline(jk_page *page, const apr_array_header_t *found)
{
    int fails = count(found, FAILS), suffers = count(found, SUFFERS), wanted = count(found, WANTED);
    const char *rest = wanted ? apr_psprintf(page->p, ", %d on purpose", wanted) : "";

    if (fails + suffers > 0) {
        jk_html_put(page, "<h2 id='now'>%d %s attention%s</h2>\n", fails + suffers, fails + suffers == 1 ? "thing needs" : "things need", rest);
        return;
    }
    jk_html_put(page, "<h2 id='now' class='ok'>");
    jk_html_shape(page, "dot");
    jk_html_put(page, "Nothing is wrong%s</h2>\n", rest);
}

void jk_html_problems(jk_page *page)
{
    search s = { page->p, page->view, apr_array_make(page->p, 8, sizeof(problem)) };
    int n = 0;

    for (size_t i = 0; i < sizeof finders / sizeof finders[0]; i++)
        finders[i](&s);
    jk_html_put(page, "<section aria-labelledby='now'>\n");
    put_headline(page, s.found);
    if (s.found->nelts > 0)
        jk_html_put(page, "<ul class='problems'>\n");
    for (int rank = FAILS; rank <= WANTED; rank++)
        n = put_rank(page, s.found, rank, n);
    if (s.found->nelts > 0)
        jk_page_put(page, n > SHOWN ? "</ul></details>\n" : "</ul>\n");
    jk_html_put(page, "</section>\n");
}
