/* tools/jkbackend.c - a small AJP13 backend for tests, measurements and the demonstration: options, listening, one
 * thread per connection, and an orderly end at SIGTERM or SIGINT. It is no servlet container. It stands on the module's
 * own tables and readers; the wire, the pages and the sessions are in the files jkbackend_*.c. */
#include "jkbackend_serve.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STACK_BYTES (512 * 1024)
#define FULL_WAIT_MS 20

typedef struct options {
    const char *host, *port, *unix_path, *route;
    char *secret;
    size_t packet, threads;
} options;

typedef struct visitor visitor;
struct visitor {
    jkb_wire wire;
    uint64_t serial;
    struct house *house;
    visitor *next, **link; /* in house->visitors, guarded by its lock */
};

typedef struct house {
    jkb_server server;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t left;  /* a visitor went */
    visitor *visitors;
    size_t count;
} house;

static int stop_pipe[2] = { -1, -1 };

static void on_stop(int signo)
{
    int keep = errno;

    (void)signo;
    /* The byte is never read, so that everybody who polls sees it. */
    if (write(stop_pipe[1], "", 1) < 0)
        _exit(1);
    errno = keep;
}

static const char usage[] =
    "usage: jkbackend [--port P | --unix PATH] [--host ADDRESS] [--route NAME] [--secret S | --secret-file FILE]\n"
    "                 [--packet-size BYTES] [--threads N]\n"
    "  --port P          listen on TCP port P; 0, the default, takes any free one\n"
    "  --host ADDRESS    the address to listen on (127.0.0.1)\n"
    "  --unix PATH       listen on a Unix socket instead\n"
    "  --route NAME      what new session ids end with\n"
    "  --secret S        the secret that a request must bring; --secret-file takes the first line of a file\n"
    "  --packet-size B   most bytes of a packet, 1024 .. 65536 (8192)\n"
    "  --threads N       most connections at once (1024)\n"
    "Prints \"listening on ADDRESS:PORT\" and serves until SIGTERM or SIGINT.\n";

static void die(const char *what)
{
    fprintf(stderr, "jkbackend: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void die_usage(const char *what, const char *value)
{
    fprintf(stderr, "jkbackend: %s: %s\n%s", what, value ? value : "", usage);
    exit(2);
}

/* --- options --- */

static char *copy(const char *s)
{
    char *to = strdup(s);

    if (to == NULL)
        die("memory");
    return to;
}

static char *first_line(const char *path)
{
    char line[1024] = "";
    FILE *f = fopen(path, "r");

    if (f == NULL || fgets(line, sizeof line, f) == NULL)
        die(path);
    fclose(f);
    line[strcspn(line, "\r\n")] = 0;
    return copy(line);
}

static size_t size_option(const char *name, const char *text, size_t least, size_t most)
{
    uint64_t n = 0;

    if (!jkb_decode_number(jk_span_of(text), most, &n) || n < least)
        die_usage(name, text);
    return (size_t)n;
}

static options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "port", required_argument, NULL, 'p' },        { "host", required_argument, NULL, 'h' },
        { "unix", required_argument, NULL, 'u' },        { "route", required_argument, NULL, 'r' },
        { "secret", required_argument, NULL, 's' },      { "secret-file", required_argument, NULL, 'f' },
        { "packet-size", required_argument, NULL, 'm' }, { "threads", required_argument, NULL, 't' },
        { "help", no_argument, NULL, '?' },              { NULL, 0, NULL, 0 },
    };
    options o = { .host = "127.0.0.1", .port = "0", .packet = 8192, .threads = 1024 };
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'p':
            size_option("--port", optarg, 0, 65535);
            o.port = optarg;
            break;
        case 'h':
            o.host = optarg;
            break;
        case 'u':
            o.unix_path = optarg;
            break;
        case 'r':
            o.route = optarg;
            break;
        case 's':
        case 'f':
            free(o.secret);
            o.secret = c == 's' ? copy(optarg) : first_line(optarg);
            break;
        case 'm':
            o.packet = size_option("--packet-size", optarg, 1024, 65536);
            break;
        case 't':
            o.threads = size_option("--threads", optarg, 1, 100000);
            break;
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (optind < argc)
        die_usage("what is this", argv[optind]);
    if (o.route && strlen(o.route) > 255)
        die_usage("--route", "more than 255 bytes");
    return o;
}

/* --- listening --- */

static int listen_unix(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct stat st;
    size_t len = strlen(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (len >= sizeof at.sun_path)
        die_usage("--unix", "the path is too long");
    memcpy(at.sun_path, path, len + 1);
    /* One that an earlier run left behind; never anything else. */
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, SOMAXCONN) != 0)
        die(path);
    printf("listening on %s\n", path);
    return fd;
}

