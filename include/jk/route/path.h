/* include/jk/route/path.h - the forms of a URI's path: normal (what is mapped) and forwarded (what the container gets).
 *
 * Pure functions on the caller's NUL-terminated buffers, each one pass over the bytes, ASCII tables, no locale. The
 * decoding itself was httpd's: nothing is decoded here a second time, so a "%2e" that is left over is text. */
#ifndef JK_ROUTE_PATH_H
#define JK_ROUTE_PATH_H

#include "jk/base/span.h"

typedef enum jk_path_fault {
    JK_PATH_FINE = 0,
    JK_PATH_NOT_ABSOLUTE, /* does not begin with '/' */
    JK_PATH_ABOVE_ROOT    /* more ".." than there are segments before them */
} jk_path_fault;

/* Is this what jk_path_normalise would make of it? Then there is nothing to copy and nothing to do. */
bool jk_path_is_clean(const char *uri);

/* In place: drops the parameters of every segment (";" to its end), merges runs of '/', resolves "." and "..". "*" (of
 * OPTIONS) is fine as it is. After a fault the buffer holds nothing of use: messages quote the original. */
jk_path_fault jk_path_normalise(char *uri);

/* Has it a '%' or a '\' (JkOptions RejectUnsafeURI)? Asked of the normal form. */
bool jk_path_is_unsafe(const char *uri);

/* ForwardURIProxy: `decoded` with every byte that is not harmless in a path as %XX, and besides what the client itself
 * had written as %XX, where `raw` (its request target, origin or absolute form; may be NULL) still decodes to `decoded`
 * to the end. Decoding the result once always yields `decoded`. `out` has 3 * strlen(decoded) + 1 bytes. */
void jk_path_forward_proxy(const char *decoded, const char *raw, char *out);

/* Is that surely `decoded` itself? So it is of most requests, and there is nothing to write. */
bool jk_path_is_plain(const char *decoded, const char *raw);

/* ForwardURIEscaped: as ap_escape_uri() does it, hex in lower case. `out` as above, and always written. */
void jk_path_forward_escaped(const char *decoded, char *out);

/* ForwardURICompatUnparsed: the request target before its first '?', in the caller's memory. */
jk_span jk_path_forward_unparsed(const char *raw);

#endif
