/* native/conf/keys.c - the rows. A bit of jk_worker_conf.written is the number of a row: rows have no order that means anything but
 * that one, and nothing outside of one process's one run may remember it. */
#include "jk/conf/keys.h"

#include <limits.h>
#include <stddef.h>

#define AJP JK_WORKER_AJP13
#define LB JK_WORKER_LB
#define STATUS JK_WORKER_STATUS
#define ANY (AJP | LB | STATUS)
#define IN_CONF(f) JK_HOME_CONF, offsetof(jk_worker_conf, f), sizeof(((jk_worker_conf *)0)->f)
#define IN_TUNE(f) JK_HOME_TUNE, offsetof(jk_tune, f), sizeof(((jk_tune *)0)->f)
#define NOWHERE JK_HOME_NOWHERE, 0, 0
#define NAME_MOST JK_NAME_MAX
#define TEXT_MOST 65534 /* the longest string that AJP can carry */

#define INT JK_KEY_INT
#define TIME JK_KEY_TIME
#define SIZE JK_KEY_SIZE
#define BOOL JK_KEY_BOOL
#define TEXT JK_KEY_TEXT
#define LIST JK_KEY_LIST
#define CODES JK_KEY_CODES
#define WORD JK_KEY_WORD
#define LETTERS JK_KEY_LETTERS
#define FORCE JK_KEY_IN_FORCE
#define OLD JK_KEY_OLD
#define IGNORED JK_KEY_IGNORED

static const jk_key_word types[] = { { "ajp13", "", AJP }, { "lb", "", LB }, { "status", "", STATUS }, { NULL } };
static const jk_key_word methods[] = {
    { "Request", "r0", JK_METHOD_REQUEST },   { "Traffic", "t1", JK_METHOD_TRAFFIC }, { "Busyness", "b2", JK_METHOD_BUSYNESS },
    { "Sessions", "s3", JK_METHOD_SESSIONS }, { "Next", "n4", JK_METHOD_NEXT },       { NULL },
};
static const jk_key_word locks[] = { { "Optimistic", "o0", JK_LOCK_OPTIMISTIC }, { "Pessimistic", "p1", JK_LOCK_PESSIMISTIC }, { NULL } };
static const jk_key_word activations[] = {
    { "active", "a0", JK_ACTIVE }, { "disabled", "d1", JK_DISABLED }, { "stopped", "s2", JK_STOPPED },
    { "STP", "", JK_STOPPED }, /* as the status page writes it; ACT and DIS are beginnings of the words */
    { NULL },
};
static const jk_key_word pings[] = {
    { "C", "c", JK_PING_CONNECT }, { "P", "p", JK_PING_PREPOST }, { "I", "i", JK_PING_INTERVAL },
    { "A", "a", JK_PING_CONNECT | JK_PING_PREPOST | JK_PING_INTERVAL }, { NULL },
};
static const jk_key_word samesites[] = {
    { "Lax", "", JK_SAMESITE_LAX }, { "Strict", "", JK_SAMESITE_STRICT }, { "None", "", JK_SAMESITE_NONE }, { NULL },
};

