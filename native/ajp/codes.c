/* native/ajp/codes.c - the tables of AJP13's codes. Look-ups go by length first, so that a name is compared with the few
 * rows that can be equal to it and most names with none. */
#include "jk/ajp/codes.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static const char *const methods[] = {
    NULL,       "OPTIONS",          "GET",        "HEAD",   "POST",     "PUT",        "DELETE",
    "TRACE",    "PROPFIND",         "PROPPATCH",  "MKCOL",  "COPY",     "MOVE",       "LOCK",
    "UNLOCK",   "ACL",              "REPORT",     "VERSION-CONTROL",    "CHECKIN",    "CHECKOUT",
    "UNCHECKOUT", "SEARCH",         "MKWORKSPACE", "UPDATE", "LABEL",   "MERGE",      "BASELINE-CONTROL",
    "MKACTIVITY",
};

/* Request headers in the order of their codes: row i has code A000 + i. */
static const jk_span request_headers[] = {
    { NULL, 0 },
    JK_SPAN_LIT("Accept"),        JK_SPAN_LIT("Accept-Charset"), JK_SPAN_LIT("Accept-Encoding"), JK_SPAN_LIT("Accept-Language"),
    JK_SPAN_LIT("Authorization"), JK_SPAN_LIT("Connection"),     JK_SPAN_LIT("Content-Type"),    JK_SPAN_LIT("Content-Length"),
    JK_SPAN_LIT("Cookie"),        JK_SPAN_LIT("Cookie2"),        JK_SPAN_LIT("Host"),            JK_SPAN_LIT("Pragma"),
    JK_SPAN_LIT("Referer"),       JK_SPAN_LIT("User-Agent"),
};

static const jk_span response_headers[] = {
    { NULL, 0 },
    JK_SPAN_LIT("Content-Type"),  JK_SPAN_LIT("Content-Language"), JK_SPAN_LIT("Content-Length"), JK_SPAN_LIT("Date"),
    JK_SPAN_LIT("Last-Modified"), JK_SPAN_LIT("Location"),         JK_SPAN_LIT("Set-Cookie"),     JK_SPAN_LIT("Set-Cookie2"),
    JK_SPAN_LIT("Servlet-Engine"), JK_SPAN_LIT("Status"),          JK_SPAN_LIT("WWW-Authenticate"),
};

/* The headers that are anything but plain strings, by length; a row's name is in lower case. */
typedef struct known {
    uint8_t len;
    char name[18];
    jk_header_code is;
} known;

#define LENGTHS 19 /* of names: 0 to 18 */

/* rows[first[n]] is the first whose length is at least n. */
typedef struct lexicon {
    const known *rows;
    uint8_t first[LENGTHS];
} lexicon;

static const known known_in_requests[] = {
    { 2, "te", { 0, JK_HEADER_HOP } },
    { 4, "host", { 0xA00B, JK_HEADER_PLAIN } },
    { 6, "accept", { 0xA001, JK_HEADER_PLAIN } },
    { 6, "cookie", { 0xA009, JK_HEADER_PLAIN } },
    { 6, "pragma", { 0xA00C, JK_HEADER_PLAIN } },
    { 7, "cookie2", { 0xA00A, JK_HEADER_PLAIN } },
    { 7, "referer", { 0xA00D, JK_HEADER_PLAIN } },
    { 7, "trailer", { 0, JK_HEADER_HOP } },
    { 7, "upgrade", { 0, JK_HEADER_HOP } },
    { 10, "connection", { 0xA006, JK_HEADER_HOP } },
    { 10, "keep-alive", { 0, JK_HEADER_HOP } },
    { 10, "user-agent", { 0xA00E, JK_HEADER_PLAIN } },
    { 12, "content-type", { 0xA007, JK_HEADER_PLAIN } },
    { 13, "authorization", { 0xA005, JK_HEADER_PLAIN } },
    { 14, "accept-charset", { 0xA002, JK_HEADER_PLAIN } },
    { 14, "content-length", { 0xA008, JK_HEADER_LENGTH } },
    { 15, "accept-encoding", { 0xA003, JK_HEADER_PLAIN } },
    { 15, "accept-language", { 0xA004, JK_HEADER_PLAIN } },
    { 17, "transfer-encoding", { 0, JK_HEADER_HOP } },
};

