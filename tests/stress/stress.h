/* tests/stress/stress.h - what the programs here share: how long they run, and how they say that something is not so. */
#ifndef JK_STRESS_H
#define JK_STRESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MUST(what) ((what) ? (void)0 : stress_die(__FILE__, __LINE__, #what))

static inline void stress_die(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    _exit(EXIT_FAILURE);
}

static inline int64_t stress_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* JK_STRESS_MS, else a second and a half: as long as a unit test may take. */
static inline int64_t stress_length(void)
{
    const char *set = getenv("JK_STRESS_MS");
    int64_t ms = set ? strtoll(set, NULL, 10) : 0;

    return ms > 0 ? ms : 1500;
}

/* A little chance for each thread; never 0. */
static inline uint32_t stress_chance(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

#endif
