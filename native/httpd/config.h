/* native/httpd/config.h - what the directives say, per server, and what startup makes of it. Filled while httpd reads its
 * files and in post_config; read-only afterwards. */
#ifndef JK_HTTPD_CONFIG_H
#define JK_HTTPD_CONFIG_H

#include "jk/ajp/forward.h"
#include "jk/base/log.h"
#include "jk/route/match.h"

#include <httpd.h>
#include <http_config.h>
#include <apr_atomic.h>
#include <apr_tables.h>

/* JkOptions. The forms of the URI exclude one another, and so do the two addresses (spec: directives.md 3). */
enum {
    JK_OPT_URI_PROXY = 1,
    JK_OPT_URI_COMPAT = 2,
    JK_OPT_URI_UNPARSED = 4,
    JK_OPT_URI_ESCAPED = 8,
    JK_OPT_URI = 15,
    JK_OPT_DIRECTORIES = 16,
    JK_OPT_LOCAL_ADDRESS = 32,
    JK_OPT_PHYSICAL_ADDRESS = 64,
    JK_OPT_ADDRESS = 96,
    JK_OPT_FLUSH_PACKETS = 128,
    JK_OPT_FLUSH_HEADER = 256,
    JK_OPT_DISABLE_REUSE = 512,
    JK_OPT_KEY_SIZE = 1024,
    JK_OPT_CERT_CHAIN = 2048,
    JK_OPT_REJECT_UNSAFE = 4096
};

enum { JK_NOTES_OFF, JK_NOTES_ON, JK_NOTES_AUTO };

enum { JK_PARK_UNSET = -1, JK_PARK_AUTO, JK_PARK_ON, JK_PARK_OFF };

enum { JK_COPY_UNSET = -1, JK_COPY_OFF, JK_COPY_ON, JK_COPY_ALL };

/* One JkMount or JkUnMount as written. */
typedef struct jk_mount {
    const char *uri, *worker;
    bool exclude;
    const char *file;
    int line;
} jk_mount;

/* The variables of the environment whose names directives choose. From JK_ENV_OF_REQUEST on they are read together, once, by the handler. */
typedef enum jk_env {
    JK_ENV_WORKER,
    JK_ENV_REQUEST_ID,
    JK_ENV_OF_REQUEST,
    JK_ENV_REMOTE_ADDR = JK_ENV_OF_REQUEST,
    JK_ENV_REMOTE_PORT,
    JK_ENV_REMOTE_HOST,
    JK_ENV_REMOTE_USER,
    JK_ENV_AUTH_TYPE,
    JK_ENV_LOCAL_NAME,
    JK_ENV_LOCAL_ADDR,
    JK_ENV_LOCAL_PORT,
    JK_ENV_IGNORE_CL,
    JK_ENV_HTTPS,
    JK_ENV_SSL_PROTOCOL,
    JK_ENV_SSL_CERT,
    JK_ENV_SSL_CIPHER,
    JK_ENV_SSL_SESSION,
    JK_ENV_SSL_KEY_SIZE,
    JK_ENV_COUNT
} jk_env;

/* One JkEnvVar. */
typedef struct jk_env_var {
    const char *name;
    const char *standard; /* sent where the variable is not set; NULL: then nothing is sent */
} jk_env_var;

/* Where a directive stands, for the words of a finding. */
typedef struct jk_place {
    const char *file;
    int line;
} jk_place;

typedef struct jk_logfile jk_logfile;
typedef struct jk_environ jk_environ;
typedef struct jk_requestlog jk_requestlog;
typedef struct jk_follow jk_follow;

/* Of the main server alone. */
typedef struct jk_global {
    const char *workers_file; /* as written; NULL: none */
    const char *workers_where_file;
    int workers_where_line;
    apr_array_header_t *properties; /* of jk_mount: uri is the line, file and line say where */
    int strict;                     /* JkStrict */
    int notes;                      /* JkNotes */
    bool glances;                   /* at post_config: are JK_LB_x to be noted? */
    const char *state_file;         /* JkStateFile; NULL: none */
    const char *shm_file;
    int shm_size;
    int watchdog_interval; /* s; -1: not set */
    int park_max;          /* JkParkMax: requests per process that wait without a thread; -1: not set */
} jk_global;

typedef struct jk_server {
    server_rec *s;
    jk_global *global; /* the main server's, the same for all */
    apr_array_header_t *mounts; /* of jk_mount */
    int mount_copy;
    const char *mount_file; /* JkMountFile; NULL: none of its own */
    const char *mount_where_file;
    int mount_where_line;
    int mount_reload;      /* JkMountFileReload, s; -1: not set */
    const char *alias_dir; /* JkAutoAlias; NULL: none */
    const char *alias_where_file;
    int alias_where_line;
    const char *strip;     /* JkStripSession: what is cut off, "": nothing; NULL: not set */
    int options, minus; /* of JK_OPT_x; what minus names counts after jk_directives_settle() no more */
    const char *env[JK_ENV_COUNT], *cert_chain_prefix;
    apr_array_header_t *env_vars; /* of jk_env_var; a name stands once */
    int extract_ssl;              /* 0, 1; -1: not set */
    const char *log_file, *log_stamp, *request_log;
    jk_place log_file_at, request_log_at, wrong_level_at;
    const char *wrong_level; /* what JkLogLevel said that is none; NULL: all is well */
    int log_level; /* -1: not set */
    int park;       /* JkPark */
    int park_after; /* JkParkAfter in ms; -1: not set */

    /* Made at post_config. */
    const jk_match *map; /* NULL: this server maps nothing */
    jk_follow *follow;   /* what takes the place of `map` when its rule file changes; NULL: nothing ever does */
    /* Of a process: these were said once. */
    volatile apr_uint32_t told_rewrite, told_indicator;
    jk_logfile *logfile;
    const jk_environ *environ; /* what of the above is to be looked for in a request */
    bool times;                  /* JK_T_x are to be noted */
    const jk_requestlog *format; /* NULL: no line for each request */
} jk_server;

extern module AP_MODULE_DECLARE_DATA jk_module;
extern const command_rec jk_directives[];

void *jk_directives_create(apr_pool_t *p, server_rec *s);
void *jk_directives_merge(apr_pool_t *p, void *base, void *own);

/* At post_config, before anything asks: what the directives of a server come to. Idempotent; the main server comes first. */
void jk_directives_settle(jk_server *conf);

static inline jk_server *jk_config_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &jk_module);
}

#endif
