/* tools/jkctl_look.h - reads the JSON of a status worker (docs/status-schema.json): workers by the names that people write, texts, numbers.
 * What comes from the server is not believed: what is missing is "" or 0, and what is printed goes through jkc_clean. */
#ifndef JKCTL_LOOK_H
#define JKCTL_LOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How the tool ends. */
typedef enum jkc_exit {
    JKC_GOOD = 0,
    JKC_DEGRADED = 1,   /* status: something is neither good nor bad */
    JKC_BAD = 2,        /* status: something is bad */
    JKC_CANNOT_ASK = 3, /* no answer, or none of a status worker */
    JKC_NOT_DONE = 4,   /* the time was over */
    JKC_REFUSED = 5,    /* nothing was changed: no such worker, several of the name, or the server says no */
    JKC_USAGE = 64
} jkc_exit;

/* What a name may stand for; bits. */
typedef enum jkc_kind { JKC_LB = 1, JKC_MEMBER = 2, JKC_AJP = 4, JKC_ANY = 7 } jkc_kind;

/* A worker; all of it belongs to the look that it was found in. */
typedef struct jkc_worker {
    jkc_kind kind;
    json_t *lb; /* of a member, else NULL */
    json_t *values;
} jkc_worker;

typedef struct jkc_workers {
    jkc_worker *list; /* the caller frees it */
    size_t n;
} jkc_workers;

/* Never NULL. */
void *jkc_must(void *allocated);

/* Ends with 64; "what: about" is said, and where to read more. */
_Noreturn void jkc_wrong_usage(const char *what, const char *about);

/* "jkctl: .." to stderr. */
void jkc_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A copy that no terminal obeys: what is not printable ASCII becomes \xNN. The caller frees it. */
char *jkc_clean(const char *text);

const char *jkc_text(const json_t *object, const char *key);
json_int_t jkc_number(const json_t *object, const char *key);
bool jkc_flag(const json_t *object, const char *key);

/* All workers of these kinds, in the server's order. */
jkc_workers jkc_look_all(const json_t *look, unsigned kinds);

/* "lb:member", "worker"; the caller frees it. It is clean. */
char *jkc_look_name(const jkc_worker *worker);

/* Those that `name` means: "member", "lb:member", "*:member" (in each lb), "worker", ":worker" (of its own, no member). Where there is none,
 * or more than one for a name without "*:", it is said on stderr, with what there is, and n is 0. */
jkc_workers jkc_look_find(const json_t *look, const char *name, unsigned kinds);

/* The name of these that is most like `name`; NULL: none is like it. */
const char *jkc_look_near(const char *name, const char *const *names, size_t n);

/* good, degraded or bad, as JKC_GOOD, .. */
jkc_exit jkc_look_health(const jkc_worker *worker);

/* "active", "disabled", "stopped" for "ACT", "DIS", "STP". */
const char *jkc_look_activation(const json_t *member);

#endif
