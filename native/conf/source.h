/* native/conf/source.h - what was written about each worker, by row of conf/keys, and what one parse of workers shares.
 * Room-private: nothing of it outlives jk_workers_parse but what it put into jk_workers_conf. */
#ifndef JK_CONF_SOURCE_H
#define JK_CONF_SOURCE_H

#include "jk/conf/keys.h"

/* One name of which some attribute was written: a worker, or a template for references. */
typedef struct jk_source {
    const char *name;
    apr_array_header_t *by_row[JK_KEYS_MOST]; /* of jk_prop, in order; NULL: not written */
    bool taken_over[JK_KEYS_MOST];            /* by a reference */
    bool broken, resolved;                    /* its reference */
} jk_source;

typedef struct jk_parse {
    apr_pool_t *p;
    jk_findings *found;
    jk_props *props;
    jk_workers_conf *conf;
    apr_hash_t *sources;       /* name -> jk_source */
    apr_array_header_t *order; /* of jk_source *, as they were first named */
    apr_hash_t *hidden;        /* names that were written by a secret's macro */
    int kinds;                 /* jk_worker_kind bits that can be made */
} jk_parse;

/* Checks every key, and puts what belongs to workers into sources. */
void jk_source_gather(jk_parse *ps);

/* Takes over what references lead to. */
void jk_source_resolve(jk_parse *ps);

/* NULL: nothing was written about it. */
jk_source *jk_source_find(const jk_parse *ps, const char *name);

/* The lines of an attribute (which must be one of the table's) that are in force; NULL: it was not written. */
const apr_array_header_t *jk_source_lines(const jk_parse *ps, const char *name, const char *attr);

/* The last of them; NULL: none. */
const jk_prop *jk_source_last(const jk_parse *ps, const char *name, const char *attr);

/* A worker's name as a finding may quote it. */
const char *jk_source_shown(const jk_parse *ps, const char *name);

/* "; did you mean 'x'?" for a name that is like one of theirs. */
const char *jk_source_hint(const jk_parse *ps, const char *name);

#endif
