/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first CMA area: memory set aside at boot (cma=), lent to movable allocations only.
 * Rests on /sys/kernel/debug/cma (CONFIG_CMA_DEBUGFS).
 */
#ifndef GMEM_CMA_H
#define GMEM_CMA_H

#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/* GMEM_SKIP_none if there is an area, and huge pages of 2 MiB to take other memory with. */
enum gmem_skip_reason gmem_cma_missing(void);

/* The first pfn of the area. */
u64 gmem_cma_base_pfn(void);

/* Pages of the area's largest chunk that nobody has allocated, lent or not. */
size_t gmem_cma_chunk(void);

/*
 * Allocates @pages of the area, next to each other, which moves out what was lent.  They
 * stay allocated until gmem_cma_free() or the end of the case.  Returns 0 or -errno.
 */
int __gmem_cma_alloc(size_t pages);

/* Gives back @pages of what __gmem_cma_alloc() got, the last of it first. */
void gmem_cma_free(size_t pages);

#endif /* GMEM_CMA_H */
