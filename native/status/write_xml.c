/* native/status/write_xml.c - mime=xml: an attribute a line, as scripts have parsed it since 2003, but now always well-formed (spec: status.md 6). */
#include "formats.h"

#include <apr_hash.h>
#include <apr_strings.h>

#define BAD "\xEF\xBF\xBD" /* U+FFFD: for what no XML can hold */

static const struct {
    const char *indent;
    bool holds; /* other elements lie in it */
} kinds[JK_ELEMENTS] = {
    [JK_EL_SERVER] = { "", false },      [JK_EL_TIME] = { "", false },          [JK_EL_SOFTWARE] = { "", false },
    [JK_EL_BALANCERS] = { "", true },    [JK_EL_BALANCER] = { "  ", true },     [JK_EL_MEMBER] = { "      ", false },
    [JK_EL_AJP_WORKERS] = { "", true },  [JK_EL_AJP] = { "  ", false },         [JK_EL_MAP] = { "      ", false },
    [JK_EL_RESULT] = { "  ", false },    [JK_EL_CONFIGURATION] = { "  ", false },
};

static const char *escape_of(char c)
{
    switch (c) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\'': return "&apos;";
    case '\t': return "&#9;";
    case '\n': return "&#10;";
    case '\r': return "&#13;";
    default: return NULL;
    }
}

/* U+FFFE and U+FFFF are characters of UTF-8, and none of XML. */
static bool is_no_character(const char *s, size_t n)
{
    return n == 3 && memcmp(s, "\xEF\xBF", 2) == 0 && (uint8_t)s[2] >= 0xBE;
}

static void put_escaped(jk_page *page, const char *s)
{
    for (size_t n; *s; s += n ? n : 1) {
        const char *escape = escape_of(*s);
        n = jk_page_utf8(s);
        if (escape)
            jk_page_put(page, escape);
        else if (n == 0 || (uint8_t)*s < ' ' || is_no_character(s, n))
            jk_page_put(page, BAD);
        else
            jk_page_bytes(page, s, n);
    }
}

/* ---- names ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A property's key is an attribute's name: what no name can have becomes a '_'. */
static char *name_of(apr_pool_t *p, const char *key)
{
    char *name = apr_pstrcat(p, is_letter(*key) ? "" : "_", key, NULL);

    for (char *c = name; *c; c++)
        if (!is_letter(*c) && !(*c >= '0' && *c <= '9') && *c != '.' && *c != '-')
            *c = '_';
    return name;
}

/* No element has two attributes of one name. */
static const char *attribute(jk_page *page, const char *key)
{
    apr_hash_t *seen = page->own;
    const char *stem = name_of(page->p, key), *name = stem;

    for (int i = 2; apr_hash_get(seen, name, APR_HASH_KEY_STRING); i++)
        name = apr_psprintf(page->p, "%s_%d", stem, i);
    apr_hash_set(seen, name, APR_HASH_KEY_STRING, name);
    return name;
}

/* ---- the format ---- */

void jk_write_xml_begin(jk_page *page)
{
    const jk_worker_conf *conf = page->conf;

    jk_page_put(page, "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n");
    if (*conf->doctype)
        jk_page_printf(page, "%s\n", conf->doctype);
    jk_page_printf(page, "<%sstatus\n%s%s>\n", conf->ns, *conf->xmlns ? "  " : "", conf->xmlns);
}

void jk_write_xml_open(jk_page *page, jk_element element, const void *what)
{
    (void)what;
    page->own = apr_hash_make(page->p);
    jk_page_printf(page, "%s<%s%s\n", kinds[element].indent, page->conf->ns, jk_show_elements[element].name);
}

void jk_write_xml_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value)
{
    jk_page_printf(page, "%s  %s=\"", kinds[element].indent, attribute(page, field->name));
    put_escaped(page, value->text);
    jk_page_put(page, "\"\n");
}

void jk_write_xml_body(jk_page *page, jk_element element)
{
    jk_page_printf(page, "%s%s\n", kinds[element].indent, kinds[element].holds ? ">" : "/>");
}

void jk_write_xml_close(jk_page *page, jk_element element)
{
    if (kinds[element].holds)
        jk_page_printf(page, "%s</%s%s>\n", kinds[element].indent, page->conf->ns, jk_show_elements[element].name);
}

void jk_write_xml_end(jk_page *page)
{
    jk_page_printf(page, "</%sstatus>\n", page->conf->ns);
}
