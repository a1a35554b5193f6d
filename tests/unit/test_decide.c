/* tests/unit/test_decide.c - what jkctl doctor makes of what it saw: facts against findings, every row of the table among them, those of firewalls,
 * SELinux and old Tomcats, which no test can set up, too. */
#include "jkctl_decide.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

#define WHO .worker = "w", .host = "h", .socket = "", .route = "w", .path = "/", .user = "", .httpd_user = "", .httpd_group = "", .port = 8109, \
            .packet = 8192, .address = "10.0.0.1:8109", .listen = "10.0.0.1"
#define UNIX .worker = "w", .host = "localhost", .socket = "/run/t/a.sock", .route = "w", .path = "/", .user = "", .httpd_user = "www", \
             .httpd_group = "web", .packet = 8192, .address = "unix:/run/t/a.sock", .listen = ""
#define PONG { .made = true }
#define STEP(s, r) { .made = true, .status = s, .reuse = r }
#define SILENT { .made = true, .rc = JK_E_TIMEOUT }
#define CLOSED { .made = true, .rc = JK_E_RECV }
#define ODD(w) { .made = true, .rc = JK_E_FRAME, .wrong = JKP_WRONG_##w }
#define NO(e) .talk = { .connect = JK_E_CONNECT, .connect_err = e }
#define PATH(what) .talk = { .connect = JK_E_CONNECT, .path = JKP_PATH_##what }
#define CPING(...) .talk = { .ping = __VA_ARGS__ }
#define ASKED(...) .talk = { .ping = PONG, .get = __VA_ARGS__ }
#define GOOD ASKED(STEP(200, true))
#define PAGE(s, h) { .step = STEP(s, true), .sum = h }
#define VERSION(a, b, c) .version = { a, b, c }

