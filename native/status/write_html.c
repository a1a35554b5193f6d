/* native/status/write_html.c - mime=html: every element as a table of its fields, and forms for what may be changed. Plain, whole, and
 * without a script: it works in any browser, and by keyboard. */
#include "formats.h"

#include "jk/conf/values.h"
#include "jk/status/edit.h"

#include <apr_lib.h>
#include <apr_strings.h>

/* ---- text ---- */

static const char *escape_of(char c)
{
    switch (c) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

static void put_escaped(jk_page *page, const char *s)
{
    for (size_t n; *s; s += n ? n : 1) {
        const char *escape = escape_of(*s);
        n = jk_page_utf8(s);
        if (escape)
            jk_page_put(page, escape);
        else if (n == 0 || (uint8_t)*s < ' ' || *s == 0x7f)
            jk_page_put(page, "\xEF\xBF\xBD");
        else
            jk_page_bytes(page, s, n);
    }
}

/* A part of a query, inside of an attribute. */
static void put_parameter(jk_page *page, const char *name, const char *value)
{
    jk_page_printf(page, "&amp;%s=", name);
    for (; *value; value++) {
        bool plain = apr_isalnum(*value) || strchr("-._~", *value);
        jk_page_printf(page, plain ? "%c" : "%%%02X", (unsigned)(uint8_t)*value);
    }
}

/* ---- links and forms ---- */

static bool may_change(const jk_page *page)
{
    return page->view && *page->view->from.token && !page->ask->read_only;
}

static void link_to(jk_page *page, const char *cmd, const jk_view_worker *w, const jk_view_worker *lb)
{
    jk_page_put(page, "<a href=\"");
    put_escaped(page, page->view->from.base);
    jk_page_printf(page, "?cmd=%s", cmd);
    put_parameter(page, "w", lb ? lb->name : w->name);
    if (lb)
        put_parameter(page, "sw", w->name);
    jk_page_printf(page, "\">%s</a>\n", cmd);
}

static void hidden(jk_page *page, const char *name, const char *value)
{
    jk_page_printf(page, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    put_escaped(page, value);
    jk_page_put(page, "\">\n");
}

static void begin_form(jk_page *page, const char *cmd, const jk_view_worker *w, const jk_view_worker *lb)
{
    jk_page_put(page, "<form method=\"post\" action=\"");
    put_escaped(page, page->view->from.base);
    jk_page_put(page, "\">\n");
    hidden(page, "token", page->view->from.token);
    hidden(page, "cmd", cmd);
    hidden(page, "w", lb ? lb->name : w->name);
    if (lb)
        hidden(page, "sw", w->name);
}

static void end_form(jk_page *page, const char *word)
{
    jk_page_printf(page, "<button type=\"submit\">%s</button>\n</form>\n", word);
}

static void button(jk_page *page, const char *cmd, const jk_view_worker *w, const jk_view_worker *lb)
{
    begin_form(page, cmd, w, lb);
    end_form(page, cmd);
}

static void options(jk_page *page, const jk_key *key, const char *now)
{
    static const jk_key_word flags[] = { { "true", "", 1 }, { "false", "", 0 }, { NULL } };
    int32_t last = INT32_MIN;

    for (const jk_key_word *w = key->words ? key->words : flags; w->word; w++) {
        if (w->value == last)
            continue;
        last = w->value;
        jk_page_printf(page, "<option%s>%s</option>", strcmp(w->word, now) == 0 ? " selected" : "", w->word);
    }
}

static void input(jk_page *page, const jk_attribute *a, const jk_view_worker *w)
{
    const jk_key *key = jk_attribute_key(a);
    jk_worker_conf copy = *w->worker->conf;

    copy.tune = w->now;
    const char *now = jk_values_text(page->p, key, &copy);
    jk_page_printf(page, "<tr><th><label for=\"%s\">%s</label></th><td>", a->param, key->name);
    if (key->words || key->type == JK_KEY_BOOL) {
        jk_page_printf(page, "<select id=\"%s\" name=\"%s\">", a->param, a->param);
        options(page, key, now);
        jk_page_put(page, "</select>");
    } else {
        jk_page_printf(page, "<input id=\"%s\" name=\"%s\" value=\"", a->param, a->param);
        put_escaped(page, now);
        jk_page_printf(page, "\"> %s", key->unit);
    }
    jk_page_put(page, "</td><td>");
    put_escaped(page, key->help);
    jk_page_put(page, "</td></tr>\n");
}

static void edit_form(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb)
{
    unsigned of = w->members ? JK_OF_LB : lb ? JK_OF_MEMBER : JK_OF_AJP;

    jk_page_put(page, "<h2>Edit ");
    put_escaped(page, w->name);
    jk_page_put(page, "</h2>\n");
    begin_form(page, "update", w, lb);
    jk_page_put(page, "<table>\n");
    for (const jk_attribute *a = jk_attributes; a->param; a++)
        if (a->of & of)
            input(page, a, w);
    jk_page_put(page, "</table>\n");
    end_form(page, "Update");
}

static void edit(jk_page *page)
{
    const jk_view_worker *w = jk_view_find(page->view, page->ask->w), *m = w;

    if (w && page->ask->sw)
        m = jk_view_member(w, page->ask->sw);
    if (m)
        edit_form(page, m, page->ask->sw ? w : NULL);
}

/* ---- the format ---- */

static void put_title(jk_page *page)
{
    jk_page_put(page, "JK Status Manager");
    if (page->view == NULL)
        return;
    jk_page_put(page, " for ");
    put_escaped(page, page->view->from.server_name);
    jk_page_printf(page, ":%d%s", (int)page->view->from.server_port, may_change(page) ? "" : " (read only)");
}

void jk_write_html_begin(jk_page *page)
{
    bool shows = page->ask->command->does & (JK_CMD_ALL | JK_CMD_ONE);

    jk_page_put(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    if (page->ask->refresh > 0 && shows)
        jk_page_printf(page, "<meta http-equiv=\"refresh\" content=\"%d\">\n", page->ask->refresh);
    if (*page->conf->css) {
        jk_page_put(page, "<link rel=\"stylesheet\" href=\"");
        put_escaped(page, page->conf->css);
        jk_page_put(page, "\">\n");
    }
    jk_page_put(page, "<title>");
    put_title(page);
    jk_page_put(page, "</title>\n</head>\n<body>\n<h1>");
    put_title(page);
    jk_page_put(page, "</h1>\n");
}

static void put_heading(jk_page *page, jk_element element, const void *what)
{
    bool named = element == JK_EL_BALANCER || element == JK_EL_MEMBER || element == JK_EL_AJP;

    jk_page_printf(page, "<h%d>%s ", page->depth > 2 ? 4 : page->depth + 2, jk_show_elements[element].name);
    if (named)
        put_escaped(page, ((const jk_view_worker *)what)->name);
    jk_page_printf(page, "</h%d>\n", page->depth > 2 ? 4 : page->depth + 2);
}

void jk_write_html_open(jk_page *page, jk_element element, const void *what)
{
    put_heading(page, element, what);
    jk_page_put(page, "<table>\n");
}

void jk_write_html_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value)
{
    (void)element;
    jk_page_put(page, "<tr><th>");
    put_escaped(page, field->name);
    jk_page_put(page, "</th><td>");
    put_escaped(page, value->text);
    jk_page_put(page, "</td></tr>\n");
}

/* What can be done to a worker stands below its fields. */
static void put_actions(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb)
{
    if (lb == NULL)
        link_to(page, "show", w, NULL);
    if (!may_change(page))
        return;
    link_to(page, "edit", w, lb);
    button(page, "reset", w, lb);
    if (lb && w->state_code == JK_STATE_ERR)
        button(page, "recover", w, lb);
}

void jk_write_html_body(jk_page *page, jk_element element)
{
    const void *what = page->what[page->depth - 1];

    jk_page_put(page, "</table>\n");
    if (element == JK_EL_BALANCER || element == JK_EL_AJP)
        put_actions(page, what, NULL);
    else if (element == JK_EL_MEMBER)
        put_actions(page, what, jk_page_inside(page, JK_EL_BALANCER));
}

void jk_write_html_close(jk_page *page, jk_element element)
{
    (void)page;
    (void)element;
}

void jk_write_html_end(jk_page *page)
{
    if (page->view && jk_result_ok(page->result) && strcmp(page->ask->command->name, "edit") == 0)
        edit(page);
    if (page->view) {
        jk_page_put(page, "<p><a href=\"");
        put_escaped(page, page->view->from.base);
        jk_page_put(page, "\">Back to all workers</a></p>\n");
    }
    jk_page_put(page, "</body>\n</html>\n");
}
