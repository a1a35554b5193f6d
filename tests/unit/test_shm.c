/* tests/unit/test_shm.c - the segment over restarts, children that are killed, slots that run out, another module's layout. */
#include <check.h>

#include "jk/shm/stat.h"
#include "jk/shm/tally.h"

#include "../../native/shm/layout.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static apr_pool_t *process, *conf; /* the process's pool, and that of one configuration */

static void begin(void)
{
    apr_pool_create(&process, NULL);
    apr_pool_create(&conf, process);
}

static void end(void)
{
    apr_pool_destroy(process);
}

static jk_shm *opened(uint32_t slots, uint32_t rows, jk_shm_news expected)
{
    jk_shm_news news;
    jk_shm *shm = jk_shm_parent_open(process, conf, slots, rows, &news);

    ck_assert_int_eq(news, expected);
    return shm;
}

static jk_tune tune_of(const char *host, int32_t port)
{
    jk_tune t;

    memset(&t, 0, sizeof t);
    strcpy(t.host, host);
    t.port = port;
    t.retries = 2;
    t.max_packet_size = 8192;
    return t;
}

static jk_stat *stat_of(jk_shm *shm, const char *name, const jk_tune *file)
{
    uint32_t slot = jk_shm_parent_slot(shm, name, 1, file);

    ck_assert_uint_ne(slot, JK_SHM_FULL);
    return jk_stat_make(conf, shm, slot);
}

START_TEST(a_restart_finds_what_was_counted)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(8, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file), *b = stat_of(shm, "b", &file);

    jk_stat_add(a, JK_COUNT_SERVED, 3);
    jk_stat_add(b, JK_COUNT_SERVED, 5);
    shm = opened(8, 2, JK_SHM_FOUND);
    b = stat_of(shm, "b", &file); /* in another order */
    a = stat_of(shm, "a", &file);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_SERVED], 3);
    ck_assert_uint_eq(jk_stat_read(b).count[JK_COUNT_SERVED], 5);
}
END_TEST

START_TEST(an_edit_stays_until_the_file_says_something_else_there)
{
    jk_tune file = tune_of("a", 1), now;
    jk_shm *shm = opened(8, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    uint32_t version = jk_stat_tune_version(a), edits = jk_shm_edits(shm);

    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(memcmp(&now, &file, sizeof now), 0);
    now.port = 99;
    now.retries = 7;
    ck_assert_int_eq(jk_stat_tune_edit(a, &file, &now), JK_OK);
    ck_assert_uint_ne(jk_stat_tune_version(a), version);
    ck_assert_uint_ne(jk_shm_edits(shm), edits);

    a = stat_of(opened(8, 2, JK_SHM_FOUND), "a", &file);
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(now.port, 99);
    ck_assert_int_eq(now.retries, 7);

    file.port = 2; /* somebody has edited the file */
    a = stat_of(opened(8, 2, JK_SHM_FOUND), "a", &file);
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(now.port, 2);
    ck_assert_int_eq(now.retries, 7);
    jk_stat_tune_file(a, &now);
    ck_assert_int_eq(memcmp(&now, &file, sizeof now), 0);
}
END_TEST

START_TEST(a_name_that_changed_its_type_begins_anew)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(8, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);

    jk_stat_add(a, JK_COUNT_SERVED, 3);
    shm = opened(8, 2, JK_SHM_FOUND);
    a = jk_stat_make(conf, shm, jk_shm_parent_slot(shm, "a", 2, &file));
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_SERVED], 0);
}
END_TEST

/* A child that holds what it began until it is killed. */
static pid_t child_with(jk_shm *shm, jk_stat *stat, int busy, int connected)
{
    int ready[2];
    char c;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)jk_shm_child_begin(shm, (int)getpid());
        while (busy-- > 0)
            jk_stat_begin(stat);
        while (connected-- > 0)
            jk_stat_connect_within(stat, 0);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void bury(jk_shm *shm, pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    jk_shm_parent_child_ended(shm, (int)pid);
}

