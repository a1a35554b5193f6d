/* tools/jkconf_kind.c - people name their files as they like: what stands in them counts first. */
#include "jkconf_kind.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <ctype.h>
#include <string.h>

#define LOOKED_AT 65536 /* bytes */

/* "worker.x.y = z" */
static jkconf_kind of_line(const char *line, size_t n)
{
    size_t word = 0, name = 0;

    while (word < n && line[word] != '=' && !isspace((unsigned char)line[word]))
        word++;
    if (n > 0 && (*line == '/' || *line == '!' || (*line == '-' && n > 1 && (line[1] == '/' || line[1] == '!'))))
        return memchr(line, '=', n) ? JKCONF_RULES : JKCONF_UNKNOWN;
    if (n > 1 && *line == '<' && isalpha((unsigned char)line[1]))
        return JKCONF_HTTPD;
    if (n >= 7 && strncmp(line, "worker.", 7) == 0)
        return JKCONF_WORKERS;
    while (name < word && isalnum((unsigned char)line[name]))
        name++;
    if (name == word && name > 1 && isupper((unsigned char)*line) && name < n && line[name] != '=')
        return JKCONF_HTTPD;
    return JKCONF_UNKNOWN;
}

jkconf_kind jkconf_kind_of_text(const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *nl = memchr(text, '\n', (size_t)(end - text)), *stop = nl ? nl : end;
        while (text < stop && isspace((unsigned char)*text))
            text++;
        jkconf_kind kind = text < stop && *text != '#' ? of_line(text, (size_t)(stop - text)) : JKCONF_UNKNOWN;
        if (kind != JKCONF_UNKNOWN)
            return kind;
        text = nl ? nl + 1 : end;
    }
    return JKCONF_UNKNOWN;
}

jkconf_kind jkconf_kind_of_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');

    if (strncasecmp(name, "uriworkermap", 12) == 0 || strncasecmp(name, "urimap", 6) == 0)
        return JKCONF_RULES;
    if (strncasecmp(name, "worker", 6) == 0 || (dot && strcasecmp(dot, ".properties") == 0))
        return JKCONF_WORKERS;
    return dot && (strcasecmp(dot, ".conf") == 0 || strcasecmp(dot, ".load") == 0) ? JKCONF_HTTPD : JKCONF_UNKNOWN;
}

static jkconf_kind of_word(const char *said)
{
    return strcmp(said, "httpd") == 0 ? JKCONF_HTTPD : strcmp(said, "workers") == 0 ? JKCONF_WORKERS :
           strcmp(said, "rules") == 0 ? JKCONF_RULES : JKCONF_UNKNOWN;
}

/* The first bytes of a regular file; -1: *why says why not. */
static int read_some(apr_pool_t *p, const char *path, char *room, apr_size_t *len, const char **why)
{
    char words[120];
    apr_finfo_t info;
    apr_file_t *file;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_TYPE, p);

    if (rv == APR_SUCCESS && info.filetype != APR_REG) {
        *why = "it is no regular file";
        return -1;
    }
    if (rv == APR_SUCCESS)
        rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p);
    if (rv != APR_SUCCESS) {
        *why = apr_pstrdup(p, apr_strerror(rv, words, sizeof words));
        return -1;
    }
    apr_file_read_full(file, room, LOOKED_AT, len);
    apr_file_close(file);
    return 0;
}

jkconf_kind jkconf_kind_of(apr_pool_t *p, const char *path, const char *said, const char **why)
{
    char *room = apr_palloc(p, LOOKED_AT);
    apr_size_t len = 0;
    jkconf_kind kind;

    if (read_some(p, path, room, &len, why) != 0)
        return JKCONF_UNKNOWN;
    if (said)
        return of_word(said);
    kind = jkconf_kind_of_text(room, len);
    if (kind == JKCONF_UNKNOWN)
        kind = jkconf_kind_of_name(path);
    *why = "neither its lines nor its name tell what it is: --kind httpd, workers or rules says it";
    return kind;
}
