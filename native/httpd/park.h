/* native/httpd/park.h - a request that waits gives its thread back to the MPM, and goes on with another one.
 *
 *   handler: JK_AGAIN -> enter() -> SUSPENDED      process_connection: WAITIO to the MPM      suspend_connection: armed, sockets swapped
 *   .. net/dispatch wakes .. resume_connection: swapped back      process_connection: go_on() -> SUSPENDED again, or the end
 *
 * While it waits nobody owns the request: the dispatcher's thread knows a slot and descriptors, and nothing else. */
#ifndef JK_HTTPD_PARK_H
#define JK_HTTPD_PARK_H

#include "config.h"
#include "outlet.h"

#include "jk/shm/gauges.h"
#include "jk/status/view.h"

typedef struct jk_park jk_park;       /* of a process */
typedef struct jk_parking jk_parking; /* of a connection */

/* A request that may wait without a thread. Lies in the call; the caller fills the first four. */
typedef struct jk_guest jk_guest;
struct jk_guest {
    request_rec *r;
    jk_run *run;
    const jk_worker *worker;
    /* Goes on with JK_OK; else the run ends with `why`. SUSPENDED: enter() was called again. Else what a handler returns. */
    int (*go_on)(jk_guest *guest, jk_rc why);
    jk_parking *place; /* NULL: it may not */
    apr_time_t since;  /* when it began to wait */
    bool asked, ended; /* had the client ended its side when its request began to wait: asked once */
};

/* At post_config: can the MPM do it, and is it asked to. */
jk_park *jk_park_make(apr_pool_t *pconf, server_rec *main_server, jk_shm *shm);

/* In a child process. */
void jk_park_child(jk_park *park, apr_pool_t *pchild);

void jk_park_hooks(void);

/* How many wait in this process; all of it zero where none can. */
jk_view_parked jk_park_look(const jk_park *park);

/* May this request wait without a thread? Sets guest->place. */
void jk_park_invite(jk_guest *guest, const jk_server *conf);

/* One more of the reasons is counted. */
void jk_park_fell_back(const jk_guest *guest, jk_park_reason why);

/* The client's side of a guest with a place. */
jk_outlet *jk_park_outlet(const jk_guest *guest);

/* One more request is worked on by a thread, or one less; and how long a thread may wait in place now, in ms. */
int jk_park_work(jk_guest *guest, const jk_server *conf);
void jk_park_rest(jk_guest *guest);

/* It waits from now on; the caller returns SUSPENDED and touches nothing of it any more. False: there is no room, it has to wait in
 * place. */
bool jk_park_enter(jk_guest *guest);

/* The request's pool goes. True: the process ends, and nobody may be told. */
bool jk_park_leave(jk_guest *guest);

#endif
