/* tests/unit/test_jkconf.c - what of tools/jkconf is pure: URLs and paths, kinds of files, the reader of httpd's syntax, virtual hosts, patterns. */
#include "jkconf.h"
#include "jkconf_host.h"
#include "jkconf_kind.h"
#include "jkconf_url.h"
#include "jkconf_world.h"

#include "guard.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static apr_pool_t *p;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&p, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(p);
    apr_terminate();
}

/* ---- URLs ---- */

static const struct {
    const char *why, *text, *host;
    int port;
    const char *target; /* NULL: it is no URL */
} urls[] = {
    { "the usual", "http://a.b/c?d=e", "a.b", 80, "/c?d=e" },
    { "a port", "http://a:8080/c", "a", 8080, "/c" },
    { "TLS", "https://a/c", "a", 443, "/c" },
    { "TLS and a port", "HTTPS://a:4/c", "a", 4, "/c" },
    { "IPv6", "http://[::1]:81/", "::1", 81, "/" },
    { "IPv6 without a port", "http://[::1]/", "::1", 80, "/" },
    { "no path", "http://a", "a", 80, "/" },
    { "a query without a path", "http://a?x", "a", 80, "/?x" },
    { "a path alone", "/x;y=1?z", "", 80, "/x;y=1?z" },
    { "a fragment is the client's own", "http://a/b#c", "a", 80, "/b" },
    { "another scheme", "ftp://a/", "", 0, NULL },
    { "a word", "a/b", "", 0, NULL },
    { "nothing", "", "", 0, NULL },
    { "no host", "http:///x", "", 0, NULL },
    { "a port alone", "http://:80/x", "", 0, NULL },
    { "a port that there is not", "http://a:99999/", "", 0, NULL },
    { "a user", "http://u@a/", "", 0, NULL },
    { "a blank", "http://a/b c", "", 0, NULL },
    { "a line end", "http://a/b\n", "", 0, NULL },
};

START_TEST(urls_are_taken_apart)
{
    jkconf_url got;
    const char *why = NULL;
    bool good = jkconf_url_parse(p, urls[_i].text, &got, &why);

    ck_assert_msg(good == (urls[_i].target != NULL), "%s", urls[_i].why);
    if (!good) {
        ck_assert_ptr_nonnull(why);
        return;
    }
    ck_assert_str_eq(got.host, urls[_i].host);
    ck_assert_int_eq(got.port, urls[_i].port);
    ck_assert_str_eq(got.target, urls[_i].target);
}
END_TEST

static const struct {
    const char *why, *target;
    bool merge;
    jkconf_slashes slashes;
    int status;
    const char *path;
} paths[] = {
    { "clean", "/a/b?c", true, JKCONF_SLASHES_OFF, 0, "/a/b" },
    { "escapes", "/a%20b%3Bc", true, JKCONF_SLASHES_OFF, 0, "/a b;c" },
    { "dots in disguise", "/a/%2e%2E/b", true, JKCONF_SLASHES_OFF, 0, "/b" },
    { "only once", "/a/%252e%252e/b", true, JKCONF_SLASHES_OFF, 0, "/a/%2e%2e/b" },
    { "slashes are merged", "//a///b//", true, JKCONF_SLASHES_OFF, 0, "/a/b/" },
    { "MergeSlashes Off", "//a//b", false, JKCONF_SLASHES_OFF, 0, "//a//b" },
    { "dots", "/a/./b/../c/.", true, JKCONF_SLASHES_OFF, 0, "/a/c/" },
    { "an empty segment is taken back", "/a//../b", false, JKCONF_SLASHES_OFF, 0, "/a/b" },
    { "parameters are httpd's to keep", "/a;x/..;y/b", true, JKCONF_SLASHES_OFF, 0, "/a;x/..;y/b" },
    { "three dots", "/a/.../b", true, JKCONF_SLASHES_OFF, 0, "/a/.../b" },
    { "up at the end", "/a/b/..", true, JKCONF_SLASHES_OFF, 0, "/a/" },
    { "up to the root", "/a/..", true, JKCONF_SLASHES_OFF, 0, "/" },
    { "above it", "/a/../..", true, JKCONF_SLASHES_OFF, 400, NULL },
    { "above it at once", "/../a", true, JKCONF_SLASHES_OFF, 400, NULL },
    { "an encoded slash", "/a%2fb", true, JKCONF_SLASHES_OFF, 404, NULL },
    { "is let in", "/a%2f..%2Fb", true, JKCONF_SLASHES_ON, 0, "/b" },
    { "or kept", "/a%2Fb", true, JKCONF_SLASHES_NODECODE, 0, "/a%2Fb" },
    { "NUL", "/a%00b", true, JKCONF_SLASHES_OFF, 404, NULL },
    { "no escape", "/a%zz", true, JKCONF_SLASHES_OFF, 400, NULL },
    { "half an escape", "/a%4", true, JKCONF_SLASHES_OFF, 400, NULL },
    { "a percent at the end", "/a%", true, JKCONF_SLASHES_OFF, 400, NULL },
    { "no path", "*", true, JKCONF_SLASHES_OFF, 400, NULL },
};

