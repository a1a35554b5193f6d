/* tools/conf_find.c - lines of httpd.conf: joined, expanded, taken apart into words, and the few that are known acted on. */
#include "conf_find.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define NESTING_MOST 20
#define FILES_MOST 2000
#define TROUBLES_MOST 20
#define FILE_MOST (16 << 20)

typedef struct conf_reader {
    apr_pool_t *p;
    conf_found *found;
    apr_hash_t *defines; /* name -> value */
    const char *file;
    int line, depth, files;
    int skip; /* how many sections are open since one that is not in force, itself among them; 0: none */
} conf_reader;

/* ---- files ---- */

const char *conf_find_read(apr_pool_t *p, const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would keep us waiting for its writer */
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MOST) {
        close(fd);
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return NULL;
    }
    char *bytes = apr_palloc(p, (apr_size_t)st.st_size + 1);
    for (*len = 0; *len < (size_t)st.st_size && (n = read(fd, bytes + *len, (size_t)st.st_size - *len)) > 0;)
        *len += (size_t)n;
    bytes[*len] = 0;
    close(fd);
    return bytes;
}

static void trouble(conf_reader *r, const char *what)
{
    const char *at = r->file ? apr_psprintf(r->p, "%s:%d: ", r->file, r->line) : "";

    if (r->found->troubles->nelts < TROUBLES_MOST)
        APR_ARRAY_PUSH(r->found->troubles, const char *) = apr_pstrcat(r->p, at, what, NULL);
}

/* "/etc/httpd" for /etc/httpd/conf/httpd.conf, "/etc/apache2" for /etc/apache2/apache2.conf. */
static const char *root_by_place(apr_pool_t *p, const char *path)
{
    char *whole = realpath(path, NULL), *root = apr_pstrdup(p, whole ? whole : path), *slash = strrchr(root, '/');

    free(whole);
    if (slash)
        *slash = 0;
    slash = strrchr(root, '/');
    if (slash && slash > root && strcmp(slash, "/conf") == 0)
        *slash = 0;
    return root;
}

static const char *below_root(const conf_reader *r, const char *path)
{
    return *path == '/' ? path : apr_pstrcat(r->p, r->found->server_root, "/", path, NULL);
}

/* ---- words ---- */

static const char *value_of(const conf_reader *r, const char *name)
{
    const char *value = apr_hash_get(r->defines, name, APR_HASH_KEY_STRING);

    return value ? value : getenv(name);
}

/* ${NAME} becomes its value where it has one, as httpd does it. */
static const char *expand(const conf_reader *r, const char *text)
{
    apr_array_header_t *parts = apr_array_make(r->p, 4, sizeof(const char *));
    const char *from, *to;

    while ((from = strstr(text, "${")) != NULL && (to = strchr(from, '}')) != NULL) {
        const char *value = value_of(r, apr_pstrmemdup(r->p, from + 2, (apr_size_t)(to - from - 2)));
        APR_ARRAY_PUSH(parts, const char *) = apr_pstrmemdup(r->p, text, (apr_size_t)((value ? from : to + 1) - text));
        if (value)
            APR_ARRAY_PUSH(parts, const char *) = value;
        text = to + 1;
    }
    APR_ARRAY_PUSH(parts, const char *) = text;
    return apr_array_pstrcat(r->p, parts, 0);
}

static const char *after_blanks(const char *text)
{
    while (apr_isspace(*text))
        text++;
    return text;
}

/* The next word, without its quotes; *rest goes behind it. "" at the end. */
static const char *next_word(apr_pool_t *p, const char **rest)
{
    const char *at = after_blanks(*rest);
    char quote = *at == '"' || *at == '\'' ? *at++ : 0, *word = apr_palloc(p, strlen(at) + 1), *out = word;

    for (; *at && (quote ? *at != quote : !apr_isspace(*at)); at++) {
        if (quote && *at == '\\' && (at[1] == quote || at[1] == '\\'))
            at++;
        *out++ = *at;
    }
    *out = 0;
    *rest = *at && quote ? at + 1 : at;
    return word;
}

/* ---- directives ---- */

static void read_file(conf_reader *r, const char *path);

