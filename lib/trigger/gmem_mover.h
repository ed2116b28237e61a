/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mover: a worker (gmem_worker.h) that sends the pages of a region to the other node and
 * back, a few at a time, while other workers use them.
 *
 *	mover = gmem_mover_start(region, first, count);
 *	gmem_mover_wait(mover);
 *	moved = gmem_mover_stop(mover);
 *
 * It moves few pages at a time because move_pages(2) locks all pages of a call until each of
 * them has moved.  A worker that holds the file's lock and waits for one of these pages would
 * otherwise keep all of them from moving.
 */
#ifndef GMEM_MOVER_H
#define GMEM_MOVER_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_mover;
struct gmem_region;

/*
 * Starts to move all pages of @region, which the host has to map, and to count those of the
 * pages [@first, @first + @count) whose pfn changes.  Nobody may punch the counted pages.
 * @first, @count and the region's pages have to be multiples of 32.
 */
struct gmem_mover *gmem_mover_start(struct gmem_region *region, size_t first, size_t count);

/*
 * Returns once the mover has been through the region to the other node and back, and some of
 * the counted pages have moved; if none moves, it gives up after 80 passes.  Fails the case (C11)
 * if the mover is stuck.
 */
void gmem_mover_wait(struct gmem_mover *mover);

/*
 * Stops and frees the mover.  Returns how many moves of counted pages it saw.  Fails the case
 * (C11) if it is stuck; the case is BROKEN if no page moved.
 */
u64 gmem_mover_stop(struct gmem_mover *mover);

#endif /* GMEM_MOVER_H */
