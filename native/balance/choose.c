/* native/balance/choose.c - from the routes of a request to one member. Nothing is changed here: who was chosen is the
 * caller's to book. */
#include "jk/balance/choose.h"

#include <assert.h>

#define NOBODY JK_CHOOSE_NOBODY

/* ---- routes ---- */

/* FNV-1a. The table holds what the configuration says, so nobody outside can crowd it. */
static uint32_t hash_of(jk_span s)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.p[i]) * 16777619u;
    return h;
}

size_t jk_choose_slots(size_t count)
{
    size_t n = 4;

    while (n < 2 * count)
        n *= 2;
    return n;
}

/* The slot that has this route, or the free one where it belongs. */
static inline jk_choose_slot *slot_of(const jk_choose_group *group, jk_span route, uint32_t hash)
{
    for (size_t i = hash & group->mask;; i = (i + 1) & group->mask) {
        jk_choose_slot *slot = &group->slots[i];
        if (slot->at == 0 || (slot->hash == hash && jk_span_eq(group->members[slot->at - 1].route, route)))
            return slot;
    }
}

uint32_t jk_choose_find_route(const jk_choose_group *group, jk_span route)
{
    if (route.len == 0)
        return NOBODY;
    const jk_choose_slot *slot = slot_of(group, route, hash_of(route));
    return slot->at ? slot->at - 1 : NOBODY;
}

void jk_choose_prepare(jk_choose_group *group, jk_choose_slot *slots, size_t nslots)
{
    assert(nslots == jk_choose_slots(group->count) && group->count < NOBODY);
    memset(slots, 0, nslots * sizeof *slots);
    group->slots = slots;
    group->mask = nslots - 1;
    group->standby = NOBODY;
    group->has_domains = false;
    for (size_t i = 0; i < group->count; i++) {
        jk_span route = group->members[i].route;
        jk_choose_slot *slot = slot_of(group, route, hash_of(route));
        if (route.len > 0 && slot->at == 0)
            *slot = (jk_choose_slot){ hash_of(route), (uint32_t)i + 1 };
    }
    for (size_t i = group->count; i-- > 0;) {
        jk_choose_member *m = &group->members[i];
        m->redirect_to = jk_choose_find_route(group, m->redirect);
        if (m->redirect.len > 0)
            group->standby = m->redirect_to;
        group->has_domains |= m->domain.len > 0;
    }
}

/* ---- who may be taken ---- */

typedef struct hunt {
    const jk_choose_group *group;
    const jk_choose_request *request;
    jk_choose_answer answer;
} hunt;

static jk_activation activation_of(const hunt *h, size_t i)
{
    int by_rule = h->request->activations ? h->request->activations[i] : JK_CHOOSE_AS_CONFIGURED;

    return by_rule == JK_CHOOSE_AS_CONFIGURED ? h->group->members[i].activation : (jk_activation)by_rule;
}

/* May it be used? `most` is the activation up to which: JK_ACTIVE for new requests, JK_DISABLED for sessions. */
static inline bool usable(const hunt *h, size_t i, jk_activation most, jk_choose_live *live)
{
    if (activation_of(h, i) > most || jk_choose_failed(h->request->failed, i))
        return false;
    *live = h->group->live(h->group->ctx, i);
    return jk_member_usable(live->state);
}

static bool take(hunt *h, size_t i, jk_member_state state, bool sticky, jk_span route)
{
    h->answer.result = JK_CHOOSE_FOUND;
    h->answer.member = (uint32_t)i;
    h->answer.state = state;
    h->answer.sticky = sticky;
    h->answer.route = route;
    return true;
}

/* A session's member: its own, or the one that was named for it. */
static inline bool take_named(hunt *h, uint32_t i, jk_activation most, bool sticky)
{
    jk_choose_live live;

    return i != NOBODY && usable(h, i, most, &live) && take(h, i, live.state, sticky, h->group->members[i].route);
}

/* ---- the best of several ---- */

typedef struct leader {
    uint32_t member;
    int32_t distance;
    jk_choose_live live;
} leader;

/* The nearer one first; among those the one with less load; among those the first that was looked at. */
static void consider(const hunt *h, size_t i, bool by_load, leader *best)
{
    int32_t distance = h->group->members[i].distance;
    jk_choose_live live;

    if ((best->member != NOBODY && distance > best->distance) || !usable(h, i, JK_ACTIVE, &live))
        return;
    if (best->member != NOBODY && distance == best->distance && !(by_load && live.lb_value < best->live.lb_value))
        return;
    best->member = (uint32_t)i;
    best->distance = distance;
    best->live = live;
}

