/* tests/fuzz/fuzz_match.c - any rules against any URIs, compiled (route/match) and looked up the slow and obvious way: each rule in turn, its
 * pattern by a table of prefixes.
 *
 *   | rules, one a line | an empty line | URIs, one a line |
 *   a rule: m (JkMount), u (JkUnMount), f (rule file) or w (worker.NAME.mount), the worker's letter or '*', the text    ma/app/x
 * Exclusions of a rule file and of a worker are written as there: fa!/app/x */
#include "jk/route/match.h"
#include "promise.h"

#define TEXTS_MOST 24
#define URIS_MOST 8
#define PATTERN_MOST 100
#define URI_MOST 200

typedef struct rules {
    jk_rule all[2 * TEXTS_MOST];
    char room[TEXTS_MOST][PATTERN_MOST];
    size_t n;
} rules;

/* ---- the slow way ---- */

/* fits[u]: do the pattern's bytes so far match the first u bytes of the URI? */
static bool slowly(jk_span pattern, jk_span uri)
{
    bool fits[URI_MOST + 1] = { true };

    for (size_t p = 0; p < pattern.len; p++) {
        bool star = pattern.p[p] == '*', before = fits[0];
        fits[0] = star && before;
        for (size_t u = 1; u <= uri.len; u++) {
            bool here = fits[u];
            fits[u] = star ? here || fits[u - 1] : before && (pattern.p[p] == '?' || pattern.p[p] == uri.p[u - 1]);
            before = here;
        }
    }
    return fits[uri.len];
}

static size_t slashes(jk_span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == '/';
    return n;
}

static bool goes_first(const jk_rule *a, const jk_rule *b)
{
    if (slashes(a->pattern) != slashes(b->pattern))
        return slashes(a->pattern) > slashes(b->pattern);
    if (a->pattern.len != b->pattern.len)
        return a->pattern.len > b->pattern.len;
    if (a->source != b->source)
        return a->source > b->source;
    return a->serial != b->serial ? a->serial < b->serial : a < b;
}

static bool same_rule(const jk_rule *a, const jk_rule *b)
{
    return jk_span_eq(a->text, b->text) && jk_span_eq(a->pattern, b->pattern) && a->source == b->source && a->exclude == b->exclude &&
           a->disabled == b->disabled && (!a->exclude || a->source != JK_RULE_WORKER || jk_span_eq(a->worker, b->worker));
}

static bool counts(const rules *r, size_t i)
{
    for (size_t j = i + 1; j < r->n; j++)
        if (same_rule(&r->all[i], &r->all[j]))
            return false;
    return !r->all[i].disabled;
}

/* The first that matches, of the mounts (against: absent) or of the exclusions of a worker. */
static const jk_rule *first(const rules *r, jk_span against, jk_span uri)
{
    const jk_rule *best = NULL;

    for (size_t i = 0; i < r->n; i++) {
        const jk_rule *one = &r->all[i];
        bool meant = against.p ? one->exclude && (jk_span_eq(one->worker, against) || jk_span_eq(one->worker, JK_SPAN_LIT("*"))) : !one->exclude;
        if (meant && counts(r, i) && slowly(one->pattern, uri) && (best == NULL || goes_first(one, best)))
            best = one;
    }
    return best;
}

/* ---- both ---- */

static bool as(const jk_rule *found, const jk_rule *wanted)
{
    if (found == NULL || wanted == NULL)
        return found == wanted;
    return found->serial == wanted->serial && jk_span_eq(found->pattern, wanted->pattern);
}

static void look_up(const rules *r, const jk_match *m, jk_span line)
{
    uint8_t *copy = exactly(line);
    jk_span uri = { copy, line.len };
    const jk_rule *winner = first(r, JK_SPAN_NONE, uri), *kill = winner ? first(r, winner->worker, uri) : NULL;
    jk_match_answer got = jk_match_find(m, uri);

    for (size_t i = 0; i < r->n; i++)
        must(jk_rule_matches(r->all[i].pattern, uri) == slowly(r->all[i].pattern, uri), "a rule alone matches as the slow way does");
    must(as(got.winner, winner), "the winner is the slow way's");
    must(as(got.exclusion, kill), "the exclusion is the slow way's");
    must(as(got.rule, kill ? NULL : winner), "what is excluded is not mapped");
    free(copy);
}

static void add(rules *r, size_t serial, jk_span line)
{
    jk_rule like = { .serial = (unsigned)serial, .source = JK_RULE_MOUNT };
    size_t n = 0;

    if (line.len < 3 || line.len > PATTERN_MOST)
        return;
    like.exclude = line.p[0] == 'u';
    like.source = line.p[0] == 'w' ? JK_RULE_WORKER : line.p[0] == 'f' ? JK_RULE_FILE : JK_RULE_MOUNT;
    like.worker = (jk_span){ line.p + 1, 1 };
    jk_rc rc = jk_rule_parse((jk_span){ line.p + 2, line.len - 2 }, &like, r->room[serial], r->all + r->n, &n);
    must((rc == JK_OK) == (n > 0) && n <= 2, "a text is one rule, two, or none");
    r->n += n;
}

static void *give(void *ctx, size_t n)
{
    void **list = ctx, **piece = block(sizeof *piece * 2 + n); /* a list of the blocks, two pointers wide for the sake of alignment */

    piece[0] = *list;
    *list = piece;
    return piece + 2;
}

static void take_back(void *list)
{
    while (list) {
        void *next = *(void **)list;
        free(list);
        list = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rules r;
    jk_span rest = { data, size }, line;
    void *memory = NULL;
    const jk_match *m;

    if (size == 0)
        return 0;
    r.n = 0;
    for (size_t i = 0; i < TEXTS_MOST && take_line(&rest, &line) && line.len > 0; i++)
        add(&r, i, line);
    must(jk_match_make((jk_match_memory){ give, &memory }, r.all, r.n, &m) == JK_OK, "rules compile");
    must(jk_match_count(m) <= r.n, "no rule more than there are");
    for (size_t i = 1; i < jk_match_count(m); i++)
        must(!goes_first(jk_match_rule(m, i), jk_match_rule(m, i - 1)) || jk_match_rule(m, i)->serial == jk_match_rule(m, i - 1)->serial,
             "rules stand in their order");
    for (size_t i = 0; i < URIS_MOST && take_line(&rest, &line); i++)
        if (line.len <= URI_MOST)
            look_up(&r, m, line);
    take_back(memory);
    return 0;
}
