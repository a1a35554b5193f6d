/* tools/jkping_diagnose.h - from what was seen at a connector to what it means and what to do: pure, a table of signs.
 * What a container sends back for each thing that is wrong was measured (spec: failures.md). No I/O, no clock. */
#ifndef JKPING_DIAGNOSE_H
#define JKPING_DIAGNOSE_H

#include "jk/base/outcome.h"
#include "jk/base/span.h"

/* What was wrong with bytes that should have been AJP13. */
typedef enum jkp_wrong {
    JKP_WRONG_NOTHING,
    JKP_WRONG_HTTP,
    JKP_WRONG_HTTP2,
    JKP_WRONG_TLS,
    JKP_WRONG_SSH,
    JKP_WRONG_OURS,    /* begins as our own packets do: an echo, or another web server's side */
    JKP_WRONG_START,   /* begins as nothing that is known here */
    JKP_WRONG_EMPTY,   /* a packet without a payload */
    JKP_WRONG_CUT,     /* the connection ended inside a packet */
    JKP_WRONG_TYPE,    /* a message of an unknown type */
    JKP_WRONG_HEADERS, /* SEND_HEADERS whose strings or numbers do not fit */
    JKP_WRONG_CHUNK,   /* SEND_BODY_CHUNK longer than its packet */
    JKP_WRONG_FIELD,   /* another message without what must be in it */
    JKP_WRONG_ORDER,   /* a message that may not come at this point */
    JKP_WRONG_COUNT
} jkp_wrong;

/* What one step - the CPing, or a request - brought. */
typedef struct jkp_step {
    bool made;
    jk_rc rc;        /* JK_OK: a whole answer; _TIMEOUT, _RECV (err 0: end of file), _SEND, _FRAME, _PAYLOAD */
    int err;         /* errno */
    unsigned status; /* of a request's headers; 0: none came */
    bool reuse;      /* END_RESPONSE lets the connection live */
    jkp_wrong wrong; /* for JK_E_FRAME and JK_E_PAYLOAD */
} jkp_step;

/* A step in one word. */
typedef enum jkp_sign {
    JKP_SIGN_ANY, /* of no step; in a table: whatever it was */
    JKP_SIGN_NOT_MADE,
    JKP_SIGN_FINE,         /* a pong; a status below 400 */
    JKP_SIGN_ERROR_STATUS, /* 400 and more, and the connection may stay: the application's own answer */
    JKP_SIGN_NO_400,       /* the same with "do not reuse": the connector refused, the application saw nothing */
    JKP_SIGN_NO_403,
    JKP_SIGN_NO_500,
    JKP_SIGN_NO_503,
    JKP_SIGN_NO_OTHER,
    JKP_SIGN_SILENT, /* not a byte of an answer in time */
    JKP_SIGN_STUCK,  /* headers came, and not the end */
    JKP_SIGN_CLOSED, /* the connection ended before an answer */
    JKP_SIGN_BROKEN, /* it ended in the middle of one */
    JKP_SIGN_FOREIGN,
    JKP_SIGN_MALFORMED
} jkp_sign;

jkp_sign jkp_sign_of(const jkp_step *step);

/* What a look at a Unix socket's path showed. */
typedef enum jkp_path {
    JKP_PATH_FINE, /* or none at all: TCP */
    JKP_PATH_NO_DIRECTORY,
    JKP_PATH_CLOSED_DIRECTORY, /* does not let this user through */
    JKP_PATH_NO_FILE,
    JKP_PATH_NO_SOCKET, /* something else has this name */
    JKP_PATH_CLOSED_FILE,
    JKP_PATH_NOBODY /* a socket that nobody listens on */
} jkp_path;

typedef struct jkp_facts {
    jk_rc connect; /* JK_OK, JK_E_RESOLVE, JK_E_CONNECT */
    int connect_err;
    jkp_path path;
    bool secret;        /* one was given */
    jkp_step ping, get; /* get: as it was asked for */
    jkp_step bare;      /* the same without any attribute but the secret; after a refusal with 403 */
    jkp_step open;      /* the same without the secret; where one was given */
    size_t longest;     /* payload bytes of the longest packet that came */
} jkp_facts;

enum { JKP_EXIT_GOOD = 0, JKP_EXIT_REFUSED = 1, JKP_EXIT_UNREACHED = 2, JKP_EXIT_FOREIGN = 3, JKP_EXIT_SECRET = 4, JKP_EXIT_USAGE = 64 };

typedef struct jkp_verdict {
    int exit;         /* JKP_EXIT_... */
    const char *what; /* a sentence */
    const char *todo; /* what to do about it; NULL: nothing, or jk_sock_words() of connect_err says it */
} jkp_verdict;

/* What the facts mean. Never a verdict without `what`. */
jkp_verdict jkp_diagnose(const jkp_facts *facts);

/* Things worth knowing that change no verdict: the first one from *at on, or NULL. Begin with *at == 0. */
const char *jkp_diagnose_note(const jkp_facts *facts, unsigned *at);

/* What the first bytes of an answer are where they are no AJP13 packet. */
jkp_wrong jkp_wrong_start(jk_span bytes);

/* What is malformed in the payload of a packet that jk_reply_parse() refused. */
jkp_wrong jkp_wrong_message(jk_span payload);

/* Words for a line: "it answered in HTTP". Never NULL. */
const char *jkp_wrong_words(jkp_wrong wrong);

#endif
