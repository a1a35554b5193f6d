/* tests/unit/test_extension.c - rule extensions: each, wrong ones, two of one, and for whom they are. */
#include <check.h>

#include "guard.h"
#include "jk/conf/extension.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static apr_pool_t *pool;
static jk_workers_conf *workers;

/* lb has the members m1, m2 and m3. */
static void make_workers(void)
{
    jk_workers_input in = { .file = "w.properties", .kinds = JK_WORKER_AJP13 | JK_WORKER_LB };

    in.text = JK_SPAN_LIT("worker.list=w,lb\nworker.lb.type=lb\nworker.lb.balance_workers=m1,m2,m3\n");
    workers = jk_workers_parse(pool, &in, jk_findings_make(pool));
}

static const char *codes_of(const apr_array_header_t *list)
{
    const char *all = "";

    for (int i = 0; i < list->nelts; i++)
        all = apr_psprintf(pool, "%s%d ", all, APR_ARRAY_IDX(list, i, int32_t));
    return all;
}

/* What was wished, in words; "" where it is nothing. */
static const char *words_of(const jk_extension *x)
{
    const char *all = "";

    if (x == NULL)
        return "none";
#define PUT(cond, ...) \
    if (cond) \
    all = apr_pstrcat(pool, all, apr_psprintf(pool, __VA_ARGS__), " ", NULL)
    PUT(x->reply_timeout != -1, "reply_timeout=%d", x->reply_timeout);
    PUT(x->sticky_ignore, "sticky_ignore");
    PUT(x->stateless, "stateless");
    PUT(x->fail_on_status, "fail_on_status=%s", codes_of(x->fail_on_status));
    PUT(x->use_server_errors, "use_server_errors=%d", x->use_server_errors);
    PUT(x->session_cookie, "session_cookie=%s", x->session_cookie);
    PUT(x->session_path, "session_path=%s", x->session_path);
    PUT(x->set_session_cookie, "set_session_cookie");
    PUT(x->session_cookie_path, "session_cookie_path=%s", x->session_cookie_path);
    PUT(x->path, "path='%s'", x->path);
    PUT(x->activations, "%d,%d,%d", x->activations[0], x->activations[1], x->activations[2]);
    return all;
}

