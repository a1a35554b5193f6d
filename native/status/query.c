/* native/status/query.c - takes the text apart. What comes here is a stranger's: nothing is believed, and nothing is cut silently. */
#include "jk/status/query.h"

#include <apr_strings.h>

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = jk_span_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: an escape is none, or a NUL. */
static const char *decoded(apr_pool_t *p, jk_span text)
{
    char *value = apr_palloc(p, text.len + 1), *out = value;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.p[i];
        if (c == '%') {
            int high = text.len - i > 2 ? hex(text.p[i + 1]) : -1;
            int low = high >= 0 ? hex(text.p[i + 2]) : -1;
            if (low < 0)
                return NULL;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c == '\0')
            return NULL;
        *out++ = (char)c;
    }
    *out = '\0';
    return value;
}

static void set(jk_query *query, const char *name, const char *value)
{
    for (int i = 0; i < query->params->nelts; i++) {
        jk_param *one = &APR_ARRAY_IDX(query->params, i, jk_param);
        if (strcmp(one->name, name) == 0) {
            one->value = value;
            return;
        }
    }
    APR_ARRAY_PUSH(query->params, jk_param) = (jk_param){ name, value };
}

static jk_rc read_one(apr_pool_t *p, jk_span text, jk_query *query, const char **name)
{
    const uint8_t *sign = text.len ? memchr(text.p, '=', text.len) : NULL;
    const char *value;

    if (sign == NULL || sign == text.p || memchr(text.p, '\0', text.len))
        return JK_OK;
    size_t n = (size_t)(sign - text.p);
    *name = apr_pstrmemdup(p, (const char *)text.p, n);
    value = decoded(p, (jk_span){ sign + 1, text.len - n - 1 });
    if (value == NULL || query->params->nelts >= JK_QUERY_MOST)
        return JK_E_CONF;
    set(query, *name, value);
    return JK_OK;
}

jk_rc jk_query_read(apr_pool_t *p, jk_span text, jk_query *query, const char **name)
{
    *name = "";
    query->params = apr_array_make(p, 16, sizeof(jk_param));
    if (text.len > JK_QUERY_BYTES)
        return JK_E_CONF;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.p, '&', text.len);
        size_t n = end ? (size_t)(end - text.p) : text.len;
        jk_rc rc = read_one(p, (jk_span){ text.p, n }, query, name);
        if (rc != JK_OK)
            return rc;
        n += end != NULL;
        text = (jk_span){ text.p + n, text.len - n };
    }
    return JK_OK;
}

const char *jk_query_get(const jk_query *query, const char *name)
{
    for (int i = 0; i < query->params->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(query->params, i, jk_param).name, name) == 0)
            return APR_ARRAY_IDX(query->params, i, jk_param).value;
    return NULL;
}