static const struct {
    jkd_facts facts;
    const char *codes, *why; /* codes with blanks between */
} rows[] = {
    /* ---- the way there ---- */
    { { WHO, .talk = { .connect = JK_E_RESOLVE } }, "D101", "a name that nobody knows" },
    { { WHO, .talk = { .connect = JK_E_RESOLVE }, .lookup_slow = true }, "D102", "a name service that is down" },
    { { WHO, NO(ECONNREFUSED) }, "D104", "refused" },
    { { WHO, NO(ECONNREFUSED), .other = "127.0.0.1:8109" }, "D103", "refused here, and not at the loopback address" },
    { { WHO, NO(ETIMEDOUT) }, "D105", "a firewall that drops" },
    { { WHO, NO(ETIMEDOUT), .other = "127.0.0.1:8109" }, "D105", "and a connector at the loopback address does not matter then" },
    { { WHO, NO(EHOSTUNREACH) }, "D106", "a firewall that rejects" },
    { { WHO, NO(ENETUNREACH) }, "D106", "no route" },
    { { WHO, NO(EACCES) }, "D107", "SELinux, for who asks is in httpd's domain" },
    { { WHO, NO(EPERM) }, "D107", "an outgoing rule" },
    { { WHO, NO(EADDRNOTAVAIL) }, "D117", "any other errno" },
    { { UNIX, PATH(NO_DIRECTORY) }, "D111", "unix" },
    { { UNIX, PATH(CLOSED_DIRECTORY) }, "D112", "unix" },
    { { UNIX, PATH(NO_FILE) }, "D113", "unix" },
    { { UNIX, PATH(NO_SOCKET) }, "D114", "unix" },
    { { UNIX, PATH(CLOSED_FILE) }, "D115", "unix" },
    { { UNIX, PATH(NOBODY) }, "D116", "unix" },
    { { UNIX, .talk = { .connect = JK_E_CONNECT, .connect_err = ECONNREFUSED, .path = JKP_PATH_NOBODY } }, "D116",
      "its path says more than the errno" },
    { { UNIX, .talk = { .connect = JK_E_CONNECT, .connect_err = EAGAIN } }, "D117", "a full queue of a Unix socket" },

    /* ---- the CPing ---- */
    { { WHO, CPING(ODD(HTTP)) }, "D201", "the port of the HTTP connector" },
    { { WHO, CPING(ODD(HTTP2)) }, "D201", "the same in HTTP/2" },
    { { WHO, CPING(ODD(TLS)) }, "D202", "that of the HTTPS connector" },
    { { WHO, CPING(SILENT), .hidden = JKP_WRONG_HTTP }, "D201", "it speaks when it is spoken to in HTTP" },
    { { WHO, CPING(CLOSED), .hidden = JKP_WRONG_TLS }, "D202", "it closes, but for a ClientHello" },
    { { WHO, CPING(CLOSED), .hidden = JKP_WRONG_SSH }, "D203", "another" },
    { { WHO, CPING(ODD(SSH)) }, "D203", "SSH" },
    { { WHO, CPING(ODD(OURS)) }, "D203", "an echo" },
    { { WHO, CPING(ODD(START)) }, "D203", "whatever it is" },
    { { WHO, CPING(ODD(EMPTY)) }, "D204", "its framing, but no CPong" },
    { { WHO, CPING(ODD(CUT)) }, "D204", "half a packet" },
    { { WHO, CPING(SILENT) }, "D205", "all connections in use" },
    { { WHO, CPING(CLOSED) }, "D206", "stopping" },
    { { WHO, CPING({ .made = true, .rc = JK_E_SEND, .err = EPIPE }) }, "D206", "not even the CPing went out" },

    /* ---- a request ---- */
    { { WHO, .talk = { .ping = PONG, .get = STEP(403, false), .bare = STEP(403, false) } }, "D301", "no secret was given" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(403, false), .bare = STEP(403, false), .secret = true } }, "D302", "one was" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(403, false), .bare = STEP(200, true) }, .attributes = "stage" }, "D303", "without it: in" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(403, false), .bare = STEP(404, true), .secret = true }, .attributes = "a" }, "D303",
      "the secret is right" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(403, false), .bare = CLOSED } }, "D304", "cannot be told apart" },
    { { WHO, ASKED(STEP(503, false)) }, "D305", "stopping" },
    { { WHO, ASKED(STEP(400, false)) }, "D306", "a limit that is too low for anything" },
    { { WHO, ASKED(STEP(500, false)) }, "D306", "the same" },
    { { WHO, ASKED(STEP(431, false)) }, "D306", "the same" },
    { { WHO, ASKED(SILENT) }, "D307", "no thread is free" },
    { { WHO, ASKED({ .made = true, .rc = JK_E_TIMEOUT, .status = 200 }) }, "D307", "headers, and no end" },
    { { WHO, ASKED(CLOSED) }, "D308", "stopping, in between" },
    { { WHO, ASKED({ .made = true, .rc = JK_E_RECV, .status = 200 }) }, "D308", "in the middle" },
    { { WHO, ASKED(ODD(HTTP)) }, "D309", "only the CPing was understood" },
    { { WHO, ASKED({ .made = true, .rc = JK_E_PAYLOAD, .wrong = JKP_WRONG_HEADERS }) }, "D309", "lengths that do not fit" },

    /* ---- a connector that answers ---- */
    { { WHO, GOOD }, "", "all good" },
    { { WHO, ASKED(STEP(404, true)) }, "", "a container that does not know OPTIONS of * is none the worse" },
    { { WHO, GOOD, .page = PAGE(404, 1) }, "", "nothing is deployed at /, which nobody asked for" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(200, true), .open = STEP(403, false), .secret = true }, .page = PAGE(200, 1) }, "",
      "with a secret" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(200, true), .open = STEP(200, true), .secret = true } }, "D501", "it is not asked for" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(200, true), .open = STEP(404, true), .secret = true } }, "D501", "nor is it so" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(200, true), .open = CLOSED, .secret = true } }, "", "that could not be found out" },
    { { WHO, GOOD, .packet_taken = 8192 }, "D401", "packetSize" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(200, true), .longest = 8193 } }, "D402", "the other way round" },
    { { WHO, .talk = { .ping = PONG, .get = STEP(200, true), .longest = 8192 } }, "", "a full one" },
    { { WHO, GOOD, .headers_taken = 20 }, "D403", "maxHeaderCount" },
    { { WHO, GOOD, .packet_taken = 8192, .headers_taken = 20 }, "D401 D403", "all that is wrong is told" },
    { { WHO, GOOD, .sticky = true, .session = true, .session_route = "x" }, "D502", "jvmRoute" },
    { { WHO, GOOD, .sticky = true, .session = true, .session_route = "w" }, "", "jvmRoute is the route" },
    { { WHO, GOOD, .sticky = true, .session = true }, "D503", "there is none" },
    { { WHO, GOOD, .sticky = true }, "", "the page begins no session" },
    { { WHO, GOOD, .session = true, .session_route = "x" }, "", "sessions do not matter: no balancer, or not sticky" },
    { { WHO, GOOD, .page = PAGE(401, 1), .as_user = PAGE(401, 1) }, "D504", "still asked to log in" },
    { { WHO, GOOD, .page = PAGE(302, 1), .as_user = PAGE(302, 1) }, "D504", "by a form" },
    { { WHO, GOOD, .page = PAGE(401, 1), .as_user = PAGE(200, 2), .user_shown = true }, "", "believed" },
    { { WHO, GOOD, .page = PAGE(401, 1), .as_user = PAGE(403, 2) }, "", "believed, and without the role" },
    { { WHO, GOOD, .page = PAGE(200, 1), .as_user = PAGE(200, 1) }, "D505", "not shown" },
    { { WHO, GOOD, .page = PAGE(200, 1), .as_user = PAGE(200, 2), .again = PAGE(200, 1) }, "", "another page for the user alone: it knows him" },
    { { WHO, GOOD, .page = PAGE(200, 1), .as_user = PAGE(200, 2), .again = PAGE(200, 3) }, "D513", "another page each time" },
    { { WHO, GOOD, .page = PAGE(302, 1), .as_user = PAGE(302, 2), .again = PAGE(302, 3) }, "D513", "or a redirection" },
    { { WHO, GOOD, .page = PAGE(200, 1), .as_user = PAGE(200, 2), .again = PAGE(200, 3), .user_shown = true }, "", "with the user's name in it" },
    { { WHO, GOOD, .page = PAGE(401, 1), .as_user = PAGE(200, 2), .again = PAGE(401, 3) }, "", "let in: believed" },
    { { WHO, GOOD, .page = PAGE(401, 1), .as_user = PAGE(401, 2), .again = PAGE(401, 3) }, "D504", "asked for all the same" },
    { { WHO, GOOD, .page = PAGE(404, 1), .as_user = PAGE(404, 2), .again = PAGE(404, 3) }, "D513", "no page at all" },
    { { WHO, GOOD, .page = PAGE(404, 1), .as_user = PAGE(404, 1) }, "D513", "the same none" },
    { { WHO, GOOD, .page = PAGE(404, 1), .as_user = PAGE(200, 2), .again = PAGE(404, 1) }, "", "for the user alone it is there" },
    { { WHO, GOOD, .page = PAGE(200, 1), .as_user = PAGE(200, 2) }, "", "there was no time for the third" },
    { { WHO, GOOD, .page = PAGE(200, 1), .as_user = PAGE(200, 1), .user_shown = true }, "", "its name stands there anyway" },
    { { WHO, GOOD, .coded = PAGE(405, 1), .named = PAGE(501, 2), .trace = PAGE(405, 1) }, "D506", "bug 69848" },
    { { WHO, GOOD, .coded = PAGE(405, 1), .named = PAGE(405, 2), .trace = PAGE(405, 1) }, "D506", "the same status, another page" },
    { { WHO, GOOD, .coded = PAGE(501, 1), .named = PAGE(501, 1) }, "", "no difference" },
    { { WHO, GOOD, .coded = PAGE(501, 1), .named = PAGE(501, 2), .trace = PAGE(405, 3) }, "", "a page with the time in it" },
    { { WHO, GOOD, .coded = PAGE(501, 1), .named = { .step = STEP(500, false) }, .trace = { .step = STEP(500, false) } }, "",
      "a container that knows no method by its name" },
    { { WHO, GOOD, .coded = PAGE(405, 1), .named = PAGE(405, 1), VERSION(10, 1, 47) }, "D506", "its version tells" },
    { { WHO, GOOD, .coded = PAGE(405, 1), VERSION(9, 0, 110) }, "D506", "its version tells" },
    { { WHO, GOOD, .coded = PAGE(405, 1), VERSION(11, 0, 12) }, "D506", "its version tells" },
    { { WHO, GOOD, VERSION(10, 1, 47) }, "D506", "even where there was no time to try" },
    { { WHO, GOOD, .stored_methods = true, VERSION(10, 1, 47) }, "", "methods are sent by name" },
    { { WHO, GOOD, .coded = PAGE(405, 1), VERSION(10, 1, 48) }, "", "mended" },
    { { WHO, GOOD, VERSION(9, 0, 30) }, "D507", "an old one" },
    { { WHO, GOOD, VERSION(9, 0, 31) }, "", "not so old" },
    { { WHO, GOOD, VERSION(8, 5, 50) }, "D507", "an old one" },
    { { WHO, GOOD, VERSION(8, 5, 51) }, "", "not so old" },
    { { WHO, GOOD, VERSION(8, 0, 53) }, "D507", "older" },
    { { WHO, GOOD, VERSION(7, 0, 99) }, "D507", "an old one" },
    { { WHO, GOOD, VERSION(7, 0, 100) }, "", "not so old" },
    { { WHO, GOOD, VERSION(6, 0, 53) }, "D507", "the oldest" },
    { { WHO, ASKED(STEP(200, false)) }, "D508", "each answer is the last" },
    { { UNIX, GOOD, .httpd_passes = JKD_NO }, "D509", "root passes, httpd does not" },
    { { UNIX, GOOD, .httpd_passes = JKD_YES }, "", "both do" },
    { { UNIX, GOOD, .root_only = true }, "D511", "whom httpd runs as is not known" },
    { { WHO, GOOD, .enforcing = JKD_YES, .may_connect = JKD_NO }, "D510", "SELinux: we pass, httpd perhaps not" },
    { { WHO, GOOD, .enforcing = JKD_YES, .may_connect = JKD_YES }, "", "it is let" },
    { { WHO, GOOD, .enforcing = JKD_NO, .may_connect = JKD_NO }, "", "permissive" },
    { { WHO, GOOD, .enforcing = JKD_YES }, "", "a policy without that switch" },
    { { UNIX, GOOD, .enforcing = JKD_YES, .may_connect = JKD_NO }, "", "a Unix socket has no port" },
    { { WHO, GOOD, .path_given = true, .page = PAGE(404, 1) }, "D601", "the page that was asked for" },
    { { WHO, GOOD, .page = PAGE(500, 1) }, "D601", "an error of the application's, wherever" },
    { { WHO, GOOD, .page = { .step = CLOSED } }, "D602", "it broke off" },
    { { WHO, GOOD, .path_given = true, .page = { .step = SILENT } }, "D603", "too slow" },
    { { WHO, GOOD, .path_given = true, .page = { .step = SILENT }, .unfinished = true }, "D603", "which says it all" },
    { { WHO, GOOD, .page = { .step = SILENT }, .unfinished = true }, "D512", "a start page that is compiled is slow once: a hint" },
    { { WHO, NO(ECONNREFUSED), .unfinished = true }, "D104", "who is refused has nothing more to ask" },
};

