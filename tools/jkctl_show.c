/* tools/jkctl_show.c - columns as wide as what stands in them; a colour only on the word that says how a worker is. */
#include "jkctl_show.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 12

typedef struct table {
    char *(*rows)[COLUMNS]; /* clean; the first is the head */
    jkc_exit *health;       /* of each row */
    size_t n, columns;
} table;

static const char *const words[] = { [JKC_GOOD] = "good", [JKC_DEGRADED] = "degraded", [JKC_BAD] = "bad" };
static const char *const colours[] = { [JKC_GOOD] = "\033[32m", [JKC_DEGRADED] = "\033[33m", [JKC_BAD] = "\033[31m" };

/* ---- a table ---- */

static void begin_row(table *t, jkc_exit health)
{
    t->rows = jkc_must(realloc(t->rows, (t->n + 1) * sizeof *t->rows));
    t->health = jkc_must(realloc(t->health, (t->n + 1) * sizeof *t->health));
    t->health[t->n] = health;
    memset(t->rows[t->n++], 0, sizeof t->rows[0]);
    t->columns = 0;
}

/* The next cell of the row that was begun last. */
static void cell(table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void cell(table *t, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        jkc_must(NULL);
    va_end(ap);
    t->rows[t->n - 1][t->columns++] = jkc_clean(text);
    free(text);
}

static int width(const table *t, size_t column)
{
    size_t most = 0;

    for (size_t i = 0; i < t->n; i++)
        if (strlen(t->rows[i][column]) > most)
            most = strlen(t->rows[i][column]);
    return (int)most;
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789.-")] == '\0';
}

/* A column of numbers stands at its right edge. */
static bool is_right(const table *t, size_t column)
{
    bool right = t->n > 1;

    for (size_t i = 1; i < t->n; i++)
        right = right && is_number(t->rows[i][column]);
    return right;
}

static void write_cell(FILE *out, const table *t, size_t row, size_t column, bool colour)
{
    const char *text = t->rows[row][column];
    if (column + 1 == t->columns && *text == '\0')
        return;
    int w = column + 1 < t->columns || is_right(t, column) ? width(t, column) : 0;
    bool lit = colour && row > 0 && strcmp(t->rows[0][column], "HEALTH") == 0;

    fprintf(out, "  %s%*s%s", lit ? colours[t->health[row]] : "", is_right(t, column) ? w : -w, text, lit ? "\033[0m" : "");
}

static void write_table(FILE *out, table *t, bool colour)
{
    for (size_t i = 0; i < t->n; i++) {
        for (size_t j = 0; j < t->columns; j++)
            write_cell(out, t, i, j, colour);
        fputc('\n', out);
    }
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < t->columns; j++)
            free(t->rows[i][j]);
    free(t->rows);
    free(t->health);
    *t = (table){ NULL };
}

/* ---- rows ---- */

static void head_row(table *t, bool member)
{
    static const char *const names[] = { "ADDRESS", "STATE", "HEALTH", "BUSY", "MAX", "REQUESTS", "ERRORS", "CONNECTED" };

    begin_row(t, JKC_GOOD);
    cell(t, "%s", member ? "MEMBER" : "WORKER");
    if (member)
        cell(t, "ACTIVATION");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cell(t, "%s", names[i]);
}

/* Requests per second since the look before; -1: not known. */
static double rate(const jkc_worker *w, const jkc_view *view)
{
    const char *count = w->kind == JKC_MEMBER ? "elected" : "used";
    jkc_workers all = jkc_look_all(view->before, w->kind);
    json_int_t more = -1;

    for (size_t i = 0; view->before && i < all.n; i++) {
        char *a = jkc_look_name(&all.list[i]), *b = jkc_look_name(w);
        if (strcmp(a, b) == 0)
            more = jkc_number(w->values, count) - jkc_number(all.list[i].values, count);
        free(a);
        free(b);
    }
    free(all.list);
    return more >= 0 && view->seconds > 0 ? (double)more / view->seconds : -1;
}

/* "lbfactor=3 (file: 1)", of all that was changed at run time. */
static char *edits(const json_t *values)
{
    const json_t *all = json_object_get(values, "edits");
    char *text = NULL;
    size_t len = 0;
    FILE *f = jkc_must(open_memstream(&text, &len));

    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        fprintf(f, "%s%s=%s (file: %s)", i ? ", " : "", jkc_text(one, "key"), jkc_text(one, "now"), jkc_text(one, "file"));
    }
    if (fclose(f) != 0)
        jkc_must(NULL);
    return text;
}

