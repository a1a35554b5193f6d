/* tests/unit/test_outcome.c - every outcome has a name of its own, words, and somebody to blame. */
#include "jk/base/outcome.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    jk_rc rc;
    jk_blame blame;
    const char *name, *why;
} rows[] = {
    { JK_OK, JK_BLAME_NOBODY, "JK_OK", "nothing happened" },
    { JK_AGAIN, JK_BLAME_NOBODY, "JK_AGAIN", "waiting is no failure" },
    { JK_E_CLIENT_READ, JK_BLAME_CLIENT, "JK_E_CLIENT_READ", "the client's body did not come" },
    { JK_E_CLIENT_WRITE, JK_BLAME_CLIENT, "JK_E_CLIENT_WRITE", "the client did not take the answer" },
    { JK_E_CLIENT_ABORT, JK_BLAME_CLIENT, "JK_E_CLIENT_ABORT", "the client went away" },
    { JK_E_RESOLVE, JK_BLAME_BACKEND, "JK_E_RESOLVE", "the member cannot be reached" },
    { JK_E_CONNECT, JK_BLAME_BACKEND, "JK_E_CONNECT", "the member cannot be reached" },
    { JK_E_PING, JK_BLAME_BACKEND, "JK_E_PING", "the member does not answer" },
    { JK_E_SEND, JK_BLAME_BACKEND, "JK_E_SEND", "the member closed" },
    { JK_E_RECV, JK_BLAME_BACKEND, "JK_E_RECV", "the member closed" },
    { JK_E_TIMEOUT, JK_BLAME_BACKEND, "JK_E_TIMEOUT", "the member is silent" },
    { JK_E_FRAME, JK_BLAME_BACKEND, "JK_E_FRAME", "the member does not speak AJP13" },
    { JK_E_PAYLOAD, JK_BLAME_BACKEND, "JK_E_PAYLOAD", "the member's message is malformed" },
    { JK_E_SPACE, JK_BLAME_CLIENT, "JK_E_SPACE", "the client's request is too big; no member is worse for it" },
    { JK_E_BUSY, JK_BLAME_US, "JK_E_BUSY", "a limit of ours" },
    { JK_E_STATUS, JK_BLAME_BACKEND, "JK_E_STATUS", "fail_on_status" },
    { JK_E_CONF, JK_BLAME_US, "JK_E_CONF", "the configuration" },
    { JK_E_MEMORY, JK_BLAME_US, "JK_E_MEMORY", "our memory" },
    { JK_E_SHORT, JK_BLAME_US, "JK_E_SHORT", "our descriptors" },
};

START_TEST(each_outcome_blames_the_right_one)
{
    ck_assert_msg(jk_outcome_blame(rows[_i].rc) == rows[_i].blame, "%s: %s", rows[_i].name, rows[_i].why);
    ck_assert_str_eq(jk_outcome_name(rows[_i].rc), rows[_i].name);
    ck_assert_uint_gt(strlen(jk_outcome_words(rows[_i].rc)), 0);
}
END_TEST

START_TEST(the_table_above_is_complete_and_no_two_share_words)
{
    ck_assert_int_eq(JK_RC_COUNT, sizeof rows / sizeof rows[0]);
    for (int a = 0; a < JK_RC_COUNT; a++)
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(jk_outcome_words((jk_rc)a), jk_outcome_words((jk_rc)b));
}
END_TEST

/* Tools look for these in the log (spec: log.md). */
START_TEST(words_that_are_looked_for)
{
    ck_assert_str_eq(jk_outcome_words(JK_E_CLIENT_READ), "because of client read error");
    ck_assert_str_eq(jk_outcome_words(JK_E_CLIENT_WRITE), "because of client write error");
    ck_assert_str_eq(jk_outcome_words(JK_E_SEND), "because of error during request sending");
    ck_assert_str_eq(jk_outcome_words(JK_E_TIMEOUT), "because of reply timeout");
    ck_assert_str_eq(jk_outcome_words(JK_E_FRAME), "because of protocol error");
    ck_assert_str_eq(jk_outcome_words(JK_E_STATUS), "because of response status");
    ck_assert_str_eq(jk_outcome_words(JK_E_PING), "because of a failed cping/cpong");
}
END_TEST

START_TEST(a_number_that_is_no_outcome_is_our_own_fault)
{
    static const int odd[] = { -1, JK_RC_COUNT, 1000 };

    ck_assert_int_eq(jk_outcome_blame((jk_rc)odd[_i]), JK_BLAME_US);
    ck_assert_ptr_nonnull(jk_outcome_name((jk_rc)odd[_i]));
    ck_assert_ptr_nonnull(jk_outcome_words((jk_rc)odd[_i]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base/outcome");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, each_outcome_blames_the_right_one, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(all, the_table_above_is_complete_and_no_two_share_words);
    tcase_add_test(all, words_that_are_looked_for);
    tcase_add_loop_test(all, a_number_that_is_no_outcome_is_our_own_fault, 0, 3);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
