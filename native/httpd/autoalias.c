/* native/httpd/autoalias.c - /app/x.gif is DIR/app/x.gif where DIR/app is a directory. The path is a normal form, so it cannot leave DIR; what
 * links in there may do is httpd's to say (<Directory>, Options). */
#include "autoalias.h"

#include <apr_strings.h>
#include <http_core.h>

/* The segment at `s`, which ends at `end`. */
static bool is_segment(const char *s, const char *end, const char *name)
{
    return (size_t)(end - s) == strlen(name) && ap_cstr_casecmpn(s, name, (apr_size_t)(end - s)) == 0;
}

/* What an application keeps to itself, wherever it lies: applications may lie in one another. */
static bool is_private(const char *path)
{
    for (const char *s = path, *end; *s == '/'; s = end) {
        end = s + 1 + strcspn(s + 1, "/");
        if (is_segment(s + 1, end, "WEB-INF") || is_segment(s + 1, end, "META-INF"))
            return true;
    }
    return false;
}

static bool is_archive(const char *context, size_t len)
{
    return len > 4 && ap_cstr_casecmpn(context + len - 4, ".war", 4) == 0;
}

static apr_filetype_e type_of(request_rec *r, const char *path)
{
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE, r->pool) == APR_SUCCESS ? info.filetype : APR_NOFILE;
}

void jk_autoalias_check(const jk_server *conf, jk_findings *found)
{
    apr_finfo_t info;

    if (conf->alias_dir && (apr_stat(&info, conf->alias_dir, APR_FINFO_TYPE, found->p) != APR_SUCCESS || info.filetype != APR_DIR))
        jk_findings_add(found, JK_FIND_WARN, conf->alias_where_file, conf->alias_where_line, "JkAutoAlias: %s is no directory: no file is "
                        "served from there", conf->alias_dir);
}

bool jk_autoalias_has(request_rec *r, const char *dir, const char *normal)
{
    return type_of(r, apr_pstrcat(r->pool, dir, normal, NULL)) == APR_REG;
}

int jk_autoalias_translate(request_rec *r, const char *dir, const char *normal)
{
    const char *context = normal + 1;
    size_t len = strcspn(context, "/");

    if (*normal != '/' || len == 0)
        return DECLINED;
    if (is_private(normal))
        return HTTP_NOT_FOUND;
    if (type_of(r, apr_pstrcat(r->pool, dir, "/", apr_pstrmemdup(r->pool, context, len), NULL)) != APR_DIR)
        return is_archive(context, len) ? HTTP_FORBIDDEN : DECLINED;
    r->filename = apr_pstrcat(r->pool, dir, normal, NULL);
    r->uri = apr_pstrdup(r->pool, normal); /* access control looks at the file's path, however it was written */
    return OK;
}
