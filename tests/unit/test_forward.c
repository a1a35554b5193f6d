/* tests/unit/test_forward.c - FORWARD_REQUEST byte by byte: the expected packet is put together here by hand, without the
 * module's writer. Then many requests at random, which must be well formed, within the bound, and fit or say so. */
#include "guard.h"
#include "jk/ajp/codes.h"
#include "jk/ajp/forward.h"
#include "jk/ajp/frame.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define UNTOUCHED 0xEE

/* ---- the expected packet ---- */

static struct {
    uint8_t p[8192];
    size_t n;
} want;

static void byte(unsigned v)
{
    want.p[want.n++] = (uint8_t)v;
}

static void number(unsigned v)
{
    byte(v >> 8);
    byte(v & 0xFF);
}

static void string(const char *s)
{
    if (s == NULL) {
        number(0xFFFF);
        return;
    }
    number((unsigned)strlen(s));
    while (*s)
        byte((uint8_t)*s++);
    byte(0);
}

static void named(const char *name, const char *value)
{
    byte(0x0A);
    string(name);
    string(value);
}

/* Everything before the headers, for the plain request below. */
static void start(unsigned method)
{
    want.n = 4;
    byte(2);
    byte(method);
    string("HTTP/1.1");
    string("/");
    string("10.0.0.1");
    string(NULL);
    string("www");
    number(80);
    byte(0);
}

static void finish(void)
{
    named("AJP_REMOTE_PORT", "1234");
    named("AJP_LOCAL_ADDR", "10.0.0.2");
    named("JK_LB_ACTIVATION", "ACT");
    byte(0xFF);
}

static void seal(void)
{
    want.p[0] = 0x12;
    want.p[1] = 0x34;
    want.p[2] = (uint8_t)((want.n - 4) >> 8);
    want.p[3] = (uint8_t)(want.n - 4);
}

static jk_request plain(void)
{
    return (jk_request){
        .method = JK_SPAN_LIT("GET"), .protocol = JK_SPAN_LIT("HTTP/1.1"), .uri = JK_SPAN_LIT("/"),
        .remote_addr = JK_SPAN_LIT("10.0.0.1"), .server_name = JK_SPAN_LIT("www"), .server_port = 80,
        .ssl_key_size = -1, .remote_port = JK_SPAN_LIT("1234"), .local_addr = JK_SPAN_LIT("10.0.0.2"),
        .activation = JK_SPAN_LIT("ACT"),
    };
}

static void compare(const jk_request *rq, const char *why)
{
    uint8_t got[8192];
    size_t len = 0;

    seal();
    ck_assert_msg(jk_forward_encode(rq, got, jk_forward_bound(rq), &len) == JK_OK, "%s", why);
    ck_assert_msg(len <= jk_forward_bound(rq), "%s: beyond the bound", why);
    ck_assert_msg(len == want.n, "%s: %zu bytes, expected %zu", why, len, want.n);
    for (size_t i = 0; i < len; i++)
        ck_assert_msg(got[i] == want.p[i], "%s: byte %zu is %02X, expected %02X", why, i, got[i], want.p[i]);
}

/* ---- whole packets ---- */

static jk_span lit(const char *s)
{
    return jk_span_of(s);
}

