/* tests/unit/test_lb.c - the worker type lb over scripted members (tests/sim/world.h): whom a request visits, what its books, its notes and the
 * log say of it, what maintenance makes of all. What must hold over many requests is tests/sim/simulate_lb's. */
#include <check.h>

#include "../sim/world.h"

#include "jk/balance/choose.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))
#define SEC(n) apr_time_from_sec(n)

/* What a member does with each request: one letter for each, the last for all that follow. */
static const char *script_of[WORLD_MEMBERS];
static int asked[WORLD_MEMBERS];
static char visits[4096]; /* the members' numbers, in the order they were asked */
static char told[65536];
static struct {
    jk_rc rc;
    char route[64], activation[8], cookie[256];
    jk_lb_glance first, last;
    bool glanced;
} end;
static world *w;
static apr_pool_t *w_pool;

static world_act act_of(char letter)
{
    switch (letter) {
    case 'r': /* refused */
        return (world_act){ .rc = JK_E_CONNECT, .err = ECONNREFUSED, .refusals = 1 };
    case 'R': /* and its second attempt as well */
        return (world_act){ .rc = JK_E_CONNECT, .err = ECONNREFUSED, .refusals = 2 };
    case 't': /* no answer to the connect */
        return (world_act){ .rc = JK_E_CONNECT, .err = ETIMEDOUT };
    case 'd': /* dropped after the request was written */
        return (world_act){ .rc = JK_E_RECV, .progress = JK_PROGRESS_SENT };
    case 'b': /* broken in the middle of the answer */
        return (world_act){ .rc = JK_E_RECV, .progress = JK_PROGRESS_ANSWERED };
    case 's': /* silent */
        return (world_act){ .rc = JK_E_TIMEOUT, .progress = JK_PROGRESS_SENT };
    case 'h': /* fail_on_status */
        return (world_act){ .rc = JK_E_STATUS, .progress = JK_PROGRESS_SENT };
    case 'n': /* a negative one */
        return (world_act){ .rc = JK_E_STATUS, .soft = true, .progress = JK_PROGRESS_SENT };
    case 'f': /* its pool is full */
        return (world_act){ .rc = JK_E_BUSY };
    case 'p': /* protocol */
        return (world_act){ .rc = JK_E_FRAME, .progress = JK_PROGRESS_SENT };
    case 'm': /* memory */
        return (world_act){ .rc = JK_E_MEMORY };
    case 'e': /* no descriptor is left in this process */
        return (world_act){ .rc = JK_E_SHORT, .err = EMFILE };
    case 'c': /* the client goes away */
        return (world_act){ .rc = JK_E_CLIENT_READ, .progress = JK_PROGRESS_SENT };
    case 'l': /* long */
        return (world_act){ .rc = JK_OK, .progress = JK_PROGRESS_ANSWERED, .takes = SEC(5), .read = 1000, .written = 100 };
    case 'L': /* very long */
        return (world_act){ .rc = JK_OK, .progress = JK_PROGRESS_ANSWERED, .takes = SEC(400) };
    case 'F': /* a new connection */
        return (world_act){ .rc = JK_OK, .progress = JK_PROGRESS_ANSWERED, .fresh = true };
    default:
        return (world_act){ .rc = JK_OK, .progress = JK_PROGRESS_ANSWERED, .read = 1000, .written = 100 };
    }
}

static world_act visit(void *ctx, world_call *call, int m)
{
    const char *s = script_of[m] ? script_of[m] : "a";
    size_t last = strlen(s) - 1, i = (size_t)asked[m]++;

    (void)ctx, (void)call;
    apr_snprintf(visits + strlen(visits), sizeof visits - strlen(visits), "%d", m);
    return act_of(s[i < last ? i : last]);
}

static void over(void *ctx, world_call *call, jk_rc rc)
{
    (void)ctx;
    end.rc = rc;
    apr_snprintf(end.route, sizeof end.route, "%.*s", (int)call->rq.route.len, call->rq.route.p ? (const char *)call->rq.route.p : "");
    apr_snprintf(end.activation, sizeof end.activation, "%.*s", (int)call->rq.activation.len,
                 call->rq.activation.p ? (const char *)call->rq.activation.p : "");
    apr_cpystrn(end.cookie, call->run.cookie ? call->run.cookie : "", sizeof end.cookie);
    end.glanced = call->wish.glances;
    if (end.glanced) {
        end.first = *jk_lb_first(&call->run);
        end.last = *jk_lb_last(&call->run);
    }
}

static void line(void *ctx, jk_log_level level, unsigned id, const char *text)
{
    (void)ctx, (void)level;
    apr_snprintf(told + strlen(told), sizeof told - strlen(told), "[%u] %s\n", id, text);
}

static const world_script script = { .visit = visit, .over = over, .line = line };

/* `keys`: of the lb ("retries=1") and of members ("m0:lbfactor=2"), with a blank between them. */
static void make(int members, const char *keys)
{
    char text[8192], own[2048], *state;

    strcpy(text, "worker.list=b\nworker.b.type=lb\nworker.b.balance_workers=");
    for (int i = 0; i < members; i++)
        sprintf(text + strlen(text), "%sm%d", i ? "," : "", i);
    for (int i = 0; i < members; i++)
        sprintf(text + strlen(text), "\nworker.m%d.type=ajp13\nworker.m%d.host=127.0.0.1\nworker.m%d.port=%d", i, i, i, 8000 + i);
    strcpy(own, keys);
    for (char *key = strtok_r(own, " ", &state); key; key = strtok_r(NULL, " ", &state)) {
        char *colon = strchr(key, ':');
        if (colon)
            *colon = '.';
        sprintf(text + strlen(text), "\nworker.%s%s", colon ? "" : "b.", key);
    }
    strcat(text, "\n");
    memset(script_of, 0, sizeof script_of);
    memset(asked, 0, sizeof asked);
    memset(&end, 0, sizeof end);
    *visits = *told = '\0';
    w = world_make(text, 1, &script);
}

