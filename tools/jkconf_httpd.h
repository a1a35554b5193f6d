/* tools/jkconf_httpd.h - stands where httpd stands for the files of native/httpd that check and map: gives them httpd's functions, a main server,
 * virtual hosts, and calls their directives for the lines of a tree that jkconf_read made. No socket, no process, no request. */
#ifndef JKCONF_HTTPD_H
#define JKCONF_HTTPD_H

#include "jkconf_read.h"

#include <httpd.h>

/* A configuration as httpd would have it before it starts. */
typedef struct jkconf_httpd {
    apr_pool_t *p;
    jkconf_reader *reader;
    jk_findings *found;
    ap_directive_t *tree;
    server_rec *main_server; /* virtual hosts behind it, the last one first, as httpd has them */
    apr_array_header_t *listens; /* of int: ports */
} jkconf_httpd;

/* One for each process: what native/httpd calls finds it without being told. Nothing has been read. */
jkconf_httpd *jkconf_httpd_make(apr_pool_t *p, jkconf_reader *reader);

/* Makes servers of h->tree, calls the directives of mod_jk, and lets virtual hosts inherit. Once. What is wrong goes to the findings. */
void jkconf_httpd_apply(jkconf_httpd *h);

/* After that: gives every virtual host an object of its own, as the start does. */
void jkconf_httpd_settle(jkconf_httpd *h);

/* The section of a virtual host in the tree; NULL: of the main server. */
const ap_directive_t *jkconf_httpd_section(const server_rec *s);

#endif