static const struct {
    const char *text, *words, *finding, *why; /* finding: a part of the only one; NULL: none */
} rows[] = {
    { "lb", "none", NULL, "no extension" },
    { "lb;", "none", NULL, "nor here" },
    { "lb;;;", "none", NULL, "nor here" },
    { "lb;reply_timeout=1500", "reply_timeout=1500 ", NULL, "milliseconds" },
    { "lb;reply_timeout=5s", "reply_timeout=5000 ", NULL, "a unit, as everywhere" },
    { "lb;reply_timeout=0", "reply_timeout=0 ", NULL, "0 disables" },
    { "lb;reply_timeout=-1", "", NULL, "-1 is the worker's" },
    { "lb;reply_timeout=soon", "", "'soon' is no value for reply_timeout; allowed: a number with ms, s, m or h; -1 is used", "a word" },
    { "lb;reply_timeout=10x", "reply_timeout=10 ", "'10x' is no value for reply_timeout", "leading digits" },
    { "lb;reply_timeout=-7", "", "out of range", "no negative but -1" },
    { "lb;reply_timeout=", "", "'reply_timeout' has no value", "an empty one" },
    { "lb;reply_timeout", "", "'reply_timeout' has no value", "no sign" },
    { "lb;sticky_ignore=1", "sticky_ignore ", NULL, "on" },
    { "lb;sticky_ignore=-3", "sticky_ignore ", NULL, "any number but 0" },
    { "lb;sticky_ignore=0", "", NULL, "off" },
    { "lb;sticky_ignore=true", "", "'true' is no value for sticky_ignore; allowed: a number; 0 is used", "a word means 0, as ever, and is told" },
    { "lb;stateless=1", "stateless ", NULL, "on" },
    { "lb;active=m1", "0,-1,-1 ", NULL, "one member" },
    { "lb;disabled=m1,m3", "1,-1,1 ", NULL, "commas" },
    { "lb;stopped=m2 m3", "-1,2,2 ", NULL, "blanks" },
    { "lb;active=m1;disabled=m2;stopped=m3", "0,1,2 ", NULL, "all three" },
    { "lb;active=m1;stopped=m1", "2,-1,-1 ", "member 'm1' stands in active and in stopped: stopped counts", "in two: the later of the three" },
    { "lb;stopped=m1;active=m1", "2,-1,-1 ", "stopped counts", "in whatever order" },
    { "lb;stopped=m1;disabled=m1", "2,-1,-1 ", "stands in disabled and in stopped", "these two" },
    { "lb;stopped=m1,m1", "2,-1,-1 ", NULL, "twice in one list is once" },
    { "lb;stopped=mm1", "-1,-1,-1 ", "stopped=mm1: 'lb' has no such member; did you mean 'm1'?", "a slip of the finger" },
    { "lb;stopped=m1;stopped=m2", "2,-1,-1 ", "'stopped' stands there twice: the first counts", "a list twice" },
    { "lb;fail_on_status=500,503", "fail_on_status=500 503  ", NULL, "statuses" },
    { "lb;fail_on_status=-404 503", "fail_on_status=-404 503  ", NULL, "soft ones" },
    { "lb;fail_on_status=50", "fail_on_status= ", "'50' in fail_on_status is no status", "no status" },
    { "lb;fail_on_status=500;fail_on_status=404", "fail_on_status=500  ", "the first counts", "twice" },
    { "lb;use_server_errors=400", "use_server_errors=400 ", NULL, "from 400 on" },
    { "lb;use_server_errors=1", "use_server_errors=400 ", "httpd has pages from status 400 on", "would swallow good answers" },
    { "lb;use_server_errors=0", "", NULL, "never" },
    { "lb;use_server_errors=599", "use_server_errors=599 ", NULL, "the last" },
    { "lb;use_server_errors=600", "use_server_errors=599 ", "use_server_errors", "no status: any number was one" },
    { "lb;use_server_errors=70000", "use_server_errors=599 ", "use_server_errors", "nor is this" },
    { "lb;session_cookie=SID", "session_cookie=SID ", NULL, "a name" },
    { "lb;session_path=;sid", "session_path=;sid ", NULL, "its ';' is a part of it" },
    { "lb;session_path=;sid;stateless=1", "stateless session_path=;sid ", NULL, "and another extension behind it" },
    { "lb;session_path=sid", "session_path=sid ", NULL, "without it" },
    { "lb;session_path=;stateless=1", "stateless ", "'session_path' has no value", "empty, and another extension" },
    { "lb;session_path=;s=1", "session_path=;s=1 ", NULL, "no extension is called s" },
    { "lb;session_path=;;stateless=1", "stateless ", "'session_path' has no value", "empty" },
    { "lb;session_path=;", "", "'session_path' has no value", "at the end" },
    { "lb;set_session_cookie=1", "set_session_cookie ", NULL, "on" },
    { "lb;session_cookie_path=/app", "session_cookie_path=/app ", NULL, "a path" },
    { "lb;path=/store", "path='/store' ", NULL, "a path" },
    { "lb;path=/store/", "path='/store' ", NULL, "a slash at its end" },
    { "lb;path=/", "path='' ", NULL, "the root" },
    { "lb;path=store", "", "path=store is ignored; allowed: a path as in /store", "not absolute" },
    { "lb;path=/a/../b", "", "is ignored", "dots" },
    { "lb;stateless=1;stateless=0", "", "'stateless' stands there twice: the last counts", "a number twice" },
    { "lb;statless=1", "", "unknown rule extension 'statless' is ignored; did you mean 'stateless'?", "a slip of the finger" },
    { "lb; stateless=1", "", "unknown rule extension ' stateless'", "nothing is trimmed" },
    { "lb;Stateless=1", "", "did you mean 'stateless'?", "case matters" },
    { "lb;=1", "", "unknown rule extension ''", "no name" },
    { "w;reply_timeout=1;stateless=1;sticky_ignore=1;fail_on_status=503;use_server_errors=500;path=/x",
      "reply_timeout=1 sticky_ignore stateless fail_on_status=503  use_server_errors=500 path='/x' ", NULL, "what any worker can have" },
    { "w;active=m1", "", "'active' is ignored: it is for workers of type lb, and 'w' is none", "not an lb" },
    { "w;session_cookie=X", "", "'session_cookie' is ignored: it is for workers of type lb", "not an lb" },
    { "w;session_path=;sid", "", "'session_path' is ignored", "not an lb" },
    { "w;set_session_cookie=1", "", "'set_session_cookie' is ignored", "not an lb" },
    { "nobody;active=m1;stateless=1", "stateless ", NULL, "of a worker that is not there nothing is known" },
};

