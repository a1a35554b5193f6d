/* native/status/html_more.c - the lists below the workers: pools, mounts, what is not the file's, findings; the legend. */
#include "html.h"

#include <apr_strings.h>

#define FOLD 24 /* rows; a longer list is folded up */

static bool begin_list(jk_page *page, const char *id, const char *title, const char *tag, int rows)
{
    jk_html_section(page, id, title, tag);
    if (rows > FOLD)
        jk_html_put(page, "<details><summary>%d rows</summary>\n", rows);
    return rows > FOLD;
}

static void end_list(jk_page *page, bool folded)
{
    jk_page_put(page, folded ? "</details></section>\n" : "</section>\n");
}

static void begin_table(jk_page *page, const char *caption, const char *const *heads)
{
    jk_html_put(page, "<div class='scroll' role='region' tabindex='0' aria-label='%s'><table class='cards texts'>\n<caption "
                      "class='unseen'>%s</caption>\n<thead><tr>", caption, caption);
    for (; *heads; heads++)
        jk_html_put(page, "<th scope='col'>%s</th>", *heads);
    jk_html_put(page, "</tr></thead>\n<tbody>\n");
}

static void end_table(jk_page *page)
{
    jk_html_put(page, "</tbody></table></div>\n");
}

/* ---- pools ---- */

static uint32_t in_use(const jk_stat_numbers *n)
{
    return n->connected > n->idle ? n->connected - n->idle : 0;
}

static void state_cell(jk_page *page, const jk_html_row *row)
{
    const jk_stat_numbers *n = &row->w->numbers;

    jk_html_bar(page, "load", in_use(n), n->max_connected ? n->max_connected : 1, -1);
}

#define POOL_CELL(name, expr)                                    \
    static void name(jk_page *page, const jk_html_row *row)      \
    {                                                            \
        const jk_stat_numbers *n = &row->w->numbers;             \
        jk_html_number(page, expr);                              \
    }

POOL_CELL(used_cell, in_use(n))
POOL_CELL(idle_cell, n->idle)
POOL_CELL(most_cell, n->max_connected)
POOL_CELL(waiting_cell, n->waiting)

static void opened_cell(jk_page *page, const jk_html_row *row)
{
    jk_html_number(page, row->w->made);
}

/* "3 aged, 1 failed" */
static void closed_cell(jk_page *page, const jk_html_row *row)
{
    static const char *const words[JK_STAT_CLOSED] = { [JK_CLOSE_EXIT] = "process ended", [JK_CLOSE_DEAD] = "found dead", [JK_CLOSE_AGED] = "aged",
                                                       [JK_CLOSE_FAILED] = "failed", [JK_CLOSE_CONTAINER] = "by the container",
                                                       [JK_CLOSE_UNWANTED] = "not wanted" };
    const char *text = "";

    for (int i = 0; i < JK_STAT_CLOSED; i++)
        if (row->w->closed[i])
            text = apr_psprintf(page->p, "%s%s%" APR_UINT64_T_FMT " %s", text, *text ? ", " : "", row->w->closed[i], words[i]);
    jk_html_put(page, "%s", *text ? text : "-");
}

#define PROCESSES_SHOWN 12

/* "1234: 5, 1235: 3" */
static void processes_cell(jk_page *page, const jk_html_row *row)
{
    const apr_array_header_t *all = row->w->processes;
    const char *text = "";

    for (int i = 0; i < all->nelts && i < PROCESSES_SHOWN; i++) {
        const jk_stat_share *one = &APR_ARRAY_IDX(all, i, jk_stat_share);
        text = apr_psprintf(page->p, "%s%s%d: %u", text, *text ? ", " : "", (int)one->pid, one->connected);
    }
    if (all->nelts > PROCESSES_SHOWN)
        text = apr_psprintf(page->p, "%s, and %d processes more", text, all->nelts - PROCESSES_SHOWN);
    jk_html_put(page, "%s", *text ? text : "-");
}

static const jk_html_column of_pools[] = {
    { "Worker", "", "", jk_html_name_cell },
    { "In use", "connections that a request has", "n", used_cell },
    { "Of the most", "in use now, of the most that were open at once", "wide", state_cell },
    { "Idle", "connections that are kept for the next request", "n", idle_cell },
    { "Most open", "at once, since the last reset", "n", most_cell },
    { "Waiting", "requests that wait for a connection, or for their next attempt", "n", waiting_cell },
    { "Opened", "connections that were made since the server was started", "n", opened_cell },
    { "Closed", "since the server was started, and why", "whole", closed_cell },
    { "By process", "process: its open connections", "whole", processes_cell },
    { NULL },
};

