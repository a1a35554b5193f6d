/* native/conf/values.c - reads values: numbers with units, yes and no, words, letters, texts, lists. */
#include "jk/conf/values.h"

#include <apr_strings.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

static const struct {
    const char *word;
    jk_key_type type;
    long long factor; /* of ms, or of bytes */
} units[] = {
    { "ms", JK_KEY_TIME, 1 }, { "s", JK_KEY_TIME, 1000 }, { "m", JK_KEY_TIME, 60000 }, { "h", JK_KEY_TIME, 3600000 },
    { "k", JK_KEY_SIZE, 1024 }, { "m", JK_KEY_SIZE, 1 << 20 }, { "g", JK_KEY_SIZE, 1 << 30 },
};

static void tell(jk_findings *found, const jk_prop *prop, const char *allowed, const char *used)
{
    jk_findings_add(found, JK_FIND_LENIENT, JK_PROP_AT(prop), "'%s' is no value for %s; allowed: %s; %s is used",
                    jk_props_shown(found->p, prop, NULL), prop->key, allowed, prop->hidden ? "what can be read of it" : used);
}

const char *jk_values_allowed(apr_pool_t *p, const jk_key *key)
{
    const char *text = "";

    if (key->type == JK_KEY_TIME)
        return "a number with ms, s, m or h";
    if (key->type == JK_KEY_SIZE)
        return "a number with k, m or g";
    if (key->type == JK_KEY_BOOL)
        return "true or false";
    for (const jk_key_word *w = key->words; w && w->word; w++) {
        bool last = w[1].word == NULL || w[1].value == w->value;
        text = apr_pstrcat(p, text, *text == '\0' ? "" : last ? " or " : ", ", w->word, NULL);
        if (last)
            break;
    }
    if (key->type == JK_KEY_LETTERS)
        return apr_pstrcat(p, "letters of ", text, NULL);
    return *text ? text : key->type == JK_KEY_INT ? "a number" : key->type == JK_KEY_CODES ? "statuses with or without a minus" : "text";
}

/* ---- numbers ---- */

/* n is below 2^31: no product overflows. */
static bool scale(const jk_key *key, const char *unit, long long *n)
{
    bool seconds = strcmp(key->unit, "s") == 0;

    if (*unit == '\0')
        return true;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].type != key->type || strcasecmp(unit, units[i].word) != 0)
            continue;
        *n *= units[i].factor;
        if (seconds) /* 1 ms must not become 0 s, which means "none" */
            *n = *n > 0 ? (*n + 999) / 1000 : *n / 1000;
        return true;
    }
    return false;
}

static long long default_of(const jk_key *key)
{
    return key->dflt ? atoll(key->dflt) : 0;
}

/* The digits, and what stands behind them. false: no digits, or more than an integer holds. */
static bool digits(const char *text, long long *n, const char **rest)
{
    char *end;

    errno = 0;
    *n = strtoll(text, &end, 10);
    for (*rest = end; **rest == ' ' || **rest == '\t'; ++*rest)
        ;
    return end != text && errno == 0 && *n >= INT_MIN && *n <= INT_MAX;
}

int32_t jk_values_number(const jk_key *key, const jk_prop *prop, jk_findings *found)
{
    const char *rest;
    long long n, was;
    bool read = digits(prop->value, &n, &rest), good = read && scale(key, rest, &n);

    if (!read)
        n = default_of(key);
    was = n;
    n = n < key->min ? key->min : n > key->max ? key->max : n;
    if (!good)
        tell(found, prop, jk_values_allowed(found->p, key), apr_ltoa(found->p, (long)n));
    else if (was != n && prop->hidden)
        jk_findings_add(found, JK_FIND_LENIENT, JK_PROP_AT(prop), "%s is out of range; allowed: %d to %d", prop->key, key->min, key->max);
    else if (was != n)
        jk_findings_add(found, JK_FIND_LENIENT, JK_PROP_AT(prop), "%s=%s is out of range; allowed: %d to %d; %d is used", prop->key,
                        jk_props_shown(found->p, prop, NULL), key->min, key->max, (int)n);
    return (int32_t)n;
}

