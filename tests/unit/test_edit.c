/* tests/unit/test_edit.c - edits of real workers in real shared memory: every row of the table, what is refused, what is left alone; the
 * state file's text; and each format of a view whose names mean harm. */
#include <check.h>

#include "jk/conf/values.h"
#include "jk/status/edit.h"
#include "jk/status/manager.h"
#include "jk/status/render.h"
#include "jk/status/state.h"
#include "jk/worker/backend.h"
#include "jk/worker/lb.h"
#include "jk/worker/manage.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

static const char text[] = "worker.list=lb,w,s\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.a.port=1\nworker.b.port=2\n"
                           "worker.b.route=rb\nworker.w.port=3\nworker.s.type=status\nworker.w.secret=hush\n";
static const jk_registry_type types[] = { { JK_WORKER_AJP13, jk_backend_make }, { JK_WORKER_LB, jk_lb_make },
                                          { JK_WORKER_STATUS, jk_manager_make }, { 0, NULL } };

static apr_pool_t *pool;
static jk_workers_conf *conf;
static jk_registry *registry;

static void quiet(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *line)
{
    (void)log;
    (void)level;
    (void)place;
    (void)id;
    (void)line;
}

static const jk_log silence = { JK_LOG_EMERG, quiet, "TEST", NULL, NULL };

static void begin_with(const char *properties)
{
    jk_workers_input in = { .file = "f", .text = jk_span_of(properties), .server_root = "/", .kinds = 7 };
    jk_shm_news news;
    apr_pool_t *process;

    apr_pool_create(&pool, NULL);
    apr_pool_create(&process, pool);
    conf = jk_workers_parse(pool, &in, jk_findings_make(pool));
    registry = jk_registry_make(pool, conf, types);
    jk_shm *shm = jk_shm_parent_open(process, pool, 0, 4, &news);
    jk_registry_ready(registry, pool, shm, &silence);
    ck_assert_int_eq(jk_shm_child_begin(shm, (int)getpid()), JK_OK);
    ck_assert_int_eq(jk_registry_child(registry, pool, &silence), JK_OK);
}

static void begin(void)
{
    begin_with(text);
}

static void finish(void)
{
    apr_pool_destroy(pool);
}

static jk_edit run(const char *query, jk_result *result)
{
    jk_ask *ask = apr_palloc(pool, sizeof *ask);
    jk_edit e;

    jk_ask_read(pool, jk_span_of(query), jk_workers_find(conf, "s"), ask, result);
    e = jk_edit_make(pool, registry, ask, "me", 1000);
    jk_edit_do(&e, result);
    return e;
}

static const jk_worker *find(const char *name)
{
    const jk_worker *lb = jk_registry_find(registry, "lb");

    for (size_t i = 0; i < jk_manage_members(lb); i++)
        if (jk_manage_member(lb, i) && strcmp(jk_manage_member(lb, i)->name, name) == 0)
            return jk_manage_member(lb, i);
    return jk_registry_find(registry, name);
}

static const char *value(const char *worker, const char *key)
{
    jk_worker_conf copy = *find(worker)->conf;
    bool old;

    jk_stat_tune_read(jk_manage_stat(find(worker)), &copy.tune);
    return jk_values_text(pool, jk_keys_find(key, &old), &copy);
}

/* Every row leads to a key that lives in jk_tune, and no parameter stands twice. */
START_TEST(the_table_is_whole)
{
    for (const jk_attribute *a = jk_attributes; a->param; a++) {
        bool old;
        const jk_key *key = jk_keys_find(a->key, &old);
        ck_assert_msg(key && key->home == JK_HOME_TUNE, "%s", a->param);
        ck_assert_msg((a->of & JK_OF_LB ? JK_WORKER_LB : JK_WORKER_AJP13) & key->kinds, "%s is no key of its kind", a->key);
        for (const jk_attribute *b = a + 1; b->param; b++)
            ck_assert_str_ne(a->param, b->param);
    }
}
END_TEST

