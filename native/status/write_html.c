/* native/status/write_html.c - mime=html: the page for people. What is wrong now comes first, then the workers, then the rest.
 *
 * A page is no list of fields: the walk gives it the configuration alone (cmd=dump), and all else is written at its end, from the view. */
#include "formats.h"
#include "html.h"

#include <apr_strings.h>

/* ---- the head ---- */

static bool is(const jk_page *page, const char *cmd)
{
    return strcmp(page->ask->command->name, cmd) == 0;
}

static const char *title_of(const jk_page *page)
{
    const jk_view_from *from = page->view ? &page->view->from : NULL;

    if (from == NULL)
        return "JK Status Manager";
    return apr_psprintf(page->p, "JK Status Manager for %s:%d%s", from->server_name, (int)from->server_port, jk_html_may_change(page) ? "" :
                        " (read only)");
}

/* What a change that succeeded leads back to. */
static jk_html_to back_to(const jk_page *page)
{
    const char *from = jk_query_get(&page->ask->query, "from"), *psw = jk_query_get(&page->ask->query, "psw");
    const jk_view_worker *w = page->view && page->ask->w ? jk_view_find(page->view, page->ask->w) : NULL;

    if (w && from && strcmp(from, "show") == 0) /* where it was removed: to its balancer */
        return (jk_html_to){ .cmd = "show", .w = page->ask->w, .sw = psw && jk_view_member(w, psw) ? psw : NULL };
    return (jk_html_to){ .cmd = "list" };
}

static bool has_changed(const jk_page *page)
{
    return page->view && jk_result_ok(page->result) && (page->ask->command->does & JK_CMD_CHANGES);
}

static void put_refresh(jk_page *page)
{
    const jk_html_to back = back_to(page);

    if (has_changed(page))
        jk_html_put(page, "<meta http-equiv='refresh' content='3;url=%s'/>\n", jk_html_url(page, &back));
    else if (page->ask->refresh > 0 && jk_result_ok(page->result) && (page->ask->command->does & (JK_CMD_ALL | JK_CMD_ONE)))
        jk_html_put(page, "<meta http-equiv='refresh' content='%d'/>\n", page->ask->refresh);
}

static void put_document(jk_page *page)
{
    jk_page_put(page, "<!DOCTYPE html>\n<html lang='en' xmlns='http://www.w3.org/1999/xhtml'>\n<head>\n<meta charset='utf-8'/>\n"
                "<meta name='viewport' content='width=device-width, initial-scale=1'/>\n<meta name='color-scheme' content='light dark'/>\n");
    put_refresh(page);
    jk_html_put(page, "<title>%s</title>\n<style>", title_of(page));
    jk_page_put(page, jk_html_style);
    jk_page_put(page, "</style>\n");
    if (*page->conf->css)
        jk_html_put(page, "<link rel='stylesheet' href='%s'/>\n", page->conf->css);
    jk_page_put(page, "</head>\n<body>\n");
    jk_page_put(page, jk_html_shapes);
}

/* ---- the navigation ---- */

static void put_page_link(jk_page *page, const char *cmd, const char *text)
{
    const jk_html_to to = { .cmd = cmd };

    if (is(page, cmd))
        jk_html_put(page, "<a href='%s' aria-current='page'>%s</a>", jk_html_url(page, &to), text);
    else
        jk_html_link(page, &to, text);
    jk_html_put(page, "\n");
}

/* The same page with another opt or re. */
static jk_html_to here(const jk_page *page)
{
    const jk_ask *ask = page->ask;
    bool stays = !(ask->command->does & JK_CMD_CHANGES) && jk_result_ok(page->result);

    return (jk_html_to){ .cmd = stays ? ask->command->name : "list", .w = stays ? ask->w : NULL, .sw = stays ? ask->sw : NULL, .att = stays ?
                         ask->att : NULL };
}

