/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Longterm pins (FOLL_LONGTERM), as devices and RDMA take them.  io_uring's fixed buffers
 * are such pins of pages of this process.  Before the kernel pins such pages it migrates
 * them out of memory that has to stay movable: ZONE_MOVABLE and CMA.
 *
 *	ring = gmem_gup_pin(buffers, count);
 *	... the pages cannot be migrated ...
 *	gmem_gup_unpin(ring);
 */
#ifndef GMEM_GUP_PIN_H
#define GMEM_GUP_PIN_H

struct iovec;

/*
 * Pins the memory of the @count @buffers.  Returns the file descriptor of the ring that holds
 * the pins, for gmem_gup_unpin() or close(2), or -errno.
 */
int __gmem_gup_pin(const struct iovec *buffers, unsigned int count);

/* Pins as __gmem_gup_pin() does; BROKEN on error. */
int gmem_gup_pin(const struct iovec *buffers, unsigned int count);

/* Releases the pins that @ring holds before it returns, and closes @ring. */
void gmem_gup_unpin(int ring);

#endif /* GMEM_GUP_PIN_H */
