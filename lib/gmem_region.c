// SPDX-License-Identifier: GPL-2.0-only
/* A region: one VM, one guest_memfd, the slot that binds it, the host's view. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <linux/unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kvm_util.h"

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_region.h"
#include "gmem_supervisor.h"

/* Above kvm_util's own slot 0 and the MMIO holes below 4 GiB. */
#define REGION_GPA	(2 * SZ_4G)
#define REGION_SLOT	2

/* Whether KVM takes slots only of guest_memfd that has GUEST_MEMFD_FLAG_MMAP. */
#ifdef __aarch64__
#define ONLY_MAPPABLE_SLOTS true
#else
#define ONLY_MAPPABLE_SLOTS false
#endif

/* Ends the case if the kernel refuses flags that the policy has no promise for: asked
 * of the barest VM, as many cases end here.
 */
static void skip_refused(const struct gmem_vm_type *type, __u64 flags)
{
	struct kvm_vm *vm = vm_create_barebones_type(type->type);
	int fd = __vm_create_guest_memfd(vm, getpagesize(), flags);

	if (fd < 0 && errno == EINVAL)
		gmem_skip(GMEM_SKIP_flag_refused, "%s VM, flags %s, policy %s", type->name,
			  gmem_flags_name(flags), gmem_policy_name());
	kvm_vm_free(vm);
	if (fd >= 0)
		close(fd);
}

/* Creates the file, or ends the case as policy and kernel say. */
static int create_file(struct gmem_region *region, size_t size)
{
	bool promised = gmem_policy_accepts(region->type, region->flags);
	const char *flags = gmem_flags_name(region->flags);
	int fd;

	fd = __vm_create_guest_memfd(region->vm, size, region->flags);
	if (fd >= 0)
		return fd;
	if (promised)
		gmem_fail(GMEM_C6,
			  "%s VM: wanted guest_memfd with flags %s (%#llx), as policy %s promises, got errno %d (%m)",
			  region->type->name, flags, (unsigned long long)region->flags,
			  gmem_policy_name(), errno);
	gmem_fail(GMEM_C6, "%s VM: wanted EINVAL for flags %s (%#llx), got errno %d (%m)",
		  region->type->name, flags, (unsigned long long)region->flags, errno);
}

/* A slot has a userspace_addr even where guests never get memory from it, and what moves
 * there is unmapped from stage-2: so nothing must be there.  At 0, the default, the program
 * itself may be, at 4 MiB.
 */
