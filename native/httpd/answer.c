/* native/httpd/answer.c - headers, body and end of a response. How much is read and passed at once stands in lend(): what
 * is buffered in the core and what is new must stay under its FlushMaxThreshold (64 KB), or it would block. */
#include "answer.h"

#include "published.h"

#include "jk/ajp/codes.h"

#include <apr_date.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <stdlib.h>

#define FEW 3400    /* bytes of r->pool: a header and a small body */
#define MUCH 7000   /* nearly all that is read first: more comes behind it */
#define GULP_FREE (60 * 1024)  /* nothing is pending at the client */
#define GULP_BEHIND (32 * 1024) /* something is */
#define GULP_TLS (16 * 1024)   /* one record */
#define WORTH_READING 1024     /* a smaller rest of a block is not lent */
#define CLIENT_CLOSED_REQUEST 499

/* ---- memory ---- */

static bool ours_alone(const jk_block *block)
{
    const apr_bucket_refcount *shared = block->anchor->data;

    return shared->refcount == 1;
}

/* Malloc'ed: freed memory of the bucket allocator would stay with this client's connection. */
static bool block_make(jk_answer *a, jk_block *block, size_t size)
{
    block->mem = malloc(size);
    if (block->mem == NULL)
        return false;
    block->anchor = apr_bucket_heap_create(block->mem, size, free, a->r->connection->bucket_alloc);
    block->size = size;
    block->used = 0;
    return true;
}

static void block_drop(jk_block *block)
{
    if (block->anchor)
        apr_bucket_destroy(block->anchor);
    block->anchor = NULL;
    block->mem = NULL;
}

/* What of the block may be written to now. One whose bytes are all held by filters is replaced: they free the old one. */
static size_t block_room(jk_answer *a, jk_block *block, size_t wanted)
{
    if (block->anchor && ours_alone(block))
        block->used = 0;
    if (block->anchor && block->size - block->used < WORTH_READING)
        block_drop(block);
    if (block->anchor == NULL && !block_make(a, block, wanted))
        return 0;
    return block->size - block->used;
}

static void piece_of(jk_block *block, size_t room, struct iovec *piece)
{
    piece->iov_base = block->mem + block->used;
    piece->iov_len = room;
}

static size_t gulp_size(const jk_answer *a)
{
    bool behind = a->r->connection->data_in_output_filters;
    size_t low;

    if (a->outlet && a->outlet->step < GULP_BEHIND) { /* a FlushMaxThreshold lower than the default */
        low = a->tls ? a->outlet->step / 2 : a->outlet->step; /* mod_ssl gathers, too */
        return low > 2 * WORTH_READING ? low : 2 * WORTH_READING;
    }
    if (a->tls)
        return GULP_TLS;
    return behind ? GULP_BEHIND : GULP_FREE;
}

/* The first block is the request's, and so are the strings of the headers that lie in it. It has no anchor: body bytes go as transient
 * buckets, which a filter copies that does not pass them on at once. Most answers are written in the one pass that they need. It is as large
 * as what came, and where that is much it is none of these: memory of r->pool stays with this client's connection, too. */
static const uint8_t *keep(void *ctx, const uint8_t *p, size_t n)
{
    jk_answer *a = ctx;

    if (n > FEW) {
        size_t more = gulp_size(a), size = n < MUCH || more < n ? n : more;
        return block_room(a, &a->big[0], size) ? memcpy(a->big[0].mem, p, n) : NULL;
    }
    a->first = (jk_block){ .mem = apr_pmemdup(a->r->pool, p, n), .size = n };
    return (const uint8_t *)a->first.mem;
}

static jk_rc pass(void *ctx, bool flush);

static jk_rc lend(void *ctx, struct iovec piece[2], int *n)
{
    jk_answer *a = ctx;
    size_t most = gulp_size(a);

    if (a->gathered >= most / 2) {
        jk_rc rc = pass(a, false);
        if (rc != JK_OK)
            return rc;
        most = gulp_size(a);
    }
    if (a->outlet) {
        jk_rc rc = jk_outlet_drain(a->outlet, a->tls ? a->outlet->rest / 2 : a->outlet->rest);
        if (rc != JK_OK)
            return rc;
    }
    size_t left = most - a->gathered;
    *n = 0;
    for (int i = 0; i < 2 && left >= WORTH_READING; i++) {
        size_t room = block_room(a, &a->big[i], most);
        if (room > left)
            room = left;
        if (room < WORTH_READING)
            continue;
        piece_of(&a->big[i], room, &piece[(*n)++]);
        left -= room;
    }
    return *n > 0 ? JK_OK : JK_E_MEMORY;
}

static bool lies_in(const jk_block *block, const uint8_t *p)
{
    return block->mem && (size_t)((const char *)p - block->mem) < block->size;
}

