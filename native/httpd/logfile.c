/* native/httpd/logfile.c - writes lines, and nothing decides here what is worth one. */
#include "logfile.h"

#include <apr_lib.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

APLOG_USE_MODULE(jk);

#define LINE_MOST 4095 /* bytes, newline included (spec/decisions.md) */

#define ID_MOST 60   /* bytes of a request's id */
#define PATIENCE 100 /* ms that a line waits for a piped program that is behind */

/* A file or the end of a pipe, shared by all servers that name it. */
typedef struct channel {
    const char *name;
    apr_file_t *file; /* NULL: it could not be opened */
} channel;

struct jk_logfile {
    const channel *to;
    const char *format;         /* JkLogStampFormat, and the same taken apart: */
    const char *before, *after; /* the stamp around its fraction of a second */
    int fraction;               /* digits: 0, 3 or 6 */
    server_rec *s;
};

struct jk_logfiles {
    apr_pool_t *p;
    apr_array_header_t *channels; /* of channel * */
    apr_array_header_t *logs;     /* of jk_logfile * */
};

const char *const jk_logfile_levels[JK_LOG_EMERG + 1] = { "trace", "debug", "info", "warn", "error", "emerg" };

/* ---- JkLogStampFormat ---- */

static void set_stamp(jk_logfile *log, apr_pool_t *p, const char *format)
{
    const char *mark = strstr(format, "%Q"); /* where both stand, %q is not looked at */

    log->format = format;
    log->fraction = mark ? 3 : 6;
    if (mark == NULL)
        mark = strstr(format, "%q");
    if (mark == NULL)
        log->fraction = 0;
    log->before = mark ? apr_pstrmemdup(p, format, (apr_size_t)(mark - format)) : format;
    log->after = mark ? apr_pstrdup(p, mark + 2) : "";
}

/* ---- JkLogFile ---- */

static bool is_pipe(const char *name)
{
    return *name == '|';
}

static void check_directory(const jk_server *conf, const char *path, jk_findings *found)
{
    const char *dir = ap_make_dirstr_parent(found->p, path);
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, dir, APR_FINFO_TYPE, found->p);

    if (rv != APR_SUCCESS || info.filetype != APR_DIR)
        jk_findings_add(found, JK_FIND_LENIENT, conf->log_file_at.file, conf->log_file_at.line,
                        "could not open JkLog file %s: there is no directory %s; make it, else the lines go to httpd's error log", path, dir);
    else if (apr_stat(&info, path, APR_FINFO_TYPE, found->p) == APR_SUCCESS && info.filetype == APR_DIR)
        jk_findings_add(found, JK_FIND_LENIENT, conf->log_file_at.file, conf->log_file_at.line,
                        "could not open JkLog file %s: it is a directory; the lines go to httpd's error log", path);
}

void jk_logfile_check(const jk_server *conf, jk_findings *found)
{
    const char *name = conf->log_file, *path;
    bool said = conf->log_file_at.file != NULL;

    if (conf->wrong_level)
        jk_findings_add(found, JK_FIND_LENIENT, conf->wrong_level_at.file, conf->wrong_level_at.line,
                        "JkLogLevel: '%s' is no level, info is used; allowed: trace, debug, info, warn, error, emerg%s", conf->wrong_level,
                        jk_findings_hint(found->p, conf->wrong_level, jk_logfile_levels, JK_LOG_EMERG + 1));
    if (!said && conf->s->is_virtual)
        return;
    if (!is_pipe(name) && (path = ap_server_root_relative(found->p, name)) != NULL)
        check_directory(conf, path, found);
    if (!said)
        jk_findings_add(found, JK_FIND_INFO, NULL, 0, "no JkLogFile defined: using default %s", name);
}

/* A program that is stuck must not hold up requests. */
static apr_file_t *open_pipe(apr_pool_t *p, const char *command)
{
    bool shell = *command == '$';
    piped_log *pl = ap_open_piped_log_ex(p, command + (shell || *command == '|'), shell ? APR_SHELLCMD_ENV : APR_PROGRAM_ENV);
    apr_file_t *file = pl ? ap_piped_log_write_fd(pl) : NULL;
    int fd;

    if (file && apr_os_file_get(&fd, file) == APR_SUCCESS)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return file;
}

