/* native/httpd/directives.c - the setters of the directives, and what a server inherits (spec: directives.md 2-4); which
 * directives there are stands in directive_rows.h. A setter checks a directive's form and keeps its text with file and line;
 * what the text means, and what files say, is checked in check_config: an error from here at a restart would end the server. */
#include "config.h"

#include "logfile.h"

#include "jk/conf/findings.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>

APLOG_USE_MODULE(jk);

#define DEFAULT_OPTIONS (JK_OPT_URI_PROXY | JK_OPT_KEY_SIZE)

/* ---- the table ---- */

typedef enum jk_context { GLOBAL = RSRC_CONF, SERVER = RSRC_CONF, LOCATION = RSRC_CONF | ACCESS_CONF } jk_context;

typedef enum jk_home { AT_NAME, AT_TEXT, AT_NUMBER, AT_ELSEWHERE } jk_home;

typedef struct jk_directive {
    bool global;
    const char *standard;
    jk_home home;
    size_t offset; /* in jk_server: of a const char *, NULL where not set; of an int, -1 where not set */
} jk_directive;

#define IS_GLOBAL true
#define IS_SERVER false
#define IS_LOCATION false
#define NAME(field) AT_NAME, offsetof(jk_server, field)
#define TEXT(field) AT_TEXT, offsetof(jk_server, field)
#define NUMBER(field) AT_NUMBER, offsetof(jk_server, field)
#define ELSEWHERE AT_ELSEWHERE, 0

static const jk_directive rows[] = {
#define ROW(name, args, context, standard, inherit, home, setter, help) { IS_##context, standard, home },
#include "directive_rows.h"
};

/* The rows of the command table are the same, in the same order. */
static const jk_directive *row_of(const cmd_parms *cmd)
{
    return &rows[cmd->cmd - jk_directives];
}

static const char **text_at(jk_server *conf, const jk_directive *row)
{
    return (const char **)(void *)((char *)conf + row->offset);
}

static int *number_at(jk_server *conf, const jk_directive *row)
{
    return (int *)(void *)((char *)conf + row->offset);
}

/* ---- servers ---- */

static void set_standards(jk_server *conf)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].home == AT_NAME)
            *text_at(conf, &rows[i]) = rows[i].standard;
    conf->options = DEFAULT_OPTIONS;
    conf->log_level = JK_LOG_INFO;
    conf->extract_ssl = 1;
}

void *jk_directives_create(apr_pool_t *p, server_rec *s)
{
    jk_server *conf = apr_pcalloc(p, sizeof *conf);

    conf->s = s;
    conf->mounts = apr_array_make(p, 0, sizeof(jk_mount));
    conf->env_vars = apr_array_make(p, 0, sizeof(jk_env_var));
    conf->mount_copy = JK_COPY_UNSET;
    conf->mount_reload = -1;
    conf->log_level = -1;
    conf->park = JK_PARK_UNSET;
    conf->park_after = -1;
    conf->extract_ssl = -1;
    if (s->is_virtual)
        return conf;
    set_standards(conf);
    conf->global = apr_pcalloc(p, sizeof *conf->global);
    conf->global->properties = apr_array_make(p, 4, sizeof(jk_mount));
    conf->global->watchdog_interval = -1;
    conf->global->park_max = -1;
    conf->global->notes = JK_NOTES_AUTO;
    return conf;
}

/* The form of the URI is an enumeration: what the virtual host sets replaces the main server's choice. The two addresses are not: where
 * both are in force the local one wins. Minus beats plus. */
static int merge_options(const jk_server *base, const jk_server *own)
{
    int inherited = base->options & ~base->minus;

    if (own->options & JK_OPT_URI)
        inherited &= ~JK_OPT_URI;
    return (own->options | inherited) & ~own->minus;
}

static jk_env_var *env_var_of(const apr_array_header_t *vars, const char *name)
{
    for (int i = 0; i < vars->nelts; i++)
        if (!ap_cstr_casecmp(APR_ARRAY_IDX(vars, i, jk_env_var).name, name))
            return &APR_ARRAY_IDX(vars, i, jk_env_var);
    return NULL;
}

