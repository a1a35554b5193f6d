/* tools/jkctl_probe.c - the questions, in the order of their weight. The wire is jkping_talk's; what an answer means is jkctl_decide's. A container
 * that is in order is asked some ten things on one connection; one that refuses closes it, and is asked on another. */
#include "jkctl_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Parts of the time that there is for one worker, of 2500 ms these: */
#define CONNECT_MS(budget) ((budget) * 3 / 5) /* 1500 */
#define PONG_MS(budget) ((budget) / 2)        /* 1250 */
#define FOREIGN_MS(budget) ((budget) / 8)     /* 312, for a port that may speak something else */
#define NEAR_MS(budget) ((budget) / 12)       /* 208, for another address of this machine */

#define PLACES_MOST 16  /* addresses of this machine that are tried */
#define HEADERS 100     /* what httpd lets through (LimitRequestFields), and what Tomcat takes */
#define PACKET_STEP 1024
#define ATTRIBUTES_MOST 16 /* that are asked for one by one */

typedef struct jkd_probe {
    const jkd_target *target;
    const jkd_how *how;
    const jk_addr *to;
    const char *base; /* what the connector itself is asked for: "*", or the path where it does not know that */
    jkd_facts *facts;
    int64_t until;
    jkp_line line;
    jkp_answer answer;
    jk_field headers[HEADERS];
    char names[HEADERS][40];
    char padding[JK_FRAME_MAX_PACKET];
} jkd_probe;

/* ---- before anything is sent ---- */

static const char *text(const char *s)
{
    return s ? s : "";
}

static void write_host(const jk_addr *to, char *host, size_t room)
{
    const void *sa = &to->sa;

    *host = 0;
    if (to->sa.ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, host, (socklen_t)room);
    else if (to->sa.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, host, (socklen_t)room);
}

static jkd_guess switch_of(const char *folder, const char *name)
{
    char path[512];
    int c = EOF;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    if (f) {
        c = fgetc(f);
        fclose(f);
    }
    return c == '1' ? JKD_YES : c == '0' ? JKD_NO : JKD_UNKNOWN;
}

jk_rc jkd_probe_resolve(const jkd_target *target, const jkd_how *how, jk_addr *to, jkd_facts *facts)
{
    const char *why;

    *facts = (jkd_facts){ .worker = target->worker, .host = target->host, .socket = text(target->socket), .route = target->route,
                          .path = target->path, .user = how->user, .httpd_user = how->httpd_user, .httpd_group = how->httpd_group,
                          .port = target->port, .packet = target->packet, .path_given = how->path_given, .stored_methods = target->stored_methods,
                          .sticky = target->sticky, .placeholder = target->secret && strcmp(target->secret, JKD_PLACEHOLDER) == 0,
                          .talk.secret = target->secret != NULL };
    facts->enforcing = switch_of(how->selinux, "enforce");
    facts->may_connect = switch_of(how->selinux, "booleans/httpd_can_network_connect");
    snprintf(facts->listen, sizeof facts->listen, "%.*s", (int)sizeof facts->listen - 1, target->host);
    snprintf(facts->address, sizeof facts->address, "%.*s:%d", (int)sizeof facts->address - 8, target->host, target->port);
    facts->talk.connect = target->socket ? jk_sock_unix(target->socket, to)
                                         : jk_sock_resolve(target->host, target->port, target->prefer_ipv6, to, &why);
    if (facts->talk.connect != JK_OK)
        return facts->talk.connect;
    snprintf(facts->address, sizeof facts->address, "%s", to->text);
    write_host(to, facts->listen, sizeof facts->listen);
    return JK_OK;
}

/* ---- connections ---- */

static int left_ms(const jkd_probe *p, int most)
{
    int64_t left = (p->until - jkp_talk_now()) / 1000;

    return left > most ? most : left < 0 ? 0 : (int)left;
}

static bool is_over(const jkd_probe *p)
{
    return left_ms(p, 1) == 0;
}

static jk_rc open_line(jkd_probe *p, const jk_addr *to, int connect_ms, int *err)
{
    jkp_times times;

    p->line.keep = NULL;
    p->line.packet = p->target->packet;
    p->line.until = p->until;
    jk_rc rc = jkp_talk_connect(&p->line, to, connect_ms, err, &times);
    p->line.timeout = left_ms(p, p->how->budget);
    return rc;
}

