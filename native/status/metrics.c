/* native/status/metrics.c - one table of metrics, and one walk over it: a metric with its samples of every worker, then the next, as both
 * formats want it.
 *
 * The differences of the formats: OpenMetrics has UNIT and EOF lines, the types info and stateset, and names a counter without
 * its _total. The text format shows those two as gauges of 0 and 1. The samples are the same. */
#include "jk/status/metrics.h"

#include "jk/worker/manage.h"

#include <apr_strings.h>
#include <string.h>

/* What is known of a worker. */
typedef struct facts {
    jk_stat_numbers now;
    jk_stat_totals all;
    jk_member_state state;
    int64_t last_error;
    jk_tune tune;
} facts;

/* Somebody that samples are of. */
typedef struct subject {
    enum scope { OF_SERVER = 1, OF_BALANCER = 2, OF_WORKER = 4, OF_MEMBER = 8, OF_MOUNT = 16 } is; /* a member is a worker too */
    jk_span labels; /* as they stand in the braces; "" where there are none */
    /* of the server */
    const jk_metrics_from *from;
    jk_park_gauges parked;
    const facts *facts;            /* of a worker, a member, a balancer */
    const jk_tally_numbers *mount; /* of a mount */
} subject;

/* What all subjects' samples have in common that come n-th of a metric: what stands before the labels of the subject, and behind them. */
typedef struct frame {
    jk_span head, tail;
} frame;

#define FRAMES_MOST 32

typedef struct page {
    apr_pool_t *p;
    char *text;
    size_t len, cap;
    jk_metrics_form form;
    frame frames[FRAMES_MOST]; /* of the metric that is being written */
    unsigned made, next;       /* how many there are; that of the next sample */
} page;

typedef struct metric metric;
struct metric {
    unsigned scope;
    enum type { COUNTER, GAUGE, HISTOGRAM, STATES, INFO } type;
    const char *name; /* without _total and _info */
    const char *unit; /* the name ends with it; "": none */
    void (*samples)(page *out, const metric *m, const subject *s);
    int which;
    const char *label; /* that tells the samples of one subject apart; NULL: there is one */
    const char *help;
};

/* ---- writing ---- */

static char *room(page *out, size_t n)
{
    if (out->cap - out->len < n) {
        size_t cap = 2 * out->cap + n;
        char *bigger = apr_palloc(out->p, cap);
        memcpy(bigger, out->text, out->len);
        out->text = bigger;
        out->cap = cap;
    }
    return out->text + out->len;
}

static void put(page *out, const char *text, size_t n)
{
    memcpy(room(out, n), text, n);
    out->len += n;
}

static void say(page *out, const char *text)
{
    put(out, text, strlen(text));
}

static void number(page *out, uint64_t n)
{
    char digits[JK_DECIMAL_ROOM];
    jk_span s = jk_span_decimal(digits, n);

    put(out, (const char *)s.p, s.len);
}

/* Microseconds as seconds. */
static void seconds(page *out, uint64_t us)
{
    char six[6];
    uint64_t part = us % 1000000;

    number(out, us / 1000000);
    if (part == 0)
        return;
    for (int i = 5; i >= 0; i--, part /= 10)
        six[i] = (char)('0' + part % 10);
    say(out, ".");
    put(out, six, sizeof six);
}

static frame new_frame(page *out, const metric *m, const subject *s, const char *suffix, const char *value)
{
    const char *open = s->labels.len || value ? "{" : "", *close = *open ? "} " : " ", *comma = s->labels.len ? "," : "";
    const char *tail = value ? apr_pstrcat(out->p, comma, m->label, "=\"", value, "\"", close, NULL) : close;

    return (frame){ jk_span_of(apr_pstrcat(out->p, m->name, suffix, open, NULL)), jk_span_of(tail) };
}

/* The first subject makes them. */
static const frame *next_frame(page *out, const metric *m, const subject *s, const char *suffix, const char *value)
{
    unsigned n = out->next++;

    if (n == out->made && n < FRAMES_MOST)
        out->frames[out->made++] = new_frame(out, m, s, suffix, value);
    return &out->frames[n < FRAMES_MOST ? n : 0];
}

static char *copied(char *to, jk_span text)
{
    if (text.len)
        memcpy(to, text.p, text.len);
    return to + text.len;
}

/* Up to the value: name, suffix, labels. Of a metric each subject has the same samples in the same order. */
static void begin_sample(page *out, const metric *m, const subject *s, const char *suffix, const char *value)
{
    const frame *f = next_frame(out, m, s, suffix, value);
    char *at = room(out, f->head.len + s->labels.len + f->tail.len);

    at = copied(copied(copied(at, f->head), s->labels), f->tail);
    out->len = (size_t)(at - out->text);
}

