/* include/jk/route/match.h - the rules of one server, compiled: URI -> rule, and why.
 *
 * Order: more slashes first, then the longer pattern, then the higher source, then the first defined; an exact pattern has
 * no precedence. The first mount that matches wins. Then any exclusion of the winner's worker, or of "*", that matches
 * takes the mapping away, and no second best is tried.
 *
 * Built once, never changed, used by any number of threads. A look-up costs the URI's length and not the number of
 * rules (patterns with a '?' or with text between two '*' aside: those are tried one by one, but only where
 * their literal beginning fits, and only such as come before the best found). */
#ifndef JK_ROUTE_MATCH_H
#define JK_ROUTE_MATCH_H

#include "jk/route/rule.h"

typedef struct jk_match jk_match;

/* Memory that lives as long as the jk_match: aligned as malloc's, NULL when there is none. It is asked for six
 * blocks, some 200 bytes for each rule, and gets nothing back. */
typedef struct jk_match_memory {
    void *(*alloc)(void *ctx, size_t n);
    void *ctx;
} jk_match_memory;

/* Compiles. The array may go away afterwards, what the rules point to must stay. Two rules of the same text, flags
 * and source are one, the later (exclusions in worker.NAME.mount only where the worker is the same). JK_OK, JK_E_MEMORY. */
jk_rc jk_match_make(jk_match_memory memory, const jk_rule *rules, size_t n, const jk_match **match);

typedef struct jk_match_answer {
    const jk_rule *rule;      /* the mapping; NULL: the URI is not mapped */
    const jk_rule *winner;    /* why: the first mount that matches; NULL: there is none */
    const jk_rule *exclusion; /* and the exclusion that takes it away; NULL: there is none */
} jk_match_answer;

/* `uri` is in its normal form (jk/route/path.h). */
jk_match_answer jk_match_find(const jk_match *match, jk_span uri);

/* All rules in the order in which they are tried, the disabled and the exclusions among them: i < jk_match_count(). */
size_t jk_match_count(const jk_match *match);
const jk_rule *jk_match_rule(const jk_match *match, size_t i);

#endif