START_TEST(paths_are_httpds)
{
    const char *got;

    ck_assert_msg(jkconf_url_path(p, paths[_i].target, paths[_i].merge, paths[_i].slashes, &got) == paths[_i].status, "%s", paths[_i].why);
    if (paths[_i].path)
        ck_assert_str_eq(got, paths[_i].path);
}
END_TEST

/* ---- kinds ---- */

static const struct {
    const char *why, *text;
    jkconf_kind kind;
} kinds[] = {
    { "workers", "# x\n\nworker.list=a\n", JKCONF_WORKERS },
    { "variables before", "base=/opt\nworker.list=a\n", JKCONF_WORKERS },
    { "rules", "/a|/*=w\n", JKCONF_RULES },
    { "an exclusion", "!/a/*=w\n", JKCONF_RULES },
    { "a rule that is off", "-/a=w\n", JKCONF_RULES },
    { "httpd", "JkMount /x w\n", JKCONF_HTTPD },
    { "a section", "  <VirtualHost *:80>\n", JKCONF_HTTPD },
    { "nothing", "# nothing\n\n", JKCONF_UNKNOWN },
    { "bytes", "\1\2\3\n", JKCONF_UNKNOWN },
};

START_TEST(kinds_are_told_by_lines)
{
    ck_assert_msg(jkconf_kind_of_text(kinds[_i].text, strlen(kinds[_i].text)) == kinds[_i].kind, "%s", kinds[_i].why);
}
END_TEST

START_TEST(kinds_are_told_by_names)
{
    ck_assert_int_eq(jkconf_kind_of_name("/etc/workers.properties"), JKCONF_WORKERS);
    ck_assert_int_eq(jkconf_kind_of_name("uriworkermap.properties"), JKCONF_RULES);
    ck_assert_int_eq(jkconf_kind_of_name("conf.d/x.conf"), JKCONF_HTTPD);
    ck_assert_int_eq(jkconf_kind_of_name("x.txt"), JKCONF_UNKNOWN);
}
END_TEST

/* ---- the reader ---- */

static const struct {
    const char *why, *line, *word, *rest;
} words[] = {
    { "bare", "a b", "a", "b" },
    { "double quotes", "\"a b\"  c", "a b", "c" },
    { "single quotes", "'a \"b' c", "a \"b", "c" },
    { "a quote behind a backslash", "\"a\\\"b\" c", "a\"b", "c" },
    { "two backslashes", "a\\\\b c", "a\\b", "c" },
    { "one stays", "a\\.b c", "a\\.b", "c" },
    { "no end of quotes", "\"a b", "a b", "" },
    { "empty", "\"\" b", "", "b" },
    { "nothing", "  ", "", "" },
};

START_TEST(words_are_httpds)
{
    const char *line = words[_i].line;

    ck_assert_str_eq(jkconf_read_word(p, &line), words[_i].word);
    ck_assert_str_eq(line, words[_i].rest);
}
END_TEST

/* The tree in one line: "A b [<S x>: C d]" */
static const char *drawn(const ap_directive_t *node)
{
    const char *text = "";

    for (; node; node = node->next) {
        text = apr_psprintf(p, "%s%s%s(%s)%d", text, *text ? " " : "", node->directive, node->args, node->line_num);
        if (node->first_child)
            text = apr_psprintf(p, "%s{%s}", text, drawn(node->first_child));
    }
    return text;
}

