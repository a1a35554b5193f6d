/* tests/fuzz/fuzz_query.c - any bytes as the query of the status page: its parameters are those of a slow reading, what they mean survives being
 * written and read again, and what is asked for is whole whatever came. */
#include "jk/status/ask.h"
#include "jk/status/render.h"
#include "promise.h"

#include <apr_general.h>
#include <apr_strings.h>

/* ---- the slow way ---- */

typedef struct pair {
    char *name, *value;
} pair;

typedef struct slow {
    pair *pairs;
    size_t n;
    bool wrong;
} slow;

static int digit(uint8_t c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)((at - digits) % 16) : -1;
}

/* NULL: it is not to be read. */
static char *meant(jk_span text)
{
    char *out = block(text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        int c = text.p[i] == '+' ? ' ' : text.p[i];
        if (c == '%' && text.p[i] == '%') {
            c = i + 2 < text.len && digit(text.p[i + 1]) >= 0 && digit(text.p[i + 2]) >= 0 ? digit(text.p[i + 1]) * 16 + digit(text.p[i + 2]) : 0;
            i += 2;
        }
        if (c == 0) {
            free(out);
            return NULL;
        }
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return out;
}

static void slowly_one(slow *s, jk_span text)
{
    size_t sign = 0;
    pair one;

    while (sign < text.len && text.p[sign] != '=')
        sign++;
    if (sign == 0 || sign == text.len || memchr(text.p, 0, text.len))
        return;
    one.value = meant((jk_span){ text.p + sign + 1, text.len - sign - 1 });
    if (one.value == NULL || s->n >= JK_QUERY_MOST) {
        free(one.value);
        s->wrong = true;
        return;
    }
    one.name = as_text((jk_span){ text.p, sign });
    must(one.name != NULL, "no NUL stands in it");
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->pairs[i].name, one.name) == 0) {
            free(one.name);
            free(s->pairs[i].value);
            s->pairs[i].value = one.value;
            return;
        }
    s->pairs[s->n++] = one;
}

static slow slowly(jk_span text)
{
    slow s = { block((text.len + 1) * sizeof(pair)), 0, false };
    size_t begin = 0;

    for (size_t i = 0; i <= text.len && !s.wrong; i++)
        if (i == text.len || text.p[i] == '&') {
            slowly_one(&s, (jk_span){ text.p + begin, i - begin });
            begin = i + 1;
        }
    return s;
}

static void forget(slow *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->pairs[i].name);
        free(s->pairs[i].value);
    }
    free(s->pairs);
}

/* ---- promises ---- */

static void check_pairs(const jk_query *query, const slow *s)
{
    must((size_t)query->params->nelts == s->n, "as many parameters as a slow reading finds");
    for (size_t i = 0; i < s->n; i++) {
        const jk_param *one = &APR_ARRAY_IDX(query->params, i, jk_param);
        must(strcmp(one->name, s->pairs[i].name) == 0 && strcmp(one->value, s->pairs[i].value) == 0, "those that a slow reading finds");
        must(strcmp(jk_query_get(query, one->name), one->value) == 0, "a name leads to its value");
    }
}

/* Every byte escaped: it means the same. */
static void check_written_again(apr_pool_t *p, const jk_query *query)
{
    size_t n = 0;
    const char *name;
    jk_query again;

    for (int i = 0; i < query->params->nelts; i++)
        n += strlen(APR_ARRAY_IDX(query->params, i, jk_param).name) + 3 * strlen(APR_ARRAY_IDX(query->params, i, jk_param).value) + 2;
    if (n > JK_QUERY_BYTES)
        return;
    char *text = apr_palloc(p, n + 1), *at = text;
    for (int i = 0; i < query->params->nelts; i++) {
        const jk_param *one = &APR_ARRAY_IDX(query->params, i, jk_param);
        at += sprintf(at, "%s=", one->name);
        for (const char *c = one->value; *c; c++)
            at += sprintf(at, "%%%02x", (unsigned)(uint8_t)*c);
        *at++ = '&';
    }
    must(jk_query_read(p, (jk_span){ (uint8_t *)text, n }, &again, &name) == JK_OK, "what was read can be written and read");
    must(again.params->nelts == query->params->nelts, "nothing is lost of it");
    for (int i = 0; i < query->params->nelts; i++)
        must(strcmp(APR_ARRAY_IDX(again.params, i, jk_param).value, APR_ARRAY_IDX(query->params, i, jk_param).value) == 0, "and it means the same");
}

static void check_ask(apr_pool_t *p, jk_span text, bool read_only, bool wrong)
{
    jk_worker_conf conf = { .name = "s", .read_only = read_only };
    jk_result result;
    jk_ask ask;

    jk_ask_read(p, text, &conf, &ask, &result);
    must(ask.command && ask.command->name && ask.format && ask.format->mime, "an ask is whole");
    must(result.message && *result.message && (result.status == 200 || result.status == 400 || result.status == 403), "a result is whole");
    must(!wrong || result.status == 400, "what cannot be read is refused");
    must(ask.refresh >= 0 && ask.refresh <= 86400, "a refresh is a time");
    if (!jk_result_ok(&result))
        return;
    must(!(ask.command->does & JK_CMD_WORKER) || (ask.w && *ask.w && (ask.sw == NULL || *ask.sw)), "a worker is named where one is needed");
    must(!(ask.command->does & JK_CMD_WRITES) || !(read_only || (ask.opt & JK_HIDE_CHANGES)), "who may not write does not");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    apr_pool_t *p;
    const char *name;
    jk_query query;

    if (!ready)
        apr_initialize();
    ready = true;
    if (apr_pool_create(&p, NULL) != APR_SUCCESS)
        return 0;
    uint8_t *copy = exactly((jk_span){ data, size });
    const jk_span text = { copy, size };
    slow s = slowly(text);
    jk_rc rc = jk_query_read(p, text, &query, &name);
    bool wrong = s.wrong || size > JK_QUERY_BYTES;
    must(rc == (wrong ? JK_E_CONF : JK_OK), "what cannot be read is what a slow reading cannot read");
    if (rc == JK_OK) {
        check_pairs(&query, &s);
        check_written_again(p, &query);
    }
    check_ask(p, text, false, wrong);
    check_ask(p, text, true, wrong);
    forget(&s);
    free(copy);
    apr_pool_destroy(p);
    return 0;
}
