/* tests/unit/test_member.c - every row of the state machine, from every state that it speaks of. */
#include "jk/balance/member.h"

#include <check.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

#define NOW 10000
#define S(x) (1u << JK_STATE_##x)
#define ANY ((1u << JK_STATES) - 1)
#define NOT_ERR (ANY & ~S(ERR))
#define STAYS JK_STATES /* the state that it is in */

#define HERE JK_DO_FAIL_HERE
#define TIMES JK_DO_STORE_TIMES
#define ERROR JK_DO_ADD_ERROR

/* Without other words: recover_time 60, error_escalation_time 30, max_reply_timeouts 0, method Request. */
typedef struct row {
    unsigned from;
    jk_member_news news;
    jk_member_view view;
    int escalation, timeouts; /* where not 0: another error_escalation_time (-1: 0), another max_reply_timeouts */
    jk_method method;
    jk_member_state next;
    uint32_t todo;
    int64_t first, last; /* afterwards */
    const char *why;
} row;

static const row rows[] = {
    /* start and reset */
    { ANY, JK_MEMBER_RESET, { .first_error = 9000, .last_error = 9500 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_IDLE,
      JK_DO_ZERO_COUNTERS | TIMES, 0, 0, "reset: idle, as at the start" },
    { ANY, JK_MEMBER_RESET, { .refused = 1 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_IDLE, JK_DO_ZERO_COUNTERS, 0, 0,
      "times that are clear stay so" },

    /* choosing */
    { S(REC), JK_MEMBER_CHOSEN, { .first_error = 9000, .last_error = 9500 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_PRB, JK_DO_CLAIM,
      9000, 9500, "one request at a time tries a member that was in error" },
    { ANY & ~S(REC), JK_MEMBER_CHOSEN, { 0 }, 0, 0, JK_METHOD_REQUEST, STAYS, 0, 0, 0, "the others are free to all" },

    /* no room */
    { NOT_ERR, JK_MEMBER_NO_SLOT, { 0 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_BUSY, HERE, 0, 0, "no slot" },
    { S(ERR), JK_MEMBER_NO_SLOT, { .last_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, HERE, 0, 9990,
      "an error is not hidden by it" },
    { S(BUSY), JK_MEMBER_FREE, { 0 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK, 0, 0, 0, "room again" },
    { ANY & ~S(BUSY), JK_MEMBER_FREE, { 0 }, 0, 0, JK_METHOD_REQUEST, STAYS, 0, 0, 0, "somebody else was faster" },
    { ANY, JK_MEMBER_BUSY, { 0 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_BUSY, HERE, 0, 0, "busy_limit" },

    /* it ran */
    { NOT_ERR, JK_MEMBER_RAN, { .first_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK, 0, 9990, 0, "a request ran" },
    { S(ERR), JK_MEMBER_RAN, { .first_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, 0, 9990, 0, "that is no success" },
    { ANY, JK_MEMBER_SUCCEEDED, { .first_error = 9000, .last_error = 9500, .refused = 1 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK,
      TIMES | JK_DO_ZERO_REFUSED, 0, 0, "success ends everything" },
    { ANY, JK_MEMBER_SUCCEEDED, { 0 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK, 0, 0, 0, "where nothing is wrong nothing is stored" },
    { ANY, JK_MEMBER_CLIENT, { .first_error = 9000, .last_error = 9500, .refused = 1 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK,
      JK_DO_ADD_CLIENT_ERROR, 9000, 9500, "the client's fault: no failover, and no proof of health" },
    { ANY & ~S(PRB), JK_MEMBER_SHORT, { .first_error = 9990, .last_error = 9995, .refused = 1 }, 0, 0, JK_METHOD_REQUEST, STAYS, HERE, 9990, 9995,
      "we had no descriptor: that says nothing of it" },
    { S(PRB), JK_MEMBER_SHORT, { .first_error = 9990, .last_error = 9995 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_REC, HERE, 9990, 9995,
      "the probe did not begin: another may" },
    { NOT_ERR, JK_MEMBER_INTERNAL, { .first_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK, HERE, 9990, 0,
      "memory or protocol: for this request alone" },
    { S(ERR), JK_MEMBER_INTERNAL, { .first_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, HERE, 9990, 0, "in error it stays" },
    { ANY, JK_MEMBER_SOFT, { .first_error = 9000, .last_error = 9500, .refused = 1 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK,
      HERE | JK_DO_ZERO_REFUSED, 9000, 9500, "a negative status" },
    { ANY, JK_MEMBER_HARD, { .first_error = 9000, .last_error = 9500, .refused = 1, .busy = 3 }, 0, 0, JK_METHOD_REQUEST,
      JK_STATE_ERR, HERE | ERROR | TIMES | JK_DO_ZERO_REFUSED, NOW, NOW, "a positive status, whoever else is there" },

    /* reply timeouts */
    { ANY, JK_MEMBER_TIMEOUT, { .busy = 3 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, HERE | ERROR | JK_DO_ADD_REPLY_TIMEOUT | TIMES,
      NOW, NOW, "the first is more than 0" },
    { ANY, JK_MEMBER_TIMEOUT, { .first_error = 9990, .last_error = 9990, .reply_timeouts = 5 }, 0, 5, JK_METHOD_REQUEST, JK_STATE_ERR,
      HERE | ERROR | JK_DO_ADD_REPLY_TIMEOUT | TIMES, 9990, NOW, "the sixth is more than 5" },
    { NOT_ERR, JK_MEMBER_TIMEOUT, { .reply_timeouts = 4 }, 0, 5, JK_METHOD_REQUEST, JK_STATE_OK, HERE | JK_DO_ADD_REPLY_TIMEOUT, 0, 0,
      "the fifth is not" },
    { S(ERR), JK_MEMBER_TIMEOUT, { .reply_timeouts = 4 }, 0, 5, JK_METHOD_REQUEST, JK_STATE_ERR, HERE | JK_DO_ADD_REPLY_TIMEOUT, 0, 0,
      "in error it stays" },

    /* other failures */
    { ANY, JK_MEMBER_FAILED, { 0 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, HERE | ERROR | TIMES, NOW, NOW, "nobody else is there" },
    { NOT_ERR, JK_MEMBER_FAILED, { .busy = 1 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK, HERE | ERROR | TIMES, NOW, NOW,
      "others are: for this request alone" },
    { S(ERR), JK_MEMBER_FAILED, { .busy = 1, .first_error = 9990, .last_error = 9995 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR,
      HERE | ERROR | TIMES, 9990, NOW, "in error it stays, and longer" },
    { NOT_ERR, JK_MEMBER_FAILED, { .busy = 1, .first_error = NOW - 30, .last_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK,
      HERE | ERROR | TIMES, NOW - 30, NOW, "again, but not for long enough" },
    { ANY, JK_MEMBER_FAILED, { .busy = 1, .first_error = NOW - 31, .last_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR,
      HERE | ERROR | TIMES, NOW - 31, NOW, "for longer than error_escalation_time" },
    { ANY, JK_MEMBER_FAILED, { .busy = 1 }, -1, 0, JK_METHOD_REQUEST, JK_STATE_ERR, HERE | ERROR | TIMES, NOW, NOW,
      "error_escalation_time=0: each at once" },
    { NOT_ERR, JK_MEMBER_FAILED, { .busy = 1, .first_error = NOW + 500 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK, HERE | ERROR | TIMES,
      NOW + 500, NOW, "the clock went back" },

    /* refused connects */
    { ANY, JK_MEMBER_REFUSED, { .busy = 9 }, 0, 0, JK_METHOD_REQUEST, STAYS, JK_DO_ADD_REFUSED, 0, 0, "once may be chance" },
    { ANY, JK_MEMBER_REFUSED, { .busy = 9, .refused = 1 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, JK_DO_ADD_REFUSED | TIMES, NOW, NOW,
      "twice in a row: nobody listens, whoever is still at work there" },
    { ANY, JK_MEMBER_REFUSED, { .refused = 7, .first_error = 9000, .last_error = 9500 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR,
      JK_DO_ADD_REFUSED | TIMES, 9000, NOW, "a failed probe" },
    { ANY, JK_MEMBER_REFUSED, { .refused = UINT32_MAX }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, JK_DO_ADD_REFUSED | TIMES, NOW, NOW,
      "very often" },
    { ANY, JK_MEMBER_CONNECTED, { .refused = 1, .first_error = 9000 }, 0, 0, JK_METHOD_REQUEST, STAYS, JK_DO_ZERO_REFUSED, 9000, 0,
      "not in a row" },
    { ANY, JK_MEMBER_CONNECTED, { 0 }, 0, 0, JK_METHOD_REQUEST, STAYS, 0, 0, 0, "where nothing is wrong nothing is stored" },

    /* maintenance */
    { S(ERR), JK_MEMBER_MAINTAIN, { .first_error = 9000, .last_error = NOW - 61 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_REC,
      JK_DO_ZERO_REPLY_TIMEOUTS | JK_DO_VALUE_TO_MAX, 9000, NOW - 61, "recover_time is over" },
    { S(ERR), JK_MEMBER_MAINTAIN, { .first_error = 9000, .last_error = NOW - 60 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_ERR, 0, 9000,
      NOW - 60, "not yet: it counts from the last failure" },
    { S(ERR), JK_MEMBER_MAINTAIN, { .last_error = NOW - 61 }, 0, 0, JK_METHOD_BUSYNESS, JK_STATE_REC, JK_DO_ZERO_REPLY_TIMEOUTS, 0,
      NOW - 61, "the value of Busyness is what runs there" },
    { S(ERR), JK_MEMBER_MAINTAIN, { .last_error = NOW + 500 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_REC,
      JK_DO_ZERO_REPLY_TIMEOUTS | JK_DO_VALUE_TO_MAX, 0, NOW + 500, "the clock went back: no wait of unknown length" },
    { ANY & ~S(ERR) & ~S(REC), JK_MEMBER_MAINTAIN, { .first_error = NOW - 31, .last_error = 9980 }, 0, 0, JK_METHOD_REQUEST,
      JK_STATE_ERR, 0, NOW - 31, 9980, "local errors for too long, and no success" },
    { ANY & ~S(ERR) & ~S(REC), JK_MEMBER_MAINTAIN, { .first_error = NOW - 31, .last_error = 9980, .quiet = true }, 0, 0,
      JK_METHOD_REQUEST, JK_STATE_ERR, 0, NOW - 31, 9980, "even where nothing came since" },
    { ANY & ~S(ERR), JK_MEMBER_MAINTAIN, { .first_error = NOW - 30, .last_error = 9980 }, 0, 0, JK_METHOD_REQUEST, STAYS, 0, NOW - 30,
      9980, "not yet for too long" },
    { S(REC), JK_MEMBER_MAINTAIN, { .first_error = 1, .last_error = 1, .quiet = true }, 0, 0, JK_METHOD_REQUEST, JK_STATE_REC, 0, 1, 1,
      "who waits for its probe does not fall back" },
    { S(OK), JK_MEMBER_MAINTAIN, { .quiet = true }, 0, 0, JK_METHOD_REQUEST, JK_STATE_IDLE, 0, 0, 0, "nothing came" },
    { S(OK), JK_MEMBER_MAINTAIN, { 0 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_OK, 0, 0, 0, "something came" },
    { ANY & ~S(OK) & ~S(ERR), JK_MEMBER_MAINTAIN, { .quiet = true }, 0, 0, JK_METHOD_REQUEST, STAYS, 0, 0, 0, "only OK becomes idle" },

    /* from outside */
    { S(ERR), JK_MEMBER_FORCE, { .first_error = 9000, .last_error = 9990 }, 0, 0, JK_METHOD_REQUEST, JK_STATE_FRC,
      JK_DO_ZERO_REPLY_TIMEOUTS, 9000, 9990, "nobody else is left" },
    { NOT_ERR, JK_MEMBER_FORCE, { 0 }, 0, 0, JK_METHOD_REQUEST, STAYS, 0, 0, 0, "only what is in error is forced" },
    { S(ERR), JK_MEMBER_RECOVER, { .first_error = 9000, .last_error = NOW }, 0, 0, JK_METHOD_REQUEST, JK_STATE_REC,
      JK_DO_ZERO_REPLY_TIMEOUTS | JK_DO_VALUE_TO_MAX, 9000, NOW, "the administrator does not wait" },
    { S(ERR), JK_MEMBER_RECOVER, { 0 }, 0, 0, JK_METHOD_BUSYNESS, JK_STATE_REC, JK_DO_ZERO_REPLY_TIMEOUTS, 0, 0, "not Busyness' value" },
    { NOT_ERR, JK_MEMBER_RECOVER, { 0 }, 0, 0, JK_METHOD_REQUEST, STAYS, 0, 0, 0, "there is nothing to recover" },
};

static jk_tune tuned(const row *r)
{
    jk_tune lb = { .recover_time = 60, .error_escalation_time = 30, .max_reply_timeouts = r->timeouts, .method = r->method };

    if (r->escalation)
        lb.error_escalation_time = r->escalation < 0 ? 0 : r->escalation;
    return lb;
}

START_TEST(every_row)
{
    const row *r = &rows[_i];
    jk_tune lb = tuned(r);

    for (int state = 0; state < JK_STATES; state++) {
        if (!(r->from & 1u << state))
            continue;
        jk_member_view view = r->view;
        view.state = (jk_member_state)state;
        jk_member_change got = jk_member_event(&view, r->news, NOW, &lb);
        jk_member_state want = r->next == STAYS ? view.state : r->next;
        const char *from = jk_member_label(view.state);
        ck_assert_msg(got.next == want, "%s -> %s: %s", from, jk_member_label(got.next), r->why);
        ck_assert_msg(got.moved == (want != view.state), "%s: %s", from, r->why);
        ck_assert_msg(got.todo == r->todo, "%s: to do %x: %s", from, (unsigned)got.todo, r->why);
        ck_assert_msg(got.first_error == r->first, "%s: first %lld: %s", from, (long long)got.first_error, r->why);
        ck_assert_msg(got.last_error == r->last, "%s: last %lld: %s", from, (long long)got.last_error, r->why);
    }
}
END_TEST

/* The rows speak of every state that news can meet. */
START_TEST(no_state_is_forgotten)
{
    for (int news = 0; news < JK_MEMBER_NEWS; news++) {
        unsigned met = 0;
        for (size_t i = 0; i < ROWS(rows); i++)
            if (rows[i].news == (jk_member_news)news)
                met |= rows[i].from;
        ck_assert_msg(met == ANY, "news %d", news);
    }
}
END_TEST

/* A probe that ended in any way leaves PRB, else its member would be blocked for good. */
START_TEST(every_end_leaves_the_probe)
{
    for (int rc = 0; rc < JK_RC_COUNT; rc++)
        for (uint32_t busy = 0; busy < 2; busy++) {
            jk_tune lb = { .recover_time = 60, .error_escalation_time = 30, .max_reply_timeouts = (int)busy };
            jk_member_view view = { .state = JK_STATE_PRB, .busy = busy };
            ck_assert_int_ne(jk_member_event(&view, jk_member_news_of((jk_rc)rc, busy), NOW, &lb).next, JK_STATE_PRB);
        }
}
END_TEST

/* ---- a life ---- */

static jk_member_view after(jk_member_view v, jk_member_news news, int64_t now, const jk_tune *lb)
{
    jk_member_change c = jk_member_event(&v, news, now, lb);

    v.state = c.next;
    v.first_error = c.first_error;
    v.last_error = c.last_error;
    v.refused = c.todo & JK_DO_ZERO_REFUSED ? 0 : v.refused + ((c.todo & JK_DO_ADD_REFUSED) != 0);
    v.reply_timeouts = c.todo & JK_DO_ZERO_REPLY_TIMEOUTS ? 0 : v.reply_timeouts + ((c.todo & JK_DO_ADD_REPLY_TIMEOUT) != 0);
    return v;
}

START_TEST(a_member_dies_and_comes_back)
{
    static const struct {
        jk_member_news news;
        int64_t at;
        jk_member_state state;
        const char *why;
    } steps[] = {
        { JK_MEMBER_RESET, 0, JK_STATE_IDLE, "the start" },
        { JK_MEMBER_CHOSEN, 1, JK_STATE_IDLE, "chosen" },
        { JK_MEMBER_CONNECTED, 1, JK_STATE_IDLE, "connected" },
        { JK_MEMBER_SUCCEEDED, 2, JK_STATE_OK, "works" },
        { JK_MEMBER_FAILED, 10, JK_STATE_OK, "the end of a stream, while others are at work" },
        { JK_MEMBER_REFUSED, 11, JK_STATE_OK, "refused" },
        { JK_MEMBER_FAILED, 11, JK_STATE_OK, "that request is over" },
        { JK_MEMBER_REFUSED, 12, JK_STATE_ERR, "refused again" },
        { JK_MEMBER_FAILED, 12, JK_STATE_ERR, "that request, too" },
        { JK_MEMBER_MAINTAIN, 60, JK_STATE_ERR, "48 s are too few" },
        { JK_MEMBER_MAINTAIN, 120, JK_STATE_REC, "108 s are enough" },
        { JK_MEMBER_CHOSEN, 121, JK_STATE_PRB, "the probe" },
        { JK_MEMBER_REFUSED, 121, JK_STATE_ERR, "still in a row: at once" },
        { JK_MEMBER_FAILED, 121, JK_STATE_ERR, "the probe is over" },
        { JK_MEMBER_MAINTAIN, 180, JK_STATE_ERR, "it counts from the probe" },
        { JK_MEMBER_FORCE, 181, JK_STATE_FRC, "the other member died" },
        { JK_MEMBER_CHOSEN, 181, JK_STATE_FRC, "everybody may" },
        { JK_MEMBER_SUCCEEDED, 182, JK_STATE_OK, "it is back" },
        { JK_MEMBER_MAINTAIN, 600, JK_STATE_OK, "and nothing of it is left" },
    };
    jk_tune lb = { .recover_time = 60, .error_escalation_time = 30 };
    jk_member_view v = { .state = JK_STATE_ERR, .busy = 1 };

    for (size_t i = 0; i < ROWS(steps); i++) {
        v = after(v, steps[i].news, steps[i].at, &lb);
        ck_assert_msg(v.state == steps[i].state, "%lld: %s: %s", (long long)steps[i].at, jk_member_label(v.state), steps[i].why);
    }
    ck_assert_uint_eq(v.refused, 0);
    ck_assert_int_eq(v.first_error, 0);
}
END_TEST

/* ---- words and outcomes ---- */

static const struct {
    jk_member_state state;
    int code;
    bool usable;
    const char *label;
} states[] = {
    { JK_STATE_IDLE, 0, true, "OK/IDLE" },
    { JK_STATE_OK, 1, true, "OK" },
    { JK_STATE_REC, 2, true, "ERR/REC" },
    { JK_STATE_FRC, 3, true, "ERR/FRC" },
    { JK_STATE_BUSY, 4, false, "OK/BUSY" },
    { JK_STATE_ERR, 5, false, "ERR" },
    { JK_STATE_PRB, 6, false, "ERR/PRB" },
    { JK_STATES, 7, false, "unknown" },
};

START_TEST(codes_and_labels)
{
    ck_assert_int_eq((int)states[_i].state, states[_i].code);
    ck_assert_str_eq(jk_member_label(states[_i].state), states[_i].label);
    ck_assert(jk_member_usable(states[_i].state) == states[_i].usable);
    ck_assert_str_eq(jk_member_activation(JK_ACTIVE), "ACT");
    ck_assert_str_eq(jk_member_activation(JK_DISABLED), "DIS");
    ck_assert_str_eq(jk_member_activation(JK_STOPPED), "STP");
    ck_assert_str_eq(jk_member_activation((jk_activation)3), "unknown");
}
END_TEST

static const struct {
    jk_rc rc;
    bool soft;
    jk_member_news news;
    jk_member_state alone; /* what a worker that is no member shows afterwards */
    const char *why;
} outcomes[] = {
    { JK_OK, false, JK_MEMBER_SUCCEEDED, JK_STATE_OK, "success" },
    { JK_E_CLIENT_READ, false, JK_MEMBER_CLIENT, JK_STATE_OK, "the client" },
    { JK_E_CLIENT_WRITE, false, JK_MEMBER_CLIENT, JK_STATE_OK, "the client" },
    { JK_E_CLIENT_ABORT, false, JK_MEMBER_CLIENT, JK_STATE_OK, "the client" },
    { JK_E_SPACE, false, JK_MEMBER_CLIENT, JK_STATE_OK, "a header of the client's" },
    { JK_E_RESOLVE, false, JK_MEMBER_FAILED, JK_STATE_ERR, "no address" },
    { JK_E_CONNECT, false, JK_MEMBER_FAILED, JK_STATE_ERR, "no connection" },
    { JK_E_PING, false, JK_MEMBER_FAILED, JK_STATE_ERR, "no pong" },
    { JK_E_SEND, false, JK_MEMBER_FAILED, JK_STATE_ERR, "not sent" },
    { JK_E_RECV, false, JK_MEMBER_FAILED, JK_STATE_ERR, "no answer" },
    { JK_E_TIMEOUT, false, JK_MEMBER_TIMEOUT, JK_STATE_ERR, "silence" },
    { JK_E_FRAME, false, JK_MEMBER_INTERNAL, JK_STATE_ERR, "protocol" },
    { JK_E_PAYLOAD, false, JK_MEMBER_INTERNAL, JK_STATE_ERR, "protocol" },
    { JK_E_MEMORY, false, JK_MEMBER_INTERNAL, JK_STATE_ERR, "memory" },
    { JK_E_STATUS, false, JK_MEMBER_HARD, JK_STATE_ERR, "a positive code" },
    { JK_E_STATUS, true, JK_MEMBER_SOFT, JK_STATE_ERR, "a negative code" },
    { JK_E_RECV, true, JK_MEMBER_FAILED, JK_STATE_ERR, "soft is for codes alone" },
    { JK_E_BUSY, false, JK_MEMBER_NO_SLOT, JK_STATE_ERR, "the probe never ran" },
    { JK_E_SHORT, false, JK_MEMBER_SHORT, JK_STATE_ERR, "nor here" },
    { JK_E_CONF, false, JK_MEMBER_RAN, JK_STATE_ERR, "nothing is known" },
    { JK_RC_COUNT, false, JK_MEMBER_INTERNAL, JK_STATE_ERR, "an outcome that is none" },
};

START_TEST(outcomes_are_news)
{
    jk_member_news news = jk_member_news_of(outcomes[_i].rc, outcomes[_i].soft);

    ck_assert_msg(news == outcomes[_i].news, "%s: %s", jk_outcome_name(outcomes[_i].rc), outcomes[_i].why);
    jk_member_state probe = jk_member_alone(JK_STATE_ERR, JK_MEMBER_CHOSEN);
    ck_assert_int_eq(probe, JK_STATE_PRB);
    ck_assert_msg(jk_member_alone(probe, news) == outcomes[_i].alone, "%s: %s", jk_outcome_name(outcomes[_i].rc), outcomes[_i].why);
}
END_TEST

START_TEST(alone_it_is_for_show)
{
    ck_assert_int_eq(jk_member_alone(JK_STATE_IDLE, JK_MEMBER_CHOSEN), JK_STATE_IDLE);
    ck_assert_int_eq(jk_member_alone(JK_STATE_OK, JK_MEMBER_NO_SLOT), JK_STATE_OK);
    ck_assert_int_eq(jk_member_alone(JK_STATE_OK, JK_MEMBER_SHORT), JK_STATE_OK);
    ck_assert_int_eq(jk_member_alone(JK_STATE_OK, JK_MEMBER_BUSY), JK_STATE_ERR);
    ck_assert_int_eq(jk_member_alone(JK_STATE_OK, JK_MEMBER_MAINTAIN), JK_STATE_OK);
    ck_assert_int_eq(jk_member_alone(JK_STATE_ERR, JK_MEMBER_RESET), JK_STATE_IDLE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance/member");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, every_row, 0, ROWS(rows));
    tcase_add_test(all, no_state_is_forgotten);
    tcase_add_test(all, every_end_leaves_the_probe);
    tcase_add_test(all, a_member_dies_and_comes_back);
    tcase_add_loop_test(all, codes_and_labels, 0, ROWS(states));
    tcase_add_loop_test(all, outcomes_are_news, 0, ROWS(outcomes));
    tcase_add_test(all, alone_it_is_for_show);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