static apr_status_t open_file(apr_file_t **file, apr_pool_t *p, const char *name)
{
    const char *path = ap_server_root_relative(p, name);
    apr_status_t rv = apr_file_open(file, path ? path : name, APR_WRITE | APR_APPEND | APR_CREATE | APR_LARGEFILE,
                                    APR_UREAD | APR_UWRITE | APR_GREAD | APR_WREAD, p);

    if (rv != APR_SUCCESS)
        *file = NULL;
    return rv;
}

static const channel *open_channel(apr_pool_t *p, server_rec *s, const char *name)
{
    channel *to = apr_pcalloc(p, sizeof *to);
    apr_status_t rv = APR_SUCCESS;

    to->name = name;
    if (is_pipe(name))
        to->file = open_pipe(p, name + 1);
    else
        rv = open_file(&to->file, p, name);
    if (to->file)
        apr_file_inherit_unset(to->file);
    else
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, rv, s, "mod_jk: could not open %s %s: its lines go to httpd's error log",
                     is_pipe(name) ? "reliable pipe to JkLog program" : "JkLog file", name);
    return to;
}

jk_logfiles *jk_logfile_all(apr_pool_t *p)
{
    jk_logfiles *all = apr_palloc(p, sizeof *all);

    all->p = p;
    all->channels = apr_array_make(p, 1, sizeof(const channel *));
    all->logs = apr_array_make(p, 1, sizeof(jk_logfile *));
    return all;
}

static const channel *channel_of(jk_logfiles *all, server_rec *s, const char *name)
{
    for (int i = 0; i < all->channels->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(all->channels, i, const channel *)->name, name) == 0)
            return APR_ARRAY_IDX(all->channels, i, const channel *);
    return APR_ARRAY_PUSH(all->channels, const channel *) = open_channel(all->p, s, name);
}

void jk_logfile_open(jk_logfiles *all, jk_server *conf)
{
    const channel *to = channel_of(all, conf->s, conf->log_file);

    for (int i = 0; i < all->logs->nelts; i++) {
        jk_logfile *log = APR_ARRAY_IDX(all->logs, i, jk_logfile *);
        if (log->to == to && strcmp(log->format, conf->log_stamp) == 0) {
            conf->logfile = log;
            return;
        }
    }
    jk_logfile *log = apr_pcalloc(all->p, sizeof *log);
    log->to = to;
    log->s = conf->s;
    set_stamp(log, all->p, conf->log_stamp);
    APR_ARRAY_PUSH(all->logs, jk_logfile *) = conf->logfile = log;
}

/* ---- one line ---- */

typedef struct line {
    char text[LINE_MOST + 1];
    size_t len;
} line;