static void worker_row(table *t, const jkc_worker *w, const jkc_view *view)
{
    const json_t *v = w->values;
    jkc_exit health = jkc_look_health(w);
    char *changed = edits(v);

    begin_row(t, health);
    cell(t, "%s", jkc_text(v, "name"));
    if (w->kind == JKC_MEMBER)
        cell(t, "%s", jkc_look_activation(v));
    cell(t, "%s", jkc_text(v, "address"));
    cell(t, "%s", jkc_text(v, "state"));
    cell(t, "%s", words[health]);
    cell(t, "%" JSON_INTEGER_FORMAT, jkc_number(v, "busy"));
    cell(t, "%" JSON_INTEGER_FORMAT, jkc_number(v, "max_busy"));
    cell(t, "%" JSON_INTEGER_FORMAT, jkc_number(v, w->kind == JKC_MEMBER ? "elected" : "used"));
    cell(t, "%" JSON_INTEGER_FORMAT, jkc_number(v, "errors"));
    cell(t, "%" JSON_INTEGER_FORMAT, jkc_number(v, "connected"));
    double per_second = rate(w, view);
    if (view->before && per_second < 0)
        cell(t, "-");
    else if (view->before)
        cell(t, "%.1f", per_second);
    cell(t, "%s", changed);
    free(changed);
}

static void rows(FILE *out, const jkc_workers *all, bool member, const jkc_view *view)
{
    table t = { NULL };

    head_row(&t, member);
    if (view->before)
        cell(&t, "PER S");
    cell(&t, "CHANGED");
    for (size_t i = 0; i < all->n; i++)
        worker_row(&t, &all->list[i], view);
    bool changed = false;
    for (size_t i = 1; i < t.n; i++)
        changed = changed || *t.rows[i][t.columns - 1];
    if (!changed) /* the head alone would stand there */
        *t.rows[0][t.columns - 1] = '\0';
    write_table(out, &t, view->colours);
}

/* ---- all of it ---- */

static void head(FILE *out, const json_t *look, const jkc_view *view)
{
    const json_t *now = json_object_get(look, "time");
    char *version = jkc_clean(jkc_text(json_object_get(look, "software"), "jk_version"));
    char *when = jkc_clean(jkc_text(now, "datetime"));

    fprintf(out, "%s  %s", view->url, version);
    if (strlen(when) == 14)
        fprintf(out, "  %.4s-%.2s-%.2s %.2s:%.2s:%.2s", when, when + 4, when + 6, when + 8, when + 10, when + 12);
    fputc('\n', out);
    if (jkc_flag(json_object_get(look, "process"), "config_stale"))
        fputs("The newest configuration is broken; the last good one is in force (httpd -t says why).\n", out);
    free(version);
    free(when);
}

static void balancer(FILE *out, const jkc_worker *lb, const jkc_view *view)
{
    json_t *members = json_object_get(lb->values, "members");
    jkc_workers all = { NULL, json_array_size(members) };
    char *name = jkc_look_name(lb), *changed = edits(lb->values), *clean = jkc_clean(changed);

    all.list = jkc_must(calloc(all.n + 1, sizeof *all.list));
    for (size_t i = 0; i < all.n; i++)
        all.list[i] = (jkc_worker){ JKC_MEMBER, lb->values, json_array_get(members, i) };
    fprintf(out, "\nbalancer %s: %" JSON_INTEGER_FORMAT " good, %" JSON_INTEGER_FORMAT " degraded, %" JSON_INTEGER_FORMAT " bad; %"
            JSON_INTEGER_FORMAT " under way\n", name, jkc_number(lb->values, "good"), jkc_number(lb->values, "degraded"),
            jkc_number(lb->values, "bad"), jkc_number(lb->values, "busy"));
    if (*clean)
        fprintf(out, "  changed: %s\n", clean);
    rows(out, &all, true, view);
    free(all.list);
    free(changed);
    free(clean);
    free(name);
}

static jkc_exit worse(jkc_exit a, jkc_exit b)
{
    return a > b ? a : b;
}

static jkc_exit show(FILE *out, const jkc_workers *all, const jkc_view *view)
{
    jkc_workers single = { jkc_must(calloc(all->n + 1, sizeof *single.list)), 0 };
    jkc_exit whole = JKC_GOOD;

    for (size_t i = 0; i < all->n; i++) {
        const jkc_worker *w = &all->list[i];
        whole = worse(whole, jkc_look_health(w));
        if (w->kind == JKC_LB)
            balancer(out, w, view);
        else
            single.list[single.n++] = *w;
    }
    if (single.n) {
        fputs(single.list[0].kind == JKC_AJP ? "\nworkers without a balancer\n" : "\n", out);
        rows(out, &single, single.list[0].kind == JKC_MEMBER, view);
    }
    free(single.list);
    return whole;
}

jkc_exit jkc_show(FILE *out, const json_t *look, const jkc_view *view)
{
    jkc_workers all = view->only ? jkc_look_find(look, view->only, JKC_ANY) : jkc_look_all(look, JKC_LB | JKC_AJP);
    jkc_exit whole = jkc_flag(json_object_get(look, "process"), "config_stale") ? JKC_DEGRADED : JKC_GOOD;

    if (view->only && all.n == 0)
        return JKC_REFUSED;
    head(out, look, view);
    if (all.n == 0)
        fputs("\nThere are no workers.\n", out);
    whole = worse(whole, show(out, &all, view));
    free(all.list);
    return whole;
}
