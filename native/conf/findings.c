/* native/conf/findings.c - collects, judges and words what a check found. */
#include "jk/conf/findings.h"

#include "jk/base/span.h"

#include <apr_strings.h>
#include <stdlib.h>

jk_findings *jk_findings_make(apr_pool_t *p)
{
    jk_findings *f = apr_pcalloc(p, sizeof *f);

    f->p = p;
    f->all = apr_array_make(p, 8, sizeof(jk_finding));
    return f;
}

static bool known(const jk_findings *f, const jk_finding *one)
{
    for (int i = 0; i < f->all->nelts; i++) {
        const jk_finding *other = &APR_ARRAY_IDX(f->all, i, jk_finding);
        if (other->line == one->line && other->severity == one->severity && strcmp(other->text, one->text) == 0 &&
            (other->file == one->file || (other->file && one->file && strcmp(other->file, one->file) == 0)))
            return true;
    }
    return false;
}

/* Where all is full the last of the mildest goes: what refuses the configuration must be among those that are told. */
static bool make_room(jk_findings *f, jk_severity wanted)
{
    jk_finding *all = (jk_finding *)f->all->elts;
    int out = -1;

    for (int i = 0; i < f->all->nelts; i++)
        if (all[i].severity < wanted && (out < 0 || all[i].severity <= all[out].severity))
            out = i;
    if (out < 0)
        return false;
    memmove(all + out, all + out + 1, (size_t)(f->all->nelts - out - 1) * sizeof *all);
    f->all->nelts--;
    return true;
}

void jk_findings_add(jk_findings *f, jk_severity severity, const char *file, int line, const char *fmt, ...)
{
    jk_finding one = { severity, file, line, NULL, f->turn++ };
    va_list ap;

    va_start(ap, fmt);
    one.text = apr_pvsprintf(f->p, fmt, ap);
    va_end(ap);
    if (known(f, &one))
        return;
    f->count[severity]++;
    if (f->all->nelts < JK_FINDINGS_MOST || make_room(f, severity))
        APR_ARRAY_PUSH(f->all, jk_finding) = one;
}

int jk_findings_count(const jk_findings *f, jk_severity severity)
{
    return f->count[severity];
}

bool jk_findings_refuse(const jk_findings *f, bool strict)
{
    return f->count[JK_FIND_ERROR] > 0 || (strict && f->count[JK_FIND_LENIENT] > 0);
}

static int by_place(const void *a, const void *b)
{
    const jk_finding *x = a, *y = b;
    int files = strcmp(x->file ? x->file : "", y->file ? y->file : "");

    if (files != 0)
        return files;
    return x->line != y->line ? (x->line > y->line ? 1 : -1) : x->turn > y->turn ? 1 : -1;
}

void jk_findings_sort(jk_findings *f)
{
    qsort(f->all->elts, (size_t)f->all->nelts, sizeof(jk_finding), by_place);
}

static const char *place_of(apr_pool_t *p, const jk_finding *one)
{
    if (one->file == NULL)
        return "";
    return one->line ? apr_psprintf(p, "%s:%d: ", one->file, one->line) : apr_pstrcat(p, one->file, ": ", NULL);
}

const char *jk_findings_text(apr_pool_t *p, const jk_finding *one)
{
    return apr_pstrcat(p, place_of(p, one), one->text, NULL);
}

const char *jk_findings_line(apr_pool_t *p, const jk_finding *one, bool strict)
{
    static const char *const words[] = { "info", "warning", "error (lived with)", "error" };
    jk_severity severity = strict && one->severity == JK_FIND_LENIENT ? JK_FIND_ERROR : one->severity;

    return apr_pstrcat(p, words[severity], ": ", place_of(p, one), one->text, NULL);
}

#define WORD_MOST 40

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static uint8_t at(const char *s, size_t i)
{
    return jk_span_lower((uint8_t)s[i]);
}

/* How many insertions, deletions, replacements and swaps of neighbours turn a into b. */
static size_t distance(const char *a, const char *b)
{
    size_t d[WORD_MOST + 1][WORD_MOST + 1], n = strlen(a), m = strlen(b);

    if (n > WORD_MOST || m > WORD_MOST)
        return WORD_MOST;
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            size_t best = d[i - 1][j - 1] + (at(a, i - 1) != at(b, j - 1));
            best = least(best, least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && at(a, i - 1) == at(b, j - 2) && at(a, i - 2) == at(b, j - 1))
                best = least(best, d[i - 2][j - 2] + 1);
            d[i][j] = best;
        }
    return d[n][m];
}

const char *jk_findings_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t best = (strlen(word) + 1) / 3 + 1; /* so far away it is no slip of the finger any more */
    const char *near = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, candidates[i]);
        if (d < best && strcmp(word, candidates[i]) != 0) {
            best = d;
            near = candidates[i];
        }
    }
    return near;
}

const char *jk_findings_hint(apr_pool_t *p, const char *word, const char *const *candidates, size_t n)
{
    const char *near = jk_findings_nearest(word, candidates, n);

    return near ? apr_psprintf(p, "; did you mean '%s'?", near) : "";
}
