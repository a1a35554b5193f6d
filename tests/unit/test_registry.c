/* tests/unit/test_registry.c - which workers are made, by whom, and how they are found and readied. */
#include <check.h>

#include "jk/shm/stat.h"
#include "jk/worker/registry.h"

#include <apr_general.h>
#include <stdlib.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static apr_pool_t *pool;
static char readied[64]; /* the first letters of those that child() was called for */
static const char *fails;

static jk_rc child(jk_worker *worker, apr_pool_t *p, const jk_log *log)
{
    ck_assert_ptr_eq(p, pool);
    ck_assert_ptr_nonnull(log);
    strncat(readied, worker->name, 1);
    return fails && strcmp(worker->name, fails) == 0 ? JK_E_MEMORY : JK_OK;
}

static const jk_worker_type runner = { .name = "runner", .child = child }, shower = { .name = "shower", .child = child };

static jk_worker *make(apr_pool_t *p, const jk_worker_conf *conf, const jk_worker_type *type)
{
    jk_worker *worker = apr_pcalloc(p, sizeof *worker);

    *worker = (jk_worker){ .type = type, .conf = conf, .name = conf->name };
    return worker;
}

static jk_worker *make_runner(apr_pool_t *p, const jk_worker_conf *conf)
{
    return make(p, conf, &runner);
}

static jk_worker *make_shower(apr_pool_t *p, const jk_worker_conf *conf)
{
    return make(p, conf, &shower);
}

static const jk_registry_type both[] = { { JK_WORKER_AJP13, make_runner }, { JK_WORKER_STATUS, make_shower }, { 0 } };
static const jk_registry_type one_alone[] = { { JK_WORKER_STATUS, make_shower }, { 0 } };
static const jk_registry_type no_types[] = { { 0 } };

static jk_worker_conf confs[] = {
    { .name = "apple", .kind = JK_WORKER_AJP13, .listed = true },
    { .name = "cherry", .kind = JK_WORKER_STATUS, .listed = true },
    { .name = "balancer", .kind = JK_WORKER_LB, .listed = true },
    { .name = "member", .kind = JK_WORKER_AJP13, .listed = false },
    { .name = "date", .kind = JK_WORKER_AJP13, .listed = true },
};

static jk_registry *registry_of(const jk_registry_type *types)
{
    jk_workers_conf conf = { .workers = apr_array_make(pool, 2, sizeof(jk_worker_conf *)) };

    for (int i = 0; i < COUNT(confs); i++)
        APR_ARRAY_PUSH(conf.workers, jk_worker_conf *) = &confs[i];
    return jk_registry_make(pool, &conf, types);
}

static const struct {
    const jk_registry_type *types;
    const char *name;
    const jk_worker_type *type; /* NULL: not to be found */
    const char *why;
} rows[] = {
    { both, "apple", &runner, "its type's row makes it" },
    { both, "cherry", &shower, "another type, another row" },
    { both, "date", &runner, "the last of the list" },
    { both, "balancer", NULL, "no row for its type" },
    { both, "member", NULL, "it is not listed" },
    { both, "Apple", NULL, "names have their case" },
    { both, "appl", NULL, "and their whole length" },
    { both, "", NULL, "no name at all" },
    { one_alone, "apple", NULL, "a table without its type" },
    { one_alone, "cherry", &shower, "and with it" },
    { no_types, "cherry", NULL, "an empty table makes nobody" },
};

START_TEST(each_name_is_found_or_not)
{
    jk_worker *worker = jk_registry_find(registry_of(rows[_i].types), rows[_i].name);

    ck_assert_msg((worker != NULL) == (rows[_i].type != NULL), "%s", rows[_i].why);
    if (worker == NULL)
        return;
    ck_assert_ptr_eq(worker->type, rows[_i].type);
    ck_assert_str_eq(worker->name, rows[_i].name);
    ck_assert_str_eq(worker->conf->name, rows[_i].name);
}
END_TEST

