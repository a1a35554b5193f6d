/* tests/fuzz/fuzz_reply.c - any bytes as a container's answer, through frame, reply and exchange. Two readers of the same
 * stream must agree: one that takes whole packets at once, and one that is fed in pieces and passes a body chunk on as it
 * comes, as net/run does. Each piece lies in a block of its own size, so that a sanitizer sees one byte read too many.
 *
 *   | flags | seed of the pieces' lengths | the stream .. |     flags: bits 0-1 the request's body, bits 2-3 the packet size
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined; elsewhere replay_main.c runs the corpus. */
#include "jk/ajp/codes.h"
#include "jk/ajp/exchange.h"
#include "jk/ajp/frame.h"
#include "jk/ajp/reply.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct reader {
    jk_exchange x;
    size_t max_packet;
    bool over;
    uint64_t events, body; /* hashes of what came out */
    uint64_t body_bytes;
    size_t chunk_left, chunk_skip; /* of a chunk that is passed on as it comes */
} reader;

static void must(bool promise, const char *what)
{
    if (promise)
        return;
    fprintf(stderr, "fuzz_reply: broken promise: %s\n", what);
    abort();
}

static void mix(uint64_t *hash, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++)
        *hash = (*hash ^ p[i]) * 1099511628211u;
}

static void note(reader *r, unsigned what, uint64_t value)
{
    mix(&r->events, &what, sizeof what);
    mix(&r->events, &value, sizeof value);
}

static void note_span(reader *r, jk_span s)
{
    note(r, s.p != NULL, s.len);
    mix(&r->events, s.p, s.len);
}

static void note_body(reader *r, jk_span s)
{
    mix(&r->body, s.p, s.len);
    r->body_bytes += s.len;
}

static void give_up(reader *r, jk_rc rc)
{
    note(r, 1000, (uint64_t)rc);
    jk_exchange_break(&r->x);
    r->over = true;
}

static void note_head(reader *r, jk_reply *reply)
{
    jk_span name, value;
    unsigned n = 0, promised = reply->nheaders;

    note(r, 1001, reply->status);
    note_span(r, reply->reason);
    while (jk_reply_field(reply, &name, &value)) {
        must(name.p != NULL && name.len > 0 && name.p[name.len] == 0, "a field has a name that ends with a NUL");
        must(value.p != NULL && value.p[value.len] == 0, "a field has a value that ends with a NUL");
        note_span(r, name);
        note_span(r, value);
        n++;
    }
    must(n == promised, "as many fields as promised");
}

static void send_body(reader *r, const jk_reply *reply)
{
    size_t n = jk_exchange_wanted(&r->x, reply->wanted);

    must(n <= r->max_packet - JK_FRAME_BODY_HEAD, "a body packet fits");
    note(r, 1002, n);
    jk_exchange_answered_body(&r->x);
    jk_exchange_body(&r->x, n, reply->wanted == 1);
}

static void happen(reader *r, jk_event event, jk_reply *reply)
{
    jk_progress before = r->x.progress;
    jk_act act = jk_exchange_event(&r->x, event);

    note(r, (unsigned)act, 0);
    must(r->x.progress >= before, "progress never falls");
    if (act == JK_ACT_PASS_HEAD)
        note_head(r, reply);
    else if (act == JK_ACT_SEND_BODY)
        send_body(r, reply);
    r->over = act == JK_ACT_FINISH || act == JK_ACT_FAIL_FRAME || act == JK_ACT_FAIL_PAYLOAD;
    must(jk_exchange_reusable(&r->x) <= (act == JK_ACT_FINISH), "only an end keeps the connection");
}

static void message(reader *r, jk_span payload)
{
    jk_reply reply;
    jk_rc rc = jk_reply_parse(payload, &reply);

    if (rc != JK_OK) {
        give_up(r, rc);
        return;
    }
    happen(r, jk_exchange_event_of(&reply), &reply);
    if (!r->over && reply.type == JK_AJP_SEND_BODY_CHUNK)
        note_body(r, reply.body);
}

