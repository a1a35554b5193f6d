/* native/route/rule.c - one rule's pattern: from its text, into its parts, and against a URI. */
#include "jk/route/rule.h"

/* ---- text -> rules ---- */

static bool take(jk_span *s, uint8_t c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    *s = (jk_span){ s->p + 1, s->len - 1 };
    return true;
}

/* Where the first part of "A|B" ends: the whole length where there is no second, or none is looked for. */
static size_t first_part(jk_span s, jk_rule_source source)
{
    const uint8_t *bar = source == JK_RULE_WORKER ? NULL : memchr(s.p, '|', s.len);

    return bar ? (size_t)(bar - s.p) : s.len;
}

/* "A|B" as "AB". */
static jk_span joined(jk_span s, size_t bar, char *room)
{
    memcpy(room, s.p, bar);
    memcpy(room + bar, s.p + bar + 1, s.len - bar - 1);
    return (jk_span){ (const uint8_t *)room, s.len - 1 };
}

jk_rc jk_rule_parse(jk_span text, const jk_rule *like, char *room, jk_rule out[2], size_t *n)
{
    jk_span rest = text;
    jk_rule rule = *like;

    *n = 0;
    rule.text = text;
    if (rule.source != JK_RULE_MOUNT) {
        rule.disabled |= take(&rest, '-');
        rule.exclude |= take(&rest, '!');
    }
    if (rest.len == 0 || rest.p[0] != '/')
        return JK_E_CONF;
    size_t bar = first_part(rest, rule.source);
    out[*n] = rule;
    out[(*n)++].pattern = (jk_span){ rest.p, bar };
    if (rest.len - bar > 1) { /* "/a|" says no more than "/a" */
        out[*n] = rule;
        out[(*n)++].pattern = joined(rest, bar, room);
    }
    return JK_OK;
}

/* ---- a pattern's parts ---- */

static size_t literal_length(jk_span s)
{
    size_t n = 0;

    while (n < s.len && s.p[n] != '*' && s.p[n] != '?')
        n++;
    return n;
}

jk_rule_shape jk_rule_shape_of(jk_span pattern)
{
    size_t head = literal_length(pattern), at = head;

    if (at == pattern.len)
        return (jk_rule_shape){ JK_RULE_EXACT, head, 0 };
    while (at < pattern.len && pattern.p[at] == '*')
        at++;
    if (at == pattern.len)
        return (jk_rule_shape){ JK_RULE_PREFIX, head, 0 };
    size_t tail = pattern.len - at;
    if (literal_length((jk_span){ pattern.p + at, tail }) < tail)
        return (jk_rule_shape){ JK_RULE_GENERAL, head, 0 };
    return (jk_rule_shape){ JK_RULE_AFFIX, head, tail };
}

size_t jk_rule_slashes(jk_span pattern)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.len; i++)
        n += pattern.p[i] == '/';
    return n;
}

/* ---- a pattern against a URI ---- */

/* What the last '*' has swallowed is the only choice worth going back to: an earlier one that swallowed more would leave
 * less to the last, which can swallow that itself. */
bool jk_rule_matches(jk_span pattern, jk_span uri)
{
    const uint8_t *p = pattern.p, *p_end = p + pattern.len, *u = uri.p, *u_end = u + uri.len;
    const uint8_t *star = NULL, *retry = NULL;

    while (u < u_end) {
        if (p < p_end && *p == '*') {
            star = ++p;
            retry = u;
        } else if (p < p_end && (*p == '?' || *p == *u)) {
            p++;
            u++;
        } else if (star) {
            p = star;
            u = ++retry;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}