static void end_sample(page *out, uint64_t n)
{
    char *at = room(out, JK_DECIMAL_ROOM + 1), digits[JK_DECIMAL_ROOM];

    if (n < 10)
        *at++ = (char)('0' + n);
    else
        at = copied(at, jk_span_decimal(digits, n));
    *at++ = '\n';
    out->len = (size_t)(at - out->text);
}

static void sample(page *out, const metric *m, const subject *s, const char *value, uint64_t n)
{
    begin_sample(out, m, s, m->type == COUNTER ? "_total" : m->type == INFO ? "_info" : "", value);
    end_sample(out, n);
}

/* ---- what the samples are ---- */

static void of_count(page *out, const metric *m, const subject *s)
{
    sample(out, m, s, NULL, s->facts->all.count[m->which]);
}

static void each_class(page *out, const metric *m, const subject *s, const uint64_t answers[JK_STAT_CLASSES])
{
    static const char *const classes[JK_STAT_CLASSES] = { "other", "1xx", "2xx", "3xx", "4xx", "5xx" };

    for (int i = 0; i < JK_STAT_CLASSES; i++)
        sample(out, m, s, classes[i], answers[i]);
}

static void of_answers(page *out, const metric *m, const subject *s)
{
    each_class(out, m, s, s->facts->all.answers);
}

static const struct {
    jk_rc rc;
    const char *word;
} failures[] = { { JK_E_CLIENT_READ, "client_read" }, { JK_E_CLIENT_WRITE, "client_write" }, { JK_E_CLIENT_ABORT, "client_abort" },
                 { JK_E_RESOLVE, "resolve" },         { JK_E_CONNECT, "connect" },           { JK_E_PING, "ping" },
                 { JK_E_SEND, "send" },               { JK_E_RECV, "receive" },              { JK_E_TIMEOUT, "reply_timeout" },
                 { JK_E_FRAME, "frame" },             { JK_E_PAYLOAD, "payload" },           { JK_E_SPACE, "too_large" },
                 { JK_E_BUSY, "busy" },               { JK_E_STATUS, "status" },             { JK_E_CONF, "configuration" },
                 { JK_E_MEMORY, "memory" },           { JK_E_SHORT, "descriptors" } };
#define FAILURES (sizeof failures / sizeof failures[0])
_Static_assert(FAILURES == JK_RC_COUNT - 2, "an outcome without a word");

static void each_failure(page *out, const metric *m, const subject *s, const uint64_t failed[JK_RC_COUNT])
{
    for (size_t i = 0; i < FAILURES; i++)
        sample(out, m, s, failures[i].word, failed[failures[i].rc]);
}

static void of_failures(page *out, const metric *m, const subject *s)
{
    each_failure(out, m, s, s->facts->all.failed);
}

static const struct {
    const char *word, *words;
} closings[JK_STAT_CLOSED] = { [JK_CLOSE_EXIT] = { "process_ended", "the httpd process that had it ended" },
                               [JK_CLOSE_DEAD] = { "dead", "it was idle, and the container had closed it, had written to it, or owed a CPong" },
                               [JK_CLOSE_AGED] = { "aged", "it was idle for longer than connection_pool_timeout, or made room for others" },
                               [JK_CLOSE_FAILED] = { "failed", "an attempt on it failed, or was broken off" },
                               [JK_CLOSE_CONTAINER] = { "container", "the container said that it may not be used again" },
                               [JK_CLOSE_UNWANTED] = { "no_reuse", "nobody wants it: JkOptions DisableReuse, another address, or a member that was removed" } };

static void of_closed(page *out, const metric *m, const subject *s)
{
    for (int i = 0; i < JK_STAT_CLOSED; i++)
        sample(out, m, s, closings[i].word, s->facts->all.closed[i]);
}

/* Cumulative, as the formats have it. */
static void histogram(page *out, const metric *m, const subject *s, const jk_stat_histogram *h)
{
    static const char *const bounds[JK_STAT_BUCKETS] = { "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1",  "0.2",
                                                         "0.5",   "1.0",   "2.0",   "5.0",  "10.0", "30.0", "60.0", "+Inf" };
    uint64_t n = 0;

    for (int i = 0; i < JK_STAT_BUCKETS; i++) {
        n += h->bucket[i];
        begin_sample(out, m, s, "_bucket", bounds[i]);
        end_sample(out, n);
    }
    begin_sample(out, m, s, "_count", NULL);
    end_sample(out, n);
    begin_sample(out, m, s, "_sum", NULL);
    seconds(out, h->sum);
    say(out, "\n");
}