static void put_refresh_links(jk_page *page)
{
    static const struct { int re; const char *text; } rows[] = { { -1, "off" }, { 5, "5 s" }, { 30, "30 s" } };
    jk_html_to to = here(page);

    jk_html_put(page, "<span class='switch'><span class='mute'>Refresh</span>");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        to.re = rows[i].re;
        if (page->ask->refresh == (rows[i].re < 0 ? 0 : rows[i].re))
            jk_html_put(page, " <b aria-current='true'>%s</b>", rows[i].text);
        else
            jk_html_put(page, " <a href='%s'>%s</a>", jk_html_url(page, &to), rows[i].text);
    }
    jk_html_put(page, "</span>\n");
}

static void put_read_only(jk_page *page)
{
    jk_html_to to = here(page);

    if (page->conf->read_only)
        return;
    to.flip = JK_HIDE_CHANGES;
    if (is(page, "edit"))
        to = (jk_html_to){ .cmd = "list", .flip = JK_HIDE_CHANGES };
    jk_html_link(page, &to, page->ask->opt & JK_HIDE_CHANGES ? "Read-write" : "Read only");
    jk_html_put(page, "\n");
}

static void put_navigation(jk_page *page)
{
    jk_html_put(page, "<nav aria-label='Pages'>");
    put_page_link(page, "list", "Workers");
    put_page_link(page, "dump", "Configuration");
    put_read_only(page);
    put_refresh_links(page);
    jk_html_put(page, "</nav>\n");
}

static void put_header(jk_page *page)
{
    const jk_view *view = page->view;

    jk_html_put(page, "<header><h1>%s</h1>\n", title_of(page));
    if (view) {
        jk_html_put(page, "<p class='sub'>%s, %s. It is <time title='%lld'>%s</time>; process %d, generation %d.</p>\n", view->from.jk_version,
                    view->from.web_server,
                    (long long)view->from.now, view->readable, (int)view->from.pid, (int)view->from.generation);
        put_navigation(page);
    }
    jk_html_put(page, "</header>\n<main>\n");
}

/* ---- the result ---- */

static const char *done_words(const jk_page *page)
{
    return is(page, "reset") ? "The counters begin anew." : is(page, "recover") ? "The next request tries it." :
        "Saved. It is in force in all processes.";
}

static void put_result(jk_page *page)
{
    const jk_html_to back = back_to(page);

    if (!jk_result_ok(page->result)) {
        jk_html_put(page, "<div class='result bad' role='alert'>");
        jk_html_shape(page, "cross");
        jk_html_put(page, "<p>Result: ERROR - %s</p></div>\n", page->result->message);
    } else if (has_changed(page)) {
        jk_html_put(page, "<div class='result ok' role='status'>");
        jk_html_shape(page, "dot");
        jk_html_put(page, "<p>Result: OK - %s ", done_words(page));
        jk_html_link(page, &back, "Back");
        jk_html_put(page, "</p></div>\n");
    }
}

/* ---- the body ---- */

static void put_back(jk_page *page, const jk_view_worker *lb)
{
    const jk_html_to all = { .cmd = "list" }, up = { .cmd = "show", .w = lb ? lb->name : NULL };

    jk_html_put(page, "<p class='back'>");
    jk_html_link(page, &all, "All workers");
    if (lb) {
        jk_html_put(page, " / ");
        jk_html_link(page, &up, lb->name);
    }
    jk_html_put(page, "</p>\n");
}

static void put_worker(jk_page *page, const char *name, const char *sub)
{
    const jk_view_worker *w = jk_view_find(page->view, name), *m = w && sub && w->members ? jk_view_member(w, sub) : NULL;

    put_back(page, m ? w : NULL);
    if (m) {
        jk_html_one(page, m, w);
        return;
    }
    if (w && w->members) {
        jk_html_balancer(page, w);
        jk_html_details(page, w);
    } else if (w) {
        jk_html_one(page, w, NULL);
    } else {
        jk_html_put(page, "<section class='card'><h2>%s</h2><p class='empty'>It is of type status: there is nothing to show.</p></section>\n", name);
    }
    if (!(page->ask->opt & JK_HIDE_MAPS))
        jk_html_maps(page, name);
}

