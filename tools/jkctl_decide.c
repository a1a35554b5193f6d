/* tools/jkctl_decide.c - the table of findings, and when each of them holds. docs/doctor.md is made from it. */
#include "jkctl_decide.h"

#include "jk/route/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

/* ---- what holds: the way there ---- */

static bool no_address(const jkd_facts *f)
{
    return f->talk.connect == JK_E_RESOLVE && !f->lookup_slow;
}

static bool lookup_slow(const jkd_facts *f)
{
    return f->talk.connect == JK_E_RESOLVE;
}

/* A TCP connection that failed for one of these reasons. */
static bool failed(const jkd_facts *f, const int *errors)
{
    if (f->talk.connect != JK_E_CONNECT || *f->socket)
        return false;
    for (; *errors; errors++)
        if (f->talk.connect_err == *errors)
            return true;
    return false;
}

static bool refused(const jkd_facts *f)
{
    return failed(f, (const int[]){ ECONNREFUSED, ECONNRESET, 0 });
}

static bool elsewhere(const jkd_facts *f)
{
    return refused(f) && *f->other;
}

static bool dropped(const jkd_facts *f)
{
    return failed(f, (const int[]){ ETIMEDOUT, 0 });
}

static bool unreachable(const jkd_facts *f)
{
    return failed(f, (const int[]){ EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ENOPROTOOPT, 0 });
}

static bool denied(const jkd_facts *f)
{
    return failed(f, (const int[]){ EACCES, EPERM, 0 });
}

static bool unconnected(const jkd_facts *f)
{
    return f->talk.connect == JK_E_CONNECT;
}

static bool path_is(const jkd_facts *f, jkp_path path)
{
    return f->talk.connect == JK_E_CONNECT && *f->socket && f->talk.path == path;
}

static bool no_directory(const jkd_facts *f)
{
    return path_is(f, JKP_PATH_NO_DIRECTORY);
}

static bool closed_directory(const jkd_facts *f)
{
    return path_is(f, JKP_PATH_CLOSED_DIRECTORY);
}

static bool no_socket(const jkd_facts *f)
{
    return path_is(f, JKP_PATH_NO_FILE);
}

static bool not_a_socket(const jkd_facts *f)
{
    return path_is(f, JKP_PATH_NO_SOCKET);
}

static bool closed_socket(const jkd_facts *f)
{
    return path_is(f, JKP_PATH_CLOSED_FILE);
}

static bool left_over(const jkd_facts *f)
{
    return path_is(f, JKP_PATH_NOBODY);
}

/* ---- the CPing ---- */

static jkp_wrong spoken(const jkd_facts *f)
{
    jkp_sign ping = jkp_sign_of(&f->talk.ping);

    if (ping == JKP_SIGN_FOREIGN)
        return f->talk.ping.wrong;
    return ping == JKP_SIGN_SILENT || ping == JKP_SIGN_CLOSED ? f->hidden : JKP_WRONG_NOTHING;
}

static bool http_port(const jkd_facts *f)
{
    return spoken(f) == JKP_WRONG_HTTP || spoken(f) == JKP_WRONG_HTTP2;
}

static bool tls_port(const jkd_facts *f)
{
    return spoken(f) == JKP_WRONG_TLS;
}

static bool not_ajp(const jkd_facts *f)
{
    return spoken(f) != JKP_WRONG_NOTHING;
}

static bool malformed(const jkd_facts *f)
{
    jkp_sign ping = jkp_sign_of(&f->talk.ping);

    return ping == JKP_SIGN_MALFORMED || ping == JKP_SIGN_BROKEN;
}

static bool silent(const jkd_facts *f)
{
    return jkp_sign_of(&f->talk.ping) == JKP_SIGN_SILENT;
}

static bool closed(const jkd_facts *f)
{
    return jkp_sign_of(&f->talk.ping) == JKP_SIGN_CLOSED;
}

/* ---- a request ---- */

static jkp_sign asked(const jkd_facts *f)
{
    return jkp_sign_of(&f->talk.get);
}

static bool answers(jkp_sign sign)
{
    return sign == JKP_SIGN_FINE || sign == JKP_SIGN_ERROR_STATUS;
}

/* Refused with attributes and without. */
static bool refused_bare(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_NO_403 && jkp_sign_of(&f->talk.bare) == JKP_SIGN_NO_403;
}

static bool secret_missing(const jkd_facts *f)
{
    return refused_bare(f) && !f->talk.secret;
}

static bool secret_wrong(const jkd_facts *f)
{
    return refused_bare(f) && f->talk.secret;
}

