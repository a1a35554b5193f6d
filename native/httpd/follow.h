/* native/httpd/follow.h - a map that follows its rule file while the server runs (JkMountFileReload; spec: uri_map.md 4, decisions.md).
 *
 * Each process looks for itself: at most once per interval, by a request, and one at a time. A changed file is compiled in a pool of its own,
 * and one pointer is swapped. Who uses a map holds it; the last one frees it. A file that cannot be read, or is broken, changes nothing. */
#ifndef JK_HTTPD_FOLLOW_H
#define JK_HTTPD_FOLLOW_H

#include "mounts.h"

/* At post_config, after conf->map. NULL: there is no rule file, or JkMountFileReload is 0. */
jk_follow *jk_follow_make(apr_pool_t *pconf, const jk_server *conf, const jk_server *main_conf, const jk_mounts_from *from);

/* A hold on one state of the map. */
typedef struct jk_held jk_held;

/* The map in force at the time of this request, after a look at the file where one is due. Must be given up, by one of the two below. */
jk_held *jk_follow_hold(jk_follow *follow, request_rec *r);
/* The same after a look now, whatever the interval says: for who wants to see what is written. */
jk_held *jk_follow_hold_now(jk_follow *follow, request_rec *r);
const jk_match *jk_follow_match(const jk_held *held);

void jk_follow_drop(jk_held *held);
/* Later: with the pool. */
void jk_follow_drop_with(jk_held *held, apr_pool_t *p);

#endif
