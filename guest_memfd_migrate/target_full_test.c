// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page stays as it is while the target node is full, and moves once there is room.
 *
 * Contract: C8: a migration that fails for want of memory leaves pfn, data and
 *	     mappings as they were, and works once the obstacle is gone.
 * Method:   the second node is filled, by huge pages and then by anonymous pages that
 *	     move_pages() sends there, until a call with 2048 of them moves none.  The
 *	     region is sent there while one vCPU rewrites it; guest and host compare
 *	     every byte.  Then the node is emptied and the region sent there again, and
 *	     back, until all of it has moved.
 * Guards:   broken if the full node took half of the region, or the guest wrote nothing
 *	     meanwhile; fails if a page does not move in the end.
 * Needs:    memory that is expected to be movable; two nodes; a pool of huge pages.
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
#define REFILLS	5		/* attempts to have a full node refuse the region */

/* Up to MAX_FILLERS times, FILLER_PAGES anonymous pages are sent to the node to fill it. */
#define FILLER_PAGES	2048
#define MAX_FILLERS	32

GMEM_FIXTURE_WITH(target_full, GMEM_MEMBERS(
	struct gmem_anon *filler[MAX_FILLERS];
	long pool;		/* huge pages that the node had before */
), GMEM_MEMBERS())

GMEM_CONFIG_VARIANT(target_full, optin_mmap_shared)
GMEM_CONFIG_VARIANT(target_full, mmap_shared)

/* Returns false if the node took none of the pages. */
static bool send_filler(int node, struct gmem_anon *filler)
{
	gmem_numa_bind(gmem_numa_node(0));
	gmem_anon_touch(filler, 0, FILLER_PAGES);
	gmem_numa_bind(-1);
	gmem_anon_moved(filler);
	gmem_numa_move(filler->mem, FILLER_PAGES, filler->page_size, node, false);
	return gmem_anon_moved(filler);
}

/*
 * Fills the node by migration, because that does not wake the OOM killer when the node is
 * full, and an allocation does.  The kernel may refuse single pages because they are in use;
 * only if it takes none of many, the node is full.
 */
static void fill_node(int node, struct gmem_anon **filler)
{
	/* The kernel makes as many huge pages as it can; no node has room for this number. */
	gmem_hugetlb_resize(node, 1000000);
	for (int i = 0; i < MAX_FILLERS; i++) {
		if (filler[i])
			continue;
		filler[i] = gmem_anon_create(FILLER_PAGES);
		if (!send_filler(node, filler[i]))
			return;
	}
	gmem_broken("wanted node %d to be full, got room for %d more pages", node,
		    FILLER_PAGES * MAX_FILLERS);
}

static void empty_node(int node, struct gmem_anon **filler, long pool)
{
	for (int i = 0; i < MAX_FILLERS; i++) {
		gmem_anon_free(filler[i]);
		filler[i] = NULL;
	}
	gmem_hugetlb_resize(node, pool);
}

/*
 * Sends the whole region back to the first node.  A page that stayed behind on the full node
 * would count as one that the node refuses next time.
 */
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
	gmem_broken("wanted all pages back on node %d, got some elsewhere after %d tries", node,
		    TRIES);
}

/*
 * Sends the region to the full node until that refuses more than half of it while the guest
 * writes.  Fewer pages prove nothing, as they may have been in use.  It takes another attempt
 * if the kernel has freed memory of the node meanwhile, or if the guest did not run.
 */
static void send_to_full_node(FIXTURE_DATA(target_full) * self, int node, struct gmem_tally *tally)
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
	gmem_broken("wanted node %d to refuse %d pages of a guest that writes, got fewer %d times",
		    node, NPAGES / 2 + 1, REFILLS);
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
	/* The first lookup of zones allocates a page on each node, so none may be full yet. */
	if (!gmem_zone_all_there(self->migration->pfns, NPAGES, gmem_numa_node(0), false))
		gmem_broken("wanted all %d pages on node %d, got some elsewhere", NPAGES,
			    gmem_numa_node(0));
	self->pool = gmem_hugetlb_pool(node);
	gmem_hugetlb_keep(node);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	send_to_full_node(self, node, &tally);
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