static void put(line *l, const char *s)
{
    size_t n = strlen(s), room = LINE_MOST - l->len;

    if (n > room)
        n = room;
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

/* The format is the administrator's: that is what it is for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_time(line *l, const char *format, const struct tm *tm)
{
    if (*format)
        l->len += strftime(l->text + l->len, 256, format, tm);
}
#pragma GCC diagnostic pop

static void put_stamp(line *l, const jk_logfile *log)
{
    struct timespec now;
    struct tm tm;
    char digits[16];

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    put_time(l, log->before, &tm);
    if (log->fraction) {
        apr_snprintf(digits, sizeof digits, "%06ld", now.tv_nsec / 1000);
        digits[log->fraction] = '\0';
        put(l, digits);
    }
    put_time(l, log->after, &tm);
}

/* Control characters cannot forge a line; at most up to `end` bytes of the line are used, with "..." where it was cut. */
static void put_escaped(line *l, const char *s, size_t end)
{
    char hex[8];

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool control = c < 0x20 || c == 0x7F;
        if (l->len + (control ? 4 : 1) > end - 3) {
            put(l, "...");
            return;
        }
        if (!control) {
            l->text[l->len++] = (char)c;
            continue;
        }
        apr_snprintf(hex, sizeof hex, "\\x%02x", c);
        put(l, hex);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool is_written(const channel *to, const line *l)
{
    bool waited = false;
    int fd;

    if (to->file == NULL || apr_os_file_get(&fd, to->file) != APR_SUCCESS)
        return false;
    for (;;) {
        ssize_t n = write(fd, l->text, l->len);
        struct pollfd behind = { fd, POLLOUT, 0 };
        if (n == (ssize_t)l->len)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n >= 0 || errno != EAGAIN || waited || poll(&behind, 1, PATIENCE) != 1)
            return false;
        waited = true;
    }
}

/* The logger is gone or the disk is full: httpd's own log is the next best place. The stamp there is httpd's. */
static void emit(const jk_logfile *log, jk_log_level level, const line *l, size_t stamp_len)
{
    static const int levels[] = { APLOG_DEBUG, APLOG_DEBUG, APLOG_INFO, APLOG_WARNING, APLOG_ERR, APLOG_ERR };

    if (log == NULL || !is_written(log->to, l))
        ap_log_error(APLOG_MARK, levels[level], 0, log ? log->s : NULL, "%.*s", (int)(l->len - stamp_len - 1), l->text + stamp_len);
}

/* The id of a request: the configured variable, UNIQUE_ID, or NO-ID. */
static const char *id_of(request_rec *r)
{
    const char *id = apr_table_get(r->subprocess_env, jk_config_of(r->server)->env[JK_ENV_REQUEST_ID]);

    if (id == NULL || *id == '\0')
        id = apr_table_get(r->subprocess_env, "UNIQUE_ID");
    return id && *id ? id : "NO-ID";
}

/* It may come from a header of the client: what ends the field, or does not show, is not taken. */
static void put_id(line *l, const char *id)
{
    put(l, "[");
    for (int i = 0; i < ID_MOST && id[i]; i++)
        l->text[l->len++] = id[i] > ' ' && id[i] < 0x7F && id[i] != ']' ? id[i] : '_';
    put(l, "] ");
}

static void write_line(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *text)
{
    const jk_logfile *file = log->sink;
    char part[240], tail[16] = "";
    int kept = errno;
    line l = { .len = 0 };

    if (file)
        put_stamp(&l, file);
    size_t stamp_len = l.len;
    put_id(&l, log->request_id ? log->request_id : id_of(log->about));
    apr_snprintf(part, sizeof part, "[%d:%" APR_UINT64_T_FMT "] [%s] %.60s::%.60s (%d): ", (int)getpid(), (apr_uint64_t)(uintptr_t)pthread_self(),
                 jk_logfile_levels[level], place->function, base_name(place->file), place->line);
    put(&l, part);
    if (id)
        apr_snprintf(tail, sizeof tail, " [JK%04u]", id);
    put_escaped(&l, text, LINE_MOST - 1 - strlen(tail)); /* the id survives the cut */
    put(&l, tail);
    put(&l, "\n");
    emit(file, level, &l, stamp_len);
    errno = kept;
}

const char *jk_logfile_escaped(apr_pool_t *p, const char *text)
{
    const char *c = text;
    line *l;

    while (*c && !apr_iscntrl(*c))
        c++;
    if (*c == '\0')
        return text;
    l = apr_palloc(p, sizeof *l);
    l->len = 0;
    put_escaped(l, text, LINE_MOST);
    return apr_pstrmemdup(p, l->text, l->len);
}

void jk_logfile_plain(const jk_server *conf, const char *text)
{
    line l = { .len = 0 };
    bool cut;

    put_stamp(&l, conf->logfile);
    size_t stamp_len = l.len;
    cut = strlen(text) > LINE_MOST - 1 - l.len;
    put(&l, text);
    if (cut) {
        l.len = LINE_MOST - 4;
        put(&l, "...");
    }
    put(&l, "\n");
    emit(conf->logfile, JK_LOG_INFO, &l, stamp_len);
}

static jk_log make(const jk_server *conf, const char *word, void *about)
{
    jk_log_level level = conf->log_level < 0 ? JK_LOG_INFO : (jk_log_level)conf->log_level;

    return (jk_log){ level, write_line, word, about, conf->logfile };
}

jk_log jk_logfile_for(const jk_server *conf, const char *word)
{
    return make(conf, word, NULL);
}

jk_log jk_logfile_about(request_rec *r)
{
    return make(jk_config_of(r->server), NULL, r);
}