/* Whole packets. Returns how many bytes were used. */
static size_t read_packets(reader *r, jk_span in)
{
    size_t used, all = 0;
    jk_span payload;

    while (!r->over) {
        jk_rc rc = jk_frame_next((jk_span){ in.p + all, in.len - all }, r->max_packet, &payload, &used);
        if (rc == JK_AGAIN)
            break;
        if (rc != JK_OK) {
            give_up(r, rc);
            break;
        }
        must(payload.len > 0 && payload.len <= r->max_packet && used == payload.len + JK_FRAME_HEAD, "a packet's size");
        all += used;
        message(r, payload);
    }
    return all;
}

static size_t pass_chunk(reader *r, jk_span in)
{
    size_t n = r->chunk_left < in.len ? r->chunk_left : in.len;
    size_t skip = r->chunk_skip < in.len - n ? r->chunk_skip : in.len - n;

    note_body(r, (jk_span){ in.p, n });
    r->chunk_left -= n;
    r->chunk_skip -= skip;
    return n + skip;
}

static void begin_chunk(reader *r, const uint8_t *head, size_t payload_len)
{
    size_t len = 0;
    jk_rc rc = jk_reply_chunk(head, payload_len, &len);

    if (rc != JK_OK) {
        give_up(r, rc);
        return;
    }
    happen(r, len ? JK_EVENT_CHUNK : JK_EVENT_FLUSH, NULL);
    r->chunk_left = len;
    r->chunk_skip = payload_len - JK_REPLY_CHUNK_HEAD - len;
}

/* One step of the reader in pieces; 0: it needs more bytes. */
static size_t step(reader *r, jk_span in)
{
    size_t len = 0;

    if (r->chunk_left + r->chunk_skip > 0)
        return pass_chunk(r, in);
    jk_rc rc = jk_frame_head(in, r->max_packet, &len);
    if (rc == JK_E_FRAME) {
        give_up(r, rc);
        return 0;
    }
    if (rc == JK_AGAIN || in.len == JK_FRAME_HEAD)
        return 0;
    bool chunk = in.p[JK_FRAME_HEAD] == JK_AJP_SEND_BODY_CHUNK && len >= JK_REPLY_CHUNK_HEAD;
    size_t need = JK_FRAME_HEAD + (chunk ? JK_REPLY_CHUNK_HEAD : len);
    if (in.len < need)
        return 0;
    if (chunk)
        begin_chunk(r, in.p + JK_FRAME_HEAD, len);
    else
        message(r, (jk_span){ in.p + JK_FRAME_HEAD, len });
    return need;
}

static size_t read_piece(reader *r, jk_span in)
{
    size_t used = 0, n;

    do {
        n = r->over ? 0 : step(r, (jk_span){ in.p + used, in.len - used });
        used += n;
    } while (n > 0);
    return used;
}

static void read_in_pieces(reader *r, jk_span stream, uint32_t seed)
{
    size_t from = 0, upto = 0;

    while (upto < stream.len && !r->over) {
        seed = seed * 1664525u + 1013904223u;
        upto += 1 + (seed >> 8) % (1u << (seed >> 29));
        if (upto > stream.len)
            upto = stream.len;
        uint8_t *piece = malloc(upto - from);
        must(piece != NULL, "memory");
        memcpy(piece, stream.p + from, upto - from);
        from += read_piece(r, (jk_span){ piece, upto - from });
        free(piece);
    }
}

static reader start(uint8_t flags)
{
    static const size_t packets[] = { 64, 1024, 8192, 65535 };
    reader r = { .max_packet = packets[flags >> 2 & 3] };

    jk_exchange_start(&r.x, (jk_body_kind)((flags & 3) % 3), 20000, r.max_packet);
    if (jk_exchange_first(&r.x) > 0)
        jk_exchange_body(&r.x, jk_exchange_first(&r.x), false);
    jk_exchange_sent(&r.x);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    jk_span stream = { data + 2, size - 2 };
    reader whole = start(data[0]), pieces = start(data[0]);
    size_t used = read_packets(&whole, stream);

    read_in_pieces(&pieces, stream, data[1]);
    /* In an unfinished packet the one has seen more than the other. */
    if (!whole.over && used < stream.len)
        return 0;
    must(whole.over == pieces.over && whole.x.phase == pieces.x.phase, "both end alike");
    must(whole.events == pieces.events, "both see the same events");
    must(whole.body_bytes == pieces.body_bytes && whole.body == pieces.body, "both see the same body");
    must(jk_exchange_reusable(&whole.x) == jk_exchange_reusable(&pieces.x), "both keep the connection or neither");
    return 0;
}
