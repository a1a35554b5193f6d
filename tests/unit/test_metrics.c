/* tests/unit/test_metrics.c - what is written for machines: which format who wants, names that are escaped, histograms that add up. What the
 * numbers are is tests/integration/test_metrics.py's to say. */
#include <check.h>

#include "jk/status/metrics.h"
#include "jk/worker/backend.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static apr_pool_t *pool;

static const struct {
    const char *accept;
    jk_metrics_form form;
    const char *why;
} accepts[] = {
    { NULL, JK_METRICS_TEXT, "nothing was said" },
    { "", JK_METRICS_TEXT, "nothing at all" },
    { "application/openmetrics-text", JK_METRICS_OPEN, "it alone" },
    { "Application/OpenMetrics-Text ; Version=1.0.0", JK_METRICS_OPEN, "names know no case" },
    { "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", JK_METRICS_OPEN, "rather" },
    { "application/openmetrics-text;q=0.5;version=1.0.0,text/plain;version=0.0.4;q=0.4", JK_METRICS_OPEN, "in another order" },
    { "text/plain;q=0.7,application/openmetrics-text;q=0.5", JK_METRICS_TEXT, "less" },
    { "text/plain,application/openmetrics-text", JK_METRICS_OPEN, "as much" },
    { "application/openmetrics-text;version=0.0.1", JK_METRICS_TEXT, "a version that we do not write" },
    { "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.1", JK_METRICS_OPEN, "one of two" },
    { "application/openmetrics-text;q=0", JK_METRICS_TEXT, "not at all" },
    { "application/openmetrics-text;q=0.000,*/*", JK_METRICS_TEXT, "not at all, in other words" },
    { "application/openmetrics-text;q=abc", JK_METRICS_TEXT, "no number" },
    { "application/openmetrics-text;q=9", JK_METRICS_OPEN, "more than all" },
    { "application/openmetrics-text;q=", JK_METRICS_TEXT, "an empty one" },
    { "*/*", JK_METRICS_TEXT, "anything" },
    { ",,;;,=,;q=,", JK_METRICS_TEXT, "nonsense" },
    { "application/openmetrics-textual", JK_METRICS_TEXT, "another name" },
};

START_TEST(each_gets_what_it_asks_for)
{
    ck_assert_msg(jk_metrics_wanted(accepts[_i].accept) == accepts[_i].form, "%s: %s", accepts[_i].why, accepts[_i].accept);
}
END_TEST

/* ---- a worker, by any name ---- */

static jk_worker_conf conf = { .kind = JK_WORKER_AJP13, .listed = true, .tune = { .host = "127.0.0.1", .port = 8009 }, .source = "", .secret = "" };
static const jk_registry_type types[] = { { JK_WORKER_AJP13, jk_backend_make }, { 0 } };

static const char *page_of(const char *name, jk_metrics_form form, jk_worker **made)
{
    const jk_log log = { .level = JK_LOG_EMERG };
    jk_workers_conf all = { .workers = apr_array_make(pool, 1, sizeof(jk_worker_conf *)) };
    jk_metrics_from from = { .version = "3.0.0" };

    conf.name = name;
    APR_ARRAY_PUSH(all.workers, jk_worker_conf *) = &conf;
    jk_registry *registry = jk_registry_make(pool, &all, types);
    jk_registry_ready(registry, pool, jk_shm_private(pool), &log);
    *made = jk_registry_at(registry, 0);
    for (int i = 0; i < 10; i++)
        jk_stat_took(jk_backend_stat(*made), JK_TIME_TOTAL, 400 << (2 * i));
    from.registry = registry;
    jk_span text = jk_metrics_write(pool, &from, form);
    return apr_pstrmemdup(pool, (const char *)text.p, text.len);
}

static const struct {
    const char *name, *label, *why;
} names[] = {
    { "w", "w", "as it is" },
    { "a\"b\\c\nd", "a\\\"b\\\\c\\nd", "what ends a label, or a line" },
    { "b\xC3\xA4" "ck", "b\xC3\xA4" "ck", "UTF-8" },
    { "x\xE4y\xFF", "x?y?", "none" },
    { "cut\xC3", "cut?", "half a character" },
    { "\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80", "?????????", "too long, a surrogate, too large" },
    { "\xF0\x9F\x90\xB1", "\xF0\x9F\x90\xB1", "four bytes" },
};

START_TEST(each_name_is_escaped)
{
    jk_worker *worker;
    const char *text = page_of(names[_i].name, JK_METRICS_TEXT, &worker);
    const char *line = apr_pstrcat(pool, "\njk_worker_requests_total{worker=\"", names[_i].label, "\",balancer=\"\"} 0\n", NULL);

    ck_assert_msg(strstr(text, line) != NULL, "%s", names[_i].why);
}
END_TEST

START_TEST(buckets_add_up)
{
    jk_worker *worker;
    const char *text = page_of("w", JK_METRICS_OPEN, &worker);
    static const char *const lines[] = {
        "# TYPE jk_worker_duration_seconds histogram\n# UNIT jk_worker_duration_seconds seconds\n",
        "jk_worker_duration_seconds_bucket{worker=\"w\",balancer=\"\",le=\"0.001\"} 1\n",
        "jk_worker_duration_seconds_bucket{worker=\"w\",balancer=\"\",le=\"0.002\"} 2\n",
        "jk_worker_duration_seconds_bucket{worker=\"w\",balancer=\"\",le=\"0.005\"} 2\n",
        "jk_worker_duration_seconds_bucket{worker=\"w\",balancer=\"\",le=\"60.0\"} 9\n",
        "jk_worker_duration_seconds_bucket{worker=\"w\",balancer=\"\",le=\"+Inf\"} 10\n",
        "jk_worker_duration_seconds_count{worker=\"w\",balancer=\"\"} 10\n",
        "jk_worker_duration_seconds_sum{worker=\"w\",balancer=\"\"} 139.810000\n",
        "jk_worker_state{worker=\"w\",balancer=\"\",jk_worker_state=\"idle\"} 1\n",
    };

    for (int i = 0; i < COUNT(lines); i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "%s", lines[i]);
    ck_assert_str_eq(text + strlen(text) - 6, "# EOF\n");
}
END_TEST

static void begin(void)
{
    apr_pool_create(&pool, NULL);
}

static void end(void)
{
    apr_pool_destroy(pool);
}

int main(void)
{
    Suite *suite = suite_create("metrics");
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create("all");

    apr_initialize();
    suite_add_tcase(suite, all);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_loop_test(all, each_gets_what_it_asks_for, 0, COUNT(accepts));
    tcase_add_loop_test(all, each_name_is_escaped, 0, COUNT(names));
    tcase_add_test(all, buckets_add_up);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
