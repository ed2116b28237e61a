/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The unmap probe: were pages of a region unmapped from stage-2 while it was watching?
 *
 *	probe = gmem_unmap_probe_start(region);
 *	... fire triggers ...
 *	unmaps = gmem_unmap_probe_count(probe, &first);
 *	gmem_unmap_probe_free(probe);
 *
 * It rests on a kprobe at kvm_unmap_gfn_range(), through which both guest_memfd invalidations
 * and MMU notifiers pass, on x86 and arm64.  It proves itself at the start and at each count:
 * it has to see that the region's sentinel is punched, and see it once; the case is BROKEN
 * otherwise.
 */
#ifndef GMEM_UNMAP_PROBE_H
#define GMEM_UNMAP_PROBE_H

#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_region;
struct gmem_unmap_probe;

/*
 * Starts to watch @region, whose memslots must be bound.  Skips the case (no_kprobes) where
 * there are no kprobe events.
 */
struct gmem_unmap_probe *gmem_unmap_probe_start(struct gmem_region *region);

/* Frees @probe, which may be NULL. */
void gmem_unmap_probe_free(struct gmem_unmap_probe *probe);

/*
 * Stops watching.  Returns how many unmap requests reached pages in use; if there were any,
 * *first is the page of the region at which the first request began.
 */
u64 gmem_unmap_probe_count(struct gmem_unmap_probe *probe, u64 *first);

/* Watches again, and forgets what was seen so far. */
void gmem_unmap_probe_resume(struct gmem_unmap_probe *probe);

/*
 * Stops watching, and fails the case (@clause) if a page in use was unmapped; @how says by
 * what.
 */
#define gmem_check_not_unmapped(clause, how, probe) \
	gmem_check_not_unmapped_at(GMEM_HERE, clause, how, probe)
void gmem_check_not_unmapped_at(const struct gmem_location *at, enum gmem_clause clause,
				const char *how, struct gmem_unmap_probe *probe);

#endif /* GMEM_UNMAP_PROBE_H */