static int listen_tcp(const char *host, const char *port)
{
    struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof at;
    char address[NI_MAXHOST], number[NI_MAXSERV];
    int on = 1, rc = getaddrinfo(host, port, &want, &found);

    if (rc != 0)
        die_usage(host, gai_strerror(rc));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0)
        die(host);
    freeaddrinfo(found);
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
        getnameinfo((struct sockaddr *)&at, len, address, sizeof address, number, sizeof number,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        die(host);
    printf(at.ss_family == AF_INET6 ? "listening on [%s]:%s\n" : "listening on %s:%s\n", address, number);
    return fd;
}

/* --- visitors --- */

static void arrive(house *h, visitor *v)
{
    pthread_mutex_lock(&h->lock);
    v->next = h->visitors;
    v->link = &h->visitors;
    if (v->next)
        v->next->link = &v->next;
    h->visitors = v;
    h->count++;
    pthread_mutex_unlock(&h->lock);
}

/* After this nobody but its owner touches the visitor's socket. */
static void hide(visitor *v)
{
    pthread_mutex_lock(&v->house->lock);
    *v->link = v->next;
    if (v->next)
        v->next->link = v->link;
    pthread_mutex_unlock(&v->house->lock);
}

static void leave(visitor *v)
{
    house *h = v->house;

    hide(v);
    jkb_wire_close(&v->wire);
    free(v);
    pthread_mutex_lock(&h->lock);
    h->count--;
    pthread_cond_signal(&h->left);
    pthread_mutex_unlock(&h->lock);
}

static void *serve(void *arg)
{
    visitor *v = arg;

    jkb_serve(&v->house->server, &v->wire, v->serial);
    leave(v);
    return NULL;
}

static void welcome(house *h, int fd, uint64_t serial, const pthread_attr_t *attr)
{
    pthread_t thread;
    int on = 1;
    visitor *v = calloc(1, sizeof *v);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* fails on a Unix socket, as it may */
    if (v == NULL) {
        close(fd);
        return;
    }
    if (jkb_wire_open(&v->wire, fd, h->server.stop_fd, h->server.packet) != JK_OK) {
        free(v);
        return;
    }
    v->serial = serial;
    v->house = h;
    arrive(h, v);
    if (pthread_create(&thread, attr, serve, v) != 0) {
        fprintf(stderr, "jkbackend: no thread for connection %llu\n", (unsigned long long)serial);
        leave(v);
    }
}

static bool full(house *h, size_t most)
{
    pthread_mutex_lock(&h->lock);
    bool is = h->count >= most;
    pthread_mutex_unlock(&h->lock);
    return is;
}

static void accept_until_stopped(house *h, int listen_fd, size_t most)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (uint64_t serial = 1;;) {
        bool wait = full(h, most);
        struct pollfd p[2] = { { h->server.stop_fd, POLLIN, 0 }, { wait ? -1 : listen_fd, POLLIN, 0 } };

        poll(p, 2, wait ? FULL_WAIT_MS : -1);
        if (p[0].revents)
            break;
        if (!(p[1].revents & POLLIN))
            continue;
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            welcome(h, fd, serial++, &attr);
        else if (errno == EMFILE || errno == ENFILE)
            poll(p, 1, FULL_WAIT_MS); /* another connection must end first */
    }
    pthread_attr_destroy(&attr);
}

static void send_home(house *h)
{
    pthread_mutex_lock(&h->lock);
    for (visitor *v = h->visitors; v; v = v->next)
        shutdown(v->wire.fd, SHUT_RDWR);
    while (h->count > 0)
        pthread_cond_wait(&h->left, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

/* --- main --- */

static void catch_signals(void)
{
    struct sigaction stop = { .sa_handler = on_stop };

    if (pipe(stop_pipe) != 0)
        die("pipe");
    sigemptyset(&stop.sa_mask);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static uint8_t *make_pattern(size_t n)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-\n";
    uint8_t *p = malloc(n);

    if (p == NULL)
        die("memory");
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)letters[i % 64];
    return p;
}

int main(int argc, char **argv)
{
    options o = read_options(argc, argv);
    house *h = calloc(1, sizeof *h);
    uint8_t *pattern = make_pattern(o.packet + 64);

    if (h == NULL)
        die("memory");
    catch_signals();
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_init(&h->server.sessions.lock, NULL);
    pthread_cond_init(&h->left, NULL);
    h->server.route = o.route;
    h->server.secret = o.secret;
    h->server.packet = o.packet;
    h->server.pattern = pattern;
    h->server.stop_fd = stop_pipe[0];
    int fd = o.unix_path ? listen_unix(o.unix_path) : listen_tcp(o.host, o.port);
    fflush(stdout);
    accept_until_stopped(h, fd, o.threads);
    close(fd);
    if (o.unix_path)
        unlink(o.unix_path);
    send_home(h);
    pthread_cond_destroy(&h->left);
    pthread_mutex_destroy(&h->lock);
    pthread_mutex_destroy(&h->server.sessions.lock);
    free(pattern);
    free(o.secret);
    free(h);
    return 0;
}
