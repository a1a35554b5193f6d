/* native/status/fields.c - the elements and their fields, in the order in which they are shown (spec: status.md 6-8). A field that an old
 * format has keeps its place and its name there for good; what is new goes to the new ones alone. */
#include "jk/status/render.h"

#define OLD JK_TO_OLD
#define NEW JK_TO_NEW
#define ALL JK_TO_ALL
#define XML JK_TO_XML
#define TXT JK_TO_TXT
#define PROP JK_TO_PROP
#define JSON JK_TO_JSON

/* name, for whom, type, offset, when, flags, help */
#define AT(type, field) offsetof(type, field), 0
#define W(field) AT(jk_view_worker, field)
#define TUNE(field) W(now.field)
#define COUNT(what) W(numbers.count[what])
#define V(field) AT(jk_view, field)
#define FROM(field) AT(jk_view_from, field)
#define IF_EDITED(field) offsetof(jk_view_worker, field), offsetof(jk_view_worker, edited_at)
#define IF_ERROR(field) offsetof(jk_view_worker, field), offsetof(jk_view_worker, error_at)

static const jk_show_field of_server[] = {
    { "name", ALL, JK_F_TEXT, FROM(server_name), 0, "the name that the client asked for" },
    { "port", ALL, JK_F_I32, FROM(server_port), 0, "the port that it came to" },
    { NULL },
};

static const jk_show_field of_time[] = {
    { "datetime", ALL, JK_F_TEXT, V(datetime), 0, "now, in local time" },
    { "tz", ALL, JK_F_TEXT, V(tz), 0, "the zone of that" },
    { "unix", ALL, JK_F_I64, V(from.now), 0, "the same in seconds since 1970" },
    { NULL },
};

static const jk_show_field of_software[] = {
    { "web_server", ALL, JK_F_TEXT, FROM(web_server), JK_F_QUOTED, "httpd and its modules" },
    { "jk_version", ALL, JK_F_TEXT, FROM(jk_version), 0, "this module" },
    { NULL },
};

static const jk_show_field of_process[] = {
    { "pid", NEW, JK_F_I32, FROM(pid), 0, "the process that answered: what is its alone is of this one" },
    { "generation", NEW, JK_F_I32, FROM(generation), 0, "of the configuration: each restart adds one" },
    { "config_stale", NEW, JK_F_BOOL, FROM(stale), 0, "the newest configuration is broken, and the last good one in force" },
    { NULL },
};

static const jk_show_field of_changes[] = {
    { "token", JSON, JK_F_TEXT, FROM(token), 0, "what a change must send" },
    { NULL },
};

#define WAIT(id, name, words) { "waiting_" name, NEW, JK_F_U32, AT(jk_view_parked, all.now[id]), JK_F_GAUGE, words },
#define REASON(id, name, words) { "kept_" name, NEW, JK_F_U64, AT(jk_view_parked, all.fell_back[id]), JK_F_COUNTER, words },
static const jk_show_field of_parked[] = {
    { "known", NEW, JK_F_BOOL, AT(jk_view_parked, known), 0, "can requests wait without a thread here" },
    { "waiting", NEW, JK_F_U32, AT(jk_view_parked, waiting), JK_F_GAUGE, "requests that wait without a thread, in all processes" },
    { "most", NEW, JK_F_U32, AT(jk_view_parked, all.most), JK_F_GAUGE, "the most there ever were in one process" },
    { "limit", NEW, JK_F_U32, AT(jk_view_parked, limit), JK_F_GAUGE, "the most there may be in one process" },
    { "total", NEW, JK_F_U64, AT(jk_view_parked, all.wakes), JK_F_COUNTER, "waits that are over" },
    JK_PARK_WAIT_ROWS(WAIT) JK_PARK_REASON_ROWS(REASON)
    { NULL },
};

static const jk_show_field of_balancers[] = { { "count", OLD, JK_F_I32, V(lb_count), 0, "" }, { NULL } };
static const jk_show_field of_ajp_workers[] = { { "count", OLD, JK_F_I32, V(ajp_count), 0, "" }, { NULL } };
static const jk_show_field of_findings[] = { { NULL } };

