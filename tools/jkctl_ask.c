/* tools/jkctl_ask.c - libcurl and jansson: one request after the other, and the words for what can be wrong with an answer. */
#include "jkctl_ask.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MOST (64u << 20)
#define SHAPE 1 /* "version" of the JSON */

struct jkc_line {
    const jkc_place *place;
    CURL *curl;
    char error[CURL_ERROR_SIZE];
    char *shown;    /* the URL for people */
    char *text;     /* what came */
    size_t len;
    char why[1536];
};

static void explain(jkc_line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void explain(jkc_line *line, const char *fmt, ...)
{
    char words[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    char *clean = jkc_clean(words);
    snprintf(line->why, sizeof line->why, "%.500s: %s", line->shown, clean);
    free(clean);
}

/* ---- to and fro ---- */

static size_t take(char *bytes, size_t size, size_t n, void *to)
{
    jkc_line *line = to;
    size_t more = size * n;
    char *grown = more <= ANSWER_MOST - line->len ? realloc(line->text, line->len + more + 1) : NULL;

    if (grown == NULL)
        return 0;
    memcpy(grown + line->len, bytes, more);
    line->text = grown;
    line->len += more;
    grown[line->len] = '\0';
    return more;
}

/* "https://me:secret@host/x" is shown as "https://host/x". */
static char *without_password(const char *url)
{
    char *clean = jkc_clean(url), *scheme = strstr(clean, "://"), *from = scheme ? scheme + 3 : clean;
    size_t n = strcspn(from, "/?#");
    char *at = NULL;

    for (size_t i = 0; i < n; i++)
        if (from[i] == '@')
            at = from + i;
    if (at)
        memmove(from, at + 1, strlen(at + 1) + 1);
    return clean;
}

static void set_up(jkc_line *line)
{
    const jkc_place *place = line->place;
    CURL *c = line->curl;

    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, line->error);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, line);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, place->timeout);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "jkctl/" JK_VERSION);
    /* The page is this machine's, or a neighbour's: a proxy in the environment would only be in the way. */
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
    curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    if (place->netrc)
        curl_easy_setopt(c, CURLOPT_NETRC_FILE, place->netrc);
    if (place->user)
        curl_easy_setopt(c, CURLOPT_USERPWD, place->user);
    if (place->cacert)
        curl_easy_setopt(c, CURLOPT_CAINFO, place->cacert);
    if (place->insecure) {
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

jkc_line *jkc_ask_open(const jkc_place *place)
{
    jkc_line *line = jkc_must(calloc(1, sizeof *line));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        jkc_must(NULL);
    line->place = place;
    line->curl = jkc_must(curl_easy_init());
    line->shown = without_password(place->url);
    set_up(line);
    return line;
}

void jkc_ask_close(jkc_line **line)
{
    jkc_line *l = *line;

    *line = NULL;
    curl_easy_cleanup(l->curl);
    curl_global_cleanup();
    free(l->shown);
    free(l->text);
    free(l);
}

const char *jkc_ask_why(const jkc_line *line)
{
    return line->why;
}

const char *jkc_ask_url(const jkc_line *line)
{
    return line->shown;
}

/* ---- what is wrong ---- */

static void explain_connect(jkc_line *line, CURLcode rc)
{
    const char *said = *line->error ? line->error : curl_easy_strerror(rc);

    if (rc == CURLE_COULDNT_CONNECT)
        explain(line, "nothing answers there (%s). Does httpd run, and listen there? --url or JKCTL_URL names another address", said);
    else if (rc == CURLE_COULDNT_RESOLVE_HOST)
        explain(line, "%s. --url or JKCTL_URL names the address", said);
    else if (rc == CURLE_OPERATION_TIMEDOUT)
        explain(line, "no whole answer (%s). Are all of httpd's threads busy? --timeout waits for longer", said);
    else if (rc == CURLE_PEER_FAILED_VERIFICATION)
        explain(line, "the server's certificate is not to be trusted (%s). --cacert FILE names who signed it; --insecure does not look", said);
    else if (rc == CURLE_WRITE_ERROR)
        explain(line, "the answer is longer than a status worker's can be");
    else
        explain(line, "%s", said);
}

/* What stands in an answer of a status worker that says no; "" where it is none's. */
static const char *message_of(const json_t *answer)
{
    return jkc_text(json_object_get(answer, "result"), "message");
}

static void explain_status(jkc_line *line, long status, const json_t *answer)
{
    const char *said = message_of(answer);
    char *to = NULL;

    if (*said && (status != 403 || strcmp(said, "Access denied.") != 0)) {
        explain(line, "the status worker says no (%ld): %s", status, said);
        return;
    }
    curl_easy_getinfo(line->curl, CURLINFO_REDIRECT_URL, &to);
    if (status == 401)
        explain(line, "it wants %s (401). --user NAME:PASSWORD, JKCTL_PASSWORD, or a line in ~/.netrc", line->place->user ? "another user or password"
                                                                                                                         : "a user and a password");
    else if (status == 403 && *said)
        explain(line, "the status worker denies access (403): its key `user` does not name this user");
    else if (status == 403)
        explain(line, "httpd denies access (403): a Require, of a <Location> perhaps, does not let this address or user in");
    else if (status == 404)
        explain(line, "there is no such page (404). Is a worker of type status mounted there (JkMount /jk-status status)? --url names another");
    else if (status == 405)
        explain(line, "the method is not allowed (405): something before the status worker lets no POST through");
    else if (status >= 300 && status < 400)
        explain(line, "it redirects (%ld) to %s; is that the page? Then give it as --url", status, to ? to : "nowhere");
    else
        explain(line, "HTTP status %ld, and no word of a status worker", status);
}

static void explain_text(jkc_line *line)
{
    char *type = NULL;

    curl_easy_getinfo(line->curl, CURLINFO_CONTENT_TYPE, &type);
    explain(line, "what came is no JSON of a status worker, but %s: \"%.60s\". Is it another page, or mod_jk 1.2, which speaks no JSON?",
            type ? type : "of no type", line->text ? line->text : "");
}

/* ---- one request ---- */

/* The JSON that came and HTTP's status; NULL: none came, and it is explained. */
static json_t *ask(jkc_line *line, const char *url, const char *form, long *status)
{
    CURL *c = line->curl;

    free(line->text);
    line->text = NULL;
    line->len = 0;
    *line->error = '\0';
    curl_easy_setopt(c, CURLOPT_URL, url);
    if (form)
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, form);
    else
        curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    CURLcode rc = curl_easy_perform(c);
    if (rc != CURLE_OK) {
        explain_connect(line, rc);
        return NULL;
    }
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
    json_t *answer = line->text ? json_loadb(line->text, line->len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(json_object_get(answer, "result")))
        return answer;
    json_decref(answer);
    if (*status == 200)
        explain_text(line);
    else
        explain_status(line, *status, NULL);
    return NULL;
}

