/* include/jk/conf/keys.h - the one table of worker keys: the parser, the error texts and later the manual, the status page and
 * edits read it. A key is one row; adding one touches one line and its use. How a value is read is conf/values'. */
#ifndef JK_CONF_KEYS_H
#define JK_CONF_KEYS_H

#include "jk/conf/workers.h"

/* What a value is, and what lies in its home. Times, sizes, words and letters are int32_t as integers are. */
typedef enum jk_key_type {
    JK_KEY_INT,
    JK_KEY_TIME,    /* ms, s, m, h */
    JK_KEY_SIZE,    /* k, m, g */
    JK_KEY_BOOL,    /* bool */
    JK_KEY_TEXT,    /* const char * in the configuration, char[JK_NAME_MAX + 1] in jk_tune */
    JK_KEY_LIST,    /* apr_array_header_t * of const char *; its lines add up */
    JK_KEY_CODES,   /* apr_array_header_t * of int32_t; its lines add up */
    JK_KEY_WORD,    /* one of `words` */
    JK_KEY_LETTERS  /* any of `words`, by their letters: bits */
} jk_key_type;

/* Where the value goes. NOWHERE: it is read elsewhere by name (type, reference), or by nobody. */
typedef enum jk_key_home { JK_HOME_NOWHERE, JK_HOME_CONF, JK_HOME_TUNE } jk_key_home;

typedef enum jk_key_state {
    JK_KEY_IN_FORCE,
    JK_KEY_OLD,      /* in force, and deprecated: `help` is what to use instead */
    JK_KEY_IGNORED   /* accepted for old files, without effect for good */
} jk_key_state;

/* jk_key.flags */
enum {
    JK_KEY_SECRET = 1, /* the value is never shown */
    JK_KEY_HASH = 2    /* a '#' that follows no white space is a part of the value */
};

/* Rows of one value may be several; the first is how it is shown. */
typedef struct jk_key_word {
    const char *word;    /* NULL ends the table */
    const char *letters; /* in lower case: each alone stands for the word. "": only the word itself does */
    int32_t value;
} jk_key_word;

typedef struct jk_key {
    const char *name;
    const char *alias; /* a deprecated name; NULL: none */
    jk_key_type type;
    const char *unit;  /* of a bare number: "s", "ms", "" */
    const char *dflt;  /* as text; NULL: none, or made from others */
    int32_t min, max;  /* of numbers; of a text: its bytes */
    int kinds;         /* jk_worker_kind bits; 0: a key of no worker (jk_keys_global) */
    jk_key_home home;
    size_t offset, size;
    jk_key_state state;
    const char *help;
    const jk_key_word *words;
    unsigned flags;
} jk_key;

extern const jk_key jk_keys[];
extern const size_t jk_keys_count; /* at most JK_KEYS_MOST */

/* worker.list and worker.maintain. */
extern const jk_key jk_keys_global[2];

/* The row of an attribute or of its deprecated alias (*old says which); NULL: there is none. */
const jk_key *jk_keys_find(const char *name, bool *old);

/* The row of a whole key, worker.NAME.ATTRIBUTE or worker.list; NULL: a variable, or nothing that is known. */
const jk_key *jk_keys_of(const char *key);

/* Do the lines of this key add up? */
bool jk_keys_adds_up(const jk_key *key);

/* Was it written, by the worker or by what it refers to? `name` must be one of the table's. */
bool jk_keys_written(const jk_worker_conf *conf, const char *name);
void jk_keys_write(jk_worker_conf *conf, const jk_key *key);

#endif
