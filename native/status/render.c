/* native/status/render.c - the walk. Which elements there are, and in which order, is the same for all formats; what is not for one is left
 * out by the bits in the tables. */
#include "jk/status/render.h"

#include "formats.h"
#include "jk/status/edit.h"

#include <apr_strings.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- the text ---- */

static void grow(jk_page *page, size_t more)
{
    size_t cap = page->cap ? page->cap : 4096;
    char *text;

    while (cap - page->len <= more)
        cap *= 2;
    if (cap == page->cap)
        return;
    text = apr_palloc(page->p, cap);
    if (page->len > 0)
        memcpy(text, page->text, page->len);
    page->text = text;
    page->cap = cap;
}

void jk_page_bytes(jk_page *page, const char *text, size_t n)
{
    grow(page, n);
    memcpy(page->text + page->len, text, n);
    page->len += n;
    page->text[page->len] = '\0';
}

void jk_page_put(jk_page *page, const char *text)
{
    jk_page_bytes(page, text, strlen(text));
}

void jk_page_printf(jk_page *page, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    grow(page, 256);
    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(page->text + page->len, page->cap - page->len, fmt, ap);
    if (n > 0 && (size_t)n >= page->cap - page->len) {
        grow(page, (size_t)n);
        n = vsnprintf(page->text + page->len, page->cap - page->len, fmt, again);
    }
    va_end(again);
    va_end(ap);
    page->len += n > 0 ? (size_t)n : 0;
    page->text[page->len] = '\0';
}

size_t jk_page_utf8(const char *s)
{
    const uint8_t *u = (const uint8_t *)s;
    size_t n = *u < 0x80 ? 1 : *u < 0xC2 ? 0 : *u < 0xE0 ? 2 : *u < 0xF0 ? 3 : *u < 0xF5 ? 4 : 0;

    for (size_t i = 1; i < n; i++)
        if ((u[i] & 0xC0) != 0x80)
            return 0;
    if ((*u == 0xE0 && u[1] < 0xA0) || (*u == 0xED && u[1] > 0x9F) || (*u == 0xF0 && u[1] < 0x90) || (*u == 0xF4 && u[1] > 0x8F))
        return 0;
    return *u ? n : 0;
}

const void *jk_page_inside(const jk_page *page, jk_element element)
{
    for (int i = page->depth - 1; i >= 0; i--)
        if (page->open[i] == element)
            return page->what[i];
    return NULL;
}

/* ---- one element ---- */

static jk_shown number(apr_pool_t *p, int64_t n)
{
    return (jk_shown){ JK_SHOWN_NUMBER, n, apr_psprintf(p, "%" PRId64, n) };
}

