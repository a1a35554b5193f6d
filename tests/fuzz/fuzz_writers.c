/* tests/fuzz/fuzz_writers.c - the status page in all its formats, whatever names, URLs, users, findings and properties it shows: what is
 * written is of its format to the letter (strict.h), and hostile values make no tag, attribute, line or label that harmless ones would not make.
 *
 *   | flags | the query | 0 | 15 texts, each with a 0 behind it (see `hands`) | properties .. |      flags: see below */
#include "house.h"
#include "jk/status/edit.h"
#include "jk/status/render.h"
#include "strict.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

enum { FAILED = 1, STALE = 2, EDITED = 4, ADDED = 8, FORBIDDEN = 16, TEXT_METRICS = 32 };

/* What others than the administrator may have a hand in, or what he may write as he likes. */
typedef struct hands {
    const char *server_name, *web_server, *base, *token, *who, *version;
    const char *server, *uri, *active, *path, *place, *fail_on_status; /* of a mount */
    const char *file, *text, *severity_file;                         /* of findings */
} hands;

#define HANDS (sizeof(hands) / sizeof(const char *))
#define EXTRA_MOST 2000 /* bytes of properties */
#define NOW 1000000000

static const char *next_text(apr_pool_t *p, jk_span *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->p, 0, rest->len) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->len;
    const char *text = n ? apr_pstrmemdup(p, (const char *)rest->p, n) : "";

    *rest = end ? (jk_span){ end + 1, rest->len - n - 1 } : JK_SPAN_NONE;
    return text;
}

/* With no byte that could mean anything to any format, and as long. */
static const char *harmless(apr_pool_t *p, const char *text)
{
    char *copy = apr_pstrdup(p, text);

    for (char *c = copy; *c; c++)
        if ((*c < 'a' || *c > 'z') && (*c < 'A' || *c > 'Z') && (*c < '0' || *c > '9'))
            *c = 'x';
    return copy;
}

/* A path, as the handler has it: one slash at its beginning. */
static const char *path_of(apr_pool_t *p, const char *text)
{
    return apr_pstrcat(p, "/", text + strspn(text, "/"), NULL);
}

static hands read_hands(apr_pool_t *p, jk_span *rest)
{
    hands h = { 0 };
    const char **at = (void *)&h;

    for (size_t i = 0; i < HANDS; i++)
        at[i] = next_text(p, rest);
    return h;
}

static hands washed(apr_pool_t *p, const hands *h)
{
    hands out = { 0 };
    const char *const *from = (const void *)h;
    const char **to = (void *)&out;

    for (size_t i = 0; i < HANDS; i++)
        to[i] = harmless(p, from[i]);
    return out;
}

/* The query with the same names, and harmless values but where they mean something. */
static const char *washed_query(apr_pool_t *p, jk_span text)
{
    static const char *const meant[] = { "cmd", "mime", "opt", "re", "att", "from", NULL };
    const char *name, *out = "";
    jk_query q;

    if (jk_query_read(p, text, &q, &name) != JK_OK)
        return NULL;
    for (int i = 0; i < q.params->nelts; i++) {
        const jk_param *one = &APR_ARRAY_IDX(q.params, i, jk_param);
        const char *value = one->value;
        size_t k = 0;
        while (meant[k] && strcmp(meant[k], one->name) != 0)
            k++;
        if (meant[k] && strcspn(value, "%+&=") < strlen(value))
            return NULL;
        out = apr_pstrcat(p, out, one->name, "=", meant[k] ? value : harmless(p, value), "&", NULL);
    }
    return out;
}

/* ---- a page ---- */

typedef struct shown {
    jk_ask ask;
    jk_result result;
    const jk_view *view;
    jk_span text;
} shown;

static void add_map(apr_array_header_t *maps, const char *worker, const hands *h)
{
    APR_ARRAY_PUSH(maps, jk_view_map) = (jk_view_map){ .worker = worker, .server = h->server, .uri = h->uri, .type = "Wildchar", .source = "JkMount",
                                                       .fail_on_status = h->fail_on_status, .active = h->active, .disabled = "", .stopped = h->active,
                                                       .path = h->path, .place = h->place, .counted = 1, .mount = h->path, .vhost = h->server };
}

