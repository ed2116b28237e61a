/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region: one VM, one guest_memfd, the slot that binds it, the host's view.
 *
 *	region = gmem_region_create(&gmem_vm_default, flags, 512);
 *	gmem_region_allocate(region, 0, 512);
 *	...
 *	gmem_region_free(region);
 *
 * The file is one page longer than asked for.  That last page, the spare, is
 * bound but never used by guest or host: observers punch it to prove themselves.
 */
#ifndef GMEM_REGION_H
#define GMEM_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "gmem_policy.h"

struct kvm_vm;
struct kvm_vcpu;

/* Pages [first, first + count) of the file, bound to guest physical @gpa.  In an
 * aliased slot userspace_addr is the host's mapping of those pages.
 */
struct gmem_slot {
	size_t first, count;
	__u64 gpa;
	bool alias;
};

struct gmem_region {
	const struct gmem_vm_type *type;
	__u64 flags;
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	int fd;			/* the guest_memfd */
	size_t npages;		/* in use, without the spare */
	size_t page_size;	/* of the host, in bytes */
	__u64 gpa;		/* of page 0 if there is one slot; its guest address always */
	char *host;		/* mmap of the file, or NULL */
	char *reserved;		/* addresses of slots that have none on the host */
	struct gmem_slot slot[4];
	size_t nslots;
	bool movable;		/* what the policy promises */
	bool guest_reaches;	/* guest accesses end up in the file */
	bool host_maps;		/* host accesses do not raise SIGBUS */
};

/*
 * Creates a VM of @type with one vCPU and a guest_memfd of @npages host pages
 * with @flags, bound by one slot with no userspace_addr, so that MMU notifiers
 * on host mappings cannot hide a missing guest_memfd invalidation.
 *
 * Skips the case if the VM type is not offered, or if policy and kernel agree
 * that the flags are refused; fails it (C6) if the kernel refuses what the
 * policy promises, or with anything but EINVAL.  A kernel that accepts what the
 * policy refuses gets its region, which is then held to be unmovable.
 */
struct gmem_region *gmem_region_create(const struct gmem_vm_type *type, __u64 flags,
				       size_t npages);

/* The same with an aliased slot, as QEMU and Firecracker make it. */
struct gmem_region *gmem_region_create_aliased(const struct gmem_vm_type *type,
					       __u64 flags, size_t npages);

/*
 * The same with @nslots slots that together bind each page in use once, in any
 * order and anywhere from gmem_region_gpa() on.  At its guest virtual addresses
 * the region is contiguous all the same.  The spare page is not bound.
 */
struct gmem_region *gmem_region_create_slots(const struct gmem_vm_type *type, __u64 flags,
					     size_t npages, const struct gmem_slot *slots,
					     size_t nslots);

/* The same with one slot that is not there yet: gmem_region_bind() makes it. */
struct gmem_region *gmem_region_create_unbound(const struct gmem_vm_type *type, __u64 flags,
					       size_t npages);

/* Makes all slots, or deletes them.  No vCPU may use their pages meanwhile. */
void gmem_region_bind(struct gmem_region *region);
void gmem_region_unbind(struct gmem_region *region);

/* Deletes all slots and makes them anew: nothing is mapped in stage-2 then.  No
 * vCPU may run.
 */
void gmem_region_rebind(struct gmem_region *region);

/* The same for the @nth slot alone, whose pages no vCPU may use meanwhile. */
void gmem_region_bind_slot(struct gmem_region *region, size_t nth);
void gmem_region_unbind_slot(struct gmem_region *region, size_t nth);
void gmem_region_rebind_slot(struct gmem_region *region, size_t nth);

/* The lowest guest physical address that a slot may have. */
__u64 gmem_region_gpa(void);

/* Bytes in use, without the spare page. */
static inline size_t gmem_region_size(const struct gmem_region *region)
{
	return region->npages * region->page_size;
}

/* Destroys the VM and closes the file, of which the host's mapping is left. */
void gmem_region_keep_mapping(struct gmem_region *region);

/* NULL is fine. */
void gmem_region_free(struct gmem_region *region);

/* Allocates pages [@first, @first + @count) by fallocate(2): no mapping, no
 * content.  BROKEN on error.
 */
void gmem_region_allocate(struct gmem_region *region, size_t first, size_t count);

/* Frees the pages in use (PUNCH_HOLE). */
void gmem_region_discard(struct gmem_region *region);

/* Frees pages [@first, @first + @count) (PUNCH_HOLE), which unmaps them everywhere.
 * BROKEN on error.
 */
void gmem_region_punch(struct gmem_region *region, size_t first, size_t count);

/* Frees the spare page (PUNCH_HOLE), which unmaps it from stage-2. */
void gmem_region_punch_spare(struct gmem_region *region);

/* How many of the pages in use are allocated, by cachestat(2), which touches none.
 * BROKEN where the kernel lacks it.
 */
size_t gmem_region_allocated(const struct gmem_region *region);

/* Host address of @page; only where host_maps. */
void *gmem_region_host(const struct gmem_region *region, size_t page);

/* Guest frame numbers of the pages in use: [*start, *end). */
void gmem_region_gfns(const struct gmem_region *region, __u64 *start, __u64 *end);

#endif /* GMEM_REGION_H */