START_TEST(everything_in_its_order)
{
    const jk_field headers[] = {
        { JK_SPAN_LIT("Host"), JK_SPAN_LIT("shop.example") },
        { JK_SPAN_LIT("X-Two"), JK_SPAN_LIT("first") },
        { JK_SPAN_LIT("Content-Length"), JK_SPAN_LIT("5") },
        { JK_SPAN_LIT("x-two"), JK_SPAN_LIT("") },
        { JK_SPAN_LIT("COOKIE"), JK_SPAN_LIT("a=b") },
    };
    const jk_field env[] = { { JK_SPAN_LIT("E1"), JK_SPAN_LIT("one") }, { JK_SPAN_LIT("E2"), JK_SPAN_LIT("") } };
    jk_request rq = {
        .method = lit("POST"), .protocol = lit("HTTP/2.0"), .uri = lit("/shop/a%20b"), .remote_addr = lit("10.0.0.1"),
        .remote_host = lit("client.example"), .server_name = lit("shop.example"), .server_port = 8443, .is_ssl = true,
        .body = JK_BODY_LENGTH, .content_length = 5, .headers = headers, .nheaders = ROWS(headers), .secret = lit("hush"),
        .remote_user = lit("ann"), .auth_type = lit("Basic"), .query = lit("q=1&r="), .route = lit("node1"),
        .ssl_cert = lit("-----BEGIN"), .ssl_cipher = lit("AES"), .ssl_session = lit("5E55"), .ssl_protocol = lit("TLSv1.3"),
        .ssl_key_size = 256, .remote_port = lit("40000"), .local_addr = lit("10.0.0.2"), .activation = lit("DIS"),
        .env = env, .nenv = ROWS(env),
    };

    want.n = 4;
    byte(2);
    byte(4);
    string("HTTP/2.0");
    string("/shop/a%20b");
    string("10.0.0.1");
    string("client.example");
    string("shop.example");
    number(8443);
    byte(1);
    number(5);
    number(0xA00B), string("shop.example");
    string("X-Two"), string("first");
    number(0xA008), string("5");
    string("x-two"), string("");
    number(0xA009), string("a=b");
    byte(0x0C), string("hush");
    byte(0x03), string("ann");
    byte(0x04), string("Basic");
    byte(0x05), string("q=1&r=");
    byte(0x06), string("node1");
    byte(0x07), string("-----BEGIN");
    byte(0x08), string("AES");
    byte(0x09), string("5E55");
    byte(0x0B), number(256);
    named("AJP_SSL_PROTOCOL", "TLSv1.3");
    named("AJP_REMOTE_PORT", "40000");
    named("AJP_LOCAL_ADDR", "10.0.0.2");
    named("JK_LB_ACTIVATION", "DIS");
    named("E1", "one");
    named("E2", "");
    byte(0xFF);
    compare(&rq, "everything");
}
END_TEST

START_TEST(nothing_but_what_must_be)
{
    jk_request rq = { .method = lit("GET"), .ssl_key_size = -1 };

    want.n = 4;
    byte(2);
    byte(2);
    for (int i = 0; i < 5; i++)
        string(NULL);
    number(0);
    byte(0);
    number(1);
    number(0xA008), string("0");
    named("AJP_REMOTE_PORT", NULL);
    named("AJP_LOCAL_ADDR", NULL);
    named("JK_LB_ACTIVATION", NULL);
    byte(0xFF);
    compare(&rq, "absent spans");
}
END_TEST

START_TEST(empty_is_not_absent)
{
    jk_request rq = plain();

    rq.query = rq.remote_user = rq.ssl_protocol = JK_SPAN_LIT("");
    start(2);
    number(1);
    number(0xA008), string("0");
    byte(0x03), string("");
    byte(0x05), string("");
    finish();
    compare(&rq, "a URI that ends with a question mark has a query");
}
END_TEST

static const struct {
    int bits;
    unsigned sent;
    const char *why;
} key_sizes[] = { { 0, 0, "null cipher" }, { 128, 128, "AES-128" }, { 65535, 65535, "as far as a short goes" } };

START_TEST(key_size_is_a_short)
{
    jk_request rq = plain();

    rq.ssl_key_size = key_sizes[_i].bits;
    start(2);
    number(1);
    number(0xA008), string("0");
    byte(0x0B), number(key_sizes[_i].sent);
    finish();
    compare(&rq, key_sizes[_i].why);
}
END_TEST

static const struct {
    const char *method;
    bool stored_methods;
    unsigned code;
    const char *why;
} methods[] = {
    { "GET", false, 2, "has a code" },
    { "MKACTIVITY", false, 27, "the last code" },
    { "PATCH", false, 0xFF, "no code: sent by name" },
    { "get", false, 0xFF, "case-sensitive: sent as it is" },
    { "GET", true, 0xFF, "stored_methods" },
    { "PATCH", true, 0xFF, "stored_methods" },
};

START_TEST(methods_go_by_code_or_by_name)
{
    jk_request rq = plain();

    rq.method = lit(methods[_i].method);
    rq.stored_methods = methods[_i].stored_methods;
    start(methods[_i].code);
    number(1);
    number(0xA008), string("0");
    if (methods[_i].code == 0xFF)
        byte(0x0D), string(methods[_i].method);
    finish();
    compare(&rq, methods[_i].why);
}
END_TEST

/* ---- headers ---- */

