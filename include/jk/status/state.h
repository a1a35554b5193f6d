/* include/jk/status/state.h - the values that were edited at run time as a text (JSON), and back: what outlives a full stop (JkStateFile). Only
 * what differs from the file is in it, each with what the file said then: where the file says something else now, the file wins. */
#ifndef JK_STATUS_STATE_H
#define JK_STATUS_STATE_H

#include "jk/base/span.h"
#include "jk/worker/registry.h"

/* In p, with a newline at its end. `now` in s. `homeless`: of jk_state_homeless(), or absent; those of them whose name is somebody's now are left
 * out. */
jk_span jk_state_text(apr_pool_t *p, const jk_registry *registry, int64_t now, jk_span homeless);

/* The entries of such a text that have no place now, as another one, in p: members that were added at run time, where a restart left fewer places
 * (spare_members). They are to stay in the file until they have one, or the workers file names them. After jk_state_take(), where that is called.
 * Absent: there is none, or it is no text of ours. */
jk_span jk_state_homeless(apr_pool_t *p, const jk_registry *registry, jk_span text);

/* What came of a text. */
typedef struct jk_state_news {
    int taken;          /* values that are in force now */
    apr_array_header_t *left; /* of const char *: what was not taken, and why, a line each */
} jk_state_news;

/* Puts what a text says in force. In the parent, after the workers were readied and before a child is made. JK_OK; JK_E_CONF: it is no text of
 * ours, *why in words, in p, and nothing was done. */
jk_rc jk_state_take(apr_pool_t *p, const jk_registry *registry, jk_span text, jk_state_news *news, const char **why);

#endif
