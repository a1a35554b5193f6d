/* native/conf/extension.c - the table of rule extensions, and how they are read. */
#include "jk/conf/extension.h"

#include "jk/conf/values.h"
#include "jk/route/publish.h"

#include <apr_strings.h>
#include <limits.h>
#include <stddef.h>

/* How a value is read, and what lies at the row's offset. */
typedef enum kind {
    TIME,    /* int32_t, ms */
    STATUS,  /* int32_t */
    FLAG,    /* bool: a number other than 0 */
    TEXT,    /* const char * */
    PATH,    /* const char * */
    CODES,   /* apr_array_header_t * of int32_t */
    MEMBERS  /* apr_array_header_t * of const char * */
} kind;

typedef struct row {
    const char *name;
    kind kind;
    bool lb_only;
    bool first_counts; /* of two; else the last */
    size_t offset;
} row;

#define AT(field) offsetof(jk_extension, field)

/* clang-format off */
static const row rows[] = {
    { "reply_timeout", TIME, false, false, AT(reply_timeout) },
    { "sticky_ignore", FLAG, false, false, AT(sticky_ignore) },
    { "stateless", FLAG, false, false, AT(stateless) },
    { "active", MEMBERS, true, true, AT(active) },
    { "disabled", MEMBERS, true, true, AT(disabled) },
    { "stopped", MEMBERS, true, true, AT(stopped) },
    { "fail_on_status", CODES, false, true, AT(fail_on_status) },
    { "use_server_errors", STATUS, false, false, AT(use_server_errors) },
    { "session_cookie", TEXT, true, false, AT(session_cookie) },
    { "session_path", TEXT, true, false, AT(session_path) },
    { "set_session_cookie", FLAG, true, false, AT(set_session_cookie) },
    { "session_cookie_path", TEXT, true, false, AT(session_cookie_path) },
    { "path", PATH, false, false, AT(path) },
};
/* clang-format on */
#define ROWS (sizeof rows / sizeof rows[0])

/* What all steps of one parse share. */
typedef struct parse {
    apr_pool_t *p;
    const jk_worker_conf *worker;
    const jk_prop *place;
    jk_findings *found;
    jk_extension *out;
} parse;

static const row *row_of(const char *name, size_t len)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

/* ---- values ---- */

static int32_t number(const parse *ps, const row *at, const char *value, const jk_key *limits)
{
    jk_prop prop = *ps->place;

    prop.key = at->name;
    prop.value = value;
    return jk_values_number(limits, &prop, ps->found);
}

static const apr_array_header_t *codes(const parse *ps, const char *value)
{
    static const jk_key limits = { .type = JK_KEY_CODES, .min = 100, .max = 999 };
    apr_array_header_t *list = apr_array_make(ps->p, 4, sizeof(int32_t));
    jk_prop prop = *ps->place;

    prop.key = "fail_on_status";
    prop.value = value;
    jk_values_codes(&limits, &prop, list, ps->found);
    return list;
}

static const apr_array_header_t *words(const parse *ps, const char *value)
{
    apr_array_header_t *list = apr_array_make(ps->p, 4, sizeof(const char *));

    jk_values_words(list, value);
    return list;
}

static const char *path(const parse *ps, const char *value)
{
    size_t n = strlen(value);

    if (!jk_publish_is_path(value)) {
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(ps->place), "path=%s is ignored; allowed: a path as in /store, of letters, digits "
                        "and ~$-_.+!'(),:@&=", value);
        return ps->out->path;
    }
    while (n > 0 && value[n - 1] == '/')
        n--;
    return apr_pstrmemdup(ps->p, value, n);
}

/* Below 400 there is no page of httpd's that could stand for the answer. */
static int32_t lowest_error(const parse *ps, const row *at, const char *value)
{
    static const jk_key limits = { .type = JK_KEY_INT, .unit = "", .dflt = "0", .min = 0, .max = 599 };
    int32_t n = number(ps, at, value, &limits);

    if (n > 0 && n < 400) {
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(ps->place), "use_server_errors=%d: httpd has pages from status 400 on; 400 is used", n);
        n = 400;
    }
    return n;
}

static void set(const parse *ps, const row *at, const char *value)
{
    static const jk_key time = { .type = JK_KEY_TIME, .unit = "ms", .dflt = "-1", .min = -1, .max = INT_MAX };
    static const jk_key flag = { .type = JK_KEY_INT, .unit = "", .dflt = "0", .min = INT_MIN, .max = INT_MAX };
    char *home = (char *)ps->out + at->offset;

    switch (at->kind) {
    case TIME:
        *(int32_t *)(void *)home = number(ps, at, value, &time);
        break;
    case STATUS:
        *(int32_t *)(void *)home = lowest_error(ps, at, value);
        break;
    case FLAG:
        *(bool *)home = number(ps, at, value, &flag) != 0;
        break;
    case TEXT:
        *(const char **)(void *)home = value;
        break;
    case PATH:
        *(const char **)(void *)home = path(ps, value);
        break;
    case CODES:
        *(const apr_array_header_t **)(void *)home = codes(ps, value);
        break;
    case MEMBERS:
        *(const apr_array_header_t **)(void *)home = words(ps, value);
        break;
    }
}

/* ---- one extension ---- */

