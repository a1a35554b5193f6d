/* include/jk/balance/tune.h - the values of a worker that may change at run time: one plain struct, the same in the checked
 * configuration and later in shared memory. Fixed sizes, no pointers. */
#ifndef JK_BALANCE_TUNE_H
#define JK_BALANCE_TUNE_H

#include <stdint.h>

#define JK_NAME_MAX 255 /* bytes of a worker's name, a host, a route */

typedef struct jk_tune {
    char host[JK_NAME_MAX + 1];
    int32_t port;
    int32_t retries;                    /* attempts, the first among them */
    int32_t retry_interval;             /* ms */
    int32_t reply_timeout;              /* ms; 0: none */
    int32_t connection_acquire_timeout; /* ms; 0: one try */
    int32_t recovery_options;           /* bits of balance/retry.h */
    int32_t max_packet_size;            /* bytes */
} jk_tune;

#endif
