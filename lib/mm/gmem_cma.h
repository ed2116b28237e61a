/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first CMA area: memory that is set aside at boot (cma=), and that the kernel uses for
 * movable allocations only while nobody has allocated it from the area.
 *
 *	gmem_skip_if(gmem_cma_missing());
 *	err = __gmem_cma_alloc(gmem_cma_chunk());
 *
 * This rests on /sys/kernel/debug/cma (CONFIG_CMA_DEBUGFS).
 */
#ifndef GMEM_CMA_H
#define GMEM_CMA_H

#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/*
 * Returns GMEM_SKIP_none if there is an area, and if the kernel has huge pages of 2 MiB, by
 * which tests take the memory outside the area.
 */
enum gmem_skip_reason gmem_cma_missing(void);

/* Returns the first pfn of the area. */
u64 gmem_cma_base_pfn(void);

/*
 * Returns the pages of the area's largest chunk that nobody has allocated from the area.
 * Movable allocations may be using them.
 */
size_t gmem_cma_chunk(void);

/*
 * Allocates @pages contiguous pages of the area, which migrates the movable allocations in
 * them.  The pages stay allocated until gmem_cma_free() or the end of the case.  Returns 0
 * or -errno.
 */
int __gmem_cma_alloc(size_t pages);

/*
 * Frees @pages of the pages that __gmem_cma_alloc() allocated, beginning with the last
 * allocation.
 */
void gmem_cma_free(size_t pages);

#endif /* GMEM_CMA_H */
