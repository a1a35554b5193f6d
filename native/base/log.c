/* native/base/log.c - formats a line on the stack and hands it to the sink. */
#include "jk/base/log.h"

#include <stdarg.h>
#include <stdio.h>

void jk_log_line(const jk_log *log, jk_log_level level, const jk_log_place *place, unsigned id, const char *fmt, ...)
{
    char text[4096]; /* a line has at most 4095 bytes (spec/decisions.md); the sink cuts with "..." */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log->write(log, level, place, id, text);
}