static void of_time(page *out, const metric *m, const subject *s)
{
    histogram(out, m, s, &s->facts->all.time[m->which]);
}

/* of_number()'s */
enum { BUSY, MOST_BUSY, WAITING, OPEN, MOST_OPEN, IDLE, LAST_ERROR, FACTOR, DISTANCE, BUSY_LIMIT, MOST_CONNECTIONS, GENERATION, STALE, MOST_PARKED,
       PARKED_CHILDREN, WAKES };

static uint64_t number_of(int which, const subject *s)
{
    switch (which) {
    case BUSY:
        return s->facts->now.busy;
    case MOST_BUSY:
        return s->facts->now.max_busy;
    case WAITING:
        return s->facts->now.waiting;
    case OPEN:
        return s->facts->now.connected;
    case MOST_OPEN:
        return s->facts->now.max_connected;
    case IDLE:
        return s->facts->now.idle;
    case LAST_ERROR:
        return s->facts->last_error > 0 ? (uint64_t)s->facts->last_error : 0;
    case FACTOR:
        return s->facts->tune.lbfactor > 0 ? (uint64_t)s->facts->tune.lbfactor : 0;
    case DISTANCE:
        return s->facts->tune.distance > 0 ? (uint64_t)s->facts->tune.distance : 0;
    case BUSY_LIMIT:
        return s->facts->tune.busy_limit > 0 ? (uint64_t)s->facts->tune.busy_limit : 0;
    case MOST_CONNECTIONS:
        return s->facts->tune.max_connections > 0 ? (uint64_t)s->facts->tune.max_connections : 0;
    case GENERATION:
        return s->from->generation;
    case STALE:
        return s->from->stale;
    case MOST_PARKED:
        return s->parked.most;
    case PARKED_CHILDREN:
        return s->parked.children;
    default:
        return s->parked.wakes;
    }
}

static void of_number(page *out, const metric *m, const subject *s)
{
    sample(out, m, s, NULL, number_of(m->which, s));
}

static void of_states(page *out, const metric *m, const subject *s)
{
    static const char *const states[JK_STATES] = { [JK_STATE_IDLE] = "idle", [JK_STATE_OK] = "ok",     [JK_STATE_REC] = "recovering",
                                                   [JK_STATE_FRC] = "forced", [JK_STATE_BUSY] = "busy", [JK_STATE_ERR] = "error",
                                                   [JK_STATE_PRB] = "probing" };

    for (int i = 0; i < JK_STATES; i++)
        sample(out, m, s, states[i], (int)s->facts->state == i);
}

static void of_activation(page *out, const metric *m, const subject *s)
{
    static const char *const words[] = { [JK_ACTIVE] = "active", [JK_DISABLED] = "disabled", [JK_STOPPED] = "stopped" };

    for (int i = 0; i < 3; i++)
        sample(out, m, s, words[i], s->facts->tune.activation == i);
}

static void of_build(page *out, const metric *m, const subject *s)
{
    sample(out, m, s, s->from->version, 1);
}

static void of_parked(page *out, const metric *m, const subject *s)
{
    for (int i = 0; i < JK_PARK_WAITS; i++)
        sample(out, m, s, jk_gauges_waits[i].name, s->parked.now[i]);
}

static void of_reasons(page *out, const metric *m, const subject *s)
{
    for (int i = 0; i < JK_PARK_REASONS; i++)
        sample(out, m, s, jk_gauges_reasons[i].name, s->parked.fell_back[i]);
}

/* ---- of mounts ---- */

enum { DONE, UNDER_WAY, ERRORS, SENT, RECEIVED };

static uint64_t mount_number(int which, const jk_tally_numbers *n)
{
    switch (which) {
    case DONE:
        return n->requests;
    case UNDER_WAY:
        return n->busy;
    case ERRORS:
        return n->errors;
    case SENT:
        return n->written;
    default:
        return n->read;
    }
}

/* Of those that nobody has asked yet there are hundreds: each has two samples. */
static bool is_used(const subject *s)
{
    return s->mount->requests > 0;
}

static void of_mount(page *out, const metric *m, const subject *s)
{
    if (m->which == DONE || m->which == UNDER_WAY || is_used(s))
        sample(out, m, s, NULL, mount_number(m->which, s->mount));
}

