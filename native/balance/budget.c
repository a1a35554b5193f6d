/* native/balance/budget.c - ten counted seconds. Without a bound, backends that answer late would get every request
 * twice, and that much more late. */
#include "jk/balance/budget.h"

static jk_budget_bucket *bucket(jk_budget *budget, uint32_t now)
{
    jk_budget_bucket *at = &budget->buckets[jk_budget_place(now)];

    if (jk_budget_is_stale(at->second, now))
        *at = (jk_budget_bucket){ .second = now };
    return at;
}

void jk_budget_started(jk_budget *budget, uint32_t now)
{
    bucket(budget, now)->started++;
}

void jk_budget_resent(jk_budget *budget, uint32_t now)
{
    bucket(budget, now)->resent++;
}

bool jk_budget_allows(const jk_budget *budget, uint32_t now, int32_t percent)
{
    uint64_t started = 0, resent = 0;

    if (percent <= 0)
        return true;
    const jk_budget_bucket *current = &budget->buckets[jk_budget_place(now)];
    if (jk_budget_is_stale(current->second, now) || current->resent < JK_BUDGET_FLOOR)
        return true;
    for (size_t i = 0; i < JK_BUDGET_SECONDS; i++) {
        const jk_budget_bucket *at = &budget->buckets[i];
        if (now - at->second >= JK_BUDGET_SECONDS) /* the future, too: the clock went back */
            continue;
        started += at->started;
        resent += at->resent;
    }
    return (resent + 1) * 100 <= started * (uint64_t)percent;
}
