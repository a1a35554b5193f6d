/* tests/unit/test_span.c - comparing runs of bytes: case for A-Z alone, lists of words, and absent against empty. */
#include "guard.h"
#include "jk/base/span.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static jk_span guarded(const char *s)
{
    return s ? (jk_span){ jk_guarded(s, strlen(s)), strlen(s) } : JK_SPAN_NONE;
}

static const struct {
    const char *a, *b;
    bool eq, ieq;
    const char *why;
} pairs[] = {
    { "Cookie", "Cookie", true, true, "the same" },
    { "Cookie", "cOOKIE", false, true, "case" },
    { "Cookie", "Cookie2", false, false, "a prefix is not equal" },
    { "Cookie2", "Cookie", false, false, "the other way round" },
    { "", "", true, true, "two empty ones" },
    { NULL, "", true, true, "absent and empty have the same bytes" },
    { NULL, NULL, true, true, "two absent ones" },
    { NULL, "x", false, false, "absent and something" },
    { "@", "`", false, false, "one below A and a: no letters" },
    { "[", "{", false, false, "one above Z and z: no letters" },
    { "\xC4", "\xE4", false, false, "no locale: a Latin-1 umlaut has no case" },
    { "i", "\xC4\xB1", false, false, "no locale: Turkish i" },
    { "aZ", "Az", false, true, "the first and the last letter" },
};

START_TEST(pairs_compare)
{
    jk_span a = guarded(pairs[_i].a), b = guarded(pairs[_i].b);

    ck_assert_msg(jk_span_eq(a, b) == pairs[_i].eq, "eq: %s", pairs[_i].why);
    ck_assert_msg(jk_span_ieq(a, b) == pairs[_i].ieq, "ieq: %s", pairs[_i].why);
    ck_assert_msg(jk_span_ieq(b, a) == pairs[_i].ieq, "ieq, turned: %s", pairs[_i].why);
}
END_TEST

static const struct {
    const char *list, *word;
    bool lists;
    const char *why;
} lists[] = {
    { "close", "close", true, "one word" },
    { "keep-alive, X-Secret", "x-secret", true, "the last, in another case" },
    { "keep-alive ,\tX-Secret\t, close", "X-Secret", true, "tabs and blanks around it" },
    { ",,close,,", "close", true, "empty members" },
    { "X-Secret-2", "X-Secret", false, "a longer word" },
    { "X-Secre", "X-Secret", false, "a shorter word" },
    { "X Secret", "Secret", false, "a blank does not part words" },
    { "a;b", "b", false, "nor does a semicolon" },
    { "", "close", false, "an empty list" },
    { NULL, "close", false, "an absent list" },
    { ", ,\t,", "close", false, "nothing but separators" },
    { "a,b", "", false, "the empty word is in no list" },
    { "a,,b", "", false, "not even in one with an empty member" },
    { "a,", "", false, "nor in one that ends with a comma" },
};

START_TEST(lists_name_words)
{
    ck_assert_msg(jk_span_lists(guarded(lists[_i].list), guarded(lists[_i].word)) == lists[_i].lists, "%s", lists[_i].why);
}
END_TEST

START_TEST(only_letters_have_a_lower_case)
{
    for (unsigned c = 0; c < 256; c++)
        ck_assert_uint_eq(jk_span_lower((uint8_t)c), c >= 'A' && c <= 'Z' ? c + 32 : c);
}
END_TEST

START_TEST(absent_is_not_empty)
{
    ck_assert_ptr_null(jk_span_of(NULL).p);
    ck_assert_ptr_nonnull(jk_span_of("").p);
    ck_assert_uint_eq(jk_span_of("").len, 0);
    ck_assert_ptr_nonnull(JK_SPAN_LIT("").p);
    ck_assert_uint_eq(JK_SPAN_LIT("four").len, 4);
}
END_TEST

START_TEST(numbers_are_written_as_printf_does)
{
    static const uint64_t odd[] = { 0, 9, 10, 99, 100, 101, 999, 1000, 65535, 1000000, 4294967295u, 18446744073709551615u };
    char room[JK_DECIMAL_ROOM], expected[24];

    for (uint64_t n = 0; n < 20000 + sizeof odd / sizeof odd[0]; n++) {
        uint64_t value = n < 20000 ? n : odd[n - 20000];
        jk_span got = jk_span_decimal(room, value);
        size_t len = (size_t)snprintf(expected, sizeof expected, "%llu", (unsigned long long)value);
        ck_assert_uint_eq(got.len, len);
        ck_assert_mem_eq(got.p, expected, len);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/span");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, pairs_compare, 0, sizeof pairs / sizeof pairs[0]);
    tcase_add_loop_test(all, lists_name_words, 0, sizeof lists / sizeof lists[0]);
    tcase_add_test(all, only_letters_have_a_lower_case);
    tcase_add_test(all, numbers_are_written_as_printf_does);
    tcase_add_test(all, absent_is_not_empty);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
