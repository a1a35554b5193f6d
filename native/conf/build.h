/* native/conf/build.h - one worker: its source's lines -> a checked struct. Room-private. */
#ifndef JK_CONF_BUILD_H
#define JK_CONF_BUILD_H

#include "source.h"

/* The worker of this name, made when it is asked for first; `where` names it (a line of worker.list or balance_workers). Where
 * `list`, it is to stand in worker.list. */
jk_worker_conf *jk_build_worker(jk_parse *ps, const char *name, const jk_prop *where, bool list);

#endif
