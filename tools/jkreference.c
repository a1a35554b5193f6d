/* tools/jkreference.c - prints the reference of the directives, of the worker keys or of the doctor's findings as Markdown, from the tables that
 * the module and jkctl themselves are made of. tools/check-reference keeps docs/directives.md, docs/worker-keys.md and docs/doctor.md alike with
 * what it prints. It reads nothing. */
#include "jk/conf/keys.h"
#include "jkctl_decide.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what mod_jk 1.2 has: a closed list, so that a row that is added is new of itself ---- */

static const char old_directives[] =
    " JkWorkersFile JkWorkerProperty JkMount JkUnMount JkMountCopy JkMountFile JkMountFileReload JkAutoAlias JkStripSession JkShmFile JkShmSize"
    " JkWatchdogInterval JkLogFile JkLogLevel JkLogStampFormat JkRequestLogFormat JkRequestIdIndicator JkOptions JkEnvVar JkWorkerIndicator"
    " JkRemoteAddrIndicator JkRemotePortIndicator JkRemoteHostIndicator JkRemoteUserIndicator JkAuthTypeIndicator JkLocalNameIndicator"
    " JkLocalAddrIndicator JkLocalPortIndicator JkIgnoreCLIndicator JkExtractSSL JkHTTPSIndicator JkSSLPROTOCOLIndicator JkCERTSIndicator"
    " JkCIPHERIndicator JkSESSIONIndicator JkKEYSIZEIndicator JkCERTCHAINPrefix ";
static const char old_keys[] =
    " list maintain type reference mount port host source prefer_ipv6 secret socket_timeout socket_connect_timeout socket_keepalive"
    " socket_buffer connection_pool_size connection_pool_minsize connection_pool_timeout connection_acquire_timeout busy_limit"
    " connect_timeout prepost_timeout ping_timeout ping_mode connection_ping_interval reply_timeout retries retry_interval"
    " recovery_options fail_on_status max_packet_size lbfactor activation route domain redirect distance disabled stopped"
    " balance_workers sticky_session sticky_session_force method lock lb_retries recover_time error_escalation_time"
    " max_reply_timeouts session_cookie session_path set_session_cookie session_cookie_path css ns xmlns doctype prefix read_only"
    " user user_case_insensitive good bad recycle_timeout local_worker local_worker_only sysprops stdout stderr mx ms class_path"
    " bridge jvm_lib ld_path cmd_line native_lib secretkey ";

/* Where a row's line is not enough: the page that says more, with its anchor. */
static const struct {
    const char *name, *page;
} more[] = {
    { "JkMount", "mapping.md" }, { "JkUnMount", "mapping.md#taking-out" }, { "JkMountCopy", "mapping.md#virtual-hosts" },
    { "JkMountFile", "mapping.md#rule-files" }, { "JkAutoAlias", "static-files.md#jkautoalias" },
    { "JkStripSession", "mapping.md#what-is-not-mapped" }, { "JkPark", "../README.md#requests-that-wait" },
    { "JkLogFile", "logs.md" }, { "JkRequestLogFormat", "logs.md#a-line-for-each-request" }, { "JkOptions", "requests.md#jkoptions" },
    { "JkEnvVar", "requests.md#attributes-of-your-own" }, { "JkNotes", "logs.md#notes" }, { "JkExtractSSL", "tls.md" },
    { "JkWorkerIndicator", "mapping.md#sethandler" }, { "JkRemoteUserIndicator", "requests.md#replacing-what-is-sent" },
    { "list", "first-steps.md" }, { "balance_workers", "load-balancing.md" }, { "route", "load-balancing.md#stickiness" },
    { "activation", "load-balancing.md#taking-a-member-out" }, { "distance", "load-balancing.md#preference-and-stand-ins" },
    { "method", "load-balancing.md#methods" }, { "recovery_options", "load-balancing.md#sent-again-or-not" },
    { "secret", "secrets.md" }, { "reply_timeout", "timeouts.md" }, { "ping_mode", "timeouts.md#pings" },
    { "connection_pool_size", "sizing.md" }, { "max_packet_size", "requests.md#too-large-for-a-packet" }, { "host", "secrets.md#a-unix-socket" },
};

