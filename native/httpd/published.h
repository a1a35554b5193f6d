/* native/httpd/published.h - the rule extension path= (jk/route/publish.h) on a request and its answer. */
#ifndef JK_HTTPD_PUBLISHED_H
#define JK_HTTPD_PUBLISHED_H

#include "config.h"

#include "jk/route/publish.h"

/* For a request that `pattern` mapped, in r->pool. */
const jk_publish *jk_published_make(request_rec *r, jk_span pattern, const char *path);

/* A header field of the answer: the value to pass on, itself where it names no path of the container's. */
char *jk_published_field(request_rec *r, const jk_publish *p, const char *name, char *value);

#endif
