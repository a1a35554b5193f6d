/* native/shm/layout.c - sizes and offsets, and the table of fields: by it another layout is read, a copy sealed, an edit merged. */
#include "layout.h"

#include <string.h>

#define ALIGN 64 /* bytes: a cache line */
#define PACKET_LEAST 8192
#define PACKET_MOST 65536

#define ROW(name, field, type) { name, type, offsetof(jk_layout_slot, field), sizeof(((jk_layout_slot *)0)->field) }
#define FIELD(f) ROW(#f, f, JK_FIELD_NUMBER)
#define PART(f) ROW(#f, f, JK_FIELD_PART)
#define COUNT(name, which) ROW(name, count[which], JK_FIELD_NUMBER), ROW("base." name, base[which], JK_FIELD_NUMBER)
#define MOUNT(f) { "mount." #f, JK_FIELD_NUMBER, offsetof(jk_layout_mount, f), sizeof(((jk_layout_mount *)0)->f) }
#define TUNE(f, type) { "tune." #f, type, offsetof(jk_tune, f), sizeof(((jk_tune *)0)->f) }
#define NUMBER(f) TUNE(f, JK_FIELD_NUMBER)
#define TEXT(f) TUNE(f, JK_FIELD_TEXT)
#define BOOL(f) TUNE(f, JK_FIELD_BOOL)

const jk_layout_field jk_layout_fields[] = {
    PART(edition), PART(editor), ROW("file.0", editions[0].file, JK_FIELD_PART), ROW("file.1", editions[1].file, JK_FIELD_PART),
    ROW("now.0", editions[0].now, JK_FIELD_PART), ROW("now.1", editions[1].now, JK_FIELD_PART),
    FIELD(edited_at), FIELD(edited_by),
    FIELD(state), FIELD(reply_timeouts), FIELD(refused),
    FIELD(first_error), FIELD(last_error), FIELD(lb_value), FIELD(last_failure), FIELD(sticky),
    COUNT("served", JK_COUNT_SERVED), COUNT("errors", JK_COUNT_ERRORS), COUNT("client_errors", JK_COUNT_CLIENT_ERRORS),
    COUNT("read", JK_COUNT_READ), COUNT("written", JK_COUNT_WRITTEN), COUNT("sessions", JK_COUNT_SESSIONS),
    COUNT("resends", JK_COUNT_RESENDS), COUNT("refusals", JK_COUNT_REFUSALS), COUNT("timeouts", JK_COUNT_TIMEOUTS),
    COUNT("connects", JK_COUNT_CONNECTS), COUNT("rejects", JK_COUNT_REJECTS), COUNT("retries", JK_COUNT_RETRIES),
    FIELD(failed), FIELD(closed), FIELD(answers), FIELD(time), /* of another size: they begin anew */
    FIELD(max_busy), FIELD(max_connected), FIELD(last_reset), FIELD(maintained), FIELD(served_before), FIELD(budget),
    TEXT(host), NUMBER(port), NUMBER(retries), NUMBER(retry_interval), NUMBER(max_packet_size), NUMBER(connection_pool_timeout),
    NUMBER(connection_acquire_timeout), NUMBER(connection_ping_interval), NUMBER(connect_timeout), NUMBER(prepost_timeout),
    NUMBER(ping_timeout), NUMBER(reply_timeout), NUMBER(recovery_options), NUMBER(busy_limit), NUMBER(max_connections),
    { "mounts", JK_FIELD_PART, sizeof(jk_layout_mount), JK_LAYOUT_MOUNTS * sizeof(jk_layout_mount) },
    MOUNT(key), MOUNT(generation), MOUNT(errors), MOUNT(read), MOUNT(written), MOUNT(failed), MOUNT(answers), MOUNT(total),
    TEXT(name), NUMBER(lbfactor), NUMBER(distance), NUMBER(activation), TEXT(route), TEXT(domain), TEXT(redirect), NUMBER(method), NUMBER(lock),
    NUMBER(recover_time), NUMBER(error_escalation_time), NUMBER(max_reply_timeouts), NUMBER(retry_budget), TEXT(session_cookie),
    TEXT(session_path), BOOL(sticky_session), BOOL(sticky_session_force), BOOL(spare[0]), BOOL(spare[1]),
};
const size_t jk_layout_nfields = sizeof jk_layout_fields / sizeof jk_layout_fields[0];

static uint32_t mix(uint32_t hash, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * UINT32_C(16777619);
    return hash;
}