static void list(const jkd_facts *facts, char codes[256])
{
    const jkd_finding *found[JKD_FOUND_MOST];
    size_t n = jkd_decide(facts, found);

    *codes = 0;
    for (size_t i = 0; i < n; i++)
        sprintf(codes + strlen(codes), "%s%s", i ? " " : "", found[i]->code);
}

START_TEST(facts_have_their_findings)
{
    char codes[256];

    list(&rows[_i].facts, codes);
    ck_assert_msg(strcmp(codes, rows[_i].codes) == 0, "%s: '%s', not '%s'", rows[_i].why, codes, rows[_i].codes);
}
END_TEST

START_TEST(every_finding_is_tried)
{
    for (size_t i = 0; i < jkd_findings_count; i++) {
        size_t n = 0;
        for (size_t j = 0; j < ROWS(rows); j++)
            n += strstr(rows[j].codes, jkd_findings[i].code) != NULL;
        ck_assert_msg(n > 0, "%s %s", jkd_findings[i].code, jkd_findings[i].name);
    }
}
END_TEST

START_TEST(codes_and_names_are_unique)
{
    for (size_t i = 0; i < jkd_findings_count; i++)
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(jkd_findings[i].code, jkd_findings[j].code);
            ck_assert_str_ne(jkd_findings[i].name, jkd_findings[j].name);
        }
}
END_TEST

