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
 * Takes so much memory of the first CMA area's node that half of what is left is CMA, but no
 * more than @most pages of it.  The kernel then serves movable allocations from CMA and from
 * other memory in turns.  The memory stays taken until the case ends.  Returns the node.  This
 * does not check that it worked: a control has to show that.  Skips the case (no_cma) if the
 * area is too small, because too little other memory would be left.
 */
int gmem_cma_squeeze(size_t most);

/*
 * Squeezes the node, and allocates the pages of @region and of @control, which must have as
 * many, there in turns, so that each page could as well have been the other's.  Returns how many
 * pages of the control are in CMA; the case is BROKEN if none is.
 */
size_t gmem_cma_allocate_in_turns(struct gmem_region *region, struct gmem_anon *control);

#endif /* GMEM_CMA_SQUEEZE_H */
