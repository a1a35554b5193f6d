/* tools/jkconf_host.h - which virtual host answers, by httpd's rules: first the address and port that the request comes to, then its name. */
#ifndef JKCONF_HOST_H
#define JKCONF_HOST_H

#include "jk/conf/findings.h"

#include <httpd.h>

typedef struct jkconf_met {
    const server_rec *s;
    const char *how;             /* in words */
    apr_array_header_t *doubts;  /* of const char *: virtual hosts that only the address could tell of */
} jkconf_met;

/* `address` is this server's, NULL where it is not known; `host` is the name that the client asks for, "" where it says none. The main server's
 * list of virtual hosts is httpd's: the last one first. */
jkconf_met jkconf_host_find(apr_pool_t *p, const server_rec *main_server, const char *address, int port, const char *host);

/* "virtual host NAME FILE:LINE", or "main server". */
const char *jkconf_host_name(apr_pool_t *p, const server_rec *s);

#endif