static bool attribute(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_NO_403 && answers(jkp_sign_of(&f->talk.bare));
}

static bool refused_403(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_NO_403;
}

static bool refused_503(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_NO_503;
}

static bool refused_otherwise(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_NO_400 || asked(f) == JKP_SIGN_NO_500 || asked(f) == JKP_SIGN_NO_OTHER;
}

static bool no_answer(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_SILENT || asked(f) == JKP_SIGN_STUCK;
}

static bool broken_off(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_CLOSED || asked(f) == JKP_SIGN_BROKEN;
}

static bool not_ajp_after_all(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_FOREIGN || asked(f) == JKP_SIGN_MALFORMED;
}

/* ---- a connector that answers ---- */

static bool packet_smaller(const jkd_facts *f)
{
    return f->packet_taken > 0;
}

static bool packet_larger(const jkd_facts *f)
{
    return f->packet > 0 && f->talk.longest > f->packet;
}

static bool too_many_headers(const jkd_facts *f)
{
    return f->headers_taken > 0;
}

static bool open_to_all(const jkd_facts *f)
{
    return f->talk.secret && answers(jkp_sign_of(&f->talk.open));
}

static bool route_differs(const jkd_facts *f)
{
    return f->sticky && f->session && *f->session_route && strcmp(f->session_route, f->route) != 0;
}

static bool route_missing(const jkd_facts *f)
{
    return f->sticky && f->session && *f->session_route == 0;
}

static bool same(const jkd_page *a, const jkd_page *b)
{
    return a->step.made && b->step.made && a->step.rc == JK_OK && b->step.rc == JK_OK && a->step.status == b->step.status && a->sum == b->sum;
}

static bool is_version(const jkd_facts *f, unsigned major, unsigned minor, unsigned patch)
{
    return f->version[0] == major && f->version[1] == minor && f->version[2] == patch;
}

/* PROPFIND is taken for TRACE (and DELETE for OPTIONS, which nobody here tries out). */
static bool methods_mixed_up(const jkd_facts *f)
{
    bool seen = same(&f->coded, &f->trace) && f->named.step.made && f->named.step.rc == JK_OK && !same(&f->coded, &f->named);

    return seen || (!f->stored_methods && (is_version(f, 9, 0, 110) || is_version(f, 10, 1, 47) || is_version(f, 11, 0, 12)));
}

/* Before these a connector listens everywhere, asks for no secret and takes any attribute (CVE-2020-1938). */
static bool unguarded_version(const jkd_facts *f)
{
    const unsigned *v = f->version;

    if (v[0] == 9)
        return v[1] == 0 && v[2] < 31;
    if (v[0] == 8)
        return v[1] < 5 || v[2] < 51;
    if (v[0] == 7)
        return v[1] == 0 && v[2] < 100;
    return v[0] > 0 && v[0] < 7;
}

static bool closes(const jkd_facts *f)
{
    return asked(f) == JKP_SIGN_FINE && !f->talk.get.reuse;
}

static bool httpd_is_shut_out(const jkd_facts *f)
{
    return *f->socket && f->httpd_passes == JKD_NO;
}

static bool only_root(const jkd_facts *f)
{
    return f->root_only;
}

static bool asked_to_log_in(const jkd_facts *f)
{
    const jkp_step *user = &f->as_user.step, *page = &f->page.step;

    if (!user->made || user->rc != JK_OK || f->user_shown)
        return false;
    return user->status == 401 || (user->status / 100 == 3 && page->status == user->status && same(&f->as_user, &f->page));
}

static bool user_makes_no_difference(const jkd_facts *f)
{
    return f->as_user.step.status / 100 == 2 && !f->user_shown && same(&f->as_user, &f->page);
}

static bool changes_each_time(const jkd_facts *f)
{
    const jkp_step *page = &f->page.step, *again = &f->again.step;

    return again->made && again->rc == JK_OK && again->status == page->status && !same(&f->as_user, &f->page) && !same(&f->again, &f->page);
}

/* A page that is another one each time says nothing of the user, nor does an error that is no matter of his. */
static bool user_cannot_be_told(const jkd_facts *f)
{
    const jkp_step *user = &f->as_user.step;

    if (!user->made || user->rc != JK_OK || f->user_shown || user->status != f->page.step.status || asked_to_log_in(f))
        return false;
    return user->status >= 400 || changes_each_time(f);
}

