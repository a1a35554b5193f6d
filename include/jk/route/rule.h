/* include/jk/route/rule.h - one rule that maps a URI to a worker: its pattern as written, taken apart, and matched alone.
 *
 *   /app*      '*' is any bytes, none too and '/' too; more than one in a row is one; '?' is exactly one byte
 *   /a|b       two rules, /a and /ab; only the first '|' counts  (JkMount, JkUnMount, rule file)
 *   -/x  !/x   disabled; an exclusion; -!/x both             (rule file, worker.NAME.mount)
 *
 * The whole URI must match, byte by byte. Many rules against one URI: jk/route/match.h. */
#ifndef JK_ROUTE_RULE_H
#define JK_ROUTE_RULE_H

#include "jk/base/outcome.h"
#include "jk/base/span.h"

/* Where a rule was written; the higher one goes first where patterns are equal in slashes and length. */
typedef enum jk_rule_source {
    JK_RULE_WORKER = 1, /* worker.NAME.mount */
    JK_RULE_MOUNT = 2,  /* JkMount, JkUnMount */
    JK_RULE_FILE = 3    /* JkMountFile */
} jk_rule_source;

/* All memory that it points to is the caller's. */
typedef struct jk_rule {
    jk_span text;    /* as written, with '!', '-' and '|': two rules of the same text and source are one, the later */
    jk_span pattern; /* what is matched */
    jk_span worker;  /* the name alone; of an exclusion also "*", every worker */
    jk_rule_source source;
    bool exclude;  /* a match takes the mapping away */
    bool disabled; /* never matches */
    unsigned serial;  /* the order of definition */
    const void *data; /* the caller's: what the rule means beyond a name */
    const char *file; /* where it stands, for messages; may be NULL */
    int line;
} jk_rule;

/* The rules that `text` stands for: copies of *like (source, worker, serial, ..; its `exclude` makes a JkUnMount) with
 * text, pattern and flags filled in. They point into `text` and into `room`, which has text.len bytes.
 * JK_OK: *n is 1 or 2. JK_E_CONF: the pattern does not begin with '/' (after the modifiers that the source may have). */
jk_rc jk_rule_parse(jk_span text, const jk_rule *like, char *room, jk_rule out[2], size_t *n);

/* What a pattern is made of: head, then stars and what else follows. */
typedef enum jk_rule_form {
    JK_RULE_EXACT,  /* head alone */
    JK_RULE_PREFIX, /* head* */
    JK_RULE_AFFIX,  /* head*tail */
    JK_RULE_GENERAL /* anything else */
} jk_rule_form;

typedef struct jk_rule_shape {
    jk_rule_form form;
    size_t head; /* bytes before the first '*' or '?' */
    size_t tail; /* JK_RULE_AFFIX: bytes after the stars, at least 1; else 0 */
} jk_rule_shape;

jk_rule_shape jk_rule_shape_of(jk_span pattern);

/* The first thing that rules are ordered by. */
size_t jk_rule_slashes(jk_span pattern);

/* Does the whole URI match? At most uri.len * pattern.len steps, whatever the pattern. */
bool jk_rule_matches(jk_span pattern, jk_span uri);

#endif
