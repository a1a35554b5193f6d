/* native/httpd/lookup.h - does a name resolve? With a bound on how long it may take: a name service that is dead must not hold up a check. */
#ifndef JK_HTTPD_LOOKUP_H
#define JK_HTTPD_LOOKUP_H

#include <apr_pools.h>

/* For each name NULL where it resolves, else in words why not; at most 2 s for all of them. It forks: only in a process without threads. */
const char **jk_lookup_all(apr_pool_t *p, const char *const *names, int n);

#endif