static world_call *begin(const char *method, const char *cookie)
{
    world_call *call = world_call_make(w, 0, method, "/x", cookie);

    call->wish.glances = true;
    call->rq.activation = JK_SPAN_LIT("ACT");
    return call;
}

static jk_rc ask(const char *method, const char *cookie)
{
    world_call_start(w, begin(method, cookie));
    world_run(w, world_now + 1);
    return end.rc;
}

static jk_rc get(void)
{
    return ask("GET", NULL);
}

static jk_member_state state(int m)
{
    return jk_stat_state(world_stat(w, m));
}

static uint64_t count(int m, jk_stat_count what)
{
    return jk_stat_read(world_stat(w, m)).count[what];
}

static void done(void)
{
    world_end(w);
}

/* ---- failing over ---- */

static const struct {
    int members;
    const char *keys, *m0, *others, *method;
    jk_rc rc;
    const char *visits, *line, *why;
} ways[] = {
    { 3, "", "a", "a", "POST", JK_OK, "0", "", "nothing is wrong, nothing is told" },
    { 3, "", "r", "a", "POST", JK_OK, "01", "[0] (b) service failed, worker m0 is in error state\n", "refused: free" },
    { 3, "", "t", "a", "POST", JK_OK, "01", NULL, "no connection: free" },
    { 3, "", "d", "a", "GET", JK_OK, "01", NULL, "a GET is sent again" },
    { 3, "", "d", "a", "HEAD", JK_OK, "01", NULL, "so is a HEAD" },
    { 3, "", "d", "a", "POST", JK_E_RECV, "0", "(b) unrecoverable error JK_E_RECV, request failed\n", "a POST is not" },
    { 3, "m0:recovery_options=0", "d", "a", "POST", JK_OK, "01", NULL, "unless the administrator says so" },
    { 3, "m0:recovery_options=0", "b", "a", "GET", JK_E_RECV, "0", NULL, "what has begun is never begun again, whatever he says" },
    { 3, "", "s", "a", "GET", JK_OK, "01", NULL, "silence" },
    { 3, "", "h", "a", "GET", JK_OK, "01", NULL, "fail_on_status" },
    { 3, "", "n", "a", "GET", JK_OK, "01", "(b) service failed, worker m0 is in local error state\n", "a negative one" },
    { 3, "", "p", "a", "GET", JK_OK, "01", NULL, "protocol" },
    { 3, "", "p", "a", "POST", JK_E_FRAME, "0", NULL, "protocol: a POST was written" },
    { 3, "", "f", "a", "POST", JK_OK, "01", "", "full: free, and no failure of the member's" },
    { 3, "", "m", "a", "POST", JK_OK, "01", NULL, "memory" },
    { 3, "", "e", "a", "POST", JK_OK, "01", "", "no descriptor: another may have a connection that is idle; nothing is said of the member" },
    { 2, "retries=1 lb_retries=3", "e", "e", "GET", JK_E_SHORT, "01", NULL, "nobody is in error for it, nobody is forced" },
    { 3, "", "c", "a", "GET", JK_E_CLIENT_READ, "0", "", "the client's fault: nobody else is asked" },
    { 3, "retries=1", "r", "r", "GET", JK_E_CONNECT, "01", "[601] (b) All tomcat instances failed, no more workers left",
      "two of three: lb_retries" },
    { 3, "retries=1 lb_retries=3", "r", "r", "GET", JK_E_CONNECT, "012", "[601] (b) All tomcat instances failed", "three are three" },
    { 10, "retries=1", "r", "r", "GET", JK_E_CONNECT, "01", NULL, "two of ten" },
    { 3, "retries=2 retry_interval=0", "r", "r", "GET", JK_E_CONNECT, "0120", NULL, "two passes" },
    { 3, "retries=3 retry_interval=0 lb_retries=1", "r", "r", "GET", JK_E_CONNECT, "012", NULL, "three passes of one" },
    { 2, "retries=1 lb_retries=3", "f", "f", "GET", JK_E_BUSY, "01", "[601] (b) All tomcat instances are busy or in error state",
      "all are full: nobody is in error, nobody is forced" },
    { 2, "retries=1 lb_retries=3", "r", "f", "GET", JK_E_CONNECT, "010", NULL, "what failed is told, and not that the other is full" },
    { 1, "retries=1", "r", "", "GET", JK_E_CONNECT, "00", NULL, "the only one, forced once" },
};

START_TEST(each_failure_goes_elsewhere_or_not)
{
    make(ways[_i].members, ways[_i].keys);
    script_of[0] = ways[_i].m0;
    for (int m = 1; m < ways[_i].members; m++)
        script_of[m] = ways[_i].others;
    jk_rc rc = ask(ways[_i].method, NULL);
    ck_assert_msg(rc == ways[_i].rc, "%s: %s", ways[_i].why, jk_outcome_name(rc));
    ck_assert_msg(strcmp(visits, ways[_i].visits) == 0, "%s: %s", ways[_i].why, visits);
    if (ways[_i].line)
        ck_assert_msg(*ways[_i].line ? strstr(told, ways[_i].line) != NULL : *told == '\0', "%s: %s", ways[_i].why, told);
    ck_assert_uint_eq(jk_stat_busy(world_stat(w, -1)), 0);
    done();
}
END_TEST

