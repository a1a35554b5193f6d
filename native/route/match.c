/* native/route/match.c - tries over the literal ends of the patterns, laid out in one array.
 *
 * A rule hangs at the node that its head (the bytes before the first wildcard) leads to, so one walk along the URI
 * passes every rule whose head fits; the rank, its place in the order, says which of those that match is first:
 *
 *   /shop       exact      The URI /shop/p7.jsp passes the nodes "/shop" and "/shop/p". At the second:
 *   /shop/p*    any        any = the rank of /shop/p*;
 *   /shop/p*.do tails      tails = a trie of "od." and "psj.", walked from the URI's last byte backwards;
 *   /shop/p?x*  general    general = the ranks of the rest, tried one by one while they can still be better.
 *
 * The mounts are one trie; so are the exclusions of each worker, and a rule knows the trie of its worker's. */
#include "jk/route/match.h"

#include <stdlib.h>

#define NONE UINT32_MAX /* no node; no rank, and behind every rank */

typedef struct node {
    const uint8_t *label; /* what is read here, after the byte that led here */
    size_t len;
    uint32_t edges;    /* match->edges[edges + c - low]: where the byte c leads; `span` of them */
    uint16_t span;
    uint8_t low;
    int8_t step;       /* +1: bytes are read forwards; -1: this is a trie of tails */
    uint32_t exact;    /* the best rank of what ends here */
    uint32_t any;      /* ... of head* */
    uint32_t tails;    /* the trie of head*tail */
    uint32_t general;  /* ranks, ascending: match->general[general .. +ngeneral] */
    uint32_t ngeneral;
} node;

struct jk_match {
    const jk_rule *rules; /* by rank */
    size_t count;
    const node *nodes;
    const uint32_t *edges, *general;
    const uint32_t *against; /* by rank: the trie of the exclusions of that rule's worker */
    uint32_t mounts;
    uint32_t everyones; /* exclusions of "*" */
};

/* ---- looking up ---- */

