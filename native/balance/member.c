/* native/balance/member.c - the one table that says how members fall and rise. */
#include "jk/balance/member.h"

#include "jk/balance/method.h"

static const char *const labels[JK_STATES] = {
    [JK_STATE_IDLE] = "OK/IDLE", [JK_STATE_OK] = "OK",       [JK_STATE_REC] = "ERR/REC", [JK_STATE_FRC] = "ERR/FRC",
    [JK_STATE_BUSY] = "OK/BUSY", [JK_STATE_ERR] = "ERR",     [JK_STATE_PRB] = "ERR/PRB",
};

const char *jk_member_label(jk_member_state state)
{
    return (unsigned)state < JK_STATES ? labels[state] : "unknown";
}

const char *jk_member_activation(jk_activation activation)
{
    static const char *const names[] = { [JK_ACTIVE] = "ACT", [JK_DISABLED] = "DIS", [JK_STOPPED] = "STP" };

    return (size_t)activation < sizeof names / sizeof names[0] ? names[activation] : "unknown";
}

/* ---- outcomes ---- */

static const jk_member_news ends[JK_RC_COUNT] = {
    [JK_OK] = JK_MEMBER_SUCCEEDED,
    [JK_AGAIN] = JK_MEMBER_RAN,
    [JK_E_CLIENT_READ] = JK_MEMBER_CLIENT,
    [JK_E_CLIENT_WRITE] = JK_MEMBER_CLIENT,
    [JK_E_CLIENT_ABORT] = JK_MEMBER_CLIENT,
    [JK_E_RESOLVE] = JK_MEMBER_FAILED,
    [JK_E_CONNECT] = JK_MEMBER_FAILED,
    [JK_E_PING] = JK_MEMBER_FAILED,
    [JK_E_SEND] = JK_MEMBER_FAILED,
    [JK_E_RECV] = JK_MEMBER_FAILED,
    [JK_E_TIMEOUT] = JK_MEMBER_TIMEOUT,
    [JK_E_FRAME] = JK_MEMBER_INTERNAL,
    [JK_E_PAYLOAD] = JK_MEMBER_INTERNAL,
    [JK_E_SPACE] = JK_MEMBER_CLIENT,
    [JK_E_BUSY] = JK_MEMBER_NO_SLOT,
    [JK_E_STATUS] = JK_MEMBER_HARD,
    [JK_E_CONF] = JK_MEMBER_RAN,
    [JK_E_MEMORY] = JK_MEMBER_INTERNAL,
    [JK_E_SHORT] = JK_MEMBER_SHORT,
};

jk_member_news jk_member_news_of(jk_rc rc, bool soft)
{
    if (rc == JK_E_STATUS && soft)
        return JK_MEMBER_SOFT;
    return (unsigned)rc < JK_RC_COUNT ? ends[rc] : JK_MEMBER_INTERNAL;
}

/* ---- the table ---- */

/* News that mean one thing or another, told apart by decide(); the first of each pair keeps the name of the news. */
enum { REFUSED_AGAIN = JK_MEMBER_NEWS, TIMEOUT_TOO_MANY, FAILED_FOR_ALL, MAINTAIN_RECOVERS, MAINTAIN_ESCALATES, MAINTAIN_IDLE, CASES };

/* Bits that only this file knows. */
enum {
    CLEAR_TIMES = 1 << 16, /* both := 0 */
    MARK_ERROR = 1 << 17,  /* first_error := now if it is 0, last_error := now */
    TIMES_TO_NOW = 1 << 18 /* both := now */
};
_Static_assert((int)JK_DO_ZERO_COUNTERS < (int)CLEAR_TIMES, "bits of the header and of this file overlap");

#define IDLE JK_STATE_IDLE
#define OK JK_STATE_OK
#define REC JK_STATE_REC
#define FRC JK_STATE_FRC
#define BUSY JK_STATE_BUSY
#define ERR JK_STATE_ERR
#define PRB JK_STATE_PRB
#define LOCAL JK_DO_FAIL_HERE

/* A request that ran shows that the member lives, whatever became of the request: so most rows make it OK where it was not
 * in error. PRB is left by every end of a request, else the member would be blocked for good. */