static void put_pools(jk_page *page, const apr_array_header_t *workers, const jk_view_worker *lb)
{
    if (workers->nelts > 0)
        jk_html_table(page, lb ? apr_pstrcat(page->p, "Pools of ", lb->name, NULL) : "Pools of workers of their own", of_pools, workers, lb);
}

void jk_html_pools(jk_page *page)
{
    const jk_view *view = page->view;
    int rows = view->ajp_count;

    for (int i = 0; i < view->lb_count; i++)
        rows += APR_ARRAY_IDX(view->balancers, i, jk_view_worker).members->nelts;
    if (rows == 0)
        return;
    jk_html_section(page, "pools", "Connection pools", "of all processes together");
    jk_html_put(page, "<details><summary>%d pool%s</summary>\n", rows, rows == 1 ? "" : "s");
    for (int i = 0; i < view->lb_count; i++)
        put_pools(page, APR_ARRAY_IDX(view->balancers, i, jk_view_worker).members, &APR_ARRAY_IDX(view->balancers, i, jk_view_worker));
    put_pools(page, view->workers, NULL);
    jk_html_put(page, "</details></section>\n");
}

/* ---- requests that wait ---- */

static void put_count(jk_page *page, uint64_t n, const char *words)
{
    if (n > 0)
        jk_html_put(page, "<li><b>%s</b> %s</li>\n", apr_psprintf(page->p, "%" APR_UINT64_T_FMT, n), words);
}

void jk_html_waits(jk_page *page)
{
    const jk_view_parked *parked = &page->view->from.parked;
    const jk_park_gauges *all = &parked->all;
    uint64_t kept = 0;

    if (!parked->known)
        return;
    for (int i = 0; i < JK_PARK_REASONS; i++)
        kept += all->fell_back[i];
    jk_html_section(page, "waits", "Requests that wait without a thread", "of all processes");
    jk_html_put(page, "<details><summary>%s now, %s at most in one process (JkParkMax %s)</summary>\n<ul>\n",
                apr_psprintf(page->p, "%u", parked->waiting), apr_psprintf(page->p, "%u", all->most), apr_psprintf(page->p, "%u", parked->limit));
    for (int i = 0; i < JK_PARK_WAITS; i++)
        put_count(page, all->now[i], jk_gauges_waits[i].words);
    put_count(page, all->wakes, "waits that are over");
    put_count(page, kept, kept == 1 ? "request had to keep its thread" : "requests had to keep their threads");
    for (int i = 0; i < JK_PARK_REASONS; i++)
        put_count(page, all->fell_back[i], apr_pstrcat(page->p, "of them: ", jk_gauges_reasons[i].words, NULL));
    jk_html_put(page, "</ul></details></section>\n");
}

/* ---- mounts ---- */

static const char *option(apr_pool_t *p, const char *before, const char *name, const char *value)
{
    return *value ? apr_pstrcat(p, before, *before ? "; " : "", name, "=", value, NULL) : before;
}

static const char *options_of(apr_pool_t *p, const jk_view_map *map)
{
    const char *text = option(p, "", "reply_timeout", map->reply_timeout >= 0 ? apr_itoa(p, map->reply_timeout) : "");

    text = option(p, text, "sticky_ignore", map->sticky_ignore ? "1" : "");
    text = option(p, text, "stateless", map->stateless ? "1" : "");
    text = option(p, text, "use_server_errors", map->use_server_errors ? apr_itoa(p, map->use_server_errors) : "");
    text = option(p, text, "fail_on_status", map->fail_on_status);
    text = option(p, text, "active", map->active);
    text = option(p, text, "disabled", map->disabled);
    text = option(p, text, "stopped", map->stopped);
    return option(p, text, "path", map->path);
}

static void put_lost(jk_page *page, const char *worker)
{
    jk_html_put(page, "%s ", worker);
    jk_html_badge(page, (jk_html_state){ "bad", "cross", "no worker" }, "");
}