START_TEST(what_a_killed_child_had_under_way_goes_with_it)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(8, 4, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    pid_t one = child_with(shm, a, 3, 5), two = child_with(shm, a, 4, 6);
    jk_stat_totals totals;

    ck_assert_uint_eq(jk_stat_busy(a), 7);
    ck_assert_uint_eq(jk_stat_connected(a), 11);
    bury(shm, one);
    ck_assert_uint_eq(jk_stat_busy(a), 4);
    ck_assert_uint_eq(jk_stat_connected(a), 6);
    one = child_with(shm, a, 1, 0); /* takes the free row */
    ck_assert_uint_eq(jk_stat_busy(a), 5);
    bury(shm, one);
    bury(shm, two);
    ck_assert_uint_eq(jk_stat_busy(a), 0);
    ck_assert_uint_eq(jk_stat_read(a).max_busy, 7);
    jk_stat_totals_read(a, &totals);
    ck_assert_uint_eq(totals.closed[0], 11); /* the connections that they had open */
}
END_TEST

/* It sees the others and limits itself; nobody is left with what it had. */
START_TEST(a_child_without_a_row_counts_for_itself)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(8, 1, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    pid_t one = child_with(shm, a, 1, 0), two = fork();

    if (two == 0) {
        bool same = jk_shm_child_begin(shm, (int)getpid()) == JK_E_SPACE && jk_stat_begin(a) == 2 && jk_stat_begin(a) == 3;
        _exit(same && !jk_stat_begin_within(a, 3) && jk_stat_busy(a) == 3 ? 0 : 1);
    }
    int status;
    waitpid(two, &status, 0);
    ck_assert_int_eq(status, 0);
    jk_shm_parent_child_ended(shm, (int)two);
    ck_assert_uint_eq(jk_stat_busy(a), 1);
    bury(shm, one);
    ck_assert_uint_eq(jk_stat_busy(a), 0);
}
END_TEST

START_TEST(slots_run_out_and_are_reused_when_nobody_can_use_them)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(2, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file), *b = stat_of(shm, "b", &file);
    pid_t old;

    jk_stat_add(a, JK_COUNT_SERVED, 1);
    jk_stat_add(b, JK_COUNT_SERVED, 2);
    ck_assert_uint_eq(jk_shm_parent_slot(shm, "c", 1, &file), JK_SHM_FULL); /* both are in use */
    old = child_with(shm, b, 1, 0);
    shm = opened(2, 2, JK_SHM_FOUND);
    a = stat_of(shm, "a", &file);
    ck_assert_uint_eq(jk_shm_parent_slot(shm, "c", 1, &file), JK_SHM_FULL); /* a child of before may use b */
    bury(shm, old);
    shm = opened(2, 2, JK_SHM_FOUND);
    a = stat_of(shm, "a", &file);
    jk_stat *c = stat_of(shm, "c", &file);
    ck_assert_uint_eq(jk_stat_read(c).count[JK_COUNT_SERVED], 0);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_SERVED], 1);
}
END_TEST

/* All slots are taken, one by a worker that left. The new worker stands first in the list; it must not get that of one behind it. */
START_TEST(names_that_have_a_slot_keep_it)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(2, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file), *b = stat_of(shm, "b", &file);

    jk_stat_add(a, JK_COUNT_SERVED, 1);
    jk_stat_add(b, JK_COUNT_SERVED, 2);
    shm = opened(2, 2, JK_SHM_FOUND); /* nobody of before lives: both could be given away */
    jk_shm_parent_hold(shm, "new");
    jk_shm_parent_hold(shm, "a");
    ck_assert_uint_eq(jk_stat_read(stat_of(shm, "new", &file)).count[JK_COUNT_SERVED], 0);
    ck_assert_uint_eq(jk_stat_read(stat_of(shm, "a", &file)).count[JK_COUNT_SERVED], 1);
}
END_TEST

