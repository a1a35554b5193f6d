/* tools/jkconf_read.c - one pass over the lines; a section is one call of read_block(). Errors are told in httpd's words, and reading goes on
 * behind them: httpd ends with the first, and who mends a file wants them all. */
#include "jkconf_read.h"

#include <ap_config.h>
#include <ap_release.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define INCLUDES_MOST 20  /* deep, as httpd has it */
#define SECTIONS_MOST 100 /* deep */
#define LINES_MOST 2000000
#define FILES_MOST 20000
#define FILE_MOST (16 * 1024 * 1024)
#define NAME_MOST 60      /* bytes of a name in a message */

/* A file, and where in it. */
typedef struct spot {
    jkconf_reader *r;
    const char *name, *at, *end;
    int line, deep;
} spot;

/* Where the next node goes. */
typedef struct place {
    ap_directive_t *parent, **slot;
} place;

static void read_block(spot *s, place *to, const char *name, int opened);

/* ---- lines ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The length of the physical line without its end; *joins: it goes on in the next. */
static size_t measure(const char *at, const char *end, bool *joins)
{
    const char *nl = memchr(at, '\n', (size_t)(end - at));
    size_t n = (size_t)((nl ? nl : end) - at);

    if (nl && n > 0 && at[n - 1] == '\r')
        n--;
    *joins = nl && n > 0 && at[n - 1] == '\\';
    return n - *joins;
}

/* The end of the line that is joined of several, and their number. */
static const char *end_of(const spot *s, int *lines)
{
    const char *at = s->at;
    bool joins = true;

    for (*lines = 0; joins && at < s->end; ++*lines) {
        const char *nl = memchr(at, '\n', (size_t)(s->end - at));
        measure(at, s->end, &joins);
        at = nl ? nl + 1 : s->end;
    }
    return at;
}

/* The next line, joined and without blanks around it; NULL: there is none. */
static char *next_line(spot *s)
{
    int lines;
    const char *until = end_of(s, &lines);
    char *line = apr_palloc(s->r->p, (apr_size_t)(until - s->at) + 1), *to = line;

    if (s->at == s->end || (s->r->lines += lines) > LINES_MOST)
        return NULL;
    for (; lines > 0; lines--, s->line++) {
        bool joins;
        size_t n = strnlen(s->at, measure(s->at, s->end, &joins));
        const char *nl = memchr(s->at, '\n', (size_t)(s->end - s->at));
        memcpy(to, s->at, n);
        to += n;
        s->at = nl ? nl + 1 : s->end;
    }
    while (to > line && is_blank(to[-1]))
        to--;
    *to = '\0';
    return line + strspn(line, " \t\r\f\v");
}

/* `\\` and a quote behind a backslash stand for themselves; any other backslash stays. */
static char *unquoted(apr_pool_t *p, const char *from, size_t n, char quote)
{
    char *out = apr_palloc(p, n + 1), *to = out;

    for (size_t i = 0; i < n; i++) {
        if (from[i] == '\\' && i + 1 < n && (from[i + 1] == '\\' || (quote && from[i + 1] == quote)))
            i++;
        *to++ = from[i];
    }
    *to = '\0';
    return out;
}

char *jkconf_read_word(apr_pool_t *p, const char **line)
{
    const char *at = *line, *end;
    char quote = 0, *word;

    while (apr_isspace(*at))
        at++;
    if (*at == '"' || *at == '\'') {
        quote = *at++;
        for (end = at; *end && *end != quote; end++)
            if (*end == '\\' && end[1] && (end[1] == '\\' || end[1] == quote))
                end++;
    } else {
        for (end = at; *end && !apr_isspace(*end); end++)
            ;
    }
    word = unquoted(p, at, (size_t)(end - at), quote);
    if (quote && *end == quote)
        end++;
    while (apr_isspace(*end))
        end++;
    *line = end;
    return word;
}

/* ---- words and names ---- */

