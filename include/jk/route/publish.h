/* include/jk/route/publish.h - the rule extension path=: a container's /store is known to the world as /shop.
 *
 *   /shop/a;v=1                          -> /store/a;v=1            to the container
 *   Location: http://host/store/b        -> http://host/shop/b      and back
 *   Set-Cookie: JSESSIONID=1;Path=/store -> JSESSIONID=1;Path=/shop
 *
 * Pure functions on the caller's memory. Only what stands before a pattern's first wildcard is replaced, and only up to a '/'. */
#ifndef JK_ROUTE_PUBLISH_H
#define JK_ROUTE_PUBLISH_H

#include "jk/base/span.h"

/* Neither path ends in '/': the root is empty. `inside` needs no escapes, and `outside` of a request neither or is its escaped form. */
typedef struct jk_publish {
    jk_span outside, inside;
    jk_span hosts[2]; /* how a container calls this server, "host" or "host:port", in URLs that lead to itself; absent: not */
} jk_publish;

/* The part of a pattern that is replaced: "/shop" of "/shop", "/shop/" and "/shop/a*"; nothing of "/a*". */
jk_span jk_publish_outside(jk_span pattern);

/* May this be the value of path=? It begins with '/', is in its normal form, and no byte of it is escaped in a URI. */
bool jk_publish_is_path(const char *path);

/* Has the path no empty segment but the last, no "." and no ".."? Then no segment of it takes back another. */
bool jk_publish_is_simple(const char *uri);

/* The path without those, parameters kept. `uri` can be normalised (jk/route/path.h); `out` has strlen(uri) + 1 bytes. */
void jk_publish_resolve(const char *uri, char *out);

/* The forwarded form of `uri`, which is simple and which the pattern matches, with `outside` replaced; its parameters stay. `literal`: in the
 * forwarded form a '%' is a '%'. `out` has strlen(forwarded) + inside.len + 2 bytes. false, and `out` is of no use: the two are not the same. */
bool jk_publish_forward(const jk_publish *p, const char *uri, const char *forwarded, bool literal, char *out);

/* The value of Location or Content-Location, of Refresh, and of Set-Cookie, mapped back. `out` has value.len + outside.len + 2 bytes and is
 * ended with a NUL. false: the value stays as it is. */
bool jk_publish_back(const jk_publish *p, jk_span value, char *out);
bool jk_publish_back_refresh(const jk_publish *p, jk_span value, char *out);
bool jk_publish_back_cookie(const jk_publish *p, jk_span value, char *out);

#endif
