/* tools/jkctl_look.c - names to workers, and what is said where a name fits none or several. */
#include "jkctl_look.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *jkc_must(void *allocated)
{
    if (allocated)
        return allocated;
    fputs("jkctl: no memory\n", stderr);
    exit(JKC_CANNOT_ASK);
}

void jkc_wrong_usage(const char *what, const char *about)
{
    fprintf(stderr, "jkctl: %s%s%s\njkctl --help says more.\n", what, about ? ": " : "", about ? about : "");
    exit(JKC_USAGE);
}

void jkc_say(const char *fmt, ...)
{
    va_list ap;

    fputs("jkctl: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

char *jkc_clean(const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char *clean = jkc_must(malloc(4 * strlen(text) + 1)), *out = clean;

    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c >= ' ' && *c < 0x7f) {
            *out++ = (char)*c;
            continue;
        }
        *out++ = '\\';
        *out++ = 'x';
        *out++ = hex[*c >> 4];
        *out++ = hex[*c & 15];
    }
    *out = '\0';
    return clean;
}

const char *jkc_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

json_int_t jkc_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

bool jkc_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* ---- all ---- */

static void add(jkc_workers *all, jkc_kind kind, json_t *lb, json_t *values)
{
    all->list = jkc_must(realloc(all->list, (all->n + 1) * sizeof *all->list));
    all->list[all->n++] = (jkc_worker){ kind, lb, values };
}

static void add_balancer(jkc_workers *all, json_t *lb, unsigned kinds)
{
    const json_t *members = json_object_get(lb, "members");

    if (kinds & JKC_LB)
        add(all, JKC_LB, NULL, lb);
    for (size_t i = 0; (kinds & JKC_MEMBER) && i < json_array_size(members); i++)
        add(all, JKC_MEMBER, lb, json_array_get(members, i));
}

jkc_workers jkc_look_all(const json_t *look, unsigned kinds)
{
    const json_t *balancers = json_object_get(look, "balancers"), *workers = json_object_get(look, "ajp_workers");
    jkc_workers all = { NULL, 0 };

    for (size_t i = 0; i < json_array_size(balancers); i++)
        add_balancer(&all, json_array_get(balancers, i), kinds);
    for (size_t i = 0; (kinds & JKC_AJP) && i < json_array_size(workers); i++)
        add(&all, JKC_AJP, NULL, json_array_get(workers, i));
    return all;
}

char *jkc_look_name(const jkc_worker *worker)
{
    const char *lb = worker->lb ? jkc_text(worker->lb, "name") : "", *name = jkc_text(worker->values, "name");
    size_t n = strlen(lb) + strlen(name) + 2;
    char *whole = jkc_must(malloc(n)), *clean;

    snprintf(whole, n, "%s%s%s", lb, worker->lb ? ":" : "", name);
    clean = jkc_clean(whole);
    free(whole);
    return clean;
}

/* ---- by name ---- */

static bool fits(const jkc_worker *w, const char *name)
{
    const char *own = jkc_text(w->values, "name"), *lb = w->lb ? jkc_text(w->lb, "name") : "";
    size_t n = strlen(lb);

    if (strcmp(own, name) == 0)
        return true;
    if (w->lb && strncmp(name, "*:", 2) == 0 && strcmp(name + 2, own) == 0)
        return true;
    return strncmp(name, lb, n) == 0 && name[n] == ':' && strcmp(name + n + 1, own) == 0;
}

static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b), *row = jkc_must(malloc((nb + 1) * sizeof *row));

    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = corner + (a[i - 1] != b[j - 1]), one = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            corner = row[j];
            row[j] = change < one ? change : one;
        }
    }
    size_t d = row[nb];
    free(row);
    return d;
}

const char *jkc_look_near(const char *name, const char *const *names, size_t n)
{
    const char *near = NULL;
    size_t best = strlen(name) / 3 + 2; /* a slip or two, more in a long word */

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(name, names[i]);
        if (d < best) {
            best = d;
            near = names[i];
        }
    }
    return near;
}

static void say_list(const char *words, const jkc_workers *all)
{
    fprintf(stderr, "%s", words);
    for (size_t i = 0; i < all->n; i++) {
        char *name = jkc_look_name(&all->list[i]);
        /* a worker of its own, beside members of the same name */
        fprintf(stderr, "%s %s%s", i ? "," : "", all->list[i].kind == JKC_AJP ? ":" : "", name);
        free(name);
    }
    fputc('\n', stderr);
}

static const char *words_of(unsigned kinds)
{
    return kinds == JKC_MEMBER ? "member of a balancer" : kinds == JKC_LB ? "balancer" : "worker";
}

static void say_none(const char *name, unsigned kinds, const jkc_workers *all)
{
    const char **names = jkc_must(malloc((2 * all->n + 1) * sizeof *names));
    char **whole = jkc_must(malloc((all->n + 1) * sizeof *whole)), *clean = jkc_clean(name);

    for (size_t i = 0; i < all->n; i++) {
        names[2 * i] = jkc_text(all->list[i].values, "name");
        names[2 * i + 1] = whole[i] = jkc_look_name(&all->list[i]);
    }
    const char *near = jkc_look_near(name, names, 2 * all->n);
    char *hint = near ? jkc_clean(near) : NULL;
    jkc_say("there is no %s '%s'%s%s%s", words_of(kinds), clean, hint ? "; did you mean '" : "", hint ? hint : "", hint ? "'?" : "");
    say_list(all->n ? "there are:" : "there are none at all", all);
    for (size_t i = 0; i < all->n; i++)
        free(whole[i]);
    free(hint);
    free(clean);
    free(whole);
    free(names);
}

jkc_workers jkc_look_find(const json_t *look, const char *name, unsigned kinds)
{
    jkc_workers all = jkc_look_all(look, kinds), found = { NULL, 0 };

    for (size_t i = 0; i < all.n; i++)
        if (fits(&all.list[i], name))
            add(&found, all.list[i].kind, all.list[i].lb, all.list[i].values);
    if (found.n == 0)
        say_none(name, kinds, &all);
    free(all.list);
    if (found.n < 2 || strncmp(name, "*:", 2) == 0)
        return found;
    jkc_say("'%s' is more than one; say which, or *:%s for it in each balancer", name, name);
    say_list("there are:", &found);
    free(found.list);
    return (jkc_workers){ NULL, 0 };
}

/* ---- what they say ---- */

jkc_exit jkc_look_health(const jkc_worker *w)
{
    const char *health = jkc_text(w->values, "health"), *state = jkc_text(w->values, "state");

    if (w->kind == JKC_LB)
        return jkc_number(w->values, "bad") ? JKC_BAD : jkc_number(w->values, "degraded") ? JKC_DEGRADED : JKC_GOOD;
    if (w->kind == JKC_MEMBER)
        return strcmp(health, "good") == 0 ? JKC_GOOD : strcmp(health, "bad") == 0 ? JKC_BAD : JKC_DEGRADED;
    return strncmp(state, "OK", 2) == 0 ? JKC_GOOD : strcmp(state, "ERR") == 0 ? JKC_BAD : JKC_DEGRADED;
}

const char *jkc_look_activation(const json_t *member)
{
    static const char *const words[][2] = { { "ACT", "active" }, { "DIS", "disabled" }, { "STP", "stopped" } };
    const char *word = jkc_text(member, "activation");

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i][0]) == 0)
            return words[i][1];
    return "unknown";
}
