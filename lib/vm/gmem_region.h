/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A region: one VM, one guest_memfd, the memslots that bind it, and the host's mapping.
 *
 *	region = gmem_region_create(&variant->config, 512);	(gmem_region_create.h)
 *	gmem_region_allocate(region, 0, 512);
 *	...
 *	gmem_region_free(region);
 *
 * The file is one page longer than the test asks for.  That last page, the sentinel, is
 * bound like the others, but neither guest nor host uses it.  The unmap probe punches it to
 * prove that it sees an unmap.
 */
#ifndef GMEM_REGION_H
#define GMEM_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "vm/gmem_config.h"

struct kvm_vm;
struct kvm_vcpu;

/* A memslot binds pages [first, first + count) of the file to guest physical @gpa. */
struct gmem_memslot {
	size_t first, count;
	u64 gpa;
};

struct gmem_region {
	struct gmem_config config;
	char name[128];		/* what gmem_config_name() returns, for messages */
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	int fd;			/* the guest_memfd */
	size_t npages;		/* in use, without the sentinel */
	size_t page_size;	/* of the host, in bytes */
	u64 gpa;		/* guest virtual address of page 0, and the default of its gpa */
	char *host;		/* mmap of the file, or NULL */
	char *reserved;		/* userspace_addr of memslots that are not aliased */
	struct gmem_memslot slot[4];
	size_t nslots;
	bool movable;		/* what the expectation says */
	bool guest_reaches;	/* the guest can access the file's pages */
	bool host_maps;		/* the host can access them without SIGBUS */
};

/* Returns the number of bytes in use, without the sentinel. */
static inline size_t gmem_region_size(const struct gmem_region *region)
{
	return region->npages * region->page_size;
}

/*
 * Allocates pages [@first, @first + @count) by fallocate(2), which neither maps nor writes
 * them.  The case is BROKEN on error.
 */
void gmem_region_allocate(struct gmem_region *region, size_t first, size_t count);

/*
 * Frees pages [@first, @first + @count) by FALLOC_FL_PUNCH_HOLE, which unmaps them
 * everywhere.  The case is BROKEN on error.
 */
void gmem_region_punch(struct gmem_region *region, size_t first, size_t count);

/* Frees all pages in use. */
void gmem_region_discard(struct gmem_region *region);

/* Frees the sentinel, which unmaps it from stage-2. */
void gmem_region_punch_sentinel(struct gmem_region *region);

/*
 * Returns how many of the pages in use are allocated.  This rests on cachestat(2), which touches
 * no page, and the case is BROKEN where the kernel lacks it.
 */
size_t gmem_region_allocated(const struct gmem_region *region);

/* Returns the host's address of @page.  The case is BROKEN unless host_maps is set. */
void *gmem_region_host(const struct gmem_region *region, size_t page);

#endif /* GMEM_REGION_H */
