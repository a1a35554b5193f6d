/* tools/jkping.c - asks an AJP13 connector whether it is there, without a web server: a CPing, a request where one is
 * wanted, how long each took, and what it means where something is wrong. It reaches the given target and nothing else.
 * The wire is in jkping_talk.c, the diagnosis in jkping_diagnose.c. */
#include "jkping_talk.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ATTRIBUTES_MOST 32
#define COUNT_MOST 100000
#define TIMEOUT_MOST 3600000
#define PAUSE_MS 100 /* between rounds */

static const char help[] =
    "usage: jkping TARGET [--get /PATH] [--host NAME] [--attribute NAME=VALUE].. [--secret-file FILE]\n"
    "              [--count N] [--timeout MS]\n"
    "  TARGET               HOST:PORT, [IPV6]:PORT or unix:PATH of an AJP13 connector\n"
    "  --get /PATH          after the CPing, ask for a page; without it only the CPing is sent\n"
    "  --host NAME          the Host header and server name of that request (the host of TARGET)\n"
    "  --attribute N=V      a request attribute, as JkEnvVar sends one; may be repeated\n"
    "  --secret-file FILE   the connector's secret is the first line of FILE; asks for / where --get is not given,\n"
    "                       since a CPong comes whatever the secret is, and asks once without it, too\n"
    "  --count N            rounds, each on a connection of its own (1)\n"
    "  --timeout MS         the most that connecting, the CPong, and any silence may take (5000)\n"
    "  --help               this text\n"
    "Times are milliseconds: to the connection, to the CPong, to the answer's first byte, to its end. A firewall or SELinux\n"
    "may treat httpd's user otherwise than you: run it as that user to see what httpd sees.\n"
    "Exit status: 0 good; 1 the connector answers, but the request was refused, got an error status or did not end;\n"
    "2 cannot be reached; 3 not AJP13; 4 the secret is wrong or missing; 64 wrong usage. With --count: of the first bad round.\n";

typedef struct options {
    const char *target, *get, *host, *unix_path;
    char *secret;
    jk_field attributes[ATTRIBUTES_MOST];
    size_t nattributes;
    int count, timeout, port;
    char name[256]; /* of TARGET's host */
} options;

typedef struct spread {
    int64_t least, most, sum;
    int n;
} spread;

typedef struct report {
    jkp_facts facts; /* of the first bad round, else of the last */
    int bad;
    spread connect, pong, first, whole;
} report;

static _Noreturn void wrong_usage(const char *what, const char *value)
{
    fprintf(stderr, "jkping: %s%s%s\njkping --help says more.\n", what, value ? ": " : "", value ? value : "");
    exit(JKP_EXIT_USAGE);
}

/* ---- options ---- */

static int number_option(const char *name, const char *text, long most)
{
    char *end;

    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < 1 || n > most)
        wrong_usage(name, text);
    return (int)n;
}

static char *first_line(const char *path)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(path, "r");

    if (f == NULL || getline(&line, &cap, f) < 0)
        wrong_usage(f ? "there is no line in this file" : strerror(errno), path);
    fclose(f);
    line[strcspn(line, "\r\n")] = 0;
    if (*line == 0)
        wrong_usage("the first line of this file is empty", path);
    return line;
}

static void take_attribute(options *o, const char *text)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL || equals == text || o->nattributes == ATTRIBUTES_MOST)
        wrong_usage("--attribute NAME=VALUE, at most 32 of them", text);
    jk_field *field = &o->attributes[o->nattributes++];
    field->name = (jk_span){ (const uint8_t *)text, (size_t)(equals - text) };
    field->value = jk_span_of(equals + 1);
}

