/* tests/unit/test_exchange.c - every cell of the table of states, the accounts of the request's body, how far a request has
 * come, and when a connection may stay. */
#include "jk/ajp/codes.h"
#include "jk/ajp/exchange.h"

#include <check.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define PACKET 8192
#define MOST (PACKET - 6)

static jk_exchange started(jk_body_kind body, uint64_t length)
{
    jk_exchange x;

    jk_exchange_start(&x, body, length, PACKET);
    return x;
}

static jk_exchange in_phase(jk_phase phase)
{
    jk_exchange x = started(JK_BODY_NONE, 0);

    jk_exchange_sent(&x);
    if (phase == JK_PHASE_BROKEN)
        jk_exchange_break(&x);
    if (phase >= JK_PHASE_HEADED && phase != JK_PHASE_BROKEN)
        jk_exchange_event(&x, JK_EVENT_HEADERS);
    if (phase == JK_PHASE_BODY)
        jk_exchange_event(&x, JK_EVENT_CHUNK);
    if (phase == JK_PHASE_ENDED)
        jk_exchange_event(&x, JK_EVENT_END_KEEP);
    ck_assert_int_eq(x.phase, phase);
    return x;
}

/* ---- the table ---- */

static const struct {
    jk_phase phase;
    jk_event event;
    jk_phase next;
    jk_act act;
    const char *why;
} cells[] = {
    { JK_PHASE_WAITING, JK_EVENT_FLUSH, JK_PHASE_WAITING, JK_ACT_IGNORE, "left over from the answer before" },
    { JK_PHASE_WAITING, JK_EVENT_CHUNK, JK_PHASE_BROKEN, JK_ACT_FAIL_PAYLOAD, "a body before its headers: 500" },
    { JK_PHASE_WAITING, JK_EVENT_INTERIM, JK_PHASE_WAITING, JK_ACT_IGNORE, "1xx is passed over" },
    { JK_PHASE_WAITING, JK_EVENT_HEADERS, JK_PHASE_HEADED, JK_ACT_PASS_HEAD, "the answer begins" },
    { JK_PHASE_WAITING, JK_EVENT_GET_BODY, JK_PHASE_WAITING, JK_ACT_SEND_BODY, "the container reads first" },
    { JK_PHASE_WAITING, JK_EVENT_END_KEEP, JK_PHASE_BROKEN, JK_ACT_FAIL_FRAME, "an end without headers: 502" },
    { JK_PHASE_WAITING, JK_EVENT_END_CLOSE, JK_PHASE_BROKEN, JK_ACT_FAIL_FRAME, "likewise" },
    { JK_PHASE_WAITING, JK_EVENT_PONG, JK_PHASE_BROKEN, JK_ACT_FAIL_PAYLOAD, "nobody asked" },

    { JK_PHASE_HEADED, JK_EVENT_FLUSH, JK_PHASE_HEADED, JK_ACT_FLUSH, "headers alone may be flushed" },
    { JK_PHASE_HEADED, JK_EVENT_CHUNK, JK_PHASE_BODY, JK_ACT_PASS_BODY, "the body begins" },
    { JK_PHASE_HEADED, JK_EVENT_INTERIM, JK_PHASE_BROKEN, JK_ACT_FAIL_FRAME, "1xx after the final headers" },
    { JK_PHASE_HEADED, JK_EVENT_HEADERS, JK_PHASE_BROKEN, JK_ACT_FAIL_FRAME, "headers twice" },
    { JK_PHASE_HEADED, JK_EVENT_GET_BODY, JK_PHASE_HEADED, JK_ACT_SEND_BODY, "it answers before it has read all" },
    { JK_PHASE_HEADED, JK_EVENT_END_KEEP, JK_PHASE_ENDED, JK_ACT_FINISH, "no body" },
    { JK_PHASE_HEADED, JK_EVENT_END_CLOSE, JK_PHASE_ENDED, JK_ACT_FINISH, "no body" },
    { JK_PHASE_HEADED, JK_EVENT_PONG, JK_PHASE_BROKEN, JK_ACT_FAIL_PAYLOAD, "nobody asked" },

    { JK_PHASE_BODY, JK_EVENT_FLUSH, JK_PHASE_BODY, JK_ACT_FLUSH, "in the middle" },
    { JK_PHASE_BODY, JK_EVENT_CHUNK, JK_PHASE_BODY, JK_ACT_PASS_BODY, "more" },
    { JK_PHASE_BODY, JK_EVENT_INTERIM, JK_PHASE_BROKEN, JK_ACT_FAIL_FRAME, "1xx in a body" },
    { JK_PHASE_BODY, JK_EVENT_HEADERS, JK_PHASE_BROKEN, JK_ACT_FAIL_FRAME, "headers twice, after a body" },
    { JK_PHASE_BODY, JK_EVENT_GET_BODY, JK_PHASE_BODY, JK_ACT_SEND_BODY, "reads and writes in turn" },
    { JK_PHASE_BODY, JK_EVENT_END_KEEP, JK_PHASE_ENDED, JK_ACT_FINISH, "the end" },
    { JK_PHASE_BODY, JK_EVENT_END_CLOSE, JK_PHASE_ENDED, JK_ACT_FINISH, "the end" },
    { JK_PHASE_BODY, JK_EVENT_PONG, JK_PHASE_BROKEN, JK_ACT_FAIL_PAYLOAD, "in the middle of a body" },
};

