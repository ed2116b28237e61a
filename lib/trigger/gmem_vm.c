// SPDX-License-Identifier: GPL-2.0-only
/* One of several VMs of a case. */
#include <string.h>
#include <linux/sizes.h>

#include "case/gmem_result.h"
#include "observe/gmem_unmap_probe.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_vm.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"
#include "vm/gmem_region_create.h"

/* Fails the case if unmovable memory is where only movable memory may be. */
static void check_zone(struct gmem_vm *vm)
{
	struct gmem_zone zone;

	for (size_t page = 0; page < vm->region->npages; page++) {
		gmem_zone_of(vm->migration->pfns[page], &zone);
		if (zone.cma || zone.movable)
			gmem_fail(GMEM_PLACEMENT,
				  "page %zu: wanted neither CMA nor ZONE_MOVABLE, got %s (%s)",
				  page, zone.cma ? "CMA" : zone.name, vm->region->name);
	}
	vm->tally.placed += vm->region->npages;
}

void gmem_vm_create(struct gmem_vm *vm, int nth, const struct gmem_config *config,
		    size_t npages, const struct gmem_trigger *trigger)
{
	const struct gmem_memslot slot = {
		.count = npages + 1,
		.gpa = gmem_region_gpa() + (u64)nth * SZ_1G,
	};

	vm->region = gmem_region_create_slots(config, npages, &slot, 1);
	vm->migration = gmem_migration_create(trigger, vm->region);
	vm->guest = gmem_guest_create(vm->region);
	gmem_migration_snapshot(vm->migration);
	if (!vm->region->movable)
		check_zone(vm);
}

void gmem_vm_start(struct gmem_vm *vm)
{
	gmem_guest_run(vm->guest, GMEM_GUEST_WRITE);
}

static void check_stayed(struct gmem_vm *vm, const char *how)
{
	gmem_check_stayed(GMEM_UNMOVABLE, how, vm->migration, &vm->tally);
	if (!vm->probe)
		return;
	gmem_check_not_unmapped(GMEM_UNMOVABLE, how, vm->probe);
	gmem_unmap_probe_resume(vm->probe);
}

void gmem_vm_check(struct gmem_vm *vm, const char *how)
{
	gmem_migration_count(vm->migration, &vm->tally);
	if (!vm->region->movable)
		check_stayed(vm, how);
}

void gmem_vm_verify(struct gmem_vm *vm)
{
	gmem_guest_wait_rounds(vm->guest, 1);
	gmem_guest_pause(vm->guest);
	vm->tally.verified += gmem_guest_verify(vm->guest);
	gmem_guest_run(vm->guest, GMEM_GUEST_WRITE);
}

void gmem_vm_add_up(const struct gmem_vm *vms, size_t count, struct gmem_tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	for (size_t i = 0; i < count; i++)
		gmem_tally_add(tally, &vms[i].tally);
}

void gmem_vm_free(struct gmem_vm *vm)
{
	gmem_guest_free(vm->guest);
	gmem_unmap_probe_free(vm->probe);
	gmem_migration_free(vm->migration);
	gmem_region_free(vm->region);
}