/* HOST:PORT, [V6]:PORT or unix:PATH. */
static void take_target(options *o, const char *text)
{
    const char *colon = strrchr(text, ':'), *from = text, *to = colon;

    o->target = text;
    if (strncmp(text, "unix:", 5) == 0) {
        o->unix_path = text + 5;
        snprintf(o->name, sizeof o->name, "localhost");
        return;
    }
    if (*text == '[') {
        from = text + 1;
        to = strchr(text, ']');
        if (to == NULL || to + 1 != colon)
            wrong_usage("the form of an IPv6 target is [ADDRESS]:PORT", text);
    }
    if (colon == NULL || to == from || (size_t)(to - from) >= sizeof o->name)
        wrong_usage("the target is HOST:PORT, [IPV6]:PORT or unix:PATH", text);
    if (*text != '[' && memchr(from, ':', (size_t)(to - from)))
        wrong_usage("the form of an IPv6 target is [ADDRESS]:PORT", text);
    o->port = number_option("a port is a number from 1 to 65535", colon + 1, 65535);
    memcpy(o->name, from, (size_t)(to - from));
}

static void read_option(options *o, int c)
{
    switch (c) {
    case 'g':
        if (*optarg != '/')
            wrong_usage("--get: a path begins with /", optarg);
        o->get = optarg;
        break;
    case 'h':
        o->host = optarg;
        break;
    case 'a':
        take_attribute(o, optarg);
        break;
    case 's':
        free(o->secret);
        o->secret = first_line(optarg);
        break;
    case 'c':
        o->count = number_option("--count", optarg, COUNT_MOST);
        break;
    case 't':
        o->timeout = number_option("--timeout", optarg, TIMEOUT_MOST);
        break;
    case '?' + 256:
        fputs(help, stdout);
        exit(0);
    default:
        fputs("jkping --help says more.\n", stderr); /* getopt has said what is wrong */
        exit(JKP_EXIT_USAGE);
    }
}

static void read_options(int argc, char **argv, options *o)
{
    static const struct option names[] = {
        { "get", required_argument, NULL, 'g' },         { "host", required_argument, NULL, 'h' },
        { "attribute", required_argument, NULL, 'a' },   { "secret-file", required_argument, NULL, 's' },
        { "count", required_argument, NULL, 'c' },       { "timeout", required_argument, NULL, 't' },
        { "help", no_argument, NULL, '?' + 256 },        { NULL, 0, NULL, 0 },
    };
    int c;

    *o = (options){ .count = 1, .timeout = 5000 };
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
        read_option(o, c);
    if (optind != argc - 1)
        wrong_usage(optind < argc ? "one target at a time" : "a target is missing", NULL);
    take_target(o, argv[optind]);
    if (o->get == NULL && (o->secret || o->nattributes))
        o->get = "/";
    if (o->host == NULL)
        o->host = o->name;
}

/* ---- a round ---- */

static void make_request(const options *o, jk_field headers[2], jk_request *rq)
{
    const char *query = o->get ? strchr(o->get, '?') : NULL;

    headers[0] = (jk_field){ JK_SPAN_LIT("Host"), jk_span_of(o->host) };
    headers[1] = (jk_field){ JK_SPAN_LIT("User-Agent"), JK_SPAN_LIT("jkping/" JK_VERSION) };
    *rq = (jk_request){ .method = JK_SPAN_LIT("GET"), .protocol = JK_SPAN_LIT("HTTP/1.1"), .remote_addr = JK_SPAN_LIT("127.0.0.1"),
                        .server_name = jk_span_of(o->host), .server_port = 80, .body = JK_BODY_NONE,
                        .headers = headers, .nheaders = 2, .ssl_key_size = -1, .remote_port = JK_SPAN_LIT("0"),
                        .local_addr = JK_SPAN_LIT("127.0.0.1"), .activation = JK_SPAN_LIT("ACT"),
                        .env = o->attributes, .nenv = o->nattributes };
    rq->uri = jk_span_of(o->get);
    rq->secret = jk_span_of(o->secret);
    if (query) {
        rq->uri.len = (size_t)(query - o->get);
        rq->query = jk_span_of(query + 1);
    }
    if (jk_forward_bound(rq) > JK_FRAME_DEFAULT_PACKET)
        wrong_usage("the request does not fit into a packet of 8192 bytes", NULL);
}

