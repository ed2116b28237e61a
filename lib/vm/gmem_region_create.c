// SPDX-License-Identifier: GPL-2.0-only
/* Creates and frees regions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/sizes.h>
#include <sys/mman.h>

#include "kvm_util.h"

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "case/gmem_watchdog.h"
#include "vm/gmem_expect.h"
#include "vm/gmem_memslot.h"
#include "vm/gmem_region.h"
#include "vm/gmem_region_create.h"

/* This is above kvm_util's own slot 0 and the MMIO holes below 4 GiB. */
#define REGION_GPA	(2 * SZ_4G)

/*
 * On arm64 kvm_arch_prepare_memory_region() refuses a memslot whose guest_memfd cannot be
 * mapped, because no fault would choose between that and userspace_addr.
 */
#ifdef __aarch64__
#define ONLY_MAPPABLE_SLOTS true
#else
#define ONLY_MAPPABLE_SLOTS false
#endif

/*
 * Skips the case if the kernel refuses flags that it is not expected to accept.  This uses the
 * barest VM, because many cases end here.
 */
static void skip_refused(const struct gmem_config *config)
{
	struct kvm_vm *vm = vm_create_barebones_type(config->type->type);
	int fd = __vm_create_guest_memfd(vm, getpagesize(), gmem_config_flags(config));

	if (fd < 0 && errno == EINVAL)
		gmem_skip(GMEM_SKIP_flag_refused, "%s, expect %s", gmem_config_name(config),
			  gmem_expect_name());
	kvm_vm_free(vm);
	if (fd >= 0)
		close(fd);
}

static int create_file(struct kvm_vm *vm, const struct gmem_config *config, size_t size)
{
	bool accepted = gmem_expect_accepted(config);
	u64 flags = gmem_config_flags(config);
	int fd;

	fd = __vm_create_guest_memfd(vm, size, flags);
	if (fd >= 0)
		return fd;
	if (accepted)
		gmem_fail(GMEM_UAPI,
			  "wanted guest_memfd with %s (%#lx), expect %s, got errno %d (%m)",
			  gmem_config_name(config), flags, gmem_expect_name(), errno);
	gmem_fail(GMEM_UAPI, "wanted EINVAL for %s (%#lx), got errno %d (%m)",
		  gmem_config_name(config), flags, errno);
}

/*
 * Reserves userspace_addr for the memslots.  A memslot has one even if guests never get memory
 * from it, and KVM unmaps from stage-2 what is moved there, so that nothing may be mapped there.
 * The default of 0 will not do, because the program itself may be mapped from 4 MiB on.
 */
static void reserve_addresses(struct gmem_region *region, size_t size)
{
	region->reserved = kvm_mmap(size, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

static void map_on_host(struct gmem_region *region, size_t size)
{
	u64 flags = region->config.flags;

	if (region->config.aliased && !(flags & GUEST_MEMFD_FLAG_MMAP))
		gmem_broken("an aliased memslot needs a host mapping");
	if (!(flags & GUEST_MEMFD_FLAG_MMAP))
		return;
	region->host = kvm_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, region->fd);
	region->host_maps = flags & GUEST_MEMFD_FLAG_INIT_SHARED;
}

/* Maps a memslot in the guest's page tables, and makes its pages private if the VM has that. */
static void map_slot(struct gmem_region *region, const struct gmem_memslot *slot)
{
	u64 gva = region->gpa + slot->first * region->page_size;
	size_t size = slot->count * region->page_size;
	struct kvm_vm *vm = region->vm;

	if (region->config.type->private_mem)
		vm_mem_set_private(vm, slot->gpa, size);
	virt_map(vm, gva, slot->gpa, size / vm->page_size);
}

static void map_slots(struct gmem_region *region, const struct gmem_memslot *slots,
		      size_t nslots)
{
	if (nslots > ARRAY_SIZE(region->slot))
		gmem_broken("%zu memslots are too many", nslots);
	region->nslots = nslots;
	memcpy(region->slot, slots, nslots * sizeof(*slots));
	for (size_t i = 0; i < nslots; i++)
		map_slot(region, &region->slot[i]);
	/*
	 * A memslot whose file cannot be mapped serves private accesses only.  A VM without
	 * private memory would access userspace_addr instead.
	 */
	region->guest_reaches = region->config.type->private_mem ||
				(region->config.flags & GUEST_MEMFD_FLAG_MMAP);
}

static void skip_unless_offered(const struct gmem_config *config)
{
	if (!kvm_has_cap(KVM_CAP_GUEST_MEMFD))
		gmem_skip_if(GMEM_SKIP_no_kvm);
	if (!gmem_vm_type_offered(config->type))
		gmem_skip(GMEM_SKIP_no_vm_type, "%s", config->type->name);
	if (!gmem_expect_accepted(config))
		skip_refused(config);
}

/*
 * The guest needs page tables for the region, and for the memory that it shares with the host,
 * which has two bytes for each page.
 */
static void create_vm(struct gmem_region *region, size_t size)
{
	struct vm_shape shape = VM_SHAPE_DEFAULT;
	size_t guest_pages = size / vm_guest_mode_params[shape.mode].page_size;

	shape.type = region->config.type->type;
	region->vm = __vm_create_shape_with_one_vcpu(shape, &region->vcpu,
						     guest_pages + guest_pages / 1024 + 2, NULL);
}

static struct gmem_region *create_region(const struct gmem_config *config, size_t npages,
					 const struct gmem_memslot *slots, size_t nslots)
{
	struct gmem_region *region;
	size_t size;

	skip_unless_offered(config);
	region = gmem_zalloc(1, sizeof(*region));
	region->config = *config;
	snprintf(region->name, sizeof(region->name), "%s", gmem_config_name(config));
	region->npages = npages;
	region->page_size = getpagesize();
	region->gpa = REGION_GPA;
	region->movable = gmem_expect_movable(config);

	size = (npages + 1) * region->page_size;
	create_vm(region, size);
	region->fd = create_file(region->vm, config, size);
	if (ONLY_MAPPABLE_SLOTS && !(config->flags & GUEST_MEMFD_FLAG_MMAP))
		gmem_skip_if(GMEM_SKIP_no_private_slots);
	reserve_addresses(region, size);
	map_on_host(region, size);
	map_slots(region, slots, nslots);
	return region;
}

struct gmem_region *gmem_region_create_slots(const struct gmem_config *config, size_t npages,
					     const struct gmem_memslot *slots, size_t nslots)
{
	struct gmem_region *region = create_region(config, npages, slots, nslots);

	gmem_region_bind(region);
	return region;
}

struct gmem_region *gmem_region_create_unbound(const struct gmem_config *config, size_t npages)
{
	/* One memslot binds everything, the sentinel included. */
	const struct gmem_memslot slot = { .count = npages + 1, .gpa = REGION_GPA };

	return create_region(config, npages, &slot, 1);
}

struct gmem_region *gmem_region_create(const struct gmem_config *config, size_t npages)
{
	struct gmem_region *region = gmem_region_create_unbound(config, npages);

	gmem_region_bind(region);
	return region;
}

u64 gmem_region_gpa(void)
{
	return REGION_GPA;
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
	gmem_watchdog_arm(GMEM_LIFECYCLE, "freeing VM and guest_memfd");
	if (region->host)
		kvm_munmap(region->host, (region->npages + 1) * region->page_size);
	if (region->vm) {
		close(region->fd);
		kvm_vm_free(region->vm);
	}
	if (region->reserved)
		kvm_munmap(region->reserved, (region->npages + 1) * region->page_size);
	gmem_watchdog_disarm();
	free(region);
}
