// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd moves, and keeps its contents, also while no memslot binds it.
 *
 * Contract: C11: before the first memslot is created, after the last one is deleted,
 *	     beside one whose pages the guest writes, and when VM and descriptor are gone
 *	     and only a mapping is left; C1, C2: what was written is read back, by the
 *	     guest through a memslot that is created later; C9: it does move.
 * Method:   all pages are written, by the guest if a memslot binds them, or else by the
 *	     host; then move_pages() sends them until every page has moved, or compaction
 *	     runs several times.  The memslot is created, or created again, and guest
 *	     and host compare every byte; where the VM is gone, the host does so alone.
 * Guards:   fails if a page that is sent does not move, or compaction moves none; broken
 *	     if anonymous pages did not move, or nothing was compared.
 * Needs:    memory that is expected to be movable; two nodes; compaction.
 * Kills:    unbound-refused, copy-half-page, uptodate-dropped
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "trigger/gmem_fixture.h"
#include "vm/gmem_memslot.h"
#include "vm/gmem_pattern.h"

#define THIRD	24
#define NPAGES	(3 * THIRD)
#define ROUNDS	3

GMEM_FIXTURE(unbound)

GMEM_TRIGGER_VARIANT(unbound, optin_mmap_shared, move_pages)
GMEM_TRIGGER_VARIANT(unbound, optin_mmap_shared, compact_memory)
GMEM_TRIGGER_VARIANT(unbound, mmap_shared, move_pages)
GMEM_TRIGGER_VARIANT(unbound, mmap_shared, compact_memory)

/*
 * Moves every page if the trigger takes addresses.  Compaction need not reach every page, so
 * there it suffices that some move.
 */
static void move_unbound(struct gmem_migration *migration, struct gmem_tally *tally)
{
	if (migration->trigger->by_address) {
		gmem_migration_move_all(migration, tally);
		return;
	}
	gmem_migration_snapshot(migration);
	for (int round = 0; round < ROUNDS; round++)
		gmem_migration_fire(migration, NULL, tally);
	gmem_require_control(migration, tally);
	if (!tally->moved)
		gmem_fail(GMEM_LIVENESS, "%s: wanted pages to move, got none",
			  migration->trigger->name);
}

TEST_F_TIMEOUT(unbound, before_the_first_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create_unbound(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_write_on_host(self->guest, 0, NPAGES);
	move_unbound(self->migration, &tally);
	gmem_region_bind(self->region);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_F_TIMEOUT(unbound, after_the_last_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_region_unbind(self->region);
	move_unbound(self->migration, &tally);
	gmem_region_bind(self->region);
	gmem_guest_blame(self->guest, GMEM_STAGE2);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

static struct gmem_region *create_three_slots(const struct gmem_config *config)
{
	u64 gpa = gmem_region_gpa(), size = THIRD * getpagesize();
	const struct gmem_memslot slots[] = {
		{ .first = 0, .count = THIRD, .gpa = gpa },
		{ .first = THIRD, .count = THIRD, .gpa = gpa + size },
		{ .first = 2 * THIRD, .count = THIRD, .gpa = gpa + 2 * size },
	};

	return gmem_region_create_slots(config, NPAGES, slots, ARRAY_SIZE(slots));
}

TEST_F_TIMEOUT(unbound, beside_a_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = create_three_slots(&variant->config);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_region_unbind_slot(self->region, 0);
	gmem_region_unbind_slot(self->region, 2);
	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, THIRD, THIRD);
	move_unbound(self->migration, &tally);
	gmem_guest_pause(self->guest);
	gmem_region_bind_slot(self->region, 0);
	gmem_region_bind_slot(self->region, 2);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_F_TIMEOUT(unbound, when_a_mapping_is_left, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	gmem_pattern_write(self->region->host, 0, NPAGES);
	gmem_region_keep_mapping(self->region);
	move_unbound(self->migration, &tally);
	tally.verified += gmem_pattern_check(self->region->host, 0, NPAGES, GMEM_CONTENTS, "host");
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
