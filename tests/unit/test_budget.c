/* tests/unit/test_budget.c - a share of the last ten seconds, at least three a second. */
#include "jk/balance/budget.h"

#include <check.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define T 1700000000u

/* `started` requests `before` seconds ago, and `resent` of them `resent_before` seconds ago: is one more allowed? */
static const struct {
    uint32_t started, before, resent, resent_before;
    int32_t percent;
    bool allowed;
    const char *why;
} rows[] = {
    { 0, 0, 0, 0, 20, true, "the floor needs no requests" },
    { 0, 0, 2, 0, 20, true, "the third of this second" },
    { 0, 0, 3, 0, 20, false, "not the fourth" },
    { 0, 0, 3, 1, 20, true, "the floor is each second's own" },
    { 0, 0, 900, 10, 20, true, "even where an older one is in its place" },
    { 1000, 0, 199, 0, 20, true, "20 % of 1000" },
    { 1000, 0, 200, 0, 20, false, "and no more" },
    { 1000, 9, 199, 0, 20, true, "all of the last ten seconds count" },
    { 1000, 10, 199, 0, 20, false, "older ones do not" },
    { 1000, 0, 500, 9, 20, true, "the floor stands above resends of before" },
    { 1000, 0, 1000000, 0, 0, true, "0: no bound" },
    { 1000, 0, 1000000, 0, -1, true, "less is none either" },
    { 1000, 0, 999, 0, 100, true, "each once" },
    { 1000, 0, 1000, 0, 100, false, "and no more" },
    { 1000, 0, 1999, 0, 200, true, "more than 100" },
    { 16, 0, 3, 0, 20, false, "3.2 are 3" },
    { 20, 0, 3, 0, 20, true, "4 are 4" },
    { 4000000000u, 0, 799999999, 0, 20, true, "large numbers" },
    { 4000000000u, 0, 800000000, 0, 20, false, "large numbers" },
    { 4000000000u, 0, 3999999999u, 0, INT32_MAX, true, "the largest share" },
};

static jk_budget made(int i)
{
    jk_budget b = { { { 0 } } };
    uint32_t started_at = T - rows[i].before, resent_at = T - rows[i].resent_before;

    if (rows[i].started > 0)
        jk_budget_started(&b, started_at);
    b.buckets[jk_budget_place(started_at)].started = rows[i].started;
    jk_budget_resent(&b, resent_at);
    b.buckets[jk_budget_place(resent_at)].resent = rows[i].resent;
    return b;
}

START_TEST(shares_and_floors)
{
    jk_budget b = made(_i);

    ck_assert_msg(jk_budget_allows(&b, T, rows[_i].percent) == rows[_i].allowed, "%s", rows[_i].why);
}
END_TEST

START_TEST(resends_of_before_count)
{
    jk_budget b = { { { 0 } } };

    for (int i = 0; i < 1000; i++)
        jk_budget_started(&b, T);
    for (int i = 0; i < 198; i++)
        jk_budget_resent(&b, T);
    for (int i = 0; i < 3; i++) {
        ck_assert(jk_budget_allows(&b, T + 5, 20)); /* the floor of T + 5 */
        jk_budget_resent(&b, T + 5);
    }
    ck_assert(!jk_budget_allows(&b, T + 5, 20)); /* 201 of 1000 */
    ck_assert(jk_budget_allows(&b, T + 5, 21));
    ck_assert(jk_budget_allows(&b, T + 6, 20)); /* the floor of T + 6 */
    for (int i = 0; i < 3; i++)
        jk_budget_resent(&b, T + 10);
    ck_assert(!jk_budget_allows(&b, T + 10, 50)); /* T is over: 6 of 0 */
}
END_TEST

START_TEST(a_second_is_used_again)
{
    jk_budget b = { { { 0 } } };

    jk_budget_started(&b, T);
    jk_budget_resent(&b, T);
    jk_budget_started(&b, T + 10);
    const jk_budget_bucket *at = &b.buckets[jk_budget_place(T)];
    ck_assert_uint_eq(at->second, T + 10);
    ck_assert_uint_eq(at->started, 1);
    ck_assert_uint_eq(at->resent, 0);
}
END_TEST

START_TEST(the_clock_may_go_back)
{
    jk_budget b = { { { 0 } } };

    for (int i = 0; i < 1000; i++)
        jk_budget_started(&b, T + 5);
    for (int i = 0; i < 3; i++)
        jk_budget_resent(&b, T);
    ck_assert(!jk_budget_allows(&b, T, 20)); /* what has not been yet is no reason */
}
END_TEST

START_TEST(seconds_may_wrap)
{
    jk_budget b = { { { 0 } } };
    uint32_t late = UINT32_MAX - 2;

    for (int i = 0; i < 1000; i++)
        jk_budget_started(&b, late);
    for (int i = 0; i < 3; i++)
        jk_budget_resent(&b, late + 7);
    ck_assert_uint_eq(late + 7, 4);
    ck_assert(jk_budget_allows(&b, 4, 20));
    for (int i = 0; i < 3; i++)
        jk_budget_resent(&b, late + 10);
    ck_assert(!jk_budget_allows(&b, late + 10, 20));
}
END_TEST

/* A backend that fails every request: what is sent again is the share, however long it lasts. */
START_TEST(the_share_is_kept)
{
    jk_budget b = { { { 0 } } };
    unsigned resent = 0;

    for (uint32_t t = 0; t < 100; t++)
        for (int i = 0; i < 200; i++) {
            jk_budget_started(&b, T + t);
            if (jk_budget_allows(&b, T + t, 20)) {
                jk_budget_resent(&b, T + t);
                resent++;
            }
        }
    ck_assert_uint_ge(resent, 100 * 40 - 400);
    ck_assert_uint_le(resent, 100 * 40 + 400);
}
END_TEST

START_TEST(it_is_words_without_holes)
{
    ck_assert_uint_eq(sizeof(jk_budget), JK_BUDGET_SECONDS * 3 * sizeof(uint32_t));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance/budget");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, shares_and_floors, 0, ROWS(rows));
    tcase_add_test(all, resends_of_before_count);
    tcase_add_test(all, a_second_is_used_again);
    tcase_add_test(all, the_clock_may_go_back);
    tcase_add_test(all, seconds_may_wrap);
    tcase_add_test(all, the_share_is_kept);
    tcase_add_test(all, it_is_words_without_holes);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