/* Ports that httpd may connect to as a rule, since they are of the type http_port_t. */
static bool is_http_port(int port)
{
    static const int ports[] = { 80, 81, 443, 488, 8008, 8009, 8443, 9000 };

    for (size_t i = 0; i < ROWS(ports); i++)
        if (ports[i] == port)
            return true;
    return false;
}

static bool selinux_may_deny(const jkd_facts *f)
{
    return f->enforcing == JKD_YES && f->may_connect == JKD_NO && !*f->socket && !is_http_port(f->port);
}

static bool page_broken(const jkd_facts *f)
{
    jkp_sign page = jkp_sign_of(&f->page.step);

    return page == JKP_SIGN_CLOSED || page == JKP_SIGN_BROKEN || page == JKP_SIGN_FOREIGN || page == JKP_SIGN_MALFORMED ||
           page == JKP_SIGN_STUCK;
}

static bool page_slow(const jkd_facts *f)
{
    return f->path_given && jkp_sign_of(&f->page.step) == JKP_SIGN_SILENT;
}

static bool unfinished(const jkd_facts *f)
{
    return f->unfinished && !page_slow(f) && !page_broken(f);
}

static bool page_error(const jkd_facts *f)
{
    const jkp_step *page = &f->page.step;

    return page->made && page->rc == JK_OK && page->status >= (f->path_given ? 400 : 500);
}

/* ---- the table ---- */

#define SECRET_LINE "{if_secret_is_due}worker.{worker}.secret=THE-SECRET"
#define AJP_PORT "the port in workers.properties is that of another <Connector>"

