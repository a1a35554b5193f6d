/* native/status/write_txt.c - mime=txt: an object a line, key=value, as scripts have parsed it since 2003 (spec: status.md 7). A value
 * cannot end a line, nor the quotes around it. */
#include "formats.h"

static const struct {
    const char *label, *between; /* between: before each field */
} kinds[JK_ELEMENTS] = {
    [JK_EL_SERVER] = { "Server:", " " },
    [JK_EL_TIME] = { "Time:", " " },
    [JK_EL_SOFTWARE] = { "Software:", " " },
    [JK_EL_BALANCERS] = { "Balancer Workers:", " " },
    [JK_EL_BALANCER] = { "Balancer Worker:", " " },
    [JK_EL_MEMBER] = { "Member:", " " },
    [JK_EL_AJP_WORKERS] = { "AJP Workers:", " " },
    [JK_EL_AJP] = { "AJP Worker:", " " },
    [JK_EL_MAP] = { "Map:", " " },
    [JK_EL_CONFIGURATION] = { "Configuration:", "\n" },
    [JK_EL_RESULT] = { "Result:", " " },
};

/* Control characters as \x0a; inside of quotes they and backslashes as \" and \\ . */
static void put_escaped(jk_page *page, const char *s, bool quoted)
{
    for (; *s; s++) {
        if ((uint8_t)*s < ' ' || *s == 0x7f)
            jk_page_printf(page, "\\x%02x", (unsigned)(uint8_t)*s);
        else if (quoted && (*s == '"' || *s == '\\'))
            jk_page_printf(page, "\\%c", *s);
        else
            jk_page_bytes(page, s, 1);
    }
}

void jk_write_txt_begin(jk_page *page)
{
    (void)page;
}

void jk_write_txt_open(jk_page *page, jk_element element, const void *what)
{
    (void)what;
    jk_page_put(page, kinds[element].label);
}

void jk_write_txt_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value)
{
    bool quoted = field->flags & JK_F_QUOTED;

    jk_page_put(page, kinds[element].between);
    put_escaped(page, field->name, false);
    jk_page_put(page, quoted ? "=\"" : "=");
    put_escaped(page, value->text, quoted);
    if (quoted)
        jk_page_put(page, "\"");
}

void jk_write_txt_body(jk_page *page, jk_element element)
{
    (void)element;
    jk_page_put(page, "\n");
}

void jk_write_txt_close(jk_page *page, jk_element element)
{
    (void)page;
    (void)element;
}

void jk_write_txt_end(jk_page *page)
{
    (void)page;
}
