/* native/httpd/published.c - which header fields path= changes, and by what names this server goes. */
#include "published.h"

#include "forwarded.h"

#include <apr_strings.h>
#include <http_core.h>

const jk_publish *jk_published_make(request_rec *r, jk_span pattern, const char *path)
{
    jk_publish *p = apr_palloc(r->pool, sizeof *p);

    *p = jk_forwarded_paths(r->pool, pattern, path);
    p->hosts[0] = jk_span_of(ap_construct_server(r->pool, ap_get_server_name(r), ap_get_server_port(r), r));
    p->hosts[1] = jk_span_of(apr_table_get(r->headers_in, "Host"));
    return p;
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
