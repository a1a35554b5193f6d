/* native/base/span.c - comparing runs of bytes without a locale. */
#include "jk/base/span.h"

bool jk_span_ieq(jk_span a, jk_span b)
{
    if (a.len != b.len)
        return false;
    if (a.len == 0 || memcmp(a.p, b.p, a.len) == 0) /* most names are written as their specifications write them */
        return true;
    for (size_t i = 0; i < a.len; i++)
        if (jk_span_lower(a.p[i]) != jk_span_lower(b.p[i]))
            return false;
    return true;
}

jk_span jk_span_decimal(char room[JK_DECIMAL_ROOM], uint64_t n)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051"
                                "525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    char *end = room + JK_DECIMAL_ROOM, *at = end;

    for (; n >= 10; n /= 100) { /* two digits per division */
        at -= 2;
        memcpy(at, pairs + 2 * (n % 100), 2);
    }
    if (n > 0 || at == end)
        *--at = (char)('0' + n);
    return (jk_span){ (const uint8_t *)at, (size_t)(end - at) };
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

bool jk_span_lists(jk_span list, jk_span word)
{
    size_t i = 0;

    while (i < list.len) {
        size_t from, to;

        while (i < list.len && (blank(list.p[i]) || list.p[i] == ','))
            i++;
        from = i;
        while (i < list.len && list.p[i] != ',')
            i++;
        to = i;
        while (to > from && blank(list.p[to - 1]))
            to--;
        if (to > from && jk_span_ieq((jk_span){ list.p + from, to - from }, word))
            return true;
    }
    return false;
}
