/* native/base/outcome.c - one row per outcome: its name, whose fault it is, and the words for a log line. */
#include "jk/base/outcome.h"

#include <stddef.h>

static const struct {
    const char *name, *words;
    jk_blame blame;
} rows[JK_RC_COUNT] = {
    [JK_OK] = { "JK_OK", "success", JK_BLAME_NOBODY },
    [JK_AGAIN] = { "JK_AGAIN", "not yet", JK_BLAME_NOBODY },
    [JK_E_CLIENT_READ] = { "JK_E_CLIENT_READ", "because of client read error", JK_BLAME_CLIENT },
    [JK_E_CLIENT_WRITE] = { "JK_E_CLIENT_WRITE", "because of client write error", JK_BLAME_CLIENT },
    [JK_E_CLIENT_ABORT] = { "JK_E_CLIENT_ABORT", "because the client went away", JK_BLAME_CLIENT },
    [JK_E_RESOLVE] = { "JK_E_RESOLVE", "because the host has no address", JK_BLAME_BACKEND },
    [JK_E_CONNECT] = { "JK_E_CONNECT", "because no connection could be made", JK_BLAME_BACKEND },
    [JK_E_PING] = { "JK_E_PING", "because of a failed cping/cpong", JK_BLAME_BACKEND },
    [JK_E_SEND] = { "JK_E_SEND", "because of error during request sending", JK_BLAME_BACKEND },
    [JK_E_RECV] = { "JK_E_RECV", "because the backend closed the connection or reading from it failed", JK_BLAME_BACKEND },
    [JK_E_TIMEOUT] = { "JK_E_TIMEOUT", "because of reply timeout", JK_BLAME_BACKEND },
    [JK_E_FRAME] = { "JK_E_FRAME", "because of protocol error", JK_BLAME_BACKEND },
    [JK_E_PAYLOAD] = { "JK_E_PAYLOAD", "because of protocol error (malformed message)", JK_BLAME_BACKEND },
    [JK_E_SPACE] = { "JK_E_SPACE", "because the request does not fit into max_packet_size", JK_BLAME_CLIENT },
    [JK_E_BUSY] = { "JK_E_BUSY", "because no connection is free", JK_BLAME_US },
    [JK_E_STATUS] = { "JK_E_STATUS", "because of response status", JK_BLAME_BACKEND },
    [JK_E_CONF] = { "JK_E_CONF", "because of the configuration", JK_BLAME_US },
    [JK_E_MEMORY] = { "JK_E_MEMORY", "because memory ran out", JK_BLAME_US },
    [JK_E_SHORT] = { "JK_E_SHORT", "because httpd or the system ran out of descriptors, buffers or local ports", JK_BLAME_US },
};

static int known(jk_rc rc)
{
    return (unsigned)rc < JK_RC_COUNT && rows[rc].name != NULL;
}

jk_blame jk_outcome_blame(jk_rc rc)
{
    return known(rc) ? rows[rc].blame : JK_BLAME_US;
}

const char *jk_outcome_name(jk_rc rc)
{
    return known(rc) ? rows[rc].name : "unknown outcome";
}

const char *jk_outcome_words(jk_rc rc)
{
    return known(rc) ? rows[rc].words : "because of an unknown outcome";
}
