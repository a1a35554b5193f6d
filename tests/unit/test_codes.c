/* tests/unit/test_codes.c - the tables of codes against the protocol's own lists, both ways, and names that almost match. */
#include "guard.h"
#include "jk/ajp/codes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static jk_span guarded(const char *s)
{
    return (jk_span){ jk_guarded(s, strlen(s)), strlen(s) };
}

/* The protocol's list, in the order of its codes from 1. */
static const char *const methods[] = {
    "OPTIONS", "GET",      "HEAD",       "POST",   "PUT",         "DELETE", "TRACE", "PROPFIND", "PROPPATCH",
    "MKCOL",   "COPY",     "MOVE",       "LOCK",   "UNLOCK",      "ACL",    "REPORT", "VERSION-CONTROL", "CHECKIN",
    "CHECKOUT", "UNCHECKOUT", "SEARCH",  "MKWORKSPACE", "UPDATE", "LABEL",  "MERGE", "BASELINE-CONTROL", "MKACTIVITY",
};

START_TEST(methods_have_their_codes_both_ways)
{
    unsigned code = (unsigned)_i + 1;

    ck_assert_uint_eq(jk_codes_method(guarded(methods[_i])), code);
    ck_assert_str_eq(jk_codes_method_name(code), methods[_i]);
}
END_TEST

static const struct {
    const char *method, *why;
} stored[] = {
    { "PATCH", "has no code" },    { "CONNECT", "has no code" }, { "get", "methods are case-sensitive" },
    { "Get", "case-sensitive" },   { "GETS", "a longer one" },   { "GE", "a shorter one" },
    { "POSTS", "a longer one" },   { "", "none" },               { "MKACTIVITYX", "beyond the last" },
    { "CHECKOU", "a prefix" },     { "JK", "unknown" },
};

START_TEST(other_methods_are_stored)
{
    ck_assert_msg(jk_codes_method(guarded(stored[_i].method)) == JK_AJP_METHOD_STORED, "%s: %s", stored[_i].method,
                  stored[_i].why);
}
END_TEST

START_TEST(codes_without_a_method)
{
    ck_assert_uint_eq(jk_codes_method(JK_SPAN_NONE), JK_AJP_METHOD_STORED);
    ck_assert_ptr_null(jk_codes_method_name(0));
    for (unsigned code = ROWS(methods) + 1; code < 300; code++)
        ck_assert_ptr_null(jk_codes_method_name(code));
    ck_assert_ptr_null(jk_codes_method_name(~0u));
}
END_TEST

static const struct {
    const char *name;
    jk_header_kind kind;
} request[] = {
    { "Accept", JK_HEADER_PLAIN },          { "Accept-Charset", JK_HEADER_PLAIN }, { "Accept-Encoding", JK_HEADER_PLAIN },
    { "Accept-Language", JK_HEADER_PLAIN }, { "Authorization", JK_HEADER_PLAIN },  { "Connection", JK_HEADER_HOP },
    { "Content-Type", JK_HEADER_PLAIN },    { "Content-Length", JK_HEADER_LENGTH }, { "Cookie", JK_HEADER_PLAIN },
    { "Cookie2", JK_HEADER_PLAIN },         { "Host", JK_HEADER_PLAIN },           { "Pragma", JK_HEADER_PLAIN },
    { "Referer", JK_HEADER_PLAIN },         { "User-Agent", JK_HEADER_PLAIN },
};

/* The name as it is, in lower and in upper case. */
static jk_span in_case(const char *name, int which)
{
    char text[64];
    size_t n = strlen(name);

    memcpy(text, name, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (which == 1 && text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] + 32);
        if (which == 2 && text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 32);
    }
    return guarded(text);
}

START_TEST(request_headers_have_their_codes_both_ways)
{
    unsigned code = 0xA001 + (unsigned)_i;

    for (int which = 0; which < 3; which++) {
        jk_header_code is = jk_codes_request_header(in_case(request[_i].name, which));
        ck_assert_msg(is.code == code && is.kind == request[_i].kind, "%s is %04X", request[_i].name, is.code);
    }
    ck_assert(jk_span_eq(jk_codes_request_header_name(code), jk_span_of(request[_i].name)));
}
END_TEST

static const char *const hops[] = {
    "TE", "Trailer", "Upgrade", "Keep-Alive", "Transfer-Encoding", "Proxy-Connection", "Proxy-Authorization",
    "Proxy-Authenticate", "Proxy-X", "Proxy-Authentication-Info",
};

START_TEST(hop_by_hop_headers_are_known)
{
    for (int which = 0; which < 3; which++) {
        jk_header_code is = jk_codes_request_header(in_case(hops[_i], which));
        ck_assert_msg(is.code == 0 && is.kind == JK_HEADER_HOP, "%s", hops[_i]);
        is = jk_codes_response_header(in_case(hops[_i], which));
        ck_assert_msg(is.code == 0 && is.kind == JK_HEADER_HOP, "%s of an answer", hops[_i]);
    }
}
END_TEST

