/* tests/unit/guard.c - a ring of rooms, each of them followed by a page that cannot be read or written. */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOMS 8

static uint8_t *ring;
static size_t stride, page;

static void give_back(void)
{
    munmap(ring, ROOMS * stride);
    ring = NULL;
}

static void give_up(const char *why)
{
    fprintf(stderr, "guard: %s\n", why);
    abort();
}

static void make_ring(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    stride = (JK_GUARDED_MAX + page - 1) / page * page + page;
    ring = mmap(NULL, ROOMS * stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        give_up("no memory");
    for (size_t i = 1; i <= ROOMS; i++)
        if (mprotect(ring + i * stride - page, page, PROT_NONE) != 0)
            give_up("a page cannot be closed");
    atexit(give_back);
}

const uint8_t *jk_guarded(const void *bytes, size_t n)
{
    static size_t turn;

    if (n > JK_GUARDED_MAX)
        give_up("more bytes than a room has");
    if (ring == NULL)
        make_ring();
    turn = (turn + 1) % ROOMS;
    uint8_t *at = ring + (turn + 1) * stride - page - n;
    if (n > 0)
        memcpy(at, bytes, n);
    return at;
}
