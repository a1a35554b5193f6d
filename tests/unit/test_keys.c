/* tests/unit/test_keys.c - every row of the table of keys is sound, and every kind of value is read: units, bounds, words, lists. */
#include <check.h>

#include "jk/conf/keys.h"
#include "jk/conf/values.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static jk_findings *found;
static jk_worker_conf conf;

/* ---- each row ---- */

static bool is_integer(const jk_key *key)
{
    return key->type == JK_KEY_INT || key->type == JK_KEY_TIME || key->type == JK_KEY_SIZE || key->type == JK_KEY_WORD ||
           key->type == JK_KEY_LETTERS;
}

START_TEST(each_name_is_found_once)
{
    const jk_key *key = &jk_keys[_i];
    bool old;

    ck_assert_msg(jk_keys_find(key->name, &old) == key && !old, "'%s' stands twice", key->name);
    ck_assert(jk_keys_of(apr_pstrcat(pool, "worker.a.b.", key->name, NULL)) == key);
    if (key->alias == NULL)
        return;
    ck_assert_msg(jk_keys_find(key->alias, &old) == key && old, "'%s' stands twice", key->alias);
    ck_assert(jk_keys_of(apr_pstrcat(pool, "worker.w.", key->alias, NULL)) == key);
}
END_TEST

START_TEST(each_row_is_sound)
{
    const jk_key *key = &jk_keys[_i];

    ck_assert_msg(key->help && *key->help, "'%s' has no help", key->name);
    ck_assert_msg(key->kinds != 0, "'%s' belongs to no type", key->name);
    ck_assert_ptr_nonnull(key->unit);
    ck_assert_int_le(key->min, key->max);
    ck_assert_msg((key->type == JK_KEY_TIME) == (*key->unit != '\0'), "'%s': a time has a unit, nothing else has", key->name);
    ck_assert_msg((key->type == JK_KEY_WORD || key->type == JK_KEY_LETTERS) == (key->words != NULL), "'%s'", key->name);
    ck_assert_msg(key->type != JK_KEY_TEXT || key->max > 0, "'%s' allows no bytes", key->name);
    if (key->state == JK_KEY_IN_FORCE)
        ck_assert_msg(key->home != JK_HOME_NOWHERE || strcmp(key->name, "type") == 0 || strcmp(key->name, "reference") == 0,
                      "'%s' goes nowhere", key->name);
}
END_TEST

/* What the reader writes is as large as what the struct has there, lies in it, and is nobody else's. */
START_TEST(each_home_fits)
{
    const jk_key *key = &jk_keys[_i];
    size_t wanted = is_integer(key)                 ? sizeof(int32_t)
                    : key->type == JK_KEY_BOOL      ? sizeof(bool)
                    : jk_keys_adds_up(key)          ? sizeof(apr_array_header_t *)
                    : key->home == JK_HOME_CONF     ? sizeof(const char *)
                                                    : JK_NAME_MAX + 1;

    if (key->home == JK_HOME_NOWHERE)
        return;
    ck_assert_msg(key->size == wanted, "'%s' has %d bytes, not %d", key->name, (int)key->size, (int)wanted);
    ck_assert(key->offset + key->size <= (key->home == JK_HOME_TUNE ? sizeof(jk_tune) : sizeof(jk_worker_conf)));
    ck_assert_msg(!(key->home == JK_HOME_TUNE && jk_keys_adds_up(key)), "'%s': shared memory has no pointers", key->name);
    for (int i = 0; i < _i; i++)
        ck_assert_msg(jk_keys[i].home != key->home || jk_keys[i].offset != key->offset, "'%s' and '%s' share a home", key->name,
            jk_keys[i].name);
}
END_TEST

static apr_array_header_t *props_of(const char *name, const char *value)
{
    apr_array_header_t *props = apr_array_make(pool, 1, sizeof(jk_prop));

    APR_ARRAY_PUSH(props, jk_prop) = (jk_prop){ name, value, "f", 1 };
    return props;
}