/* A request on the connection at hand, or on a new one; the answer's texts are in p->answer. */
static jkp_step ask(jkd_probe *p, const jk_request *rq, bool bare)
{
    jkp_step step = { .made = false };
    jkp_times times;
    int err;

    p->facts->unfinished = is_over(p);
    if (p->facts->unfinished || (p->line.fd < 0 && open_line(p, p->to, CONNECT_MS(p->how->budget), &err) != JK_OK))
        return step;
    p->line.keep = &p->answer;
    p->line.body = 0;
    jkp_talk_get(&p->line, rq, bare, &step, &times);
    step.made = step.rc != JK_E_SPACE; /* more attributes than a packet holds: the module says so itself */
    if (p->line.longest > p->facts->talk.longest)
        p->facts->talk.longest = p->line.longest;
    if (step.rc != JK_OK || !step.reuse)
        jkp_talk_close(&p->line);
    return step;
}

static jk_request request(jkd_probe *p, jk_span method, jk_span uri)
{
    const char *host = p->how->host ? p->how->host : p->target->socket ? "localhost" : p->target->host;
    const char *query = uri.len ? memchr(uri.p, '?', uri.len) : NULL;

    p->headers[0] = (jk_field){ JK_SPAN_LIT("Host"), jk_span_of(host) };
    p->headers[1] = (jk_field){ JK_SPAN_LIT("User-Agent"), JK_SPAN_LIT("jkctl-doctor/" JK_VERSION) };
    jk_request rq = { .method = method, .protocol = JK_SPAN_LIT("HTTP/1.1"), .uri = uri, .remote_addr = JK_SPAN_LIT("127.0.0.1"),
                      .server_name = jk_span_of(host), .server_port = 80, .stored_methods = p->target->stored_methods, .body = JK_BODY_NONE,
                      .headers = p->headers, .nheaders = 2, .secret = jk_span_of(p->target->secret), .ssl_key_size = -1,
                      .remote_port = JK_SPAN_LIT("0"), .local_addr = JK_SPAN_LIT("127.0.0.1"), .activation = JK_SPAN_LIT("ACT") };
    if (query) {
        rq.uri.len = (size_t)(query - (const char *)uri.p);
        rq.query = (jk_span){ (const uint8_t *)query + 1, uri.len - rq.uri.len - 1 };
    }
    return rq;
}

/* Of "*" it is asked of the server as a whole: no application sees it. */
static jk_request options(jkd_probe *p)
{
    return request(p, JK_SPAN_LIT("OPTIONS"), jk_span_of(p->base));
}

static jk_span path_of(const jkd_probe *p)
{
    return jk_span_of(p->target->path);
}

static bool passes(const jkp_step *step)
{
    jkp_sign sign = jkp_sign_of(step);

    return sign == JKP_SIGN_FINE || sign == JKP_SIGN_ERROR_STATUS;
}

/* ---- no connection ---- */

static void set_port(jk_addr *addr, int port)
{
    void *sa = &addr->sa;

    if (addr->sa.ss_family == AF_INET)
        ((struct sockaddr_in *)sa)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)sa)->sin6_port = htons((uint16_t)port);
}

/* Is the address one of this machine? */
static bool is_near(const jk_addr *to)
{
    jk_addr any = *to;
    int fd = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    set_port(&any, 0);
    bool near = fd >= 0 && bind(fd, (const void *)&any.sa, any.len) == 0;
    if (fd >= 0)
        close(fd);
    return near;
}

static bool pongs_at(jkd_probe *p, const char *host)
{
    const char *why;
    jkp_step step = { .made = false };
    jkp_times times;
    jk_addr to;
    int err;

    if (is_over(p) || jk_sock_resolve(host, p->target->port, false, &to, &why) != JK_OK || strcmp(to.text, p->to->text) == 0)
        return false;
    if (open_line(p, &to, NEAR_MS(p->how->budget), &err) != JK_OK)
        return false;
    p->line.timeout = NEAR_MS(p->how->budget);
    jkp_talk_ping(&p->line, &step, &times);
    jkp_talk_close(&p->line);
    if (step.rc != JK_OK)
        return false;
    snprintf(p->facts->other, sizeof p->facts->other, "%s", to.text);
    return true;
}

