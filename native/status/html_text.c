/* native/status/html_text.c - text, links, numbers and small drawings. The one place where something is escaped. */
#include "html.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- text ---- */

static const char *escape_of(char c)
{
    switch (c) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

static bool is_plain(char c)
{
    return c >= ' ' && c < 0x7f && escape_of(c) == NULL;
}

/* What is neither a character of UTF-8 nor allowed in XML becomes U+FFFD. */
static void put_escaped(jk_page *page, const char *s)
{
    while (*s) {
        size_t run = 0, n = jk_page_utf8(s);
        while (is_plain(s[run]))
            run++;
        if (run > 0)
            jk_page_bytes(page, s, run);
        else if (escape_of(*s))
            jk_page_put(page, escape_of(*s));
        else if (n < 2 || (n == 3 && memcmp(s, "\xEF\xBF", 2) == 0 && (uint8_t)s[2] > 0xBD))
            jk_page_put(page, "\xEF\xBF\xBD");
        else
            jk_page_bytes(page, s, n);
        s += run ? run : n ? n : 1;
    }
}

static void put_number(jk_page *page, long long n)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", n);
    jk_page_put(page, text);
}

static void put_unsigned(jk_page *page, unsigned long long n)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", n);
    jk_page_put(page, text);
}

/* One conversion; returns its length behind the %. */
static size_t convert(jk_page *page, const char *fmt, va_list *ap)
{
    if (*fmt == 's')
        put_escaped(page, va_arg(*ap, const char *));
    else if (*fmt == 'd')
        put_number(page, va_arg(*ap, int));
    else if (*fmt == 'u')
        put_unsigned(page, va_arg(*ap, unsigned));
    else if (strncmp(fmt, "lld", 3) == 0)
        put_number(page, va_arg(*ap, long long));
    else if (strncmp(fmt, "llu", 3) == 0)
        put_unsigned(page, va_arg(*ap, unsigned long long));
    else
        jk_page_put(page, "%");
    return *fmt == 'l' ? 3 : 1;
}

void jk_html_put(jk_page *page, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    while (*fmt) {
        size_t n = strcspn(fmt, "%");
        jk_page_bytes(page, fmt, n);
        fmt += n;
        if (*fmt == '%')
            fmt += 1 + convert(page, fmt + 1, &ap);
    }
    va_end(ap);
}

void jk_html_section(jk_page *page, const char *id, const char *title, const char *tag)
{
    jk_html_put(page, "<section class='card' aria-labelledby='%s'><div class='head'><h2 id='%s'>%s</h2>", id, id, title);
    if (*tag)
        jk_html_put(page, "<p class='tag'>%s</p>", tag);
    jk_html_put(page, "</div>\n");
}

/* ---- links ---- */

/* Percent-encoded, but for letters, digits and `also`. */
static const char *encoded(apr_pool_t *p, const char *s, const char *also)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = apr_palloc(p, 3 * strlen(s) + 1), *at = out;

    for (; *s; s++) {
        bool plain = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || strchr(also, *s);
        if (plain) {
            *at++ = *s;
            continue;
        }
        *at++ = '%';
        *at++ = hex[(uint8_t)*s >> 4];
        *at++ = hex[(uint8_t)*s & 15];
    }
    *at = '\0';
    return out;
}

static const char *with(apr_pool_t *p, const char *url, const char *name, const char *value)
{
    if (value == NULL)
        return url;
    return apr_pstrcat(p, url, strchr(url, '?') ? "&" : "?", name, "=", encoded(p, value, "-._~*"), NULL);
}

static const char *digits(apr_pool_t *p, unsigned n)
{
    return n ? apr_psprintf(p, "%u", n) : NULL;
}

/* The view that somebody came from, or is on. */
const char *jk_html_from(const jk_page *page)
{
    const char *from = jk_query_get(&page->ask->query, "from");

    if (page->ask->command->does & (JK_CMD_ALL | JK_CMD_ONE))
        return page->ask->command->name;
    return from && strcmp(from, "show") == 0 ? "show" : "list";
}

