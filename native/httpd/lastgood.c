/* native/httpd/lastgood.c - reads the texts of the workers' configuration and of the rule files, and remembers the last good ones. They lie in a
 * sub-pool of the process pool: a table of strings that no pointer leaves, since a newer module may read it. */
#include "lastgood.h"

#include "access.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>

#define LAST_GOOD "mod_jk:last-good" /* an apr_table_t in the process pool's userdata */
#define FILE_MOST (16 * 1024 * 1024)

/* ---- files ---- */

static jk_file_state state_of(apr_status_t failed, const apr_finfo_t *info)
{
    if (failed != APR_SUCCESS)
        return (jk_file_state){ .failed = failed };
    return (jk_file_state){ info->mtime, info->size, info->inode, APR_SUCCESS };
}

#define WANTED (APR_FINFO_MTIME | APR_FINFO_SIZE | APR_FINFO_INODE | APR_FINFO_TYPE)

jk_file_state jk_lastgood_state(apr_pool_t *p, const char *path)
{
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, path, WANTED, p);

    return state_of(rv, &info);
}

bool jk_lastgood_same(const jk_file_state *a, const jk_file_state *b)
{
    return a->mtime == b->mtime && a->size == b->size && a->inode == b->inode && a->failed == b->failed;
}

/* Asked before it is opened: a pipe would let us wait for its writer. */
static apr_status_t look_at(apr_pool_t *p, const char *path, apr_finfo_t *info, const char **why)
{
    char words[120];
    apr_status_t rv = apr_stat(info, path, WANTED, p);

    if (rv != APR_SUCCESS)
        *why = apr_pstrdup(p, apr_strerror(rv, words, sizeof words));
    else if (info->filetype != APR_REG || info->size > FILE_MOST)
        *why = info->filetype != APR_REG ? "it is no regular file" : "it is too large";
    else
        return APR_SUCCESS;
    return rv == APR_SUCCESS ? APR_EGENERAL : rv;
}

bool jk_lastgood_file(apr_pool_t *p, const char *path, jk_span *text, jk_file_state *state, const char **why)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t got = 0;
    char words[120], *bytes;
    apr_status_t rv = look_at(p, path, &info, why);

    *text = JK_SPAN_NONE;
    *state = jk_lastgood_state(p, path);
    if (rv != APR_SUCCESS)
        return false;
    rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p);
    if (rv == APR_SUCCESS)
        rv = apr_file_info_get(&info, WANTED, file);
    if (rv != APR_SUCCESS) {
        *why = apr_pstrdup(p, apr_strerror(rv, words, sizeof words));
        return false;
    }
    bytes = apr_palloc(p, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(file, bytes, (apr_size_t)info.size, &got);
    apr_file_close(file);
    *state = state_of(APR_SUCCESS, &info);
    *text = (jk_span){ (uint8_t *)bytes, got };
    *why = "it could not be read to its end";
    return rv == APR_SUCCESS || APR_STATUS_IS_EOF(rv);
}

const jk_rule_text *jk_lastgood_rules(const apr_array_header_t *rules, const char *path)
{
    for (int i = 0; i < rules->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(rules, i, jk_rule_text).path, path) == 0)
            return &APR_ARRAY_IDX(rules, i, jk_rule_text);
    return NULL;
}

/* ---- what is there now ---- */

static void read_rules(apr_pool_t *p, const jk_server *conf, apr_array_header_t *rules, jk_findings *found)
{
    jk_rule_text one = { conf->mount_file, JK_SPAN_NONE, { 0 } };
    const char *why = "";

    if (one.path == NULL || jk_lastgood_rules(rules, one.path))
        return;
    if (!jk_lastgood_file(p, one.path, &one.text, &one.state, &why)) {
        jk_findings_add(found, JK_FIND_ERROR, conf->mount_where_file, conf->mount_where_line, "Failed to load uri_worker_map file %s: %s", one.path,
                        why);
        one.text = JK_SPAN_NONE;
    } else if (conf->mount_reload != 0 && !jk_access_may(jk_access_of_children(p), one.path, JK_ACCESS_READ)) {
        jk_findings_add(found, JK_FIND_WARN, conf->mount_where_file, conf->mount_where_line, "%s cannot be read by the User of the server's "
                        "processes: it is in force now, and its changes will not be; let it be read, or set JkMountFileReload 0", one.path);
    }
    APR_ARRAY_PUSH(rules, jk_rule_text) = one;
}

