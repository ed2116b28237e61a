/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocates memory where the kernel has next to nothing to give but CMA, which it lends to
 * movable allocations only.
 *
 *	gmem_skip_if(gmem_cma_missing());
 *	lent = gmem_cma_allocate_in_turns(region, control);
 */
#ifndef GMEM_CMA_SQUEEZE_H
#define GMEM_CMA_SQUEEZE_H

#include <stddef.h>

struct gmem_anon;
struct gmem_region;

/*
 * Takes so much memory of the first area's node that half of what is left is CMA, @most
 * pages at most: from there on the kernel gives movable allocations CMA and other memory in
 * turns.  The memory stays taken until the case ends.  Returns the node.  A control has to
 * show whether this worked.  Skips the case (no_cma) if the area is too small to do that
 * without harm.
 */
int gmem_cma_squeeze(size_t most);

/*
 * Squeezes the node, and allocates @region and @control, which has as many pages, there in
 * turns, so that a page of either could have been the other's.  Returns how many of the
 * control's pages are in CMA; the case is BROKEN if none is.
 */
size_t gmem_cma_allocate_in_turns(struct gmem_region *region, struct gmem_anon *control);

#endif /* GMEM_CMA_SQUEEZE_H */