static const struct {
    const char *query;
    int status;
    const char *worker, *key, *is; /* afterwards */
    const char *why;
} rows[] = {
    { "cmd=update&w=w&vabl=5", 200, "w", "busy_limit", "5", "a number" },
    { "cmd=update&w=w&vabl=+5", 200, "w", "busy_limit", "5", "a blank before it, as strtol has it" },
    { "cmd=update&w=w&vabl=5x", 422, "w", "busy_limit", "0", "what follows is no unit" },
    { "cmd=update&w=w&vabl=-1", 422, "w", "busy_limit", "0", "below its range" },
    { "cmd=update&w=w&vart=3s", 200, "w", "reply_timeout", "3000", "a unit" },
    { "cmd=update&w=w&vamps=8193", 200, "w", "max_packet_size", "9216", "rounded up as the file's would be" },
    { "cmd=update&w=w&vamps=4096", 422, "w", "max_packet_size", "8192", "too small" },
    { "cmd=update&w=w&vahst=127.0.0.2:80", 200, "w", "port", "80", "a port with the host" },
    { "cmd=update&w=w&vahst=127.0.0.2:80&vaprt=90", 200, "w", "port", "80", "which wins over its own parameter" },
    { "cmd=update&w=w&vahst=unix:/run/x", 200, "w", "host", "unix:/run/x", "a Unix socket" },
    { "cmd=update&w=w&vahst=unix:/run/%ff", 422, "w", "host", "localhost", "a state file is UTF-8" },
    { "cmd=update&w=w&vahst=unix:/run/a%0ab", 422, "w", "host", "localhost", "no line of its own" },
    { "cmd=update&w=w&vahst=http://x", 422, "w", "host", "localhost", "no host" },
    { "cmd=update&w=lb&sw=a&vwa=d", 200, "a", "activation", "disabled", "by its letter" },
    { "cmd=update&w=lb&sw=a&vwa=STP", 200, "a", "activation", "stopped", "as the page writes it" },
    { "cmd=update&w=lb&sw=a&vwa=2", 200, "a", "activation", "stopped", "by its number" },
    { "cmd=update&w=lb&sw=a&vwn=rb", 422, "a", "route", "a", "another has this route" },
    { "cmd=update&w=lb&sw=*&vwn=x", 422, "a", "route", "a", "two would have it" },
    { "cmd=update&w=lb&att=vwn&val0=rb&val1=a", 200, "a", "route", "rb", "they change places" },
    { "cmd=update&w=lb&att=vwn&val0=z&val1=z", 422, "b", "route", "rb", "and may not meet" },
    { "cmd=update&w=lb&sw=a&vwr=", 200, "a", "redirect", "", "taken away" },
    { "cmd=update&w=lb&sw=a&vwn=%0d%0aSet-Cookie:x", 422, "a", "route", "a", "no header of its own" },
    { "cmd=update&w=lb&sw=a&vwn=%ff", 422, "a", "route", "a", "no UTF-8, and no ASCII" },
    { "cmd=update&w=lb&vls=off", 200, "lb", "sticky_session", "false", "a flag" },
    { "cmd=update&w=lb&vls=2", 422, "lb", "sticky_session", "true", "no flag" },
    { "cmd=update&w=lb&vlm=t", 200, "lb", "method", "Traffic", "by its letter" },
    { "cmd=update&w=lb&vlm=4", 200, "lb", "method", "Next", "by its digit" },
    { "cmd=update&w=lb&vlee=0", 200, "lb", "error_escalation_time", "0", "the incumbent cannot" },
    { "cmd=update&w=lb&vlri=-5", 200, "lb", "retry_interval", "-5", "none" },
    { "cmd=update&w=lb&vabl=5", 422, "lb", "retries", "2", "of another kind" },
    { "cmd=update&w=lb&vlr=3&vlt=x", 422, "lb", "retries", "2", "all of it or nothing" },
    { "cmd=update&w=lb&vlrr=3", 422, "lb", "retries", "2", "a slip of the finger is told" },
    { "cmd=update&w=lb&sw=c&vwf=2", 404, "a", "lbfactor", "1", "no such member" },
    { "cmd=update&w=c&vwf=2", 404, "a", "lbfactor", "1", "no such worker" },
    { "cmd=update&w=a&vabl=2", 404, "a", "busy_limit", "0", "a member alone is not in the list" },
    { "cmd=update&w=w&sw=a&vabl=2", 400, "w", "busy_limit", "0", "it has none" },
    { "cmd=update&w=s", 400, "w", "busy_limit", "0", "a status worker has no values" },
    { "cmd=update&w=w", 200, "w", "busy_limit", "0", "nothing to do" },
    { "cmd=update&w=lb&att=vwf&val0=4&val7=9", 200, "a", "lbfactor", "4", "more values than members" },
    { "cmd=update&w=lb&att=vahst&val0=x", 422, "a", "host", "localhost", "each alone" },
};

START_TEST(values_are_checked_and_set)
{
    jk_result result;
    jk_edit e = run(rows[_i].query, &result);

    ck_assert_msg(result.status == rows[_i].status, "%s: %d %s", rows[_i].why, result.status, result.message);
    ck_assert_msg(strcmp(value(rows[_i].worker, rows[_i].key), rows[_i].is) == 0, "%s: %s", rows[_i].why, value(rows[_i].worker, rows[_i].key));
    ck_assert_msg(rows[_i].status == 200 || e.lines->nelts == 0, "%s: what was not done is not told", rows[_i].why);
}
END_TEST

