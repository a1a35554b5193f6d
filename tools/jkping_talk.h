/* tools/jkping_talk.h - one conversation with a connector: connect, CPing, a request. It notes what came and when, and
 * judges nothing. Blocking, every wait under one limit, and all of it under another where one is set. */
#ifndef JKPING_TALK_H
#define JKPING_TALK_H

#include "jkping_diagnose.h"

#include "jk/ajp/forward.h"
#include "jk/ajp/frame.h"
#include "jk/net/sock.h"

/* Microseconds since the step began; -1: it did not come to that. */
typedef struct jkp_times {
    int64_t connect, pong, first, whole;
} jkp_times;

/* What of an answer is kept for who wants to read in it. */
typedef struct jkp_answer {
    char cookies[2048]; /* the Set-Cookie headers that fit, each with a newline behind it */
    char body[8192];    /* its first bytes; a NUL behind them */
    size_t len;
    uint64_t sum;       /* of the whole body: equal for equal ones */
} jkp_answer;

/* All zero before the first connection, but for what the caller wishes. */
typedef struct jkp_line {
    int fd;
    int timeout;    /* ms that any silence may last */
    int64_t until;  /* when all is over, as jkp_talk_now(); 0: never */
    size_t packet;  /* bytes that a request may have; 0: 8192 */
    jkp_answer *keep; /* of the next answer; NULL: nothing */
    size_t len;     /* bytes held of `in` */
    size_t taken;   /* of these, used up by the packet that was given out last */
    size_t longest; /* payload bytes of the longest packet */
    uint64_t body;  /* bytes of response body */
    int64_t began, first; /* of the step at hand: its start, and its first byte (-1: none yet) */
    uint8_t in[JK_FRAME_MAX_PACKET + JK_FRAME_HEAD];
} jkp_line;

/* Microseconds of a clock that only goes forward. */
int64_t jkp_talk_now(void);

/* JK_OK, or JK_E_CONNECT with *err. It leaves `until`, `packet` and `keep` as they are. */
jk_rc jkp_talk_connect(jkp_line *line, const jk_addr *to, int timeout_ms, int *err, jkp_times *times);
void jkp_talk_close(jkp_line *line);

void jkp_talk_ping(jkp_line *line, jkp_step *step, jkp_times *times);

/* Says something that is no AJP13, and names what comes: JKP_WRONG_NOTHING where nothing does. For a port that gave a CPing no answer. */
jkp_wrong jkp_talk_foreign(jkp_line *line, jk_span words);

/* bare: without any attribute but the secret and the query, and without those that the module always sends. */
void jkp_talk_get(jkp_line *line, const jk_request *rq, bool bare, jkp_step *step, jkp_times *times);

/* Why a Unix socket's path cannot be connected to; `where` receives the part of it that is meant, with its owner and mode. */
jkp_path jkp_talk_look(const char *path, int err, char *where, size_t room);

/* The same for another user, by owners and modes alone: is there a hurdle on the way to writing into the socket? */
typedef struct jkp_user {
    unsigned uid;
    const unsigned *groups;
    size_t ngroups;
} jkp_user;
bool jkp_talk_closed_to(const jkp_user *user, const char *path, char *where, size_t room);

/* A socket that this user (root) can reach, but not everybody: `where` names the first hurdle. */
bool jkp_talk_root_only(const char *path, char *where, size_t room);

#endif