static void of_mount_answers(page *out, const metric *m, const subject *s)
{
    if (is_used(s))
        each_class(out, m, s, s->mount->answers);
}

static void of_mount_failures(page *out, const metric *m, const subject *s)
{
    if (is_used(s))
        each_failure(out, m, s, s->mount->failed);
}

static void of_mount_time(page *out, const metric *m, const subject *s)
{
    if (is_used(s))
        histogram(out, m, s, &s->mount->total);
}

/* ---- the table ---- */

#define ALL_WORKERS (OF_WORKER | OF_MEMBER)

static const metric metrics[] = {
    { OF_SERVER, INFO, "jk_build", "", of_build, 0, "version", "Version of mod_jk." },
    { OF_SERVER, GAUGE, "jk_config_generation", "", of_number, GENERATION, NULL, "Generation of httpd's configuration: each restart adds one." },
    { OF_SERVER, GAUGE, "jk_config_stale", "", of_number, STALE, NULL,
      "1 if the newest configuration of the workers is broken and the last good one is in force." },
    { OF_SERVER, GAUGE, "jk_parked_requests", "", of_parked, 0, "waits_for", "Requests that wait without a thread, by what they wait for." },
    { OF_SERVER, GAUGE, "jk_parked_requests_max", "", of_number, MOST_PARKED, NULL,
      "Most requests that waited without a thread at once in one process: compare it with JkParkMax." },
    { OF_SERVER, GAUGE, "jk_parked_processes", "", of_number, PARKED_CHILDREN, NULL, "Processes in which a request waits without a thread now." },
    { OF_SERVER, COUNTER, "jk_parked_wakes", "", of_number, WAKES, NULL, "Times that a request went on after it had waited without a thread." },
    { OF_SERVER, COUNTER, "jk_park_refused", "", of_reasons, 0, "reason", "Requests that had to keep their thread while they waited, by the reason." },

    { OF_BALANCER, COUNTER, "jk_balancer_requests", "", of_count, JK_COUNT_SERVED, NULL, "Requests, failed ones too." },
    { OF_BALANCER, COUNTER, "jk_balancer_failures", "", of_failures, 0, "kind", "Requests that failed, after all attempts, by what happened." },
    { OF_BALANCER, COUNTER, "jk_balancer_failovers", "", of_count, JK_COUNT_RETRIES, NULL, "Requests that went on to another member, each time." },
    { OF_BALANCER, COUNTER, "jk_balancer_resends", "", of_count, JK_COUNT_RESENDS, NULL,
      "Requests that were sent to another member after one had got them." },
    { OF_BALANCER, COUNTER, "jk_balancer_budget_refusals", "", of_count, JK_COUNT_REFUSALS, NULL, "Resends that retry_budget did not allow." },
    { OF_BALANCER, GAUGE, "jk_balancer_requests_in_progress", "", of_number, BUSY, NULL, "Requests that are under way." },
    { OF_BALANCER, GAUGE, "jk_balancer_requests_in_progress_max", "", of_number, MOST_BUSY, NULL, "Most at once since the last reset." },
    { OF_BALANCER, HISTOGRAM, "jk_balancer_duration_seconds", "seconds", of_time, JK_TIME_TOTAL, "le",
      "Time of requests with all their attempts and waits." },

    { ALL_WORKERS, COUNTER, "jk_worker_requests", "", of_count, JK_COUNT_SERVED, NULL, "Requests that were given to this worker, failed ones too." },
    { ALL_WORKERS, COUNTER, "jk_worker_answers", "", of_answers, 0, "code", "Answers of the container by the class of their status." },
    { ALL_WORKERS, COUNTER, "jk_worker_failures", "", of_failures, 0, "kind", "Attempts that failed, by what happened." },
    { ALL_WORKERS, COUNTER, "jk_worker_errors", "", of_count, JK_COUNT_ERRORS, NULL, "Failures that count against the worker's state." },
    { ALL_WORKERS, COUNTER, "jk_worker_retries", "", of_count, JK_COUNT_RETRIES, NULL, "Further attempts at the same worker." },
    { ALL_WORKERS, COUNTER, "jk_worker_resends", "", of_count, JK_COUNT_RESENDS, NULL,
      "Requests that were sent to it once more after it had got them." },
    { ALL_WORKERS, COUNTER, "jk_worker_rejects", "", of_count, JK_COUNT_REJECTS, NULL,
      "Answers after which the container closed the connection: its connector refused the request, most often." },
    { ALL_WORKERS, COUNTER, "jk_worker_sessions", "", of_count, JK_COUNT_SESSIONS, NULL, "Requests without a session that the balancer sent here." },
    { ALL_WORKERS, COUNTER, "jk_worker_sent_bytes", "bytes", of_count, JK_COUNT_WRITTEN, NULL, "Bytes sent to the container." },
    { ALL_WORKERS, COUNTER, "jk_worker_received_bytes", "bytes", of_count, JK_COUNT_READ, NULL, "Bytes received from the container." },
    { ALL_WORKERS, GAUGE, "jk_worker_requests_in_progress", "", of_number, BUSY, NULL, "Requests that are under way, those that wait too." },
    { ALL_WORKERS, GAUGE, "jk_worker_requests_in_progress_max", "", of_number, MOST_BUSY, NULL, "Most at once since the last reset." },
    { ALL_WORKERS, GAUGE, "jk_worker_requests_in_progress_limit", "", of_number, BUSY_LIMIT, NULL, "busy_limit; 0: there is none." },
    { ALL_WORKERS, GAUGE, "jk_worker_requests_queued", "", of_number, WAITING, NULL, "Requests that wait for a connection, or for their next attempt." },
    { ALL_WORKERS, GAUGE, "jk_worker_connections_open", "", of_number, OPEN, NULL, "Connections that are open or being made." },
    { ALL_WORKERS, GAUGE, "jk_worker_connections_open_max", "", of_number, MOST_OPEN, NULL, "Most at once since the last reset." },
    { ALL_WORKERS, GAUGE, "jk_worker_connections_open_limit", "", of_number, MOST_CONNECTIONS, NULL, "max_connections; 0: there is none." },
    { ALL_WORKERS, GAUGE, "jk_worker_connections_idle", "", of_number, IDLE, NULL, "Connections that no request has." },
    { ALL_WORKERS, COUNTER, "jk_worker_connections_created", "", of_count, JK_COUNT_CONNECTS, NULL, "Connections that were made." },
    { ALL_WORKERS, COUNTER, "jk_worker_connections_closed", "", of_closed, 0, "reason", "Connections that were closed, by the reason." },
    { ALL_WORKERS, HISTOGRAM, "jk_worker_connect_seconds", "seconds", of_time, JK_TIME_CONNECT, "le",
      "Time that connecting took, where it succeeded; without a CPing." },
    { ALL_WORKERS, HISTOGRAM, "jk_worker_first_byte_seconds", "seconds", of_time, JK_TIME_FIRST, "le",
      "Time from the last byte of the request to the head of the answer." },
    { ALL_WORKERS, HISTOGRAM, "jk_worker_duration_seconds", "seconds", of_time, JK_TIME_TOTAL, "le",
      "Time of requests at this worker, with its attempts and waits, until the answer's last byte." },
    { ALL_WORKERS, STATES, "jk_worker_state", "", of_states, 0, "jk_worker_state", "State of the worker." },
    { ALL_WORKERS, GAUGE, "jk_worker_last_error_timestamp_seconds", "seconds", of_number, LAST_ERROR, NULL,
      "When it failed last, in seconds since 1970; 0: it has not, or is well again." },
    { OF_MEMBER, STATES, "jk_worker_activation", "", of_activation, 0, "jk_worker_activation", "Whether the balancer may send requests there." },
    { OF_MEMBER, GAUGE, "jk_worker_lbfactor", "", of_number, FACTOR, NULL, "lbfactor in force." },
    { OF_MEMBER, GAUGE, "jk_worker_distance", "", of_number, DISTANCE, NULL, "distance in force." },

    { OF_MOUNT, COUNTER, "jk_mount_requests", "", of_mount, DONE, NULL, "Requests that the mount had mapped and that are over, failed ones too." },
    { OF_MOUNT, COUNTER, "jk_mount_errors", "", of_mount, ERRORS, NULL,
      "Those that failed, or were answered with 5xx; not those that the client broke off." },
    { OF_MOUNT, COUNTER, "jk_mount_answers", "", of_mount_answers, 0, "code", "Answers of containers by the class of their status." },
    { OF_MOUNT, COUNTER, "jk_mount_failures", "", of_mount_failures, 0, "kind", "Requests that failed, after all attempts, by what happened." },
    { OF_MOUNT, COUNTER, "jk_mount_sent_bytes", "bytes", of_mount, SENT, NULL, "Bytes sent to containers." },
    { OF_MOUNT, COUNTER, "jk_mount_received_bytes", "bytes", of_mount, RECEIVED, NULL, "Bytes received from containers." },
    { OF_MOUNT, GAUGE, "jk_mount_requests_in_progress", "", of_mount, UNDER_WAY, NULL, "Requests that are under way." },
    { OF_MOUNT, HISTOGRAM, "jk_mount_duration_seconds", "seconds", of_mount_time, 0, "le", "Time of requests with all their attempts and waits." },
};

