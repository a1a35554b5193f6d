/* tests/unit/test_urimap.c - mounts as they are written -> rules, findings with their place, and what the compiled rules say. */
#include <check.h>

#include "jk/conf/urimap.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static apr_pool_t *pool;
static jk_urimap *map;
static jk_findings *found;

static void fresh(void)
{
    map = jk_urimap_make(pool);
    found = jk_findings_make(pool);
}

/* A mount at mounts.conf:LINE, the line being its number among those of the test. */
static void mount(jk_rule_source source, const char *uri, const char *worker, bool exclude)
{
    jk_rule like = { .worker = jk_span_of(worker), .source = source, .exclude = exclude, .file = "mounts.conf" };

    like.line = map->rules->nelts + found->all->nelts + 1;
    jk_urimap_add(map, found, &like, uri);
}

static const char *text_of(jk_span s)
{
    return apr_pstrmemdup(pool, (const char *)s.p, s.len);
}

/* "+/app" for a mount, "!/app" for an exclusion, "-/app" and "-!/app" where it is disabled, with a blank behind each. */
static const char *all_rules(void)
{
    const char *all = "";

    for (int i = 0; i < map->rules->nelts; i++) {
        const jk_rule *r = &APR_ARRAY_IDX(map->rules, i, jk_rule);
        all = apr_pstrcat(pool, all, r->disabled ? "-" : r->exclude ? "" : "+", r->exclude ? "!" : "", text_of(r->pattern), " ", NULL);
    }
    return all;
}

static const char *worker_for(const jk_match *match, const char *uri)
{
    jk_match_answer answer = jk_match_find(match, jk_span_of(uri));

    return answer.rule ? text_of(answer.rule->worker) : "none";
}

/* ---- one mount ---- */

static const struct {
    jk_rule_source source;
    const char *uri;
    bool unmount;
    const char *rules, *finding, *why;
} rows[] = {
    { JK_RULE_MOUNT, "/app", false, "+/app ", NULL, "one is one" },
    { JK_RULE_MOUNT, "/*", false, "+/* ", NULL, "everything" },
    { JK_RULE_MOUNT, "/app|/*", false, "+/app +/app/* ", NULL, "the tutorials' form: two" },
    { JK_RULE_MOUNT, "/a|b", false, "+/a +/ab ", NULL, "what follows the bar is appended" },
    { JK_RULE_MOUNT, "/a|b|c", false, "+/a +/ab|c ", NULL, "only the first bar counts" },
    { JK_RULE_MOUNT, "/a|", false, "+/a ", NULL, "nothing behind the bar says nothing more" },
    { JK_RULE_MOUNT, "/app|/*", true, "!/app !/app/* ", NULL, "JkUnMount takes both away" },
    { JK_RULE_FILE, "!/app/*.gif", false, "!/app/*.gif ", NULL, "an exclusion of a rule file" },
    { JK_RULE_FILE, "-/app", false, "-/app ", NULL, "disabled" },
    { JK_RULE_FILE, "-!/app|/x", false, "-!/app -!/app/x ", NULL, "both, for both" },
    { JK_RULE_WORKER, "/a|b", false, "+/a|b ", NULL, "worker.NAME.mount knows no bar" },
    { JK_RULE_MOUNT, "app/*", false, "", "mounts.conf:1: invalid context 'app/*': it does not begin with '/'", "no slash" },
    { JK_RULE_MOUNT, "*.jsp", false, "", "mounts.conf:1: invalid context '*.jsp': it does not begin with '/'; did you mean '/*.jsp'?", "as servlet mappings are" },
    { JK_RULE_MOUNT, "", false, "", "mounts.conf:1: invalid context '': it does not begin with '/'", "nothing at all" },
    { JK_RULE_MOUNT, "!/app", false, "", "mounts.conf:1: invalid context '!/app': it does not begin with '/'", "JkMount has no modifiers" },
    { JK_RULE_FILE, "!-/app", false, "", "mounts.conf:1: invalid context '!-/app': it does not begin with '/'", "in the wrong order" },
    { JK_RULE_FILE, "|/app", false, "", "mounts.conf:1: invalid context '|/app': it does not begin with '/'", "a bar first" },
};

START_TEST(each_mount_becomes_its_rules_or_a_finding)
{
    fresh();
    mount(rows[_i].source, rows[_i].uri, "w", rows[_i].unmount);
    ck_assert_msg(strcmp(all_rules(), rows[_i].rules) == 0, "%s: '%s'", rows[_i].why, all_rules());
    ck_assert_msg(found->all->nelts == (rows[_i].finding ? 1 : 0), "%s", rows[_i].why);
    if (rows[_i].finding == NULL)
        return;
    ck_assert_str_eq(jk_findings_text(pool, &APR_ARRAY_IDX(found->all, 0, jk_finding)), rows[_i].finding);
    ck_assert_msg(jk_findings_refuse(found, false) == (rows[_i].source == JK_RULE_MOUNT), "a rule of a file is left out, as ever");
    ck_assert(jk_findings_refuse(found, true));
}
END_TEST

