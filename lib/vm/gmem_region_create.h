/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Creates and frees regions (gmem_region.h), as expectation and kernel allow.
 *
 *	region = gmem_region_create(&variant->config, 512);
 *	...
 *	gmem_region_free(region);
 *
 * Each function that creates a region skips the case if the machine lacks the VM type, or if
 * expectation and kernel agree that the flags are refused.  The case fails (C6) if the kernel
 * refuses what it is expected to accept, or refuses with anything but EINVAL.  If the kernel
 * accepts what it is expected to refuse, the region is created, and expected to be unmovable.
 */
#ifndef GMEM_REGION_CREATE_H
#define GMEM_REGION_CREATE_H

#include "vm/gmem_region.h"

/*
 * Creates a VM with one vCPU, which has no code yet, and a guest_memfd of @npages host pages
 * that one memslot binds.  Unless @config is aliased, nothing is mapped at the memslot's
 * userspace_addr: otherwise an MMU notifier could hide that guest_memfd lacks an invalidation.
 */
struct gmem_region *gmem_region_create(const struct gmem_config *config, size_t npages);

/*
 * Creates a region of @nslots memslots that together bind each page in use once, in any order
 * and anywhere from gmem_region_gpa() on.  At its guest virtual addresses the region is
 * contiguous all the same.  The sentinel is bound only if one of @slots has it.
 */
struct gmem_region *gmem_region_create_slots(const struct gmem_config *config, size_t npages,
					     const struct gmem_memslot *slots, size_t nslots);

/* Creates a region without its memslot, which gmem_region_bind() creates. */
struct gmem_region *gmem_region_create_unbound(const struct gmem_config *config, size_t npages);

/* Returns the lowest guest physical address that a memslot may have. */
u64 gmem_region_gpa(void);

/* Destroys the VM and closes the file; the host's mapping of it stays. */
void gmem_region_keep_mapping(struct gmem_region *region);

/* Frees @region, which may be NULL, with its VM, file and mappings. */
void gmem_region_free(struct gmem_region *region);

#endif /* GMEM_REGION_CREATE_H */