/* In the order in which they are looked at. */
const jkd_finding jkd_findings[] = {
    { "D101", "no-address", JKD_FAULT, JKD_REACH, no_address, "the host {host} has no address",
      "the name is misspelt\nthe name is known elsewhere, and not on this machine (/etc/hosts, the name service)",
      "worker.{worker}.host=THE-NAME-OR-ADDRESS", NULL, "getent hosts {host}" },
    { "D102", "name-service", JKD_FAULT, JKD_REACH, lookup_slow, "the name service gave no answer in time for {host}",
      "the name service of this machine is down or cannot be reached (/etc/resolv.conf)",
      "worker.{worker}.host=THE-ADDRESS", NULL, "getent hosts {host}" },

    { "D103", "loopback-only", JKD_FAULT, JKD_REACH, elsewhere,
      "nobody listens on {address}, but a connector answers on {other} of the same machine",
      "the <Connector> has no address= or another one; Tomcat's listens on the loopback address where it is not told otherwise",
      "worker.{worker}.host={other_host}",
      "{new_connector} />\n{if_secret_is_due}<!-- and worker.{worker}.secret=THE-SECRET in workers.properties -->", NULL, NULL, true },
    { "D104", "refused", JKD_FAULT, JKD_REACH, refused, "nobody listens on {address} (connection refused)",
      "Tomcat is not started, or did not start: see the end of logs/catalina.out\n"
      "the AJP <Connector> is commented out in server.xml, as it is there at first\n"
      "the connector did not start, for it has no secret: \"The AJP Connector is configured with secretRequired=\" in Tomcat's log\n"
      "{if_far}it listens on the loopback address only, as it does without address=\n"
      "it listens on another port\n"
      "a firewall refuses in its place",
      "worker.{worker}.port={port}\n" SECRET_LINE, "{new_connector} />", NULL, "ss -ltnp 'sport = :{port}'" },
    { "D105", "dropped", JKD_FAULT, JKD_REACH, dropped, "no answer from {address}, not even a refusal",
      "a firewall drops the packets\nthe host is down\nthe address is another machine's, or nobody's\n"
      "the container takes no more connections: they are all in use, or the process is stopped",
      NULL, NULL,
      NULL, "firewall-cmd --permanent --add-port={port}/tcp && firewall-cmd --reload\nss -ltn 'sport = :{port}'" },
    { "D106", "unreachable", JKD_FAULT, JKD_REACH, unreachable, "there is no way to {address}",
      "a firewall rejects the packets\nthe host is down\na route is missing on this machine",
      NULL, NULL, "ip route get {host}", "firewall-cmd --permanent --add-port={port}/tcp && firewall-cmd --reload" },
    { "D107", "denied", JKD_FAULT, JKD_REACH, denied, "this machine does not let the connection to {address} out",
      "SELinux\na firewall on this machine, for outgoing connections", NULL, NULL,
      "setsebool -P httpd_can_network_connect 1\nausearch -m avc -ts recent" },
    { "D111", "no-directory", JKD_FAULT, JKD_REACH, no_directory, "the Unix socket's directory does not exist: {where}",
      "it lies below /run, and went away with the last boot\nthe path is another one in server.xml",
      "worker.{worker}.host=unix:{socket}", "{new_connector} />", "install -d -o tomcat -g {group} -m 2750 {directory}" },
    { "D112", "closed-directory", JKD_FAULT, JKD_REACH, closed_directory,
      "a directory of the Unix socket's path does not let this user through: {where}",
      "it belongs to Tomcat's user alone\nyou are neither root nor httpd's user: ask as one of them", NULL, NULL,
      "install -d -o tomcat -g {group} -m 2750 {directory}" },
    { "D113", "no-socket", JKD_FAULT, JKD_REACH, no_socket, "the directory is there, the Unix socket is not: {where}",
      "Tomcat is not started\nunixDomainSocketPath is another one in server.xml\nTomcat's Java is older than 16\n"
      "the service has PrivateTmp=, and so a /tmp of its own\n"
      "the connector did not start, for want of a secret, or since the directory lets in more than the socket does",
      "worker.{worker}.host=unix:{socket}", "{new_connector} />", NULL },
    { "D114", "not-a-socket", JKD_FAULT, JKD_REACH, not_a_socket, "what has this name is no Unix socket: {where}",
      "something else has been put there", NULL, NULL, "rm {socket}\nsystemctl restart tomcat" },
    { "D115", "closed-socket", JKD_FAULT, JKD_REACH, closed_socket, "the Unix socket does not let this user write: {where}",
      "its permissions are for Tomcat's user alone\nyou are neither root nor httpd's user: ask as one of them", NULL, "{new_connector} />",
      "install -d -o tomcat -g {group} -m 2750 {directory}" },
    { "D116", "left-over-socket", JKD_FAULT, JKD_REACH, left_over, "the Unix socket is there, but nobody listens on it: {where}",
      "Tomcat has ended, and left it behind", NULL, NULL, "systemctl restart tomcat" },
    { "D117", "not-connected", JKD_FAULT, JKD_REACH, unconnected, "no connection to {address}: {errno}",
      "see what the system says", NULL, NULL, NULL },

    { "D201", "http-port", JKD_FAULT, JKD_CPING, http_port, "{address} speaks HTTP",
      AJP_PORT ", the HTTP one\na web server or a proxy listens there",
      "worker.{worker}.port=8009\n" SECRET_LINE, "{connector_8009} />", NULL },
    { "D202", "tls-port", JKD_FAULT, JKD_CPING, tls_port, "{address} speaks TLS",
      AJP_PORT ", the HTTPS one\nAJP goes through a tunnel of TLS: mod_jk cannot speak to that",
      "worker.{worker}.port=8009\n" SECRET_LINE, "{connector_8009} />", NULL },
    { "D203", "not-ajp", JKD_FAULT, JKD_CPING, not_ajp, "{address} speaks another protocol: {spoken}",
      "another service listens there", "worker.{worker}.port=8009\n" SECRET_LINE,
      "{connector_8009} />", NULL, "ss -ltnp 'sport = :{port}'" },
    { "D204", "malformed", JKD_FAULT, JKD_CPING, malformed, "{address} answers a CPing with what is no CPong: {spoken}",
      "another service listens there\nsomething between changes the bytes", NULL, NULL, NULL },
    { "D205", "silent", JKD_FAULT, JKD_CPING, silent, "{address} accepts connections, but no CPong comes",
      "all of the connector's connections are in use (maxConnections), or it has no thread left (maxThreads)\n"
      "the process is stopped, swapping, or in a long garbage collection\nanother service listens there, and waits",
      "worker.{worker}.connection_pool_timeout=600s", "{connector} maxConnections=\"8192\" connectionTimeout=\"600000\" />",
      NULL, "jstack PID-OF-TOMCAT" },
    { "D206", "closed-at-once", JKD_FAULT, JKD_CPING, closed, "{address} closes the connection without an answer",
      "Tomcat is stopping or starting\nanother service listens there, or a proxy whose backend is down", NULL, NULL,
      NULL, "ss -ltnp 'sport = :{port}'" },

    { "D301", "secret-missing", JKD_FAULT, JKD_REQUEST, secret_missing, "the connector wants a secret, and the worker has none",
      "the <Connector> has secret=, and workers.properties has not: take the secret from server.xml; nothing to change there",
      "worker.{worker}.secret=THE-SECRET", NULL, NULL },
    { "D302", "secret-wrong", JKD_FAULT, JKD_REQUEST, secret_wrong, "the connector refuses the worker's secret",
      "{if_placeholder}in workers.properties it is still the placeholder THE-SECRET: write the secret of server.xml in its place\n"
      "the two differ: a blank, upper and lower case, an entity of XML (&amp;)\nserver.xml was changed, and Tomcat not restarted",
      "worker.{worker}.secret=THE-SECRET", "{connector_without_guard} secret=\"THE-SECRET\" />", NULL, NULL, true },
    { "D303", "attribute", JKD_FAULT, JKD_REQUEST, attribute, "the connector refuses request attributes: {attributes}",
      "JkEnvVar sends names that allowedRequestAttributesPattern does not match", NULL,
      "{connector} allowedRequestAttributesPattern=\"{attributes}\" />", NULL },
    { "D304", "forbidden", JKD_FAULT, JKD_REQUEST, refused_403, "the connector refuses the request (403)",
      "the secret\na request attribute (JkEnvVar)", "worker.{worker}.secret=THE-SECRET",
      "{connector_without_guard} secret=\"THE-SECRET\" />", NULL },
    { "D305", "unavailable", JKD_FAULT, JKD_REQUEST, refused_503, "the container refuses all requests (503)",
      "it is stopping\nit is starting, and nothing is deployed yet\nits Service or Engine is stopped", NULL, NULL,
      NULL, "systemctl restart tomcat" },
    { "D306", "refused-request", JKD_FAULT, JKD_REQUEST, refused_otherwise,
      "the connector refuses an ordinary request ({status}) before an application sees it",
      "it has a limit that is far below the usual (packetSize, maxHeaderCount)\nit is a connector of an uncommon kind: see the container's log",
      NULL, NULL, NULL },
    { "D307", "no-answer", JKD_FAULT, JKD_REQUEST, no_answer, "the connector is alive, but a request gets no answer",
      "all request threads are busy: a page of the application hangs (maxThreads)\nthe process is swapping, or in a long garbage collection",
      "worker.{worker}.reply_timeout=60s", NULL, NULL, "jstack PID-OF-TOMCAT" },
    { "D308", "broken-off", JKD_FAULT, JKD_REQUEST, broken_off, "the connection is closed instead of an answer",
      "Tomcat is stopping or starting\nthe request has ended its thread: see Tomcat's log", NULL, NULL, NULL },
    { "D309", "not-ajp-after-all", JKD_FAULT, JKD_REQUEST, not_ajp_after_all, "a CPong came, but a request is not answered in AJP13",
      "something between changes the bytes\nthis is no servlet container", NULL, NULL, NULL },

    { "D401", "packet-smaller", JKD_FAULT, JKD_MORE, packet_smaller,
      "the connector takes packets of {packet_taken} bytes, the worker sends up to {packet}: large cookies will be refused",
      "packetSize of the <Connector> is smaller than max_packet_size of the worker (8192 where it is not written)",
      "worker.{worker}.max_packet_size={packet}", "{connector} packetSize=\"{packet}\" />", NULL },
    { "D402", "packet-larger", JKD_FAULT, JKD_MORE, packet_larger,
      "the connector sends packets of {longest} bytes, the worker takes {packet}: such answers fail with 502",
      "packetSize of the <Connector> is larger than max_packet_size of the worker (8192 where it is not written)",
      "worker.{worker}.max_packet_size=65536", "{connector} packetSize=\"65536\" />", NULL },
    { "D403", "headers", JKD_WARNING, JKD_MORE, too_many_headers,
      "the connector takes {headers_taken} request headers, httpd lets 100 through: what is between gets 500",
      "maxHeaderCount of the <Connector>, which is 100 where it is not written\nLimitRequestFields of httpd can be lowered instead", NULL,
      "{connector} maxHeaderCount=\"101\" />", NULL },
    { "D501", "secret-not-asked", JKD_WARNING, JKD_MORE, open_to_all,
      "the worker has a secret, but the connector answers without it, too: whoever reaches the port may ask",
      "the <Connector> has no secret= (after it is written, restart Tomcat)\nthe container knows no secrets (WildFly, Undertow)",
      NULL, "{connector_without_guard} secret=\"THE-SECRET\" />", NULL },
    { "D502", "route-differs", JKD_FAULT, JKD_MORE, route_differs,
      "the sessions' route is {session_route}, the worker's is {route}: sessions do not stay with their member",
      "jvmRoute of the <Engine> is neither the worker's name nor its route=\nhost and port are those of another member",
      "worker.{worker}.route={session_route}", "<Engine name=\"Catalina\" defaultHost=\"localhost\" jvmRoute=\"{route}\">", NULL, NULL, true },
    { "D503", "route-missing", JKD_FAULT, JKD_MORE, route_missing,
      "sessions carry no route, so they do not stay with their member ({route})", "the <Engine> has no jvmRoute", NULL,
      "<Engine name=\"Catalina\" defaultHost=\"localhost\" jvmRoute=\"{route}\">", NULL },
    { "D504", "user-ignored", JKD_FAULT, JKD_MORE, asked_to_log_in,
      "the container does not believe httpd's user: {path} still asks for one ({user_status})",
      "tomcatAuthentication of the <Connector> is true, which it is where it is not written", NULL,
      "{connector} tomcatAuthentication=\"false\" />", NULL },
    { "D505", "user-not-shown", JKD_WARNING, JKD_MORE, user_makes_no_difference,
      "{path} is the same page with httpd's user and without, and {user} does not stand in it",
      "tomcatAuthentication of the <Connector> is true, which it is where it is not written\nthe page does not show the user: ask one that does",
      NULL, "{connector} tomcatAuthentication=\"false\" />", NULL },
    { "D506", "methods", JKD_FAULT, JKD_MORE, methods_mixed_up,
      "the container takes methods for others: PROPFIND for TRACE, DELETE for OPTIONS",
      "Tomcat's bug 69848, in 9.0.110, 10.1.47 and 11.0.12: update it\nuntil then, send methods by their names",
      "worker.{worker}.stored_methods=true", NULL, NULL },
    { "D507", "unguarded-version", JKD_WARNING, JKD_MORE, unguarded_version,
      "{server} guards its AJP port badly (CVE-2020-1938): before 9.0.31, 8.5.51 and 7.0.100",
      "it is old: update it\nuntil then nobody but httpd may reach the port", NULL,
      "<Connector protocol=\"AJP/1.3\" address=\"{listen}\" port=\"{port}\" requiredSecret=\"THE-SECRET\" />",
      NULL, "firewall-cmd --permanent --add-rich-rule='rule family=ipv4 source address=THE-ADDRESS-OF-HTTPD port port={port} protocol=tcp accept'" },
    { "D508", "closes", JKD_WARNING, JKD_MORE, closes, "the container closes the connection after its answer: each request costs a new one",
      "it is stopping\nmaxKeepAliveRequests of the <Connector> is 1\na proxy stands between", NULL, NULL, NULL },
    { "D509", "httpd-shut-out", JKD_FAULT, JKD_MORE, httpd_is_shut_out,
      "httpd's user {httpd_user} may not write to the Unix socket: {where}",
      "the directory or the socket is for Tomcat's user and for root alone", NULL, "{connector} />",
      "install -d -o tomcat -g {group} -m 2750 {directory}\nsystemctl restart tomcat" },
    { "D510", "selinux", JKD_HINT, JKD_MORE, selinux_may_deny,
      "you reach {address}; httpd perhaps not: SELinux is enforcing, and httpd_can_network_connect is off",
      "port {port} is not of the type http_port_t (semanage port -l)", NULL, NULL,
      "semanage port -a -t http_port_t -p tcp {port}\nausearch -m avc -ts recent" },
    { "D511", "root-passed", JKD_HINT, JKD_MORE, only_root, "you are root, whom no rights stop; httpd's user must be let through, too: {where}",
      "httpd's user is not told (--httpd-user, or --conf where User stands)", NULL, NULL,
      "install -d -o tomcat -g {group} -m 2750 {directory}" },
    { "D512", "unfinished", JKD_HINT, JKD_MORE, unfinished, "not all could be asked in time: what else may be wrong is not known",
      "the page {path} is slow, or was asked for the first time (JSPs are compiled then)\nthe way there is long\nthe container is busy",
      NULL, NULL, "jkctl doctor {worker} --timeout 20s" },
    { "D513", "user-not-told", JKD_HINT, JKD_MORE, user_cannot_be_told,
      "whether {user} arrives cannot be told from {path}: it is another page each time, or an error, and {user} does not stand in it",
      "the page has the time, a session's id or the like in it, or is not there: ask one that shows the user, or needs one (--path)\n"
      "tomcatAuthentication of the <Connector> is true, which it is where it is not written: then no page shows the user", NULL, NULL, NULL },
    { "D601", "page-error", JKD_WARNING, JKD_MORE, page_error,
      "the connector is in order; the application's own answer to GET {path} is {page_status}",
      "no application has this path: its context is another one (--path)\nit did not start, or has a fault: see its log\n"
      "it has another virtual host (--host)", NULL, NULL, NULL },
    { "D602", "page-broken", JKD_WARNING, JKD_MORE, page_broken, "the connector is in order; the answer to GET {path} broke off, or did not end",
      "the application failed after its first bytes: see its log", "worker.{worker}.reply_timeout=60s", NULL, NULL },
    { "D603", "page-slow", JKD_WARNING, JKD_MORE, page_slow, "the connector is in order; GET {path} got no answer in time",
      "the page is slow (--timeout gives it more)\nit hangs: take a thread dump", "worker.{worker}.reply_timeout=60s", NULL,
      NULL, "jstack PID-OF-TOMCAT" },
};

