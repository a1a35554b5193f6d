/* tools/jkctl_report.c - what the doctor found, for people and for programs. */
#include "jkctl_report.h"

#include "jk/balance/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MOST 20 /* of what is wrong in a file */

/* ---- words ---- */

static jkd_weight worst_of(const jkc_examined *c)
{
    jkd_weight worst = JKD_HINT;

    for (size_t i = 0; i < c->nfound; i++)
        if (c->found[i]->weight > worst)
            worst = c->found[i]->weight;
    return worst;
}

static const char *result_of(const jkc_examined *c)
{
    static const char *const words[] = { [JKD_HINT] = "good", [JKD_WARNING] = "degraded", [JKD_FAULT] = "bad" };

    return c->port_0 ? "not asked" : words[worst_of(c)];
}

/* Each line of a text of the table, with what was seen in it; `say` gets one after the other. NULL has none. */
static void each_line(const char *text, const jkd_facts *facts, void (*say)(void *data, int n, const char *line), void *data)
{
    char *words = text ? jkc_must(jkd_decide_words(text, facts)) : NULL, *rest = words;
    int n = 0;

    for (char *line; rest && (line = strsep(&rest, "\n")) != NULL;) {
        char *clean = jkc_clean(line);
        if (*clean)
            say(data, ++n, clean);
        free(clean);
    }
    free(words);
}

static void print_cause(void *data, int n, const char *line)
{
    (void)data;
    printf("      %d. %s\n", n, line);
}

static void print_line(void *data, int n, const char *line)
{
    if (n == 1)
        printf("    %s\n", (const char *)data);
    printf("      %s\n", line);
}

static void print_what(void *data, int n, const char *line)
{
    const jkd_finding *f = data;

    (void)n;
    printf("  %s %s (%s): %s\n", f->code, f->name, jkd_decide_weight(f->weight), line);
}

static void print_finding(const jkd_finding *f, const jkd_facts *facts)
{
    static char workers[] = "in workers.properties (then httpd -k graceful):", server[] = "in server.xml (then restart Tomcat):",
                instead[] = "or, instead of that, in server.xml (then restart Tomcat):", shell[] = "commands:";
    char there[300] = "commands:", *host = jkc_clean(facts->host);

    if (jkd_decide_is_far(facts))
        snprintf(there, sizeof there, "commands, on %s:", host);
    free(host);

    each_line(f->what, facts, print_what, (void *)(uintptr_t)f);
    puts("    likely, the likeliest first:");
    each_line(f->causes, facts, print_cause, NULL);
    each_line(f->httpd, facts, print_line, workers);
    each_line(f->container, facts, print_line, f->either ? instead : server);
    each_line(f->there, facts, print_line, there);
    each_line(f->shell, facts, print_line, shell);
}

static void print_step(const char *method, const char *path, const jkp_step *step)
{
    if (step->made && step->rc == JK_OK)
        printf(", %s %s %u", method, path, step->status);
}

static void print_result(const jkc_examined *c, bool colours)
{
    static const char *const paints[] = { [JKD_HINT] = "\033[32m", [JKD_WARNING] = "\033[33m", [JKD_FAULT] = "\033[31m" };

    colours = colours && !c->port_0;
    printf("%s%s%s", colours ? paints[worst_of(c)] : "", result_of(c), colours ? "\033[0m" : "");
    if (c->activation != JK_ACTIVE)
        fputs(c->activation == JK_DISABLED ? " (disabled)" : " (stopped)", stdout);
}

static void print_case(const jkc_examined *c, bool colours)
{
    const jkd_facts *f = &c->facts;
    char *name = jkc_clean(c->name);

    printf("%s  %s  ", name, c->port_0 ? "port 0, provisioned for later:" : f->address);
    print_result(c, colours);
    if (c->pong >= 0)
        printf("  CPong %.1f ms", (double)c->pong / 1000);
    print_step("OPTIONS", "*", &f->talk.get);
    print_step("GET", f->path, &f->page.step);
    if (*f->server)
        printf(", %s", f->server);
    putchar('\n');
    for (size_t i = 0; i < c->nfound; i++)
        print_finding(c->found[i], f);
    free(name);
}