const char *jk_html_url(const jk_page *page, const jk_html_to *to)
{
    apr_pool_t *p = page->p;
    const char *url = encoded(p, page->view->from.base, "-._~/:@!$()*+,;=");
    unsigned re = to->re ? (unsigned)(to->re > 0 ? to->re : 0) : (unsigned)page->ask->refresh;

    url = with(p, url, "cmd", to->cmd);
    url = with(p, url, "mime", to->mime);
    url = with(p, url, "w", to->w);
    url = with(p, url, "sw", to->sw);
    url = with(p, url, "att", to->att);
    url = with(p, url, "from", to->from ? jk_html_from(page) : NULL);
    url = with(p, url, "re", digits(p, re));
    return with(p, url, "opt", digits(p, page->ask->opt ^ to->flip));
}

void jk_html_link(jk_page *page, const jk_html_to *to, const char *text)
{
    jk_html_put(page, "<a href='%s'>%s</a>", jk_html_url(page, to), text);
}

/* ---- numbers ---- */

/* 12,345 */
static const char *grouped(apr_pool_t *p, uint64_t n)
{
    char plain[24], text[32], *out = text;
    int len = snprintf(plain, sizeof plain, "%" PRIu64, n);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = plain[i];
    }
    *out = '\0';
    return apr_pstrdup(p, text);
}

/* Three digits and a unit. */
static const char *scaled(apr_pool_t *p, uint64_t n, unsigned base, const char *const *units)
{
    double value = (double)n;

    while (value >= 999.5 && units[1]) {
        value /= base;
        units++;
    }
    return apr_psprintf(p, value >= 99.5 ? "%.0f %s" : value >= 9.95 ? "%.1f %s" : "%.2f %s", value, *units);
}

void jk_html_number(jk_page *page, uint64_t n)
{
    static const char *const units[] = { "", "k", "M", "G", "T", NULL };

    if (n < 100000)
        jk_html_put(page, "%s", grouped(page->p, n));
    else
        jk_html_put(page, "<span title='%s'>%s</span>", grouped(page->p, n), scaled(page->p, n, 1000, units));
}

void jk_html_bytes(jk_page *page, uint64_t n)
{
    static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "PB", NULL };

    if (n < 1000)
        jk_html_put(page, "%d B", (int)n);
    else
        jk_html_put(page, "<span title='%s bytes'>%s</span>", grouped(page->p, n), scaled(page->p, n, 1024, units));
}

const char *jk_html_span(apr_pool_t *p, int64_t s)
{
    if (s < 100)
        return apr_psprintf(p, "%d s", (int)(s < 0 ? 0 : s));
    if (s < 90 * 60)
        return apr_psprintf(p, "%d min", (int)((s + 30) / 60));
    if (s < 36 * 3600)
        return apr_psprintf(p, "%d h", (int)((s + 1800) / 3600));
    return apr_psprintf(p, "%lld d", (long long)((s + 43200) / 86400));
}

void jk_html_ago(jk_page *page, int64_t at)
{
    apr_time_exp_t t;
    apr_size_t n;
    char stamp[32] = "", zone[16] = "";
    int64_t ago = page->view->from.now - at;

    if (at <= 0) {
        jk_html_put(page, "never");
        return;
    }
    if (apr_time_exp_lt(&t, apr_time_from_sec(at)) == APR_SUCCESS) {
        (void)apr_strftime(stamp, &n, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &t);
        snprintf(zone, sizeof zone, "%c%02d:%02d", t.tm_gmtoff < 0 ? '-' : '+', abs(t.tm_gmtoff) / 3600, abs(t.tm_gmtoff) / 60 % 60);
    }
    jk_html_put(page, "<time datetime='%s%s' title='%s %s'>%s ago</time>", stamp, zone, stamp, zone, jk_html_span(page->p, ago));
}

const char *jk_html_percent(apr_pool_t *p, uint64_t part, uint64_t whole)
{
    double percent = whole ? 100.0 * (double)part / (double)whole : 0;

    if (part == 0 || whole == 0)
        return "0 %";
    if (percent < 0.1)
        return "< 0.1 %";
    return apr_psprintf(p, percent < 9.95 ? "%.1f %%" : "%.0f %%", percent);
}

