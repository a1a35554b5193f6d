/* native/httpd/logfile.c - writes lines, and nothing decides here what is worth one. */
#include "logfile.h"

#include <apr_lib.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

APLOG_USE_MODULE(jk);

#define LINE_MOST 4095 /* bytes, newline included (spec/decisions.md) */
#define DEFAULT_STAMP "[%a %b %d %H:%M:%S.%Q %Y] "

struct jk_logfile {
    const char *name;
    apr_file_t *file; /* or the pipe's end */
    const char *before, *after; /* the stamp around its fraction of a second */
    int fraction;               /* digits: 0, 3 or 6 */
    server_rec *s;
};

static const char *const levels[] = { "trace", "debug", "info", "warn", "error", "emerg" };

int jk_logfile_level(const char *word)
{
    for (int i = 0; i < (int)(sizeof levels / sizeof levels[0]); i++)
        if (!ap_cstr_casecmp(word, levels[i]))
            return i;
    return -1;
}

void jk_logfile_stamp(jk_logfile *log, apr_pool_t *p, const char *format)
{
    const char *mark;

    if (format == NULL)
        format = DEFAULT_STAMP;
    mark = strstr(format, "%Q"); /* where both stand, %q is not looked at */
    log->fraction = mark ? 3 : 6;
    if (mark == NULL)
        mark = strstr(format, "%q");
    if (mark == NULL)
        log->fraction = 0;
    log->before = mark ? apr_pstrmemdup(p, format, (apr_size_t)(mark - format)) : format;
    log->after = mark ? apr_pstrdup(p, mark + 2) : "";
}

jk_logfile *jk_logfile_open(apr_pool_t *p, server_rec *s, const char *name, const char **why)
{
    jk_logfile *log = apr_pcalloc(p, sizeof *log);
    apr_status_t rv;
    char text[120];

    log->name = name;
    log->s = s;
    if (*name == '|') {
        piped_log *pipe = ap_open_piped_log(p, name + 1);
        log->file = pipe ? ap_piped_log_write_fd(pipe) : NULL;
        *why = "the program could not be started";
    } else {
        const char *path = ap_server_root_relative(p, name);
        rv = apr_file_open(&log->file, path ? path : name, APR_WRITE | APR_APPEND | APR_CREATE | APR_LARGEFILE,
                           APR_UREAD | APR_UWRITE | APR_GREAD | APR_WREAD, p);
        if (rv != APR_SUCCESS) {
            *why = apr_pstrdup(p, apr_strerror(rv, text, sizeof text));
            log->file = NULL;
        }
    }
    if (log->file == NULL)
        return NULL;
    apr_file_inherit_unset(log->file);
    return log;
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

static void emit(const jk_logfile *log, jk_log_level level, const line *l, size_t stamp_len)
{
    int fd;

    if (log && apr_os_file_get(&fd, log->file) == APR_SUCCESS && write(fd, l->text, l->len) == (ssize_t)l->len)
        return;
    /* The logger is gone or the disk is full: httpd's own log is the next best place. */
    if (level >= JK_LOG_WARN)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, log ? log->s : NULL, "%.*s", (int)(l->len - stamp_len - 1), l->text + stamp_len);
}

/* The id of a request: the configured variable, UNIQUE_ID, or NO-ID. */
static const char *id_of(request_rec *r)
{
    const jk_server *conf = jk_config_of(r->server);
    const char *id = conf->request_id_env ? apr_table_get(r->subprocess_env, conf->request_id_env) : NULL;

    if (id == NULL || *id == '\0')
        id = apr_table_get(r->subprocess_env, "UNIQUE_ID");
    return id && *id ? id : "NO-ID";
}

static void write_line(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *text)
{
    const jk_logfile *file = log->sink;
    char part[160], tail[16] = "";
    line l = { .len = 0 };

    if (file)
        put_stamp(&l, file);
    size_t stamp_len = l.len;
    apr_snprintf(part, sizeof part, "[%.60s] [%d:%" APR_UINT64_T_FMT "] [%s] ", log->request_id ? log->request_id : id_of(log->about), (int)getpid(),
                 (apr_uint64_t)(uintptr_t)pthread_self(), levels[level]);
    put(&l, part);
    apr_snprintf(part, sizeof part, "%.60s::%.60s (%d): ", place->function, base_name(place->file), place->line);
    put(&l, part);
    if (id)
        apr_snprintf(tail, sizeof tail, " [JK%04u]", id);
    put_escaped(&l, text, LINE_MOST - 1 - strlen(tail)); /* the id survives the cut */
    put(&l, tail);
    put(&l, "\n");
    emit(file, level, &l, stamp_len);
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