/* A child of before goes on with the slot that its configuration knew by that name. */
START_TEST(a_slot_is_not_cleared_under_a_living_child)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(4, 4, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    pid_t old = child_with(shm, a, 3, 0);

    jk_stat_add(a, JK_COUNT_SERVED, 5);
    shm = opened(4, 4, JK_SHM_FOUND);
    jk_stat *other = jk_stat_make(conf, shm, jk_shm_parent_slot(shm, "a", 2, &file));
    ck_assert_uint_eq(jk_stat_read(other).count[JK_COUNT_SERVED], 0);
    ck_assert_uint_eq(jk_stat_busy(other), 0);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_SERVED], 5);
    ck_assert_uint_eq(jk_stat_busy(a), 3);
    bury(shm, old);
    ck_assert_uint_eq(jk_stat_busy(a), 0);
}
END_TEST

/* It was told to the parent, and has not come to its own beginning. */
START_TEST(a_child_that_is_slow_to_begin_is_known)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(1, 4, JK_SHM_MADE);
    (void)stat_of(shm, "a", &file);
    pid_t slow = fork();

    if (slow == 0)
        for (;;)
            pause();
    jk_shm_parent_child_started(shm, (int)slow);
    shm = opened(1, 4, JK_SHM_FOUND);
    ck_assert_uint_eq(jk_shm_parent_slot(shm, "b", 1, &file), JK_SHM_FULL);
    bury(shm, slow);
    ck_assert_uint_ne(jk_shm_parent_slot(shm, "b", 1, &file), JK_SHM_FULL);
}
END_TEST

/* The next one to open finds out, as after a time in which the module was not loaded. */
START_TEST(a_death_that_nobody_told_is_found)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(4, 4, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    pid_t child = child_with(shm, a, 2, 1);

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_uint_eq(jk_stat_busy(a), 2);
    (void)opened(4, 4, JK_SHM_FOUND);
    ck_assert_uint_eq(jk_stat_busy(a), 0);
    ck_assert_uint_eq(jk_stat_connected(a), 0);
}
END_TEST

START_TEST(more_slots_and_rows_carry_the_values_over)
{
    jk_tune file = tune_of("a", 1), now;
    jk_stat_totals was, is;
    jk_shm *shm = opened(2, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);

    jk_stat_add(a, JK_COUNT_ERRORS, 3);
    jk_stat_reset(a, 1000);
    jk_stat_add(a, JK_COUNT_ERRORS, 4);
    jk_stat_took(a, JK_TIME_TOTAL, 5000000);
    jk_stat_fail(a, JK_E_SEND);
    jk_stat_closed(a, 3);
    jk_stat_totals_read(a, &was);
    jk_stat_tune_read(a, &now);
    now.lbfactor = 12;
    ck_assert_int_eq(jk_stat_tune_edit(a, &file, &now), JK_OK);
    jk_stat_begin(a);
    shm = opened(100, 9, JK_SHM_CARRIED);
    a = stat_of(shm, "a", &file);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_ERRORS], 4);
    jk_stat_totals_read(a, &is);
    ck_assert_mem_eq(&is, &was, sizeof is);
    ck_assert_uint_eq(is.count[JK_COUNT_ERRORS], 7);
    ck_assert_uint_eq(jk_stat_busy(a), 0); /* those under way are counted where they began */
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(now.lbfactor, 12);
    file.lbfactor = 13; /* and what the file said went over too */
    a = stat_of(opened(100, 9, JK_SHM_FOUND), "a", &file);
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(now.lbfactor, 13);
}
END_TEST

START_TEST(fewer_slots_and_more_rows_lose_nobody)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(8, 2, JK_SHM_MADE);

    (void)stat_of(shm, "a", &file);
    (void)stat_of(shm, "b", &file);
    jk_stat_add(stat_of(shm, "c", &file), JK_COUNT_ERRORS, 3);
    shm = opened(1, 9, JK_SHM_CARRIED);
    ck_assert_uint_eq(jk_stat_read(stat_of(shm, "c", &file)).count[JK_COUNT_ERRORS], 3);
}
END_TEST

/* ---- what the parent keeps for itself ---- */