/* ---- drawings ---- */

static int thousandth(uint64_t part, uint64_t whole)
{
    double x = whole ? 1000.0 * (double)part / (double)whole : 0;

    return x >= 1000 ? 1000 : x > 0 && x < 8 ? 8 : (int)x;
}

void jk_html_bar(jk_page *page, const char *kind, uint64_t part, uint64_t whole, int mark)
{
    jk_html_put(page, "<svg class='bar %s' viewBox='0 0 1000 8' preserveAspectRatio='none' aria-hidden='true'><rect class='rail' width='1000' "
                      "height='8'/>", kind);
    if (part > 0)
        jk_html_put(page, "<rect class='fill' width='%d' height='8'/>", thousandth(part, whole));
    if (mark >= 0)
        jk_html_put(page, "<rect class='mark' x='%d' width='12' height='8'/>", mark > 988 ? 988 : mark);
    jk_html_put(page, "</svg>");
}

/* Columns of 6, 2 apart, the largest 24 high. */
static void put_columns(jk_page *page, const uint64_t *n, int count)
{
    uint64_t most = 1;

    for (int i = 0; i < count; i++)
        most = n[i] > most ? n[i] : most;
    for (int i = 0; i < count; i++) {
        int h = n[i] ? 3 + (int)(21.0 * (double)n[i] / (double)most) : 2;
        jk_html_put(page, "<rect class='%s' x='%d' y='%d' width='6' height='%d'/>", n[i] ? "fill" : "rail", i * 8, 24 - h, h);
    }
    jk_html_put(page, "</svg>");
}

static void begin_columns(jk_page *page, const char *kind, int count)
{
    jk_html_put(page, "<svg class='%s' viewBox='0 0 %d 24' preserveAspectRatio='none' role='img'>", kind, count * 8 - 2);
}

void jk_html_minutes(jk_page *page, const jk_stat_visits *visits)
{
    uint64_t n[JK_STAT_MINUTES], most = 0;

    for (int i = 0; i < JK_STAT_MINUTES; i++) {
        n[i] = visits->count[i];
        most = n[i] > most ? n[i] : most;
    }
    begin_columns(page, "columns", JK_STAT_MINUTES);
    jk_html_put(page, "<title>Sticky requests in each of the last %d minutes; at most %llu</title>", JK_STAT_MINUTES, (unsigned long long)most);
    put_columns(page, n, JK_STAT_MINUTES);
}

static const char *bound(apr_pool_t *p, size_t i)
{
    uint32_t ms = i < JK_STAT_BUCKETS - 1 ? jk_stat_bounds[i] / 1000 : 0;

    if (ms == 0)
        return apr_psprintf(p, "> %u s", jk_stat_bounds[JK_STAT_BUCKETS - 2] / 1000000);
    return ms < 1000 ? apr_psprintf(p, "%u ms", ms) : apr_psprintf(p, "%u s", ms / 1000);
}

const char *jk_html_within(apr_pool_t *p, const jk_stat_histogram *times, double share)
{
    uint64_t all = 0, until = 0;
    size_t i = 0;

    for (size_t k = 0; k < JK_STAT_BUCKETS; k++)
        all += times->bucket[k];
    while (i < JK_STAT_BUCKETS - 1 && (double)(until += times->bucket[i]) < share * (double)all)
        i++;
    return all ? bound(p, i) : "";
}

void jk_html_times(jk_page *page, const jk_stat_histogram *times)
{
    begin_columns(page, "columns small", JK_STAT_BUCKETS);
    jk_html_put(page, "<title>How long it took until an answer began: at most 1 ms, 2 ms, 5 ms and so on to 60 s, and more. Half came within %s, "
                      "95 %% within %s</title>",
                jk_html_within(page->p, times, 0.5), jk_html_within(page->p, times, 0.95));
    put_columns(page, times->bucket, JK_STAT_BUCKETS);
}