/* No place of a text stays open or empty where its finding holds, but for lines that none is meant for. */
START_TEST(words_are_filled_in)
{
    const jkd_finding *found[JKD_FOUND_MOST];
    jkd_facts facts = rows[_i].facts;
    size_t n = jkd_decide(&facts, found);

    snprintf(facts.where, sizeof facts.where, "/run/t");
    snprintf(facts.server, sizeof facts.server, "Apache Tomcat/9.0.30");
    facts.user = "alice";
    for (size_t i = 0; i < n; i++) {
        const char *const texts[] = { found[i]->what, found[i]->causes, found[i]->httpd, found[i]->container, found[i]->shell };
        for (size_t j = 0; j < ROWS(texts); j++) {
            char *words = texts[j] ? jkd_decide_words(texts[j], &facts) : NULL;
            ck_assert_msg(words == NULL || strpbrk(words, "{}") == NULL, "%s: %s", found[i]->code, words);
            ck_assert_msg(words == NULL || (strstr(words, "\"\"") == NULL && strstr(words, "  ") == NULL), "%s: %s", found[i]->code, words);
            ck_assert_msg(j > 1 || words, "%s has no words", found[i]->code);
            free(words);
        }
    }
}
END_TEST

static const struct {
    const char *text;
    jkd_facts facts;
    const char *words;
} expansions[] = {
    { "{connector} />", { WHO }, "<Connector protocol=\"AJP/1.3\" address=\"10.0.0.1\" port=\"8109\" secretRequired=\"false\" />" },
    { "{connector} />", { WHO, .talk.secret = true }, "<Connector protocol=\"AJP/1.3\" address=\"10.0.0.1\" port=\"8109\" secret=\"THE-SECRET\" />" },
    { "{new_connector}", { WHO }, "<Connector protocol=\"AJP/1.3\" address=\"10.0.0.1\" port=\"8109\" secret=\"THE-SECRET\"" },
    { "{new_connector}", { WHO, .talk.secret = true }, "<Connector protocol=\"AJP/1.3\" address=\"10.0.0.1\" port=\"8109\" secret=\"THE-SECRET\"" },
    { "{connector_8009}", { .listen = "127.0.0.1", .socket = "", .port = 80 }, "<Connector protocol=\"AJP/1.3\" address=\"127.0.0.1\" port=\"8009\" "
      "secret=\"THE-SECRET\"" },
    { "{new_connector}", { UNIX }, "<Connector protocol=\"AJP/1.3\" unixDomainSocketPath=\"/run/t/a.sock\" "
      "unixDomainSocketPathPermissions=\"rw-rw----\" secretRequired=\"false\"" },
    { "a\n{if_far}b\nc", { WHO }, "a\nb\nc" },
    { "a\n{if_far}b\nc", { .listen = "127.0.0.1", .socket = "" }, "a\nc" },
    { "{if_far}a\n{if_far}b", { UNIX }, "" },
    { "x\n{if_secret_is_due}worker.{worker}.secret=S", { WHO }, "x\nworker.w.secret=S" },
    { "x\n{if_secret_is_due}worker.{worker}.secret=S", { WHO, .talk.secret = true }, "x" },
    { "x\n{if_secret_is_due}S", { .listen = "127.0.0.1", .socket = "" }, "x\nS" },
    { "x\n{if_secret_is_due}S", { UNIX }, "x" },
    { "{if_placeholder}a\nb", { WHO, .talk.secret = true, .placeholder = true }, "a\nb" },
    { "{if_placeholder}a\nb", { WHO, .talk.secret = true }, "b" },
    { "{connector_without_guard}", { WHO }, "<Connector protocol=\"AJP/1.3\" address=\"10.0.0.1\" port=\"8109\"" },
    { "{connector_without_guard}", { UNIX }, "<Connector protocol=\"AJP/1.3\" unixDomainSocketPath=\"/run/t/a.sock\" "
      "unixDomainSocketPathPermissions=\"rw-rw----\"" },
    { "{directory} {group}", { UNIX }, "/run/t web" },
    { "{group}", { WHO }, "HTTPDS-GROUP" },
    { "{other_host}", { WHO, .other = "[::1]:8009" }, "[::1]" },
    { "{other_host}", { WHO, .other = "127.0.0.1:8009" }, "127.0.0.1" },
    { "{session_route} {", { WHO, .session_route = "{host}" }, "{host} {" },
    { "a{unknown}b{a name that is much longer than all that are there}", { WHO }, "ab{a name that is much longer than all that are there}" },
};