static bool is_old(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = list; (at = strstr(at, name)) != NULL; at++)
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

/* Text in a cell of a table. */
static void put(const char *text)
{
    for (; *text; text++) {
        if (strchr("|<>*_\\", *text))
            putchar('\\');
        putchar(*text);
    }
}

static void put_more(const char *name)
{
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (strcmp(more[i].name, name) == 0)
            printf(" ([more](%s))", more[i].page);
}

static void put_name(const char *name, bool old)
{
    printf("| <a id=\"%s\"></a>`%s`%s | ", name, name, old ? "" : " (new)");
}

/* ---- directives ---- */

typedef struct directive {
    const char *name, *args, *context, *standard, *inherit, *help;
} directive;

static const directive directives[] = {
#define ROW(name, args, context, standard, inherit, home, setter, help) { #name, #args, #context, standard, #inherit, help },
#include "native/httpd/directive_rows.h"
};

/* The word after `key` in "key=word key=word .."; the word itself where there is none. */
static void put_word(const char *table, const char *key)
{
    size_t n = strlen(key);
    const char *at = table;

    while (at && (strncmp(at, key, n) != 0 || at[n] != '='))
        at = (at = strchr(at, ';')) ? at + 1 : NULL;
    if (at)
        printf("%.*s", (int)strcspn(at + n + 1, ";"), at + n + 1);
    else
        fputs(key, stdout);
}

static void print_directive(const directive *d)
{
    put_name(d->name, is_old(old_directives, d->name));
    put_word("TAKE1=one;TAKE12=one or two;FLAG=On or Off;RAW_ARGS=the rest of the line", d->args);
    fputs(" | ", stdout);
    put_word("GLOBAL=main server;SERVER=+ virtual host;LOCATION=+ Location", d->context);
    printf(*d->standard ? " | `%s` | " : " | %s | ", *d->standard ? d->standard : "-");
    put_word(strcmp(d->context, "GLOBAL") == 0 ? "WHOLE=-" : "WHOLE=its own;UNSET=inherited;MERGED=both;COPIED=JkMountCopy", d->inherit);
    fputs(" | ", stdout);
    put(d->help);
    put_more(d->name);
    puts(" |");
}

static int print_directives(void)
{
    puts("# Directives\n\n"
         "Made by `tools/check-reference --write` from the table `native/httpd/directive_rows.h`: edit that, not this page.\n\n"
         "*(new)*: mod_jk 1.2 does not have it. *Where*: `main server` is outside of all sections; `+ virtual host` also inside of\n"
         "`<VirtualHost>`; `+ Location` also inside of `<Location>`, `<Directory>` and their like. None may stand in `.htaccess`. *In a virtual\n"
         "host* that does not say it itself: `inherited` takes the main server's word; `both` merges the two; `JkMountCopy` takes it where mounts\n"
         "are copied; `its own`: nothing is taken over. Names and words may be written in any case.\n\n"
         "| directive | words | where | default | in a virtual host | meaning |\n|---|---|---|---|---|---|");
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
        print_directive(&directives[i]);
    return 0;
}

/* ---- worker keys ---- */

static void put_words(const jk_key *key)
{
    for (const jk_key_word *w = key->words; w->word; w++)
        if (w == key->words || w->value != w[-1].value) /* the first of several is how it is shown */
            printf("%s`%s`", w == key->words ? "" : key->type == JK_KEY_LETTERS ? " " : ", ", w->word);
}

static void put_range(const jk_key *key)
{
    if (key->min > INT_MIN && key->max < INT_MAX / 1000)
        printf(", %d to %d", key->min, key->max);
    else if (key->min > 0)
        printf(", from %d", key->min);
}

