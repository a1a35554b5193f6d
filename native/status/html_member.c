/* native/status/html_member.c - one container in all its numbers, with how to take it out of service; and every number of all members of a
 * balancer, under the names that tools and people have known since mod_jk 1.2. */
#include "html.h"

#include <apr_strings.h>

/* ---- cells ---- */

static int64_t seconds(const jk_page *page, const jk_view_worker *w)
{
    int64_t s = w->numbers.last_reset > 0 ? page->view->from.now - w->numbers.last_reset : 0;

    return s > 0 ? s : 0;
}

/* How many, and how many a second. */
static void put_rate(jk_page *page, const jk_html_row *row, uint64_t n)
{
    int64_t s = seconds(page, row->w);

    jk_html_number(page, n);
    jk_html_put(page, " <span class='mute'>%s</span>", s ? apr_psprintf(page->p, "%.1f/s", (double)n / (double)s) : "-");
}

static void put_bytes_rate(jk_page *page, const jk_html_row *row, uint64_t n)
{
    int64_t s = seconds(page, row->w);

    jk_html_bytes(page, n);
    jk_html_put(page, " <span class='mute'>");
    if (s > 0)
        jk_html_bytes(page, n / (uint64_t)s);
    jk_html_put(page, "%s</span>", s > 0 ? "/s" : "-");
}

#define CELL(name, call)                                    \
    static void name(jk_page *page, const jk_html_row *row) \
    {                                                       \
        const jk_view_worker *w = row->w;                   \
        call;                                               \
    }
#define COUNT(what) w->numbers.count[what]

CELL(activation_cell, jk_html_put(page, "%s", w->activation))
CELL(state_cell, jk_html_put(page, "%s", w->state))
CELL(distance_cell, jk_html_put(page, "%d", (int)w->now.distance))
CELL(factor_cell, jk_html_put(page, "%d", (int)w->now.lbfactor))
CELL(mult_cell, jk_html_number(page, w->mult))
CELL(value_cell, jk_html_number(page, w->value))
CELL(served_cell, put_rate(page, row, COUNT(JK_COUNT_SERVED)))
CELL(sessions_cell, put_rate(page, row, COUNT(JK_COUNT_SESSIONS)))
CELL(errors_cell, jk_html_number(page, COUNT(JK_COUNT_ERRORS)))
CELL(client_errors_cell, jk_html_number(page, COUNT(JK_COUNT_CLIENT_ERRORS)))
CELL(timeouts_cell, jk_html_number(page, COUNT(JK_COUNT_TIMEOUTS)))
CELL(resends_cell, jk_html_number(page, COUNT(JK_COUNT_RESENDS)))
CELL(rejects_cell, jk_html_number(page, COUNT(JK_COUNT_REJECTS)))
CELL(connects_cell, jk_html_number(page, COUNT(JK_COUNT_CONNECTS)))
CELL(written_cell, put_bytes_rate(page, row, COUNT(JK_COUNT_WRITTEN)))
CELL(read_cell, put_bytes_rate(page, row, COUNT(JK_COUNT_READ)))
CELL(busy_cell, jk_html_put(page, "%u", w->numbers.busy))
CELL(max_busy_cell, jk_html_put(page, "%u", w->numbers.max_busy))
CELL(connected_cell, jk_html_put(page, "%u", w->numbers.connected))
CELL(max_connected_cell, jk_html_put(page, "%u", w->numbers.max_connected))
CELL(route_cell, jk_html_put(page, "%s", *w->now.route ? w->now.route : "-"))
CELL(redirect_cell, jk_html_put(page, "%s", *w->now.redirect ? w->now.redirect : "-"))
CELL(domain_cell, jk_html_put(page, "%s", *w->now.domain ? w->now.domain : "-"))
CELL(recover_cell, jk_html_put(page, "%s", w->recover_max > 0 ? apr_psprintf(page->p, "%s to %s", jk_html_span(page->p, w->recover_min),
                                                                              jk_html_span(page->p, w->recover_max)) : "-"))