static const struct {
    const char *m0;
    jk_member_state alone, beside; /* nobody else is there, or somebody is */
    uint64_t errors, client_errors, timeouts;
    const char *why;
} ends[] = {
    { "a", JK_STATE_OK, JK_STATE_OK, 0, 0, 0, "well" },
    { "F", JK_STATE_OK, JK_STATE_OK, 0, 0, 0, "well, on a new connection" },
    { "r", JK_STATE_ERR, JK_STATE_OK, 1, 0, 0, "refused" },
    { "t", JK_STATE_ERR, JK_STATE_OK, 1, 0, 0, "no connection" },
    { "d", JK_STATE_ERR, JK_STATE_OK, 1, 0, 0, "dropped" },
    { "b", JK_STATE_ERR, JK_STATE_OK, 1, 0, 0, "broken" },
    { "s", JK_STATE_ERR, JK_STATE_ERR, 1, 0, 1, "silent: max_reply_timeouts is 0" },
    { "h", JK_STATE_ERR, JK_STATE_ERR, 1, 0, 0, "fail_on_status" },
    { "n", JK_STATE_OK, JK_STATE_OK, 0, 0, 0, "a negative one" },
    { "p", JK_STATE_OK, JK_STATE_OK, 0, 0, 0, "protocol" },
    { "m", JK_STATE_OK, JK_STATE_OK, 0, 0, 0, "memory" },
    { "e", JK_STATE_IDLE, JK_STATE_IDLE, 0, 0, 0, "no descriptor: as it was" },
    { "f", JK_STATE_BUSY, JK_STATE_BUSY, 0, 0, 0, "full" },
    { "c", JK_STATE_OK, JK_STATE_OK, 0, 1, 0, "the client" },
};

START_TEST(each_end_is_booked)
{
    static char with[8];

    make(2, "m1:activation=D lb_retries=1 retries=1");
    script_of[0] = ends[_i].m0;
    get();
    ck_assert_msg(state(0) == ends[_i].alone, "%s: %s", ends[_i].why, jk_member_label(state(0)));
    ck_assert_msg(count(0, JK_COUNT_ERRORS) == ends[_i].errors, "%s", ends[_i].why);
    ck_assert_msg(count(0, JK_COUNT_CLIENT_ERRORS) == ends[_i].client_errors, "%s", ends[_i].why);
    ck_assert_msg(count(0, JK_COUNT_TIMEOUTS) == ends[_i].timeouts, "%s", ends[_i].why);
    done();
    make(2, "m1:activation=D lb_retries=1 retries=1");
    apr_snprintf(with, sizeof with, "l%s", ends[_i].m0);
    script_of[0] = with;
    get(); /* stays there */
    get();
    ck_assert_msg(state(0) == ends[_i].beside, "beside another, %s: %s", ends[_i].why, jk_member_label(state(0)));
    ck_assert_uint_eq(jk_stat_busy(world_stat(w, 0)), 1);
    world_run(w, world_now + SEC(6));
    ck_assert_uint_eq(jk_stat_busy(world_stat(w, 0)), 0);
    done();
}
END_TEST

/* Two in a row, and no success between them: nobody listens, whoever is still at work there. */
START_TEST(refused_twice_is_an_error_for_all)
{
    make(2, "m1:activation=D lb_retries=1 retries=1");
    script_of[0] = "lrr";
    get();
    get();
    ck_assert_int_eq(state(0), JK_STATE_OK);
    get();
    ck_assert_int_eq(state(0), JK_STATE_ERR);
    done();
    make(2, "m1:activation=D lb_retries=1 retries=1"); /* the two attempts of one request */
    script_of[0] = "lR";
    get();
    get();
    ck_assert_int_eq(state(0), JK_STATE_ERR);
    ck_assert_uint_eq(count(0, JK_COUNT_ERRORS), 1);
    done();
    make(2, "m1:activation=D lb_retries=1 retries=1");
    script_of[0] = "lrFr";
    for (int i = 0; i < 4; i++)
        get();
    ck_assert_int_eq(state(0), JK_STATE_OK);
    done();
}
END_TEST

START_TEST(a_pass_waits_for_the_next)
{
    make(2, "retries=3 retry_interval=200");
    script_of[0] = script_of[1] = "ffa";
    world_call_start(w, begin("GET", NULL));
    world_run(w, world_now + 1);
    ck_assert_str_eq(visits, "01");
    world_run(w, world_now + 190000);
    ck_assert_str_eq(visits, "01");
    world_run(w, world_now + 20000);
    ck_assert_str_eq(visits, "0101");
    world_run(w, world_now + 200000);
    ck_assert_str_eq(visits, "01010");
    ck_assert_int_eq(end.rc, JK_OK);
    done();
}
END_TEST

START_TEST(every_id_counts_in_every_attempt)
{
    make(4, "");
    script_of[1] = "r";
    ck_assert_int_eq(ask("GET", "JSESSIONID=a.m1; JSESSIONID=b.m3"), JK_OK);
    ck_assert_str_eq(visits, "13");
    ck_assert_str_eq(end.route, "m3");
    ck_assert_str_eq(end.last.name, "m3");
    done();
}
END_TEST

