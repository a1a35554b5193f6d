/* tools/jkctl_report.h - what `jkctl doctor` found, as text or as JSON, on stdout. All that came from elsewhere is cleaned here. */
#ifndef JKCTL_REPORT_H
#define JKCTL_REPORT_H

#include "jkctl_decide.h"
#include "jkctl_look.h"

/* One worker. */
typedef struct jkc_examined {
    const char *name;   /* "lb:member", "worker" */
    bool port_0;        /* it was not asked: nothing else counts */
    int activation;     /* enum jk_activation */
    int64_t took, pong; /* µs; pong: -1 where none came */
    jkd_facts facts;
    const jkd_finding *found[JKD_FOUND_MOST];
    size_t nfound;
} jkc_examined;

typedef struct jkc_report {
    const jkc_examined **all;
    size_t n;
    const char *file;   /* where the workers are written */
    const char **lines; /* what the check says of the configuration */
    size_t nlines;
    int weights[JKD_FAULT + 1]; /* how many findings of each weight */
    bool colours;
} jkc_report;

void jkc_report_configuration(const jkc_report *report);
void jkc_report_text(const jkc_report *report);
void jkc_report_json(const jkc_report *report);

#endif