static void fault(spot *s, int line, const char *text)
{
    jk_findings_add(s->r->found, JK_FIND_ERROR, s->name, line, "%s", text);
}

static void doubt(spot *s, int line, const char *text)
{
    APR_ARRAY_PUSH(s->r->doubts, const char *) = apr_psprintf(s->r->p, "%s:%d: %s", s->name, line, text);
}

/* A file's own words in a message, bounded. */
static const char *quoted(spot *s, const char *word)
{
    return apr_pstrndup(s->r->p, word, NAME_MOST);
}

static const char *value_of(jkconf_reader *r, const char *name)
{
    const char *value = apr_table_get(r->defines, name);

    return value ? value : getenv(name);
}

char *jkconf_read_resolved(jkconf_reader *r, const char *text, const ap_directive_t *at)
{
    char *done = apr_pstrdup(r->p, "");
    const char *mark, *end;

    while ((mark = strstr(text, "${")) != NULL && (end = strchr(mark, '}')) != NULL) {
        const char *name = apr_pstrmemdup(r->p, mark + 2, (apr_size_t)(end - mark - 2)), *value = value_of(r, name);
        if (value == NULL && strchr(name, ':') == NULL && at)
            jk_findings_add(r->found, JK_FIND_WARN, at->filename, at->line_num, "Config variable ${%.*s} is not defined", NAME_MOST, name);
        if (value == NULL)
            value = apr_pstrmemdup(r->p, mark, (apr_size_t)(end + 1 - mark));
        done = apr_pstrcat(r->p, done, apr_pstrmemdup(r->p, text, (apr_size_t)(mark - text)), value, NULL);
        text = end + 1;
    }
    return apr_pstrcat(r->p, done, text, NULL);
}

char *jkconf_read_path(apr_pool_t *p, const char *root, const char *path)
{
    char *whole = NULL;
    apr_status_t rv = apr_filepath_merge(&whole, root, path, APR_FILEPATH_TRUENAME, p);

    if (whole && (rv == APR_SUCCESS || APR_STATUS_IS_EPATHWILD(rv) || APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ENOTDIR(rv)))
        return whole;
    return NULL;
}

static bool exists(const char *pattern)
{
    glob_t hits;
    bool any = glob(pattern, GLOB_NOSORT, NULL, &hits) == 0;

    if (any)
        globfree(&hits);
    return any;
}

char *jkconf_read_below(jkconf_reader *r, const char *path)
{
    char *usual = jkconf_read_path(r->p, r->root, path), *other = r->beside ? jkconf_read_path(r->p, r->beside, path) : NULL;

    return usual && other && !exists(usual) && exists(other) ? other : usual;
}

/* "/etc/httpd" for /etc/httpd/conf/httpd.conf, "/etc/apache2" for /etc/apache2/apache2.conf. */
static const char *place_of(apr_pool_t *p, const char *path)
{
    char *whole = realpath(path, NULL), *slash = whole ? strrchr(whole, '/') : NULL, *root = NULL;

    if (slash > whole) {
        *slash = '\0';
        slash = strrchr(whole, '/');
        if (slash > whole && strcmp(slash, "/conf") == 0)
            *slash = '\0';
        root = apr_pstrdup(p, whole);
    }
    free(whole);
    return root;
}

bool jkconf_read_is(const ap_directive_t *node, const char *name)
{
    return strcasecmp(node->directive, name) == 0;
}

const char *jkconf_read_section(apr_pool_t *p, const ap_directive_t *node)
{
    const char *end = strrchr(node->args, '>');

    return end ? apr_pstrmemdup(p, node->args, (apr_size_t)(end - node->args)) : node->args;
}

/* ---- conditions ---- */

static bool has_module(jkconf_reader *r, const char *name)
{
    return apr_table_get(r->modules, name) != NULL;
}