static jk_layout_kept *kept(void)
{
    void *found = NULL;

    apr_pool_userdata_get(&found, JK_LAYOUT_KEPT, process);
    return found;
}

START_TEST(the_old_segment_goes_with_its_last_child)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(2, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    pid_t one = child_with(shm, a, 1, 0), two = child_with(shm, a, 2, 0);

    shm = opened(4, 4, JK_SHM_CARRIED);
    ck_assert_uint_eq(jk_shm_parent_segments(shm), 2);
    ck_assert_uint_eq(jk_stat_busy(a), 3); /* its view of the old one */
    bury(shm, one);
    ck_assert_uint_eq(jk_stat_busy(a), 2); /* the other child sees the same */
    ck_assert_uint_eq(jk_shm_parent_segments(shm), 2);
    bury(shm, two);
    ck_assert_uint_eq(jk_shm_parent_segments(shm), 1);
    shm = opened(8, 4, JK_SHM_CARRIED); /* nobody is left there: at once, or with the next restart */
    shm = opened(8, 4, JK_SHM_FOUND);
    ck_assert_uint_eq(jk_shm_parent_segments(shm), 1);
}
END_TEST

START_TEST(two_segments_at_most)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(2, 2, JK_SHM_MADE);
    pid_t one = child_with(shm, stat_of(shm, "a", &file), 1, 0), two;

    shm = opened(4, 2, JK_SHM_CARRIED);
    two = child_with(shm, stat_of(shm, "a", &file), 1, 0);
    shm = opened(8, 2, JK_SHM_CARRIED);
    ck_assert_uint_eq(jk_shm_parent_segments(shm), 2);
    ck_assert_ptr_null(kept()->before->before);
    bury(shm, one);
    ck_assert_uint_eq(jk_shm_parent_segments(shm), 2);
    bury(shm, two);
    ck_assert_uint_eq(jk_shm_parent_segments(shm), 1);
}
END_TEST

/* ---- edits ---- */

START_TEST(an_edit_changes_what_it_names)
{
    jk_tune file = tune_of("a", 1), one, two, now;
    jk_stat *a = stat_of(opened(2, 2, JK_SHM_MADE), "a", &file);

    jk_stat_tune_read(a, &now); /* two administrators have opened the page */
    one = two = now;
    one.lbfactor = 5;
    strcpy(one.route, "r1");
    two.distance = 2;
    strcpy(two.domain, "d2");
    ck_assert_int_eq(jk_stat_tune_edit(a, &now, &one), JK_OK);
    ck_assert_int_eq(jk_stat_tune_edit(a, &now, &two), JK_OK);
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(now.lbfactor, 5);
    ck_assert_str_eq(now.route, "r1");
    ck_assert_int_eq(now.distance, 2);
    ck_assert_str_eq(now.domain, "d2");
    jk_stat_tune_file(a, &now);
    ck_assert_int_eq(memcmp(&now, &file, sizeof now), 0);
}
END_TEST

static jk_layout_slot *first_slot(void)
{
    return jk_layout_slot_at(kept()->base, &kept()->plan, 0);
}

