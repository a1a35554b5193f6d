/* native/httpd/readable.h - what root can read at the start, the children of the server may not be able to read later. */
#ifndef JK_HTTPD_READABLE_H
#define JK_HTTPD_READABLE_H

#include <apr_pools.h>
#include <stdbool.h>

/* May the server's User (and Group) read this file, by the modes of it and of the directories above? Asked in check_config. */
bool jk_readable_by_children(apr_pool_t *p, const char *path);

#endif
