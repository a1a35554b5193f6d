/* native/shm/gauges.c - touches the gauges of shared memory, and nothing else of it. They stand apart from the rows' shares, which keep
 * their layout: a gauge more makes another layout, not another version.
 *
 *   | of row 0 | of row 1 | .. | of those that ended |      each on cache lines of its own
 *
 * What is read is not believed: any process can write there. Sums of nonsense are nonsense, and lead nowhere. */
#include "jk/shm/gauges.h"

#include "own.h"


#define RELAXED memory_order_relaxed
#define GET(field) atomic_load_explicit(&(field), RELAXED)
#define PUT(field, value) atomic_store_explicit(&(field), value, RELAXED)
#define ADD(field, n) atomic_fetch_add_explicit(&(field), n, RELAXED)

#define ROW(id, name, words) { name, words },
const jk_gauges_word jk_gauges_waits[JK_PARK_WAITS] = { JK_PARK_WAIT_ROWS(ROW) };
const jk_gauges_word jk_gauges_reasons[JK_PARK_REASONS] = { JK_PARK_REASON_ROWS(ROW) };
#undef ROW

static void reach(atomic_uint *most, uint32_t n)
{
    uint32_t was = GET(*most);

    while (n > was && !atomic_compare_exchange_weak_explicit(most, &was, n, RELAXED, RELAXED))
        ;
}

void jk_gauges_begin(jk_shm *shm, jk_park_wait what)
{
    jk_layout_gauges *g = shm->gauges;

    ADD(g->now[what], 1);
    reach(&g->most, ADD(g->all, 1) + 1);
}

void jk_gauges_end(jk_shm *shm, jk_park_wait what)
{
    jk_layout_gauges *g = shm->gauges;

    ADD(g->now[what], (unsigned)-1);
    ADD(g->all, (unsigned)-1);
    ADD(g->wakes, 1);
}

void jk_gauges_fell_back(jk_shm *shm, jk_park_reason why)
{
    ADD(shm->gauges->fell_back[why], 1);
}

/* ---- reading ---- */

/* Two threads may be in the middle of one each: below zero is none. */
static uint32_t some(uint32_t n)
{
    return n > INT32_MAX ? 0 : n;
}

static void add_up(jk_park_gauges *sum, const jk_layout_gauges *g)
{
    uint32_t most = GET(g->most), now = 0;

    for (int i = 0; i < JK_PARK_WAITS; i++) {
        uint32_t n = some(GET(g->now[i]));
        sum->now[i] += n;
        now += n;
    }
    sum->children += now > 0;
    sum->most = most > sum->most ? most : sum->most;
    sum->wakes += GET(g->wakes);
    for (int i = 0; i < JK_PARK_REASONS; i++)
        sum->fell_back[i] += GET(g->fell_back[i]);
}

jk_park_gauges jk_gauges_own(const jk_shm *shm)
{
    jk_park_gauges sum = { .most = 0 };

    add_up(&sum, shm->gauges);
    return sum;
}

jk_park_gauges jk_gauges_read(const jk_shm *shm)
{
    jk_park_gauges sum = { .most = 0 };

    for (uint32_t i = 0; i < jk_shm_rows(shm); i++)
        add_up(&sum, jk_layout_gauges_at(shm->base, &shm->plan, i));
    add_up(&sum, jk_layout_gauges_at(shm->base, &shm->plan, shm->plan.nrows));
    add_up(&sum, shm->own_gauges);
    return sum;
}

/* ---- another segment ---- */

void jk_gauges_carry(void *to, const jk_layout_plan *to_plan, void *from, const jk_layout_plan *from_plan)
{
    jk_layout_gauges *past = jk_layout_gauges_at(to, to_plan, to_plan->nrows);
    jk_park_gauges sum = { .most = 0 };

    for (uint32_t i = 0; i <= from_plan->nrows; i++)
        add_up(&sum, jk_layout_gauges_at(from, from_plan, i));
    reach(&past->most, sum.most);
    ADD(past->wakes, sum.wakes);
    for (int i = 0; i < JK_PARK_REASONS; i++)
        ADD(past->fell_back[i], sum.fell_back[i]);
}

/* ---- a child's end ---- */

void jk_gauges_retire(void *base, const jk_layout_plan *plan, uint32_t row)
{
    jk_layout_gauges *g = jk_layout_gauges_at(base, plan, row), *past = jk_layout_gauges_at(base, plan, plan->nrows);

    reach(&past->most, GET(g->most));
    ADD(past->wakes, GET(g->wakes));
    for (int i = 0; i < JK_PARK_REASONS; i++)
        ADD(past->fell_back[i], GET(g->fell_back[i]));
    for (int i = 0; i < JK_PARK_WAITS; i++)
        PUT(g->now[i], 0);
    for (int i = 0; i < JK_PARK_REASONS; i++)
        PUT(g->fell_back[i], 0);
    PUT(g->all, 0);
    PUT(g->most, 0);
    PUT(g->wakes, 0);
}
