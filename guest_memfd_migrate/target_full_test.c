// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where there is no room a page stays as it is, and moves once there is.
 *
 * Contract: C8: a migration that fails for want of memory leaves frame, data and
 *	     mappings as they were, and works once the obstacle is gone.
 * Method:   the second node is filled, by huge pages and then by ordinary pages that
 *	     move_pages() sends there until it refuses all of many.  The region is sent
 *	     there while one vCPU rewrites it; guest and host compare every byte.
 *	     Then the node is emptied and the region sent there again, and back, until all
 *	     of it has moved.
 * Guards:   broken if the full node took half of the region, or the guest wrote nothing
 *	     meanwhile; fails if a page does not move in the end.
 * Needs:    a policy with movable memory; two nodes; a pool of huge pages.
 * Kills:    lock-leaked-on-error, end-skipped-on-error, migration-entry-left-on-failure
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_hugetlb.h"
#include "mm/gmem_numa.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
#define TRIES	50
#define REFILLS	5

/* Ordinary pages to fill the node with, at a time and at most. */
#define FILL	2048
#define FILLS	32

GMEM_FIXTURE_WITH(target_full,
	GMEM_MEMBERS(
		struct gmem_anon *filler[FILLS];
		long pool;		/* huge pages that the node had before */
	),
	)

GMEM_CONFIG_VARIANT(target_full, optin_mmap_shared)
GMEM_CONFIG_VARIANT(target_full, mmap_shared)

/* False if the node took none of them. */
static bool send_filler(int node, struct gmem_anon *filler)
{
	gmem_numa_bind(gmem_numa_node(0));
	gmem_anon_touch(filler, 0, FILL);
	gmem_numa_bind(-1);
	gmem_anon_moved(filler);
	gmem_numa_move(filler->mem, FILL, filler->page_size, node, false);
	return gmem_anon_moved(filler);
}

/*
 * Unlike an allocation, a migration to a full node calls for no OOM killer.  One page that
 * is refused may be in use; a node that takes none is full.
 */
static void fill_node(int node, struct gmem_anon **filler)
{
	gmem_hugetlb_resize(node, 1000000);
	for (int i = 0; i < FILLS; i++) {
		if (filler[i])
			continue;
		filler[i] = gmem_anon_create(FILL);
		if (!send_filler(node, filler[i]))
			return;
	}
	gmem_broken("node %d is not full after %d more pages", node, FILL * FILLS);
}

static void empty_node(int node, struct gmem_anon **filler, long pool)
{
	for (int i = 0; i < FILLS; i++) {
		gmem_anon_free(filler[i]);
		filler[i] = NULL;
	}
	gmem_hugetlb_resize(node, pool);
}

/* All of it, or a page that is on the full node already would count as one that stays. */
static void send_back(struct gmem_migration *migration, struct gmem_guest *guest)
{
	struct gmem_tally back = {};
	int node = gmem_numa_node(0);

	for (int try = 0; try < TRIES; try++) {
		migration->node = node;
		gmem_migration_fire(migration, guest, &back);
		if (gmem_zone_all_there(migration->pfns, NPAGES, node, false))
			return;
	}
	gmem_broken("not all pages came back to node %d in %d tries", node, TRIES);
}

/*
 * What the kernel frees meanwhile makes room again: then once more, as without a write of
 * the guest meanwhile.  A few pages that stay may have been in use, and not without room.
 */
static void be_refused(FIXTURE_DATA(target_full) * self, int node, struct gmem_tally *tally)
{
	for (int try = 0; try < REFILLS; try++) {
		u64 before = tally->stayed;

		fill_node(node, self->filler);
		self->migration->node = node;
		gmem_migration_fire(self->migration, self->guest, tally);
		if (tally->stayed - before > NPAGES / 2 && tally->raced)
			return;
		send_back(self->migration, self->guest);
	}
	gmem_broken("%d times the full node %d had room for %d pages, or the guest wrote nothing",
		    REFILLS, node, NPAGES / 2);
}

TEST_F_TIMEOUT(target_full, stays_and_moves_once_there_is, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int node;

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	node = self->migration->node;
	gmem_skip_if(gmem_hugetlb_missing(node));
	self->guest = gmem_guest_create(self->region);
	gmem_migration_snapshot(self->migration);
	/* The first look for places takes a page of each node, which must not be full then. */
	if (!gmem_zone_all_there(self->migration->pfns, NPAGES, gmem_numa_node(0), false))
		gmem_broken("not all of %d pages are on node %d", NPAGES, gmem_numa_node(0));
	self->pool = gmem_hugetlb_pool(node);
	gmem_hugetlb_keep(node);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	be_refused(self, node, &tally);
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);

	empty_node(node, self->filler, self->pool);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	self->migration->node = node;
	gmem_migration_move_all(self->migration, &tally);
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_STAYED | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
