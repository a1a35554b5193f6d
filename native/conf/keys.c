/* native/conf/keys.c - the rows, and how a value's text becomes the value. */
#include "jk/conf/keys.h"

#include <apr_strings.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

#define AJP JK_WORKER_AJP13
#define LB JK_WORKER_LB
#define STATUS JK_WORKER_STATUS
#define ANY (AJP | LB | STATUS)
#define IN_CONF(f) JK_HOME_CONF, offsetof(jk_worker_conf, f)
#define IN_TUNE(f) JK_HOME_TUNE, offsetof(jk_tune, f)
#define NOWHERE JK_HOME_NOWHERE, 0

const jk_key jk_keys[] = {
    /* name, alias, type, unit, default, min, max, kinds, home, state, help */
    { "type", NULL, JK_KEY_WORD, "", "ajp13", 0, 0, ANY, NOWHERE, JK_KEY_IN_FORCE, "the type of the worker: ajp13, lb or status" },
    { "reference", NULL, JK_KEY_WORD, "", NULL, 0, 0, ANY, NOWHERE, JK_KEY_IN_FORCE,
      "worker.NAME whose attributes are taken over where this worker has none of its own" },
    { "host", NULL, JK_KEY_TEXT, "", "localhost", 0, 0, AJP, NOWHERE, JK_KEY_IN_FORCE,
      "name or address of the container, name:port, [v6]:port, or unix:/path" },
    { "port", NULL, JK_KEY_INT, "", "8009", 0, 65535, AJP, IN_TUNE(port), JK_KEY_IN_FORCE, "port of the container's AJP connector" },
    { "socket_timeout", NULL, JK_KEY_TIME, "s", "0", 0, INT_MAX / 1000, AJP, IN_CONF(socket_timeout), JK_KEY_IN_FORCE,
      "longest wait for one read from or write to the container; 0: none" },
    { "socket_connect_timeout", NULL, JK_KEY_TIME, "ms", NULL, 0, INT_MAX, AJP, IN_CONF(socket_connect_timeout), JK_KEY_IN_FORCE,
      "longest wait for a connection; unset: socket_timeout, else 5 s" },
    { "socket_keepalive", NULL, JK_KEY_BOOL, "", "false", 0, 1, AJP, IN_CONF(socket_keepalive), JK_KEY_IN_FORCE,
      "TCP keep-alive on connections to the container" },
    { "socket_buffer", NULL, JK_KEY_SIZE, "", "0", 0, 1 << 30, AJP, IN_CONF(socket_buffer), JK_KEY_IN_FORCE,
      "size of the socket's buffers; 0: the system's" },
    { "prefer_ipv6", NULL, JK_KEY_BOOL, "", "false", 0, 1, AJP, IN_CONF(prefer_ipv6), JK_KEY_IN_FORCE,
      "take the IPv6 address of a host that has both" },
    { "connection_pool_size", "cachesize", JK_KEY_INT, "", "0", 0, 100000, AJP, IN_CONF(connection_pool_size), JK_KEY_IN_FORCE,
      "most connections of one process; 0 or unset: by need" },
    { "connection_acquire_timeout", NULL, JK_KEY_TIME, "ms", NULL, 0, INT_MAX, AJP, IN_TUNE(connection_acquire_timeout), JK_KEY_IN_FORCE,
      "longest wait for a free connection; unset: retries * retry_interval; 0: one try" },
    { "retries", NULL, JK_KEY_INT, "", "2", 1, 1000, AJP | LB, IN_TUNE(retries), JK_KEY_IN_FORCE, "attempts, the first among them" },
    { "retry_interval", NULL, JK_KEY_TIME, "ms", "100", INT_MIN, INT_MAX, AJP | LB, IN_TUNE(retry_interval), JK_KEY_IN_FORCE,
      "pause before another attempt" },
    { "reply_timeout", NULL, JK_KEY_TIME, "ms", "0", 0, INT_MAX, AJP, IN_TUNE(reply_timeout), JK_KEY_IN_FORCE,
      "longest silence of the container between two packets; 0: none" },
    { "recovery_options", NULL, JK_KEY_INT, "", "27", 0, 31, AJP, IN_TUNE(recovery_options), JK_KEY_IN_FORCE,
      "bits: 1 not again once sent, 2 not once answered, 4 close hard on client errors, 8 HEAD and 16 GET again in spite of 1" },
    { "max_packet_size", NULL, JK_KEY_SIZE, "", "8192", 8192, 65536, AJP | LB, IN_TUNE(max_packet_size), JK_KEY_IN_FORCE,
      "largest AJP packet; the connector's packetSize must be the same" },
    { "secret", NULL, JK_KEY_TEXT, "", "", 0, 0, AJP | LB, IN_CONF(secret), JK_KEY_IN_FORCE, "the connector's secret" },
    { "stored_methods", NULL, JK_KEY_BOOL, "", "false", 0, 1, AJP, IN_CONF(stored_methods), JK_KEY_IN_FORCE,
      "send every method by name (the way around Tomcat's bug 69848)" },
    { "source", NULL, JK_KEY_TEXT, "", NULL, 0, 0, AJP, NOWHERE, JK_KEY_LATER, "local address to connect from" },
    { "connection_pool_minsize", NULL, JK_KEY_INT, "", NULL, 0, 100000, AJP, NOWHERE, JK_KEY_LATER, "idle connections that stay open" },
    { "connection_pool_timeout", "cache_timeout", JK_KEY_TIME, "s", "0", 0, INT_MAX, AJP, NOWHERE, JK_KEY_LATER,
      "idle time after which a connection is closed" },
    { "connect_timeout", NULL, JK_KEY_TIME, "ms", NULL, 0, INT_MAX, AJP, NOWHERE, JK_KEY_LATER, "CPing after connecting" },
    { "prepost_timeout", NULL, JK_KEY_TIME, "ms", NULL, 0, INT_MAX, AJP, NOWHERE, JK_KEY_LATER, "CPing before each request" },
    { "ping_timeout", NULL, JK_KEY_TIME, "ms", "10000", 0, INT_MAX, AJP, NOWHERE, JK_KEY_LATER, "longest wait for a CPong" },
    { "ping_mode", NULL, JK_KEY_WORD, "", NULL, 0, 0, AJP, NOWHERE, JK_KEY_LATER, "when to ping: C, P, I, A" },
    { "connection_ping_interval", NULL, JK_KEY_TIME, "s", "0", 0, INT_MAX, AJP, NOWHERE, JK_KEY_LATER, "CPing on idle connections" },
    { "safe_ping", NULL, JK_KEY_BOOL, "", "true", 0, 1, AJP, NOWHERE, JK_KEY_LATER, "CPing before what may not be sent twice" },
    { "fail_on_status", NULL, JK_KEY_LIST, "", NULL, 0, 0, AJP, NOWHERE, JK_KEY_LATER, "statuses that count as failures" },
    { "busy_limit", NULL, JK_KEY_INT, "", "0", 0, INT_MAX, AJP, NOWHERE, JK_KEY_LATER, "most requests at once, all processes together" },
    { "max_connections", NULL, JK_KEY_INT, "", "0", 0, INT_MAX, AJP, NOWHERE, JK_KEY_LATER, "most connections, all processes together" },
    { "mount", NULL, JK_KEY_LIST, "", NULL, 0, 0, ANY, NOWHERE, JK_KEY_LATER, "more URI patterns of this worker" },
    /* members of an lb worker */
    { "lbfactor", NULL, JK_KEY_INT, "", "1", 1, INT_MAX, AJP, NOWHERE, JK_KEY_IN_FORCE, "share of the load, inside an lb worker" },
    { "activation", NULL, JK_KEY_WORD, "", "A", 0, 0, AJP, NOWHERE, JK_KEY_IN_FORCE, "active, disabled or stopped, inside an lb worker" },
    { "route", "jvm_route", JK_KEY_TEXT, "", NULL, 0, 0, AJP, NOWHERE, JK_KEY_IN_FORCE, "the container's jvmRoute, inside an lb worker" },
    { "domain", NULL, JK_KEY_TEXT, "", NULL, 0, 0, AJP, NOWHERE, JK_KEY_IN_FORCE, "group of members, inside an lb worker" },
    { "redirect", NULL, JK_KEY_TEXT, "", NULL, 0, 0, AJP, NOWHERE, JK_KEY_IN_FORCE, "route of the stand-in, inside an lb worker" },
    { "distance", NULL, JK_KEY_INT, "", "0", 0, INT_MAX, AJP, NOWHERE, JK_KEY_IN_FORCE, "lower is preferred, inside an lb worker" },
    { "disabled", NULL, JK_KEY_BOOL, "", NULL, 0, 1, AJP, NOWHERE, JK_KEY_IGNORED, "deprecated: activation=D" },
    { "stopped", NULL, JK_KEY_BOOL, "", NULL, 0, 1, AJP, NOWHERE, JK_KEY_IGNORED, "deprecated: activation=S" },
    /* lb workers */
    { "balance_workers", "balanced_workers", JK_KEY_LIST, "", NULL, 0, 0, LB, NOWHERE, JK_KEY_IN_FORCE, "the members" },
    { "sticky_session", NULL, JK_KEY_BOOL, "", "true", 0, 1, LB, NOWHERE, JK_KEY_IN_FORCE, "sessions stay with their member" },
    { "sticky_session_force", NULL, JK_KEY_BOOL, "", "false", 0, 1, LB, NOWHERE, JK_KEY_IN_FORCE, "and fail with it" },
    { "method", NULL, JK_KEY_WORD, "", "Request", 0, 0, LB, NOWHERE, JK_KEY_IN_FORCE, "Request, Traffic, Busyness, Sessions or Next" },
    { "lock", NULL, JK_KEY_WORD, "", NULL, 0, 0, LB, NOWHERE, JK_KEY_IGNORED, "counters are atomic: both values mean the same" },
    { "lb_retries", NULL, JK_KEY_INT, "", "2", 1, 1000, LB, NOWHERE, JK_KEY_IN_FORCE, "most members tried in one pass" },
    { "recover_time", NULL, JK_KEY_TIME, "s", "60", 1, INT_MAX, LB, NOWHERE, JK_KEY_IN_FORCE, "rest of a member in error" },
    { "error_escalation_time", NULL, JK_KEY_TIME, "s", NULL, 0, INT_MAX, LB, NOWHERE, JK_KEY_IN_FORCE, "how long an error stays local" },
    { "max_reply_timeouts", NULL, JK_KEY_INT, "", "0", 0, INT_MAX, LB, NOWHERE, JK_KEY_IN_FORCE, "reply timeouts until it is an error" },
    { "retry_budget", NULL, JK_KEY_INT, "", "20", 0, 100, LB, NOWHERE, JK_KEY_IN_FORCE, "per cent of requests that may be sent again" },
    { "spare_members", NULL, JK_KEY_INT, "", "8", 0, 1000, LB, NOWHERE, JK_KEY_IN_FORCE, "room for members added at run time" },
    { "session_cookie", NULL, JK_KEY_TEXT, "", "JSESSIONID", 0, 0, LB, NOWHERE, JK_KEY_IN_FORCE, "name of the session's cookie" },
    { "session_path", NULL, JK_KEY_TEXT, "", ";jsessionid", 0, 0, LB, NOWHERE, JK_KEY_IN_FORCE, "the session's path parameter" },
    { "set_session_cookie", NULL, JK_KEY_BOOL, "", "false", 0, 1, LB, NOWHERE, JK_KEY_IN_FORCE, "send a cookie with the route" },
    { "session_cookie_path", NULL, JK_KEY_TEXT, "", "/", 0, 0, LB, NOWHERE, JK_KEY_IN_FORCE, "that cookie's path" },
    { "session_cookie_samesite", NULL, JK_KEY_WORD, "", NULL, 0, 0, LB, NOWHERE, JK_KEY_IN_FORCE, "that cookie's SameSite" },
    /* status workers */
    { "css", NULL, JK_KEY_TEXT, "", NULL, 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "URL of a stylesheet" },
    { "ns", NULL, JK_KEY_TEXT, "", "jk:", 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "prefix of XML elements" },
    { "xmlns", NULL, JK_KEY_TEXT, "", NULL, 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "XML name space" },
    { "doctype", NULL, JK_KEY_TEXT, "", NULL, 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "XML document type" },
    { "prefix", NULL, JK_KEY_TEXT, "", "worker", 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "first word of property output" },
    { "read_only", NULL, JK_KEY_BOOL, "", "false", 0, 1, STATUS, NOWHERE, JK_KEY_IN_FORCE, "nothing can be changed" },
    { "allow_get_changes", NULL, JK_KEY_BOOL, "", "false", 0, 1, STATUS, NOWHERE, JK_KEY_IN_FORCE, "changes by GET, as in old scripts" },
    { "user", NULL, JK_KEY_LIST, "", NULL, 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "who may use it" },
    { "user_case_insensitive", NULL, JK_KEY_BOOL, "", "false", 0, 1, STATUS, NOWHERE, JK_KEY_IN_FORCE, "whatever the case" },
    { "good", NULL, JK_KEY_LIST, "", NULL, 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "what counts as good" },
    { "bad", NULL, JK_KEY_LIST, "", NULL, 0, 0, STATUS, NOWHERE, JK_KEY_IN_FORCE, "what counts as bad" },
#define OLD(name, help) { name, NULL, JK_KEY_TEXT, "", NULL, 0, 0, ANY, NOWHERE, JK_KEY_IGNORED, help }
    OLD("recycle_timeout", "no longer needed"), OLD("local_worker", "no longer needed: distance"),
    OLD("local_worker_only", "no longer needed: distance"), OLD("sysprops", "of JNI workers"), OLD("stdout", "of JNI workers"),
    OLD("stderr", "of JNI workers"), OLD("mx", "of JNI workers"), OLD("ms", "of JNI workers"), OLD("class_path", "of JNI workers"),
    OLD("bridge", "of JNI workers"), OLD("jvm_lib", "of JNI workers"), OLD("ld_path", "of JNI workers"),
    OLD("cmd_line", "of JNI workers"), OLD("native_lib", "of JNI workers"), OLD("secretkey", "of ajp14 workers"),
};
const size_t jk_keys_count = sizeof jk_keys / sizeof jk_keys[0];