static apr_array_header_t *merge_env_vars(apr_pool_t *p, const jk_server *base, const jk_server *own)
{
    apr_array_header_t *vars = apr_array_copy(p, own->env_vars);

    for (int i = 0; i < base->env_vars->nelts; i++) {
        const jk_env_var *one = &APR_ARRAY_IDX(base->env_vars, i, jk_env_var);
        if (env_var_of(own->env_vars, one->name) == NULL)
            APR_ARRAY_PUSH(vars, jk_env_var) = *one;
    }
    return vars;
}

static void inherit(jk_server *conf, const jk_server *base_conf)
{
    jk_server *base = (jk_server *)base_conf; /* text_at() and number_at() are for both */

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((rows[i].home == AT_NAME || rows[i].home == AT_TEXT) && *text_at(conf, &rows[i]) == NULL)
            *text_at(conf, &rows[i]) = *text_at(base, &rows[i]);
        if (rows[i].home == AT_NUMBER && *number_at(conf, &rows[i]) < 0)
            *number_at(conf, &rows[i]) = *number_at(base, &rows[i]);
    }
}

/* Mounts are not merged here: whether they are copied is decided at post_config (JkMountCopy). */
void *jk_directives_merge(apr_pool_t *p, void *base_conf, void *own_conf)
{
    const jk_server *base = base_conf, *own = own_conf;
    jk_server *conf = apr_pmemdup(p, own, sizeof *own);

    conf->global = base->global;
    if (own->mount_copy == JK_COPY_UNSET && base->mount_copy == JK_COPY_ALL)
        conf->mount_copy = JK_COPY_ON;
    conf->options = merge_options(base, own);
    conf->minus = 0;
    conf->env_vars = merge_env_vars(p, base, own);
    inherit(conf, base);
    if (own->alias_dir == NULL && conf->mount_copy == JK_COPY_ON)
        conf->alias_dir = base->alias_dir;
    return conf;
}

void jk_directives_settle(jk_server *conf)
{
    conf->options &= ~conf->minus;
}

/* ---- setters ---- */

/* httpd itself knows no directive of the main server alone. */
static const char *misplaced(cmd_parms *cmd)
{
    return row_of(cmd)->global ? ap_check_cmd_context(cmd, GLOBAL_ONLY) : NULL;
}

static jk_place place_of(const cmd_parms *cmd)
{
    return (jk_place){ cmd->directive->filename, cmd->directive->line_num };
}

/* Which of the words it is, whatever the case; -1: none. */
static int word_among(const char *word, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (!ap_cstr_casecmp(word, words[i]))
            return i;
    return -1;
}

static const char *set_name(cmd_parms *cmd, void *dir, const char *word)
{
    (void)dir;
    *text_at(jk_config_of(cmd->server), row_of(cmd)) = word;
    return NULL;
}

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    *number_at(jk_config_of(cmd->server), row_of(cmd)) = on;
    return NULL;
}

static const char *set_workers_file(cmd_parms *cmd, void *dir, const char *path)
{
    jk_global *global = jk_config_of(cmd->server)->global;
    const char *err = misplaced(cmd);

    (void)dir;
    if (err)
        return err;
    if (global->workers_file)
        return "JkWorkersFile: only allowed once";
    global->workers_file = ap_server_root_relative(cmd->pool, path);
    global->workers_where_file = cmd->directive->filename;
    global->workers_where_line = cmd->directive->line_num;
    return global->workers_file ? NULL : "JkWorkersFile: the path is not valid";
}

static const char *add_property(cmd_parms *cmd, void *dir, const char *line)
{
    const char *err = misplaced(cmd);

    (void)dir;
    if (err)
        return err;
    while (*line == ' ' || *line == '\t')
        line++;
    jk_mount one = { apr_pstrdup(cmd->pool, line), NULL, false, cmd->directive->filename, cmd->directive->line_num };
    APR_ARRAY_PUSH(jk_config_of(cmd->server)->global->properties, jk_mount) = one;
    return NULL;
}

