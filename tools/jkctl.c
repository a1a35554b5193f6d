/* tools/jkctl.c - asks a status worker, and changes what it lets be changed: for people at a terminal, and for scripts that deploy. It talks to
 * the given URL and nothing else; `doctor` to the containers of a configuration instead. The words of the command line are here; HTTP is in
 * jkctl_ask.c, tables in jkctl_show.c, changes in jkctl_change.c, draining in jkctl_drain.c, the doctor in jkctl_doctor.c. */
#include "jkctl_doctor.h"
#include "jkctl_drain.h"
#include "jkctl_show.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define URL "http://127.0.0.1/jk-status"
#define ARGUMENTS_MOST 66
#define PATH_MOST 4000 /* bytes of a page's path: the request fits into the smallest packet */

static const char help[] =
    "usage: jkctl [OPTION].. COMMAND [ARGUMENT]..\n"
    "  status [NAME]           how all workers are, or one\n"
    "  watch [NAME]            the same again and again, with requests per second; Ctrl-C ends it\n"
    "  drain MEMBER            disable it, wait until nobody uses it, stop it, wait for what is under way; then its container may be stopped\n"
    "  enable MEMBER           it gets requests again\n"
    "  disable MEMBER          it gets no new sessions; those that it has go on\n"
    "  stop MEMBER             it gets nothing; its sessions go to other members\n"
    "  set NAME KEY=VALUE ..   change values, by their names in workers.properties, until httpd is stopped\n"
    "  reset NAME              its counters begin anew\n"
    "  recover MEMBER          one in error is tried again at once\n"
    "  doctor [NAME]           ask the containers themselves, without httpd: what is wrong, and which lines mend it\n"
    "MEMBER is the name of a balancer's member; BALANCER:MEMBER where several balancers have it; *:MEMBER is it in each of them.\n"
    "NAME is a member, a balancer, or a worker of its own (:NAME where a member has the same name).\n"
    "\n"
    "  --url URL               of the status worker ($JKCTL_URL; " URL ")\n"
    "  --user NAME[:PASSWORD]  the password by $JKCTL_PASSWORD, which ps does not show; without --user what ~/.netrc says\n"
    "  --netrc-file FILE       instead of ~/.netrc\n"
    "  --cacert FILE           who signed the server's certificate;  --insecure  do not look at it\n"
    "  --timeout TIME          the most that one answer may take (10s)\n"
    "  --json                  what the server answers, instead of words\n"
    "  --every TIME            watch: time between looks (2s); drain: (500ms)\n"
    "  --count N               watch: so many looks\n"
    "  --wait TIME             drain: the most that it may take until nobody uses it (60s); enable: wait that long until it is in no error (0)\n"
    "  --idle TIME             drain: so long without a request counts as that (10s)\n"
    "  --force                 drain: when the time is over stop it nevertheless; its sessions go to other members\n"
    "  --last                  drain, disable, stop: also where no other member of the balancer is active and well\n"
    "doctor:\n"
    "  --conf FILE             httpd.conf, whose JkWorkersFile and JkWorkerProperty tell the containers (where distributions have it)\n"
    "  --workers FILE          a workers file instead\n"
    "  --path /PATH            the page that is asked for, by GET (the beginning of what is mounted, else /)\n"
    "  --host NAME             its virtual host in the container (the worker's host)\n"
    "  --attribute NAME[=TEXT] a request attribute that JkEnvVar sends; --conf finds them itself; may be repeated\n"
    "  --remote-user NAME      ask for the page once more with this user, and see whether the container believes it\n"
    "  --httpd-user NAME       whom httpd runs as, for the rights of Unix sockets (User in httpd.conf)\n"
    "  --timeout TIME          the most that one container may take (2500ms)\n"
    "  --help, --version\n"
    "TIME is a number with ms, s, m or h; without one it is seconds.\n"
    "Exit status: 0 good, done; 1 degraded; 2 something is bad; 3 cannot ask; 4 the time was over; 5 refused, nothing was changed;\n"
    "64 wrong usage.\n";

typedef struct options {
    jkc_place place;
    jkc_way way;
    char *user;
    int64_t every, wait, idle; /* ms; -1: not given */
    long count;
    bool force;
    jkc_doctor doctor;
    const char *name; /* the first argument; NULL: none */
    char *const *rest;
    size_t nrest;
} options;

typedef struct verb {
    const char *name;
    size_t least, most; /* arguments */
    jkc_exit (*run)(jkc_line *line, const options *o);
} verb;

