/* native/status/html.h - the pieces that the page (mime=html) is put together from. The room's own.
 *
 * Everything goes through jk_html_put(), which escapes whatever is not its own format: a name can do nothing to the page. The page is well-formed
 * XML, too. It has no script, asks for nothing from elsewhere, and no element has a style of its own: the Content-Security-Policy allows
 * one stylesheet, by its hash. */
#ifndef JK_STATUS_HTML_H
#define JK_STATUS_HTML_H

#include "jk/status/render.h"

/* ---- html_text.c: text, links, numbers ---- */

/* Appends. Knows %s, which is escaped, %d, %u, %lld, %llu and %%. */
void jk_html_put(jk_page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Where a link leads. What is not said stays as it is on this page: opt, re. */
typedef struct jk_html_to {
    const char *cmd, *w, *sw, *att, *mime; /* NULL: none */
    unsigned flip;                         /* bits of opt */
    int re;                                /* s; 0: as it is, negative: none */
    bool from;                             /* tell where from, to come back */
} jk_html_to;

/* Not escaped yet; in the page's pool. */
const char *jk_html_url(const jk_page *page, const jk_html_to *to);

/* "list" or "show": what to come back to. */
const char *jk_html_from(const jk_page *page);

/* A link with a text. */
void jk_html_link(jk_page *page, const jk_html_to *to, const char *text);

/* Numbers as people read them; what is left out stands in the title. */
void jk_html_number(jk_page *page, uint64_t n);
void jk_html_bytes(jk_page *page, uint64_t n);
void jk_html_ago(jk_page *page, int64_t at); /* "3 min ago", "never" for 0 */
const char *jk_html_span(apr_pool_t *p, int64_t s); /* "3 min" */
const char *jk_html_percent(apr_pool_t *p, uint64_t part, uint64_t whole);

/* A bar: so much of the whole; `mark`: where the configuration would have it, in 1/1000, negative: nowhere. kind: a class of the stylesheet. */
void jk_html_bar(jk_page *page, const char *kind, uint64_t part, uint64_t whole, int mark);

/* The beginning of a section, with its heading and what stands beside that ("": nothing); </section> ends it. */
void jk_html_section(jk_page *page, const char *id, const char *title, const char *tag);

/* One column a bucket; and within which time so much of all lies: "50 ms", "" where there is nothing. */
void jk_html_times(jk_page *page, const jk_stat_histogram *times);
const char *jk_html_within(apr_pool_t *p, const jk_stat_histogram *times, double share);

/* One column a minute. */
void jk_html_minutes(jk_page *page, const jk_stat_visits *visits);

/* ---- html_style.c ---- */

/* The stylesheet, and the drawings that the page refers to. Its hash is in jk/status/style.h. */
extern const char jk_html_style[], jk_html_shapes[];

/* ---- html_state.c: what is the matter with a member, and what to do ---- */

/* How a worker is, in a word and a shape. */
typedef struct jk_html_state {
    const char *kind;  /* class: "ok", "idle", "warn", "bad", "off" */
    const char *shape; /* of jk_html_shapes */
    const char *word;
} jk_html_state;

void jk_html_shape(jk_page *page, const char *shape);
jk_html_state jk_html_state_of(const jk_view_worker *w, bool member);
void jk_html_badge(jk_page *page, jk_html_state state, const char *title);

/* Why the last request that failed did, and what to do about it; in p. */
const char *jk_html_reason(apr_pool_t *p, const jk_view_worker *w);

/* "no: 3 requests are under way" */
const char *jk_html_safe(apr_pool_t *p, const jk_view_worker *m);

/* ---- html_table.c: workers as rows ---- */

typedef struct jk_html_row {
    const jk_view_worker *w, *lb; /* lb: whose member it is; NULL: nobody's */
    uint64_t served, factors;     /* by all rows; lbfactors of those that may get new sessions */
} jk_html_row;

/* A column is a row of a table of these. */
typedef struct jk_html_column {
    const char *label; /* NULL ends the table */
    const char *title; /* what it means; "": the label says it */
    const char *kind;  /* class: "n" for numbers */
    void (*cell)(jk_page *page, const jk_html_row *row);
} jk_html_column;

/* The first column names the row. On a narrow screen each row becomes a card. lb may be NULL. */
void jk_html_table(jk_page *page, const char *caption, const jk_html_column *columns, const apr_array_header_t *workers, const jk_view_worker *lb);

/* The first column of all. */
void jk_html_name_cell(jk_page *page, const jk_html_row *row);

/* ---- the sections ---- */

void jk_html_problems(jk_page *page);
void jk_html_overview(jk_page *page);                                          /* all workers */
void jk_html_balancer(jk_page *page, const jk_view_worker *lb);                /* one, with its members */
void jk_html_details(jk_page *page, const jk_view_worker *lb);                 /* every number of every member */
void jk_html_containers(jk_page *page, const apr_array_header_t *workers); /* of jk_view_worker */
void jk_html_members(jk_page *page, const jk_view_worker *lb);
void jk_html_settings(jk_page *page, const jk_view_worker *w, bool member);
void jk_html_one(jk_page *page, const jk_view_worker *w, const jk_view_worker *lb); /* lb: whose member it is; NULL: nobody's */
void jk_html_pools(jk_page *page);
void jk_html_waits(jk_page *page);
void jk_html_maps(jk_page *page, const char *worker);                          /* NULL: all */
void jk_html_edits(jk_page *page);
void jk_html_findings(jk_page *page);
void jk_html_legend(jk_page *page);
void jk_html_edit(jk_page *page);                                              /* cmd=edit, and what was sent where it was refused */

/* ---- html_edit.c: forms ---- */

bool jk_html_may_change(const jk_page *page);

/* A form with one button: reset, recover; or update, with one value. */
typedef struct jk_html_button {
    const char *cmd, *w, *sw, *param, *value, *text;
    const char *kind; /* class: "", "main" */
} jk_html_button;

void jk_html_button_put(jk_page *page, const jk_html_button *button);

#endif
