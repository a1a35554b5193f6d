/* tests/unit/test_jkctl.c - what jkctl makes of a look: names to workers, words to health, bytes to what a terminal may have. */
#include "jkctl_look.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static const char text[] =
    "{\"balancers\": ["
    " {\"name\": \"shop\", \"good\": 1, \"degraded\": 1, \"members\": ["
    "  {\"name\": \"n1\", \"health\": \"good\"}, {\"name\": \"both\", \"health\": \"odd\"}]},"
    " {\"name\": \"shop:n\", \"bad\": 1, \"members\": [{\"name\": \"both\", \"health\": \"bad\"}, {\"name\": \"n1:x\"}, {\"name\": \"own\"}]},"
    " null, {\"members\": 7}],"
    " \"ajp_workers\": [{\"name\": \"own\", \"state\": \"OK/IDLE\"}, {\"name\": \"down\", \"state\": \"ERR\"},"
    "  {\"name\": \"back\", \"state\": \"ERR/REC\"}]}";

static const struct {
    const char *name;
    unsigned kinds;
    const char *found, *why; /* names with blanks between */
} names[] = {
    { "n1", JKC_ANY, "shop:n1", "the only one" },
    { "shop:n1", JKC_ANY, "shop:n1", "its whole name" },
    { "*:n1", JKC_ANY, "shop:n1", "in each balancer that has it" },
    { "both", JKC_ANY, "", "two have it" },
    { "shop:both", JKC_ANY, "shop:both", "one of the two" },
    { "shop:n:both", JKC_ANY, "shop:n:both", "a colon in a balancer's name" },
    { "n1:x", JKC_ANY, "shop:n:n1:x", "and in a member's" },
    { "*:both", JKC_ANY, "shop:both shop:n:both", "both, when both are meant" },
    { "own", JKC_ANY, "", "a member, and a worker of its own" },
    { "own", JKC_MEMBER, "shop:n:own", "where only members count it is one" },
    { ":own", JKC_ANY, "own", "the worker of its own" },
    { "shop", JKC_ANY, "shop", "a balancer" },
    { "shop", JKC_MEMBER, "", "which is no member" },
    { "sho", JKC_ANY, "", "no beginnings" },
    { "shop:", JKC_MEMBER, "", "no member without a name" },
    { "*:", JKC_MEMBER, "", "in no balancer" },
};

START_TEST(names_mean_workers)
{
    json_t *look = json_loads(text, 0, NULL);
    jkc_workers found = jkc_look_find(look, names[_i].name, names[_i].kinds);
    char all[256] = "";

    for (size_t i = 0; i < found.n; i++) {
        char *name = jkc_look_name(&found.list[i]);
        strcat(strcat(all, i ? " " : ""), name);
        free(name);
    }
    ck_assert_msg(strcmp(all, names[_i].found) == 0, "%s: '%s' is '%s', not '%s'", names[_i].why, names[_i].name, all, names[_i].found);
    free(found.list);
    json_decref(look);
}
END_TEST

static const struct {
    const char *name;
    jkc_exit health;
} healths[] = {
    { "shop", JKC_DEGRADED }, { "shop:n", JKC_BAD },    { "n1", JKC_GOOD },   { "shop:both", JKC_DEGRADED }, { "shop:n:both", JKC_BAD },
    { "n1:x", JKC_DEGRADED }, { ":own", JKC_GOOD },     { "down", JKC_BAD },  { "back", JKC_DEGRADED },
};

START_TEST(words_say_how_a_worker_is)
{
    json_t *look = json_loads(text, 0, NULL);
    jkc_workers found = jkc_look_find(look, healths[_i].name, JKC_ANY);

    ck_assert_uint_eq(found.n, 1);
    ck_assert_msg(jkc_look_health(&found.list[0]) == healths[_i].health, "%s", healths[_i].name);
    free(found.list);
    json_decref(look);
}
END_TEST

static const struct {
    const char *word, *near, *why;
} words[] = {
    { "lbfactr", "lbfactor", "one letter is missing" }, { "lbfactorr", "lbfactor", "one too many" }, { "blfactor", "lbfactor", "two changed places" },
    { "hsot", "host", "in a short one too" },           { "route", "route", "itself" },              { "xyzzy", NULL, "like none" },
    { "", NULL, "nothing" },                            { "h", NULL, "one letter is no word" },
};

START_TEST(slips_are_seen)
{
    static const char *const all[] = { "host", "lbfactor", "route" };
    const char *near = jkc_look_near(words[_i].word, all, ROWS(all));

    ck_assert_msg(near == NULL ? words[_i].near == NULL : words[_i].near && strcmp(near, words[_i].near) == 0, "%s: %s", words[_i].why,
                  near ? near : "none");
}
END_TEST

START_TEST(no_byte_reaches_a_terminal_that_it_obeys)
{
    char one[2] = { 0 };

    for (int c = 1; c < 256; c++) {
        one[0] = (char)c;
        char *clean = jkc_clean(one);
        ck_assert_uint_eq(strlen(clean), c >= ' ' && c < 0x7f ? 1 : 4);
        for (const char *p = clean; *p; p++)
            ck_assert(*p >= ' ' && *p < 0x7f);
        free(clean);
    }
    char *clean = jkc_clean("a\033[2J\xc2\x9b");
    ck_assert_str_eq(clean, "a\\x1b[2J\\xc2\\x9b");
    free(clean);
}
END_TEST

START_TEST(what_is_missing_is_nothing)
{
    json_t *odd = json_loads("{\"name\": 7, \"busy\": \"many\", \"flag\": 1}", 0, NULL);

    ck_assert_str_eq(jkc_text(odd, "name"), "");
    ck_assert_str_eq(jkc_text(NULL, "name"), "");
    ck_assert_int_eq(jkc_number(odd, "busy"), 0);
    ck_assert(!jkc_flag(odd, "flag"));
    ck_assert_uint_eq(jkc_look_all(odd, JKC_ANY).n, 0);
    ck_assert_str_eq(jkc_look_activation(odd), "unknown");
    json_decref(odd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jkctl/look");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, names_mean_workers, 0, ROWS(names));
    tcase_add_loop_test(all, words_say_how_a_worker_is, 0, ROWS(healths));
    tcase_add_loop_test(all, slips_are_seen, 0, ROWS(words));
    tcase_add_test(all, no_byte_reaches_a_terminal_that_it_obeys);
    tcase_add_test(all, what_is_missing_is_nothing);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