const size_t jkd_findings_count = ROWS(jkd_findings);

size_t jkd_decide(const jkd_facts *facts, const jkd_finding *found[JKD_FOUND_MOST])
{
    size_t n = 0;

    for (size_t i = 0; i < ROWS(jkd_findings) && n < JKD_FOUND_MOST; i++) {
        if (!jkd_findings[i].holds(facts))
            continue;
        found[n++] = &jkd_findings[i];
        if (jkd_findings[i].stage != JKD_MORE)
            break;
    }
    return n;
}

const char *jkd_decide_weight(jkd_weight weight)
{
    static const char *const words[] = { [JKD_HINT] = "hint", [JKD_WARNING] = "warning", [JKD_FAULT] = "fault" };

    return words[weight];
}

/* ---- words ---- */

bool jkd_decide_is_far(const jkd_facts *f)
{
    return *f->socket == 0 && strncmp(f->listen, "127.", 4) != 0 && strcmp(f->listen, "::1") != 0 && strcmp(f->listen, "localhost") != 0;
}

/* Every user of this machine reaches the loopback address; who may write to a Unix socket its permissions say. */
static bool secret_is_due(const jkd_facts *f)
{
    return *f->socket == 0 && !f->talk.secret;
}

static bool is_placeholder(const jkd_facts *f)
{
    return f->placeholder;
}