json_t *jkc_ask_look(jkc_line *line, bool maps)
{
    size_t n = strlen(line->place->url) + 64;
    char *url = jkc_must(malloc(n));
    long status = 0;

    snprintf(url, n, "%s?mime=json&cmd=list%s", line->place->url, maps ? "" : "&opt=2");
    json_t *look = ask(line, url, NULL, &status);
    free(url);
    if (look == NULL)
        return NULL;
    if (status == 200 && jkc_number(look, "version") == SHAPE)
        return look;
    if (status != 200)
        explain_status(line, status, look);
    else
        explain(line, "its JSON has version %" JSON_INTEGER_FORMAT ", and this jkctl reads %d: take the one that came with the module",
                jkc_number(look, "version"), SHAPE);
    json_decref(look);
    return NULL;
}

/* "cmd=update&w=lb"; the caller frees it. */
static char *form_of(CURL *c, const jkc_param *params, const char *token)
{
    size_t n = 0;
    char *text = NULL, *value;
    FILE *f = jkc_must(open_memstream(&text, &n));

    for (const jkc_param *p = params; p->name; p++) {
        value = jkc_must(curl_easy_escape(c, p->value, 0));
        fprintf(f, "%s=%s&", p->name, value);
        curl_free(value);
    }
    value = jkc_must(curl_easy_escape(c, token, 0));
    fprintf(f, "mime=json&token=%s", value);
    curl_free(value);
    if (fclose(f) != 0)
        jkc_must(NULL);
    return text;
}

jkc_exit jkc_ask_change(jkc_line *line, const json_t *look, const jkc_param *params, json_t **answer)
{
    const char *token = jkc_text(json_object_get(look, "changes"), "token");
    long status = 0;

    *answer = NULL;
    if (*token == '\0') {
        explain(line, "this status worker changes nothing (worker.NAME.read_only); is there another one?");
        return JKC_REFUSED;
    }
    char *form = form_of(line->curl, params, token);
    *answer = ask(line, line->place->url, form, &status);
    free(form);
    if (*answer && status == 200 && strcmp(jkc_text(json_object_get(*answer, "result"), "type"), "OK") == 0)
        return JKC_GOOD;
    if (*answer)
        explain_status(line, status, *answer);
    return *answer || (status >= 400 && status < 500) ? JKC_REFUSED : JKC_CANNOT_ASK;
}
