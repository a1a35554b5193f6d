/* tests/unit/test_workers.c - properties to checked workers of all types: values, what follows from them, and what is found wrong, row
 * by row. */
#include "guard.h"

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

static jk_workers_conf *parse_kinds(const char *text, int kinds)
{
    jk_workers_input in = { NULL, 0, "w.properties", jk_span_of(text), "/srv", environment, kinds };

    found = jk_findings_make(pool);
    return jk_workers_parse(pool, &in, found);
}

static jk_workers_conf *parse(const char *text)
{
    return parse_kinds(text, 0);
}

#define ALL_KINDS (JK_WORKER_AJP13 | JK_WORKER_LB | JK_WORKER_STATUS)

static jk_workers_conf *parse_all(const char *text)
{
    return parse_kinds(text, ALL_KINDS);
}

static const char *all_findings(void)
{
    const char *text = "";

    for (int i = 0; i < found->all->nelts; i++)
        text = apr_pstrcat(pool, text, jk_findings_text(pool, &APR_ARRAY_IDX(found->all, i, jk_finding)), "\n", NULL);
    return text;
}

/* Those that are more than a hint. */
static const char *loud_findings(void)
{
    const char *text = "";

    for (int i = 0; i < found->all->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(found->all, i, jk_finding);
        if (one->severity > JK_FIND_INFO)
            text = apr_pstrcat(pool, text, jk_findings_text(pool, one), "\n", NULL);
    }
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
    { W1 "worker.w.method=R\n", "'worker.w.method' has no meaning for a worker of type ajp13", "an attribute of lb", false, true },
    { W1 "worker.w.reference=worker.tpl\n", "there are no such properties", "a reference to nothing", true, true },
    { W1 "worker.w.reference=worker.w\n", "refers to itself", "a reference in a circle", true, true },
    { W1 "worker.w.host=a#b\n", "'#' inside the value", "a comment without a blank", false, true },
    { W1 "worker.w.secret=a#b # c\n", "", "a secret may hold a '#'", false, false },
    { W1 "nonsense\n", "w.properties:3: 'nonsense' has no '='", "a line that says nothing", false, false },
    { W1 "worker.w.prot=1\nworker.w.hsot=x\n", "w.properties:4: attribute 'worker.w.hsot'", "all at once", true, true },
    { W1 "worker.lsit=w\n", "attribute 'worker.lsit' is not supported; allowed: worker.list, worker.maintain or worker.NAME.ATTRIBUTE; did "
      "you mean 'worker.list'?", "a typo in a key of no worker", true, true },
    { W1 "worker.port=1\n", "attribute 'worker.port' is not supported; allowed", "the worker's name is missing", true, true },
    { "worker.list=ab\nworker.ba.port=1\n",
      "w.properties:1: nothing is written about worker 'ab': it is an ajp13 worker at localhost:8009; "
      "did you mean 'ba'?", "a slip in the list", false, true },
    { "worker.list=,\n", "w.properties:1: worker.list names no worker", "an empty list", false, true },
    { "worker.list=w w\nworker.w.port=1\n", "worker 'w' stands in worker.list twice", "twice in the list", false, false },
    { "worker.list=w\nworker.w.type=AJP13\n", "Unknown worker type AJP13 for worker w; allowed: ajp13, lb, status; did you mean 'ajp13'?",
      "types are in lower case", true, true },
    { "worker.list=w\nworker.w.type=lb\n", "w.properties:2: worker 'w': the type lb is not built yet in this version; allowed: ajp13",
      "a type that the caller cannot make", true, true },
    { "worker.list=w\nworker.w.type=status\n", "the type status is not built yet", "another", true, true },
    { W1 "worker.w.local_worker=1\n", "w.properties:3: 'worker.w.local_worker' is accepted and ignored: no longer needed: distance",
      "a key without effect", false, false },
    { W1 "worker.w.jvm_lib=x\n", "'worker.w.jvm_lib' is accepted and ignored: of JNI workers", "JNI", false, false },
    { W1 "worker.w.disabled=1\n", "'worker.w.disabled' is deprecated: use activation=D", "an old spelling with another value", false,
      false },
    { W1 "worker.w.cachesize=5\nworker.w.connection_pool_size=6\n",
      "w.properties:3: 'worker.w.cachesize' is ignored: connection_pool_size is set too", "the old name and the new one", false, false },
    { W1 "worker.w.cachesize=5\nworker.w.cachesize=6\n", "Duplicate key 'worker.w.cachesize'", "an old name twice", false, false },
    { W1 "worker.w.distance=1\nworker.w.distance=2\n",
      "w.properties:4: Duplicate key 'worker.w.distance' detected: it overrides the value of "
      "w.properties:3", "the incumbent made 1*2 of it", false, false },
    { W1 "worker.maintain=1\nworker.maintain=2\n", "Duplicate key 'worker.maintain'", "this too", false, false },
    { "v=1\nv=2\n" W1 "worker.w.port=$(v)\n", "w.properties:2: Duplicate key 'v'", "a variable", false, false },
    { W1 "ServerRoot=/x\n", "", "but not one that has no line", false, false },
    { W1 "worker.maintain=soon\n", "'soon' is no value for worker.maintain; allowed: a number with ms, s, m or h; 60 is used",
      "garbage for no worker", false, true },
    { W1 "worker.w.max_packet_size=9000\n", "w.properties:3: worker.w.max_packet_size is rounded up to 9216", "not a multiple of 1024",
      false, false },
    { W1 "worker.w.connection_pool_size=5\nworker.w.connection_pool_minsize=6\n",
      "w.properties:4: worker.w.connection_pool_minsize is larger "
      "than connection_pool_size", "more than there are", false, true },
    { W1 "worker.w.ping_mode=A\nworker.w.ping_timeout=0\n", "worker.w.ping_mode has no effect where ping_timeout is 0",
      "a ping that waits not",
      false, false },
    { W1 "worker.w.route=x\nworker.w.lbfactor=2\nworker.w.activation=A\nworker.w.redirect=y\n", "", "a worker may wait for its lb", false,
      false },
    { "worker.list=w\nworker.t.host=h\nworker.t.sticky_session=1\nworker.w.reference=worker.t\n", "",
      "a template may serve other types too",
      false, false },
    { "worker.list=w\nworker.tmpl.port=1\nworker.w.reference=worker.tpml\n",
      "w.properties:3: 'worker.w.reference=worker.tpml': there are no "
      "such properties; allowed: worker.NAME of a worker in this file; did you mean 'tmpl'?", "a slip in a reference", true, true },
    { "worker.list=w\nworker.t.port=1\nworker.w.reference=t\n", "'worker.w.reference=t': there are no such properties", "no prefix", true,
      true },
    { W1 "worker.x.reference=worker.nowhere\n", "w.properties:3: 'worker.x.reference=worker.nowhere'", "of a worker that nobody lists",
      true, true },
    { "worker.list=a\nworker.a.reference=worker.b\nworker.b.reference=worker.c\nworker.c.reference=worker.b\n",
      "w.properties:2: 'worker.a.reference' refers to itself", "into a circle", true, true },
    { "ps=/\nworkers.tomcat_home=/usr\nworker.list=a\nworker.a.port=8009\nworker.a.lbfactor=1\nworker.lb.type=lb\n"
      "worker.lb.balance_workers=a\n", "", "the distribution's file: an lb that is not listed is not made", false, false },
    /* keys that are none */
    { "wokers.list=w\nworker.ajp13.port=1\n", "w.properties:1: 'wokers.list' is no key of mod_jk but a variable, and nothing uses it; did you mean "
      "'worker.list'?", "a letter is missing", false, true },
    { W1 "workers.list=w\n", "did you mean 'worker.list'?", "one too many", false, true },
    { W1 "Worker.w.port=1\n", "'Worker.w.port' is no key of mod_jk but a variable, and nothing uses it; did you mean 'worker.w.port'?",
      "upper case", false, true },
    { W1 "worker_list=w\n", "did you mean 'worker.list'?", "no dot", false, true },
    { W1 "\xC2\xA0worker.w.port=1\n", "did you mean 'worker.w.port'?", "a blank from a web page", false, true },
    { W1 "wroker.lsit=w\n", "did you mean 'worker.list'?", "twice wrong", false, true },
    { W1 "workers.tomcat_home=/x\nworkers.java_home=/y\nps=/\n", "", "those of old files are none", false, false },
    { W1 "wokers.list=8009\nworker.w.port=$(wokers.list)\n", "", "a variable that is used is one", false, false },
    { W1 "port=8009\n", "w.properties:3: 'port' is a variable, and nothing uses it; an attribute is written worker.NAME.port", "no worker", false, false },
    { W1 "port=8009\nworker.w.port=$(port)\n", "", "used", false, false },
    { W1 "worker.port=8010\n", "did you mean 'worker.NAME.port'?", "no name", true, true },
    { "worker.w.port=1\nworker.v.port=2\n", "w.properties: there is no worker.list: no worker is there but 'ajp13' at localhost:8009; add "
      "worker.list=w,v", "no list", false, true },
    { "worker.ajp13.port=1\nworker.v.port=2\n", "", "the worker that is always there", false, false },
    /* names and quotes */
    { "worker.list=a;b\nworker.a.port=1\n", "w.properties:1: 'a;b' is one name here; allowed between names: ',' or a blank", "a ';'", false, true },
    { "worker.list=\"w\"\nworker.w.port=1\n", "the quotes around the value of 'worker.list' belong to it", "quotes", false, true },
    { "worker.list=m\xC3\xBC\nworker.m\xC3\xBC.port=1\n", "holds a byte that is no ASCII (0xc3)", "an umlaut", false, false },
    { "worker.list=a/b\nworker.a/b.port=1\n", "the worker's name 'a/b' holds '/'; allowed: letters", "a slash", false, false },
    { W1 "worker.w.host=\"h\"\n", "there is a quote in it", "quotes around a host", false, true },
    { W1 "worker.w.host=http://h:8009\n", "it is no URL", "a URL", false, true },
    { W1 "worker.w.host=h // c\n", "it is no URL", "another language's comment", false, true },
    { W1 "worker.w.host=h1,h2\n", "there is a character in it that no host's name has", "two hosts", false, true },
    { W1 "worker.w.host=tomcat_1\n", "", "compose's names", false, false },
    { W1 "worker.w.host=b\xC3\xBC" "cher\n", "no ASCII", "an umlaut in a host", false, true },
    { W1 "worker.w.port=1\nworker.w.host=h:2\n", "the port in worker.w.host=h:2 is used, and not worker.w.port", "two ports", false, false },
    { W1 "worker.w.port=2\nworker.w.host=h:2\n", "", "the same twice", false, false },
    { W1 "worker.w.secret=\"sesame\"\n", "the quotes around the value of 'worker.w.secret' belong to it", "around a secret", false, true },
    { "worker.list=w\nworker.w.balance_workers=a,b\nworker.w.port=1\n", "worker 'w' is of type ajp13, since no type is written; did you mean "
      "worker.w.type=lb?", "no type", false, true },
    /* numbers that make no sense */
    { W1 "worker.w.socket_timeout=10000\n", "worker.w.socket_timeout=10000 means 10000 s; did you mean 10000ms? If not, write 10000s", "seconds", false,
      false },
    { W1 "worker.w.socket_timeout=10000s\n", "", "with its unit", false, false },
    { W1 "worker.w.socket_timeout=7200\n", "", "two hours", false, false },
    { W1 "worker.w.connection_pool_timeout=600000\n", "did you mean 600000ms?", "as Tomcat's", false, false },
    { W1 "worker.w.connection_pool_timeout=600\n", "", "as it should be", false, false },
    { W1 "worker.w.reply_timeout=60\n", "worker.w.reply_timeout=60 means 60 ms; did you mean 60s?", "milliseconds", false, false },
    { W1 "worker.w.reply_timeout=60000\nworker.w.prepost_timeout=10000\nworker.w.connect_timeout=10000\n", "", "as the manual has them", false,
      false },
    { W1 "worker.w.reply_timeout=5000\nworker.w.prepost_timeout=10000\n", "w.properties:4: worker.w.prepost_timeout=10000 is longer than "
      "reply_timeout=5000", "a ping that is slower than an answer", false, false },
    { W1 "worker.w.reply_timeout=60000\nworker.w.socket_timeout=10\n", "", "a silence between packets, and one inside of them", false, false },
    { W1 "worker.w.ping_timeout=1000\nworker.w.safe_ping=0\n", "nothing asks for a ping, and it has no effect; ping_mode=A", "no ping", false, false },
    { W1 "worker.w.ping_timeout=1000\nworker.w.ping_mode=A\n", "", "a ping", false, false },
    { W1 "worker.w.port=8080\n", "port 8080 is as a rule not Tomcat's AJP connector, but HTTP", "HTTP", false, false },
    { W1 "worker.w.port=8005\n", "where it is shut down", "the port for shutting down", false, false },
    { W1 "worker.w.max_packet_size=16k\n", "Tomcat's connector needs the same, packetSize=\"16384\"", "a hint", false, false },
    { W1 "worker.w.port=0\n", "its requests are answered with 503", "no address", false, false },
    /* who is used */
    { "worker.list=node1\nworker.node1.host=h\nworker.nod1.port=8010\n", "w.properties:3: worker 'nod1' is neither in worker.list nor a member of an "
      "lb: 'worker.nod1.port' has no effect; did you mean 'node1'?", "a slip in a name", false, false },
    { "worker.list=node1\nworker.node1.port=1\nworker.node2.port=2\n", "worker 'node2' is neither in worker.list nor a member of an lb: nothing uses "
      "its 1 attributes", "one that is taken out", false, false },
};