/* What is no more than information is for the log. */
void jkc_report_configuration(const jkc_report *report)
{
    size_t told = 0;

    for (size_t i = 0; i < report->nlines; i++) {
        if (strncmp(report->lines[i], "info: ", 6) == 0 || ++told > LINES_MOST)
            continue;
        char *line = jkc_clean(report->lines[i]);
        printf("%s\n", line);
        free(line);
    }
    if (told > LINES_MOST)
        printf("and %zu more: jkconf check says them all\n", told - LINES_MOST);
}

/* What was asked is the file's; httpd may have an older one. */
static void print_restart(const char *file)
{
    char *clean = jkc_clean(file);

    printf("Where %s was changed, httpd has what it says after its next restart (httpd -k graceful).\n", clean);
    free(clean);
}

void jkc_report_text(const jkc_report *report)
{
    const int *weights = report->weights;
    size_t good = 0;

    jkc_report_configuration(report);
    for (size_t i = 0; i < report->n; i++) {
        print_case(report->all[i], report->colours);
        good += !report->all[i]->port_0 && worst_of(report->all[i]) == JKD_HINT;
    }
    printf("%zu of %zu workers good; %d faults, %d warnings\n", good, report->n, weights[JKD_FAULT], weights[JKD_WARNING]);
    if (weights[JKD_FAULT] + weights[JKD_WARNING] + weights[JKD_HINT])
        puts("THE-WORDS-IN-CAPITALS are yours to fill in. The manual's page doctor.md has all codes.");
    if (weights[JKD_FAULT] + weights[JKD_WARNING] == 0 && good)
        print_restart(report->file);
}

/* ---- JSON ---- */

static void append_line(void *data, int n, const char *line)
{
    (void)n;
    json_array_append_new(data, json_string(line));
}

static json_t *json_lines(const char *lines, const jkd_facts *facts)
{
    json_t *all = json_array();

    each_line(lines, facts, append_line, all);
    return all;
}

static json_t *json_finding(const jkd_finding *f, const jkd_facts *facts)
{
    char *what = jkc_must(jkd_decide_words(f->what, facts)), *clean = jkc_clean(what);
    json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:o, s:o}", "code", f->code, "name", f->name,
                            "weight", jkd_decide_weight(f->weight), "what", clean, "causes", json_lines(f->causes, facts), "workers_properties", json_lines(f->httpd, facts),
                            "server_xml", json_lines(f->container, facts), "either", f->either, "commands", json_lines(f->shell, facts),
                            "commands_there", json_lines(f->there, facts));

    free(clean);
    free(what);
    return one;
}

static json_t *json_case(const jkc_examined *c)
{
    json_t *findings = json_array();
    char *name = jkc_clean(c->name), *address = jkc_clean(c->facts.address);

    for (size_t i = 0; i < c->nfound; i++)
        json_array_append_new(findings, json_finding(c->found[i], &c->facts));
    json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:f, s:o}", "name", name, "address", address, "result", result_of(c), "server",
                            c->facts.server, "seconds", (double)c->took / 1e6, "findings", findings);
    free(address);
    free(name);
    return one;
}

void jkc_report_json(const jkc_report *report)
{
    json_t *workers = json_array(), *configuration = json_array(), *all;
    const int *weights = report->weights;

    for (size_t i = 0; i < report->n; i++)
        json_array_append_new(workers, json_case(report->all[i]));
    for (size_t i = 0; i < report->nlines; i++) {
        char *line = jkc_clean(report->lines[i]);
        json_array_append_new(configuration, json_string(line));
        free(line);
    }
    all = json_pack("{s:i, s:i, s:i, s:o, s:o}", "faults", weights[JKD_FAULT], "warnings", weights[JKD_WARNING], "hints", weights[JKD_HINT],
                    "configuration", configuration, "workers", workers);
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(all);
}
