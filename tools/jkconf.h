/* tools/jkconf.h - what jkconf was asked, and its three answers. */
#ifndef JKCONF_H
#define JKCONF_H

#include "jkconf_httpd.h"

enum { JKCONF_CLEAN = 0, JKCONF_WARNED = 1, JKCONF_REFUSED = 2, JKCONF_CANNOT = 3, JKCONF_USAGE = 64 };

typedef struct jkconf_asked {
    apr_pool_t *p;
    apr_array_header_t *words;   /* of const char *: the command's arguments */
    apr_array_header_t *defines, *modules, *confs; /* likewise, of -D, --module and --conf */
    const char *root;            /* -d; NULL: the one that httpd was built with */
    const char *kind;            /* --kind; NULL: told by the content and the name */
    const char *cookie, *host, *address;
    int port;                    /* 0: the URL's */
    bool strict, json, hints, no_lookup;
} jkconf_asked;

/* The types of workers that the module can make. */
#define JKCONF_WORKERS_ALL (JK_WORKER_AJP13 | JK_WORKER_LB | JK_WORKER_STATUS)

/* Text for a terminal and for JSON: a '?' for each control character, and for each byte beyond ASCII where they make no UTF-8. */
const char *jkconf_shown(apr_pool_t *p, const char *text);

/* A reader and what stands for httpd, as the options say. */
jkconf_httpd *jkconf_begin(const jkconf_asked *asked);

/* Each prints to stdout and returns an exit status. */
int jkconf_check(const jkconf_asked *asked);
int jkconf_explain(const jkconf_asked *asked);
int jkconf_keys(const jkconf_asked *asked);

#endif