static void one_round(const options *o, const jk_addr *to, const jk_request *rq, jkp_line *line, jkp_facts *facts, jkp_times *times)
{
    *facts = (jkp_facts){ .secret = o->secret != NULL };
    line->longest = 0;
    facts->connect = jkp_talk_connect(line, to, o->timeout, &facts->connect_err, times);
    if (facts->connect != JK_OK)
        return;
    jkp_talk_ping(line, &facts->ping, times);
    if (o->get && facts->ping.rc == JK_OK)
        jkp_talk_get(line, rq, false, &facts->get, times);
    facts->longest = line->longest;
    jkp_talk_close(line);
}

/* The request in another form, on a connection of its own, to tell one cause from another. */
static void ask_again(const options *o, const jk_addr *to, const jk_request *rq, bool bare, jkp_line *line, jkp_step *step)
{
    jkp_times times;
    int err;

    if (jkp_talk_connect(line, to, o->timeout, &err, &times) != JK_OK)
        return;
    jkp_talk_get(line, rq, bare, step, &times);
    jkp_talk_close(line);
}

static void inquire(const options *o, const jk_addr *to, const jk_request *rq, jkp_line *line, jkp_facts *facts)
{
    jk_request without = *rq;

    if (!facts->get.made || facts->get.rc != JK_OK)
        return;
    if (facts->get.status == 403 && !facts->get.reuse)
        ask_again(o, to, rq, true, line, &facts->bare);
    without.secret = JK_SPAN_NONE;
    if (o->secret)
        ask_again(o, to, &without, false, line, &facts->open);
}

/* ---- what is printed ---- */

static void book(spread *s, int64_t us)
{
    if (us < 0)
        return;
    if (s->n == 0 || us < s->least)
        s->least = us;
    if (s->n == 0 || us > s->most)
        s->most = us;
    s->sum += us;
    s->n++;
}

static void print_time(const char *what, int64_t us)
{
    if (us >= 0)
        printf("%s %.2f ms", what, (double)us / 1000);
}

static void print_failure(const jkp_step *step)
{
    if (step->rc == JK_E_TIMEOUT)
        printf("nothing came in time");
    else if (step->rc == JK_E_FRAME || step->rc == JK_E_PAYLOAD)
        printf("%s", jkp_wrong_words(step->wrong));
    else
        printf("%s", step->err ? strerror(step->err) : "the connection was closed");
}

static void print_step(const char *name, const jkp_step *step)
{
    if (!step->made)
        return;
    printf(", %s", name);
    if (step->status)
        printf(" %u%s", step->status, step->rc == JK_OK && !step->reuse ? " reuse=0" : "");
    if (step->rc == JK_OK)
        return;
    printf(": ");
    print_failure(step);
}

static void print_round(const options *o, int round, const jkp_facts *f, const jkp_times *t, uint64_t body)
{
    char get[128];

    printf("%s", o->target);
    if (o->count > 1)
        printf(" %d", round);
    if (f->connect != JK_OK)
        printf(": connecting: %s", strerror(f->connect_err));
    print_time(": connected", t->connect);
    if (t->pong < 0)
        print_step("CPing", &f->ping);
    print_time(", CPong", t->pong);
    snprintf(get, sizeof get, "GET %s", o->get ? o->get : "");
    print_step(get, &f->get);
    print_time(", first byte", t->first);
    print_time(", whole", t->whole);
    if (f->get.made && f->get.rc == JK_OK)
        printf(", %llu bytes", (unsigned long long)body);
    putchar('\n');
    fflush(stdout);
}

static void print_spread(const char *what, const spread *s)
{
    if (s->n > 0)
        printf("%s: least %.2f, mean %.2f, most %.2f ms of %d\n", what, (double)s->least / 1000, (double)s->sum / s->n / 1000,
               (double)s->most / 1000, s->n);
}

