/* tools/jkconf_url.h - a URL taken apart, and what httpd makes of its path before any module sees it. Pure. */
#ifndef JKCONF_URL_H
#define JKCONF_URL_H

#include <apr_pools.h>
#include <stdbool.h>

typedef struct jkconf_url {
    const char *host;   /* without brackets; "": the URL is a path alone */
    int port;           /* as written, or the scheme's */
    const char *target; /* as a client sends it: path and query, escapes kept */
} jkconf_url;

/* "http://host:port/path?query", https likewise, or "/path?query". false: *why says what is wrong. */
bool jkconf_url_parse(apr_pool_t *p, const char *text, jkconf_url *url, const char **why);

/* AllowEncodedSlashes */
typedef enum jkconf_slashes { JKCONF_SLASHES_OFF, JKCONF_SLASHES_ON, JKCONF_SLASHES_NODECODE } jkconf_slashes;

/* httpd's r->uri of a target: decoded, without "." and ".." segments, and without empty ones where `merge` (MergeSlashes). 0, or the status that
 * httpd answers with. */
int jkconf_url_path(apr_pool_t *p, const char *target, bool merge, jkconf_slashes slashes, const char **path);

#endif