static const jk_show_field of_balancer[] = {
    { "name", ALL, JK_F_TEXT, W(name), JK_F_NAME, "" },
    { "type", ALL, JK_F_TEXT, W(type), 0, "" },
    { "sticky_session", ALL, JK_F_BOOL, TUNE(sticky_session), JK_F_TUNE, "" },
    { "sticky_session_force", ALL, JK_F_BOOL, TUNE(sticky_session_force), JK_F_TUNE, "" },
    { "retries", ALL, JK_F_I32, TUNE(retries), JK_F_TUNE, "" },
    { "recover_time", ALL, JK_F_I32, TUNE(recover_time), JK_F_TUNE, "" },
    { "error_escalation_time", ALL, JK_F_I32, TUNE(error_escalation_time), JK_F_TUNE, "" },
    { "max_reply_timeouts", ALL, JK_F_I32, TUNE(max_reply_timeouts), JK_F_TUNE, "" },
    { "method", ALL, JK_F_TEXT, W(method), JK_F_TUNE, "" },
    { "lock", ALL, JK_F_TEXT, W(lock), JK_F_TUNE, "" },
    { "retry_interval", NEW, JK_F_I32, TUNE(retry_interval), JK_F_TUNE, "" },
    { "retry_budget", NEW, JK_F_I32, TUNE(retry_budget), JK_F_TUNE, "" },
    { "session_cookie", NEW, JK_F_CHARS, TUNE(session_cookie), JK_F_TUNE, "" },
    { "session_path", NEW, JK_F_CHARS, TUNE(session_path), JK_F_TUNE, "" },
    { "edited_at", JSON, JK_F_I64, IF_EDITED(edited_at), 0, "when a value was changed last" },
    { "edited_by", JSON, JK_F_TEXT, IF_EDITED(edited_by), 0, "by whom; empty where that is not known" },
    { "member_count", ALL, JK_F_I32, W(member_count), 0, "" },
    { "good", ALL, JK_F_I32, W(good), JK_F_GAUGE, "members that are well" },
    { "degraded", ALL, JK_F_I32, W(degraded), JK_F_GAUGE, "members that are neither good nor bad" },
    { "bad", ALL, JK_F_I32, W(bad), JK_F_GAUGE, "members that are not to be had" },
    { "busy", ALL, JK_F_U32, W(numbers.busy), JK_F_GAUGE, "requests under way" },
    { "max_busy", ALL, JK_F_U32, W(numbers.max_busy), JK_F_GAUGE, "the most of them" },
    { "requests", NEW, JK_F_U64, COUNT(JK_COUNT_SERVED), JK_F_COUNTER, "requests, failed ones too" },
    { "resends", NEW, JK_F_U64, COUNT(JK_COUNT_RESENDS), JK_F_COUNTER, "requests that were sent to another member after they had been written" },
    { "resends_refused", NEW, JK_F_U64, COUNT(JK_COUNT_REFUSALS), JK_F_COUNTER, "and those that retry_budget did not allow" },
    { "map_count", ALL, JK_F_I32, W(map_count), 0, "" },
    { "time_to_maintenance_min", ALL, JK_F_I64, W(maintain_min), 0, "" },
    { "time_to_maintenance_max", ALL, JK_F_I64, W(maintain_max), 0, "" },
    { "last_reset_at", ALL, JK_F_I64, W(numbers.last_reset), 0, "" },
    { "last_reset_ago", ALL, JK_F_I64, W(reset_ago), 0, "" },
    { NULL },
};

