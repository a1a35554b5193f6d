/* include/jk/base/log.h - the log as the rooms below see it: a level to compare with and a function to call.
 *
 * The sink is passed in; there is no log behind it here. Cellar rooms do not log at all: they return outcomes. A
 * warning and worse carries an id of its own, JK0102, never reused (tools/check-log-ids holds that); the message says
 * worker, what happened, why, and what to do. Below JK_LOG_WARN there is no id. The macros compare before they format, so a
 * line that is not wanted costs one load and one branch. */
#ifndef JK_BASE_LOG_H
#define JK_BASE_LOG_H

typedef enum jk_log_level {
    JK_LOG_TRACE,
    JK_LOG_DEBUG,
    JK_LOG_INFO,
    JK_LOG_WARN,
    JK_LOG_ERROR,
    JK_LOG_EMERG
} jk_log_level;

/* Where a line was written: static strings, as the preprocessor gives them. */
typedef struct jk_log_place {
    const char *function, *file;
    int line;
} jk_log_place;

typedef struct jk_log jk_log;
struct jk_log {
    jk_log_level level; /* lines below it are not wanted */
    /* Writes one line. `id` is 0 below JK_LOG_WARN. The text is UTF-8 or bytes; control characters are the sink's to escape. */
    void (*write)(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *text);
    const char *request_id; /* one of the fixed words POST_CONFIG, CHILD_INIT, WATCHDOG ..; NULL: that of `about` */
    void *about;            /* the request, as the sink knows it: its id is looked up only when a line is written */
    void *sink;             /* what `write` needs */
};

/* Formats and writes. Called by the macros only. */
void jk_log_line(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#define JK_LOG_WANTS(log, lvl) ((log)->level <= (lvl))
#define JK_LOG_AT(log, lvl, id, ...)                                                                  \
    do {                                                                                              \
        if (JK_LOG_WANTS(log, lvl)) {                                                                 \
            static const char jk_log_file_[] = __FILE__;                                              \
            const jk_log_place jk_log_place_ = { __func__, jk_log_file_, __LINE__ };                  \
            jk_log_line(log, lvl, &jk_log_place_, id, __VA_ARGS__);                                   \
        }                                                                                             \
    } while (0)
#define JK_TRACE(log, ...) JK_LOG_AT(log, JK_LOG_TRACE, 0, __VA_ARGS__)
#define JK_DEBUG(log, ...) JK_LOG_AT(log, JK_LOG_DEBUG, 0, __VA_ARGS__)
#define JK_INFO(log, ...) JK_LOG_AT(log, JK_LOG_INFO, 0, __VA_ARGS__)
#define JK_WARN(log, id, ...) JK_LOG_AT(log, JK_LOG_WARN, id, __VA_ARGS__)
#define JK_ERROR(log, id, ...) JK_LOG_AT(log, JK_LOG_ERROR, id, __VA_ARGS__)
#define JK_EMERG(log, id, ...) JK_LOG_AT(log, JK_LOG_EMERG, id, __VA_ARGS__)

#endif
