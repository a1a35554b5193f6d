/* native/conf/props.c - takes lines apart and replaces $(macros). */
#include "jk/conf/props.h"

#include <apr_lib.h>
#include <apr_strings.h>

#define LINE_MOST 65536
#define MACROS_MOST 21 /* substitutions in one value, as the incumbent has it */

jk_props *jk_props_make(apr_pool_t *p, const char *(*env)(const char *name))
{
    jk_props *props = apr_palloc(p, sizeof *props);

    *props = (jk_props){ p, apr_array_make(p, 32, sizeof(jk_prop)), env };
    return props;
}

const char *jk_props_get(const jk_props *props, const char *key)
{
    for (int i = props->all->nelts; i-- > 0;)
        if (strcmp(APR_ARRAY_IDX(props->all, i, jk_prop).key, key) == 0)
            return APR_ARRAY_IDX(props->all, i, jk_prop).value;
    return NULL;
}

static char *trim(char *s)
{
    char *end;

    while (apr_isspace(*s))
        s++;
    for (end = s + strlen(s); end > s && apr_isspace(end[-1]); end--)
        ;
    *end = '\0';
    return s;
}

/* "$(name)": an earlier property, else the environment, else it stays as it is. Not applied to what was put in. */
static const char *with_macros(jk_props *props, const char *value)
{
    const char *out = "", *from = value, *open;

    for (int n = 0; n < MACROS_MOST && (open = strstr(from, "$(")) != NULL; n++) {
        const char *close = strchr(open, ')');
        if (close == NULL)
            break;
        const char *name = apr_pstrmemdup(props->p, open + 2, (apr_size_t)(close - open - 2));
        const char *is = jk_props_get(props, name);
        if (is == NULL && props->env)
            is = props->env(name);
        if (is == NULL)
            is = apr_pstrmemdup(props->p, open, (apr_size_t)(close + 1 - open));
        out = apr_pstrcat(props->p, out, apr_pstrmemdup(props->p, from, (apr_size_t)(open - from)), is, NULL);
        from = close + 1;
    }
    return apr_pstrcat(props->p, out, from, NULL);
}

static void take(jk_props *props, char *key, const char *value, const char *file, int line)
{
    if (*key == '\0' || *value == '\0')
        return;
    jk_prop one = { key, with_macros(props, value), file, line };
    APR_ARRAY_PUSH(props->all, jk_prop) = one;
}

void jk_props_line(jk_props *props, jk_findings *found, const char *text, const char *file, int line)
{
    char *copy = apr_pstrdup(props->p, text), *is = strchr(copy, '=');

    if (is == NULL) {
        jk_findings_add(found, JK_FIND_WARN, file, line, "'%s' has no '=' and is ignored", trim(copy));
        return;
    }
    *is = '\0';
    take(props, trim(copy), trim(is + 1), file, line);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Keys in whose values a '#' that follows no blank is part of the value. */
static bool may_hold_hash(const char *key)
{
    const char *last = strrchr(key, '.');

    return ends_with(key, ".secret") || ends_with(key, ".css") || ends_with(key, ".xmlns") || ends_with(key, ".doctype") ||
           (last && strncmp(last, ".session_", 9) == 0);
}

/* Cuts a comment off the value. */
static void cut_comment(jk_findings *found, const char *key, char *value, const char *file, int line)
{
    for (char *hash = strchr(value, '#'); hash; hash = strchr(hash + 1, '#')) {
        bool after_blank = hash == value || apr_isspace(hash[-1]);
        if (!after_blank && may_hold_hash(key))
            continue;
        if (!after_blank)
            jk_findings_add(found, JK_FIND_LENIENT, file, line,
                            "'#' inside the value of '%s' begins a comment: what follows it is cut off; put a blank before a comment", key);
        *hash = '\0';
        return;
    }
}

static void file_line(jk_props *props, jk_findings *found, char *text, const char *file, int line)
{
    char *body = trim(text), *is = strchr(body, '='), *hash = strchr(body, '#');

    if (*body == '\0' || *body == '#' || (hash && is && hash < is))
        return;
    if (is == NULL) {
        if (hash)
            *hash = '\0';
        jk_findings_add(found, JK_FIND_WARN, file, line, "'%s' has no '=' and is ignored", trim(body));
        return;
    }
    *is = '\0';
    char *key = trim(body);
    cut_comment(found, key, is + 1, file, line);
    take(props, key, trim(is + 1), file, line);
}

void jk_props_text(jk_props *props, jk_findings *found, jk_span text, const char *file)
{
    const uint8_t *p = text.p, *end = text.p + text.len;

    if (text.len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) /* a byte order mark, from Windows editors */
        p += 3;
    for (int line = 1; p < end; line++) {
        const uint8_t *eol = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((eol ? eol : end) - p);
        if (len > LINE_MOST)
            jk_findings_add(found, JK_FIND_ERROR, file, line, "the line has %" APR_SIZE_T_FMT " bytes; allowed: at most %d", len, LINE_MOST);
        else if (memchr(p, 0, len))
            jk_findings_add(found, JK_FIND_ERROR, file, line, "the line holds a NUL byte: this is no text file, or it is in UTF-16");
        else
            file_line(props, found, apr_pstrmemdup(props->p, (const char *)p, len), file, line);
        p += len + 1;
    }
}