/* The names of a mount are the configuration's; its place goes by keys that do not come from them, or both pages would not be alike. */
static const apr_array_header_t *mounts_of(const house *w, const hands *h)
{
    apr_array_header_t *mounts = apr_array_make(w->p, 2, sizeof(jk_metrics_mount));

    for (uint64_t key = 1; key <= 2; key++) {
        jk_tally *tally = jk_tally_make(w->p, w->shm, key);
        if (tally)
            APR_ARRAY_PUSH(mounts, jk_metrics_mount) = (jk_metrics_mount){ h->server, key == 1 ? h->uri : h->path, h->place, tally };
    }
    return mounts;
}

static jk_view_from view_from(const house *w, const hands *h, unsigned flags)
{
    jk_view_from from = { .registry = w->registry, .workers = w->conf, .status = jk_workers_find(w->conf, "s"), .now = NOW, .server_port = 80 };
    apr_array_header_t *maps = apr_array_make(w->p, 4, sizeof(jk_view_map)), *findings = apr_array_make(w->p, 2, sizeof(jk_finding));

    add_map(maps, "lb", h);
    add_map(maps, "w", h);
    add_map(maps, h->server, h); /* leads to nobody */
    APR_ARRAY_PUSH(findings, jk_finding) = (jk_finding){ JK_FIND_ERROR, h->file, 3, h->text, 0 };
    APR_ARRAY_PUSH(findings, jk_finding) = (jk_finding){ JK_FIND_INFO, NULL, 0, h->severity_file, 1 };
    from.maps = maps;
    from.findings = findings;
    from.server_name = h->server_name;
    from.web_server = h->web_server;
    from.jk_version = h->version;
    from.token = h->token;
    from.base = path_of(w->p, h->base);
    from.stale = flags & STALE;
    from.metrics = (jk_metrics_from){ w->registry, w->shm, mounts_of(w, h), "v", 1, flags & STALE };
    return from;
}

/* As the handler does it: who is denied sees nothing of the workers. */
static shown show(const house *w, const hands *h, unsigned flags, const char *query)
{
    jk_view_from from = view_from(w, h, flags);
    shown s;

    jk_ask_read(w->p, jk_span_of(query), from.status, &s.ask, &s.result);
    jk_edit_check_worker(w->registry, &s.ask, &s.result);
    if (flags & FORBIDDEN)
        s.result = (jk_result){ 403, apr_pstrcat(w->p, "Access denied to ", h->who, NULL) };
    if (s.ask.read_only)
        from.token = "";
    s.view = flags & FORBIDDEN ? NULL : jk_view_make(w->p, &from);
    s.text = jk_render(w->p, s.view, &s.ask, &s.result, from.status);
    return s;
}

/* ---- promises ---- */

/* What is ASCII of a name is there, in its order, whatever else was in it. */
static void check_name(const json_t *root, const char *name)
{
    const json_t *server = json_object_get(root, "server");
    const char *said = json_string_value(json_object_get(server, "name"));

    must(server == NULL || said, "a name is shown");
    while (said && (*said || *name)) {
        bool other = (*said & 0x80) || (*name & 0x80);
        must(other || *said == *name, "a name is what it was");
        said += !other || (*said & 0x80);
        name += !other || (*name & 0x80);
    }
}

static char *strict_json(jk_span text, const char *name)
{
    json_t *root = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, NULL);

    must(json_integer_value(json_object_get(root, "version")) == 1, "JSON is JSON");
    check_name(root, name);
    json_decref(root);
    return strdup("");
}

/* What an administrator writes there is part of the format itself. */
static bool is_usual(const jk_worker_conf *status)
{
    return strcmp(status->ns, "jk:") == 0 && strcmp(status->xmlns, "xmlns:jk=\"http://tomcat.apache.org\"") == 0 && *status->doctype == '\0';
}

static char *check(const house *w, const shown *s, const char *name)
{
    const char *mime = s->ask.format->mime;

    must(!house_tells(s->text.p, s->text.len), "no page shows a secret");
    if (strcmp(mime, "html") == 0)
        return strict_page(s->text);
    if (strcmp(mime, "xml") == 0)
        return is_usual(jk_workers_find(w->conf, "s")) ? strict_xml(s->text) : NULL;
    if (strcmp(mime, "json") == 0)
        return strict_json(s->text, name);
    if (strcmp(mime, "openmetrics") == 0)
        return jk_result_ok(&s->result) ? strict_metrics(s->text) : NULL;
    return strcmp(mime, "txt") == 0 ? strict_txt(s->text) : strict_prop(s->text);
}