jk_lastgood_text jk_lastgood_read(apr_pool_t *p, server_rec *s, jk_findings *found)
{
    const jk_global *global = jk_config_of(s)->global;
    jk_lastgood_text src = { apr_array_make(p, 4, sizeof(jk_prop)), global->workers_file, JK_SPAN_NONE, apr_array_make(p, 2, sizeof(jk_rule_text)) };
    const char *why = "";
    jk_file_state state;

    for (int i = 0; i < global->properties->nelts; i++) {
        const jk_mount *line = &APR_ARRAY_IDX(global->properties, i, jk_mount);
        APR_ARRAY_PUSH(src.lines, jk_prop) = (jk_prop){ "", line->uri, line->file, line->line };
    }
    for (; s; s = s->next)
        read_rules(p, jk_config_of(s), src.rules, found);
    if (src.file && !jk_lastgood_file(p, src.file, &src.text, &state, &why)) {
        jk_findings_add(found, JK_FIND_ERROR, global->workers_where_file, global->workers_where_line,
                        "Can't find the workers file %s: %s", src.file, why);
        src.text = JK_SPAN_LIT("");
    }
    return src;
}

/* ---- what was good ---- */

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
    for (int i = 0; i < src->rules->nelts; i++) {
        const jk_rule_text *one = &APR_ARRAY_IDX(src->rules, i, jk_rule_text);
        apr_table_add(kept, "rule file", one->path);
        apr_table_add(kept, "rules", apr_pstrmemdup(pool, (const char *)one->text.p, one->text.len));
    }
    apr_pool_userdata_set(kept, LAST_GOOD, NULL, process); /* not setn: the key would vanish with this module */
    if (before)
        apr_pool_destroy(apr_table_elts(before)->pool);
}

/* A copy: the kept ones are replaced one day. */
static int one_line(void *data, const char *key, const char *kept)
{
    jk_lastgood_text *src = data;
    char *end, *value = apr_pstrdup(src->lines->pool, kept);

    if (strcmp(key, "rule file") == 0)
        APR_ARRAY_PUSH(src->rules, jk_rule_text) = (jk_rule_text){ value, JK_SPAN_NONE, { 0 } };
    else if (strcmp(key, "rules") == 0)
        APR_ARRAY_IDX(src->rules, src->rules->nelts - 1, jk_rule_text).text = jk_span_of(value);
    else if (strcmp(key, "line") == 0) {
        APR_ARRAY_PUSH(src->lines, jk_prop) = (jk_prop){ "", value, "", 0 };
    } else if (strcmp(key, "where") == 0) {
        jk_prop *last = &APR_ARRAY_IDX(src->lines, src->lines->nelts - 1, jk_prop);
        last->line = (int)strtol(value, &end, 10);
        last->file = *end ? end + 1 : end;
    }
    return 1;
}

/* The texts of then beside the states of now: a child reads a file again when it changes once more. */
static void take_states(jk_lastgood_text *src, const jk_lastgood_text *now)
{
    for (int i = 0; i < now->rules->nelts; i++) {
        const jk_rule_text *one = &APR_ARRAY_IDX(now->rules, i, jk_rule_text);
        jk_rule_text *kept = (jk_rule_text *)jk_lastgood_rules(src->rules, one->path);
        if (kept)
            kept->state = one->state;
        else
            APR_ARRAY_PUSH(src->rules, jk_rule_text) = *one;
    }
}

bool jk_lastgood_find(apr_pool_t *p, apr_pool_t *process, const jk_lastgood_text *now, jk_lastgood_text *src)
{
    void *kept;

    apr_pool_userdata_get(&kept, LAST_GOOD, process);
    if (kept == NULL)
        return false;
    *src = (jk_lastgood_text){ apr_array_make(p, 4, sizeof(jk_prop)), apr_pstrdup(p, apr_table_get(kept, "file")), JK_SPAN_NONE,
                               apr_array_make(p, 2, sizeof(jk_rule_text)) };
    if (src->file)
        src->text = jk_span_of(apr_pstrdup(p, apr_table_get(kept, "text")));
    apr_table_do(one_line, src, kept, NULL);
    take_states(src, now);
    return true;
}