START_TEST(lines_say_what_was_done)
{
    jk_result result;
    jk_edit e = run("cmd=update&w=lb&sw=b&vwf=3", &result);

    ck_assert_int_eq(e.lines->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(e.lines, 0, const char *), "changing 'lbfactor' for sub worker 'b' of lb worker 'lb' from '1' to '3'");
    jk_stat_sign sign = jk_stat_signed(jk_manage_stat(find("b")));
    ck_assert_str_eq(sign.by, "me");
    ck_assert_int_eq(sign.at, 1000);
    ck_assert_int_eq(run("cmd=update&w=lb&sw=b&vwf=3", &result).lines->nelts, 0);
}
END_TEST

/* Whatever a user is called: a state file must stay one of UTF-8, or the edits with his name in them are lost. */
START_TEST(who_did_it_is_ascii)
{
    jk_ask ask;
    jk_result result;
    jk_edit e;

    jk_ask_read(pool, jk_span_of("cmd=update&w=w&vabl=5"), jk_workers_find(conf, "s"), &ask, &result);
    e = jk_edit_make(pool, registry, &ask, "\xe9ve\n\x7f", 1000);
    jk_edit_do(&e, &result);
    ck_assert_str_eq(jk_stat_signed(jk_manage_stat(find("w"))).by, "?ve??");
    jk_span state = jk_state_text(pool, registry, 5, JK_SPAN_NONE);
    ck_assert(memmem(state.p, state.len, "busy_limit", 10) != NULL);
}
END_TEST

START_TEST(reset_and_recover)
{
    jk_stat *stat = jk_manage_stat(find("a"));
    jk_tune lb;
    jk_result result;

    jk_stat_tune_read(jk_manage_stat(find("lb")), &lb);
    jk_stat_add(stat, JK_COUNT_SERVED, 5);
    jk_stat_value_set(stat, 7);
    (void)run("cmd=recover&w=lb&sw=a", &result);
    ck_assert_int_eq(result.status, 409);
    (void)jk_stat_event(stat, JK_MEMBER_HARD, 900, &lb);
    jk_stat_value_set(jk_manage_stat(find("b")), 50);
    (void)run("cmd=recover&w=lb&sw=a", &result);
    ck_assert_int_eq(result.status, 200);
    ck_assert_int_eq(jk_stat_state(stat), JK_STATE_REC);
    ck_assert_uint_eq(jk_stat_value(stat), 50); /* it is not to get all that it had missed */
    (void)run("cmd=reset&w=lb", &result);
    ck_assert_int_eq(jk_stat_state(stat), JK_STATE_IDLE);
    ck_assert_uint_eq(jk_stat_read(stat).count[JK_COUNT_SERVED] + jk_stat_value(stat) + jk_stat_read(stat).count[JK_COUNT_ERRORS], 0);
    ck_assert_int_eq(jk_stat_read(stat).last_reset, 1000);
}
END_TEST

/* In order: what is done, what comes of it, and who is there then. */
static const struct {
    const char *query;
    int status;
    const char *members, *why;
} coming_and_going[] = {
    { "cmd=add&w=lb&sw=n&vahst=127.0.0.5&vwf=2", 200, "a b n ", "a member comes" },
    { "cmd=add&w=lb&sw=n&vahst=127.0.0.5", 409, "a b n ", "once" },
    { "cmd=add&w=lb&sw=a&vahst=127.0.0.5", 409, "a b n ", "the file's name" },
    { "cmd=add&w=lb&sw=w&vahst=127.0.0.5", 409, "a b n ", "a worker's name" },
    { "cmd=add&w=lb&sw=m", 422, "a b n ", "nobody knows where it is" },
    { "cmd=add&w=lb&sw=m&vahst=127.0.0.5&vwn=n", 422, "a b n ", "the other's route" },
    { "cmd=add&w=lb&sw=m%20m&vahst=127.0.0.5", 422, "a b n ", "two words are no name" },
    { "cmd=add&w=lb&sw=spare%201&vahst=127.0.0.5", 422, "a b n ", "nor is that of a place" },
    { "cmd=add&w=lb&vahst=127.0.0.5", 400, "a b n ", "who?" },
    { "cmd=add&w=w&sw=m&vahst=127.0.0.5", 400, "a b n ", "it has no members" },
    { "cmd=add&w=lb&sw=m&vahst=127.0.0.5&vwa=D", 200, "a b n m ", "another comes" },
    { "cmd=add&w=lb&sw=o&vahst=127.0.0.5", 409, "a b n m ", "no place is left" },
    { "cmd=remove&w=lb&sw=a", 409, "a b n m ", "the file's member" },
    { "cmd=remove&w=lb&sw=o", 404, "a b n m ", "who is not there" },
    { "cmd=remove&w=lb&sw=n", 200, "a b m ", "one goes, and the other stays where it is" },
    { "cmd=remove&w=lb&sw=n", 404, "a b m ", "once" },
    { "cmd=update&w=lb&sw=n&vwf=2", 404, "a b m ", "its values are nobody's" },
    { "cmd=add&w=lb&sw=o&vahst=127.0.0.5&vwn=x.y", 200, "a b o m ", "its place is free again" },
};

