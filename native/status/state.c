/* native/status/state.c - edits by slot and key:
 *   {"version": 1, "written": 1795270000, "workers": {"lb/node1": {"at": 1795269999, "by": "alice",
 *    "edits": {"lbfactor": {"value": "4", "file": "1"}}}}} */
#include "jk/status/state.h"

#include "jk/conf/values.h"
#include "jk/status/edit.h"
#include "jk/status/render.h"
#include "jk/worker/lb.h"
#include "jk/worker/manage.h"

#include <apr_strings.h>
#include <jansson.h>

#define SHAPE 1

/* For a worker or member that has values; `of` is the balancer of a place for a member that is added at run time, else NULL. */
typedef void call_for(void *ctx, const jk_worker *worker, const jk_worker *of, bool member);

static void each(const jk_registry *registry, call_for *call, void *ctx)
{
    for (size_t i = 0; i < jk_registry_count(registry); i++) {
        const jk_worker *worker = jk_registry_at(registry, i);
        if (jk_manage_stat(worker) == NULL)
            continue;
        call(ctx, worker, NULL, false);
        for (size_t k = 0; k < jk_manage_members(worker); k++)
            call(ctx, jk_manage_place(worker, k), jk_manage_is_spare(worker, k) ? worker : NULL, true);
    }
}

/* Two copies of its configuration: with what the file says, and with what is in force. */
static void both(const jk_worker *worker, jk_worker_conf *file, jk_worker_conf *now)
{
    *file = *now = *worker->conf;
    jk_stat_tune_file(jk_manage_stat(worker), &file->tune);
    jk_stat_tune_read(jk_manage_stat(worker), &now->tune);
}

/* What the file says may be of any bytes, and JSON is UTF-8: what is none becomes a question mark, on both ways. */
static const char *clean(apr_pool_t *p, const char *text)
{
    char *out = apr_pstrdup(p, text);

    for (char *c = out; *c;) {
        size_t n = jk_page_utf8(c);
        if (n == 0)
            *c = '?';
        c += n ? n : 1;
    }
    return out;
}

/* ---- to text ---- */

typedef struct writing {
    apr_pool_t *p;
    json_t *workers;
} writing;

static void write_one(void *ctx, const jk_worker *worker, const jk_worker *lb, bool member)
{
    writing *w = ctx;
    jk_worker_conf file, now;
    json_t *edits = json_object();
    jk_stat_sign sign = jk_stat_signed(jk_manage_stat(worker));
    unsigned of = member ? JK_OF_MEMBER : worker->conf->kind == JK_WORKER_LB ? JK_OF_LB : JK_OF_AJP;

    both(worker, &file, &now);
    if (lb && *now.tune.name == '\0') { /* nobody is there */
        json_decref(edits);
        return;
    }
    for (const jk_attribute *a = jk_attributes; a->param; a++) {
        const char *is = jk_values_text(w->p, jk_attribute_key(a), &now), *was = jk_values_text(w->p, jk_attribute_key(a), &file);
        if ((a->of & of) && strcmp(is, was) != 0)
            json_object_set_new(edits, a->key, json_pack("{s:s, s:s}", "value", clean(w->p, is), "file", clean(w->p, was)));
    }
    if (json_object_size(edits) > 0)
        json_object_set_new(w->workers, worker->slot, json_pack("{s:I, s:s, s:O}", "at", (json_int_t)sign.at, "by", sign.by, "edits", edits));
    if (lb)
        json_object_set_new(json_object_get(w->workers, worker->slot), "name", json_string(now.tune.name));
    json_decref(edits);
}

/* Gives `workers` away. */
static jk_span dump(apr_pool_t *p, int64_t now, json_t *workers)
{
    json_t *root = json_pack("{s:i, s:I, s:o}", "version", SHAPE, "written", (json_int_t)now, "workers", workers);
    char *dumped = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    const char *text = dumped ? apr_pstrcat(p, dumped, "\n", NULL) : "";

    free(dumped);
    json_decref(root);
    return jk_span_of(text);
}

/* ---- who has no place ---- */

/* Which balancer is meant by "lb/spare 3"? NULL: there is none, or it has this place. */
static const jk_worker *lb_without(const jk_registry *registry, const char *slot)
{
    const char *at = strstr(slot, JK_LB_SPARE_SLOT);

    for (size_t i = 0; at && i < jk_registry_count(registry); i++) {
        const jk_worker *lb = jk_registry_at(registry, i);
        bool has = false;
        if (strlen(lb->name) != (size_t)(at - slot) || strncmp(lb->name, slot, (size_t)(at - slot)) != 0)
            continue;
        for (size_t k = 0; k < jk_manage_members(lb); k++)
            has = has || strcmp(jk_manage_place(lb, k)->slot, slot) == 0;
        return has || lb->conf->kind != JK_WORKER_LB ? NULL : lb;
    }
    return NULL;
}

static const char *name_of(const json_t *one)
{
    return json_string_value(json_object_get(one, "name"));
}

