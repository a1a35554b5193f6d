/* tests/unit/guard.h - bytes at the very end of a readable page: reading one too many ends the test with a fault.
 * That catches what a sanitizer cannot see, a reader that trusts a length inside a larger buffer. */
#ifndef TESTS_UNIT_GUARD_H
#define TESTS_UNIT_GUARD_H

#include <stddef.h>
#include <stdint.h>

/* The longest run of bytes. */
#define JK_GUARDED_MAX (160 * 1024)

/* A copy of the n bytes, right before a page that cannot be read. It stays good for the next 7 calls. */
const uint8_t *jk_guarded(const void *bytes, size_t n);

#endif
