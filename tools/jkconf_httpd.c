/* tools/jkconf_httpd.c - what httpd is to native/httpd's directives.c, check.c and mounts.c, as far as `httpd -t` goes. The functions are httpd's
 * by name and by what they promise; so the checks are the module's own, and not a second making of them. */
#include "jkconf_httpd.h"

#include "native/httpd/check.h"
#include "native/httpd/follow.h"
#include "native/httpd/handler.h"
#include "native/httpd/startup.h"

#include <ap_mpm.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <grp.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unixd.h>

/* ---- what httpd has one of ---- */

static jkconf_httpd *now;      /* httpd's functions are told nothing */
static const ap_directive_t *at; /* the directive that is being set */

AP_DECLARE_DATA ap_directive_t *ap_conftree;
AP_DECLARE_DATA unixd_config_rec ap_unixd_config = { .user_id = (uid_t)-1, .group_id = (gid_t)-1 };
module AP_MODULE_DECLARE_DATA jk_module = { .module_index = 0 };

/* ---- its functions ---- */

AP_DECLARE(int) ap_cstr_casecmp(const char *a, const char *b)
{
    return strcasecmp(a, b);
}

AP_DECLARE(int) ap_cstr_casecmpn(const char *a, const char *b, apr_size_t n)
{
    return strncasecmp(a, b, n);
}

AP_DECLARE(char *) ap_getword_conf(apr_pool_t *p, const char **line)
{
    return jkconf_read_resolved(now->reader, jkconf_read_word(p, line), at);
}

AP_DECLARE(char *) ap_server_root_relative(apr_pool_t *p, const char *path)
{
    (void)p;
    return jkconf_read_below(now->reader, path);
}

AP_DECLARE(char *) ap_make_dirstr_parent(apr_pool_t *p, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? apr_pstrmemdup(p, path, (apr_size_t)(slash + 1 - path)) : apr_pstrdup(p, "");
}

AP_DECLARE(int) ap_state_query(int what)
{
    return what == AP_SQ_RUN_MODE ? AP_SQ_RM_CONFIG_TEST : what == AP_SQ_MAIN_STATE ? AP_SQ_MS_CREATE_CONFIG : AP_SQ_NOT_SUPPORTED;
}

/* "cannot occur within <VirtualHost> section", as httpd says it. */
AP_DECLARE(const char *) ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    if ((forbidden & NOT_IN_VIRTUALHOST) && cmd->server->is_virtual)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " cannot occur within <VirtualHost> section", NULL);
    if ((forbidden & NOT_IN_DIR_CONTEXT) && cmd->path)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " cannot occur within directory context", NULL);
    return NULL;
}

/* What a setter says of its line. Where it names the place itself, that is taken off: it is told with every finding. */
AP_DECLARE(void) ap_log_error_(const char *file, int line, int module_index, int level, apr_status_t status, const server_rec *s,
                               const char *fmt, ...)
{
    const char *place = at ? apr_psprintf(now->p, "%s:%d: ", at->filename, at->line_num) : "", *text;
    va_list more;

    (void)file, (void)line, (void)module_index, (void)status, (void)s;
    va_start(more, fmt);
    text = apr_pvsprintf(now->p, fmt, more);
    va_end(more);
    if (strncmp(text, place, strlen(place)) == 0)
        text += strlen(place);
    jk_findings_add(now->found, (level & APLOG_LEVELMASK) <= APLOG_ERR ? JK_FIND_ERROR : JK_FIND_WARN, at ? at->filename : NULL,
                    at ? at->line_num : 0, "%s", text);
}

/* ---- what a check and a map never call ---- */

AP_DECLARE(const char *) ap_get_server_name(request_rec *r)
{
    (void)r;
    abort();
}

AP_DECLARE(apr_port_t) ap_run_default_port(const request_rec *r)
{
    (void)r;
    abort();
}

AP_DECLARE(piped_log *) ap_open_piped_log_ex(apr_pool_t *p, const char *program, apr_cmdtype_e type)
{
    (void)p, (void)program, (void)type;
    abort();
}

AP_DECLARE(apr_file_t *) ap_piped_log_write_fd(piped_log *pl)
{
    (void)pl;
    abort();
}