void jkconf_read_module(jkconf_reader *r, const char *name)
{
    static const char *const mpms[] = { "event", "worker", "prefork" };
    char *base = apr_pstrdup(r->p, strncmp(name, "mod_", 4) == 0 ? name + 4 : name), *end = strstr(base, "_module");

    if (end == NULL)
        end = strstr(base, ".c");
    if (end)
        *end = '\0';
    apr_table_setn(r->modules, apr_pstrcat(r->p, base, "_module", NULL), "");
    apr_table_setn(r->modules, apr_pstrcat(r->p, "mod_", base, ".c", NULL), "");
    for (size_t i = 0; i < sizeof mpms / sizeof mpms[0]; i++)
        if (strcmp(base, apr_pstrcat(r->p, "mpm_", mpms[i], NULL)) == 0)
            apr_table_setn(r->modules, apr_pstrcat(r->p, mpms[i], ".c", NULL), "");
}

void jkconf_read_define(jkconf_reader *r, const char *text)
{
    const char *value = strchr(text, '=');

    apr_table_set(r->defines, value ? apr_pstrmemdup(r->p, text, (apr_size_t)(value - text)) : text, value ? value + 1 : "");
}

/* Of httpd that this was built with: which one will read the file nobody can know. */
static bool version_is(spot *s, const char *op, const char *version)
{
    static const int ours[3] = { AP_SERVER_MAJORVERSION_NUMBER, AP_SERVER_MINORVERSION_NUMBER, AP_SERVER_PATCHLEVEL_NUMBER };
    int differs = 0;

    if (strchr(op, '~') || *version == '/' || !apr_isdigit(*version)) {
        doubt(s, s->line, "<IfVersion> with a pattern is taken as not fulfilled");
        return false;
    }
    for (int i = 0; i < 3 && differs == 0; i++) {
        char *end;
        long n = strtol(version, &end, 10);
        differs = ours[i] < n ? -1 : ours[i] > n;
        version = *end == '.' ? end + 1 : end;
    }
    return strcmp(op, "<") == 0 ? differs < 0 : strcmp(op, "<=") == 0 ? differs <= 0 : strcmp(op, ">") == 0 ? differs > 0 :
           strcmp(op, ">=") == 0 ? differs >= 0 : differs == 0;
}

static bool is_there(spot *s, const char *path)
{
    char *whole = jkconf_read_below(s->r, path);
    apr_finfo_t info;

    return whole && apr_stat(&info, whole, APR_FINFO_TYPE, s->r->p) == APR_SUCCESS;
}

/* Is it a section that stands for its lines or for nothing? *holds says which; *unsure: nobody can know without httpd. */
static bool is_condition(spot *s, const char *name, const char *args, bool *holds, bool *unsure)
{
    const char *at = args;
    char *word = jkconf_read_resolved(s->r, jkconf_read_word(s->r->p, &at), NULL);
    bool negated = *word == '!';

    word += negated;
    *unsure = false;
    if (strcasecmp(name, "IfDefine") == 0) {
        *holds = apr_table_get(s->r->defines, word) != NULL;
    } else if (strcasecmp(name, "IfModule") == 0) {
        *holds = has_module(s->r, word);
        *unsure = !*holds;
    } else if (strcasecmp(name, "IfFile") == 0) {
        *holds = is_there(s, word);
    } else if (strcasecmp(name, "IfVersion") == 0) {
        bool alone = apr_isdigit(*word);
        *holds = version_is(s, alone ? "=" : word, alone ? word : at);
    } else if (strcasecmp(name, "IfDirective") == 0 || strcasecmp(name, "IfSection") == 0) {
        *holds = true;
        *unsure = strncasecmp(word, "Jk", 2) != 0;
    } else {
        return false;
    }
    *holds ^= negated;
    return true;
}

/* ---- sections ---- */

/* "Name" of "<Name args>". */
static char *section_name(apr_pool_t *p, const char *line)
{
    const char *at = line + 1;
    size_t n = strcspn(at, " \t>");

    return apr_pstrmemdup(p, at, n);
}