/* in and out: "Name: value" lines; a name that has a code is written by it. */
static const struct {
    jk_body_kind body;
    unsigned length;
    const char *connection, *in[5], *out[5], *why;
} headers[] = {
    { JK_BODY_NONE, 0, NULL, { NULL }, { "content-length: 0" }, "no body: the container must not ask for one" },
    { JK_BODY_NONE, 0, NULL, { "Content-Length: 0", "A: b" }, { "content-length: 0", "A: b" }, "the client's, in its place" },
    { JK_BODY_NONE, 0, NULL, { "Content-Length: 7" }, { "content-length: 0" }, "none will come, whatever a header says" },
    { JK_BODY_LENGTH, 7, NULL, { "A: b", "Content-Length: 7" }, { "A: b", "content-length: 7" }, "as the client said" },
    { JK_BODY_LENGTH, 7, NULL, { "A: b" }, { "A: b", "content-length: 7" },
      "without the header the body packet would be read as the next request" },
    { JK_BODY_LENGTH, 7, NULL, { "Content-Length: 07", "Content-Length: 9" }, { "content-length: 7" }, "one, and the true one" },
    { JK_BODY_LENGTH, 7, "content-length", { "Content-Length: 7", "A: b" }, { "content-length: 7", "A: b" },
      "a client that names it in Connection cannot remove it" },
    { JK_BODY_UNKNOWN, 0, NULL, { "Content-Length: 7", "A: b" }, { "A: b" }, "of unknown length: none" },
    { JK_BODY_UNKNOWN, 0, NULL, { NULL }, { NULL }, "no header at all" },
    { JK_BODY_UNKNOWN, 0, NULL, { "Connection: close", "TE: x", "Trailer: x", "Upgrade: h2c", "Keep-Alive: 5" }, { NULL },
      "hop-by-hop" },
    { JK_BODY_UNKNOWN, 0, NULL,
      { "Transfer-Encoding: chunked", "Proxy-Connection: x", "PROXY-AUTHORIZATION: y", "Expect: 100-continue" },
      { "Expect: 100-continue" }, "hop-by-hop, but for Expect" },
    { JK_BODY_UNKNOWN, 0, "X-A, cookie", { "X-A: 1", "X-AB: 2", "Cookie: c", "x-a: 3" }, { "X-AB: 2" }, "what Connection names" },
    { JK_BODY_UNKNOWN, 0, NULL, { "A: 1", "a: 2", "A: 1" }, { "A: 1", "a: 2", "A: 1" }, "duplicates stay, in order" },
    { JK_BODY_UNKNOWN, 0, NULL, { "HOST: h", "user-agent: u", "A: " }, { "host: h", "user-agent: u", "A: " },
      "any case has the code" },
};

static jk_field field_of(const char *line)
{
    const char *colon = strstr(line, ": ");

    return (jk_field){ { (const uint8_t *)line, (size_t)(colon - line) }, jk_span_of(colon + 2) };
}

static unsigned code_of(const char *line)
{
    static const struct {
        const char *prefix;
        unsigned code;
    } known[] = { { "content-length: ", 0xA008 }, { "host: ", 0xA00B }, { "user-agent: ", 0xA00E } };

    for (size_t i = 0; i < ROWS(known); i++)
        if (strncmp(line, known[i].prefix, strlen(known[i].prefix)) == 0)
            return known[i].code;
    return 0;
}

static void expect_header(const char *line)
{
    const char *colon = strstr(line, ": ");
    unsigned code = code_of(line);

    if (code) {
        number(code);
    } else {
        number((unsigned)(colon - line));
        for (const char *c = line; c < colon; c++)
            byte((uint8_t)*c);
        byte(0);
    }
    string(colon + 2);
}

START_TEST(headers_are_chosen_and_coded)
{
    jk_request rq = plain();
    jk_field in[5];
    unsigned out = 0;

    while (rq.nheaders < 5 && headers[_i].in[rq.nheaders]) {
        in[rq.nheaders] = field_of(headers[_i].in[rq.nheaders]);
        rq.nheaders++;
    }
    rq.headers = in;
    rq.body = headers[_i].body;
    rq.content_length = headers[_i].length;
    rq.connection = jk_span_of(headers[_i].connection);
    while (out < 5 && headers[_i].out[out])
        out++;
    start(2);
    number(out);
    for (unsigned i = 0; i < out; i++)
        expect_header(headers[_i].out[i]);
    finish();
    compare(&rq, headers[_i].why);
}
END_TEST

START_TEST(a_length_of_20_digits)
{
    jk_request rq = plain();

    rq.body = JK_BODY_LENGTH;
    rq.content_length = UINT64_MAX;
    start(2);
    number(1);
    number(0xA008), string("18446744073709551615");
    finish();
    compare(&rq, "the bound counts them");
}
END_TEST

