/* native/status/write_prop.c - mime=prop: a property a line, as scripts have parsed it since 2003 (spec: status.md 8). Control characters
 * and backslashes are escaped as Java's properties have them: no value makes a line of its own. */
#include "formats.h"

#include <apr_strings.h>

/* What stands between the prefix and a field's name. */
typedef enum how {
    GLOBAL,   /* <prefix>.<word><field> */
    NAMED,    /* <prefix>.<name>.<field>, and its name as <prefix>.<word> */
    SELF,     /* the same, and its name as <prefix>.<name>.<word> */
    MEMBER,   /* the same, and its name as <prefix>.<name of the balancer>.<word> */
    NUMBERED, /* <prefix>.<name of the worker>.<word>.<id>.<field> */
    BARE      /* <field> */
} how;

static const struct {
    how how;
    const char *word;
} kinds[JK_ELEMENTS] = {
    [JK_EL_SERVER] = { GLOBAL, "server_" },  [JK_EL_TIME] = { GLOBAL, "time_" },      [JK_EL_SOFTWARE] = { GLOBAL, "" },
    [JK_EL_BALANCERS] = { GLOBAL, "lb_" },   [JK_EL_BALANCER] = { NAMED, "list" },    [JK_EL_MEMBER] = { MEMBER, "balance_workers" },
    [JK_EL_AJP_WORKERS] = { GLOBAL, "ajp_" }, [JK_EL_AJP] = { SELF, "list" },         [JK_EL_MAP] = { NUMBERED, "map" },
    [JK_EL_CONFIGURATION] = { BARE, "" },    [JK_EL_RESULT] = { GLOBAL, "result." },
};

static void put_escaped(jk_page *page, const char *s, bool key)
{
    for (; *s; s++) {
        if ((uint8_t)*s < ' ' || *s == 0x7f)
            jk_page_printf(page, "\\u%04x", (unsigned)(uint8_t)*s);
        else if (*s == '\\' || (key && (*s == '=' || *s == ':')))
            jk_page_printf(page, "\\%c", *s);
        else
            jk_page_bytes(page, s, 1);
    }
}

static void put_part(jk_page *page, const char *part)
{
    put_escaped(page, part, true);
    jk_page_put(page, ".");
}

/* The worker whose mount it is. */
static const jk_view_worker *owner(const jk_page *page)
{
    const jk_view_worker *w = jk_page_inside(page, JK_EL_BALANCER);

    return w ? w : jk_page_inside(page, JK_EL_AJP);
}

/* In front of a field of the innermost element. */
static void put_path(jk_page *page, jk_element element, const jk_show_field *field)
{
    const void *what = page->what[page->depth - 1];
    const jk_view_worker *w = what, *lb = jk_page_inside(page, JK_EL_BALANCER);

    switch (kinds[element].how) {
    case GLOBAL:
        jk_page_put(page, kinds[element].word);
        break;
    case NAMED:
        if (!(field->flags & JK_F_NAME))
            put_part(page, w->name);
        break;
    case MEMBER:
        put_part(page, field->flags & (JK_F_NAME | JK_F_PARENT) ? lb->name : w->name);
        break;
    case NUMBERED:
        put_part(page, owner(page)->name);
        jk_page_printf(page, "%s.%d.", kinds[element].word, (int)((const jk_view_map *)what)->id);
        break;
    default:
        put_part(page, w->name);
        break;
    }
}

void jk_write_prop_begin(jk_page *page)
{
    (void)page;
}

void jk_write_prop_open(jk_page *page, jk_element element, const void *what)
{
    (void)page;
    (void)element;
    (void)what;
}

void jk_write_prop_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value)
{
    bool name = field->flags & JK_F_NAME;

    if (name && kinds[element].how == NUMBERED)
        return;
    if (kinds[element].how != BARE) {
        put_part(page, page->conf->prefix);
        put_path(page, element, field);
    }
    put_escaped(page, name ? kinds[element].word : field->name, true);
    jk_page_put(page, "=");
    put_escaped(page, value->text, false);
    jk_page_put(page, "\n");
}

void jk_write_prop_body(jk_page *page, jk_element element)
{
    (void)page;
    (void)element;
}

void jk_write_prop_close(jk_page *page, jk_element element)
{
    (void)page;
    (void)element;
}

void jk_write_prop_end(jk_page *page)
{
    (void)page;
}
