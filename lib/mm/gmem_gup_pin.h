/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Longterm pins, as devices and RDMA take them: io_uring's fixed buffers, which are
 * FOLL_LONGTERM pins of pages of this process.  Before it pins them the kernel moves
 * such pages out of memory that has to stay movable: ZONE_MOVABLE and CMA.
 */
#ifndef GMEM_GUP_PIN_H
#define GMEM_GUP_PIN_H

struct iovec;

/*
 * Pins the memory of @count @buffers.  Returns the ring that holds them, to be closed
 * or given to gmem_gup_unpin(); -errno if that is impossible.
 */
int __gmem_gup_pin(const struct iovec *buffers, unsigned int count);

/* The same; BROKEN if it is impossible. */
int gmem_gup_pin(const struct iovec *buffers, unsigned int count);

/* Unpins what @ring holds, before it returns. */
void gmem_gup_unpin(int ring);

#endif /* GMEM_GUP_PIN_H */
