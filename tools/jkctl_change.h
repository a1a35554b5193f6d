/* tools/jkctl_change.h - the commands that change something at once: activation, values, counters, recovery. Each looks, finds the worker,
 * posts the change, and says on stdout what came of it. */
#ifndef JKCTL_CHANGE_H
#define JKCTL_CHANGE_H

#include "jkctl_ask.h"

/* How the commands of this kind work. */
typedef struct jkc_way {
    bool json;  /* what the server answers, instead of words */
    bool last;  /* also where no other member could take over */
} jkc_way;

/* active, disabled or stopped. Where none of its balancer's other members is active and well it is refused, unless it is to be active. */
jkc_exit jkc_change_activation(jkc_line *line, const char *name, const char *activation, const jkc_way *way);

/* The same of a worker that was found in `look`; nothing is checked, and what goes wrong is said. *answer: as in jkc_ask_change. */
jkc_exit jkc_change_post_activation(jkc_line *line, const json_t *look, const jkc_worker *member, const char *activation, json_t **answer);

/* False, and it is said: no other member of its balancer is active and well. */
bool jkc_change_has_others(const jkc_worker *member, const jkc_way *way);

/* "lbfactor=3", .. ; keys as in workers.properties. */
jkc_exit jkc_change_values(jkc_line *line, const char *name, char *const *values, size_t n, const jkc_way *way);

jkc_exit jkc_change_reset(jkc_line *line, const char *name, const jkc_way *way);
jkc_exit jkc_change_recover(jkc_line *line, const char *name, const jkc_way *way);

#endif