START_TEST(each_row_is_found)
{
    parse(rows[_i].text);
    const char *text = all_findings();
    ck_assert_msg(strstr(text, rows[_i].says) != NULL, "%s: '%s' is not in:\n%s", rows[_i].why, rows[_i].says, text);
    ck_assert_msg(*rows[_i].says || *loud_findings() == '\0', "%s: found:\n%s", rows[_i].why, text);
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
    { "worker.w.host=[fe80::1%eth0]:7\n", "fe80::1%eth0", NULL, "a zone", 7 },
    { "worker.w.host=h:0\n", "h", NULL, "port 0", 0 },
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

/* ---- host, taken apart ---- */

static const struct {
    const char *text, *name, *says, *why;
    int port;
} taken_apart[] = {
    { "h", "h", NULL, "a name", -1 },
    { "h:1", "h", NULL, "a name and a port", 1 },
    { "10.0.0.1:65535", "10.0.0.1", NULL, "an address and the last port", 65535 },
    { "::1", "::1", NULL, "IPv6", -1 },
    { "[::1]", "::1", NULL, "in brackets", -1 },
    { "[::1]:80", "::1", NULL, "with a port", 80 },
    { "::ffff:10.0.0.1", "::ffff:10.0.0.1", NULL, "with an IPv4 address inside", -1 },
    { "fe80::1%eth0", "fe80::1%eth0", NULL, "with a zone", -1 },
    { "$(X)", "$(X)", NULL, "a macro that was left alone: nobody can say", -1 },
    { "unix:/a", "unix:/a", NULL, "a Unix socket", -1 },
    { "h:", "h", "no port; allowed: 0 to 65535", "an empty port", -1 },
    { "h:x", "h", "no port", "letters", -1 },
    { "h: 1", "h", "no port", "a blank", -1 },
    { "h:+1", "h", "no port", "a sign", -1 },
    { "h:-1", "h", "no port", "another", -1 },
    { "h:65536", "h", "no port", "too large", -1 },
    { "h:99999999999999999999", "h", "no port", "much too large", -1 },
    { "[::1]x", "::1", "no port", "no ':' behind the bracket", -1 },
    { "[::1]80", "::1", "no port", "no ':' before the port", -1 },
    { "[::1", "[::1", "more than one ':'", "not closed", -1 },
    { "a:b:c", "a:b:c", "more than one ':'", "no address", -1 },
    { "http://h", "http", "no port", "a URL", -1 },
    { "h/app", "h/app", "a '/'", "a path", -1 },
    { ":80", "", "no name", "no name", -1 },
    { "[]:80", "", "no name", "no address", -1 },
    { "", "", "no name", "nothing", -1 },
    { "unix:a", "", "begins with a '/'", "a path that begins nowhere", -1 },
    { "unix:", "", "begins with a '/'", "no path", -1 },
};

START_TEST(each_host_is_taken_apart)
{
    jk_host host;
    const char *says = jk_workers_host((const char *)jk_guarded(taken_apart[_i].text, strlen(taken_apart[_i].text) + 1), &host);

    ck_assert_msg(strcmp(host.name, taken_apart[_i].name) == 0, "%s: %s", taken_apart[_i].why, host.name);
    ck_assert_msg(host.port == taken_apart[_i].port, "%s: %d", taken_apart[_i].why, host.port);
    ck_assert_msg((says == NULL) == (taken_apart[_i].says == NULL), "%s: %s", taken_apart[_i].why, says ? says : "nothing said");
    ck_assert_msg(says == NULL || strstr(says, taken_apart[_i].says), "%s: %s", taken_apart[_i].why, says);
    ck_assert(host.is_unix == (strncmp(taken_apart[_i].text, "unix:", 5) == 0));
}
END_TEST

static const char *many(char c, size_t n)
{
    char *text = apr_palloc(pool, n + 1);

    memset(text, c, n);
    text[n] = '\0';
    return text;
}

START_TEST(hosts_and_names_have_their_limits)
{
    jk_host host;

    ck_assert_ptr_null(jk_workers_host(many('h', 255), &host));
    ck_assert_uint_eq(strlen(host.name), 255);
    ck_assert_ptr_null(jk_workers_host(apr_pstrcat(pool, many('h', 255), ":80", NULL), &host));
    ck_assert_int_eq(host.port, 80);
    ck_assert_ptr_nonnull(jk_workers_host(many('h', 256), &host));
    ck_assert_str_eq(host.name, "");
    ck_assert_ptr_null(jk_workers_host(apr_pstrcat(pool, "unix:/", many('p', 106), NULL), &host));
    ck_assert_ptr_nonnull(jk_workers_host(apr_pstrcat(pool, "unix:/", many('p', 107), NULL), &host));

    parse(apr_pstrcat(pool, "worker.list=w\nworker.w.host=", many('h', 256), "\n", NULL));
    ck_assert(jk_findings_refuse(found, false));
    const jk_worker_conf *w = jk_workers_find(parse(apr_pstrcat(pool, "worker.list=", many('n', 255), "\nworker.", many('n', 255),
        ".port=1\n",
                                                                NULL)), many('n', 255));
    ck_assert_int_eq(w->tune.port, 1);
    ck_assert_str_eq(w->tune.route, many('n', 255));
    ck_assert_int_eq(found->all->nelts, 0);
    parse(apr_pstrcat(pool, "worker.list=", many('n', 256), "\n", NULL));
    ck_assert_msg(strstr(all_findings(), "the worker's name has 256 bytes; allowed: 255"), "%s", all_findings());
    ck_assert(jk_findings_refuse(found, false));
    parse(apr_pstrcat(pool, W1 "worker.", many('n', 256), ".port=1\n", NULL));
    ck_assert(jk_findings_refuse(found, false));
}
END_TEST

/* ---- what follows from what was written ---- */

/* A worker as text: what the rows below ask for. */
static const char *derived(const jk_worker_conf *w)
{
    const jk_tune *t = &w->tune;

    return apr_psprintf(pool, "cpool=%d/%d/%d ping=%d/%d/%d/%d acq=%d buf=%d act=%d route=%s domain=%s", w->connection_pool_size,
                        w->connection_pool_minsize, t->connection_pool_timeout, t->connect_timeout, t->prepost_timeout,
                        t->connection_ping_interval, t->ping_timeout, t->connection_acquire_timeout, w->socket_buffer, t->activation,
                            t->route,
                        t->domain);
}

#define POOL "cpool=0/-1/0 "
#define PINGS "ping=0/0/0/10000 "
#define REST "acq=200 buf=0 "
#define NAMES "act=0 route=w domain="

static const struct {
    const char *text, *is, *why;
} derivations[] = {
    { "", POOL PINGS REST NAMES, "defaults" },
    { "connection_pool_size=5", "cpool=5/3/0 " PINGS REST NAMES, "half of it, rounded up, stays" },
    { "connection_pool_size=1", "cpool=1/1/0 " PINGS REST NAMES, "the only one stays" },
    { "cachesize=4|cache_timeout=9", "cpool=4/2/9 " PINGS REST NAMES, "old names" },
    { "cachesize=4|connection_pool_size=6", "cpool=6/3/0 " PINGS REST NAMES, "the new name wins" },
    { "connection_pool_size=6|cachesize=4", "cpool=6/3/0 " PINGS REST NAMES, "wherever it stands" },
    { "connection_pool_size=5|connection_pool_minsize=0", "cpool=5/0/0 " PINGS REST NAMES, "zero is zero" },
    { "connection_pool_minsize=7", "cpool=0/7/0 " PINGS REST NAMES, "where the size is by need" },
    { "connection_pool_size=5|connection_pool_minsize=7", "cpool=5/5/0 " PINGS REST NAMES, "not more than there are" },
    { "ping_mode=C", POOL "ping=10000/0/0/10000 " REST NAMES, "after connecting" },
    { "ping_mode=P", POOL "ping=0/10000/0/10000 " REST NAMES, "before a request" },
    { "ping_mode=I", POOL "ping=0/0/100/10000 " REST NAMES, "idle ones" },
    { "ping_mode=A|ping_timeout=2000", POOL "ping=2000/2000/20/2000 " REST NAMES, "all, in less time" },
    { "ping_mode=I|ping_timeout=50", POOL "ping=0/0/1/50 " REST NAMES, "not less than a second" },
    { "ping_mode=A|connect_timeout=7", POOL "ping=7/10000/100/10000 " REST NAMES, "what was written wins" },
    { "ping_mode=A|connect_timeout=0", POOL "ping=0/10000/100/10000 " REST NAMES, "a written zero too" },
    { "ping_mode=A|prepost_timeout=7|connection_ping_interval=3", POOL "ping=10000/7/3/10000 " REST NAMES, "each of them" },
    { "connect_timeout=5s|prepost_timeout=6", POOL "ping=5000/6/0/10000 " REST NAMES, "without ping_mode" },
    { "connection_ping_interval=30", POOL "ping=0/0/30/10000 " REST NAMES, "without ping_mode" },
    { "retry_interval=-1", POOL PINGS "acq=0 buf=0 " NAMES, "no pause: one try" },
    { "retries=1000|retry_interval=2147483647", POOL PINGS "acq=2147483647 buf=0 " NAMES, "more than it can hold" },
    { "socket_buffer=1", POOL PINGS "acq=200 buf=8192 " NAMES, "a packet must fit" },
    { "socket_buffer=1|max_packet_size=9000", POOL PINGS "acq=200 buf=9216 " NAMES, "as it is in the end" },
    { "socket_buffer=64k", POOL PINGS "acq=200 buf=65536 " NAMES, "more is well" },
    { "disabled=1", POOL PINGS REST "act=1 route=w domain=", "the old spelling" },
    { "stopped=true|disabled=true", POOL PINGS REST "act=2 route=w domain=", "stopped is asked first" },
    { "stopped=1|activation=A", POOL PINGS REST NAMES, "activation wins" },
    { "stopped=0|activation=D", POOL PINGS REST "act=1 route=w domain=", "activation wins" },
    { "route=r", POOL PINGS REST "act=0 route=r domain=", "a route" },
    { "jvm_route=r", POOL PINGS REST "act=0 route=r domain=", "its old name" },
    { "route=r|jvm_route=s", POOL PINGS REST "act=0 route=r domain=", "both" },
    { "route=d.r.x", POOL PINGS REST "act=0 route=d.r.x domain=d", "a domain in the route" },
    { "route=d.r|domain=e", POOL PINGS REST "act=0 route=d.r domain=e", "and another" },
    { "route=.r", POOL PINGS REST "act=0 route=.r domain=", "nothing before the dot" },
};

static const char *lines_of(const char *worker, const char *attributes)
{
    const char *text = "";

    for (char *state, *one = apr_strtok(apr_pstrdup(pool, attributes), "|", &state); one; one = apr_strtok(NULL, "|", &state))
        text = apr_pstrcat(pool, text, "worker.", worker, ".", one, "\n", NULL);
    return text;
}

START_TEST(each_derived_value)
{
    const jk_worker_conf *w = jk_workers_find(parse(apr_pstrcat(pool, W1, lines_of("w", derivations[_i].text), NULL)), "w");

    ck_assert_msg(strcmp(derived(w), derivations[_i].is) == 0, "%s: %s", derivations[_i].why, derived(w));
    ck_assert(!jk_findings_refuse(found, false));
}
END_TEST

START_TEST(a_dot_in_the_name_makes_a_domain)
{
    const jk_worker_conf *w = jk_workers_find(parse("worker.list=d.w\nworker.d.w.port=1\n"), "d.w");
    ck_assert_str_eq(w->tune.route, "d.w");
    ck_assert_str_eq(w->tune.domain, "d");
}
END_TEST

START_TEST(what_was_written_is_known)
{
    const jk_worker_conf *w = jk_workers_find(parse("worker.list=w\nworker.t.port=1\nworker.w.reference=worker.t\nworker.w.cachesize=3\n"),
        "w");
    ck_assert(jk_keys_written(w, "port"));
    ck_assert(jk_keys_written(w, "connection_pool_size"));
    ck_assert(!jk_keys_written(w, "host"));
    ck_assert(!jk_keys_written(w, "retries"));
}
END_TEST

static const struct {
    const char *text;
    int is;
} maintains[] = {
    { "", 60 }, { "worker.maintain=30\n", 30 }, { "worker.maintain=0\n", 0 }, { "worker.maintain=-1\n", -1 }, { "worker.maintain=2m\n",
      120 },
    { "worker.maintain=1\nworker.maintain=5\n", 5 }, { "worker.maintain=7x\n", 7 },
};

START_TEST(each_maintain)
{
    ck_assert_int_eq(parse(apr_pstrcat(pool, W1, maintains[_i].text, NULL))->maintain, maintains[_i].is);
}
END_TEST

/* ---- references ---- */

START_TEST(a_reference_takes_over_what_is_not_written)
{
    jk_workers_conf *conf = parse_all("worker.list=a,lb\nworker.a.reference=worker.b\nworker.a.port=1\nworker.a.fail_on_status=500\n"
                                      "worker.b.reference=worker.c\nworker.b.port=2\nworker.b.host=bh\nworker.b.cachesize=7\n"
                                      "worker.c.host=ch\n"
                                      "worker.c.secret=cs\nworker.c.fail_on_status=503,504\nworker.c.connection_pool_size=8\n"
                                      "worker.lb.reference=worker.t\nworker.t.type=lb\nworker.t.balance_workers=x\n"
                                      "worker.t.balance_workers=y\n"
                                      "worker.x.port=1\nworker.y.port=2\n");
    const jk_worker_conf *a = jk_workers_find(conf, "a"), *lb = jk_workers_find(conf, "lb");

    ck_assert_int_eq(a->tune.port, 1);
    ck_assert_str_eq(a->tune.host, "bh");
    ck_assert_str_eq(a->secret, "cs");
    ck_assert_msg(a->connection_pool_size == 7, "an old name is nearer than a new one that is farther away");
    ck_assert_msg(a->fail_on_status->nelts == 1, "a list is never joined with another worker's");
    ck_assert_int_eq(lb->kind, JK_WORKER_LB);
    ck_assert_msg(lb->members->nelts == 2, "all lines of a list are taken over");
}
END_TEST

/* worker.w0 refers to w1 and so on; the last has a port. */
static const jk_worker_conf *chain(int links)
{
    const char *text = "worker.list=w0\n";

    for (int i = 0; i < links; i++)
        text = apr_psprintf(pool, "%sworker.w%d.reference=worker.w%d\n", text, i, i + 1);
    return jk_workers_find(parse(apr_psprintf(pool, "%sworker.w%d.port=7\n", text, links)), "w0");
}

START_TEST(references_may_be_nested_twenty_deep)
{
    ck_assert_int_eq(chain(20)->tune.port, 7);
    ck_assert_int_eq(found->all->nelts, 0);
    ck_assert_int_eq(chain(21)->tune.port, 8009);
    ck_assert_msg(strstr(all_findings(), "w.properties:2: 'worker.w0.reference' refers to itself, or through more than 20 workers"), "%s",
                  all_findings());
    ck_assert(jk_findings_refuse(found, false));
}
END_TEST

START_TEST(more_than_twenty_workers_may_refer_to_one)
{
    const char *list = "worker.list=t", *text = "worker.t.port=7\n";

    for (int i = 0; i < 60; i++) {
        list = apr_psprintf(pool, "%s,w%d", list, i);
        text = apr_psprintf(pool, "%sworker.w%d.reference=worker.t\n", text, i);
    }
    jk_workers_conf *conf = parse(apr_pstrcat(pool, list, "\n", text, NULL));
    for (int i = 0; i < 60; i++)
        ck_assert_int_eq(jk_workers_find(conf, apr_psprintf(pool, "w%d", i))->tune.port, 7);
    ck_assert_int_eq(found->all->nelts, 0);
}
END_TEST

START_TEST(a_finding_in_a_template_is_told_once)
{
    parse("worker.list=a,b,c\nworker.t.port=80x\nworker.a.reference=worker.t\nworker.b.reference=worker.t\nworker.c.reference=worker.t\n");
    ck_assert_str_eq(loud_findings(), "w.properties:2: '80x' is no value for worker.t.port; allowed: a number; 80 is used\n");
}
END_TEST

/* What the status worker dumps: as it was written, then what references took over; and no secret among it. */
START_TEST(all_properties_can_be_listed)
{
    jk_workers_conf *conf = parse("worker.list=a\nworker.t.port=7\nworker.t.secret=sesame\nworker.a.reference=worker.t\n");
    const char *text = "";

    for (int i = 0; i < conf->props->all->nelts; i++) {
        const jk_prop *one = &APR_ARRAY_IDX(conf->props->all, i, jk_prop);
        text = apr_pstrcat(pool, text, one->key, "=", jk_props_shown(pool, one, NULL), ";", NULL);
    }
    ck_assert_str_eq(text, "ServerRoot=/srv;worker.list=a;worker.t.port=7;worker.t.secret=(hidden);worker.a.reference=worker.t;"
                           "worker.a.port=7;worker.a.secret=(hidden);");
}
END_TEST

/* ---- lb workers ---- */

#define LB "worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.a.port=1\nworker.b.port=2\n"

static const struct {
    const char *text, *says, *why;
    bool refused, refused_strictly;
} balanced[] = {
    { LB, "", "two members", false, false },
    { "worker.list=lb\nworker.lb.type=lb\n", "worker 'lb' is of type lb and has no members; allowed: "
      "worker.lb.balance_workers=NAME,NAME", "no members", true, true },
    { "worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=,\n", "has no members", "an empty list", true, true },
    { "worker.list=lb\nworker.lb.type=lb\nworker.lb.balanced_workers=a\nworker.a.port=1\n",
      "'worker.lb.balanced_workers' is deprecated: use "
      "balance_workers", "the tutorials' spelling", false, false },
    { LB "worker.lb.balance_workers=nod2\nworker.node2.port=1\n",
      "w.properties:6: nothing is written about worker 'nod2': it is an ajp13 worker "
      "at localhost:8009; did you mean 'node2'?", "a member that is not defined", false, true },
    { LB "worker.lb.balance_workers=lb\n", "w.properties:6: worker 'lb' is of type lb and cannot be a member of 'lb'; allowed: ajp13",
      "itself",
      true, true },
    { LB "worker.lb.balance_workers=l2\nworker.l2.type=lb\nworker.l2.balance_workers=a\n",
      "worker 'l2' is of type lb and cannot be a member",
      "an lb", true, true },
    { LB "worker.lb.balance_workers=s\nworker.s.type=status\n", "worker 's' is of type status and cannot be a member", "a status worker",
      true, true },
    { LB "worker.lb.balance_workers=o\nworker.o.type=ajp14\n", "the type ajp14 is not supported any more", "an old type", true, true },
    { LB "worker.lb.balance_workers=a\n", "w.properties:6: worker 'a' is a member of 'lb' twice; once counts", "twice", false, true },
    { LB "worker.a.route=r\nworker.b.route=r\n", "w.properties:7: balanced workers 'a' and 'b' of 'lb' share the same route 'r'",
      "two of one route", true, true },
    { LB "worker.a.route=d.r\nworker.b.route=d.r\nworker.b.domain=e\n", "share the same route 'd.r'", "whatever their domains", true,
      true },
    { LB "worker.a.route=b\n", "w.properties:3: balanced workers 'a' and 'b' of 'lb' share the same route 'b'",
      "a route that is another's name", true, true },
    { LB "worker.a.redirect=b\n", "", "a stand-in", false, false },
    { LB "worker.a.redirect=c\n", "w.properties:6: member 'a' of 'lb' redirects to 'c', which is no member's route", "no stand-in", false,
      true },
    { LB "worker.b.route=node2\nworker.a.redirect=nod2\n", "did you mean 'node2'?", "a slip", false, true },
    { LB "worker.b.route=node2\nworker.a.redirect=b\n", "did you mean 'node2', the route of that worker?", "a worker instead of a route",
      false, true },
    { LB "worker.a.redirect=a\n", "member 'a' of 'lb' redirects to itself", "itself", false, true },
    { LB "worker.a.activation=D\nworker.b.activation=S\n", "w.properties:3: no member of 'lb' is active", "nobody works", false, false },
    { LB "worker.lb.max_packet_size=16k\n", "worker.lb.max_packet_size has no effect: the largest of the members counts, 8192", "of the lb",
      false, false },
    { LB "worker.lb.max_packet_size=16k\nworker.a.max_packet_size=16k\n", "", "as it is", false, false },
    { LB "worker.lb.sticky_session=0\nworker.lb.sticky_session_force=1\n", "sticky_session_force has no effect", "force without session",
      false, false },
    { LB "worker.lb.session_path=jsessionid\n", "worker.lb.session_path does not begin with ';'", "a path without its ';'", false, false },
    { LB "worker.lb.session_cookie_samesite=Lax\n", "has no effect where set_session_cookie is false", "no cookie", false, false },
    { LB "worker.lb.socket_timeout=1\n", "'worker.lb.socket_timeout' has no meaning for a worker of type lb", "of ajp13", false, true },
    { LB "worker.lb.lock=P\n", "'worker.lb.lock' is accepted and ignored: counters are atomic", "a lock", false, false },
    { LB "worker.a.retries=x\n", "w.properties:6: 'x' is no value for worker.a.retries", "a member is checked", false, true },
    { LB "worker.a.port=1\nworker.b.port=1\n", "members 'a' and 'b' of 'lb' are one container, localhost:1: nothing is balanced between them",
      "one container", false, false },
    { "worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.a.host=g\nworker.b.host=h\n", "", "two hosts", false, false },
    { "worker.list=lb\nworker.lb.type=lb\nworker.lb.balance_workers=a,b\nworker.a.port=1\nworker.b.port=1\nworker.b.activation=D\n", "",
      "one container, and one of them waits", false, false },
    { LB "worker.a.port=0\nworker.b.port=0\n", "sessions of 'lb' stay with their member where the containers' server.xml says so: <Engine "
      "jvmRoute=\"NAME\" ..> with these names: a, b", "two that wait for an address", false, false },
    { LB "worker.a.domain=d\nworker.b.redirect=d\n", "which is no member's route, but a domain", "a domain is no route", false, true },
    { LB "worker.lb.session_cookie_path=app\n", "worker.lb.session_cookie_path does not begin with '/'", "a path without its '/'", false, false },
    { LB "worker.lb.set_session_cookie=1\nworker.lb.session_cookie=S;Domain=x\n", "worker.lb.session_cookie is no name of a cookie",
      "a cookie with more in it", false, true },
    { LB "worker.lb.set_session_cookie=1\nworker.lb.session_cookie=S 1\n", "worker.lb.session_cookie is no name of a cookie", "a blank", false, true },
    { LB "worker.lb.set_session_cookie=1\nworker.lb.session_cookie_path=/x;Domain=y\n", "worker.lb.session_cookie_path holds",
      "a path with more in it", false, true },
    { LB "worker.lb.max_reply_timeouts=5\n", "has no effect where neither a member nor a mount has a reply_timeout", "timeouts of nobody", false, false },
    { LB "worker.lb.recover_time=60000\n", "did you mean 60000ms?", "a day and more", false, false },
    { LB "worker.a.mount=/x\n", "worker.a.mount has no effect: worker 'a' is not in worker.list", "a mount of a member", false, false },
};

START_TEST(each_finding_of_an_lb)
{
    parse_all(balanced[_i].text);
    ck_assert_msg(strstr(all_findings(), balanced[_i].says) != NULL, "%s: '%s' is not in:\n%s", balanced[_i].why, balanced[_i].says,
        all_findings());
    ck_assert_msg(*balanced[_i].says || *loud_findings() == '\0', "%s: found:\n%s", balanced[_i].why, all_findings());
    ck_assert_msg(jk_findings_refuse(found, false) == balanced[_i].refused, "%s: %s", balanced[_i].why, all_findings());
    ck_assert_msg(jk_findings_refuse(found, true) == balanced[_i].refused_strictly, "%s (strict)", balanced[_i].why);
}
END_TEST

static const jk_worker_conf *member_of(const jk_worker_conf *lb, int i)
{
    return APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *);
}