START_TEST(a_session_that_may_go_nowhere_else)
{
    make(3, "sticky_session_force=1 retries=1");
    script_of[1] = "r";
    ck_assert_int_eq(ask("GET", "JSESSIONID=a.m1"), JK_E_CONNECT);
    ck_assert_str_eq(visits, "1");
    ck_assert_ptr_nonnull(strstr(told, "[0] (b) all workers are in error state for session a.m1\n"));
    ck_assert_ptr_nonnull(strstr(told, "[601] "));
    *told = '\0';
    ck_assert_int_eq(ask("GET", "JSESSIONID=a.m1"), JK_E_BUSY);
    ck_assert_str_eq(visits, "1");
    ck_assert_int_eq(get(), JK_OK);
    done();
}
END_TEST

START_TEST(an_empty_id_is_told_and_none)
{
    make(2, "sticky_session_force=1");
    ck_assert_int_eq(ask("GET", "JSESSIONID=;a=b"), JK_OK);
    ck_assert_str_eq(told, "[0] (b) Detected empty session identifier\n");
    ck_assert_uint_eq(count(0, JK_COUNT_SESSIONS), 1);
    done();
}
END_TEST

/* ---- the budget ---- */

START_TEST(what_is_sent_again_is_counted_and_bounded)
{
    int second = 0;

    make(3, "m0:fail_on_status=-503 lb_retries=3");
    script_of[0] = "n";
    for (int i = 0; i < 90; i++)
        second += get() == JK_OK;
    ck_assert_uint_eq(count(-1, JK_COUNT_RESENDS) + count(-1, JK_COUNT_REFUSALS), (uint64_t)asked[0]);
    ck_assert_uint_le(count(-1, JK_COUNT_RESENDS), 18);
    ck_assert_uint_ge(count(-1, JK_COUNT_RESENDS), 3);
    ck_assert_uint_gt(count(-1, JK_COUNT_REFUSALS), 0);
    ck_assert_int_eq(second, 90 - (int)count(-1, JK_COUNT_REFUSALS));
    ck_assert_ptr_nonnull(strstr(told, "[602] (b) not sent to another member: more than 20%"));
    done();
}
END_TEST

/* Where nobody else is left nothing is sent again, and nothing of the budget is used. */
START_TEST(what_is_not_sent_again_costs_nothing)
{
    make(3, "lb_retries=2 retries=1 retry_budget=100");
    script_of[0] = script_of[1] = script_of[2] = "n";
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(get(), JK_E_STATUS);
    ck_assert_uint_eq(strlen(visits), 20);
    ck_assert_uint_eq(count(-1, JK_COUNT_RESENDS), 10);
    ck_assert_uint_eq(count(-1, JK_COUNT_REFUSALS), 0);
    done();
}
END_TEST

START_TEST(no_budget_no_bound)
{
    make(3, "m0:fail_on_status=-503 retry_budget=0");
    script_of[0] = "n";
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(get(), JK_OK);
    ck_assert_uint_eq(count(-1, JK_COUNT_RESENDS), (uint64_t)asked[0]);
    ck_assert_int_gt(asked[0], 90);
    done();
}
END_TEST

/* ---- what the application and the log see ---- */

static const struct {
    const char *keys, *m1, *cookie, *forced, *route, *set, *why;
} routes[] = {
    { "", "a", NULL, NULL, "m0", "", "the one that was chosen" },
    { "m0:route=tom.cat", "a", NULL, NULL, "tom.cat", "", "by its route" },
    { "", "a", "JSESSIONID=a.m1", NULL, "m1", "", "the session's" },
    { "", "r", "JSESSIONID=a.m1", NULL, "m0", "", "after a failover the one that answered" },
    { "", "a", "JSESSIONID=a.m1", "m2", "m2", "", "JK_ROUTE" },
    { "m1:domain=d m2:domain=d", "r", "JSESSIONID=a.m1", NULL, "d", "", "a domain's" },
    { "set_session_cookie=1", "a", NULL, NULL, "m0", "JSESSIONID=.m0;PATH=/;HttpOnly", "no session yet" },
    { "set_session_cookie=1", "a", "JSESSIONID=a.m1", NULL, "m1", "", "it has one that leads here" },
    { "set_session_cookie=1", "r", "JSESSIONID=a.m1", NULL, "m0", "JSESSIONID=.m0;PATH=/;HttpOnly", "it leads elsewhere now" },
    { "set_session_cookie=1 m1:domain=d m2:domain=d", "r", "JSESSIONID=a.m1", NULL, "d", "JSESSIONID=.m2;PATH=/;HttpOnly",
      "in a domain it leads to the member, too: else it would wander" },
    { "set_session_cookie=1 session_cookie=S session_cookie_path=/app session_cookie_samesite=Strict", "a", NULL, NULL, "m0",
      "S=.m0;PATH=/app;HttpOnly;SameSite=Strict", "all its keys" },
    { "set_session_cookie=1 sticky_session=0", "a", NULL, NULL, "m0", "", "where nobody looks at cookies none is set" },
};

START_TEST(each_route_and_cookie)
{
    make(3, routes[_i].keys);
    script_of[1] = routes[_i].m1;
    world_call *call = begin("GET", routes[_i].cookie);
    if (routes[_i].forced)
        call->wish.route = jk_span_of(routes[_i].forced);
    world_call_start(w, call);
    world_run(w, world_now + 1);
    ck_assert_int_eq(end.rc, JK_OK);
    ck_assert_msg(strcmp(end.route, routes[_i].route) == 0, "%s: %s", routes[_i].why, end.route);
    ck_assert_msg(strcmp(end.cookie, routes[_i].set) == 0, "%s: %s", routes[_i].why, end.cookie);
    done();
}
END_TEST