static const char *those_there(void)
{
    const jk_worker *lb = jk_registry_find(registry, "lb");
    const char *all = "";

    for (size_t i = 0; i < jk_manage_members(lb); i++)
        if (jk_manage_member(lb, i))
            all = apr_pstrcat(pool, all, jk_manage_member(lb, i)->name, " ", NULL);
    return all;
}

START_TEST(members_come_and_go)
{
    jk_result result;

    finish();
    begin_with("worker.list=lb,w,s\nworker.s.type=status\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.lb.spare_members=2\nworker.a.reply_timeout=7\n"
               "worker.b.route=rb\n");
    for (size_t i = 0; i < sizeof coming_and_going / sizeof coming_and_going[0]; i++) {
        (void)run(coming_and_going[i].query, &result);
        ck_assert_msg(result.status == coming_and_going[i].status, "%s: %d, %s", coming_and_going[i].why, result.status, result.message);
        ck_assert_msg(strcmp(those_there(), coming_and_going[i].members) == 0, "%s: %s", coming_and_going[i].why, those_there());
    }
    ck_assert_str_eq(value("m", "activation"), "disabled");
    ck_assert_str_eq(value("o", "activation"), "active");
    ck_assert_str_eq(value("o", "lbfactor"), "1"); /* not that of who was there */
    ck_assert_str_eq(value("o", "domain"), "x");
    ck_assert_str_eq(value("o", "reply_timeout"), "7"); /* as the first member */
    ck_assert_str_eq(value("o", "port"), "8009");
}
END_TEST

/* A state file comes from outside: its names are looked at as those of a request. */
START_TEST(added_members_are_taken)
{
    static const char kept[] = "{\"version\": 1, \"workers\": {\"lb/spare 1\": {\"name\": \"a b\", \"edits\": {}},"
                               "\"lb/spare 2\": {\"name\": \"n\", \"by\": \"me\", \"edits\": {\"host\": {\"value\": \"127.0.0.5\", \"file\": \"\"},"
                               "\"activation\": {\"value\": \"active\", \"file\": \"stopped\"}}},"
                               "\"lb/spare 3\": {\"name\": \"a\", \"edits\": {}}, \"lb/spare 4\": {\"name\": \"n\", \"edits\": {}},"
                               "\"lb/spare 5\": {\"edits\": {}}, \"lb/spare 99\": {\"name\": \"z\", \"edits\": "
                               "{\"host\": {\"value\": \"127.0.0.6\", \"file\": \"\"}}}}}";
    jk_state_news news;
    const char *why;

    ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of(kept), &news, &why), JK_OK);
    ck_assert_str_eq(those_there(), "a b z n "); /* z's place is gone: it has a free one */
    ck_assert_int_eq(news.left->nelts, 4);
    ck_assert_str_eq(value("n", "host"), "127.0.0.5");
    ck_assert_str_eq(value("n", "activation"), "active");
}
END_TEST

#define ROUTE(value, file) "{\"edits\": {\"route\": {\"value\": \"" value "\", \"file\": \"" file "\"}}}"
#define AT "\"host\": {\"value\": \"127.0.0.5\", \"file\": \"\"}"
#define NEW(name, route) "{\"name\": \"" name "\", \"edits\": {" AT ", \"route\": {\"value\": \"" route "\", \"file\": \"\"}}}"

static const struct {
    const char *workers;
    int taken, left;
    const char *members, *a, *b; /* who is there, and the routes of both */
    const char *why;
} twins[] = {
    { "\"lb/a\": " ROUTE("rb", "a"), 0, 1, "a b ", "a", "rb", "the other has it" },
    { "\"lb/a\": " ROUTE("x", "a"), 1, 0, "a b ", "x", "rb", "nobody has it" },
    { "\"lb/a\": " ROUTE("rb", "a") ", \"lb/b\": " ROUTE("a", "rb"), 2, 0, "a b ", "rb", "a", "they change places" },
    { "\"lb/a\": " ROUTE("x", "a") ", \"lb/b\": " ROUTE("x", "rb"), 1, 1, "a b ", "a", "x", "one of two that would share it goes back" },
    { "\"lb/a\": " ROUTE("rb", "a") ", \"lb/b\": " ROUTE("a", "z"), 0, 2, "a b ", "a", "rb", "one did not change, so neither does" },
    { "\"lb/spare 1\": " NEW("n", "n"), 2, 0, "a b n ", "a", "rb", "a member comes" },
    { "\"lb/spare 1\": " NEW("n", "rb"), 0, 1, "a b ", "a", "rb", "but not with another's route" },
    { "\"lb/spare 1\": {\"name\": \"n\", \"edits\": {" AT "}}", 1, 0, "a b n ", "a", "rb", "whose route is its name" },
    { "\"lb/spare 1\": {\"name\": \"rb\", \"edits\": {" AT "}}", 0, 1, "a b ", "a", "rb", "that is another's, too" },
    { "\"lb/spare 1\": {\"name\": \"n\", \"edits\": {\"lbfactor\": {\"value\": \"2\", \"file\": \"1\"}}}", 0, 1, "a b ", "a", "rb",
      "nobody knows where" },
    { "\"lb/spare 1\": " NEW("w", "n"), 0, 1, "a b ", "a", "rb", "nor with a worker's name" },
    { "\"lb/spare 1\": " NEW("lb", "n"), 0, 1, "a b ", "a", "rb", "nor the balancer's" },
    { "\"lb/spare 7\": " NEW("n", "rb"), 0, 1, "a b ", "a", "rb", "nor from a place that is gone: with another's route, and nothing is counted" },
};