static const struct {
    uint8_t next[JK_STATES];
    uint32_t always, moved; /* what is to be done in any case, and when the state changes */
} rows[CASES] = {
    /*                          IDLE  OK    REC   FRC   BUSY  ERR   PRB */
    [JK_MEMBER_CHOSEN] = {    { IDLE, OK,   PRB,  FRC,  BUSY, ERR,  PRB }, 0, JK_DO_CLAIM },
    [JK_MEMBER_NO_SLOT] = {   { BUSY, BUSY, BUSY, BUSY, BUSY, ERR,  BUSY }, LOCAL, 0 },
    [JK_MEMBER_SHORT] = {     { IDLE, OK,   REC,  FRC,  BUSY, ERR,  REC }, LOCAL, 0 },
    [JK_MEMBER_BUSY] = {      { BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY }, LOCAL, 0 },
    [JK_MEMBER_FREE] = {      { IDLE, OK,   REC,  FRC,  OK,   ERR,  PRB }, 0, 0 },
    [JK_MEMBER_REFUSED] = {   { IDLE, OK,   REC,  FRC,  BUSY, ERR,  PRB }, JK_DO_ADD_REFUSED, 0 },
    [REFUSED_AGAIN] = {       { ERR,  ERR,  ERR,  ERR,  ERR,  ERR,  ERR }, JK_DO_ADD_REFUSED | MARK_ERROR, 0 },
    [JK_MEMBER_CONNECTED] = { { IDLE, OK,   REC,  FRC,  BUSY, ERR,  PRB }, JK_DO_ZERO_REFUSED, 0 },

    [JK_MEMBER_RAN] = {       { OK,   OK,   OK,   OK,   OK,   ERR,  OK }, 0, 0 },
    [JK_MEMBER_SUCCEEDED] = { { OK,   OK,   OK,   OK,   OK,   OK,   OK }, CLEAR_TIMES | JK_DO_ZERO_REFUSED, 0 },
    [JK_MEMBER_CLIENT] = {    { OK,   OK,   OK,   OK,   OK,   OK,   OK }, JK_DO_ADD_CLIENT_ERROR, 0 },
    [JK_MEMBER_INTERNAL] = {  { OK,   OK,   OK,   OK,   OK,   ERR,  OK }, LOCAL, 0 },
    [JK_MEMBER_SOFT] = {      { OK,   OK,   OK,   OK,   OK,   OK,   OK }, LOCAL | JK_DO_ZERO_REFUSED, 0 },
    [JK_MEMBER_HARD] = {      { ERR,  ERR,  ERR,  ERR,  ERR,  ERR,  ERR },
                              LOCAL | JK_DO_ADD_ERROR | TIMES_TO_NOW | JK_DO_ZERO_REFUSED, 0 },
    [JK_MEMBER_TIMEOUT] = {   { OK,   OK,   OK,   OK,   OK,   ERR,  OK }, LOCAL | JK_DO_ADD_REPLY_TIMEOUT, 0 },
    [TIMEOUT_TOO_MANY] = {    { ERR,  ERR,  ERR,  ERR,  ERR,  ERR,  ERR },
                              LOCAL | JK_DO_ADD_REPLY_TIMEOUT | JK_DO_ADD_ERROR | MARK_ERROR, 0 },
    [JK_MEMBER_FAILED] = {    { OK,   OK,   OK,   OK,   OK,   ERR,  OK }, LOCAL | JK_DO_ADD_ERROR | MARK_ERROR, 0 },
    [FAILED_FOR_ALL] = {      { ERR,  ERR,  ERR,  ERR,  ERR,  ERR,  ERR }, LOCAL | JK_DO_ADD_ERROR | MARK_ERROR, 0 },

    [JK_MEMBER_MAINTAIN] = {  { IDLE, OK,   REC,  FRC,  BUSY, ERR,  PRB }, 0, 0 },
    [MAINTAIN_RECOVERS] = {   { IDLE, OK,   REC,  FRC,  BUSY, REC,  PRB }, 0, JK_DO_ZERO_REPLY_TIMEOUTS | JK_DO_VALUE_TO_MAX },
    [MAINTAIN_ESCALATES] = {  { ERR,  ERR,  REC,  ERR,  ERR,  ERR,  ERR }, 0, 0 },
    [MAINTAIN_IDLE] = {       { IDLE, IDLE, REC,  FRC,  BUSY, ERR,  PRB }, 0, 0 },
    [JK_MEMBER_FORCE] = {     { IDLE, OK,   REC,  FRC,  BUSY, FRC,  PRB }, 0, JK_DO_ZERO_REPLY_TIMEOUTS },
    [JK_MEMBER_RECOVER] = {   { IDLE, OK,   REC,  FRC,  BUSY, REC,  PRB }, 0, JK_DO_ZERO_REPLY_TIMEOUTS | JK_DO_VALUE_TO_MAX },
    [JK_MEMBER_RESET] = {     { IDLE, IDLE, IDLE, IDLE, IDLE, IDLE, IDLE }, CLEAR_TIMES | JK_DO_ZERO_COUNTERS, 0 },
};

