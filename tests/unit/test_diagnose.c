/* tests/unit/test_diagnose.c - what jkping makes of what it saw: facts against verdicts, bytes against names. */
#include "guard.h"
#include "jkping_diagnose.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

#define PONG { .made = true }
#define ANSWER(s, r) { .made = true, .status = s, .reuse = r }
#define SILENT { .made = true, .rc = JK_E_TIMEOUT }
#define CLOSED { .made = true, .rc = JK_E_RECV }
#define RESET { .made = true, .rc = JK_E_RECV, .err = ECONNRESET }
#define ODD(w) { .made = true, .rc = JK_E_FRAME, .wrong = JKP_WRONG_##w }
#define MALFORMED(w) { .made = true, .rc = JK_E_PAYLOAD, .wrong = JKP_WRONG_##w }

static const struct {
    jkp_facts facts;
    int exit;
    const char *says, *why;
} rows[] = {
    { { .connect = JK_E_RESOLVE }, 2, "no address", "a name that nobody knows" },
    { { .connect = JK_E_CONNECT, .connect_err = ECONNREFUSED }, 2, "no connection", "TCP: the errno has the words" },
    { { .connect = JK_E_CONNECT, .path = JKP_PATH_NO_DIRECTORY }, 2, "directory does not exist", "unix" },
    { { .connect = JK_E_CONNECT, .path = JKP_PATH_CLOSED_DIRECTORY }, 2, "does not let this user through", "unix" },
    { { .connect = JK_E_CONNECT, .path = JKP_PATH_NO_FILE }, 2, "the Unix socket is not", "unix" },
    { { .connect = JK_E_CONNECT, .path = JKP_PATH_NO_SOCKET }, 2, "no Unix socket", "unix" },
    { { .connect = JK_E_CONNECT, .path = JKP_PATH_CLOSED_FILE }, 2, "does not let this user write", "unix" },
    { { .connect = JK_E_CONNECT, .path = JKP_PATH_NOBODY }, 2, "nobody listens", "unix" },

    { { .ping = SILENT }, 2, "no CPong came in time", "accepted and silent" },
    { { .ping = CLOSED }, 2, "closed at once", "end of file" },
    { { .ping = RESET }, 2, "closed at once", "a reset" },
    { { .ping = { .made = true, .rc = JK_E_SEND, .err = EPIPE } }, 2, "closed at once", "not even the CPing went out" },
    { { .ping = ODD(HTTP) }, 3, "does not speak AJP13", "HTTP" },
    { { .ping = ODD(HTTP2) }, 3, "does not speak AJP13", "HTTP/2" },
    { { .ping = ODD(TLS) }, 3, "does not speak AJP13", "TLS" },
    { { .ping = ODD(SSH) }, 3, "does not speak AJP13", "SSH" },
    { { .ping = ODD(OURS) }, 3, "does not speak AJP13", "an echo" },
    { { .ping = ODD(START) }, 3, "does not speak AJP13", "anything" },
    { { .ping = ODD(EMPTY) }, 3, "no CPong", "its framing, but nothing in it" },
    { { .ping = ODD(CUT) }, 3, "no CPong", "half a packet" },
    { { .ping = ODD(ORDER) }, 3, "no CPong", "another message" },
    { { .ping = MALFORMED(TYPE) }, 3, "no CPong", "an unknown one" },

    { { .ping = PONG }, 0, "nothing yet of a secret", "only the CPing was asked for" },
    { { .ping = PONG, .secret = true, .get = ANSWER(200, true), .open = ANSWER(403, false) }, 0, "answer", "all good" },
    { { .ping = PONG, .get = ANSWER(302, true) }, 0, "answer", "a redirection is an answer" },
    { { .ping = PONG, .get = ANSWER(200, false) }, 0, "answer", "closing is a note" },
    { { .ping = PONG, .get = ANSWER(404, true) }, 1, "application's own", "not there" },
    { { .ping = PONG, .get = ANSWER(403, true) }, 1, "application's own", "forbidden by the application, not the connector" },
    { { .ping = PONG, .get = ANSWER(500, true) }, 1, "application's own", "an exception" },
    { { .ping = PONG, .get = ANSWER(403, false), .bare = ANSWER(403, false) }, 4, "wants a secret", "none was given" },
    { { .ping = PONG, .secret = true, .get = ANSWER(403, false), .bare = ANSWER(403, false), .open = ANSWER(403, false) }, 4,
      "secret is wrong", "one was given" },
    { { .ping = PONG, .get = ANSWER(403, false), .bare = ANSWER(200, true) }, 1, "refuses a request attribute", "told apart" },
    { { .ping = PONG, .get = ANSWER(403, false), .bare = ANSWER(404, true) }, 1, "refuses a request attribute",
      "the application was asked, and that is what counts" },
    { { .ping = PONG, .secret = true, .get = ANSWER(403, false), .bare = ANSWER(200, true), .open = ANSWER(403, false) }, 1,
      "refuses a request attribute", "with a right secret" },
    { { .ping = PONG, .get = ANSWER(403, false), .bare = CLOSED }, 1, "secret or of a request attribute", "could not be told apart" },
    { { .ping = PONG, .get = ANSWER(403, false) }, 1, "secret or of a request attribute", "was not asked again" },
    { { .ping = PONG, .get = ANSWER(400, false) }, 1, "malformed (400)", "packetSize" },
    { { .ping = PONG, .get = ANSWER(500, false) }, 1, "(500)", "maxHeaderCount" },
    { { .ping = PONG, .get = ANSWER(503, false) }, 1, "(503)", "stopping" },
    { { .ping = PONG, .get = ANSWER(431, false) }, 1, "an error and closed", "any other" },
    { { .ping = PONG, .get = SILENT }, 1, "no answer in time", "a slow page" },
    { { .ping = PONG, .get = { .made = true, .rc = JK_E_TIMEOUT, .status = 200 } }, 1, "did not end", "an exception after the commit" },
    { { .ping = PONG, .get = CLOSED }, 1, "instead of an answer", "stopping" },
    { { .ping = PONG, .get = RESET }, 1, "instead of an answer", "stopping, with a reset" },
    { { .ping = PONG, .get = { .made = true, .rc = JK_E_RECV, .status = 200 } }, 1, "middle of the answer", "died" },
    { { .ping = PONG, .get = { .made = true, .rc = JK_E_FRAME, .status = 200, .wrong = JKP_WRONG_CUT } }, 1, "middle of the answer",
      "died inside a packet" },
    { { .ping = PONG, .get = ODD(CUT) }, 3, "malformed message", "a packet that never became one" },
    { { .ping = PONG, .get = ODD(START) }, 3, "not answered in AJP13", "only the CPing was understood" },
    { { .ping = PONG, .get = ODD(ORDER) }, 3, "malformed message", "the end before the headers" },
    { { .ping = PONG, .get = MALFORMED(HEADERS) }, 3, "malformed message", "lengths that do not fit" },
};

