/* tests/unit/test_reply.c - a container's messages: each malformed kind, each message whole and cut at every byte, always
 * at the end of a readable page, so that one byte read too many is a fault. */
#include "guard.h"
#include "jk/ajp/codes.h"
#include "jk/ajp/reply.h"

#include <check.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
/* The bytes of a literal without the NUL that C adds. */
#define B(s) s, sizeof(s) - 1

static jk_span guarded(const void *bytes, size_t n)
{
    return (jk_span){ jk_guarded(bytes, n), n };
}

#define HEAD "\4\0\310\0\2OK\0"

static const struct {
    const char *bytes;
    size_t n, shortest; /* the least length at which it is a message of its own; 0: never */
    const char *why;
} messages[] = {
    { B("\4\0\310\0\2OK\0\0\0"), 10, "headers, none" },
    { B("\4\0\310\377\377\0\0"), 7, "the null reason" },
    { B("\4\0\310\0\0\0\0\0"), 8, "an empty reason" },
    { B(HEAD "\0\1\240\1\0\11text/html\0"), 24, "a coded name" },
    { B(HEAD "\0\1\0\3X-A\0\0\1b\0"), 20, "a name as a string" },
    { B(HEAD "\0\2\240\7\0\3a=b\0\0\3X-A\0\0\0\0"), 27, "two of them, one with an empty value" },
    { B(HEAD "\0\0trailing"), 10, "what follows is ignored" },
    { B("\3\0\2hi\0"), 5, "a body chunk; its NUL may be missing" },
    { B("\3\0\0\0"), 3, "a flush" },
    { B("\3\0\0"), 3, "a flush without the NUL" },
    { B("\5\1"), 2, "the end, kept" },
    { B("\5\0"), 2, "the end, closed" },
    { B("\5\1more"), 2, "what follows is ignored" },
    { B("\6\37\372"), 3, "a wish for 8186 bytes" },
    { B("\11"), 1, "a pong" },
    { B("\11more"), 1, "what follows is ignored" },
};

START_TEST(messages_parse_whole_and_never_when_cut)
{
    jk_reply reply;

    for (size_t n = 0; n <= messages[_i].n; n++) {
        jk_rc rc = jk_reply_parse(guarded(messages[_i].bytes, n), &reply);
        ck_assert_msg(rc == (n < messages[_i].shortest ? JK_E_PAYLOAD : JK_OK), "%s, %zu bytes: %d", messages[_i].why, n, rc);
    }
}
END_TEST

static const struct {
    const char *bytes;
    size_t n;
    const char *why;
} malformed[] = {
    { B(""), "an empty payload" },
    { B("\0"), "type 0" },
    { B("\1"), "type 1" },
    { B("\2\2"), "FORWARD_REQUEST does not come from there" },
    { B("\7"), "SHUTDOWN" },
    { B("\10"), "PING" },
    { B("\12"), "CPING does not come from there" },
    { B("\13"), "unknown type" },
    { B("\377"), "unknown type" },
    { B("\4\0\0\0\0\0\0\0"), "status 0" },
    { B("\4\377\377\0\0\0\0\0"), "status FFFF" },
    { B("\4\0\310\0\0\0\377\377"), "count FFFF" },
    { B("\4\0\310\0\2OKx\0\0"), "the reason's NUL is missing" },
    { B("\4\0\310\0\2O\0\0\0\0"), "a NUL inside the reason" },
    { B("\4\0\310\0\377OK\0\0\0"), "the reason is longer than the message" },
    { B("\4\0\310\377\376OK\0\0\0"), "far longer" },
    { B(HEAD "\0\1\240\0\0\1a\0"), "code A000 has no name" },
    { B(HEAD "\0\1\240\14\0\1a\0"), "code A00C has no name" },
    { B(HEAD "\0\1\240\377\0\1a\0"), "code A0FF has no name" },
    { B(HEAD "\0\1\241\1\0\1a\0"), "A101 is no code but a length" },
    { B(HEAD "\0\1\377\377\0\1a\0"), "a null name" },
    { B(HEAD "\0\1\0\0\0\0\1a\0"), "an empty name" },
    { B(HEAD "\0\1\0\3X\0A\0\0\1a\0"), "a NUL inside the name" },
    { B(HEAD "\0\1\0\1Xx\0\1a\0"), "the name's NUL is missing" },
    { B(HEAD "\0\1\240\1\377\377"), "a null value" },
    { B(HEAD "\0\1\240\1\0\3a\0b\0"), "a NUL inside the value" },
    { B(HEAD "\0\1\240\1\0\1ab"), "the value's NUL is missing" },
    { B(HEAD "\0\1\240\1\0\11a\0"), "the value is longer than the message" },
    { B(HEAD "\0\1\240\1"), "no value" },
    { B(HEAD "\0\1"), "no header at all" },
    { B(HEAD "\0\2\240\1\0\1a\0"), "the second header is missing" },
    { B(HEAD "\377\376\240\1\0\1a\0"), "65534 headers are promised" },
    { B("\3"), "a chunk without length" },
    { B("\3\0"), "with half of it" },
    { B("\3\0\1"), "without its byte" },
    { B("\3\0\3hi"), "one byte short" },
    { B("\3\37\377A"), "CVE-2006-7197" },
    { B("\3\377\377A"), "65535 bytes are promised" },
    { B("\5"), "the end without its flag" },
    { B("\5\377"), "FF is no boolean" },
    { B("\6"), "a wish without length" },
    { B("\6\1"), "with half of it" },
};