static void put_map_worker(jk_page *page, const jk_view_map *map)
{
    const jk_html_to to = { .cmd = "show", .w = map->worker };
    bool unmount = strstr(map->type, "Unmount") != NULL;

    if (jk_view_find(page->view, map->worker))
        jk_html_link(page, &to, map->worker);
    else if (unmount || jk_registry_find(page->view->from.registry, map->worker))
        jk_html_put(page, "%s", map->worker);
    else
        put_lost(page, map->worker);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Numbers that stand there already are not shown twice: whoever adds them up would be wrong. */
static void put_map_numbers(jk_page *page, const jk_view_map *map)
{
    const char *with = map->counted < 0 ? "with all others" : strcmp(map->server, map->vhost) != 0 ? map->vhost : map->mount;

    if (map->counted == 0) {
        jk_html_put(page, "<td data-label='Requests' class='n none'>-</td><td data-label='Errors' class='n none'>-</td>");
        return;
    }
    jk_html_put(page, "<td data-label='Requests' class='n'>");
    if (map->again || map->counted < 0)
        jk_html_put(page, "<span class='mute' title='counted together with another row'>&#8593; %s</span>", with);
    else
        jk_html_number(page, map->requests);
    if (map->counted < 0 || map->again) {
        jk_html_put(page, "</td><td data-label='Errors' class='n none'>-</td>");
        return;
    }
    jk_html_put(page, "</td><td data-label='Errors' class='n'>");
    jk_html_number(page, map->errors);
    jk_html_put(page, "</td>");
}

static void put_map(jk_page *page, const jk_view_map *map)
{
    const char *options = options_of(page->p, map);

    jk_html_put(page, "<tr><th scope='row'><code class='name'>%s</code></th><td data-label='Worker'>", map->uri);
    put_map_worker(page, map);
    jk_html_put(page, "</td>");
    put_map_numbers(page, map);
    jk_html_put(page, "<td data-label='Server'>%s</td><td data-label='Type'>%s</td><td data-label='Written'><span "
                      "title='%s'>%s</span></td><td data-label='Options' class='%s'>%s</td></tr>\n", map->server, map->type, map->place,
                          *map->place ? base_name(map->place) :
                    map->source,
                *options ? "whole" : "none", *options ? options : "-");
}

static bool is_of(const jk_view_map *map, const char *worker)
{
    return worker == NULL || strcmp(map->worker, worker) == 0;
}

void jk_html_maps(jk_page *page, const char *worker)
{
    static const char *const heads[] = { "URI", "Worker", "Requests", "Errors", "Server", "Type", "Written", "Options", NULL };
    const apr_array_header_t *maps = page->view->from.maps;
    int rows = 0;
    bool folded;

    for (int i = 0; maps && i < maps->nelts; i++)
        rows += is_of(&APR_ARRAY_IDX(maps, i, jk_view_map), worker);
    folded = begin_list(page, "mounts", "Mounts", worker ? "that lead to it" : "of all virtual hosts, in the order in which they are tried", rows);
    if (rows == 0) {
        jk_html_put(page, "<p class='empty'>%s</p>\n", worker ? "None leads to it: JkMount /path/* and its name would." :
                    "There is none: JkMount /path/* WORKER makes one.");
        end_list(page, folded);
        return;
    }
    begin_table(page, "Mounts", heads);
    for (int i = 0; i < maps->nelts; i++)
        if (is_of(&APR_ARRAY_IDX(maps, i, jk_view_map), worker))
            put_map(page, &APR_ARRAY_IDX(maps, i, jk_view_map));
    end_table(page);
    end_list(page, folded);
}

/* ---- what is not the file's ---- */

static void put_edits(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb)
{
    const jk_html_to to = { .cmd = "edit", .w = lb ? lb->name : w->name, .sw = lb ? w->name : NULL, .from = true };

    for (int i = 0; i < w->edits->nelts; i++) {
        const jk_view_edit *edit = &APR_ARRAY_IDX(w->edits, i, jk_view_edit);
        jk_html_put(page, "<tr><th scope='row'>");
        if (jk_html_may_change(page))
            jk_html_link(page, &to, w->name);
        else
            jk_html_put(page, "%s", w->name);
        jk_html_put(page, "<span class='sub'>%s</span></th><td data-label='Attribute'>%s</td><td data-label='In the file'>%s</td><td "
                          "data-label='In force'><b>%s</b></td><td data-label='Changed'>", lb ? lb->name : w->type, edit->name, *edit->file ?
                              edit->file : "-", *edit->now ? edit->now : "-");
        if (w->edited_at > 0)
            jk_html_ago(page, w->edited_at);
        jk_html_put(page, "%s%s</td></tr>\n", *w->edited_by ? " by " : "", w->edited_by);
    }
}

static int count_edits(const apr_array_header_t *workers)
{
    int n = 0;

    for (int i = 0; i < workers->nelts; i++) {
        const jk_view_worker *w = &APR_ARRAY_IDX(workers, i, jk_view_worker);
        n += w->edits->nelts + (w->members ? count_edits(w->members) : 0);
    }
    return n;
}

static void put_all_edits(jk_page *page, const apr_array_header_t *workers, const jk_view_worker *lb)
{
    for (int i = 0; i < workers->nelts; i++) {
        const jk_view_worker *w = &APR_ARRAY_IDX(workers, i, jk_view_worker);
        put_edits(page, w, lb);
        if (w->members)
            put_all_edits(page, w->members, w);
    }
}

void jk_html_edits(jk_page *page)
{
    static const char *const heads[] = { "Worker", "Attribute", "In the file", "In force", "Changed", NULL };
    const jk_view *view = page->view;
    int rows = count_edits(view->balancers) + count_edits(view->workers);
    bool folded;

    if (rows == 0)
        return;
    folded = begin_list(page, "edits", "Differs from the file", "changed at run time; a restart keeps it, a value edited in the file wins", rows);
    begin_table(page, "Values that differ from the file", heads);
    put_all_edits(page, view->balancers, NULL);
    put_all_edits(page, view->workers, NULL);
    end_table(page);
    end_list(page, folded);
}

/* ---- findings ---- */

static void put_finding(jk_page *page, const jk_view_finding *one)
{
    bool info = strcmp(one->severity, "info") == 0, warning = strcmp(one->severity, "warning") == 0;
    const char *word = strcmp(one->severity, "lenient") == 0 ? "error, lived with" : one->severity;

    jk_html_put(page, "<li class='%s'>", info ? "off" : warning ? "warn" : "bad");
    jk_html_shape(page, info ? "ring" : warning ? "full" : "cross");
    jk_html_put(page, "<div><p>%s</p><p class='mute'>%s", one->text, word);
    if (*one->file)
        jk_html_put(page, " · %s", one->file);
    if (one->line > 0)
        jk_html_put(page, ":%d", (int)one->line);
    jk_html_put(page, "</p></div></li>\n");
}

void jk_html_findings(jk_page *page)
{
    const jk_view *view = page->view;
    bool folded;

    if (view->finding_count == 0)
        return;
    folded = begin_list(page, "findings", "Findings of the configuration check", "httpd -t says the same", view->finding_count);
    jk_html_put(page, "<ul class='findings'>\n");
    for (int i = 0; i < view->finding_count; i++)
        put_finding(page, &APR_ARRAY_IDX(view->findings, i, jk_view_finding));
    jk_html_put(page, "</ul>\n");
    end_list(page, folded);
}

/* ---- the legend ---- */

void jk_html_legend(jk_page *page)
{
    static const struct { jk_html_state state; const char *text; } rows[] = {
        { { "ok", "dot", "ok" }, "it answered since the last maintenance" },
        { { "idle", "ring", "idle" }, "it would get requests, but none came since the last maintenance" },
        { { "warn", "full", "busy" }, "it has as many requests as busy_limit or its pool allows" },
        { { "bad", "cross", "error" }, "it failed; after recover_time one request tries it again" },
        { { "warn", "turn", "recovering" }, "it was in error, and the next request tries it; probing: one does; forced: nobody else was left" },
        { { "warn", "half", "draining" }, "disabled: no new sessions; requests of its sessions still come or are under way" },
        { { "off", "half", "disabled" }, "the same, and nobody came in the last 5 minutes: it can be stopped" },
        { { "off", "square", "stopped" }, "no requests at all" },
    };

    jk_html_put(page, "<details class='legend'><summary>What the words mean</summary><dl>\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        jk_html_put(page, "<div><dt>");
        jk_html_badge(page, rows[i].state, "");
        jk_html_put(page, "</dt><dd>%s</dd></div>\n", rows[i].text);
    }
    jk_html_put(page, "</dl></details>\n");
}