START_TEST(a_finding_stands_at_its_own_line_and_stops_nobody)
{
    fresh();
    mount(JK_RULE_MOUNT, "/a", "w", false);
    mount(JK_RULE_MOUNT, "b", "w", false);
    mount(JK_RULE_MOUNT, "c", "w", false);
    mount(JK_RULE_MOUNT, "/d", "w", false);
    ck_assert_str_eq(all_rules(), "+/a +/d ");
    ck_assert_int_eq(found->all->nelts, 2);
    ck_assert_int_eq(APR_ARRAY_IDX(found->all, 0, jk_finding).line, 2);
    ck_assert_int_eq(APR_ARRAY_IDX(found->all, 1, jk_finding).line, 3);
    ck_assert_str_eq(worker_for(jk_urimap_compile(map), "/d"), "w");
}
END_TEST

START_TEST(what_was_given_comes_back_with_the_rule)
{
    static const int mine;
    jk_rule like = { .worker = JK_SPAN_LIT("w"), .source = JK_RULE_MOUNT, .data = &mine, .file = "f", .line = 9 }, before = like;

    fresh();
    jk_urimap_add(map, found, &like, "/x|y");
    ck_assert_int_eq(memcmp(&like, &before, sizeof like), 0);
    jk_match_answer answer = jk_match_find(jk_urimap_compile(map), JK_SPAN_LIT("/xy"));
    ck_assert_ptr_eq(answer.rule->data, &mine);
    ck_assert_str_eq(answer.rule->file, "f");
    ck_assert_int_eq(answer.rule->line, 9);
    ck_assert_str_eq(text_of(answer.rule->text), "/x|y");
}
END_TEST

/* ---- several, compiled ---- */

static const struct {
    const char *mounts; /* "SOURCE URI WORKER", one a line; SOURCE: m, u (JkUnMount), f (file), w (worker.NAME.mount) */
    const char *uri, *worker, *why;
    size_t count;
} sets[] = {
    { "", "/x", "none", "no mount, no mapping", 0 },
    { "m /app|/* a", "/app", "a", "the context itself", 2 },
    { "m /app|/* a", "/app/x/y.jsp", "a", "and all below it", 2 },
    { "m /app|/* a", "/apple", "none", "but not its neighbour", 2 },
    { "m /* a\nm /app/* b", "/app/x", "b", "more slashes go first", 2 },
    { "m /app/* b\nm /* a", "/app/x", "b", "in whatever order", 2 },
    { "m /ab* a\nm /abc* b", "/abcd", "b", "the longer goes first", 2 },
    { "m /x a\nm /x b", "/x", "b", "written twice is one: the later", 1 },
    { "m /x|y a\nm /x|y b", "/xy", "b", "both of its rules", 2 },
    { "m /a* a\nm /?b b", "/ab", "a", "equal in all: the first defined", 2 },
    { "m /a|b a\nm /ab b", "/ab", "a", "texts that differ are two rules, the first defined wins", 3 },
    { "m /x a\nf /x b", "/x", "b", "a file's goes before a directive's", 2 },
    { "f /x b\nm /x a", "/x", "b", "in whatever order", 2 },
    { "m /x a\nw /x b", "/x", "a", "and that before worker.NAME.mount", 2 },
    { "m /app/* a\nu /app/*.gif a", "/app/x.gif", "none", "taken away", 2 },
    { "m /app/* a\nu /app/*.gif a", "/app/x.jsp", "a", "and only that", 2 },
    { "m /app/* a\nu /app/*.gif b", "/app/x.gif", "a", "another worker's exclusion", 2 },
    { "m /app/* a\nu /app/*.gif *", "/app/x.gif", "none", "everyone's exclusion", 2 },
    { "m /app/* a\nm /* b\nu /app/*.gif a", "/app/x.gif", "none", "no second best is tried", 3 },
    { "f !/app/x a\nm /app/* a", "/app/x", "none", "an exclusion of the file, of a directive's mount", 2 },
    { "f -/app/* a\nm /* b", "/app/x", "b", "a disabled one is not there", 2 },
    { "m /app/* a\nf -!/app/x a", "/app/x", "a", "nor a disabled exclusion", 2 },
};