/* clang-format off */
const jk_key jk_keys[] = {
    /* name, alias, type, unit, default, min, max, kinds, home, state, help, words, flags */
    { "type", NULL, WORD, "", "ajp13", 0, 0, ANY, NOWHERE, FORCE, "the type of the worker: ajp13, lb or status", types },
    { "reference", NULL, TEXT, "", NULL, 0, NAME_MOST + 7, ANY, NOWHERE, FORCE,
      "worker.NAME whose attributes are taken over where this worker has none of its own" },
    { "mount", NULL, LIST, "", NULL, 0, 0, ANY, IN_CONF(mount), FORCE, "more URI patterns of this worker, for the main server" },
    /* ajp13: where the container is */
    { "port", NULL, INT, "", "8009", 0, 65535, AJP, IN_TUNE(port), FORCE,
      "port of the container's AJP connector; 0: provisioned for later" },
    { "host", NULL, TEXT, "", "localhost", 0, TEXT_MOST, AJP, IN_TUNE(host), FORCE,
      "name or address of the container, name:port, [v6]:port, or unix:/path" },
    { "source", NULL, TEXT, "", NULL, 0, NAME_MOST, AJP, IN_CONF(source), FORCE, "local address to connect from" },
    { "prefer_ipv6", NULL, BOOL, "", "false", 0, 1, AJP, IN_CONF(prefer_ipv6), FORCE, "take the IPv6 address of a host that has both" },
    { "secret", NULL, TEXT, "", "", 0, TEXT_MOST, AJP | LB, IN_CONF(secret), FORCE,
      "the connector's secret; of an lb: for the members that have none", NULL, JK_KEY_SECRET | JK_KEY_HASH },
    /* ajp13: its sockets and connections */
    { "socket_timeout", NULL, TIME, "s", "0", 0, INT_MAX / 1000, AJP, IN_CONF(socket_timeout), FORCE,
      "longest wait for one read from or write to the container; 0: none" },
    { "socket_connect_timeout", NULL, TIME, "ms", NULL, 0, INT_MAX, AJP, IN_CONF(socket_connect_timeout), FORCE,
      "longest wait for a connection; unset: socket_timeout, else 5 s" },
    { "socket_keepalive", NULL, BOOL, "", "false", 0, 1, AJP, IN_CONF(socket_keepalive), FORCE,
      "TCP keep-alive on connections to the container" },
    { "socket_buffer", NULL, SIZE, "", "0", 0, 1 << 30, AJP, IN_CONF(socket_buffer), FORCE,
      "size of the socket's buffers; 0: the system's" },
    { "connection_pool_size", "cachesize", INT, "", "0", 0, 100000, AJP, IN_CONF(connection_pool_size), FORCE,
      "most connections of one process; 0 or unset: by need" },
    { "connection_pool_minsize", NULL, INT, "", NULL, 0, 100000, AJP, IN_CONF(connection_pool_minsize), FORCE,
      "idle connections that stay open; unset: half of connection_pool_size" },
    { "connection_pool_timeout", "cache_timeout", TIME, "s", "0", 0, INT_MAX, AJP, IN_TUNE(connection_pool_timeout), FORCE,
      "idle time after which a connection is closed; 0: never" },
    { "connection_acquire_timeout", NULL, TIME, "ms", NULL, 0, INT_MAX, AJP, IN_TUNE(connection_acquire_timeout), FORCE,
      "longest wait for a free connection; unset: retries * retry_interval; 0: one try" },
    { "max_connections", NULL, INT, "", "0", 0, INT_MAX, AJP, IN_TUNE(max_connections), FORCE,
      "most connections, all processes together; 0: no limit" },
    { "busy_limit", NULL, INT, "", "0", 0, INT_MAX, AJP, IN_TUNE(busy_limit), FORCE,
      "most requests at once, all processes together; 0: no limit" },
    /* ajp13: is it alive */
    { "connect_timeout", NULL, TIME, "ms", NULL, 0, INT_MAX, AJP, IN_TUNE(connect_timeout), FORCE,
      "longest wait for the CPong after connecting; unset: ping_timeout where ping_mode has C; 0: no CPing" },
    { "prepost_timeout", NULL, TIME, "ms", NULL, 0, INT_MAX, AJP, IN_TUNE(prepost_timeout), FORCE,
      "longest wait for the CPong before each request; unset: ping_timeout where ping_mode has P; 0: no CPing" },
    { "ping_timeout", NULL, TIME, "ms", "10000", 0, INT_MAX, AJP, IN_TUNE(ping_timeout), FORCE, "longest wait for a CPong" },
    { "ping_mode", NULL, LETTERS, "", NULL, 0, 0, AJP, IN_CONF(ping_mode), FORCE,
      "when to ping: C after connecting, P before a request, I idle connections, A all of them", pings },
    { "connection_ping_interval", NULL, TIME, "s", NULL, 0, INT_MAX, AJP, IN_TUNE(connection_ping_interval), FORCE,
      "idle time after which a connection gets a CPing; unset: a hundredth of ping_timeout's number where ping_mode has I; 0: none" },
    { "safe_ping", NULL, BOOL, "", "true", 0, 1, AJP, IN_CONF(safe_ping), FORCE, "CPing before what may not be sent twice" },
    { "reply_timeout", NULL, TIME, "ms", "0", 0, INT_MAX, AJP, IN_TUNE(reply_timeout), FORCE,
      "longest silence of the container between two packets; 0: none" },
    /* ajp13 and lb: again or not */
    { "retries", NULL, INT, "", "2", 1, 1000, AJP | LB, IN_TUNE(retries), FORCE,
      "attempts, the first among them; of an lb: passes over its members" },
    { "retry_interval", NULL, TIME, "ms", "100", INT_MIN, INT_MAX, AJP | LB, IN_TUNE(retry_interval), FORCE,
      "pause before another attempt" },
    { "recovery_options", NULL, INT, "", "27", 0, 31, AJP, IN_TUNE(recovery_options), FORCE,
      "bits: 1 not again once sent, 2 not once answered, 4 close hard on client errors, 8 HEAD and 16 GET again in spite of 1" },
    { "fail_on_status", NULL, CODES, "", NULL, 100, 999, AJP, IN_CONF(fail_on_status), FORCE,
      "statuses that count as failures; with a minus the member stays in use" },
    { "max_packet_size", NULL, SIZE, "", "8192", 8192, 65536, AJP | LB, IN_TUNE(max_packet_size), FORCE,
      "largest AJP packet; the connector's packetSize must be the same" },
    { "stored_methods", NULL, BOOL, "", "false", 0, 1, AJP, IN_CONF(stored_methods), FORCE,
      "send every method by name (the way around Tomcat's bug 69848)" },
    /* members of an lb worker */
    { "lbfactor", NULL, INT, "", "1", 1, INT_MAX, AJP, IN_TUNE(lbfactor), FORCE, "share of the load, inside an lb worker" },
    { "activation", NULL, WORD, "", "active", 0, 0, AJP, IN_TUNE(activation), FORCE,
      "active, disabled or stopped, inside an lb worker", activations },
    { "route", "jvm_route", TEXT, "", NULL, 0, NAME_MOST, AJP, IN_TUNE(route), FORCE,
      "the container's jvmRoute, inside an lb worker; unset: the worker's name" },
    { "domain", NULL, TEXT, "", NULL, 0, NAME_MOST, AJP, IN_TUNE(domain), FORCE,
      "group of members, inside an lb worker; unset: the route up to its first dot" },
    { "redirect", NULL, TEXT, "", NULL, 0, NAME_MOST, AJP, IN_TUNE(redirect), FORCE, "route of the stand-in, inside an lb worker" },
    { "distance", NULL, INT, "", "0", 0, INT_MAX, AJP, IN_TUNE(distance), FORCE, "lower is preferred, inside an lb worker" },
    { "disabled", NULL, BOOL, "", "false", 0, 1, AJP, IN_CONF(disabled), OLD, "use activation=D" },
    { "stopped", NULL, BOOL, "", "false", 0, 1, AJP, IN_CONF(stopped), OLD, "use activation=S" },
    /* lb workers */
    { "balance_workers", "balanced_workers", LIST, "", NULL, 0, 0, LB, IN_CONF(balance_workers), FORCE, "the members" },
    { "sticky_session", NULL, BOOL, "", "true", 0, 1, LB, IN_TUNE(sticky_session), FORCE, "sessions stay with their member" },
    { "sticky_session_force", NULL, BOOL, "", "false", 0, 1, LB, IN_TUNE(sticky_session_force), FORCE,
      "a session whose member is gone gets 503, and no other member" },
    { "method", NULL, WORD, "", "Request", 0, 0, LB, IN_TUNE(method), FORCE, "Request, Traffic, Busyness, Sessions or Next", methods },
    { "lock", NULL, WORD, "", "Optimistic", 0, 0, LB, IN_TUNE(lock), IGNORED, "counters are atomic: both values mean the same", locks },
    { "lb_retries", NULL, INT, "", "2", 1, 1000, LB, IN_CONF(lb_retries), FORCE, "most members tried in one pass" },
    { "recover_time", NULL, TIME, "s", "60", 1, INT_MAX, LB, IN_TUNE(recover_time), FORCE,
      "how long a member in error is left alone" },
    { "error_escalation_time", NULL, TIME, "s", NULL, 0, INT_MAX, LB, IN_TUNE(error_escalation_time), FORCE,
      "how long a member may fail now and then until it is in error; unset: half of recover_time" },
    { "max_reply_timeouts", NULL, INT, "", "0", 0, INT_MAX, LB, IN_TUNE(max_reply_timeouts), FORCE,
      "reply timeouts that a member may have before it is in error" },
    { "retry_budget", NULL, INT, "", "20", 0, 100, LB, IN_TUNE(retry_budget), FORCE,
      "per cent of requests that may be sent again; 0: no bound" },
    { "spare_members", NULL, INT, "", "8", 0, 1000, LB, IN_CONF(spare_members), FORCE, "room for members added at run time" },
    { "session_cookie", NULL, TEXT, "", "JSESSIONID", 0, NAME_MOST, LB, IN_TUNE(session_cookie), FORCE,
      "name of the session's cookie", NULL, JK_KEY_HASH },
    { "session_path", NULL, TEXT, "", ";jsessionid", 0, NAME_MOST, LB, IN_TUNE(session_path), FORCE,
      "the session's path parameter, with its ';'", NULL, JK_KEY_HASH },
    { "set_session_cookie", NULL, BOOL, "", "false", 0, 1, LB, IN_CONF(set_session_cookie), FORCE,
      "send a cookie with the route, for applications that have no session cookie" },
    { "session_cookie_path", NULL, TEXT, "", "/", 0, NAME_MOST, LB, IN_CONF(session_cookie_path), FORCE,
      "that cookie's path", NULL, JK_KEY_HASH },
    { "session_cookie_samesite", NULL, WORD, "", NULL, 0, 0, LB, IN_CONF(session_cookie_samesite), FORCE,
      "that cookie's SameSite: Lax, Strict or None; unset: none is sent", samesites, JK_KEY_HASH },
    /* status workers */
    { "css", NULL, TEXT, "", NULL, 0, TEXT_MOST, STATUS, IN_CONF(css), FORCE, "URL of a stylesheet", NULL, JK_KEY_HASH },
    { "ns", NULL, TEXT, "", "jk:", 0, TEXT_MOST, STATUS, IN_CONF(ns), FORCE, "prefix of XML elements; -: none" },
    { "xmlns", NULL, TEXT, "", "xmlns:jk=\"http://tomcat.apache.org\"", 0, TEXT_MOST, STATUS, IN_CONF(xmlns), FORCE,
      "XML name space; -: none", NULL, JK_KEY_HASH },
    { "doctype", NULL, TEXT, "", NULL, 0, TEXT_MOST, STATUS, IN_CONF(doctype), FORCE, "XML document type", NULL, JK_KEY_HASH },
    { "prefix", NULL, TEXT, "", "worker", 0, TEXT_MOST, STATUS, IN_CONF(prefix), FORCE, "first word of property output" },
    { "read_only", NULL, BOOL, "", "false", 0, 1, STATUS, IN_CONF(read_only), FORCE, "nothing can be changed" },
    { "allow_get_changes", NULL, BOOL, "", "false", 0, 1, STATUS, IN_CONF(allow_get_changes), FORCE, "changes by GET, as in old scripts" },
    { "user", NULL, LIST, "", NULL, 0, 0, STATUS, IN_CONF(user), FORCE, "who may use it; unset: everybody" },
    { "user_case_insensitive", NULL, BOOL, "", "false", 0, 1, STATUS, IN_CONF(user_case_insensitive), FORCE,
      "and that whatever the case of their names" },
    { "good", NULL, LIST, "", "a.o,a.i,a.b,a.r", 0, 0, STATUS, IN_CONF(good), FORCE, "what counts as good" },
    { "bad", NULL, LIST, "", "s,e", 0, 0, STATUS, IN_CONF(bad), FORCE, "what counts as bad; asked before good" },
    /* of old */
#define GONE(name, help) { name, NULL, TEXT, "", NULL, 0, TEXT_MOST, ANY, NOWHERE, IGNORED, help }
    GONE("recycle_timeout", "no longer needed"), GONE("local_worker", "no longer needed: distance"),
    GONE("local_worker_only", "no longer needed: distance"), GONE("sysprops", "of JNI workers"), GONE("stdout", "of JNI workers"),
    GONE("stderr", "of JNI workers"), GONE("mx", "of JNI workers"), GONE("ms", "of JNI workers"), GONE("class_path", "of JNI workers"),
    GONE("bridge", "of JNI workers"), GONE("jvm_lib", "of JNI workers"), GONE("ld_path", "of JNI workers"),
    GONE("cmd_line", "of JNI workers"), GONE("native_lib", "of JNI workers"),
    { "secretkey", NULL, TEXT, "", NULL, 0, TEXT_MOST, ANY, NOWHERE, IGNORED, "of ajp14 workers", NULL, JK_KEY_SECRET | JK_KEY_HASH },
};
/* clang-format on */
const size_t jk_keys_count = sizeof jk_keys / sizeof jk_keys[0];
_Static_assert(sizeof jk_keys / sizeof jk_keys[0] <= JK_KEYS_MOST, "jk_worker_conf.written has too few bits");