static jk_block *block_of(jk_answer *a, const uint8_t *p)
{
    return lies_in(&a->first, p) ? &a->first : lies_in(&a->big[0], p) ? &a->big[0] : lies_in(&a->big[1], p) ? &a->big[1] : NULL;
}

static apr_bucket *bucket_of(jk_answer *a, const jk_block *block, jk_span bytes)
{
    apr_bucket *b;

    if (block == &a->first)
        return apr_bucket_transient_create((const char *)bytes.p, bytes.len, a->r->connection->bucket_alloc);
    apr_bucket_copy(block->anchor, &b);
    b->start = (const char *)bytes.p - block->mem;
    b->length = bytes.len;
    return b;
}

/* Every filter pays by the bucket: bytes that lie behind the last one's make it longer. */
static jk_rc append(jk_answer *a, jk_span bytes)
{
    jk_block *block = block_of(a, bytes.p);
    size_t at;

    if (block == NULL)
        return JK_E_MEMORY;
    at = (size_t)((const char *)bytes.p - block->mem);
    if (a->gathered > 0 && at > 0 && bytes.p == a->edge)
        APR_BRIGADE_LAST(a->bb)->length += bytes.len;
    else
        APR_BRIGADE_INSERT_TAIL(a->bb, bucket_of(a, block, bytes));
    a->edge = bytes.p + bytes.len;
    a->gathered += bytes.len;
    if (at + bytes.len > block->used) /* ranges come in any order (net/scatter) */
        block->used = at + bytes.len;
    return JK_OK;
}

/* ---- headers ---- */

static void set_content_type(request_rec *r, char *value)
{
    for (uint8_t *c = (uint8_t *)value; *c > ';' || (*c && *c != ';'); c++) /* most are small letters, above all that is asked for */
        if (*c <= 'Z' && *c >= 'A')
            *c |= 0x20;
    ap_set_content_type(r, value);
}

/* Digits without an end in sight, or with a sign, are no length: the header is left out and httpd frames the body its own way. */
static void set_content_length(request_rec *r, char *value)
{
    apr_off_t length = 0;
    const char *c = value;

    for (; (uint8_t)(*c - '0') < 10 && c - value < 18; c++) /* 18 digits cannot overflow */
        length = length * 10 + (*c - '0');
    if (c == value || *c != '\0')
        return;
    if (*value == '0' && c - value > 1) { /* leading zeros: written anew */
        ap_set_content_length(r, length);
        return;
    }
    r->clength = length;
    apr_table_setn(r->headers_out, "Content-Length", value);
}

static void set_last_modified(request_rec *r, const char *value)
{
    ap_update_mtime(r, apr_date_parse_http(value));
    ap_set_last_modified(r);
}

static void set_field(request_rec *r, unsigned code, const char *name, char *value)
{
    switch (code) {
    case JK_AJP_RESPONSE_LOCATION:
        apr_table_setn(r->headers_out, name, value);
        break;
    case JK_AJP_RESPONSE_CONTENT_TYPE:
        set_content_type(r, value);
        break;
    case JK_AJP_RESPONSE_LAST_MODIFIED:
        set_last_modified(r, value);
        break;
    case JK_AJP_RESPONSE_CONTENT_LENGTH:
        set_content_length(r, value);
        break;
    default:
        apr_table_addn(r->headers_out, name, value);
        break;
    }
}

/* The packet stays where it is in the first block; elsewhere all fields are copied at once. Each string keeps the NUL behind it. */
static void keep_fields(jk_answer *a, jk_reply *head)
{
    if (!lies_in(&a->first, head->fields.p))
        head->fields.p = apr_pmemdup(a->r->pool, head->fields.p, head->fields.left);
}

static void take_field(const jk_answer *a, jk_header_code is, jk_span name, jk_span value)
{
    char *text = (char *)value.p;

    if (is.kind == JK_HEADER_HOP)
        return;
    if (a->publish)
        text = jk_published_field(a->r, a->publish, (const char *)name.p, text);
    set_field(a->r, is.code, (const char *)name.p, text);
}

/* "200 OK" is httpd's own line already: only another reason needs one of ours. */
static void set_status(request_rec *r, unsigned status, jk_span reason)
{
    r->status = (int)status;
    r->status_line = NULL;
    if (status == HTTP_OK && (reason.len == 0 || (reason.len == 2 && memcmp(reason.p, "OK", 2) == 0))) /* as nearly always */
        return;
    const char *own = ap_get_status_line((int)status);
    const char number[] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10) };
    bool known = memcmp(own, number, 3) == 0; /* else it is the line of 500 */
    if (reason.len == 3 && memcmp(reason.p, number, 3) == 0) /* Tomcat sends the number again: that is no reason */
        reason.len = 0;
    if (reason.len == 0 && known)
        return;
    if (known && reason.len == strlen(own + 4) && memcmp(reason.p, own + 4, reason.len) == 0)
        return;
    if (reason.len == 0)
        reason = JK_SPAN_LIT("Unknown Reason");
    r->status_line = apr_psprintf(r->pool, "%03u %.*s", status, (int)reason.len, (const char *)reason.p);
}

