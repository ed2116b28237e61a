// SPDX-License-Identifier: GPL-2.0-only
/*
 * No vCPU reaches a page frame that guest_memfd has left, nor misses the new one.
 *
 * Contract: C2: once memory has moved, its old page frame is not written, whoever has it
 *	     next, and the new one has what the guest writes; C1: whichever side of
 *	     the copy a store races with, it is read back.
 * Method:   one vCPU rewrites one word of every cache line of a few pages, of two
 *	     memslots, without an exit: it checks each page first, or writes blindly.
 *	     The trigger sends the pages to the other node and back; at once anonymous
 *	     memory takes the page frames that they left and fills them with a pattern.
 *	     When the guest has handled all pages twice, the pattern must be whole, and
 *	     the host must find every word as new as the guest has written it.
 * Guards:   fails if no page moved; broken if anonymous pages beside them did not move,
 *	     no old page frame was watched, the guest wrote nothing meanwhile, nothing was
 *	     compared, or a write that the test itself makes is missed.
 * Needs:    memory that is expected to be movable; two nodes.
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page,
 *	     no-remote-tlb-flush, range-end-off-by-one, first-slot-only,
 *	     uptodate-dropped
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_numa.h"
#include "observe/gmem_stale_write.h"
#include "trigger/gmem_fixture.h"
#include "vm/gmem_pattern.h"

#define NPAGES	16

GMEM_FIXTURE_WITH(stale_access, GMEM_MEMBERS(
	struct gmem_stale_write *stale_write;
), GMEM_MEMBERS(
	enum gmem_guest_work work;
))

#define VARIANT(_flags, _trigger, _how, _work) \
GMEM_VARIANT(stale_access, _flags##_##_trigger##_##_how, GMEM_CONFIG(default, _flags), \
	     .trigger = &gmem_trigger_##_trigger, \
	     .work = GMEM_GUEST_##_work)
VARIANT(optin_mmap_shared, move_pages, checked, WRITE)
VARIANT(optin_mmap_shared, move_pages, blind, OVERWRITE)
VARIANT(optin_mmap_shared, mbind, checked, WRITE)
VARIANT(optin_mmap_shared, migrate_pages, blind, OVERWRITE)
VARIANT(optin_mmap_shared_alias, move_pages, checked, WRITE)
VARIANT(mmap_shared, move_pages, checked, WRITE)
VARIANT(mmap_shared, move_pages, blind, OVERWRITE)
VARIANT(mmap_shared, mbind, checked, WRITE)
VARIANT(mmap_shared, migrate_pages, blind, OVERWRITE)
VARIANT(mmap_shared_alias, move_pages, checked, WRITE)

/* Two memslots bind the file; its second half comes first in the guest. */
static struct gmem_region *create_region(const struct gmem_config *config)
{
	u64 half = NPAGES / 2 * getpagesize(), gpa = gmem_region_gpa();
	const struct gmem_memslot slots[] = {
		{ .first = 0, .count = NPAGES / 2, .gpa = gpa + half },
		{ .first = NPAGES / 2, .count = NPAGES / 2, .gpa = gpa },
	};

	return gmem_region_create_slots(config, NPAGES, slots, ARRAY_SIZE(slots));
}

/*
 * Gives the guest CPUs of its own where both nodes have some.  On the host's CPU it would
 * hardly run while pages move, and be out of guest mode whenever they do.
 */
static struct gmem_guest *create_guest(struct gmem_region *region)
{
	int here = gmem_numa_node(0), there = gmem_numa_node(1);
	bool both_have_cpus = gmem_numa_has_cpus(here) && gmem_numa_has_cpus(there);
	struct gmem_guest *guest;

	if (both_have_cpus)
		gmem_numa_run_on(there);
	guest = gmem_guest_create_idle(region);
	if (both_have_cpus)
		gmem_numa_run_on(here);
	gmem_guest_stamp_lines(guest);
	return guest;
}

/* Returns how many of the page frames that the region left are watched now. */
static size_t move_and_watch(struct gmem_migration *migration, struct gmem_guest *guest,
			     struct gmem_stale_write *stale_write, struct gmem_tally *tally)
{
	u64 before[NPAGES], left[NPAGES];
	int node = gmem_numa_other(migration->node);
	size_t count = 0;

	memcpy(before, migration->pfns, sizeof(before));
	gmem_migration_fire(migration, guest, tally);
	for (size_t page = 0; page < NPAGES; page++)
		if (migration->pfns[page] != before[page])
			left[count++] = before[page];
	return gmem_stale_write_take(stale_write, node, left, count);
}

/*
 * Fails unless the host finds what the guest wrote, that is, both use the same page frame.
 * Returns the bytes compared.
 */
static u64 check_new_pages(struct gmem_guest *guest)
{
	struct gmem_mismatch bad;

	for (size_t page = 0; page < NPAGES; page++)
		if (!__gmem_guest_seen_on_host(guest, page, gmem_guest_generation(guest, page),
					       false, &bad))
			gmem_fail(GMEM_STAGE2,
				  "host: page %zu word %lu: want %#lx or later, as the guest wrote, got %#lx",
				  page, bad.word, bad.want, bad.got);
	return NPAGES * getpagesize() / GMEM_EVERY_LINE;
}

TEST_F_TIMEOUT(stale_access, does_not_happen, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	size_t watched = 0;

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = create_region(&variant->config);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	self->guest = create_guest(self->region);
	self->stale_write = gmem_stale_write_create();
	gmem_guest_run(self->guest, variant->work);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_migration_snapshot(self->migration);
	for (int round = 0; round < variant->trigger->rounds; round++) {
		watched += move_and_watch(self->migration, self->guest, self->stale_write, &tally);
		gmem_guest_wait_rounds(self->guest, 2);
		gmem_stale_write_check(self->stale_write);
		gmem_stale_write_release(self->stale_write);
		tally.verified += check_new_pages(self->guest);
	}
	if (tally.control && !tally.moved)
		gmem_fail(GMEM_LIVENESS, "%s: wanted movable pages to move, got none",
			  variant->trigger->name);
	if (tally.moved && !watched)
		gmem_broken("wanted to watch some of %lu old page frames, got none", tally.moved);
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_stale_write_free(self->stale_write);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
