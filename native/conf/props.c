/* native/conf/props.c - takes lines apart, replaces $(macros), and remembers what went where, so that no secret gets out. */
#include "jk/conf/props.h"

#include "jk/conf/keys.h"

#include <apr_lib.h>
#include <apr_strings.h>

#define LINE_MOST 65536
#define MACROS_MOST 21 /* substitutions in one value, as the incumbent has it */
#define SHOWN_MOST 80

/* $(from) stands in the value of `into`; where `unknown` it stands for nothing. */
typedef struct use {
    const char *from, *into;
    const char *file;
    int line;
    bool unknown;
} use;

jk_props *jk_props_make(apr_pool_t *p, const char *(*env)(const char *name))
{
    jk_props *props = apr_palloc(p, sizeof *props);

    *props = (jk_props){ p, apr_array_make(p, 32, sizeof(jk_prop)), env, apr_hash_make(p), apr_array_make(p, 8, sizeof(use)) };
    return props;
}

const char *jk_props_get(const jk_props *props, const char *key)
{
    return apr_hash_get(props->now, key, APR_HASH_KEY_STRING);
}

static void keep(jk_props *props, const char *key, const char *value, const char *file, int line)
{
    const jk_key *row = jk_keys_of(key);
    const char *before = row && jk_keys_adds_up(row) ? jk_props_get(props, key) : NULL;

    APR_ARRAY_PUSH(props->all, jk_prop) = (jk_prop){ key, value, file, line };
    apr_hash_set(props->now, key, APR_HASH_KEY_STRING, before ? apr_pstrcat(props->p, before, ",", value, NULL) : value);
}

void jk_props_define(jk_props *props, const char *key, const char *value, const char *file)
{
    if (*value)
        keep(props, key, value, file, 0);
}

void jk_props_copy(jk_props *props, const jk_prop *of, const char *key)
{
    jk_prop copy = *of;

    copy.key = key;
    APR_ARRAY_PUSH(props->all, jk_prop) = copy;
}

static char *trim(char *s)
{
    char *end;

    while (apr_isspace(*s))
        s++;
    for (end = s + strlen(s); end > s && apr_isspace(end[-1]); end--)
        ;
    *end = '\0';
    return s;
}

/* What "$(name)" stands for: an earlier property, else the environment. NULL: nothing. */
static const char *meaning(jk_props *props, const char *name)
{
    const char *is = jk_props_get(props, name);

    return is || props->env == NULL ? is : props->env(name);
}

/* What stands for nothing stays as it is, and what was put in is not looked at again. */
static const char *with_macros(jk_props *props, jk_findings *found, const jk_prop *prop)
{
    const char *out = "", *from = prop->value, *open = strstr(from, "$("), *close;
    int n;

    for (n = 0; n < MACROS_MOST && open && (close = strchr(open, ')')) != NULL; n++, open = strstr(from, "$(")) {
        const char *name = apr_pstrmemdup(props->p, open + 2, (apr_size_t)(close - open - 2)), *is = meaning(props, name);
        APR_ARRAY_PUSH(props->uses, use) = (use){ name, prop->key, JK_PROP_AT(prop), is == NULL };
        if (is == NULL)
            is = apr_pstrmemdup(props->p, open, (apr_size_t)(close + 1 - open));
        out = apr_pstrcat(props->p, out, apr_pstrmemdup(props->p, from, (apr_size_t)(open - from)), is, NULL);
        from = close + 1;
        if (strlen(out) > LINE_MOST) { /* values that are made of each other may double with every line */
            jk_findings_add(found, JK_FIND_ERROR, JK_PROP_AT(prop), "the value of '%s' becomes too long; allowed: %d bytes", prop->key,
                            LINE_MOST);
            return "";
        }
    }
    if (n == MACROS_MOST && open && strchr(open, ')'))
        jk_findings_add(found, JK_FIND_WARN, JK_PROP_AT(prop), "'%s' has more than %d macros: the others stay as they are", prop->key,
                        MACROS_MOST);
    return apr_pstrcat(props->p, out, from, NULL);
}

/* Of a variable it may be meant: Java's own files have such lines. */
static void tell_empty(jk_findings *found, const jk_prop *prop)
{
    bool ours = strncmp(prop->key, "worker.", 7) == 0 || *prop->key == '/' || *prop->key == '!' || *prop->key == '-';

    if (*prop->key == '\0')
        jk_findings_add(found, JK_FIND_WARN, JK_PROP_AT(prop), "there is nothing before the '=': the line is ignored; allowed: KEY=VALUE");
    else
        jk_findings_add(found, ours ? JK_FIND_WARN : JK_FIND_INFO, JK_PROP_AT(prop),
                        "'%s' has no value and is ignored, as if the line were not there; write a value or remove the line", prop->key);
}