static jkconf_reader *read_text(const char *text, size_t len, ap_directive_t **tree)
{
    jkconf_reader *r = jkconf_read_make(p, "/nowhere", jk_findings_make(p));

    *tree = NULL;
    jkconf_read_define(r, "GIVEN");
    jkconf_read_define(r, "N=v");
    jkconf_read_text(r, text, len, "f", tree);
    return r;
}

static const struct {
    const char *why, *text, *tree, *finding; /* the first one; NULL: none */
} trees[] = {
    { "lines", "A b\n\n# c\n  D e  \n", "A(b)1 D(e)4", NULL },
    { "CR LF", "A b\r\nC d\r\n", "A(b)1 C(d)2", NULL },
    { "no end of the last line", "A b", "A(b)1", NULL },
    { "a line goes on, and its last one is its number", "A \\\n b\\\nc\nD e\n", "A(bc)3 D(e)4", NULL },
    { "a section", "<S x>\nA b\n</S>\nC d\n", "<S(x>)1{A(b)2} C(d)4", NULL },
    { "sections in one another, in any case", "<S x>\n<T>\nA b\n</t>\n</S>\n", "<S(x>)1{<T(>)2{A(b)3}}", NULL },
    { "never closed", "<S x>\nA b\n", "<S(x>)1{A(b)2}", "f:1: <S> was not closed." },
    { "never opened", "A b\n</S>\n", "A(b)1", "f:2: </S> without matching <S> section" },
    { "another is closed", "<S>\n</T>\n", "<S(>)1", "f:2: Expected </S> but saw </T>" },
    { "no '>'", "<S x\n</S>\n", "<S(x)1", "f:1: <S> directive missing closing '>'" },
    { "defined", "<IfDefine GIVEN>\nA b\n</IfDefine>\n", "A(b)2", NULL },
    { "not defined", "<IfDefine OTHER>\nA b\n</IfDefine>\n", "", NULL },
    { "and turned round", "<IfDefine !OTHER>\nA b\n</IfDefine>\n", "A(b)2", NULL },
    { "defined in the file", "Define OTHER\n<IfDefine OTHER>\nA b\n</IfDefine>\n", "Define(OTHER)1 A(b)3", NULL },
    { "and taken back", "UnDefine GIVEN\n<IfDefine GIVEN>\nA b\n</IfDefine>\n", "UnDefine(GIVEN)1", NULL },
    { "sections in what does not count", "<IfDefine X>\n<S>\nA b\n</S>\n</IfDefine>\nC d\n", "C(d)6", NULL },
    { "this module is there", "<IfModule jk_module>\nA b\n</IfModule>\n<IfModule mod_jk.c>\nC d\n</IfModule>\n", "A(b)2 C(d)5", NULL },
    { "another is not", "<IfModule mod_x.c>\nA b\n</IfModule>\n", "", NULL },
    { "until it is loaded", "LoadModule x_module x.so\n<IfModule mod_x.c>\nA b\n</IfModule>\n", "LoadModule(x_module x.so)1 A(b)3", NULL },
    { "an MPM", "LoadModule mpm_event_module x.so\n<IfModule event.c>\nA b\n</IfModule>\n", "LoadModule(mpm_event_module x.so)1 A(b)3", NULL },
    { "this version", "<IfVersion >= 2.4>\nA b\n</IfVersion>\n<IfVersion < 2.4>\nC d\n</IfVersion>\n", "A(b)2", NULL },
    { "a file", "<IfFile /dev/null>\nA b\n</IfFile>\n<IfFile /no/where>\nC d\n</IfFile>\n", "A(b)2", NULL },
    { "a macro is left out", "<Macro m>\nJkMount /x w\n</Macro>\n", "", NULL },
    { "a file that is not there", "Include /no/where\n", "", "f:1: Could not open configuration file /no/where: No such file or directory" },
    { "perhaps", "IncludeOptional /no/where /no/*.x\n", "", NULL },
    { "no match", "Include /no/*.x\n", "", "f:1: Include/IncludeOptional: No matches for the wildcard '*.x' in '/no', failing" },
};