static const known known_in_responses[] = {
    { 2, "te", { 0, JK_HEADER_HOP } },
    { 4, "date", { 0xA004, JK_HEADER_PLAIN } },
    { 6, "status", { 0xA00A, JK_HEADER_PLAIN } },
    { 7, "trailer", { 0, JK_HEADER_HOP } },
    { 7, "upgrade", { 0, JK_HEADER_HOP } },
    { 8, "location", { 0xA006, JK_HEADER_PLAIN } },
    { 10, "connection", { 0, JK_HEADER_HOP } },
    { 10, "keep-alive", { 0, JK_HEADER_HOP } },
    { 10, "set-cookie", { 0xA007, JK_HEADER_PLAIN } },
    { 11, "set-cookie2", { 0xA008, JK_HEADER_PLAIN } },
    { 12, "content-type", { 0xA001, JK_HEADER_PLAIN } },
    { 13, "last-modified", { 0xA005, JK_HEADER_PLAIN } },
    { 14, "content-length", { 0xA003, JK_HEADER_PLAIN } },
    { 14, "servlet-engine", { 0xA009, JK_HEADER_PLAIN } },
    { 16, "content-language", { 0xA002, JK_HEADER_PLAIN } },
    { 16, "www-authenticate", { 0xA00B, JK_HEADER_PLAIN } },
    { 17, "transfer-encoding", { 0, JK_HEADER_HOP } },
};

static const lexicon requests = { known_in_requests, { 0, 0, 0, 1, 1, 2, 2, 5, 9, 9, 9, 12, 12, 13, 14, 16, 18, 18, 19 } };
static const lexicon responses = { known_in_responses, { 0, 0, 0, 1, 1, 2, 2, 3, 5, 6, 6, 9, 10, 11, 12, 14, 14, 16, 17 } };

uint8_t jk_codes_method(jk_span method)
{
    if (method.len == 3 && memcmp(method.p, "GET", 3) == 0)
        return 2;
    if (method.len == 4 && memcmp(method.p, "POST", 4) == 0)
        return 4;
    for (unsigned i = 1; i < ROWS(methods); i++)
        if (jk_span_eq(method, jk_span_of(methods[i])))
            return (uint8_t)i;
    return JK_AJP_METHOD_STORED;
}

const char *jk_codes_method_name(unsigned code)
{
    return code < ROWS(methods) ? methods[code] : NULL;
}

/* Four bytes at once. `lower` has letters, digits and '-' alone; of these, letters alone have the bit 40, whose half is what tells their
 * cases apart. */
static bool same_four(const uint8_t *p, const char *lower)
{
    uint32_t a, b;

    memcpy(&a, p, sizeof a);
    memcpy(&b, lower, sizeof b);
    return (a | (b & 0x40404040u) >> 1) == b;
}

static bool same_lower(const uint8_t *p, const char *lower, size_t len)
{
    size_t i = 0;

    for (; i + 4 <= len; i += 4)
        if (!same_four(p + i, lower + i))
            return false;
    for (; i < len; i++)
        if (jk_span_lower(p[i]) != (uint8_t)lower[i])
            return false;
    return true;
}

static jk_header_code look_up(const lexicon *in, jk_span name)
{
    static const jk_header_code plain = { 0, JK_HEADER_PLAIN };
    static const jk_header_code hop = { 0, JK_HEADER_HOP };

    if (name.len < 2)
        return plain;
    uint8_t c = jk_span_lower(name.p[0]);
    if (name.len < LENGTHS - 1)
        for (unsigned i = in->first[name.len]; i < in->first[name.len + 1]; i++)
            if ((uint8_t)in->rows[i].name[0] == c && same_lower(name.p, in->rows[i].name, name.len))
                return in->rows[i].is;
    if (c == 'p' && name.len > 6 && same_lower(name.p, "proxy-", 6))
        return hop;
    return plain;
}

jk_header_code jk_codes_request_header(jk_span name)
{
    return look_up(&requests, name);
}

jk_header_code jk_codes_response_header(jk_span name)
{
    return look_up(&responses, name);
}

jk_span jk_codes_request_header_name(unsigned code)
{
    unsigned i = code - 0xA000u;
    return i < ROWS(request_headers) ? request_headers[i] : JK_SPAN_NONE;
}

jk_span jk_codes_response_header_name(unsigned code)
{
    unsigned i = code - 0xA000u;
    return i < ROWS(response_headers) ? response_headers[i] : JK_SPAN_NONE;
}