/* Its own port at the other addresses of this machine, the loopback ones first. */
static void look_elsewhere(jkd_probe *p)
{
    struct ifaddrs *all = NULL;
    char host[INET6_ADDRSTRLEN];
    int tried = 0;

    if (pongs_at(p, "127.0.0.1") || pongs_at(p, "::1") || getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *one = all; one && tried < PLACES_MOST; one = one->ifa_next) {
        jk_addr at = { .len = 0 };
        if (one->ifa_addr == NULL || (one->ifa_flags & IFF_LOOPBACK))
            continue;
        if (one->ifa_addr->sa_family == AF_INET)
            memcpy(&at.sa, one->ifa_addr, sizeof(struct sockaddr_in));
        else if (one->ifa_addr->sa_family == AF_INET6)
            memcpy(&at.sa, one->ifa_addr, sizeof(struct sockaddr_in6));
        write_host(&at, host, sizeof host);
        tried++;
        if (*host && pongs_at(p, host))
            break;
    }
    freeifaddrs(all);
}

static void inquire_connect(jkd_probe *p)
{
    jkd_facts *f = p->facts;

    if (p->target->socket)
        f->talk.path = jkp_talk_look(p->target->socket, f->talk.connect_err, f->where, sizeof f->where);
    else if (f->talk.connect_err == ECONNREFUSED && is_near(p->to))
        look_elsewhere(p);
}

/* ---- no CPong ---- */

/* A ClientHello of TLS 1.2 with the one suite that every server knows, at least well enough to refuse it. */
static const uint8_t hello[] = {
    0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3,
    'j', 'k', 'c', 't', 'l', ' ', 'd', 'o', 'c', 't', 'o', 'r', ' ', 'a', 's', 'k', 's', ' ', 'w', 'h', 'o', ' ', 'i', 's', ' ',
    't', 'h', 'e', 'r', 'e', '?', ' ', 0, 0, 2, 0, 0x2F, 1, 0,
};

static void inquire_silence(jkd_probe *p)
{
    const jk_span words[] = { JK_SPAN_LIT("OPTIONS * HTTP/1.0\r\n\r\n"), { hello, sizeof hello } };
    int err;

    for (size_t i = 0; i < sizeof words / sizeof words[0] && p->facts->hidden == JKP_WRONG_NOTHING; i++) {
        if (is_over(p) || open_line(p, p->to, FOREIGN_MS(p->how->budget), &err) != JK_OK)
            return;
        p->line.timeout = FOREIGN_MS(p->how->budget);
        p->facts->hidden = jkp_talk_foreign(&p->line, words[i]);
        jkp_talk_close(&p->line);
    }
}

/* ---- refused ---- */

static void note_refused(jkd_facts *f, jk_span name)
{
    size_t len = strlen(f->attributes);

    snprintf(f->attributes + len, sizeof f->attributes - len, "%s%.*s", len ? "|" : "", (int)name.len, (const char *)name.p);
}

static void find_attributes(jkd_probe *p)
{
    for (size_t i = 0; i < p->how->nattributes && i < ATTRIBUTES_MOST; i++) {
        jk_request rq = options(p);
        rq.env = &p->how->attributes[i];
        rq.nenv = 1;
        jkp_step step = ask(p, &rq, false);
        if (step.made && !passes(&step))
            note_refused(p->facts, p->how->attributes[i].name);
    }
    if (*p->facts->attributes == 0)
        note_refused(p->facts, JK_SPAN_LIT("AJP_REMOTE_PORT|AJP_LOCAL_ADDR|JK_LB_ACTIVATION"));
}

static void inquire_refusal(jkd_probe *p)
{
    jk_request rq = options(p);

    p->facts->talk.bare = ask(p, &rq, true);
    if (passes(&p->facts->talk.bare))
        find_attributes(p);
}

/* ---- limits ---- */