START_TEST(trees_are_httpds)
{
    ap_directive_t *tree;
    jkconf_reader *r = read_text(trees[_i].text, strlen(trees[_i].text), &tree);

    ck_assert_msg(strcmp(drawn(tree), trees[_i].tree) == 0, "%s: %s", trees[_i].why, drawn(tree));
    if (trees[_i].finding == NULL) {
        ck_assert_int_eq(r->found->all->nelts, 0);
        return;
    }
    ck_assert_int_gt(r->found->all->nelts, 0);
    ck_assert_str_eq(jk_findings_text(p, &APR_ARRAY_IDX(r->found->all, 0, jk_finding)), trees[_i].finding);
}
END_TEST

START_TEST(variables_are_put_in)
{
    ap_directive_t *tree, at = { .filename = "f", .line_num = 7 };
    jkconf_reader *r = read_text("", 0, &tree);

    ck_assert_str_eq(jkconf_read_resolved(r, "a${N}b${N}", &at), "avbv");
    ck_assert_str_eq(jkconf_read_resolved(r, "${N", &at), "${N");
    ck_assert_int_eq(r->found->all->nelts, 0);
    ck_assert_str_eq(jkconf_read_resolved(r, "x${NOT_THERE_AT_ALL}", &at), "x${NOT_THERE_AT_ALL}");
    ck_assert_str_eq(jk_findings_text(p, &APR_ARRAY_IDX(r->found->all, 0, jk_finding)), "f:7: Config variable ${NOT_THERE_AT_ALL} is not defined");
}
END_TEST

START_TEST(what_cannot_be_known_is_a_doubt)
{
    static const char text[] = "<IfModule mod_x.c>\nJkMount /x w\n</IfModule>\n<IfModule mod_y.c>\nA b\n</IfModule>\nUse m\n";
    ap_directive_t *tree;
    jkconf_reader *r = read_text(text, sizeof text - 1, &tree);

    ck_assert_int_eq(r->doubts->nelts, 2); /* not of what holds nothing of ours */
    ck_assert(strncmp(APR_ARRAY_IDX(r->doubts, 0, const char *), "f:1: <IfModule mod_x.c> is taken as not fulfilled", 49) == 0);
}
END_TEST

/* ---- hostile input ---- */

static const char all_of_it[] =
    "ServerRoot /nowhere\nDefine A b\nLoadModule x_module y\nListen [::1]:80\nServerName \"a:80\"\nUser #1\nGroup nobody\n"
    "JkWorkerProperty worker.list=w\nJkMount \"/a|/*\" w;path=/${A}\nJkOptions +ForwardURIEscaped -X\n"
    "<IfModule !mod_y.c>\n<VirtualHost *:80 [::1]:* a.b>\nServerAlias *.x \\\n  y\n<Location ~ \"^/x[a-z]\">\nSetHandler jakarta-servlet\n"
    "SetEnv JK_WORKER_NAME w\n</Location>\nSetEnvIf Request_URI \"\\.png$\" no-jk\nJkUnMount /x *\nRewriteEngine On\nRewriteRule ^/(.*) /$1 [PT]\n"
    "ProxyPass /y http://z/\nRedirect permanent /y /z\nJkStripSession On ;s\n</VirtualHost>\n</IfModule>\n<Directory /x>\nJkMount w\n</Directory>\n"
    "JkMuont x\nInclude nowhere/*.conf\n</Foo>\n<Bar\n";

static jkconf_asked ask(const char *word)
{
    jkconf_asked asked = { .p = p, .root = "/nowhere", .no_lookup = true, .hints = true, .cookie = "JSESSIONID=1.w" };

    asked.words = apr_array_make(p, 1, sizeof(const char *));
    asked.defines = apr_array_make(p, 1, sizeof(const char *));
    asked.modules = apr_array_make(p, 1, sizeof(const char *));
    asked.confs = apr_array_make(p, 1, sizeof(const char *));
    APR_ARRAY_PUSH(asked.words, const char *) = word;
    return asked;
}

/* Read at the very end of a page; then all of check and explain, whose words nobody reads. */
static void live_through(const char *bytes, size_t len)
{
    char path[] = "/tmp/test_jkconf.XXXXXX";
    jkconf_asked checked = ask(path), explained = ask("http://a/x/y.png;s=1?z");
    ap_directive_t *tree = NULL;
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
    jkconf_read_text(jkconf_read_make(p, "/nowhere", jk_findings_make(p)), (const char *)jk_guarded(bytes, len), len, "f", &tree);
    checked.kind = "httpd";
    checked.json = explained.json = len % 2;
    APR_ARRAY_PUSH(explained.confs, const char *) = path;
    jkconf_check(&checked);
    jkconf_explain(&explained);
    unlink(path);
}

