/* include/jk/conf/values.h - how the text of a value becomes the value, by the row of its key (spec: workers.md 1, 2; decisions.md).
 * What is wrong with it is a finding at its place; the value is then what the incumbent would take: the leading digits, the word of
 * the first letter, else the default. */
#ifndef JK_CONF_VALUES_H
#define JK_CONF_VALUES_H

#include "jk/conf/keys.h"

/* Puts a value into its home inside conf: of `props` (jk_prop, at least one) the last, or all of them where lines add up. Lists are
 * made in the pool of props, texts stay where they are. */
void jk_values_set(const jk_key *key, const apr_array_header_t *props, jk_worker_conf *conf, jk_findings *found);

/* Puts every row's default into conf: "" and empty lists, allocated from p, where there is none. */
void jk_values_defaults(apr_pool_t *p, jk_worker_conf *conf);

/* A number of a key that has no home. */
int32_t jk_values_number(const jk_key *key, const jk_prop *prop, jk_findings *found);

/* Appends the words of a list, parted by blanks, tabs and commas, to an array of const char *, from its pool. */
void jk_values_words(apr_array_header_t *words, const char *text);

/* Appends the statuses of a list to an array of int32_t: those from the row's min to its max, with or without a minus. */
void jk_values_codes(const jk_key *key, const jk_prop *prop, apr_array_header_t *codes, jk_findings *found);

/* The value as text, as it would be written: "" for none. In p, or in conf. */
const char *jk_values_text(apr_pool_t *p, const jk_key *key, const jk_worker_conf *conf);

/* "a, b or c": what a key's value may be. */
const char *jk_values_allowed(apr_pool_t *p, const jk_key *key);

#endif
