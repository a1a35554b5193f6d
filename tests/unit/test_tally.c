/* tests/unit/test_tally.c - places by name, over restarts and reloads; what has no place; who is killed; another segment. */
#include <check.h>

#include "jk/shm/tally.h"

#include "../../native/shm/layout.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>

#define ONE_PID 2000000001 /* of no process */
#define OTHER_PID 2000000002

static apr_pool_t *process, *p;

static jk_shm *opened(uint32_t slots, uint32_t rows, jk_shm_news expected)
{
    jk_shm_news news;
    jk_shm *shm = jk_shm_parent_open(process, p, slots, rows, &news);

    ck_assert_int_eq(news, expected);
    return shm;
}

static void begin(void)
{
    apr_pool_create(&process, NULL);
    apr_pool_create(&p, process);
}

static void end(void)
{
    apr_pool_destroy(process);
}

static uint64_t key(int n)
{
    return jk_tally_key("host:80", jk_span_of(apr_psprintf(p, "/%d", n)), "w");
}

static jk_tally *tally_of(jk_shm *shm, int n)
{
    return jk_tally_make(p, shm, key(n));
}

static jk_tally_numbers read_one(const jk_tally *tally)
{
    jk_tally_numbers n;

    jk_tally_read(tally, &n);
    return n;
}

static void one(jk_tally *tally, unsigned status, jk_rc rc)
{
    jk_tally_begin(tally);
    if (rc != JK_OK)
        jk_tally_fail(tally, rc, status);
    jk_tally_end(tally, 100, 10, 1500, status);
}

static const struct {
    const char *vhost, *pattern, *worker, *why;
} names[] = {
    { "a", "/x", "w", "one" },         { "b", "/x", "w", "another host" },        { "a", "/y", "w", "another URI" }, { "a", "/x", "v", "another worker" },
    { "a/", "x", "w", "cut elsewhere" }, { "a", "/xw", "", "cut elsewhere again" }, { "", "", "", "nothing" },
};

START_TEST(each_name_is_its_own)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 0; k <= i; k++)
            ck_assert_msg((jk_tally_key(names[i].vhost, jk_span_of(names[i].pattern), names[i].worker) ==
                           jk_tally_key(names[k].vhost, jk_span_of(names[k].pattern), names[k].worker)) == (i == k), "%s", names[i].why);
}
END_TEST

static const struct {
    unsigned status;
    jk_rc rc;
    unsigned errors, answers, failures; /* answers: of the class 1 .. 5, +1; 0: none */
    const char *why;
} visits[] = {
    { 200, JK_OK, 0, 2, 0, "well" },
    { 404, JK_OK, 0, 4, 0, "no error of the container" },
    { 500, JK_OK, 1, 5, 0, "an error of the application" },
    { 0, JK_E_CONNECT, 1, 0, 1, "no answer" },
    { 200, JK_E_RECV, 1, 2, 1, "an answer that breaks off" },
    { 503, JK_E_STATUS, 1, 5, 1, "both at once are one error" },
    { 200, JK_E_CLIENT_ABORT, 0, 2, 1, "the client left" },
    { 0, JK_E_BUSY, 1, 0, 1, "a limit of ours" },
    { 999, JK_OK, 1, 0, 0, "no class, and none that is known" },
};

START_TEST(each_kind_is_booked)
{
    jk_tally *tally = tally_of(opened(4, 2, JK_SHM_MADE), 1);
    jk_tally_numbers n;
    uint64_t failures = 0;

    jk_tally_begin(tally);
    ck_assert_uint_eq(read_one(tally).busy, 1);
    ck_assert_uint_eq(read_one(tally).requests, 0);
    if (visits[_i].rc != JK_OK)
        jk_tally_fail(tally, visits[_i].rc, visits[_i].status);
    jk_tally_end(tally, 100, 10, 1500, visits[_i].status);
    n = read_one(tally);
    for (int i = 0; i < JK_RC_COUNT; i++)
        failures += n.failed[i];
    ck_assert_uint_eq(n.busy, 0);
    ck_assert_uint_eq(n.requests, 1);
    ck_assert_uint_eq(n.read, 100);
    ck_assert_uint_eq(n.written, 10);
    ck_assert_uint_eq(n.total.bucket[1], 1);
    ck_assert_uint_eq(n.total.sum, 1500);
    ck_assert_msg(n.errors == visits[_i].errors, "%s", visits[_i].why);
    ck_assert_msg(failures == visits[_i].failures && n.failed[visits[_i].rc] == visits[_i].failures, "%s", visits[_i].why);
    for (unsigned i = 1; i < JK_STAT_CLASSES; i++)
        ck_assert_msg(n.answers[i] == (i == visits[_i].answers), "%s", visits[_i].why);
}
END_TEST