START_TEST(a_name_is_one_worker)
{
    jk_registry *registry = registry_of(both);

    ck_assert_ptr_eq(jk_registry_find(registry, "apple"), jk_registry_find(registry, "apple"));
    ck_assert_ptr_ne(jk_registry_find(registry, "apple"), jk_registry_find(registry, "date"));
}
END_TEST

START_TEST(no_registry_knows_nobody)
{
    jk_log log = { 0 };

    ck_assert_ptr_null(jk_registry_find(NULL, "apple"));
    ck_assert_int_eq(jk_registry_child(NULL, pool, &log), JK_OK);
}
END_TEST

static void ready(jk_worker *worker, apr_pool_t *p, jk_shm *shm, const jk_log *log)
{
    const jk_tune file = { .max_packet_size = 8192 };

    (void)p;
    (void)log;
    worker->own = jk_stat_make(pool, shm, jk_shm_parent_slot(shm, worker->slot, (int)worker->conf->kind, &file));
}

static const jk_worker_type counts = { .name = "counts", .ready = ready };

static jk_worker *make_counting(apr_pool_t *p, const jk_worker_conf *conf)
{
    jk_worker *worker = make(p, conf, &counts);

    worker->slot = conf->name;
    return worker;
}

/* A segment with one slot for each, all taken. The worker that left makes room for the new one, and those behind it in the
 * list keep what is theirs. */
START_TEST(a_new_worker_takes_nobody_s_slot)
{
    static const jk_registry_type types[] = { { JK_WORKER_AJP13, make_counting }, { 0 } };
    jk_worker_conf before[] = { { .name = "kept", .listed = true }, { .name = "gone", .listed = true } };
    jk_worker_conf after[] = { { .name = "new", .listed = true }, { .name = "kept", .listed = true } };
    jk_workers_conf conf = { .workers = apr_array_make(pool, 2, sizeof(jk_worker_conf *)) };
    jk_log log = { 0 };
    jk_shm_news news;

    for (int turn = 0; turn < 2; turn++) {
        apr_array_clear(conf.workers);
        for (int i = 0; i < 2; i++) {
            jk_worker_conf *one = turn == 0 ? &before[i] : &after[i];
            one->kind = JK_WORKER_AJP13;
            APR_ARRAY_PUSH(conf.workers, jk_worker_conf *) = one;
        }
        jk_registry *registry = jk_registry_make(pool, &conf, types);
        jk_registry_ready(registry, pool, jk_shm_parent_open(pool, pool, 2, 1, &news), &log);
        jk_stat *kept = jk_registry_find(registry, "kept")->own;
        ck_assert_uint_eq(jk_stat_read(kept).count[JK_COUNT_SERVED], (unsigned)turn);
        jk_stat_add(kept, JK_COUNT_SERVED, 1);
    }
}
END_TEST

START_TEST(a_child_readies_each_once_in_the_order_of_the_list)
{
    jk_log log = { 0 };

    ck_assert_int_eq(jk_registry_child(registry_of(both), pool, &log), JK_OK);
    ck_assert_str_eq(readied, "acd");
}
END_TEST

START_TEST(a_worker_that_cannot_be_readied_is_told)
{
    jk_log log = { 0 };

    fails = "cherry";
    ck_assert_int_eq(jk_registry_child(registry_of(both), pool, &log), JK_E_MEMORY);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("registry");
    TCase *t = tcase_create("registry");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_add_loop_test(t, each_name_is_found_or_not, 0, COUNT(rows));
    tcase_add_test(t, a_name_is_one_worker);
    tcase_add_test(t, no_registry_knows_nobody);
    tcase_add_test(t, a_new_worker_takes_nobody_s_slot);
    tcase_add_test(t, a_child_readies_each_once_in_the_order_of_the_list);
    tcase_add_test(t, a_worker_that_cannot_be_readied_is_told);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