static const char *all_findings(void)
{
    const char *text = "";

    for (int i = 0; i < found->all->nelts; i++)
        text = apr_pstrcat(pool, text, jk_findings_text(pool, &APR_ARRAY_IDX(found->all, i, jk_finding)), "\n", NULL);
    return text;
}

static void start(void)
{
    memset(&conf, 0, sizeof conf);
    jk_values_defaults(pool, &conf);
    found = jk_findings_make(pool);
}

START_TEST(each_default_is_good)
{
    const jk_key *key = &jk_keys[_i];

    start();
    if (key->dflt == NULL)
        return;
    jk_values_set(key, props_of(key->name, key->dflt), &conf, found);
    ck_assert_msg(found->all->nelts == 0, "%s", all_findings());
    if (key->type == JK_KEY_INT || key->type == JK_KEY_TIME || key->type == JK_KEY_SIZE)
        ck_assert(atoi(key->dflt) >= key->min && atoi(key->dflt) <= key->max);
    if (key->type == JK_KEY_BOOL)
        ck_assert(strcmp(key->dflt, "true") == 0 || strcmp(key->dflt, "false") == 0);
}
END_TEST

/* Texts and lists are there, whatever was written. */
START_TEST(each_pointer_is_set)
{
    const jk_key *key = &jk_keys[_i];
    const void *at;

    start();
    if (key->home != JK_HOME_CONF || is_integer(key) || key->type == JK_KEY_BOOL)
        return;
    memcpy(&at, (const char *)&conf + key->offset, sizeof at);
    ck_assert_msg(at != NULL, "'%s' is NULL", key->name);
}
END_TEST

/* Garbage never gets by in silence, nothing but the value changes, and a hidden value is not quoted. */
START_TEST(each_row_stands_garbage)
{
    static const char *const garbage[] = { "sesame", "-", "99999999999999999999", "-99999999999999999999", "1.5", "%s%n", "=", "1 2",
        "\xFF", "12sesame" };
    const jk_key *key = &jk_keys[_i];

    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        start();
        apr_array_header_t *props = props_of("worker.w.k", garbage[i]);
        APR_ARRAY_IDX(props, 0, jk_prop).hidden = true;
        jk_values_set(key, props, &conf, found);
        ck_assert_msg(strstr(all_findings(), "sesame") == NULL && strstr(all_findings(), "12") == NULL, "'%s': %s", key->name,
            all_findings());
        ck_assert(!jk_findings_refuse(found, false));
        if (is_integer(key) && key->type != JK_KEY_WORD && key->home != JK_HOME_NOWHERE && key->type != JK_KEY_LETTERS) {
            int32_t n;
            memcpy(&n, (key->home == JK_HOME_TUNE ? (char *)&conf.tune : (char *)&conf) + key->offset, sizeof n);
            ck_assert(n >= key->min && n <= key->max);
            ck_assert_msg(found->all->nelts == 1, "'%s=%s' is taken in silence", key->name, garbage[i]);
        }
    }
}
END_TEST

START_TEST(each_row_has_its_bit)
{
    int bits = 0;

    memset(&conf, 0, sizeof conf);
    ck_assert(!jk_keys_written(&conf, jk_keys[_i].name));
    jk_keys_write(&conf, &jk_keys[_i]);
    for (size_t i = 0; i < jk_keys_count; i++)
        bits += jk_keys_written(&conf, jk_keys[i].name);
    ck_assert(jk_keys_written(&conf, jk_keys[_i].name));
    ck_assert_int_eq(bits, 1);
}
END_TEST

/* Secrets, and what the older spec allows a '#' in: no more and no less. */
START_TEST(the_flags_are_exact)
{
    static const char *const hash[] = { "secret", "secretkey", "css", "xmlns", "doctype", "session_cookie", "session_path",
                                        "session_cookie_path", "session_cookie_samesite" };
    int n = 0;

    for (size_t i = 0; i < jk_keys_count; i++)
        n += (jk_keys[i].flags & JK_KEY_HASH) != 0;
    ck_assert_int_eq(n, (int)(sizeof hash / sizeof hash[0]));
    for (size_t i = 0; i < sizeof hash / sizeof hash[0]; i++) {
        bool old;
        const jk_key *key = jk_keys_find(hash[i], &old);
        ck_assert(key->flags & JK_KEY_HASH);
        ck_assert(!(key->flags & JK_KEY_SECRET) == (strncmp(hash[i], "secret", 6) != 0));
    }
}
END_TEST

