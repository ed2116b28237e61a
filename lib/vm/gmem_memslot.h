/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memslots of a region, which come and go while the file stays.
 *
 *	gmem_region_unbind(region);
 *	... the pages move, and stage-2 maps none of them ...
 *	gmem_region_bind(region);
 *
 * All functions rest on KVM_SET_USER_MEMORY_REGION2.  kvm_util ends the case if it fails.
 */
#ifndef GMEM_MEMSLOT_H
#define GMEM_MEMSLOT_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_region;

/* These create or delete all memslots.  No vCPU may use their pages meanwhile. */
void gmem_region_bind(struct gmem_region *region);
void gmem_region_unbind(struct gmem_region *region);

/*
 * Deletes all memslots and creates them again, after which stage-2 maps nothing.  No vCPU
 * may run.
 */
void gmem_region_rebind(struct gmem_region *region);

/* These act on the @nth memslot alone, whose pages no vCPU may use meanwhile. */
void gmem_region_bind_slot(struct gmem_region *region, size_t nth);
void gmem_region_unbind_slot(struct gmem_region *region, size_t nth);
void gmem_region_rebind_slot(struct gmem_region *region, size_t nth);

/*
 * Sets [*start, *end) to the guest frame numbers of the pages in use.  One memslot has to bind
 * them all at region->gpa.
 */
void gmem_region_gfns(const struct gmem_region *region, u64 *start, u64 *end);

#endif /* GMEM_MEMSLOT_H */