uint32_t jk_layout_hash(void)
{
    const size_t sizes[] = { sizeof(jk_layout_head), sizeof(jk_layout_slot), sizeof(jk_layout_row), sizeof(jk_layout_share),
                             sizeof(jk_layout_gauges), sizeof(jk_layout_flights), sizeof(jk_layout_mount) };
    uint32_t hash = mix(UINT32_C(2166136261), sizes, sizeof sizes);

    return mix(hash, jk_layout_fields, sizeof jk_layout_fields);
}

static uint64_t aligned(uint64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

#define GAUGES_SIZE aligned(sizeof(jk_layout_gauges))
#define FLIGHTS_SIZE aligned(sizeof(jk_layout_flights))
#define MOUNTS_SIZE (JK_LAYOUT_MOUNTS * sizeof(jk_layout_mount)) /* the end of the segment: there another layout finds them */

jk_layout_plan jk_layout_plan_of(uint32_t nrows, uint32_t nslots)
{
    jk_layout_plan plan = { .hash = jk_layout_hash(), .nrows = nrows, .nslots = nslots };

    plan.slot_size = (uint32_t)aligned(sizeof(jk_layout_slot));
    plan.row_size = aligned(sizeof(jk_layout_row) + (uint64_t)nslots * sizeof(jk_layout_share));
    plan.rows_at = aligned(sizeof(jk_layout_head));
    plan.slots_at = plan.rows_at + nrows * plan.row_size;
    plan.size = plan.slots_at + (uint64_t)nslots * plan.slot_size + (nrows + UINT64_C(1)) * GAUGES_SIZE;
    plan.size = aligned(plan.size + nrows * FLIGHTS_SIZE + MOUNTS_SIZE);
    return plan;
}

void jk_layout_plan_bare(jk_layout_plan *plan)
{
    plan->size = plan->slots_at + (uint64_t)plan->nslots * plan->slot_size + (plan->nrows + UINT64_C(1)) * GAUGES_SIZE;
}

size_t jk_layout_kept_size(const jk_layout_plan *plan)
{
    return sizeof(jk_layout_kept) + plan->nslots * sizeof(jk_layout_owner) + sizeof jk_layout_fields;
}

void jk_layout_kept_init(jk_layout_kept *kept, const jk_layout_plan *plan)
{
    kept->version = JK_LAYOUT_VERSION;
    kept->plan = *plan;
    kept->nfields = (uint32_t)jk_layout_nfields;
    kept->fields = (void *)&kept->owners[plan->nslots];
    memcpy(kept->fields, jk_layout_fields, sizeof jk_layout_fields);
}

jk_layout_row *jk_layout_row_at(void *base, const jk_layout_plan *plan, uint32_t i)
{
    return (void *)((char *)base + plan->rows_at + i * plan->row_size);
}

jk_layout_slot *jk_layout_slot_at(void *base, const jk_layout_plan *plan, uint32_t i)
{
    return (void *)((char *)base + plan->slots_at + (uint64_t)i * plan->slot_size);
}

jk_layout_gauges *jk_layout_gauges_at(void *base, const jk_layout_plan *plan, uint32_t i)
{
    return (void *)((char *)base + plan->slots_at + (uint64_t)plan->nslots * plan->slot_size + i * GAUGES_SIZE);
}

jk_layout_flights *jk_layout_flights_at(void *base, const jk_layout_plan *plan, uint32_t i)
{
    return (void *)((char *)jk_layout_gauges_at(base, plan, plan->nrows + 1) + i * FLIGHTS_SIZE);
}

jk_layout_mount *jk_layout_mounts_at(void *base, const jk_layout_plan *plan)
{
    return (void *)((char *)base + plan->size - MOUNTS_SIZE);
}

/* ---- another layout ---- */

/* Names end within their field: this module's kind wrote them, into memory that no child can write to. */
static const jk_layout_field *known(const jk_layout_kept *from, const char *name)
{
    for (uint32_t i = 0; i < from->nfields; i++)
        if (strcmp(from->fields[i].name, name) == 0)
            return &from->fields[i];
    return NULL;
}

static bool is_of(const jk_layout_field *f, const char *whose)
{
    return strncmp(f->name, whose, strlen(whose)) == 0;
}

static bool is_of_tune(const jk_layout_field *f)
{
    return is_of(f, "tune.");
}

/* All values of a jk_tune ("tune."), of a mount ("mount."), or of a slot (""). */
static void carry_fields(void *to, const jk_layout_kept *from, const char *part, const char *whose)
{
    for (size_t i = 0; i < jk_layout_nfields; i++) {
        const jk_layout_field *ours = &jk_layout_fields[i], *theirs;
        bool meant = *whose ? is_of(ours, whose) : !is_of_tune(ours) && !is_of(ours, "mount.");
        if (!meant || ours->type == JK_FIELD_PART)
            continue;
        theirs = known(from, ours->name);
        if (theirs && theirs->size == ours->size)
            memcpy((char *)to + ours->offset, part + theirs->offset, ours->size);
    }
}

static void carry_tune(_Atomic uint32_t *to, const jk_layout_kept *from, const char *slot, const char *name)
{
    const jk_layout_field *part = known(from, name);
    jk_tune tune;

    memset(&tune, 0, sizeof tune);
    if (part)
        carry_fields(&tune, from, slot + part->offset, "tune.");
    jk_layout_seal(&tune);
    jk_layout_words_in(to, &tune, JK_TUNE_WORDS);
}

void jk_layout_carry(jk_layout_slot *to, const jk_layout_kept *from, uint32_t i)
{
    const char *slot = (const char *)from->base + from->plan.slots_at + (uint64_t)i * from->plan.slot_size;
    const jk_layout_field *edition = known(from, "edition");
    uint32_t n = 0;

    carry_fields(to, from, slot, "");
    if (edition && edition->size == sizeof n)
        memcpy(&n, slot + edition->offset, sizeof n);
    carry_tune(to->editions[0].file, from, slot, n % 2 ? "file.1" : "file.0");
    carry_tune(to->editions[0].now, from, slot, n % 2 ? "now.1" : "now.0");
    atomic_store(&to->edition, 2);
}

void jk_layout_carry_mounts(jk_layout_mount *to, const jk_layout_kept *from)
{
    const jk_layout_field *table = known(from, "mounts");
    const char *one = (const char *)from->base + from->plan.size - (table ? table->size : 0);
    uint32_t n = table && table->offset ? table->size / table->offset : 0;

    for (uint32_t i = 0; i < n && i < JK_LAYOUT_MOUNTS; i++)
        carry_fields(&to[i], from, one + (uint64_t)i * table->offset, "mount.");
}

/* ---- a jk_tune ---- */

void jk_layout_words_out(const _Atomic uint32_t *from, void *to, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint32_t word = atomic_load_explicit(&from[i], memory_order_acquire);
        memcpy((char *)to + i * sizeof word, &word, sizeof word);
    }
}