/* An editor who is killed has changed nothing, and keeps nobody out: the parent is told, or the next one who comes finds nobody. */
START_TEST(a_killed_editor_keeps_nobody_out)
{
    jk_tune file = tune_of("a", 1), now = file;
    jk_shm *shm = opened(2, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    pid_t editor = child_with(shm, a, 0, 0);
    uint32_t edits = jk_shm_edits(shm);

    atomic_store(&first_slot()->editor, (int)editor);
    memset((void *)&first_slot()->editions[(jk_stat_tune_version(a) + 1) % 2], 0x55, 400); /* it was about it */
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(memcmp(&now, &file, sizeof now), 0);
    kill(editor, SIGKILL);
    waitpid(editor, NULL, 0);
    if (_i == 0)
        jk_shm_parent_child_ended(shm, (int)editor);
    ck_assert_int_eq(atomic_load(&first_slot()->editor), _i == 0 ? 0 : (int)editor);
    now.port = 7;
    ck_assert_int_eq(jk_stat_tune_edit(a, &file, &now), JK_OK);
    jk_stat_tune_read(a, &file);
    ck_assert_int_eq(memcmp(&now, &file, sizeof now), 0);
    ck_assert_uint_eq(jk_shm_edits(shm) - edits, _i == 0 ? 2 : 1); /* whoever made something of the values looks again */
}
END_TEST

static void edited_by(pid_t editor)
{
    for (uint32_t i = 0; i < kept()->plan.nslots; i++)
        atomic_store(&jk_layout_slot_at(kept()->base, &kept()->plan, i)->editor, (int)editor);
}

/* One that is stopped, or does harm: an edit is refused and changes nothing; the parent goes on, however many slots are held. (A second at each of
 * them would be longer than a test may last.) */
START_TEST(a_stopped_editor_holds_nobody_up_for_ever)
{
    jk_tune file = tune_of("a", 1), now = file;
    jk_shm *shm = opened(100, 2, JK_SHM_MADE);
    jk_stat *last = NULL;
    pid_t editor = child_with(shm, stat_of(shm, "n0", &file), 0, 0);

    for (int turn = 0; turn < 2; turn++) { /* in the second one all are held */
        for (int i = 0; i < 100; i++)
            last = stat_of(shm, apr_psprintf(conf, "n%d", i), &file);
        jk_stat_tune_read(last, &now);
        ck_assert_int_eq(now.port, file.port);
        edited_by(editor);
        file.port++;
        shm = opened(100, 2, JK_SHM_FOUND);
    }
    file = now;
    now.port = 7;
    ck_assert_int_eq(jk_stat_tune_edit(last, &file, &now), JK_E_BUSY);
    jk_stat_tune_read(last, &now);
    ck_assert_int_eq(now.port, file.port);
    bury(shm, editor);
}
END_TEST

/* The segment of another module: as ours, but its hash differs, one field is unknown to it, and one has another size. */
START_TEST(another_layout_is_read_by_names)
{
    jk_tune file = tune_of("a", 1), now = file;
    jk_shm *shm = opened(4, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);

    jk_stat_add(a, JK_COUNT_SERVED, 3);
    jk_stat_add(a, JK_COUNT_ERRORS, 4);
    jk_stat_add(a, JK_COUNT_READ, 5);
    now.distance = 7;
    strcpy(now.route, "r");
    strcpy(now.domain, "d");
    ck_assert_int_eq(jk_stat_tune_edit(a, &file, &now), JK_OK); /* an odd edition, so that the right one of two must be found */
    kept()->plan.hash++;
    for (uint32_t i = 0; i < kept()->nfields; i++) {
        jk_layout_field *f = &kept()->fields[i];
        if (strcmp(f->name, "errors") == 0)
            strcpy(f->name, "mistakes");
        if (strcmp(f->name, "read") == 0)
            f->size = 4;
        if (strcmp(f->name, "tune.domain") == 0)
            f->size = 32;
    }
    shm = opened(4, 2, JK_SHM_CARRIED);
    a = stat_of(shm, "a", &file);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_SERVED], 3);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_ERRORS], 0);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_READ], 0);
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(now.distance, 7);
    ck_assert_str_eq(now.route, "r");
    ck_assert_str_eq(now.domain, "");
    ck_assert_int_eq(now.port, 1);
}
END_TEST

START_TEST(what_another_version_kept_is_not_read)
{
    jk_tune file = tune_of("a", 1);

    (void)stat_of(opened(4, 2, JK_SHM_MADE), "a", &file);
    kept()->version++;
    (void)opened(4, 2, JK_SHM_MADE);
}
END_TEST

/* ---- children write anything ---- */

static uint64_t seed;