#define METRICS (sizeof metrics / sizeof metrics[0])

/* ---- the subjects ---- */

/* Bytes of the UTF-8 character at s; 0: none is there. */
static size_t character(const unsigned char *s)
{
    size_t n = *s < 0x80 ? 1 : *s >= 0xC2 && *s < 0xE0 ? 2 : (*s & 0xF0) == 0xE0 ? 3 : *s >= 0xF0 && *s < 0xF5 ? 4 : 0;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return (*s == 0xE0 && s[1] < 0xA0) || (*s == 0xED && s[1] > 0x9F) || (*s == 0xF0 && s[1] < 0x90) || (*s == 0xF4 && s[1] > 0x8F) ? 0 : n;
}

/* A label's value: what the formats escape is escaped, and what is no UTF-8 becomes a question mark. */
static const char *escaped(apr_pool_t *p, const char *text)
{
    char *out = apr_palloc(p, 2 * strlen(text) + 1), *at = out;

    for (size_t n; *text; text += n) {
        n = character((const unsigned char *)text);
        if (*text == '"' || *text == '\\' || *text == '\n') {
            *at++ = '\\';
            *at++ = *text == '\n' ? 'n' : *text;
        } else {
            memcpy(at, n ? text : "?", n ? n : 1);
            at += n ? n : 1;
        }
        n = n ? n : 1;
    }
    *at = '\0';
    return out;
}