static const struct {
    const char *key, *why;
    bool found, global;
} whole[] = {
    { "worker.list", "the list", true, true },
    { "worker.maintain", "maintenance", true, true },
    { "worker.w.list", "no attribute", false, false },
    { "worker.port", "no worker", false, false },
    { "worker..port", "no name", false, false },
    { "worker.w.", "no attribute at all", false, false },
    { "worker.", "nothing", false, false },
    { "worker", "a variable", false, false },
    { "workers.tomcat_home", "a variable of old files", false, false },
    { "port", "a variable", false, false },
    { "", "nothing at all", false, false },
    { "worker.w.PORT", "the case counts", false, false },
    { "worker.a.b-c_d.1.port", "any name", true, false },
};

START_TEST(each_whole_key)
{
    const jk_key *key = jk_keys_of(whole[_i].key);

    ck_assert_msg((key != NULL) == whole[_i].found, "%s", whole[_i].why);
    ck_assert_msg(key == NULL || (key->kinds == 0) == whole[_i].global, "%s", whole[_i].why);
}
END_TEST

/* ---- numbers ---- */

static const struct {
    const char *key, *value;
    int is;
    const char *said, *why;
} numbers[] = {
    { "socket_timeout", "10", 10, "", "its own unit" },
    { "socket_timeout", "10s", 10, "", "seconds" },
    { "socket_timeout", "10 s", 10, "", "with a blank" },
    { "socket_timeout", "2m", 120, "", "minutes" },
    { "socket_timeout", "2M", 120, "", "whatever the case" },
    { "socket_timeout", "1h", 3600, "", "hours" },
    { "socket_timeout", "5000ms", 5, "", "ms where seconds are asked" },
    { "socket_timeout", "1ms", 1, "", "rounded up: 0 would be 'none'" },
    { "socket_timeout", "0", 0, "", "none" },
    { "socket_timeout", "0ms", 0, "", "none with a unit" },
    { "socket_timeout", "+7", 7, "", "a sign" },
    { "socket_timeout", "007", 7, "", "no octal numbers" },
    { "socket_timeout", "10x", 10, "'10x' is no value for worker.w.socket_timeout; allowed: a number with ms, s, m or h; 10 is used",
      "letters" },
    { "socket_timeout", "10k", 10, "10 is used", "a unit of sizes" },
    { "socket_timeout", "10s5", 10, "10 is used", "something behind the unit" },
    { "socket_timeout", "1.5s", 1, "1 is used", "no fractions" },
    { "socket_timeout", "0x10", 0, "0 is used", "no hexadecimal numbers" },
    { "socket_timeout", "soon", 0, "'soon' is no value", "the default" },
    { "socket_timeout", "-1", 0, "worker.w.socket_timeout=-1 is out of range; allowed: 0 to 2147483; 0 is used", "less than none" },
    { "socket_timeout", "99999999999", 0, "is no value", "more than an integer: the default, as ever" },
    { "socket_timeout", "99999999999999999999999", 0, "is no value", "more than any integer" },
    { "socket_timeout", "2147483647h", 2147483, "is out of range", "more by its unit" },
    { "reply_timeout", "10", 10, "", "ms are the unit" },
    { "reply_timeout", "10s", 10000, "", "seconds" },
    { "reply_timeout", "2h", 7200000, "", "hours" },
    { "reply_timeout", "600h", INT_MAX, "is out of range", "more than it can hold" },
    { "retry_interval", "-1", -1, "", "may be negative" },
    { "retry_interval", "-2s", -2000, "", "with a unit" },
    { "max_packet_size", "8192", 8192, "", "bytes" },
    { "max_packet_size", "16k", 16384, "", "KB" },
    { "max_packet_size", "16K", 16384, "", "KB, whatever the case" },
    { "max_packet_size", "1m", 65536, "out of range; allowed: 8192 to 65536; 65536 is used", "MB" },
    { "max_packet_size", "1g", 65536, "out of range", "GB" },
    { "max_packet_size", "1000", 8192, "out of range", "too small" },
    { "max_packet_size", "10s", 8192, "'10s' is no value for worker.w.max_packet_size; allowed: a number with k, m or g",
      "a unit of times" },
    { "max_packet_size", "1b", 8192, "'1b' is no value", "no unit" },
    { "port", "8009", 8009, "", "a count" },
    { "port", "8k", 8, "'8k' is no value for worker.w.port; allowed: a number; 8 is used", "counts have no units" },
    { "port", "0", 0, "", "provisioned" },
    { "port", "65535", 65535, "", "the last" },
    { "port", "65536", 65535, "out of range", "one more" },
    { "retries", "0", 1, "out of range; allowed: 1 to 1000; 1 is used", "one at least" },
    { "lbfactor", "0", 1, "out of range", "one at least" },
    { "recover_time", "0", 1, "out of range", "one at least" },
    { "recovery_options", "3", 3, "", "bits" },
    { "recovery_options", "32", 31, "out of range", "a bit that is none" },
};

