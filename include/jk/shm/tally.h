/* include/jk/shm/tally.h - what requests came to at each mount: counted once for each request, at the rule that mapped it, for all processes
 * together. A mount is known by its name (virtual host, pattern, worker), so that a reload of a rule file and a restart find its numbers.
 *
 * There are places for JK_MOUNTS of them; all others are counted as one. Counters only grow, as long as the memory lives. Counting takes a few
 * instructions and no lock; any thread may. */
#ifndef JK_SHM_TALLY_H
#define JK_SHM_TALLY_H

#include "jk/base/span.h"
#include "jk/shm/stat.h"

#define JK_MOUNTS 512

/* A process's view of one mount's numbers. */
typedef struct jk_tally jk_tally;

/* The name as a number, never 0: two names of one number would be counted as one mount, and among 512 there are none such. */
uint64_t jk_tally_key(const char *vhost, jk_span pattern, const char *worker);

/* In the parent, at a start, for every mount that there is, before jk_tally_make() is asked for any: its place is given to no other. */
void jk_tally_parent_hold(jk_shm *shm, uint64_t key);

/* In the parent or in a child: its place, else a free one, else that of all others; the tally lies in p. The parent takes the place of a mount
 * that nobody can know any more where none was ever free. NULL: this memory has no mounts. */
jk_tally *jk_tally_make(apr_pool_t *p, jk_shm *shm, uint64_t key);

/* Equal for tallies that share their numbers: 0 for the others, else 1 .. JK_MOUNTS. */
uint32_t jk_tally_place(const jk_tally *tally);

/* A request begins, and has ended, once for each other: bytes from the container and to it, microseconds, the status of the container's answer
 * (0: there was none). */
void jk_tally_begin(jk_tally *tally);
void jk_tally_end(jk_tally *tally, uint64_t read, uint64_t written, int64_t total, unsigned status);

/* Before its end, of one that failed: the status is that of jk_tally_end(). */
void jk_tally_fail(jk_tally *tally, jk_rc rc, unsigned status);

typedef struct jk_tally_numbers {
    uint64_t requests; /* that are over */
    uint64_t errors;   /* of them: no answer, a cut one, or 5xx; not those that the client broke off */
    uint64_t read, written, failed[JK_RC_COUNT], answers[JK_STAT_CLASSES];
    jk_stat_histogram total;
    uint32_t busy; /* under way */
} jk_tally_numbers;

void jk_tally_read(const jk_tally *tally, jk_tally_numbers *out);

#endif
