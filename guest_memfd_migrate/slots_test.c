// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page moves correctly whichever memslot binds it, and in whichever order they lie.
 *
 * Contract: C2: the stage-2 mapping of exactly the page that moves is dropped,
 *	     in the memslot that binds it; C1: contents.
 * Method:   four memslots bind one file, three of them at file offsets other than 0, in
 *	     an order of guest addresses unlike that of the file, with gaps between.
 *	     With the guest paused, move_pages() sends all pages to the other node, the
 *	     host rewrites them, and the guest must read what the host wrote.  Then one
 *	     vCPU rewrites all pages while they are sent to and fro, first all at once,
 *	     then the first and the last page of each memslot alone.
 * Guards:   fails if a page that was sent alone never moved; broken if the guest wrote
 *	     nothing meanwhile or nothing was compared.
 * Needs:    memory that is expected to be movable; two nodes.
 * Kills:    first-slot-only, range-end-off-by-one, no-invalidate
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_numa.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	128
#define ROUNDS	10
#define TRIES	50

GMEM_FIXTURE(slots)

GMEM_VARIANT(slots, optin, GMEM_CONFIG(default, optin_mmap_shared))
GMEM_VARIANT(slots, plain, GMEM_CONFIG(default, mmap_shared))

/* The memslots 0 1 2 3 of the file lie in the order 2 0 3 1 in the guest; 1 has one page. */
static const struct { size_t first, count, at; } layout[] = {
	{ 0,  40, 200 },
	{ 40, 1,  500 },
	{ 41, 23, 0 },
	{ 64, 64, 300 },
};

static struct gmem_region *create_region(const struct gmem_config *config)
{
	struct gmem_memslot slots[ARRAY_SIZE(layout)];

	for (int i = 0; i < ARRAY_SIZE(layout); i++)
		slots[i] = (struct gmem_memslot) {
			.first = layout[i].first,
			.count = layout[i].count,
			.gpa = gmem_region_gpa() + layout[i].at * getpagesize(),
		};
	return gmem_region_create_slots(config, NPAGES, slots, ARRAY_SIZE(slots));
}

/* Moves @page alone, in several tries, because the kernel may refuse it while the guest uses it. */
static void move_alone(struct gmem_migration *migration, size_t page, struct gmem_tally *tally)
{
	struct gmem_region *region = migration->region;
	u64 before = migration->pfns[page];

	for (int try = 0; try < TRIES; try++) {
		gmem_numa_move(gmem_region_host(region, page), 1, region->page_size,
			       migration->node, false);
		gmem_migration_snapshot(migration);
		if (migration->pfns[page] != before) {
			tally->moved++;
			return;
		}
	}
	gmem_fail(GMEM_LIVENESS,
		  "page %zu: wanted it to move, got the same pfn %#lx after %d tries",
		  page, before, TRIES);
}

/*
 * Moves all pages while the guest is paused, and has it read what the host wrote to them
 * afterwards.  Returns the bytes compared.
 */
static u64 move_while_paused(struct gmem_migration *migration, struct gmem_guest *guest,
			     struct gmem_tally *tally)
{
	u64 verified;

	gmem_migration_fire(migration, NULL, tally);
	gmem_guest_write_on_host(guest, 0, NPAGES);
	gmem_guest_blame(guest, GMEM_STAGE2);
	verified = gmem_guest_verify(guest);
	gmem_guest_blame(guest, GMEM_CONTENTS);
	return verified;
}

TEST_F_TIMEOUT(slots, each_page_moves_in_its_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = create_region(&variant->config);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_migration_snapshot(self->migration);
	tally.verified += move_while_paused(self->migration, self->guest, &tally);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	for (int round = 0; round < ROUNDS; round++) {
		gmem_migration_fire(self->migration, self->guest, &tally);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	for (int i = 0; i < ARRAY_SIZE(layout); i++) {
		move_alone(self->migration, layout[i].first, &tally);
		if (layout[i].count > 1)
			move_alone(self->migration, layout[i].first + layout[i].count - 1, &tally);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
