/* native/status/html_workers.c - the overview; a balancer, with what its members are and do. */
#include "html.h"

#include "jk/conf/values.h"

#include <apr_strings.h>

static bool hides(const jk_page *page, unsigned what)
{
    return page->ask->opt & what;
}

/* ---- settings ---- */

static bool has_key(const jk_key *key, const jk_view_worker *w, bool member)
{
    static const char *const of_members[] = { "activation", "lbfactor", "route", "redirect", "domain", "distance" };

    if (key->home != JK_HOME_TUNE || !(key->kinds & (int)w->worker->conf->kind) || key->state == JK_KEY_IGNORED)
        return false;
    for (size_t i = 0; !member && i < sizeof of_members / sizeof of_members[0]; i++)
        if (strcmp(key->name, of_members[i]) == 0)
            return false;
    return true;
}

static const jk_view_edit *edit_of(const jk_view_worker *w, const jk_key *key)
{
    for (int i = 0; i < w->edits->nelts; i++)
        if (APR_ARRAY_IDX(w->edits, i, jk_view_edit).key == key)
            return &APR_ARRAY_IDX(w->edits, i, jk_view_edit);
    return NULL;
}

static void put_setting(jk_page *page, const jk_view_worker *w, const jk_key *key, const char *value)
{
    const jk_view_edit *edit = edit_of(w, key);

    jk_html_put(page, "<div><dt title='%s'>%s</dt><dd>%s%s%s", key->help, key->name, *value ? value : "-", *value && *key->unit ? " " : "", *value ?
                key->unit : "");
    if (edit)
        jk_html_put(page, "<span class='sub edited'>file: %s</span>", *edit->file ? edit->file : "nothing");
    jk_html_put(page, "</dd></div>\n");
}

void jk_html_settings(jk_page *page, const jk_view_worker *w, bool member)
{
    jk_worker_conf conf = *w->worker->conf;

    conf.tune = w->now;
    jk_html_put(page, "<details class='settings'><summary>Settings%s</summary><dl>\n", w->edits->nelts ? " (some differ from the file)" : "");
    for (size_t i = 0; i < jk_keys_count; i++)
        if (has_key(&jk_keys[i], w, member))
            put_setting(page, w, &jk_keys[i], jk_values_text(page->p, &jk_keys[i], &conf));
    jk_html_put(page, "</dl></details>\n");
}

/* ---- a balancer ---- */

static void put_actions(jk_page *page, const jk_view_worker *w)
{
    const jk_html_to edit = { .cmd = "edit", .w = w->name, .from = true }, show = { .cmd = "show", .w = w->name };

    jk_html_put(page, "<div class='actions'>");
    if (page->ask->command->does & JK_CMD_ALL)
        jk_html_link(page, &show, "Show all");
    if (jk_html_may_change(page)) {
        jk_html_link(page, &edit, "Edit");
        jk_html_button_put(page, &(jk_html_button){ .cmd = "reset", .w = w->name, .text = "Reset counters", .kind = "quiet" });
    }
    jk_html_put(page, "</div>");
}

static void put_health(jk_page *page, const jk_view_worker *lb)
{
    const struct { const char *kind, *word; int32_t n; } parts[] = {
        { "ok", "good", lb->good }, { "warn", "degraded", lb->degraded }, { "bad", "bad", lb->bad },
    };

    for (size_t i = 0; i < 3; i++)
        jk_html_put(page, "<span class='count %s'><b>%d</b> %s</span>", parts[i].n ? parts[i].kind : "none", (int)parts[i].n, parts[i].word);
}

static void put_summary(jk_page *page, const jk_view_worker *lb)
{
    jk_html_put(page, "<p class='facts'>");
    put_health(page, lb);
    jk_html_put(page, "<span><b>%u</b> in flight, %u at most</span><span><b>", lb->numbers.busy, lb->numbers.max_busy);
    jk_html_number(page, lb->numbers.count[JK_COUNT_SERVED]);
    jk_html_put(page, "</b> requests%s</span><span>maintenance in %s to %s</span></p>\n",
                lb->numbers.last_reset > 0 ? apr_pstrcat(page->p, " in ", jk_html_span(page->p, lb->reset_ago), NULL) : "",
                jk_html_span(page->p, lb->maintain_min), jk_html_span(page->p, lb->maintain_max));
}

static void put_lb_head(jk_page *page, const jk_view_worker *lb)
{
    const jk_html_to show = { .cmd = "show", .w = lb->name };

    jk_html_put(page, "<div class='head'><h2>");
    jk_html_link(page, &show, lb->name);
    jk_html_put(page, "</h2><p class='tag'>balancer, by %s%s</p>", lb->method,
                lb->now.sticky_session ? lb->now.sticky_session_force ? ", sticky, forced" : ", sticky" : ", not sticky");
    put_actions(page, lb);
    jk_html_put(page, "</div>\n");
}

