/* tests/unit/test_retry.c - may a request be sent again: the bits of recovery_options against stage and method. */
#include "jk/balance/retry.h"

#include <check.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static const jk_rc curable[] = {
    JK_E_RESOLVE, JK_E_CONNECT, JK_E_PING, JK_E_SEND, JK_E_RECV, JK_E_TIMEOUT, JK_E_FRAME, JK_E_PAYLOAD, JK_E_STATUS, JK_E_SHORT,
};
static const jk_retry_method methods[] = { JK_RETRY_OTHER, JK_RETRY_GET, JK_RETRY_HEAD };

/* After the FORWARD_REQUEST was written: may GET, HEAD and the others go again? */
static const struct {
    unsigned options;
    bool get, head, other;
    const char *why;
} sent[] = {
    { 0, true, true, true, "nothing forbids it" },
    { 1, false, false, false, "bit 1: not once the backend got it" },
    { 2, true, true, true, "bit 2 is about what comes later" },
    { 3, false, false, false, "the usual production value" },
    { 4, true, true, true, "bit 4 is about closing" },
    { 7, false, false, false, "1+2+4" },
    { 8, true, true, true, "bit 8 alone has nothing to lift" },
    { 9, false, true, false, "1+8: HEAD" },
    { 11, false, true, false, "1+2+8: HEAD" },
    { 17, true, false, false, "1+16: GET" },
    { 19, true, false, false, "1+2+16: GET" },
    { 24, true, true, true, "8+16 without bit 1: nothing to lift" },
    { 25, true, true, false, "1+8+16: both, the bits are independent" },
    { 27, true, true, false, "the default" },
    { 31, true, true, false, "all of them" },
};

START_TEST(the_options_decide_once_the_request_was_sent)
{
    unsigned o = sent[_i].options;
    const char *why = sent[_i].why;

    for (size_t i = 0; i < ROWS(curable); i++) {
        ck_assert_msg(jk_retry_may(curable[i], JK_RETRY_SENT, JK_RETRY_GET, o) == sent[_i].get, "GET %u: %s", o, why);
        ck_assert_msg(jk_retry_may(curable[i], JK_RETRY_SENT, JK_RETRY_HEAD, o) == sent[_i].head, "HEAD %u: %s", o, why);
        ck_assert_msg(jk_retry_may(curable[i], JK_RETRY_SENT, JK_RETRY_OTHER, o) == sent[_i].other, "POST %u: %s", o, why);
    }
}
END_TEST

START_TEST(before_anything_was_sent_it_is_free)
{
    for (size_t i = 0; i < ROWS(curable); i++)
        for (size_t m = 0; m < ROWS(methods); m++)
            ck_assert(jk_retry_may(curable[i], JK_RETRY_UNSENT, methods[m], (unsigned)_i));
}
END_TEST

START_TEST(a_consumed_body_or_a_begun_answer_ends_it)
{
    for (size_t i = 0; i < ROWS(curable); i++)
        for (size_t m = 0; m < ROWS(methods); m++) {
            ck_assert(!jk_retry_may(curable[i], JK_RETRY_CONSUMED, methods[m], (unsigned)_i));
            ck_assert(!jk_retry_may(curable[i], JK_RETRY_ANSWERED, methods[m], (unsigned)_i));
        }
}
END_TEST

static const struct {
    jk_rc rc;
    const char *why;
} never[] = {
    { JK_OK, "it worked" },
    { JK_AGAIN, "it is not over" },
    { JK_E_CLIENT_READ, "another backend does not mend the client" },
    { JK_E_CLIENT_WRITE, "nor its reading" },
    { JK_E_CLIENT_ABORT, "nobody waits for the answer" },
    { JK_E_SPACE, "it fits nowhere" },
    { JK_E_CONF, "the configuration stays" },
};

START_TEST(what_another_attempt_cannot_cure)
{
    for (int stage = JK_RETRY_UNSENT; stage <= JK_RETRY_ANSWERED; stage++)
        for (size_t m = 0; m < ROWS(methods); m++)
            for (unsigned o = 0; o < 32; o++)
                ck_assert_msg(!jk_retry_may(never[_i].rc, (jk_retry_stage)stage, methods[m], o), "%s", never[_i].why);
}
END_TEST

START_TEST(the_default_is_27)
{
    ck_assert_uint_eq(JK_RECOVER_DEFAULT,
                      JK_RECOVER_NOT_IF_SENT | JK_RECOVER_NOT_IF_ANSWERED | JK_RECOVER_HEAD | JK_RECOVER_GET);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance/retry");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, the_options_decide_once_the_request_was_sent, 0, ROWS(sent));
    tcase_add_loop_test(all, before_anything_was_sent_it_is_free, 0, 32);
    tcase_add_loop_test(all, a_consumed_body_or_a_begun_answer_ends_it, 0, 32);
    tcase_add_loop_test(all, what_another_attempt_cannot_cure, 0, ROWS(never));
    tcase_add_test(all, the_default_is_27);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
