// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd keeps every byte that its guest wrote while it moved.
 *
 * Contract: C1, C2: whichever side of the copy a store races with, it is read
 *	     back after the move; C9: movable memory does move.
 * Method:   one vCPU checks and rewrites every word of every page in a loop, never
 *	     exiting, while move_pages() sends all pages to the other node and back,
 *	     or compaction moves them within their node; then guest and, through a new
 *	     mapping, host compare every byte.
 * Guards:   fails if no pfn changed; broken if anonymous pages beside the file did not
 *	     move either, the guest wrote nothing meanwhile, or nothing was compared.
 * Needs:    memory that is expected to be movable; two nodes for move_pages;
 *	     compaction.
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page,
 *	     no-remote-tlb-flush, range-end-off-by-one, eagain-forever, dirty-refused,
 *	     unmap-without-start-end, warn-left-in-callback, x86-rmaps-skipped,
 *	     arm64-range-pages-minus-1
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "trigger/gmem_fixture.h"

#define NPAGES	128

GMEM_FIXTURE(contents)

GMEM_MOVABLE_VARIANTS(contents)

/*
 * Fires several times, because the kernel may refuse a page now and then while the guest uses
 * it; that is no failure.
 */
static void move_around(struct gmem_migration *migration, struct gmem_guest *guest,
			struct gmem_tally *tally)
{
	int rounds = migration->trigger->rounds;

	gmem_migration_snapshot(migration);
	for (int round = 0; round < rounds; round++) {
		gmem_migration_fire(migration, guest, tally);
		/* The next move must find the new pfns mapped in stage-2. */
		if (guest)
			gmem_guest_wait_rounds(guest, 1);
	}
	gmem_require_control(migration, tally);
	if (!tally->moved)
		gmem_fail(GMEM_LIVENESS,
			  "%s: wanted movable pages to move, got %lu of %zu pages staying %d times, while %lu anonymous pages moved",
			  migration->trigger->name, tally->stayed / rounds,
			  migration->region->npages, rounds, tally->control);
}

TEST_F_TIMEOUT(contents, survive_moves_under_guest_writes, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_MOVED | GMEM_CONTROL;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);

	/* Where the guest does not reach the file, the host does not either: it has no contents. */
	if (self->region->guest_reaches) {
		required |= GMEM_RACED | GMEM_VERIFIED;
		self->guest = gmem_guest_create(self->region);
		gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	move_around(self->migration, self->guest, &tally);
	if (self->guest) {
		gmem_guest_pause(self->guest);
		tally.verified += gmem_guest_verify(self->guest);
	}
	gmem_case_pass(&tally, required);
}

TEST_HARNESS_MAIN
