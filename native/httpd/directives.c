/* native/httpd/directives.c - the command table, and what a server inherits (spec: directives.md 2-4). A setter checks a
 * directive's form and keeps its text with file and line; what the text means, and what files say, is checked in
 * check_config: an error from here at a restart would end the server. */
#include "config.h"

#include "jk/base/span.h"
#include "logfile.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>

APLOG_USE_MODULE(jk);

#define DEFAULT_OPTIONS (JK_OPT_URI_PROXY | JK_OPT_KEY_SIZE)

void *jk_directives_create(apr_pool_t *p, server_rec *s)
{
    jk_server *conf = apr_pcalloc(p, sizeof *conf);

    conf->s = s;
    conf->mounts = apr_array_make(p, 0, sizeof(jk_mount));
    conf->mount_copy = JK_COPY_UNSET;
    conf->log_level = -1;
    conf->park = JK_PARK_UNSET;
    conf->park_after = -1;
    if (s->is_virtual)
        return conf;
    conf->options = DEFAULT_OPTIONS;
    conf->global = apr_pcalloc(p, sizeof *conf->global);
    conf->global->properties = apr_array_make(p, 4, sizeof(jk_mount));
    conf->global->watchdog_interval = -1;
    conf->global->park_max = -1;
    conf->global->notes = JK_NOTES_AUTO;
    return conf;
}

/* The groups are enumerations: what the virtual host sets replaces the main server's choice. Minus beats plus. */
static int merge_options(const jk_server *base, const jk_server *own)
{
    int inherited = base->options & ~base->minus;

    if (own->options & JK_OPT_URI)
        inherited &= ~JK_OPT_URI;
    if (own->options & JK_OPT_ADDRESS)
        inherited &= ~JK_OPT_ADDRESS;
    return (own->options | inherited) & ~own->minus;
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
    conf->log_file = own->log_file ? own->log_file : base->log_file;
    conf->log_stamp = own->log_stamp ? own->log_stamp : base->log_stamp;
    conf->log_level = own->log_level >= 0 ? own->log_level : base->log_level;
    conf->park = own->park != JK_PARK_UNSET ? own->park : base->park;
    conf->park_after = own->park_after >= 0 ? own->park_after : base->park_after;
    conf->request_id_env = own->request_id_env ? own->request_id_env : base->request_id_env;
    return conf;
}

/* ---- setters ---- */

static const char *global_only(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, GLOBAL_ONLY);
}

static const char *set_workers_file(cmd_parms *cmd, void *dir, const char *path)
{
    jk_global *global = jk_config_of(cmd->server)->global;
    const char *err = global_only(cmd);

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
    const char *err = global_only(cmd);

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
    jk_server *conf = jk_config_of(cmd->server);

    (void)dir;
    if (!ap_cstr_casecmp(word, "On"))
        conf->mount_copy = JK_COPY_ON;
    else if (!ap_cstr_casecmp(word, "Off"))
        conf->mount_copy = JK_COPY_OFF;
    else if (!ap_cstr_casecmp(word, "All") && !cmd->server->is_virtual)
        conf->mount_copy = JK_COPY_ALL;
    else if (!ap_cstr_casecmp(word, "All"))
        return "JkMountCopy All: only allowed in the main server";
    else
        return "JkMountCopy must be All, On or Off";
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

static const char *set_option(cmd_parms *cmd, const char *word)
{
    jk_server *conf = jk_config_of(cmd->server);
    bool minus = *word == '-';
    const char *name = *word == '-' || *word == '+' ? word + 1 : word;

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
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
    return apr_psprintf(cmd->pool, "JkOptions: Illegal option '%s'", word);
}

static const char *set_options(cmd_parms *cmd, void *dir, const char *args)
{
    const char *err = NULL;

    (void)dir;
    while (err == NULL && *args)
        err = set_option(cmd, ap_getword_conf(cmd->pool, &args));
    return err;
}

static const char *set_log_file(cmd_parms *cmd, void *dir, const char *name)
{
    (void)dir;
    jk_config_of(cmd->server)->log_file = name;
    return NULL;
}

static const char *set_log_level(cmd_parms *cmd, void *dir, const char *word)
{
    int level = jk_logfile_level(word);

    (void)dir;
    if (level < 0)
        ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_STARTUP, 0, cmd->server,
                     "%s:%d: JkLogLevel: '%s' is no level, info is used; allowed: trace, debug, info, warn, error, emerg",
                     cmd->directive->filename, cmd->directive->line_num, word);
    jk_config_of(cmd->server)->log_level = level < 0 ? JK_LOG_INFO : level;
    return NULL;
}

static const char *set_log_stamp(cmd_parms *cmd, void *dir, const char *format)
{
    (void)dir;
    jk_config_of(cmd->server)->log_stamp = format;
    return NULL;
}