static bool ends(spot *s, const char *line, const char *name)
{
    char *word = section_name(s->r->p, line + 1);

    if (name == NULL)
        fault(s, s->line, apr_psprintf(s->r->p, "</%s> without matching <%s> section", quoted(s, word), quoted(s, word)));
    else if (strcasecmp(word, name) != 0)
        fault(s, s->line, apr_psprintf(s->r->p, "Expected </%s> but saw </%s>", quoted(s, name), quoted(s, word)));
    return name != NULL;
}

static void not_closed(spot *s, const char *name, int opened)
{
    fault(s, opened, apr_psprintf(s->r->p, "<%s> was not closed.", quoted(s, name)));
}

/* Lines that count for nothing. True: something of ours is among them. */
static bool skip_block(spot *s, const char *name, int opened)
{
    bool ours = false;
    char *line;

    if (++s->deep > SECTIONS_MOST)
        s->at = s->end;
    while ((line = next_line(s)) != NULL) {
        if (*line == '<' && line[1] == '/') {
            ends(s, line, name);
            s->deep--;
            return ours;
        }
        ours |= strncasecmp(line, "Jk", 2) == 0 || strncasecmp(line, "Include", 7) == 0 || strncasecmp(line, "<VirtualHost", 12) == 0;
        if (*line == '<')
            ours |= skip_block(s, section_name(s->r->p, line), s->line);
    }
    s->deep--;
    not_closed(s, name, opened);
    return ours;
}

static ap_directive_t *add_node(spot *s, place *to, const char *name, const char *args)
{
    ap_directive_t *node = apr_pcalloc(s->r->p, sizeof *node);

    node->directive = name;
    node->args = args;
    node->filename = s->name;
    node->line_num = s->line;
    node->parent = to->parent;
    *to->slot = node;
    to->slot = &node->next;
    return node;
}

static void take_condition(spot *s, place *to, const char *name, const char *args, bool holds, bool unsure)
{
    int opened = s->line;
    bool ours = true;

    if (holds)
        read_block(s, to, name, opened);
    else
        ours = skip_block(s, name, opened);
    if (unsure && ours)
        doubt(s, opened, apr_psprintf(s->r->p, "<%s %s> is taken as %sfulfilled: only httpd knows%s", name, quoted(s, args), holds ? "" : "not ",
                                      strcasecmp(name, "IfModule") == 0 ? "; no LoadModule has brought it (--module NAME says that it is there)" :
                                      ""));
}

static void open_section(spot *s, place *to, const char *line)
{
    const char *name = section_name(s->r->p, line), *close = strrchr(line, '>');
    const char *args = line + 1 + strlen(name);
    bool holds, unsure;
    ap_directive_t *node;

    while (is_blank(*args))
        args++;
    if (close == NULL) {
        fault(s, s->line, apr_psprintf(s->r->p, "<%s> directive missing closing '>'", quoted(s, name)));
        close = line + strlen(line);
    }
    if (is_condition(s, name, args < close ? apr_pstrmemdup(s->r->p, args, (apr_size_t)(close - args)) : "", &holds, &unsure)) {
        take_condition(s, to, name, args < close ? apr_pstrmemdup(s->r->p, args, (apr_size_t)(close - args)) : "", holds, unsure);
        return;
    }
    if (strcasecmp(name, "Macro") == 0) {
        int opened = s->line;
        if (skip_block(s, name, opened))
            doubt(s, opened, "<Macro> is not expanded: what Use makes of it is not looked at");
        return;
    }
    node = add_node(s, to, apr_pstrcat(s->r->p, "<", name, NULL), args);
    read_block(s, &(place){ node, &node->first_child }, name, s->line);
}

/* ---- Include ---- */

static place behind(ap_directive_t *parent, ap_directive_t **slot)
{
    while (*slot)
        slot = &(*slot)->next;
    return (place){ parent, slot };
}

