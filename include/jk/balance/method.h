/* include/jk/balance/method.h - the methods by which a member's load value moves (spec: workers.md 6.1). Pure.
 *
 *              before the request   after it           at maintenance
 *   Request    + mult                                  halved, `exponent` times
 *   Traffic                         + bytes * mult     halved
 *   Busyness   + mult               - mult
 *   Sessions   + mult if new                           halved
 *   Next       + mult if new                           - the smallest
 *
 * The member with the smallest value is chosen (balance/choose). A value lives in shared memory as one 64-bit word: the
 * caller puts jk_method_apply or jk_method_decayed into a compare-and-swap loop. */
#ifndef JK_BALANCE_METHOD_H
#define JK_BALANCE_METHOD_H

#include "jk/balance/tune.h"
#include "jk/base/span.h"

/* "Request", ..; never NULL. */
const char *jk_method_name(jk_method method);

/* By its first letter, whatever the case, or its digit. false: none of ours, and *method stays. */
bool jk_method_parse(jk_span word, jk_method *method);

/* Does the value tell of the past? Then a recovered member begins with the largest, and a change of activation sets all
 * to 0. That of Busyness tells of requests that are running: it is never set from outside. */
bool jk_method_remembers(jk_method method);

/* What to do to a member's value: one of the two is 0. */
typedef struct jk_method_load {
    uint64_t add, sub;
} jk_method_load;

/* When the member was chosen. `is_new`: the request has no session id and is not stateless. */
jk_method_load jk_method_before(jk_method method, uint64_t mult, bool is_new);

/* When the request ended there, however it ended. `method` and `mult` are those of jk_method_before, which may have been
 * edited since; `bytes` went to and came from the backend. */
jk_method_load jk_method_after(jk_method method, uint64_t mult, uint64_t bytes);

/* The value afterwards: never below 0, and never round the top. */
uint64_t jk_method_apply(uint64_t value, jk_method_load load);

/* How often the interval has passed since `last`; times in seconds. 0 where maintenance is off or the clock went back. */
unsigned jk_method_exponent(int64_t now, int64_t last, int32_t maintain);

/* Halved that often: values, and a member's count of reply timeouts. */
uint64_t jk_method_halved(uint64_t value, unsigned exponent);

/* A value at maintenance. `smallest` of the members that are active and usable, 0 without any: only Next asks for it. */
uint64_t jk_method_decayed(jk_method method, uint64_t value, unsigned exponent, uint64_t smallest);

/* The largest multiplier: 2^32 leaves a value room for 4 GB of traffic on the slowest member before it stands still. */
#define JK_METHOD_MULT_MAX (UINT64_C(1) << 32)

/* mults[i] = LCM of all factors / factors[i], so that equal values mean the wished-for shares; a factor below 1 is 1.
 * Where that passes JK_METHOD_MULT_MAX, all are scaled to it and rounded. */
void jk_method_multipliers(const int32_t *factors, uint64_t *mults, size_t n);

#endif
