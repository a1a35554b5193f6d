/* tools/jkconf_world.c - walks over what stands in the main server and in the virtual host. The answer to "does this change the request?" is yes,
 * no, or a doubt: nothing is guessed. */
#include "jkconf_world.h"

#include "jkconf_url.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <ctype.h>
#include <regex.h>
#include <string.h>

/* ---- patterns ---- */

/* "[..]" without an escape and a class in it. */
static bool is_plain_set(const char *at)
{
    size_t n = strcspn(at + 1, "]");

    return at[1] != ':' && memchr(at, '\\', n) == NULL && memchr(at + 1, '[', n) == NULL;
}

/* Only what POSIX and PCRE read alike: no escape of a letter or digit, no "(?", no lazy "*?", no braces. */
static bool is_plain_regex(const char *regex)
{
    for (const char *c = regex; *c; c++) {
        if (*c == '\\' && (c[1] == '\0' || isalnum((unsigned char)c[1])))
            return false;
        if (*c == '\\') {
            c++;
            continue;
        }
        if (strchr("{}", *c) || (unsigned char)*c > 126 || (*c == '[' && !is_plain_set(c)))
            return false;
        if (strchr("(*+?", *c) && (c[1] == '?' || c[1] == '+'))
            return false;
    }
    return true;
}

jkconf_fit jkconf_world_regex(const char *regex, const char *text, bool any_case)
{
    jkconf_fit fit = JKCONF_FITS_UNKNOWN;
    regex_t compiled;

    if (!is_plain_regex(regex) || regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB | (any_case ? REG_ICASE : 0)) != 0)
        return fit;
    fit = regexec(&compiled, text, 0, NULL, 0) == 0 ? JKCONF_FITS : JKCONF_FITS_NOT;
    regfree(&compiled);
    return fit;
}

/* Is `head` the path, or does it end where a segment of it does? */
static bool is_head(const char *head, const char *path)
{
    size_t n = strlen(head);

    return strncmp(head, path, n) == 0 && (path[n] == '\0' || path[n] == '/' || (n > 0 && head[n - 1] == '/'));
}

bool jkconf_world_location(const char *pattern, const char *path)
{
    if (strpbrk(pattern, "*?["))
        return apr_fnmatch(pattern, path, APR_FNM_PATHNAME) == APR_SUCCESS;
    return is_head(pattern, path);
}

/* ---- words ---- */

static char *word_of(const jkconf_world *w, const char **args)
{
    return jkconf_read_resolved(w->h->reader, jkconf_read_word(w->h->p, args), NULL);
}

static void doubt(jkconf_world *w, const ap_directive_t *at, const char *text)
{
    const char *args = apr_pstrndup(w->h->p, at->args, 80);

    APR_ARRAY_PUSH(w->doubts, const char *) = apr_psprintf(w->h->p, "%s:%d: %s %s: %s", at->filename, at->line_num,
                                                           at->directive + (*at->directive == '<'), args, text);
}

static bool is_one_of(const ap_directive_t *node, const char *const *names)
{
    for (; *names; names++)
        if (jkconf_read_is(node, *names))
            return true;
    return false;
}

/* ---- SetEnvIf and its like ---- */

typedef enum phase { EARLY, LATE } phase; /* before mod_jk maps, or between that and the handler */

static void set_variable(jkconf_world *w, const ap_directive_t *at, const char *name, const char *value, phase when)
{
    if (strcmp(name, w->indicator) == 0)
        w->worker = (jkconf_set){ value, at };
    if (strcmp(name, "no-jk") == 0)
        *(when == EARLY ? &w->off : &w->off_late) = (jkconf_set){ value, at };
}

/* "name", "name=value" or "!name" */
static void set_word(jkconf_world *w, const ap_directive_t *at, const char *word, phase when)
{
    const char *value = strchr(word, '=');

    if (*word == '!')
        set_variable(w, at, word + 1, NULL, when);
    else if (value)
        set_variable(w, at, apr_pstrmemdup(w->h->p, word, (apr_size_t)(value - word)), value + 1, when);
    else
        set_variable(w, at, word, "1", when);
}

static bool concerns(const jkconf_world *w, const char *args)
{
    return strstr(args, "no-jk") != NULL || strstr(args, w->indicator) != NULL;
}

