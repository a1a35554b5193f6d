/* native/balance/method.c - one row per method: what it counts, when, and how that fades. */
#include "jk/balance/method.h"

typedef enum counts { NOTHING, EVERY_REQUEST, NEW_SESSIONS, BYTES, GIVE_BACK } counts;
typedef enum fades { NEVER, HALVES, SINKS } fades;

static const struct {
    const char *name;
    counts before, after;
    fades fades;
} rows[] = {
    [JK_METHOD_REQUEST] = { "Request", EVERY_REQUEST, NOTHING, HALVES },
    [JK_METHOD_TRAFFIC] = { "Traffic", NOTHING, BYTES, HALVES },
    [JK_METHOD_BUSYNESS] = { "Busyness", EVERY_REQUEST, GIVE_BACK, NEVER },
    [JK_METHOD_SESSIONS] = { "Sessions", NEW_SESSIONS, NOTHING, HALVES },
    [JK_METHOD_NEXT] = { "Next", NEW_SESSIONS, NOTHING, SINKS },
};
#define METHODS (sizeof rows / sizeof rows[0])

/* What stands in shared memory may come from another release: it is Request then, as an unknown word is. */
static size_t row(jk_method method)
{
    return (size_t)method < METHODS ? (size_t)method : JK_METHOD_REQUEST;
}

const char *jk_method_name(jk_method method)
{
    return rows[row(method)].name;
}

bool jk_method_parse(jk_span word, jk_method *method)
{
    for (size_t i = 0; i < METHODS && word.len > 0; i++)
        if (word.p[0] == '0' + i || jk_span_lower(word.p[0]) == jk_span_lower((uint8_t)rows[i].name[0])) {
            *method = (jk_method)i;
            return true;
        }
    return false;
}

bool jk_method_remembers(jk_method method)
{
    return rows[row(method)].fades != NEVER;
}

/* ---- around a request ---- */

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

jk_method_load jk_method_before(jk_method method, uint64_t mult, bool is_new)
{
    counts what = rows[row(method)].before;
    bool wanted = what == EVERY_REQUEST || (what == NEW_SESSIONS && is_new);

    return (jk_method_load){ .add = wanted ? mult : 0 };
}

jk_method_load jk_method_after(jk_method method, uint64_t mult, uint64_t bytes)
{
    counts what = rows[row(method)].after;

    return (jk_method_load){ .add = what == BYTES ? times(bytes, mult) : 0, .sub = what == GIVE_BACK ? mult : 0 };
}

uint64_t jk_method_apply(uint64_t value, jk_method_load load)
{
    uint64_t more = load.add <= UINT64_MAX - value ? value + load.add : UINT64_MAX;

    return more > load.sub ? more - load.sub : 0;
}

/* ---- maintenance ---- */

unsigned jk_method_exponent(int64_t now, int64_t last, int32_t maintain)
{
    if (maintain <= 0 || now <= last)
        return 0;
    int64_t passed = (now - last) / maintain;
    return passed < 64 ? (unsigned)passed : 64;
}

uint64_t jk_method_halved(uint64_t value, unsigned exponent)
{
    return exponent < 64 ? value >> exponent : 0;
}

uint64_t jk_method_decayed(jk_method method, uint64_t value, unsigned exponent, uint64_t smallest)
{
    switch (rows[row(method)].fades) {
    case HALVES:
        return jk_method_halved(value, exponent);
    case SINKS:
        return value > smallest ? value - smallest : 0;
    default:
        return value;
    }
}

/* ---- shares ---- */

static uint64_t share(int32_t factor)
{
    return factor > 1 ? (uint64_t)factor : 1;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The smallest common multiple, 0 where it is larger than `limit`. */
static uint64_t common_multiple(const int32_t *factors, size_t n, uint64_t limit)
{
    uint64_t multiple = 1;

    for (size_t i = 0; i < n; i++) {
        uint64_t step = share(factors[i]) / common_divisor(multiple, share(factors[i]));
        if (step > limit / multiple)
            return 0;
        multiple *= step;
    }
    return multiple;
}

void jk_method_multipliers(const int32_t *factors, uint64_t *mults, size_t n)
{
    uint64_t smallest = n ? share(factors[0]) : 1;

    for (size_t i = 1; i < n; i++)
        if (share(factors[i]) < smallest)
            smallest = share(factors[i]);
    /* The smallest factor has the largest multiplier. A factor has 31 bits, so this has 63. */
    uint64_t limit = JK_METHOD_MULT_MAX * smallest;
    uint64_t whole = common_multiple(factors, n, limit);
    if (whole == 0)
        whole = limit;
    for (size_t i = 0; i < n; i++)
        mults[i] = (whole + share(factors[i]) / 2) / share(factors[i]);
}
