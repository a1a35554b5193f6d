/* tests/fuzz/house.h - a whole registry in shared memory for the targets that edit and show workers: a balancer with two members and two spare
 * places, a worker of its own, and the status worker. Names are looked up without a name service (see house.c). */
#ifndef JK_FUZZ_HOUSE_H
#define JK_FUZZ_HOUSE_H

#include "jk/worker/manage.h"
#include "jk/worker/registry.h"
#include "promise.h"

#define HOUSE_SECRET "5ESAME-0PEN" /* of every container in it */
#define HOUSE_MOST 32              /* workers and places of members */

typedef struct house {
    apr_pool_t *p; /* all of it lies there */
    jk_workers_conf *conf;
    jk_findings *found;
    jk_registry *registry;
    jk_shm *shm;
} house;

/* Every value in force, worker by worker, place by place. */
typedef struct house_values {
    size_t n;
    struct {
        const jk_worker *worker, *lb; /* lb: of a place, else NULL */
        bool there;                   /* somebody is in that place */
        jk_tune tune;
    } of[HOUSE_MOST];
} house_values;

/* The properties of the usual house. */
extern const char house_usual[];

/* Allocates from p. */
house house_build(apr_pool_t *p, const char *properties);

/* Does the secret stand in it? */
bool house_tells(const void *text, size_t n);

void house_look(const house *h, house_values *out);

/* Do both say the same? What an empty place says is nobody's business. */
bool house_same(const house_values *a, const house_values *b);

/* Every value lies in the range of its row in conf/keys, texts are words, no two members of a balancer have one route, or two workers one name. */
void house_check(const house *h, const house_values *v);

#endif