static int names_in_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void include_directory(conf_reader *r, const char *path);

static void include_one(conf_reader *r, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        include_directory(r, path);
    else
        read_file(r, path);
}

static void include(conf_reader *r, const char *pattern, bool optional)
{
    glob_t hits = { .gl_pathc = 0 };

    if (glob(pattern, GLOB_NOSORT, NULL, &hits) == 0) {
        qsort(hits.gl_pathv, hits.gl_pathc, sizeof *hits.gl_pathv, names_in_order);
        for (size_t i = 0; i < hits.gl_pathc && r->files < FILES_MOST; i++)
            include_one(r, apr_pstrdup(r->p, hits.gl_pathv[i]));
    } else if (!optional) {
        trouble(r, apr_pstrcat(r->p, "there is no ", pattern, NULL));
    }
    globfree(&hits);
}

static void include_directory(conf_reader *r, const char *path)
{
    if (r->depth == NESTING_MOST)
        return;
    r->depth++;
    include(r, apr_pstrcat(r->p, path, "/*", NULL), true);
    r->depth--;
}

static void add_line(conf_reader *r, const char *text)
{
    APR_ARRAY_PUSH(r->found->lines, jk_prop) = (jk_prop){ .key = "", .value = text, .file = r->file, .line = r->line };
}

/* Of a name that comes twice once. */
static void add_env(conf_reader *r, const char *name, const char *value)
{
    for (int i = 0; i < r->found->env->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(r->found->env, i, conf_env).name, name) == 0)
            return;
    APR_ARRAY_PUSH(r->found->env, conf_env) = (conf_env){ name, value };
}

/* The worker's name ends where its extensions begin. */
static void add_mount(conf_reader *r, const char *pattern, const char *worker)
{
    if (*pattern == '/' && *worker)
        APR_ARRAY_PUSH(r->found->mounts, conf_mount) = (conf_mount){ pattern, apr_pstrmemdup(r->p, worker, strcspn(worker, ";")) };
}

static void act_on(conf_reader *r, const char *name, const char *rest)
{
    const char *raw = rest, *word = next_word(r->p, &rest);

    if (strcasecmp(name, "JkWorkerProperty") == 0)
        add_line(r, raw);
    else if (*word == 0)
        return;
    else if (strcasecmp(name, "JkWorkersFile") == 0)
        r->found->workers_file = below_root(r, word), r->found->workers_guessed = *word != '/' && !r->found->root_said;
    else if (strcasecmp(name, "JkEnvVar") == 0)
        add_env(r, word, next_word(r->p, &rest));
    else if (strcasecmp(name, "JkMount") == 0)
        add_mount(r, word, next_word(r->p, &rest));
    else if (strcasecmp(name, "ServerRoot") == 0)
        r->found->server_root = word, r->found->root_said = true;
    else if (strcasecmp(name, "User") == 0)
        r->found->user = word;
    else if (strcasecmp(name, "Group") == 0)
        r->found->group = word;
    else if (strcasecmp(name, "Define") == 0)
        apr_hash_set(r->defines, word, APR_HASH_KEY_STRING, next_word(r->p, &rest));
    else if (strcasecmp(name, "UnDefine") == 0)
        apr_hash_set(r->defines, word, APR_HASH_KEY_STRING, NULL);
    else if (strcasecmp(name, "Include") == 0 || strcasecmp(name, "IncludeOptional") == 0)
        include(r, below_root(r, word), name[7] != 0);
}

/* ---- sections ---- */

static bool is_in_force(const conf_reader *r, const char *name, const char *word)
{
    bool negated = *word == '!';

    if (strcasecmp(name, "<IfModule") == 0)
        return !negated;
    if (strcasecmp(name, "<IfDefine") == 0)
        return (apr_hash_get(r->defines, word + negated, APR_HASH_KEY_STRING) != NULL) != negated;
    return true;
}

static void open_section(conf_reader *r, const char *name, const char *rest)
{
    char *word = apr_pstrdup(r->p, next_word(r->p, &rest)), *end = strchr(word, '>');

    if (end)
        *end = 0;
    if (r->skip || !is_in_force(r, name, word))
        r->skip++;
}

