/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CMA squeeze: makes a node run so short of other memory that the kernel has to lend CMA,
 * which only movable allocations get.
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
 * Takes memory of the first CMA area's node until about as much CMA as other memory is left, at
 * most @most pages of each.  The kernel then serves movable allocations from CMA and from
 * other memory in turns.  The memory stays taken until the case ends.  Returns the node.  This
 * does not check that it worked: a control has to show that.  Skips the case (no_cma) if the
 * area is too small, because too little other memory would be left.
 */
int gmem_cma_squeeze(size_t most);

/*
 * Squeezes the node, and allocates there one page of @region and one of @control in turns, so that
 * both have the same chance to get pages of CMA.  Both must have the same number of pages.
 * Returns how many pages of the control are in CMA; the case is BROKEN if none is.
 */
size_t gmem_cma_allocate_in_turns(struct gmem_region *region, struct gmem_anon *control);

#endif /* GMEM_CMA_SQUEEZE_H */
