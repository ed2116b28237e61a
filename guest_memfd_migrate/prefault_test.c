// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY maps the right page even if the page moves meanwhile.
 *
 * Contract: C11: KVM_PRE_FAULT_MEMORY that races with a migration maps the new pfn or
 *	     waits for it, and neither hangs; C2: what it mapped is dropped when the
 *	     page moves; C1: contents.
 * Method:   one thread maps all of the region in stage-2 over and over, by
 *	     KVM_PRE_FAULT_MEMORY on the vCPU, which does not run; another sends all
 *	     pages to the other node and back.  After some passes, while both threads
 *	     go on, the host rewrites all pages; the threads stop, all is mapped once
 *	     more, and guest and host compare every byte.
 * Guards:   broken unless enough pages moved while all were mapped often enough,
 *	     anonymous pages moved and bytes were compared.
 * Needs:    memory that is expected to be movable; two nodes; a VM that offers
 *	     KVM_PRE_FAULT_MEMORY.
 * Kills:    no-invalidate, range-end-off-by-one, copy-half-page, uptodate-dropped
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_worker.h"
#include "trigger/gmem_fixture.h"
#include "trigger/gmem_mover.h"

#define NPAGES	64
#define ROUNDS	2
#define PASSES	10		/* how often the whole region is mapped in a round */

GMEM_FIXTURE(prefault)

GMEM_CONFIG_VARIANT(prefault, optin_mmap_shared)
GMEM_CONFIG_VARIANT(prefault, mmap_shared)

/*
 * The ioctl advances the range by what it has mapped.  A signal may interrupt it, which is no
 * failure; any other error is.
 */
static void map_all(void *arg)
{
	struct gmem_region *region = arg;
	struct kvm_pre_fault_memory range = {
		.gpa = region->gpa,
		.size = NPAGES * region->page_size,
	};

	while (range.size)
		if (__vcpu_ioctl(region->vcpu, KVM_PRE_FAULT_MEMORY, &range) && errno != EINTR)
			gmem_fail(GMEM_LIFECYCLE,
				  "KVM_PRE_FAULT_MEMORY of page %llu: wanted 0, got errno %d (%s)",
				  (range.gpa - region->gpa) / region->page_size, errno,
				  strerror(errno));
}

/*
 * Races mapping with migration.  The host rewrites all pages in the middle of the race, so
 * that a guest which reaches an old page finds an old generation there.  Returns how many
 * pages moved.
 */
static u64 race(struct gmem_region *region, struct gmem_guest *guest)
{
	struct gmem_mover *mover = gmem_mover_start(region, 0, NPAGES);
	struct gmem_worker *mapper;
	u64 moved;

	mapper = gmem_worker_start("mapping memory ahead", map_all, region);
	gmem_mover_wait(mover);
	gmem_worker_wait(mapper, PASSES);
	gmem_guest_write_on_host(guest, 0, NPAGES);
	moved = gmem_mover_stop(mover);
	gmem_worker_stop(mapper);
	map_all(region);
	return moved;
}

TEST_F_TIMEOUT(prefault, maps_the_right_page, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	if (!vm_check_cap(self->region->vm, KVM_CAP_PRE_FAULT_MEMORY))
		gmem_skip_if(GMEM_SKIP_no_prefault);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_guest_blame(self->guest, GMEM_STAGE2);
	for (int round = 0; round < ROUNDS; round++) {
		tally.moved += race(self->region, self->guest);
		tally.verified += gmem_guest_verify(self->guest);
	}
	gmem_migration_move_all(self->migration, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
