/* tools/jkping_diagnose.c - each step is reduced to a sign, and the first row that fits the signs is the diagnosis. */
#include "jkping_diagnose.h"

#include "jk/ajp/codes.h"
#include "jk/ajp/frame.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

/* ---- signs ---- */

static jkp_sign sign_of_status(unsigned status, bool reuse)
{
    if (status < 400)
        return JKP_SIGN_FINE;
    if (reuse)
        return JKP_SIGN_ERROR_STATUS;
    switch (status) {
    case 400:
        return JKP_SIGN_NO_400;
    case 403:
        return JKP_SIGN_NO_403;
    case 500:
        return JKP_SIGN_NO_500;
    case 503:
        return JKP_SIGN_NO_503;
    default:
        return JKP_SIGN_NO_OTHER;
    }
}

static bool foreign(jkp_wrong wrong)
{
    return wrong >= JKP_WRONG_HTTP && wrong <= JKP_WRONG_START;
}

jkp_sign jkp_sign_of(const jkp_step *step)
{
    if (!step->made)
        return JKP_SIGN_NOT_MADE;
    switch (step->rc) {
    case JK_OK:
        return sign_of_status(step->status, step->reuse);
    case JK_E_TIMEOUT:
        return step->status ? JKP_SIGN_STUCK : JKP_SIGN_SILENT;
    case JK_E_FRAME:
    case JK_E_PAYLOAD:
        if (step->wrong == JKP_WRONG_CUT && step->status)
            return JKP_SIGN_BROKEN;
        return foreign(step->wrong) ? JKP_SIGN_FOREIGN : JKP_SIGN_MALFORMED;
    default:
        return step->status ? JKP_SIGN_BROKEN : JKP_SIGN_CLOSED;
    }
}

/* ---- rows ---- */

typedef enum jkp_secret { EITHER, GIVEN, NOT_GIVEN } jkp_secret;

typedef struct jkp_row {
    jk_rc connect; /* JK_OK where nothing else stands */
    jkp_path path;
    jkp_sign ping, get, bare;
    jkp_secret secret;
    jkp_verdict verdict;
} jkp_row;

#define GOOD JKP_EXIT_GOOD
#define REFUSED JKP_EXIT_REFUSED
#define UNREACHED JKP_EXIT_UNREACHED
#define NOT_AJP JKP_EXIT_FOREIGN
#define SECRET JKP_EXIT_SECRET