static const struct {
    const char *configured;
    int8_t by_rule;
    const char *told;
} activations[] = { { "A", JK_CHOOSE_AS_CONFIGURED, "ACT" }, { "D", JK_CHOOSE_AS_CONFIGURED, "DIS" }, { "A", JK_DISABLED, "DIS" },
                    { "D", JK_ACTIVE, "ACT" },               { "S", JK_ACTIVE, "ACT" } };

START_TEST(the_only_member_gets_a_cookie_too_and_tls_makes_it_secure)
{
    make(1, "set_session_cookie=1");
    world_call *call = begin("GET", NULL);
    call->rq.is_ssl = true;
    world_call_start(w, call);
    world_run(w, world_now + 1);
    ck_assert_str_eq(end.cookie, "JSESSIONID=.m0;PATH=/;HttpOnly;Secure");
    ask("GET", "JSESSIONID=.m0");
    ck_assert_str_eq(end.cookie, "");
    done();
}
END_TEST

/* That in force for this request: a rule may have its own. */
START_TEST(each_activation_goes_along)
{
    int8_t by_rule[2] = { activations[_i].by_rule, JK_CHOOSE_AS_CONFIGURED };
    char keys[32];

    sprintf(keys, "m0:activation=%s", activations[_i].configured);
    make(2, keys);
    world_call *call = begin("GET", "JSESSIONID=a.m0");
    call->wish.activations = by_rule;
    world_call_start(w, call);
    world_run(w, world_now + 1);
    ck_assert_str_eq(visits, "0");
    ck_assert_str_eq(end.activation, activations[_i].told);
    done();
}
END_TEST

START_TEST(glances_are_of_the_first_and_the_last)
{
    make(3, "error_escalation_time=0");
    script_of[0] = "ar";
    get();
    ck_assert_str_eq(end.first.name, "m0");
    ck_assert_str_eq(end.last.name, "m0");
    ck_assert_uint_eq(end.last.value, 1);
    ck_assert_uint_eq(end.last.numbers.count[JK_COUNT_SERVED], 1);
    ck_assert_uint_eq(end.last.numbers.count[JK_COUNT_SESSIONS], 1);
    ck_assert_uint_eq(end.last.numbers.count[JK_COUNT_READ], 1000);
    ck_assert_uint_eq(end.last.numbers.count[JK_COUNT_WRITTEN], 100);
    ck_assert_int_eq(end.last.state, JK_STATE_OK);
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_str_eq(end.first.name, "m0");
    ck_assert_int_eq(end.first.state, JK_STATE_ERR);
    ck_assert_uint_eq(end.first.numbers.count[JK_COUNT_ERRORS], 1);
    ck_assert_str_eq(end.last.name, "m1");
    ck_assert_int_eq(end.last.state, JK_STATE_OK);
    ck_assert_int_eq(end.last.activation, JK_ACTIVE);
    done();
}
END_TEST

START_TEST(who_asked_nobody_has_no_glance)
{
    make(2, "m0:activation=S m1:activation=S");
    ck_assert_int_eq(get(), JK_E_BUSY);
    ck_assert_str_eq(visits, "");
    ck_assert_ptr_null(end.first.name);
    ck_assert_ptr_null(end.last.name);
    done();
}
END_TEST

/* ---- new sessions ---- */

static const struct {
    const char *keys, *cookie;
    bool stateless, ignore;
    uint64_t sessions, value;
    const char *why;
} news[] = {
    { "method=S", NULL, false, false, 1, 1, "no session: one more" },
    { "method=S", "JSESSIONID=a", false, false, 0, 0, "a session without a route is one" },
    { "method=S", "JSESSIONID=a.m0", false, false, 0, 0, "a session" },
    { "method=S", "JSESSIONID=a.m0", false, true, 1, 1, "that is not looked at" },
    { "method=S sticky_session=0", "JSESSIONID=a.m0", false, false, 1, 1, "nobody's are looked at" },
    { "method=S", NULL, true, false, 0, 0, "stateless: it will have none" },
    { "method=N", NULL, false, false, 1, 1, "Next" },
    { "method=N", NULL, true, false, 0, 0, "Next, stateless" },
    { "method=R", NULL, true, false, 0, 1, "Request counts all" },
    { "method=R", "JSESSIONID=a.m0", false, false, 0, 1, "Request counts all" },
    { "method=B", "JSESSIONID=a.m0", false, false, 0, 0, "Busyness gives back" },
    { "method=T", "JSESSIONID=a.m0", false, false, 0, 1100, "Traffic: both ways" },
};

START_TEST(each_new_session_is_counted)
{
    make(2, news[_i].keys);
    world_call *call = begin("GET", news[_i].cookie);
    call->wish.stateless = news[_i].stateless;
    call->wish.sticky_ignore = news[_i].ignore;
    world_call_start(w, call);
    world_run(w, world_now + 1);
    ck_assert_msg(count(0, JK_COUNT_SESSIONS) == news[_i].sessions, "%s", news[_i].why);
    ck_assert_msg(jk_stat_value(world_stat(w, 0)) == news[_i].value, "%s: %u", news[_i].why, (unsigned)jk_stat_value(world_stat(w, 0)));
    ck_assert_uint_eq(count(-1, JK_COUNT_SERVED), 1);
    done();
}
END_TEST

