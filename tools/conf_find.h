/* tools/conf_find.h - which workers httpd has: a small reader of httpd.conf, for the few lines that a tool must know.
 *
 * It follows Include, IncludeOptional and lines that go on with '\', knows Define, ${NAME}, ServerRoot and the file envvars beside it, and looks
 * into <IfDefine>; all else inside of sections it takes as in force (<IfModule> as if the module were loaded). It runs no httpd: what only that
 * knows, such as -D on its command line, it does not. */
#ifndef CONF_FIND_H
#define CONF_FIND_H

#include "jk/conf/props.h"

/* JkMount PATTERN WORKER; what stands in a section alone, without a pattern, is not among them. */
typedef struct conf_mount {
    const char *pattern, *worker;
} conf_mount;

typedef struct conf_env {
    const char *name, *value; /* JkEnvVar; value: "" where it has none */
} conf_env;

/* Texts are NULL where the files do not say it; all of it belongs to the pool. */
typedef struct conf_found {
    const char *server_root;      /* always one: else a guess by where the file lies */
    bool root_said;               /* it is no guess */
    const char *workers_file;     /* as a whole path, */
    bool workers_guessed;         /* below that guess */
    apr_array_header_t *lines;    /* of jk_prop: JkWorkerProperty, `value` is the raw line */
    apr_array_header_t *env;      /* of conf_env */
    apr_array_header_t *mounts;   /* of conf_mount */
    const char *user, *group;     /* whom httpd's processes run as */
    apr_array_header_t *troubles; /* of const char *: files that could not be read, in words */
} conf_found;

/* Reads `path` and what it includes. */
conf_found *conf_find(apr_pool_t *p, const char *path);

/* The same for a workers file alone. */
conf_found *conf_find_workers(apr_pool_t *p, const char *path);

/* The bytes of a file, with a NUL behind them; NULL: errno says why. At most 16 MB. */
const char *conf_find_read(apr_pool_t *p, const char *path, size_t *len);

#endif