START_TEST(malformed_messages_are_refused)
{
    jk_reply reply;

    ck_assert_msg(jk_reply_parse(guarded(malformed[_i].bytes, malformed[_i].n), &reply) == JK_E_PAYLOAD, "%s",
                  malformed[_i].why);
}
END_TEST

START_TEST(headers_come_out_in_order_and_end_with_a_nul)
{
    static const char bytes[] = "\4\1\224\0\11Not Found\0\0\3\240\1\0\12text/plain\0\0\3X-A\0\0\0\0\240\7\0\3a=b";
    jk_reply reply;
    jk_span name, value, payload = guarded(bytes, sizeof bytes);

    ck_assert_int_eq(jk_reply_parse(payload, &reply), JK_OK);
    ck_assert_uint_eq(reply.type, JK_AJP_SEND_HEADERS);
    ck_assert_uint_eq(reply.status, 404);
    ck_assert(jk_span_eq(reply.reason, JK_SPAN_LIT("Not Found")));
    ck_assert_uint_eq(reply.nheaders, 3);
    ck_assert(jk_reply_field(&reply, &name, &value));
    ck_assert_str_eq((const char *)name.p, "Content-Type");
    ck_assert_str_eq((const char *)value.p, "text/plain");
    ck_assert(jk_reply_field(&reply, &name, &value));
    ck_assert_str_eq((const char *)name.p, "X-A");
    ck_assert_uint_eq(value.len, 0);
    ck_assert_str_eq((const char *)value.p, "");
    ck_assert(jk_reply_field(&reply, &name, &value));
    ck_assert_uint_eq(name.len, 10);
    ck_assert_str_eq((const char *)value.p, "a=b");
    for (int i = 0; i < 3; i++)
        ck_assert(!jk_reply_field(&reply, &name, &value));
}
END_TEST

START_TEST(every_code_gives_its_name)
{
    uint8_t bytes[] = "\4\0\310\0\0\0\0\1\240\0\0\1a";
    jk_reply reply;
    jk_span name, value;

    for (unsigned code = 0; code < 256; code++) {
        bytes[9] = (uint8_t)code;
        bool known = code >= 1 && code <= 0x0B;
        jk_rc rc = jk_reply_parse(guarded(bytes, sizeof bytes), &reply);
        ck_assert_int_eq(rc, known ? JK_OK : JK_E_PAYLOAD);
        if (!known)
            continue;
        ck_assert(jk_reply_field(&reply, &name, &value));
        ck_assert(jk_span_eq(name, jk_codes_response_header_name(0xA000 + code)));
    }
}
END_TEST