/* As it is now, as far as one can see; or as a new one should be. */
static const char *guard(const jkd_facts *f, bool anew)
{
    return f->talk.secret || (anew && secret_is_due(f)) ? "secret=\"THE-SECRET\"" : "secretRequired=\"false\"";
}

static void put_connector(FILE *out, const jkd_facts *f, int port)
{
    if (*f->socket)
        fprintf(out, "<Connector protocol=\"AJP/1.3\" unixDomainSocketPath=\"%s\" unixDomainSocketPathPermissions=\"rw-rw----\"", f->socket);
    else
        fprintf(out, "<Connector protocol=\"AJP/1.3\" address=\"%s\" port=\"%d\"", f->listen, port);
}

static void put_directory(FILE *out, const jkd_facts *f)
{
    const char *end = strrchr(f->socket, '/');

    fprintf(out, "%.*s", end ? (int)(end - f->socket) : 0, f->socket);
}

/* The host of "127.0.0.1:8009" and "[::1]:8009". */
static void put_other_host(FILE *out, const jkd_facts *f)
{
    const char *end = strrchr(f->other, ':');

    fprintf(out, "%.*s", end ? (int)(end - f->other) : 0, f->other);
}

static void put_text(FILE *out, const jkd_facts *f, const char *key)
{
    const struct { const char *key, *text; } texts[] = {
        { "worker", f->worker }, { "host", f->host }, { "socket", f->socket }, { "route", f->route }, { "path", f->path }, { "user", f->user },
        { "httpd_user", f->httpd_user }, { "group", *f->httpd_group ? f->httpd_group : "HTTPDS-GROUP" }, { "address", f->address },
        { "listen", f->listen }, { "where", f->where }, { "other", f->other }, { "attributes", f->attributes }, { "server", f->server },
        { "session_route", f->session_route }, { "errno", strerror(f->talk.connect_err) },
        { "spoken", jkp_wrong_words(spoken(f) ? spoken(f) : f->talk.ping.wrong) },
    };

    for (size_t i = 0; i < ROWS(texts); i++)
        if (strcmp(texts[i].key, key) == 0)
            fputs(texts[i].text, out);
}