static void read_line(conf_reader *r, const char *text)
{
    const char *rest = after_blanks(text), *name = rest;

    if (*rest == 0 || *rest == '#')
        return;
    rest += strcspn(rest, " \t>");
    name = apr_pstrmemdup(r->p, name, (apr_size_t)(rest - name));
    rest = after_blanks(rest);
    if (name[0] == '<' && name[1] == '/')
        r->skip -= r->skip > 0;
    else if (name[0] == '<')
        open_section(r, name, expand(r, rest));
    else if (r->skip == 0)
        act_on(r, name, expand(r, rest));
}

/* ---- lines ---- */

/* One line, with those that it goes on with; *at goes behind them. NULL: there is none. */
static const char *next_line(conf_reader *r, const char **at)
{
    const char *whole = NULL;

    while (**at) {
        size_t n = strcspn(*at, "\n"), kept = n;
        const char *line = *at;
        *at += n + (line[n] == '\n');
        r->line++;
        while (kept > 0 && (line[kept - 1] == '\r' || line[kept - 1] == '\t' || line[kept - 1] == ' '))
            kept--;
        bool goes_on = kept > 0 && line[kept - 1] == '\\';
        const char *piece = apr_pstrmemdup(r->p, line, kept - goes_on);
        whole = whole ? apr_pstrcat(r->p, whole, piece, NULL) : piece;
        if (!goes_on)
            break;
    }
    return whole;
}

static void read_file(conf_reader *r, const char *path)
{
    const char *file = r->file, *text, *line;
    int number = r->line;
    size_t len;

    if (r->depth == NESTING_MOST || r->files >= FILES_MOST) {
        trouble(r, apr_pstrcat(r->p, path, " is left out: it is included by itself, or too deep", NULL));
        return;
    }
    text = conf_find_read(r->p, path, &len);
    if (text == NULL) {
        trouble(r, apr_pstrcat(r->p, path, " cannot be read: ", strerror(errno), NULL));
        return;
    }
    if (strlen(text) != len) {
        trouble(r, apr_pstrcat(r->p, path, " has NUL bytes, so it is no configuration", NULL));
        return;
    }
    r->file = path;
    r->line = 0;
    r->files++;
    r->depth++;
    while ((line = next_line(r, &text)) != NULL)
        read_line(r, line);
    r->depth--;
    r->file = file;
    r->line = number;
}

/* Debian's variables: lines "export NAME=VALUE" of the file envvars, as far as they are plain. */
static void read_envvars(conf_reader *r)
{
    size_t len;
    const char *text = conf_find_read(r->p, apr_pstrcat(r->p, r->found->server_root, "/envvars", NULL), &len), *line;
    conf_reader quiet = *r;

    while (text && (line = next_line(&quiet, &text)) != NULL) {
        const char *equals = strchr(line, '=');
        if (strncmp(line, "export ", 7) != 0 || equals == NULL || strchr(equals, '$'))
            continue;
        const char *rest = equals + 1, *name = apr_pstrmemdup(r->p, line + 7, (apr_size_t)(equals - line - 7));
        if (value_of(r, name) == NULL)
            apr_hash_set(r->defines, name, APR_HASH_KEY_STRING, next_word(r->p, &rest));
    }
}

static conf_found *make(apr_pool_t *p, const char *path)
{
    conf_found *found = apr_pcalloc(p, sizeof *found);

    found->server_root = root_by_place(p, path);
    found->lines = apr_array_make(p, 4, sizeof(jk_prop));
    found->env = apr_array_make(p, 4, sizeof(conf_env));
    found->mounts = apr_array_make(p, 4, sizeof(conf_mount));
    found->troubles = apr_array_make(p, 4, sizeof(const char *));
    return found;
}

conf_found *conf_find(apr_pool_t *p, const char *path)
{
    conf_reader r = { .p = p, .found = make(p, path), .defines = apr_hash_make(p) };

    read_envvars(&r);
    read_file(&r, apr_pstrdup(p, path));
    return r.found;
}

conf_found *conf_find_workers(apr_pool_t *p, const char *path)
{
    conf_found *found = make(p, path);

    found->workers_file = apr_pstrdup(p, path);
    return found;
}