static const char *add_mount(cmd_parms *cmd, const char *first, const char *second, bool exclude)
{
    const char *name = cmd->cmd->name;
    jk_mount one = { first, second, exclude, cmd->directive->filename, cmd->directive->line_num };

    if (cmd->path && second)
        return apr_psprintf(cmd->pool, "%s can not have a path when defined in a location", name);
    if (cmd->path == NULL && second == NULL)
        return apr_psprintf(cmd->pool, "%s needs a path when not defined in a location", name);
    if (cmd->path) {
        one.uri = apr_pstrdup(cmd->pool, cmd->path);
        one.worker = first;
    }
    if (*one.uri != '/')
        return apr_psprintf(cmd->pool, "%s: invalid context '%s': it does not begin with '/'", name, one.uri);
    APR_ARRAY_PUSH(jk_config_of(cmd->server)->mounts, jk_mount) = one;
    return NULL;
}

static const char *set_mount(cmd_parms *cmd, void *dir, const char *first, const char *second)
{
    (void)dir;
    return add_mount(cmd, first, second, false);
}

static const char *set_unmount(cmd_parms *cmd, void *dir, const char *first, const char *second)
{
    (void)dir;
    return add_mount(cmd, first, second, true);
}

static const char *set_mount_copy(cmd_parms *cmd, void *dir, const char *word)
{
    static const char *const words[] = { "Off", "On", "All" };
    int which = word_among(word, words, 3);

    (void)dir;
    if (which < 0)
        return apr_psprintf(cmd->pool, "JkMountCopy must be All, On or Off, not '%s'", word);
    if (which == JK_COPY_ALL && cmd->server->is_virtual)
        return "JkMountCopy All: only allowed in the main server";
    jk_config_of(cmd->server)->mount_copy = which;
    return NULL;
}

/* One row per option; the words of the groups replace one another. */
static const struct {
    const char *word;
    int bit, group;
} options[] = {
    { "ForwardURIProxy", JK_OPT_URI_PROXY, JK_OPT_URI },
    { "ForwardURICompat", JK_OPT_URI_COMPAT, JK_OPT_URI },
    { "ForwardURICompatUnparsed", JK_OPT_URI_UNPARSED, JK_OPT_URI },
    { "ForwardURIEscaped", JK_OPT_URI_ESCAPED, JK_OPT_URI },
    { "ForwardDirectories", JK_OPT_DIRECTORIES, 0 },
    { "ForwardLocalAddress", JK_OPT_LOCAL_ADDRESS, JK_OPT_ADDRESS },
    { "ForwardPhysicalAddress", JK_OPT_PHYSICAL_ADDRESS, JK_OPT_ADDRESS },
    { "FlushPackets", JK_OPT_FLUSH_PACKETS, 0 },
    { "FlushHeader", JK_OPT_FLUSH_HEADER, 0 },
    { "DisableReuse", JK_OPT_DISABLE_REUSE, 0 },
    { "ForwardKeySize", JK_OPT_KEY_SIZE, 0 },
    { "ForwardSSLCertChain", JK_OPT_CERT_CHAIN, 0 },
    { "RejectUnsafeURI", JK_OPT_REJECT_UNSAFE, 0 },
    { "CollapseSlashesAll", 0, 0 },
    { "CollapseSlashesNone", 0, 0 },
    { "CollapseSlashesUnmount", 0, 0 },
};

#define NOPTIONS (sizeof options / sizeof options[0])

static const char *illegal_option(apr_pool_t *p, const char *word, const char *name)
{
    const char *words[NOPTIONS], *all = "";

    for (size_t i = 0; i < NOPTIONS; i++) {
        words[i] = options[i].word;
        if (options[i].bit)
            all = apr_pstrcat(p, all, *all ? ", " : "", words[i], NULL);
    }
    return apr_psprintf(p, "JkOptions: Illegal option '%s'%s; allowed, each with + or - before it: %s", word,
                        jk_findings_hint(p, name, words, NOPTIONS), all);
}

