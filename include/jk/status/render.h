/* include/jk/status/render.h - a view as text: one walk over it, and a row of functions for each format.
 *
 *   server  time  software  process  parked  balancers( balancer( edit* member*( edit* share* ) map* )* )
 *   ajp_workers( ajp( edit* share* ) map* )  findings( finding* )  configuration  result
 *
 * An element is opened, its fields are given one by one, its head ends (body), what lies in it follows, it is closed. Which fields an
 * element has, in which order, and for whom, stands in a table (native/status/fields.c). A format is a row of jk_formats: nothing else
 * in the walk asks for it. */
#ifndef JK_STATUS_RENDER_H
#define JK_STATUS_RENDER_H

#include "jk/status/ask.h"
#include "jk/status/view.h"

/* Whom a field or an element is for. */
enum {
    JK_TO_XML = 1,
    JK_TO_TXT = 2,
    JK_TO_PROP = 4,
    JK_TO_HTML = 8,
    JK_TO_JSON = 16,
    JK_TO_METRICS = 32,
    JK_TO_OLD = JK_TO_XML | JK_TO_TXT | JK_TO_PROP, /* what scripts have parsed since 2003: no field is added there */
    JK_TO_NEW = JK_TO_JSON | JK_TO_METRICS, /* JK_TO_HTML is in none: the page is no list of fields, and looks at the view itself */
    JK_TO_ALL = JK_TO_OLD | JK_TO_NEW
};

typedef enum jk_element {
    JK_EL_SERVER, /* jk_view_from */
    JK_EL_TIME,   /* jk_view, as those without a word */
    JK_EL_SOFTWARE, /* jk_view_from */
    JK_EL_PROCESS,  /* jk_view_from */
    JK_EL_CHANGES,  /* jk_view_from: what who wants to change something must send */
    JK_EL_KEYS_LB,  /* unsigned, JK_OF_: lies in it; its fields are the keys that can be changed, each with its parameter. So are the next */
    JK_EL_KEYS_MEMBER,
    JK_EL_KEYS_AJP,
    JK_EL_PARKED,   /* jk_view_parked */
    JK_EL_BALANCERS,
    JK_EL_BALANCER, /* jk_view_worker, and so are the next */
    JK_EL_MEMBER,
    JK_EL_AJP_WORKERS,
    JK_EL_AJP,
    JK_EL_EDIT,     /* jk_view_edit */
    JK_EL_SHARE,    /* jk_stat_share */
    JK_EL_MAP,      /* jk_view_map */
    JK_EL_FINDINGS,
    JK_EL_FINDING,  /* jk_view_finding */
    JK_EL_CONFIGURATION, /* its fields are the properties */
    JK_EL_RESULT,   /* jk_view_result */
    JK_ELEMENTS
} jk_element;

/* What came of a request, as it is shown. */
typedef struct jk_view_result {
    const char *type, *message; /* "OK", "ERROR" */
} jk_view_result;

/* What lies at a field's offset in its element. */
typedef enum jk_field_type { JK_F_I32, JK_F_I64, JK_F_U32, JK_F_U64, JK_F_BOOL, JK_F_TEXT, JK_F_CHARS } jk_field_type;

/* jk_show_field.flags */
enum {
    JK_F_QUOTED = 1,  /* in txt */
    JK_F_PARENT = 2,  /* in prop it stands under the balancer's name */
    JK_F_NAME = 4,    /* names the element: in prop it is the key's part, and not a field */
    JK_F_COUNTER = 8, /* only grows, until a reset */
    JK_F_GAUGE = 16,  /* goes up and down */
    JK_F_TUNE = 32    /* can be edited: name is that of conf/keys */
};

typedef struct jk_show_field {
    const char *name; /* NULL ends a table */
    unsigned to;      /* JK_TO_ */
    jk_field_type type;
    size_t offset, when; /* when: offset of an int64_t that must not be 0 for the field to be there; 0: always */
    unsigned flags;
    const char *help;
} jk_show_field;

typedef struct jk_show_element {
    const char *name;
    unsigned to;
    const jk_show_field *fields;
} jk_show_element;

extern const jk_show_element jk_show_elements[JK_ELEMENTS];

/* A value as the formats get it: `text` is as an administrator reads it, "True" and "False" where it is a flag; never NULL. */
typedef struct jk_shown {
    enum { JK_SHOWN_TEXT, JK_SHOWN_NUMBER, JK_SHOWN_FLAG } is;
    int64_t number; /* a flag's: 0 or 1 */
    const char *text;
} jk_shown;

/* What is being written. The walk fills the upper part; `own` is the format's. */
typedef struct jk_page {
    apr_pool_t *p;
    const jk_view *view; /* NULL: nothing was looked at, since the request was refused */
    const jk_ask *ask;
    const jk_result *result;
    const jk_worker_conf *conf; /* of the status worker */
    jk_element open[8];         /* the elements that are open, the outermost first */
    const void *what[8];        /* and what each shows */
    int depth;
    char *text; /* what was written; len bytes and a NUL */
    size_t len, cap;
    void *own;
} jk_page;

struct jk_format {
    const char *mime;  /* the word of ?mime=; NULL ends the table */
    const char *type;  /* Content-Type */
    unsigned audience; /* one of JK_TO_ */
    void (*begin)(jk_page *page);
    void (*open)(jk_page *page, jk_element element, const void *what);
    void (*field)(jk_page *page, jk_element element, const jk_show_field *field, const jk_shown *value);
    void (*body)(jk_page *page, jk_element element);
    void (*close)(jk_page *page, jk_element element);
    void (*end)(jk_page *page);
};

extern const jk_format jk_formats[];

/* NULL: there is none of this word. */
const jk_format *jk_render_format(const char *mime);

/* The answer, in p: of `view` what `ask` asks for, and the result. view may be NULL where the result is no success. */
jk_span jk_render(apr_pool_t *p, const jk_view *view, const jk_ask *ask, const jk_result *result, const jk_worker_conf *conf);

/* ---- for formats ---- */

/* Appends to the page. */
void jk_page_put(jk_page *page, const char *text);
void jk_page_bytes(jk_page *page, const char *text, size_t n);
void jk_page_printf(jk_page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What the element around the innermost open one shows, or that of a kind; NULL: none is open. */
const void *jk_page_inside(const jk_page *page, jk_element element);

/* The length of the character that begins at s, by UTF-8; 0: it is no valid one. NUL counts as none. */
size_t jk_page_utf8(const char *s);

#endif