static bool take_of_domain(hunt *h, jk_span domain)
{
    leader best = { .member = NOBODY };

    if (!h->group->has_domains || domain.len == 0)
        return false;
    for (size_t i = 0; i < h->group->count; i++)
        if (jk_span_eq(h->group->members[i].domain, domain))
            consider(h, i, true, &best);
    if (best.member == NOBODY)
        return false;
    return take(h, best.member, best.live.state, false, h->group->members[best.member].domain);
}

/* Equal members get their turns by the offset. To a stateless request all of them are equal. */
static bool take_least(hunt *h)
{
    size_t count = h->group->count, i = h->request->offset % count;
    leader best = { .member = NOBODY };

    for (size_t seen = 0; seen < count; seen++) {
        consider(h, i, !h->request->stateless, &best);
        i = i + 1 < count ? i + 1 : 0;
    }
    if (best.member == NOBODY)
        return false;
    h->answer.offset = best.member + 1 < count ? best.member + 1 : 0;
    return take(h, best.member, best.live.state, false, h->group->members[best.member].route);
}

/* ---- sessions ---- */

static jk_span up_to_dot(jk_span route)
{
    const uint8_t *dot = route.len ? memchr(route.p, '.', route.len) : NULL;

    return dot ? (jk_span){ route.p, (size_t)(dot - route.p) } : route;
}

static bool take_for_route(hunt *h, jk_span route)
{
    uint32_t i = jk_choose_find_route(h->group, route);

    if (i == NOBODY)
        return take_of_domain(h, up_to_dot(route));
    if (take_named(h, i, JK_DISABLED, true))
        return true;
    if (h->request->sticky_force)
        return false;
    if (h->group->members[i].redirect.len > 0)
        return take_named(h, h->group->members[i].redirect_to, JK_DISABLED, false);
    return take_of_domain(h, h->group->members[i].domain);
}

/* Does the session name this member? */
static bool is_own(const hunt *h, uint32_t i)
{
    for (size_t k = 0; k < h->request->nroutes; k++)
        if (jk_choose_find_route(h->group, h->request->routes[k]) == i)
            return true;
    return false;
}

static bool take_for_session(hunt *h)
{
    for (size_t i = 0; i < h->request->nroutes; i++)
        if (take_for_route(h, h->request->routes[i]))
            return true;
    return false;
}

/* ---- nobody ---- */

/* How many are in error and not stopped, as everybody sees them: this request's own bits are no reason to force. */
static size_t count_errors(const hunt *h, size_t *others)
{
    size_t errors = 0;

    *others = 0;
    for (size_t i = 0; i < h->group->count; i++) {
        if (activation_of(h, i) == JK_STOPPED)
            continue;
        if (h->group->live(h->group->ctx, i).state == JK_STATE_ERR)
            errors++;
        else
            ++*others;
    }
    return errors;
}

/* A session that is tied to a member in error is no reason to send others there: only when all are in error is any one
 * forced for it. */
static void give_up(hunt *h, bool for_session)
{
    size_t others, errors = count_errors(h, &others);
    bool force = errors > 0 && !h->request->was_forced && !(for_session && others > 0);

    h->answer.result = force ? JK_CHOOSE_FORCE : for_session ? JK_CHOOSE_SESSION : JK_CHOOSE_NONE;
}

jk_choose_answer jk_choose(const jk_choose_group *group, const jk_choose_request *request)
{
    hunt h = { group, request, { .result = JK_CHOOSE_NONE, .member = NOBODY, .state = JK_STATES, .route = JK_SPAN_NONE,
                                 .offset = request->offset } };
    bool tied = request->has_session && request->sticky_force;
    bool single = group->count == 1 && activation_of(&h, 0) != JK_DISABLED;

    if (group->count == 0)
        return h.answer;
    if (single) {
        if (!take_named(&h, 0, JK_ACTIVE, is_own(&h, 0)))
            give_up(&h, false);
        return h.answer;
    }
    if (take_for_session(&h))
        return h.answer;
    if (!tied && (take_least(&h) || take_named(&h, group->standby, JK_DISABLED, false)))
        return h.answer;
    give_up(&h, tied);
    return h.answer;
}