static uint32_t better(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Labels are a few bytes: a loop is shorter than the way to memcmp. */
static inline bool equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static const node *kid(const jk_match *m, const node *parent, uint8_t c)
{
    unsigned i = (unsigned)c - parent->low; /* below it: far too large */

    if (i >= parent->span)
        return NULL;
    uint32_t to = m->edges[parent->edges + i];
    return to == NONE ? NULL : m->nodes + to;
}

/* The best rank of the tails that end the `left` bytes before `end`. */
static uint32_t find_tail(const jk_match *m, uint32_t root, const uint8_t *end, size_t left)
{
    uint32_t best = NONE;

    for (const node *at = m->nodes + root; at && at->len <= left; at = kid(m, at, *end)) {
        for (size_t i = 0; i < at->len; i++)
            if (*(at->label - i) != *--end)
                return best;
        left -= at->len;
        best = better(best, at->exact);
        if (left == 0)
            break;
        end--;
        left--;
    }
    return best;
}

/* Their heads fit; what is better than `best` and matches altogether? */
static uint32_t find_general(const jk_match *m, const node *at, size_t head, jk_span uri, uint32_t best)
{
    jk_span rest = { uri.p + head, uri.len - head };

    for (uint32_t i = 0; i < at->ngeneral; i++) {
        uint32_t rank = m->general[at->general + i];
        if (rank > best)
            break;
        jk_span pattern = m->rules[rank].pattern;
        if (jk_rule_matches((jk_span){ pattern.p + head, pattern.len - head }, rest))
            return rank;
    }
    return best;
}

/* The best rank of all in that trie that match. */
static uint32_t find_in(const jk_match *m, uint32_t root, jk_span uri)
{
    uint32_t best = NONE;
    size_t head = 0;

    for (const node *at = m->nodes + root; at; at = head < uri.len ? kid(m, at, uri.p[head++]) : NULL) {
        if (at->len > uri.len - head || !equal(at->label, uri.p + head, at->len))
            break;
        head += at->len;
        if (head == uri.len)
            best = better(best, at->exact);
        best = better(best, at->any);
        if (at->tails != NONE)
            best = better(best, find_tail(m, at->tails, uri.p + uri.len, uri.len - head));
        if (at->ngeneral > 0)
            best = find_general(m, at, head, uri, best);
    }
    return best;
}

/* Most workers have no exclusion: that is no call. */
static inline uint32_t find(const jk_match *m, uint32_t root, jk_span uri)
{
    return root == NONE ? NONE : find_in(m, root, uri);
}

jk_match_answer jk_match_find(const jk_match *m, jk_span uri)
{
    uint32_t rank = find(m, m->mounts, uri);

    if (rank == NONE)
        return (jk_match_answer){ NULL, NULL, NULL };
    const jk_rule *winner = &m->rules[rank];
    uint32_t kill = better(find(m, m->against[rank], uri), find(m, m->everyones, uri));
    if (kill != NONE)
        return (jk_match_answer){ NULL, winner, &m->rules[kill] };
    return (jk_match_answer){ winner, winner, NULL };
}

size_t jk_match_count(const jk_match *m)
{
    return m->count;
}

const jk_rule *jk_match_rule(const jk_match *m, size_t i)
{
    return &m->rules[i];
}

/* ---- the order ---- */

static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_spans(jk_span a, jk_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : compare(a.len, b.len);
}

typedef struct entry {
    const jk_rule *rule;
    size_t slashes;
} entry;

/* First to last defined; where the caller's numbers are equal, by place in its array. */
static int by_definition(const jk_rule *a, const jk_rule *b)
{
    int order = compare(a->serial, b->serial);

    return order ? order : (a > b) - (a < b);
}

/* 0: one rule, written twice. The same exclusion may stand in several workers' own mounts, and each counts. */
static int compare_keys(const jk_rule *a, const jk_rule *b)
{
    int order = compare(a->source, b->source);

    if (!order)
        order = compare(a->exclude * 2 + a->disabled, b->exclude * 2 + b->disabled);
    if (!order)
        order = compare_spans(a->text, b->text);
    if (!order)
        order = compare_spans(a->pattern, b->pattern); /* "/a|/b" is one text and two rules */
    if (!order && a->exclude && a->source == JK_RULE_WORKER)
        order = compare_spans(a->worker, b->worker);
    return order;
}

static int by_key(const void *va, const void *vb)
{
    const jk_rule *a = ((const entry *)va)->rule, *b = ((const entry *)vb)->rule;
    int order = compare_keys(a, b);

    return order ? order : by_definition(a, b);
}

static int by_rank(const void *va, const void *vb)
{
    const entry *a = va, *b = vb;
    int order = compare(b->slashes, a->slashes);

    if (!order)
        order = compare(b->rule->pattern.len, a->rule->pattern.len);
    if (!order)
        order = compare(b->rule->source, a->rule->source);
    return order ? order : by_definition(a->rule, b->rule);
}

/* Of rules with the same key only the last defined stays. */
static size_t drop_repeated(entry *entries, size_t n)
{
    size_t kept = 0;

    qsort(entries, n, sizeof *entries, by_key);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || compare_keys(entries[i].rule, entries[i + 1].rule) != 0)
            entries[kept++] = entries[i];
    return kept;
}

/* Copies the rules that stay into `out`, by rank, and says how many they are. */
static size_t put_in_order(const jk_rule *rules, size_t n, entry *entries, jk_rule *out)
{
    for (size_t i = 0; i < n; i++)
        entries[i] = (entry){ &rules[i], jk_rule_slashes(rules[i].pattern) };
    n = drop_repeated(entries, n);
    qsort(entries, n, sizeof *entries, by_rank);
    for (size_t i = 0; i < n; i++)
        out[i] = *entries[i].rule;
    return n;
}

/* ---- growing tries ---- */