static void put_value(const jk_key *key)
{
    static const char *const words[] = {
        [JK_KEY_INT] = "number", [JK_KEY_TIME] = "time", [JK_KEY_SIZE] = "bytes", [JK_KEY_BOOL] = "true or false",
        [JK_KEY_TEXT] = "text", [JK_KEY_LIST] = "list", [JK_KEY_CODES] = "list of statuses", [JK_KEY_WORD] = "", [JK_KEY_LETTERS] = "",
    };

    fputs(words[key->type], stdout);
    if (key->type == JK_KEY_TIME)
        printf(" (%s)", key->unit);
    if (key->type == JK_KEY_INT || key->type == JK_KEY_TIME || key->type == JK_KEY_SIZE || key->type == JK_KEY_CODES)
        put_range(key);
    if (key->words)
        put_words(key);
}

static void print_key(const jk_key *key)
{
    put_name(key->name, is_old(old_keys, key->name));
    put_value(key);
    if (key->dflt && *key->dflt)
        printf(" | `%s`%s%s | ", key->dflt, *key->unit && strcmp(key->dflt, "0") != 0 ? " " : "",
               strcmp(key->dflt, "0") != 0 ? key->unit : "");
    else
        fputs(" | - | ", stdout);
    fputs(key->home == JK_HOME_TUNE ? "yes | " : "- | ", stdout);
    put(key->help);
    if (key->alias)
        printf("; deprecated name: <a id=\"%s\"></a>`%s`", key->alias, key->alias);
    put_more(key->name);
    puts(" |");
}

#define COLUMNS "\n| key | value | default | run time | meaning |\n|---|---|---|---|---|"

/* Rows in force of exactly these kinds. */
static void print_kinds(const char *title, const char *words, int kinds)
{
    printf("\n## %s\n\n%s\n%s\n", title, words, COLUMNS);
    for (size_t i = 0; i < jk_keys_count; i++)
        if (jk_keys[i].state == JK_KEY_IN_FORCE && jk_keys[i].kinds == kinds)
            print_key(&jk_keys[i]);
}

static void print_old(jk_key_state state, const char *title)
{
    printf("\n## %s\n\n| key | |\n|---|---|\n", title);
    for (size_t i = 0; i < jk_keys_count; i++) {
        if (jk_keys[i].state != state)
            continue;
        put_name(jk_keys[i].name, true);
        put(jk_keys[i].help);
        puts(" |");
    }
}

static int print_keys(void)
{
    puts("# Worker keys\n\n"
         "Made by `tools/check-reference --write` from the table `native/conf/keys.c`: edit that, not this page.\n\n"
         "A line of the workers file is `worker.NAME.KEY=VALUE`. *(new)*: mod_jk 1.2 does not have it. A *time* may be written with its\n"
         "unit, `500ms`, `5s`, `2m`, `1h`; without one it has the unit in brackets. *Bytes* may be written as `8k` or `1m`. Of *true or false* the words yes,\n"
         "no, on, off, 1 and 0 are known too; of a fixed word its first letter is enough. A *list* is parted by commas or blanks, and its lines\n"
         "add up; of all others the last line counts. *Run time*: `yes` where it can be changed without a restart; such a change lasts over a\n"
         "graceful restart, until the file says something else than before. `-` under default: none, or as the last column says.\n\n"
         "How the file is read - comments, variables, `reference` - stands in [the workers file](workers-file.md).");
    printf("\n## Of all workers together\n\n`worker.KEY=VALUE`, without a name.\n%s\n", COLUMNS);
    for (size_t i = 0; i < sizeof jk_keys_global / sizeof jk_keys_global[0]; i++)
        print_key(&jk_keys_global[i]);
    print_kinds("Of every worker", "Whatever its type.", JK_WORKER_AJP13 | JK_WORKER_LB | JK_WORKER_STATUS);
    print_kinds("Of ajp13 workers", "One container. Those that say \"inside an lb worker\" count for its members alone.", JK_WORKER_AJP13);
    print_kinds("Of ajp13 and lb workers", "Both have them, each for itself.", JK_WORKER_AJP13 | JK_WORKER_LB);
    print_kinds("Of lb workers", "A balancer over ajp13 workers.", JK_WORKER_LB);
    print_kinds("Of status workers", "The page that shows the workers.", JK_WORKER_STATUS);
    print_old(JK_KEY_OLD, "Deprecated");
    print_old(JK_KEY_IGNORED, "Accepted and without effect");
    return 0;
}

