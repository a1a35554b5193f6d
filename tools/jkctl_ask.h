/* tools/jkctl_ask.h - talks HTTP to one status worker: looks, and changes by POST with the token of the last look. Blocking, under a limit. What
 * goes wrong is kept in words: what was asked, what came, what to do. */
#ifndef JKCTL_ASK_H
#define JKCTL_ASK_H

#include "jkctl_look.h"

typedef struct jkc_place {
    const char *url;     /* without query and fragment */
    const char *user;    /* "NAME:PASSWORD"; NULL: what ~/.netrc says */
    const char *netrc;   /* NULL: ~/.netrc */
    const char *cacert;  /* NULL: what libcurl trusts */
    bool insecure;       /* the server's certificate is not looked at */
    long timeout;        /* ms */
} jkc_place;

typedef struct jkc_line jkc_line;

/* One parameter. A NULL name ends a list of them. */
typedef struct jkc_param {
    const char *name, *value;
} jkc_param;

/* `place` must live as long. Never NULL. */
jkc_line *jkc_ask_open(const jkc_place *place);
void jkc_ask_close(jkc_line **line);

/* All workers, without mounts unless `maps`. The caller gives it back with json_decref. NULL: see jkc_ask_why. */
json_t *jkc_ask_look(jkc_line *line, bool maps);

/* A change, with the token that the look `look` has. *answer is what came, the caller's; NULL: nothing of a status worker. JKC_GOOD, JKC_REFUSED,
 * JKC_CANNOT_ASK; if not good: see jkc_ask_why. */
jkc_exit jkc_ask_change(jkc_line *line, const json_t *look, const jkc_param *params, json_t **answer);

/* What went wrong last, clean; the line's. */
const char *jkc_ask_why(const jkc_line *line);

/* Where it leads, clean and without a password; the line's. */
const char *jkc_ask_url(const jkc_line *line);

#endif
