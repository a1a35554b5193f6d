/* native/shm/layout.c - offsets, and the table of fields by which another layout is read. */
#include "layout.h"

#include <string.h>

#define ALIGN 64 /* bytes: a cache line */

#define FIELD(f) { #f, offsetof(jk_layout_slot, f), sizeof(((jk_layout_slot *)0)->f) }
#define TUNE(f) \
    { "file." #f, offsetof(jk_layout_slot, file.f), sizeof(((jk_layout_slot *)0)->file.f) }, \
    { "now." #f, offsetof(jk_layout_slot, now.f), sizeof(((jk_layout_slot *)0)->now.f) }

const jk_layout_field jk_layout_fields[] = {
    FIELD(given), FIELD(generation), FIELD(kind), FIELD(name), FIELD(tune_version), FIELD(state), FIELD(reply_timeouts), FIELD(refused),
    FIELD(first_error), FIELD(last_error), FIELD(lb_value), FIELD(served), FIELD(errors), FIELD(client_errors), FIELD(read),
    FIELD(written), FIELD(sessions), FIELD(resends), FIELD(refusals), FIELD(timeouts), FIELD(connects), FIELD(rejects),
    FIELD(max_busy), FIELD(max_connected), FIELD(last_reset), FIELD(maintained), FIELD(served_before), FIELD(budget),
    TUNE(host), TUNE(port), TUNE(retries), TUNE(retry_interval), TUNE(max_packet_size), TUNE(connection_pool_timeout),
    TUNE(connection_acquire_timeout), TUNE(connection_ping_interval), TUNE(connect_timeout), TUNE(prepost_timeout),
    TUNE(ping_timeout), TUNE(reply_timeout), TUNE(recovery_options), TUNE(busy_limit), TUNE(max_connections), TUNE(lbfactor),
    TUNE(distance), TUNE(activation), TUNE(route), TUNE(domain), TUNE(redirect), TUNE(method), TUNE(lock), TUNE(recover_time),
    TUNE(error_escalation_time), TUNE(max_reply_timeouts), TUNE(retry_budget), TUNE(session_cookie), TUNE(session_path),
    TUNE(sticky_session), TUNE(sticky_session_force),
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
    const size_t sizes[] = { sizeof(jk_layout_header), sizeof(jk_layout_slot), sizeof(jk_layout_row), sizeof(jk_layout_share) };
    uint32_t hash = mix(UINT32_C(2166136261), sizes, sizeof sizes);

    return mix(hash, jk_layout_fields, sizeof jk_layout_fields);
}

static uint64_t aligned(uint64_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

void jk_layout_header_init(jk_layout_header *h, uint32_t nrows, uint32_t nslots)
{
    h->magic = JK_LAYOUT_MAGIC;
    h->hash = jk_layout_hash();
    h->nfields = (uint32_t)jk_layout_nfields;
    h->nrows = nrows;
    h->nslots = nslots;
    h->slot_size = (uint32_t)aligned(sizeof(jk_layout_slot));
    h->row_size = aligned(sizeof(jk_layout_row) + (uint64_t)nslots * sizeof(jk_layout_share));
    h->fields_at = aligned(sizeof *h);
    h->rows_at = aligned(h->fields_at + sizeof jk_layout_fields);
    h->slots_at = h->rows_at + (nrows + 1) * h->row_size;
    h->size = h->slots_at + (uint64_t)nslots * h->slot_size;
}

jk_layout_row *jk_layout_row_at(jk_layout_header *header, uint32_t i)
{
    return (void *)((char *)header + header->rows_at + i * header->row_size);
}

jk_layout_slot *jk_layout_slot_at(jk_layout_header *header, uint32_t i)
{
    return (void *)((char *)header + header->slots_at + (uint64_t)i * header->slot_size);
}

void jk_layout_copy_slot(jk_layout_slot *to, const jk_layout_header *from, uint32_t i)
{
    const jk_layout_field *theirs = (const void *)((const char *)from + from->fields_at);
    const char *slot = (const char *)from + from->slots_at + (uint64_t)i * from->slot_size;

    for (size_t a = 0; a < jk_layout_nfields; a++)
        for (uint32_t b = 0; b < from->nfields; b++)
            if (theirs[b].size == jk_layout_fields[a].size && strcmp(theirs[b].name, jk_layout_fields[a].name) == 0)
                memcpy((char *)to + jk_layout_fields[a].offset, slot + theirs[b].offset, theirs[b].size);
}

bool jk_layout_is_sound(const jk_layout_header *h)
{
    const jk_layout_field *fields = (const void *)((const char *)h + h->fields_at);

    if (h->magic != JK_LAYOUT_MAGIC || h->fields_at + (uint64_t)h->nfields * sizeof *fields > h->size)
        return false;
    if (h->slots_at + (uint64_t)h->nslots * h->slot_size > h->size || h->rows_at + (h->nrows + 1) * h->row_size > h->slots_at)
        return false;
    for (uint32_t i = 0; i < h->nfields; i++)
        if ((uint64_t)fields[i].offset + fields[i].size > h->slot_size || memchr(fields[i].name, 0, sizeof fields[i].name) == NULL)
            return false;
    return atomic_load(&h->used) <= h->nslots;
}