/* What one route leads to, and whom a name means, must be one: also where a state file was edited. */
START_TEST(a_state_makes_no_twins)
{
    jk_state_news news;
    const char *why;

    finish();
    begin_with("worker.list=lb,w,s\nworker.s.type=status\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.lb.spare_members=1\n"
               "worker.b.route=rb\n");
    const char *kept = apr_pstrcat(pool, "{\"version\": 1, \"workers\": {", twins[_i].workers, "}}", NULL);
    ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of(kept), &news, &why), JK_OK);
    ck_assert_msg(strcmp(those_there(), twins[_i].members) == 0, "%s: %s", twins[_i].why, those_there());
    ck_assert_msg(strcmp(value("a", "route"), twins[_i].a) == 0 && strcmp(value("b", "route"), twins[_i].b) == 0, "%s", twins[_i].why);
    ck_assert_msg(news.taken == twins[_i].taken && news.left->nelts == twins[_i].left, "%s: %d, %d", twins[_i].why, news.taken, news.left->nelts);
}
END_TEST

#define ADDED(n, name) "\"lb/spare " #n "\": " NEW(name, name)
#define THREE ADDED(1, "x") ", " ADDED(2, "y") ", " ADDED(3, "z")

/* Who is there of a state, and who stands in what is written then: by slot and name. */
static const struct {
    const char *workers, *state, *members, *written, *why;
} homeless[] = {
    { "worker.lb.spare_members=1\n", THREE, "a b x ", "spare 1=x,spare 2=y,spare 3=z,", "who has no place stays in the file" },
    { "worker.lb.spare_members=0\n", THREE, "a b ", "spare 1=x,spare 2=y,spare 3=z,", "where no place is left, too" },
    { "worker.lb.spare_members=2\n", THREE, "a b x y ", "spare 1=x,spare 2=y,spare 3=z,", "one place is back" },
    { "worker.lb.spare_members=4\n", THREE, "a b x y z ", "spare 1=x,spare 2=y,spare 3=z,", "all are back" },
    { "worker.lb.spare_members=1\n", ADDED(3, "z"), "a b z ", "spare 1=z,", "another place is his only one" },
    { "worker.lb.spare_members=1\nworker.lb.balance_workers=z\n", THREE, "a b z x ", "spare 1=x,spare 2=y,", "the workers file names one" },
    { "worker.lb.spare_members=1\nworker.list=y\n", THREE, "a b x ", "spare 1=x,spare 3=z,", "or another worker of that name" },
    { "worker.lb.spare_members=0\n", THREE ", \"lb/spare 4\": {\"edits\": {}}, \"lb/spare 5\": 1, \"lb/spare 6\": {\"name\": \"a b\"}, "
      "\"o/spare 1\": " NEW("o", "o"), "a b ", "spare 1=x,spare 2=y,spare 3=z,", "who has no name, a bad one, or no balancer does not stay" },
    { "worker.lb.spare_members=2\n", ADDED(1, "x") ", \"lb/spare 7\": {\"name\": \"y\"}", "a b x ", "spare 1=x,",
      "nor who was refused the place that is free" },
};

static const char *written_of(jk_span state)
{
    json_t *root = json_loadb((const char *)state.p, state.len, 0, NULL), *one;
    const char *all = "", *slot;

    json_object_foreach(json_object_get(root, "workers"), slot, one)
        if (json_object_get(one, "name"))
            all = apr_pstrcat(pool, all, slot + 3, "=", json_string_value(json_object_get(one, "name")), ",", NULL);
    json_decref(root);
    return all;
}