static const struct {
    const char *name, *why;
} plain[] = {
    { "", "no name" },
    { "A", "one letter" },
    { "Accepts", "longer than Accept" },
    { "Accep", "shorter than Accept" },
    { "Accept-Encodings", "longer than Accept-Encoding" },
    { "Accept-Chars", "a prefix" },
    { "XCookie", "as long as Cookie2" },
    { "Cookie3", "differs in the last letter" },
    { "Cooki", "shorter than Cookie" },
    { "Hos", "shorter than Host" },
    { "Hosts", "longer than Host" },
    { "Expect", "is forwarded" },
    { "Content-Lengt", "a prefix" },
    { "Content-Length2", "longer" },
    { "Content_Length", "an underscore is no hyphen" },
    { "Content-Encoding", "has no code" },
    { "Transfer_Encoding", "an underscore is no hyphen" },
    { "Transfer-Encodin", "a prefix" },
    { "Transfer-Encodings", "longer" },
    { "X-Forwarded-For", "has no code" },
    { "Proxy", "no hyphen" },
    { "Proxy-", "nothing after the hyphen" },
    { "Proxies-X", "another word" },
    { "TEA", "longer than TE" },
    { "T", "shorter than TE" },
    { "Upgrade-Insecure-Requests", "longer than Upgrade" },
    { "Trailers", "longer than Trailer" },
    { "Keep-Aliv", "a prefix" },
    { "\xC8ost", "no letter of ours" },
    { "Content\rType", "the bit that tells A from a makes a hyphen of a return" },
    { "\x48\x4F\x53\x14", "and 't' of nothing but 'T'" },
    { "Set-Cookie", "a response header" },
    { "If-Modified-Since", "has no code (17 letters, as Transfer-Encoding)" },
    { "Sec-Fetch-Something-Long", "longer than any in the table" },
};

START_TEST(other_request_headers_are_plain)
{
    jk_header_code is = jk_codes_request_header(guarded(plain[_i].name));

    ck_assert_msg(is.code == 0 && is.kind == JK_HEADER_PLAIN, "%s: %s", plain[_i].name, plain[_i].why);
}
END_TEST

static const char *const response[] = {
    "Content-Type", "Content-Language", "Content-Length", "Date",   "Last-Modified",    "Location",
    "Set-Cookie",   "Set-Cookie2",      "Servlet-Engine", "Status", "WWW-Authenticate",
};

START_TEST(response_headers_have_their_codes_both_ways)
{
    unsigned code = 0xA001 + (unsigned)_i;

    ck_assert(jk_span_eq(jk_codes_response_header_name(code), jk_span_of(response[_i])));
    for (int which = 0; which < 3; which++)
        ck_assert_uint_eq(jk_codes_response_header(in_case(response[_i], which)).code, code);
}
END_TEST

START_TEST(codes_without_a_header)
{
    static const unsigned odd[] = { 0, 1, 0x9FFF, 0xA000, 0xA0FF, 0xA100, 0xB001, 0xFFFF, 0x1A001, ~0u };

    ck_assert_ptr_null(jk_codes_request_header_name(odd[_i]).p);
    ck_assert_ptr_null(jk_codes_response_header_name(odd[_i]).p);
    ck_assert_ptr_null(jk_codes_request_header_name(0xA001 + ROWS(request)).p);
    ck_assert_ptr_null(jk_codes_response_header_name(0xA001 + ROWS(response)).p);
    ck_assert_int_eq(jk_codes_response_header(JK_SPAN_LIT("Connection")).kind, JK_HEADER_HOP);
    ck_assert_int_eq(jk_codes_response_header(JK_SPAN_LIT("Content-Length")).kind, JK_HEADER_PLAIN);
    ck_assert_uint_eq(jk_codes_response_header(JK_SPAN_LIT("Set-Cookie3")).code, 0);
    ck_assert_uint_eq(jk_codes_response_header(JK_SPAN_LIT("")).code, 0);
    ck_assert_uint_eq(jk_codes_response_header(JK_SPAN_NONE).code, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ajp/codes");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, methods_have_their_codes_both_ways, 0, ROWS(methods));
    tcase_add_loop_test(all, other_methods_are_stored, 0, ROWS(stored));
    tcase_add_test(all, codes_without_a_method);
    tcase_add_loop_test(all, request_headers_have_their_codes_both_ways, 0, ROWS(request));
    tcase_add_loop_test(all, hop_by_hop_headers_are_known, 0, ROWS(hops));
    tcase_add_loop_test(all, other_request_headers_are_plain, 0, ROWS(plain));
    tcase_add_loop_test(all, response_headers_have_their_codes_both_ways, 0, ROWS(response));
    tcase_add_loop_test(all, codes_without_a_header, 0, 10);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
