/* include/jk/conf/keys.h - the one table of worker keys: the parser, the error texts and later the manual, the status page and
 * edits read it. A key is one row; adding one touches one line and its use. */
#ifndef JK_CONF_KEYS_H
#define JK_CONF_KEYS_H

#include "jk/conf/workers.h"

typedef enum jk_key_type { JK_KEY_INT, JK_KEY_TIME, JK_KEY_SIZE, JK_KEY_BOOL, JK_KEY_TEXT, JK_KEY_LIST, JK_KEY_WORD } jk_key_type;
/* Where the value goes. NOWHERE: it is read elsewhere by name (type, host, lists). */
typedef enum jk_key_home { JK_HOME_NOWHERE, JK_HOME_CONF, JK_HOME_TUNE } jk_key_home;
typedef enum jk_key_state {
    JK_KEY_IN_FORCE,
    JK_KEY_LATER,     /* known, checked, and without effect yet: whoever sets it is told */
    JK_KEY_IGNORED    /* accepted for old files, without effect for good */
} jk_key_state;

typedef struct jk_key {
    const char *name;
    const char *alias;  /* a deprecated name; NULL: none */
    jk_key_type type;
    const char *unit;   /* of a bare number: "s", "ms", "" */
    const char *dflt;   /* as text; NULL: none, or made from others */
    int min, max;
    int kinds;          /* jk_worker_kind bits */
    jk_key_home home;
    size_t offset;
    jk_key_state state;
    const char *help;
} jk_key;

extern const jk_key jk_keys[];
extern const size_t jk_keys_count;

/* The row of a key or of its deprecated alias (*old says which); NULL: there is none. */
const jk_key *jk_keys_find(const char *name, bool *old);

/* Reads a value into its home inside conf. What is wrong with it is a finding at prop's place; the value is then what the incumbent
 * would take: the leading digits, else the default. */
void jk_keys_set(const jk_key *key, const jk_prop *prop, jk_worker_conf *conf, jk_findings *found);

/* Puts every row's default into conf. */
void jk_keys_defaults(jk_worker_conf *conf);

#endif