static const char *connection_of(jk_reply head)
{
    jk_span name, value;

    while (jk_reply_field(&head, &name, &value))
        if (name.len == 10 && jk_span_ieq(name, JK_SPAN_LIT("Connection")))
            return (const char *)value.p;
    return NULL;
}

/* What others have set before us: it has to be there again where the head is taken back. */
static void remember(jk_answer *a)
{
    const request_rec *r = a->r;

    a->before.fields = apr_is_empty_table(r->headers_out) ? NULL : apr_table_copy(r->pool, r->headers_out);
    a->before.type = r->content_type;
    a->before.mtime = r->mtime;
}

/* As if nothing had come: another container answers, or httpd with a page of its own. */
static void take_back_head(jk_answer *a)
{
    request_rec *r = a->r;

    if (a->before.fields)
        r->headers_out = a->before.fields;
    else
        apr_table_clear(r->headers_out);
    r->content_type = a->before.type;
    r->mtime = a->before.mtime;
    r->status = HTTP_OK;
    r->status_line = NULL;
    r->clength = 0;
    a->headed = a->replaced = a->discard = a->too_long = false;
    a->length = -1;
    a->body = 0;
}

static jk_rc take_head(void *ctx, jk_reply *head)
{
    jk_answer *a = ctx;
    request_rec *r = a->r;
    const char *connection = head->nplain ? connection_of(*head) : NULL; /* no code stands for a hop-by-hop header */
    jk_span name, value;

    if (head->status < 100 || head->status > 999)
        return JK_E_PAYLOAD;
    remember(a);
    set_status(r, head->status, head->reason);
    keep_fields(a, head);
    r->clength = -1;
    while (jk_reply_field(head, &name, &value))
        if (head->code)
            take_field(a, (jk_header_code){ .code = head->code }, name, value);
        else if (connection == NULL || !jk_span_lists(jk_span_of(connection), name))
            take_field(a, jk_codes_response_header(name), name, value);
    if (a->cookie && *a->cookie)
        apr_table_addn(r->headers_out, "Set-Cookie", *a->cookie);
    a->length = r->clength;
    if (r->clength < 0)
        r->clength = 0;
    a->headed = true;
    a->replaced = a->server_errors > 0 && head->status >= (unsigned)a->server_errors;
    a->discard = a->replaced || r->header_only || head->status == HTTP_NO_CONTENT || head->status == HTTP_NOT_MODIFIED;
    return a->flush_header && !a->replaced ? pass(a, true) : JK_OK;
}

/* ---- body ---- */

static jk_rc take_body(void *ctx, jk_span bytes)
{
    jk_answer *a = ctx;

    a->body += (apr_off_t)bytes.len;
    if (a->discard)
        return JK_OK;
    if (a->length >= 0 && a->body > a->length) { /* what is beyond would be the beginning of the client's next answer */
        size_t beyond = (size_t)(a->body - a->length);
        a->too_long = true;
        if (beyond >= bytes.len)
            return JK_OK;
        bytes.len -= beyond;
    }
    jk_rc rc = append(a, bytes);
    if (rc != JK_OK)
        return rc;
    return a->flush_packets ? pass(a, true) : JK_OK;
}

static jk_rc pass_blocking(jk_answer *a)
{
    apr_status_t rv = ap_pass_brigade(a->r->output_filters, a->bb);

    return rv != APR_SUCCESS || a->r->connection->aborted ? JK_E_CLIENT_WRITE : JK_OK;
}

static jk_rc pass(void *ctx, bool flush)
{
    jk_answer *a = ctx;
    request_rec *r = a->r;

    if (a->replaced)
        return JK_OK;
    if (flush)
        APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_flush_create(r->connection->bucket_alloc));
    else if (a->gathered == 0)
        return a->outlet ? jk_outlet_drain(a->outlet, 0) : JK_OK;
    a->passed = true;
    a->gathered = 0;
    jk_rc rc = a->outlet ? jk_outlet_pass(a->outlet, r->output_filters, a->bb) : pass_blocking(a);
    apr_brigade_cleanup(a->bb);
    return rc;
}

static bool holds(void *ctx)
{
    const jk_answer *a = ctx;

    return a->gathered > 0;
}

