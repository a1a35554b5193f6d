/* tools/jkconf_check.c - `jkconf check`: the findings of `httpd -t`, of pieces that httpd need not know. */
#include "jkconf.h"

#include "jkconf_kind.h"

#include "native/httpd/check.h"
#include "native/httpd/mounts.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


typedef struct given {
    apr_array_header_t *confs, *workers, *rules; /* of const char * */
    int taken; /* of the workers files: 1 where the first belongs to the rest */
} given;

jkconf_httpd *jkconf_begin(const jkconf_asked *asked)
{
    jkconf_reader *r = jkconf_read_make(asked->p, asked->root, jk_findings_make(asked->p));

    for (int i = 0; i < asked->defines->nelts; i++)
        jkconf_read_define(r, APR_ARRAY_IDX(asked->defines, i, const char *));
    for (int i = 0; i < asked->modules->nelts; i++)
        jkconf_read_module(r, APR_ARRAY_IDX(asked->modules, i, const char *));
    return jkconf_httpd_make(asked->p, r);
}

static void replace(char *text, int from, int to)
{
    for (; *text; text++)
        if ((unsigned char)*text >= from && (unsigned char)*text <= to)
            *text = '?';
}

const char *jkconf_shown(apr_pool_t *p, const char *text)
{
    char *copy = apr_pstrdup(p, text);
    json_t *utf8;

    replace(copy, 1, ' ' - 1);
    replace(copy, 127, 127);
    utf8 = json_string(copy);
    if (utf8 == NULL)
        replace(copy, 128, 255);
    json_decref(utf8);
    return copy;
}

/* ---- the files ---- */

static int sort_out(const jkconf_asked *asked, given *g)
{
    *g = (given){ apr_array_make(asked->p, 2, sizeof(const char *)), apr_array_make(asked->p, 2, sizeof(const char *)),
                  apr_array_make(asked->p, 2, sizeof(const char *)), 0 };
    for (int i = 0; i < asked->words->nelts; i++) {
        const char *path = APR_ARRAY_IDX(asked->words, i, const char *), *why = "";
        jkconf_kind kind = jkconf_kind_of(asked->p, path, asked->kind, &why);
        if (kind == JKCONF_UNKNOWN) {
            fprintf(stderr, "jkconf: %s: %s\n", path, why);
            return JKCONF_CANNOT;
        }
        APR_ARRAY_PUSH(kind == JKCONF_HTTPD ? g->confs : kind == JKCONF_WORKERS ? g->workers : g->rules, const char *) = path;
    }
    return JKCONF_CLEAN;
}

/* ---- one configuration ---- */

/* Without a file of httpd's nothing is known of mounts and of the log: neither is missed. */
static void expect_nothing(jkconf_httpd *h, const jk_check *c)
{
    const apr_array_header_t *all = c->workers->workers;
    jk_server *conf = jk_config_of(h->main_server);

    for (int i = 0; i < all->nelts; i++)
        apr_hash_set(c->mounted, APR_ARRAY_IDX(all, i, const jk_worker_conf *)->name, APR_HASH_KEY_STRING, c);
    conf->log_file = "|";
    conf->log_file_at.file = "";
}

/* As the start of httpd does it. */
static void look(jkconf_httpd *h, bool alone, bool lookup)
{
    server_rec *s = h->main_server;
    jk_lastgood_text texts = jk_lastgood_read(h->p, s, h->found);
    jk_check c = { .p = h->p, .s = s, .texts = &texts, .mounted = apr_hash_make(h->p), .found = h->found };

    if (!jk_check_has_workers(s))
        return;
    c.workers = jk_check_parse(h->p, &texts, JKCONF_WORKERS_ALL, h->found);
    if (alone)
        expect_nothing(h, &c);
    jk_check_all(&c);
    if (lookup)
        jk_check_hosts(&c);
}

static const char *environment(const char *name)
{
    return getenv(name);
}

/* Rules without workers: their form alone. */
static void look_at_rules(jkconf_httpd *h, const char *path)
{
    jk_urimap *map = jk_urimap_make(h->p);
    apr_array_header_t *lines;
    jk_file_state state;
    jk_span text;
    const char *why = "";

    if (!jk_lastgood_file(h->p, path, &text, &state, &why)) {
        jk_findings_add(h->found, JK_FIND_ERROR, path, 0, "%s", why);
        return;
    }
    lines = jk_urimap_lines(h->p, text, path, environment, h->found);
    for (int i = 0; i < lines->nelts; i++) {
        const jk_prop *line = &APR_ARRAY_IDX(lines, i, jk_prop);
        jk_rule as = { .source = JK_RULE_FILE, .file = line->file, .line = line->line };
        as.worker = jk_span_of(jk_extension_name(h->p, line->value));
        jk_extension_parse(h->p, line->value, NULL, line, h->found);
        jk_urimap_add(map, h->found, &as, line->key);
    }
    jk_findings_add(h->found, JK_FIND_INFO, path, 0, "the workers that the rules name are not looked up: name the workers file too");
}

/* Where the directives name none. False: they name another. */
static bool take_workers(jkconf_httpd *h, const char *path)
{
    jk_global *global = jk_config_of(h->main_server)->global;

    if (global->workers_file == NULL && global->properties->nelts == 0)
        global->workers_file = path;
    return global->workers_file && strcmp(global->workers_file, path) == 0;
}

static void take_rules(jkconf_httpd *h, const char *path)
{
    jk_server *main_conf = jk_config_of(h->main_server);

    for (server_rec *s = h->main_server; s; s = s->next)
        if (jk_config_of(s)->mount_file && strcmp(jk_config_of(s)->mount_file, path) == 0)
            return;
    if (main_conf->mount_file == NULL)
        main_conf->mount_file = path;
}