APU_DECLARE(char *) apr_uri_unparse(apr_pool_t *p, const apr_uri_t *uri, unsigned flags)
{
    (void)p, (void)uri, (void)flags;
    abort();
}

bool jk_handler_has_taken(request_rec *r)
{
    (void)r;
    abort();
}

jk_follow *jk_follow_make(apr_pool_t *pconf, const jk_server *conf, const jk_server *main_conf, const jk_mounts_from *from)
{
    (void)pconf, (void)conf, (void)main_conf, (void)from;
    abort();
}

/* No worker is made here: what a rule leads to is known by its name. */
const jk_worker *jk_startup_worker(const char *name)
{
    (void)name;
    return NULL;
}

/* ---- servers ---- */

typedef struct own { /* of a server: what server_rec.context leads to */
    const ap_directive_t *section;
} own;

const ap_directive_t *jkconf_httpd_section(const server_rec *s)
{
    return s->context ? ((const own *)s->context)->section : NULL;
}

static server_rec *make_server(apr_pool_t *p, const ap_directive_t *section)
{
    server_rec *s = apr_pcalloc(p, sizeof *s);
    own *o = apr_pcalloc(p, sizeof *o);

    s->module_config = apr_pcalloc(p, sizeof(void *));
    s->names = apr_array_make(p, 2, sizeof(char *));
    s->wild_names = apr_array_make(p, 2, sizeof(char *));
    o->section = section;
    s->context = o;
    if (section == NULL)
        return s;
    s->is_virtual = 1;
    s->defn_name = section->filename;
    s->defn_line_number = (unsigned)section->line_num;
    return s;
}

jkconf_httpd *jkconf_httpd_make(apr_pool_t *p, jkconf_reader *reader)
{
    jkconf_httpd *h = apr_pcalloc(p, sizeof *h);

    h->p = p;
    h->reader = reader;
    h->found = reader->found;
    h->listens = apr_array_make(p, 4, sizeof(int));
    h->main_server = make_server(p, NULL);
    ap_set_module_config(h->main_server->module_config, &jk_module, jk_directives_create(p, h->main_server));
    now = h;
    return h;
}

/* Has the server no object of this module yet? httpd makes it when its first directive comes. */
static void need_config(jkconf_httpd *h, server_rec *s)
{
    if (jk_config_of(s) == NULL)
        ap_set_module_config(s->module_config, &jk_module, jk_directives_create(h->p, s));
}

/* ---- directives of ours ---- */

static const command_rec *find_command(const char *name)
{
    for (const command_rec *cmd = jk_directives; cmd->name; cmd++)
        if (strcasecmp(cmd->name, name) == 0)
            return cmd;
    return NULL;
}

static const char *usage(apr_pool_t *p, const command_rec *cmd, const char *what)
{
    return apr_pstrcat(p, cmd->name, what, cmd->errmsg ? ", " : NULL, cmd->errmsg, NULL);
}

static const char *call(cmd_parms *cmd, const char *args)
{
    const command_rec *row = cmd->cmd;
    char *first, *second = NULL;

    if (row->args_how == RAW_ARGS)
        return row->AP_RAW_ARGS(cmd, NULL, jkconf_read_resolved(now->reader, args, at));
    first = ap_getword_conf(cmd->pool, &args);
    if (row->args_how == FLAG) {
        if (*first == '\0' || *args || (strcasecmp(first, "on") != 0 && strcasecmp(first, "off") != 0))
            return apr_pstrcat(cmd->pool, row->name, " must be On or Off", NULL);
        return row->AP_FLAG(cmd, NULL, strcasecmp(first, "on") == 0);
    }
    if (row->args_how == TAKE1)
        return *first == '\0' || *args ? usage(cmd->pool, row, " takes one argument") : row->AP_TAKE1(cmd, NULL, first);
    if (*args)
        second = ap_getword_conf(cmd->pool, &args);
    return *first == '\0' || *args ? usage(cmd->pool, row, " takes 1-2 arguments") : row->AP_TAKE2(cmd, NULL, first, second);
}