START_TEST(an_lb_has_its_defaults)
{
    const jk_worker_conf *lb = jk_workers_find(parse_all(LB), "lb");
    const jk_tune *t = &lb->tune;

    ck_assert(lb->listed && lb->kind == JK_WORKER_LB);
    ck_assert(t->sticky_session && !t->sticky_session_force && !lb->set_session_cookie);
    ck_assert_int_eq(t->method, JK_METHOD_REQUEST);
    ck_assert_int_eq(t->retries, 2);
    ck_assert_int_eq(t->retry_interval, 100);
    ck_assert_int_eq(lb->lb_retries, 2);
    ck_assert_int_eq(t->recover_time, 60);
    ck_assert_int_eq(t->error_escalation_time, 30);
    ck_assert_int_eq(t->max_reply_timeouts, 0);
    ck_assert_int_eq(t->retry_budget, 20);
    ck_assert_int_eq(t->max_packet_size, 8192);
    ck_assert_int_eq(lb->session_cookie_samesite, JK_SAMESITE_UNSET);
    ck_assert_str_eq(t->session_cookie, "JSESSIONID");
    ck_assert_str_eq(t->session_path, ";jsessionid");
    ck_assert_str_eq(lb->session_cookie_path, "/");
    ck_assert_str_eq(t->route, "");
}
END_TEST