static void reserve_addresses(struct gmem_region *region, size_t size)
{
	region->reserved = kvm_mmap(size, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

static void map_on_host(struct gmem_region *region, size_t size)
{
	if (!(region->flags & GUEST_MEMFD_FLAG_MMAP))
		return;
	region->host = kvm_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, region->fd);
	region->host_maps = region->flags & GUEST_MEMFD_FLAG_INIT_SHARED;
}

static void set_slot(struct gmem_region *region, size_t nth, size_t count)
{
	const struct gmem_slot *slot = &region->slot[nth];
	size_t offset = slot->first * region->page_size;

	vm_set_user_memory_region2(region->vm, REGION_SLOT + nth, KVM_MEM_GUEST_MEMFD,
				   slot->gpa, count * region->page_size,
				   (slot->alias ? region->host : region->reserved) + offset,
				   region->fd, offset);
}

/* Makes the slot's place for it: addresses, and who may use them. */
static void map_slot(struct gmem_region *region, size_t nth)
{
	const struct gmem_slot *slot = &region->slot[nth];
	__u64 gva = region->gpa + slot->first * region->page_size;
	size_t size = slot->count * region->page_size;
	struct kvm_vm *vm = region->vm;

	if (slot->alias && !region->host)
		gmem_broken("an aliased slot needs a host mapping");
	if (region->type->private_mem)
		vm_mem_set_private(vm, slot->gpa, size);
	virt_map(vm, gva, slot->gpa, size / vm->page_size);
}

static void map_slots(struct gmem_region *region, const struct gmem_slot *slots,
		      size_t nslots)
{
	if (nslots > ARRAY_SIZE(region->slot))
		gmem_broken("%zu slots are too many", nslots);
	region->nslots = nslots;
	memcpy(region->slot, slots, nslots * sizeof(*slots));
	for (size_t i = 0; i < nslots; i++)
		map_slot(region, i);
	/*
	 * A slot whose file cannot be mmapped serves only private accesses from
	 * the file; a VM without private memory would go to userspace_addr.
	 */
	region->guest_reaches = region->type->private_mem ||
				(region->flags & GUEST_MEMFD_FLAG_MMAP);
}

struct gmem_region *gmem_region_create(const struct gmem_vm_type *type, __u64 flags,
				       size_t npages)
{
	/* One slot for everything, the spare included. */
	const struct gmem_slot slot = { .count = npages + 1, .gpa = REGION_GPA };

	return gmem_region_create_slots(type, flags, npages, &slot, 1);
}

struct gmem_region *gmem_region_create_aliased(const struct gmem_vm_type *type,
					       __u64 flags, size_t npages)
{
	const struct gmem_slot slot = { .count = npages + 1, .gpa = REGION_GPA, .alias = true };

	return gmem_region_create_slots(type, flags, npages, &slot, 1);
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

__u64 gmem_region_gpa(void)
{
	return REGION_GPA;
}

/* On arm64 kvm_arch_prepare_memory_region() refuses a slot that is not guest_memfd's
 * alone: no fault would ever choose between it and userspace_addr.
 */
static bool takes_slot(__u64 flags)
{
	return !ONLY_MAPPABLE_SLOTS || flags & GUEST_MEMFD_FLAG_MMAP;
}

static struct gmem_region *create_region(const struct gmem_vm_type *type, __u64 flags,
					 size_t npages, const struct gmem_slot *slots,
					 size_t nslots)
{
	struct gmem_region *region = calloc(1, sizeof(*region));
	struct vm_shape shape = VM_SHAPE_DEFAULT;
	size_t size, guest_pages;

	if (!region)
		gmem_broken("out of memory");
	if (!kvm_has_cap(KVM_CAP_GUEST_MEMFD))
		gmem_skip_if(GMEM_SKIP_no_kvm);
	if (!gmem_vm_type_offered(type))
		gmem_skip(GMEM_SKIP_no_vm_type, "%s", type->name);

	if (!gmem_policy_accepts(type, flags))
		skip_refused(type, flags);

	region->type = type;
	region->flags = flags;
	region->npages = npages;
	region->page_size = getpagesize();
	region->gpa = REGION_GPA;
	region->movable = gmem_policy_movable(type, flags);

	size = (npages + 1) * region->page_size;
	guest_pages = size / vm_guest_mode_params[shape.mode].page_size;
	shape.type = type->type;
	region->vm = __vm_create_shape_with_one_vcpu(shape, &region->vcpu,
						     guest_pages + gmem_guest_pages(npages),
						     gmem_guest_code);
	region->fd = create_file(region, size);
	if (!takes_slot(flags))
		gmem_skip_if(GMEM_SKIP_no_private_slots);
	reserve_addresses(region, size);
	map_on_host(region, size);
	map_slots(region, slots, nslots);
	return region;
}

struct gmem_region *gmem_region_create_slots(const struct gmem_vm_type *type, __u64 flags,
					     size_t npages, const struct gmem_slot *slots,
					     size_t nslots)
{
	struct gmem_region *region = create_region(type, flags, npages, slots, nslots);

	gmem_region_bind(region);
	return region;
}

struct gmem_region *gmem_region_create_unbound(const struct gmem_vm_type *type, __u64 flags,
					       size_t npages)
{
	const struct gmem_slot slot = { .count = npages + 1, .gpa = REGION_GPA };

	return create_region(type, flags, npages, &slot, 1);
}

void gmem_region_keep_mapping(struct gmem_region *region)
{
	kvm_vm_free(region->vm);
	close(region->fd);
	region->vm = NULL;
	region->vcpu = NULL;
	region->fd = -1;
	region->guest_reaches = false;
}

void gmem_region_free(struct gmem_region *region)
{
	if (!region)
		return;
	gmem_busy(GMEM_C11, "freeing VM and guest_memfd");
	if (region->host)
		kvm_munmap(region->host, (region->npages + 1) * region->page_size);
	if (region->vm) {
		close(region->fd);
		kvm_vm_free(region->vm);
	}
	if (region->reserved)
		kvm_munmap(region->reserved, (region->npages + 1) * region->page_size);
	gmem_idle();
	free(region);
}

void gmem_region_allocate(struct gmem_region *region, size_t first, size_t count)
{
	gmem_busy(GMEM_C9, "allocating guest_memfd");
	if (fallocate(region->fd, FALLOC_FL_KEEP_SIZE, first * region->page_size,
		      count * region->page_size))
		gmem_broken("fallocate of guest_memfd pages %zu+%zu: %m", first, count);
	gmem_idle();
}

void gmem_region_punch(struct gmem_region *region, size_t first, size_t count)
{
	gmem_busy(GMEM_C9, "punching a hole into guest_memfd");
	if (fallocate(region->fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
		      first * region->page_size, count * region->page_size))
		gmem_broken("PUNCH_HOLE of guest_memfd pages %zu+%zu: %m", first, count);
	gmem_idle();
}

void gmem_region_discard(struct gmem_region *region)
{
	gmem_region_punch(region, 0, region->npages);
}

void gmem_region_punch_spare(struct gmem_region *region)
{
	gmem_region_punch(region, region->npages, 1);
}

size_t gmem_region_allocated(const struct gmem_region *region)
{
	struct cachestat_range range = { .len = gmem_region_size(region) };
	struct cachestat stat;

	if (syscall(__NR_cachestat, region->fd, &range, &stat, 0))
		gmem_broken("cachestat of guest_memfd: %m");
	return stat.nr_cache;
}

void *gmem_region_host(const struct gmem_region *region, size_t page)
{
	if (!region->host_maps)
		gmem_broken("the host has no view of flags %s", gmem_flags_name(region->flags));
	return region->host + page * region->page_size;
}

void gmem_region_gfns(const struct gmem_region *region, __u64 *start, __u64 *end)
{
	*start = region->gpa / region->page_size;
	*end = *start + region->npages;
}