static void print_summary(const options *o, const report *r)
{
    if (o->count == 1)
        return;
    printf("%d rounds, %d bad\n", o->count, r->bad);
    print_spread("connect", &r->connect);
    print_spread("CPong", &r->pong);
    print_spread("first byte", &r->first);
    print_spread("whole", &r->whole);
}

static void print_unix_rights(const options *o)
{
    char where[512];

    if (o->unix_path && jkp_talk_root_only(o->unix_path, where, sizeof where))
        printf("note: root passes everywhere, httpd's user does not unless owner or group let it: %s\n", where);
}

static int conclude(const options *o, jkp_facts *facts)
{
    char where[512] = "";
    const char *note;
    unsigned at = 0;

    if (facts->connect == JK_E_CONNECT && o->unix_path)
        facts->path = jkp_talk_look(o->unix_path, facts->connect_err, where, sizeof where);
    jkp_verdict verdict = jkp_diagnose(facts);
    const char *words = facts->connect == JK_E_CONNECT ? jk_sock_words(facts->connect_err) : NULL;
    printf("%s: %s%s%s\n", verdict.exit == JKP_EXIT_GOOD ? "good" : "bad", verdict.what, *where ? ": " : "", where);
    if (verdict.todo || words)
        printf("what to do: %s\n", verdict.todo ? verdict.todo : words);
    while ((note = jkp_diagnose_note(facts, &at)) != NULL)
        printf("note: %s\n", note);
    if (facts->connect == JK_OK)
        print_unix_rights(o);
    return verdict.exit;
}

/* ---- main ---- */

static int resolve(const options *o, jk_addr *to)
{
    const jkp_facts facts = { .connect = JK_E_RESOLVE };
    const char *why = "the path is longer than the system allows";
    jk_rc rc = o->unix_path ? jk_sock_unix(o->unix_path, to) : jk_sock_resolve(o->name, o->port, false, to, &why);

    if (rc == JK_OK)
        return JKP_EXIT_GOOD;
    if (o->unix_path)
        wrong_usage(why, o->target);
    jkp_verdict verdict = jkp_diagnose(&facts);
    printf("%s: %s\nbad: %s\nwhat to do: %s\n", o->target, why, verdict.what, verdict.todo);
    return verdict.exit;
}

static void pause_between(void)
{
    const struct timespec t = { 0, PAUSE_MS * 1000000L };

    nanosleep(&t, NULL);
}

static void run_rounds(const options *o, const jk_addr *to, const jk_request *rq, jkp_line *line, report *r)
{
    jkp_facts facts;
    jkp_times times;

    for (int i = 1; i <= o->count; i++) {
        if (i > 1)
            pause_between();
        one_round(o, to, rq, line, &facts, &times);
        print_round(o, i, &facts, &times, line->body);
        book(&r->connect, times.connect);
        book(&r->pong, times.pong);
        book(&r->first, times.first);
        book(&r->whole, times.whole);
        if (r->bad == 0)
            r->facts = facts;
        r->bad += jkp_diagnose(&facts).exit != JKP_EXIT_GOOD;
    }
}

int main(int argc, char **argv)
{
    options o;
    report r = { 0 };
    jk_field headers[2];
    jk_request rq;
    jk_addr to;

    read_options(argc, argv, &o);
    make_request(&o, headers, &rq);
    int rc = resolve(&o, &to);
    if (rc == JKP_EXIT_GOOD) {
        jkp_line *line = calloc(1, sizeof *line);
        if (line == NULL) {
            perror("jkping");
            return JKP_EXIT_UNREACHED;
        }
        run_rounds(&o, &to, &rq, line, &r);
        inquire(&o, &to, &rq, line, &r.facts);
        print_summary(&o, &r);
        rc = conclude(&o, &r.facts);
        free(line);
    }
    free(o.secret);
    return rc;
}
