/* include/jk/net/scatter.h - where the bytes of a long answer are read to, so that its body lies in one piece. Pure.
 *
 * A container fills its packets: a long body comes in chunks of one length, and between two of them stand the same few bytes.
 *
 *   wire      | chunk | NUL A B len 3 len | chunk | NUL A B len 3 len | chunk ..
 *   memory    | chunk | chunk | chunk ..                                  .. | gap | gap |
 *
 * One read puts the chunks side by side at the beginning of the lent memory and the gaps at its end. That is a guess: the reader parses the
 * pieces in the order of the wire, as it would have without, and where the guess was wrong some of the body lies in a gap. */
#ifndef JK_NET_SCATTER_H
#define JK_NET_SCATTER_H

#include <stddef.h>
#include <sys/uio.h>

#define JK_SCATTER_MOST 22 /* pieces of one read: 64 KB in chunks of 8 KB */

typedef struct jk_guess {
    size_t data, gap;           /* bytes of the chunk at hand, and from its end to the next one's beginning */
    size_t next_data, next_gap; /* the same of each chunk after that; next_data 0: nothing is known */
} jk_guess;

/* Cuts the lent memory (1 or 2 pieces) up in the order in which it is to be filled; every byte of it is used. Returns how many pieces
 * that makes. */
int jk_scatter_lay(const jk_guess *guess, const struct iovec *lent, int nlent, struct iovec piece[JK_SCATTER_MOST]);

#endif