/* A tab is a blank. */
static void check_bytes(jk_findings *found, const jk_prop *prop)
{
    const char *c = prop->value;

    while (*c && (*c == '\t' || !apr_iscntrl(*c)))
        c++;
    if (*c)
        jk_findings_add(found, JK_FIND_LENIENT, JK_PROP_AT(prop), "there is a control character (0x%02x) in the value of '%s'; remove it",
                        (unsigned char)*c, prop->key);
}

static void take(jk_props *props, jk_findings *found, const jk_prop *prop)
{
    if (*prop->key == '\0' || *prop->value == '\0') {
        tell_empty(found, prop);
        return;
    }
    if (strchr(prop->key, '\r') || strchr(prop->value, '\r')) { /* not quoted: it may be a whole file, with its secrets */
        jk_findings_add(found, JK_FIND_LENIENT, JK_PROP_AT(prop), "there is a carriage return inside the line, and it is ignored; allowed at the "
                        "end of a line: LF or CR LF");
        return;
    }
    check_bytes(found, prop);
    const char *value = with_macros(props, found, prop);
    if (*value)
        keep(props, prop->key, value, JK_PROP_AT(prop));
}

/* Not more of the line than its first word: the rest might be a secret. A ':' or a blank may part them in Java's own files. */
static void tell_no_equals(jk_findings *found, char *text, const char *file, int line)
{
    size_t n = strcspn(text, " \t\r\n\v\f:=");
    bool ours = strncmp(text, "worker.", 7) == 0, more = text[n] != '\0';

    jk_findings_add(found, ours ? JK_FIND_LENIENT : JK_FIND_WARN, file, line, "'%.*s' has no '=' and is ignored; allowed: KEY=VALUE%s",
                    (int)(n < SHOWN_MOST ? n : SHOWN_MOST), text, more && ours ? ", neither a ':' nor a blank in place of the '='" : "");
}

static bool fits(jk_findings *found, size_t len, const char *file, int line)
{
    if (len <= LINE_MOST)
        return true;
    jk_findings_add(found, JK_FIND_ERROR, file, line, "the line has %" APR_SIZE_T_FMT " bytes; allowed: at most %d", len, LINE_MOST);
    return false;
}

void jk_props_line(jk_props *props, jk_findings *found, const char *text, const char *file, int line)
{
    char *copy = apr_pstrdup(props->p, text), *is = strchr(copy, '=');

    if (!fits(found, strlen(text), file, line))
        return;
    if (is == NULL) {
        tell_no_equals(found, trim(copy), file, line);
        return;
    }
    *is = '\0';
    take(props, found, &(jk_prop){ trim(copy), trim(is + 1), file, line });
}

/* Cuts a comment off the value, which begins right behind the '='. */
static void cut_comment(jk_findings *found, const char *key, char *value, const char *file, int line)
{
    const jk_key *row = jk_keys_of(key);

    for (char *hash = strchr(value, '#'); hash; hash = strchr(hash + 1, '#')) {
        bool after_blank = hash > value && apr_isspace(hash[-1]);
        if (!after_blank && row && (row->flags & JK_KEY_HASH))
            continue;
        if (!after_blank)
            jk_findings_add(found, JK_FIND_LENIENT, file, line,
                            "'#' inside the value of '%s' begins a comment: what follows it is cut off; put a blank before a comment", key);
        *hash = '\0';
        return;
    }
}

static void file_line(jk_props *props, jk_findings *found, char *text, const char *file, int line)
{
    char *body = trim(text), *is = strchr(body, '='), *hash = strchr(body, '#');

    if (hash && (is == NULL || hash < is)) {
        *hash = '\0';
        is = NULL;
    }
    if (is == NULL) {
        if (*trim(body))
            tell_no_equals(found, body, file, line);
        return;
    }
    *is = '\0';
    char *key = trim(body);
    cut_comment(found, key, is + 1, file, line);
    take(props, found, &(jk_prop){ key, trim(is + 1), file, line });
}

static bool begins(jk_span text, const char *bytes, size_t n)
{
    return text.len >= n && memcmp(text.p, bytes, n) == 0;
}

