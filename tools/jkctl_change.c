/* tools/jkctl_change.c - from words to the parameters of the status worker. Which keys can be changed, and by which parameter, is in the JSON. */
#include "jkctl_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MOST 64

/* ---- one change ---- */

/* w, and sw where it is a member; the rest is `more`. */
static jkc_exit post(jkc_line *line, const json_t *look, const jkc_worker *worker, const jkc_param *more, json_t **answer)
{
    jkc_param params[VALUES_MOST + 4];
    size_t n = 0;

    for (; more->name; more++)
        params[n++] = *more;
    params[n++] = (jkc_param){ "w", jkc_text(worker->lb ? worker->lb : worker->values, "name") };
    if (worker->lb)
        params[n++] = (jkc_param){ "sw", jkc_text(worker->values, "name") };
    params[n] = (jkc_param){ NULL, NULL };
    jkc_exit rc = jkc_ask_change(line, look, params, answer);
    if (rc != JKC_GOOD)
        jkc_say("%s", jkc_ask_why(line));
    return rc;
}

static void show(const jkc_worker *worker, const jkc_way *way, const json_t *answer, const char *words)
{
    char *name = jkc_look_name(worker), *clean = jkc_clean(words);

    if (way->json && answer) {
        json_dumpf(answer, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
        putchar('\n');
    } else if (!way->json) {
        printf("%s: %s\n", name, clean);
    }
    fflush(stdout);
    free(clean);
    free(name);
}

/* ---- activation ---- */

/* It gets new sessions, and there is no reason to think that it fails. */
static bool is_well(const json_t *member)
{
    return strcmp(jkc_text(member, "activation"), "ACT") == 0 && strncmp(jkc_text(member, "state"), "ERR", 3) != 0;
}

bool jkc_change_has_others(const jkc_worker *member, const jkc_way *way)
{
    const json_t *all = json_object_get(member->lb, "members");

    for (size_t i = 0; i < json_array_size(all); i++)
        if (json_array_get(all, i) != member->values && is_well(json_array_get(all, i)))
            return true;
    if (way->last || strcmp(jkc_text(member->values, "activation"), "ACT") != 0)
        return true;
    char *name = jkc_look_name(member);
    jkc_say("%s stays as it is: no other member of its balancer is active and well. --last does it nevertheless", name);
    free(name);
    return false;
}

jkc_exit jkc_change_post_activation(jkc_line *line, const json_t *look, const jkc_worker *member, const char *activation, json_t **answer)
{
    const jkc_param update[] = { { "cmd", "update" }, { "vwa", activation }, { NULL, NULL } };

    return post(line, look, member, update, answer);
}

static jkc_exit set_activation(jkc_line *line, const json_t *look, const jkc_worker *member, const char *activation, const jkc_way *way)
{
    const char *was = jkc_look_activation(member->values), *state = jkc_text(member->values, "state");
    bool active = strcmp(activation, "active") == 0, tell_error = active && strncmp(state, "ERR", 3) == 0;
    json_t *answer = NULL;
    char words[64];

    if (!active && !jkc_change_has_others(member, way))
        return JKC_REFUSED;
    jkc_exit rc = jkc_change_post_activation(line, look, member, activation, &answer);
    if (strcmp(was, activation) == 0)
        snprintf(words, sizeof words, "is %s, as it was", activation);
    else
        snprintf(words, sizeof words, "%s, was %s", activation, was);
    if (rc == JKC_GOOD)
        show(member, way, answer, words);
    if (rc == JKC_GOOD && tell_error)
        jkc_say("it is in error (%.16s); jkctl recover makes it be tried at once", strncmp(state, "ERR/", 4) == 0 ? state : "ERR");
    json_decref(answer);
    return rc;
}

/* ---- each that a name means ---- */

typedef jkc_exit (*deed)(jkc_line *line, const json_t *look, const jkc_worker *worker, const char *word, const jkc_way *way);

static jkc_exit each(jkc_line *line, const char *name, unsigned kinds, deed what, const char *word, const jkc_way *way)
{
    json_t *look = jkc_ask_look(line, false);
    jkc_exit rc = JKC_GOOD;

    if (look == NULL) {
        jkc_say("%s", jkc_ask_why(line));
        return JKC_CANNOT_ASK;
    }
    jkc_workers found = jkc_look_find(look, name, kinds);
    if (found.n == 0)
        rc = JKC_REFUSED;
    for (size_t i = 0; i < found.n && rc == JKC_GOOD; i++)
        rc = what(line, look, &found.list[i], word, way);
    free(found.list);
    json_decref(look);
    return rc;
}

jkc_exit jkc_change_activation(jkc_line *line, const char *name, const char *activation, const jkc_way *way)
{
    return each(line, name, JKC_MEMBER, set_activation, activation, way);
}

static jkc_exit command(jkc_line *line, const json_t *look, const jkc_worker *worker, const char *cmd, const jkc_way *way)
{
    const jkc_param params[] = { { "cmd", cmd }, { NULL, NULL } };
    json_t *answer = NULL;
    jkc_exit rc = post(line, look, worker, params, &answer);

    if (rc == JKC_GOOD)
        show(worker, way, answer, strcmp(cmd, "reset") == 0 ? "counters begin anew" : "will be tried again at once");
    json_decref(answer);
    return rc;
}

jkc_exit jkc_change_reset(jkc_line *line, const char *name, const jkc_way *way)
{
    return each(line, name, JKC_ANY, command, "reset", way);
}

jkc_exit jkc_change_recover(jkc_line *line, const char *name, const jkc_way *way)
{
    return each(line, name, JKC_MEMBER, command, "recover", way);
}

/* ---- values ---- */

/* The keys that can be changed for a worker of this kind, each with its parameter. */
static const json_t *editable(const json_t *look, jkc_kind kind)
{
    return json_object_get(json_object_get(look, "changes"), kind == JKC_LB ? "lb" : kind == JKC_MEMBER ? "member" : "ajp");
}

static void say_no_key(const char *key, const json_t *keys)
{
    const char **names = jkc_must(malloc((json_object_size(keys) + 1) * sizeof *names)), *name;
    char *clean = jkc_clean(key);
    size_t n = 0;
    json_t *value;

    json_object_foreach((json_t *)keys, name, value)
        names[n++] = name;
    const char *near = jkc_look_near(key, names, n);
    char *hint = near ? jkc_clean(near) : NULL;
    jkc_say("'%s' cannot be changed for such a worker%s%s%s", clean, hint ? "; did you mean '" : "", hint ? hint : "", hint ? "'?" : "");
    fputs("what can be:", stderr);
    for (size_t i = 0; i < n; i++) {
        free(hint);
        hint = jkc_clean(names[i]);
        fprintf(stderr, "%s %s", i ? "," : "", hint);
    }
    fputc('\n', stderr);
    free(hint);
    free(clean);
    free(names);
}

/* What the server calls this key; "" and said: it cannot be changed. */
static const char *parameter(const json_t *keys, const char *setting, size_t n)
{
    char *key = jkc_must(strndup(setting, n));
    const char *param = jkc_text(keys, key);

    if (*param == '\0')
        say_no_key(key, keys);
    free(key);
    return param;
}

/* Where one is none it is said, and false comes back. */
static bool read_values(const json_t *keys, char *const *values, size_t n, jkc_param *params)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(values[i], "=");
        params[i] = (jkc_param){ parameter(keys, values[i], len), values[i] + len + 1 };
        if (*params[i].name == '\0')
            return false;
    }
    params[n] = (jkc_param){ "cmd", "update" };
    params[n + 1] = (jkc_param){ NULL, NULL };
    return true;
}