void jk_html_balancer(jk_page *page, const jk_view_worker *lb)
{
    jk_html_put(page, "<section class='card' aria-label='Balancer %s'>\n", lb->name);
    put_lb_head(page, lb);
    if (!hides(page, JK_HIDE_LB_SUMMARY))
        put_summary(page, lb);
    if (lb->members->nelts == 0)
        jk_html_put(page, "<p class='empty'>It has no members: name some in worker.%s.balance_workers.</p>\n", lb->name);
    else if (!hides(page, JK_HIDE_MEMBERS))
        jk_html_members(page, lb);
    if (!hides(page, JK_HIDE_LB_CONFIG))
        jk_html_settings(page, lb, false);
    jk_html_put(page, "</section>\n");
}

/* ---- everything ---- */

static void put_tile(jk_page *page, const char *label, uint64_t n, const char *more)
{
    jk_html_put(page, "<div><dt>%s</dt><dd><b>", label);
    jk_html_number(page, n);
    jk_html_put(page, "</b><span class='sub'>%s</span></dd></div>\n", more);
}

typedef struct totals {
    uint64_t members, good, busy, served, errors, connected;
} totals;

static void add_up(totals *t, const apr_array_header_t *workers, bool members)
{
    for (int i = 0; i < workers->nelts; i++) {
        const jk_view_worker *w = &APR_ARRAY_IDX(workers, i, jk_view_worker);
        t->members += members;
        t->good += members && strcmp(w->health, "good") == 0;
        t->busy += w->numbers.busy;
        t->connected += w->numbers.connected;
        t->served += w->numbers.count[JK_COUNT_SERVED];
        t->errors += w->numbers.count[JK_COUNT_ERRORS];
    }
}

static void put_tiles(jk_page *page)
{
    const jk_view *view = page->view;
    const jk_view_parked *parked = &view->from.parked;
    apr_pool_t *p = page->p;
    totals t = { 0 };

    for (int i = 0; i < view->lb_count; i++)
        add_up(&t, APR_ARRAY_IDX(view->balancers, i, jk_view_worker).members, true);
    add_up(&t, view->workers, false);
    jk_html_put(page, "<dl class='tiles'>\n");
    put_tile(page, "Balancers", (uint64_t)view->lb_count, apr_psprintf(p, "and %d other worker%s", (int)view->ajp_count, view->ajp_count == 1 ? "" :
                                                                       "s"));
    put_tile(page, "Members", t.members, apr_psprintf(p, "%d good", (int)t.good));
    put_tile(page, "In flight", t.busy, apr_psprintf(p, "%d connections", (int)t.connected));
    put_tile(page, "Requests", t.served, "since the reset");
    put_tile(page, "Errors", t.errors, jk_html_percent(p, t.errors, t.served > t.errors ? t.served : t.errors));
    if (parked->known)
        put_tile(page, "Waiting without a thread", parked->waiting, apr_psprintf(p, "at most %u in one process", parked->limit));
    jk_html_put(page, "</dl>\n");
}

static void put_balancers(jk_page *page)
{
    if (page->view->lb_count == 0)
        jk_html_put(page, "<section class='card'><h2>Balancers</h2>\n"
                    "<p class='empty'>There is none: no worker of worker.list has type=lb.</p></section>\n");
    for (int i = 0; i < page->view->lb_count; i++)
        jk_html_balancer(page, &APR_ARRAY_IDX(page->view->balancers, i, jk_view_worker));
}

static void put_workers(jk_page *page)
{
    const jk_view *view = page->view;

    if (view->ajp_count == 0)
        return;
    jk_html_section(page, "workers", "Workers of their own", "ajp13, no balancer's member");
    jk_html_containers(page, view->workers);
    jk_html_put(page, "</section>\n");
}

void jk_html_overview(jk_page *page)
{
    jk_html_problems(page);
    put_tiles(page);
    if (!hides(page, JK_HIDE_LB))
        put_balancers(page);
    if (!hides(page, JK_HIDE_AJP))
        put_workers(page);
    jk_html_pools(page);
    jk_html_waits(page);
    if (!hides(page, JK_HIDE_MAPS))
        jk_html_maps(page, NULL);
    jk_html_edits(page);
    jk_html_findings(page);
    if (!hides(page, JK_HIDE_LEGEND))
        jk_html_legend(page);
}