static const char *set_request_id(cmd_parms *cmd, void *dir, const char *name)
{
    (void)dir;
    jk_config_of(cmd->server)->request_id_env = name;
    return NULL;
}

static const char *set_notes(cmd_parms *cmd, void *dir, const char *word)
{
    static const char *const words[] = { "Off", "On", "Auto" };
    const char *err = global_only(cmd);

    (void)dir;
    if (err)
        return err;
    for (int i = 0; i < 3; i++)
        if (ap_cstr_casecmp(word, words[i]) == 0) {
            jk_config_of(cmd->server)->global->notes = i;
            return NULL;
        }
    return apr_psprintf(cmd->pool, "JkNotes: '%s' is not allowed; allowed: On, Off, Auto", word);
}

static const char *set_strict(cmd_parms *cmd, void *dir, int on)
{
    const char *err = global_only(cmd);

    (void)dir;
    if (err == NULL)
        jk_config_of(cmd->server)->global->strict = on;
    return err;
}

static const char *set_shm_file(cmd_parms *cmd, void *dir, const char *path)
{
    const char *err = global_only(cmd);

    (void)dir;
    if (err == NULL)
        jk_config_of(cmd->server)->global->shm_file = path;
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
    const char *err = global_only(cmd);

    (void)dir;
    return err ? err : number(cmd, word, &jk_config_of(cmd->server)->global->shm_size);
}

static const char *set_watchdog(cmd_parms *cmd, void *dir, const char *word)
{
    const char *err = global_only(cmd);

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
    const char *err = global_only(cmd);

    (void)dir;
    return err ? err : number(cmd, word, &jk_config_of(cmd->server)->global->park_max);
}

const command_rec jk_directives[] = {
    AP_INIT_TAKE1("JkWorkersFile", set_workers_file, NULL, RSRC_CONF, "the file with the workers' properties"),
    AP_INIT_RAW_ARGS("JkWorkerProperty", add_property, NULL, RSRC_CONF, "one line of a workers file"),
    AP_INIT_TAKE12("JkMount", set_mount, NULL, RSRC_CONF | ACCESS_CONF, "a URI pattern and the worker that answers it"),
    AP_INIT_TAKE12("JkUnMount", set_unmount, NULL, RSRC_CONF | ACCESS_CONF, "a URI pattern that a worker (or *) does not answer"),
    AP_INIT_TAKE1("JkMountCopy", set_mount_copy, NULL, RSRC_CONF, "On, Off or All: virtual hosts take over the main server's mounts"),
    AP_INIT_RAW_ARGS("JkOptions", set_options, NULL, RSRC_CONF, "options, each with + or - before it"),
    AP_INIT_TAKE1("JkLogFile", set_log_file, NULL, RSRC_CONF, "the log's file, or |command"),
    AP_INIT_TAKE1("JkLogLevel", set_log_level, NULL, RSRC_CONF, "trace, debug, info, warn, error or emerg"),
    AP_INIT_TAKE1("JkLogStampFormat", set_log_stamp, NULL, RSRC_CONF, "the strftime format of a line's time; %Q: ms, %q: us"),
    AP_INIT_TAKE1("JkNotes", set_notes, NULL, RSRC_CONF, "On, Off or Auto: the notes JK_LB_FIRST_x and JK_LB_LAST_x; Auto: where the configuration names one"),
    AP_INIT_TAKE1("JkRequestIdIndicator", set_request_id, NULL, RSRC_CONF, "the environment variable with the request's id"),
    AP_INIT_FLAG("JkStrict", set_strict, NULL, RSRC_CONF, "On: findings that could be lived with refuse the configuration"),
    AP_INIT_TAKE1("JkShmFile", set_shm_file, NULL, RSRC_CONF, "accepted; shared memory needs no file here"),
    AP_INIT_TAKE1("JkShmSize", set_shm_size, NULL, RSRC_CONF, "accepted; shared memory sizes itself here"),
    AP_INIT_TAKE1("JkWatchdogInterval", set_watchdog, NULL, RSRC_CONF, "seconds between two maintenances in the background"),
    AP_INIT_TAKE1("JkPark", set_park, NULL, RSRC_CONF, "Auto, On or Off: a request that waits holds no thread; Auto: where the MPM can"),
    AP_INIT_TAKE1("JkParkAfter", set_park_after, NULL, RSRC_CONF, "milliseconds that a thread waits before its request waits without it"),
    AP_INIT_TAKE1("JkParkMax", set_park_max, NULL, RSRC_CONF, "how many requests per process may wait without a thread"),
    { NULL, { NULL }, NULL, 0, 0, NULL },
};