static void put_view(jk_page *page, const char *cmd, const char *w, const char *sw)
{
    if (strcmp(cmd, "list") == 0)
        jk_html_overview(page);
    else if (strcmp(cmd, "show") == 0)
        put_worker(page, w, sw);
}

static void put_body(jk_page *page)
{
    const jk_ask *ask = page->ask;
    const jk_html_to back = back_to(page);

    if (page->view == NULL)
        return;
    if (has_changed(page)) {
        put_view(page, back.cmd, back.w, back.sw);
    } else if (is(page, "edit") || is(page, "update") || is(page, "add")) {
        put_back(page, ask->w && ask->sw ? jk_view_find(page->view, ask->w) : NULL);
        if (ask->w)
            jk_html_edit(page);
    } else if (jk_result_ok(page->result)) {
        put_view(page, ask->command->name, ask->w, ask->sw);
    } else {
        put_back(page, NULL);
    }
}

/* ---- the foot ---- */

static void put_hide(jk_page *page)
{
    static const struct { unsigned bit; const char *text; } rows[] = {
        { JK_HIDE_LB, "balancers" }, { JK_HIDE_MEMBERS, "members" }, { JK_HIDE_LB_SUMMARY, "summaries" }, { JK_HIDE_LB_CONFIG,
                                                                                                            "settings of balancers" },
        { JK_HIDE_AJP, "other workers" }, { JK_HIDE_AJP_CONFIG, "settings of workers" }, { JK_HIDE_MAPS, "mounts" }, { JK_HIDE_LEGEND, "legend" },
    };
    jk_html_to to = here(page);

    jk_html_put(page, "<p class='links'>");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        to.flip = rows[i].bit;
        jk_html_link(page, &to, apr_pstrcat(page->p, page->ask->opt & rows[i].bit ? "Show " : "Hide ", rows[i].text, NULL));
        jk_html_put(page, "\n");
    }
    jk_html_put(page, "</p>\n");
}

static void put_foot(jk_page *page)
{
    static const char *const formats[] = { "json", "xml", "txt", "prop", "openmetrics" };
    jk_html_to to = here(page);

    jk_html_put(page, "</main>\n<div class='footer'>\n");
    if (page->view && jk_result_ok(page->result) && (page->ask->command->does & (JK_CMD_ALL | JK_CMD_ONE)) && page->ask->sw == NULL)
        put_hide(page);
    if (page->view && jk_result_ok(page->result) && !is(page, "edit")) {
        jk_html_put(page, "<p class='links'>For scripts:");
        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
            to.mime = formats[i];
            jk_html_put(page, " ");
            jk_html_link(page, &to, formats[i]);
        }
        jk_html_put(page, "</p>\n");
    }
    jk_html_put(page, "</div>\n</body>\n</html>\n");
}

/* ---- the format ---- */

void jk_write_html_begin(jk_page *page)
{
    put_document(page);
    put_header(page);
    put_result(page);
}

void jk_write_html_open(jk_page *page, jk_element element, const void *what)
{
    (void)element, (void)what;
    jk_html_section(page, "dump", "Configuration", "as it was read, without secrets");
    jk_html_put(page, "<div class='scroll' role='region' tabindex='0' aria-label='Configuration'><table class='pairs'>\n"
                "<caption class='unseen'>Properties</caption>\n"
                "<thead><tr><th scope='col'>Key</th><th scope='col'>Value</th></tr></thead>\n<tbody>\n");
}

void jk_write_html_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value)
{
    (void)element;
    jk_html_put(page, "<tr><th scope='row'><code>%s</code></th><td><code>%s</code></td></tr>\n", field->name, value->text);
}

void jk_write_html_body(jk_page *page, jk_element element)
{
    (void)element;
    jk_html_put(page, "</tbody></table></div></section>\n");
}

void jk_write_html_close(jk_page *page, jk_element element)
{
    (void)element;
    jk_html_edits(page);
}

void jk_write_html_end(jk_page *page)
{
    put_body(page);
    put_foot(page);
}
