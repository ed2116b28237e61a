/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mover: a worker (gmem_worker.h) that sends a region's pages to the other node
 * and back, a few at a time, against what other workers do to them.
 *
 *	mover = gmem_mover_start(region, first, count);
 *	gmem_mover_wait(mover);
 *	moved = gmem_mover_stop(mover);
 *
 * A few, because all pages that move_pages(2) is given are locked for as long as any
 * of them is: whoever waits for one of those with the file's lock keeps all from
 * moving.
 */
#ifndef GMEM_MOVER_H
#define GMEM_MOVER_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_mover;
struct gmem_region;

/* Moves all pages of @region, which the host has to map, and counts those of the
 * pages [@first, @first + @count) that have another frame then.  These are whole
 * eights of pages that nobody punches.
 */
struct gmem_mover *gmem_mover_start(struct gmem_region *region, size_t first, size_t count);

/* Returns when it has been through the region once more, to and fro, and some of the
 * pages that it counts have moved, or will not.  Fails the case (C11) if it is stuck.
 */
void gmem_mover_wait(struct gmem_mover *mover);

/* Ends it; returns how many pages it saw move.  Fails the case (C11) if it is stuck,
 * and is BROKEN if none moved.
 */
u64 gmem_mover_stop(struct gmem_mover *mover);

#endif /* GMEM_MOVER_H */