START_TEST(an_lb_has_what_was_written)
{
    const jk_worker_conf *lb = jk_workers_find(parse_all(LB "worker.lb.method=B\nworker.lb.recover_time=90\nworker.lb.session_cookie=S#1\n"
                                                        "worker.lb.session_path=;s\nworker.lb.set_session_cookie=yes\nworker.lb.lock=P\n"
                                                        "worker.lb.session_cookie_path=/x\nworker.lb.session_cookie_samesite=strict\n"
                                                        "worker.lb.lb_retries=5\nworker.lb.retry_budget=0\nworker.lb.spare_members=3\n"
                                                        "worker.lb.sticky_session_force=t\nworker.lb.max_reply_timeouts=4\n"), "lb");

    ck_assert_int_eq(lb->tune.method, JK_METHOD_BUSYNESS);
    ck_assert_int_eq(lb->tune.lock, JK_LOCK_PESSIMISTIC);
    ck_assert_int_eq(lb->tune.recover_time, 90);
    ck_assert_int_eq(lb->tune.error_escalation_time, 45);
    ck_assert_int_eq(lb->tune.max_reply_timeouts, 4);
    ck_assert_int_eq(lb->tune.retry_budget, 0);
    ck_assert(lb->tune.sticky_session_force);
    ck_assert_str_eq(lb->tune.session_cookie, "S#1");
    ck_assert_str_eq(lb->tune.session_path, ";s");
    ck_assert_str_eq(lb->session_cookie_path, "/x");
    ck_assert_int_eq(lb->session_cookie_samesite, JK_SAMESITE_STRICT);
    ck_assert(lb->set_session_cookie);
    ck_assert_int_eq(lb->lb_retries, 5);
    ck_assert_int_eq(lb->spare_members, 3);
    lb = jk_workers_find(parse_all(LB "worker.lb.error_escalation_time=0\n"), "lb");
    ck_assert_msg(lb->tune.error_escalation_time == 0, "a written zero is zero");
}
END_TEST