START_TEST(who_has_no_place_stays_in_the_file)
{
    static const char members[] = "worker.list=lb,w,s\nworker.s.type=status\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\n";
    jk_span state;
    jk_state_news news;
    const char *why;
    char *kept;

    finish();
    begin_with(apr_pstrcat(pool, members, homeless[_i].workers, NULL));
    kept = apr_pstrcat(pool, "{\"version\": 1, \"workers\": {", homeless[_i].state, "}}", NULL);
    for (int i = 0; i < 2; i++) { /* what was written is read again, by one who takes nothing of it: the memory has it */
        if (i == 0)
            ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of(kept), &news, &why), JK_OK);
        state = jk_state_text(pool, registry, 5, jk_state_homeless(pool, registry, jk_span_of(kept)));
        ck_assert_msg(strcmp(those_there(), homeless[_i].members) == 0, "%s: %s", homeless[_i].why, those_there());
        ck_assert_msg(strcmp(written_of(state), homeless[_i].written) == 0, "%s: %s", homeless[_i].why, written_of(state));
        kept = apr_pstrmemdup(pool, (const char *)state.p, state.len);
    }
    ck_assert_ptr_nonnull(strstr(kept, "127.0.0.5")); /* with all that they were */
    ck_assert_uint_eq(jk_state_homeless(pool, registry, jk_span_of("{")).len, 0);
}
END_TEST

/* Who was added is named so at run time: he is there, and is not written twice; then he goes, and is not written again. */
START_TEST(who_is_added_anew_is_written_once)
{
    jk_state_news news;
    jk_result result;
    const char *why;

    finish();
    begin_with("worker.list=lb,s\nworker.s.type=status\nworker.lb.type=lb\nworker.lb.balance_workers=a\nworker.lb.spare_members=1\n");
    ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of("{\"version\": 1, \"workers\": {" THREE "}}"), &news, &why), JK_OK);
    ck_assert_int_eq(news.left->nelts, 2);
    jk_span lost = jk_state_homeless(pool, registry, jk_span_of("{\"version\": 1, \"workers\": {" THREE "}}"));
    (void)run("cmd=remove&w=lb&sw=x", &result);
    ck_assert_str_eq(written_of(jk_state_text(pool, registry, 5, lost)), "spare 2=y,spare 3=z,");
    (void)run("cmd=add&w=lb&sw=y&vahst=127.0.0.9", &result);
    ck_assert_int_eq(result.status, 200);
    ck_assert_str_eq(written_of(jk_state_text(pool, registry, 5, lost)), "spare 1=y,spare 3=z,");
}
END_TEST

/* Nobody takes a place that has requests of its last member, nor what was edited for another. */
START_TEST(a_place_is_one_members_at_a_time)
{
    const jk_worker *lb;
    jk_result result;
    jk_tune was, is;

    finish();
    begin_with("worker.list=lb,s\nworker.s.type=status\nworker.lb.type=lb\nworker.lb.balance_workers=a\nworker.lb.spare_members=1\n");
    (void)run("cmd=add&w=lb&sw=n&vahst=127.0.0.5", &result);
    lb = jk_registry_find(registry, "lb");
    jk_stat *stat = jk_manage_stat(find("n"));
    jk_stat_tune_read(stat, &was);
    is = was;
    is.lbfactor = 9;
    jk_stat_add(stat, JK_COUNT_SERVED, 5);
    (void)jk_stat_begin(stat);
    (void)run("cmd=remove&w=lb&sw=n", &result);
    ck_assert_int_eq(jk_stat_tune_edit(stat, &was, &is), JK_E_CONF);
    ck_assert_uint_eq(jk_manage_free_place(lb), jk_manage_members(lb));
    (void)run("cmd=add&w=lb&sw=m&vahst=127.0.0.5", &result);
    ck_assert_int_eq(result.status, 409);
    jk_stat_end(stat);
    (void)run("cmd=add&w=lb&sw=m&vahst=127.0.0.5", &result);
    ck_assert_int_eq(result.status, 200);
    ck_assert_uint_eq(jk_stat_read(stat).count[JK_COUNT_SERVED], 0);
    ck_assert_int_eq(jk_stat_tune_edit(stat, &was, &is), JK_E_CONF);
    ck_assert_str_eq(value("m", "lbfactor"), "1");
}
END_TEST

START_TEST(a_state_is_written_and_taken)
{
    jk_state_news news;
    jk_result result;
    const char *why;

    (void)run("cmd=update&w=lb&sw=a&vwf=3&vwn=ra&vahst=127.0.0.9", &result);
    (void)run("cmd=update&w=lb&vlm=b&vls=f", &result);
    jk_span state = jk_state_text(pool, registry, 5, JK_SPAN_NONE);
    char *copy = strndup((const char *)state.p, state.len);
    finish();
    begin();
    ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of(copy), &news, &why), JK_OK);
    ck_assert_int_eq(news.taken, 5);
    ck_assert_str_eq(value("a", "route"), "ra");
    ck_assert_str_eq(value("a", "host"), "127.0.0.9");
    ck_assert_str_eq(value("lb", "method"), "Busyness");
    ck_assert_str_eq(value("lb", "sticky_session"), "false");
    ck_assert_str_eq(jk_stat_signed(jk_manage_stat(find("a"))).by, "me");
    finish();
    begin_with("worker.list=lb,s\nworker.lb.type=lb\nworker.lb.balance_workers=a\nworker.a.lbfactor=9\nworker.s.type=status\n");
    ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of(copy), &news, &why), JK_OK);
    ck_assert_str_eq(value("a", "lbfactor"), "9");
    ck_assert_int_eq(news.left->nelts, 1);
    free(copy);
}
END_TEST