/* ---- edits ---- */

/* Of the second of two members. */
static void edit_factor(int factor)
{
    jk_tune tune = world_tune(w, 1);

    tune.lbfactor = factor;
    world_edit(w, 1, &tune);
}

static void check_one_to_three(void)
{
    for (int m = 0; m < 2; m++)
        jk_stat_value_set(world_stat(w, m), 0);
    asked[0] = asked[1] = 0;
    for (int i = 0; i < 40; i++)
        get();
    ck_assert_int_eq(asked[0], 10);
    ck_assert_int_eq(asked[1], 30);
}

START_TEST(an_edited_factor_moves_all_multipliers)
{
    make(2, "");
    for (int i = 0; i < 10; i++)
        get();
    ck_assert_int_eq(asked[0], 5);
    edit_factor(3);
    check_one_to_three();
    done();
}
END_TEST

/* Linked before the C library's (see Makefile.am), to run short of memory at a place of the test's choice. */
static int blocks_left = -1; /* that calloc still has; -1: as many as there are */
static int blocks_held;      /* taken, and not given back */

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __real_free(void *p);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n)
{
    blocks_held++;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    if (blocks_left == 0)
        return NULL;
    blocks_left -= blocks_left > 0;
    blocks_held++;
    return __real_calloc(n, size);
}

void __wrap_free(void *p)
{
    blocks_held -= p != NULL;
    __real_free(p);
}

/* Whichever block it is that cannot be had, requests go on by the old picture, and what was taken for the new one is given back. */
START_TEST(without_memory_the_old_picture_stays)
{
    make(2, "");
    get();
    get();
    edit_factor(3);
    asked[0] = asked[1] = 0;
    for (int i = 0; i < 42; i++) {
        int held = blocks_held;
        blocks_left = i % 3; /* before the texts a picture takes three */
        get();
        int left = blocks_left, more = blocks_held - held; /* Check takes blocks, too */
        blocks_left = -1;
        ck_assert_int_eq(left, 0);
        ck_assert_int_eq(more, 0);
    }
    ck_assert_int_eq(asked[0], 21);
    check_one_to_three();
    done();
}
END_TEST

/* The books of a request are those of the method and the factor that it was begun under. */
START_TEST(an_edit_in_the_middle_unbalances_nothing)
{
    make(2, "method=B m0:lbfactor=2");
    script_of[0] = script_of[1] = "l";
    get();
    get();
    ck_assert_uint_eq(jk_stat_value(world_stat(w, 0)), 1);
    ck_assert_uint_eq(jk_stat_value(world_stat(w, 1)), 2);
    jk_tune tune = world_tune(w, 0);
    tune.lbfactor = 7;
    world_edit(w, 0, &tune);
    tune = world_tune(w, -1);
    tune.method = JK_METHOD_REQUEST;
    world_edit(w, -1, &tune);
    world_run(w, world_now + SEC(6));
    ck_assert_uint_eq(jk_stat_value(world_stat(w, 0)), 0);
    ck_assert_uint_eq(jk_stat_value(world_stat(w, 1)), 0);
    done();
}
END_TEST

/* Who was drained has its share again, and not all that it had missed. */
START_TEST(who_is_activated_is_not_flooded)
{
    static const jk_method methods[] = { JK_METHOD_REQUEST, JK_METHOD_TRAFFIC, JK_METHOD_BUSYNESS, JK_METHOD_SESSIONS, JK_METHOD_NEXT };

    for (int k = 0; k < COUNT(methods); k++) {
        make(3, apr_psprintf(w_pool, "method=%s m1:activation=D", jk_method_name(methods[k])));
        for (int i = 0; i < 300; i++)
            get();
        ck_assert_int_eq(asked[1], 0);
        jk_tune tune = world_tune(w, 1);
        tune.activation = JK_ACTIVE;
        world_edit(w, 1, &tune);
        for (int i = 0; i < 30; i++)
            get();
        ck_assert_int_eq(asked[1], 10);
        done();
    }
}
END_TEST

START_TEST(drained_stopped_and_back)
{
    make(3, "");
    jk_tune tune = world_tune(w, 1);
    for (int to = JK_DISABLED; to <= JK_STOPPED; to++) {
        tune.activation = to;
        world_edit(w, 1, &tune);
        asked[1] = 0;
        for (int i = 0; i < 10; i++)
            get();
        ck_assert_int_eq(asked[1], 0);
        ask("GET", "JSESSIONID=a.m1");
        ck_assert_int_eq(asked[1], to == JK_DISABLED);
    }
    tune.activation = JK_ACTIVE;
    world_edit(w, 1, &tune);
    for (int i = 0; i < 10; i++)
        get();
    ck_assert_int_gt(asked[1], 0);
    done();
}
END_TEST

/* ---- full ---- */

START_TEST(full_is_no_error_and_ends_by_itself)
{
    make(2, "m0:busy_limit=1 lb_retries=2");
    script_of[0] = "l";
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(ask("GET", "JSESSIONID=a.m0"), JK_OK); /* elsewhere */
    ck_assert_str_eq(visits, "01");
    ck_assert_int_eq(state(0), JK_STATE_BUSY);
    ck_assert_int_eq(get(), JK_OK); /* it is still full */
    ck_assert_str_eq(visits, "011");
    world_run(w, world_now + SEC(6));
    ck_assert_int_eq(ask("GET", "JSESSIONID=a.m0"), JK_OK);
    ck_assert_str_eq(visits, "0110");
    ck_assert_int_ne(state(0), JK_STATE_BUSY);
    ck_assert_uint_eq(count(0, JK_COUNT_ERRORS), 0);
    ck_assert_uint_eq(count(0, JK_COUNT_SERVED), 2);
    done();
}
END_TEST