static const char *set_option(cmd_parms *cmd, const char *word)
{
    jk_server *conf = jk_config_of(cmd->server);
    bool minus = *word == '-';
    const char *name = *word == '-' || *word == '+' ? word + 1 : word;

    for (size_t i = 0; i < NOPTIONS; i++) {
        if (ap_cstr_casecmp(name, options[i].word) != 0)
            continue;
        if (minus && options[i].group == JK_OPT_URI)
            return apr_psprintf(cmd->pool, "JkOptions: Illegal option '%s': choose another ForwardURI form instead", word);
        if (options[i].bit == 0)
            ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_STARTUP, 0, cmd->server,
                         "JkOptions: Deprecated CollapseSlashes setting ignored (slashes are always collapsed)");
        conf->options &= ~options[i].group;
        *(minus ? &conf->minus : &conf->options) |= options[i].bit;
        return NULL;
    }
    return illegal_option(cmd->pool, word, name);
}

static const char *set_options(cmd_parms *cmd, void *dir, const char *args)
{
    const char *err = NULL;

    (void)dir;
    while (err == NULL && *args)
        err = set_option(cmd, ap_getword_conf(cmd->pool, &args));
    return err;
}

/* A name stands once: the last word counts. */
static const char *add_env_var(cmd_parms *cmd, void *dir, const char *name, const char *standard)
{
    apr_array_header_t *vars = jk_config_of(cmd->server)->env_vars;
    jk_env_var *one = env_var_of(vars, name);

    (void)dir;
    if (one == NULL)
        one = apr_array_push(vars);
    *one = (jk_env_var){ name, standard };
    return NULL;
}

/* Whether it can be opened is looked at in jk_logfile_check(). */
static const char *set_log_file(cmd_parms *cmd, void *dir, const char *name)
{
    jk_server *conf = jk_config_of(cmd->server);

    (void)dir;
    conf->log_file = name;
    conf->log_file_at = place_of(cmd);
    return NULL;
}

static const char *set_request_log(cmd_parms *cmd, void *dir, const char *format)
{
    jk_server *conf = jk_config_of(cmd->server);

    (void)dir;
    conf->request_log = format;
    conf->request_log_at = place_of(cmd);
    return NULL;
}

static const char *set_log_level(cmd_parms *cmd, void *dir, const char *word)
{
    int level = word_among(word, jk_logfile_levels, JK_LOG_EMERG + 1);

    jk_server *conf = jk_config_of(cmd->server);

    (void)dir;
    conf->wrong_level = level < 0 ? word : NULL;
    conf->wrong_level_at = place_of(cmd);
    conf->log_level = level < 0 ? JK_LOG_INFO : level;
    return NULL;
}

static const char *set_notes(cmd_parms *cmd, void *dir, const char *word)
{
    static const char *const words[] = { "Off", "On", "Auto" };
    const char *err = misplaced(cmd);
    int which = word_among(word, words, 3);

    (void)dir;
    if (err)
        return err;
    if (which < 0)
        return apr_psprintf(cmd->pool, "JkNotes: '%s' is not allowed; allowed: On, Off, Auto%s", word, jk_findings_hint(cmd->pool, word, words, 3));
    jk_config_of(cmd->server)->global->notes = which;
    return NULL;
}

static const char *set_strict(cmd_parms *cmd, void *dir, int on)
{
    const char *err = misplaced(cmd);

    (void)dir;
    if (err == NULL)
        jk_config_of(cmd->server)->global->strict = on;
    return err;
}

static const char *set_shm_file(cmd_parms *cmd, void *dir, const char *path)
{
    const char *err = misplaced(cmd);

    (void)dir;
    if (err == NULL)
        jk_config_of(cmd->server)->global->shm_file = path;
    return err;
}