START_TEST(each_number_is_read)
{
    bool old;
    const jk_key *key = jk_keys_find(numbers[_i].key, &old);
    int32_t n;

    start();
    jk_values_set(key, props_of(apr_pstrcat(pool, "worker.w.", key->name, NULL), numbers[_i].value), &conf, found);
    memcpy(&n, (key->home == JK_HOME_TUNE ? (char *)&conf.tune : (char *)&conf) + key->offset, sizeof n);
    ck_assert_msg(n == numbers[_i].is, "%s: %s=%s is %d", numbers[_i].why, key->name, numbers[_i].value, n);
    ck_assert_msg(strstr(all_findings(), numbers[_i].said) != NULL, "%s: %s", numbers[_i].why, all_findings());
    ck_assert_msg(*numbers[_i].said || found->all->nelts == 0, "%s: %s", numbers[_i].why, all_findings());
    ck_assert_int_eq(jk_findings_count(found, JK_FIND_LENIENT), *numbers[_i].said ? 1 : 0);
}
END_TEST

/* ---- yes and no ---- */

static const struct {
    const char *value;
    int is; /* -1: the default, and a finding */
} booleans[] = {
    { "true", 1 }, { "True", 1 }, { "t", 1 }, { "yes", 1 }, { "Y", 1 }, { "on", 1 }, { "ON", 1 }, { "1", 1 },
    { "false", 0 }, { "F", 0 }, { "no", 0 }, { "n", 0 }, { "off", 0 }, { "Off", 0 }, { "0", 0 },
    { "2", -1 }, { "enable", -1 }, { "o", -1 }, { "10", -1 }, { "-", -1 },
};

START_TEST(each_boolean_is_read)
{
    static const char *const keys[] = { "socket_keepalive", "sticky_session" }; /* false and true by default */

    for (int dflt = 0; dflt <= 1; dflt++) {
        bool old, is;
        const jk_key *key = jk_keys_find(keys[dflt], &old);
        start();
        jk_values_set(key, props_of("k", booleans[_i].value), &conf, found);
        memcpy(&is, (key->home == JK_HOME_TUNE ? (char *)&conf.tune : (char *)&conf) + key->offset, sizeof is);
        ck_assert_msg(is == (booleans[_i].is < 0 ? dflt : booleans[_i].is), "%s", booleans[_i].value);
        ck_assert_msg((found->all->nelts > 0) == (booleans[_i].is < 0), "%s: %s", booleans[_i].value, all_findings());
    }
}
END_TEST

/* ---- words ---- */