/* What a member and a worker of its own begin with. The flat formats have retries elsewhere. */
#define CONTAINER                                                                                                                       \
    { "name", ALL, JK_F_TEXT, W(name), JK_F_NAME, "" },                                                                                 \
    { "type", ALL, JK_F_TEXT, W(type), 0, "" },                                                                                         \
    { "host", ALL, JK_F_CHARS, TUNE(host), JK_F_TUNE, "" },                                                                             \
    { "port", ALL, JK_F_I32, TUNE(port), JK_F_TUNE, "" },                                                                               \
    { "address", ALL, JK_F_TEXT, W(address), 0, "" },                                                                                   \
    { "source", ALL, JK_F_TEXT, W(source), 0, "" },                                                                                     \
    { "connection_pool_timeout", ALL, JK_F_I32, TUNE(connection_pool_timeout), JK_F_TUNE, "" },                                         \
    { "ping_timeout", ALL, JK_F_I32, TUNE(ping_timeout), JK_F_TUNE, "" },                                                               \
    { "connect_timeout", ALL, JK_F_I32, TUNE(connect_timeout), JK_F_TUNE, "" },                                                         \
    { "prepost_timeout", ALL, JK_F_I32, TUNE(prepost_timeout), JK_F_TUNE, "" },                                                         \
    { "reply_timeout", ALL, JK_F_I32, TUNE(reply_timeout), JK_F_TUNE, "" },                                                             \
    { "connection_ping_interval", XML | NEW, JK_F_I32, TUNE(connection_ping_interval), JK_F_TUNE, "" },                                 \
    { "retries", ALL, JK_F_I32, TUNE(retries), JK_F_TUNE, "" },                                                                         \
    { "connection_ping_interval", TXT | PROP, JK_F_I32, TUNE(connection_ping_interval), JK_F_TUNE, "" },                                \
    { "recovery_options", ALL, JK_F_I32, TUNE(recovery_options), JK_F_TUNE, "" },                                                       \
    { "busy_limit", ALL, JK_F_I32, TUNE(busy_limit), JK_F_TUNE, "" },                                                                   \
    { "max_packet_size", ALL, JK_F_I32, TUNE(max_packet_size), JK_F_TUNE, "" },                                                         \
    { "retry_interval", NEW, JK_F_I32, TUNE(retry_interval), JK_F_TUNE, "" },                                                           \
    { "connection_acquire_timeout", NEW, JK_F_I32, TUNE(connection_acquire_timeout), JK_F_TUNE, "" },                                   \
    { "max_connections", NEW, JK_F_I32, TUNE(max_connections), JK_F_TUNE, "" },                                                         \
    { "edited_at", JSON, JK_F_I64, IF_EDITED(edited_at), 0, "when a value was changed last" },                                          \
    { "edited_by", JSON, JK_F_TEXT, IF_EDITED(edited_by), 0, "by whom; empty where that is not known" }

#define NUMBERS                                                                                                                         \
    { "errors", ALL, JK_F_U64, COUNT(JK_COUNT_ERRORS), JK_F_COUNTER, "requests that failed because of the container" },                 \
    { "client_errors", ALL, JK_F_U64, COUNT(JK_COUNT_CLIENT_ERRORS), JK_F_COUNTER, "requests that failed because of the client" },      \
    { "reply_timeouts", ALL, JK_F_U64, COUNT(JK_COUNT_TIMEOUTS), JK_F_COUNTER, "requests that waited for longer than reply_timeout" },  \
    { "transferred", ALL, JK_F_U64, COUNT(JK_COUNT_WRITTEN), JK_F_COUNTER, "bytes to the container" },                                  \
    { "read", ALL, JK_F_U64, COUNT(JK_COUNT_READ), JK_F_COUNTER, "bytes from it" },                                                     \
    { "busy", ALL, JK_F_U32, W(numbers.busy), JK_F_GAUGE, "requests under way" },                                                       \
    { "max_busy", ALL, JK_F_U32, W(numbers.max_busy), JK_F_GAUGE, "the most of them" },                                                 \
    { "connected", ALL, JK_F_U32, W(numbers.connected), JK_F_GAUGE, "connections that are open" },                                      \
    { "max_connected", ALL, JK_F_U32, W(numbers.max_connected), JK_F_GAUGE, "the most of them" }