/* ---- findings of jkctl doctor ---- */

/* The words are those of this one worker, which has a Unix socket where the finding is about one. */
static jkd_facts example_of(const jkd_finding *f)
{
    bool socket = strstr(f->what, "Unix") || strstr(f->what, "root"), large = strcmp(f->name, "packet-larger") == 0;
    jkp_wrong wrong = strcmp(f->name, "malformed") == 0 ? JKP_WRONG_CUT : JKP_WRONG_SSH;

    return (jkd_facts){ .worker = "node1", .host = "tomcat1.example.com", .socket = socket ? "/run/tomcat/ajp.sock" : "",
                        .route = "node1", .path = "/shop/", .user = "alice", .httpd_user = "www-data", .httpd_group = "www-data",
                        .port = 8009, .packet = large ? 8192 : 65536, .address = "10.0.0.11:8009", .listen = "10.0.0.11", .other = "127.0.0.1:8009",
                        .where = "/run/tomcat (mode 0750, owner 998, group 998)",
                        .attributes = "stage|color", .packet_taken = 8192, .headers_taken = 50, .server = "Apache Tomcat/9.0.30",
                        .session_route = "tc1", .placeholder = true, .page.step.status = 404, .as_user.step.status = 401,
                        .talk = { .secret = true, .longest = 65536, .connect_err = EADDRNOTAVAIL, .get.status = 500,
                                  .ping = { .made = true, .rc = JK_E_FRAME, .wrong = wrong } } };
}

/* Each line of a text with what the example has in its places. */
static void put_lines(const char *lines, const jkd_facts *facts, const char *before)
{
    char *words = lines ? jkd_decide_words(lines, facts) : NULL, *rest = words;

    for (char *line; rest && (line = strsep(&rest, "\n")) != NULL;) {
        fputs(before, stdout);
        put(line);
        putchar('\n');
    }
    free(words);
}

/* The same as it is to be pasted. */
static void put_code(const char *title, const char *lines, const jkd_facts *facts)
{
    char *words = lines ? jkd_decide_words(lines, facts) : NULL, *rest = words;

    if (words && *words)
        printf("\n%s\n\n", title);
    for (char *line; rest && (line = strsep(&rest, "\n")) != NULL;)
        if (*line)
            printf("- `%s`\n", line);
    free(words);
}

/* A row of the table at the head of the page. */
static void print_row(const jkd_finding *f)
{
    const jkd_facts facts = example_of(f);
    char *words = jkd_decide_words(f->what, &facts);

    printf("| [%s](#%s) %s | %s | ", f->code, f->code, f->name, jkd_decide_weight(f->weight));
    put(words ? words : "");
    puts(" |");
    free(words);
}

static void print_finding(const jkd_finding *f)
{
    const jkd_facts facts = example_of(f);

    printf("\n## <a id=\"%s\"></a>%s %s\n\n*%s*\n\n", f->code, f->code, f->name, jkd_decide_weight(f->weight));
    put_lines(f->what, &facts, "> ");
    puts("\nLikely, the likeliest first:\n");
    put_lines(f->causes, &facts, "1. ");
    put_code("In the workers file:", f->httpd, &facts);
    put_code(f->either ? "Or, instead of that, in `server.xml`:" : "In `server.xml`:", f->container, &facts);
    put_code("Commands, on the container's machine:", f->there, &facts);
    put_code("Commands:", f->shell, &facts);
}