static void compare(const house *w, const shown *dirty, const char *skeleton, const shown *clean, const char *name)
{
    char *of_clean;

    if (dirty->ask.format != clean->ask.format || dirty->result.status != clean->result.status)
        return;
    of_clean = check(w, clean, name);
    if (of_clean && strcmp(skeleton, of_clean) != 0) {
        size_t n = 0;
        while (skeleton[n] == of_clean[n])
            n++;
        n = n > 80 ? n - 80 : 0;
        fprintf(stderr, "with what came: %.200s\nwith harmless values: %.200s\n", skeleton + n, of_clean + n);
        must(false, "hostile values have the skeleton of harmless ones");
    }
    free(of_clean);
}

static void prepare(const house *w, const hands *h, unsigned flags)
{
    const jk_worker *lb = jk_registry_find(w->registry, "lb"), *lone = jk_registry_find(w->registry, "w");
    static const char *const changes[] = { "cmd=update&w=lb&sw=a&vwf=3&vwa=d", "cmd=add&w=lb&sw=new&vahst=127.0.0.1" };
    jk_result result;
    jk_tune tune;
    jk_ask ask;

    for (unsigned i = 0; i < 2; i++) {
        if (!(flags & (EDITED << i)))
            continue;
        jk_ask_read(w->p, jk_span_of(changes[i]), &(jk_worker_conf){ .name = "s" }, &ask, &result);
        jk_edit e = jk_edit_make(w->p, w->registry, &ask, h->who, NOW - 5);
        jk_edit_do(&e, &result);
    }
    if (!(flags & FAILED) || lb == NULL || lone == NULL || jk_manage_members(lb) == 0 || jk_manage_stat(lone) == NULL)
        return;
    jk_stat_tune_read(jk_manage_stat(lb), &tune);
    (void)jk_stat_event(jk_manage_stat(jk_manage_place(lb, 0)), JK_MEMBER_HARD, NOW - 9, &tune);
    (void)jk_stat_event(jk_manage_stat(lone), JK_MEMBER_HARD, NOW - 9, &tune);
}

static void run(apr_pool_t *p, unsigned flags, jk_span rest)
{
    const char *query = next_text(p, &rest), *clean_query = washed_query(p, jk_span_of(query));
    hands dirty = read_hands(p, &rest), clean = washed(p, &dirty);
    const char *extra = rest.len && rest.len < EXTRA_MOST ? apr_pstrmemdup(p, (const char *)rest.p, rest.len) : "";
    house w = house_build(p, apr_pstrcat(p, house_usual, extra, "\n", NULL));
    const jk_worker_conf *status = jk_workers_find(w.conf, "s");

    if (status == NULL || status->kind != JK_WORKER_STATUS)
        return;
    prepare(&w, &dirty, flags);
    shown as_it_came = show(&w, &dirty, flags, query);
    char *skeleton = check(&w, &as_it_came, dirty.server_name);
    if (skeleton && clean_query) {
        shown as_washed = show(&w, &clean, flags, clean_query);
        compare(&w, &as_it_came, skeleton, &as_washed, clean.server_name);
    }
    free(skeleton);
    if (flags & TEXT_METRICS) {
        jk_metrics_from from = { w.registry, w.shm, mounts_of(&w, &dirty), "v", 1, false };
        jk_span text = jk_metrics_write(p, &from, JK_METRICS_TEXT);
        free(strict_metrics(jk_span_of(apr_pstrcat(p, apr_pstrmemdup(p, (const char *)text.p, text.len), "# EOF\n", NULL))));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    apr_pool_t *p;

    if (!ready)
        apr_initialize();
    ready = true;
    if (size == 0 || house_tells(data, size))
        return 0;
    must(apr_pool_create(&p, NULL) == APR_SUCCESS, "memory");
    run(p, data[0], (jk_span){ data + 1, size - 1 });
    apr_pool_destroy(p);
    return 0;
}