static uint64_t chance(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Whatever stands there, a copy is one that the rest of the house can work with. */
static void look_at_tune(const jk_tune *t)
{
    const char *texts[] = { t->host, t->route, t->domain, t->redirect, t->session_cookie, t->session_path };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_ptr_nonnull(memchr(texts[i], 0, JK_NAME_MAX + 1));
    ck_assert(t->max_packet_size >= 8192 && t->max_packet_size <= 65536);
    ck_assert(t->activation >= JK_ACTIVE && t->activation <= JK_STOPPED && t->method >= 0 && t->method <= JK_METHOD_NEXT);
    ck_assert(t->port >= 0 && t->port <= 65535);
    ck_assert((t->sticky_session ? 1 : 0) + (t->sticky_session_force ? 1 : 0) <= 2);
}

/* Every call of the room, with what the segment holds now. */
static void use_all(jk_shm *shm, jk_stat *stat)
{
    jk_stat_totals totals;
    const jk_tune rules = { .recover_time = 60, .error_escalation_time = 30, .max_reply_timeouts = 2 };
    jk_tune now, to;
    jk_limits limits;

    jk_stat_tune_read(stat, &now);
    look_at_tune(&now);
    to = now;
    to.distance ^= 1;
    strcpy(to.route, "x");
    (void)jk_stat_tune_edit(stat, &now, &to);
    jk_stat_tune_file(stat, &now);
    look_at_tune(&now);
    jk_stat_limits_read(stat, &limits);
    ck_assert(limits.max_packet_size >= 8192 && limits.max_packet_size <= 65536);
    (void)jk_stat_begin(stat);
    (void)jk_stat_begin_within(stat, 3);
    (void)jk_stat_connect_within(stat, 3);
    jk_stat_disconnect(stat);
    jk_stat_end(stat);
    for (int news = 0; news < JK_MEMBER_NEWS; news++) {
        (void)jk_stat_event(stat, (jk_member_news)news, 1000, &rules);
        jk_stat_alone(stat, (jk_member_news)news, 1000);
        ck_assert_int_lt(jk_stat_state(stat), JK_STATES);
    }
    (void)jk_stat_claim_maintenance(stat, 1000, 1);
    jk_stat_budget_started(stat, 1000);
    (void)jk_stat_budget_take(stat, 1000, 20);
    jk_stat_value_decay(stat, JK_METHOD_REQUEST, 3, 1);
    jk_stat_value_move(stat, (jk_method_load){ 5, 3 });
    jk_stat_timeouts_decay(stat, 1);
    jk_stat_free_probe(stat);
    jk_stat_wait(stat);
    jk_stat_waited(stat);
    jk_stat_took(stat, JK_TIME_FIRST, 7000);
    jk_stat_fail(stat, JK_E_RECV);
    jk_stat_closed(stat, 1);
    (void)jk_stat_read(stat);
    jk_stat_totals_read(stat, &totals);
    (void)jk_shm_edits(shm);
    jk_stat_reset(stat, 1000);
}

static void use_mounts(jk_shm *shm)
{
    jk_tally_numbers numbers;

    for (uint64_t key = 1; key < 4; key++) {
        jk_tally_parent_hold(shm, key);
        jk_tally *tally = jk_tally_make(conf, shm, key);
        ck_assert_uint_le(jk_tally_place(tally), JK_MOUNTS);
        jk_tally_begin(tally);
        jk_tally_fail(tally, JK_E_RECV, 0);
        jk_tally_end(tally, 1, 1, 1, 200);
        jk_tally_read(tally, &numbers);
    }
}

/* All that a parent does from one configuration to the next; no byte of it may lead out of the segment, where the guard pages wait. */
static void live_on(uint32_t slots, uint32_t rows, jk_shm_news expected)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(slots, rows, expected);
    const char *names[] = { "a", "lb", "lb/a", "new" };

    for (size_t i = 0; i < 4; i++)
        jk_shm_parent_hold(shm, names[i]);
    for (size_t i = 0; i < 4; i++) {
        uint32_t at = jk_shm_parent_slot(shm, names[i], 1, &file);
        ck_assert(at == JK_SHM_FULL || at < slots);
        if (at != JK_SHM_FULL)
            use_all(shm, jk_stat_make(conf, shm, at));
    }
    use_mounts(shm);
    jk_shm_parent_child_started(shm, 999999);
    (void)jk_shm_child_begin(shm, 999998);
    use_mounts(shm);
    jk_shm_parent_child_ended(shm, 999999);
    jk_shm_parent_child_ended(shm, 999998);
    jk_shm_parent_child_ended(shm, -1);
}