START_TEST(members_are_as_their_lb_sees_them)
{
    jk_workers_conf *conf = parse_all("worker.list=a,lb,other\nworker.lb.type=lb\nworker.lb.balance_workers=a b\nworker.lb.secret=ls\n"
                                      "worker.lb.balance_workers=c\tz\nworker.other.type=lb\nworker.other.balance_workers=b\n"
                                      "worker.a.port=1\n"
                                      "worker.b.port=2\nworker.b.secret=bs\nworker.b.max_packet_size=16k\nworker.c.port=3\n"
                                      "worker.c.route=d.c\nworker.z.port=0\n");
    const jk_worker_conf *lb = jk_workers_find(conf, "lb"), *other = jk_workers_find(conf, "other");

    ck_assert_msg(*loud_findings() == '\0', "%s", all_findings());
    ck_assert_int_eq(lb->members->nelts, 4);
    ck_assert_str_eq(member_of(lb, 0)->name, "a");
    ck_assert_str_eq(member_of(lb, 3)->name, "z");
    ck_assert_msg(strcmp(member_of(lb, 0)->secret, "ls") == 0, "handed down");
    ck_assert_msg(strcmp(member_of(lb, 1)->secret, "bs") == 0, "its own");
    ck_assert_msg(*jk_workers_find(conf, "a")->secret == '\0', "the worker that is mounted alone has none");
    ck_assert_str_eq(member_of(other, 0)->secret, "bs");
    ck_assert_str_eq(member_of(lb, 2)->tune.domain, "d");
    ck_assert_int_eq(lb->tune.max_packet_size, 16384);
    ck_assert_int_eq(other->tune.max_packet_size, 16384);
    ck_assert_msg(member_of(lb, 3)->tune.activation == JK_STOPPED, "a member without a port is provisioned");
    ck_assert_int_eq(member_of(lb, 0)->tune.activation, JK_ACTIVE);
    ck_assert_msg(member_of(lb, 2)->line == 5, "it was first named where it became a member: %d", member_of(lb, 2)->line);
}
END_TEST

