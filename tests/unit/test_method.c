/* tests/unit/test_method.c - what each method adds, takes away and forgets, and the multipliers that make shares of it. */
#include "guard.h"
#include "jk/balance/method.h"

#include <check.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

/* mult 6, 1000 bytes; 100 halved twice; the smallest is 30. */
static const struct {
    jk_method method;
    const char *name;
    uint64_t before_new, before_old, after_add, after_sub, decayed;
    bool remembers;
    const char *why;
} methods[] = {
    { JK_METHOD_REQUEST, "Request", 6, 6, 0, 0, 25, true, "every request that is sent there" },
    { JK_METHOD_TRAFFIC, "Traffic", 0, 0, 6000, 0, 25, true, "bytes, once they are known" },
    { JK_METHOD_BUSYNESS, "Busyness", 6, 6, 0, 6, 100, false, "given back, and so never faded" },
    { JK_METHOD_SESSIONS, "Sessions", 6, 0, 0, 0, 25, true, "only what may become a session" },
    { JK_METHOD_NEXT, "Next", 6, 0, 0, 0, 70, true, "as Sessions, but the distances between members stay" },
    { (jk_method)77, "Request", 6, 6, 0, 0, 25, true, "a word of another release" },
};

START_TEST(each_method)
{
    jk_method m = methods[_i].method;
    const char *why = methods[_i].why;

    ck_assert_str_eq(jk_method_name(m), methods[_i].name);
    ck_assert_msg(jk_method_before(m, 6, true).add == methods[_i].before_new, "%s", why);
    ck_assert_msg(jk_method_before(m, 6, false).add == methods[_i].before_old, "%s", why);
    ck_assert_uint_eq(jk_method_before(m, 6, true).sub, 0);
    ck_assert_msg(jk_method_after(m, 6, 1000).add == methods[_i].after_add, "%s", why);
    ck_assert_msg(jk_method_after(m, 6, 1000).sub == methods[_i].after_sub, "%s", why);
    ck_assert_msg(jk_method_decayed(m, 100, 2, 30) == methods[_i].decayed, "%s", why);
    ck_assert_msg(jk_method_remembers(m) == methods[_i].remembers, "%s", why);
}
END_TEST

static const struct {
    const char *word;
    int method;
    const char *why;
} words[] = {
    { "Request", JK_METHOD_REQUEST, "the word" },
    { "R", JK_METHOD_REQUEST, "its letter" },
    { "r", JK_METHOD_REQUEST, "in any case" },
    { "rubbish", JK_METHOD_REQUEST, "the letter alone counts" },
    { "0", JK_METHOD_REQUEST, "its digit" },
    { "Traffic", JK_METHOD_TRAFFIC, "the word" },
    { "1", JK_METHOD_TRAFFIC, "its digit" },
    { "busyness", JK_METHOD_BUSYNESS, "the word" },
    { "2", JK_METHOD_BUSYNESS, "its digit" },
    { "SESSIONS", JK_METHOD_SESSIONS, "the word" },
    { "3", JK_METHOD_SESSIONS, "its digit" },
    { "Next", JK_METHOD_NEXT, "the word" },
    { "4", JK_METHOD_NEXT, "its digit" },
    { "5", -1, "no such digit" },
    { "x", -1, "no such letter" },
    { "/", -1, "below the digits" },
    { " R", -1, "a blank is no letter" },
    { "", -1, "nothing" },
};

START_TEST(words_of_a_method)
{
    const char *word = words[_i].word;
    jk_method got = JK_METHOD_NEXT;
    bool known = jk_method_parse((jk_span){ jk_guarded(word, strlen(word)), strlen(word) }, &got);

    ck_assert_msg(known == (words[_i].method >= 0), "%s: %s", word, words[_i].why);
    ck_assert_msg((int)got == (known ? words[_i].method : (int)JK_METHOD_NEXT), "%s: %s", word, words[_i].why);
}
END_TEST

static const struct {
    uint64_t value, add, sub, out;
    const char *why;
} loads[] = {
    { 10, 6, 0, 16, "more" },
    { 10, 0, 6, 4, "less" },
    { 6, 0, 6, 0, "nothing is left" },
    { 3, 0, 6, 0, "never below 0: somebody reset it meanwhile" },
    { UINT64_MAX - 5, 6, 0, UINT64_MAX, "never round the top" },
    { UINT64_MAX - 5, 5, 0, UINT64_MAX, "up to it" },
};

START_TEST(loads_stay_inside)
{
    jk_method_load load = { loads[_i].add, loads[_i].sub };

    ck_assert_msg(jk_method_apply(loads[_i].value, load) == loads[_i].out, "%s", loads[_i].why);
}
END_TEST

START_TEST(traffic_stays_inside)
{
    ck_assert_uint_eq(jk_method_after(JK_METHOD_TRAFFIC, UINT64_C(1) << 32, UINT64_C(1) << 31).add, UINT64_C(1) << 63);
    ck_assert_uint_eq(jk_method_after(JK_METHOD_TRAFFIC, UINT64_C(1) << 32, UINT64_C(1) << 32).add, UINT64_MAX);
}
END_TEST