void jk_layout_words_in(_Atomic uint32_t *to, const void *from, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, (const char *)from + i * sizeof word, sizeof word);
        atomic_store_explicit(&to[i], word, memory_order_release);
    }
}

static void hold_within(int32_t *value, int32_t least, int32_t most)
{
    *value = *value < least ? least : *value > most ? most : *value;
}

void jk_layout_seal(jk_tune *tune)
{
    for (size_t i = 0; i < jk_layout_nfields; i++) {
        const jk_layout_field *f = &jk_layout_fields[i];
        unsigned char *bytes = (unsigned char *)tune + f->offset;
        if (f->type == JK_FIELD_TEXT)
            bytes[f->size - 1] = '\0';
        else if (f->type == JK_FIELD_BOOL)
            *bytes = *bytes != 0;
    }
    hold_within(&tune->port, 0, UINT16_MAX);
    hold_within(&tune->max_packet_size, PACKET_LEAST, PACKET_MOST);
    hold_within(&tune->activation, JK_ACTIVE, JK_STOPPED);
    hold_within(&tune->method, JK_METHOD_REQUEST, JK_METHOD_NEXT);
    hold_within(&tune->lock, JK_LOCK_OPTIMISTIC, JK_LOCK_PESSIMISTIC);
}

void jk_layout_seal_limits(jk_limits *limits)
{
    hold_within(&limits->max_packet_size, PACKET_LEAST, PACKET_MOST);
}

/* A text is equal up to its end, whatever lies behind that. */
static bool is_equal(const jk_layout_field *f, const char *a, const char *b)
{
    return f->type == JK_FIELD_TEXT ? strncmp(a, b, f->size) == 0 : memcmp(a, b, f->size) == 0;
}

void jk_layout_merge(jk_tune *now, const jk_tune *from, const jk_tune *to)
{
    for (size_t i = 0; i < jk_layout_nfields; i++) {
        const jk_layout_field *f = &jk_layout_fields[i];
        if (is_of_tune(f) && !is_equal(f, (const char *)from + f->offset, (const char *)to + f->offset))
            memcpy((char *)now + f->offset, (const char *)to + f->offset, f->size);
    }
}