/* The OPTIONS in a packet of exactly so many bytes; its last header pads. */
static bool takes_packet(jkd_probe *p, size_t bytes, bool *asked)
{
    static const uint8_t one[1] = { 'x' };
    uint8_t packet[JK_FRAME_MAX_PACKET];
    jk_request rq = options(p);
    size_t len = 0;

    p->headers[2] = (jk_field){ JK_SPAN_LIT("X-JK-Doctor"), { one, 1 } };
    rq.nheaders = 3;
    *asked = jk_forward_encode(&rq, packet, sizeof packet, &len) == JK_OK && len <= bytes;
    if (!*asked)
        return true;
    p->headers[2].value = (jk_span){ (const uint8_t *)p->padding, bytes - len + 1 };
    jkp_step step = ask(p, &rq, false);
    *asked = step.made && (step.rc == JK_OK || step.rc == JK_E_RECV || step.rc == JK_E_SEND);
    return passes(&step);
}

/* The largest multiple of 1024 that is taken, where that is less than what we send. */
static void measure_packet(jkd_probe *p)
{
    size_t low = JK_FRAME_DEFAULT_PACKET, high = p->target->packet;
    bool asked;

    if (takes_packet(p, high, &asked) || !asked)
        return;
    if (high <= low || !takes_packet(p, low, &asked)) {
        p->facts->packet_taken = asked && high > low ? low - PACKET_STEP : 0;
        return;
    }
    while (high - low > PACKET_STEP && asked) {
        size_t middle = (low + high) / 2 / PACKET_STEP * PACKET_STEP;
        bool taken = takes_packet(p, middle, &asked);
        *(taken ? &low : &high) = middle;
    }
    p->facts->packet_taken = low;
}

/* So many headers, as the container counts them: the Content-Length that is added is one. */
static bool takes_headers(jkd_probe *p, size_t n, bool *asked)
{
    jk_request rq = options(p);

    for (size_t i = 2; i < n - 1; i++) {
        snprintf(p->names[i], sizeof p->names[i], "X-JK-Doctor-%zu", i);
        p->headers[i] = (jk_field){ jk_span_of(p->names[i]), JK_SPAN_LIT("x") };
    }
    rq.nheaders = n - 1;
    jkp_step step = ask(p, &rq, false);
    *asked = step.made && step.rc == JK_OK;
    return passes(&step);
}

static void measure_headers(jkd_probe *p)
{
    size_t low = 3, high = HEADERS;
    bool asked;

    if (takes_headers(p, high, &asked) || !asked)
        return;
    while (high - low > 1 && asked) {
        size_t middle = (low + high) / 2;
        bool taken = takes_headers(p, middle, &asked);
        *(taken ? &low : &high) = middle;
    }
    p->facts->headers_taken = (unsigned)low;
}

/* ---- methods and pages ---- */

static jkd_page ask_page(jkd_probe *p, const jk_request *rq)
{
    jkd_page page = { ask(p, rq, false), 0 };

    if (page.step.made)
        page.sum = p->answer.sum;
    return page;
}

static bool differ(const jkd_page *a, const jkd_page *b)
{
    return a->step.made && b->step.made && (a->step.status != b->step.status || a->sum != b->sum);
}

/* PROPFIND reads, and asks of one thing only with this depth. */
static void compare_methods(jkd_probe *p)
{
    jk_request rq = request(p, JK_SPAN_LIT("PROPFIND"), path_of(p));

    p->headers[2] = (jk_field){ JK_SPAN_LIT("Depth"), JK_SPAN_LIT("0") };
    rq.nheaders = 3;
    if (rq.stored_methods)
        return;
    p->facts->coded = ask_page(p, &rq);
    rq.stored_methods = true;
    p->facts->named = ask_page(p, &rq);
    if (!differ(&p->facts->coded, &p->facts->named))
        return;
    rq.method = JK_SPAN_LIT("TRACE");
    p->facts->trace = ask_page(p, &rq);
}

/* Tomcat's page about a path that is none tells who it is, where that is not switched off. */
static void look_at_version(jkd_probe *p)
{
    jk_request rq = request(p, JK_SPAN_LIT("GET"), JK_SPAN_LIT("*"));
    jkp_step step = ask(p, &rq, false);
    unsigned *v = p->facts->version;

    if (step.made && jkd_decide_version(p->answer.body, v))
        snprintf(p->facts->server, sizeof p->facts->server, "Apache Tomcat/%u.%u.%u", v[0], v[1], v[2]);
}