static jkc_exit set_values(jkc_line *line, const json_t *look, const jkc_worker *worker, char *const *values, size_t n, const jkc_way *way)
{
    const json_t *keys = editable(look, worker->kind);
    jkc_param params[VALUES_MOST + 2];
    json_t *answer = NULL;

    if (keys == NULL) {
        jkc_say("%s: nothing can be changed there: worker.NAME.read_only, or a module that is older than this jkctl", jkc_ask_url(line));
        return JKC_REFUSED;
    }
    if (!read_values(keys, values, n, params))
        return JKC_REFUSED;
    jkc_exit rc = post(line, look, worker, params, &answer);
    for (size_t i = 0; rc == JKC_GOOD && i < n && (i == 0 || !way->json); i++)
        show(worker, way, answer, values[i]);
    json_decref(answer);
    return rc;
}

jkc_exit jkc_change_values(jkc_line *line, const char *name, char *const *values, size_t n, const jkc_way *way)
{
    jkc_exit rc = JKC_GOOD;

    for (size_t i = 0; i < n; i++)
        if (strchr(values[i], '=') == NULL || *values[i] == '=')
            jkc_wrong_usage("set takes KEY=VALUE, and this is none", values[i]);
    if (n == 0 || n > VALUES_MOST)
        jkc_wrong_usage("set NAME KEY=VALUE.., at most 64 of them", NULL);
    json_t *look = jkc_ask_look(line, false);
    if (look == NULL) {
        jkc_say("%s", jkc_ask_why(line));
        return JKC_CANNOT_ASK;
    }
    jkc_workers found = jkc_look_find(look, name, JKC_ANY);
    if (found.n == 0)
        rc = JKC_REFUSED;
    for (size_t i = 0; i < found.n && rc == JKC_GOOD; i++)
        rc = set_values(line, look, &found.list[i], values, n, way);
    free(found.list);
    json_decref(look);
    return rc;
}
