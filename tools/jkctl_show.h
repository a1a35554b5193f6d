/* tools/jkctl_show.h - a look as tables for people. */
#ifndef JKCTL_SHOW_H
#define JKCTL_SHOW_H

#include "jkctl_look.h"

#include <stdio.h>

typedef struct jkc_view {
    const char *only;     /* this worker alone; NULL: all */
    bool colours;
    const char *url;      /* shown at the head; clean */
    const json_t *before; /* a look of some seconds earlier, for rates; NULL: none */
    double seconds;
} jkc_view;

/* Writes it; what it says of the whole: good, degraded, bad. JKC_REFUSED: there is no `only`, which is said on stderr. */
jkc_exit jkc_show(FILE *out, const json_t *look, const jkc_view *view);

#endif