#define MORE_NUMBERS                                                                                                                    \
    { "resends", NEW, JK_F_U64, COUNT(JK_COUNT_RESENDS), JK_F_COUNTER, "requests that were sent again after they had been written" },   \
    { "connects", NEW, JK_F_U64, COUNT(JK_COUNT_CONNECTS), JK_F_COUNTER, "connections that were made" },                                \
    { "refused_by_connector", NEW, JK_F_U64, COUNT(JK_COUNT_REJECTS), JK_F_COUNTER,                                                     \
      "answers after which the connector closed the connection" },                                                                      \
    { "idle", JSON, JK_F_U32, W(numbers.idle), JK_F_GAUGE, "connections that no request has, of all processes" },                       \
    { "waiting", JSON, JK_F_U32, W(numbers.waiting), JK_F_GAUGE, "requests that wait for one, or for their next attempt" },             \
    { "opened", JSON, JK_F_U64, W(made), JK_F_COUNTER, "connections that were made since the server was started" },                     \
    { "closed_process_ended", JSON, JK_F_U64, W(closed[JK_CLOSE_EXIT]), JK_F_COUNTER, "and closed: their process ended" },              \
    { "closed_dead", JSON, JK_F_U64, W(closed[JK_CLOSE_DEAD]), JK_F_COUNTER, "idle, and closed by the container" },                     \
    { "closed_aged", JSON, JK_F_U64, W(closed[JK_CLOSE_AGED]), JK_F_COUNTER, "idle for too long" },                                     \
    { "closed_failed", JSON, JK_F_U64, W(closed[JK_CLOSE_FAILED]), JK_F_COUNTER, "an attempt on it failed" },                           \
    { "closed_container", JSON, JK_F_U64, W(closed[JK_CLOSE_CONTAINER]), JK_F_COUNTER, "not to be used again, said the container" },    \
    { "closed_no_reuse", JSON, JK_F_U64, W(closed[JK_CLOSE_UNWANTED]), JK_F_COUNTER, "nobody wants it any more" },                      \
    { "last_failure", JSON, JK_F_TEXT, W(last_failure), 0, "why the last request that failed there did; empty: none did" },             \
    { "pool_open", NEW, JK_F_U32, W(pool.open), JK_F_GAUGE, "connections of this process" },                                            \
    { "pool_idle", NEW, JK_F_U32, W(pool.idle), JK_F_GAUGE, "those that nobody uses" },                                                 \
    { "pool_waiting", NEW, JK_F_U32, W(pool.waiting), JK_F_GAUGE, "requests of this process that wait for one" },                       \
    { "pool_reused", NEW, JK_F_U64, W(pool.reused), JK_F_COUNTER, "requests of this process that found an idle one" },                  \
    { "pool_dead", NEW, JK_F_U64, W(pool.dead), JK_F_COUNTER, "idle ones that were found closed" },                                     \
    { "pool_aged", NEW, JK_F_U64, W(pool.aged), JK_F_COUNTER, "idle ones that were closed for their age" }

#define RESET(flags)                                                                                                                    \
    { "last_reset_at", ALL, JK_F_I64, W(numbers.last_reset), flags, "" },                                                               \
    { "last_reset_ago", ALL, JK_F_I64, W(reset_ago), flags, "" },                                                                       \
    { "error_time_datetime", ALL, JK_F_TEXT, IF_ERROR(error_datetime), flags, "" },                                                     \
    { "error_time_tz", ALL, JK_F_TEXT, IF_ERROR(error_tz), flags, "" },                                                                 \
    { "error_time_unix_seconds", XML | TXT | NEW, JK_F_I64, IF_ERROR(error_at), flags, "" },                                            \
    { "error_time_unix seconds", PROP, JK_F_I64, IF_ERROR(error_at), flags, "" },                                                       \
    { "error_time_ago", XML | TXT | NEW, JK_F_I64, IF_ERROR(error_ago), flags, "" },                                                    \
    { "error_time_ago seconds", PROP, JK_F_I64, IF_ERROR(error_ago), flags, "" }