START_TEST(cells_of_the_table)
{
    jk_exchange x = in_phase(cells[_i].phase);
    jk_act act = jk_exchange_event(&x, cells[_i].event);

    ck_assert_msg(act == cells[_i].act, "%s: act %d", cells[_i].why, act);
    ck_assert_msg(x.phase == cells[_i].next, "%s: phase %d", cells[_i].why, x.phase);
}
END_TEST

START_TEST(each_living_phase_has_each_event_once)
{
    int seen[JK_PHASE_ENDED][JK_EVENT_COUNT] = { { 0 } };

    for (size_t i = 0; i < ROWS(cells); i++)
        seen[cells[i].phase][cells[i].event]++;
    for (int p = 0; p < JK_PHASE_ENDED; p++)
        for (int e = 0; e < JK_EVENT_COUNT; e++)
            ck_assert_msg(seen[p][e] == 1, "phase %d, event %d", p, e);
}
END_TEST

START_TEST(after_the_end_nothing_may_come)
{
    static const jk_phase over[] = { JK_PHASE_ENDED, JK_PHASE_BROKEN };

    for (int e = 0; e < JK_EVENT_COUNT; e++) {
        jk_exchange x = in_phase(over[_i]);
        ck_assert_int_eq(jk_exchange_event(&x, (jk_event)e), JK_ACT_FAIL_FRAME);
        ck_assert_int_eq(x.phase, JK_PHASE_BROKEN);
        ck_assert(!jk_exchange_reusable(&x));
    }
}
END_TEST

/* ---- messages are events ---- */

static const struct {
    jk_reply reply;
    jk_event event;
    const char *why;
} kinds[] = {
    { { .type = JK_AJP_SEND_BODY_CHUNK, .body = JK_SPAN_LIT("x") }, JK_EVENT_CHUNK, "bytes" },
    { { .type = JK_AJP_SEND_BODY_CHUNK, .body = JK_SPAN_LIT("") }, JK_EVENT_FLUSH, "none" },
    { { .type = JK_AJP_SEND_HEADERS, .status = 100 }, JK_EVENT_INTERIM, "100" },
    { { .type = JK_AJP_SEND_HEADERS, .status = 199 }, JK_EVENT_INTERIM, "199" },
    { { .type = JK_AJP_SEND_HEADERS, .status = 200 }, JK_EVENT_HEADERS, "200" },
    { { .type = JK_AJP_SEND_HEADERS, .status = 599 }, JK_EVENT_HEADERS, "599" },
    { { .type = JK_AJP_GET_BODY_CHUNK, .wanted = 0 }, JK_EVENT_GET_BODY, "even for nothing" },
    { { .type = JK_AJP_END_RESPONSE, .reuse = true }, JK_EVENT_END_KEEP, "kept" },
    { { .type = JK_AJP_END_RESPONSE, .reuse = false }, JK_EVENT_END_CLOSE, "closed" },
    { { .type = JK_AJP_CPONG }, JK_EVENT_PONG, "pong" },
};