/* ---- limits ---- */

START_TEST(strings_have_at_most_65534_bytes)
{
    static const struct {
        size_t len;
        jk_rc rc;
        const char *why;
    } rows[] = {
        { 65534, JK_E_SPACE, "a string that could be, but not in a packet" },
        { 65535, JK_E_SPACE, "would read as the null string" },
        { 65536, JK_E_SPACE, "would wrap to 0" },
        { 65536 + 20, JK_E_SPACE, "would wrap to 20" },
        { 65300, JK_OK, "fits into the largest packet" },
    };
    uint8_t *text = malloc(rows[_i].len), *packet = malloc(2 * JK_FRAME_MAX_PACKET);
    jk_request rq = plain();
    size_t len = 0;

    memset(text, 'x', rows[_i].len);
    jk_span whole = { text, rows[_i].len };
    jk_field header = { JK_SPAN_LIT("X"), whole }, name = { whole, JK_SPAN_LIT("X") };
    rq.query = whole;
    ck_assert_msg(jk_forward_encode(&rq, packet, jk_forward_bound(&rq), &len) == rows[_i].rc, "query: %s", rows[_i].why);
    rq.query = JK_SPAN_NONE;
    rq.headers = &header;
    rq.nheaders = 1;
    ck_assert_msg(jk_forward_encode(&rq, packet, jk_forward_bound(&rq), &len) == rows[_i].rc, "value: %s", rows[_i].why);
    rq.headers = &name;
    ck_assert_msg(jk_forward_encode(&rq, packet, jk_forward_bound(&rq), &len) == rows[_i].rc, "name: %s", rows[_i].why);
    rq.nheaders = 0;
    rq.env = &header;
    rq.nenv = 1;
    ck_assert_msg(jk_forward_encode(&rq, packet, jk_forward_bound(&rq), &len) == rows[_i].rc, "env: %s", rows[_i].why);
    if (rows[_i].rc == JK_OK)
        ck_assert_uint_eq(((size_t)packet[2] << 8 | packet[3]) + 4, len);
    free(text);
    free(packet);
}
END_TEST

START_TEST(more_than_65535_headers_do_not_fit)
{
    size_t n = 65536, len;
    jk_field *many = malloc(n * sizeof *many);
    jk_request rq = plain();

    for (size_t i = 0; i < n; i++)
        many[i] = (jk_field){ JK_SPAN_LIT("A"), JK_SPAN_LIT("") };
    rq.headers = many;
    rq.nheaders = n;
    rq.body = JK_BODY_UNKNOWN;
    uint8_t *packet = malloc(jk_forward_bound(&rq));
    ck_assert_int_eq(jk_forward_encode(&rq, packet, jk_forward_bound(&rq), &len), JK_E_SPACE);
    free(packet);
    free(many);
}
END_TEST

START_TEST(any_cap_below_the_length_says_so_and_nothing_is_touched_beyond_it)
{
    const jk_field header = { JK_SPAN_LIT("X-A"), JK_SPAN_LIT("value") }, env = { JK_SPAN_LIT("E"), JK_SPAN_LIT("v") };
    jk_request rq = plain();
    size_t len = 0, other;
    uint8_t p[1024];

    rq.headers = &header;
    rq.env = &env;
    rq.nheaders = rq.nenv = 1;
    rq.query = rq.route = rq.ssl_protocol = JK_SPAN_LIT("abc");
    rq.ssl_key_size = 128;
    ck_assert_int_eq(jk_forward_encode(&rq, p, sizeof p, &len), JK_OK);
    for (size_t cap = 0; cap <= len; cap++) {
        memset(p, UNTOUCHED, sizeof p);
        ck_assert_int_eq(jk_forward_encode(&rq, p, cap, &other), cap < len ? JK_E_SPACE : JK_OK);
        for (size_t i = cap; i < sizeof p; i++)
            ck_assert_msg(p[i] == UNTOUCHED, "cap %zu touched byte %zu", cap, i);
    }
}
END_TEST

/* ---- why it does not fit ---- */

