/* native/worker/complain.h - the log lines about a container that fails. The room's own. */
#ifndef JK_WORKER_COMPLAIN_H
#define JK_WORKER_COMPLAIN_H

#include "jk/worker/visit.h"

/* An attempt ended with rc; `to` is the address in words. */
void jk_complain(const jk_worker *worker, const char *to, const jk_run *run, jk_rc rc);

/* A connector that refuses a request answers itself and hangs up; the application never saw it (spec: failures.md). *told_at is when that
 * was explained last, in s. */
void jk_complain_refusal(const jk_worker *worker, const char *to, const jk_run *run, volatile uint32_t *told_at);

#endif