static int print_findings(void)
{
    puts("# What jkctl doctor finds\n\n"
         "Made by `tools/check-reference --write` from the table `tools/jkctl_decide.c`: edit that, not this page.\n\n"
         "`jkctl doctor` asks the containers of a configuration themselves, without httpd, and says in words what is wrong with each, why that may\n"
         "be, and which lines mend it, on httpd's side and in Tomcat's `server.xml`.\n\n"
         "```console\n"
         "$ jkctl doctor --conf /etc/httpd/conf/httpd.conf\n"
         "shop:node1  10.0.0.11:8009  good  CPong 0.3 ms, OPTIONS * 200, GET / 200, Apache Tomcat/10.1.60\n"
         "shop:node2  10.0.0.12:8009  bad  CPong 0.4 ms, OPTIONS * 403\n"
         "  D302 secret-wrong (fault): the connector refuses the worker's secret\n"
         "    likely, the likeliest first:\n"
         "      1. the two differ: a blank, upper and lower case, an entity of XML (&amp;)\n"
         "      2. server.xml was changed, and Tomcat not restarted\n"
         "    in workers.properties (then httpd -k graceful):\n"
         "      worker.node2.secret=THE-SECRET\n"
         "    or, instead of that, in server.xml (then restart Tomcat):\n"
         "      <Connector protocol=\"AJP/1.3\" address=\"10.0.0.12\" port=\"8009\" secret=\"THE-SECRET\" />\n"
         "1 of 2 workers good; 1 faults, 0 warnings\n"
         "THE-WORDS-IN-CAPITALS are yours to fill in. The manual's page doctor.md has all codes.\n"
         "```\n\n"
         "- Without `--conf` it takes the httpd.conf of the distribution; `--workers FILE` names a workers file instead; a worker's name after it\n"
         "  asks that one alone.\n"
         "- It changes nothing: a CPing, `OPTIONS *` and `GET *`, which no application sees, GET and PROPFIND of one page, and TRACE\n"
         "  where PROPFIND was answered oddly. The page is `--path`, else the beginning of what `JkMount` gives to the worker, else `/`.\n"
         "  A session may begin with it, as with any visitor. Tomcat's access log shows all that, with the User-Agent jkctl-doctor:\n"
         "  400 for `GET *`, and 403 for the one request that leaves the secret out, are as they should be.\n"
         "- A worker takes less than three seconds, 32 are asked at a time.\n"
         "- Exit status: 0 good, 1 there are warnings, 2 there are faults, 3 no configuration was found, 5 there is no such worker. `--json` is for\n"
         "  scripts.\n"
         "- It never shows a secret. It runs as you: a firewall or SELinux may treat httpd otherwise, which D510 tells where it can be seen.\n"
         "- Some things no connector tells: whether httpd's user arrives (`--remote-user alice --path /page`, a page that needs one or shows it),\n"
         "  and limits that count in an application, such as `maxParameterCount`. httpd.conf is read without httpd: `-D` of its command line is not\n"
         "  known, and modules are taken as loaded.\n\n"
         "A code never changes its meaning. A *fault* keeps requests from working, all or some; a *warning* does not, or not surely; a *hint*\n"
         "changes no exit status. Of D1xx to D3xx a worker has one, since nothing more can be asked then.\n\n"
         "| code | | |\n|---|---|---|");
    for (size_t i = 0; i < jkd_findings_count; i++)
        print_row(&jkd_findings[i]);
    for (size_t i = 0; i < jkd_findings_count; i++)
        print_finding(&jkd_findings[i]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "directives") == 0)
        return print_directives();
    if (argc == 2 && strcmp(argv[1], "keys") == 0)
        return print_keys();
    if (argc == 2 && strcmp(argv[1], "doctor") == 0)
        return print_findings();
    fputs("usage: jkreference directives|keys|doctor\n", stderr);
    return 64;
}