static bool read_bool(const jk_key *key, const jk_prop *prop, jk_findings *found)
{
    char c = (char)jk_span_lower((uint8_t)*prop->value);

    if (c == 't' || c == 'y' || strcasecmp(prop->value, "on") == 0 || strcmp(prop->value, "1") == 0)
        return true;
    if (c == 'f' || c == 'n' || strcasecmp(prop->value, "off") == 0 || strcmp(prop->value, "0") == 0)
        return false;
    tell(found, prop, jk_values_allowed(found->p, key), key->dflt ? key->dflt : "false");
    return key->dflt && *key->dflt == 't';
}

/* ---- words and letters ---- */

static const jk_key_word *by_letter(const jk_key *key, char c)
{
    c = (char)jk_span_lower((uint8_t)c);
    for (const jk_key_word *w = key->words; w->word; w++)
        if (c && strchr(w->letters, c))
            return w;
    return NULL;
}

/* The word, a beginning of it where letters stand for it, or one of its letters alone. */
static const jk_key_word *by_word(const jk_key *key, const char *text)
{
    for (const jk_key_word *w = key->words; w->word; w++)
        if (strcasecmp(text, w->word) == 0 || (*w->letters && strncasecmp(text, w->word, strlen(text)) == 0))
            return w;
    return text[1] ? NULL : by_letter(key, *text);
}

static int32_t read_word(const jk_key *key, const jk_prop *prop, jk_findings *found)
{
    const jk_key_word *w = by_word(key, prop->value);

    if (w)
        return w->value;
    w = by_letter(key, *prop->value);
    if (w == NULL && key->dflt)
        w = by_word(key, key->dflt);
    tell(found, prop, jk_values_allowed(found->p, key), w ? w->word : "none");
    return w ? w->value : 0;
}

static int32_t read_letters(const jk_key *key, const jk_prop *prop, jk_findings *found)
{
    int32_t bits = 0;
    bool good = true;

    for (const char *c = prop->value; *c; c++) {
        const jk_key_word *w = by_letter(key, *c);
        bits |= w ? w->value : 0;
        good = good && (w || strchr(" \t,", *c));
    }
    if (!good)
        tell(found, prop, jk_values_allowed(found->p, key), bits ? "what is known of it" : "none");
    return bits;
}

/* ---- texts and lists ---- */

static void set_text(const jk_key *key, const jk_prop *prop, char *home, jk_findings *found)
{
    if (strlen(prop->value) > (size_t)key->max)
        jk_findings_add(found, JK_FIND_ERROR, JK_PROP_AT(prop), "the value of '%s' has %" APR_SIZE_T_FMT " bytes; allowed: at most %d",
                        prop->key, strlen(prop->value), key->max);
    if (key->home == JK_HOME_TUNE)
        apr_cpystrn(home, prop->value, key->size);
    else
        memcpy(home, &prop->value, sizeof prop->value);
}

void jk_values_words(apr_array_header_t *words, const char *text)
{
    for (size_t n; *(text += strspn(text, " \t,")); text += n) {
        n = strcspn(text, " \t,");
        APR_ARRAY_PUSH(words, const char *) = apr_pstrmemdup(words->pool, text, n);
    }
}

void jk_values_codes(const jk_key *key, const jk_prop *prop, apr_array_header_t *codes, jk_findings *found)
{
    apr_array_header_t *words = apr_array_make(codes->pool, 8, sizeof(const char *));

    jk_values_words(words, prop->value);
    for (int i = 0; i < words->nelts; i++) {
        const char *word = APR_ARRAY_IDX(words, i, const char *), *rest;
        long long n;
        bool fits = digits(word, &n, &rest) && llabs(n) >= key->min && llabs(n) <= key->max;
        if (!fits || *rest)
            jk_findings_add(found, JK_FIND_LENIENT, JK_PROP_AT(prop),
                            "'%s' in %s is no status; allowed: %d to %d, with or without a minus; it is %s",
                            jk_props_shown(found->p, prop, word), prop->key, key->min, key->max, fits ? "taken by its digits" : "left out");
        if (fits)
            APR_ARRAY_PUSH(codes, int32_t) = (int32_t)n;
    }
}

static apr_array_header_t *read_lines(const jk_key *key, const apr_array_header_t *props, jk_findings *found)
{
    apr_array_header_t *list = apr_array_make(props->pool, 8, key->type == JK_KEY_LIST ? sizeof(const char *) : sizeof(int32_t));

    for (int i = 0; i < props->nelts; i++) {
        const jk_prop *prop = &APR_ARRAY_IDX(props, i, jk_prop);
        if (key->type == JK_KEY_LIST)
            jk_values_words(list, prop->value);
        else
            jk_values_codes(key, prop, list, found);
    }
    return list;
}

