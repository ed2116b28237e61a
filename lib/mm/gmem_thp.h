/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transparent huge pages, asked for by page faults
 * (/sys/kernel/mm/transparent_hugepage).
 *
 *	gmem_thp_compact_on_fault();
 *	thp = gmem_thp_create(400, node);
 *	gmem_thp_fault(thp);
 *	gmem_thp_free(thp);
 */
#ifndef GMEM_THP_H
#define GMEM_THP_H

#include <stddef.h>

#include "case/gmem_result.h"

struct gmem_thp;

/* GMEM_SKIP_none if the kernel has transparent huge pages of 2 MiB, and uses them. */
enum gmem_skip_reason gmem_thp_missing(void);

/* Has a fault wait for compaction where it is advised, until the case ends. */
void gmem_thp_compact_on_fault(void);

/* Room for @most huge pages on @node, none of them allocated.  BROKEN without address
 * space.
 */
struct gmem_thp *gmem_thp_create(size_t most, int node);

/* Touches the next of them, which gets a huge page or, if none can be made, a
 * small one, which is given back (told by /proc/self/pagemap).  BROKEN if there is no
 * next one.
 */
void gmem_thp_fault(struct gmem_thp *thp);

/* Frees them all. */
void gmem_thp_free(struct gmem_thp *thp);

#endif /* GMEM_THP_H */