static const facts *look_at(apr_pool_t *p, const jk_stat *stat)
{
    facts *f = apr_palloc(p, sizeof *f);

    f->now = jk_stat_read(stat);
    jk_stat_totals_read(stat, &f->all);
    f->state = jk_stat_state(stat);
    f->last_error = jk_stat_view(stat).last_error;
    jk_stat_tune_read(stat, &f->tune);
    return f;
}

static void add(apr_array_header_t *all, enum scope is, const jk_worker *worker, const char *balancer)
{
    subject *s = apr_array_push(all);
    apr_pool_t *p = all->pool;
    const char *name = escaped(p, worker->name);

    *s = (subject){ .is = is, .facts = look_at(p, jk_manage_stat(worker)) };
    if (is == OF_BALANCER)
        s->labels = jk_span_of(apr_pstrcat(p, "balancer=\"", name, "\"", NULL));
    else
        s->labels = jk_span_of(apr_pstrcat(p, "worker=\"", name, "\",balancer=\"", escaped(p, balancer), "\"", NULL));
}

static void add_mount(apr_array_header_t *all, const jk_metrics_mount *mount)
{
    subject *s = apr_array_push(all);
    apr_pool_t *p = all->pool;
    jk_tally_numbers *n = apr_palloc(p, sizeof *n);

    jk_tally_read(mount->tally, n);
    *s = (subject){ .is = OF_MOUNT, .mount = n };
    s->labels = jk_span_of(apr_pstrcat(p, "vhost=\"", escaped(p, mount->vhost), "\",mount=\"", escaped(p, mount->mount), "\",worker=\"",
                                       escaped(p, mount->worker), "\"", NULL));
}

/* The server, each listed worker, the members behind their balancer, the mounts. */
static apr_array_header_t *subjects(apr_pool_t *p, const jk_metrics_from *from)
{
    apr_array_header_t *all = apr_array_make(p, 128, sizeof(subject));
    subject *server = apr_array_push(all);

    *server = (subject){ .is = OF_SERVER, .labels = JK_SPAN_LIT(""), .from = from };
    if (from->shm)
        server->parked = jk_gauges_read(from->shm);
    for (size_t i = 0; i < jk_registry_count(from->registry); i++) {
        const jk_worker *worker = jk_registry_at(from->registry, i);
        size_t n = jk_manage_members(worker);
        if (jk_manage_stat(worker))
            add(all, n ? OF_BALANCER : OF_WORKER, worker, "");
        for (size_t k = 0; k < n; k++)
            if (jk_manage_member(worker, k))
                add(all, OF_MEMBER, jk_manage_place(worker, k), worker->name);
    }
    for (int i = 0; from->mounts && i < from->mounts->nelts; i++)
        add_mount(all, &APR_ARRAY_IDX(from->mounts, i, jk_metrics_mount));
    return all;
}