static bool forget(void *ctx)
{
    jk_answer *a = ctx;

    if (a->passed)
        return false;
    apr_brigade_cleanup(a->bb);
    a->gathered = 0;
    if (a->headed)
        take_back_head(a);
    return true;
}

void jk_answer_wait(jk_answer *a)
{
    if (a->gathered > 0)
        return;
    for (int i = 0; i < 2; i++)
        if (a->big[i].anchor && ours_alone(&a->big[i]))
            block_drop(&a->big[i]);
}

void jk_answer_drop(jk_answer *a)
{
    if (a->bb)
        apr_brigade_cleanup(a->bb);
    block_drop(&a->big[0]);
    block_drop(&a->big[1]);
}

void jk_answer_init(jk_answer *a, request_rec *r, bool tls)
{
    static const jk_sink_ops ops = { lend, keep, take_head, take_body, pass, holds, forget };

    a->sink = (jk_sink){ &ops, a };
    a->r = r;
    a->tls = tls;
    a->length = -1;
    a->own.p = r->pool;
    a->own.bucket_alloc = r->connection->bucket_alloc;
    APR_RING_INIT(&a->own.list, apr_bucket, link);
    a->bb = &a->own;
}

/* ---- the end ---- */

static int status_of(jk_rc outcome, jk_progress progress, const jk_misfit *misfit)
{
    switch (outcome) {
    case JK_E_CLIENT_READ:
        return HTTP_BAD_REQUEST;
    case JK_E_SPACE:
        return misfit && misfit->part == JK_MISFIT_URI ? HTTP_REQUEST_URI_TOO_LARGE : HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    case JK_E_SEND:
        return progress >= JK_PROGRESS_CONSUMED ? HTTP_BAD_GATEWAY : HTTP_SERVICE_UNAVAILABLE;
    case JK_E_RESOLVE:
    case JK_E_CONNECT:
    case JK_E_PING:
    case JK_E_BUSY:
    case JK_E_SHORT:
    case JK_E_STATUS:
        return HTTP_SERVICE_UNAVAILABLE;
    case JK_E_RECV:
    case JK_E_FRAME:
        return HTTP_BAD_GATEWAY;
    case JK_E_TIMEOUT:
        return HTTP_GATEWAY_TIME_OUT;
    default:
        return HTTP_INTERNAL_SERVER_ERROR;
    }
}

/* Only an error bucket and EOS makes the end visible on HTTP/1.0, chunked, with a length, under gzip and on HTTP/2 alike
 * (spec/decisions.md). */
static int break_off(jk_answer *a)
{
    request_rec *r = a->r;
    apr_bucket_alloc_t *list = r->connection->bucket_alloc;

    pass(a, false);
    r->no_cache = 1;
    if (r->main)
        r->main->no_cache = 1;
    APR_BRIGADE_INSERT_TAIL(a->bb, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, list));
    APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_eos_create(list));
    ap_pass_brigade(r->output_filters, a->bb);
    apr_brigade_cleanup(a->bb);
    r->connection->keepalive = AP_CONN_CLOSE;
    return OK;
}

static int whole(jk_answer *a)
{
    request_rec *r = a->r;
    int status = r->status;

    if (a->replaced || (status >= HTTP_BAD_REQUEST && a->body == 0 && !a->passed && !r->header_only)) {
        const char *challenge = apr_table_get(r->headers_out, "WWW-Authenticate");
        if (status == HTTP_UNAUTHORIZED && challenge)
            apr_table_setn(r->err_headers_out, "WWW-Authenticate", challenge);
        take_back_head(a);
        return status;
    }
    a->too_short = !a->discard && a->length > a->body;
    if (a->too_short) /* the client would take its next answer for the rest of this one */
        return break_off(a);
    APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_eos_create(r->connection->bucket_alloc));
    a->gathered = 0;
    ap_pass_brigade(r->output_filters, a->bb);
    apr_brigade_cleanup(a->bb);
    return OK;
}

static int client_gone(jk_answer *a)
{
    request_rec *r = a->r;

    if (!a->passed)
        r->status = CLIENT_CLOSED_REQUEST;
    r->connection->aborted = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
    apr_brigade_cleanup(a->bb);
    return DONE;
}

int jk_answer_end(jk_answer *a, jk_rc outcome, jk_progress progress, const jk_misfit *misfit)
{
    if (outcome == JK_OK)
        return whole(a);
    if (outcome == JK_E_CLIENT_WRITE || outcome == JK_E_CLIENT_ABORT)
        return client_gone(a);
    if (!forget(a))
        return break_off(a);
    if (outcome == JK_E_CLIENT_READ) /* what is left of the body cannot be told from a next request */
        a->r->connection->keepalive = AP_CONN_CLOSE;
    return status_of(outcome, progress, misfit);
}
