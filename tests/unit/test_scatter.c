/* tests/unit/test_scatter.c - the pieces of a read: their order, and that every byte of the lent memory is one of theirs, once. */
#include <check.h>

#include "jk/net/scatter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    jk_guess guess;
    size_t lent[2];
    size_t piece[JK_SCATTER_MOST];
    const char *why;
} row;

static const row rows[] = {
    { { 0, 7, 0, 7 }, { 100 }, { 100 }, "nothing is known" },
    { { 0, 7, 0, 7 }, { 100, 50 }, { 100, 50 }, "nothing is known, two pieces" },
    { { 30, 8, 40, 8 }, { 200 }, { 30, 8, 40, 8, 40, 8, 40, 8, 18 }, "in the middle of a chunk" },
    { { 0, 3, 40, 8 }, { 100 }, { 3, 40, 8, 40, 8, 1 }, "a head of which four bytes are known" },
    { { 0, 0, 40, 8 }, { 100 }, { 40, 8, 40, 8, 4 }, "a whole head is known: no piece is empty" },
    { { 92, 8, 40, 8 }, { 100 }, { 100 }, "no room behind the gap" },
    { { 91, 8, 40, 8 }, { 100 }, { 91, 8, 1 }, "room for one byte" },
    { { 300, 8, 40, 8 }, { 100 }, { 100 }, "the chunk is longer than the memory" },
    { { 30, 8, 40, 8 }, { 60, 100 }, { 30, 8, 22, 100 }, "the second piece is filled as it comes" },
    { { 30, 8, 40, 8 }, { 20, 100 }, { 20, 100 }, "the first one is too small" },
};

static void check_row(const row *r)
{
    uint8_t *memory[2] = { malloc(r->lent[0]), malloc(r->lent[1] + 1) };
    struct iovec lent[2] = { { memory[0], r->lent[0] }, { memory[1], r->lent[1] } }, piece[JK_SCATTER_MOST];
    int n = jk_scatter_lay(&r->guess, lent, r->lent[1] ? 2 : 1, piece);

    memset(memory[0], 0, r->lent[0]);
    memset(memory[1], 0, r->lent[1] + 1);
    for (int i = 0; i < n; i++) {
        ck_assert_msg(piece[i].iov_len == r->piece[i], "%s: piece %d has %zu bytes", r->why, i, piece[i].iov_len);
        for (size_t k = 0; k < piece[i].iov_len; k++)
            ((uint8_t *)piece[i].iov_base)[k]++;
    }
    ck_assert_msg(n == JK_SCATTER_MOST || r->piece[n] == 0, "%s: %d pieces", r->why, n);
    for (int m = 0; m < 2; m++)
        for (size_t k = 0; k < r->lent[m]; k++)
            ck_assert_msg(memory[m][k] == 1, "%s: byte %zu of piece %d", r->why, k, m);
    free(memory[0]);
    free(memory[1]);
}

START_TEST(every_byte_has_one_place)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}
END_TEST

START_TEST(chunks_lie_side_by_side)
{
    static uint8_t memory[61440];
    struct iovec lent = { memory, sizeof memory }, piece[JK_SCATTER_MOST];
    jk_guess guess = { 5000, 8, 8184, 8 };
    int n = jk_scatter_lay(&guess, &lent, 1, piece);
    const uint8_t *next = memory;

    for (int i = 0; i < n; i += 2) {
        ck_assert_ptr_eq(piece[i].iov_base, next);
        next += piece[i].iov_len;
    }
    ck_assert_int_eq(n, 15);
}
END_TEST

/* However small the chunks are, the pieces have an end, and no byte is lost. */
START_TEST(any_guess_fits)
{
    static uint8_t memory[2][3000];

    for (size_t data = 0; data < 40; data += 3)
        for (size_t next = 1; next < 2000; next += 1 + next / 3)
            for (size_t second = 1; second < 3000; second += 977) {
                struct iovec lent[2] = { { memory[0], sizeof memory[0] }, { memory[1], second } }, piece[JK_SCATTER_MOST];
                jk_guess guess = { data, 15 - data % 16, next, 15 };
                int n = jk_scatter_lay(&guess, lent, 2, piece);
                size_t all = 0;
                for (int i = 0; i < n; i++)
                    all += piece[i].iov_len ? piece[i].iov_len : 1;
                ck_assert_msg(n <= JK_SCATTER_MOST && all == sizeof memory[0] + second, "%zu %zu %zu", data, next, second);
            }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("scatter");
    TCase *t = tcase_create("scatter");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, every_byte_has_one_place);
    tcase_add_test(t, chunks_lie_side_by_side);
    tcase_add_test(t, any_guess_fits);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
