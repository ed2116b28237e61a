// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compaction moves movable guest_memfd only while it may move unevictable memory.
 *
 * Contract: C4: with vm.compact_unevictable_allowed at 0 compaction moves no
 *	     guest_memfd, movable or not; C9: with 1 it moves movable guest_memfd;
 *	     C1, C2: every byte that the guest writes meanwhile is read back.
 * Method:   file and control lie below free pages.  The test triggers compaction
 *	     with the sysctl at 0, and then at 1, while a vCPU checks and rewrites
 *	     every page.
 * Guards:   broken unless pages of the control moved with the sysctl at 0.  That the
 *	     file then moves with the sysctl at 1 shows that it lay where compaction
 *	     takes pages from.
 * Needs:    an expectation with movable memory; compaction of unevictable memory; two
 *	     nodes.
 * Kills:    compaction-still-checks-inaccessible, no-invalidate, copy-half-page
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "trigger/gmem_fixture.h"

#define UNEVICTABLE "/proc/sys/vm/compact_unevictable_allowed"
#define NPAGES	128

GMEM_FIXTURE(unevictable)

GMEM_TRIGGER_VARIANT(unevictable, optin_mmap_shared, compact_memory)
GMEM_TRIGGER_VARIANT(unevictable, optin_mmap_shared, compact_node)
GMEM_TRIGGER_VARIANT(unevictable, mmap_shared, compact_memory)

/* Fires the trigger with the sysctl at @allowed. */
static void compact(struct gmem_migration *migration, struct gmem_guest *guest,
		    const char *allowed, struct gmem_tally *tally)
{
	gmem_sysctl_set(UNEVICTABLE, allowed);
	gmem_migration_fire(migration, guest, tally);
	gmem_guest_wait_rounds(guest, 1);
}

TEST_F_TIMEOUT(unevictable, is_left_alone_by_compaction, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {}, forbidden = {};
	struct gmem_migration *migration;

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	migration = gmem_migration_create(variant->trigger, self->region);
	self->migration = migration;
	self->guest = gmem_guest_create(self->region);
	gmem_migration_snapshot(migration);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);

	compact(migration, self->guest, "0", &forbidden);
	gmem_require_control(migration, &forbidden);
	if (forbidden.moved)
		gmem_fail(GMEM_UNMOVABLE,
			  "%s: page %zu: wanted the same frame with compact_unevictable_allowed at 0, got %#lx instead of %#lx (%lu moves)",
			  migration->trigger->name, migration->moved_page, migration->moved_to,
			  migration->moved_from, forbidden.moved);
	tally = forbidden;

	compact(migration, self->guest, "1", &tally);
	if (!tally.moved)
		gmem_fail(GMEM_LIVENESS,
			  "%s: wanted movable pages to move with compact_unevictable_allowed at 1, got %lu of %zu staying while the control moved",
			  migration->trigger->name, tally.stayed - forbidden.stayed,
			  self->region->npages);
	gmem_guest_pause(self->guest);
	tally.verified = gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_STAYED | GMEM_CONTROL | GMEM_RACED |
		       GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