START_TEST(places_become_words)
{
    char *words = jkd_decide_words(expansions[_i].text, &expansions[_i].facts);

    ck_assert_str_eq(words, expansions[_i].words);
    free(words);
}
END_TEST

START_TEST(versions_are_read)
{
    static const struct { const char *page; unsigned v[3]; } pages[] = {
        { "<h3>Apache Tomcat/10.1.60 (Debian)</h3>", { 10, 1, 60 } }, { "Apache Tomcat/9.0.110", { 9, 0, 110 } },
        { "Apache Tomcat/11.0.0-M1", { 11, 0, 0 } },
    };
    static const char *const none[] = { "", "Apache Tomcat", "Apache Tomcat/", "Apache Tomcat/10.1", "Apache Tomcat/x.y.z", "Jetty" };
    unsigned v[3];

    for (size_t i = 0; i < ROWS(pages); i++) {
        ck_assert(jkd_decide_version(pages[i].page, v));
        ck_assert_mem_eq(v, pages[i].v, sizeof v);
    }
    for (size_t i = 0; i < ROWS(none); i++)
        ck_assert_msg(!jkd_decide_version(none[i], v), "%s", none[i]);
}
END_TEST

static const struct {
    const char *cookies, *route; /* NULL: no session */
    const char *why;
} cookies[] = {
    { "JSESSIONID=8F2.n1; Path=/; HttpOnly\n", "n1", "as Tomcat writes it" },
    { "a=b; Path=/\nJSESSIONID=\"8F2.n1\"\n", "n1", "the second, in quotes" },
    { "JSESSIONID=8F2.d.n1\n", "d.n1", "from the first dot on" },
    { "JSESSIONID=8F2\n", "", "no route" },
    { "JSESSIONID=8F2.\n", "", "an empty one" },
    { "JSESSIONID=; Max-Age=0\n", NULL, "it ends one" },
    { "JSESSIONIDX=8F2.n1\n", NULL, "another name" },
    { "X=JSESSIONID=8F2.n1\n", NULL, "a value" },
    { "X=1; JSESSIONID=8F2.n1\n", NULL, "an attribute of another cookie" },
    { "JSESSIONID=8F2.\x1b[31m\"<\n", "??31m??", "what would move a terminal, or end an attribute" },
    { "JSESSIONID=8F2.0123456789abcdefXYZ\n", "0123456789abcde", "no more than fits" },
    { "", NULL, "none" },
    { "\n\n", NULL, "none" },
};

START_TEST(sessions_have_routes)
{
    char route[16];
    bool session = jkd_decide_session(cookies[_i].cookies, "JSESSIONID", route, sizeof route);

    ck_assert_msg(session == (cookies[_i].route != NULL), "%s", cookies[_i].why);
    ck_assert_msg(strcmp(route, cookies[_i].route ? cookies[_i].route : "") == 0, "%s: %s", cookies[_i].why, route);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jkctl/decide");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, facts_have_their_findings, 0, ROWS(rows));
    tcase_add_test(all, every_finding_is_tried);
    tcase_add_test(all, codes_and_names_are_unique);
    tcase_add_loop_test(all, words_are_filled_in, 0, ROWS(rows));
    tcase_add_loop_test(all, places_become_words, 0, ROWS(expansions));
    tcase_add_test(all, versions_are_read);
    tcase_add_loop_test(all, sessions_have_routes, 0, ROWS(cookies));
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
