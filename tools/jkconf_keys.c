/* tools/jkconf_keys.c - `jkconf keys`: the directives and worker keys, out of the tables that the module reads. */
#include "jkconf.h"

#include "jk/conf/keys.h"

#include <apr_strings.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

typedef struct directive {
    const char *name, *args, *context, *standard, *inherit, *help;
} directive;

static const directive directives[] = {
#define ROW(name, args, context, standard, inherit, home, setter, help) { #name, #args, #context, standard, #inherit, help },
#include "native/httpd/directive_rows.h"
};

#define NDIRECTIVES (sizeof directives / sizeof directives[0])
#define NGLOBAL (sizeof jk_keys_global / sizeof jk_keys_global[0])

/* What is told of a name, whatever it is. NULL: not of this one. */
typedef struct row {
    const char *name, *what, *value, *standard, *where, *alias, *help;
} row;

/* The word behind `key` in "key=word;key=word". */
static const char *word_for(apr_pool_t *p, const char *table, const char *key)
{
    size_t n = strlen(key);

    for (const char *at = table; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL)
        if (strncmp(at, key, n) == 0 && at[n] == '=')
            return apr_pstrmemdup(p, at + n + 1, strcspn(at + n + 1, ";"));
    return key;
}

static row of_directive(apr_pool_t *p, const directive *d)
{
    static const char args[] = "TAKE1=one word;TAKE12=one or two words;FLAG=On or Off;RAW_ARGS=the rest of the line";
    static const char contexts[] = "GLOBAL=main server;SERVER=main server, <VirtualHost>;LOCATION=main server, <VirtualHost>, <Location>";

    return (row){ d->name, "directive of httpd", word_for(p, args, d->args), d->standard, word_for(p, contexts, d->context), NULL, d->help };
}

/* ---- worker keys ---- */

static const char *words_of(apr_pool_t *p, const jk_key *key)
{
    const char *list = "";

    for (const jk_key_word *w = key->words; w && w->word; w++)
        if (w == key->words || w->value != w[-1].value)
            list = apr_pstrcat(p, list, *list ? ", " : "", w->word, NULL);
    return list;
}

static const char *range_of(apr_pool_t *p, const jk_key *key)
{
    if (key->min > INT_MIN && key->max < INT_MAX / 1000)
        return apr_psprintf(p, ", %d to %d", key->min, key->max);
    return key->min > 0 ? apr_psprintf(p, ", from %d", key->min) : "";
}

static const char *value_of(apr_pool_t *p, const jk_key *key)
{
    switch (key->type) {
    case JK_KEY_INT: return apr_pstrcat(p, "number", range_of(p, key), NULL);
    case JK_KEY_TIME: return apr_pstrcat(p, "time, a bare number is in ", key->unit, range_of(p, key), NULL);
    case JK_KEY_SIZE: return apr_pstrcat(p, "bytes, also 8k or 1m", range_of(p, key), NULL);
    case JK_KEY_BOOL: return "true or false";
    case JK_KEY_TEXT: return "text";
    case JK_KEY_LIST: return "list, by commas or blanks";
    case JK_KEY_CODES: return apr_pstrcat(p, "list of statuses", range_of(p, key), NULL);
    case JK_KEY_WORD: return apr_pstrcat(p, "one of ", words_of(p, key), NULL);
    case JK_KEY_LETTERS: return apr_pstrcat(p, "letters of ", words_of(p, key), NULL);
    }
    return "";
}

static const char *kinds_of(apr_pool_t *p, const jk_key *key)
{
    const char *list = apr_pstrcat(p, key->kinds & JK_WORKER_AJP13 ? ", ajp13" : "", key->kinds & JK_WORKER_LB ? ", lb" : "",
                                   key->kinds & JK_WORKER_STATUS ? ", status" : "", NULL);

    return *list ? apr_pstrcat(p, "workers of type ", list + 2, key->home == JK_HOME_TUNE ? "; can be changed at run time" : "", NULL) :
           "all workers together";
}