/* A workers file may be of any bytes: what was edited is not lost for that. */
START_TEST(a_state_of_a_file_that_is_no_utf8)
{
    static const char odd[] = "worker.list=lb,w,s\nworker.lb.type=lb\nworker.lb.balance_workers=a\nworker.s.type=status\n"
                              "worker.w.host=unix:/run/\xe9\n";
    jk_state_news news;
    jk_result result;
    const char *why;

    finish();
    begin_with(odd);
    (void)run("cmd=update&w=w&vahst=127.0.0.9&vabl=5", &result);
    ck_assert_int_eq(result.status, 200);
    jk_span state = jk_state_text(pool, registry, 5, JK_SPAN_NONE);
    char *copy = strndup((const char *)state.p, state.len);
    finish();
    begin_with(odd);
    ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of(copy), &news, &why), JK_OK);
    ck_assert_int_eq(news.left->nelts, 0);
    ck_assert_str_eq(value("w", "host"), "127.0.0.9");
    ck_assert_str_eq(value("w", "busy_limit"), "5");
    free(copy);
}
END_TEST

static const char *const broken[] = { "", "{", "[]", "7", "{}", "{\"version\":1}", "{\"version\":1,\"workers\":[]}",
                                      "{\"version\":9,\"workers\":{}}", "\xff" };

START_TEST(a_broken_state_is_refused)
{
    jk_state_news news;
    const char *why = "";

    ck_assert_int_eq(jk_state_take(pool, registry, jk_span_of(broken[_i]), &news, &why), JK_E_CONF);
    ck_assert_str_ne(why, "");
}
END_TEST

/* ---- formats ---- */

#define HARM "<b>\"'&\\\x01\x7f\n\r\t\xff\xc3\xa9\xef\xbf\xbe=: "

static jk_span shown(const char *query, const char *name)
{
    apr_array_header_t *maps = apr_array_make(pool, 1, sizeof(jk_view_map));
    jk_view_from from = { .registry = registry, .workers = conf, .status = jk_workers_find(conf, "s"), .maps = maps, .now = 1000000000,
                          .server_name = name, .web_server = name, .jk_version = "v", .token = "t", .base = name };
    jk_result result;
    jk_ask ask;

    APR_ARRAY_PUSH(maps, jk_view_map) = (jk_view_map){ .worker = "w", .server = name, .uri = name, .type = "Exact", .source = "JkMount",
                                                       .fail_on_status = "", .active = name, .disabled = "", .stopped = "", .path = name,
                                                       .place = name, .mount = name, .vhost = name, .counted = 1, .again = true };
    jk_ask_read(pool, jk_span_of(query), from.status, &ask, &result);
    return jk_render(pool, jk_view_make(pool, &from), &ask, &result, from.status);
}

static bool holds(jk_span page, const char *bytes)
{
    return memmem(page.p, page.len, bytes, strlen(bytes)) != NULL;
}

static const struct {
    const char *mime;
    const char *has, *hasnt[4];
    const char *why;
} formats[] = {
    { "xml", "name=\"&lt;b&gt;&quot;&apos;&amp;\\\xEF\xBF\xBD\x7f&#10;&#13;&#9;\xEF\xBF\xBD\xc3\xa9\xEF\xBF\xBD=: \"", { "<b>", "\x01", "\xff" },
      "what XML cannot hold becomes U+FFFD" },
    { "txt", "name=<b>\"'&\\\\x01\\x7f\\x0a\\x0d\\x09\xff", { "\x01", "\r", "\t" }, "no value ends its line" },
    { "txt", "uri=\"<b>\\\"'&\\\\\\x01", { "\x01" }, "nor its quotes" },
    { "prop", "server_name=<b>\"'&\\\\\\u0001\\u007f\\u000a\\u000d\\u0009\xff", { "\x01", "\r", "\t" }, "as Java's properties have it" },
    { "html", "&lt;b&gt;&quot;&#39;&amp;\\\xEF\xBF\xBD", { "<b>\"", "\x01", "\xff", "'&\\" }, "nothing leaves its place" },
    { "json", "\"<b>\\\"'&\\\\\\u0001\x7f\\n\\r\\t\xEF\xBF\xBD\xc3\xa9", { "\x01", "\xff" }, "always UTF-8" },
};

START_TEST(names_that_mean_harm)
{
    jk_span page = shown(apr_pstrcat(pool, "mime=", formats[_i].mime, NULL), HARM);

    ck_assert_msg(holds(page, formats[_i].has), "%s: %.*s", formats[_i].why, (int)page.len, (const char *)page.p);
    for (int i = 0; i < 4 && formats[_i].hasnt[i]; i++)
        ck_assert_msg(!holds(page, formats[_i].hasnt[i]), "%s: %d", formats[_i].why, i);
}
END_TEST

