/* tests/fuzz/fuzz_props.c - any bytes as a properties file, line by line: each line means by itself what it means in the file. So a file is the
 * same with other line ends, and its properties are those of its lines one after the other. (fuzz_workers reads what the keys mean.)
 *
 *   | the text .. | */
#include "jk/conf/props.h"
#include "promise.h"

#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>

static const char *environment(const char *name)
{
    return strcmp(name, "HOME") == 0 ? "/home" : NULL;
}

static jk_props *parse(apr_pool_t *p, jk_span text, jk_findings **found)
{
    jk_props *props = jk_props_make(p, environment);

    *found = jk_findings_make(p);
    jk_props_text(props, *found, text, "f");
    jk_props_close(props, *found);
    return props;
}

static bool trimmed(const char *s)
{
    return *s && !apr_isspace(*s) && !apr_isspace(s[strlen(s) - 1]);
}

static void check_one(const jk_props *props, const jk_prop *prop, int before, apr_pool_t *p)
{
    must(trimmed(prop->key) && !strpbrk(prop->key, "=\n\r"), "a key is a word, without blanks around it");
    must(*prop->value && strchr(prop->value, '\n') == NULL, "a value is one line");
    must(prop->line >= before, "lines are counted");
    must(jk_props_get(props, prop->key) != NULL, "a key can be asked for");
    must(!prop->hidden || strcmp(jk_props_shown(p, prop, NULL), "(hidden)") == 0, "what is hidden is not shown");
    must(strlen(jk_props_shown(p, prop, NULL)) <= 83, "what is shown is short");
}

static void check_same(const jk_props *a, const jk_props *b)
{
    must(a->all->nelts == b->all->nelts, "as many properties");
    for (int i = 0; i < a->all->nelts; i++) {
        const jk_prop *x = &APR_ARRAY_IDX(a->all, i, jk_prop), *y = &APR_ARRAY_IDX(b->all, i, jk_prop);
        must(strcmp(x->key, y->key) == 0 && strcmp(x->value, y->value) == 0 && x->line == y->line && x->hidden == y->hidden, "the same one");
    }
}

/* With CR LF. A CR that stands before a line's end is trimmed as any blank, so one more makes no difference. */
static jk_span with_cr(apr_pool_t *p, jk_span text)
{
    uint8_t *out = apr_palloc(p, 2 * text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\n')
            out[n++] = '\r';
        out[n++] = text.p[i];
    }
    return (jk_span){ out, n };
}

static void run(apr_pool_t *p, jk_span text)
{
    jk_findings *found;
    jk_props *props = parse(p, text, &found);
    int line = 0;

    for (int i = 0; i < props->all->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(props->all, i, jk_prop);
        check_one(props, prop, line, p);
        line = prop->line;
    }
    for (int i = 0; i < found->all->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(found->all, i, jk_finding);
        must(*one->text && strchr(jk_findings_line(p, one, false), '\n') == NULL, "a finding is one line");
    }
    check_same(props, parse(p, with_cr(p, text), &found));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    apr_pool_t *p;

    if (!ready)
        apr_initialize();
    ready = true;
    if (size == 0 || size > 30000 || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return 0;
    uint8_t *copy = exactly((jk_span){ data, size });
    run(p, (jk_span){ copy, size });
    free(copy);
    apr_pool_destroy(p);
    return 0;
}