/* More than an int64_t holds is more than anybody counts. */
static jk_shown count(apr_pool_t *p, uint64_t n)
{
    return number(p, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static jk_shown shown(apr_pool_t *p, const jk_show_field *f, const void *what)
{
    const char *at = (const char *)what + f->offset;

    switch (f->type) {
    case JK_F_I32:
        return number(p, *(const int32_t *)(const void *)at);
    case JK_F_I64:
        return number(p, *(const int64_t *)(const void *)at);
    case JK_F_U32:
        return count(p, *(const uint32_t *)(const void *)at);
    case JK_F_U64:
        return count(p, *(const uint64_t *)(const void *)at);
    case JK_F_BOOL:
        return (jk_shown){ JK_SHOWN_FLAG, *(const bool *)at, *(const bool *)at ? "True" : "False" };
    case JK_F_CHARS:
        return (jk_shown){ JK_SHOWN_TEXT, 0, at };
    default:
        return (jk_shown){ JK_SHOWN_TEXT, 0, *(const char *const *)(const void *)at };
    }
}

static bool is_there(const jk_show_field *f, const void *what)
{
    return f->when == 0 || *(const int64_t *)(const void *)((const char *)what + f->when) != 0;
}

/* False: it is not for this format. */
static bool enter(jk_page *page, jk_element element, const void *what)
{
    const jk_show_element *e = &jk_show_elements[element];
    const jk_format *format = page->ask->format;

    if (!(e->to & format->audience))
        return false;
    format->open(page, element, what);
    page->open[page->depth] = element;
    page->what[page->depth++] = what;
    for (const jk_show_field *f = e->fields; f->name; f++) {
        if (!(f->to & format->audience) || !is_there(f, what))
            continue;
        jk_shown value = shown(page->p, f, what);
        format->field(page, element, f, &value);
    }
    return true;
}

static void body(jk_page *page)
{
    page->ask->format->body(page, page->open[page->depth - 1]);
}

static void leave(jk_page *page)
{
    jk_element element = page->open[--page->depth];

    page->ask->format->close(page, element);
}

static void leaf(jk_page *page, jk_element element, const void *what)
{
    if (!enter(page, element, what))
        return;
    body(page);
    leave(page);
}

/* ---- workers ---- */

static bool hides(const jk_page *page, unsigned what)
{
    return page->ask->opt & what;
}

static void edits(jk_page *page, const jk_view_worker *w)
{
    for (int i = 0; i < w->edits->nelts; i++)
        leaf(page, JK_EL_EDIT, &APR_ARRAY_IDX(w->edits, i, jk_view_edit));
}

static void shares(jk_page *page, const jk_view_worker *w)
{
    for (int i = 0; i < w->processes->nelts; i++)
        leaf(page, JK_EL_SHARE, &APR_ARRAY_IDX(w->processes, i, jk_stat_share));
}

static void maps(jk_page *page, const jk_view_worker *w)
{
    for (int i = 0; !hides(page, JK_HIDE_MAPS) && i < w->maps->nelts; i++)
        leaf(page, JK_EL_MAP, APR_ARRAY_IDX(w->maps, i, const jk_view_map *));
}

static void member(jk_page *page, const jk_view_worker *m)
{
    if (!enter(page, JK_EL_MEMBER, m))
        return;
    body(page);
    edits(page, m);
    shares(page, m);
    leave(page);
}

static void balancer(jk_page *page, const jk_view_worker *lb)
{
    const char *one = page->ask->command->does & JK_CMD_ONE ? page->ask->sw : NULL;

    if (!enter(page, JK_EL_BALANCER, lb))
        return;
    body(page);
    edits(page, lb);
    for (int i = 0; !hides(page, JK_HIDE_MEMBERS) && i < lb->members->nelts; i++) {
        const jk_view_worker *m = &APR_ARRAY_IDX(lb->members, i, jk_view_worker);
        if (one == NULL || strcmp(one, m->name) == 0)
            member(page, m);
    }
    maps(page, lb);
    leave(page);
}

/* In the old formats its mounts do not lie in it, but behind it: that is so where its kind has no end of its own. */
static void container(jk_page *page, const jk_view_worker *w)
{
    if (!enter(page, JK_EL_AJP, w))
        return;
    body(page);
    edits(page, w);
    shares(page, w);
    maps(page, w);
    leave(page);
}

/* The old formats leave out what has nothing in it. */
static bool has_any(const jk_page *page, int32_t n)
{
    return n > 0 || (page->ask->format->audience & JK_TO_NEW);
}

static void all_workers(jk_page *page)
{
    const jk_view *view = page->view;

    if (has_any(page, view->lb_count) && !hides(page, JK_HIDE_LB) && enter(page, JK_EL_BALANCERS, view)) {
        body(page);
        for (int i = 0; i < view->lb_count; i++)
            balancer(page, &APR_ARRAY_IDX(view->balancers, i, jk_view_worker));
        leave(page);
    }
    if (has_any(page, view->ajp_count) && !hides(page, JK_HIDE_AJP) && enter(page, JK_EL_AJP_WORKERS, view)) {
        body(page);
        for (int i = 0; i < view->ajp_count; i++)
            container(page, &APR_ARRAY_IDX(view->workers, i, jk_view_worker));
        leave(page);
    }
}

static void one_worker(jk_page *page)
{
    const jk_view_worker *w = jk_view_find(page->view, page->ask->w);

    if (w == NULL) /* a status worker: there is nothing to show */
        return;
    if (w->members)
        balancer(page, w);
    else
        container(page, w);
}

/* ---- the rest ---- */

static bool adds_up(const char *key)
{
    const jk_key *row = jk_keys_of(key);

    return row && jk_keys_adds_up(row);
}

/* Keys in the order in which they came first, each with all that it says. Secrets, and what they are made of, are left out. */
static apr_array_header_t *properties(apr_pool_t *p, const jk_props *props)
{
    apr_array_header_t *out = apr_array_make(p, 32, sizeof(jk_prop));
    apr_hash_t *seen = apr_hash_make(p);

    for (int i = 0; i < props->all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(props->all, i, jk_prop);
        size_t n = (size_t)apr_hash_get(seen, prop->key, APR_HASH_KEY_STRING);
        if (n == 0) {
            APR_ARRAY_PUSH(out, jk_prop) = *prop;
            apr_hash_set(seen, prop->key, APR_HASH_KEY_STRING, (void *)(size_t)out->nelts);
            continue;
        }
        jk_prop *one = &APR_ARRAY_IDX(out, n - 1, jk_prop);
        one->value = adds_up(prop->key) ? apr_pstrcat(p, one->value, ",", prop->value, NULL) : prop->value;
        one->hidden = one->hidden || prop->hidden;
    }
    return out;
}

static void property(jk_page *page, const char *key, const char *value)
{
    const jk_show_field field = { key, JK_TO_ALL, JK_F_TEXT, 0, 0, 0, "" };
    const jk_shown shown = { JK_SHOWN_TEXT, 0, value };

    page->ask->format->field(page, JK_EL_CONFIGURATION, &field, &shown);
}

/* Members that no file names, as lines that would name them; each balancer says which they are. */
static void added_members(jk_page *page, const jk_view_worker *lb)
{
    const char *names = "";

    for (int i = 0; i < lb->members->nelts; i++) {
        const jk_view_worker *m = &APR_ARRAY_IDX(lb->members, i, jk_view_worker);
        for (int k = 0; m->added && k < m->edits->nelts; k++) {
            const jk_view_edit *said = &APR_ARRAY_IDX(m->edits, k, jk_view_edit);
            property(page, apr_pstrcat(page->p, "worker.", m->name, ".", said->name, NULL), said->now);
        }
        if (m->added)
            names = apr_pstrcat(page->p, names, *names ? "," : "", m->name, NULL);
    }
    if (*names)
        property(page, apr_pstrcat(page->p, "worker.", lb->name, ".added_members", NULL), names);
}

static void configuration(jk_page *page)
{
    const apr_array_header_t *all = properties(page->p, page->view->from.workers->props);

    if (!enter(page, JK_EL_CONFIGURATION, all))
        return;
    for (int i = 0; i < all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(all, i, jk_prop);
        if (!prop->hidden)
            property(page, prop->key, prop->value);
    }
    for (int i = 0; i < page->view->lb_count; i++)
        added_members(page, &APR_ARRAY_IDX(page->view->balancers, i, jk_view_worker));
    body(page);
    leave(page);
}

static void findings(jk_page *page)
{
    const jk_view *view = page->view;

    if (!enter(page, JK_EL_FINDINGS, view))
        return;
    body(page);
    for (int i = 0; i < view->finding_count; i++)
        leaf(page, JK_EL_FINDING, &APR_ARRAY_IDX(view->findings, i, jk_view_finding));
    leave(page);
}

/* Who changes something by a program knows the keys of workers.properties, not the parameters. */
static void keys(jk_page *page, jk_element element, unsigned of)
{
    if (!enter(page, element, &of))
        return;
    for (const jk_attribute *a = jk_attributes; a->param; a++) {
        const jk_show_field field = { a->key, JK_TO_JSON, JK_F_TEXT, 0, 0, 0, "" };
        const jk_shown value = { JK_SHOWN_TEXT, 0, a->param };
        if (a->of & of)
            page->ask->format->field(page, element, &field, &value);
    }
    body(page);
    leave(page);
}

static void changes(jk_page *page)
{
    if (!enter(page, JK_EL_CHANGES, &page->view->from))
        return;
    body(page);
    keys(page, JK_EL_KEYS_LB, JK_OF_LB);
    keys(page, JK_EL_KEYS_MEMBER, JK_OF_MEMBER);
    keys(page, JK_EL_KEYS_AJP, JK_OF_AJP);
    leave(page);
}

static void head(jk_page *page)
{
    const jk_view *view = page->view;
    unsigned does = page->ask->command->does;

    if (does & JK_CMD_SERVER)
        leaf(page, JK_EL_SERVER, &view->from);
    if (!(does & JK_CMD_HEAD))
        return;
    leaf(page, JK_EL_TIME, view);
    leaf(page, JK_EL_SOFTWARE, &view->from);
    leaf(page, JK_EL_PROCESS, &view->from);
    if (*view->from.token)
        changes(page);
}

static void walk(jk_page *page)
{
    unsigned does = page->ask->command->does;

    head(page);
    if (does & JK_CMD_ALL)
        leaf(page, JK_EL_PARKED, &page->view->from.parked);
    if (does & JK_CMD_ALL)
        all_workers(page);
    if (does & JK_CMD_ONE)
        one_worker(page);
    if (does & JK_CMD_ALL)
        findings(page);
    if (does & JK_CMD_DUMP)
        configuration(page);
}

const jk_format jk_formats[] = {
    { "html", "text/html; charset=utf-8", JK_TO_HTML, JK_FORMAT_FUNCTIONS(html) },
    { "xml", "text/xml", JK_TO_XML, JK_FORMAT_FUNCTIONS(xml) },
    { "txt", "text/plain", JK_TO_TXT, JK_FORMAT_FUNCTIONS(txt) },
    { "prop", "text/plain", JK_TO_PROP, JK_FORMAT_FUNCTIONS(prop) },
    { "json", "application/json", JK_TO_JSON, JK_FORMAT_FUNCTIONS(json) },
    { "openmetrics", JK_METRICS_OPEN_TYPE, JK_TO_METRICS, JK_FORMAT_FUNCTIONS(openmetrics) },
    { NULL },
};

const jk_format *jk_render_format(const char *mime)
{
    const jk_format *f = jk_formats;

    while (f->mime && strcmp(f->mime, mime) != 0)
        f++;
    return f->mime ? f : NULL;
}

jk_span jk_render(apr_pool_t *p, const jk_view *view, const jk_ask *ask, const jk_result *result, const jk_worker_conf *conf)
{
    jk_page page = { .p = p, .view = view, .ask = ask, .result = result, .conf = conf };
    const jk_view_result outcome = { jk_result_ok(result) ? "OK" : "ERROR", result->message };

    grow(&page, 0);
    page.text[0] = '\0';
    ask->format->begin(&page);
    if (view && jk_result_ok(result))
        walk(&page);
    leaf(&page, JK_EL_RESULT, &outcome);
    ask->format->end(&page);
    return (jk_span){ (const uint8_t *)page.text, page.len };
}
