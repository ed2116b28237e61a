// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable guest_memfd does not move either before a memslot binds it.
 *
 * Contract: C4: pages keep pfn and contents under every trigger from their allocation on.
 * Method:   the test allocates a file that no memslot binds, and writes it if the host
 *	     can.  It fires the trigger and compares all pfns.  Then it creates a memslot,
 *	     and guest and host compare every byte.
 * Guards:   broken unless pages of the control moved and every pfn was seen to stay, and
 *	     unless bytes were compared if guest or host can access them.
 * Needs:    an expectation with unmovable memory; two nodes; compaction; kprobe events
 *	     for memory that the host does not map.
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