static const struct {
    size_t uri, query, header, cert, env;
    jk_misfit_part part;
    size_t size;
    const char *name, *why;
} misfits[] = {
    { 9000, 10, 20, 0, 0, JK_MISFIT_URI, 9010, NULL, "the URI" },
    { 10, 9000, 20, 0, 0, JK_MISFIT_URI, 9010, NULL, "the query is a part of the URI" },
    { 4500, 4500, 8990, 0, 0, JK_MISFIT_URI, 9000, NULL, "both together" },
    { 10, 10, 9000, 0, 0, JK_MISFIT_HEADER, 9005, "X-Big", "a header" },
    { 10, 10, 20, 9000, 0, JK_MISFIT_ATTRIBUTE, 9018, "client certificate", "the certificate chain" },
    { 10, 10, 20, 300, 9000, JK_MISFIT_ATTRIBUTE, 9003, "ENV", "a JkEnvVar" },
};

START_TEST(the_largest_part_is_named)
{
    static uint8_t text[9000];
    const jk_field fields[] = {
        { JK_SPAN_LIT("X-Small"), JK_SPAN_LIT("s") },
        { JK_SPAN_LIT("X-Big"), { text, misfits[_i].header } },
    };
    const jk_field env = { JK_SPAN_LIT("ENV"), { text, misfits[_i].env } };
    jk_request rq = plain();

    rq.uri = (jk_span){ text, misfits[_i].uri };
    rq.query = (jk_span){ text, misfits[_i].query };
    rq.headers = fields;
    rq.nheaders = 2;
    rq.ssl_cert = (jk_span){ text, misfits[_i].cert };
    rq.env = &env;
    rq.nenv = 1;
    jk_misfit got = jk_forward_misfit(&rq);
    ck_assert_msg(got.part == misfits[_i].part, "%s", misfits[_i].why);
    ck_assert_uint_eq(got.size, misfits[_i].size);
    ck_assert_uint_eq(got.total, jk_forward_bound(&rq));
    ck_assert_msg(jk_span_eq(got.name, jk_span_of(misfits[_i].name)), "%s", misfits[_i].why);
}
END_TEST

START_TEST(a_huge_name_is_a_part_too)
{
    static const uint8_t text[9000];
    const jk_field field = { { text, 9000 }, JK_SPAN_LIT("v") };
    jk_request rq = plain();

    rq.headers = &field;
    rq.nheaders = 1;
    jk_misfit got = jk_forward_misfit(&rq);
    ck_assert(got.part == JK_MISFIT_HEADER);
    ck_assert_uint_eq(got.size, 9001);
}
END_TEST

/* ---- at random ---- */

static uint32_t chance;

static uint32_t below(uint32_t n)
{
    chance = chance * 1664525u + 1013904223u;
    return (chance >> 8) % n;
}

/* Absent, empty, or some bytes of a text; the longest now and then. */
static jk_span some(uint32_t most)
{
    static const uint8_t text[400] = "abcdefghijklmnopqrstuvwxyz%/;=,. 0123456789\xC3\xA4\xFF\x01";

    switch (below(4)) {
    case 0:
        return JK_SPAN_NONE;
    case 1:
        return JK_SPAN_LIT("");
    default:
        return (jk_span){ text, below(most) };
    }
}

static jk_span some_name(void)
{
    static const char *const names[] = {
        "Host", "Accept", "X-A", "Content-Length", "content-length", "Connection", "Transfer-Encoding", "Cookie", "TE",
        "Proxy-Foo", "Keep-Alive", "X-Longer-Name", "Upgrade", "Expect",
    };

    return jk_span_of(names[below(ROWS(names))]);
}

typedef struct facts {
    size_t lengths, hops, attributes;
    uint64_t length;
} facts;

static jk_span take_string(const uint8_t *p, size_t len, size_t *at)
{
    size_t n = (size_t)p[*at] << 8 | p[*at + 1];

    *at += 2;
    if (n == 0xFFFF)
        return JK_SPAN_NONE;
    ck_assert_uint_lt(*at + n, len);
    ck_assert_uint_eq(p[*at + n], 0);
    jk_span s = { p + *at, n };
    *at += n + 1;
    return s;
}

static void walk_header(const uint8_t *p, size_t len, size_t *at, facts *f)
{
    jk_span name;

    if (p[*at] == 0xA0) {
        name = jk_codes_request_header_name((unsigned)p[*at] << 8 | p[*at + 1]);
        *at += 2;
    } else {
        name = take_string(p, len, at);
    }
    ck_assert_ptr_nonnull(name.p);
    jk_span value = take_string(p, len, at);
    jk_header_kind kind = jk_codes_request_header(name).kind;
    f->hops += kind == JK_HEADER_HOP;
    if (kind == JK_HEADER_LENGTH) {
        f->lengths++;
        f->length = strtoull((const char *)value.p, NULL, 10); /* its NUL was checked */
    }
}

