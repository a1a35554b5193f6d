/* include/jk/status/edit.h - what an administrator changes by the status page: values, counters, states. What may be edited, and by which
 * parameter, is one table; what a value may be stands in conf/keys.
 *
 * Everything that is asked for is checked before anything is done: a request changes all of it or nothing. */
#ifndef JK_STATUS_EDIT_H
#define JK_STATUS_EDIT_H

#include "jk/conf/keys.h"
#include "jk/status/ask.h"
#include "jk/worker/registry.h"

/* jk_attribute.of */
enum { JK_OF_LB = 1, JK_OF_MEMBER = 2, JK_OF_AJP = 4 };

typedef struct jk_attribute {
    const char *param; /* "vwf"; NULL ends the table */
    const char *key;   /* the name of its row in conf/keys */
    unsigned of;       /* JK_OF_ */
    bool alone;        /* not for all members at once (att) */
} jk_attribute;

extern const jk_attribute jk_attributes[];

/* The row of conf/keys. */
const jk_key *jk_attribute_key(const jk_attribute *a);

/* Puts a value into *tune, as the file's would be. NULL; or in words, in p, what is wrong with it, and *tune stays. */
const char *jk_attribute_set(apr_pool_t *p, const jk_attribute *a, const char *value, jk_tune *tune);

/* What was done, for the log: lines that go on after "Status worker 'NAME' ", without who did it. */
typedef struct jk_edit {
    apr_pool_t *p;
    const jk_registry *registry;
    const jk_ask *ask;
    const char *who; /* "" : nobody is known */
    int64_t now;
    apr_array_header_t *lines; /* of const char * */
} jk_edit;

/* `who` asks for it; p is the request's. jk_edit_do does what ask's command says: update, reset, recover; what comes of it is in *result
 * (404 no such worker, 409 the state does not allow it, 422 a value is none, 503 another edit did not end). May look up a host. */
jk_edit jk_edit_make(apr_pool_t *p, const jk_registry *registry, const jk_ask *ask, const char *who, int64_t now);
void jk_edit_do(jk_edit *edit, jk_result *result);

/* How many workers and members are called so, those of all balancers together. */
int jk_edit_named(const jk_registry *registry, const char *name);

/* Of an ask that shows or edits one worker: is it there? Else *result says what is wrong. */
void jk_edit_check_worker(const jk_registry *registry, const jk_ask *ask, jk_result *result);

#endif