/* The first row that fits is taken; a row that names no path fits every path. */
static const jkp_row rows[] = {
    { .connect = JK_E_RESOLVE,
      .verdict = { UNREACHED, "the host has no address",
                   "check the name and the name service; httpd asks the same resolver at its start" } },
    { .connect = JK_E_CONNECT, .path = JKP_PATH_NO_DIRECTORY,
      .verdict = { UNREACHED, "the Unix socket's directory does not exist",
                   "create it before Tomcat starts, for both users (systemd: RuntimeDirectory=, or a line in tmpfiles.d), and write the "
                   "same path into unixDomainSocketPath" } },
    { .connect = JK_E_CONNECT, .path = JKP_PATH_CLOSED_DIRECTORY,
      .verdict = { UNREACHED, "a directory of the Unix socket's path does not let this user through",
                   "httpd's user needs the x right on every directory of the path: chmod o+x, or a common group and mode 0750" } },
    { .connect = JK_E_CONNECT, .path = JKP_PATH_NO_FILE,
      .verdict = { UNREACHED, "the directory is there, the Unix socket is not",
                   "Tomcat is not started, its unixDomainSocketPath is another one, or its Java is older than 16; a service with "
                   "PrivateTmp= has a /tmp of its own" } },
    { .connect = JK_E_CONNECT, .path = JKP_PATH_NO_SOCKET,
      .verdict = { UNREACHED, "what has this name is no Unix socket", "remove it, or correct the path; then restart Tomcat" } },
    { .connect = JK_E_CONNECT, .path = JKP_PATH_CLOSED_FILE,
      .verdict = { UNREACHED, "the Unix socket's file does not let this user write",
                   "unixDomainSocketPathPermissions=\"rw-rw-rw-\" in the <Connector>, or \"rw-rw----\" and a common group" } },
    { .connect = JK_E_CONNECT, .path = JKP_PATH_NOBODY,
      .verdict = { UNREACHED, "the Unix socket's file is there, but nobody listens on it",
                   "Tomcat has ended and left it behind; start it again" } },
    { .connect = JK_E_CONNECT, .verdict = { UNREACHED, "no connection", NULL } },

    { .ping = JKP_SIGN_SILENT,
      .verdict = { UNREACHED, "the connection was accepted, but no CPong came in time",
                   "all of the connector's threads or connections are in use (maxThreads, maxConnections; take a thread dump), the process "
                   "is stopped or swapping, or the port waits for another protocol" } },
    { .ping = JKP_SIGN_CLOSED,
      .verdict = { UNREACHED, "the connection was closed at once, without a byte",
                   "the container is stopping or starting, or this is the port of something else" } },
    { .ping = JKP_SIGN_FOREIGN,
      .verdict = { NOT_AJP, "this port does not speak AJP13",
                   "use the port of the connector with protocol=\"AJP/1.3\" in server.xml, often 8009" } },
    { .ping = JKP_SIGN_MALFORMED,
      .verdict = { NOT_AJP, "the CPing was answered with something that is no CPong",
                   "check that the port belongs to an AJP13 connector and that nothing between changes the bytes" } },

    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NOT_MADE,
      .verdict = { GOOD, "the connector answers; that says nothing yet of a secret or an application (--get / asks for a page)", NULL } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_FINE, .verdict = { GOOD, "the connector and the application answer", NULL } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_ERROR_STATUS,
      .verdict = { REFUSED, "the connector is in order; the error status is the application's own answer",
                   "check the path (--get) and the host (--host), and look into the application's log" } },

    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_403, .bare = JKP_SIGN_NO_403, .secret = GIVEN,
      .verdict = { SECRET, "the connector refuses the request, with attributes and without: the secret is wrong",
                   "worker.NAME.secret must equal the secret attribute of the <Connector>, to the letter; Tomcat takes a change up at its "
                   "restart" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_403, .bare = JKP_SIGN_NO_403, .secret = NOT_GIVEN,
      .verdict = { SECRET, "the connector refuses the request, with attributes and without: it wants a secret",
                   "set worker.NAME.secret to the secret attribute of the <Connector> (here: --secret-file)" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_403, .bare = JKP_SIGN_FINE,
      .verdict = { REFUSED, "the connector refuses a request attribute: without attributes it answers",
                   "allowedRequestAttributesPattern in the <Connector> must match every name that JkEnvVar sends" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_403, .bare = JKP_SIGN_ERROR_STATUS,
      .verdict = { REFUSED, "the connector refuses a request attribute: without attributes the application is asked",
                   "allowedRequestAttributesPattern in the <Connector> must match every name that JkEnvVar sends" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_403,
      .verdict = { REFUSED, "the connector refuses the request (403), because of the secret or of a request attribute",
                   "compare worker.NAME.secret with the <Connector>'s secret, and JkEnvVar with allowedRequestAttributesPattern" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_400,
      .verdict = { REFUSED, "the connector refuses the request as malformed (400): the application did not see it",
                   "the request may be longer than the connector's packetSize (worker.NAME.max_packet_size must not be larger), or the URI "
                   "holds a character that Tomcat does not take" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_500,
      .verdict = { REFUSED, "the connector refuses the request (500): the application did not see it",
                   "more headers than maxHeaderCount, or a method that it does not know; look into Tomcat's log" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_503,
      .verdict = { REFUSED, "the connector refuses the request (503): the container is stopping, or nothing is deployed there yet",
                   "wait for the container's start, and look for the application in its log" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_NO_OTHER,
      .verdict = { REFUSED, "the connector answered an error and closed the connection: the application probably did not see the request",
                   "look into Tomcat's log" } },

    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_SILENT,
      .verdict = { REFUSED, "the connector is alive, but the request got no answer in time",
                   "the application is slow or hangs, or all request threads are busy: take a thread dump, or give it more --timeout" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_STUCK,
      .verdict = { REFUSED, "the answer began and did not end",
                   "an application that throws after its first bytes leaves its connection so: look into its log; set "
                   "worker.NAME.reply_timeout" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_CLOSED,
      .verdict = { REFUSED, "the connection was closed instead of an answer",
                   "the container is stopping, or the request ended its thread: look into Tomcat's log" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_BROKEN,
      .verdict = { REFUSED, "the connection ended in the middle of the answer", "look into Tomcat's log" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_FOREIGN,
      .verdict = { NOT_AJP, "a CPong came, but the request was not answered in AJP13",
                   "something between changes the bytes, or this is no servlet container" } },
    { .ping = JKP_SIGN_FINE, .get = JKP_SIGN_MALFORMED,
      .verdict = { NOT_AJP, "the request was answered with a malformed message",
                   "something between changes the bytes, or the container has a fault" } },
};

static bool is(jkp_sign want, jkp_sign sign)
{
    return want == JKP_SIGN_ANY || want == sign;
}

static bool fits(const jkp_row *row, const jkp_facts *f)
{
    if (row->connect != f->connect)
        return false;
    if (row->path != JKP_PATH_FINE && row->path != f->path)
        return false;
    if (row->secret != EITHER && (row->secret == GIVEN) != f->secret)
        return false;
    return is(row->ping, jkp_sign_of(&f->ping)) && is(row->get, jkp_sign_of(&f->get)) && is(row->bare, jkp_sign_of(&f->bare));
}

jkp_verdict jkp_diagnose(const jkp_facts *facts)
{
    for (size_t i = 0; i < ROWS(rows); i++)
        if (fits(&rows[i], facts))
            return rows[i].verdict;
    return (jkp_verdict){ UNREACHED, "nothing was asked", NULL };
}

/* ---- notes ---- */

static bool answered(const jkp_step *step)
{
    jkp_sign sign = jkp_sign_of(step);

    return sign == JKP_SIGN_FINE || sign == JKP_SIGN_ERROR_STATUS;
}

static bool open_to_all(const jkp_facts *f)
{
    return f->secret && answered(&f->open);
}

static bool closes(const jkp_facts *f)
{
    return jkp_sign_of(&f->get) == JKP_SIGN_FINE && !f->get.reuse;
}

static bool large_packets(const jkp_facts *f)
{
    return f->longest > JK_FRAME_DEFAULT_PACKET;
}

static const struct {
    bool (*holds)(const jkp_facts *f);
    const char *words;
} notes[] = {
    { open_to_all, "the connector answers without the secret, too: anyone who reaches the port may ask. Set secret in the <Connector> "
                   "(WildFly and Undertow ignore it: restrict who can connect)" },
    { closes, "the container closes the connection after its answer: each request will cost a new one" },
    { large_packets, "packets of more than 8192 bytes come: set worker.NAME.max_packet_size to the connector's packetSize" },
};

const char *jkp_diagnose_note(const jkp_facts *facts, unsigned *at)
{
    while (*at < ROWS(notes)) {
        unsigned i = (*at)++;
        if (notes[i].holds(facts))
            return notes[i].words;
    }
    return NULL;
}

/* ---- bytes ---- */

static bool begins(jk_span bytes, jk_span with)
{
    return bytes.len >= with.len && memcmp(bytes.p, with.p, with.len) == 0;
}

jkp_wrong jkp_wrong_start(jk_span bytes)
{
    static const struct {
        jk_span with;
        jkp_wrong wrong;
    } starts[] = {
        { JK_SPAN_LIT("HTTP"), JKP_WRONG_HTTP },       { JK_SPAN_LIT("<htm"), JKP_WRONG_HTTP }, { JK_SPAN_LIT("<HTM"), JKP_WRONG_HTTP },
        { JK_SPAN_LIT("<!DO"), JKP_WRONG_HTTP },       { JK_SPAN_LIT("<!do"), JKP_WRONG_HTTP }, { JK_SPAN_LIT("\x15\x03"), JKP_WRONG_TLS },
        { JK_SPAN_LIT("SSH-"), JKP_WRONG_SSH },        { JK_SPAN_LIT("\x12\x34"), JKP_WRONG_OURS },
        { JK_SPAN_LIT("AB\0\0"), JKP_WRONG_EMPTY },   { JK_SPAN_LIT("\x16\x03"), JKP_WRONG_TLS },
    };

    for (size_t i = 0; i < ROWS(starts); i++)
        if (begins(bytes, starts[i].with))
            return starts[i].wrong;
    /* A SETTINGS frame: 24 bits of length, type 4, flags 0, stream 0. */
    if (bytes.len >= 5 && bytes.p[0] == 0 && bytes.p[1] == 0 && bytes.p[3] == 4 && bytes.p[4] == 0)
        return JKP_WRONG_HTTP2;
    return JKP_WRONG_START;
}

jkp_wrong jkp_wrong_message(jk_span payload)
{
    switch (payload.len ? payload.p[0] : 0) {
    case JK_AJP_SEND_HEADERS:
        return JKP_WRONG_HEADERS;
    case JK_AJP_SEND_BODY_CHUNK:
        return JKP_WRONG_CHUNK;
    case JK_AJP_END_RESPONSE:
    case JK_AJP_GET_BODY_CHUNK:
        return JKP_WRONG_FIELD;
    default:
        return JKP_WRONG_TYPE;
    }
}

const char *jkp_wrong_words(jkp_wrong wrong)
{
    static const char *const words[JKP_WRONG_COUNT] = {
        [JKP_WRONG_NOTHING] = "nothing was wrong",
        [JKP_WRONG_HTTP] = "it answered in HTTP: the port of an HTTP connector, or of a web server",
        [JKP_WRONG_HTTP2] = "it answered in HTTP/2",
        [JKP_WRONG_TLS] = "it answered in TLS: the port of an HTTPS connector",
        [JKP_WRONG_SSH] = "it answered in SSH",
        [JKP_WRONG_OURS] = "it sends what a web server sends (12 34), as an echo does",
        [JKP_WRONG_START] = "its first bytes are not those of AJP13 (41 42)",
        [JKP_WRONG_EMPTY] = "an AJP13 packet without a payload came",
        [JKP_WRONG_CUT] = "the connection ended inside a packet",
        [JKP_WRONG_TYPE] = "a message of an unknown type came",
        [JKP_WRONG_HEADERS] = "SEND_HEADERS came with strings or numbers that do not fit into it",
        [JKP_WRONG_CHUNK] = "a SEND_BODY_CHUNK came that claims more bytes than it has",
        [JKP_WRONG_FIELD] = "a message came without what must be in it",
        [JKP_WRONG_ORDER] = "a message came that may not come at this point",
    };

    return (unsigned)wrong < JKP_WRONG_COUNT ? words[wrong] : words[JKP_WRONG_NOTHING];
}