/* Would it come back if its place did? */
static bool is_homeless(const jk_registry *registry, const char *slot, const json_t *one)
{
    const char *name = name_of(one);

    return name && jk_workers_name(name) == NULL && lb_without(registry, slot) != NULL && jk_edit_named(registry, name) == 0;
}

/* Adds those of a text to `workers`. */
static void add_homeless(const jk_registry *registry, jk_span text, json_t *workers)
{
    json_t *root = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, NULL), *one;
    const char *slot;

    if (json_integer_value(json_object_get(root, "version")) == SHAPE)
        json_object_foreach(json_object_get(root, "workers"), slot, one)
            if (is_homeless(registry, slot, one))
                (void)json_object_set(workers, slot, one);
    json_decref(root);
}

jk_span jk_state_homeless(apr_pool_t *p, const jk_registry *registry, jk_span text)
{
    json_t *all = json_object(), *one;
    const char *slot;
    void *next;

    add_homeless(registry, text, all);
    json_object_foreach_safe(all, next, slot, one) {
        const jk_worker *lb = lb_without(registry, slot);
        if (jk_manage_free_place(lb) < jk_manage_members(lb)) /* it was refused that */
            json_object_del(all, slot);
    }
    if (json_object_size(all) > 0)
        return dump(p, 0, all);
    json_decref(all);
    return JK_SPAN_NONE;
}

jk_span jk_state_text(apr_pool_t *p, const jk_registry *registry, int64_t now, jk_span homeless)
{
    writing w = { p, json_object() };

    each(registry, write_one, &w);
    if (homeless.len > 0)
        add_homeless(registry, homeless, w.workers);
    return dump(p, now, w.workers);
}

/* ---- and back ---- */

typedef struct taking {
    apr_pool_t *p;
    const jk_registry *registry;
    const json_t *workers;
    jk_state_news *news;
    apr_hash_t *entries; /* of members that were added at run time, by the slot of the place that they have now */
} taking;

static void leave_out(taking *t, const char *slot, const char *key, const char *why)
{
    APR_ARRAY_PUSH(t->news->left, const char *) = apr_psprintf(t->p, "%s of '%s': %s", key, slot, why);
}

static const jk_attribute *attribute_of(const char *key, unsigned of)
{
    for (const jk_attribute *a = jk_attributes; a->param; a++)
        if ((a->of & of) && strcmp(a->key, key) == 0)
            return a;
    return NULL;
}

/* One value. False: it was not taken. */
static bool take_value(taking *t, const jk_worker *worker, const jk_attribute *a, json_t *edit, jk_tune *to)
{
    const char *value = json_string_value(json_object_get(edit, "value")), *said = json_string_value(json_object_get(edit, "file"));
    jk_worker_conf file, now;

    both(worker, &file, &now);
    if (value == NULL || said == NULL) {
        leave_out(t, worker->slot, a->key, "it has no value");
        return false;
    }
    if (strcmp(said, clean(t->p, jk_values_text(t->p, jk_attribute_key(a), &file))) != 0) {
        leave_out(t, worker->slot, a->key, "the workers file says something else now, and wins");
        return false;
    }
    const char *wrong = jk_attribute_set(t->p, a, value, to);
    if (wrong)
        leave_out(t, worker->slot, a->key, wrong);
    return wrong == NULL;
}

/* A member that was added at run time comes back into its place: by the name that its entry has. False: nobody does. */
static bool take_name(taking *t, const jk_worker *worker, json_t *one, jk_tune *to)
{
    const char *name = name_of(one), *wrong;
    bool there = name && jk_edit_named(t->registry, name) > 0;

    wrong = name == NULL ? "it has no name" : there ? "the workers file names a member so now, or another worker is called so" : jk_workers_name(name);
    if (one && wrong)
        leave_out(t, worker->slot, name ? name : "the member", wrong);
    if (one && wrong == NULL) {
        apr_cpystrn(to->name, name, sizeof to->name);
        apr_cpystrn(to->route, name, sizeof to->route); /* unless its entry has another */
    }
    return one && wrong == NULL;
}

/* The values of an entry. Returns how many were taken. */
static int take_values(taking *t, const jk_worker *worker, unsigned of, json_t *edits, jk_tune *to)
{
    const char *key;
    json_t *edit;
    int n = 0;

    json_object_foreach(edits, key, edit) {
        const jk_attribute *a = attribute_of(key, of);
        if (a == NULL)
            leave_out(t, worker->slot, key, "it cannot be edited");
        else
            n += take_value(t, worker, a, edit, to);
    }
    return n;
}

