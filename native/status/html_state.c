/* native/status/html_state.c - what is the matter with a container, in a word, a shape and a sentence; and what to do about it. */
#include "html.h"

#include "jk/net/sock.h"

#include <apr_strings.h>

/* ---- a word and a shape ---- */

static const jk_html_state states[JK_STATES] = {
    [JK_STATE_IDLE] = { "idle", "ring", "idle" },
    [JK_STATE_OK] = { "ok", "dot", "ok" },
    [JK_STATE_REC] = { "warn", "turn", "recovering" },
    [JK_STATE_FRC] = { "warn", "turn", "forced" },
    [JK_STATE_BUSY] = { "warn", "full", "busy" },
    [JK_STATE_ERR] = { "bad", "cross", "error" },
    [JK_STATE_PRB] = { "warn", "turn", "probing" },
};

/* What the administrator wants comes first, but for an error: who drains a member must see it die. */
jk_html_state jk_html_state_of(const jk_view_worker *w, bool member)
{
    jk_activation wanted = member ? (jk_activation)w->now.activation : JK_ACTIVE;

    if (wanted == JK_STOPPED)
        return (jk_html_state){ "off", "square", "stopped" };
    if (w->state_code == JK_STATE_ERR || wanted == JK_ACTIVE)
        return states[w->state_code];
    if (w->safe_to_stop)
        return (jk_html_state){ "off", "half", "disabled" };
    return (jk_html_state){ "warn", "half", "draining" };
}

void jk_html_shape(jk_page *page, const char *shape)
{
    jk_html_put(page, "<svg class='shape' viewBox='0 0 12 12' aria-hidden='true'><use href='#%s'/></svg>", shape);
}

void jk_html_badge(jk_page *page, jk_html_state state, const char *title)
{
    jk_html_put(page, "<span class='badge %s' title='%s'>", state.kind, title);
    jk_html_shape(page, state.shape);
    jk_html_put(page, "%s</span>", state.word);
}

/* ---- why ---- */

static const char *connect_words(apr_pool_t *p, const jk_view_worker *w)
{
    const char *what = w->failure.err ? jk_sock_words(w->failure.err) : "no connection could be made";

    return apr_psprintf(p, "Connecting to %s: %s.", w->address, what);
}

static const char *timeout_words(apr_pool_t *p, const jk_view_worker *w)
{
    return apr_psprintf(p, "No answer within reply_timeout (%d ms here, unless a mount says otherwise): the application is slow or stuck. Take a "
                           "thread dump of the container; raise reply_timeout where such requests are meant to take long.",
                               (int)w->now.reply_timeout);
}

const char *jk_html_reason(apr_pool_t *p, const jk_view_worker *w)
{
    switch (w->failure.rc) {
    case JK_OK:
        return "See the log for the reason.";
    case JK_E_RESOLVE:
        return apr_psprintf(p, "The host name %s has no address: check host, DNS and /etc/hosts. It is looked up again in the background.",
                            w->now.host);
    case JK_E_CONNECT:
        return connect_words(p, w);
    case JK_E_PING:
        return "The container took the connection but did not answer a CPing in time: look whether its threads are all in use (maxThreads), or "
               "whether it is collecting garbage; a thread dump shows both.";
    case JK_E_SEND:
    case JK_E_RECV:
        return "The container closed the connection in the middle of a request: look in its log for a restart, a crash or an OutOfMemoryError at "
               "that time.";
    case JK_E_TIMEOUT:
        return timeout_words(p, w);
    case JK_E_FRAME:
    case JK_E_PAYLOAD:
        return apr_psprintf(p, "What came from %s was no AJP13: does its port speak HTTP? tools/jkping finds out.", w->address);
    case JK_E_STATUS:
        return "The application answered with a status that fail_on_status names: look in its log.";
    default:
        return apr_psprintf(p, "A request failed %s.", w->last_failure);
    }
}

/* ---- may it be stopped? ---- */

static const char *many(apr_pool_t *p, unsigned n, const char *one, const char *more)
{
    return apr_psprintf(p, "%u %s", n, n == 1 ? one : more);
}

const char *jk_html_safe(apr_pool_t *p, const jk_view_worker *m)
{
    const char *busy = many(p, m->numbers.busy, "request is under way", "requests are under way");
    const char *back = many(p, m->sticky_recent, "request of a session came in the last 5 minutes",
                            "requests of sessions came in the last 5 minutes");

    if (m->safe_to_stop)
        return "yes: nothing is under way, and no session came back in the last 5 minutes";
    if (m->now.activation == JK_ACTIVE && m->state_code == JK_STATE_ERR)
        return "it gets nothing while it is in error; disable it, so that it stays so when it is back";
    if (m->now.activation == JK_ACTIVE)
        return "no: it is active and gets new sessions; disable it first";
    if (m->numbers.busy > 0 && m->sticky_recent > 0)
        return apr_pstrcat(p, "not yet: ", busy, ", and ", back, NULL);
    return apr_pstrcat(p, "not yet: ", m->numbers.busy > 0 ? busy : back, NULL);
}
