/* native/conf/findings.c - collects, judges and words what a check found. */
#include "jk/conf/findings.h"

#include <apr_strings.h>
#include <string.h>

jk_findings *jk_findings_make(apr_pool_t *p)
{
    jk_findings *f = apr_palloc(p, sizeof *f);

    f->p = p;
    f->all = apr_array_make(p, 8, sizeof(jk_finding));
    return f;
}

void jk_findings_add(jk_findings *f, jk_severity severity, const char *file, int line, const char *fmt, ...)
{
    jk_finding *one = apr_array_push(f->all);
    va_list ap;

    va_start(ap, fmt);
    *one = (jk_finding){ severity, file, line, apr_pvsprintf(f->p, fmt, ap) };
    va_end(ap);
}

bool jk_findings_refuse(const jk_findings *f, bool strict)
{
    for (int i = 0; i < f->all->nelts; i++)
        if (APR_ARRAY_IDX(f->all, i, jk_finding).severity >= (strict ? JK_FIND_LENIENT : JK_FIND_ERROR))
            return true;
    return false;
}

const char *jk_findings_text(apr_pool_t *p, const jk_finding *one)
{
    if (one->file == NULL)
        return one->text;
    if (one->line == 0)
        return apr_psprintf(p, "%s: %s", one->file, one->text);
    return apr_psprintf(p, "%s:%d: %s", one->file, one->line, one->text);
}

#define WORD_MOST 40

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
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[n][m];
}

const char *jk_findings_hint(apr_pool_t *p, const char *word, const char *const *candidates, size_t n)
{
    size_t best = strlen(word) / 3 + 1; /* farther away is no slip of the finger */
    const char *near = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, candidates[i]);
        if (d < best || (d == best && near == NULL)) {
            best = d;
            near = candidates[i];
        }
    }
    return near ? apr_psprintf(p, "; did you mean '%s'?", near) : "";
}