START_TEST(messages_are_events)
{
    ck_assert_msg(jk_exchange_event_of(&kinds[_i].reply) == kinds[_i].event, "%s", kinds[_i].why);
}
END_TEST

/* ---- the body ---- */

static const struct {
    jk_body_kind body;
    uint64_t length;
    size_t first;
    const char *why;
} firsts[] = {
    { JK_BODY_NONE, 0, 0, "there is none" },
    { JK_BODY_LENGTH, 1, 1, "one byte" },
    { JK_BODY_LENGTH, MOST - 1, MOST - 1, "just below a packet" },
    { JK_BODY_LENGTH, MOST, MOST, "a full packet" },
    { JK_BODY_LENGTH, MOST + 1, MOST, "more than a packet" },
    { JK_BODY_LENGTH, UINT64_MAX, MOST, "as long as can be" },
    { JK_BODY_UNKNOWN, 0, 0, "a chunked body is asked for" },
};

START_TEST(the_first_packet_comes_unasked_for_a_known_length)
{
    jk_exchange x = started(firsts[_i].body, firsts[_i].length);

    ck_assert_msg(jk_exchange_first(&x) == firsts[_i].first, "%s", firsts[_i].why);
}
END_TEST

START_TEST(nothing_is_sent_where_there_is_no_body)
{
    jk_exchange x = started(JK_BODY_NONE, 0);

    ck_assert_uint_eq(jk_exchange_wanted(&x, 1), 0);
    ck_assert_uint_eq(jk_exchange_wanted(&x, 65535), 0);
}
END_TEST

static const struct {
    size_t asked, given;
    const char *why;
} wishes[] = {
    { 0, 0, "nothing asked: the empty packet" },
    { 1, 1, "one byte" },
    { MOST - 1, MOST - 1, "less than a packet" },
    { MOST, MOST, "a packet" },
    { MOST + 1, MOST, "more than our packet" },
    { 65535, MOST, "far more" },
};

START_TEST(a_known_length_gives_what_is_asked_for_and_left)
{
    jk_exchange x = started(JK_BODY_LENGTH, 3 * MOST);

    jk_exchange_body(&x, jk_exchange_first(&x), false);
    ck_assert_msg(jk_exchange_wanted(&x, wishes[_i].asked) == wishes[_i].given, "%s", wishes[_i].why);
    jk_exchange_body(&x, MOST, false);
    jk_exchange_body(&x, MOST - 1, false);
    ck_assert_msg(jk_exchange_wanted(&x, wishes[_i].asked) == (wishes[_i].asked ? 1 : 0), "the last byte: %s", wishes[_i].why);
    ck_assert(!x.body_ended);
    jk_exchange_body(&x, 1, false);
    ck_assert(x.body_ended);
    ck_assert_uint_eq(jk_exchange_wanted(&x, wishes[_i].asked), 0);
}
END_TEST

START_TEST(an_unknown_length_gives_full_packets_until_the_end)
{
    jk_exchange x = started(JK_BODY_UNKNOWN, 0);

    ck_assert_uint_eq(jk_exchange_wanted(&x, wishes[_i].asked), MOST);
    jk_exchange_body(&x, MOST, false);
    ck_assert_uint_eq(jk_exchange_wanted(&x, wishes[_i].asked), MOST);
    jk_exchange_body(&x, 17, true);
    ck_assert_uint_eq(jk_exchange_wanted(&x, wishes[_i].asked), 0);
    jk_exchange_body(&x, 0, false);
    ck_assert_uint_eq(jk_exchange_wanted(&x, wishes[_i].asked), 0); /* an end stays one */
}
END_TEST

