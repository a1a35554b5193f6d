/* include/jk/balance/member.h - the state of one member of an lb, and what news of it make of that (spec: workers.md 7,
 * decisions.md). Pure: a view goes in, with the time; what is to be stored comes out, and shm/stat stores it.
 *
 *          chosen                        recover_time is over
 *     PRB <-------- REC <----------------------- ERR <------ a failure that is the member's, and not one request's
 *      |             |                         ^  |
 *      | it answered | it answered             |  | nobody else is left
 *      v             v        one more failure |  v
 *     OK <-----------+---------------------- BUSY, IDLE, FRC
 *
 * Between reading a view and storing the change other processes go on: the state is stored with a compare-and-swap from
 * the view's, and where that fails the view is read again and the news asked anew. Counters are added to. Times are
 * seconds; 0 is none. */
#ifndef JK_BALANCE_MEMBER_H
#define JK_BALANCE_MEMBER_H

#include "jk/balance/tune.h"
#include "jk/base/outcome.h"

/* The numbers are known outside: the status page's formats show them. */
typedef enum jk_member_state {
    JK_STATE_IDLE, /* nothing came since the last maintenance */
    JK_STATE_OK,
    JK_STATE_REC,  /* was in error, and may be tried by one request */
    JK_STATE_FRC,  /* in error, but nobody else is left */
    JK_STATE_BUSY, /* has no room for another request */
    JK_STATE_ERR,
    JK_STATE_PRB,  /* in error, and one request tries it */
    JK_STATES
} jk_member_state;

/* "OK/IDLE", "ERR", ..; never NULL. */
const char *jk_member_label(jk_member_state state);

/* "ACT", "DIS", "STP". */
const char *jk_member_activation(jk_activation activation);

/* May a request be sent to a member in this state? */
static inline bool jk_member_usable(jk_member_state state)
{
    return (unsigned)state <= JK_STATE_FRC;
}

typedef enum jk_member_news {
    /* before a request */
    JK_MEMBER_CHOSEN,
    JK_MEMBER_NO_SLOT,   /* no connection could be had: that was all, no end follows */
    JK_MEMBER_SHORT,     /* this process could not begin to connect, for want of a descriptor or port: likewise, and it says nothing of the member */
    JK_MEMBER_BUSY,      /* busy_limit is reached: likewise */
    JK_MEMBER_FREE,      /* asked of a BUSY one: the limit is not reached, and a slot is free */
    JK_MEMBER_REFUSED,   /* a fresh connect: refused, or no way to the host. Told at once, JK_MEMBER_FAILED at the end */
    JK_MEMBER_CONNECTED, /* a fresh connect came through */
    /* the end of a request, one of these for each that was chosen */
    JK_MEMBER_RAN,       /* it says nothing about the member */
    JK_MEMBER_SUCCEEDED,
    JK_MEMBER_CLIENT,    /* the client's fault: reading, writing, too large */
    JK_MEMBER_INTERNAL,  /* memory, or a protocol error */
    JK_MEMBER_SOFT,      /* fail_on_status, a negative code */
    JK_MEMBER_HARD,      /* fail_on_status, a positive code */
    JK_MEMBER_TIMEOUT,   /* reply_timeout */
    JK_MEMBER_FAILED,    /* any other failure: connect, cping, send, the end of the stream */
    /* from outside */
    JK_MEMBER_MAINTAIN,  /* global maintenance */
    JK_MEMBER_FORCE,     /* no member of the lb is usable */
    JK_MEMBER_RECOVER,   /* the status page's */
    JK_MEMBER_RESET,     /* the status page's, and the beginning of all */
    JK_MEMBER_NEWS
} jk_member_news;

/* The news that the end of a request is. `soft`: the code of a JK_E_STATUS is negative in the list. */
jk_member_news jk_member_news_of(jk_rc rc, bool soft);

/* What is known of the member. */
typedef struct jk_member_view {
    jk_member_state state;
    int64_t first_error, last_error;
    uint32_t busy;           /* requests that are running there, this one not among them */
    uint32_t reply_timeouts; /* before this one */
    uint32_t refused;        /* fresh connects in a row, before this one */
    bool quiet;              /* no request was counted there since the last global maintenance */
} jk_member_view;

/* What is to be done beside storing the state. */
enum {
    JK_DO_CLAIM = 1,                 /* only who wins the compare-and-swap of the state may send its request there */
    JK_DO_FAIL_HERE = 2,             /* this request does not choose the member again */
    JK_DO_STORE_TIMES = 4,           /* first_error and last_error have changed */
    JK_DO_ADD_ERROR = 8,             /* errors + 1 */
    JK_DO_ADD_CLIENT_ERROR = 16,     /* client_errors + 1 */
    JK_DO_ADD_REPLY_TIMEOUT = 32,    /* reply_timeouts + 1 */
    JK_DO_ADD_REFUSED = 64,          /* refused + 1 */
    JK_DO_ZERO_REFUSED = 128,        /* refused := 0 */
    JK_DO_ZERO_REPLY_TIMEOUTS = 256, /* reply_timeouts := 0 */
    JK_DO_VALUE_TO_MAX = 512,        /* lb_value := the largest of all members */
    JK_DO_ZERO_COUNTERS = 1024       /* all that `reset` of status.md 4 names, refused too */
};

typedef struct jk_member_change {
    jk_member_state next;
    bool moved;    /* next is not the view's state */
    uint32_t todo; /* bits of JK_DO_ */
    int64_t first_error, last_error;
} jk_member_change;

/* So many refused connects in a row put a member in error, whoever else is at work there. */
#define JK_MEMBER_REFUSALS 2

/* `lb` is the tune of the balancer: recover_time, error_escalation_time, max_reply_timeouts, method. A success of a member
 * that is well changes nothing at all. */
jk_member_change jk_member_event(const jk_member_view *view, jk_member_news news, int64_t now, const jk_tune *lb);

/* The state of a worker that is no member: for show only, it never keeps a request away. */
jk_member_state jk_member_alone(jk_member_state state, jk_member_news news);

#endif