/* httpd names the section that a directive stands in. */
static const char *section_of(apr_pool_t *p, const ap_directive_t *node)
{
    const ap_directive_t *up = node->parent;

    return up ? apr_pstrcat(p, up->directive, ">", NULL) : "directory";
}

static const char *unknown(apr_pool_t *p, const char *name)
{
    const char *names[200];
    size_t n = 0;

    for (const command_rec *cmd = jk_directives; cmd->name && n < 200; cmd++)
        names[n++] = cmd->name;
    return apr_psprintf(p, "Invalid command '%s', perhaps misspelled or defined by a module not included in the server configuration%s", name,
                        jk_findings_hint(p, name, names, n));
}

static void set(jkconf_httpd *h, const ap_directive_t *node, server_rec *s, char *path)
{
    const command_rec *row = find_command(node->directive);
    cmd_parms cmd = { .pool = h->p, .temp_pool = h->p, .server = s, .path = path, .cmd = row, .directive = (ap_directive_t *)node };
    const char *err;

    at = node;
    cmd.override = path ? OR_ALL | ACCESS_CONF : OR_ALL | RSRC_CONF;
    if (row == NULL)
        err = unknown(h->p, node->directive);
    else if ((cmd.override & row->req_override) == 0)
        err = apr_psprintf(h->p, "%s not allowed in %s context", row->name, section_of(h->p, node));
    else {
        need_config(h, s);
        err = call(&cmd, node->args);
    }
    if (err)
        jk_findings_add(h->found, JK_FIND_ERROR, node->filename, node->line_num, "%s", err);
    at = NULL;
}

/* ---- directives of httpd that matter here ---- */

static bool looks_ours(const char *name)
{
    return strncasecmp(name, "Jk", 2) == 0;
}

static char *word_of(jkconf_httpd *h, const ap_directive_t *node, const char **args)
{
    return jkconf_read_resolved(h->reader, jkconf_read_word(h->p, args), node);
}

/* "name:port" and "scheme://name:port" */
static void set_name(jkconf_httpd *h, server_rec *s, const char *word)
{
    const char *scheme = strstr(word, "://"), *colon;

    word = scheme ? scheme + 3 : word;
    colon = strrchr(word, ':');
    if (colon && strchr(colon, ']') == NULL) {
        s->port = (apr_port_t)atoi(colon + 1);
        word = apr_pstrmemdup(h->p, word, (apr_size_t)(colon - word));
    }
    s->server_hostname = apr_pstrdup(h->p, word);
}

static void add_alias(server_rec *s, char *word)
{
    APR_ARRAY_PUSH(strpbrk(word, "*?") ? s->wild_names : s->names, char *) = word;
}

static void add_listen(jkconf_httpd *h, const char *word)
{
    const char *colon = strrchr(word, ':');

    APR_ARRAY_PUSH(h->listens, int) = atoi(colon ? colon + 1 : word);
}

static void set_user(const char *word)
{
    const struct passwd *pw = *word == '#' ? NULL : getpwnam(word);

    ap_unixd_config.user_name = word;
    ap_unixd_config.user_id = pw ? pw->pw_uid : *word == '#' ? (uid_t)strtoul(word + 1, NULL, 10) : (uid_t)-1;
}

static void set_group(const char *word)
{
    const struct group *gr = *word == '#' ? NULL : getgrnam(word);

    ap_unixd_config.group_id = gr ? gr->gr_gid : *word == '#' ? (gid_t)strtoul(word + 1, NULL, 10) : (gid_t)-1;
}

static void set_httpds(jkconf_httpd *h, const ap_directive_t *node, server_rec *s)
{
    const char *args = node->args;

    if (jkconf_read_is(node, "ServerName"))
        set_name(h, s, word_of(h, node, &args));
    else if (jkconf_read_is(node, "ServerAlias"))
        while (*args)
            add_alias(s, word_of(h, node, &args));
    else if (jkconf_read_is(node, "Listen"))
        add_listen(h, word_of(h, node, &args));
    else if (jkconf_read_is(node, "User"))
        set_user(word_of(h, node, &args));
    else if (jkconf_read_is(node, "Group"))
        set_group(word_of(h, node, &args));
}