/* ---- the whole ---- */

static const char *const types[][2] = { [COUNTER] = { "counter", "counter" }, [GAUGE] = { "gauge", "gauge" },
                                        [HISTOGRAM] = { "histogram", "histogram" }, [STATES] = { "gauge", "stateset" },
                                        [INFO] = { "gauge", "info" } };

static void head_line(page *out, const char *what, const metric *m, const char *words)
{
    say(out, what);
    say(out, m->name);
    if (out->form == JK_METRICS_TEXT)
        say(out, m->type == COUNTER ? "_total" : m->type == INFO ? "_info" : "");
    say(out, " ");
    say(out, words);
    say(out, "\n");
}

static void one_metric(page *out, const metric *m, const apr_array_header_t *all)
{
    head_line(out, "# HELP ", m, m->help);
    head_line(out, "# TYPE ", m, types[m->type][out->form]);
    if (*m->unit && out->form == JK_METRICS_OPEN)
        head_line(out, "# UNIT ", m, m->unit);
    out->made = 0;
    for (int i = 0; i < all->nelts; i++) {
        const subject *s = &APR_ARRAY_IDX(all, i, subject);
        out->next = 0;
        if (m->scope & s->is)
            m->samples(out, m, s);
    }
}

jk_span jk_metrics_write(apr_pool_t *p, const jk_metrics_from *from, jk_metrics_form form)
{
    const apr_array_header_t *all = subjects(p, from);
    page out = { .p = p, .cap = 16384 + (size_t)all->nelts * 16384, .form = form };

    out.text = apr_palloc(p, out.cap);
    for (size_t i = 0; i < METRICS; i++)
        one_metric(&out, &metrics[i], all);
    if (form == JK_METRICS_OPEN)
        say(&out, "# EOF\n");
    return (jk_span){ (const uint8_t *)out.text, out.len };
}

const char *jk_metrics_type(jk_metrics_form form)
{
    return form == JK_METRICS_OPEN ? JK_METRICS_OPEN_TYPE : "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- Accept (RFC 9110, 12.5.1) ---- */

/* "0.75" as 750; what is no such number wants nothing. */
static int thousandths(jk_span q)
{
    int n = 0, unit = 1000;

    for (size_t i = 0; i < q.len && unit > 0; i++) {
        if (i == 1 && q.p[i] == '.')
            continue;
        if (q.p[i] < '0' || q.p[i] > '9')
            return 0;
        n += (q.p[i] - '0') * unit;
        unit /= 10;
    }
    return n < 1000 ? n : 1000;
}

/* Up to the separator, without the blanks around it; the rest stays in *list. */
static jk_span next(jk_span *list, char separator)
{
    const uint8_t *at = memchr(list->p, separator, list->len);
    jk_span one = { list->p, at ? (size_t)(at - list->p) : list->len };

    list->p += one.len + (at != NULL);
    list->len -= one.len + (at != NULL);
    for (; one.len && (*one.p == ' ' || *one.p == '\t'); one.p++)
        one.len--;
    while (one.len && (one.p[one.len - 1] == ' ' || one.p[one.len - 1] == '\t'))
        one.len--;
    return one;
}

/* How much one range wants the format whose only version is `version`. */
static int weight(jk_span parameters, jk_span version)
{
    int q = 1000;

    while (parameters.len) {
        jk_span value = next(&parameters, ';'), name = next(&value, '=');
        if (jk_span_ieq(name, JK_SPAN_LIT("q")))
            q = thousandths(value);
        else if (jk_span_ieq(name, JK_SPAN_LIT("version")) && !jk_span_eq(value, version))
            return 0;
    }
    return q;
}

jk_metrics_form jk_metrics_wanted(const char *accept)
{
    jk_span list = accept ? jk_span_of(accept) : JK_SPAN_LIT("");
    int open = 0, text = 0;

    while (list.len) {
        jk_span range = next(&list, ','), name = next(&range, ';');
        int *whose = jk_span_ieq(name, JK_SPAN_LIT("application/openmetrics-text")) ? &open : jk_span_ieq(name, JK_SPAN_LIT("text/plain")) ? &text : NULL;
        int q = weight(range, whose == &open ? JK_SPAN_LIT("1.0.0") : JK_SPAN_LIT("0.0.4"));
        if (whose && q > *whose)
            *whose = q;
    }
    return open > 0 && open >= text ? JK_METRICS_OPEN : JK_METRICS_TEXT;
}

/* ---- the manual ---- */

static const char manual_head[] =
    "# Metrics\n\n"
    "Made by `tools/list-metrics` from the table in `native/status/metrics.c`: edit that, not this page.\n\n"
    "    <Location /jk-metrics>\n"
    "        SetHandler jk-metrics\n"
    "        Require local\n"
    "    </Location>\n\n"
    "A client that asks for `application/openmetrics-text` (Prometheus does) gets OpenMetrics 1.0, any other the text format 0.0.4: the same\n"
    "samples. A status worker has them too, as `?mime=openmetrics`. The numbers are of all processes together, and it does not matter which one\n"
    "answers. What is counted is never taken back: not by a graceful restart, not by a child that ends or is killed, and not by `reset` on the\n"
    "status page, after which only the maxima begin anew; a full stop and start begins at 0. A killed child may have counted a request that got\n"
    "no answer.\n\n"
    "The label `worker` is the worker's name, `balancer` that of the balancer whose member it is (empty: none). Where there is a further label\n"
    "it stands in the table; a state has one sample for each value, and that of now is 1. `conf/grafana-dashboard.json` is a dashboard of all this.\n\n"
    "A mount has the labels `vhost`, `mount` and `worker`: the server that it is written in (as on the status page), its URI as it is written,\n"
    "and the worker that it names. It counts each request once that the module has taken for it, when the request is over; what virtual hosts have taken over\n"
    "by JkMountCopy is counted where it is written. A mount that a rule file (JkMountFile) loses and gets back goes on where it was. Mounts of a\n"
    "status worker, exclusions, and requests that JK_WORKER_NAME and no mount gave to a worker are not counted here. There are places for 512\n"
    "mounts: all others are counted as one, `mount=\"other\"`, and `httpd -t` says so. A mount that has had no request yet has its\n"
    "`jk_mount_requests_total` and `jk_mount_requests_in_progress` alone.\n\n"
    "| metric | type | of | label | |\n|---|---|---|---|---|\n";

static const char *words_of_scope(unsigned scope)
{
    static const struct { unsigned scope; const char *words; } rows[] = { { OF_SERVER, "server" }, { OF_BALANCER, "balancers" },
                                                                          { OF_MEMBER, "members" }, { OF_MOUNT, "mounts" } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].scope == scope)
            return rows[i].words;
    return "workers and members";
}