const jk_key *jk_keys_find(const char *name, bool *old)
{
    for (size_t i = 0; i < jk_keys_count; i++) {
        *old = jk_keys[i].alias && strcmp(name, jk_keys[i].alias) == 0;
        if (*old || strcmp(name, jk_keys[i].name) == 0)
            return &jk_keys[i];
    }
    return NULL;
}

/* ---- values ---- */

static const struct {
    const char *word;
    jk_key_type type;
    long long factor; /* of ms, or of bytes */
} units[] = {
    { "ms", JK_KEY_TIME, 1 }, { "s", JK_KEY_TIME, 1000 }, { "m", JK_KEY_TIME, 60000 }, { "h", JK_KEY_TIME, 3600000 },
    { "k", JK_KEY_SIZE, 1024 }, { "m", JK_KEY_SIZE, 1 << 20 }, { "g", JK_KEY_SIZE, 1 << 30 },
};

static bool scale(const jk_key *key, const char *unit, long long *n)
{
    bool seconds = strcmp(key->unit, "s") == 0;

    if (*unit == '\0')
        return true;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].type != key->type || strcasecmp(unit, units[i].word) != 0)
            continue;
        *n = seconds ? (*n * units[i].factor + 999) / 1000 : *n * units[i].factor;
        return true;
    }
    return false;
}