START_TEST(facts_have_their_verdict)
{
    jkp_verdict got = jkp_diagnose(&rows[_i].facts);

    ck_assert_msg(got.exit == rows[_i].exit, "%s: exit %d, not %d (%s)", rows[_i].why, got.exit, rows[_i].exit, got.what);
    ck_assert_msg(strstr(got.what, rows[_i].says) != NULL, "%s: %s", rows[_i].why, got.what);
}
END_TEST

START_TEST(whoever_is_told_bad_news_is_told_what_to_do)
{
    jkp_verdict got = jkp_diagnose(&rows[_i].facts);
    bool errno_says = rows[_i].facts.connect == JK_E_CONNECT;

    ck_assert_msg(got.exit == JKP_EXIT_GOOD || errno_says || got.todo != NULL, "%s", got.what);
}
END_TEST

/* The words of all notes that hold. */
static unsigned notes(const jkp_facts *facts, const char *about)
{
    unsigned at = 0, found = 0;
    const char *note;

    while ((note = jkp_diagnose_note(facts, &at)) != NULL)
        found += strstr(note, about) != NULL;
    return found;
}

START_TEST(notes_come_where_they_hold)
{
    static const jkp_facts plain = { .ping = PONG, .get = ANSWER(200, true) };
    static const jkp_facts guarded = { .ping = PONG, .secret = true, .get = ANSWER(200, true), .open = ANSWER(403, false) };
    static const jkp_facts open = { .ping = PONG, .secret = true, .get = ANSWER(200, true), .open = ANSWER(200, true) };
    static const jkp_facts open_404 = { .ping = PONG, .secret = true, .get = ANSWER(404, true), .open = ANSWER(404, true) };
    static const jkp_facts unknown = { .ping = PONG, .secret = true, .get = ANSWER(200, true), .open = CLOSED };
    static const jkp_facts closes = { .ping = PONG, .get = ANSWER(200, false) };
    static const jkp_facts refused = { .ping = PONG, .get = ANSWER(403, false) };
    static const jkp_facts large = { .ping = PONG, .get = ANSWER(200, true), .longest = 8193 };
    static const jkp_facts full = { .ping = PONG, .get = ANSWER(200, true), .longest = 8192 };

    ck_assert_uint_eq(notes(&plain, ""), 0);
    ck_assert_uint_eq(notes(&guarded, ""), 0);
    ck_assert_uint_eq(notes(&open, "without the secret"), 1);
    ck_assert_uint_eq(notes(&open_404, "without the secret"), 1);
    ck_assert_uint_eq(notes(&unknown, ""), 0);
    ck_assert_uint_eq(notes(&closes, "closes the connection"), 1);
    ck_assert_uint_eq(notes(&refused, ""), 0);
    ck_assert_uint_eq(notes(&large, "max_packet_size"), 1);
    ck_assert_uint_eq(notes(&full, ""), 0);
}
END_TEST

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static const struct {
    const uint8_t *p;
    size_t len;
    jkp_wrong wrong;
    const char *why;
} starts[] = {
    { BYTES("HTTP/1.1 400 "), JKP_WRONG_HTTP, "a status line" },
    { BYTES("<html>\r\n"), JKP_WRONG_HTTP, "HTTP/0.9 of a server that saw no version" },
    { BYTES("<!DOCTYPE"), JKP_WRONG_HTTP, "the same" },
    { BYTES("\x15\x03\x01\x00\x02\x02\x0A"), JKP_WRONG_TLS, "an alert" },
    { BYTES("\x15\x03"), JKP_WRONG_TLS, "its beginning" },
    { BYTES("\x16\x03\x03\x00\x7A\x02\x00\x00"), JKP_WRONG_TLS, "the hello of a server that was greeted so" },
    { BYTES("\x15"), JKP_WRONG_START, "too little of one" },
    { BYTES("\x00\x00\x12\x04\x00\x00\x00\x00"), JKP_WRONG_HTTP2, "SETTINGS" },
    { BYTES("\x00\x00\x12\x07\x00\x00\x00\x00"), JKP_WRONG_START, "GOAWAY comes later" },
    { BYTES("SSH-2.0-O"), JKP_WRONG_SSH, "a banner" },
    { BYTES("\x12\x34\x00\x01\x0A"), JKP_WRONG_OURS, "our CPing back" },
    { BYTES("AB\x00\x00"), JKP_WRONG_EMPTY, "framing without a payload" },
    { BYTES("AX"), JKP_WRONG_START, "almost" },
    { BYTES("HTT"), JKP_WRONG_START, "too little to be sure" },
    { BYTES(""), JKP_WRONG_START, "nothing" },
};

