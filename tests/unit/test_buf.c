/* tests/unit/test_buf.c - the bounded writer and reader: what fits, what does not, and that the first misfit sticks. */
#include "guard.h"
#include "jk/base/buf.h"

#include <check.h>
#include <stdlib.h>

#define UNTOUCHED 0xEE

START_TEST(a_message_is_written_whole)
{
    static const uint8_t want[] = { 7, 0x12, 0x34, 0, 2, 'h', 'i', 0, 0xFF, 0xFF, 0, 0, 0, 'x', 'y' };
    uint8_t got[sizeof want];
    jk_out out = jk_out_over(got, sizeof got);

    jk_out_u8(&out, 7);
    jk_out_u16(&out, 0x1234);
    jk_out_string(&out, JK_SPAN_LIT("hi"));
    jk_out_string(&out, JK_SPAN_NONE);
    jk_out_string(&out, JK_SPAN_LIT(""));
    jk_out_bytes(&out, JK_SPAN_LIT("xy"));
    jk_out_bytes(&out, JK_SPAN_NONE);
    ck_assert(!out.bad);
    ck_assert_uint_eq(out.len, sizeof want);
    ck_assert_mem_eq(got, want, sizeof want);
}
END_TEST

typedef enum kind { U8, U16, BYTES, STRING, NONE } kind;

static void put(jk_out *out, kind what)
{
    switch (what) {
    case U8:
        jk_out_u8(out, 1);
        return;
    case U16:
        jk_out_u16(out, 0x0102);
        return;
    case BYTES:
        jk_out_bytes(out, JK_SPAN_LIT("abc"));
        return;
    case STRING:
        jk_out_string(out, JK_SPAN_LIT("abc"));
        return;
    case NONE:
        jk_out_string(out, JK_SPAN_NONE);
        return;
    }
}

static const struct {
    kind what;
    size_t needs;
    const char *why;
} writes[] = {
    { U8, 1, "a byte" },         { U16, 2, "a short" },        { BYTES, 3, "bytes" },
    { STRING, 6, "a string" },   { NONE, 2, "the null string" },
};

START_TEST(room_is_used_up_and_never_overrun)
{
    size_t needs = writes[_i].needs;

    for (size_t cap = 0; cap <= needs; cap++) {
        uint8_t p[8];
        memset(p, UNTOUCHED, sizeof p);
        jk_out out = jk_out_over(p, cap);
        put(&out, writes[_i].what);
        ck_assert_msg(out.bad == (cap < needs), "%s into %zu", writes[_i].why, cap);
        ck_assert_uint_eq(out.len, cap < needs ? 0 : needs);
        for (size_t i = out.len; i < sizeof p; i++)
            ck_assert_msg(p[i] == UNTOUCHED, "%s into %zu touched byte %zu", writes[_i].why, cap, i);
    }
}
END_TEST

