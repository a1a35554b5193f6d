/* tools/jkconf_world.h - what other modules' directives do to a request that mod_jk is asked about: sections that hold, SetHandler, SetEnv,
 * SetEnvIf; and those that only httpd can weigh, each named with its place. */
#ifndef JKCONF_WORLD_H
#define JKCONF_WORLD_H

#include "jkconf_httpd.h"

/* Where something was set. */
typedef struct jkconf_set {
    const char *value; /* NULL: it is not set */
    const ap_directive_t *at;
} jkconf_set;

typedef struct jkconf_world {
    jkconf_httpd *h;
    const server_rec *s;
    const char *raw;       /* the path as the client sent it */
    const char *path;      /* decoded */
    const char *normal;    /* what is mapped */
    const char *seen;      /* what sections are held against: the normal form where a mount maps it, else the path */
    const char *indicator; /* the variable that names the worker */
    /* Found: */
    jkconf_set handler;     /* SetHandler */
    jkconf_set worker;      /* of the indicator */
    jkconf_set off;         /* no-jk, set before mod_jk maps */
    jkconf_set off_late;    /* no-jk, set between mapping and handler */
    bool merge;             /* MergeSlashes */
    int slashes;            /* AllowEncodedSlashes: jkconf_slashes */
    apr_array_header_t *doubts; /* of const char * */
} jkconf_world;

/* MergeSlashes and AllowEncodedSlashes alone: needed for the path. */
void jkconf_world_paths(jkconf_world *w);

/* The rest; raw, path, seen and indicator are set. */
void jkconf_world_look(jkconf_world *w);

typedef enum jkconf_fit { JKCONF_FITS_NOT, JKCONF_FITS, JKCONF_FITS_UNKNOWN } jkconf_fit;

/* A regular expression, where every engine reads it alike; UNKNOWN: it uses what only httpd's has. */
jkconf_fit jkconf_world_regex(const char *regex, const char *text, bool any_case);

/* Does <Location `pattern`> hold for the path? Literal, or with wildcards. */
bool jkconf_world_location(const char *pattern, const char *path);

#endif