/* A rule as the builder sees it: the literal that leads to its node. */
typedef struct key {
    const uint8_t *p; /* the first byte in the direction of reading */
    size_t len, tail;
    uint32_t rank;
    jk_rule_form form;
} key;

/* The keys that a node stands over, all of them equal in the `depth` bytes that lead to it; and its children, which
 * follow one another, by the bytes that lead to them. */
typedef struct patch {
    uint32_t from, to;
    size_t depth;
    uint32_t kids, nkids;
    uint8_t byte; /* the last that leads to it */
} patch;

typedef struct builder {
    jk_match *m;
    key *keys;
    node *nodes;
    patch *patches; /* one for each node */
    uint32_t *edges; /* the caller's memory */
    uint32_t *general;
    entry *entries;
    uint32_t nkeys, nnodes, ngeneral, nedges;
} builder;

static uint8_t byte_of(const key *k, size_t i, int step)
{
    return *(step > 0 ? k->p + i : k->p - i);
}

/* What ends at one node stands together: by form, and the best of each form first. */
static int by_form(const key *a, const key *b)
{
    int order = compare(a->len, b->len);

    if (!order)
        order = compare(a->form, b->form);
    return order ? order : compare(a->rank, b->rank);
}

static int by_head(const void *va, const void *vb)
{
    const key *a = va, *b = vb;
    size_t n = a->len < b->len ? a->len : b->len;
    int order = n ? memcmp(a->p, b->p, n) : 0;

    return order ? order : by_form(a, b);
}

static int by_tail(const void *va, const void *vb)
{
    const key *a = va, *b = vb;

    for (size_t i = 0; i < a->len && i < b->len; i++)
        if (byte_of(a, i, -1) != byte_of(b, i, -1))
            return byte_of(a, i, -1) < byte_of(b, i, -1) ? -1 : 1;
    return by_form(a, b);
}

/* Only takes the place: grow() fills it in when its turn comes. */
static uint32_t plant(builder *b, patch over, int step)
{
    node *fresh = &b->nodes[b->nnodes];

    *fresh = (node){ .step = (int8_t)step, .exact = NONE, .any = NONE, .tails = NONE };
    b->patches[b->nnodes] = over;
    return b->nnodes++;
}

/* head*tail: the keys become their tails, and those a trie of its own. */
static uint32_t plant_tails(builder *b, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        key *k = &b->keys[i];
        jk_span pattern = b->m->rules[k->rank].pattern;
        *k = (key){ pattern.p + pattern.len - 1, k->tail, 0, k->rank, JK_RULE_EXACT };
    }
    qsort(b->keys + from, to - from, sizeof *b->keys, by_tail);
    return plant(b, (patch){ .from = from, .to = to }, -1);
}

/* The keys from..to end at this node and are of one form. */
static void settle(builder *b, uint32_t at, uint32_t from, uint32_t to)
{
    switch (b->keys[from].form) {
    case JK_RULE_EXACT:
        b->nodes[at].exact = b->keys[from].rank;
        break;
    case JK_RULE_PREFIX:
        b->nodes[at].any = b->keys[from].rank;
        break;
    case JK_RULE_AFFIX:
        b->nodes[at].tails = plant_tails(b, from, to);
        break;
    case JK_RULE_GENERAL:
        b->nodes[at].general = b->ngeneral;
        b->nodes[at].ngeneral = to - from;
        for (; from < to; from++)
            b->general[b->ngeneral++] = b->keys[from].rank;
        break;
    }
}

/* Settles the keys that end at `depth`, and returns where the longer ones begin. */
static uint32_t settle_all(builder *b, uint32_t at, size_t depth)
{
    uint32_t from = b->patches[at].from, end = b->patches[at].to;

    while (from < end && b->keys[from].len == depth) {
        uint32_t to = from + 1;
        while (to < end && b->keys[to].len == depth && b->keys[to].form == b->keys[from].form)
            to++;
        settle(b, at, from, to);
        from = to;
    }
    return from;
}

