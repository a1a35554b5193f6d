/* tests/unit/test_query.c - parameters as anybody may send them, and what is asked for by them. */
#include <check.h>

#include "jk/status/ask.h"
#include "jk/status/render.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))
#define MOST 3

static apr_pool_t *pool;

static const struct {
    const char *text;
    jk_rc rc;
    const char *pairs[2 * MOST]; /* name, value, .. */
    const char *why;
} rows[] = {
    { "", JK_OK, { 0 }, "nothing" },
    { "a=1", JK_OK, { "a", "1" }, "one" },
    { "a=1&b=2", JK_OK, { "a", "1", "b", "2" }, "two" },
    { "a=1&a=2", JK_OK, { "a", "2" }, "the last of two counts" },
    { "a&b=2", JK_OK, { "b", "2" }, "without a sign it is none" },
    { "=1&b=2", JK_OK, { "b", "2" }, "nor without a name" },
    { "&&b=2&", JK_OK, { "b", "2" }, "empty ones are none" },
    { "a=", JK_OK, { "a", "" }, "an empty value is one" },
    { "a=b=c", JK_OK, { "a", "b=c" }, "the first sign divides" },
    { "a=x+y%20z", JK_OK, { "a", "x y z" }, "both ways to write a blank" },
    { "a=%3A%3a%26", JK_OK, { "a", "::&" }, "escapes in either case" },
    { "a=%E2%82%AC%ff", JK_OK, { "a", "\xE2\x82\xAC\xff" }, "any byte" },
    { "a%3D=1", JK_OK, { "a%3D", "1" }, "names are taken as they are" },
    { "a=%", JK_E_CONF, { 0 }, "no digits" },
    { "a=%4", JK_E_CONF, { 0 }, "one digit" },
    { "a=%4&b=1", JK_E_CONF, { 0 }, "the next parameter's bytes are not the escape's" },
    { "a=%g1", JK_E_CONF, { 0 }, "no hex" },
    { "a=%1g", JK_E_CONF, { 0 }, "no hex either" },
    { "a=%00", JK_E_CONF, { 0 }, "a NUL would cut the value" },
    { "b=1&a=%zz", JK_E_CONF, { 0 }, "one that is bad spoils all" },
};

START_TEST(pairs_are_read)
{
    jk_query q;
    const char *name;

    ck_assert_msg(jk_query_read(pool, jk_span_of(rows[_i].text), &q, &name) == rows[_i].rc, "%s", rows[_i].why);
    if (rows[_i].rc != JK_OK)
        return;
    int n = 0;
    for (; n < MOST && rows[_i].pairs[2 * n]; n++) {
        ck_assert_msg(n < q.params->nelts, "%s", rows[_i].why);
        ck_assert_str_eq(APR_ARRAY_IDX(q.params, n, jk_param).name, rows[_i].pairs[2 * n]);
        ck_assert_str_eq(jk_query_get(&q, rows[_i].pairs[2 * n]), rows[_i].pairs[2 * n + 1]);
    }
    ck_assert_msg(q.params->nelts == n, "%s", rows[_i].why);
}
END_TEST

START_TEST(limits_hold)
{
    char *text = apr_pcalloc(pool, JK_QUERY_BYTES + 2);
    jk_query q;
    const char *name;

    memset(text, 'a', JK_QUERY_BYTES);
    text[1] = '=';
    ck_assert_int_eq(jk_query_read(pool, jk_span_of(text), &q, &name), JK_OK);
    text[JK_QUERY_BYTES] = 'a';
    ck_assert_int_eq(jk_query_read(pool, jk_span_of(text), &q, &name), JK_E_CONF);
    const char *many = "";
    for (int i = 0; i < 64; i++)
        many = apr_psprintf(pool, "%sn%d=1&", many, i);
    ck_assert_int_eq(jk_query_read(pool, jk_span_of(many), &q, &name), JK_OK);
    ck_assert_int_eq(q.params->nelts, 64);
}
END_TEST