static const struct {
    const char *key, *value;
    int is;
    const char *said, *why;
} words[] = {
    { "method", "Request", JK_METHOD_REQUEST, "", "the word" },
    { "method", "R", JK_METHOD_REQUEST, "", "its letter" },
    { "method", "t", JK_METHOD_TRAFFIC, "", "whatever the case" },
    { "method", "BUSYNESS", JK_METHOD_BUSYNESS, "", "the word, whatever the case" },
    { "method", "Busy", JK_METHOD_BUSYNESS, "", "its beginning" },
    { "method", "2", JK_METHOD_BUSYNESS, "", "its number" },
    { "method", "Session", JK_METHOD_SESSIONS, "", "nearly all of it" },
    { "method", "N", JK_METHOD_NEXT, "", "the last" },
    { "method", "Banana", JK_METHOD_BUSYNESS,
      "'Banana' is no value for k; allowed: Request, Traffic, Busyness, Sessions or Next; Busyness is used",
      "by its first letter, as ever" },
    { "method", "0x", JK_METHOD_REQUEST, "Request is used", "by its first digit" },
    { "method", "fast", JK_METHOD_REQUEST, "Request is used", "the default" },
    { "method", "5", JK_METHOD_REQUEST, "Request is used", "no such number" },
    { "lock", "P", JK_LOCK_PESSIMISTIC, "", "a lock" },
    { "lock", "Optimistic", JK_LOCK_OPTIMISTIC, "", "the other" },
    { "activation", "Active", JK_ACTIVE, "", "active" },
    { "activation", "d", JK_DISABLED, "", "disabled" },
    { "activation", "2", JK_STOPPED, "", "stopped" },
    { "activation", "ACT", JK_ACTIVE, "", "as the status page writes it" },
    { "activation", "DIS", JK_DISABLED, "", "as the status page writes it" },
    { "activation", "STP", JK_STOPPED, "", "as the status page writes it" },
    { "activation", "stoped", JK_STOPPED, "allowed: active, disabled or stopped; stopped is used", "a slip" },
    { "activation", "enabled", JK_ACTIVE, "active is used", "no such word" },
    { "session_cookie_samesite", "Lax", JK_SAMESITE_LAX, "", "the word" },
    { "session_cookie_samesite", "strict", JK_SAMESITE_STRICT, "", "whatever the case" },
    { "session_cookie_samesite", "None", JK_SAMESITE_NONE, "", "none is a word" },
    { "session_cookie_samesite", "N", JK_SAMESITE_UNSET, "allowed: Lax, Strict or None; none is used",
      "the whole word: a letter is too little" },
    { "session_cookie_samesite", "nonsense", JK_SAMESITE_UNSET, "none is used", "and no first letter" },
    { "ping_mode", "C", JK_PING_CONNECT, "", "a letter" },
    { "ping_mode", "cpi", 7, "", "letters" },
    { "ping_mode", "A", 7, "", "all" },
    { "ping_mode", "C,P I", 7, "", "parted" },
    { "ping_mode", "CX", JK_PING_CONNECT, "allowed: letters of C, P, I or A; what is known of it is used", "one that is none" },
    { "ping_mode", "0", 0, "none is used", "no letter" },
};

START_TEST(each_word_is_read)
{
    bool old;
    const jk_key *key = jk_keys_find(words[_i].key, &old);
    int32_t n;

    start();
    jk_values_set(key, props_of("k", words[_i].value), &conf, found);
    memcpy(&n, (key->home == JK_HOME_TUNE ? (char *)&conf.tune : (char *)&conf) + key->offset, sizeof n);
    ck_assert_msg(n == words[_i].is, "%s: %s is %d", words[_i].why, words[_i].value, n);
    ck_assert_msg(strstr(all_findings(), words[_i].said) != NULL, "%s: %s", words[_i].why, all_findings());
    ck_assert_msg(*words[_i].said || found->all->nelts == 0, "%s: %s", words[_i].why, all_findings());
}
END_TEST

/* ---- lists and texts ---- */