static bool include_one(jkconf_reader *r, const char *path, place *to, const spot *from);

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All that lies in a directory, by name. */
static void include_directory(jkconf_reader *r, const char *path, place *to, const spot *from)
{
    apr_array_header_t *names = apr_array_make(r->p, 8, sizeof(const char *));
    apr_finfo_t info;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, path, r->p) != APR_SUCCESS)
        return;
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS)
        if (strcmp(info.name, ".") != 0 && strcmp(info.name, "..") != 0)
            APR_ARRAY_PUSH(names, const char *) = apr_pstrcat(r->p, path, "/", info.name, NULL);
    apr_dir_close(dir);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *), by_name);
    for (int i = 0; i < names->nelts; i++)
        include_one(r, APR_ARRAY_IDX(names, i, const char *), to, from);
}

/* The bytes of a regular file; NULL: *why says it. */
static char *bytes_of(apr_pool_t *p, const char *path, size_t *len, const char **why)
{
    char words[120], *bytes = NULL;
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t got = 0;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE | APR_FINFO_SIZE, p);

    *why = "it is no regular file, or too large";
    if (rv == APR_SUCCESS && (info.filetype != APR_REG || info.size > FILE_MOST))
        return NULL;
    if (rv == APR_SUCCESS && (rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p)) == APR_SUCCESS) {
        bytes = apr_palloc(p, (apr_size_t)info.size + 1);
        apr_file_read_full(file, bytes, (apr_size_t)info.size, &got);
        apr_file_close(file);
        bytes[got] = '\0';
        *len = got;
        *why = "it has NUL bytes, so it is no configuration";
        return memchr(bytes, '\0', got) ? NULL : bytes;
    }
    *why = apr_pstrdup(p, apr_strerror(rv, words, sizeof words));
    return NULL;
}

static bool include_one(jkconf_reader *r, const char *path, place *to, const spot *from)
{
    const char *why = "", *at = from ? from->name : path;
    int line = from ? from->line : 0;
    spot s = { r, path, NULL, NULL, 0, from ? from->deep : 0 };
    apr_finfo_t info;
    size_t len = 0;

    if (from && apr_stat(&info, path, APR_FINFO_TYPE, r->p) == APR_SUCCESS && info.filetype == APR_DIR) {
        if (++r->depth <= INCLUDES_MOST)
            include_directory(r, path, to, from);
        r->depth--;
        return true;
    }
    if (++r->files > FILES_MOST) {
        jk_findings_add(r->found, JK_FIND_ERROR, at, line, "more than %d files are included: this is no configuration", FILES_MOST);
        return false;
    }
    if (r->depth >= INCLUDES_MOST) {
        jk_findings_add(r->found, JK_FIND_ERROR, at, line, "Exceeded maximum include depth of %d, There appears to be a recursion.", INCLUDES_MOST);
        return false;
    }
    s.at = bytes_of(r->p, path, &len, &why);
    if (s.at == NULL) {
        jk_findings_add(r->found, JK_FIND_ERROR, at, line, "Could not open configuration file %s: %s", path, why);
        return false;
    }
    s.end = s.at + len;
    r->depth++;
    read_block(&s, to, NULL, 0);
    r->depth--;
    return true;
}