START_TEST(a_restart_and_a_reload_find_them)
{
    jk_shm *shm = opened(4, 2, JK_SHM_MADE);
    jk_tally *a = tally_of(shm, 1), *b = tally_of(shm, 2);

    one(a, 200, JK_OK);
    one(b, 200, JK_OK);
    one(b, 200, JK_OK);
    ck_assert_uint_eq(read_one(tally_of(shm, 2)).requests, 2); /* a reload */
    shm = opened(4, 2, JK_SHM_FOUND);
    ck_assert_uint_eq(read_one(tally_of(shm, 3)).requests, 0); /* in another order */
    ck_assert_uint_eq(read_one(tally_of(shm, 2)).requests, 2);
    ck_assert_uint_eq(read_one(tally_of(shm, 1)).requests, 1);
    ck_assert_uint_ne(jk_tally_place(tally_of(shm, 1)), jk_tally_place(tally_of(shm, 2)));
}
END_TEST

START_TEST(a_larger_segment_takes_them_over)
{
    jk_shm *shm = opened(4, 2, JK_SHM_MADE);

    one(tally_of(shm, 1), 500, JK_OK);
    jk_gauges_fell_back(shm, JK_FELL_LIMIT); /* of a process without a row: its own, and not carried */
    ck_assert_int_eq(jk_shm_child_begin(shm, ONE_PID), JK_OK);
    jk_gauges_fell_back(shm, JK_FELL_HTTP2);
    shm = opened(8, 3, JK_SHM_CARRIED);
    ck_assert_uint_eq(read_one(tally_of(shm, 1)).errors, 1);
    ck_assert_uint_eq(read_one(tally_of(shm, 1)).read, 100);
    ck_assert_uint_eq(read_one(tally_of(shm, 1)).total.sum, 1500);
    ck_assert_uint_eq(jk_gauges_read(shm).fell_back[JK_FELL_HTTP2], 1);
}
END_TEST

/* As if a module had made it whose mounts begin with something else and are fewer. */
START_TEST(another_layout_is_read_by_names)
{
    jk_shm *shm = opened(4, 2, JK_SHM_MADE);
    jk_layout_mount *to = apr_pcalloc(p, JK_LAYOUT_MOUNTS * sizeof *to);
    struct { uint64_t more, key, read; uint32_t errors; } theirs[3] = { { 7, 8, 9, 1 }, { 1, 2, 3, 1 }, { 4, 5, 6, 1 } };
    jk_layout_field fields[] = { { "mounts", JK_FIELD_PART, sizeof theirs[0], sizeof theirs },
                                 { "mount.key", JK_FIELD_NUMBER, 8, 8 }, { "mount.read", JK_FIELD_NUMBER, 16, 8 },
                                 { "mount.errors", JK_FIELD_NUMBER, 24, 4 } }; /* of another size: begins anew */
    jk_layout_kept *from = apr_pcalloc(p, sizeof *from);

    (void)shm;
    from->base = theirs;
    from->plan.size = sizeof theirs;
    from->fields = fields;
    from->nfields = 4;
    jk_layout_carry_mounts(to, from);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(to[i].key, theirs[i].key);
        ck_assert_uint_eq(to[i].read, theirs[i].read);
        ck_assert_uint_eq(to[i].errors, 0);
    }
    ck_assert_uint_eq(to[3].key, 0);
    from->nfields = 0; /* it knew no mounts */
    jk_layout_carry_mounts(to + 4, from);
    ck_assert_uint_eq(to[4].key, 0);
}
END_TEST

