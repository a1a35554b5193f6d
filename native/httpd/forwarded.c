/* native/httpd/forwarded.c - the forms of JkOptions, and what path= puts in the place of a pattern's head. */
#include "forwarded.h"

#include "jk/route/path.h"

#include <apr_strings.h>

const char *jk_forwarded_uri(apr_pool_t *p, int options, const char *raw, const char *uri)
{
    char *out;

    if (options & JK_OPT_URI_COMPAT)
        return uri;
    if (options & JK_OPT_URI_UNPARSED)
        return apr_pstrmemdup(p, raw, jk_path_forward_unparsed(raw).len);
    if (!(options & JK_OPT_URI_ESCAPED) && jk_path_is_plain(uri, raw))
        return uri;
    out = apr_palloc(p, 3 * strlen(uri) + 1);
    if (options & JK_OPT_URI_ESCAPED)
        jk_path_forward_escaped(uri, out);
    else
        jk_path_forward_proxy(uri, raw, out);
    return out;
}

jk_publish jk_forwarded_paths(apr_pool_t *p, jk_span pattern, const char *path)
{
    jk_span outside = jk_publish_outside(pattern);
    char *escaped = apr_palloc(p, 3 * outside.len + 1);

    jk_path_forward_escaped(apr_pstrmemdup(p, (const char *)outside.p, outside.len), escaped);
    return (jk_publish){ jk_span_of(escaped), jk_span_of(path), { JK_SPAN_NONE, JK_SPAN_NONE } };
}

/* A path with dots or empty segments is forwarded without them: what takes back a segment could take back the new head. So is one whose
 * forwarded form is another than httpd's path (ForwardURICompatUnparsed after a rewrite). */
jk_span jk_forwarded_inside(apr_pool_t *p, const jk_publish *publish, int options, const char *uri, jk_span forwarded)
{
    bool literal = (options & JK_OPT_URI_COMPAT) != 0;
    char *out = apr_palloc(p, 3 * strlen(uri) + forwarded.len + publish->inside.len + 2);
    char *resolved, *escaped;

    if (jk_publish_is_simple(uri) && jk_publish_forward(publish, uri, (const char *)forwarded.p, literal, out))
        return jk_span_of(out);
    resolved = apr_palloc(p, strlen(uri) + 1);
    jk_publish_resolve(uri, resolved);
    escaped = resolved;
    if (!literal) {
        escaped = apr_palloc(p, 3 * strlen(resolved) + 1);
        jk_path_forward_proxy(resolved, NULL, escaped);
    }
    return jk_publish_forward(publish, resolved, escaped, literal, out) ? jk_span_of(out) : forwarded;
}