typedef enum scribble { ONES, ZEROES, LARGE, ONE_WORD, ANYTHING, SCRIBBLES } scribble;

static void scribble_over(scribble how)
{
    unsigned char *bytes = kept()->base;
    size_t n = kept()->plan.size, at = chance() % (n / 4);
    const uint64_t odd[] = { UINT64_MAX, (uint64_t)INT64_MAX, (uint64_t)INT64_MIN, UINT32_MAX, INT32_MAX, 1, 0 };

    for (size_t i = 0; how == ANYTHING && i + 8 <= n; i += 8)
        memcpy(bytes + i, &(uint64_t){ chance() }, 8);
    for (size_t i = 0; how == LARGE && i + 8 <= n; i += 8)
        memcpy(bytes + i, &odd[chance() % 7], 8);
    if (how == ONES || how == ZEROES)
        memset(bytes, how == ONES ? 0xFF : 0, n);
    if (how == ONE_WORD)
        memcpy(bytes + 4 * at, &(uint32_t){ (uint32_t)chance() }, 4);
    /* Who would edit is gone, or this test would wait for a second at each slot. */
    for (uint32_t i = 0; i < kept()->plan.nslots; i++)
        atomic_store(&jk_layout_slot_at(kept()->base, &kept()->plan, i)->editor, how == ANYTHING ? -(int)(chance() % 9) : 0);
}

START_TEST(scribbles_lead_nowhere)
{
    const uint32_t slots = 4 + (uint32_t)_i % 3, rows = 3;

    seed = UINT64_C(0x9E3779B97F4A7C15) * (uint64_t)(_i + 1);
    live_on(slots, rows, JK_SHM_MADE);
    for (int turn = 0; turn < (_i == ONE_WORD ? 2000 : 60); turn++) {
        scribble_over((scribble)(_i % SCRIBBLES));
        live_on(slots, rows, JK_SHM_FOUND);
    }
    scribble_over((scribble)(_i % SCRIBBLES));
    live_on(slots + 1, rows, JK_SHM_CARRIED); /* another size */
    scribble_over((scribble)(_i % SCRIBBLES));
    kept()->plan.hash++;
    live_on(slots + 1, rows, JK_SHM_CARRIED); /* another layout */
    live_on(slots + 1, rows, JK_SHM_FOUND);
}
END_TEST

/* Each byte alone, all ones and all zeroes: no field is forgotten. What the file says anew is in force in spite of it. */
START_TEST(each_byte_leads_nowhere)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(1, 2, JK_SHM_MADE);
    jk_stat *stat = stat_of(shm, "a", &file);
    unsigned char *bytes = kept()->base;

    /* Of the mounts, which are all the same, the first two. */
    jk_tally *tally = jk_tally_make(conf, shm, 7);
    size_t n = (size_t)kept()->plan.size - JK_LAYOUT_MOUNTS * sizeof(jk_layout_mount) + 2 * sizeof(jk_layout_mount);
    for (size_t i = 0; i < n; i++) {
        unsigned char was = bytes[i];
        jk_tally_numbers mount;
        jk_tune now;
        jk_stat_numbers numbers;
        for (int value = 0; value <= 0xFF; value += 0xFF) {
            bytes[i] = (unsigned char)value;
            jk_stat_tune_read(stat, &now);
            look_at_tune(&now);
            numbers = jk_stat_read(stat);
            ck_assert_int_ge(numbers.last_reset, 0);
            ck_assert_int_lt(jk_stat_view(stat).state, JK_STATES);
            (void)jk_stat_begin_within(stat, 1);
            jk_stat_end(stat);
            jk_tally_read(tally, &mount);
        }
        bytes[i] = was;
    }
    shm = opened(1, 2, JK_SHM_FOUND);
    file.port = 4242;
    stat = stat_of(shm, "a", &file);
    jk_stat_tune_read(stat, &file);
    ck_assert_int_eq(file.port, 4242);
}
END_TEST

