/* tools/jkctl_decide.h - from what was seen of one worker's container to what is wrong with it, and the lines that mend it: pure, one table.
 * A row is a finding: its code never changes its meaning. What a container sends back for each thing that is wrong was measured. No I/O, no clock. */
#ifndef JKCTL_DECIDE_H
#define JKCTL_DECIDE_H

#include "jkping_diagnose.h"

#include <stdint.h>

#define JKD_PLACEHOLDER "THE-SECRET"

typedef enum jkd_guess { JKD_UNKNOWN, JKD_NO, JKD_YES } jkd_guess;

/* A page as it came: equal answers have equal steps and sums. */
typedef struct jkd_page {
    jkp_step step;
    uint64_t sum;
} jkd_page;

/* Texts that come from the wire are clean: printable ASCII that means nothing to a terminal, to XML or to a workers file. */
typedef struct jkd_facts {
    /* what was to be asked; none of these is NULL, "" is none */
    const char *worker; /* without its balancer */
    const char *host, *socket, *route, *path, *user;
    const char *httpd_user, *httpd_group;
    int port;
    size_t packet;   /* max_packet_size */
    bool stored_methods;
    bool placeholder; /* the worker's secret is JKD_PLACEHOLDER, as it is to be filled in */
    bool path_given; /* by the caller: what its page says matters */
    char address[128], listen[64]; /* HOST:PORT as numbers; the host alone */

    /* what was seen */
    bool lookup_slow;  /* the name service gave no answer in time */
    bool unfinished;   /* the time was over before all was asked */
    jkp_facts talk;    /* connect, path, ping; get, bare and open are OPTIONS of *, which reaches no application */
    char where[512];   /* what stands in the way to a Unix socket */
    char other[128];   /* where on this machine a connector answers, and the worker's own address does not; "": nowhere */
    jkp_wrong hidden;  /* what a port speaks that left the CPing without an answer */
    jkd_guess enforcing, may_connect; /* SELinux; httpd_can_network_connect */
    jkd_guess httpd_passes; /* a Unix socket: httpd's user, */
    bool root_only;         /* and where that is not known: root passes, and not everybody */
    char attributes[512];   /* names that the connector refuses, parted by '|'; "": none */
    size_t packet_taken;    /* the largest request that it takes, where that is less than `packet`; 0: it takes that */
    unsigned headers_taken; /* the same of headers, where 100 are refused */
    jkd_page coded, named, trace; /* PROPFIND by its code, and by its name; TRACE by its name, where the first two differ */
    unsigned version[3];    /* of a Tomcat that tells it; 0: none does */
    char server[64];        /* the same in its own words */
    jkd_page page, as_user; /* GET of the path; the same with a user */
    jkd_page again;         /* the first once more, where the two differ */
    bool user_shown;        /* that page has the user's name in it */
    bool session;           /* the page set a session's cookie, */
    char session_route[256];/* with this route */
    bool sticky;            /* in a balancer of several that looks at it */
} jkd_facts;

/* Does it work? Hints do not count: what they tell of may be so, and may be meant so. */
typedef enum jkd_weight { JKD_HINT, JKD_WARNING, JKD_FAULT } jkd_weight;

typedef enum jkd_stage { JKD_REACH, JKD_CPING, JKD_REQUEST, JKD_MORE } jkd_stage;

/* Texts hold places for what was seen, as {worker}: see jkd_decide_words. Lines are parted by '\n'; NULL: there are none. */
typedef struct jkd_finding {
    const char *code, *name;
    jkd_weight weight;
    jkd_stage stage;
    bool (*holds)(const jkd_facts *facts);
    const char *what;      /* a sentence without its end */
    const char *causes;    /* the likeliest first */
    const char *httpd;     /* lines of the workers file */
    const char *container; /* lines of server.xml */
    const char *shell;     /* commands, on this machine */
    const char *there;     /* commands, on the container's */
    bool either;           /* httpd's side or the container's is to be mended, and not both */
} jkd_finding;

extern const jkd_finding jkd_findings[];
extern const size_t jkd_findings_count;

#define JKD_FOUND_MOST 16

/* What is wrong, in the table's order: of a stage before JKD_MORE the first that holds, alone; else all that hold. */
size_t jkd_decide(const jkd_facts *facts, const jkd_finding *found[JKD_FOUND_MOST]);

/* A text with what was seen in its places, without the lines that are not for such facts; the caller frees it. NULL: no memory. */
char *jkd_decide_words(const char *text, const jkd_facts *facts);

/* Is the container perhaps on another machine? By its address alone: only the loopback one and a Unix socket are surely here. */
bool jkd_decide_is_far(const jkd_facts *facts);

/* "hint", "warning", "fault". */
const char *jkd_decide_weight(jkd_weight weight);

/* The three numbers behind "Apache Tomcat/" in a page; false: it does not tell. */
bool jkd_decide_version(const char *page, unsigned version[3]);

/* The route of the session that one of these Set-Cookie lines begins, and whether one does. Nothing is written beyond `room`. */
bool jkd_decide_session(const char *cookies, const char *name, char *route, size_t room);

#endif