START_TEST(the_other_messages_say_what_they_say)
{
    jk_reply reply;

    ck_assert_int_eq(jk_reply_parse(guarded(B("\3\0\2hi\0")), &reply), JK_OK);
    ck_assert(jk_span_eq(reply.body, JK_SPAN_LIT("hi")));
    ck_assert_int_eq(jk_reply_parse(guarded(B("\3\0\0\0")), &reply), JK_OK);
    ck_assert_uint_eq(reply.body.len, 0);
    ck_assert_int_eq(jk_reply_parse(guarded(B("\3\0\3a\0b\0")), &reply), JK_OK);
    ck_assert_uint_eq(reply.body.len, 3); /* a body may hold anything */
    ck_assert_int_eq(jk_reply_parse(guarded(B("\6\37\372")), &reply), JK_OK);
    ck_assert_uint_eq(reply.wanted, 8186);
    ck_assert_int_eq(jk_reply_parse(guarded(B("\6\0\0")), &reply), JK_OK);
    ck_assert_uint_eq(reply.wanted, 0);
    for (unsigned flag = 0; flag < 0xFF; flag++) {
        const uint8_t end[2] = { 5, (uint8_t)flag };
        ck_assert_int_eq(jk_reply_parse(guarded(end, 2), &reply), JK_OK);
        ck_assert_uint_eq(reply.reuse, flag != 0);
    }
}
END_TEST

static const struct {
    const char head[4];
    size_t payload, len;
    jk_rc rc;
    const char *why;
} chunks[] = {
    { "\3\0\0", 3, 0, JK_OK, "a flush" },
    { "\3\0\5", 8, 5, JK_OK, "fills its packet" },
    { "\3\0\5", 9, 5, JK_OK, "and the NUL" },
    { "\3\0\6", 8, 0, JK_E_PAYLOAD, "one more than there is" },
    { "\3\377\377", 65535, 0, JK_E_PAYLOAD, "no packet is so long" },
    { "\3\377\374", 65535, 65532, JK_OK, "the longest" },
    { "\3\0\0", 2, 0, JK_E_PAYLOAD, "a packet shorter than the head" },
    { "\3\0\0", 0, 0, JK_E_PAYLOAD, "an empty one" },
};

START_TEST(a_chunk_lies_in_its_packet)
{
    size_t len = 0;

    ck_assert_msg(jk_reply_chunk(jk_guarded(chunks[_i].head, 3), chunks[_i].payload, &len) == chunks[_i].rc, "%s",
                  chunks[_i].why);
    if (chunks[_i].rc == JK_OK)
        ck_assert_uint_eq(len, chunks[_i].len);
}
END_TEST

/* Whatever bytes come: an answer, and never a byte beyond the payload. What was accepted can be walked to its end. */
START_TEST(any_byte_may_be_anything)
{
    static const char seed[] = HEAD "\0\2\240\7\0\3a=b\0\0\3X-A\0\0\1v";
    uint8_t bytes[sizeof seed];
    jk_reply reply;
    jk_span name, value;

    for (size_t at = 0; at < sizeof seed; at++)
        for (unsigned v = 0; v < 256; v++) {
            memcpy(bytes, seed, sizeof seed);
            bytes[at] = (uint8_t)v;
            jk_span payload = guarded(bytes, sizeof seed);
            if (jk_reply_parse(payload, &reply) != JK_OK || reply.type != JK_AJP_SEND_HEADERS)
                continue;
            while (jk_reply_field(&reply, &name, &value)) {
                ck_assert_uint_eq(strlen((const char *)name.p), name.len);
                ck_assert_uint_eq(strlen((const char *)value.p), value.len);
                ck_assert(value.p >= payload.p && value.p + value.len < payload.p + payload.len);
            }
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ajp/reply");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, messages_parse_whole_and_never_when_cut, 0, ROWS(messages));
    tcase_add_loop_test(all, malformed_messages_are_refused, 0, ROWS(malformed));
    tcase_add_test(all, headers_come_out_in_order_and_end_with_a_nul);
    tcase_add_test(all, every_code_gives_its_name);
    tcase_add_test(all, the_other_messages_say_what_they_say);
    tcase_add_loop_test(all, a_chunk_lies_in_its_packet, 0, ROWS(chunks));
    tcase_add_test(all, any_byte_may_be_anything);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
