/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stage-2 witness: was the stage-2 mapping of a region's guest frames dropped
 * while it watched?
 *
 *	witness = gmem_stage2_watch(region);
 *	... triggers ...
 *	unmaps = gmem_stage2_unmaps(witness, &first);
 *	gmem_stage2_free(witness);
 *
 * Rests on a kprobe at kvm_unmap_gfn_range(), through which guest_memfd
 * invalidations and MMU notifiers alike pass on x86 and arm64.  It proves itself
 * before and after: punching the region's spare page must be seen, and seen once,
 * or the case is BROKEN.
 */
#ifndef GMEM_STAGE2_H
#define GMEM_STAGE2_H

#include <linux/types.h>

struct gmem_region;
struct gmem_stage2;

struct gmem_stage2 *gmem_stage2_watch(struct gmem_region *region);

/* NULL is fine. */
void gmem_stage2_free(struct gmem_stage2 *witness);

/* Stops watching.  Returns how many unmap requests reached pages in use; if
 * there were any, *first is the region's page where the first one began.
 */
__u64 gmem_stage2_unmaps(struct gmem_stage2 *witness, __u64 *first);

/* Watches again, from now on. */
void gmem_stage2_resume(struct gmem_stage2 *witness);

#endif /* GMEM_STAGE2_H */
