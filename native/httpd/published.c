/* native/httpd/published.c - which URI and which header fields path= changes, and by what names this server goes. */
#include "published.h"

#include "jk/route/path.h"

#include <apr_strings.h>
#include <http_core.h>

const jk_publish *jk_published_make(request_rec *r, jk_span pattern, const char *path)
{
    jk_publish *p = apr_palloc(r->pool, sizeof *p);
    jk_span outside = jk_publish_outside(pattern);
    char *escaped = apr_palloc(r->pool, 3 * outside.len + 1);

    jk_path_forward_escaped(apr_pstrmemdup(r->pool, (const char *)outside.p, outside.len), escaped);
    *p = (jk_publish){ jk_span_of(escaped), jk_span_of(path), { JK_SPAN_NONE, JK_SPAN_NONE } };
    p->hosts[0] = jk_span_of(ap_construct_server(r->pool, ap_get_server_name(r), ap_get_server_port(r), r));
    p->hosts[1] = jk_span_of(apr_table_get(r->headers_in, "Host"));
    return p;
}

/* A path with dots or empty segments is forwarded without them: what takes back a segment could take back the new head. So is one whose
 * forwarded form is another than httpd's path (ForwardURICompatUnparsed after a rewrite). */
jk_span jk_published_uri(request_rec *r, const jk_publish *p, int options, const char *uri, jk_span forwarded)
{
    bool literal = (options & JK_OPT_URI_COMPAT) != 0;
    char *out = apr_palloc(r->pool, 3 * strlen(uri) + forwarded.len + p->inside.len + 2);
    char *resolved, *escaped;

    if (jk_publish_is_simple(uri) && jk_publish_forward(p, uri, (const char *)forwarded.p, literal, out))
        return jk_span_of(out);
    resolved = apr_palloc(r->pool, strlen(uri) + 1);
    jk_publish_resolve(uri, resolved);
    escaped = resolved;
    if (!literal) {
        escaped = apr_palloc(r->pool, 3 * strlen(resolved) + 1);
        jk_path_forward_proxy(resolved, NULL, escaped);
    }
    return jk_publish_forward(p, resolved, escaped, literal, out) ? jk_span_of(out) : forwarded;
}

char *jk_published_field(request_rec *r, const jk_publish *p, const char *name, char *value)
{
    static const struct {
        const char *name;
        bool (*back)(const jk_publish *p, jk_span value, char *out);
    } fields[] = { { "Location", jk_publish_back }, { "Content-Location", jk_publish_back }, { "Refresh", jk_publish_back_refresh },
                   { "Set-Cookie", jk_publish_back_cookie } };
    jk_span was = jk_span_of(value);

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (ap_cstr_casecmp(name, fields[i].name) != 0)
            continue;
        char *out = apr_palloc(r->pool, was.len + p->outside.len + 2);
        return fields[i].back(p, was, out) ? out : value;
    }
    return value;
}