/* Cut anywhere it reads no byte behind its end. */
START_TEST(a_prefix_is_a_query)
{
    static const char whole[] = "w=lb&sw=n%311&vwf=%32+%33&&x";

    for (size_t n = 0; n < sizeof whole; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        jk_query q;
        const char *name;
        memcpy(cut, whole, n);
        (void)jk_query_read(pool, (jk_span){ cut, n }, &q, &name);
        free(cut);
    }
}
END_TEST

static const struct {
    const char *text;
    bool read_only;
    int status;
    const char *command, *mime, *why;
} asks[] = {
    { "", false, 200, "list", "html", "a list, for people" },
    { "cmd=show&w=x&mime=xml", false, 200, "show", "xml", "one worker, for a script" },
    { "cmd=show", false, 400, "show", "html", "which one?" },
    { "cmd=show&w=", false, 400, "show", "html", "which one?" },
    { "cmd=show&w=x&sw=", false, 400, "show", "html", "an empty name is none" },
    { "cmd=show&w=x&sw=a*", false, 400, "show", "html", "only an update may have several" },
    { "cmd=update&w=x&sw=a*", false, 200, "update", "html", "as here" },
    { "cmd=List", false, 400, "list", "html", "commands have their case" },
    { "mime=yaml", false, 400, "list", "prop", "what is wrong is said in the incumbent's format" },
    { "cmd=update&w=x", true, 403, "update", "html", "not where nothing may be changed" },
    { "cmd=edit&w=x", true, 403, "edit", "html", "nor its form" },
    { "cmd=update&w=x&opt=32", false, 403, "update", "html", "who asked for no changes gets none" },
    { "cmd=dump", true, 200, "dump", "html", "looking is allowed" },
    { "cmd=show&w=%", false, 400, "show", "html", "an escape that is none" },
};

START_TEST(commands_are_known)
{
    jk_worker_conf conf = { .name = "s", .read_only = asks[_i].read_only };
    jk_ask ask;
    jk_result result;

    jk_ask_read(pool, jk_span_of(asks[_i].text), &conf, &ask, &result);
    ck_assert_msg(result.status == asks[_i].status, "%s: %d", asks[_i].why, result.status);
    ck_assert_msg(strcmp(ask.command->name, asks[_i].command) == 0, "%s: %s", asks[_i].why, ask.command->name);
    ck_assert_msg(strcmp(ask.format->mime, asks[_i].mime) == 0, "%s: %s", asks[_i].why, ask.format->mime);
}
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    const char *why;
} letters[] = {
    { "a", 1, "ASCII" },
    { "\xC3\xA9", 2, "two bytes" },
    { "\xE2\x82\xAC", 3, "three" },
    { "\xF0\x9F\x98\x80", 4, "four" },
    { "", 0, "the end" },
    { "\x80", 0, "no beginning" },
    { "\xC3", 0, "cut" },
    { "\xE2\x82", 0, "cut" },
    { "\xC0\xAF", 0, "too long for what it means" },
    { "\xE0\x80\xAF", 0, "too long" },
    { "\xF0\x80\x80\xAF", 0, "too long" },
    { "\xED\xA0\x80", 0, "half of a pair" },
    { "\xF4\x90\x80\x80", 0, "behind the last" },
    { "\xFF", 0, "never" },
};

START_TEST(characters_are_known)
{
    ck_assert_msg(jk_page_utf8(letters[_i].bytes) == letters[_i].n, "%s", letters[_i].why);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("query");
    TCase *t = tcase_create("query");
    SRunner *r = srunner_create(s);

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_add_loop_test(t, pairs_are_read, 0, COUNT(rows));
    tcase_add_test(t, limits_hold);
    tcase_add_test(t, a_prefix_is_a_query);
    tcase_add_loop_test(t, commands_are_known, 0, COUNT(asks));
    tcase_add_loop_test(t, characters_are_known, 0, COUNT(letters));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
