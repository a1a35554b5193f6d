/* native/httpd/autoalias.h - JkAutoAlias: httpd serves the static files of the container's applications itself (spec: directives.md 5). */
#ifndef JK_HTTPD_AUTOALIAS_H
#define JK_HTTPD_AUTOALIAS_H

#include "config.h"

#include "jk/conf/findings.h"

/* In check_config: is it there? */
void jk_autoalias_check(const jk_server *conf, jk_findings *found);

/* In the translate hook, for a request that no mount maps; `normal` is its path's normal form. OK: r->filename is set. DECLINED: this is no
 * application's. Else the status of a refusal. */
int jk_autoalias_translate(request_rec *r, const char *dir, const char *normal);

/* Is there a regular file of that path? mod_dir asks for one index page after the other. */
bool jk_autoalias_has(request_rec *r, const char *dir, const char *normal);

#endif