static jk_findings *found;

static const jk_extension *parse(const char *text)
{
    const jk_prop place = { "/x", text, "httpd.conf", 7 };

    found = jk_findings_make(pool);
    return jk_extension_parse(pool, text, jk_workers_find(workers, jk_extension_name(pool, text)), &place, found);
}

START_TEST(each_text_says_what_it_says)
{
    const char *words = words_of(parse(rows[_i].text));

    ck_assert_msg(strcmp(words, rows[_i].words) == 0, "%s: '%s'", rows[_i].why, words);
    ck_assert_msg(found->all->nelts == (rows[_i].finding ? 1 : 0), "%s: %d findings", rows[_i].why, found->all->nelts);
    if (rows[_i].finding == NULL)
        return;
    const jk_finding *one = &APR_ARRAY_IDX(found->all, 0, jk_finding);
    ck_assert_msg(strstr(one->text, rows[_i].finding) != NULL, "%s: %s", rows[_i].why, one->text);
    ck_assert_str_eq(one->file, "httpd.conf");
    ck_assert_int_eq(one->line, 7);
    ck_assert_msg(!jk_findings_refuse(found, false), "%s: the incumbent lives with it", rows[_i].why);
}
END_TEST

/* Whole, and cut at each byte, at the end of a page. */
START_TEST(nothing_behind_the_text_is_read)
{
    size_t n = strlen(rows[_i].text);

    for (size_t len = 0; len <= n; len++) {
        char *text = apr_pstrmemdup(pool, rows[_i].text, len);
        (void)parse((const char *)jk_guarded(text, len + 1));
    }
}
END_TEST

START_TEST(the_name_is_what_stands_before_them)
{
    ck_assert_str_eq(jk_extension_name(pool, "w"), "w");
    ck_assert_str_eq(jk_extension_name(pool, "w;a=b"), "w");
    ck_assert_str_eq(jk_extension_name(pool, ";a=b"), "");
    ck_assert_str_eq(jk_extension_name(pool, "*"), "*");
}
END_TEST

START_TEST(all_that_is_wrong_is_told_at_once)
{
    parse("lb;reply_timeout=x;stopped=n1;nonsense=1;path=x");
    ck_assert_int_eq(found->all->nelts, 4);
    ck_assert(jk_findings_refuse(found, true));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("extension");
    TCase *t = tcase_create("extension");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    make_workers();
    tcase_add_loop_test(t, each_text_says_what_it_says, 0, COUNT(rows));
    tcase_add_loop_test(t, nothing_behind_the_text_is_read, 0, COUNT(rows));
    tcase_add_test(t, the_name_is_what_stands_before_them);
    tcase_add_test(t, all_that_is_wrong_is_told_at_once);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
