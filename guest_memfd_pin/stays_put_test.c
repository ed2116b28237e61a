// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable guest_memfd keeps its pfns, contents and stage-2 mappings.
 *
 * Contract: C4: pages keep their pfns and stage-2 mappings under every trigger.
 * Method:   one vCPU checks and rewrites every page in a loop while the trigger
 *	     fires.  A probe counts all stage-2 unmap requests in the range, all pfns
 *	     are compared, and at the end every byte.  Unless the memslot is aliased,
 *	     nothing is mapped at its userspace_addr, so that MMU notifiers cannot
 *	     cause unmaps.
 * Guards:   broken unless pages of the control moved, the guest wrote meanwhile,
 *	     every pfn was seen to stay, bytes were compared, and the probe saw a
 *	     hole punched into the sentinel before and after.
 * Needs:    an expectation with unmovable memory; kprobe events; two nodes for
 *	     move_pages; compaction.
 * Kills:    opt-in-ignored, migrate-core-ignores-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_deadline.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	128
#define ROUNDS	2

GMEM_FIXTURE(stays_put)

GMEM_UNMOVABLE_VARIANTS(stays_put)

/* The trigger may be done before the vCPU's thread gets to run, so it may have to fire again. */
static void fire_and_race(struct gmem_migration *migration, struct gmem_guest *guest,
			  struct gmem_tally *tally)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	for (int round = 0; round < ROUNDS; round++)
		gmem_migration_fire(migration, guest, tally);
	while (guest && !tally->raced && gmem_deadline_poll(&deadline))
		gmem_migration_fire(migration, guest, tally);
}

static void check_stayed(struct gmem_migration *migration, struct gmem_unmap_probe *probe,
			 struct gmem_tally *tally)
{
	gmem_require_control(migration, tally);
	gmem_check_stayed(GMEM_UNMOVABLE, migration->trigger->name, migration, tally);
	gmem_check_not_unmapped(GMEM_UNMOVABLE, migration->trigger->name, probe);
}

TEST_F_TIMEOUT(stays_put, under_guest_writes, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_STAYED | GMEM_CONTROL;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_unmovable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);

	/* Without access by the guest there are no contents to write or to compare. */
	if (self->region->guest_reaches) {
		required |= GMEM_RACED | GMEM_VERIFIED;
		self->guest = gmem_guest_create(self->region);
	}
	gmem_migration_snapshot(self->migration);
	self->probe = gmem_unmap_probe_start(self->region);
	if (self->guest) {
		gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	fire_and_race(self->migration, self->guest, &tally);
	if (self->guest)
		gmem_guest_pause(self->guest);
	check_stayed(self->migration, self->probe, &tally);
	if (self->guest)
		tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, required);
}

TEST_HARNESS_MAIN
