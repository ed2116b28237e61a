/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CMA areas: memory set aside at boot (cma=), lent to movable allocations only.
 * Rests on /sys/kernel/debug/cma (CONFIG_CMA_DEBUGFS).
 */
#ifndef GMEM_CMA_H
#define GMEM_CMA_H

#include <stddef.h>

#include "gmem_case.h"

struct gmem_control;
struct gmem_region;

/* GMEM_SKIP_none if there is an area, and huge pages of 2 MiB to take other memory. */
enum gmem_skip gmem_cma_missing(void);

/*
 * Until the case ends, takes so much memory of the first area's node that half of
 * what is left is CMA, @most pages at most: from there on the kernel gives movable
 * allocations CMA and other memory in turns.  Returns the node.  Whether it worked is
 * for a control to show.  Skips the case (no_cma) if the area is too small to do that
 * without harm.
 */
int gmem_cma_squeeze(size_t most);

/*
 * Squeezes the node and allocates @region and @control, which has as many pages, there
 * in turns: what the one is given, the other could have been.  Returns how many of the
 * control's pages are in CMA; BROKEN if none is.
 */
size_t gmem_cma_allocate_in_turns(struct gmem_region *region, struct gmem_control *control);

/* Pages of the first area's largest chunk that nobody has allocated, lent or not. */
size_t gmem_cma_chunk(void);

/* Allocates @pages of the first area, next to each other, which moves out what was
 * lent; they stay allocated until gmem_cma_free() or the case ends.  Returns 0 or
 * -errno.
 */
int __gmem_cma_alloc(size_t pages);

/* Gives back @pages of what __gmem_cma_alloc() got, the last of it first. */
void gmem_cma_free(size_t pages);

#endif /* GMEM_CMA_H */
