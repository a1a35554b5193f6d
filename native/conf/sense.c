/* native/conf/sense.c - looks at everything once more when all workers are made: keys that are meant and are none, names, units that were
 * mixed up, timeouts that contradict one another, members that are one container, workers that nothing uses. It only tells: none
 * of this is a reason to refuse a configuration that has always worked, unless somebody asks for that (JkStrict). */
#include "sense.h"

#include "jk/conf/values.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <strings.h>

#define NEAR_MOST 500 /* names: beyond that nobody is asked whom he meant */
#define SAME_MOST 5   /* members that are one container, of which it is told */

static const jk_prop *line_of(const jk_parse *ps, const jk_worker_conf *one, const char *attr)
{
    return jk_keys_written(one, attr) ? jk_source_last(ps, one->name, attr) : NULL;
}

/* ---- keys that are none ---- */

/* The key that this variable is a slip of the finger for; NULL: it is a variable. */
static const char *meant(apr_pool_t *p, const char *key)
{
    static const char *const first[] = { "worker" }, *const globals[] = { "list", "maintain" };
    static const char *const wholes[] = { "worker.list", "worker.maintain" };
    const char *dot = strchr(key, '.'), *last = strrchr(key, '.');
    bool old;

    if (dot == NULL)
        return jk_findings_nearest(key, wholes, 2);
    if (jk_findings_nearest(apr_pstrmemdup(p, key, (apr_size_t)(dot - key)), first, 1) == NULL)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (strcasecmp(dot + 1, globals[i]) == 0)
            return wholes[i];
    if (last > dot && jk_keys_find(last + 1, &old))
        return apr_pstrcat(p, "worker", dot, NULL);
    const char *near = last == dot ? jk_findings_nearest(dot + 1, globals, 2) : NULL;
    return near ? apr_pstrcat(p, "worker.", near, NULL) : NULL;
}

static void check_variable(jk_parse *ps, const jk_prop *prop)
{
    const char *key;
    bool old;

    if (prop->line == 0 || strncmp(prop->key, "worker.", 7) == 0 || jk_props_used(ps->props, prop->key))
        return;
    key = meant(ps->p, prop->key);
    if (key)
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(prop), "'%s' is no key of mod_jk but a variable, and nothing uses it; "
                        "did you mean '%s'?", prop->key, key);
    else if (jk_keys_find(prop->key, &old))
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(prop), "'%s' is a variable, and nothing uses it; an attribute is written "
                        "worker.NAME.%s", prop->key, prop->key);
}

static void check_variables(jk_parse *ps)
{
    for (int i = 0; i < ps->props->all->nelts; i++)
        check_variable(ps, &APR_ARRAY_IDX(ps->props->all, i, jk_prop));
}

/* ---- names ---- */

/* What a name should not hold; '\0': it is fine. */
static unsigned char odd_byte(const char *name)
{
    for (; *name; name++)
        if (!apr_isalnum(*name) && strchr("-_.", *name) == NULL)
            return (unsigned char)*name;
    return '\0';
}

static void check_name(jk_parse *ps, const jk_worker_conf *one)
{
    const unsigned char odd = odd_byte(one->name);
    const char *shown = jk_source_shown(ps, one->name);

    if (odd == '\0' || odd == '"') /* what stands in quotes is told */
        return;
    if (odd == ';' || odd == '|' || odd == ':')
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(one), "'%s' is one name here; allowed between names: ',' or a blank", shown);
    else
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(one), "the worker's name '%s' holds %s; allowed: letters, digits, '-', '_' and '.'",
                        shown,
                        odd < 0x80 ? apr_psprintf(ps->p, "'%c'", odd) : apr_psprintf(ps->p, "a byte that is no ASCII (0x%02x)", odd));
}

/* ---- units ---- */

/* Numbers without a unit that are likely to be meant in the other one: nobody pings for 10 ms, or keeps a connection for a week. */
static const struct {
    const char *attr;
    int32_t below, above; /* what is odd; 0: nothing is */
    const char *unit, *meant;
} odd_times[] = {
    { "socket_timeout", 0, 7200, "s", "ms" },          { "connection_pool_timeout", 0, 36000, "s", "ms" },
    { "connection_ping_interval", 0, 36000, "s", "ms" }, { "recover_time", 0, 7200, "s", "ms" },
    { "socket_connect_timeout", 100, 0, "ms", "s" },   { "connect_timeout", 100, 0, "ms", "s" },
    { "prepost_timeout", 100, 0, "ms", "s" },          { "ping_timeout", 100, 0, "ms", "s" },
    { "reply_timeout", 100, 0, "ms", "s" },
};