CELL(reset_cell, jk_html_ago(page, w->numbers.last_reset))
CELL(error_cell, jk_html_ago(page, w->error_at))
CELL(sticky_cell, jk_html_put(page, "%u", w->sticky_recent))
CELL(idle_cell, jk_html_put(page, "%u", w->numbers.idle))

static void within_cell(jk_page *page, const jk_html_row *row)
{
    const jk_stat_histogram *times = &row->w->first;
    const char *half = jk_html_within(page->p, times, 0.5);

    jk_html_put(page, "%s%s%s", *half ? half : "-", *half ? " / " : "", jk_html_within(page->p, times, 0.95));
}

static const jk_html_column of_details[] = {
    { "Name", "", "", jk_html_name_cell },
    { "Act", "activation", "", activation_cell },
    { "State", "state", "", state_cell },
    { "D", "distance", "n", distance_cell },
    { "F", "lbfactor", "n", factor_cell },
    { "M", "load value of one request", "n", mult_cell },
    { "V", "load value", "n", value_cell },
    { "Acc", "requests, and a second since the reset", "n", served_cell },
    { "Sess", "requests that had no session", "n", sessions_cell },
    { "Sticky", "sticky requests of the last 5 minutes", "n", sticky_cell },
    { "First", "answers begin within: half of them / 95 of 100", "n", within_cell },
    { "Err", "failed because of the container", "n", errors_cell },
    { "CE", "failed because of the client", "n", client_errors_cell },
    { "RE", "reply timeouts", "n", timeouts_cell },
    { "Again", "sent again after they had been written", "n", resends_cell },
    { "Refused", "refused by the connector", "n", rejects_cell },
    { "Wr", "bytes to the container", "n", written_cell },
    { "Rd", "bytes from the container", "n", read_cell },
    { "Busy", "requests under way", "n", busy_cell },
    { "MaxBusy", "most requests at once", "n", max_busy_cell },
    { "Con", "open connections", "n", connected_cell },
    { "MaxCon", "most connections at once", "n", max_connected_cell },
    { "Made", "connections that were made", "n", connects_cell },
    { "Idle", "connections that no request has", "n", idle_cell },
    { "Route", "route", "", route_cell },
    { "RR", "redirect", "", redirect_cell },
    { "Cd", "domain", "", domain_cell },
    { "Rs", "time until it is tried again", "n", recover_cell },
    { "LR", "last reset", "n", reset_cell },
    { "LE", "last error", "n", error_cell },
    { NULL },
};

void jk_html_details(jk_page *page, const jk_view_worker *lb)
{
    if (lb->members->nelts == 0)
        return;
    jk_html_section(page, "details", "Every number", "columns as in mod_jk 1.2; their titles say what they are");
    jk_html_table(page, apr_pstrcat(page->p, "All numbers of the members of ", lb->name, NULL), of_details, lb->members, lb);
    jk_html_put(page, "</section>\n");
}

/* ---- one container ---- */

/* The columns of members alone, by what they show. */
static bool is_for(const jk_html_column *c, bool member)
{
    static void (*const alone[])(jk_page *, const jk_html_row *) = { activation_cell, distance_cell, factor_cell, mult_cell, value_cell,
                                                                     sessions_cell, sticky_cell,
                                                                     route_cell, redirect_cell, domain_cell, recover_cell };

    for (size_t i = 0; !member && i < sizeof alone / sizeof alone[0]; i++)
        if (c->cell == alone[i])
            return false;
    return true;
}

static void put_numbers(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb)
{
    const jk_html_row row = { w, lb, 0, 0 };

    jk_html_section(page, "numbers", "Numbers", "");
    jk_html_put(page, "<dl class='numbers'>\n");
    for (const jk_html_column *c = of_details + 1; c->label; c++) {
        if (!is_for(c, lb != NULL))
            continue;
        jk_html_put(page, "<div><dt>%s</dt><dd>", *c->title ? c->title : c->label);
        c->cell(page, &row);
        jk_html_put(page, "</dd></div>\n");
    }
    jk_html_put(page, "</dl></section>\n");
}

