/* native/status/write_json.c - mime=json: everything that is known, in the shape of docs/status-schema.json. jansson writes the text. */
#include "formats.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>

#define SHAPE 1 /* "version": of the shape; one more where something that is there is taken away or changes its meaning */

/* How an element lies in the one around it. */
static const struct {
    const char *name; /* NULL: it is not there itself, and what lies in it lies in the one around */
    bool many;        /* in an array of this name */
} kinds[JK_ELEMENTS] = {
    [JK_EL_SERVER] = { "server", false },      [JK_EL_TIME] = { "time", false },         [JK_EL_SOFTWARE] = { "software", false },
    [JK_EL_PROCESS] = { "process", false },    [JK_EL_CHANGES] = { "changes", false },   [JK_EL_PARKED] = { "parked", false },
    [JK_EL_KEYS_LB] = { "lb", false },         [JK_EL_KEYS_MEMBER] = { "member", false }, [JK_EL_KEYS_AJP] = { "ajp", false },
    [JK_EL_BALANCERS] = { NULL, false },       [JK_EL_BALANCER] = { "balancers", true }, [JK_EL_MEMBER] = { "members", true },
    [JK_EL_AJP_WORKERS] = { NULL, false },     [JK_EL_AJP] = { "ajp_workers", true },    [JK_EL_EDIT] = { "edits", true },
    [JK_EL_MAP] = { "maps", true },            [JK_EL_FINDINGS] = { NULL, false },       [JK_EL_FINDING] = { "findings", true },
    [JK_EL_SHARE] = { "processes", true },
    [JK_EL_CONFIGURATION] = { "configuration", false }, [JK_EL_RESULT] = { "result", false },
};

/* Arrays that are there even where they are empty. */
static const char *const arrays[JK_ELEMENTS][3] = {
    [JK_EL_BALANCERS] = { "balancers" }, [JK_EL_AJP_WORKERS] = { "ajp_workers" },       [JK_EL_FINDINGS] = { "findings" },
    [JK_EL_MEMBER] = { "edits", "processes" }, [JK_EL_BALANCER] = { "members", "maps", "edits" }, [JK_EL_AJP] = { "maps", "edits", "processes" },
};

/* The objects that are open, the outermost first; they belong to the one around them, the first to nobody but us. */
typedef struct stack {
    json_t *objects[10];
    int depth;
} stack;

static json_t *top(jk_page *page)
{
    stack *s = page->own;

    return s->objects[s->depth - 1];
}

/* JSON is UTF-8: bytes that are none become U+FFFD. */
static const char *clean(jk_page *page, const char *s)
{
    char *out = apr_palloc(page->p, 3 * strlen(s) + 1);
    size_t n = 0, k;

    for (; *s; s += k ? k : 1, n += k ? k : 3) {
        k = jk_page_utf8(s);
        memcpy(out + n, k ? s : "\xEF\xBF\xBD", k ? k : 3);
    }
    out[n] = '\0';
    return out;
}

static json_t *push(jk_page *page, json_t *object)
{
    stack *s = page->own;

    s->objects[s->depth++] = object;
    return object;
}


static json_t *array_of(json_t *object, const char *name)
{
    json_t *array = json_object_get(object, name);

    if (array == NULL)
        json_object_set_new(object, name, array = json_array());
    return array;
}

void jk_write_json_begin(jk_page *page)
{
    json_t *root = json_object();

    page->own = apr_pcalloc(page->p, sizeof(stack));
    push(page, root);
    json_object_set_new(root, "version", json_integer(SHAPE));
}

void jk_write_json_open(jk_page *page, jk_element element, const void *what)
{
    const char *name = kinds[element].name;
    json_t *around = top(page), *object;

    (void)what;
    if (name == NULL) {
        push(page, around);
        return;
    }
    object = json_object();
    if (kinds[element].many)
        json_array_append_new(array_of(around, name), object);
    else
        json_object_set_new(around, name, object);
    push(page, object);
}

void jk_write_json_field(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value)
{
    json_t *one = value->is == JK_SHOWN_NUMBER ? json_integer(value->number) : value->is == JK_SHOWN_FLAG ? json_boolean(value->number) :
                  json_string(clean(page, value->text));

    (void)element;
    json_object_set_new(top(page), clean(page, field->name), one);
}

void jk_write_json_body(jk_page *page, jk_element element)
{
    for (int i = 0; i < 3 && arrays[element][i]; i++)
        (void)array_of(top(page), arrays[element][i]);
}

void jk_write_json_close(jk_page *page, jk_element element)
{
    stack *s = page->own;

    (void)element;
    s->depth--;
}

static int put(const char *bytes, size_t n, void *page)
{
    jk_page_bytes(page, bytes, n);
    return 0;
}

void jk_write_json_end(jk_page *page)
{
    json_t *root = top(page);

    (void)json_dump_callback(root, put, page, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    jk_page_put(page, "\n");
    json_decref(root);
}
