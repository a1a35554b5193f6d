/* tests/unit/test_props.c - the grammar of properties, line by line and cut at every byte; macros; comments; and that nothing that
 * has to do with a secret is ever quoted. */
#include "guard.h"

#include <check.h>

#include "jk/conf/keys.h"
#include "jk/conf/props.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static jk_findings *found;
static jk_props *props;

static const char *environment(const char *name)
{
    return strcmp(name, "HOME_OF_TESTS") == 0 ? "here" : strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static void start(void)
{
    found = jk_findings_make(pool);
    props = jk_props_make(pool, environment);
}

static void read_bytes(const void *bytes, size_t n)
{
    start();
    jk_props_text(props, found, (jk_span){ jk_guarded(bytes, n), n }, "w.properties");
    jk_props_close(props, found);
}

static void read_text(const char *text)
{
    read_bytes(text, strlen(text));
}

/* "key=value@line;" for each. */
static const char *all_props(void)
{
    const char *text = "";

    for (int i = 0; i < props->all->nelts; i++) {
        const jk_prop *one = &APR_ARRAY_IDX(props->all, i, jk_prop);
        text = apr_psprintf(pool, "%s%s=%s@%d;", text, one->key, one->value, one->line);
    }
    return text;
}

static const char *all_findings(void)
{
    const char *text = "";

    for (int i = 0; i < found->all->nelts; i++)
        text = apr_pstrcat(pool, text, jk_findings_text(pool, &APR_ARRAY_IDX(found->all, i, jk_finding)), "\n", NULL);
    return text;
}

/* ---- lines ---- */

static const struct {
    const char *text, *read, *said, *why;
} lines[] = {
    { "a=b\n", "a=b@1;", "", "a line" },
    { "a=b", "a=b@1;", "", "without its end" },
    { "a=b\r\nc=d\r\n", "a=b@1;c=d@2;", "", "from Windows" },
    { "\xEF\xBB\xBF" "a=b\n", "a=b@1;", "", "with a byte order mark" },
    { " \t a \t = \t b c \t \n", "a=b c@1;", "", "white space around key and value, and inside" },
    { "a=b=c=\n", "a=b=c=@1;", "", "the first '=' parts" },
    { "a=\nb=2\n", "b=2@2;", "w.properties:1: 'a' has no value and is ignored", "an empty value is no value" },
    { "=b\n", "", "w.properties:1: there is nothing before the '='", "no key" },
    { "=\n\n \n\t\r\n", "", "there is nothing before the '='", "nothing" },
    { "\n \n\t\r\n", "", "", "nothing at all" },
    { "worker.a.host=\n", "", "'worker.a.host' has no value and is ignored, as if the line were not there", "a key of a worker" },
    { "worker.a.secret sesame\n", "", "'worker.a.secret' has no '=' and is ignored; allowed: KEY=VALUE, neither a ':' nor a "
      "blank in place of the '='",
      "a blank in a key of a worker" },
    { "a=b\rc=d\n", "", "w.properties:1: there is a carriage return inside the line, and it is ignored", "an old Mac's line ends" },
    { "a=b\x07" "c\n", "a=b\x07" "c@1;", "there is a control character (0x07) in the value of 'a'", "a bell" },
    { "a=b\tc\n", "a=b\tc@1;", "", "a tab is a blank" },
    { "a=1\na=2\n", "a=1@1;a=2@2;", "", "repeated: both are kept here" },
    { "A=1\na=2\n", "A=1@1;a=2@2;", "", "the case of keys counts" },
    { "nonsense\n", "", "w.properties:1: 'nonsense' has no '='", "a line without '='" },
    { "a:b\n", "", "'a' has no '='", "a ':' does not part" },
    { "a b\n", "", "'a' has no '='", "nor does a blank" },
    { "a=b\\\nc\n", "a=b\\@1;", "w.properties:2: the line has no '=' and is ignored: a '\\' at the end of a line joins no lines",
      "a backslash joins no lines" },
    { "a=b\\ \r\nc=d\n", "a=b\\@1;c=d@2;", "", "but the next line is one" },
    { "!a=b\n", "!a=b@1;", "", "a '!' is no comment" },
    { "\xC3\xA4=\xC3\xB6\n", "\xC3\xA4=\xC3\xB6@1;", "", "UTF-8" },
    { "\n\n\na=b\n", "a=b@4;", "", "empty lines count" },
    { "\xFF\xFE" "a=b\n", "", "w.properties:1: the file is in UTF-16", "the mark of UTF-16" },
    { "\xFE\xFF" "a=b\n", "", "UTF-16", "the other way round" },
};

START_TEST(each_line_is_read)
{
    read_text(lines[_i].text);
    ck_assert_msg(strcmp(all_props(), lines[_i].read) == 0, "%s: read as %s", lines[_i].why, all_props());
    ck_assert_msg(strstr(all_findings(), lines[_i].said) != NULL, "%s: said %s", lines[_i].why, all_findings());
    ck_assert_msg(*lines[_i].said || found->all->nelts == 0, "%s: said %s", lines[_i].why, all_findings());
}
END_TEST

START_TEST(a_nul_byte_is_refused_and_the_rest_is_read)
{
    read_bytes("a=1\nb=\0002\nc=3\n", 14);
    ck_assert_str_eq(all_props(), "a=1@1;c=3@3;");
    ck_assert_msg(strstr(all_findings(), "w.properties:2: the line holds a NUL byte"), "%s", all_findings());
    ck_assert(jk_findings_refuse(found, false));
}
END_TEST

#define LINE_MOST 65536

static const struct {
    size_t len;
    bool good;
} lengths[] = {
    { 8191, true }, { 8192, true }, { LINE_MOST - 1, true }, { LINE_MOST, true }, { LINE_MOST + 1, false }, { 2 * LINE_MOST, false },
};

START_TEST(each_length_of_a_line)
{
    size_t len = lengths[_i].len;
    char *line = apr_palloc(pool, len + 6);

    memset(line, 'x', len);
    memcpy(line, "k=", 2);
    memcpy(line + len, "\nl=m", 5);
    read_bytes(line, len + 4);
    ck_assert_int_eq(props->all->nelts, lengths[_i].good ? 2 : 1);
    ck_assert(jk_findings_refuse(found, false) == !lengths[_i].good);
    line[len] = '\0';
    start();
    jk_props_line(props, found, line, "httpd.conf", 7);
    ck_assert_int_eq(props->all->nelts, lengths[_i].good ? 1 : 0);
    ck_assert(strlen(all_findings()) < 200);
}
END_TEST

/* ---- comments ---- */

static const struct {
    const char *text, *read, *why;
    bool told;
} comments[] = {
    { "# a=b\n", "", "a line", false },
    { "  \t# a=b\n", "", "behind white space", false },
    { "a=b # c\n", "a=b@1;", "behind a value", false },
    { "a=b\t#c=d\n", "a=b@1;", "behind a tab", false },
    { "a= # c\n", "", "instead of a value", true },
    { "a=b#c\n", "a=b@1;", "inside a value, as ever", true },
    { "a=#c\n", "", "right behind the '='", true },
    { "a=b #c#d\n", "a=b@1;", "a comment in a comment", false },
    { "a # b=c\n", "", "before the '='", true },
    { "worker.w.port=8009#x\n", "worker.w.port=8009@1;", "inside a worker's value", true },
    { "worker.w.route=a#b\n", "worker.w.route=a@1;", "inside a route", true },
    { "worker.w.secret=a#b\n", "worker.w.secret=a#b@1;", "a secret may hold it", false },
    { "worker.w.secret=#b\n", "worker.w.secret=#b@1;", "and begin with it", false },
    { "worker.w.secret= #b\n", "", "but not behind white space", true },
    { "worker.w.secret=a#b #c\n", "worker.w.secret=a#b@1;", "and a comment may follow", false },
    { "worker.a.b.secret=a##b#\n", "worker.a.b.secret=a##b#@1;", "more of them, in a name with a dot", false },
    { "secret=a#b\n", "secret=a@1;", "a variable is no secret yet", true },
    { "worker.s.css=/x#y\n", "worker.s.css=/x#y@1;", "css", false },
    { "worker.s.xmlns=u#v\n", "worker.s.xmlns=u#v@1;", "xmlns", false },
    { "worker.s.doctype=u#v\n", "worker.s.doctype=u#v@1;", "doctype", false },
    { "worker.l.session_cookie=u#v\n", "worker.l.session_cookie=u#v@1;", "session_cookie", false },
    { "worker.l.session_path=;u#v\n", "worker.l.session_path=;u#v@1;", "session_path", false },
    { "worker.l.session_cookie_path=/u#v\n", "worker.l.session_cookie_path=/u#v@1;", "session_cookie_path", false },
    { "worker.l.set_session_cookie=1#v\n", "worker.l.set_session_cookie=1@1;", "set_session_cookie is none of them", true },
    { "worker.list=a#b\n", "worker.list=a@1;", "the list", true },
};

START_TEST(each_comment_is_cut_off)
{
    read_text(comments[_i].text);
    ck_assert_msg(strcmp(all_props(), comments[_i].read) == 0, "%s: read as %s", comments[_i].why, all_props());
    ck_assert_msg((found->all->nelts > 0) == comments[_i].told, "%s: said %s", comments[_i].why, all_findings());
    ck_assert(!jk_findings_refuse(found, false));
}
END_TEST

START_TEST(a_hash_has_no_meaning_in_a_directive)
{
    start();
    jk_props_line(props, found, " worker.w.port = 8009 # x ", "httpd.conf", 3);
    jk_props_line(props, found, "#a=b", "httpd.conf", 4);
    jk_props_line(props, found, "sesame open", "httpd.conf", 5);
    ck_assert_str_eq(all_props(), "worker.w.port=8009 # x@3;#a=b@4;");
    ck_assert_str_eq(all_findings(), "httpd.conf:5: 'sesame' has no '=' and is ignored; allowed: KEY=VALUE\n");
}
END_TEST

/* ---- macros ---- */

static const struct {
    const char *text, *read, *said, *why;
} macros[] = {
    { "a=1\nb=$(a)\n", "a=1@1;b=1@2;", "", "one" },
    { "a=1\nb=x$(a)y$(a)z\n", "a=1@1;b=x1y1z@2;", "", "several, with text around" },
    { "a=1\na=2\nb=$(a)\n", "a=1@1;a=2@2;b=2@3;", "", "the value of that moment" },
    { "a=1\nb=$(a)\na=2\n", "a=1@1;b=1@2;a=2@3;", "", "and not a later one" },
    { "b=$(a)\na=1\n", "b=$(a)@1;a=1@2;", "w.properties:1: $(a) in the value of 'b' is defined neither above",
      "not defined yet: left alone" },
    { "a=$(HOME_OF_TESTS)\n", "a=here@1;", "", "the environment" },
    { "HOME_OF_TESTS=there\na=$(HOME_OF_TESTS)\n", "HOME_OF_TESTS=there@1;a=there@2;", "", "a property is asked first" },
    { "a=$(EMPTY)\n", "", "", "an empty one leaves an empty value, which is none" },
    { "a=x$(EMPTY)y\n", "a=xy@1;", "", "but inside a value it may be" },
    { "x=$\na=$(x)(x)\n", "x=$@1;a=$(x)@2;", "", "what was put in is not looked at again" },
    { "a=$(b\n", "a=$(b@1;", "", "not closed" },
    { "a=$()\n", "a=$()@1;", "$() in the value of 'a'", "no name" },
    { "a=$(a)\n", "a=$(a)@1;", "$(a) in the value", "itself" },
    { "a=1\na=$(a)2\n", "a=1@1;a=12@2;", "", "its former self" },
    { "worker.list=a\nworker.list=b\nc=$(worker.list)\n", "worker.list=a@1;worker.list=b@2;c=a,b@3;", "", "lines that add up" },
    { "worker.l.balance_workers=a\nworker.l.balance_workers=b c\nd=$(worker.l.balance_workers)\n",
      "worker.l.balance_workers=a@1;worker.l.balance_workers=b c@2;d=a,b c@3;", "", "of a worker too" },
    { "worker.w.port=1\nworker.w.port=2\nd=$(worker.w.port)\n", "worker.w.port=1@1;worker.w.port=2@2;d=2@3;", "", "the others do not" },
    { "a=1\nb=$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)$(a)\n",
      "a=1@1;b=111111111111111111111$(a)@2;", "'b' has more than 21 macros", "the 22nd" },
    { "a=1\n$(a)=2\n", "a=1@1;$(a)=2@2;", "", "none in keys" },
};

START_TEST(each_macro_is_replaced)
{
    read_text(macros[_i].text);
    ck_assert_msg(strcmp(all_props(), macros[_i].read) == 0, "%s: read as %s", macros[_i].why, all_props());
    ck_assert_msg(strstr(all_findings(), macros[_i].said) != NULL, "%s: said %s", macros[_i].why, all_findings());
    ck_assert_msg(*macros[_i].said || found->all->nelts == 0, "%s: said %s", macros[_i].why, all_findings());
    ck_assert(!jk_findings_refuse(found, true));
}
END_TEST

START_TEST(no_environment_is_none)
{
    found = jk_findings_make(pool);
    props = jk_props_make(pool, NULL);
    jk_props_line(props, found, "a=$(HOME_OF_TESTS)", "f", 1);
    ck_assert_str_eq(all_props(), "a=$(HOME_OF_TESTS)@1;");
}
END_TEST

START_TEST(a_defined_variable_is_there_and_has_no_line)
{
    start();
    jk_props_define(props, "ServerRoot", "/srv/$(x) # y", "w.properties");
    jk_props_define(props, "Nothing", "", "w.properties");
    jk_props_text(props, found, JK_SPAN_LIT("a=$(ServerRoot)/b\n"), "w.properties");
    jk_props_close(props, found);
    ck_assert_str_eq(all_props(), "ServerRoot=/srv/$(x) # y@0;a=/srv/$(x) # y/b@1;");
    ck_assert_str_eq(jk_props_get(props, "ServerRoot"), "/srv/$(x) # y");
    ck_assert_ptr_null(jk_props_get(props, "Nothing"));
    ck_assert_int_eq(found->all->nelts, 0);
}
END_TEST

/* Each line doubles the one before it: 40 of them would be 2^40 bytes. */
START_TEST(values_do_not_grow_without_end)
{
    const char *text = "a0=xxxxxxxxxxxxxxxx\n";

    for (int i = 0; i < 40; i++)
        text = apr_psprintf(pool, "%sa%d=$(a%d)$(a%d)\n", text, i + 1, i, i);
    read_text(text);
    ck_assert(jk_findings_refuse(found, false));
    ck_assert_msg(strstr(all_findings(), "'a13' becomes too long"), "%s", all_findings());
}
END_TEST

/* ---- secrets ---- */

static const struct {
    const char *text, *hidden, *why;
} secrets[] = {
    { "worker.w.secret=sesame\nworker.w.port=1\n", "worker.w.secret ", "a secret" },
    { "worker.w.secretkey=sesame\n", "worker.w.secretkey ", "the old kind" },
    { "a=sesame\nworker.w.secret=$(a)\n", "a worker.w.secret ", "what it was made of" },
    { "a=sesame\nb=x$(a)\nworker.w.secret=$(b)\n", "a b worker.w.secret ", "what that was made of" },
    { "worker.w.secret=sesame\nworker.w.host=$(worker.w.secret)\n", "worker.w.secret worker.w.host ", "what was made of it" },
    { "a=sesame\nworker.w.secret=$(a)\nworker.w.host=$(a)\nb=$(worker.w.host)\n", "a worker.w.secret worker.w.host b ",
      "a cousin, and what was made of that" },
    { "a=1\nb=$(a)\nworker.w.secret=sesame\n", "worker.w.secret ", "nothing to do with it" },
    { "a=sesame\nc=1\nb=$(a)$(c)\nworker.w.secret=$(a)\n", "a b worker.w.secret ", "what else a cousin was made of is none" },
    { "worker.w.host=$(HOME_OF_TESTS)\nworker.w.secret=$(HOME_OF_TESTS)\n", "worker.w.host worker.w.secret ", "through the environment" },
    { "a=sesame\na=other\nworker.w.secret=$(a)\n", "a a worker.w.secret ", "all values of a name: coarse and safe" },
};

START_TEST(each_secret_is_hidden)
{
    const char *hidden = "";

    read_text(secrets[_i].text);
    for (int i = 0; i < props->all->nelts; i++) {
        const jk_prop *one = &APR_ARRAY_IDX(props->all, i, jk_prop);
        const char *shown = jk_props_shown(pool, one, NULL);
        if (one->hidden)
            hidden = apr_pstrcat(pool, hidden, one->key, " ", NULL);
        ck_assert_msg(strstr(shown, "sesame") == NULL, "%s: %s", secrets[_i].why, shown);
        ck_assert_str_eq(shown, one->hidden ? "(hidden)" : one->value);
    }
    ck_assert_msg(strcmp(hidden, secrets[_i].hidden) == 0, "%s: hidden are %s", secrets[_i].why, hidden);
}
END_TEST

/* Whatever is wrong around a secret, it is not quoted. */
static const struct {
    const char *text, *why;
} clumsy[] = {
    { "worker.w.secret sesame\n", "no '='" },
    { "worker.w.secret: sesame\n", "a colon" },
    { "worker.w.secret=\\\nsesame\n", "on the next line" },
    { "worker.w.secret=\\\r\n   sesame  \r\n", "on the next line, from Windows" },
    { "worker.w.secret=a$(sesame)b\n", "with something like a macro" },
    { "p=$(sesame)\nworker.w.secret=$(p)\n", "with something like a macro, further away" },
    { "worker.w.secret=a#sesame\n", "with a '#'" },
    { "worker.w.secret $(x) sesame # = x\n", "all at once" },
};

START_TEST(no_finding_quotes_a_secret)
{
    read_text(clumsy[_i].text);
    ck_assert_msg(strstr(all_findings(), "sesame") == NULL, "%s: %s", clumsy[_i].why, all_findings());
    start();
    for (char *state, *line = apr_strtok(apr_pstrdup(pool, clumsy[_i].text), "\n", &state); line; line = apr_strtok(NULL, "\n", &state))
        if (strncmp(line, "worker.", 7) == 0)
            jk_props_line(props, found, line, "httpd.conf", 1);
    jk_props_close(props, found);
    ck_assert_msg(strstr(all_findings(), "sesame") == NULL, "%s, in a directive: %s", clumsy[_i].why, all_findings());
}
END_TEST

START_TEST(long_values_are_shown_cut)
{
    jk_prop prop = { "k", "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890", "f", 1 };

    ck_assert_str_eq(jk_props_shown(pool, &prop, NULL),
        "01234567890123456789012345678901234567890123456789012345678901234567890123456789...");
    ck_assert_str_eq(jk_props_shown(pool, &prop, "word"), "word");
    prop.hidden = true;
    ck_assert_str_eq(jk_props_shown(pool, &prop, "word"), "(hidden)");
}
END_TEST

/* ---- any bytes ---- */

/* The reader is given every beginning of a file, at the very end of readable memory; whole lines before the cut do not change. */
START_TEST(a_file_cut_at_every_byte)
{
    static const char text[] = "\xEF\xBB\xBF# c\r\nps = /\nworker.list=a,b # x\n"
                               "worker.a.host=$(HOME_OF_TESTS)$(ps)$(no)$(x\nworker.a.secret=#a$(ps)#\\\n"
                               "tail\nworker.a.port=8009#y\n = \n#\n$()=$()\nworker.a.route=$(worker.list)\nlast=$(ps";
    const char *whole;

    read_bytes(text, sizeof text - 1);
    whole = all_props();
    for (size_t n = 0; n < sizeof text - 1; n++) {
        read_bytes(text, n);
        const char *part = all_props(), *last = strrchr(part, '=');
        size_t same = last ? (size_t)(last - part) : 0;
        while (same > 0 && part[same - 1] != ';')
            same--;
        if (strncmp(whole, part, same) != 0)
            ck_abort_msg("cut at %d: %s", (int)n, part);
    }
}
END_TEST

/* Every pair of bytes that means something, in places where it does. */
START_TEST(odd_bytes_harm_nobody)
{
    static const char odd[] = "=#$()\\ \t\r\n\0x.\xFF\xEF";

    for (size_t a = 0; a < sizeof odd - 1; a++)
        for (size_t b = 0; b < sizeof odd - 1; b++)
            for (size_t c = 0; c < sizeof odd - 1; c++) {
                const char bytes[] = { odd[a], odd[b], odd[c], '=', odd[c], odd[a], odd[b] };
                for (size_t n = 1; n <= sizeof bytes; n++)
                    read_bytes(bytes, n);
            }
}
END_TEST

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

int main(void)
{
    Suite *s = suite_create("props");
    TCase *t = tcase_create("props");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, each_line_is_read, 0, COUNT(lines));
    tcase_add_test(t, a_nul_byte_is_refused_and_the_rest_is_read);
    tcase_add_loop_test(t, each_length_of_a_line, 0, COUNT(lengths));
    tcase_add_loop_test(t, each_comment_is_cut_off, 0, COUNT(comments));
    tcase_add_test(t, a_hash_has_no_meaning_in_a_directive);
    tcase_add_loop_test(t, each_macro_is_replaced, 0, COUNT(macros));
    tcase_add_test(t, no_environment_is_none);
    tcase_add_test(t, a_defined_variable_is_there_and_has_no_line);
    tcase_add_test(t, values_do_not_grow_without_end);
    tcase_add_loop_test(t, each_secret_is_hidden, 0, COUNT(secrets));
    tcase_add_loop_test(t, no_finding_quotes_a_secret, 0, COUNT(clumsy));
    tcase_add_test(t, long_values_are_shown_cut);
    tcase_add_test(t, a_file_cut_at_every_byte);
    tcase_add_test(t, odd_bytes_harm_nobody);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
