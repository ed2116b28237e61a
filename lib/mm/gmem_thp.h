/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transparent huge pages (THP), allocated by page faults.
 *
 *	gmem_thp_compact_on_fault();
 *	thp = gmem_thp_create(400, node);
 *	gmem_thp_fault(thp);
 *	gmem_thp_free(thp);
 *
 * This rests on /sys/kernel/mm/transparent_hugepage and MADV_HUGEPAGE.
 */
#ifndef GMEM_THP_H
#define GMEM_THP_H

#include <stddef.h>

#include "case/gmem_result.h"

struct gmem_thp;

/* Returns GMEM_SKIP_none if the kernel has THP of 2 MiB, and they are not switched off. */
enum gmem_skip_reason gmem_thp_missing(void);

/*
 * Makes page faults in memory with MADV_HUGEPAGE compact memory directly until the case ends,
 * instead of falling back to small pages.
 */
void gmem_thp_compact_on_fault(void);

/*
 * Reserves address space for up to @most huge pages on @node, and allocates none of them.
 * BROKEN if there is no address space.
 */
struct gmem_thp *gmem_thp_create(size_t most, int node);

/*
 * Touches the next huge page.  If the kernel cannot make one, it allocates a small page,
 * which this frees at once (/proc/self/pagemap tells).  BROKEN if there is no next one.
 */
void gmem_thp_fault(struct gmem_thp *thp);

/* Frees all pages, and @thp. */
void gmem_thp_free(struct gmem_thp *thp);

#endif /* GMEM_THP_H */