static void manual_line(page *out, const metric *m)
{
    say(out, "| `");
    say(out, m->name);
    say(out, m->type == COUNTER ? "_total" : m->type == INFO ? "_info" : "");
    say(out, "` | ");
    say(out, types[m->type][JK_METRICS_OPEN]);
    say(out, " | ");
    say(out, words_of_scope(m->scope));
    say(out, " | ");
    if (m->label) {
        say(out, "`");
        say(out, m->label);
        say(out, "`");
    }
    say(out, " | ");
    say(out, m->help);
    say(out, " |\n");
}

static void manual_list(page *out, const char *name, const char *words)
{
    say(out, "| `");
    say(out, name);
    say(out, "` | ");
    say(out, words);
    say(out, " |\n");
}

jk_span jk_metrics_manual(apr_pool_t *p)
{
    page out = { .p = p, .cap = 16384 };

    out.text = apr_palloc(p, out.cap);
    say(&out, manual_head);
    for (size_t i = 0; i < METRICS; i++)
        manual_line(&out, &metrics[i]);
    say(&out, "\nTimes fall into buckets up to 1, 2, 5, 10, 20, 50, 100, 200 and 500 ms, 1, 2, 5, 10, 30 and 60 s, and above. One bucket's bound is in\n"
              "it.\n\n| kind of failure | |\n|---|---|\n");
    for (size_t i = 0; i < FAILURES; i++)
        manual_list(&out, failures[i].word, jk_outcome_words(failures[i].rc));
    say(&out, "\n| connections closed | |\n|---|---|\n");
    for (int i = 0; i < JK_STAT_CLOSED; i++)
        manual_list(&out, closings[i].word, closings[i].words);
    say(&out, "\n| parked: waits for | |\n|---|---|\n");
    for (int i = 0; i < JK_PARK_WAITS; i++)
        manual_list(&out, jk_gauges_waits[i].name, jk_gauges_waits[i].words);
    say(&out, "\n| parking refused | |\n|---|---|\n");
    for (int i = 0; i < JK_PARK_REASONS; i++)
        manual_list(&out, jk_gauges_reasons[i].name, jk_gauges_reasons[i].words);
    return (jk_span){ (const uint8_t *)out.text, out.len };
}