static const jk_show_field of_member[] = {
    CONTAINER,
    { "added", NEW, JK_F_BOOL, W(added), 0, "at run time: the workers file does not name it" },
    { "activation", ALL, JK_F_TEXT, W(activation), JK_F_TUNE, "ACT, DIS or STP" },
    { "lbfactor", ALL, JK_F_I32, TUNE(lbfactor), JK_F_TUNE, "" },
    { "route", ALL, JK_F_CHARS, TUNE(route), JK_F_TUNE | JK_F_QUOTED, "" },
    { "redirect", ALL, JK_F_CHARS, TUNE(redirect), JK_F_TUNE | JK_F_QUOTED, "" },
    { "domain", ALL, JK_F_CHARS, TUNE(domain), JK_F_TUNE | JK_F_QUOTED, "" },
    { "distance", ALL, JK_F_I32, TUNE(distance), JK_F_TUNE, "" },
    { "state", ALL, JK_F_TEXT, W(state), 0, "" },
    { "health", NEW, JK_F_TEXT, W(health), 0, "good, degraded or bad, by what this status worker calls so" },
    { "lbmult", ALL, JK_F_U64, W(mult), 0, "" },
    { "lbvalue", ALL, JK_F_U64, W(value), JK_F_GAUGE, "load value" },
    { "elected", ALL, JK_F_U64, COUNT(JK_COUNT_SERVED), JK_F_COUNTER, "requests, failed ones too" },
    { "sessions", ALL, JK_F_U64, COUNT(JK_COUNT_SESSIONS), JK_F_COUNTER, "requests that had no session" },
    NUMBERS,
    MORE_NUMBERS,
    { "sticky_recent", NEW, JK_F_U32, W(sticky_recent), JK_F_GAUGE, "requests of sessions that belong here, in the last five minutes" },
    { "safe_to_stop", NEW, JK_F_BOOL, W(safe_to_stop), 0, "not active, nothing under way, and no session came back in the last five minutes" },
    { "time_to_recover_min", ALL, JK_F_I64, W(recover_min), 0, "" },
    { "time_to_recover_max", ALL, JK_F_I64, W(recover_max), 0, "" },
    RESET(JK_F_PARENT),
    { NULL },
};

static const jk_show_field of_ajp[] = {
    CONTAINER,
    { "state", NEW, JK_F_TEXT, W(state), 0, "" },
    { "used", ALL, JK_F_U64, COUNT(JK_COUNT_SERVED), JK_F_COUNTER, "requests, failed ones too" },
    NUMBERS,
    MORE_NUMBERS,
    { "map_count", ALL, JK_F_I32, W(map_count), 0, "" },
    RESET(0),
    { NULL },
};

#define M(field) AT(jk_view_map, field)
#define COUNTED(field) offsetof(jk_view_map, field), offsetof(jk_view_map, counted)
static const jk_show_field of_map[] = {
    { "id", ALL, JK_F_I32, M(id), JK_F_NAME, "" },
    { "server", ALL, JK_F_TEXT, M(server), JK_F_QUOTED, "" },
    { "uri", ALL, JK_F_TEXT, M(uri), JK_F_QUOTED, "" },
    { "type", ALL, JK_F_TEXT, M(type), JK_F_QUOTED, "" },
    { "source", ALL, JK_F_TEXT, M(source), JK_F_QUOTED, "" },
    { "reply_timeout", ALL, JK_F_I32, M(reply_timeout), JK_F_QUOTED, "" },
    { "sticky_ignore", ALL, JK_F_I32, M(sticky_ignore), JK_F_QUOTED, "" },
    { "stateless", ALL, JK_F_I32, M(stateless), JK_F_QUOTED, "" },
    { "fail_on_status", ALL, JK_F_TEXT, M(fail_on_status), JK_F_QUOTED, "" },
    { "active", ALL, JK_F_TEXT, M(active), JK_F_QUOTED, "" },
    { "disabled", ALL, JK_F_TEXT, M(disabled), JK_F_QUOTED, "" },
    { "stopped", ALL, JK_F_TEXT, M(stopped), JK_F_QUOTED, "" },
    { "use_server_errors", ALL, JK_F_I32, M(use_server_errors), JK_F_QUOTED, "" },
    { "path", NEW, JK_F_TEXT, M(path), 0, "" },
    { "place", NEW, JK_F_TEXT, M(place), 0, "" },
    { "mount", NEW, JK_F_TEXT, M(mount), 0, "as it is written: /a|b is two rules" },
    { "vhost", NEW, JK_F_TEXT, M(vhost), 0, "the server that it is written in" },
    { "counted", NEW, JK_F_I64, COUNTED(counted), 0,
      "since the server was started, for each mount of a vhost together; the same number: the same numbers; -1: with all that have no place" },
    { "requests", NEW, JK_F_U64, COUNTED(requests), JK_F_COUNTER, "requests that are over, failed ones too" },
    { "errors", NEW, JK_F_U64, COUNTED(errors), JK_F_COUNTER, "of them: failed, or answered with 5xx; not those that the client broke off" },
    { "client_errors", NEW, JK_F_U64, COUNTED(client_errors), JK_F_COUNTER, "answered with 4xx" },
    { "server_errors", NEW, JK_F_U64, COUNTED(server_errors), JK_F_COUNTER, "answered with 5xx by a container" },
    { "transferred", NEW, JK_F_U64, COUNTED(written), JK_F_COUNTER, "bytes to containers" },
    { "read", NEW, JK_F_U64, COUNTED(read), JK_F_COUNTER, "bytes from them" },
    { "busy", NEW, JK_F_U32, COUNTED(busy), JK_F_GAUGE, "requests under way" },
    { NULL },
};