static void put_number(FILE *out, const jkd_facts *f, const char *key)
{
    const struct { const char *key; unsigned long n; } numbers[] = {
        { "port", (unsigned long)f->port }, { "packet", f->packet }, { "packet_taken", f->packet_taken }, { "headers_taken", f->headers_taken },
        { "longest", f->talk.longest }, { "status", f->talk.get.status }, { "page_status", f->page.step.status },
        { "user_status", f->as_user.step.status },
    };

    for (size_t i = 0; i < ROWS(numbers); i++)
        if (strcmp(numbers[i].key, key) == 0)
            fprintf(out, "%lu", numbers[i].n);
}

static bool put_a_connector(FILE *out, const jkd_facts *f, const char *key)
{
    static const struct { const char *key; bool anew, guarded; int port; } kinds[] = {
        { "connector", false, true, 0 }, { "new_connector", true, true, 0 }, { "connector_8009", true, true, 8009 },
        { "connector_without_guard", false, false, 0 },
    };

    for (size_t i = 0; i < ROWS(kinds); i++) {
        if (strcmp(kinds[i].key, key) != 0)
            continue;
        put_connector(out, f, kinds[i].port ? kinds[i].port : f->port);
        if (kinds[i].guarded)
            fprintf(out, " %s", guard(f, kinds[i].anew));
        return true;
    }
    return false;
}

