/* tools/jkconf_url.c - httpd 2.4.49 and later: unreserved bytes are decoded first, then segments are resolved, then the rest is decoded. */
#include "jkconf_url.h"

#include <apr_strings.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool jkconf_url_parse(apr_pool_t *p, const char *text, jkconf_url *url, const char **why)
{
    const char *at = text, *end, *colon;
    bool tls = strncasecmp(text, "https://", 8) == 0;

    *url = (jkconf_url){ "", tls ? 443 : 80, text };
    *why = "a URL begins with http://, https:// or /";
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 127) {
            *why = "a URL has no blank and no control character: write %20";
            return false;
        }
    if (*text != '/') {
        if (!tls && strncasecmp(text, "http://", 7) != 0)
            return false;
        at = text + (tls ? 8 : 7);
        end = at + strcspn(at, "/?#");
        colon = end;
        while (colon > at && isdigit((unsigned char)colon[-1]))
            colon--;
        if (colon > at && colon[-1] == ':' && colon < end) {
            url->port = atoi(colon);
            colon--;
        } else {
            colon = end;
        }
        if (*at == '[' && colon > at && colon[-1] == ']')
            url->host = apr_pstrmemdup(p, at + 1, (apr_size_t)(colon - at - 2));
        else
            url->host = apr_pstrmemdup(p, at, (apr_size_t)(colon - at));
        *why = "the URL's host or port is not valid";
        if (*url->host == '\0' || strchr(url->host, '@') || url->port < 1 || url->port > 65535)
            return false;
        at = end;
    }
    end = at + strcspn(at, "#");
    url->target = apr_pstrcat(p, *at == '/' ? "" : "/", apr_pstrmemdup(p, at, (apr_size_t)(end - at)), NULL);
    return true;
}

/* ---- the path ---- */

/* The byte that "%41" stands for; -1: it is no escape. */
static int escaped(const char *s)
{
    char hex[3] = { 0 };

    if (s[0] != '%' || !isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]))
        return -1;
    memcpy(hex, s + 1, 2);
    return (int)strtol(hex, NULL, 16);
}

static bool is_unreserved(int c)
{
    return c > 0 && c < 128 && (isalnum(c) || strchr("-._~", c));
}

static void decode_unreserved(char *path)
{
    char *to = path;

    for (char *s = path; *s; to++) {
        int c = escaped(s);
        *to = is_unreserved(c) ? (char)c : *s;
        s += is_unreserved(c) ? 3 : 1;
    }
    *to = '\0';
}

/* Without "." and "..", and empty segments where `merge`. false: it climbs above the root, or does not begin with a '/'. */
static bool resolve(char *path, bool merge)
{
    char *to = path + 1;

    if (*path != '/')
        return false;
    for (char *s = path + 1; *s;) {
        size_t n = strcspn(s, "/"), whole = n + (s[n] == '/');
        bool dot = n == 1 && *s == '.', up = n == 2 && s[0] == '.' && s[1] == '.';
        if (up && to == path + 1)
            return false;
        if (up)
            for (to--; to > path && to[-1] != '/';)
                to--;
        if (!dot && !up && !(n == 0 && merge)) {
            memmove(to, s, whole);
            to += whole;
        }
        s += whole;
    }
    *to = '\0';
    return true;
}

/* In place. 0, or a status. */
static int decode(char *path, jkconf_slashes slashes)
{
    char *to = path;

    for (char *s = path; *s; to++) {
        int c = escaped(s);
        if (*s == '%' && c < 0)
            return 400;
        if (c == 0 || (c == '/' && slashes == JKCONF_SLASHES_OFF))
            return 404;
        bool stays = c < 0 || (c == '/' && slashes == JKCONF_SLASHES_NODECODE);
        *to = stays ? *s : (char)c;
        s += stays ? 1 : 3;
    }
    *to = '\0';
    return 0;
}

int jkconf_url_path(apr_pool_t *p, const char *target, bool merge, jkconf_slashes slashes, const char **path)
{
    char *copy = apr_pstrmemdup(p, target, strcspn(target, "?"));
    int status;

    *path = copy;
    decode_unreserved(copy);
    if (!resolve(copy, merge))
        return 400;
    status = decode(copy, slashes);
    if (status == 0 && slashes == JKCONF_SLASHES_ON && !resolve(copy, merge))
        return 400;
    return status;
}