/* Listed ones first and in their order, then those that only an lb knows; none twice. */
START_TEST(all_workers_are_in_order)
{
    jk_workers_conf *conf = parse_all("worker.list=lb2\nworker.list=b "
        "lb1\nworker.lb1.type=lb\nworker.lb2.type=lb\nworker.lb1.balance_workers=a,b\n"
                                      "worker.lb2.balance_workers=c,a\nworker.a.port=1\nworker.b.port=2\nworker.c.port=3\n"
                                      "worker.unused.port=4\n");
    const char *text = "";

    for (int i = 0; i < conf->workers->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(conf->workers, i, jk_worker_conf *);
        text = apr_pstrcat(pool, text, one->name, one->listed ? "+ " : "- ", NULL);
        ck_assert_ptr_eq(jk_workers_find(conf, one->name), one);
    }
    ck_assert_str_eq(text, "lb2+ b+ lb1+ c- a- ");
    ck_assert_ptr_null(jk_workers_find(conf, "unused"));
}
END_TEST

START_TEST(what_cannot_be_made_is_not_listed)
{
    const jk_worker_conf *lb = jk_workers_find(parse(LB), "lb");

    ck_assert(!lb->listed);
    ck_assert_int_eq(lb->members->nelts, 2);
    ck_assert_int_eq(found->count[JK_FIND_ERROR], 1);
}
END_TEST