/* ---- maintenance ---- */

START_TEST(recovery_counts_from_the_last_failure_and_tries_once)
{
    make(2, "recover_time=100 error_escalation_time=0");
    script_of[0] = "rrla";
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_ERR);
    world_run(w, world_now + SEC(165)); /* 60, 120: the second is the first that is late enough, give or take one */
    ck_assert_int_eq(state(0), JK_STATE_REC);
    ck_assert_uint_eq(jk_stat_value(world_stat(w, 0)), jk_stat_value(world_stat(w, 1)));
    ck_assert_ptr_nonnull(strstr(told, "[0] (b) worker m0 is ERR/REC now, it was ERR\n"));
    ask("GET", "JSESSIONID=a.m0"); /* in vain */
    ck_assert_int_eq(state(0), JK_STATE_ERR);
    world_run(w, world_now + SEC(59));
    ck_assert_int_eq(state(0), JK_STATE_ERR);
    world_run(w, world_now + SEC(120));
    ck_assert_int_eq(state(0), JK_STATE_REC);
    world_run(w, world_now + SEC(600)); /* nobody asks: it waits, and falls not back */
    ck_assert_int_eq(state(0), JK_STATE_REC);
    *visits = '\0';
    world_call_start(w, begin("GET", "JSESSIONID=a.m0"));
    ck_assert_int_eq(state(0), JK_STATE_PRB);
    ask("GET", "JSESSIONID=a.m0"); /* the next one goes elsewhere */
    ck_assert_str_eq(visits, "01");
    world_run(w, world_now + SEC(6));
    ck_assert_int_eq(state(0), JK_STATE_OK);
    done();
}
END_TEST

/* A probe that is too long for a probe is no reason to leave the member alone for as long: another one tries, one in each round. */
START_TEST(a_long_probe_blocks_nobody_for_good)
{
    make(2, "recover_time=60 error_escalation_time=30");
    script_of[0] = "rLLa";
    ask("GET", "JSESSIONID=a.m0");
    world_run(w, world_now + SEC(185));
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_PRB);
    world_run(w, world_now + SEC(125));
    ck_assert_int_eq(state(0), JK_STATE_REC);
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_PRB);
    ck_assert_int_eq(asked[0], 3);
    world_run(w, world_now + SEC(500)); /* both end well */
    ck_assert(state(0) == JK_STATE_OK || state(0) == JK_STATE_IDLE);
    ck_assert_uint_eq(jk_stat_busy(world_stat(w, 0)), 0);
    done();
}
END_TEST

START_TEST(local_errors_escalate)
{
    make(2, "error_escalation_time=30 recover_time=600 lb_retries=1 retries=1");
    script_of[0] = "ld";
    ask("GET", "JSESSIONID=a.m0"); /* stays there for 5 s */
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_OK);
    ck_assert_ptr_nonnull(strstr(told, "(b) service failed, worker m0 is in local error state\n"));
    jk_stat_begin(world_stat(w, 0)); /* somebody else who stays for good */
    world_run(w, world_now + SEC(4));
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_OK);
    /* The long one ended well in the fifth second, and so it began anew. */
    world_run(w, world_now + SEC(2));
    ck_assert_int_eq(jk_stat_view(world_stat(w, 0)).first_error, 0);
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_OK);
    world_run(w, world_now + SEC(100)); /* no success since: maintenance sees it */
    ck_assert_int_eq(state(0), JK_STATE_ERR);
    ck_assert_ptr_nonnull(strstr(told, "[0] (b) worker m0 is ERR now, it was OK"));
    jk_stat_end(world_stat(w, 0));
    done();
}
END_TEST

static const char *const methods[] = { "R", "T", "B", "S", "N" };

/* Whatever the method, Busyness too. */
START_TEST(reply_timeouts_fade)
{
    char keys[64];

    sprintf(keys, "max_reply_timeouts=3 retry_budget=0 method=%s", methods[_i]);
    make(2, keys);
    script_of[0] = "sssass";
    for (int i = 0; i < 3; i++)
        ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_OK);
    ck_assert_uint_eq(jk_stat_view(world_stat(w, 0)).reply_timeouts, 3);
    world_run(w, world_now + SEC(125)); /* at least one maintenance, at most two */
    ck_assert_uint_le(jk_stat_view(world_stat(w, 0)).reply_timeouts, 1);
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(end.rc, JK_OK);
    ask("GET", "JSESSIONID=a.m0");
    ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_OK);
    for (int i = 0; i < 2; i++)
        ask("GET", "JSESSIONID=a.m0");
    ck_assert_int_eq(state(0), JK_STATE_ERR);
    done();
}
END_TEST

START_TEST(who_has_nothing_to_do_is_idle)
{
    make(2, "");
    get();
    ck_assert_int_eq(state(0), JK_STATE_OK);
    ck_assert_int_eq(state(1), JK_STATE_IDLE);
    world_run(w, world_now + SEC(200));
    ck_assert_int_eq(state(0), JK_STATE_IDLE);
    done();
}
END_TEST