static void silence(void)
{
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
}

START_TEST(cut_anywhere_it_ends_well)
{
    silence();
    for (size_t n = 0; n < sizeof all_of_it; n++) {
        live_through(all_of_it, n);
        apr_pool_clear(p);
    }
}
END_TEST

START_TEST(any_byte_anywhere_it_ends_well)
{
    static const char bytes[] = { '\0', '\n', '<', '>', '"', '\\', '$', '/', '*', '\xff' };
    char copy[sizeof all_of_it];

    silence();
    for (size_t n = 0; n + 1 < sizeof all_of_it; n++) {
        memcpy(copy, all_of_it, sizeof copy);
        copy[n] = bytes[n % sizeof bytes];
        live_through(copy, sizeof copy - 1);
        apr_pool_clear(p);
    }
}
END_TEST

START_TEST(sections_without_end)
{
    char *text = apr_palloc(p, 4 * 5000 + 1);

    silence();
    for (int i = 0; i < 5000; i++)
        memcpy(text + 4 * i, "<S>\n", 4);
    live_through(text, 4 * 5000);
    for (int i = 0; i < 5000; i++)
        memcpy(text + 4 * i, "a\\\nb", 4);
    live_through(text, 4 * 5000);
}
END_TEST

START_TEST(urls_of_any_bytes)
{
    static const char url[] = "http://[::1]:80/%2e%2e/a;b//c%41?d#e";
    jkconf_url got;
    const char *why, *path;

    for (size_t n = 0; n < sizeof url; n++) {
        char *cut = apr_pstrmemdup(p, url, n);
        if (jkconf_url_parse(p, cut, &got, &why))
            jkconf_url_path(p, got.target, n % 2, (jkconf_slashes)(n % 3), &path);
    }
}
END_TEST

/* ---- virtual hosts ---- */

static const char hosts[] =
    "ServerName main\nListen 80\nListen 81\nListen 443\n"
    "<VirtualHost *:80>\nServerName first\nServerAlias alias *.wild w?ld\n</VirtualHost>\n"             /* 5 */
    "<VirtualHost *:80>\nServerName second\nServerAlias *.wild\n</VirtualHost>\n"                       /* 9 */
    "<VirtualHost 10.0.0.1:80>\nServerName special\n</VirtualHost>\n"                                   /* 13 */
    "<VirtualHost 10.0.0.1:80 *:443>\nServerName both\n</VirtualHost>\n"                                /* 16 */
    "<VirtualHost [::1]:*>\nServerName six\n</VirtualHost>\n"                                           /* 19 */
    "<VirtualHost _default_:*>\nServerName rest\n</VirtualHost>\n";                                     /* 22 */

static const struct {
    const char *why, *address;
    int port;
    const char *host, *met;
} meetings[] = {
    { "its name", NULL, 80, "second", "second" },
    { "in any case", NULL, 80, "SECOND", "second" },
    { "an alias", NULL, 80, "alias", "first" },
    { "a star: the first that has it", NULL, 80, "x.wild", "first" },
    { "a question mark", NULL, 80, "wild", "first" },
    { "no name: the first", NULL, 80, "other", "first" },
    { "no Host at all", NULL, 80, "", "first" },
    { "the port of one", NULL, 443, "other", "both" },
    { "its address", "10.0.0.1", 80, "other", "special" },
    { "and its name", "10.0.0.1", 80, "both", "both" },
    { "names of others do not count there", "10.0.0.1", 80, "second", "special" },
    { "the address is the host", NULL, 80, "10.0.0.1", "special" },
    { "another address", "10.0.0.2", 80, "both", "first" },
    { "any port of an address", "::1", 4711, "x", "six" },
    { "any port of any address", NULL, 4711, "x", "rest" },
};

START_TEST(hosts_are_found_as_httpd_does)
{
    jkconf_httpd *h = jkconf_httpd_make(p, jkconf_read_make(p, "/tmp", jk_findings_make(p)));
    jkconf_met met;

    jkconf_read_text(h->reader, hosts, sizeof hosts - 1, "f", &h->tree);
    jkconf_httpd_apply(h);
    met = jkconf_host_find(p, h->main_server, meetings[_i].address, meetings[_i].port, meetings[_i].host);
    ck_assert_msg(strcmp(met.s->server_hostname, meetings[_i].met) == 0, "%s: %s", meetings[_i].why, met.s->server_hostname);
    ck_assert_ptr_nonnull(met.how);
}
END_TEST