/* SetEnvIf ATTRIBUTE REGEX NAME.. */
static void look_at_condition(jkconf_world *w, const ap_directive_t *node, phase when)
{
    bool browser = strncasecmp(node->directive, "BrowserMatch", 12) == 0, any_case = strcasestr(node->directive, "NoCase") != NULL;
    const char *args = node->args, *about = browser ? "User-Agent" : word_of(w, &args), *regex = word_of(w, &args);
    jkconf_fit fit = JKCONF_FITS_UNKNOWN;

    if (!concerns(w, args))
        return;
    if (strcasecmp(about, "Request_URI") == 0)
        fit = jkconf_world_regex(regex, when == EARLY ? w->raw : w->path, any_case);
    if (fit == JKCONF_FITS_UNKNOWN)
        doubt(w, node, strcasecmp(about, "Request_URI") == 0 ? "this regular expression is httpd's to read" : "that depends on the request");
    while (fit == JKCONF_FITS && *args)
        set_word(w, node, word_of(w, &args), when);
}

static void look_at_variable(jkconf_world *w, const ap_directive_t *node)
{
    const char *args = node->args, *name = word_of(w, &args), *value = *args ? word_of(w, &args) : "";

    set_variable(w, node, name, value, LATE);
}

static void unset_variables(jkconf_world *w, const ap_directive_t *node)
{
    const char *args = node->args;

    while (*args)
        set_variable(w, node, word_of(w, &args), NULL, LATE);
}

/* ---- what other modules may do with the path ---- */

static bool is_on(const ap_directive_t *node)
{
    return strncasecmp(node->args, "on", 2) == 0;
}

static void look_at_rewrite(jkconf_world *w, const ap_directive_t *node, bool engine)
{
    const char *args = node->args, *regex = word_of(w, &args);
    bool negated = *regex == '!';
    jkconf_fit fit = jkconf_world_regex(regex + negated, w->path, false);

    if (engine && (fit == JKCONF_FITS_UNKNOWN || (fit == JKCONF_FITS) != negated))
        doubt(w, node, "may change the path or answer itself: what is said here is of the path as it was asked for");
}

static void look_at_head(jkconf_world *w, const ap_directive_t *node, const char *text)
{
    const char *args = node->args, *head = word_of(w, &args);

    while (isalpha((unsigned char)*head) || isdigit((unsigned char)*head)) /* Redirect permanent /x */
        head = word_of(w, &args);
    if (*head == '/' && is_head(head, w->path))
        doubt(w, node, text);
}

static void look_at_match(jkconf_world *w, const ap_directive_t *node, const char *text)
{
    const char *args = node->args, *regex = word_of(w, &args);

    while (isalnum((unsigned char)*regex))
        regex = word_of(w, &args);
    if (*regex && jkconf_world_regex(regex, w->path, false) != JKCONF_FITS_NOT)
        doubt(w, node, text);
}

static void look_at_others(jkconf_world *w, const ap_directive_t *node)
{
    static const char *const redirects[] = { "Redirect", "RedirectPermanent", "RedirectTemp", NULL };
    static const char *const tells[] = { "Require", "Order", "Deny", "Allow", "AuthType", NULL };

    if (jkconf_read_is(node, "ProxyPass"))
        look_at_head(w, node, "mod_proxy looks before mod_jk does");
    else if (jkconf_read_is(node, "ProxyPassMatch"))
        look_at_match(w, node, "mod_proxy looks before mod_jk does");
    else if (is_one_of(node, redirects))
        look_at_head(w, node, "may answer first");
    else if (jkconf_read_is(node, "RedirectMatch"))
        look_at_match(w, node, "may answer first");
    else if (is_one_of(node, tells) && strcasecmp(node->args, "all granted") != 0)
        doubt(w, node, "who may ask is httpd's to say");
}

/* ---- sections ---- */

static bool mentions(const jkconf_world *w, const ap_directive_t *node)
{
    for (; node; node = node->next)
        if ((jkconf_read_is(node, "SetHandler") && strstr(node->args, "jakarta-servlet")) || (node->args && concerns(w, node->args)) ||
            mentions(w, node->first_child))
            return true;
    return false;
}

