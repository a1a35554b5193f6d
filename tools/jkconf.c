/* tools/jkconf.c - looks at a configuration of mod_jk without a server: options and commands. What is wrong with it is jkconf_check.c's to say,
 * where a URL goes jkconf_explain.c's, what there is to write jkconf_keys.c's. The manual page is jkconf.1. */
#include "jkconf.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: jkconf check [OPTION].. FILE..\n"
    "       jkconf explain --conf FILE [OPTION].. URL\n"
    "       jkconf keys [NAME]..\n"
    "\n"
    "check: what is wrong in workers files, rule files and files of httpd, as `httpd -t` says it. Needs no httpd.\n"
    "explain: which virtual host and which rule a URL meets and why, and what the container gets.\n"
    "keys: the directives and worker keys, or what NAME is.\n"
    "\n"
    "  -c, --conf FILE       explain: httpd's configuration, from its beginning (may be given more than once)\n"
    "  -d, --root DIR        ServerRoot, until the configuration says another\n"
    "  -D, --define NAME     as httpd's -D; NAME=VALUE for ${NAME}\n"
    "  -m, --module NAME     this module is there, though no LoadModule says so: for <IfModule>\n"
    "  -k, --kind KIND       check: what the files are: httpd, workers or rules; else their lines tell, or their names\n"
    "  -s, --strict          check: as under JkStrict On, and warnings end with status 1\n"
    "  -i, --hints           check: hints too\n"
    "      --no-lookup       check: names of hosts are not looked up\n"
    "      --cookie TEXT     explain: the value of the header field Cookie\n"
    "      --host NAME       explain: the header field Host, where it is another than the URL's, or the URL is a path\n"
    "      --address IP      explain: the address of this server that the request comes to\n"
    "      --port PORT       explain: and its port, where it is not the URL's\n"
    "  -j, --json            the answer as JSON\n"
    "  -h, --help            this\n"
    "  -V, --version         the version\n"
    "\n"
    "exit status of check: 0 good, 1 warnings (with --strict), 2 httpd would refuse it, 3 a file cannot be read, 64 wrong usage\n"
    "exit status of explain: 0 a worker gets it, 1 nobody does, 2 it is refused or its worker is not there, 3 as above, 64 wrong usage\n";

enum { OPT_COOKIE = 256, OPT_HOST, OPT_ADDRESS, OPT_PORT, OPT_NO_LOOKUP };

static const struct option options[] = {
    { "conf", required_argument, NULL, 'c' },     { "root", required_argument, NULL, 'd' },
    { "define", required_argument, NULL, 'D' },   { "module", required_argument, NULL, 'm' },
    { "kind", required_argument, NULL, 'k' },     { "strict", no_argument, NULL, 's' },
    { "hints", no_argument, NULL, 'i' },          { "no-lookup", no_argument, NULL, OPT_NO_LOOKUP },
    { "cookie", required_argument, NULL, OPT_COOKIE },   { "host", required_argument, NULL, OPT_HOST },
    { "address", required_argument, NULL, OPT_ADDRESS }, { "port", required_argument, NULL, OPT_PORT },
    { "json", no_argument, NULL, 'j' },           { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },        { NULL, 0, NULL, 0 },
};

static const struct {
    const char *name;
    int (*run)(const jkconf_asked *asked);
    int least, most; /* words; -1: any number */
    const char *wants;
} commands[] = { { "check", jkconf_check, 1, -1, "check needs FILE.." }, { "explain", jkconf_explain, 1, 1, "explain takes one URL" },
                 { "keys", jkconf_keys, 0, -1, NULL } };

static bool is_kind(const char *word)
{
    return strcmp(word, "httpd") == 0 || strcmp(word, "workers") == 0 || strcmp(word, "rules") == 0;
}

static bool is_address(const char *word)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, word, bytes) == 1 || inet_pton(AF_INET6, word, bytes) == 1;
}

static int misused(const char *what)
{
    fprintf(stderr, "jkconf: %s\njkconf --help says more.\n", what);
    return JKCONF_USAGE;
}

/* One option; not 0: the end of it all. */
static int take(jkconf_asked *asked, int c)
{
    switch (c) {
    case 'c': APR_ARRAY_PUSH(asked->confs, const char *) = optarg; break;
    case 'd': asked->root = optarg; break;
    case 'D': APR_ARRAY_PUSH(asked->defines, const char *) = optarg; break;
    case 'm': APR_ARRAY_PUSH(asked->modules, const char *) = optarg; break;
    case 'k': asked->kind = optarg; return is_kind(optarg) ? 0 : misused("--kind is httpd, workers or rules");
    case 's': asked->strict = true; break;
    case 'i': asked->hints = true; break;
    case 'j': asked->json = true; break;
    case OPT_NO_LOOKUP: asked->no_lookup = true; break;
    case OPT_COOKIE: asked->cookie = optarg; break;
    case OPT_HOST: asked->host = optarg; break;
    case OPT_ADDRESS: asked->address = optarg; return is_address(optarg) ? 0 : misused("--address is an IP address of this server");
    case OPT_PORT:
        asked->port = atoi(optarg);
        return asked->port > 0 && asked->port < 65536 ? 0 : misused("--port is a number from 1 to 65535");
    default: return misused("there is no such option, or its word is missing");
    }
    return 0;
}

static int run(jkconf_asked *asked, const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (asked->words->nelts < commands[i].least || (commands[i].most >= 0 && asked->words->nelts > commands[i].most))
            return misused(commands[i].wants);
        return commands[i].run(asked);
    }
    return misused(apr_psprintf(asked->p, "'%s' is no command", name));
}

static int main_with(apr_pool_t *p, int argc, char **argv)
{
    jkconf_asked asked = { .p = p };
    int c, wrong;

    asked.words = apr_array_make(p, 8, sizeof(const char *));
    asked.defines = apr_array_make(p, 2, sizeof(const char *));
    asked.modules = apr_array_make(p, 2, sizeof(const char *));
    asked.confs = apr_array_make(p, 2, sizeof(const char *));
    while ((c = getopt_long(argc, argv, "c:d:D:m:k:sijhV", options, NULL)) != -1) {
        if (c == 'h' || c == 'V') {
            fputs(c == 'h' ? help : "jkconf of mod_jk/" JK_VERSION "\n", stdout);
            return JKCONF_CLEAN;
        }
        if ((wrong = take(&asked, c)) != 0)
            return wrong;
    }
    if (optind == argc)
        return misused("which command?");
    for (int i = optind + 1; i < argc; i++)
        APR_ARRAY_PUSH(asked.words, const char *) = argv[i];
    return run(&asked, argv[optind]);
}

int main(int argc, char **argv)
{
    apr_pool_t *p;
    int status;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return JKCONF_CANNOT;
    status = main_with(p, argc, argv);
    if (fflush(stdout) != 0 && status == JKCONF_CLEAN)
        status = JKCONF_CANNOT;
    apr_pool_destroy(p);
    apr_terminate();
    return status;
}