static row of_key(apr_pool_t *p, const jk_key *key)
{
    static const char *const states[] = { [JK_KEY_IN_FORCE] = "worker key", [JK_KEY_OLD] = "worker key, deprecated",
                                          [JK_KEY_IGNORED] = "worker key, accepted and ignored" };
    const char *standard = key->dflt ? key->dflt : "";

    if (*standard && *key->unit && strcmp(standard, "0") != 0)
        standard = apr_pstrcat(p, standard, " ", key->unit, NULL);
    return (row){ key->kinds ? apr_pstrcat(p, "worker.NAME.", key->name, NULL) : apr_pstrcat(p, "worker.", key->name, NULL),
                  states[key->state], value_of(p, key), standard, kinds_of(p, key), key->alias, key->help };
}

/* ---- telling ---- */

static void print_row(const row *r)
{
    printf("%s  (%s)\n  value     %s\n  default   %s\n  where     %s\n", r->name, r->what, r->value, *r->standard ? r->standard : "none", r->where);
    if (r->alias)
        printf("  also      %s, deprecated\n", r->alias);
    printf("  meaning   %s\n", r->help);
}

static void print_line(const row *r)
{
    printf("%-44s %s\n", r->name, r->help);
}

static json_t *json_of(const row *r)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s}", "name", r->name, "what", r->what, "value", r->value, "default", r->standard, "where",
                     r->where, "alias", r->alias, "meaning", r->help);
}

/* ---- finding ---- */

static apr_array_header_t *all_rows(apr_pool_t *p)
{
    apr_array_header_t *all = apr_array_make(p, 200, sizeof(row));

    for (size_t i = 0; i < NDIRECTIVES; i++)
        APR_ARRAY_PUSH(all, row) = of_directive(p, &directives[i]);
    for (size_t i = 0; i < NGLOBAL; i++)
        APR_ARRAY_PUSH(all, row) = of_key(p, &jk_keys_global[i]);
    for (size_t i = 0; i < jk_keys_count; i++)
        APR_ARRAY_PUSH(all, row) = of_key(p, &jk_keys[i]);
    return all;
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

static const row *find(const apr_array_header_t *all, const char *name)
{
    for (int i = 0; i < all->nelts; i++) {
        const row *r = &APR_ARRAY_IDX(all, i, row);
        bool directive_like = strncasecmp(r->name, "Jk", 2) == 0;
        if (directive_like ? strcasecmp(r->name, name) == 0 : strcmp(last_part(r->name), last_part(name)) == 0)
            return r;
        if (r->alias && strcmp(r->alias, last_part(name)) == 0)
            return r;
    }
    return NULL;
}

static void unknown(apr_pool_t *p, const apr_array_header_t *all, const char *name)
{
    const char **names = apr_palloc(p, ((size_t)all->nelts + 1) * sizeof *names);

    for (int i = 0; i < all->nelts; i++)
        names[i] = last_part(APR_ARRAY_IDX(all, i, row).name);
    fprintf(stderr, "jkconf: there is no directive and no worker key '%s'%s\n", name,
            jk_findings_hint(p, last_part(name), names, (size_t)all->nelts));
}

static int tell_some(const jkconf_asked *asked, const apr_array_header_t *all)
{
    json_t *list = json_array();
    int status = JKCONF_CLEAN;

    for (int i = 0; i < asked->words->nelts; i++) {
        const char *name = APR_ARRAY_IDX(asked->words, i, const char *);
        const row *r = find(all, name);
        if (r == NULL) {
            unknown(asked->p, all, name);
            status = JKCONF_WARNED;
        } else if (asked->json) {
            json_array_append_new(list, json_of(r));
        } else {
            print_row(r);
        }
    }
    if (asked->json)
        json_dumpf(list, stdout, JSON_INDENT(2));
    json_decref(list);
    return status;
}

static int tell_all(const jkconf_asked *asked, const apr_array_header_t *all)
{
    json_t *list = json_array();

    for (int i = 0; i < all->nelts; i++) {
        if (asked->json)
            json_array_append_new(list, json_of(&APR_ARRAY_IDX(all, i, row)));
        else
            print_line(&APR_ARRAY_IDX(all, i, row));
    }
    if (asked->json)
        json_dumpf(list, stdout, JSON_INDENT(2));
    json_decref(list);
    return JKCONF_CLEAN;
}

int jkconf_keys(const jkconf_asked *asked)
{
    const apr_array_header_t *all = all_rows(asked->p);
    int status = asked->words->nelts ? tell_some(asked, all) : tell_all(asked, all);

    if (asked->json)
        printf("\n");
    return status;
}