START_TEST(what_has_no_place_is_counted_together)
{
    jk_shm *shm = opened(4, 2, JK_SHM_MADE);
    jk_tally *last;

    for (int i = 0; i < JK_MOUNTS; i++)
        ck_assert_uint_eq(jk_tally_place(tally_of(shm, i)), (unsigned)i + 1);
    last = tally_of(shm, JK_MOUNTS);
    ck_assert_uint_eq(jk_tally_place(last), 0);
    one(last, 200, JK_OK);
    one(tally_of(shm, JK_MOUNTS + 1), 200, JK_OK);
    ck_assert_uint_eq(read_one(last).requests, 2);
    ck_assert_uint_eq(read_one(tally_of(shm, 0)).requests, 0);
}
END_TEST

/* A place is given to another name once nobody lives that knew it, and then begins at nothing. */
START_TEST(places_that_were_left_are_given_away)
{
    jk_shm *shm = opened(4, 2, JK_SHM_MADE), *child;
    jk_tally *tally;

    for (int i = 0; i < JK_MOUNTS; i++)
        one(tally_of(shm, i), 200, JK_OK);
    child = shm;
    shm = opened(4, 2, JK_SHM_FOUND); /* a restart: 0 alone is left, and a child of before lives */
    ck_assert_int_eq(jk_shm_child_begin(child, ONE_PID), JK_OK);
    jk_tally_begin(tally_of(child, 3));
    jk_tally_parent_hold(shm, key(0));
    ck_assert_uint_eq(jk_tally_place(tally_of(shm, 1000)), 0);
    jk_shm_parent_child_ended(shm, ONE_PID);
    tally = tally_of(shm, 1000);
    ck_assert_uint_ne(jk_tally_place(tally), 0);
    ck_assert_uint_ne(jk_tally_place(tally), jk_tally_place(tally_of(shm, 0)));
    ck_assert_uint_eq(read_one(tally).requests, 0);
    ck_assert_uint_eq(read_one(tally).busy, 0);
    ck_assert_uint_eq(read_one(tally_of(shm, 0)).requests, 1);
}
END_TEST

START_TEST(who_is_killed_has_nothing_under_way)
{
    jk_shm_news news;
    jk_shm *parent = opened(4, 2, JK_SHM_MADE), *a = jk_shm_parent_open(process, p, 4, 2, &news), *b = jk_shm_parent_open(process, p, 4, 2, &news);

    ck_assert_int_eq(jk_shm_child_begin(a, ONE_PID), JK_OK);
    ck_assert_int_eq(jk_shm_child_begin(b, OTHER_PID), JK_OK);
    jk_tally_begin(tally_of(a, 1));
    jk_tally_begin(tally_of(b, 1));
    jk_tally_begin(tally_of(b, 1));
    ck_assert_uint_eq(read_one(tally_of(parent, 1)).busy, 3);
    jk_shm_parent_child_ended(parent, OTHER_PID);
    ck_assert_uint_eq(read_one(tally_of(parent, 1)).busy, 1);
    jk_tally_end(tally_of(b, 1), 0, 0, 0, 200); /* a thread that was not told */
    ck_assert_uint_eq(read_one(tally_of(parent, 1)).busy, 1);
}
END_TEST

START_TEST(memory_of_one_worker_has_none)
{
    ck_assert_ptr_null(jk_tally_make(p, jk_shm_private(p), 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tally");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");

    apr_initialize();
    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, each_name_is_its_own);
    tcase_add_loop_test(all, each_kind_is_booked, 0, sizeof visits / sizeof visits[0]);
    tcase_add_test(all, a_restart_and_a_reload_find_them);
    tcase_add_test(all, a_larger_segment_takes_them_over);
    tcase_add_test(all, another_layout_is_read_by_names);
    tcase_add_test(all, what_has_no_place_is_counted_together);
    tcase_add_test(all, places_that_were_left_are_given_away);
    tcase_add_test(all, who_is_killed_has_nothing_under_way);
    tcase_add_test(all, memory_of_one_worker_has_none);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