static bool has_wildcard(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

static void include_all(spot *s, place *to, const char *pattern, bool optional)
{
    glob_t found;
    const char *slash = strrchr(pattern, '/');

    if (glob(pattern, 0, NULL, &found) != 0) {
        if (!optional)
            fault(s, s->line, apr_psprintf(s->r->p, "Include/IncludeOptional: No matches for the wildcard '%s' in '%.*s', failing",
                                           slash ? slash + 1 : pattern, slash ? (int)(slash - pattern) : 0, pattern));
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        include_one(s->r, apr_pstrdup(s->r->p, found.gl_pathv[i]), to, s);
    globfree(&found);
}

static void include(spot *s, place *to, const char *args, bool optional)
{
    ap_directive_t here = { .filename = s->name, .line_num = s->line };
    const char *at = args;
    char *path = jkconf_read_below(s->r, jkconf_read_resolved(s->r, jkconf_read_word(s->r->p, &at), &here));
    apr_finfo_t info;

    if (*args == '\0')
        fault(s, s->line, apr_psprintf(s->r->p, "%s takes one argument", optional ? "IncludeOptional" : "Include"));
    else if (path == NULL)
        fault(s, s->line, apr_psprintf(s->r->p, "Invalid Include path %s", quoted(s, args)));
    else if (has_wildcard(path))
        include_all(s, to, path, optional);
    else if (!optional || apr_stat(&info, path, APR_FINFO_TYPE, s->r->p) == APR_SUCCESS)
        include_one(s->r, path, to, s);
}

/* ---- directives that are carried out while reading ---- */

static bool is_carried_out(spot *s, place *to, const char *name, const char *args)
{
    jkconf_reader *r = s->r;
    const char *at = args;
    char *first = jkconf_read_resolved(r, jkconf_read_word(r->p, &at), NULL);

    if (strcasecmp(name, "Include") == 0 || strcasecmp(name, "IncludeOptional") == 0) {
        if (!r->shallow)
            include(s, to, args, strlen(name) > 7);
        return true;
    }
    if (strcasecmp(name, "Define") == 0)
        apr_table_set(r->defines, first, *at ? jkconf_read_resolved(r, jkconf_read_word(r->p, &at), NULL) : "");
    else if (strcasecmp(name, "UnDefine") == 0)
        apr_table_unset(r->defines, first);
    else if (strcasecmp(name, "LoadModule") == 0)
        jkconf_read_module(r, first);
    else if (strcasecmp(name, "ServerRoot") == 0 && *first)
        r->root = first, r->beside = NULL;
    else if (strcasecmp(name, "Use") == 0)
        doubt(s, s->line, apr_psprintf(r->p, "Use %s: macros are not expanded here", quoted(s, args)));
    return false;
}

static void read_block(spot *s, place *to, const char *name, int opened)
{
    char *line;

    if (++s->deep > SECTIONS_MOST) {
        fault(s, s->line, "more sections in one another than can be read");
        s->at = s->end;
    }
    while ((line = next_line(s)) != NULL) {
        const char *args = line;
        if (*line == '#' || *line == '\0')
            continue;
        if (*line == '<' && line[1] == '/') {
            if (ends(s, line, name))
                break;
            continue;
        }
        if (*line == '<') {
            open_section(s, to, line);
            continue;
        }
        const char *word = jkconf_read_word(s->r->p, &args);
        if (*word && !is_carried_out(s, to, word, args))
            add_node(s, to, word, args);
    }
    s->deep--;
    if (line == NULL && name)
        not_closed(s, name, opened);
}

/* ---- from outside ---- */

jkconf_reader *jkconf_read_make(apr_pool_t *p, const char *root, jk_findings *found)
{
    static const char *const there[] = { "jk", "so", "core", "http", "unixd", "log_config", "logio", "watchdog", "version" };
    jkconf_reader *r = apr_pcalloc(p, sizeof *r);

    r->p = p;
    r->found = found;
    r->guesses = root == NULL;
    r->root = root ? root : HTTPD_ROOT;
    r->defines = apr_table_make(p, 8);
    r->modules = apr_table_make(p, 64);
    r->doubts = apr_array_make(p, 4, sizeof(const char *));
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        jkconf_read_module(r, there[i]);
    apr_table_setn(r->modules, "core.c", "");
    apr_table_setn(r->modules, "http_core.c", "");
    return r;
}

bool jkconf_read_file(jkconf_reader *r, const char *path, ap_directive_t **tree)
{
    place to = behind(NULL, tree);

    if (r->guesses && r->files == 0)
        r->beside = place_of(r->p, path);
    return include_one(r, path, &to, NULL);
}

void jkconf_read_text(jkconf_reader *r, const char *text, size_t len, const char *name, ap_directive_t **tree)
{
    place to = behind(NULL, tree);
    spot s = { r, name, text, text + len, 0, 0 };

    read_block(&s, &to, NULL, 0);
}
