/* tests/fuzz/fuzz_edit.c - changes by the status page, one after the other, in a whole house of workers: what is refused changes nothing, what is in
 * force is what conf/keys allows, a change that is sent again changes nothing, and a state file brings all of it back.
 *
 *   | who asks | \n | a query | \n | a query .. */
#include "house.h"
#include "jk/status/edit.h"
#include "jk/status/state.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#define QUERIES_MOST 12
#define NOW 1000000000

static const int statuses[] = { 200, 400, 403, 404, 409, 422 };

static bool is_expected(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i] == status)
            return true;
    return false;
}

static jk_edit ask_for(const house *h, const char *query, const char *who, jk_result *result)
{
    jk_ask *ask = apr_palloc(h->p, sizeof *ask);
    jk_edit e;

    jk_ask_read(h->p, jk_span_of(query), jk_workers_find(h->conf, "s"), ask, result);
    e = jk_edit_make(h->p, h->registry, ask, who, NOW);
    jk_edit_do(&e, result);
    return e;
}

static void check_lines(const jk_edit *e)
{
    for (int i = 0; i < e->lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(e->lines, i, const char *);
        must(*line && !house_tells(line, strlen(line)), "what was done is told, and no secret");
    }
}

static void change(const house *h, const char *query, const char *who)
{
    house_values before, after, again;
    jk_result result;

    house_look(h, &before);
    jk_edit e = ask_for(h, query, who, &result);
    house_look(h, &after);
    must(is_expected(result.status) && *result.message, "an answer is one of those that there are");
    must(!house_tells(result.message, strlen(result.message)), "no answer holds a secret");
    if (!jk_result_ok(&result))
        must(house_same(&before, &after) && e.lines->nelts == 0, "what is refused changes nothing");
    if (!(e.ask->command->does & JK_CMD_CHANGES))
        must(house_same(&before, &after), "looking changes nothing");
    check_lines(&e);
    house_check(h, &after);
    if (!jk_result_ok(&result) || strcmp(e.ask->command->name, "update") != 0)
        return;
    must(house_same(&before, &after) == (e.lines->nelts == 0), "what was changed is told");
    e = ask_for(h, query, who, &result);
    house_look(h, &again);
    must(jk_result_ok(&result) && e.lines->nelts == 0 && house_same(&after, &again), "sent twice it changes nothing more");
}

/* The server is stopped and started. */
static void check_state(const house *h)
{
    jk_span text = jk_state_text(h->p, h->registry, NOW, JK_SPAN_NONE);
    json_t *root = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    house_values before, after;
    jk_state_news news;
    const char *why = "";
    house next = house_build(h->p, house_usual);

    must(root != NULL, "a state file is JSON");
    json_decref(root);
    must(!house_tells(text.p, text.len), "a state file holds no secret");
    must(jk_state_take(h->p, next.registry, text, &news, &why) == JK_OK && news.left->nelts == 0, "all of it is taken");
    house_look(h, &before);
    house_look(&next, &after);
    must(house_same(&before, &after), "it brings back what was");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    jk_span rest = { data, size }, line;
    apr_pool_t *p;
    char *who, *query;

    if (!ready)
        apr_initialize();
    ready = true;
    if (house_tells(data, size) || !take_line(&rest, &line) || (who = as_text(line)) == NULL)
        return 0;
    must(apr_pool_create(&p, NULL) == APR_SUCCESS, "memory");
    house h = house_build(p, house_usual);
    for (int i = 0; i < QUERIES_MOST && take_line(&rest, &line); i++) {
        if ((query = as_text(line)) == NULL)
            continue;
        change(&h, query, who);
        free(query);
    }
    check_state(&h);
    free(who);
    apr_pool_destroy(p);
    return 0;
}