/* Reads a packet to its very last byte; a malformed one fails the test. */
static facts walk(const uint8_t *p, size_t len)
{
    facts f = { 0 };
    size_t at = 6, count;

    ck_assert_uint_eq(((size_t)p[2] << 8 | p[3]) + 4, len);
    for (int i = 0; i < 5; i++)
        take_string(p, len, &at);
    at += 3;
    count = (size_t)p[at] << 8 | p[at + 1];
    at += 2;
    while (count-- > 0)
        walk_header(p, len, &at, &f);
    while (p[at] != 0xFF) {
        unsigned code = p[at++];
        if (code == 0x0B) {
            at += 2;
            continue;
        }
        take_string(p, len, &at);
        if (code == 0x0A)
            take_string(p, len, &at);
        f.attributes++;
    }
    ck_assert_uint_eq(at + 1, len);
    return f;
}

static jk_request some_request(jk_field fields[20], jk_field env[5])
{
    jk_request rq = {
        .method = below(2) ? JK_SPAN_LIT("POST") : JK_SPAN_LIT("PATCH"), .protocol = some(10), .uri = some(300),
        .remote_addr = some(20), .remote_host = some(20), .server_name = some(50), .server_port = (uint16_t)below(65536),
        .is_ssl = below(2), .stored_methods = below(2), .body = (jk_body_kind)below(3), .content_length = 1 + below(1u << 20),
        .headers = fields, .nheaders = below(20), .connection = below(3) ? JK_SPAN_NONE : JK_SPAN_LIT("X-A, Content-Length"),
        .secret = some(30), .remote_user = some(30), .auth_type = some(8), .query = some(300), .route = some(10),
        .ssl_cert = some(400), .ssl_cipher = some(20), .ssl_session = some(64), .ssl_protocol = some(8),
        .ssl_key_size = (int)below(300) - 1, .remote_port = some(6), .local_addr = some(20), .activation = some(4),
        .env = env, .nenv = below(5),
    };

    for (size_t i = 0; i < rq.nheaders; i++)
        fields[i] = (jk_field){ some_name(), some(100) };
    for (size_t i = 0; i < rq.nenv; i++)
        env[i] = (jk_field){ some(12), some(100) };
    return rq;
}

START_TEST(any_request_is_well_formed_and_within_its_bound)
{
    jk_field fields[20], env[5];
    size_t len = 0, other;

    for (uint32_t seed = 1; seed <= 3000; seed++) {
        chance = seed * 2654435761u;
        jk_request rq = some_request(fields, env);
        size_t bound = jk_forward_bound(&rq);
        uint8_t *p = malloc(bound); /* exactly: a sanitizer sees one byte more */
        ck_assert_int_eq(jk_forward_encode(&rq, p, bound, &len), JK_OK);
        ck_assert_uint_le(len, bound);
        facts f = walk(jk_guarded(p, len), len);
        ck_assert_uint_eq(f.hops, 0);
        ck_assert_uint_eq(f.lengths, rq.body != JK_BODY_UNKNOWN);
        ck_assert_uint_eq(f.length, rq.body == JK_BODY_LENGTH ? rq.content_length : 0);
        ck_assert_int_eq(jk_forward_encode(&rq, p, len - 1, &other), JK_E_SPACE);
        ck_assert_int_eq(jk_forward_encode(&rq, p, below((uint32_t)len), &other), JK_E_SPACE);
        free(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ajp/forward");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, all);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, everything_in_its_order);
    tcase_add_test(all, nothing_but_what_must_be);
    tcase_add_test(all, empty_is_not_absent);
    tcase_add_loop_test(all, key_size_is_a_short, 0, ROWS(key_sizes));
    tcase_add_loop_test(all, methods_go_by_code_or_by_name, 0, ROWS(methods));
    tcase_add_loop_test(all, headers_are_chosen_and_coded, 0, ROWS(headers));
    tcase_add_test(all, a_length_of_20_digits);
    tcase_add_loop_test(all, strings_have_at_most_65534_bytes, 0, 5);
    tcase_add_test(all, more_than_65535_headers_do_not_fit);
    tcase_add_test(all, any_cap_below_the_length_says_so_and_nothing_is_touched_beyond_it);
    tcase_add_loop_test(all, the_largest_part_is_named, 0, ROWS(misfits));
    tcase_add_test(all, a_huge_name_is_a_part_too);
    tcase_add_test(all, any_request_is_well_formed_and_within_its_bound);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
