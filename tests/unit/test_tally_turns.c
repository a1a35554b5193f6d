/* tests/unit/test_tally_turns.c - two processes at the places of mounts, in every order that matters: one asks for a place, and before each of its
 * looks at the shared memory in turn the other one asks, from beginning to end. No chance, no threads: native/shm/tally.c is compiled here once
 * more, with a turn before each such look. */
#include <check.h>

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static void turn(void);

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_fetch_add_explicit
#undef atomic_compare_exchange_strong
#define atomic_load_explicit(from, order) (turn(), *(from)) /* of an _Atomic: the same, in a stricter order */
#define atomic_store_explicit(to, value, order) (turn(), (void)(*(to) = (value)))
#define atomic_fetch_add_explicit(to, n, order) (turn(), (void)(*(to) += (n)))
#define atomic_compare_exchange_strong(at, expected, desired) \
    (turn(), atomic_compare_exchange_strong_explicit(at, expected, desired, memory_order_seq_cst, memory_order_seq_cst))
#define memset(to, byte, n) (turn(), memset(to, byte, n))

#include "../../native/shm/tally.c"

#undef memset

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))
#define ONE_PID 2000000001 /* of no process */
#define OTHER_PID 2000000002
#define ANYBODY 1000 /* names that nobody has */
#define SOMEBODY 1001

typedef struct caller {
    jk_shm *shm;
    int name;
    uint32_t at; /* the place that it got */
} caller;

static apr_pool_t *process, *p;
static caller first, second;
static int turns; /* until the second's; below 0: it was, or there is none */

static uint64_t key(int n)
{
    return jk_tally_key("host:80", jk_span_of(apr_psprintf(p, "/%d", n)), "w");
}

static void ask(caller *c)
{
    c->at = jk_tally_place(jk_tally_make(p, c->shm, key(c->name)));
}

static void turn(void)
{
    if (turns < 0 || turns-- > 0)
        return;
    ask(&second);
}

static jk_shm *opened(void)
{
    jk_shm_news news;

    return jk_shm_parent_open(process, p, 4, 4, &news);
}

enum { PARENT, CHILD, CHILDREN }; /* who asks first: the parent and then a child, the other way round, or two children */

/* Of a table whose other places are either nobody's any more, or are in use. */
static const struct {
    int who, free;
    bool abandoned;
    int one, two; /* what they ask for */
    const char *why;
} orders[] = {
    { PARENT, 0, true, ANYBODY, SOMEBODY, "a child takes no place that the parent is about to give away" },
    { CHILD, 0, true, ANYBODY, SOMEBODY, "the same, begun by the child" },
    { CHILD, 1, false, ANYBODY, SOMEBODY, "the parent gives nobody a place that a child has just taken" },
    { CHILD, 1, true, ANYBODY, SOMEBODY, "nor where others are to be had" },
    { PARENT, 1, false, ANYBODY, SOMEBODY, "the last place is one mount's" },
    { CHILDREN, 1, false, ANYBODY, SOMEBODY, "of two children's, too" },
    { CHILDREN, 3, false, ANYBODY, ANYBODY, "two who ask for one mount find one place" },
    { CHILDREN, 1, false, ANYBODY, ANYBODY, "also where it is the last" },
    { PARENT, 3, false, ANYBODY, ANYBODY, "the parent is one of them" },
    { CHILD, 3, true, ANYBODY, ANYBODY, "and the child first" },
};

static void build(int row)
{
    jk_shm *before = opened(), *one = opened(), *two = opened(), *parent = opened();
    int taken = JK_MOUNTS - orders[row].free;

    for (int i = 0; i < taken; i++)
        (void)jk_tally_make(p, before, key(i));
    for (int i = 0; i < taken && !orders[row].abandoned; i++)
        jk_tally_parent_hold(parent, key(i));
    ck_assert_int_eq(jk_shm_child_begin(one, ONE_PID), JK_OK);
    ck_assert_int_eq(jk_shm_child_begin(two, OTHER_PID), JK_OK);
    first = (caller){ orders[row].who == PARENT ? parent : one, orders[row].one, 0 };
    second = (caller){ orders[row].who == CHILD ? parent : two, orders[row].two, 0 };
}

static bool has_its_own(const caller *c)
{
    return c->at == 0 || GET(c->shm->mounts[c->at].key) == key(c->name);
}

START_TEST(nobody_counts_at_anothers)
{
    jk_layout_mount *table = malloc(JK_LAYOUT_MOUNTS * sizeof *table);
    bool one_name = orders[_i].one == orders[_i].two;
    int n = 0;

    turns = -1;
    build(_i);
    memcpy(table, first.shm->mounts, JK_LAYOUT_MOUNTS * sizeof *table);
    do {
        memcpy(first.shm->mounts, table, JK_LAYOUT_MOUNTS * sizeof *table);
        second.at = UINT32_MAX;
        turns = n++;
        ask(&first);
        bool was = turns < 0;
        turns = -1;
        if (!was) /* all turns are over */
            break;
        ck_assert_msg(has_its_own(&first) && has_its_own(&second), "%s: turn %d, %u and %u", orders[_i].why, n, first.at, second.at);
        ck_assert_msg(one_name ? first.at == second.at : first.at == 0 || first.at != second.at, "%s: turn %d, %u and %u", orders[_i].why, n,
                      first.at, second.at);
    } while (n < 100000);
    ck_assert_int_gt(n, 100);
    ck_assert_int_lt(n, 100000);
    free(table);
}
END_TEST

static void begin(void)
{
    apr_pool_create(&process, NULL);
    apr_pool_create(&p, process);
    turns = -1;
}

static void end(void)
{
    apr_pool_destroy(process);
}

int main(void)
{
    Suite *suite = suite_create("tally_turns");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");

    apr_initialize();
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_loop_test(all, nobody_counts_at_anothers, 0, COUNT(orders));
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
