/* native/status/ask.c - the commands, and the checks that need to know nothing but the query. */
#include "jk/status/ask.h"

#include "jk/status/render.h"

#include <apr_strings.h>
#include <stdlib.h>

#define SHOWS (JK_CMD_SERVER | JK_CMD_HEAD)

const jk_command jk_commands[] = {
    { "list", SHOWS | JK_CMD_ALL },
    { "show", SHOWS | JK_CMD_ONE | JK_CMD_WORKER },
    { "edit", JK_CMD_SERVER | JK_CMD_WRITES | JK_CMD_WORKER },
    { "update", JK_CMD_CHANGES | JK_CMD_WRITES | JK_CMD_WORKER | JK_CMD_WILD },
    { "reset", JK_CMD_CHANGES | JK_CMD_WRITES | JK_CMD_WORKER },
    { "recover", JK_CMD_CHANGES | JK_CMD_WRITES | JK_CMD_WORKER },
    { "add", JK_CMD_CHANGES | JK_CMD_WRITES | JK_CMD_WORKER | JK_CMD_MEMBER | JK_CMD_NEW },
    { "remove", JK_CMD_CHANGES | JK_CMD_WRITES | JK_CMD_WORKER | JK_CMD_MEMBER },
    { "version", SHOWS },
    { "dump", SHOWS | JK_CMD_DUMP },
    { NULL, 0 },
};

static const jk_command *command_of(const char *name)
{
    const jk_command *c = jk_commands;

    while (c->name && strcmp(c->name, name) != 0)
        c++;
    return c->name ? c : NULL;
}

/* Digits; anything else is 0. */
static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;

    return text && *text >= '0' && *text <= '9' && n <= most ? (unsigned)n : 0;
}

/* Only where `sw` is used at all: a balancer's own values are asked for without it. */
static const char *wrong_worker(const jk_ask *ask)
{
    if (!(ask->command->does & JK_CMD_WORKER))
        return NULL;
    if (ask->w == NULL || *ask->w == '\0')
        return "NULL or EMPTY worker param";
    if (ask->sw && *ask->sw == '\0')
        return "EMPTY sub worker param";
    if (ask->sw == NULL && (ask->command->does & JK_CMD_MEMBER))
        return "NULL or EMPTY sub worker param";
    if (ask->sw && strpbrk(ask->sw, "*?") && !(ask->command->does & JK_CMD_WILD))
        return "wildcard not allowed in sub worker for this command";
    return NULL;
}

static void refuse(jk_result *result, int status, const char *message)
{
    if (jk_result_ok(result))
        *result = (jk_result){ status, message };
}

void jk_ask_take(const jk_query *query, const jk_worker_conf *conf, jk_ask *ask, jk_result *result)
{
    const char *cmd = jk_query_get(query, "cmd"), *mime = jk_query_get(query, "mime");
    const jk_command *command = command_of(cmd ? cmd : "list");
    const jk_format *format = jk_render_format(mime ? mime : "html");

    *ask = (jk_ask){ .query = *query, .command = command ? command : &jk_commands[0], .format = format ? format : jk_render_format("prop") };
    ask->w = jk_query_get(query, "w");
    ask->sw = jk_query_get(query, "sw");
    ask->att = jk_query_get(query, "att");
    ask->opt = number(jk_query_get(query, "opt"), 0x7fffffff);
    ask->refresh = (int)number(jk_query_get(query, "re"), 86400);
    ask->read_only = conf->read_only || (ask->opt & JK_HIDE_CHANGES);
    *result = (jk_result){ 200, "Action finished" };
    if (format == NULL)
        refuse(result, 400, "Invalid mime type.");
    if (command == NULL)
        refuse(result, 400, "Invalid command.");
    if (ask->read_only && (ask->command->does & JK_CMD_WRITES))
        refuse(result, 403, "This command is not allowed in read only mode.");
    const char *wrong = wrong_worker(ask);
    if (wrong)
        refuse(result, 400, wrong);
}

void jk_ask_read(apr_pool_t *p, jk_span text, const jk_worker_conf *conf, jk_ask *ask, jk_result *result)
{
    const char *name;
    jk_query query;
    jk_rc rc = jk_query_read(p, text, &query, &name);

    jk_ask_take(&query, conf, ask, result);
    if (rc != JK_OK)
        *result = (jk_result){ 400, "Error during parsing of URI" };
}

bool jk_result_ok(const jk_result *result)
{
    return result->status == 200;
}
