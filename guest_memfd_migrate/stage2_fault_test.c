// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stage-2 fault maps the right page even if the page moves meanwhile.
 *
 * Contract: C1, C2: a stage-2 fault that races with a migration maps the new pfn
 *	     or waits for it; C9: it does not wait for ever.
 * Method:   in each round the memslot is deleted and created again, so that stage-2 maps
 *	     nothing; then the guest checks and rewrites every page, faulting each one
 *	     in, while move_pages() sends all of them to the other node and back until
 *	     the guest has handled them all.  At the end every byte is compared.
 * Guards:   fails if no page moved; broken if anonymous pages did not move, no fault
 *	     raced with a firing, or nothing was compared.
 * Needs:    memory that is expected to be movable; two nodes.
 * Kills:    no-invalidate, uptodate-dropped, trylock-fail-returns-zero,
 *	     end-skipped-on-error
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_deadline.h"
#include "trigger/gmem_fixture.h"
#include "vm/gmem_memslot.h"

#define NPAGES	128
#define ROUNDS	8

GMEM_FIXTURE(stage2_fault)

GMEM_CONFIG_VARIANT(stage2_fault, optin_mmap_shared)
GMEM_CONFIG_VARIANT(stage2_fault, optin_mmap_shared_alias)
GMEM_CONFIG_VARIANT(stage2_fault, mmap_shared)
GMEM_CONFIG_VARIANT(stage2_fault, mmap_shared_alias)

/* Fires until the guest, for which stage-2 maps nothing at first, has handled every page. */
static void fault_all_in(struct gmem_migration *migration, struct gmem_guest *guest,
			 struct gmem_tally *tally)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	gmem_region_rebind(migration->region);
	gmem_guest_run(guest, GMEM_GUEST_WRITE);
	do {
		gmem_migration_fire(migration, guest, tally);
		if (!gmem_deadline_poll(&deadline))
			gmem_fail(GMEM_LIVENESS, "vCPU: stuck after %lu pages while all pages move",
				  gmem_guest_progress(guest));
	} while (!gmem_guest_passed(guest));
	gmem_guest_pause(guest);
}

TEST_F_TIMEOUT(stage2_fault, see_the_right_page, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_migration_snapshot(self->migration);
	for (int round = 0; round < ROUNDS; round++)
		fault_all_in(self->migration, self->guest, &tally);
	if (!tally.moved)
		gmem_fail(GMEM_LIVENESS, "wanted movable pages to move, got none in %d rounds",
			  ROUNDS);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
