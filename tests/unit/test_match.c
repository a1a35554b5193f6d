/* tests/unit/test_match.c - the compiled rules against the worked example, a table of small sets, and a reference that
 * sorts and tries one rule after the other. */
#include "guard.h"
#include "jk/route/match.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* ck_assert() writes a line for every call; in a loop of many thousands only the failure is worth one. */
#define MUST(x, ...)                   \
    do {                               \
        if (!(x))                      \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* ---- memory ---- */

typedef struct arena {
    void *blocks[16];
    size_t n, bytes, fail_at; /* fail_at: which block is refused, from 1; 0: none */
} arena;

static void *take(void *ctx, size_t n)
{
    arena *a = ctx;

    if (a->fail_at == a->n + 1 || a->n == sizeof a->blocks / sizeof a->blocks[0])
        return NULL;
    a->bytes += n;
    return a->blocks[a->n++] = malloc(n);
}

static void give_back(arena *a)
{
    while (a->n > 0)
        free(a->blocks[--a->n]);
    a->bytes = 0;
}

static const jk_match *make(arena *a, const jk_rule *rules, size_t n)
{
    const jk_match *m;

    ck_assert_int_eq(jk_match_make((jk_match_memory){ take, a }, rules, n, &m), JK_OK);
    return m;
}

/* ---- sets of rules as text: "PATTERN=worker", and a letter before it that names the source ---- */

#define MOST 64

typedef struct set {
    jk_rule rules[2 * MOST];
    char rooms[MOST][32];
    size_t n, rows;
} set;

/* "m/a|/b=w1": m JkMount, f file, w worker; with "u" a JkUnMount. */
static void add(set *s, const char *row)
{
    static const char letters[] = "?wmf";
    const char *equals = strrchr(row, '='), *text = row + 1;
    bool unmount = row[0] == 'u';
    jk_rule like = { .worker = jk_span_of(equals + 1), .exclude = unmount, .serial = (unsigned)s->rows, .file = row };
    size_t n;

    like.source = unmount ? JK_RULE_MOUNT : (jk_rule_source)(strchr(letters, row[0]) - letters);
    ck_assert_uint_le((size_t)(equals - text), sizeof s->rooms[0]);
    ck_assert_int_eq(jk_rule_parse((jk_span){ (const uint8_t *)text, (size_t)(equals - text) }, &like, s->rooms[s->rows++],
                                   s->rules + s->n, &n), JK_OK);
    s->n += n;
}

static void add_all(set *s, const char *const *list)
{
    *s = (set){ .n = 0 };
    for (; *list; list++)
        add(s, *list);
}

static jk_match_answer find(const jk_match *m, const char *uri)
{
    size_t n = strlen(uri);

    return jk_match_find(m, (jk_span){ jk_guarded(uri, n), n });
}

static bool maps_to(const jk_match *m, const char *uri, const char *worker)
{
    jk_match_answer got = find(m, uri);

    return worker ? got.rule && jk_span_eq(got.rule->worker, jk_span_of(worker)) : got.rule == NULL;
}

static const char *const example[] = {
    "f/foo|/*=w1", "f/foo/bar=w2", "f/foo/*.jsp=w3", "f/*.do=w4", "f!/foo/static/*=w1", "f!/*.gif=*", NULL,
};

static const struct {
    const char *uri, *worker, *why;
} example_rows[] = {
    { "/foo", "w1", "the first half of the pair" },
    { "/foo/", "w1", "the second" },
    { "/foo/bar", "w2", "longer" },
    { "/foo/x.jsp", "w3", "longer" },
    { "/foo/static/x.jsp", "w3", "the exclusion is of w1" },
    { "/foo/static/x.txt", NULL, "here it counts" },
    { "/foo/x.gif", NULL, "an exclusion of all" },
    { "/x.do", "w4", "a tail" },
    { "/foo/a/x.do", "w1", "two slashes before one" },
    { "/foobar", NULL, "no pattern" },
    { "/x.gif", NULL, "nothing to exclude" },
    { "/", NULL, "nothing" },
    { "*", NULL, "OPTIONS never maps" },
    { "", NULL, "nothing at all" },
};

START_TEST(the_worked_example)
{
    arena a = { .n = 0 };
    set s;

    add_all(&s, example);
    const jk_match *m = make(&a, s.rules, s.n);
    ck_assert_msg(maps_to(m, example_rows[_i].uri, example_rows[_i].worker), "%s: %s", example_rows[_i].uri,
                  example_rows[_i].why);
    give_back(&a);
}
END_TEST

START_TEST(an_answer_says_why)
{
    arena a = { .n = 0 };
    set s;

    add_all(&s, example);
    const jk_match *m = make(&a, s.rules, s.n);
    jk_match_answer got = find(m, "/foo/x.gif");
    ck_assert_ptr_null(got.rule);
    ck_assert_str_eq(got.winner->file, "f/foo|/*=w1");
    ck_assert_str_eq(got.exclusion->file, "f!/*.gif=*");
    got = find(m, "/foo/static/x.gif");
    ck_assert_str_eq(got.exclusion->file, "f!/foo/static/*=w1"); /* both would do: the first in the order */
    got = find(m, "/x.do");
    ck_assert(got.rule == got.winner && got.rule && !got.exclusion);
    got = find(m, "/x");
    ck_assert(!got.rule && !got.winner && !got.exclusion);
    give_back(&a);
}
END_TEST

static const struct {
    const char *rules[6], *uri, *worker, *why;
} sets[] = {
    { { NULL }, "/a", NULL, "no rule" },
    { { "m/a=w" }, "/a", "w", "exact" },
    { { "m/a=w" }, "/a/", NULL, "exact" },
    { { "m/a=w" }, "/", NULL, "a prefix of the pattern" },
    { { "m/*=w" }, "/", "w", "everything" },
    { { "m/foo*=w" }, "/foobar", "w", "no slash is needed" },
    { { "m/foo*=w" }, "/foo", "w", "nor anything" },
    { { "m/fo*=y", "m/foo=x" }, "/foo", "y", "equal in slashes and length: the first defined, exact or not" },
    { { "m/foo=x", "m/fo*=y" }, "/foo", "x", "the first defined" },
    { { "m/foo=x", "m/foo*=y" }, "/foo", "y", "an exact pattern has no precedence, and the star is a byte more" },
    { { "m/*.tar.gz=x", "m/*.gz=y" }, "/a.tar.gz", "x", "tails with more than one dot" },
    { { "m/*.tar.gz=x", "m/*.gz=y" }, "/a.gz", "y", "the shorter one" },
    { { "m/*x=x" }, "/ax", "x", "a tail without a dot" },
    { { "m/*x=x" }, "/x", "x", "nothing before it" },
    { { "m/aba*aba=x" }, "/ababa", NULL, "head and tail do not share bytes" },
    { { "m/aba*aba=x" }, "/abaaba", "x", "side by side" },
    { { "m/a/*.do=x", "m/*.do=y" }, "/a/b.do", "x", "more slashes" },
    { { "m/a/*=x", "m/*.longer=y" }, "/a/b.longer", "x", "slashes before length" },
    { { "m/?=x", "m/*=y" }, "/a", "x", "a general pattern in a tie: the first defined" },
    { { "m/*=y", "m/?=x" }, "/a", "y", "the first defined" },
    { { "m/a?=x", "m/a*=y", "f/ab=z" }, "/ab", "z", "the file's rule first" },
    { { "m/a?=x", "m/a*=y", "w/ab=z" }, "/ab", "x", "a worker's own last; the first defined" },
    { { "m/a?c*e=x", "m/a*=y" }, "/abcde", "x", "a general pattern that is longer" },
    { { "m/a?c*e=x", "m/a*=y" }, "/abcd", "y", "and does not match" },
    { { "m/a*=x", "m/a*=y" }, "/a", "y", "the same text twice: the last wins" },
    { { "m/a*=x", "f/a*=y", "m/a*=z" }, "/a", "y", "of two sources: the higher" },
    { { "f/a|b=x", "f/ab=y" }, "/ab", "x", "two texts, one pattern: the first defined wins" },
    { { "f/a**=x", "f/aa*=y" }, "/aa", "x", "a tie between patterns: stars count as bytes" },
    { { "f-/a=x" }, "/a", NULL, "disabled" },
    { { "f-/a=x", "f/*=y" }, "/a", "y", "the next" },
    { { "m/a=x", "u/a=x" }, "/a", NULL, "mount and exclusion of one pattern" },
    { { "u/a=x", "m/a=x" }, "/a", NULL, "in whatever order" },
    { { "m/a=x", "u/a=y" }, "/a", "x", "another worker's" },
    { { "m/a=x", "u/a=*" }, "/a", NULL, "everyone's" },
    { { "m/a=x", "f-!/a=*" }, "/a", "x", "a disabled exclusion" },
    { { "m/*=y", "m/a=x", "u/a=x" }, "/a", "y", "an exclusion of one that has not won" },
    { { "m/ab=x", "m/*=y", "u/ab=x" }, "/ab", NULL, "no second best" },
    { { "m/a*=x", "u/*.gif=x" }, "/ab.gif", NULL, "an exclusion by its tail" },
    { { "m/a*=x", "u/a?c=x" }, "/abc", NULL, "an exclusion by a general pattern" },
    { { "m/a*=x", "f!/abc=x", "f!/abc=y" }, "/abc", "x", "the same text twice in a file: the last wins" },
    { { "m/a*=x", "w!/abc=x", "w!/abc=y" }, "/abc", NULL, "two workers' own: each counts" },
    { { "w/a*=x", "w/a*=y" }, "/abc", "y", "two workers' own mounts: the last wins" },
};

START_TEST(small_sets)
{
    arena a = { .n = 0 };
    set s;

    add_all(&s, sets[_i].rules);
    const jk_match *m = make(&a, s.rules, s.n);
    jk_match_answer got = find(m, sets[_i].uri);
    ck_assert_msg(maps_to(m, sets[_i].uri, sets[_i].worker), "%s -> %s: %s", sets[_i].uri,
                  got.winner ? got.winner->file : "none", sets[_i].why);
    give_back(&a);
}
END_TEST

START_TEST(the_order_can_be_walked)
{
    static const char *const list[] = {
        "w/b=x", "m/b=x", "f/b=x", "f-/c=x", "f!/d=*", "m/longer=x", "m/a/b=x", "m/a=old", "m/a=new", NULL,
    };
    static const char *const want[] = {
        "m/a/b=x", "m/longer=x", "f/b=x", "f-/c=x", "f!/d=*", "m/b=x", "m/a=new", "w/b=x",
    };
    arena a = { .n = 0 };
    set s;

    add_all(&s, list);
    const jk_match *m = make(&a, s.rules, s.n);
    ck_assert_uint_eq(jk_match_count(m), sizeof want / sizeof want[0]);
    for (size_t i = 0; i < jk_match_count(m); i++)
        ck_assert_str_eq(jk_match_rule(m, i)->file, want[i]);
    give_back(&a);
}
END_TEST

START_TEST(memory_that_is_refused)
{
    set s;

    add_all(&s, example);
    for (size_t i = 1; i <= 6; i++) {
        arena a = { .fail_at = i };
        const jk_match *m = (const jk_match *)&a;
        ck_assert_int_eq(jk_match_make((jk_match_memory){ take, &a }, s.rules, s.n, &m), JK_E_MEMORY);
        ck_assert_ptr_null(m);
        give_back(&a);
    }
}
END_TEST

/* Places in the trie are counted in 32 bits: what cannot be counted is refused before anything is looked at. */
START_TEST(more_rules_than_can_be_counted)
{
    arena a = { .n = 0 };
    const jk_match *m = (const jk_match *)&a;

    ck_assert_int_eq(jk_match_make((jk_match_memory){ take, &a }, NULL, UINT32_MAX, &m), JK_E_MEMORY);
    ck_assert_ptr_null(m);
    ck_assert_uint_eq(a.n, 0);
}
END_TEST

/* ---- the reference ---- */

static bool slowly(jk_span p, jk_span u)
{
    jk_span p1 = { p.p + 1, p.len - 1 }, u1 = { u.p + 1, u.len - 1 };

    if (p.len == 0)
        return u.len == 0;
    if (p.p[0] == '*')
        return slowly(p1, u) || (u.len > 0 && slowly(p, u1));
    return u.len > 0 && (p.p[0] == '?' || p.p[0] == u.p[0]) && slowly(p1, u1);
}

static bool same_key(const jk_rule *a, const jk_rule *b)
{
    if (a->source == JK_RULE_WORKER && a->exclude && !jk_span_eq(a->worker, b->worker))
        return false;
    return a->source == b->source && a->exclude == b->exclude && a->disabled == b->disabled &&
           jk_span_eq(a->text, b->text) && jk_span_eq(a->pattern, b->pattern);
}

static size_t slashes(jk_span s)
{
    size_t n = 0;

    while (s.len-- > 0)
        n += s.p[s.len] == '/';
    return n;
}

static bool goes_before(const jk_rule *a, const jk_rule *b)
{
    if (slashes(a->pattern) != slashes(b->pattern))
        return slashes(a->pattern) > slashes(b->pattern);
    if (a->pattern.len != b->pattern.len)
        return a->pattern.len > b->pattern.len;
    if (a->source != b->source)
        return a->source > b->source;
    return a->serial != b->serial ? a->serial < b->serial : a < b;
}

/* The first in the order, of those that match and are exclusions of `worker` or "*" (mounts where it is absent). */
static const jk_rule *first_of(const set *s, jk_span uri, jk_span worker)
{
    const jk_rule *best = NULL;

    for (size_t i = 0; i < s->n; i++) {
        const jk_rule *r = &s->rules[i];
        bool repeated = false;
        for (size_t j = i + 1; j < s->n; j++)
            repeated |= same_key(r, &s->rules[j]);
        if (repeated || r->disabled || r->exclude != (worker.p != NULL) || !slowly(r->pattern, uri))
            continue;
        if (worker.p && !jk_span_eq(r->worker, worker) && !jk_span_eq(r->worker, JK_SPAN_LIT("*")))
            continue;
        if (!best || goes_before(r, best))
            best = r;
    }
    return best;
}

/* The match has copies of the rules: the same one is that of the same row and pattern. */
static bool same_rule(const jk_rule *a, const jk_rule *b)
{
    return a == b || (a && b && a->file == b->file && a->serial == b->serial && jk_span_eq(a->pattern, b->pattern));
}

/* ---- at random ---- */

static void pick(uint32_t *seed, const char *letters, size_t max, char *out)
{
    size_t n = next(seed) % (max + 1), many = strlen(letters);

    for (size_t i = 0; i < n; i++)
        out[i] = letters[next(seed) % many];
    out[n] = '\0';
}

/* Short words over few letters, so that patterns meet: equal ones, prefixes and tails of one another. */
static void random_row(uint32_t *seed, char *row)
{
    static const char *const sources[] = { "w", "w-", "w!", "m", "m", "m", "u", "f", "f", "f!", "f-", "f-!" };
    static const char *const workers[] = { "w1", "w2", "w3", "w4" };
    const char *source = sources[next(seed) % 12], *worker = workers[next(seed) % 4];
    static const char *const letters[] = { "/ab", "/ab*", "/ab.*?", "/a*?|", "a*" };
    char pattern[16];

    pick(seed, letters[next(seed) % 5], 7, pattern);
    if ((source[0] == 'u' || strchr(source, '!')) && next(seed) % 3 == 0)
        worker = "*";
    sprintf(row, "%s/%s%s=%s", source, pattern, next(seed) % 4 ? "" : "*", worker);
}

static void compare_with_reference(const set *s, const jk_match *m, const char *text, size_t *mapped, size_t *killed)
{
    jk_span uri = jk_span_of(text);
    const jk_rule *winner = first_of(s, uri, JK_SPAN_NONE);
    const jk_rule *exclusion = winner ? first_of(s, uri, winner->worker) : NULL;
    jk_match_answer got = find(m, text);

    MUST(same_rule(got.winner, winner), "%s: %s, not %s", text, got.winner ? got.winner->file : "none",
                  winner ? winner->file : "none");
    MUST(same_rule(got.exclusion, exclusion), "%s: killed by %s, not %s", text,
                  got.exclusion ? got.exclusion->file : "none", exclusion ? exclusion->file : "none");
    MUST(got.rule == (got.exclusion ? NULL : got.winner), "%s", text);
    *mapped += got.rule != NULL;
    *killed += got.exclusion != NULL;
}

START_TEST(the_same_as_one_rule_after_the_other)
{
    static char rows[MOST][32];
    static set s;
    uint32_t seed = 1311;
    size_t mapped = 0, killed = 0;

    for (int i = 0; i < 12000; i++) {
        arena a = { .n = 0 };
        size_t n = next(&seed) % (i % 10 ? 8 : MOST);
        s.n = s.rows = 0;
        for (size_t j = 0; j < n; j++) {
            random_row(&seed, rows[j]);
            add(&s, rows[j]);
        }
        const jk_match *m = make(&a, s.rules, s.n);
        for (size_t j = 0; j < jk_match_count(m); j++)
            MUST(j == 0 || goes_before(jk_match_rule(m, j - 1), jk_match_rule(m, j)), "rank %zu", j);
        for (int j = 0; j < 25; j++) {
            char uri[16] = "/";
            pick(&seed, "/ab.", 9, uri + 1);
            compare_with_reference(&s, m, uri, &mapped, &killed);
        }
        give_back(&a);
    }
    ck_assert_uint_gt(mapped, 50000);
    ck_assert_uint_gt(killed, 10000);
}
END_TEST

/* ---- many rules ---- */

#define MANY 5000

typedef struct crowd {
    jk_rule rules[2 * MANY];
    char patterns[2 * MANY][32];
    size_t n;
} crowd;

/* `form` with i for its '#'. */
static const char *numbered(const char *form, int i, char *out, size_t size)
{
    const char *at = strchr(form, '#');

    snprintf(out, size, "%.*s%d%s", (int)(at - form), form, i, at + 1);
    return out;
}

static void add_to_crowd(crowd *c, const char *form, int i, bool exclude, const char *worker)
{
    jk_span pattern = jk_span_of(numbered(form, i, c->patterns[c->n], sizeof c->patterns[0]));

    c->rules[c->n] = (jk_rule){ .text = pattern, .pattern = pattern, .worker = jk_span_of(worker), .source = JK_RULE_FILE,
                                .exclude = exclude, .serial = (unsigned)c->n };
    c->n++;
}

static const char *const forms[][2] = {
    { "/app#/*", "/app#/index.html" }, { "/app#", "/app#" }, { "/*.x#", "/some/where.x#" },
    { "/p#/*.jsp", "/p#/q/index.jsp" }, { "/#/a/b/*", "/#/a/b/" }, { "/a#*", "/a#z" },
};

START_TEST(every_one_of_many_is_found)
{
    static crowd c;
    arena a = { .n = 0 };
    char uri[64];

    for (int i = 0; i < MANY; i++)
        add_to_crowd(&c, forms[i % 6][0], i, false, i % 2 ? "w" : "v");
    for (int i = 0; i < MANY; i++)
        add_to_crowd(&c, forms[i % 6][0], i, true, i % 2 ? "v" : "w"); /* nobody's winner */
    const jk_match *m = make(&a, c.rules, c.n);
    ck_assert_uint_eq(jk_match_count(m), 2 * MANY);
    ck_assert_uint_lt(a.bytes, 2 * MANY * 256);
    for (int i = 0; i < MANY; i++) {
        jk_match_answer got = find(m, numbered(forms[i % 6][1], i, uri, sizeof uri));
        ck_assert_msg(got.rule && jk_span_eq(got.rule->pattern, c.rules[i].pattern), "%s", uri);
    }
    give_back(&a);
}
END_TEST

/* Each a prefix of the next, and tails likewise: the shapes that would make a naive builder square or deep. */
START_TEST(patterns_that_nest)
{
    static char text[MANY + 16];
    static jk_rule rules[2 * MANY];
    arena a = { .n = 0 };

    memset(text, 'a', sizeof text);
    text[0] = '/';
    text[MANY + 1] = '*';
    for (size_t i = 0; i < MANY; i++) {
        jk_span head = { (const uint8_t *)text, i + 1 };
        rules[i] = (jk_rule){ .text = head, .pattern = head, .worker = JK_SPAN_LIT("w"), .source = JK_RULE_MOUNT };
    }
    const jk_match *m = make(&a, rules, MANY);
    jk_match_answer got = jk_match_find(m, (jk_span){ (const uint8_t *)text, 3000 });
    ck_assert(got.rule && got.rule->pattern.len == 3000);
    got = jk_match_find(m, (jk_span){ (const uint8_t *)text, MANY + 1 });
    ck_assert_ptr_null(got.rule);
    give_back(&a);
}
END_TEST

START_TEST(no_rule_at_all)
{
    arena a = { .n = 0 };
    const jk_match *m = make(&a, NULL, 0);

    ck_assert_uint_eq(jk_match_count(m), 0);
    ck_assert_ptr_null(find(m, "/").winner);
    give_back(&a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route/match");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, the_worked_example, 0, sizeof example_rows / sizeof example_rows[0]);
    tcase_add_test(all, an_answer_says_why);
    tcase_add_test(all, more_rules_than_can_be_counted);
    tcase_add_loop_test(all, small_sets, 0, sizeof sets / sizeof sets[0]);
    tcase_add_test(all, the_order_can_be_walked);
    tcase_add_test(all, memory_that_is_refused);
    tcase_add_test(all, the_same_as_one_rule_after_the_other);
    tcase_add_test(all, every_one_of_many_is_found);
    tcase_add_test(all, patterns_that_nest);
    tcase_add_test(all, no_rule_at_all);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