static const struct {
    const char *first, *second, *words, *why;
} lists[] = {
    { "a", NULL, "a|", "one" },
    { "a,b c\td", NULL, "a|b|c|d|", "parted by each of the three" },
    { " , a ,, b\t ,", NULL, "a|b|", "and by many" },
    { ",", NULL, "", "nothing" },
    { "a,b", "c,a", "a|b|c|a|", "lines add up" },
};

START_TEST(each_list_is_read)
{
    bool old;
    const char *text = "";
    apr_array_header_t *props = props_of("k", lists[_i].first);

    start();
    if (lists[_i].second)
        APR_ARRAY_PUSH(props, jk_prop) = (jk_prop){ "k", lists[_i].second, "f", 2 };
    jk_values_set(jk_keys_find("balance_workers", &old), props, &conf, found);
    for (int i = 0; i < conf.balance_workers->nelts; i++)
        text = apr_pstrcat(pool, text, APR_ARRAY_IDX(conf.balance_workers, i, const char *), "|", NULL);
    ck_assert_msg(strcmp(text, lists[_i].words) == 0, "%s: %s", lists[_i].why, text);
}
END_TEST

static const struct {
    const char *value, *codes, *said, *why;
} statuses[] = {
    { "500", "500 ", "", "one" },
    { "500,503 -404", "500 503 -404 ", "", "three, one of them soft" },
    { "-500,500", "-500 500 ", "", "both ways: the first wins later" },
    { "50x,503", "503 ", "'50x' in k is no status; allowed: 100 to 999, with or without a minus; it is left out", "digits too few" },
    { "500x", "500 ", "it is taken by its digits", "letters behind" },
    { "0,99,1000,-1", "", "'-1' in k is no status", "none of them" },
    { "all", "", "'all' in k", "a word" },
};

START_TEST(each_status_is_read)
{
    bool old;
    const char *text = "";

    start();
    jk_values_set(jk_keys_find("fail_on_status", &old), props_of("k", statuses[_i].value), &conf, found);
    for (int i = 0; i < conf.fail_on_status->nelts; i++)
        text = apr_psprintf(pool, "%s%d ", text, APR_ARRAY_IDX(conf.fail_on_status, i, int32_t));
    ck_assert_msg(strcmp(text, statuses[_i].codes) == 0, "%s: %s", statuses[_i].why, text);
    ck_assert_msg(strstr(all_findings(), statuses[_i].said) != NULL, "%s: %s", statuses[_i].why, all_findings());
    ck_assert_msg(*statuses[_i].said || found->all->nelts == 0, "%s: %s", statuses[_i].why, all_findings());
}
END_TEST

static const struct {
    const char *key;
    size_t len;
    bool good;
} texts[] = {
    { "route", 255, true }, { "route", 256, false }, { "domain", 255, true }, { "redirect", 256, false }, { "session_cookie", 256, false },
    { "session_path", 255, true }, { "session_cookie_path", 256, false }, { "source", 256, false }, { "secret", 4000, true },
    { "secret", 65534, true }, { "secret", 65535, false }, { "css", 4000, true },
};

START_TEST(each_length_of_a_text)
{
    bool old;
    char *value = apr_palloc(pool, texts[_i].len + 1);

    memset(value, 'x', texts[_i].len);
    value[texts[_i].len] = '\0';
    start();
    jk_values_set(jk_keys_find(texts[_i].key, &old), props_of("k", value), &conf, found);
    ck_assert_msg(jk_findings_refuse(found, false) == !texts[_i].good, "%s: %s", texts[_i].key, all_findings());
    ck_assert_uint_le(strlen(conf.tune.route), JK_NAME_MAX);
    ck_assert_int_eq(conf.tune.sticky_session, 1);
    if (strcmp(texts[_i].key, "route") == 0)
        ck_assert_uint_eq(strlen(conf.tune.route), JK_NAME_MAX);
}
END_TEST

/* Equal values are equal bytes: what is compared and shared has no holes. */
START_TEST(two_defaults_are_the_same_bytes)
{
    jk_tune first;

    start();
    first = conf.tune;
    memset(&conf, 0, sizeof conf);
    jk_values_defaults(pool, &conf);
    ck_assert_mem_eq(&first, &conf.tune, sizeof first);
}
END_TEST