START_TEST(first_bytes_have_names)
{
    jk_span bytes = { jk_guarded(starts[_i].p, starts[_i].len), starts[_i].len };

    ck_assert_msg(jkp_wrong_start(bytes) == starts[_i].wrong, "%s", starts[_i].why);
}
END_TEST

START_TEST(messages_have_names)
{
    static const struct {
        const uint8_t *p;
        size_t len;
        jkp_wrong wrong;
    } messages[] = {
        { BYTES("\x04\x00"), JKP_WRONG_HEADERS }, { BYTES("\x03\xFF"), JKP_WRONG_CHUNK }, { BYTES("\x05"), JKP_WRONG_FIELD },
        { BYTES("\x06"), JKP_WRONG_FIELD },       { BYTES("\x63"), JKP_WRONG_TYPE },      { BYTES(""), JKP_WRONG_TYPE },
    };

    for (size_t i = 0; i < ROWS(messages); i++)
        ck_assert_int_eq(jkp_wrong_message((jk_span){ jk_guarded(messages[i].p, messages[i].len), messages[i].len }),
                         messages[i].wrong);
}
END_TEST

START_TEST(each_fault_has_words_of_its_own)
{
    for (int i = 0; i < JKP_WRONG_COUNT; i++) {
        ck_assert_ptr_nonnull(jkp_wrong_words((jkp_wrong)i));
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(jkp_wrong_words((jkp_wrong)i), jkp_wrong_words((jkp_wrong)j));
    }
    ck_assert_ptr_nonnull(jkp_wrong_words(JKP_WRONG_COUNT));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jkping/diagnose");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, facts_have_their_verdict, 0, ROWS(rows));
    tcase_add_loop_test(all, whoever_is_told_bad_news_is_told_what_to_do, 0, ROWS(rows));
    tcase_add_test(all, notes_come_where_they_hold);
    tcase_add_loop_test(all, first_bytes_have_names, 0, ROWS(starts));
    tcase_add_test(all, messages_have_names);
    tcase_add_test(all, each_fault_has_words_of_its_own);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