START_TEST(a_body_that_ends_early_gives_no_more)
{
    jk_exchange x = started(JK_BODY_LENGTH, 100);

    jk_exchange_body(&x, 40, true);
    ck_assert_uint_eq(x.body_left, 60);
    ck_assert_uint_eq(jk_exchange_wanted(&x, 60), 0);
}
END_TEST

START_TEST(packets_of_every_size)
{
    static const size_t sizes[] = { 8192, 16384, 65535, 65536 };
    jk_exchange x;

    jk_exchange_start(&x, JK_BODY_LENGTH, 1 << 20, sizes[_i]);
    ck_assert_uint_eq(jk_exchange_first(&x), sizes[_i] - 6);
    ck_assert_uint_eq(jk_exchange_wanted(&x, 65535), sizes[_i] - 6 < 65535 ? sizes[_i] - 6 : 65535);
}
END_TEST

/* ---- progress ---- */

START_TEST(progress_grows_step_by_step)
{
    jk_exchange x = started(JK_BODY_UNKNOWN, 0);

    ck_assert_int_eq(x.progress, JK_PROGRESS_NONE);
    jk_exchange_sent(&x);
    ck_assert_int_eq(x.progress, JK_PROGRESS_SENT);
    jk_exchange_event(&x, JK_EVENT_FLUSH);
    jk_exchange_event(&x, JK_EVENT_INTERIM);
    ck_assert_int_eq(x.progress, JK_PROGRESS_SENT); /* nothing of it reached the sink */
    jk_exchange_event(&x, JK_EVENT_GET_BODY);
    ck_assert_int_eq(x.progress, JK_PROGRESS_SENT); /* not answered yet */
    jk_exchange_answered_body(&x);
    ck_assert_int_eq(x.progress, JK_PROGRESS_CONSUMED);
    jk_exchange_event(&x, JK_EVENT_HEADERS);
    ck_assert_int_eq(x.progress, JK_PROGRESS_ANSWERED);
}
END_TEST

START_TEST(progress_never_falls)
{
    for (uint32_t seed = 1; seed < 2000; seed++) {
        jk_exchange x = started((jk_body_kind)(seed % 3), seed % 3 == JK_BODY_LENGTH ? 100000 : 0);
        jk_progress before = x.progress;
        uint32_t chance = seed * 2654435761u;
        for (int step = 0; step < 30; step++) {
            chance = chance * 1664525u + 1013904223u;
            unsigned what = (chance >> 16) % (JK_EVENT_COUNT + 4);
            if (what < JK_EVENT_COUNT)
                jk_exchange_event(&x, (jk_event)what);
            else if (what == JK_EVENT_COUNT)
                jk_exchange_sent(&x);
            else if (what == JK_EVENT_COUNT + 1)
                jk_exchange_answered_body(&x);
            else if (what == JK_EVENT_COUNT + 2)
                jk_exchange_body(&x, jk_exchange_wanted(&x, chance & 0xFFFF), (chance & 0x100) != 0);
            else if ((chance & 0x700) == 0)
                jk_exchange_break(&x);
            ck_assert_int_ge(x.progress, before);
            ck_assert(!jk_exchange_reusable(&x) || x.phase == JK_PHASE_ENDED);
            before = x.progress;
        }
    }
}
END_TEST

START_TEST(a_refused_head_is_no_answer)
{
    jk_exchange x = started(JK_BODY_NONE, 0);

    jk_exchange_sent(&x);
    jk_exchange_event(&x, JK_EVENT_END_KEEP); /* without headers */
    ck_assert_int_eq(x.progress, JK_PROGRESS_SENT);
}
END_TEST

/* ---- may the connection stay? ---- */

