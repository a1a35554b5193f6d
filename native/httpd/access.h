/* native/httpd/access.h - may a user read or write a file, by the modes of the file and of all directories above it? It asks the modes, and
 * not the system, since the process that asks is root. */
#ifndef JK_HTTPD_ACCESS_H
#define JK_HTTPD_ACCESS_H

#include <apr_pools.h>
#include <stdbool.h>

enum { JK_ACCESS_READ = 4, JK_ACCESS_WRITE = 2, JK_ACCESS_ENTER = 1 };

/* A user and all groups of his. */
typedef struct jk_access jk_access;

/* Of httpd's children. NULL: they have the rights of this process. */
const jk_access *jk_access_of_children(apr_pool_t *p);
const char *jk_access_name(const jk_access *who);

/* true where who is NULL, and where an access control list may say otherwise; false where there is no such file. */
bool jk_access_may(const jk_access *who, const char *path, int what);

/* May every user of this machine? */
bool jk_access_all_may(const char *path, int what);

/* The file, or the directory above it, that all can write to; NULL: none. */
const char *jk_access_open_to_all(apr_pool_t *p, const char *path);

#endif
