/* include/jk/conf/props.h - the properties grammar: text -> key, value, file:line (spec: workers.md 1, decisions.md).
 *   key = value   # a comment stands at the start of a line or after white space
 *   key = a $(name) b
 * What a key means is conf/keys'; three things are asked there: may a '#' stand in its value, do its lines add up, may
 * its value be shown. No file is opened here: the caller has the bytes and keeps them as the last good ones. */
#ifndef JK_CONF_PROPS_H
#define JK_CONF_PROPS_H

#include "jk/base/span.h"
#include "jk/conf/findings.h"

#include <apr_hash.h>

typedef struct jk_prop {
    const char *key, *value;
    const char *file;
    int line;
    bool hidden; /* a secret, what one was made of, or what else was made of that: never to be shown */
} jk_prop;

/* The place of a finding, for jk_findings_add. */
#define JK_PROP_AT(prop) (prop)->file, (prop)->line

typedef struct jk_props {
    apr_pool_t *p;
    apr_array_header_t *all; /* of jk_prop, in the order of the text; keys may repeat */
    const char *(*env)(const char *name); /* for macros; NULL: none */
    apr_hash_t *now;          /* key -> what a macro sees at this point of the text */
    apr_array_header_t *uses; /* which name went into which key, by macros */
} jk_props;

jk_props *jk_props_make(apr_pool_t *p, const char *(*env)(const char *name));

/* A variable that is there from the beginning (ServerRoot): no macros, no comment. `value` must live as long as p. */
void jk_props_define(jk_props *props, const char *key, const char *value, const char *file);

/* One line of JkWorkerProperty: a '#' has no meaning in it. `file` must live as long as p. */
void jk_props_line(jk_props *props, jk_findings *found, const char *text, const char *file, int line);

/* A whole file's bytes, which may go away afterwards; `file` must live as long as p. */
void jk_props_text(jk_props *props, jk_findings *found, jk_span text, const char *file);

/* After the last line: finds out which properties must not be shown, and tells of macros that stand for nothing. */
void jk_props_close(jk_props *props, jk_findings *found);

/* The same value once more, under another key: what a reference takes over. `key` must live as long as p. */
void jk_props_copy(jk_props *props, const jk_prop *of, const char *key);

/* Does any macro name it? */
bool jk_props_used(const jk_props *props, const char *key);

/* The value that a macro would see: the last, or all of them where lines add up. NULL: none. */
const char *jk_props_get(const jk_props *props, const char *key);

/* A word of the value, or NULL for all of it, as a finding may quote it: hidden, or cut where it is long. */
const char *jk_props_shown(apr_pool_t *p, const jk_prop *prop, const char *word);

#endif
