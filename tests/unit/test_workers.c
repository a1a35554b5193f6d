/* tests/unit/test_workers.c - properties to checked workers: values, and what is found wrong, row by row. */
#include <check.h>

#include "jk/conf/keys.h"
#include "jk/conf/workers.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>

static apr_pool_t *pool;
static jk_findings *found;

static const char *environment(const char *name)
{
    return strcmp(name, "HOME_OF_TESTS") == 0 ? "here" : NULL;
}

static jk_workers_conf *parse(const char *text)
{
    jk_workers_input in = { NULL, 0, "w.properties", jk_span_of(text), "/srv", environment };

    found = jk_findings_make(pool);
    return jk_workers_parse(pool, &in, found);
}

static const char *all_findings(void)
{
    const char *text = "";

    for (int i = 0; i < found->all->nelts; i++)
        text = apr_pstrcat(pool, text, jk_findings_text(pool, &APR_ARRAY_IDX(found->all, i, jk_finding)), "\n", NULL);
    return text;
}

#define W1 "worker.list=w\nworker.w.type=ajp13\n"

static const struct {
    const char *text, *says, *why;
    bool refused, refused_strictly;
} rows[] = {
    { W1 "worker.w.host=localhost\nworker.w.port=8009\n", "", "the tutorials' file is clean", false, false },
    { W1 "worker.w.prot=8009\n", "w.properties:3: attribute 'worker.w.prot' is not supported; did you mean 'port'?", "a typo", true, true },
    { "worker.list=w\nworker.w.type=ajp31\n", "Unknown worker type ajp31 for worker w", "a type that is none", true, true },
    { "worker.list=w\nworker.w.type=ajp14\n", "use ajp13", "a type that is no more", true, true },
    { W1 "worker.w.port=80 09\n", "'80 09' is no value for worker.w.port", "garbage behind digits", false, true },
    { W1 "worker.w.port=70000\n", "out of range; allowed: 0 to 65535", "a port that is none", false, true },
    { W1 "worker.w.port=1\nworker.w.port=2\n", "Duplicate key 'worker.w.port' detected: it overrides the value of w.properties:3", "twice",
      false, false },
    { W1 "worker.w.cachesize=5\n", "is deprecated: use connection_pool_size", "an old name", false, false },
    { W1 "worker.w.method=R\n", "has no meaning for a worker of this type", "an attribute of lb", false, true },
    { W1 "worker.w.reference=worker.tpl\n", "there are no such properties", "a reference to nothing", true, true },
    { W1 "worker.w.reference=worker.w\n", "refers to itself", "a reference in a circle", true, true },
    { W1 "worker.w.host=a#b\n", "'#' inside the value", "a comment without a blank", false, true },
    { W1 "worker.w.secret=a#b # c\n", "", "a secret may hold a '#'", false, false },
    { W1 "nonsense\n", "w.properties:3: 'nonsense' has no '='", "a line that says nothing", false, false },
    { W1 "worker.w.prot=1\nworker.w.hsot=x\n", "w.properties:4: attribute 'worker.w.hsot'", "all at once", true, true },
    { "ps=/\nworkers.tomcat_home=/usr\nworker.list=a\nworker.a.port=8009\nworker.a.lbfactor=1\nworker.lb.type=lb\n"
      "worker.lb.balance_workers=a\n", "", "the distribution's file: an lb that is not listed is not made", false, false },
};

START_TEST(each_row_is_found)
{
    parse(rows[_i].text);
    const char *text = all_findings();
    ck_assert_msg(strstr(text, rows[_i].says) != NULL, "%s: '%s' is not in:\n%s", rows[_i].why, rows[_i].says, text);
    ck_assert_msg(*rows[_i].says || *text == '\0', "%s: found:\n%s", rows[_i].why, text);
    ck_assert_msg(jk_findings_refuse(found, false) == rows[_i].refused, "%s", rows[_i].why);
    ck_assert_msg(jk_findings_refuse(found, true) == rows[_i].refused_strictly, "%s (strict)", rows[_i].why);
}
END_TEST

static const struct {
    const char *text, *host, *unix_path, *why;
    int port;
} hosts[] = {
    { "", "localhost", NULL, "nothing", 8009 },
    { "worker.w.host=h\nworker.w.port=1\n", "h", NULL, "both", 1 },
    { "worker.w.host=h:7\n", "h", NULL, "together", 7 },
    { "worker.w.host=h:7\nworker.w.port=8\n", "h", NULL, "the host's port wins", 7 },
    { "worker.w.host=[::1]:7\n", "::1", NULL, "IPv6 with a port", 7 },
    { "worker.w.host=[::1]\n", "::1", NULL, "IPv6 in brackets", 8009 },
    { "worker.w.host=fe80::1\n", "fe80::1", NULL, "IPv6 bare", 8009 },
    { "worker.w.host=unix:/run/a.sock\n", "unix:/run/a.sock", "/run/a.sock", "a Unix socket", 8009 },
    { "X=h2\nworker.w.host=$(X)\n", "h2", NULL, "a macro", 8009 },
    { "worker.w.host=$(HOME_OF_TESTS)\n", "here", NULL, "the environment", 8009 },
    { "worker.w.host=$(NOT_SET)\n", "$(NOT_SET)", NULL, "neither: left as it is", 8009 },
    { "worker.t.host=th\nworker.t.port=9\nworker.w.reference=worker.t\nworker.w.port=4\n", "th", NULL, "a reference; its own wins", 4 },
    { "\xEF\xBB\xBFworker.w.host = h \r\n", "h", NULL, "CRLF and blanks", 8009 },
};