static void check_units(jk_parse *ps, const jk_worker_conf *one)
{
    for (size_t i = 0; i < sizeof odd_times / sizeof odd_times[0]; i++) {
        const jk_prop *prop = line_of(ps, one, odd_times[i].attr);
        if (prop == NULL || prop->hidden || strlen(prop->value) > 9 || prop->value[strspn(prop->value, "0123456789")] != '\0')
            continue;
        int n = atoi(prop->value);
        if (n > 0 && (n < odd_times[i].below || (odd_times[i].above && n > odd_times[i].above)))
            jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(prop), "%s=%d means %d %s; did you mean %d%s? If not, write %d%s", prop->key, n, n,
                            odd_times[i].unit, n, odd_times[i].meant, n, odd_times[i].unit);
    }
}

/* ---- timeouts ---- */

static void check_ping_and_reply(jk_parse *ps, const jk_worker_conf *one, const char *attr, int32_t ping)
{
    const jk_prop *prop = line_of(ps, one, attr);

    if (prop && ping > one->tune.reply_timeout)
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(prop), "%s=%d is longer than reply_timeout=%d: the container gets less time for an "
                        "answer than for a ping; make the one shorter or the other longer", prop->key, ping, one->tune.reply_timeout);
}

static void check_reply(jk_parse *ps, const jk_worker_conf *one)
{
    if (one->tune.reply_timeout <= 0 || line_of(ps, one, "reply_timeout") == NULL)
        return;
    check_ping_and_reply(ps, one, "prepost_timeout", one->tune.prepost_timeout);
    check_ping_and_reply(ps, one, "connect_timeout", one->tune.connect_timeout);
}

static void check_pings(jk_parse *ps, const jk_worker_conf *one)
{
    const jk_tune *t = &one->tune;
    const jk_prop *prop = line_of(ps, one, "ping_timeout");

    if (prop && one->ping_mode == 0 && t->connect_timeout <= 0 && t->prepost_timeout <= 0 && t->connection_ping_interval <= 0)
        jk_findings_add(ps->found, one->safe_ping ? JK_FIND_INFO : JK_FIND_WARN, JK_PROP_AT(prop), "%s: nothing asks for a ping%s; ping_mode=A asks "
                        "for all of them", prop->key, one->safe_ping ? " but what may not be sent twice" : ", and it has no effect");
}

/* ---- the container ---- */

static void check_port(jk_parse *ps, const jk_worker_conf *one)
{
    static const int others[] = { 80, 443, 8005, 8080, 8443 };
    const jk_prop *prop = line_of(ps, one, "port");

    if (prop == NULL)
        return;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(prop->value, apr_itoa(ps->p, others[i])) == 0) /* what was garbage is told */
            jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(prop), "port %d is as a rule not Tomcat's AJP connector, but %s; its port "
                            "stands in server.xml, in <Connector protocol=\"AJP/1.3\" port=\"8009\" ../>", others[i],
                            others[i] == 8005 ? "where it is shut down" : "HTTP");
    if (one->tune.port == 0 && one->listed && one->unix_path == NULL)
        jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(prop), "%s=0: the worker has no address yet; its requests are answered with 503",
                        prop->key);
}

static void check_packet(jk_parse *ps, const jk_worker_conf *one)
{
    const jk_prop *prop = line_of(ps, one, "max_packet_size");

    if (prop && one->tune.max_packet_size != 8192)
        jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(prop), "%s: Tomcat's connector needs the same, packetSize=\"%d\"; its default is 8192",
                        prop->key, one->tune.max_packet_size);
}

/* ---- balancers ---- */

static bool is_member(const jk_parse *ps, const jk_worker_conf *one)
{
    for (int i = 0; i < ps->conf->workers->nelts; i++) {
        const jk_worker_conf *lb = APR_ARRAY_IDX(ps->conf->workers, i, const jk_worker_conf *);
        for (int m = 0; m < lb->members->nelts; m++)
            if (strcmp(APR_ARRAY_IDX(lb->members, m, const jk_worker_conf *)->name, one->name) == 0)
                return true;
    }
    return false;
}