static jkconf_fit holds(jkconf_world *w, const ap_directive_t *node)
{
    const char *args = jkconf_read_section(w->h->p, node), *pattern = word_of(w, &args);
    bool regex = jkconf_read_is(node, "<LocationMatch");

    if (!regex && !jkconf_read_is(node, "<Location"))
        return JKCONF_FITS_UNKNOWN;
    if (strcmp(pattern, "~") == 0) {
        regex = true;
        pattern = word_of(w, &args);
    }
    if (regex)
        return jkconf_world_regex(pattern, w->seen, false);
    return jkconf_world_location(pattern, w->seen) ? JKCONF_FITS : JKCONF_FITS_NOT;
}

static void look_at(jkconf_world *w, const ap_directive_t *node, phase when)
{
    if (jkconf_read_is(node, "SetHandler")) {
        const char *args = node->args, *name = word_of(w, &args);
        w->handler = (jkconf_set){ strcasecmp(name, "None") == 0 ? NULL : name, node };
    } else if (strncasecmp(node->directive, "SetEnvIf", 8) == 0 || strncasecmp(node->directive, "BrowserMatch", 12) == 0) {
        if (strcasecmp(node->directive, "SetEnvIfExpr") != 0)
            look_at_condition(w, node, when);
        else if (concerns(w, node->args))
            doubt(w, node, "an expression is httpd's to weigh");
    } else if (jkconf_read_is(node, "SetEnv")) {
        look_at_variable(w, node);
    } else if (jkconf_read_is(node, "UnsetEnv")) {
        unset_variables(w, node);
    } else {
        look_at_others(w, node);
    }
}

static void look_at_section(jkconf_world *w, const ap_directive_t *node)
{
    jkconf_fit fit = holds(w, node);

    if (fit == JKCONF_FITS_UNKNOWN && mentions(w, node->first_child))
        doubt(w, node, "whether this section holds is httpd's to say, and it concerns mod_jk");
    for (const ap_directive_t *inner = node->first_child; fit == JKCONF_FITS && inner; inner = inner->next) {
        if (*inner->directive != '<')
            look_at(w, inner, LATE);
        else if (mentions(w, inner->first_child))
            doubt(w, inner, "whether this section holds is httpd's to say, and it concerns mod_jk");
    }
}

/* One server's part. Rewriting is not inherited unless RewriteOptions says so. */
static void look_through(jkconf_world *w, const ap_directive_t *node, bool own)
{
    bool engine = false;

    for (const ap_directive_t *n = node; n; n = n->next)
        engine = jkconf_read_is(n, "RewriteEngine") ? is_on(n) : engine;
    for (; node; node = node->next) {
        if (jkconf_read_is(node, "<VirtualHost"))
            continue;
        if (*node->directive == '<')
            look_at_section(w, node);
        else if (jkconf_read_is(node, "RewriteRule") && own)
            look_at_rewrite(w, node, engine);
        else if (jkconf_read_is(node, "RewriteOptions") && strcasestr(node->args, "inherit"))
            doubt(w, node, "rules of the main server are inherited");
        else
            look_at(w, node, EARLY);
    }
}

static const ap_directive_t *inside(const jkconf_world *w)
{
    const ap_directive_t *section = jkconf_httpd_section(w->s);

    return section ? section->first_child : NULL;
}

void jkconf_world_look(jkconf_world *w)
{
    look_through(w, w->h->tree, !w->s->is_virtual);
    look_through(w, inside(w), true);
}

/* ---- the path ---- */

static void take_paths(jkconf_world *w, const ap_directive_t *node)
{
    for (; node; node = node->next) {
        if (jkconf_read_is(node, "MergeSlashes"))
            w->merge = is_on(node);
        if (jkconf_read_is(node, "AllowEncodedSlashes"))
            w->slashes = is_on(node) ? JKCONF_SLASHES_ON : strncasecmp(node->args, "nodecode", 8) == 0 ? JKCONF_SLASHES_NODECODE : JKCONF_SLASHES_OFF;
    }
}

void jkconf_world_paths(jkconf_world *w)
{
    w->merge = true;
    w->slashes = JKCONF_SLASHES_OFF;
    w->doubts = apr_array_make(w->h->p, 4, sizeof(const char *));
    take_paths(w, w->h->tree);
    take_paths(w, inside(w));
}