START_TEST(without_hosts_it_is_the_main_server)
{
    jkconf_httpd *h = jkconf_httpd_make(p, jkconf_read_make(p, "/tmp", jk_findings_make(p)));

    jkconf_read_text(h->reader, "<VirtualHost *:81>\n</VirtualHost>\n", 34, "f", &h->tree);
    jkconf_httpd_apply(h);
    ck_assert_ptr_eq(jkconf_host_find(p, h->main_server, NULL, 80, "x").s, h->main_server);
    ck_assert_ptr_ne(jkconf_host_find(p, h->main_server, NULL, 81, "x").s, h->main_server);
}
END_TEST

/* ---- patterns of other modules ---- */

static const struct {
    const char *why, *regex, *text;
    jkconf_fit fit;
} regexes[] = {
    { "fits", "\\.(png|css)$", "/a.png", JKCONF_FITS },
    { "fits not", "\\.(png|css)$", "/a.pngs", JKCONF_FITS_NOT },
    { "a set", "^/[a-z]+\\.x$", "/ab.x", JKCONF_FITS },
    { "a class is another engine's", "^/\\w+$", "/ab", JKCONF_FITS_UNKNOWN },
    { "lazy", "^/a+?b", "/ab", JKCONF_FITS_UNKNOWN },
    { "a group with a '?'", "(?i)x", "x", JKCONF_FITS_UNKNOWN },
    { "counted", "a{2}", "aa", JKCONF_FITS_UNKNOWN },
    { "an escape in a set", "[\\d]", "1", JKCONF_FITS_UNKNOWN },
    { "broken", "(a", "a", JKCONF_FITS_UNKNOWN },
    { "a backslash at the end", "a\\", "a", JKCONF_FITS_UNKNOWN },
};

START_TEST(regexes_are_tried_where_they_are_plain)
{
    ck_assert_msg(jkconf_world_regex(regexes[_i].regex, regexes[_i].text, false) == regexes[_i].fit, "%s", regexes[_i].why);
}
END_TEST

START_TEST(locations_hold_for_what_lies_below)
{
    ck_assert(jkconf_world_location("/a", "/a"));
    ck_assert(jkconf_world_location("/a", "/a/b"));
    ck_assert(jkconf_world_location("/a/", "/a/b"));
    ck_assert(jkconf_world_location("/", "/a"));
    ck_assert(!jkconf_world_location("/a", "/ab"));
    ck_assert(!jkconf_world_location("/a/", "/a"));
    ck_assert(jkconf_world_location("/*.x", "/a.x"));
    ck_assert(!jkconf_world_location("/*.x", "/a/b.x"));
}
END_TEST

#define N(table) ((int)(sizeof(table) / sizeof (table)[0]))

int main(void)
{
    Suite *s = suite_create("jkconf");
    TCase *t = tcase_create("jkconf");
    SRunner *run;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, urls_are_taken_apart, 0, N(urls));
    tcase_add_loop_test(t, paths_are_httpds, 0, N(paths));
    tcase_add_loop_test(t, kinds_are_told_by_lines, 0, N(kinds));
    tcase_add_test(t, kinds_are_told_by_names);
    tcase_add_loop_test(t, words_are_httpds, 0, N(words));
    tcase_add_loop_test(t, trees_are_httpds, 0, N(trees));
    tcase_add_test(t, variables_are_put_in);
    tcase_add_test(t, what_cannot_be_known_is_a_doubt);
    tcase_add_test(t, cut_anywhere_it_ends_well);
    tcase_add_test(t, any_byte_anywhere_it_ends_well);
    tcase_add_test(t, sections_without_end);
    tcase_add_test(t, urls_of_any_bytes);
    tcase_add_loop_test(t, hosts_are_found_as_httpd_does, 0, N(meetings));
    tcase_add_test(t, without_hosts_it_is_the_main_server);
    tcase_add_loop_test(t, regexes_are_tried_where_they_are_plain, 0, N(regexes));
    tcase_add_test(t, locations_hold_for_what_lies_below);
    suite_add_tcase(s, t);
    run = srunner_create(s);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