static void bytes_of_line(jk_props *props, jk_findings *found, jk_span line, const char *file, int number)
{
    if (!fits(found, line.len, file, number))
        return;
    if (line.len && memchr(line.p, 0, line.len))
        jk_findings_add(found, JK_FIND_ERROR, file, number, "the line holds a NUL byte: this is no text file, or it is in UTF-16");
    else
        file_line(props, found, apr_pstrmemdup(props->p, (const char *)line.p, line.len), file, number);
}

static bool ends_in_backslash(jk_span line)
{
    while (line.len && apr_isspace(line.p[line.len - 1]))
        line.len--;
    return line.len && line.p[line.len - 1] == '\\';
}

void jk_props_text(jk_props *props, jk_findings *found, jk_span text, const char *file)
{
    const uint8_t *p = text.p, *end = text.p + text.len;
    bool cut_off = false;

    if (begins(text, "\xFF\xFE", 2) || begins(text, "\xFE\xFF", 2)) {
        jk_findings_add(found, JK_FIND_ERROR, file, 1, "the file is in UTF-16; allowed: UTF-8 or ASCII");
        return;
    }
    if (begins(text, "\xEF\xBB\xBF", 3)) /* a byte order mark, from Windows editors */
        p += 3;
    for (int line = 1; p < end; line++) {
        const uint8_t *eol = memchr(p, '\n', (size_t)(end - p));
        jk_span one = { p, (size_t)((eol ? eol : end) - p) };
        if (cut_off && one.len && memchr(p, '=', one.len) == NULL) /* not quoted: it may be the rest of a secret */
            jk_findings_add(found, JK_FIND_WARN, file, line,
                            "the line has no '=' and is ignored: a '\\' at the end of a line joins no lines here");
        else
            bytes_of_line(props, found, one, file, line);
        cut_off = ends_in_backslash(one);
        if (eol == NULL)
            return;
        p = eol + 1;
    }
}

/* ---- what must not be shown ---- */

static bool is_in(apr_hash_t *set, const char *name)
{
    return apr_hash_get(set, name, APR_HASH_KEY_STRING) != NULL;
}

static void put_in(apr_hash_t *set, const char *name)
{
    apr_hash_set(set, name, APR_HASH_KEY_STRING, "");
}

/* Backwards: what hidden ones were made of. Forwards: what was made of hidden ones. Until nothing changes any more. */
static void spread(const jk_props *props, apr_hash_t *hidden, bool backwards)
{
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < props->uses->nelts; i++) {
            const use *u = &APR_ARRAY_IDX(props->uses, i, use);
            const char *known = backwards ? u->into : u->from, *other = backwards ? u->from : u->into;
            if (!is_in(hidden, known) || is_in(hidden, other))
                continue;
            put_in(hidden, other);
            more = true;
        }
    }
}

/* A name is hidden as a whole, all its values: coarse, and on the safe side. */
void jk_props_close(jk_props *props, jk_findings *found)
{
    apr_hash_t *hidden = apr_hash_make(props->p);

    for (int i = 0; i < props->all->nelts; i++) {
        const char *key = APR_ARRAY_IDX(props->all, i, jk_prop).key;
        const jk_key *row = jk_keys_of(key);
        if (row && (row->flags & JK_KEY_SECRET))
            put_in(hidden, key);
    }
    spread(props, hidden, true);
    spread(props, hidden, false);
    for (int i = 0; i < props->all->nelts; i++)
        APR_ARRAY_IDX(props->all, i, jk_prop).hidden = is_in(hidden, APR_ARRAY_IDX(props->all, i, jk_prop).key);
    for (int i = 0; i < props->uses->nelts; i++) {
        const use *u = &APR_ARRAY_IDX(props->uses, i, use);
        if (u->unknown && !is_in(hidden, u->into)) /* in a secret it may be a part of it */
            jk_findings_add(found, JK_FIND_WARN, JK_PROP_AT(u), "$(%.*s) in the value of '%s' is defined neither above nor in the "
                            "environment: it stays as it is", SHOWN_MOST, u->from, u->into);
    }
}

bool jk_props_used(const jk_props *props, const char *key)
{
    for (int i = 0; i < props->uses->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(props->uses, i, use).from, key) == 0)
            return true;
    return false;
}

const char *jk_props_shown(apr_pool_t *p, const jk_prop *prop, const char *word)
{
    if (prop->hidden)
        return "(hidden)";
    if (word == NULL)
        word = prop->value;
    return strlen(word) > SHOWN_MOST ? apr_psprintf(p, "%.*s...", SHOWN_MOST, word) : word;
}