START_TEST(maintenance_forces_where_nobody_is_left)
{
    make(2, "error_escalation_time=0 recover_time=1000 retries=1 lb_retries=1");
    script_of[0] = script_of[1] = "r";
    get();
    get();
    ck_assert(state(0) == JK_STATE_ERR && state(1) == JK_STATE_ERR);
    world_run(w, world_now + SEC(125));
    ck_assert(state(0) == JK_STATE_FRC && state(1) == JK_STATE_FRC);
    ck_assert_ptr_nonnull(strstr(told, "Forcing recovery once for 2 workers"));
    done();
}
END_TEST

/* A disabled one in error comes back, too: it may be a standby. */
START_TEST(a_disabled_one_recovers)
{
    make(3, "m1:activation=D m0:redirect=m1 error_escalation_time=0 recover_time=60");
    script_of[1] = "r";
    ask("GET", "JSESSIONID=a.m1");
    ck_assert_int_eq(state(1), JK_STATE_ERR);
    world_run(w, world_now + SEC(185));
    ck_assert_int_eq(state(1), JK_STATE_REC);
    done();
}
END_TEST

/* What a killed process had under way is forgotten, and its probe may be repeated. */
START_TEST(a_killed_probe_is_freed)
{
    make(2, "method=B recover_time=60 error_escalation_time=0");
    script_of[0] = "rl";
    ask("GET", "JSESSIONID=a.m0");
    world_run(w, world_now + SEC(185));
    world_call_start(w, begin("GET", "JSESSIONID=a.m0"));
    ck_assert_int_eq(state(0), JK_STATE_PRB);
    ck_assert_uint_eq(jk_stat_value(world_stat(w, 0)), 1);
    ck_assert_uint_eq(world_kill(w, 0), 1);
    ck_assert_int_eq(state(0), JK_STATE_PRB);
    world_run(w, world_now + SEC(65));
    ck_assert_int_eq(state(0), JK_STATE_REC);
    ck_assert_uint_eq(jk_stat_value(world_stat(w, 0)), 0);
    ck_assert_uint_eq(jk_stat_busy(world_stat(w, -1)), 0);
    done();
}
END_TEST

/* Whichever of the members it is, and however long nothing was maintained: it begins where the others are, and not where they were. */
START_TEST(each_recovers_with_the_largest_value_of_now)
{
    static const char *const cookies[] = { "JSESSIONID=a.m0", "JSESSIONID=a.m1", "JSESSIONID=a.m2" };
    uint64_t most = 0;

    make(3, "error_escalation_time=0 recover_time=60");
    for (int i = 0; i < 300; i++)
        get();
    script_of[_i] = "r";
    asked[_i] = 0;
    ask("GET", cookies[_i]);
    for (int i = 0; i < 240 && state(_i) == JK_STATE_ERR; i++)
        world_run(w, world_now + SEC(1));
    ck_assert_int_eq(state(_i), JK_STATE_REC);
    for (int m = 0; m < 3; m++)
        if (m != _i && jk_stat_value(world_stat(w, m)) > most)
            most = jk_stat_value(world_stat(w, m));
    ck_assert_uint_eq(jk_stat_value(world_stat(w, _i)), most);
    ck_assert_uint_lt(most, 60); /* it has faded */
    done();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lb");
    TCase *t = tcase_create("lb");

    apr_initialize();
    apr_pool_create(&w_pool, NULL);
    tcase_add_loop_test(t, each_failure_goes_elsewhere_or_not, 0, COUNT(ways));
    tcase_add_loop_test(t, each_end_is_booked, 0, COUNT(ends));
    tcase_add_test(t, refused_twice_is_an_error_for_all);
    tcase_add_test(t, a_pass_waits_for_the_next);
    tcase_add_test(t, every_id_counts_in_every_attempt);
    tcase_add_test(t, a_session_that_may_go_nowhere_else);
    tcase_add_test(t, an_empty_id_is_told_and_none);
    tcase_add_test(t, what_is_sent_again_is_counted_and_bounded);
    tcase_add_test(t, what_is_not_sent_again_costs_nothing);
    tcase_add_test(t, no_budget_no_bound);
    tcase_add_loop_test(t, each_route_and_cookie, 0, COUNT(routes));
    tcase_add_test(t, the_only_member_gets_a_cookie_too_and_tls_makes_it_secure);
    tcase_add_loop_test(t, each_activation_goes_along, 0, COUNT(activations));
    tcase_add_test(t, glances_are_of_the_first_and_the_last);
    tcase_add_test(t, who_asked_nobody_has_no_glance);
    tcase_add_loop_test(t, each_new_session_is_counted, 0, COUNT(news));
    tcase_add_test(t, an_edited_factor_moves_all_multipliers);
    tcase_add_test(t, without_memory_the_old_picture_stays);
    tcase_add_test(t, an_edit_in_the_middle_unbalances_nothing);
    tcase_add_test(t, who_is_activated_is_not_flooded);
    tcase_add_test(t, drained_stopped_and_back);
    tcase_add_test(t, full_is_no_error_and_ends_by_itself);
    tcase_add_test(t, recovery_counts_from_the_last_failure_and_tries_once);
    tcase_add_test(t, a_long_probe_blocks_nobody_for_good);
    tcase_add_test(t, local_errors_escalate);
    tcase_add_loop_test(t, reply_timeouts_fade, 0, COUNT(methods));
    tcase_add_test(t, who_has_nothing_to_do_is_idle);
    tcase_add_test(t, maintenance_forces_where_nobody_is_left);
    tcase_add_test(t, a_disabled_one_recovers);
    tcase_add_test(t, a_killed_probe_is_freed);
    tcase_add_loop_test(t, each_recovers_with_the_largest_value_of_now, 0, 3);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