static void put_value(FILE *out, const jkd_facts *f, const char *key)
{
    if (put_a_connector(out, f, key))
        return;
    if (strcmp(key, "directory") == 0)
        put_directory(out, f);
    else if (strcmp(key, "other_host") == 0)
        put_other_host(out, f);
    put_text(out, f, key);
    put_number(out, f, key);
}

/* A line that is for some facts only says so at its beginning, and is left out for others. */
static bool is_for(const char **line, const jkd_facts *f)
{
    static const struct { const char *words; bool (*holds)(const jkd_facts *f); } conditions[] = {
        { "{if_far}", jkd_decide_is_far }, { "{if_secret_is_due}", secret_is_due }, { "{if_placeholder}", is_placeholder },
    };

    for (size_t i = 0; i < ROWS(conditions); i++) {
        size_t n = strlen(conditions[i].words);
        if (strncmp(*line, conditions[i].words, n) != 0)
            continue;
        *line += n;
        return conditions[i].holds(f);
    }
    return true;
}

static void put_line(FILE *out, const char *line, size_t len, const jkd_facts *f)
{
    char key[32];

    for (const char *end = line + len; line < end; line++) {
        const char *close = *line == '{' ? memchr(line, '}', (size_t)(end - line)) : NULL;
        if (close == NULL || (size_t)(close - line) > sizeof key) {
            fputc(*line, out);
            continue;
        }
        snprintf(key, sizeof key, "%.*s", (int)(close - line - 1), line + 1);
        put_value(out, f, key);
        line = close;
    }
}

char *jkd_decide_words(const char *text, const jkd_facts *facts)
{
    char *words = NULL;
    size_t n = 0;
    bool any = false;
    FILE *out = open_memstream(&words, &n);

    if (out == NULL)
        return NULL;
    for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL) {
        if (!is_for(&text, facts))
            continue;
        if (any)
            fputc('\n', out);
        put_line(out, text, strcspn(text, "\n"), facts);
        any = true;
    }
    return fclose(out) == 0 ? words : NULL;
}

/* ---- what a page tells ---- */

bool jkd_decide_version(const char *page, unsigned version[3])
{
    static const char name[] = "Apache Tomcat/";
    const char *at = strstr(page, name);

    memset(version, 0, 3 * sizeof version[0]);
    return at && sscanf(at + sizeof name - 1, "%3u.%3u.%3u", &version[0], &version[1], &version[2]) == 3;
}

/* What may stand in a route, a workers file, an attribute of XML and on a terminal; the rest becomes '?'. */
static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("-._~:@+!*,/", c));
}

static void take_route(jk_span from, char *route, size_t room)
{
    size_t n = from.len < room ? from.len : room - 1;

    for (size_t i = 0; i < n; i++)
        route[i] = is_plain((char)from.p[i]) ? (char)from.p[i] : '?';
    route[n] = 0;
}

bool jkd_decide_session(const char *cookies, const char *name, char *route, size_t room)
{
    *route = 0;
    for (const char *end; *cookies; cookies = *end ? end + 1 : end) {
        end = cookies + strcspn(cookies, "\n");
        jk_span pair = { (const uint8_t *)cookies, strcspn(cookies, ";\n") };
        const jk_session_from from = { .cookie = jk_span_of(name), .cookies = &pair, .ncookies = 1 };
        jk_session_walk walk = jk_session_begin(&from);
        jk_session_id id;
        if (!jk_session_next(&walk, &id) || id.id.len == 0)
            continue;
        take_route(id.route, route, room);
        return true;
    }
    return false;
}
