/* tests/unit/test_frame.c - where a packet ends, whole and cut at every byte, against a page that cannot be read. */
#include "guard.h"
#include "jk/ajp/frame.h"

#include <check.h>
#include <stdlib.h>

static const uint8_t cpong[] = { 'A', 'B', 0, 1, 9 };

static jk_span guarded(const void *bytes, size_t n)
{
    return (jk_span){ jk_guarded(bytes, n), n };
}

START_TEST(every_prefix_waits_then_the_packet_comes_out)
{
    jk_span got = JK_SPAN_NONE;
    size_t used = 77;

    for (size_t n = 0; n < sizeof cpong; n++)
        ck_assert_int_eq(jk_frame_next(guarded(cpong, n), 8192, &got, &used), JK_AGAIN);
    ck_assert_ptr_null(got.p);
    ck_assert_uint_eq(used, 77);
    jk_span in = guarded(cpong, sizeof cpong);
    ck_assert_int_eq(jk_frame_next(in, 8192, &got, &used), JK_OK);
    ck_assert_uint_eq(used, sizeof cpong);
    ck_assert_ptr_eq(got.p, in.p + JK_FRAME_HEAD);
    ck_assert_uint_eq(got.len, 1);
}
END_TEST

START_TEST(what_follows_a_packet_is_left_alone)
{
    static const uint8_t two[] = { 'A', 'B', 0, 2, 5, 1, 'A', 'B', 0, 1, 9 };
    jk_span got, in = guarded(two, sizeof two);
    size_t used;

    ck_assert_int_eq(jk_frame_next(in, 8192, &got, &used), JK_OK);
    ck_assert_uint_eq(used, 6);
    ck_assert_uint_eq(got.len, 2);
    in = (jk_span){ in.p + used, in.len - used };
    ck_assert_int_eq(jk_frame_next(in, 8192, &got, &used), JK_OK);
    ck_assert_uint_eq(used, in.len);
    ck_assert_uint_eq(got.p[0], 9);
}
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    jk_rc rc;
    const char *why;
} heads[] = {
    { "", 0, JK_AGAIN, "nothing yet" },
    { "A", 1, JK_AGAIN, "half the magic" },
    { "B", 1, JK_E_FRAME, "the first byte decides" },
    { "AC", 2, JK_E_FRAME, "the second too" },
    { "AB", 2, JK_AGAIN, "magic" },
    { "AB\0", 3, JK_AGAIN, "half a length" },
    { "AB\0\0", 4, JK_E_FRAME, "an empty payload says nothing" },
    { "AB\0\1", 4, JK_OK, "the shortest" },
    { "AB\x20\0", 4, JK_OK, "8192, the limit" },
    { "AB\x20\1", 4, JK_E_FRAME, "one more" },
    { "AB\377\377", 4, JK_E_FRAME, "far more" },
    { "\x12\x34\0\1", 4, JK_E_FRAME, "our own magic comes back" },
    { "HTTP/1.1 400 ", 13, JK_E_FRAME, "a port that speaks HTTP" },
    { "\x15\3\1\0\2\2\x28", 7, JK_E_FRAME, "a TLS alert" },
    { "ab\0\1", 4, JK_E_FRAME, "lower case" },
};

START_TEST(a_head_is_judged_as_early_as_can_be)
{
    size_t len = 0, used;
    jk_span got, in = guarded(heads[_i].bytes, heads[_i].n);

    ck_assert_msg(jk_frame_head(in, 8192, &len) == heads[_i].rc, "%s", heads[_i].why);
    jk_rc rc = jk_frame_next(in, 8192, &got, &used);
    ck_assert_msg(rc == (heads[_i].rc == JK_OK ? JK_AGAIN : heads[_i].rc), "%s", heads[_i].why);
}
END_TEST

START_TEST(the_limit_is_the_callers)
{
    static const size_t limits[] = { 1, 255, 256, 8192, 65535 };
    size_t limit = limits[_i], len = 0, used;
    uint8_t *packet = calloc(1, JK_FRAME_HEAD + limit + 1);
    jk_span got;

    memcpy(packet, "AB", 2);
    packet[2] = (uint8_t)(limit >> 8);
    packet[3] = (uint8_t)limit;
    ck_assert_int_eq(jk_frame_next(guarded(packet, JK_FRAME_HEAD + limit), limit, &got, &used), JK_OK);
    ck_assert_uint_eq(got.len, limit);
    ck_assert_uint_eq(used, JK_FRAME_HEAD + limit);
    ck_assert_int_eq(jk_frame_next(guarded(packet, JK_FRAME_HEAD + limit - 1), limit, &got, &used), JK_AGAIN);
    ck_assert_int_eq(jk_frame_head(guarded(packet, JK_FRAME_HEAD), limit - 1, &len), JK_E_FRAME);
    free(packet);
}
END_TEST

START_TEST(heads_of_ours)
{
    static const uint8_t ping[] = { 0x12, 0x34, 0, 1, 10 }, empty[] = { 0x12, 0x34, 0, 0 },
                         body[] = { 0x12, 0x34, 0x20, 0, 0x1F, 0xFE }, one[] = { 0x12, 0x34, 0, 3, 0, 1 },
                         head[] = { 0x12, 0x34, 0xFE, 0xDC };
    uint8_t p[JK_FRAME_BODY_HEAD];

    ck_assert_mem_eq(jk_frame_cping, ping, sizeof ping);
    jk_frame_begin(p, 0xFEDC);
    ck_assert_mem_eq(p, head, sizeof head);
    ck_assert_uint_eq(jk_frame_begin_body(p, 0x1FFE), JK_FRAME_BODY_HEAD);
    ck_assert_mem_eq(p, body, sizeof body);
    ck_assert_uint_eq(jk_frame_begin_body(p, 1), JK_FRAME_BODY_HEAD);
    ck_assert_mem_eq(p, one, sizeof one);
    ck_assert_uint_eq(jk_frame_begin_body(p, 0), JK_FRAME_HEAD);
    ck_assert_mem_eq(p, empty, sizeof empty);
    jk_frame_begin_body(p, JK_FRAME_MAX_PACKET - JK_FRAME_BODY_HEAD);
    ck_assert_uint_eq((unsigned)p[2] << 8 | p[3], 65532);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ajp/frame");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_test(all, every_prefix_waits_then_the_packet_comes_out);
    tcase_add_test(all, what_follows_a_packet_is_left_alone);
    tcase_add_loop_test(all, a_head_is_judged_as_early_as_can_be, 0, sizeof heads / sizeof heads[0]);
    tcase_add_loop_test(all, the_limit_is_the_callers, 0, 5);
    tcase_add_test(all, heads_of_ours);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