static const jk_show_field of_edit[] = {
    { "key", NEW, JK_F_TEXT, AT(jk_view_edit, name), 0, "" },
    { "file", NEW, JK_F_TEXT, AT(jk_view_edit, file), 0, "" },
    { "now", NEW, JK_F_TEXT, AT(jk_view_edit, now), 0, "" },
    { NULL },
};

#define S(field) AT(jk_stat_share, field)
static const jk_show_field of_share[] = {
    { "pid", NEW, JK_F_I32, S(pid), 0, "" },
    { "busy", NEW, JK_F_U32, S(busy), JK_F_GAUGE, "requests under way" },
    { "connected", NEW, JK_F_U32, S(connected), JK_F_GAUGE, "connections that are open" },
    { "idle", NEW, JK_F_U32, S(idle), JK_F_GAUGE, "those that nobody uses" },
    { "waiting", NEW, JK_F_U32, S(waiting), JK_F_GAUGE, "requests that wait for one, or for their next attempt" },
    { NULL },
};

static const jk_show_field of_finding[] = {
    { "severity", NEW, JK_F_TEXT, AT(jk_view_finding, severity), 0, "" },
    { "file", NEW, JK_F_TEXT, AT(jk_view_finding, file), 0, "" },
    { "line", NEW, JK_F_I32, AT(jk_view_finding, line), 0, "" },
    { "text", NEW, JK_F_TEXT, AT(jk_view_finding, text), 0, "" },
    { NULL },
};

static const jk_show_field of_keys[] = { { NULL } };
static const jk_show_field of_configuration[] = { { NULL } };

static const jk_show_field of_result[] = {
    { "type", ALL, JK_F_TEXT, AT(jk_view_result, type), 0, "OK or ERROR" },
    { "message", ALL, JK_F_TEXT, AT(jk_view_result, message), JK_F_QUOTED, "" },
    { NULL },
};

const jk_show_element jk_show_elements[JK_ELEMENTS] = {
    [JK_EL_SERVER] = { "server", ALL, of_server },
    [JK_EL_TIME] = { "time", ALL, of_time },
    [JK_EL_SOFTWARE] = { "software", ALL, of_software },
    [JK_EL_PROCESS] = { "process", NEW, of_process },
    [JK_EL_CHANGES] = { "changes", JK_TO_JSON, of_changes },
    [JK_EL_KEYS_LB] = { "lb", JK_TO_JSON, of_keys },
    [JK_EL_KEYS_MEMBER] = { "member", JK_TO_JSON, of_keys },
    [JK_EL_KEYS_AJP] = { "ajp", JK_TO_JSON, of_keys },
    [JK_EL_PARKED] = { "parked", NEW, of_parked },
    [JK_EL_BALANCERS] = { "balancers", ALL, of_balancers },
    [JK_EL_BALANCER] = { "balancer", ALL, of_balancer },
    [JK_EL_MEMBER] = { "member", ALL, of_member },
    [JK_EL_AJP_WORKERS] = { "ajp_workers", ALL, of_ajp_workers },
    [JK_EL_AJP] = { "ajp", ALL, of_ajp },
    [JK_EL_EDIT] = { "edit", NEW, of_edit },
    [JK_EL_SHARE] = { "share", NEW, of_share },
    [JK_EL_MAP] = { "map", ALL, of_map },
    [JK_EL_FINDINGS] = { "findings", NEW, of_findings },
    [JK_EL_FINDING] = { "finding", NEW, of_finding },
    [JK_EL_CONFIGURATION] = { "configuration", ALL | JK_TO_HTML, of_configuration },
    [JK_EL_RESULT] = { "result", ALL, of_result },
};
