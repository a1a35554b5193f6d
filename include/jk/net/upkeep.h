/* include/jk/net/upkeep.h - what keeps a pool of connections in order between requests: a look at the idle ones, closing those that
 * nobody needs, pings to those that may have died unseen. Called by one thread of a process at a time, now and then; a
 * connection is out of the pool while something is done with it, and never is the pool's mutex held meanwhile. */
#ifndef JK_NET_UPKEEP_H
#define JK_NET_UPKEEP_H

#include "jk/net/pool.h"

/* Closes idle connections that the container has closed, or has written to unasked. Waits for nothing. Returns how many;
 * *unasked of them had been written to. */
unsigned jk_upkeep_look(jk_pool *pool, unsigned *unasked);

/* Closes those that are idle for longer than `most`, the oldest first, while more than `keep` connections are open (idle or not).
 * Returns how many. */
unsigned jk_upkeep_age(jk_pool *pool, apr_time_t now, apr_time_t most, unsigned keep);

/* Closes all that are idle: they lead to where nobody wants to go any more. */
void jk_upkeep_empty(jk_pool *pool);

/* Pings those that are idle, and not pinged, for longer than `interval`, all at once, and closes those that do not answer within
 * timeout_ms. Neither outcome changes how long they are idle. *asked and *closed are counts. */
void jk_upkeep_probe(jk_pool *pool, apr_time_t interval, int timeout_ms, unsigned *asked, unsigned *closed);

#endif