/* ---- any value ---- */

static char *home_of(const jk_key *key, jk_worker_conf *conf)
{
    return (key->home == JK_HOME_TUNE ? (char *)&conf->tune : (char *)conf) + key->offset;
}

static int32_t read_integer(const jk_key *key, const jk_prop *prop, jk_findings *found)
{
    if (key->type == JK_KEY_WORD)
        return read_word(key, prop, found);
    return key->type == JK_KEY_LETTERS ? read_letters(key, prop, found) : jk_values_number(key, prop, found);
}

void jk_values_set(const jk_key *key, const apr_array_header_t *props, jk_worker_conf *conf, jk_findings *found)
{
    const jk_prop *last = &APR_ARRAY_IDX(props, props->nelts - 1, jk_prop);
    char *home = home_of(key, conf);

    if (key->home == JK_HOME_NOWHERE)
        return;
    if (key->type == JK_KEY_TEXT) {
        set_text(key, last, home, found);
    } else if (key->type == JK_KEY_BOOL) {
        bool on = read_bool(key, last, found);
        memcpy(home, &on, sizeof on);
    } else if (jk_keys_adds_up(key)) {
        apr_array_header_t *list = read_lines(key, props, found);
        memcpy(home, &list, sizeof list);
    } else {
        int32_t n = read_integer(key, last, found);
        memcpy(home, &n, sizeof n);
    }
}

/* ---- and back ---- */

static const char *word_text(apr_pool_t *p, const jk_key *key, int32_t value)
{
    const char *text = "";

    for (const jk_key_word *w = key->words; w->word; w++) {
        if (key->type == JK_KEY_WORD && w->value == value)
            return w->word;
        if (key->type == JK_KEY_LETTERS && w->value && (w->value & (w->value - 1)) == 0 && (value & w->value))
            text = apr_pstrcat(p, text, *text ? "," : "", w->word, NULL);
    }
    return text;
}

static const char *list_text(apr_pool_t *p, const jk_key *key, const apr_array_header_t *list)
{
    const char *text = "";

    for (int i = 0; i < list->nelts; i++)
        text = apr_pstrcat(p, text, i ? "," : "", key->type == JK_KEY_LIST ? APR_ARRAY_IDX(list, i, const char *) :
                           apr_itoa(p, APR_ARRAY_IDX(list, i, int32_t)), NULL);
    return text;
}

const char *jk_values_text(apr_pool_t *p, const jk_key *key, const jk_worker_conf *conf)
{
    const char *home = home_of(key, (jk_worker_conf *)conf), *text;
    const apr_array_header_t *list;
    int32_t n;

    if (key->home == JK_HOME_NOWHERE)
        return "";
    if (key->type == JK_KEY_BOOL)
        return *(const bool *)home ? "true" : "false";
    if (key->type == JK_KEY_TEXT && key->home == JK_HOME_TUNE)
        return home;
    if (key->type == JK_KEY_TEXT) {
        memcpy(&text, home, sizeof text);
        return text ? text : "";
    }
    if (jk_keys_adds_up(key)) {
        memcpy(&list, home, sizeof list);
        return list ? list_text(p, key, list) : "";
    }
    memcpy(&n, home, sizeof n);
    return key->words ? word_text(p, key, n) : apr_itoa(p, n);
}

/* A default has no findings: a test holds that. */
void jk_values_defaults(apr_pool_t *p, jk_worker_conf *conf)
{
    jk_findings *none = jk_findings_make(p);

    for (size_t i = 0; i < jk_keys_count; i++) {
        const jk_key *key = &jk_keys[i];
        apr_array_header_t *props = apr_array_make(p, 1, sizeof(jk_prop));
        bool empty = key->type == JK_KEY_TEXT || jk_keys_adds_up(key);
        if (key->dflt == NULL && !empty)
            continue; /* 0, or made from others later */
        APR_ARRAY_PUSH(props, jk_prop) = (jk_prop){ key->name, key->dflt ? key->dflt : "", NULL, 0 };
        jk_values_set(key, props, conf, none);
    }
}
