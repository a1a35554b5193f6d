/* native/status/html_table.c - workers as rows of a table, and the columns that an overview has. */
#include "html.h"

#include <apr_strings.h>

/* ---- any table ---- */

static jk_html_row sums(const apr_array_header_t *workers, const jk_view_worker *lb)
{
    jk_html_row row = { NULL, lb, 0, 0 };

    for (int i = 0; i < workers->nelts; i++) {
        const jk_view_worker *w = &APR_ARRAY_IDX(workers, i, jk_view_worker);
        row.served += w->numbers.count[JK_COUNT_SERVED];
        if (w->now.activation == JK_ACTIVE && jk_member_usable(w->state_code))
            row.factors += (uint64_t)(w->now.lbfactor > 0 ? w->now.lbfactor : 0);
    }
    return row;
}

static void put_head(jk_page *page, const jk_html_column *columns)
{
    jk_html_put(page, "<thead><tr>");
    for (const jk_html_column *c = columns; c->label; c++)
        jk_html_put(page, "<th scope='col' class='%s' title='%s'>%s</th>", c->kind, c->title, c->label);
    jk_html_put(page, "</tr></thead>\n<tbody>\n");
}

static void put_row(jk_page *page, const jk_html_column *columns, const jk_html_row *row)
{
    jk_html_put(page, "<tr><th scope='row'>");
    columns->cell(page, row);
    jk_html_put(page, "</th>");
    for (const jk_html_column *c = columns + 1; c->label; c++) {
        jk_html_put(page, "<td class='%s' data-label='%s'>", c->kind, c->label);
        c->cell(page, row);
        jk_html_put(page, "</td>");
    }
    jk_html_put(page, "</tr>\n");
}

void jk_html_table(jk_page *page, const char *caption, const jk_html_column *columns, const apr_array_header_t *workers, const jk_view_worker *lb)
{
    jk_html_row row = sums(workers, lb);

    jk_html_put(page, "<div class='scroll' role='region' tabindex='0' aria-label='%s'><table class='cards'>\n"
                "<caption class='unseen'>%s</caption>\n", caption, caption);
    put_head(page, columns);
    for (int i = 0; i < workers->nelts; i++) {
        row.w = &APR_ARRAY_IDX(workers, i, jk_view_worker);
        put_row(page, columns, &row);
    }
    jk_html_put(page, "</tbody></table></div>\n");
}

/* ---- cells ---- */

static jk_html_to to_row(const char *cmd, const jk_html_row *row)
{
    return (jk_html_to){ .cmd = cmd, .w = row->lb ? row->lb->name : row->w->name, .sw = row->lb ? row->w->name : NULL, .from = strcmp(cmd,
                                                                                                                                      "edit") == 0 };
}

void jk_html_name_cell(jk_page *page, const jk_html_row *row)
{
    const jk_html_to to = to_row("show", row);

    jk_html_put(page, "<a class='name' href='%s'>%s</a><span class='sub'>%s</span>", jk_html_url(page, &to), row->w->name, row->w->address);
}

/* What an administrator must know beside the word: for how long, until when, what is still there. */
static void put_state_more(jk_page *page, const jk_html_row *row)
{
    const jk_view_worker *w = row->w;

    if (w->state_code == JK_STATE_ERR && w->error_at > 0) {
        jk_html_put(page, "<span class='sub'>");
        jk_html_ago(page, w->error_at);
        jk_html_put(page, "</span>");
    } else if (row->lb && w->now.activation != JK_ACTIVE) {
        jk_html_put(page, "<span class='sub' title='requests of its sessions in the last 5 minutes: %u'>%s</span>", w->sticky_recent,
                    w->safe_to_stop ? "safe to stop" : apr_psprintf(page->p, "%u sticky", w->sticky_recent));
    }
}

static void state_cell(jk_page *page, const jk_html_row *row)
{
    const jk_view_worker *w = row->w;

    jk_html_badge(page, jk_html_state_of(w, row->lb != NULL), row->lb ? apr_psprintf(page->p, "activation %s, state %s, %s", w->activation,
                                                                                     w->state, w->health) : w->state);
    put_state_more(page, row);
}

/* The mark is where lbfactor alone would have it. */
static void load_cell(jk_page *page, const jk_html_row *row)
{
    const jk_view_worker *w = row->w;
    uint64_t served = w->numbers.count[JK_COUNT_SERVED];
    bool gets = row->lb && row->factors > 0 && w->now.activation == JK_ACTIVE && jk_member_usable(w->state_code);
    int mark = gets ? (int)(1000 * (uint64_t)(w->now.lbfactor > 0 ? w->now.lbfactor : 0) / row->factors) : -1;

    jk_html_put(page, "<span class='pair'><span>");
    jk_html_number(page, served);
    jk_html_put(page, "</span><span class='mute'>%s</span></span>", jk_html_percent(page->p, served, row->served));
    jk_html_bar(page, "load", served, row->served, mark);
}

