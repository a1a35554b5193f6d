/* tests/unit/test_shm.c - the segment over restarts, children that are killed, slots that run out, another module's layout. */
#include <check.h>

#include "jk/shm/stat.h"

#include "../../native/shm/layout.h"

#include <apr_general.h>
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
    uint32_t version = jk_stat_tune_version(a);

    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(memcmp(&now, &file, sizeof now), 0);
    now.port = 99;
    now.retries = 7;
    jk_stat_tune_write(a, &now);
    ck_assert_uint_ne(jk_stat_tune_version(a), version);

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
        jk_shm_child_begin(shm, (int)getpid());
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
}
END_TEST

START_TEST(more_children_than_rows_still_count)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(8, 1, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    pid_t one = child_with(shm, a, 1, 0), two = child_with(shm, a, 2, 0);

    ck_assert_uint_eq(jk_stat_busy(a), 3);
    bury(shm, two);
    bury(shm, one);
    ck_assert_uint_le(jk_stat_busy(a), 2); /* the overflow row's share has no owner */
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

START_TEST(more_slots_and_rows_carry_the_values_over)
{
    jk_tune file = tune_of("a", 1), now;
    jk_shm *shm = opened(2, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);

    jk_stat_add(a, JK_COUNT_ERRORS, 4);
    jk_stat_tune_read(a, &now);
    now.lbfactor = 12;
    jk_stat_tune_write(a, &now);
    jk_stat_begin(a);
    shm = opened(100, 9, JK_SHM_CARRIED);
    a = stat_of(shm, "a", &file);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_ERRORS], 4);
    ck_assert_uint_eq(jk_stat_busy(a), 0); /* those under way are counted where they began */
    jk_stat_tune_read(a, &now);
    ck_assert_int_eq(now.lbfactor, 12);
    (void)opened(100, 9, JK_SHM_FOUND);
}
END_TEST

/* The segment of another module: as ours, but its hash differs, one field is unknown to it, and one has another size. */
START_TEST(another_layout_is_read_by_names)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(4, 2, JK_SHM_MADE);
    jk_stat *a = stat_of(shm, "a", &file);
    jk_layout_header *seg;
    jk_layout_field *fields;
    void *kept;

    jk_stat_add(a, JK_COUNT_SERVED, 3);
    jk_stat_add(a, JK_COUNT_ERRORS, 4);
    jk_stat_add(a, JK_COUNT_READ, 5);
    apr_pool_userdata_get(&kept, "mod_jk:shared-memory", process);
    seg = kept;
    seg->hash++;
    fields = (void *)((char *)seg + seg->fields_at);
    for (uint32_t i = 0; i < seg->nfields; i++) {
        if (strcmp(fields[i].name, "errors") == 0)
            strcpy(fields[i].name, "mistakes");
        if (strcmp(fields[i].name, "read") == 0)
            fields[i].size = 4;
    }
    shm = opened(4, 2, JK_SHM_CARRIED);
    a = stat_of(shm, "a", &file);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_SERVED], 3);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_ERRORS], 0);
    ck_assert_uint_eq(jk_stat_read(a).count[JK_COUNT_READ], 0);
}
END_TEST

/* What is kept in the process's pool is believed only where its own table makes sense. */
static const struct {
    size_t offset;
    const char *why;
} damages[] = {
    { offsetof(jk_layout_header, magic), "no segment of ours" },
    { offsetof(jk_layout_header, nfields), "more fields than it has room for" },
    { offsetof(jk_layout_header, nslots), "more slots" },
    { offsetof(jk_layout_header, nrows), "more rows" },
};

START_TEST(an_unsound_segment_is_not_read)
{
    jk_tune file = tune_of("a", 1);
    jk_shm *shm = opened(4, 2, JK_SHM_MADE);
    void *kept;

    (void)stat_of(shm, "a", &file);
    apr_pool_userdata_get(&kept, "mod_jk:shared-memory", process);
    *(uint32_t *)((char *)kept + damages[_i].offset) = UINT32_C(0x7FFFFFFF);
    (void)opened(4, 2, JK_SHM_MADE);
}
END_TEST

START_TEST(the_table_of_fields_is_whole)
{
    static unsigned char seen[sizeof(jk_layout_slot)];
    size_t known = 0;

    for (size_t i = 0; i < jk_layout_nfields; i++) {
        ck_assert_uint_le(jk_layout_fields[i].offset + jk_layout_fields[i].size, sizeof seen);
        for (uint32_t b = 0; b < jk_layout_fields[i].size; b++)
            ck_assert_msg(seen[jk_layout_fields[i].offset + b]++ == 0, "%s overlaps another", jk_layout_fields[i].name);
        known += jk_layout_fields[i].size;
    }
    /* All but the spare bytes of two tunes and holes of alignment: a field that somebody forgets is larger. */
    ck_assert_uint_le(sizeof(jk_layout_slot) - known, 2 * 2 + 16);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shm");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");

    apr_initialize();
    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_test(all, a_restart_finds_what_was_counted);
    tcase_add_test(all, an_edit_stays_until_the_file_says_something_else_there);
    tcase_add_test(all, a_name_that_changed_its_type_begins_anew);
    tcase_add_test(all, what_a_killed_child_had_under_way_goes_with_it);
    tcase_add_test(all, more_children_than_rows_still_count);
    tcase_add_test(all, slots_run_out_and_are_reused_when_nobody_can_use_them);
    tcase_add_test(all, more_slots_and_rows_carry_the_values_over);
    tcase_add_test(all, another_layout_is_read_by_names);
    tcase_add_loop_test(all, an_unsound_segment_is_not_read, 0, (int)(sizeof damages / sizeof damages[0]));
    tcase_add_test(all, the_table_of_fields_is_whole);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
