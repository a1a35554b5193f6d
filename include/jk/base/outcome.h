/* include/jk/base/outcome.h - what happened, as one small enumeration that every room below the glue returns.
 *
 * An outcome says what happened and nothing else. Whom to blame is jk_outcome_blame(); whether a request may go
 * elsewhere is balance/retry; which HTTP status the client sees is httpd/answer. No bool in this project means "error". */
#ifndef JK_BASE_OUTCOME_H
#define JK_BASE_OUTCOME_H

typedef enum jk_rc {
    JK_OK = 0,
    JK_AGAIN,          /* not yet: for a parser, more bytes are needed; for a run, see run->wait */
    JK_E_CLIENT_READ,  /* the request's body could not be read from the client */
    JK_E_CLIENT_WRITE, /* the response could not be written to the client */
    JK_E_CLIENT_ABORT, /* the client went away (or its request was torn down) before the end */
    JK_E_RESOLVE,      /* the backend's host name has no address */
    JK_E_CONNECT,      /* no connection to the backend: refused, unreachable or not in time */
    JK_E_PING,         /* a CPing was not answered by a CPong in time */
    JK_E_SEND,         /* writing to the backend failed */
    JK_E_RECV,         /* reading from the backend failed, or it closed the connection */
    JK_E_TIMEOUT,      /* the backend was silent for longer than reply_timeout */
    JK_E_FRAME,        /* what came is no AJP13 packet, or not one that may come now: 502 */
    JK_E_PAYLOAD,      /* a whole packet, but its content is malformed: 500 */
    JK_E_SPACE,        /* our message does not fit into max_packet_size */
    JK_E_BUSY,         /* no connection is free: a limit of ours (pool, busy_limit, max_connections) */
    JK_E_STATUS,       /* the answer's status is one of fail_on_status */
    JK_E_CONF,         /* the configuration does not allow it */
    JK_E_MEMORY,       /* an allocation failed */
    JK_E_SHORT,        /* no connection could even be begun: our process, or the system, is out of descriptors, buffers or ports */
    JK_RC_COUNT
} jk_rc;

typedef enum jk_blame { JK_BLAME_NOBODY, JK_BLAME_CLIENT, JK_BLAME_BACKEND, JK_BLAME_US } jk_blame;

/* Who caused it. JK_OK and JK_AGAIN are nobody's fault. */
jk_blame jk_outcome_blame(jk_rc rc);

/* "JK_E_CONNECT", for tests and debug lines; never NULL. */
const char *jk_outcome_name(jk_rc rc);

/* The words of a log line: "connecting to the backend failed"; never NULL. */
const char *jk_outcome_words(jk_rc rc);

#endif