static const char *hint(const parse *ps, const char *name)
{
    const char *names[ROWS];

    for (size_t i = 0; i < ROWS; i++)
        names[i] = rows[i].name;
    return jk_findings_hint(ps->p, name, names, ROWS);
}

/* "name=value" */
static void take(const parse *ps, const char *text, size_t len, unsigned *seen)
{
    const char *sign = memchr(text, '=', len);
    size_t n = sign ? (size_t)(sign - text) : len;
    const row *at = row_of(text, n);
    const char *name = apr_pstrmemdup(ps->p, text, n), *value = sign ? apr_pstrmemdup(ps->p, sign + 1, len - n - 1) : "";

    if (at == NULL) {
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(ps->place), "unknown rule extension '%s' is ignored%s", name, hint(ps, name));
        return;
    }
    if (*value == '\0') {
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(ps->place), "rule extension '%s' has no value and is ignored; allowed: %s=VALUE", name,
                        name);
        return;
    }
    if (at->lb_only && ps->worker && ps->worker->kind != JK_WORKER_LB) {
        jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(ps->place), "rule extension '%s' is ignored: it is for workers of type lb, and '%s' "
                        "is none", name, ps->worker->name);
        return;
    }
    if (*seen & 1u << (at - rows))
        jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(ps->place), "rule extension '%s' stands there twice: the %s counts", name,
                        at->first_counts ? "first" : "last");
    if (!(*seen & 1u << (at - rows)) || !at->first_counts)
        set(ps, at, value);
    *seen |= 1u << (at - rows);
}

/* The end of the extension that begins at `text`: the next ';'. That of session_path=;sid belongs to its value, as it does in
 * session_path=;jsessionid; only an extension that is known may stand behind an empty one. */
static const char *end_of(const char *text)
{
    size_t n = strcspn(text, ";");
    static const char empty[] = "session_path=";

    if (n == sizeof empty - 1 && memcmp(text, empty, n) == 0 && text[n]) {
        size_t name = strcspn(text + n + 1, ";=");
        if (name > 0 && (text[n + 1 + name] != '=' || row_of(text + n + 1, name) == NULL))
            n += 1 + strcspn(text + n + 1, ";");
    }
    return text + n;
}

/* ---- members ---- */

static int member_of(const jk_worker_conf *lb, const char *name)
{
    for (int i = 0; i < lb->members->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(lb->members, i, const jk_worker_conf *)->name, name) == 0)
            return i;
    return -1;
}

static void unknown_member(const parse *ps, const char *list, const char *name)
{
    int n = ps->worker->members->nelts;
    const char **names = apr_palloc(ps->p, (size_t)(n + 1) * sizeof *names);

    for (int i = 0; i < n; i++)
        names[i] = APR_ARRAY_IDX(ps->worker->members, i, const jk_worker_conf *)->name;
    jk_findings_add(ps->found, JK_FIND_LENIENT, JK_PROP_AT(ps->place), "%s=%s: '%s' has no such member%s", list, name, ps->worker->name,
                    jk_findings_hint(ps->p, name, names, (size_t)n));
}

static void mark(const parse *ps, int8_t *activations, const apr_array_header_t *names, jk_activation as)
{
    static const char *const lists[] = { [JK_ACTIVE] = "active", [JK_DISABLED] = "disabled", [JK_STOPPED] = "stopped" };

    for (int i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        int m = member_of(ps->worker, name);
        if (m < 0) {
            unknown_member(ps, lists[as], name);
            continue;
        }
        if (activations[m] >= 0 && activations[m] != (int8_t)as)
            jk_findings_add(ps->found, JK_FIND_WARN, JK_PROP_AT(ps->place), "member '%s' stands in %s and in %s: %s counts", name,
                            lists[activations[m]], lists[as], lists[as]);
        activations[m] = (int8_t)as;
    }
}

static void mark_all(const parse *ps)
{
    jk_extension *out = ps->out;
    int8_t *activations;
    size_t room;

    if (ps->worker == NULL || (out->active == NULL && out->disabled == NULL && out->stopped == NULL))
        return;
    room = (size_t)ps->worker->members->nelts + (size_t)ps->worker->spare_members; /* who is added at run time is named by no rule */
    activations = apr_palloc(ps->p, room);
    memset(activations, -1, room);
    mark(ps, activations, out->active, JK_ACTIVE);
    mark(ps, activations, out->disabled, JK_DISABLED);
    mark(ps, activations, out->stopped, JK_STOPPED);
    out->activations = activations;
}

/* ---- all of them ---- */

const char *jk_extension_name(apr_pool_t *p, const char *text)
{
    return apr_pstrmemdup(p, text, strcspn(text, ";"));
}

const jk_extension *jk_extension_parse(apr_pool_t *p, const char *text, const jk_worker_conf *worker, const jk_prop *place, jk_findings *found)
{
    parse ps = { p, worker, place, found, NULL };
    unsigned seen = 0;

    text += strcspn(text, ";");
    if (text[strspn(text, ";")] == '\0')
        return NULL;
    ps.out = apr_pcalloc(p, sizeof *ps.out);
    ps.out->reply_timeout = -1;
    while (*(text += strspn(text, ";"))) {
        const char *end = end_of(text);
        take(&ps, text, (size_t)(end - text), &seen);
        text = end;
    }
    mark_all(&ps);
    return ps.out;
}
