/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The unmap probe: was the stage-2 mapping of a region's guest frames dropped
 * while it watched?
 *
 *	probe = gmem_unmap_probe_start(region);
 *	... triggers ...
 *	unmaps = gmem_unmap_probe_count(probe, &first);
 *	gmem_unmap_probe_free(probe);
 *
 * Rests on a kprobe at kvm_unmap_gfn_range(), through which guest_memfd
 * invalidations and MMU notifiers alike pass on x86 and arm64.  It proves itself
 * before and after: punching the region's sentinel must be seen, and seen once,
 * or the case is BROKEN.
 */
#ifndef GMEM_UNMAP_PROBE_H
#define GMEM_UNMAP_PROBE_H

#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_region;
struct gmem_unmap_probe;

struct gmem_unmap_probe *gmem_unmap_probe_start(struct gmem_region *region);

/* NULL is fine. */
void gmem_unmap_probe_free(struct gmem_unmap_probe *probe);

/* Stops watching.  Returns how many unmap requests reached pages in use; if
 * there were any, *first is the region's page where the first one began.
 */
u64 gmem_unmap_probe_count(struct gmem_unmap_probe *probe, u64 *first);

/* Watches again, from now on. */
void gmem_unmap_probe_resume(struct gmem_unmap_probe *probe);

/*
 * Stops watching, and fails the case (@clause) if a page in use was unmapped; @how says by
 * what.
 */
#define gmem_check_not_unmapped(clause, how, probe) \
	__gmem_check_not_unmapped(GMEM_HERE, clause, how, probe)
void __gmem_check_not_unmapped(const struct gmem_location *at, enum gmem_clause clause,
			       const char *how, struct gmem_unmap_probe *probe);

#endif /* GMEM_UNMAP_PROBE_H */
