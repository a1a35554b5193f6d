/* tests/unit/test_vectors.c - replays the files of tests/vectors (their README says how they are written) through frame,
 * reply and exchange: whole, in two pieces cut at every byte, and byte by byte. It is net/run without sockets, and without
 * the rule that a body chunk is passed on before its packet is whole: that one is fuzz_reply's.
 *
 * The directory is argv[1], or $srcdir/tests/vectors. */
#include "guard.h"
#include "jk/ajp/exchange.h"
#include "jk/ajp/frame.h"
#include "jk/ajp/reply.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STREAM_MAX 65536
#define EVENTS_MAX 16384
#define FILE_MAX 65536

typedef struct vector {
    jk_body_kind body;
    uint64_t length;
    size_t max_packet;
    uint8_t stream[STREAM_MAX];
    size_t n;
    char events[EVENTS_MAX];
} vector;

static char directory[PATH_MAX];
static struct dirent **files;
static int nfiles;
static vector v; /* the one that the running test has read */

/* ---- reading a file ---- */

static void no_vector(const char *name, const char *line, const char *why)
{
    ck_abort_msg("%s: %s: %s", name, why, line);
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? toupper((unsigned char)c) - 'A' + 10 : -1;
}

/* Two hex digits; -1: they are none. */
static int hex_byte(const char *p)
{
    return hex(p[0]) < 0 || hex(p[1]) < 0 ? -1 : hex(p[0]) << 4 | hex(p[1]);
}

static void add_byte(const char *name, const char *line, int byte)
{
    if (byte < 0)
        no_vector(name, line, "no hex digits");
    if (v.n == STREAM_MAX)
        no_vector(name, line, "too long");
    v.stream[v.n++] = (uint8_t)byte;
}

static const char *read_text(const char *name, const char *line, const char *p)
{
    while (*p && *p != '"') {
        bool escaped = *p == '\\';
        add_byte(name, line, escaped ? hex_byte(p + 1) : (uint8_t)*p);
        p += escaped ? 3 : 1;
    }
    if (*p == 0)
        no_vector(name, line, "the quote does not end");
    return p + 1;
}

static void read_bytes(const char *name, const char *line)
{
    for (const char *p = line; *p && *p != '#';) {
        if (isspace((unsigned char)*p)) {
            p++;
        } else if (*p == '"') {
            p = read_text(name, line, p + 1);
        } else {
            add_byte(name, line, hex_byte(p));
            p += 2;
        }
    }
}

static void read_setting(const char *name, const char *line)
{
    unsigned long long n;

    if (strcmp(line, "request none") == 0)
        v.body = JK_BODY_NONE;
    else if (strcmp(line, "request unknown") == 0)
        v.body = JK_BODY_UNKNOWN;
    else if (sscanf(line, "request length %llu", &n) == 1)
        v.body = JK_BODY_LENGTH, v.length = n;
    else if (sscanf(line, "packet %llu", &n) == 1)
        v.max_packet = (size_t)n;
    else
        no_vector(name, line, "unknown setting");
}

static void read_event(const char *name, const char *line)
{
    if (strlen(v.events) + strlen(line) + 2 > sizeof v.events)
        no_vector(name, line, "too many events");
    strcat(v.events, line);
    strcat(v.events, "\n");
}

static void read_file(const char *name, char *text)
{
    void (*read_line)(const char *, const char *) = read_setting;

    memset(&v, 0, sizeof v);
    v.max_packet = JK_FRAME_DEFAULT_PACKET;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t n = strlen(line);
        while (n > 0 && isspace((unsigned char)line[n - 1]))
            line[--n] = 0;
        if (n == 0 || line[0] == '#')
            continue;
        if (strcmp(line, "bytes") == 0)
            read_line = read_bytes;
        else if (strcmp(line, "events") == 0)
            read_line = read_event;
        else
            read_line(name, line);
    }
    if (v.events[0] == 0)
        no_vector(name, "", "no events");
}

static void load(const char *name)
{
    static char text[FILE_MAX];
    char path[PATH_MAX + 300];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s cannot be read", path);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    read_file(name, text);
}

/* ---- the replay ---- */

typedef struct replay {
    jk_exchange x;
    size_t taken; /* bytes of the stream */
    bool over;
    char events[EVENTS_MAX];
    size_t n;
} replay;