static void check_alone(jk_parse *ps, const jk_worker_conf *one)
{
    static const char *const attrs[] = { "lbfactor", "activation", "distance", "domain", "redirect", "disabled", "stopped" };

    for (size_t i = 0; i < sizeof attrs / sizeof attrs[0]; i++) {
        const jk_prop *prop = line_of(ps, one, attrs[i]);
        bool own = prop && strncmp(prop->key + 7, one->name, strlen(one->name)) == 0; /* and not a template's */
        if (own && !is_member(ps, one))
            jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(prop), "'%s' has no effect: worker '%s' is a member of no lb that is in "
                            "worker.list", prop->key, jk_source_shown(ps, one->name));
    }
}

static bool same_container(const jk_worker_conf *a, const jk_worker_conf *b)
{
    if (a->tune.activation != JK_ACTIVE || b->tune.activation != JK_ACTIVE) /* one of them waits */
        return false;
    if (a->unix_path || b->unix_path)
        return a->unix_path && b->unix_path && strcmp(a->unix_path, b->unix_path) == 0;
    return a->tune.port && a->tune.port == b->tune.port && strcasecmp(a->tune.host, b->tune.host) == 0;
}

static const jk_prop *place_of_address(const jk_parse *ps, const jk_worker_conf *lb, const jk_worker_conf *m)
{
    const jk_prop *port = line_of(ps, m, "port"), *host = line_of(ps, m, "host");

    return port ? port : host ? host : jk_source_last(ps, lb->name, "balance_workers");
}

static const char *address(const jk_parse *ps, const jk_worker_conf *m)
{
    const jk_prop *host = line_of(ps, m, "host");

    if (host && host->hidden)
        return "(hidden)";
    return m->unix_path ? m->unix_path : apr_psprintf(ps->p, "%s:%d", m->tune.host, m->tune.port);
}

static void check_addresses(jk_parse *ps, const jk_worker_conf *lb)
{
    int told = 0;

    for (int j = 1; j < lb->members->nelts && told < SAME_MOST; j++)
        for (int i = 0; i < j; i++) {
            const jk_worker_conf *a = APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *);
            const jk_worker_conf *b = APR_ARRAY_IDX(lb->members, j, const jk_worker_conf *);
            const jk_prop *at = place_of_address(ps, lb, b);
            if (!same_container(a, b))
                continue;
            jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(at), "members '%s' and '%s' of '%s' are one container, %s: nothing is balanced "
                            "between them; give each its own host or port", jk_source_shown(ps, a->name), jk_source_shown(ps, b->name),
                            jk_source_shown(ps, lb->name), address(ps, b));
            told++;
            break; /* one line for each member */
        }
}

/* The mistake that no check can see: it lies in another file, on another machine. */
static void tell_routes(jk_parse *ps, const jk_worker_conf *lb)
{
    const jk_prop *at = jk_source_last(ps, lb->name, "balance_workers");
    const char *names = "";

    if (!lb->tune.sticky_session || lb->members->nelts < 2)
        return;
    for (int i = 0; i < lb->members->nelts; i++) {
        const jk_worker_conf *m = APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *);
        if (!line_of(ps, m, "route"))
            names = apr_pstrcat(ps->p, names, *names ? ", " : "", jk_source_shown(ps, m->name), NULL);
    }
    if (*names)
        jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(at), "sessions of '%s' stay with their member where the containers' server.xml says "
                        "so: <Engine jvmRoute=\"NAME\" ..> with these names: %s; or set route", jk_source_shown(ps, lb->name), names);
}

/* What we send is a cookie of this name and path, and nothing behind a ';' of theirs. */
static void check_cookie(jk_parse *ps, const jk_worker_conf *lb)
{
    static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
    const jk_prop *name = line_of(ps, lb, "session_cookie"), *path = line_of(ps, lb, "session_cookie_path");

    if (!lb->set_session_cookie)
        return;
    if (name && lb->tune.session_cookie[strspn(lb->tune.session_cookie, token)])
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(name), "%s is no name of a cookie, and set_session_cookie would send it; allowed: "
                        "letters, digits and !#$%%&'*+-.^_`|~", name->key);
    if (path && strpbrk(lb->session_cookie_path, "; ,\""))
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(path), "%s holds a blank, a quote, a ',' or a ';', which ends a cookie's path; "
                        "allowed: a path as in /app", path->key);
}

static void check_lb(jk_parse *ps, const jk_worker_conf *lb)
{
    const jk_prop *path = line_of(ps, lb, "session_cookie_path"), *timeouts = line_of(ps, lb, "max_reply_timeouts");
    bool any = false;

    check_addresses(ps, lb);
    tell_routes(ps, lb);
    check_cookie(ps, lb);
    if (path && *lb->session_cookie_path != '/')
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(path), "%s does not begin with '/': browsers ignore such a path", path->key);
    for (int i = 0; i < lb->members->nelts; i++)
        any = any || APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *)->tune.reply_timeout > 0;
    if (timeouts && !any)
        jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(timeouts), "%s has no effect where neither a member nor a mount has a reply_timeout",
                        timeouts->key);
}