START_TEST(json_is_json)
{
    static const char *const queries[] = { "mime=json", "mime=json&cmd=show&w=lb", "mime=json&cmd=dump", "mime=json&cmd=version", "mime=json&cmd=x" };

    for (int i = 0; i < COUNT(queries); i++) {
        jk_span page = shown(queries[i], HARM);
        json_t *root = json_loadb((const char *)page.p, page.len, 0, NULL);
        ck_assert_msg(root != NULL, "%s", queries[i]);
        ck_assert_int_eq(json_integer_value(json_object_get(root, "version")), 1);
        json_decref(root);
    }
}
END_TEST

/* The walk is the same for all of them: what one shows of a worker all do. */
START_TEST(a_secret_is_never_shown)
{
    static const char *const commands[] = { "list", "dump", "show&w=w", "edit&w=w" };

    for (const jk_format *f = jk_formats; f->mime; f++)
        for (int i = 0; i < COUNT(commands); i++)
            ck_assert_msg(!holds(shown(apr_psprintf(pool, "mime=%s&cmd=%s", f->mime, commands[i]), "x"), "hush"), "%s %s", f->mime, commands[i]);
}
END_TEST

START_TEST(opt_hides)
{
    ck_assert(holds(shown("mime=txt", "x"), "Member:") && !holds(shown("mime=txt&opt=1", "x"), "Member:"));
    ck_assert(holds(shown("mime=txt", "x"), "Map:") && !holds(shown("mime=txt&opt=2", "x"), "Map:"));
    ck_assert(!holds(shown("mime=xml&opt=8", "x"), "balancer") && !holds(shown("mime=prop&opt=16", "x"), "ajp_count"));
}
END_TEST

START_TEST(a_view_counts_and_compares)
{
    jk_result result;
    jk_tune lb;

    (void)run("cmd=update&w=lb&sw=a&vwf=3", &result);
    jk_stat_tune_read(jk_manage_stat(find("lb")), &lb);
    (void)jk_stat_event(jk_manage_stat(find("b")), JK_MEMBER_HARD, 999999990, &lb);
    jk_view_from from = { .registry = registry, .workers = conf, .status = jk_workers_find(conf, "s"), .now = 1000000000, .server_name = "",
                          .web_server = "", .jk_version = "", .token = "", .base = "" };
    jk_view *view = jk_view_make(pool, &from);
    const jk_view_worker *v = jk_view_find(view, "lb"), *a = jk_view_member(v, "a"), *b = jk_view_member(v, "b");
    ck_assert(jk_view_find(view, "nobody") == NULL && jk_view_find(view, "s") == NULL && jk_view_member(v, "c") == NULL);
    ck_assert_int_eq(v->good, 1);
    ck_assert_int_eq(v->bad, 1);
    ck_assert_str_eq(a->edited, "lbfactor");
    ck_assert_str_eq(APR_ARRAY_IDX(a->edits, 0, jk_view_edit).file, "1");
    ck_assert_str_eq(b->state, "ERR");
    ck_assert_int_eq(b->error_ago, 10);
    ck_assert(b->recover_min >= 50 && b->recover_max >= b->recover_min && a->recover_min == 0);
    ck_assert_uint_eq(a->mult, 1);
    ck_assert_uint_eq(b->mult, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edit");
    TCase *t = tcase_create("edit");
    SRunner *r = srunner_create(s);

    apr_initialize();
    tcase_add_checked_fixture(t, begin, finish);
    tcase_add_test(t, the_table_is_whole);
    tcase_add_loop_test(t, values_are_checked_and_set, 0, COUNT(rows));
    tcase_add_test(t, lines_say_what_was_done);
    tcase_add_test(t, who_did_it_is_ascii);
    tcase_add_test(t, reset_and_recover);
    tcase_add_test(t, members_come_and_go);
    tcase_add_test(t, added_members_are_taken);
    tcase_add_loop_test(t, a_state_makes_no_twins, 0, COUNT(twins));
    tcase_add_loop_test(t, who_has_no_place_stays_in_the_file, 0, COUNT(homeless));
    tcase_add_test(t, who_is_added_anew_is_written_once);
    tcase_add_test(t, a_place_is_one_members_at_a_time);
    tcase_add_test(t, a_state_is_written_and_taken);
    tcase_add_test(t, a_state_of_a_file_that_is_no_utf8);
    tcase_add_loop_test(t, a_broken_state_is_refused, 0, COUNT(broken));
    tcase_add_loop_test(t, names_that_mean_harm, 0, COUNT(formats));
    tcase_add_test(t, json_is_json);
    tcase_add_test(t, a_secret_is_never_shown);
    tcase_add_test(t, opt_hides);
    tcase_add_test(t, a_view_counts_and_compares);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