const jk_key jk_keys_global[2] = {
    { "list", NULL, LIST, "", "ajp13", 0, 0, 0, NOWHERE, FORCE, "the workers that can be mounted" },
    { "maintain", NULL, TIME, "s", "60", INT_MIN, INT_MAX, 0, NOWHERE, FORCE, "time between two maintenances; 0 or less: none" },
};

const jk_key *jk_keys_find(const char *name, bool *old)
{
    for (size_t i = 0; i < jk_keys_count; i++) {
        *old = jk_keys[i].alias && strcmp(name, jk_keys[i].alias) == 0;
        if (*old || strcmp(name, jk_keys[i].name) == 0)
            return &jk_keys[i];
    }
    return NULL;
}

const jk_key *jk_keys_of(const char *key)
{
    const char *last = strrchr(key, '.');
    bool old;

    if (strncmp(key, "worker.", 7) != 0)
        return NULL;
    if (last > key + 7)
        return jk_keys_find(last + 1, &old);
    for (size_t i = 0; i < sizeof jk_keys_global / sizeof jk_keys_global[0]; i++)
        if (strcmp(key + 7, jk_keys_global[i].name) == 0)
            return &jk_keys_global[i];
    return NULL;
}

bool jk_keys_adds_up(const jk_key *key)
{
    return key->type == LIST || key->type == CODES;
}

void jk_keys_write(jk_worker_conf *conf, const jk_key *key)
{
    size_t row = (size_t)(key - jk_keys);

    conf->written[row / 64] |= UINT64_C(1) << row % 64;
}

bool jk_keys_written(const jk_worker_conf *conf, const char *name)
{
    bool old;
    size_t row = (size_t)(jk_keys_find(name, &old) - jk_keys);

    return conf->written[row / 64] >> row % 64 & 1;
}
