/* tests/unit/test_kept.c - what edits made stays whole, whoever asks, and goes with the pool: that, the address sanitizer and valgrind see. */
#include <check.h>

#include "../../native/worker/kept.h"

#include <apr_general.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, BLOCKS = 2000, SIZE = 24 };

static apr_pool_t *pool;
static jk_kept *kept;

static void begin(void)
{
    apr_pool_create(&pool, NULL);
    kept = jk_kept_make(pool);
}

static void end(void)
{
    apr_pool_destroy(pool);
}

START_TEST(a_block_is_zero_and_aligned)
{
    static const unsigned char zero[100];

    for (size_t n = 1; n <= sizeof zero; n++) {
        unsigned char *block = jk_kept_take(kept, n);
        ck_assert_mem_eq(block, zero, n);
        ck_assert_uint_eq((uintptr_t)block % sizeof(void *), 0);
        memset(block, 0xFF, n); /* no other is touched by it */
    }
}
END_TEST

START_TEST(a_text_is_a_copy)
{
    char from[] = "node1";
    const char *copy = jk_kept_text(kept, from);

    from[0] = 'x';
    ck_assert_str_eq(copy, "node1");
    ck_assert_str_eq(jk_kept_text(kept, ""), "");
}
END_TEST

static void *take_many(void *at)
{
    unsigned char **mine = at;

    for (int i = 0; i < BLOCKS; i++)
        mine[i] = jk_kept_take(kept, SIZE);
    return NULL;
}

/* A block that was lost from the chain would be a leak; one that was given twice is seen here. */
START_TEST(threads_get_their_own)
{
    static unsigned char *blocks[THREADS][BLOCKS];
    pthread_t threads[THREADS];

    for (int t = 0; t < THREADS; t++)
        ck_assert_int_eq(pthread_create(&threads[t], NULL, take_many, blocks[t]), 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < BLOCKS; i++)
            memset(blocks[t][i], t * BLOCKS + i, SIZE);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < BLOCKS; i++)
            ck_assert_uint_eq(blocks[t][i][SIZE - 1], (unsigned char)(t * BLOCKS + i));
}
END_TEST

int main(void)
{
    apr_initialize();
    atexit(apr_terminate);
    Suite *s = suite_create("kept");
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, a_block_is_zero_and_aligned);
    tcase_add_test(c, a_text_is_a_copy);
    tcase_add_test(c, threads_get_their_own);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
