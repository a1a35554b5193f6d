/* native/conf/rating.c - words like "a.o" and "e" -> bits of activation and state (spec: status.md 1). One letter means all that it
 * is in, two with a dot between them what both are in; of a longer part the first letter counts. */
#include "rating.h"

#include "jk/conf/values.h"

#include <apr_strings.h>

#define ALLOWED "A, D, S (activation), O, I or N, B, R, E (state), or two of them as in a.o"

static uint32_t of_activation(jk_activation activation)
{
    uint32_t bits = 0;

    for (int state = 0; state < JK_RATED_STATES; state++)
        bits |= JK_RATING(activation, state);
    return bits;
}

static uint32_t of_state(jk_rated state)
{
    return JK_RATING(JK_ACTIVE, state) | JK_RATING(JK_DISABLED, state) | JK_RATING(JK_STOPPED, state);
}

/* 0: the letter is none. */
static uint32_t of_letter(char c)
{
    switch (jk_span_lower((uint8_t)c)) {
    case 'a': return of_activation(JK_ACTIVE);
    case 'd': return of_activation(JK_DISABLED);
    case 's': return of_activation(JK_STOPPED);
    case 'o': return of_state(JK_RATED_OK);
    case 'i':
    case 'n': return of_state(JK_RATED_IDLE);
    case 'b': return of_state(JK_RATED_BUSY);
    case 'r': return of_state(JK_RATED_RECOVER);
    case 'e': return of_state(JK_RATED_ERROR);
    default: return 0;
    }
}

/* 0: a letter is none, or nothing is in both. */
static uint32_t of_word(const char *word)
{
    const char *dot = strchr(word, '.');

    return dot ? of_letter(*word) & of_letter(dot[1]) : of_letter(*word);
}

/* Of several words that are wrong each is told at the last line: a list is one value. */
static uint32_t of_list(jk_parse *ps, const jk_worker_conf *status, const char *attr, const apr_array_header_t *list)
{
    const jk_prop *prop = jk_source_last(ps, status->name, attr);
    uint32_t bits = 0;

    for (int i = 0; i < list->nelts; i++) {
        const char *word = APR_ARRAY_IDX(list, i, const char *);
        uint32_t one = of_word(word);
        bits |= one;
        if (one == 0 && prop)
            jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(prop), "'%s' in %s matches nothing and is ignored; allowed: " ALLOWED,
                            jk_props_shown(ps->p, prop, word), prop->key);
    }
    return bits;
}

void jk_rating_derive(jk_parse *ps, jk_worker_conf *status)
{
    const jk_prop *good = jk_source_last(ps, status->name, "good"), *bad = jk_source_last(ps, status->name, "bad");
    const jk_prop *prop = bad ? bad : good;

    status->good_when = of_list(ps, status, "good", status->good);
    status->bad_when = of_list(ps, status, "bad", status->bad);
    if ((status->good_when & status->bad_when) && prop)
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(prop), "worker '%s': good and bad overlap: what is in both is bad",
                        jk_source_shown(ps, status->name));
}
