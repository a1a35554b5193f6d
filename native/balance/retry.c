/* native/balance/retry.c - the one place that decides whether a request is sent again. */
#include "jk/balance/retry.h"

/* Failures after which another attempt can end differently. */
static bool curable(jk_rc rc)
{
    switch (rc) {
    case JK_E_CONNECT:
    case JK_E_RESOLVE:
    case JK_E_PING:
    case JK_E_SEND:
    case JK_E_RECV:
    case JK_E_TIMEOUT:
    case JK_E_FRAME:
    case JK_E_PAYLOAD:
    case JK_E_STATUS:
    case JK_E_SHORT: /* a connection may be lying idle: here in a moment, or another member's */
        return true;
    default:
        return false;
    }
}

bool jk_retry_may(jk_rc rc, jk_retry_stage stage, jk_retry_method method, unsigned recovery_options)
{
    if (!curable(rc) || stage >= JK_RETRY_CONSUMED)
        return false;
    if (stage == JK_RETRY_UNSENT || !(recovery_options & JK_RECOVER_NOT_IF_SENT))
        return true;
    if (method == JK_RETRY_HEAD)
        return (recovery_options & JK_RECOVER_HEAD) != 0;
    return method == JK_RETRY_GET && (recovery_options & JK_RECOVER_GET) != 0;
}
