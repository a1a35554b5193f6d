/* tests/unit/test_choose.c - who is chosen: vectors of every rule, a slow reference, and the shares that come out. */
#include "jk/balance/choose.h"
#include "jk/balance/method.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define MOST 70
#define MUST(x, ...)                   \
    do {                               \
        if (!(x))                      \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

/* ---- a group, from words ---- */

typedef struct scene {
    char text[512];
    jk_choose_group group;
    jk_choose_member members[MOST];
    jk_choose_live live[MOST];
    jk_choose_slot slots[4 * MOST];
    uint64_t failed[JK_CHOOSE_WORDS(MOST)];
    int8_t rule[MOST];
    unsigned asked; /* calls of live */
    jk_span routes[8];
} scene;

static jk_choose_live live(void *ctx, size_t i)
{
    scene *s = ctx;

    s->asked++;
    return s->live[i];
}

/* A value of a member's word: "dom=d". */
static bool has(const char *word, const char *key, const char **value)
{
    size_t n = strlen(key);

    *value = word + n;
    return strncmp(word, key, n) == 0;
}

static void set_word(scene *s, size_t i, const char *word)
{
    static const char *const states[] = { "idle", "ok", "rec", "frc", "busy", "err", "prb" };
    static const char *const activations[] = { "act", "dis", "stp" };
    const char *value;

    for (size_t k = 0; k < ROWS(states); k++)
        if (strcmp(word, states[k]) == 0)
            s->live[i].state = (jk_member_state)k;
    for (size_t k = 0; k < ROWS(activations); k++) {
        if (strcmp(word, activations[k]) == 0)
            s->members[i].activation = (jk_activation)k;
        if (has(word, "rule=", &value) && strcmp(value, activations[k]) == 0)
            s->rule[i] = (int8_t)k;
    }
    if (has(word, "dom=", &value))
        s->members[i].domain = jk_span_of(value);
    if (has(word, "red=", &value))
        s->members[i].redirect = jk_span_of(value);
    if (has(word, "far=", &value))
        s->members[i].distance = atoi(value);
    if (has(word, "load=", &value))
        s->live[i].lb_value = (uint64_t)atoi(value);
    if (strcmp(word, "failed") == 0)
        jk_choose_set_failed(s->failed, i, true);
}

static void prepare(scene *s)
{
    s->group.members = s->members;
    s->group.live = live;
    s->group.ctx = s;
    jk_choose_prepare(&s->group, s->slots, jk_choose_slots(s->group.count));
}

/* "n1:err:dom=d n2": each word a member, its route first. */
static void build(scene *s, const char *text)
{
    char *save, *inner;

    memset(s, 0, sizeof *s);
    memset(s->rule, JK_CHOOSE_AS_CONFIGURED, sizeof s->rule);
    strcpy(s->text, text);
    for (char *one = strtok_r(s->text, " ", &save); one; one = strtok_r(NULL, " ", &save)) {
        size_t i = s->group.count++;
        s->members[i].route = jk_span_of(strtok_r(one, ":", &inner));
        s->live[i].state = JK_STATE_OK;
        for (char *word; (word = strtok_r(NULL, ":", &inner)) != NULL;)
            set_word(s, i, word);
    }
    prepare(s);
}

/* ---- vectors ---- */

enum { FORCE = 1, STATELESS = 2, FORCED = 4, BARE = 8 }; /* sticky_session_force, .., BARE: an id without a route */

static const struct {
    const char *members, *routes; /* of the ids, one after the other */
    unsigned flags;
    const char *answer; /* route of the member, ":sticky", "=forwarded" where that is another; or FORCE, SESSION, NONE */
    const char *why;
} vectors[] = {
    /* one member */
    { "n1", "", 0, "n1", "the only one" },
    { "n1", "n1", 0, "n1:sticky", "and the session's own" },
    { "n1", "n9 n1", 0, "n1:sticky", "by any of its ids" },
    { "n1", "n9", 0, "n1", "another's session: it may get a cookie" },
    { "n1:busy", "", 0, "NONE", "it is full" },
    { "n1:prb", "", 0, "NONE", "it is being tried" },
    { "n1:stp", "n1", 0, "NONE", "stopped" },
    { "n1:dis", "", 0, "NONE", "disabled: no new session" },
    { "n1:dis", "n1", 0, "n1:sticky", "disabled: its sessions go on" },
    { "n1:err", "", 0, "FORCE", "in error" },
    { "n1:err", "", FORCED, "NONE", "once" },
    { "n1:frc", "", FORCED, "n1", "forced" },
    { "n1:failed", "", 0, "NONE", "this request's own failure forces nobody" },
    { "n1:err:stp", "", 0, "NONE", "stopped and in error: forcing does not help" },
    { "n1", "n9", FORCE, "n1", "the only one is everybody's" },
    { "n1:dis:rule=act", "", 0, "n1", "activated by the rule" },
    { "n1:rule=stp", "", 0, "NONE", "stopped by the rule" },
    { "n1:rule=dis", "", 0, "NONE", "disabled by the rule: not the short way" },
    { "", "", 0, "NONE", "no members" },

    /* the session's own */
    { "n1 n2 n3", "n2", 0, "n2:sticky", "its route" },
    { "n1 n2:load=900 n3", "n2", 0, "n2:sticky", "whatever its load" },
    { "n1 n2:far=9 n3", "n2", 0, "n2:sticky", "and distance" },
    { "n1 n2:idle n3", "n2", 0, "n2:sticky", "idle" },
    { "n1 n2:rec n3", "n2", 0, "n2:sticky", "to be tried" },
    { "n1 n2:frc n3", "n2", 0, "n2:sticky", "forced" },
    { "n1 n2:dis n3", "n2", 0, "n2:sticky", "disabled keeps its sessions" },
    { "n1 n2:rule=dis n3", "n2", 0, "n2:sticky", "by a rule, too" },
    { "n1 n2:stp n3", "n2", 0, "n1", "stopped does not" },
    { "n1 n2:rule=stp n3", "n2", 0, "n1", "by a rule neither" },
    { "n1 n2:stp:rule=act n3", "n2", 0, "n2:sticky", "but the rule may lift it" },
    { "n1 n2:err n3", "n2", 0, "n1", "in error" },
    { "n1 n2:busy n3", "n2", 0, "n1", "full" },
    { "n1 n2:prb n3", "n2", 0, "n1", "being tried" },
    { "n1 n2:failed n3", "n2", 0, "n1", "failed here" },
    { "n1 n2", "N2", 0, "n1", "case counts" },
    { "n1 n2", "n2x", 0, "n1", "a longer route is another" },
    { "n1 n2", "n", 0, "n1", "a shorter, too" },
    { "n1 n2.a", "n2.a", 0, "n2.a:sticky", "a route may have dots" },
    { "n1 n2", "", BARE, "n1", "an id without a route" },

    /* several ids */
    { "n1 n2 n3", "n9 n3", 0, "n3:sticky", "the second id" },
    { "n1 n2:err n3", "n2 n3", 0, "n3:sticky", "the first's member is out" },
    { "n1 n2 n3", "n2 n3", 0, "n2:sticky", "the first wins" },
    { "n1 n2:err n3:failed", "n2 n3", 0, "n1", "both are out" },
    { "n1 n2:failed n3", "n9 n2 n3", 0, "n3:sticky", "in a later attempt all ids count again" },
    { "n1:dom=d n2:err n3", "n2 d n3", 0, "n1=d", "a domain of an earlier id before a route of a later one" },

    /* domains */
    { "n1 n2:dom=d n3:dom=d", "d", 0, "n2=d", "a domain instead of a route" },
    { "n1 n2:dom=d n3:dom=d", "d.gone", 0, "n2=d", "the route's part before its dot" },
    { "n1 n2:dom=d:load=5 n3:dom=d", "d.gone", 0, "n3=d", "the one with less load" },
    { "n1 n2:dom=d n3:dom=d:load=5:far=0 n4:dom=d:far=1", "d.gone", 0, "n2=d", "distance before load" },
    { "n1 n2:dom=d:far=1 n3:dom=d:load=5", "d.gone", 0, "n3=d", "distance stands above load" },
    { "n1 n2:dom=d:dis n3:dom=d", "d.gone", 0, "n3=d", "disabled takes no failover" },
    { "n1 n2:dom=d:err n3:dom=d:busy", "d.gone", 0, "n1", "nobody of the domain" },
    { "n1 n2:dom=d", "dd.gone", 0, "n1", "another domain" },
    { "n1 n2:dom=d", "D.gone", 0, "n1", "case counts" },
    { "n1 n2:dom=d", ".gone", 0, "n1", "no domain" },
    { "n1 n2:dom=d", "gone.d", 0, "n1", "behind the dot is no domain" },
    { "n1 d.n2:err:dom=d d.n3:dom=d", "d.n2", 0, "d.n3=d", "its own is out: another of its domain" },
    { "n1 n2:err:dom=x n3:dom=x:load=5 n4:dom=x", "n2", 0, "n4=x", "the best of them" },
    { "n1 n2:err:dom=x n3:dom=y", "n2", 0, "n1", "nobody of its domain" },
    { "n1 n2:err n3", "n2", 0, "n1", "no domain: no failover in one" },
    { "n1 n2:err:dom=a.b n3:dom=a.b", "n2", 0, "n3=a.b", "a domain with a dot" },

    /* redirects */
    { "n1 n2:err:red=n3 n3", "n2", 0, "n3", "its redirect" },
    { "n1 n2:err:red=n3 n3:dis", "n2", 0, "n3", "a disabled one, too" },
    { "n1 n2:err:red=n3 n3:stp", "n2", 0, "n1", "not a stopped one" },
    { "n1 n2:err:red=n3 n3:err", "n2", 0, "n1", "nor one in error" },
    { "n1 n2:err:red=n3:dom=d n3:err n4:dom=d", "n2", 0, "n1", "with a redirect the domain is not asked" },
    { "n1 n2:err:red=n3:dom=d n3 n4:dom=d", "n2", 0, "n3", "redirect before domain" },
    { "n1 n2:err:red=n9 n3", "n2", 0, "n1", "a redirect to nobody" },
    { "n1 n2:red=n3 n3", "n2", 0, "n2:sticky", "while it lives it keeps its sessions" },
    { "n1:load=9 n2:stp:red=n3 n3:load=99", "n2", 0, "n3", "a stopped member hands over" },

    /* sticky_session_force */
    { "n1 n2 n3", "n2", FORCE, "n2:sticky", "its own" },
    { "n1 n2:err n3", "n2", FORCE, "SESSION", "no other" },
    { "n1 n2:err:red=n3 n3", "n2", FORCE, "SESSION", "no redirect" },
    { "n1 n2:err:dom=d n3:dom=d", "n2", FORCE, "SESSION", "no domain of a known route" },
    { "n1 n2:dom=d n3:dom=d", "d.gone", FORCE, "n2=d", "but the domain of an unknown one" },
    { "n1 n2:err n3", "n2 n3", FORCE, "n3:sticky", "another id may help" },
    { "n1 n2 n3", "n9", FORCE, "SESSION", "a route of nobody" },
    { "n1 n2 n3", "", FORCE | BARE, "SESSION", "an id without a route" },
    { "n1 n2 n3", "", FORCE, "n1", "no session: free" },
    { "n1 n2:failed n3", "n2", FORCE, "SESSION", "failed here" },
    { "n1:err n2:err n3:err", "n2", FORCE, "FORCE", "all are in error: forced for a session, too" },
    { "n1:err n2:err n3:stp", "n2", FORCE, "FORCE", "the stopped do not count" },
    { "n1:err n2:err n3:err", "n2", FORCE | FORCED, "SESSION", "once" },
    { "n1:frc n2:frc n3:frc", "n2", FORCE | FORCED, "n2:sticky", "then its own" },

    /* by load */
    { "n1:load=3 n2:load=2 n3:load=5", "", 0, "n2", "the smallest" },
    { "n1 n2 n3", "", 0, "n1", "equal: the first from the offset" },
    { "n1:far=1 n2:load=9 n3:far=2", "", 0, "n2", "the nearest, whatever its load" },
    { "n1:far=-1:load=9 n2", "", 0, "n1", "nearer than near" },
    { "n1:far=1:load=4 n2:err n3:far=1:load=3", "", 0, "n3", "the nearest is out: the best behind it" },
    { "n1:dis n2:load=9 n3:stp", "", 0, "n2", "only the active" },
    { "n1:err n2:busy n3:prb n4:load=9", "", 0, "n4", "only the usable" },
    { "n1:failed n2:load=9", "", 0, "n2", "not where it failed" },
    { "n1:idle:load=2 n2:rec:load=1 n3:frc:load=0", "", 0, "n3", "idle, to be tried and forced are usable" },
    { "n1:rule=dis n2:load=9", "", 0, "n2", "disabled by the rule" },
    { "n1:load=9 n2:dis:rule=act", "", 0, "n2", "activated by the rule" },
    { "n1:load=3 n2:load=2", "", STATELESS, "n1", "to a stateless request the load is nothing" },
    { "n1:far=1 n2:load=2", "", STATELESS, "n2", "but distance is" },

    /* hot standby */
    { "n1:err:red=n3 n2:err n3:dis", "", 0, "n3", "the standby is disabled until now" },
    { "n1:err n2:err:red=n3 n3:dis", "", 0, "n3", "whoever names it" },
    { "n1:err:red=n3 n2:err:red=n4 n3:dis n4:dis", "", 0, "n3", "the first who names one" },
    { "n1:err:red=n9 n2:err:red=n3 n3:dis", "", 0, "FORCE", "the first, even if it names nobody" },
    { "n1:err:red=n3 n2:err n3:stp", "", 0, "FORCE", "a stopped one is none" },
    { "n1:err:red=n3 n2:err n3:dis:busy", "", 0, "FORCE", "neither is a full one" },
    { "n1:red=n3 n2 n3:dis", "", 0, "n1", "not before it is needed" },

    /* nobody */
    { "n1:err n2:busy", "", 0, "FORCE", "one in error" },
    { "n1:err n2:failed", "", 0, "FORCE", "the other failed here" },
    { "n1:busy n2:prb", "", 0, "NONE", "none in error" },
    { "n1:failed n2:failed", "", 0, "NONE", "failed here alone" },
    { "n1:stp n2:dis", "", 0, "NONE", "by configuration" },
    { "n1:err:stp n2:busy", "", 0, "NONE", "the one in error is stopped" },
    { "n1:err n2:busy", "", FORCED, "NONE", "forced before" },
};

static jk_choose_answer ask(scene *s, const char *routes, unsigned flags, size_t offset)
{
    static char text[200];
    char *save;
    jk_choose_request request = { .routes = s->routes, .has_session = *routes || flags & BARE, .sticky_force = flags & FORCE,
                                  .stateless = flags & STATELESS, .was_forced = flags & FORCED, .activations = s->rule,
                                  .failed = s->failed, .offset = offset };

    strcpy(text, routes);
    for (char *one = strtok_r(text, " ", &save); one; one = strtok_r(NULL, " ", &save))
        s->routes[request.nroutes++] = jk_span_of(one);
    s->asked = 0;
    return jk_choose(&s->group, &request);
}

static const char *told(const scene *s, const jk_choose_answer *a, char *out)
{
    static const char *const words[] = { [JK_CHOOSE_FORCE] = "FORCE", [JK_CHOOSE_SESSION] = "SESSION", [JK_CHOOSE_NONE] = "NONE" };

    if (a->result != JK_CHOOSE_FOUND)
        return words[a->result];
    jk_span route = s->members[a->member].route;
    int n = sprintf(out, "%.*s%s", (int)route.len, (const char *)route.p, a->sticky ? ":sticky" : "");
    if (!jk_span_eq(a->route, route))
        sprintf(out + n, "=%.*s", (int)a->route.len, (const char *)a->route.p);
    return out;
}

START_TEST(vectors_of_the_rules)
{
    scene s;
    char out[100];

    build(&s, vectors[_i].members);
    jk_choose_answer a = ask(&s, vectors[_i].routes, vectors[_i].flags, 0);
    const char *got = told(&s, &a, out);
    ck_assert_msg(strcmp(got, vectors[_i].answer) == 0, "%s for '%s' -> %s, not %s: %s", vectors[_i].members, vectors[_i].routes,
                  got, vectors[_i].answer, vectors[_i].why);
    if (a.result == JK_CHOOSE_FOUND)
        ck_assert_int_eq(a.state, s.live[a.member].state);
    else
        ck_assert_uint_eq(a.member, JK_CHOOSE_NOBODY);
}
END_TEST

START_TEST(a_sticky_hit_reads_one_member)
{
    scene s;

    build(&s, "n1 n2:dom=d n3 n4:load=9:far=3 n5");
    ck_assert_uint_eq(ask(&s, "n4", 0, 0).member, 3);
    ck_assert_uint_eq(s.asked, 1);
    ck_assert_uint_eq(ask(&s, "n9 n4", 0, 0).member, 3);
    ck_assert_uint_eq(s.asked, 1);
    ask(&s, "", 0, 0);
    ck_assert_uint_eq(s.asked, 4); /* n4 is farther than what was found before it */
}
END_TEST

START_TEST(no_rule_and_no_failure)
{
    scene s;
    jk_choose_request request = { .offset = 1 };

    build(&s, "n1 n2:stp n3");
    jk_choose_answer a = jk_choose(&s.group, &request);
    ck_assert_uint_eq(a.member, 2);
}
END_TEST

/* ---- turns ---- */

START_TEST(equal_members_take_turns)
{
    scene s;
    size_t offset = 4; /* any number: it is 1 of three */
    static const uint32_t turns[] = { 1, 2, 0, 1, 2, 0 };

    build(&s, "n1 n2 n3");
    for (size_t i = 0; i < ROWS(turns); i++) {
        jk_choose_answer a = ask(&s, "", i % 2 ? STATELESS : 0, offset);
        ck_assert_uint_eq(a.member, turns[i]);
        offset = a.offset;
    }
    ck_assert_uint_eq(ask(&s, "n2", 0, 2).offset, 2); /* a session takes no turn */
    ck_assert_uint_eq(ask(&s, "", 0, SIZE_MAX).member, SIZE_MAX % 3);
}
END_TEST

/* So many choices under a method, each with 1000 bytes. */
static void play(scene *s, jk_method method, const int32_t *factors, unsigned choices, unsigned *taken)
{
    uint64_t mults[MOST];
    size_t offset = 0;

    jk_method_multipliers(factors, mults, s->group.count);
    memset(taken, 0, MOST * sizeof *taken);
    for (unsigned n = 0; n < choices; n++) {
        jk_choose_answer a = ask(s, "", 0, offset);
        uint64_t *value = &s->live[a.member].lb_value;
        offset = a.offset;
        taken[a.member]++;
        *value = jk_method_apply(*value, jk_method_before(method, mults[a.member], true));
        if (method != JK_METHOD_BUSYNESS) /* there they all are still at work */
            *value = jk_method_apply(*value, jk_method_after(method, mults[a.member], 1000));
    }
}

static const struct {
    jk_method method;
    int32_t factors[3];
    unsigned choices, taken[3];
    const char *why;
} fair[] = {
    { JK_METHOD_REQUEST, { 1, 2, 3 }, 600, { 100, 200, 300 }, "by requests" },
    { JK_METHOD_TRAFFIC, { 1, 2, 3 }, 600, { 100, 200, 300 }, "by equal traffic" },
    { JK_METHOD_BUSYNESS, { 1, 2, 3 }, 600, { 100, 200, 300 }, "by what runs" },
    { JK_METHOD_SESSIONS, { 1, 2, 3 }, 600, { 100, 200, 300 }, "by new sessions" },
    { JK_METHOD_NEXT, { 1, 2, 3 }, 600, { 100, 200, 300 }, "by new sessions" },
    { JK_METHOD_REQUEST, { 1, 1, 1 }, 300, { 100, 100, 100 }, "equal" },
    { JK_METHOD_REQUEST, { 7, 11, 13 }, 3100, { 700, 1100, 1300 }, "odd numbers" },
    { JK_METHOD_REQUEST, { 1, 100, 1 }, 1020, { 10, 1000, 10 }, "very unequal" },
};

START_TEST(shares_come_out)
{
    scene s;
    unsigned taken[MOST];

    build(&s, "n1 n2 n3");
    play(&s, fair[_i].method, fair[_i].factors, fair[_i].choices, taken);
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(taken[i] == fair[_i].taken[i], "%s: %u of %u", fair[_i].why, taken[i], fair[_i].choices);
}
END_TEST

/* Sessions that exist do not move the methods that count new ones. */
START_TEST(old_sessions_are_not_counted)
{
    ck_assert_uint_eq(jk_method_before(JK_METHOD_SESSIONS, 6, false).add, 0);
    ck_assert_uint_eq(jk_method_before(JK_METHOD_NEXT, 6, false).add, 0);
}
END_TEST

/* ---- the hash ---- */

START_TEST(routes_are_found)
{
    for (size_t count = 0; count <= MOST; count++) {
        scene s;
        char names[MOST][8];
        memset(&s, 0, sizeof s);
        s.group.count = count;
        for (size_t i = 0; i < count; i++) {
            sprintf(names[i], "n%zu", i);
            s.members[i].route = jk_span_of(names[i]);
            s.members[i].redirect = jk_span_of(i ? names[i - 1] : NULL);
        }
        prepare(&s);
        for (size_t i = 0; i < count; i++) {
            MUST(jk_choose_find_route(&s.group, jk_span_of(names[i])) == i, "%s of %zu", names[i], count);
            MUST(s.members[i].redirect_to == (i ? i - 1 : JK_CHOOSE_NOBODY), "redirect of %s", names[i]);
        }
        ck_assert_uint_eq(jk_choose_find_route(&s.group, JK_SPAN_LIT("n")), JK_CHOOSE_NOBODY);
        ck_assert_uint_eq(jk_choose_find_route(&s.group, JK_SPAN_LIT("")), JK_CHOOSE_NOBODY);
        ck_assert_uint_eq(jk_choose_find_route(&s.group, JK_SPAN_NONE), JK_CHOOSE_NOBODY);
        ck_assert_uint_ge(jk_choose_slots(count), 2 * count);
    }
}
END_TEST

START_TEST(odd_routes)
{
    scene s;

    build(&s, "n1 n2 n1:load=9");
    ck_assert_uint_eq(jk_choose_find_route(&s.group, JK_SPAN_LIT("n1")), 0); /* twice: the first */
    s.members[1].route = JK_SPAN_NONE;
    prepare(&s);
    ck_assert_uint_eq(jk_choose_find_route(&s.group, JK_SPAN_LIT("n2")), JK_CHOOSE_NOBODY); /* prepared anew */
    ck_assert_uint_eq(jk_choose_find_route(&s.group, JK_SPAN_NONE), JK_CHOOSE_NOBODY);      /* none is nobody's */
}
END_TEST

START_TEST(failed_bits)
{
    uint64_t words[JK_CHOOSE_WORDS(130)] = { 0 };

    ck_assert_uint_eq(ROWS(words), 3);
    for (size_t i = 0; i < 130; i++) {
        ck_assert(!jk_choose_failed(words, i));
        jk_choose_set_failed(words, i, true);
        ck_assert(jk_choose_failed(words, i));
        jk_choose_set_failed(words, i, i % 2);
    }
    for (size_t i = 0; i < 130; i++)
        MUST(jk_choose_failed(words, i) == (i % 2 == 1), "%zu", i);
    ck_assert(!jk_choose_failed(NULL, 129));
}
END_TEST

/* ---- a slow reference ---- */

/* The rules as they are written, by plain loops over plain arrays. */
static bool ref_usable(const scene *s, uint32_t i, bool sticky)
{
    jk_activation act = s->rule[i] < 0 ? s->members[i].activation : (jk_activation)s->rule[i];

    if (act == JK_STOPPED || (!sticky && act == JK_DISABLED))
        return false;
    return s->live[i].state <= JK_STATE_FRC && !jk_choose_failed(s->failed, i);
}

static uint32_t ref_route(const scene *s, jk_span route)
{
    for (uint32_t i = 0; i < s->group.count; i++)
        if (route.len && jk_span_eq(s->members[i].route, route))
            return i;
    return JK_CHOOSE_NOBODY;
}

/* The best of those that are asked for: of a domain, or all (absent). */
static uint32_t ref_best(const scene *s, jk_span domain, size_t offset, bool stateless)
{
    uint32_t best = JK_CHOOSE_NOBODY, count = (uint32_t)s->group.count;

    for (uint32_t k = 0; k < count; k++) {
        uint32_t i = (uint32_t)((offset + k) % count);
        if (!ref_usable(s, i, false) || (domain.p && !jk_span_eq(s->members[i].domain, domain)))
            continue;
        if (best == JK_CHOOSE_NOBODY || s->members[i].distance < s->members[best].distance ||
            (s->members[i].distance == s->members[best].distance && !stateless && s->live[i].lb_value < s->live[best].lb_value))
            best = i;
    }
    return best;
}

static uint32_t ref_session(const scene *s, jk_span route, bool force, bool *sticky)
{
    uint32_t i = ref_route(s, route);
    size_t dot = 0;

    *sticky = false;
    if (i == JK_CHOOSE_NOBODY) {
        while (dot < route.len && route.p[dot] != '.')
            dot++;
        return dot ? ref_best(s, (jk_span){ route.p, dot }, 0, false) : JK_CHOOSE_NOBODY;
    }
    *sticky = ref_usable(s, i, true);
    if (*sticky || force)
        return *sticky ? i : JK_CHOOSE_NOBODY;
    if (s->members[i].redirect.len) {
        i = ref_route(s, s->members[i].redirect);
        return i != JK_CHOOSE_NOBODY && ref_usable(s, i, true) ? i : JK_CHOOSE_NOBODY;
    }
    return s->members[i].domain.len ? ref_best(s, s->members[i].domain, 0, false) : JK_CHOOSE_NOBODY;
}

static uint32_t ref_standby(const scene *s)
{
    for (uint32_t i = 0; i < s->group.count; i++)
        if (s->members[i].redirect.len) {
            i = ref_route(s, s->members[i].redirect);
            return i != JK_CHOOSE_NOBODY && ref_usable(s, i, true) ? i : JK_CHOOSE_NOBODY;
        }
    return JK_CHOOSE_NOBODY;
}

static uint32_t ref_choose(const scene *s, size_t nroutes, unsigned flags, size_t offset, bool *sticky)
{
    uint32_t i = JK_CHOOSE_NOBODY;

    *sticky = true;
    if (s->group.count == 1) {
        int act = s->rule[0] < 0 ? (int)s->members[0].activation : s->rule[0];
        if (!ref_usable(s, 0, true))
            return i;
        if (act != JK_DISABLED) {
            *sticky = false;
            for (size_t k = 0; k < nroutes; k++)
                *sticky |= ref_route(s, s->routes[k]) == 0;
            return 0;
        }
    }
    for (size_t k = 0; k < nroutes; k++) {
        i = ref_session(s, s->routes[k], flags & FORCE, sticky);
        if (i != JK_CHOOSE_NOBODY)
            return i;
    }
    *sticky = false;
    if ((nroutes > 0 || flags & BARE) && flags & FORCE)
        return JK_CHOOSE_NOBODY;
    i = ref_best(s, JK_SPAN_NONE, offset, flags & STATELESS);
    return i != JK_CHOOSE_NOBODY ? i : ref_standby(s);
}

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void random_members(uint32_t *seed, char *out)
{
    static const char *const words[] = { "",     ":err",  ":err",  ":busy", ":rec",      ":failed",   ":dis",      ":stp",
                                         ":dom=a", ":dom=b", ":red=n1", ":red=n2", ":far=1", ":load=1", ":load=2", ":rule=act",
                                         ":rule=dis", ":rule=stp" };
    size_t count = 1 + next(seed) % 5;

    for (size_t i = 0; i < count; i++) {
        out += sprintf(out, "%sn%zu", i ? " " : "", i);
        for (int k = 0; k < 3; k++)
            out += sprintf(out, "%s", words[next(seed) % ROWS(words)]);
    }
}

START_TEST(as_the_reference_chooses)
{
    static const char *const routes[] = { "", "", "n0", "n1", "n2 n0", "a", "b.x n1", "n3", "x n4 a.y" };
    uint32_t seed = 6311;

    for (int round = 0; round < 100000; round++) {
        scene s;
        char text[400], got[100];
        const char *ids = routes[next(&seed) % ROWS(routes)];
        unsigned flags = next(&seed) % 16;
        size_t offset = next(&seed), nroutes = 0;
        bool sticky;

        random_members(&seed, text);
        build(&s, text);
        jk_choose_answer a = ask(&s, ids, flags, offset);
        for (const char *at = ids; *at; at++)
            nroutes += at[1] == '\0' || at[1] == ' ';
        uint32_t want = ref_choose(&s, nroutes, flags, offset, &sticky);
        MUST(a.member == want, "%s for '%s' %u -> %s, not %u", text, ids, flags, told(&s, &a, got), want);
        MUST(a.member == JK_CHOOSE_NOBODY || a.sticky == sticky, "%s for '%s' %u -> %s", text, ids, flags, told(&s, &a, got));
        MUST((a.result == JK_CHOOSE_FOUND) == (want != JK_CHOOSE_NOBODY), "%s", text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance/choose");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, vectors_of_the_rules, 0, ROWS(vectors));
    tcase_add_test(all, a_sticky_hit_reads_one_member);
    tcase_add_test(all, no_rule_and_no_failure);
    tcase_add_test(all, equal_members_take_turns);
    tcase_add_loop_test(all, shares_come_out, 0, ROWS(fair));
    tcase_add_test(all, old_sessions_are_not_counted);
    tcase_add_test(all, routes_are_found);
    tcase_add_test(all, odd_routes);
    tcase_add_test(all, failed_bits);
    tcase_add_test(all, as_the_reference_chooses);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