/* ---- status workers ---- */

#define STATUS "worker.list=s\nworker.s.type=status\n"

START_TEST(a_status_worker_has_its_defaults)
{
    const jk_worker_conf *s = jk_workers_find(parse_all(STATUS), "s");

    ck_assert_msg(found->all->nelts == 0, "%s", all_findings());
    ck_assert(s->listed && s->kind == JK_WORKER_STATUS);
    ck_assert_str_eq(s->css, "");
    ck_assert_str_eq(s->ns, "jk:");
    ck_assert_str_eq(s->xmlns, "xmlns:jk=\"http://tomcat.apache.org\"");
    ck_assert_str_eq(s->doctype, "");
    ck_assert_str_eq(s->prefix, "worker");
    ck_assert(!s->read_only && !s->allow_get_changes && !s->user_case_insensitive);
    ck_assert_int_eq(s->user->nelts, 0);
}
END_TEST

START_TEST(a_status_worker_has_what_was_written)
{
    const jk_worker_conf *s = jk_workers_find(parse_all(STATUS "worker.s.css=/a#b\nworker.s.ns=-\nworker.s.xmlns=-\nworker.s.doctype=<!D "
        "x#y>\n"
                                                        "worker.s.prefix=p\nworker.s.read_only=1\nworker.s.allow_get_changes=t\n"
                                                        "worker.s.user=a,b\nworker.s.user=c\nworker.s.user_case_insensitive=on\n"), "s");

    ck_assert_msg(found->all->nelts == 0, "%s", all_findings());
    ck_assert_str_eq(s->css, "/a#b");
    ck_assert_str_eq(s->ns, "");
    ck_assert_str_eq(s->xmlns, "");
    ck_assert_str_eq(s->doctype, "<!D x#y>");
    ck_assert_str_eq(s->prefix, "p");
    ck_assert(s->read_only && s->allow_get_changes && s->user_case_insensitive);
    ck_assert_int_eq(s->user->nelts, 3);
    ck_assert_str_eq(APR_ARRAY_IDX(s->user, 2, const char *), "c");
}
END_TEST

/* "AO" for active and ok, in the order of the enums. */
static const char *rated(uint32_t bits)
{
    const char *text = "";

    for (int a = JK_ACTIVE; a <= JK_STOPPED; a++)
        for (int s = 0; s < JK_RATED_STATES; s++)
            if (bits & JK_RATING(a, s))
                text = apr_psprintf(pool, "%s%c%c ", text, "ADS"[a], "OIBRE"[s]);
    return text;
}

static const struct {
    const char *text, *good, *bad, *says, *why;
} ratings[] = {
    { "", "AO AI AB AR ", "AE DE SO SI SB SR SE ", "", "the defaults" },
    { "good=a", "AO AI AB AR AE ", "AE DE SO SI SB SR SE ", "w.properties:3: worker 's': good and bad overlap", "a letter of activation" },
    { "good=o", "AO DO SO ", "AE DE SO SI SB SR SE ", "overlap", "a letter of state" },
    { "good=a.o|bad=e", "AO ", "AE DE SE ", "", "a pair and a letter" },
    { "good=o.a|bad=e", "AO ", "AE DE SE ", "", "the other way round" },
    { "good=A.N,d.Busy|bad=stopped.error", "AI DB ", "SE ", "", "upper case, N for idle, longer words" },
    { "good=a.o|good=a.i|bad=s", "AO AI ", "SO SI SB SR SE ", "", "lines add up" },
    { "good=x|bad=e", "", "AE DE SE ", "w.properties:3: 'x' in worker.s.good matches nothing and is ignored; allowed: A, D, S",
      "no letter" },
    { "good=a.d|bad=e", "", "AE DE SE ", "'a.d' in worker.s.good matches nothing", "two activations are never both" },
    { "good=a.x,a.o|bad=e", "AO ", "AE DE SE ", "'a.x' in", "one of two" },
    { "good=a.|bad=e", "", "AE DE SE ", "'a.' in", "nothing behind the dot" },
    { "good=.o|bad=e", "", "AE DE SE ", "'.o' in", "nothing before it" },
};

START_TEST(each_rating)
{
    const jk_worker_conf *s = jk_workers_find(parse_all(apr_pstrcat(pool, STATUS, lines_of("s", ratings[_i].text), NULL)), "s");

    ck_assert_msg(strcmp(rated(s->good_when), ratings[_i].good) == 0, "%s: good is %s", ratings[_i].why, rated(s->good_when));
    ck_assert_msg(strcmp(rated(s->bad_when), ratings[_i].bad) == 0, "%s: bad is %s", ratings[_i].why, rated(s->bad_when));
    ck_assert_msg(strstr(all_findings(), ratings[_i].says) != NULL, "%s: %s", ratings[_i].why, all_findings());
    ck_assert_msg(*ratings[_i].says || found->all->nelts == 0, "%s: %s", ratings[_i].why, all_findings());
    ck_assert(!jk_findings_refuse(found, false));
}
END_TEST

/* ---- whole files that people have ---- */

static const struct {
    const char *text, *said, *why;
} files[] = {
    { "workers.tomcat_home=/usr/share/tomcat8\nworkers.java_home=/usr/lib/jvm/default-java\nps=/\nworker.list=ajp13_worker\n"
      "worker.ajp13_worker.port=8009\nworker.ajp13_worker.host=localhost\nworker.ajp13_worker.type=ajp13\nworker.ajp13_worker.lbfactor=1\n"
      "#worker.ajp13_worker.cachesize\nworker.loadbalancer.type=lb\nworker.loadbalancer.balance_workers=ajp13_worker\n", "", "Debian's" },
    { "worker.list=loadbalancer,status\nworker.node1.port=8009\nworker.node1.host=my.tomcat1.server.com\nworker.node1.type=ajp13\n"
      "worker.node1.lbfactor=1\nworker.node1.cachesize=10\nworker.node2.port=8009\nworker.node2.host=my.tomcat2.server.com\n"
      "worker.node2.type=ajp13\nworker.node2.lbfactor=1\nworker.node2.cachesize=10\nworker.loadbalancer.type=lb\n"
      "worker.loadbalancer.balanced_workers=node1,node2\nworker.loadbalancer.sticky_session=1\nworker.status.type=status\n",
      "", "the tutorials' lb" },
    { "worker.list=jk-status,balancer\nworker.jk-status.type=status\nworker.jk-status.read_only=true\nworker.balancer.type=lb\n"
      "worker.balancer.balance_workers=app1,app2\nworker.template.type=ajp13\nworker.template.port=8009\nworker.template.retries=2\n"
      "worker.template.socket_connect_timeout=5000\nworker.template.recovery_options=7\nworker.app1.reference=worker.template\n"
      "worker.app1.host=10.0.0.1\nworker.app1.activation=A\nworker.app2.reference=worker.template\nworker.app2.host=10.0.0.2\n"
      "worker.app2.activation=disabled\nworker.app2.redirect=app1\n", "", "with a template" },
    { "worker.list=router\nworker.worker1.type=ajp13\nworker.worker1.host=h1\nworker.worker1.redirect=worker2\nworker.worker2.type=ajp13\n"
      "worker.worker2.host=h2\nworker.worker2.activation=disabled\nworker.router.type=lb\nworker.router.balance_workers=worker1,worker2\n",
      "",
      "a hot standby" },
};