static jkconf_httpd *check_one(const jkconf_asked *asked, given *g)
{
    jkconf_httpd *h = jkconf_begin(asked);

    for (int i = 0; i < g->confs->nelts; i++)
        jkconf_read_file(h->reader, APR_ARRAY_IDX(g->confs, i, const char *), &h->tree);
    jkconf_httpd_apply(h);
    if (g->workers->nelts)
        g->taken = take_workers(h, APR_ARRAY_IDX(g->workers, 0, const char *));
    for (int i = 0; i < g->rules->nelts; i++) {
        if (g->confs->nelts == 0 && g->workers->nelts == 0)
            look_at_rules(h, APR_ARRAY_IDX(g->rules, i, const char *));
        else
            take_rules(h, APR_ARRAY_IDX(g->rules, i, const char *));
    }
    if (g->confs->nelts || g->workers->nelts)
        look(h, g->confs->nelts == 0, !asked->no_lookup);
    jk_findings_sort(h->found);
    return h;
}

/* ---- what is said ---- */

static int judge(const jk_findings *f, const jkconf_asked *asked, bool strict)
{
    if (jk_findings_refuse(f, strict))
        return JKCONF_REFUSED;
    return asked->strict && jk_findings_count(f, JK_FIND_WARN) > 0 ? JKCONF_WARNED : JKCONF_CLEAN;
}

static bool is_shown(const jkconf_asked *asked, const jk_finding *one)
{
    return one->severity != JK_FIND_INFO || asked->hints;
}

/* As httpd writes its log: whoever wrote the file is not to write to the terminal. */
static const char *escaped(apr_pool_t *p, const char *text)
{
    char *out = apr_palloc(p, 4 * strlen(text) + 1), *to = out;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        const char *letter = c ? strchr("\\\\\bb\nn\rr\tt\vv", c) : NULL;
        if (letter && (c < ' ' || c == '\\'))
            to += sprintf(to, "\\%c", letter[1]);
        else
            to += sprintf(to, c < ' ' || c > 126 ? "\\x%02x" : "%c", c);
    }
    *to = '\0';
    return out;
}

static void print_text(const jkconf_asked *asked, const jkconf_httpd *h, bool strict)
{
    const jk_findings *f = h->found;
    const char *verdict = jk_check_verdict(h->p, f, strict, jk_findings_refuse(f, strict));
    int more = jk_check_more(f);

    for (int i = 0; i < f->all->nelts; i++)
        if (is_shown(asked, &APR_ARRAY_IDX(f->all, i, jk_finding)))
            printf("%s\n", escaped(h->p, jk_findings_line(h->p, &APR_ARRAY_IDX(f->all, i, jk_finding), strict)));
    if (more > 0)
        printf("and %d findings more\n", more);
    for (int i = 0; i < h->reader->doubts->nelts; i++)
        printf("not known: %s\n", escaped(h->p, APR_ARRAY_IDX(h->reader->doubts, i, const char *)));
    if (verdict)
        printf("%s\n", verdict);
}

static json_t *text_of(apr_pool_t *p, const char *text)
{
    return text ? json_string(jkconf_shown(p, text)) : json_null();
}

static const char *word_of(jk_severity severity, bool strict)
{
    return severity == JK_FIND_ERROR || (severity == JK_FIND_LENIENT && strict) ? "error" : severity == JK_FIND_LENIENT ? "lived with" :
           severity == JK_FIND_WARN ? "warning" : "info";
}

static void print_json(const jkconf_asked *asked, const jkconf_httpd *h, bool strict)
{
    const jk_findings *f = h->found;
    json_t *all = json_array(), *doubts = json_array(), *top;

    for (int i = 0; i < f->all->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(f->all, i, jk_finding);
        if (is_shown(asked, one))
            json_array_append_new(all, json_pack("{s:s, s:o, s:i, s:o}", "severity", word_of(one->severity, strict), "file",
                                                 text_of(h->p, one->file), "line", one->line, "text", text_of(h->p, one->text)));
    }
    for (int i = 0; i < h->reader->doubts->nelts; i++)
        json_array_append_new(doubts, text_of(h->p, APR_ARRAY_IDX(h->reader->doubts, i, const char *)));
    top = json_pack("{s:b, s:b, s:i, s:i, s:o, s:o}", "refused", jk_findings_refuse(f, strict), "strict", strict, "warnings",
                    jk_findings_count(f, JK_FIND_WARN), "more", jk_check_more(f), "findings", all, "not_known", doubts);
    json_dumpf(top, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(top);
}

static int tell(const jkconf_asked *asked, const jkconf_httpd *h)
{
    bool strict = asked->strict || jk_config_of(h->main_server)->global->strict;

    (asked->json ? print_json : print_text)(asked, h, strict);
    return judge(h->found, asked, strict);
}

/* A workers file that no other file goes with is a configuration of its own. */
static int check_rest(const jkconf_asked *asked, const given *g, int so_far)
{
    for (int i = g->taken; i < g->workers->nelts; i++) {
        given one = { apr_array_make(asked->p, 1, sizeof(const char *)), apr_array_make(asked->p, 1, sizeof(const char *)),
                      apr_array_make(asked->p, 1, sizeof(const char *)), 0 };
        APR_ARRAY_PUSH(one.workers, const char *) = APR_ARRAY_IDX(g->workers, i, const char *);
        int status = tell(asked, check_one(asked, &one));
        so_far = status > so_far ? status : so_far;
    }
    return so_far;
}

int jkconf_check(const jkconf_asked *asked)
{
    given g;
    int status = sort_out(asked, &g);

    if (status != JKCONF_CLEAN)
        return status;
    status = tell(asked, check_one(asked, &g));
    return check_rest(asked, &g, status);
}
