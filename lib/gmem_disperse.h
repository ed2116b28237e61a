/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages dispersed over all that a node has free, so that they are in the way of huge
 * pages.
 *
 *	gmem_disperse(node, region, NULL, 192, SZ_8M);
 *	spread = gmem_disperse_blocks(frames, 192, pages_per_huge);
 */
#ifndef GMEM_DISPERSE_H
#define GMEM_DISPERSE_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_control;
struct gmem_region;

/*
 * Allocates the first @npages of @region or, if that is NULL, of @control: filler of the
 * same kind, between which they are allocated one by one, takes all that @node has free,
 * huge pages and small pieces, in whatever order, but for @reserve bytes; and is freed.
 * Returns how many pages of filler there are to each one.
 */
size_t gmem_disperse(int node, struct gmem_region *region, struct gmem_control *control,
		     size_t npages, size_t reserve);

/* In how many blocks of @size pages the @count @frames lie. */
size_t gmem_disperse_blocks(const __u64 *frames, size_t count, size_t size);

#endif /* GMEM_DISPERSE_H */