START_TEST(each_file_that_people_have)
{
    parse_all(files[_i].text);
    ck_assert_msg(strcmp(loud_findings(), files[_i].said) == 0, "%s: %s", files[_i].why, all_findings());
}
END_TEST

/* Everything at once that can be wrong: each finding names its line, and none a secret. */
START_TEST(every_finding_has_its_line_and_no_secret)
{
    static const char text[] =
        "p=sesame\nworker.list=w,u,lb,s,x,$(p)\nworker.list=w\nworker.w.secret=$(p)\nworker.w.secret=$(p)\nworker.w.port=$(p)\n"
        "worker.w.host=$(p)/$(p)\nworker.w.retries=12$(p)\nworker.w.socket_keepalive=$(p)\nworker.w.ping_mode=$(p)\n"
        "worker.w.max_packet_size=$(p)\n"
        "worker.w.fail_on_status=$(p)\nworker.w.activation=$(p)\nworker.w.secrett=$(p)\nworker.w.reference=worker.$(p)\n"
        "worker.u.type=$(p)\n"
        "worker.lb.type=lb\nworker.lb.balance_workers=$(p),a,b,lb,s\nworker.lb.method=$(p)\nworker.lb.session_path=$(p)\n"
        "worker.a.route=$(p)\n"
        "worker.b.route=$(p)\nworker.a.redirect=x$(p)\nworker.s.type=status\nworker.s.good=$(p)\nworker.s.bad=$(p)\n"
        "worker.s.sticky_session=$(p)\n"
        "worker.maintain=$(p)\nworker.x.type=x$(p)\nworker.prot=$(p)\nnonsense\nworker.w.css#=$(p)\nworker.a.local_worker=$(p)\n";

    parse_all(text);
    ck_assert_int_gt(found->all->nelts, 25);
    for (int i = 0; i < found->all->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(found->all, i, jk_finding);
        ck_assert_msg(one->file && strcmp(one->file, "w.properties") == 0 && one->line > 0, "%s", one->text);
        ck_assert_msg(strstr(one->text, "sesame") == NULL, "%s", one->text);
        ck_assert_msg(strstr(one->text, "12 ") == NULL, "%s", one->text);
    }
}
END_TEST

/* Directives come first, and have their own places. */
START_TEST(directives_and_a_file)
{
    static const jk_prop lines[] = { { "", "worker.list=a", "httpd.conf", 3 }, { "", "worker.a.port=1", "httpd.conf", 4 },
                                     { "", "worker.a.host=$(ServerRoot)", "httpd.conf", 5 }, { "", "worker.a.hsot=1", "httpd.conf", 6 } };
    jk_workers_input in = { lines, 4, "w.properties", JK_SPAN_LIT("worker.list=b\nworker.a.port=2\nworker.b.route=$(ServerRoot)\n"), "/srv",
                            environment, 0 };

    found = jk_findings_make(pool);
    jk_workers_conf *conf = jk_workers_parse(pool, &in, found);
    ck_assert_int_eq(jk_workers_find(conf, "a")->tune.port, 2);
    ck_assert_str_eq(jk_workers_find(conf, "a")->tune.host, "$(ServerRoot)");
    ck_assert_str_eq(jk_workers_find(conf, "b")->tune.route, "/srv");
    ck_assert_msg(strstr(all_findings(), "w.properties:2: Duplicate key 'worker.a.port' detected: it overrides the value of httpd.conf:4"),
        "%s",
                  all_findings());
    ck_assert_msg(strstr(all_findings(), "httpd.conf:6: attribute 'worker.a.hsot'"), "%s", all_findings());
}
END_TEST

START_TEST(no_file_at_all)
{
    jk_workers_input in = { NULL, 0, NULL, JK_SPAN_NONE, NULL, NULL, 0 };

    found = jk_findings_make(pool);
    ck_assert(jk_workers_find(jk_workers_parse(pool, &in, found), "ajp13")->listed);
    ck_assert_int_eq(found->all->nelts, 0);
}
END_TEST

/* What comes out is whole, wherever the file ends. */
START_TEST(a_file_cut_at_every_byte)
{
    const char *text = files[2].text;

    for (size_t n = 0; n <= strlen(text); n++) {
        jk_workers_input in = { NULL, 0, "w.properties", { jk_guarded(text, n), n }, "/srv", environment, ALL_KINDS };
        found = jk_findings_make(pool);
        jk_workers_conf *conf = jk_workers_parse(pool, &in, found);
        for (int i = 0; i < conf->workers->nelts; i++) {
            const jk_worker_conf *one = APR_ARRAY_IDX(conf->workers, i, jk_worker_conf *);
            if (!one->secret || !one->css || !one->members || !one->mount || one->tune.retries < 1)
                ck_abort_msg("cut at %d: %s is not whole", (int)n, one->name);
        }
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
    tcase_add_loop_test(t, each_host_is_taken_apart, 0, COUNT(taken_apart));
    tcase_add_test(t, hosts_and_names_have_their_limits);
    tcase_add_loop_test(t, each_derived_value, 0, COUNT(derivations));
    tcase_add_test(t, a_dot_in_the_name_makes_a_domain);
    tcase_add_test(t, what_was_written_is_known);
    tcase_add_loop_test(t, each_maintain, 0, COUNT(maintains));
    tcase_add_test(t, a_reference_takes_over_what_is_not_written);
    tcase_add_test(t, references_may_be_nested_twenty_deep);
    tcase_add_test(t, more_than_twenty_workers_may_refer_to_one);
    tcase_add_test(t, a_finding_in_a_template_is_told_once);
    tcase_add_test(t, all_properties_can_be_listed);
    tcase_add_loop_test(t, each_finding_of_an_lb, 0, COUNT(balanced));
    tcase_add_test(t, an_lb_has_its_defaults);
    tcase_add_test(t, an_lb_has_what_was_written);
    tcase_add_test(t, members_are_as_their_lb_sees_them);
    tcase_add_test(t, all_workers_are_in_order);
    tcase_add_test(t, what_cannot_be_made_is_not_listed);
    tcase_add_test(t, a_status_worker_has_its_defaults);
    tcase_add_test(t, a_status_worker_has_what_was_written);
    tcase_add_loop_test(t, each_rating, 0, COUNT(ratings));
    tcase_add_loop_test(t, each_file_that_people_have, 0, COUNT(files));
    tcase_add_test(t, every_finding_has_its_line_and_no_secret);
    tcase_add_test(t, directives_and_a_file);
    tcase_add_test(t, no_file_at_all);
    tcase_add_test(t, a_file_cut_at_every_byte);
    tcase_add_test(t, no_prefix_of_a_file_is_too_much);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
