/* native/status/formats.h - the functions of each format, for the table in render.c. The room's own. A new format: a file with these six,
 * a line here, a row there. */
#ifndef JK_STATUS_FORMATS_H
#define JK_STATUS_FORMATS_H

#include "jk/status/render.h"

#define JK_FORMAT_DECLARE(f)                                                                                                            \
    void jk_write_##f##_begin(jk_page *page);                                                                                           \
    void jk_write_##f##_open(jk_page *page, jk_element element, const void *what);                                                      \
    void jk_write_##f##_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value);                    \
    void jk_write_##f##_body(jk_page *page, jk_element element);                                                                        \
    void jk_write_##f##_close(jk_page *page, jk_element element);                                                                       \
    void jk_write_##f##_end(jk_page *page);

#define JK_FORMAT_FUNCTIONS(f)                                                                                                          \
    jk_write_##f##_begin, jk_write_##f##_open, jk_write_##f##_field, jk_write_##f##_body, jk_write_##f##_close, jk_write_##f##_end

JK_FORMAT_DECLARE(html)
JK_FORMAT_DECLARE(xml)
JK_FORMAT_DECLARE(txt)
JK_FORMAT_DECLARE(prop)
JK_FORMAT_DECLARE(json)
JK_FORMAT_DECLARE(openmetrics)

#endif