/* Since the first error there was no success for longer than this. */
static bool is_overdue(const jk_member_view *v, int64_t now, const jk_tune *lb)
{
    return v->first_error > 0 && now - v->first_error > lb->error_escalation_time;
}

/* An error of the future means that the clock went back: then one probe is better than a wait of unknown length. */
static bool may_recover(const jk_member_view *v, int64_t now, const jk_tune *lb)
{
    return now < v->last_error || now - v->last_error > lb->recover_time;
}

/* One failed request must not take away a member from all the others: unless it was the only one there, or the failures
 * go on. */
static bool fails_for_all(const jk_member_view *v, int64_t now, const jk_tune *lb)
{
    return v->busy == 0 || lb->error_escalation_time <= 0 || is_overdue(v, now, lb);
}

static unsigned maintain(const jk_member_view *v, int64_t now, const jk_tune *lb)
{
    if (v->state == JK_STATE_ERR)
        return may_recover(v, now, lb) ? MAINTAIN_RECOVERS : JK_MEMBER_MAINTAIN;
    if (is_overdue(v, now, lb))
        return MAINTAIN_ESCALATES;
    return v->quiet ? MAINTAIN_IDLE : JK_MEMBER_MAINTAIN;
}

static unsigned decide(const jk_member_view *v, jk_member_news news, int64_t now, const jk_tune *lb)
{
    switch (news) {
    case JK_MEMBER_REFUSED:
        return v->refused >= JK_MEMBER_REFUSALS - 1 ? REFUSED_AGAIN : JK_MEMBER_REFUSED;
    case JK_MEMBER_TIMEOUT:
        return (int64_t)v->reply_timeouts + 1 > lb->max_reply_timeouts ? TIMEOUT_TOO_MANY : JK_MEMBER_TIMEOUT;
    case JK_MEMBER_FAILED:
        return fails_for_all(v, now, lb) ? FAILED_FOR_ALL : JK_MEMBER_FAILED;
    case JK_MEMBER_MAINTAIN:
        return maintain(v, now, lb);
    default:
        return news;
    }
}

/* Turns this file's bits into the times to store. */
static void set_times(jk_member_change *c, const jk_member_view *v, int64_t now)
{
    c->first_error = v->first_error;
    c->last_error = v->last_error;
    if (c->todo & CLEAR_TIMES)
        c->first_error = c->last_error = 0;
    if (c->todo & TIMES_TO_NOW)
        c->first_error = c->last_error = now;
    if (c->todo & MARK_ERROR) {
        c->first_error = v->first_error ? v->first_error : now;
        c->last_error = now;
    }
    c->todo &= ~(uint32_t)(CLEAR_TIMES | TIMES_TO_NOW | MARK_ERROR);
    if (c->first_error != v->first_error || c->last_error != v->last_error)
        c->todo |= JK_DO_STORE_TIMES;
}

jk_member_change jk_member_event(const jk_member_view *view, jk_member_news news, int64_t now, const jk_tune *lb)
{
    unsigned row = decide(view, news, now, lb);
    jk_member_change c = { .next = (jk_member_state)rows[row].next[view->state] };

    c.moved = c.next != view->state;
    c.todo = rows[row].always | (c.moved ? rows[row].moved : 0);
    set_times(&c, view, now);
    if (view->refused == 0) /* stores to shared memory that change nothing cost other processes their cache line */
        c.todo &= ~(uint32_t)JK_DO_ZERO_REFUSED;
    if (!jk_method_remembers((jk_method)lb->method))
        c.todo &= ~(uint32_t)JK_DO_VALUE_TO_MAX;
    return c;
}

jk_member_state jk_member_alone(jk_member_state state, jk_member_news news)
{
    switch (news) {
    case JK_MEMBER_CHOSEN:
        return state == JK_STATE_ERR ? JK_STATE_PRB : state;
    case JK_MEMBER_SUCCEEDED:
    case JK_MEMBER_CLIENT:
        return JK_STATE_OK;
    case JK_MEMBER_BUSY:
    case JK_MEMBER_INTERNAL:
    case JK_MEMBER_SOFT:
    case JK_MEMBER_HARD:
    case JK_MEMBER_TIMEOUT:
    case JK_MEMBER_FAILED:
        return JK_STATE_ERR;
    case JK_MEMBER_NO_SLOT:
    case JK_MEMBER_SHORT:
    case JK_MEMBER_RAN:
        return state == JK_STATE_PRB ? JK_STATE_ERR : state;
    case JK_MEMBER_RESET:
        return JK_STATE_IDLE;
    default:
        return state;
    }
}
