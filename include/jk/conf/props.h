/* include/jk/conf/props.h - the properties grammar: text -> key, value, file:line (spec: workers.md 1, decisions.md). Knows no key's
 * meaning but one thing: in which values a '#' may stand. */
#ifndef JK_CONF_PROPS_H
#define JK_CONF_PROPS_H

#include "jk/base/span.h"
#include "jk/conf/findings.h"

typedef struct jk_prop {
    const char *key, *value;
    const char *file;
    int line;
} jk_prop;

typedef struct jk_props {
    apr_pool_t *p;
    apr_array_header_t *all; /* of jk_prop, in the order of the text; keys may repeat */
    const char *(*env)(const char *name); /* for macros; NULL: none */
} jk_props;

jk_props *jk_props_make(apr_pool_t *p, const char *(*env)(const char *name));

/* One line of JkWorkerProperty: a '#' has no meaning in it. */
void jk_props_line(jk_props *props, jk_findings *found, const char *text, const char *file, int line);

/* A whole file's bytes. */
void jk_props_text(jk_props *props, jk_findings *found, jk_span text, const char *file);

/* The value that a key has last; NULL: none. */
const char *jk_props_get(const jk_props *props, const char *key);

#endif