/* ---- the walk ---- */

static void walk(jkconf_httpd *h, const ap_directive_t *node, server_rec *s, char *path);

/* "name:port", "*:80", "[::1]:80", "_default_": as written, and the port; 0 is any. */
static void add_addresses(jkconf_httpd *h, const ap_directive_t *node, server_rec *s)
{
    const char *args = jkconf_read_section(h->p, node);
    server_addr_rec **last = &s->addrs;

    while (*args) {
        char *word = word_of(h, node, &args), *colon = strrchr(word, ':');
        server_addr_rec *one = apr_pcalloc(h->p, sizeof *one);
        if (colon && strchr(colon, ']') == NULL) {
            one->host_port = strcmp(colon + 1, "*") == 0 ? 0 : (apr_port_t)atoi(colon + 1);
            *colon = '\0';
        }
        one->virthost = word;
        *last = one;
        last = &one->next;
    }
}

static void open_host(jkconf_httpd *h, const ap_directive_t *node)
{
    server_rec *s = make_server(h->p, node);

    s->next = h->main_server->next;
    h->main_server->next = s;
    add_addresses(h, node, s);
    if (strrchr(node->args, '>') == NULL || s->addrs == NULL)
        s->addrs = s->addrs ? s->addrs : apr_pcalloc(h->p, sizeof *s->addrs);
    if (s->addrs->virthost == NULL)
        s->addrs->virthost = apr_pstrdup(h->p, "*");
    walk(h, node->first_child, s, NULL);
}

/* What cmd->path is inside of a section; NULL: the section changes nothing. */
static char *path_of(jkconf_httpd *h, const ap_directive_t *node, char *outer)
{
    const char *args = jkconf_read_section(h->p, node);
    char *word;

    if (jkconf_read_is(node, "<If") || jkconf_read_is(node, "<ElseIf") || jkconf_read_is(node, "<Else"))
        return apr_pstrdup(h->p, "*If");
    if (jkconf_read_is(node, "<Limit") || jkconf_read_is(node, "<LimitExcept") || strncasecmp(node->directive, "<Require", 8) == 0)
        return outer ? outer : apr_pstrdup(h->p, "");
    word = word_of(h, node, &args);
    if (strcmp(word, "~") == 0)
        word = word_of(h, node, &args);
    if (jkconf_read_is(node, "<Directory") && *word && word[strlen(word) - 1] != '/')
        word = apr_pstrcat(h->p, word, "/", NULL);
    return word;
}

static void walk(jkconf_httpd *h, const ap_directive_t *node, server_rec *s, char *path)
{
    for (; node; node = node->next) {
        if (jkconf_read_is(node, "<VirtualHost") && s == h->main_server && path == NULL)
            open_host(h, node);
        else if (*node->directive == '<')
            walk(h, node->first_child, s, path_of(h, node, path));
        else if (looks_ours(node->directive))
            set(h, node, s, path);
        else if (path == NULL)
            set_httpds(h, node, s);
    }
}

void jkconf_httpd_apply(jkconf_httpd *h)
{
    server_rec *m = h->main_server;

    ap_conftree = h->tree;
    walk(h, h->tree, m, NULL);
    for (server_rec *v = m->next; v; v = v->next) {
        if (v->server_hostname == NULL)
            v->server_hostname = m->server_hostname;
        if (jk_config_of(v) == NULL)
            ap_set_module_config(v->module_config, &jk_module, jk_config_of(m));
        else
            ap_set_module_config(v->module_config, &jk_module, jk_directives_merge(h->p, jk_config_of(m), jk_config_of(v)));
    }
}

void jkconf_httpd_settle(jkconf_httpd *h)
{
    jk_server *main_conf = jk_config_of(h->main_server);

    for (server_rec *v = h->main_server; v; v = v->next) {
        jk_server *conf = jk_config_of(v);
        if (conf->s != v) { /* it has no directive of ours */
            conf = jk_directives_merge(h->p, main_conf, jk_directives_create(h->p, v));
            conf->s = v;
            ap_set_module_config(v->module_config, &jk_module, conf);
        }
        jk_directives_settle(conf);
    }
}