static void mount_all(const char *lines)
{
    char *rest = apr_pstrdup(pool, lines), *state, *at;

    for (char *line = apr_strtok(rest, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        jk_rule_source source = *line == 'f' ? JK_RULE_FILE : *line == 'w' ? JK_RULE_WORKER : JK_RULE_MOUNT;
        const char *uri = (apr_strtok(line, " ", &at), apr_strtok(NULL, " ", &at));
        mount(source, uri, apr_strtok(NULL, " ", &at), *line == 'u');
    }
}

START_TEST(each_set_maps_as_it_says)
{
    fresh();
    mount_all(sets[_i].mounts);
    ck_assert_int_eq(found->all->nelts, 0);
    const jk_match *match = jk_urimap_compile(map);
    ck_assert_ptr_nonnull(match);
    ck_assert_msg(strcmp(worker_for(match, sets[_i].uri), sets[_i].worker) == 0, "%s: %s", sets[_i].why, worker_for(match, sets[_i].uri));
    ck_assert_msg(jk_match_count(match) == sets[_i].count, "%s: %zu rules", sets[_i].why, jk_match_count(match));
}
END_TEST

START_TEST(compiled_rules_do_not_change_any_more)
{
    fresh();
    mount_all("m /a a");
    const jk_match *first = jk_urimap_compile(map);
    for (int i = 0; i < 100; i++) /* the array moves */
        mount(JK_RULE_MOUNT, apr_psprintf(pool, "/b%d|/*", i), "b", false);
    const jk_match *second = jk_urimap_compile(map);
    ck_assert_str_eq(worker_for(first, "/a"), "a");
    ck_assert_str_eq(worker_for(first, "/b7/x"), "none");
    ck_assert_str_eq(worker_for(second, "/a"), "a");
    ck_assert_str_eq(worker_for(second, "/b7/x"), "b");
    ck_assert_uint_eq(jk_match_count(second), 201);
}
END_TEST

/* ---- rule files ---- */

static const char *no_variable(const char *name)
{
    return strcmp(name, "HOME") == 0 ? "/home" : NULL;
}

static const struct {
    const char *text, *lines, *finding, *why; /* lines: "LINE:KEY=VALUE " */
} files[] = {
    { "", "", NULL, "nothing" },
    { "/a=w", "1:/a=w ", NULL, "one, without a line end" },
    { "# comment\n\n /a = w \r\n/b=v\n", "3:/a=w 4:/b=v ", NULL, "comments, blanks, Windows' line ends" },
    { "/a=w # to the end\n", "1:/a=w ", NULL, "a comment behind a rule" },
    { "/a=w;reply_timeout=5;path=/x\n", "1:/a=w;reply_timeout=5;path=/x ", NULL, "the first '=' parts them" },
    { "!/a=*\n-/b=w\n-!/c|/d=w\n", "1:!/a=* 2:-/b=w 3:-!/c|/d=w ", NULL, "modifiers are a part of the key" },
    { "/a=w\n/b=w\n/a=v\n", "2:/b=w 3:/a=v ", "f.properties:3: Duplicate key '/a' detected: it overrides the value of f.properties:1", "the last wins" },
    { "/a=w\n!/a=w\n-/a=w\n", "1:/a=w 2:!/a=w 3:-/a=w ", NULL, "which are other keys" },
    { "x=w\n/a=$(x)\n$(x)=w\n", "1:x=w 2:/a=w 3:$(x)=w ", NULL, "macros of the same file, in values" },
    { "/a=$(HOME)\n", "1:/a=/home ", NULL, "and of the environment" },
    { "/a=$(nothing)\n", "1:/a=$(nothing) ", "$(nothing)", "which must be defined" },
    { "/a\n/b=w\n", "2:/b=w ", "f.properties:1: '/a' has no '='", "no worker" },
    { "/a=\n/b=w\n", "2:/b=w ", "'/a' has no value", "an empty one, as ever" },
    { "/a=w\\\n/b=w\n", "1:/a=w\\ 2:/b=w ", NULL, "no line is continued" },
};

START_TEST(each_file_has_its_lines)
{
    fresh();
    apr_array_header_t *lines = jk_urimap_lines(pool, jk_span_of(files[_i].text), "f.properties", no_variable, found);
    const char *all = "";
    for (int i = 0; i < lines->nelts; i++) {
        const jk_prop *line = &APR_ARRAY_IDX(lines, i, jk_prop);
        all = apr_psprintf(pool, "%s%d:%s=%s ", all, line->line, line->key, line->value);
    }
    ck_assert_msg(strcmp(all, files[_i].lines) == 0, "%s: '%s'", files[_i].why, all);
    ck_assert_msg(found->all->nelts == (files[_i].finding ? 1 : 0), "%s", files[_i].why);
    if (files[_i].finding)
        ck_assert_ptr_nonnull(strstr(jk_findings_text(pool, &APR_ARRAY_IDX(found->all, 0, jk_finding)), files[_i].finding));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("urimap");
    TCase *t = tcase_create("urimap");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_add_loop_test(t, each_mount_becomes_its_rules_or_a_finding, 0, COUNT(rows));
    tcase_add_test(t, a_finding_stands_at_its_own_line_and_stops_nobody);
    tcase_add_test(t, what_was_given_comes_back_with_the_rule);
    tcase_add_loop_test(t, each_set_maps_as_it_says, 0, COUNT(sets));
    tcase_add_test(t, compiled_rules_do_not_change_any_more);
    tcase_add_loop_test(t, each_file_has_its_lines, 0, COUNT(files));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