/* Last the page without a user again: one with the time in it, which goes on, would otherwise look as if it knew the user. */
static void look_at_user(jkd_probe *p, jk_request *rq)
{
    jkd_facts *f = p->facts;

    rq->remote_user = jk_span_of(p->how->user);
    rq->auth_type = JK_SPAN_LIT("Basic");
    f->as_user = ask_page(p, rq);
    f->user_shown = f->as_user.step.made && strstr(p->answer.body, p->how->user);
    if (f->user_shown || !differ(&f->page, &f->as_user))
        return;
    rq->remote_user = rq->auth_type = JK_SPAN_NONE;
    f->again = ask_page(p, rq);
}

static void look_at_page(jkd_probe *p)
{
    jk_request rq = request(p, JK_SPAN_LIT("GET"), path_of(p));
    jkd_facts *f = p->facts;

    rq.env = p->how->attributes;
    rq.nenv = p->how->nattributes;
    f->page = ask_page(p, &rq);
    if (f->page.step.made)
        f->session = jkd_decide_session(p->answer.cookies, p->target->session_cookie, f->session_route, sizeof f->session_route);
    f->unfinished |= jkp_sign_of(&f->page.step) == JKP_SIGN_SILENT;
    if (*p->how->user == 0 || f->unfinished)
        return;
    look_at_user(p, &rq);
}

/* ---- all ---- */

static void look_at_socket(jkd_probe *p)
{
    jkd_facts *f = p->facts;

    if (p->target->socket && p->how->httpd == NULL)
        f->root_only = jkp_talk_root_only(p->target->socket, f->where, sizeof f->where);
    else if (p->target->socket)
        f->httpd_passes = jkp_talk_closed_to(p->how->httpd, p->target->socket, f->where, sizeof f->where) ? JKD_NO : JKD_YES;
}

static jkp_step ask_as_the_module(jkd_probe *p)
{
    jk_request rq = options(p);

    rq.env = p->how->attributes;
    rq.nenv = p->how->nattributes;
    return ask(p, &rq, false);
}

static void ask_without_secret(jkd_probe *p)
{
    jk_request rq = options(p);

    rq.secret = JK_SPAN_NONE;
    p->facts->talk.open = ask(p, &rq, false);
}

static void ask_all(jkd_probe *p)
{
    jkp_facts *talk = &p->facts->talk;

    talk->get = ask_as_the_module(p);
    if (jkp_sign_of(&talk->get) == JKP_SIGN_NO_403)
        inquire_refusal(p);
    else if (!passes(&talk->get)) { /* not every container knows "*" */
        p->base = p->target->path;
        jkp_step again = ask_as_the_module(p);
        if (passes(&again))
            talk->get = again;
    }
    if (!passes(&talk->get))
        return;
    if (p->target->secret)
        ask_without_secret(p);
    measure_packet(p);
    measure_headers(p);
    look_at_version(p);
    look_at_page(p);
    compare_methods(p);
}

static void converse(jkd_probe *p, int64_t *pong)
{
    jkp_facts *talk = &p->facts->talk;
    jkp_times times = { -1, -1, -1, -1 };

    talk->connect = open_line(p, p->to, CONNECT_MS(p->how->budget), &talk->connect_err);
    if (talk->connect != JK_OK) {
        inquire_connect(p);
        return;
    }
    p->line.timeout = left_ms(p, PONG_MS(p->how->budget));
    jkp_talk_ping(&p->line, &talk->ping, &times);
    *pong = times.pong;
    p->line.timeout = left_ms(p, p->how->budget);
    if (talk->ping.rc == JK_OK) {
        look_at_socket(p);
        ask_all(p);
        jkp_talk_close(&p->line);
        return;
    }
    jkp_talk_close(&p->line);
    jkp_sign sign = jkp_sign_of(&talk->ping);
    if (sign == JKP_SIGN_SILENT || sign == JKP_SIGN_CLOSED)
        inquire_silence(p);
}

jk_rc jkd_probe_ask(const jkd_target *target, const jkd_how *how, const jk_addr *to, int64_t until, jkd_facts *facts, int64_t *pong)
{
    jkd_probe *p = calloc(1, sizeof *p);

    *pong = -1;
    if (p == NULL)
        return JK_E_MEMORY;
    p->target = target;
    p->how = how;
    p->base = "*";
    p->to = to;
    p->facts = facts;
    p->until = until;
    p->line.fd = -1;
    memset(p->padding, 'x', sizeof p->padding);
    converse(p, pong);
    free(p);
    return JK_OK;
}