static const char *allowed_units(const jk_key *key)
{
    return key->type == JK_KEY_TIME ? " with ms, s, m or h" : key->type == JK_KEY_SIZE ? " with k, m or g" : "";
}

static long long clamp(const jk_key *key, long long n)
{
    return n < key->min ? key->min : n > key->max ? key->max : n;
}

static int read_number(const jk_key *key, const jk_prop *prop, jk_findings *found)
{
    char *end;
    long long n = strtoll(prop->value, &end, 10), was = n;
    bool digits = end != prop->value, good;

    while (*end == ' ')
        end++;
    good = digits && n > -1000000000000LL && n < 1000000000000LL && scale(key, end, &n);
    if (!digits)
        n = key->dflt ? atoll(key->dflt) : 0;
    else if (!good)
        n = was;
    was = n;
    n = clamp(key, n);
    if (!good)
        jk_findings_add(found, JK_FIND_LENIENT, prop->file, prop->line, "'%s' is no value for %s; allowed: a number%s; %d is used",
                        prop->value, prop->key, allowed_units(key), (int)n);
    else if (was < key->min || (was > key->max && key->type == JK_KEY_INT))
        jk_findings_add(found, JK_FIND_LENIENT, prop->file, prop->line, "%s=%s is out of range; allowed: %d to %d; %d is used", prop->key,
                        prop->value, key->min, key->max, (int)n);
    return (int)n;
}