START_TEST(the_first_misfit_sticks)
{
    uint8_t p[4];
    jk_out out = jk_out_over(p, sizeof p);

    jk_out_string(&out, JK_SPAN_LIT("too long"));
    ck_assert(out.bad);
    jk_out_u8(&out, 1);
    jk_out_u16(&out, 1);
    jk_out_bytes(&out, JK_SPAN_LIT("a"));
    jk_out_string(&out, JK_SPAN_LIT(""));
    jk_out_string(&out, JK_SPAN_NONE);
    ck_assert(out.bad);
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(a_string_has_at_most_65534_bytes)
{
    size_t big = JK_STRING_MAX + 16;
    uint8_t *from = calloc(1, big), *to = malloc(big);
    jk_out out = jk_out_over(to, big);

    jk_out_string(&out, (jk_span){ from, JK_STRING_MAX });
    ck_assert(!out.bad);
    ck_assert_uint_eq(out.len, JK_STRING_MAX + 3);
    ck_assert_uint_eq(to[0], 0xFF);
    ck_assert_uint_eq(to[1], 0xFE);
    out = jk_out_over(to, big);
    jk_out_string(&out, (jk_span){ from, JK_STRING_MAX + 1 }); /* its length would read as the null string */
    ck_assert(out.bad);
    out = jk_out_over(to, big);
    jk_out_string(&out, (jk_span){ from, 65536 + 5 }); /* would wrap around to 5 */
    ck_assert(out.bad);
    ck_assert_uint_eq(out.len, 0);
    free(from);
    free(to);
}
END_TEST

static jk_in over(const void *bytes, size_t n)
{
    return jk_in_over((jk_span){ jk_guarded(bytes, n), n });
}

START_TEST(a_message_is_read_whole)
{
    static const uint8_t bytes[] = { 7, 0x12, 0x34, 0, 2, 'h', 'i', 0, 0xFF, 0xFF, 0, 0, 0, 'x', 'y' };
    jk_in in = over(bytes, sizeof bytes);

    ck_assert_uint_eq(jk_in_u8(&in), 7);
    ck_assert_uint_eq(jk_in_u16(&in), 0x1234);
    ck_assert(jk_span_eq(jk_in_string(&in), JK_SPAN_LIT("hi")));
    jk_span none = jk_in_string(&in);
    ck_assert_ptr_null(none.p);
    jk_span empty = jk_in_string(&in);
    ck_assert(empty.p != NULL && empty.len == 0);
    ck_assert(jk_span_eq(jk_in_bytes(&in, 2), JK_SPAN_LIT("xy")));
    ck_assert(!in.bad);
    ck_assert_uint_eq(in.left, 0);
    ck_assert_uint_eq(jk_in_u8(&in), 0);
    ck_assert(in.bad);
}
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    bool bad;
    const char *why;
} strings[] = {
    { "\0\2hi\0", 5, false, "as it should be" },
    { "\0\2hi\0rest", 9, false, "more follows" },
    { "\0\2hi\0", 4, true, "the NUL is cut off" },
    { "\0\2hi\0", 3, true, "a byte is cut off" },
    { "\0\2hi\0", 2, true, "only the length" },
    { "\0\2hi\0", 1, true, "half a length" },
    { "\0\2hi\0", 0, true, "nothing" },
    { "\0\2hix", 5, true, "no NUL at its end" },
    { "\0\0x", 3, true, "an empty one without NUL" },
    { "\377\376ab\0", 5, true, "far longer than the bytes" },
    { "\377\377", 2, false, "the null string has no NUL" },
};

START_TEST(a_string_lies_inside_the_bounds)
{
    jk_in in = over(strings[_i].bytes, strings[_i].n);
    jk_span s = jk_in_string(&in);

    ck_assert_msg(in.bad == strings[_i].bad, "%s", strings[_i].why);
    if (in.bad)
        ck_assert_ptr_null(s.p);
}
END_TEST

START_TEST(a_reader_that_failed_gives_nothing_more)
{
    jk_in in = over("\1\2\3\4\5", 5);

    ck_assert_ptr_null(jk_in_bytes(&in, 6).p);
    ck_assert(in.bad);
    ck_assert_uint_eq(jk_in_u8(&in), 0);
    ck_assert_uint_eq(jk_in_u16(&in), 0);
    ck_assert_ptr_null(jk_in_bytes(&in, 1).p);
    ck_assert_ptr_null(jk_in_string(&in).p);
    ck_assert_ptr_null(jk_in_string_rest(&in, 0).p);
    ck_assert_uint_eq(in.left, 0);
}
END_TEST

START_TEST(half_a_short_is_none)
{
    jk_in in = over("\1", 1);

    ck_assert_uint_eq(jk_in_u16(&in), 0);
    ck_assert(in.bad);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/buf");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_test(all, a_message_is_written_whole);
    tcase_add_loop_test(all, room_is_used_up_and_never_overrun, 0, sizeof writes / sizeof writes[0]);
    tcase_add_test(all, the_first_misfit_sticks);
    tcase_add_test(all, a_string_has_at_most_65534_bytes);
    tcase_add_test(all, a_message_is_read_whole);
    tcase_add_loop_test(all, a_string_lies_inside_the_bounds, 0, sizeof strings / sizeof strings[0]);
    tcase_add_test(all, a_reader_that_failed_gives_nothing_more);
    tcase_add_test(all, half_a_short_is_none);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
