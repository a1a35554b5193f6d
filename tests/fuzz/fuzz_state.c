/* tests/fuzz/fuzz_state.c - any bytes as a state file (JkStateFile), which an administrator may have edited: what cannot be read changes nothing,
 * what is taken is what conf/keys allows, all that is not is told, and what is written then is taken whole. */
#include "house.h"
#include "jk/status/state.h"

#include <apr_general.h>

static void check_left(const jk_state_news *news)
{
    must(news->taken >= 0, "values are counted");
    for (int i = 0; i < news->left->nelts; i++)
        must(*APR_ARRAY_IDX(news->left, i, const char *) != '\0', "what was left out has words");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    house_values before, after, again;
    jk_state_news news;
    const char *why = "";
    apr_pool_t *p;

    if (!ready)
        apr_initialize();
    ready = true;
    must(apr_pool_create(&p, NULL) == APR_SUCCESS, "memory");
    uint8_t *copy = exactly((jk_span){ data, size });
    house h = house_build(p, house_usual);
    house_look(&h, &before);
    jk_rc rc = jk_state_take(p, h.registry, (jk_span){ copy, size }, &news, &why);
    jk_span lost = jk_state_homeless(p, h.registry, (jk_span){ copy, size });
    free(copy);
    house_look(&h, &after);
    if (rc != JK_OK)
        must(rc == JK_E_CONF && *why && house_same(&before, &after), "what is no state file is refused in words, and changes nothing");
    else
        check_left(&news);
    house_check(&h, &after);
    house next = house_build(p, house_usual);
    jk_span text = jk_state_text(p, h.registry, 1, lost);
    must(jk_state_take(p, next.registry, text, &news, &why) == JK_OK && (news.left->nelts == 0) == (lost.len == 0), "what is written is taken");
    must(jk_state_homeless(p, next.registry, text).len == lost.len, "who has no place stays");
    house_look(&next, &again);
    must(house_same(&after, &again), "and is the same");
    apr_pool_destroy(p);
    return 0;
}