/* How many bytes all keys of the patch have in common: as many as its first and its last. */
static size_t common_length(const builder *b, const patch *over, int step)
{
    const key *first = &b->keys[over->from], *last = &b->keys[over->to - 1];
    size_t n = over->depth;

    while (n < first->len && n < last->len && byte_of(first, n, step) == byte_of(last, n, step))
        n++;
    return n;
}

/* The first key after `from` whose byte at `depth` is another. */
static uint32_t end_of_run(const builder *b, uint32_t from, uint32_t to, size_t depth, int step)
{
    uint8_t c = byte_of(&b->keys[from], depth, step);

    while (to - from > 1) {
        uint32_t middle = from + (to - from) / 2;
        if (byte_of(&b->keys[middle], depth, step) == c)
            from = middle;
        else
            to = middle;
    }
    return to;
}

/* Fills in one node and plants what comes below it. */
static void grow(builder *b, uint32_t at)
{
    patch *over = &b->patches[at];
    node *self = &b->nodes[at];
    int step = self->step;
    size_t depth = common_length(b, over, step);

    self->label = step > 0 ? b->keys[over->from].p + over->depth : b->keys[over->from].p - over->depth;
    self->len = depth - over->depth;
    uint32_t from = settle_all(b, at, depth), to;
    over->kids = b->nnodes;
    for (; from < over->to; from = to) {
        to = end_of_run(b, from, over->to, depth, step);
        plant(b, (patch){ .from = from, .to = to, .depth = depth + 1, .byte = byte_of(&b->keys[from], depth, step) }, step);
        over->nkids++;
    }
    if (over->nkids > 0) {
        self->low = b->patches[over->kids].byte;
        self->span = (uint16_t)(b->patches[over->kids + over->nkids - 1].byte - self->low + 1);
        self->edges = b->nedges;
        b->nedges += self->span;
    }
}

/* Once all have grown: a byte leads to a child by its place, without a search. */
static void join(builder *b, uint32_t at)
{
    const patch *over = &b->patches[at];
    const node *self = &b->nodes[at];

    for (uint32_t i = 0; i < self->span; i++)
        b->edges[self->edges + i] = NONE;
    for (uint32_t i = over->kids; i < over->kids + over->nkids; i++)
        b->edges[self->edges + b->patches[i].byte - self->low] = i;
}

/* ---- compiling ---- */

static void add_key(builder *b, uint32_t rank)
{
    const jk_rule *rule = &b->m->rules[rank];
    jk_rule_shape shape = jk_rule_shape_of(rule->pattern);

    b->keys[b->nkeys++] = (key){ rule->pattern.p, shape.head, shape.tail, rank, shape.form };
}

/* A trie over the keys since `from`. */
static uint32_t plant_keys(builder *b, uint32_t from)
{
    if (from == b->nkeys)
        return NONE;
    qsort(b->keys + from, b->nkeys - from, sizeof *b->keys, by_head);
    return plant(b, (patch){ .from = from, .to = b->nkeys }, 1);
}

static void plant_mounts(builder *b)
{
    for (uint32_t rank = 0; rank < b->m->count; rank++)
        if (!b->m->rules[rank].disabled && !b->m->rules[rank].exclude)
            add_key(b, rank);
    b->m->mounts = plant_keys(b, 0);
}

static int by_worker(const void *va, const void *vb)
{
    const entry *a = va, *b = vb;
    int order = compare_spans(a->rule->worker, b->rule->worker);

    /* The exclusions of a worker before its mounts: when those are met the trie is there. */
    return order ? order : compare(b->rule->exclude, a->rule->exclude);
}

/* One worker's rules. */
static void plant_exclusions(builder *b, const entry *entries, size_t n, uint32_t *against)
{
    uint32_t from = b->nkeys, root;
    size_t i = 0;

    for (; i < n && entries[i].rule->exclude; i++)
        if (!entries[i].rule->disabled)
            add_key(b, (uint32_t)(entries[i].rule - b->m->rules));
    root = plant_keys(b, from);
    for (; i < n; i++)
        against[entries[i].rule - b->m->rules] = root;
    if (jk_span_eq(entries[0].rule->worker, JK_SPAN_LIT("*")))
        b->m->everyones = root;
}