START_TEST(only_an_end_that_says_so_keeps_the_connection)
{
    jk_exchange x = in_phase(JK_PHASE_BODY);

    ck_assert(!jk_exchange_reusable(&x));
    jk_exchange_event(&x, _i ? JK_EVENT_END_KEEP : JK_EVENT_END_CLOSE);
    ck_assert(jk_exchange_reusable(&x) == (_i != 0));
    jk_exchange_break(&x);
    ck_assert(!jk_exchange_reusable(&x));
}
END_TEST

START_TEST(no_phase_but_the_end_is_reusable)
{
    static const jk_phase others[] = { JK_PHASE_WAITING, JK_PHASE_HEADED, JK_PHASE_BODY, JK_PHASE_BROKEN };
    jk_exchange x = in_phase(others[_i]);

    ck_assert(!jk_exchange_reusable(&x));
}
END_TEST

static void answer_and_end(jk_exchange *x)
{
    jk_exchange_event(x, JK_EVENT_HEADERS);
    jk_exchange_event(x, JK_EVENT_END_KEEP);
}

/* The container would take the packet that comes late for the next request. */
START_TEST(a_connection_on_which_body_bytes_are_owed_is_not_kept)
{
    jk_exchange x = started(JK_BODY_LENGTH, 10);

    answer_and_end(&x);
    ck_assert(!jk_exchange_reusable(&x)); /* the first packet was never read */
    x = started(JK_BODY_LENGTH, 10);
    jk_exchange_body(&x, 10, false);
    answer_and_end(&x);
    ck_assert(jk_exchange_reusable(&x));
    x = started(JK_BODY_UNKNOWN, 0);
    jk_exchange_event(&x, JK_EVENT_GET_BODY);
    answer_and_end(&x);
    ck_assert(!jk_exchange_reusable(&x)); /* asked, not answered */
    x = started(JK_BODY_UNKNOWN, 0);
    jk_exchange_event(&x, JK_EVENT_GET_BODY);
    jk_exchange_answered_body(&x);
    jk_exchange_body(&x, 0, true);
    answer_and_end(&x);
    ck_assert(jk_exchange_reusable(&x));
}
END_TEST

START_TEST(an_unread_rest_of_the_body_does_not_matter)
{
    jk_exchange x = started(JK_BODY_LENGTH, 100000);

    jk_exchange_body(&x, jk_exchange_first(&x), false);
    answer_and_end(&x);
    ck_assert(jk_exchange_reusable(&x)); /* the container asks for what it wants */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ajp/exchange");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, cells_of_the_table, 0, ROWS(cells));
    tcase_add_test(all, each_living_phase_has_each_event_once);
    tcase_add_loop_test(all, after_the_end_nothing_may_come, 0, 2);
    tcase_add_loop_test(all, messages_are_events, 0, ROWS(kinds));
    tcase_add_loop_test(all, the_first_packet_comes_unasked_for_a_known_length, 0, ROWS(firsts));
    tcase_add_test(all, nothing_is_sent_where_there_is_no_body);
    tcase_add_loop_test(all, a_known_length_gives_what_is_asked_for_and_left, 0, ROWS(wishes));
    tcase_add_loop_test(all, an_unknown_length_gives_full_packets_until_the_end, 0, ROWS(wishes));
    tcase_add_test(all, a_body_that_ends_early_gives_no_more);
    tcase_add_loop_test(all, packets_of_every_size, 0, 4);
    tcase_add_test(all, progress_grows_step_by_step);
    tcase_add_test(all, progress_never_falls);
    tcase_add_test(all, a_refused_head_is_no_answer);
    tcase_add_loop_test(all, only_an_end_that_says_so_keeps_the_connection, 0, 2);
    tcase_add_loop_test(all, no_phase_but_the_end_is_reusable, 0, 4);
    tcase_add_test(all, a_connection_on_which_body_bytes_are_owed_is_not_kept);
    tcase_add_test(all, an_unread_rest_of_the_body_does_not_matter);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