static void say(replay *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(replay *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    r->n += (size_t)vsnprintf(r->events + r->n, sizeof r->events - r->n, fmt, ap);
    va_end(ap);
    ck_assert_uint_lt(r->n, sizeof r->events);
}

static void say_quoted(replay *r, const char *before, jk_span s, const char *after)
{
    if (s.p == NULL) {
        say(r, "%s-%s", before, after);
        return;
    }
    say(r, "%s\"", before);
    for (size_t i = 0; i < s.len; i++) {
        bool plain = s.p[i] >= 0x20 && s.p[i] < 0x7F && s.p[i] != '"' && s.p[i] != '\\';
        say(r, plain ? "%c" : "\\%02X", s.p[i]);
    }
    say(r, "\"%s", after);
}

static void say_head(replay *r, jk_reply *reply)
{
    jk_span name, value;

    say(r, "head %u ", reply->status);
    say_quoted(r, "", reply->reason, "\n");
    while (jk_reply_field(reply, &name, &value)) {
        say_quoted(r, "field ", name, " ");
        say_quoted(r, "", value, "\n");
    }
}

static void send_body(replay *r, size_t asked)
{
    size_t n = jk_exchange_wanted(&r->x, asked);

    say(r, "send %zu\n", n);
    jk_exchange_body(&r->x, n, false);
    jk_exchange_answered_body(&r->x);
}

static void give_up(replay *r, jk_rc rc)
{
    say(r, "fail %s\n", jk_outcome_name(rc));
    jk_exchange_break(&r->x);
    r->over = true;
}

static void act(replay *r, jk_act what, jk_reply *reply)
{
    switch (what) {
    case JK_ACT_IGNORE:
        say(r, "ignored\n");
        break;
    case JK_ACT_PASS_HEAD:
        say_head(r, reply);
        break;
    case JK_ACT_PASS_BODY:
        say_quoted(r, "body ", reply->body, "\n");
        break;
    case JK_ACT_FLUSH:
        say(r, "flush\n");
        break;
    case JK_ACT_SEND_BODY:
        send_body(r, reply->wanted);
        break;
    case JK_ACT_FINISH:
        say(r, "end %s\n", reply->reuse ? "keep" : "close");
        r->over = true;
        break;
    case JK_ACT_FAIL_FRAME:
        give_up(r, JK_E_FRAME);
        break;
    case JK_ACT_FAIL_PAYLOAD:
        give_up(r, JK_E_PAYLOAD);
        break;
    }
}

static void begin(replay *r)
{
    r->taken = r->n = 0;
    r->over = false;
    r->events[0] = 0;
    jk_exchange_start(&r->x, v.body, v.length, v.max_packet);
    if (jk_exchange_first(&r->x) > 0)
        jk_exchange_body(&r->x, jk_exchange_first(&r->x), false);
    jk_exchange_sent(&r->x);
}

/* The stream has come as far as `upto`. */
static void feed(replay *r, size_t upto)
{
    jk_span in = { jk_guarded(v.stream + r->taken, upto - r->taken), upto - r->taken }, payload;
    size_t used;
    jk_reply reply;

    while (!r->over) {
        jk_rc rc = jk_frame_next(in, v.max_packet, &payload, &used);
        if (rc == JK_AGAIN)
            return;
        if (rc == JK_OK) {
            in = (jk_span){ in.p + used, in.len - used };
            r->taken += used;
            rc = jk_reply_parse(payload, &reply);
        }
        if (rc == JK_OK)
            act(r, jk_exchange_event(&r->x, jk_exchange_event_of(&reply)), &reply);
        else
            give_up(r, rc);
    }
}

static void finish(replay *r)
{
    static const char *const progress[] = { "none", "sent", "consumed", "answered" };
    size_t left = v.n - r->taken;

    if (!r->over)
        say(r, "more %zu\n", left);
    else if (r->x.phase == JK_PHASE_ENDED && left > 0)
        say(r, "left %zu\n", left);
    say(r, "progress %s\n", progress[r->x.progress]);
    say(r, "reusable %s\n", jk_exchange_reusable(&r->x) && left == 0 ? "yes" : "no");
}

static replay it;

START_TEST(a_vector_gives_its_events)
{
    load(files[_i]->d_name);
    begin(&it);
    feed(&it, v.n);
    finish(&it);
    ck_assert_msg(strcmp(it.events, v.events) == 0, "%s\n--- expected\n%s--- got\n%s", files[_i]->d_name, v.events, it.events);
}
END_TEST

START_TEST(cut_anywhere_it_gives_the_same)
{
    load(files[_i]->d_name);
    for (size_t cut = 0; cut <= v.n; cut++) {
        begin(&it);
        feed(&it, cut);
        feed(&it, v.n);
        finish(&it);
        ck_assert_msg(strcmp(it.events, v.events) == 0, "%s cut at %zu:\n%s", files[_i]->d_name, cut, it.events);
    }
}
END_TEST

START_TEST(byte_by_byte_it_gives_the_same)
{
    load(files[_i]->d_name);
    begin(&it);
    for (size_t upto = 0; upto <= v.n; upto++)
        feed(&it, upto);
    finish(&it);
    ck_assert_msg(strcmp(it.events, v.events) == 0, "%s byte by byte:\n%s", files[_i]->d_name, it.events);
}
END_TEST

static int is_vector(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && strcmp(entry->d_name + n - 4, ".txt") == 0;
}

int main(int argc, char **argv)
{
    const char *srcdir = getenv("srcdir");
    Suite *suite = suite_create("vectors");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    if (argc > 1)
        snprintf(directory, sizeof directory, "%s", argv[1]);
    else
        snprintf(directory, sizeof directory, "%s/tests/vectors", srcdir ? srcdir : ".");
    nfiles = scandir(directory, &files, is_vector, alphasort);
    if (nfiles <= 0) {
        fprintf(stderr, "test_vectors: no vectors in %s\n", directory);
        return EXIT_FAILURE;
    }
    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, a_vector_gives_its_events, 0, nfiles);
    tcase_add_loop_test(all, cut_anywhere_it_gives_the_same, 0, nfiles);
    tcase_add_loop_test(all, byte_by_byte_it_gives_the_same, 0, nfiles);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    while (nfiles > 0)
        free(files[--nfiles]);
    free(files);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
