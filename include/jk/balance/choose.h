/* include/jk/balance/choose.h - which member of an lb gets this attempt of a request (spec: workers.md 6.2, 6.3). Pure.
 *
 * What of a member stays (jk_choose_member) is the caller's array, made when the tune generation changes; what moves is
 * asked for, member by member, by `live`. A request with a session reads one member: a look-up in a small hash of routes,
 * and one call of `live`. Only a request without one, or whose member is out, walks them all.
 *
 * The order: a single member; the routes of the request's ids, each first as a route, then as a domain; the smallest
 * load among the nearest; a hot standby; members in error, forced once. */
#ifndef JK_BALANCE_CHOOSE_H
#define JK_BALANCE_CHOOSE_H

#include "jk/balance/member.h"
#include "jk/balance/tune.h"
#include "jk/base/span.h"

#define JK_CHOOSE_NOBODY UINT32_MAX

/* Set by the caller but for redirect_to. */
typedef struct jk_choose_member {
    jk_span route, domain, redirect; /* empty: none. A NUL stands behind each: notes take them as they are */
    int32_t distance;
    jk_activation activation;
    uint64_t mult; /* of jk_method_multipliers: kept here for the caller, and not looked at */
    uint32_t redirect_to; /* the member that has this redirect as its route, JK_CHOOSE_NOBODY without one */
} jk_choose_member;

/* What moves, as it is at this moment. */
typedef struct jk_choose_live {
    uint64_t lb_value;
    jk_member_state state;
} jk_choose_live;

/* One place of the hash. `at` is the member's index + 1, 0 where it is free. */
typedef struct jk_choose_slot {
    uint32_t hash, at;
} jk_choose_slot;

typedef struct jk_choose_group {
    jk_choose_member *members;
    size_t count;
    /* Two relaxed loads. A BUSY member whose slots are free again may become OK in here, before it is looked at. */
    jk_choose_live (*live)(void *ctx, size_t i);
    void *ctx;
    /* Made by jk_choose_prepare. */
    jk_choose_slot *slots;
    size_t mask;
    uint32_t standby; /* where the first redirect of all leads */
    bool has_domains;
} jk_choose_group;

/* How many slots so many members need: a power of two, half of them free. */
size_t jk_choose_slots(size_t count);

/* The caller has set members, count, live and ctx. Fills the `nslots` = jk_choose_slots(count) slots, which stay in use, and
 * redirect_to. Of two members with one route (which the configuration does not allow) the first is found. */
void jk_choose_prepare(jk_choose_group *group, jk_choose_slot *slots, size_t nslots);

/* The member with exactly this route, or JK_CHOOSE_NOBODY. */
uint32_t jk_choose_find_route(const jk_choose_group *group, jk_span route);

/* ---- one request ---- */

/* One bit per member, in the request's memory: it failed there, for this request alone. */
#define JK_CHOOSE_WORDS(count) (((count) + 63) / 64)

static inline bool jk_choose_failed(const uint64_t *failed, size_t i)
{
    return failed && (failed[i / 64] >> (i % 64) & 1) != 0;
}

static inline void jk_choose_set_failed(uint64_t *failed, size_t i, bool yes)
{
    uint64_t bit = UINT64_C(1) << (i % 64);

    failed[i / 64] = yes ? failed[i / 64] | bit : failed[i / 64] & ~bit;
}

/* What jk_choose_request.activations has for a member that the rule does not name. */
#define JK_CHOOSE_AS_CONFIGURED (-1)

typedef struct jk_choose_request {
    const jk_span *routes; /* of its session ids, in their order: all of them in every attempt */
    size_t nroutes;
    bool has_session;  /* an id, with a route or without. Unset, as are routes, where sticky_session is off or ignored */
    bool sticky_force; /* sticky_session_force */
    bool stateless;
    bool was_forced;            /* JK_CHOOSE_FORCE was answered before */
    const int8_t *activations;  /* of the rule: jk_activation or JK_CHOOSE_AS_CONFIGURED, per member; NULL: no word of it */
    const uint64_t *failed;     /* JK_CHOOSE_WORDS(count) words; NULL: none yet */
    size_t offset;              /* the process's rotating one, any number */
} jk_choose_request;

typedef enum jk_choose_result {
    JK_CHOOSE_FOUND,
    JK_CHOOSE_FORCE,   /* nobody, but there are members in error: each of them gets JK_MEMBER_FORCE and loses its failed bit, and
                        * the request asks again, with was_forced */
    JK_CHOOSE_SESSION, /* nobody for this session, and sticky_session_force allows no other: 503 */
    JK_CHOOSE_NONE     /* nobody at all: 503 */
} jk_choose_result;

typedef struct jk_choose_answer {
    jk_choose_result result;
    uint32_t member;
    jk_member_state state; /* as it was seen: REC is to be claimed (JK_MEMBER_CHOSEN), and who loses asks again */
    bool sticky;           /* the session's own member: no session cookie is set for it */
    jk_span route;         /* to forward and to note: the member's route, or its domain if that led to it; the group's memory */
    size_t offset;         /* the rotating one afterwards */
} jk_choose_answer;

jk_choose_answer jk_choose(const jk_choose_group *group, const jk_choose_request *request);

#endif