static void put_activation_buttons(jk_page *page, const jk_view_worker *m, const jk_view_worker *lb)
{
    static const struct { jk_activation to; const char *value, *text; } rows[] = {
        { JK_ACTIVE, "active", "Activate" }, { JK_DISABLED, "disabled", "Drain: no new sessions" }, { JK_STOPPED, "stopped", "Stop: no requests" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((jk_activation)m->now.activation != rows[i].to)
            jk_html_button_put(page, &(jk_html_button){ .cmd = "update", .w = lb->name, .sw = m->name, .param = "vwa", .value = rows[i].value,
                                                        .text = rows[i].text,
                                                        .kind = rows[i].to == JK_STOPPED && !m->safe_to_stop ? "risky" : "" });
}

static void put_drain(jk_page *page, const jk_view_worker *m, const jk_view_worker *lb)
{
    jk_html_section(page, "drain", "Taking it out of service", "");
    jk_html_put(page, "<dl class='drain'>\n<div><dt>In flight</dt><dd><b>%u</b></dd></div>\n", m->numbers.busy);
    jk_html_put(page, "<div><dt>Sticky hits in the last 5 min</dt><dd><b>%u</b>", m->sticky_recent);
    jk_html_minutes(page, &m->sticky);
    jk_html_put(page, "</dd></div>\n<div class='%s'><dt>Safe to stop</dt><dd>%s</dd></div>\n</dl>\n", m->safe_to_stop ? "yes" : "no",
                jk_html_safe(page->p, m));
    if (jk_html_may_change(page)) {
        jk_html_put(page, "<div class='actions'>");
        put_activation_buttons(page, m, lb);
        jk_html_put(page, "</div>\n");
    }
    jk_html_put(page, "</section>\n");
}

static void put_actions(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb)
{
    const jk_html_to edit = { .cmd = "edit", .w = lb ? lb->name : w->name, .sw = lb ? w->name : NULL, .from = true };

    if (!jk_html_may_change(page))
        return;
    jk_html_put(page, "<div class='actions'>");
    jk_html_link(page, &edit, "Edit");
    jk_html_button_put(page, &(jk_html_button){ .cmd = "reset", .w = edit.w, .sw = edit.sw, .text = lb ? "Reset counters and state" :
                                                "Reset counters", .kind = "quiet" });
    if (lb && w->state_code == JK_STATE_ERR)
        jk_html_button_put(page, &(jk_html_button){ .cmd = "recover", .w = edit.w, .sw = edit.sw, .text = "Try now", .kind = "main" });
    if (lb && w->added)
        jk_html_button_put(page, &(jk_html_button){ .cmd = "remove", .w = edit.w, .sw = edit.sw, .text = "Remove", .kind = w->safe_to_stop ? "" :
                                                    "risky" });
    jk_html_put(page, "</div>");
}

static void put_trouble(jk_page *page, const jk_view_worker *w)
{
    if (w->failure.rc == JK_OK || w->error_at == 0)
        return;
    jk_html_put(page, "<p class='why'>%s ", w->state_code == JK_STATE_ERR ? "In error, first" : "An error,");
    jk_html_ago(page, w->error_at);
    jk_html_put(page, ". %s</p>\n", jk_html_reason(page->p, w));
}

void jk_html_one(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb)
{
    jk_html_put(page, "<section class='card' aria-labelledby='one'><div class='head'><h2 id='one'>%s</h2>", w->name);
    jk_html_badge(page, jk_html_state_of(w, lb != NULL), w->state);
    jk_html_put(page, "<p class='tag'>%s%s</p>", lb ? "member of " : "ajp13", lb ? lb->name : "");
    put_actions(page, w, lb);
    jk_html_put(page, "</div>\n<p class='facts'><span>at <b>%s</b></span>", w->address);
    if (strcmp(w->source, "undefined") != 0)
        jk_html_put(page, "<span>from %s</span>", w->source);
    jk_html_put(page, "</p>\n");
    put_trouble(page, w);
    if (!(page->ask->opt & JK_HIDE_AJP_CONFIG))
        jk_html_settings(page, w, lb != NULL);
    jk_html_put(page, "</section>\n");
    if (lb)
        put_drain(page, w, lb);
    put_numbers(page, w, lb);
}