static volatile sig_atomic_t over;

static void end(int sig)
{
    (void)sig;
    over = 1;
}

/* What waits ends, and says how things stand. */
static void mind_signals(void)
{
    struct sigaction act = { .sa_handler = end };

    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

/* ---- status, watch, doctor ---- */

static void dump(const json_t *look)
{
    json_dumpf(look, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    putchar('\n');
    fflush(stdout);
}

static bool is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static bool wants_colours(void)
{
    const char *no = getenv("NO_COLOR");

    return is_terminal() && (no == NULL || *no == '\0');
}

static jkc_exit cannot_ask(const jkc_line *line)
{
    jkc_say("%s", jkc_ask_why(line));
    return JKC_CANNOT_ASK;
}

/* For --json: nothing is shown, but judged. */
static jkc_exit judge(const json_t *look, const jkc_view *view)
{
    FILE *nowhere = jkc_must(fopen("/dev/null", "w"));
    jkc_exit rc = jkc_show(nowhere, look, view);

    fclose(nowhere);
    return rc;
}

static jkc_exit status(jkc_line *line, const options *o)
{
    const jkc_view view = { .only = o->name, .colours = wants_colours(), .url = jkc_ask_url(line) };
    json_t *look = jkc_ask_look(line, o->way.json);

    if (look == NULL)
        return cannot_ask(line);
    jkc_exit rc = o->way.json ? judge(look, &view) : jkc_show(stdout, look, &view);
    if (o->way.json && rc != JKC_REFUSED)
        dump(look);
    json_decref(look);
    return rc;
}

/* Written at once, so that nothing flickers. */
static jkc_exit paint(const json_t *look, const jkc_view *view, bool redraw)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = jkc_must(open_memstream(&text, &n));
    jkc_exit rc = jkc_show(f, look, view);

    if (fclose(f) != 0)
        jkc_must(NULL);
    if (redraw)
        fputs("\033[H\033[2J", stdout);
    fwrite(text, 1, n, stdout);
    if (!redraw)
        putchar('\n');
    fflush(stdout);
    free(text);
    return rc;
}

static void pause_for(int64_t ms)
{
    const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    if (!over)
        nanosleep(&t, NULL);
}

static double clock_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One round; the look takes the place of *before. What cannot be asked now may be later. */
static jkc_exit watch_once(jkc_line *line, const options *o, json_t **before, double *when)
{
    json_t *look = jkc_ask_look(line, o->way.json);
    double now = clock_s();
    const jkc_view view = { .only = o->name, .colours = wants_colours(), .url = jkc_ask_url(line), .before = *before, .seconds = now - *when };
    jkc_exit rc = JKC_CANNOT_ASK;

    if (look && o->way.json) {
        rc = judge(look, &view);
        dump(look);
    } else if (look) {
        rc = paint(look, &view, is_terminal());
    } else if (!over) {
        rc = cannot_ask(line);
    }
    json_decref(*before);
    *before = look;
    *when = now;
    return rc;
}

static jkc_exit watch(jkc_line *line, const options *o)
{
    json_t *before = NULL;
    double when = 0;
    jkc_exit rc = JKC_GOOD;

    mind_signals();
    for (long i = 0; !over && (o->count == 0 || i < o->count); i++) {
        if (i > 0)
            pause_for(o->every < 0 ? 2000 : o->every);
        if (!over)
            rc = watch_once(line, o, &before, &when);
        if (rc == JKC_REFUSED)
            break;
    }
    json_decref(before);
    return over ? JKC_GOOD : rc;
}

static jkc_exit doctor(jkc_line *line, const options *o)
{
    jkc_doctor how = o->doctor;

    (void)line;
    how.only = o->name;
    how.json = o->way.json;
    how.colours = wants_colours();
    return jkc_doctor_run(&how);
}

/* ---- changes ---- */

static jkc_drain drain_of(const options *o, int64_t wait)
{
    return (jkc_drain){ .wait = o->wait < 0 ? wait : o->wait, .idle = o->idle < 0 ? 10000 : o->idle, .every = o->every < 0 ? 500 : o->every,
                        .force = o->force, .json = o->way.json, .way = &o->way, .over = &over };
}

static jkc_exit drain(jkc_line *line, const options *o)
{
    const jkc_drain how = drain_of(o, 60000);

    mind_signals();
    return jkc_drain_run(line, o->name, &how);
}

static jkc_exit enable(jkc_line *line, const options *o)
{
    const jkc_drain how = drain_of(o, 0);
    jkc_exit rc = jkc_change_activation(line, o->name, "active", &o->way);

    mind_signals();
    return rc == JKC_GOOD && how.wait > 0 ? jkc_drain_await_good(line, o->name, &how) : rc;
}

static jkc_exit disable(jkc_line *line, const options *o)
{
    return jkc_change_activation(line, o->name, "disabled", &o->way);
}

static jkc_exit stop(jkc_line *line, const options *o)
{
    return jkc_change_activation(line, o->name, "stopped", &o->way);
}

static jkc_exit set(jkc_line *line, const options *o)
{
    return jkc_change_values(line, o->name, o->rest, o->nrest, &o->way);
}

static jkc_exit reset(jkc_line *line, const options *o)
{
    return jkc_change_reset(line, o->name, &o->way);
}

static jkc_exit recover(jkc_line *line, const options *o)
{
    return jkc_change_recover(line, o->name, &o->way);
}

static const verb verbs[] = {
    { "status", 0, 1, status }, { "watch", 0, 1, watch },     { "drain", 1, 1, drain }, { "enable", 1, 1, enable },   { "disable", 1, 1, disable },
    { "stop", 1, 1, stop },     { "set", 2, ARGUMENTS_MOST, set }, { "reset", 1, 1, reset }, { "recover", 1, 1, recover },
    { "doctor", 0, 1, doctor },
};

#define VERBS (sizeof verbs / sizeof verbs[0])

/* ---- options ---- */

/* "--timeout: abc is no time: .." */
static _Noreturn void wrong_option(const char *name, const char *text, const char *what)
{
    char words[200];

    snprintf(words, sizeof words, "%s: %.60s is no %s", name, text, what);
    jkc_wrong_usage(words, NULL);
}

#define A_TIME "time: a number with ms, s, m or h, of at most eleven days"
#define A_COUNT "number of at least 1"

static long number_option(const char *name, const char *text, long least, const char *what, const char **unit)
{
    char *end_of;

    errno = 0;
    long n = strtol(text, &end_of, 10);
    if (errno || end_of == text || n < least || n > 1000000000)
        wrong_option(name, text, what);
    *unit = end_of;
    return n;
}

static int64_t time_option(const char *name, const char *text, long least)
{
    static const struct { const char *name; int64_t ms; } units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
    const char *unit;
    long n = number_option(name, text, least, A_TIME, &unit);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0 && n <= 1000000000 / units[i].ms)
            return n * units[i].ms;
    wrong_option(name, text, A_TIME);
}

