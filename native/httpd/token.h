/* native/httpd/token.h - what a change by the status page must carry: an HMAC over the status worker's name and the user's, with a key that
 * all children of this server know and nobody else. Who can read the page can change things by it; a page of somebody else, which makes a
 * browser send a form here, cannot know it.
 *
 * The key lies in the process's pool: made once, the same after each graceful restart and in every child, and no child can write to that
 * of another. It is no secret of a user, and is gone when the server stops. */
#ifndef JK_HTTPD_TOKEN_H
#define JK_HTTPD_TOKEN_H

#include <apr_pools.h>
#include <stdbool.h>
#include <stdint.h>

#define JK_TOKEN_KEY 32 /* bytes */

/* In the parent: the key of this server, made where there is none. `process` is the process's pool. NULL: the system gives no random bytes. */
const uint8_t *jk_token_key(apr_pool_t *process);

/* In p; "" where there is no key: nothing can be changed then. user may be NULL. */
const char *jk_token_make(apr_pool_t *p, const uint8_t *key, const char *worker, const char *user);

/* Takes the same time whatever was sent. "" is never right. */
bool jk_token_is(const char *token, const char *sent);

#endif
