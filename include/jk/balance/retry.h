/* include/jk/balance/retry.h - may a request that failed be sent again? Pure (spec: decisions.md "Never done twice",
 * workers.md 8).
 *
 * Nothing of the request written: always, whatever the method, where another attempt can end differently (a full pool was waited for
 * already, and memory that ran out is not back in a moment). Anything passed to the client, or a body that the
 * container has begun to consume: never. In between the administrator's recovery_options decide. */
#ifndef JK_BALANCE_RETRY_H
#define JK_BALANCE_RETRY_H

#include "jk/base/outcome.h"
#include "jk/base/span.h"

/* Bits of recovery_options. */
enum {
    JK_RECOVER_NOT_IF_SENT = 1,     /* not once the backend got the request */
    JK_RECOVER_NOT_IF_ANSWERED = 2, /* not once headers were passed on: here always so */
    JK_RECOVER_HARD_CLOSE = 4,      /* after a client error close the backend connection hard */
    JK_RECOVER_HEAD = 8,            /* HEAD may be sent again in spite of bit 1 */
    JK_RECOVER_GET = 16             /* GET likewise */
};
#define JK_RECOVER_DEFAULT 27

typedef enum jk_retry_method { JK_RETRY_OTHER, JK_RETRY_GET, JK_RETRY_HEAD } jk_retry_method;

/* Methods are case-sensitive (RFC 9110, 9.1). */
static inline jk_retry_method jk_retry_method_of(jk_span method)
{
    if (method.len == 3 && memcmp(method.p, "GET", 3) == 0)
        return JK_RETRY_GET;
    return method.len == 4 && memcmp(method.p, "HEAD", 4) == 0 ? JK_RETRY_HEAD : JK_RETRY_OTHER;
}

/* What is asked about: the same four stages as ajp's progress, kept apart since balance knows no protocol. */
typedef enum jk_retry_stage { JK_RETRY_UNSENT, JK_RETRY_SENT, JK_RETRY_CONSUMED, JK_RETRY_ANSWERED } jk_retry_stage;

bool jk_retry_may(jk_rc rc, jk_retry_stage stage, jk_retry_method method, unsigned recovery_options);

#endif
