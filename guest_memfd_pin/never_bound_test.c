// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable guest_memfd stays in its frame also while no slot has ever bound it.
 *
 * Contract: C4: same frame and same contents under every trigger, from the first page
 *	     on that is allocated.
 * Method:   a file that no slot binds is allocated, and written where the host can;
 *	     the trigger fires and all frames are compared.  Then a slot is made, and
 *	     guest and host compare every byte.
 * Guards:   broken unless ordinary pages beside it moved and every frame was seen to
 *	     stay, and bytes were compared if anybody can reach them.
 * Needs:    a policy with unmovable memory; two nodes; compaction; kprobe events for
 *	     what the host does not map.
 * Kills:    unmovable-set-at-bind, opt-in-ignored, migrate-core-ignores-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "trigger/gmem_fixture.h"
#include "vm/gmem_memslot.h"

#define NPAGES	64
#define ROUNDS	2

GMEM_FIXTURE(never_bound)

GMEM_TYPE_TRIGGER_VARIANT(never_bound, default, mmap_shared, move_pages)
GMEM_TYPE_TRIGGER_VARIANT(never_bound, default, mmap_shared, compact_memory)
GMEM_TYPE_TRIGGER_VARIANT(never_bound, default, none, compact_memory)
GMEM_TYPE_TRIGGER_VARIANT(never_bound, default, optin_mmap_shared, move_pages)
GMEM_TYPE_TRIGGER_VARIANT(never_bound, sw_protected, none, compact_memory)

TEST_F_TIMEOUT(never_bound, stays_put, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_STAYED | GMEM_CONTROL;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_unmovable(&variant->config);
	self->region = gmem_region_create_unbound(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	if (self->region->guest_reaches)
		self->guest = gmem_guest_create_idle(self->region);
	if (self->region->host_maps)
		gmem_guest_write_on_host(self->guest, 0, NPAGES);
	gmem_migration_snapshot(self->migration);
	for (int round = 0; round < ROUNDS; round++)
		gmem_migration_fire(self->migration, NULL, &tally);
	gmem_require_control(self->migration, &tally);
	gmem_check_stayed(GMEM_UNMOVABLE, variant->trigger->name, self->migration, &tally);
	gmem_region_bind(self->region);
	if (self->guest) {
		required |= GMEM_VERIFIED;
		tally.verified += gmem_guest_verify(self->guest);
	}
	gmem_case_pass(&tally, required);
}

TEST_HARNESS_MAIN