static void take_entry(taking *t, const jk_worker *worker, const jk_worker *lb, bool member, json_t *one)
{
    json_t *edits = json_object_get(one, "edits");
    unsigned of = member ? JK_OF_MEMBER : worker->conf->kind == JK_WORKER_LB ? JK_OF_LB : JK_OF_AJP;
    const char *by = json_string_value(json_object_get(one, "by"));
    jk_tune from, to;
    int n;

    jk_stat_tune_read(jk_manage_stat(worker), &from);
    to = from;
    if (lb && !take_name(t, worker, one, &to))
        return;
    n = take_values(t, worker, of, edits, &to);
    if (lb && *to.host == '\0') {
        leave_out(t, worker->slot, to.name, "it has no host");
        return;
    }
    t->news->taken += n;
    apr_hash_set(t->entries, worker->slot, APR_HASH_KEY_STRING, one);
    if (memcmp(&from, &to, sizeof from) != 0 && jk_stat_tune_edit(jk_manage_stat(worker), &from, &to) == JK_OK)
        jk_stat_sign_edit(jk_manage_stat(worker), by ? by : "", (int64_t)json_integer_value(json_object_get(one, "at")));
}

static void take_one(void *ctx, const jk_worker *worker, const jk_worker *lb, bool member)
{
    taking *t = ctx;

    take_entry(t, worker, lb, member, json_object_get(t->workers, worker->slot));
}

/* There are fewer places than there were: a free one will do. */
static void take_homeless(taking *t)
{
    const char *slot;
    json_t *one;

    json_object_foreach((json_t *)t->workers, slot, one) {
        const jk_worker *lb = lb_without(t->registry, slot);
        size_t place = lb ? jk_manage_free_place(lb) : 0;
        const char *name = name_of(one);
        if (lb && place < jk_manage_members(lb))
            take_entry(t, jk_manage_place(lb, place), lb, true, one);
        else if (lb)
            leave_out(t, slot, name ? name : "the member", "no place is left for it: raise spare_members; it stays in the file");
    }
}

/* How many values of its entry are in force. */
static int taken_of(const taking *t, const jk_worker *member)
{
    json_t *edits = json_object_get(apr_hash_get(t->entries, member->slot, APR_HASH_KEY_STRING), "edits"), *edit;
    jk_worker_conf file, now;
    const char *key;
    int n = 0;

    both(member, &file, &now);
    json_object_foreach(edits, key, edit) {
        const jk_attribute *a = attribute_of(key, JK_OF_MEMBER);
        const char *value = json_string_value(json_object_get(edit, "value"));
        n += a && value && strcmp(value, jk_values_text(t->p, jk_attribute_key(a), &now)) == 0;
    }
    return n;
}

static bool is_shared(const jk_worker *lb, const jk_worker *member, const char *route)
{
    jk_tune tune;

    for (size_t i = 0; i < jk_manage_members(lb); i++) {
        const jk_worker *other = jk_manage_member(lb, i);
        if (other == NULL || other == member)
            continue;
        jk_stat_tune_read(jk_manage_stat(other), &tune);
        if (strcmp(tune.route, route) == 0)
            return true;
    }
    return false;
}

/* A member whose route is another's too goes back to the file's, or where it was added at run time goes. True: it did. */
static bool part(taking *t, const jk_worker *lb, size_t i)
{
    const jk_worker *member = jk_manage_member(lb, i);
    jk_worker_conf file, now;
    jk_tune back;

    if (member == NULL)
        return false;
    both(member, &file, &now);
    if (strcmp(file.tune.route, now.tune.route) == 0 || !is_shared(lb, member, now.tune.route))
        return false;
    leave_out(t, member->slot, jk_manage_is_spare(lb, i) ? member->name : "route", "another member has the same route");
    if (jk_manage_is_spare(lb, i)) {
        t->news->taken -= taken_of(t, member);
        return jk_manage_end(lb, i) == JK_OK;
    }
    t->news->taken--;
    back = now.tune;
    apr_cpystrn(back.route, file.tune.route, sizeof back.route);
    return jk_stat_tune_edit(jk_manage_stat(member), &now.tune, &back) == JK_OK;
}

/* Routes may change places, so that they are looked at when all are there. Who goes back may meet another: again, until nobody does. */
static void part_all(taking *t, const jk_worker *lb)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < jk_manage_members(lb); i++)
            again = part(t, lb, i) || again;
    }
}

jk_rc jk_state_take(apr_pool_t *p, const jk_registry *registry, jk_span text, jk_state_news *news, const char **why)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, &error);
    const json_t *workers = json_object_get(root, "workers");

    *news = (jk_state_news){ 0, apr_array_make(p, 4, sizeof(const char *)) };
    taking t = { p, registry, workers, news, apr_hash_make(p) };
    if (root == NULL)
        *why = apr_psprintf(p, "line %d: %s", error.line, error.text);
    else if (json_integer_value(json_object_get(root, "version")) != SHAPE || !json_is_object(workers))
        *why = "it is no state file of this version";
    if (root && json_integer_value(json_object_get(root, "version")) == SHAPE && json_is_object(workers)) {
        each(registry, take_one, &t);
        take_homeless(&t);
        for (size_t i = 0; i < jk_registry_count(registry); i++)
            part_all(&t, jk_registry_at(registry, i));
        json_decref(root);
        return JK_OK;
    }
    json_decref(root);
    return JK_E_CONF;
}
