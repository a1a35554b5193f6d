/* native/httpd/lastgood.c - reads the text of the workers' configuration, and remembers the last one that was good. It lies in a
 * sub-pool of the process pool: a table of strings that no pointer leaves, since a newer module may read it. */
#include "lastgood.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>

#define LAST_GOOD "mod_jk:last-good" /* an apr_table_t in the process pool's userdata */
#define FILE_MOST (16 * 1024 * 1024)

static bool read_file(apr_pool_t *p, const char *path, jk_span *text, const char **why)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t got = 0;
    char words[120], *bytes;
    apr_status_t rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p);

    if (rv == APR_SUCCESS)
        rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_TYPE, file);
    if (rv != APR_SUCCESS) {
        *why = apr_pstrdup(p, apr_strerror(rv, words, sizeof words));
        return false;
    }
    *why = info.filetype != APR_REG ? "it is no regular file" : "it is too large";
    if (info.filetype != APR_REG || info.size > FILE_MOST)
        return false;
    bytes = apr_palloc(p, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(file, bytes, (apr_size_t)info.size, &got);
    apr_file_close(file);
    *text = (jk_span){ (uint8_t *)bytes, got };
    return rv == APR_SUCCESS || APR_STATUS_IS_EOF(rv);
}

jk_lastgood_text jk_lastgood_read(apr_pool_t *p, const jk_global *global, jk_findings *found)
{
    jk_lastgood_text src = { apr_array_make(p, 4, sizeof(jk_prop)), global->workers_file, JK_SPAN_NONE };
    const char *why = "";

    for (int i = 0; i < global->properties->nelts; i++) {
        const jk_mount *line = &APR_ARRAY_IDX(global->properties, i, jk_mount);
        APR_ARRAY_PUSH(src.lines, jk_prop) = (jk_prop){ "", line->uri, line->file, line->line };
    }
    if (src.file && !read_file(p, src.file, &src.text, &why)) {
        jk_findings_add(found, JK_FIND_ERROR, global->workers_where_file, global->workers_where_line,
                        "Can't find the workers file %s: %s", src.file, why);
        src.text = JK_SPAN_LIT("");
    }
    return src;
}

/* The table's own strings are all that stays: a newer module may read them. */
void jk_lastgood_keep(apr_pool_t *process, const jk_lastgood_text *src)
{
    apr_pool_t *pool;
    apr_table_t *kept;
    void *before;

    apr_pool_userdata_get(&before, LAST_GOOD, process);
    if (apr_pool_create(&pool, process) != APR_SUCCESS)
        return;
    kept = apr_table_make(pool, 8);
    if (src->file) {
        apr_table_set(kept, "file", src->file);
        apr_table_set(kept, "text", apr_pstrmemdup(pool, (const char *)src->text.p, src->text.len)); /* never setn: keys are ours */
    }
    for (int i = 0; i < src->lines->nelts; i++) {
        const jk_prop *line = &APR_ARRAY_IDX(src->lines, i, jk_prop);
        apr_table_add(kept, "line", line->value);
        apr_table_add(kept, "where", apr_psprintf(pool, "%d %s", line->line, line->file));
    }
    apr_pool_userdata_set(kept, LAST_GOOD, NULL, process); /* not setn: the key would vanish with this module */
    if (before)
        apr_pool_destroy(apr_table_elts(before)->pool);
}

static int one_line(void *data, const char *key, const char *value)
{
    jk_lastgood_text *src = data;
    char *end;

    if (strcmp(key, "line") == 0) {
        APR_ARRAY_PUSH(src->lines, jk_prop) = (jk_prop){ "", value, "", 0 };
    } else if (strcmp(key, "where") == 0) {
        jk_prop *last = &APR_ARRAY_IDX(src->lines, src->lines->nelts - 1, jk_prop);
        last->line = (int)strtol(value, &end, 10);
        last->file = *end ? end + 1 : end;
    }
    return 1;
}

bool jk_lastgood_find(apr_pool_t *p, apr_pool_t *process, jk_lastgood_text *src)
{
    void *kept;

    apr_pool_userdata_get(&kept, LAST_GOOD, process);
    if (kept == NULL)
        return false;
    *src = (jk_lastgood_text){ apr_array_make(p, 4, sizeof(jk_prop)), apr_pstrdup(p, apr_table_get(kept, "file")), JK_SPAN_NONE };
    if (src->file)
        src->text = jk_span_of(apr_pstrdup(p, apr_table_get(kept, "text")));
    apr_table_do(one_line, src, kept, NULL);
    for (int i = 0; i < src->lines->nelts; i++) { /* copies: the kept ones are replaced one day */
        jk_prop *line = &APR_ARRAY_IDX(src->lines, i, jk_prop);
        line->value = apr_pstrdup(p, line->value);
        line->file = apr_pstrdup(p, line->file);
    }
    return true;
}