/* The guard pages are there: what the tests above rely on. A sanitizer makes an exit of the signal. */
START_TEST(outside_is_a_crash)
{
    int status = 0;

    (void)opened(4, 2, JK_SHM_MADE);
    volatile char *base = kept()->base;
    size_t size = kept()->plan.size;
    base[0] = base[size - 1] = 1;
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        base[_i == 0 ? (ptrdiff_t)size : -(ptrdiff_t)sysconf(_SC_PAGESIZE)] = 1;
        _exit(0);
    }
    waitpid(child, &status, 0);
    ck_assert_int_ne(status, 0);
}
END_TEST

START_TEST(the_table_of_fields_is_whole)
{
    static unsigned char of_slot[sizeof(jk_layout_slot)], of_tune[sizeof(jk_tune)], of_mount[sizeof(jk_layout_mount)];
    struct { unsigned char *seen; size_t size, known; } all[] = { { of_slot, sizeof of_slot, 0 }, { of_tune, sizeof of_tune, 0 },
                                                                  { of_mount, sizeof of_mount, 0 } };

    for (size_t i = 0; i < jk_layout_nfields; i++) {
        const jk_layout_field *f = &jk_layout_fields[i];
        int of = strncmp(f->name, "tune.", 5) == 0 ? 1 : strncmp(f->name, "mount.", 6) == 0 ? 2 : 0;
        if (strcmp(f->name, "mounts") == 0) /* is no field */
            continue;
        ck_assert_uint_le(f->offset + f->size, all[of].size);
        for (uint32_t b = 0; b < f->size; b++)
            ck_assert_msg(all[of].seen[f->offset + b]++ == 0, "%s overlaps another", f->name);
        all[of].known += f->size;
    }
    ck_assert_uint_eq(all[1].known, sizeof of_tune);
    for (int of = 0; of < 3; of++)
        ck_assert_uint_le(all[of].size - all[of].known, 16); /* holes of alignment: a field that somebody forgets is larger, or would be with its neighbour */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shm");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");

    apr_initialize();
    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, a_restart_finds_what_was_counted);
    tcase_add_test(all, an_edit_stays_until_the_file_says_something_else_there);
    tcase_add_test(all, a_name_that_changed_its_type_begins_anew);
    tcase_add_test(all, what_a_killed_child_had_under_way_goes_with_it);
    tcase_add_test(all, a_child_without_a_row_counts_for_itself);
    tcase_add_test(all, slots_run_out_and_are_reused_when_nobody_can_use_them);
    tcase_add_test(all, more_slots_and_rows_carry_the_values_over);
    tcase_add_test(all, fewer_slots_and_more_rows_lose_nobody);
    tcase_add_test(all, another_layout_is_read_by_names);
    tcase_add_test(all, names_that_have_a_slot_keep_it);
    tcase_add_test(all, a_slot_is_not_cleared_under_a_living_child);
    tcase_add_test(all, a_child_that_is_slow_to_begin_is_known);
    tcase_add_test(all, a_death_that_nobody_told_is_found);
    tcase_add_test(all, the_old_segment_goes_with_its_last_child);
    tcase_add_test(all, two_segments_at_most);
    tcase_add_test(all, an_edit_changes_what_it_names);
    tcase_add_loop_test(all, a_killed_editor_keeps_nobody_out, 0, 2);
    tcase_add_test(all, a_stopped_editor_holds_nobody_up_for_ever);
    tcase_add_test(all, what_another_version_kept_is_not_read);
    tcase_add_loop_test(all, scribbles_lead_nowhere, 0, 3 * SCRIBBLES);
    tcase_add_test(all, each_byte_leads_nowhere);
    tcase_add_loop_test(all, outside_is_a_crash, 0, 2);
    tcase_add_test(all, the_table_of_fields_is_whole);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