/* "NAME", with the password from elsewhere, or "NAME:PASSWORD", which is wiped out where ps would show it. */
static char *user_option(char *text)
{
    const char *password = getenv("JKCTL_PASSWORD");
    size_t n = strlen(text) + (password ? strlen(password) : 0) + 2;
    char *user = jkc_must(malloc(n)), *colon = strchr(text, ':');

    if (colon == NULL && password == NULL)
        jkc_wrong_usage("--user NAME:PASSWORD, or the password by JKCTL_PASSWORD", text);
    snprintf(user, n, "%s%s%s", text, colon ? "" : ":", colon ? "" : password);
    if (colon)
        memset(colon + 1, '*', strlen(colon + 1));
    return user;
}

static void attribute_option(jkc_doctor *d, const char *text)
{
    if (*text == '\0' || *text == '=' || d->nattributes == JKC_DOCTOR_ATTRIBUTES)
        jkc_wrong_usage("--attribute NAME or NAME=TEXT, at most 32 of them", text);
    d->attributes[d->nattributes++] = text;
}

/* What doctor alone has. */
static bool read_doctor_option(jkc_doctor *d, int c)
{
    switch (c) {
    case 'C':
        d->conf = optarg;
        return true;
    case 'W':
        d->workers = optarg;
        return true;
    case 'P':
        if (*optarg != '/')
            jkc_wrong_usage("--path: a path begins with /", optarg);
        if (strlen(optarg) > PATH_MOST)
            jkc_wrong_usage("--path: this does not fit into a packet of 8192 bytes", NULL);
        d->path = optarg;
        return true;
    case 'H':
        d->host = optarg;
        return true;
    case 'A':
        attribute_option(d, optarg);
        return true;
    case 'R':
        d->remote_user = optarg;
        return true;
    case 'G':
        d->httpd_user = optarg;
        return true;
    default:
        return false;
    }
}