static void busy_cell(jk_page *page, const jk_html_row *row)
{
    const jk_view_worker *w = row->w;

    jk_html_put(page, "<span>%u</span> <span class='mute' title='the most there were at once'>/ %u</span>", w->numbers.busy, w->numbers.max_busy);
}

static void sessions_cell(jk_page *page, const jk_html_row *row)
{
    jk_html_number(page, row->w->numbers.count[JK_COUNT_SESSIONS]);
}

static void errors_cell(jk_page *page, const jk_html_row *row)
{
    uint64_t errors = row->w->numbers.count[JK_COUNT_ERRORS], served = row->w->numbers.count[JK_COUNT_SERVED];

    if (errors == 0) {
        jk_html_put(page, "<span class='mute'>0</span>");
        return;
    }
    served = served > errors ? served : errors;
    jk_html_put(page, "<span class='pair'><span>");
    jk_html_number(page, errors);
    jk_html_put(page, "</span><span class='mute'>%s</span></span>", jk_html_percent(page->p, errors, served));
    jk_html_bar(page, "errors", errors, served, -1);
}

/* Half of the answers, and nearly all. */
static void times_cell(jk_page *page, const jk_html_row *row)
{
    const char *half = jk_html_within(page->p, &row->w->first, 0.5);

    if (*half == '\0') {
        jk_html_put(page, "<span class='mute'>-</span>");
        return;
    }
    jk_html_put(page, "<span class='pair'><span title='half of the answers began within that time'>%s</span><span class='mute' title='95 of 100 "
                      "began within that time'>%s</span></span>", half, jk_html_within(page->p, &row->w->first, 0.95));
    jk_html_times(page, &row->w->first);
}

static void connections_cell(jk_page *page, const jk_html_row *row)
{
    const jk_view_worker *w = row->w;

    jk_html_put(page, "<span>%u</span> <span class='mute' title='the most there were at once'>/ %u</span>", w->numbers.connected,
                w->numbers.max_connected);
}

static void sent_cell(jk_page *page, const jk_html_row *row)
{
    jk_html_bytes(page, row->w->numbers.count[JK_COUNT_WRITTEN]);
}

static void received_cell(jk_page *page, const jk_html_row *row)
{
    jk_html_bytes(page, row->w->numbers.count[JK_COUNT_READ]);
}

static void route_cell(jk_page *page, const jk_html_row *row)
{
    const jk_tune *now = &row->w->now;

    jk_html_put(page, "<span class='name'>%s</span>", *now->route ? now->route : "-");
    if (*now->domain && strcmp(now->domain, now->route) != 0)
        jk_html_put(page, "<span class='sub'>domain %s</span>", now->domain);
}

static void factor_cell(jk_page *page, const jk_html_row *row)
{
    jk_html_put(page, "%d", (int)row->w->now.lbfactor);
}

static void actions_cell(jk_page *page, const jk_html_row *row)
{
    const jk_html_to to = to_row("edit", row), show = to_row("show", row);

    if (jk_html_may_change(page))
        jk_html_link(page, &to, "Edit");
    else
        jk_html_link(page, &show, "Show");
    if (row->w->edits->nelts > 0)
        jk_html_put(page, "<span class='sub' title='%s'>differs from file</span>", row->w->edited);
}

#define CONNECTIONS { "Connections", "open now, and the most there were: all processes together", "n", connections_cell }
#define ERRORS { "Errors", "requests that failed because of the container", "wide narrow", errors_cell }
#define BUSY { "In flight", "requests under way, and the most there were", "n", busy_cell }
#define TIMES { "Answers begin", "within: half of them, 95 of 100; how many in each range, since the server was started", "wide narrow", times_cell }
#define TRAFFIC { "Sent", "bytes to the container", "n", sent_cell }, { "Received", "bytes from the container", "n", received_cell }

static const jk_html_column of_members[] = {
    { "Member", "", "", jk_html_name_cell },
    { "State", "", "state", state_cell },
    { "Requests", "requests, and the share of all; the mark is the share by lbfactor", "wide", load_cell },
    { "New sessions", "requests that had no session", "n", sessions_cell },
    ERRORS,
    TIMES,
    BUSY,
    CONNECTIONS,
    TRAFFIC,
    { "Factor", "lbfactor", "n", factor_cell },
    { "Route", "", "", route_cell },
    { "Actions", "", "act", actions_cell },
    { NULL },
};

static const jk_html_column of_containers[] = {
    { "Worker", "", "", jk_html_name_cell },
    { "State", "", "state", state_cell },
    { "Requests", "requests, and the share of all workers of their own", "wide", load_cell },
    ERRORS,
    TIMES,
    BUSY,
    CONNECTIONS,
    TRAFFIC,
    { "Actions", "", "act", actions_cell },
    { NULL },
};

void jk_html_containers(jk_page *page, const apr_array_header_t *workers)
{
    jk_html_table(page, "Workers of type ajp13", of_containers, workers, NULL);
}

void jk_html_members(jk_page *page, const jk_view_worker *lb)
{
    jk_html_table(page, apr_pstrcat(page->p, "Members of ", lb->name, NULL), of_members, lb->members, lb);
}