static const struct {
    int64_t now, last;
    int32_t maintain;
    unsigned exponent;
    const char *why;
} intervals[] = {
    { 1060, 1000, 60, 1, "one interval" },
    { 1119, 1000, 60, 1, "not yet two" },
    { 1120, 1000, 60, 2, "two" },
    { 1059, 1000, 60, 0, "not yet one" },
    { 900, 1000, 60, 0, "the clock went back" },
    { 1000, 1000, 60, 0, "at once" },
    { 1060, 1000, 0, 0, "off" },
    { 1060, 1000, -1, 0, "off" },
    { 1063, 1000, 1, 63, "many" },
    { 9000000000, 0, 1, 64, "nothing is left after 64" },
};

START_TEST(exponents)
{
    unsigned got = jk_method_exponent(intervals[_i].now, intervals[_i].last, intervals[_i].maintain);

    ck_assert_msg(got == intervals[_i].exponent, "%u: %s", got, intervals[_i].why);
}
END_TEST

START_TEST(halving)
{
    ck_assert_uint_eq(jk_method_halved(100, 0), 100);
    ck_assert_uint_eq(jk_method_halved(100, 3), 12);
    ck_assert_uint_eq(jk_method_halved(UINT64_MAX, 63), 1);
    ck_assert_uint_eq(jk_method_halved(UINT64_MAX, 64), 0);
    ck_assert_uint_eq(jk_method_decayed(JK_METHOD_NEXT, 20, 1, 30), 0); /* a member that is not usable may be below them */
}
END_TEST

#define MOST 4
static const struct {
    int32_t factors[MOST];
    uint64_t mults[MOST];
    const char *why;
} shares[] = {
    { { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, "equal" },
    { { 5, 5, 5, 5 }, { 1, 1, 1, 1 }, "equal, whatever the number" },
    { { 1, 2, 3, 6 }, { 6, 3, 2, 1 }, "one, two, three, six parts" },
    { { 2, 4, 4, 6 }, { 6, 3, 3, 2 }, "the smallest common multiple" },
    { { 0, -3, 1, 2 }, { 2, 2, 2, 1 }, "below 1 is 1" },
    { { 1, 1, 1, INT32_MAX }, { INT32_MAX, INT32_MAX, INT32_MAX, 1 }, "the largest factor" },
    { { INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX }, { 1, 1, 1, 1 }, "all of them" },
    { { 99991, 99989, 99971, 1 }, { 42954, 42954, 42962, UINT64_C(1) << 32 }, "too large: scaled" },
    { { 2147483647, 2147483629, 2147483587, 2147483646 },
      { 4294967176, 4294967212, UINT64_C(1) << 32, 4294967178 }, "scaled to the smallest factor" },
};

START_TEST(multipliers)
{
    uint64_t got[MOST];

    jk_method_multipliers(shares[_i].factors, got, MOST);
    for (size_t i = 0; i < MOST; i++) {
        ck_assert_msg(got[i] == shares[_i].mults[i], "%llu: %s", (unsigned long long)got[i], shares[_i].why);
        ck_assert(got[i] >= 1 && got[i] <= JK_METHOD_MULT_MAX);
    }
    jk_method_multipliers(shares[_i].factors, got, 0); /* no members: nothing is written, and nothing divided by 0 */
}
END_TEST

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Whatever the factors, a multiplier times its factor is the same for all, but for what rounding takes. */
START_TEST(shares_are_kept)
{
    uint32_t seed = 1848;

    for (int round = 0; round < 20000; round++) {
        int32_t factors[8];
        uint64_t mults[8];
        int bits = 1 + round % 20;
        for (size_t i = 0; i < 8; i++)
            factors[i] = 1 + (int32_t)(next(&seed) % (1u << bits));
        jk_method_multipliers(factors, mults, 8);
        for (size_t i = 1; i < 8; i++) {
            double ratio = ((double)mults[i] * factors[i]) / ((double)mults[0] * factors[0]);
            if (mults[i] < 1 || mults[i] > JK_METHOD_MULT_MAX || ratio < 0.999 || ratio > 1.001)
                ck_abort_msg("%d and %d get %llu and %llu", factors[0], factors[i], (unsigned long long)mults[0],
                             (unsigned long long)mults[i]);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance/method");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, each_method, 0, ROWS(methods));
    tcase_add_loop_test(all, words_of_a_method, 0, ROWS(words));
    tcase_add_loop_test(all, loads_stay_inside, 0, ROWS(loads));
    tcase_add_test(all, traffic_stays_inside);
    tcase_add_loop_test(all, exponents, 0, ROWS(intervals));
    tcase_add_test(all, halving);
    tcase_add_loop_test(all, multipliers, 0, ROWS(shares));
    tcase_add_test(all, shares_are_kept);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
