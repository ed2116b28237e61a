// SPDX-License-Identifier: GPL-2.0-only
/* The memslots of a region, which come and go while the file stays. */
#include "kvm_util.h"

#include "vm/gmem_memslot.h"
#include "vm/gmem_region.h"

/* Slot 0 is kvm_util's, and slot 1 has the memory that guest and host share. */
#define FIRST_SLOT	2

/* Creates the memslot with @count pages, or deletes it if @count is 0. */
static void set_slot(struct gmem_region *region, size_t nth, size_t count)
{
	const struct gmem_memslot *slot = &region->slot[nth];
	size_t offset = slot->first * region->page_size;

	vm_set_user_memory_region2(region->vm, FIRST_SLOT + nth, KVM_MEM_GUEST_MEMFD, slot->gpa,
				   count * region->page_size,
				   (region->config.aliased ? region->host : region->reserved) +
				   offset, region->fd, offset);
}

void gmem_region_bind_slot(struct gmem_region *region, size_t nth)
{
	set_slot(region, nth, region->slot[nth].count);
}

void gmem_region_unbind_slot(struct gmem_region *region, size_t nth)
{
	set_slot(region, nth, 0);
}

void gmem_region_rebind_slot(struct gmem_region *region, size_t nth)
{
	gmem_region_unbind_slot(region, nth);
	gmem_region_bind_slot(region, nth);
}

void gmem_region_bind(struct gmem_region *region)
{
	for (size_t i = 0; i < region->nslots; i++)
		gmem_region_bind_slot(region, i);
}

void gmem_region_unbind(struct gmem_region *region)
{
	for (size_t i = 0; i < region->nslots; i++)
		gmem_region_unbind_slot(region, i);
}

void gmem_region_rebind(struct gmem_region *region)
{
	gmem_region_unbind(region);
	gmem_region_bind(region);
}

void gmem_region_gfns(const struct gmem_region *region, u64 *start, u64 *end)
{
	*start = region->gpa / region->page_size;
	*end = *start + region->npages;
}