static bool read_bool(const jk_key *key, const jk_prop *prop, jk_findings *found)
{
    char c = (char)jk_span_lower((uint8_t)*prop->value);

    if (c == 't' || c == 'y' || strcasecmp(prop->value, "on") == 0 || strcmp(prop->value, "1") == 0)
        return true;
    if (c == 'f' || c == 'n' || strcasecmp(prop->value, "off") == 0 || strcmp(prop->value, "0") == 0)
        return false;
    jk_findings_add(found, JK_FIND_LENIENT, prop->file, prop->line, "'%s' is no value for %s; allowed: true or false; %s is used",
                    prop->value, prop->key, key->dflt ? key->dflt : "false");
    return key->dflt && *key->dflt == 't';
}

void jk_keys_set(const jk_key *key, const jk_prop *prop, jk_worker_conf *conf, jk_findings *found)
{
    char *home = key->home == JK_HOME_TUNE ? (char *)&conf->tune : (char *)conf;
    int n = 0;
    bool on = false;

    if (key->type == JK_KEY_INT || key->type == JK_KEY_TIME || key->type == JK_KEY_SIZE)
        n = read_number(key, prop, found);
    if (key->type == JK_KEY_BOOL)
        on = read_bool(key, prop, found);
    if (key->home == JK_HOME_NOWHERE)
        return;
    if (key->type == JK_KEY_BOOL)
        memcpy(home + key->offset, &on, sizeof on);
    else if (key->type == JK_KEY_TEXT)
        memcpy(home + key->offset, &prop->value, sizeof prop->value);
    else
        memcpy(home + key->offset, &n, sizeof n);
}

void jk_keys_defaults(jk_worker_conf *conf)
{
    for (size_t i = 0; i < jk_keys_count; i++) {
        jk_prop prop = { jk_keys[i].name, jk_keys[i].dflt, NULL, 0 };
        if (jk_keys[i].dflt && jk_keys[i].home != JK_HOME_NOWHERE)
            jk_keys_set(&jk_keys[i], &prop, conf, NULL); /* a default has no findings: a test holds that */
    }
}
