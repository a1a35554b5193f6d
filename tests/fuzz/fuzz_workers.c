/* tests/fuzz/fuzz_workers.c - any bytes as a workers file, as JkWorkerProperty lines and as a rule file. Whatever comes in, what comes out is
 * whole: values lie in the ranges of conf/keys, members are ajp13 workers, findings are few, in order and one line each, and none holds a secret.
 *
 *   | flags | the text .. |     flags: bit 0 lines of JkWorkerProperty, bit 1 a rule file, bit 2 only ajp13 workers can be made
 *
 * A variable and a secret that is made of it stand before the text: it may use both wherever it likes. */
#include "jk/conf/extension.h"
#include "jk/conf/keys.h"
#include "jk/conf/urimap.h"
#include "jk/conf/values.h"
#include "jk/conf/workers.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>

#define MARK "5ESAME-0PEN"
#define BEFORE "v=" MARK "\nworker.zz.secret=$(v)x\n"
#define LINES_MOST 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise, const char *what)
{
    if (promise)
        return;
    fprintf(stderr, "fuzz_workers: broken promise: %s\n", what);
    abort();
}

/* No environment of the machine that it runs on. */
static const char *environment(const char *name)
{
    return strcmp(name, "HOME") == 0 ? "/home" : NULL;
}

static void check_findings(apr_pool_t *p, jk_findings *found, bool marked)
{
    const jk_finding *before = NULL;
    int count = 0;

    jk_findings_sort(found);
    for (int i = 0; i < JK_FIND_COUNT; i++)
        count += found->count[i];
    must(found->all->nelts <= JK_FINDINGS_MOST && count >= found->all->nelts, "findings are counted");
    for (int i = 0; i < found->all->nelts; i++) {
        const jk_finding *one = &APR_ARRAY_IDX(found->all, i, jk_finding);
        must(*jk_findings_line(p, one, i & 1) != '\0', "a finding has words");
        must(before == NULL || before->file != one->file || before->line <= one->line, "findings are in order");
        must(marked || strstr(one->text, MARK) == NULL, "no finding holds a secret");
        before = one;
    }
}

static void check_number(const jk_key *key, const jk_worker_conf *one, apr_pool_t *p)
{
    long long n = atoll(jk_values_text(p, key, one));

    if (key->words || (key->type != JK_KEY_INT && key->type != JK_KEY_TIME && key->type != JK_KEY_SIZE))
        return;
    must((n >= key->min && n <= key->max) || !jk_keys_written(one, key->name) || strcmp(key->name, "max_packet_size") == 0, "a number is in its range");
}

static void check_worker(apr_pool_t *p, const jk_workers_conf *conf, const jk_worker_conf *one)
{
    must(one->name && *one->name && strlen(one->name) <= JK_NAME_MAX, "a worker has a name");
    must(jk_workers_find(conf, one->name) == one, "a worker is found by its name");
    must(one->members && one->mount && one->fail_on_status && one->balance_workers && one->user && one->good && one->bad, "lists are there");
    must(one->secret && one->source && one->css && one->session_cookie_path, "texts are there");
    must(one->tune.max_packet_size >= 8192 && one->tune.max_packet_size <= 65536, "a packet has its bounds");
    must(one->kind == JK_WORKER_LB || one->members->nelts == 0, "only an lb has members");
    for (int i = 0; i < one->members->nelts; i++)
        must(APR_ARRAY_IDX(one->members, i, const jk_worker_conf *)->kind == JK_WORKER_AJP13, "a member is an ajp13 worker");
    for (size_t i = 0; i < jk_keys_count; i++) {
        must(jk_values_text(p, &jk_keys[i], one) != NULL, "a value has a text");
        check_number(&jk_keys[i], one, p);
    }
}

static int take_lines(apr_pool_t *p, char *text, jk_prop *lines)
{
    char *state = NULL;
    int n = 0;

    for (char *line = apr_strtok(text, "\n", &state); line && n < LINES_MOST; line = apr_strtok(NULL, "\n", &state), n++)
        lines[n] = (jk_prop){ "", apr_pstrdup(p, line), "httpd.conf", n + 1 };
    return n;
}

static jk_workers_conf *parse(apr_pool_t *p, uint8_t flags, const char *text, size_t len, jk_findings *found)
{
    jk_workers_input in = { .file = "w.properties", .text = { (const uint8_t *)text, len }, .server_root = "/root", .env = environment,
                            .kinds = flags & 4 ? JK_WORKER_AJP13 : JK_WORKER_AJP13 | JK_WORKER_LB | JK_WORKER_STATUS };

    if (flags & 1) {
        jk_prop *lines = apr_palloc(p, LINES_MOST * sizeof *lines);
        in.nlines = take_lines(p, apr_pstrmemdup(p, text, len), lines);
        in.lines = lines;
        in.file = NULL;
        in.text = JK_SPAN_NONE;
    }
    return jk_workers_parse(p, &in, found);
}

static void read_rules(apr_pool_t *p, jk_span text, const jk_workers_conf *conf, jk_findings *found)
{
    apr_array_header_t *lines = jk_urimap_lines(p, text, "r.properties", environment, found);
    jk_urimap *map = jk_urimap_make(p);

    for (int i = 0; i < lines->nelts && i < LINES_MOST; i++) {
        const jk_prop *line = &APR_ARRAY_IDX(lines, i, jk_prop);
        const char *name = jk_extension_name(p, line->value);
        jk_extension_parse(p, line->value, jk_workers_find(conf, name), line, found);
        jk_urimap_add(map, found, &(jk_rule){ .source = JK_RULE_FILE, .file = line->file, .line = line->line, .worker = jk_span_of(name) }, line->key);
    }
    must(jk_urimap_compile(map) != NULL, "rules compile");
}

static void run(apr_pool_t *p, uint8_t flags, const uint8_t *data, size_t size)
{
    size_t len = strlen(BEFORE) + size;
    char *text = apr_palloc(p, len + 1);
    jk_findings *found = jk_findings_make(p);
    bool marked = memmem(data, size, "5ESAME", 6) || memmem(data, size, "v=", 2) || memmem(data, size, "0PEN", 4);

    memcpy(text, BEFORE, strlen(BEFORE));
    memcpy(text + strlen(BEFORE), data, size);
    text[len] = '\0';
    const jk_workers_conf *conf = parse(p, flags, text, len, found);
    must(conf != NULL && conf->workers != NULL, "there is always a configuration");
    for (int i = 0; i < conf->workers->nelts; i++)
        check_worker(p, conf, APR_ARRAY_IDX(conf->workers, i, const jk_worker_conf *));
    check_findings(p, found, marked);
    if (flags & 2) {
        jk_findings *of_rules = jk_findings_make(p);
        read_rules(p, (jk_span){ data, size }, conf, of_rules);
        check_findings(p, of_rules, true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    apr_pool_t *p;

    if (!ready) {
        apr_initialize();
        ready = true;
    }
    if (size == 0 || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return 0;
    run(p, data[0], data + 1, size - 1);
    apr_pool_destroy(p);
    return 0;
}