static void read_option(options *o, int c)
{
    const char *unit = "";

    if (read_doctor_option(&o->doctor, c))
        return;
    switch (c) {
    case 'u':
        o->place.url = optarg;
        break;
    case 'U':
        free(o->user);
        o->user = user_option(optarg);
        break;
    case 'n':
        o->place.netrc = optarg;
        break;
    case 'c':
        o->place.cacert = optarg;
        break;
    case 'k':
        o->place.insecure = true;
        break;
    case 't':
        o->place.timeout = (long)time_option("--timeout", optarg, 1);
        o->doctor.budget = o->place.timeout;
        break;
    case 'j':
        o->way.json = true;
        break;
    case 'e':
        o->every = time_option("--every", optarg, 1);
        break;
    case 'N':
        o->count = number_option("--count", optarg, 1, A_COUNT, &unit);
        if (*unit)
            wrong_option("--count", optarg, A_COUNT);
        break;
    case 'w':
        o->wait = time_option("--wait", optarg, 0);
        break;
    case 'i':
        o->idle = time_option("--idle", optarg, 0);
        break;
    case 'f':
        o->force = true;
        break;
    case 'l':
        o->way.last = true;
        break;
    case 'v':
        puts("jkctl of mod_jk " JK_VERSION);
        exit(0);
    case 'h':
        fputs(help, stdout);
        exit(0);
    default:
        fputs("jkctl --help says more.\n", stderr);
        exit(JKC_USAGE);
    }
}

static const struct option names[] = {
    { "url", required_argument, NULL, 'u' },     { "user", required_argument, NULL, 'U' },  { "netrc-file", required_argument, NULL, 'n' },
    { "cacert", required_argument, NULL, 'c' },  { "insecure", no_argument, NULL, 'k' },    { "timeout", required_argument, NULL, 't' },
    { "json", no_argument, NULL, 'j' },          { "every", required_argument, NULL, 'e' }, { "count", required_argument, NULL, 'N' },
    { "wait", required_argument, NULL, 'w' },    { "idle", required_argument, NULL, 'i' },  { "force", no_argument, NULL, 'f' },
    { "conf", required_argument, NULL, 'C' },    { "workers", required_argument, NULL, 'W' }, { "path", required_argument, NULL, 'P' },
    { "host", required_argument, NULL, 'H' },    { "attribute", required_argument, NULL, 'A' }, { "remote-user", required_argument, NULL, 'R' },
    { "httpd-user", required_argument, NULL, 'G' },
    { "last", no_argument, NULL, 'l' },          { "version", no_argument, NULL, 'v' },     { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static const verb *find_verb(const char *name)
{
    const char *all[VERBS];
    char words[256];

    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
        else
            all[i] = verbs[i].name;
    const char *near = jkc_look_near(name, all, VERBS);
    snprintf(words, sizeof words, "there is no such command%s%s%s", near ? ", did you mean '" : "", near ? near : "", near ? "'" : "");
    jkc_wrong_usage(words, name);
}

static void check_url(const char *url)
{
    if (strpbrk(url, "?# \t\r\n"))
        jkc_wrong_usage("the URL of a status worker has no query, fragment or blank", url);
    if (strstr(url, "://") && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        jkc_wrong_usage("the URL of a status worker begins with http:// or https://", url);
}

static const verb *read_options(int argc, char **argv, options *o)
{
    const char *url = getenv("JKCTL_URL");
    int c;

    *o = (options){ .place = { .url = url && *url ? url : URL, .timeout = 10000 }, .every = -1, .wait = -1, .idle = -1 };
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
        read_option(o, c);
    check_url(o->place.url);
    o->place.user = o->user;
    if (optind == argc)
        jkc_wrong_usage("a command is missing", NULL);
    const verb *v = find_verb(argv[optind++]);
    size_t n = (size_t)(argc - optind);
    if (n < v->least || n > v->most)
        jkc_wrong_usage(n < v->least ? "an argument is missing" : "these are too many arguments", v->name);
    o->name = n ? argv[optind] : NULL;
    o->rest = argv + optind + 1;
    o->nrest = n ? n - 1 : 0;
    return v;
}

int main(int argc, char **argv)
{
    options o;
    const verb *v = read_options(argc, argv, &o);
    jkc_line *line = jkc_ask_open(&o.place);
    jkc_exit rc = v->run(line, &o);

    jkc_ask_close(&line);
    free(o.user);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        jkc_say("what was to be said could not be written: %s", strerror(errno));
        return rc == JKC_GOOD ? JKC_CANNOT_ASK : (int)rc;
    }
    return (int)rc;
}