static void plant_workers(builder *b, uint32_t *against)
{
    size_t count = b->m->count, from = 0, to;
    entry *entries = b->entries;

    for (size_t i = 0; i < count; i++)
        entries[i].rule = &b->m->rules[i];
    qsort(entries, count, sizeof *entries, by_worker);
    for (; from < count; from = to) {
        for (to = from + 1; to < count && jk_span_eq(entries[to].rule->worker, entries[from].rule->worker); to++)
            ;
        plant_exclusions(b, entries + from, to - from, against);
    }
}

/* A trie has less than twice as many nodes as keys, and a key may stand in two: by its head and by its tail. */
#define MOST_NODES(n) (4 * (n))
/* A node has at most 256 edges, and they are counted in 32 bits. */
#define MOST_RULES (NONE / 256 / MOST_NODES(1))

/* What is needed while compiling alone. One more than n, since a block of no bytes may be NULL. */
static bool take_scratch(builder *b, size_t n)
{
    b->keys = calloc(n + 1, sizeof *b->keys);
    b->nodes = calloc(MOST_NODES(n) + 1, sizeof *b->nodes);
    b->patches = calloc(MOST_NODES(n) + 1, sizeof *b->patches);
    b->general = calloc(n + 1, sizeof *b->general);
    b->entries = calloc(n + 1, sizeof *b->entries);
    return b->keys && b->nodes && b->patches && b->general && b->entries;
}

static void drop_scratch(builder *b)
{
    free(b->keys);
    free(b->nodes);
    free(b->patches);
    free(b->general);
    free(b->entries);
}

static void *copy(jk_match_memory memory, const void *from, size_t n)
{
    void *to = memory.alloc(memory.ctx, n + 1);

    return to ? memcpy(to, from, n) : NULL;
}

static jk_rc compile(builder *b, jk_match_memory memory, const jk_rule *rules, size_t n)
{
    jk_match *m = b->m;
    jk_rule *ordered = memory.alloc(memory.ctx, (n + 1) * sizeof *ordered);
    uint32_t *against = memory.alloc(memory.ctx, (n + 1) * sizeof *against);

    if (!ordered || !against)
        return JK_E_MEMORY;
    *m = (jk_match){ .rules = ordered, .against = against, .mounts = NONE, .everyones = NONE };
    m->count = put_in_order(rules, n, b->entries, ordered);
    plant_mounts(b);
    plant_workers(b, against);
    for (uint32_t i = 0; i < b->nnodes; i++)
        grow(b, i);
    b->edges = memory.alloc(memory.ctx, (b->nedges + 1) * sizeof *b->edges);
    if (!b->edges)
        return JK_E_MEMORY;
    for (uint32_t i = 0; i < b->nnodes; i++)
        join(b, i);
    m->edges = b->edges;
    m->nodes = copy(memory, b->nodes, b->nnodes * sizeof *b->nodes);
    m->general = copy(memory, b->general, b->ngeneral * sizeof *b->general);
    return m->nodes && m->general ? JK_OK : JK_E_MEMORY;
}

jk_rc jk_match_make(jk_match_memory memory, const jk_rule *rules, size_t n, const jk_match **match)
{
    builder b = { .m = NULL };
    jk_rc rc = JK_E_MEMORY;

    *match = NULL;
    if (n > MOST_RULES || !take_scratch(&b, n))
        goto done;
    b.m = memory.alloc(memory.ctx, sizeof *b.m);
    if (b.m == NULL)
        goto done;
    rc = compile(&b, memory, rules, n);
    if (rc == JK_OK)
        *match = b.m;
done:
    drop_scratch(&b);
    return rc;
}
