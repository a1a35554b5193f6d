/* native/httpd/mounts.h - from JkMount and its like to what jk_match_find looks through (spec: directives.md 4, uri_map.md). */
#ifndef JK_HTTPD_MOUNTS_H
#define JK_HTTPD_MOUNTS_H

#include "config.h"

#include "jk/conf/workers.h"

/* In check_config: every mount of this server to a worker that is not there. */
void jk_mounts_check(const jk_server *conf, const jk_workers_conf *workers, jk_findings *found);

/* At post_config: conf->map. main_conf's own comes first: others may share it (JkMountCopy). */
void jk_mounts_compile(apr_pool_t *p, jk_server *conf, const jk_server *main_conf);

/* At post_config: says so where the main server has mounts that no virtual host takes over. */
void jk_mounts_tell_lonely(const jk_server *main_conf);

#endif
