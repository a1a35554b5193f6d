/* native/httpd/mounts.h - from JkMount and its like to what jk_match_find looks through (spec: directives.md 4, uri_map.md). */
#ifndef JK_HTTPD_MOUNTS_H
#define JK_HTTPD_MOUNTS_H

#include "config.h"

#include "jk/conf/extension.h"
#include "jk/conf/urimap.h"
#include "jk/shm/tally.h"
#include "jk/worker/worker.h"

/* What a rule leads to: jk_rule.data of every mount. */
typedef struct jk_target {
    const char *name, *written; /* the second with its extensions */
    const jk_worker *worker;  /* NULL: there is none of this name */
    const jk_extension *more; /* of the rule; NULL: none */
    const char *vhost;        /* the server that it is written in, as jk_mounts_server() calls it: others may have taken it over */
    jk_tally *tally;          /* NULL: its requests are not counted */
} jk_target;

/* "name [addr:port]", of the main server "name:port"; in p. */
const char *jk_mounts_server(apr_pool_t *p, const server_rec *s);

/* Each rule gets its numbers in the shared memory: at post_config those of all servers, and those of a map that was compiled anew. */
void jk_mounts_count_all(apr_pool_t *p, server_rec *s, jk_shm *shm);
void jk_mounts_count(apr_pool_t *p, const jk_match *match, jk_shm *shm);

/* The names under which they are counted, each once, go into the hash. */
void jk_mounts_names(apr_pool_t *p, const jk_match *match, apr_hash_t *names);

/* What mounts are made of beside the directives. */
typedef struct jk_mounts_from {
    const jk_workers_conf *workers;
    const apr_array_header_t *files; /* of jk_rule_text */
    jk_findings *found;
    bool reload; /* what names no worker is left out: nobody looks at its findings before its requests come */
} jk_mounts_from;

/* The rules of one server: its own, what it takes over from the main server, and those of its rule file. In check_config, for the findings
 * alone, at post_config, and at each reload of the file. Allocates from p. */
const jk_match *jk_mounts_make(apr_pool_t *p, const jk_server *conf, const jk_server *main_conf, const jk_mounts_from *from);

/* The rule file that is in force for this server; NULL: none. */
const char *jk_mounts_file(const jk_server *conf, const jk_server *main_conf);

/* At post_config: conf->map and conf->follow. main_conf's own comes first: others may share them (JkMountCopy). */
void jk_mounts_compile(apr_pool_t *p, jk_server *conf, const jk_server *main_conf, const jk_mounts_from *from);

/* At post_config, info: main server's mounts that no virtual host takes over; contexts that lead nowhere without their slash. */
void jk_mounts_tell(server_rec *s);

#endif
