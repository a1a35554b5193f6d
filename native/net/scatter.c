/* native/net/scatter.c - cuts lent memory up for one read: data from its beginning, gaps from its end. */
#include "jk/net/scatter.h"

#include <stdint.h>

static int add(struct iovec *piece, int n, uint8_t *p, size_t len)
{
    if (len > 0)
        piece[n++] = (struct iovec){ p, len };
    return n;
}

/* A second lent piece is filled when the first one is full, as it comes. */
int jk_scatter_lay(const jk_guess *guess, const struct iovec *lent, int nlent, struct iovec piece[JK_SCATTER_MOST])
{
    uint8_t *front = lent[0].iov_base, *back = front + lent[0].iov_len;
    size_t data = guess->data, gap = guess->gap;
    int n = 0;

    while (guess->next_data > 0 && n + 4 <= JK_SCATTER_MOST && data + gap < (size_t)(back - front)) {
        n = add(piece, n, front, data);
        front += data;
        back -= gap;
        n = add(piece, n, back, gap);
        data = guess->next_data;
        gap = guess->next_gap;
    }
    n = add(piece, n, front, (size_t)(back - front));
    if (nlent > 1)
        piece[n++] = lent[1];
    return n;
}
