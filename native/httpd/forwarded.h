/* native/httpd/forwarded.h - the URI as the container gets it: of JkOptions' form, and of the rule extension path=. It knows no request, so that
 * tools/jkconf says the same. */
#ifndef JK_HTTPD_FORWARDED_H
#define JK_HTTPD_FORWARDED_H

#include "config.h"

#include "jk/route/publish.h"

/* `uri` is the decoded path before it was normalised, `raw` the request target as the client wrote it. In p, or one of them. */
const char *jk_forwarded_uri(apr_pool_t *p, int options, const char *raw, const char *uri);

/* The two paths of path= for a rule; the hosts are left out. */
jk_publish jk_forwarded_paths(apr_pool_t *p, jk_span pattern, const char *path);

/* The URI to forward in place of `forwarded`; `uri` as above. */
jk_span jk_forwarded_inside(apr_pool_t *p, const jk_publish *publish, int options, const char *uri, jk_span forwarded);

#endif