#define COUNT(t) (int)(sizeof(t) / sizeof((t)[0]))

/* ---- and back ---- */

static const struct {
    const char *attr, *written, *text, *why;
} texts_of[] = {
    { "port", "8010", "8010", "a number" },
    { "socket_timeout", "2m", "120", "a time in its own unit" },
    { "reply_timeout", "2m", "120000", "another unit" },
    { "max_packet_size", "16k", "16384", "a size" },
    { "socket_keepalive", "YES", "true", "a boolean" },
    { "method", "b", "Busyness", "a word by its letter" },
    { "activation", "STP", "stopped", "one of two words" },
    { "session_cookie_samesite", "lax", "Lax", "a word without letters" },
    { "ping_mode", "i,c", "C,I", "letters, in the table's order" },
    { "ping_mode", "A", "C,P,I", "all of them" },
    { "fail_on_status", "500 -404", "500,-404", "statuses" },
    { "mount", "/a\t/b", "/a,/b", "a list" },
    { "route", "tc1", "tc1", "a text that may change" },
    { "css", "/x#y", "/x#y", "a text that may not" },
    { "type", "lb", "", "what has no home" },
};

START_TEST(each_value_has_its_text)
{
    bool old;
    const jk_key *key = jk_keys_find(texts_of[_i].attr, &old);
    apr_array_header_t *props = apr_array_make(pool, 1, sizeof(jk_prop));

    memset(&conf, 0, sizeof conf);
    ck_assert_msg(jk_values_text(pool, key, &conf) != NULL, "of nothing at all");
    APR_ARRAY_PUSH(props, jk_prop) = (jk_prop){ texts_of[_i].attr, texts_of[_i].written, "f", 1 };
    jk_values_set(key, props, &conf, jk_findings_make(pool));
    ck_assert_msg(strcmp(jk_values_text(pool, key, &conf), texts_of[_i].text) == 0, "%s: %s", texts_of[_i].why, jk_values_text(pool, key, &conf));
}
END_TEST

/* What a default is written as is what it is shown as. */
START_TEST(each_default_has_its_text)
{
    const jk_key *key = &jk_keys[_i];

    memset(&conf, 0, sizeof conf);
    jk_values_defaults(pool, &conf);
    if (key->dflt && key->home != JK_HOME_NOWHERE)
        ck_assert_str_eq(jk_values_text(pool, key, &conf), key->dflt);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("keys");
    TCase *t = tcase_create("keys");
    int rows = (int)jk_keys_count;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tcase_add_loop_test(t, each_name_is_found_once, 0, rows);
    tcase_add_loop_test(t, each_row_is_sound, 0, rows);
    tcase_add_loop_test(t, each_home_fits, 0, rows);
    tcase_add_loop_test(t, each_default_is_good, 0, rows);
    tcase_add_loop_test(t, each_pointer_is_set, 0, rows);
    tcase_add_loop_test(t, each_row_stands_garbage, 0, rows);
    tcase_add_loop_test(t, each_row_has_its_bit, 0, rows);
    tcase_add_test(t, the_flags_are_exact);
    tcase_add_loop_test(t, each_whole_key, 0, COUNT(whole));
    tcase_add_loop_test(t, each_number_is_read, 0, COUNT(numbers));
    tcase_add_loop_test(t, each_boolean_is_read, 0, COUNT(booleans));
    tcase_add_loop_test(t, each_word_is_read, 0, COUNT(words));
    tcase_add_loop_test(t, each_list_is_read, 0, COUNT(lists));
    tcase_add_loop_test(t, each_status_is_read, 0, COUNT(statuses));
    tcase_add_loop_test(t, each_length_of_a_text, 0, COUNT(texts));
    tcase_add_test(t, two_defaults_are_the_same_bytes);
    tcase_add_loop_test(t, each_value_has_its_text, 0, COUNT(texts_of));
    tcase_add_loop_test(t, each_default_has_its_text, 0, rows);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    apr_pool_destroy(pool);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