START_TEST(each_host_is_read)
{
    jk_workers_conf *conf = parse(apr_pstrcat(pool, hosts[_i].text, "worker.list=w\n", NULL));
    const jk_worker_conf *w = jk_workers_find(conf, "w");
    ck_assert_ptr_nonnull(w);
    ck_assert_msg(strcmp(w->tune.host, hosts[_i].host) == 0, "%s: %s", hosts[_i].why, w->tune.host);
    ck_assert_int_eq(w->tune.port, hosts[_i].port);
    ck_assert_pstr_eq(w->unix_path, hosts[_i].unix_path);
}
END_TEST

static const struct {
    const char *text, *why;
    int connect, acquire, packet, socket, retries;
} values[] = {
    { "", "defaults", 5000, 200, 8192, 0, 2 },
    { "worker.w.socket_timeout=10\n", "connecting takes over the socket's", 10000, 200, 8192, 10, 2 },
    { "worker.w.socket_timeout=2m\n", "a unit", 120000, 200, 8192, 120, 2 },
    { "worker.w.socket_timeout=1500ms\n", "rounded up to its own unit", 2000, 200, 8192, 2, 2 },
    { "worker.w.socket_connect_timeout=3s\n", "a unit in ms", 3000, 200, 8192, 0, 2 },
    { "worker.w.max_packet_size=9000\n", "aligned", 5000, 200, 9216, 0, 2 },
    { "worker.w.max_packet_size=64K\n", "a size", 5000, 200, 65536, 0, 2 },
    { "worker.w.max_packet_size=100k\n", "not above", 5000, 200, 65536, 0, 2 },
    { "worker.w.retries=5\n", "five tries of 100 ms", 5000, 500, 8192, 0, 5 },
    { "worker.w.retries=0\n", "one at least", 5000, 100, 8192, 0, 1 },
    { "worker.w.connection_acquire_timeout=0\n", "zero is zero", 5000, 0, 8192, 0, 2 },
    { "worker.w.retries=abc\n", "garbage is the default", 5000, 200, 8192, 0, 2 },
};

START_TEST(each_value_is_read)
{
    const jk_worker_conf *w = jk_workers_find(parse(apr_pstrcat(pool, W1, values[_i].text, NULL)), "w");
    ck_assert_msg(w->socket_connect_timeout == values[_i].connect, "%s: %d", values[_i].why, w->socket_connect_timeout);
    ck_assert_int_eq(w->tune.connection_acquire_timeout, values[_i].acquire);
    ck_assert_int_eq(w->tune.max_packet_size, values[_i].packet);
    ck_assert_int_eq(w->socket_timeout, values[_i].socket);
    ck_assert_int_eq(w->tune.retries, values[_i].retries);
}
END_TEST

START_TEST(no_list_is_the_implicit_worker)
{
    const jk_worker_conf *w = jk_workers_find(parse("x=1\n"), "ajp13");
    ck_assert_ptr_nonnull(w);
    ck_assert(w->listed);
    ck_assert_int_eq(w->tune.recovery_options, 27);
}
END_TEST

START_TEST(the_table_of_keys_is_sound)
{
    bool old;

    for (size_t i = 0; i < jk_keys_count; i++) {
        ck_assert_msg(jk_keys_find(jk_keys[i].name, &old) == &jk_keys[i] && !old, "'%s' stands twice", jk_keys[i].name);
        ck_assert_msg(jk_keys[i].help && *jk_keys[i].help, "'%s' has no help", jk_keys[i].name);
        ck_assert_msg(jk_keys[i].kinds != 0, "'%s' belongs to no type", jk_keys[i].name);
        ck_assert_int_le(jk_keys[i].min, jk_keys[i].max);
        if (jk_keys[i].alias)
            ck_assert(jk_keys_find(jk_keys[i].alias, &old) == &jk_keys[i] && old);
    }
}
END_TEST

START_TEST(no_prefix_of_a_file_is_too_much)
{
    static const char text[] = W1 "worker.w.host=$(X\nworker.w.port=8009 # c\n=\n.=x\nworker.=1\nworker..port=1\nworker.w.=3\n";

    for (size_t n = 0; n <= sizeof text - 1; n++)
        parse(apr_pstrmemdup(pool, text, n));
    parse(text);
    ck_assert(jk_findings_refuse(found, false));
}
END_TEST

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

int main(void)
{
    Suite *s = suite_create("workers");
    TCase *t = tcase_create("workers");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_add_loop_test(t, each_row_is_found, 0, COUNT(rows));
    tcase_add_loop_test(t, each_host_is_read, 0, COUNT(hosts));
    tcase_add_loop_test(t, each_value_is_read, 0, COUNT(values));
    tcase_add_test(t, no_list_is_the_implicit_worker);
    tcase_add_test(t, the_table_of_keys_is_sound);
    tcase_add_test(t, no_prefix_of_a_file_is_too_much);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
