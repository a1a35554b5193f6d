/* include/jk/balance/budget.h - how many requests may be sent again after they were written (spec: decisions.md "Never done
 * twice"): a share of those that started in the last 10 s. Pure: the time comes in.
 *
 *   second % 10 =   0     1     2     3     4     5     6     7     8     9
 *                | 120 | 121 | 112 | 113 | 114 | 115 | 116 | 117 | 118 | 119 |   the second that is counted there
 *                | 801 | 377 | 790 | ..                                     |   requests that started in it
 *                |   4 |   0 |   2 | ..                                     |   and that were sent again in it
 *
 * A bucket whose second is older than 10 s counts nothing, and is taken over by the first who needs it; nobody has to
 * turn a wheel. Zeroed memory is a budget.
 *
 * In shared memory every field is one word of its own, and these functions are what one process does to it:
 *   - jk_budget_started and jk_budget_resent are a relaxed load of `second`; where it is not now's, a compare-and-swap
 *     to it, whose winner alone sets the two counts to 0; then a relaxed add. What others add between the two is lost: a
 *     few requests of a new second, which nobody misses.
 *   - jk_budget_allows reads a copy, or the words themselves; between asking and jk_budget_resent others may ask too, so
 *     the bound can be passed by as many requests as there are threads that fail in the same moment. */
#ifndef JK_BALANCE_BUDGET_H
#define JK_BALANCE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JK_BUDGET_SECONDS 10
#define JK_BUDGET_FLOOR 3 /* a second: these are always allowed */

typedef struct jk_budget_bucket {
    uint32_t second, started, resent;
} jk_budget_bucket;

typedef struct jk_budget {
    jk_budget_bucket buckets[JK_BUDGET_SECONDS];
} jk_budget;

/* The bucket of this second. */
static inline size_t jk_budget_place(uint32_t now)
{
    return now % JK_BUDGET_SECONDS;
}

/* Its counts are another second's: they are not to be added to. */
static inline bool jk_budget_is_stale(uint32_t second, uint32_t now)
{
    return second != now;
}

/* A request started, whatever becomes of it; its resends are no starts. */
void jk_budget_started(jk_budget *budget, uint32_t now);

/* May one be sent again? `percent` is retry_budget; 0: always. */
bool jk_budget_allows(const jk_budget *budget, uint32_t now, int32_t percent);

/* It was allowed, and is sent again. */
void jk_budget_resent(jk_budget *budget, uint32_t now);

#endif