static const char *set_state_file(cmd_parms *cmd, void *dir, const char *path)
{
    const char *err = misplaced(cmd);

    (void)dir;
    if (err == NULL)
        jk_config_of(cmd->server)->global->state_file = path;
    return err;
}

static const char *number(cmd_parms *cmd, const char *word, int *n)
{
    char *end;
    apr_int64_t value = apr_strtoi64(word, &end, 10);

    if (end == word || *end || value > 1000000000)
        return apr_psprintf(cmd->pool, "%s: '%s' is not a number", cmd->cmd->name, word);
    *n = value < 0 ? 0 : (int)value;
    return NULL;
}

static const char *set_shm_size(cmd_parms *cmd, void *dir, const char *word)
{
    const char *err = misplaced(cmd);

    (void)dir;
    return err ? err : number(cmd, word, &jk_config_of(cmd->server)->global->shm_size);
}

static const char *set_watchdog(cmd_parms *cmd, void *dir, const char *word)
{
    const char *err = misplaced(cmd);

    (void)dir;
    return err ? err : number(cmd, word, &jk_config_of(cmd->server)->global->watchdog_interval);
}

static const char *set_park(cmd_parms *cmd, void *dir, const char *word)
{
    static const char *const words[] = { "Auto", "On", "Off" };

    (void)dir;
    for (int i = JK_PARK_AUTO; i <= JK_PARK_OFF; i++)
        if (ap_cstr_casecmp(word, words[i]) == 0) {
            jk_config_of(cmd->server)->park = i;
            return NULL;
        }
    return apr_psprintf(cmd->pool, "JkPark: '%s' is not allowed; allowed: Auto, On, Off", word);
}

static const char *set_park_after(cmd_parms *cmd, void *dir, const char *word)
{
    (void)dir;
    return number(cmd, word, &jk_config_of(cmd->server)->park_after);
}

static const char *set_park_max(cmd_parms *cmd, void *dir, const char *word)
{
    const char *err = misplaced(cmd);

    (void)dir;
    return err ? err : number(cmd, word, &jk_config_of(cmd->server)->global->park_max);
}

/* ---- of mapping ---- */

static const char *set_mount_file(cmd_parms *cmd, void *dir, const char *path)
{
    jk_server *conf = jk_config_of(cmd->server);

    (void)dir;
    conf->mount_file = ap_server_root_relative(cmd->pool, path);
    conf->mount_where_file = cmd->directive->filename;
    conf->mount_where_line = cmd->directive->line_num;
    return conf->mount_file ? NULL : "JkMountFile: the path is not valid";
}

static const char *set_mount_reload(cmd_parms *cmd, void *dir, const char *word)
{
    (void)dir;
    return number(cmd, word, &jk_config_of(cmd->server)->mount_reload);
}

static const char *set_alias(cmd_parms *cmd, void *dir, const char *path)
{
    jk_server *conf = jk_config_of(cmd->server);

    (void)dir;
    conf->alias_dir = ap_server_root_relative(cmd->pool, path);
    conf->alias_where_file = cmd->directive->filename;
    conf->alias_where_line = cmd->directive->line_num;
    return conf->alias_dir ? NULL : "JkAutoAlias: the path is not valid";
}

static const char *set_strip(cmd_parms *cmd, void *dir, const char *word, const char *ident)
{
    bool on = ap_cstr_casecmp(word, "On") == 0;

    (void)dir;
    if (!on && ap_cstr_casecmp(word, "Off") != 0)
        return apr_psprintf(cmd->pool, "JkStripSession: '%s' is not allowed; allowed: On or Off, then what begins a session's parameter", word);
    jk_config_of(cmd->server)->strip = on ? (ident && *ident ? ident : ";jsessionid") : "";
    return NULL;
}

const command_rec jk_directives[] = {
#define ROW(name, args, context, standard, inherit, home, setter, help) AP_INIT_##args(#name, setter, NULL, (int)context, help),
#include "directive_rows.h"
    { NULL, { NULL }, NULL, 0, 0, NULL },
};