/* ---- who is used ---- */

static bool is_template(const jk_parse *ps, const char *name)
{
    for (int i = 0; i < ps->order->nelts; i++) {
        const jk_prop *ref = jk_source_last(ps, APR_ARRAY_IDX(ps->order, i, jk_source *)->name, "reference");
        if (ref && strncmp(ref->value, "worker.", 7) == 0 && strcmp(ref->value + 7, name) == 0)
            return true;
    }
    return false;
}

static const jk_prop *first_line(const jk_source *s, size_t *rows)
{
    const jk_prop *first = NULL;

    *rows = 0;
    for (size_t row = 0; row < jk_keys_count; row++) {
        const jk_prop *prop = s->by_row[row] && !s->taken_over[row] ? &APR_ARRAY_IDX(s->by_row[row], 0, jk_prop) : NULL;
        *rows += prop != NULL;
        if (prop && (first == NULL || prop->line < first->line))
            first = prop;
    }
    return first;
}

/* The worker whose name was meant: near to this one, and it lacks every attribute that is written for this one. */
static const char *meant_worker(const jk_parse *ps, const jk_source *s)
{
    for (int i = 0; i < ps->order->nelts && ps->order->nelts <= NEAR_MOST; i++) {
        const jk_source *other = APR_ARRAY_IDX(ps->order, i, jk_source *);
        bool fits = other != s && apr_hash_get(ps->conf->by_name, other->name, APR_HASH_KEY_STRING);
        for (size_t row = 0; fits && row < jk_keys_count; row++)
            fits = !(s->by_row[row] && other->by_row[row]);
        if (fits && jk_findings_nearest(s->name, &other->name, 1))
            return other->name;
    }
    return NULL;
}

static void check_used(jk_parse *ps, const jk_source *s)
{
    size_t rows;
    const jk_prop *first = first_line(s, &rows);
    const char *name = s->name, *near;

    if (first == NULL || first->hidden || apr_hash_get(ps->conf->by_name, name, APR_HASH_KEY_STRING) || is_template(ps, name))
        return;
    near = meant_worker(ps, s);
    if (near)
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(first), "worker '%s' is neither in worker.list nor a member of an lb: '%s' has no "
                        "effect; did you mean '%s'?", name, first->key, near);
    else
        jk_findings_add(ps->found, JK_FIND_INFO, JK_PROP_AT(first), "worker '%s' is neither in worker.list nor a member of an lb: nothing uses "
                        "its %" APR_SIZE_T_FMT " attributes", name, rows);
}

/* A file that defines workers and lists none: the one that is then there is nobody's wish. */
static void check_list(jk_parse *ps)
{
    const char *names = "";
    const jk_prop *first = NULL;
    size_t rows;

    if (jk_props_get(ps->props, "worker.list"))
        return;
    for (int i = 0; i < ps->order->nelts; i++) {
        const jk_source *s = APR_ARRAY_IDX(ps->order, i, jk_source *);
        const jk_prop *prop = first_line(s, &rows);
        if (strcmp(s->name, "ajp13") == 0)
            return;
        first = first ? first : prop;
        names = apr_pstrcat(ps->p, names, *names ? "," : "", prop && prop->hidden ? "NAME" : s->name, NULL);
    }
    if (first)
        jk_findings_add(ps->found, JK_FIND_LENIENT, first->file, 0, "there is no worker.list: no worker is there but 'ajp13' at localhost:8009; "
                        "add worker.list=%s", names);
}

void jk_sense_check(jk_parse *ps)
{
    for (int i = 0; i < ps->conf->workers->nelts; i++) {
        const jk_worker_conf *one = APR_ARRAY_IDX(ps->conf->workers, i, const jk_worker_conf *);
        check_name(ps, one);
        check_units(ps, one);
        if (one->kind == JK_WORKER_LB)
            check_lb(ps, one);
        if (one->kind != JK_WORKER_AJP13)
            continue;
        check_reply(ps, one);
        check_pings(ps, one);
        check_port(ps, one);
        check_packet(ps, one);
        check_alone(ps, one);
    }
    for (int i = 0; i < ps->order->nelts; i++)
        check_used(ps, APR_ARRAY_IDX(ps->order, i, jk_source *));
    check_variables(ps);
    check_list(ps);
}
