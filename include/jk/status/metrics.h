/* include/jk/status/metrics.h - all shared numbers for machines that come every few seconds: OpenMetrics 1.0, or the text format 0.0.4 of
 * Prometheus, out of one table (docs/metrics.md is made from it).
 *
 * Every number is of all processes together: it does not matter which one is asked. Counters only grow, whatever is reset, restarted or
 * killed, as long as the server is not stopped. */
#ifndef JK_STATUS_METRICS_H
#define JK_STATUS_METRICS_H

#include "jk/shm/gauges.h"
#include "jk/shm/tally.h"
#include "jk/worker/registry.h"

/* A mount that is counted. */
typedef struct jk_metrics_mount {
    const char *vhost, *mount, *worker; /* the server that it is written in, as written, the name that it leads to */
    const jk_tally *tally;
} jk_metrics_mount;

/* What the numbers are taken from, beside the workers themselves. */
typedef struct jk_metrics_from {
    const jk_registry *registry; /* NULL: there are no workers */
    const jk_shm *shm;           /* NULL: likewise */
    const apr_array_header_t *mounts; /* of jk_metrics_mount, each place once; NULL: there are none */
    const char *version;         /* of this module */
    uint32_t generation;         /* of httpd's configuration: each restart adds one */
    bool stale;                  /* the newest configuration is broken, and the last good one in force */
} jk_metrics_from;

typedef enum jk_metrics_form { JK_METRICS_TEXT, JK_METRICS_OPEN } jk_metrics_form;

/* Which of both a client wants that sent this Accept header; NULL: it sent none. */
jk_metrics_form jk_metrics_wanted(const char *accept);

/* Content-Type. */
#define JK_METRICS_OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
const char *jk_metrics_type(jk_metrics_form form);

/* All of it, in p. */
jk_span jk_metrics_write(apr_pool_t *p, const jk_metrics_from *from, jk_metrics_form form);

/* docs/metrics.md, in p. */
jk_span jk_metrics_manual(apr_pool_t *p);

#endif
