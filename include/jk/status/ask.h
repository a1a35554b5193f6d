/* include/jk/status/ask.h - what somebody wants of the status page: a command, a format, a worker. And what came of it. */
#ifndef JK_STATUS_ASK_H
#define JK_STATUS_ASK_H

#include "jk/conf/workers.h"
#include "jk/status/query.h"

/* jk_command.does */
enum {
    JK_CMD_CHANGES = 1,  /* needs more than a GET */
    JK_CMD_WRITES = 2,   /* refused where nothing may be changed */
    JK_CMD_HEAD = 4,     /* time and software are shown */
    JK_CMD_SERVER = 8,   /* name and port are */
    JK_CMD_ALL = 16,     /* all workers are shown */
    JK_CMD_ONE = 32,     /* the worker of `w` is */
    JK_CMD_DUMP = 64,    /* the configuration is */
    JK_CMD_WORKER = 128, /* needs `w` */
    JK_CMD_WILD = 256,   /* `sw` may have wildcards */
    JK_CMD_NEW = 512,    /* `sw` is nobody yet */
    JK_CMD_MEMBER = 1024 /* needs `sw` */
};

typedef struct jk_command {
    const char *name; /* NULL ends the table */
    unsigned does;    /* JK_CMD_ */
} jk_command;

extern const jk_command jk_commands[];

/* The bits of opt. */
enum {
    JK_HIDE_MEMBERS = 1,
    JK_HIDE_MAPS = 2,
    JK_HIDE_LEGEND = 4,
    JK_HIDE_LB = 8,
    JK_HIDE_AJP = 16,
    JK_HIDE_CHANGES = 32,
    JK_HIDE_LB_CONFIG = 64,
    JK_HIDE_LB_SUMMARY = 128,
    JK_HIDE_AJP_CONFIG = 256
};

/* What came of it. */
typedef struct jk_result {
    int status;          /* of HTTP: 200, or 4xx and 5xx */
    const char *message; /* "Action finished", or what is wrong */
} jk_result;

typedef struct jk_format jk_format; /* jk/status/render.h */

typedef struct jk_ask {
    jk_query query;
    const jk_command *command; /* never NULL */
    const jk_format *format;   /* never NULL */
    const char *w, *sw, *att;  /* NULL: not there; "" is there */
    unsigned opt;
    int refresh;               /* s; 0: none */
    bool read_only;            /* nothing can be changed: by the configuration, or by opt */
} jk_ask;

/* Reads what a query says, of the status worker `conf`. *ask is whole in any case: what is wrong is in *result, else it is 200. */
void jk_ask_read(apr_pool_t *p, jk_span text, const jk_worker_conf *conf, jk_ask *ask, jk_result *result);

/* The same of a query that was read already. */
void jk_ask_take(const jk_query *query, const jk_worker_conf *conf, jk_ask *ask, jk_result *result);

bool jk_result_ok(const jk_result *result);

#endif
