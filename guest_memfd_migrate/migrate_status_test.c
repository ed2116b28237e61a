// SPDX-License-Identifier: GPL-2.0-only
/*
 * A system call that migrates pages reports what it did.
 *
 * Contract: C9: a refusal is reported as an error, and a success as such; movable memory
 *	     that nobody uses moves at the first attempt; C4: unmovable memory does not.
 * Method:   pages that the host has written, and nobody uses, are sent to the other node
 *	     by move_pages(), by mbind() with MPOL_MF_STRICT and without, and by
 *	     migrate_pages().  The return value of each call, and the status that
 *	     move_pages() gives for each page, are compared with the node of each page's
 *	     pfn.  Then every byte is compared.
 * Guards:   broken if anonymous pages did not move, or the node of no page was looked up.
 * Needs:    two nodes.
 * Kills:    eagain-forever, trylock-fail-returns-zero, opt-in-ignored
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_numa.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64

GMEM_FIXTURE_WITH(migrate_status, GMEM_MEMBERS(
	struct gmem_tally tally;
), GMEM_MEMBERS())

GMEM_CONFIG_VARIANT(migrate_status, optin_mmap_shared)
GMEM_CONFIG_VARIANT(migrate_status, mmap_shared)

static int node_of(u64 pfn)
{
	struct gmem_zone zone;

	gmem_zone_of(pfn, &zone);
	return zone.node;
}

/*
 * Returns how many pages are on @node after @call.  Fails the case unless that is all of them
 * if they are movable, or if an unmovable page has moved.
 */
static size_t count_arrived(FIXTURE_DATA(migrate_status) * self, int node, const char *call)
{
	struct gmem_migration *migration = self->migration;
	size_t arrived = 0, moved = 0;
	u64 before[NPAGES];

	memcpy(before, migration->pfns, sizeof(before));
	self->tally.control += gmem_anon_moved(migration->control);
	gmem_pfn_read(self->region, migration->pfns);
	for (size_t page = 0; page < NPAGES; page++) {
		arrived += node_of(migration->pfns[page]) == node;
		moved += migration->pfns[page] != before[page];
	}
	self->tally.placed += NPAGES;
	self->tally.moved += moved;
	self->tally.stayed += NPAGES - moved;
	if (self->region->movable && arrived != NPAGES)
		gmem_fail(GMEM_LIVENESS, "%s: wanted all %d pages on node %d, got %zu", call,
			  NPAGES, node, arrived);
	if (!self->region->movable && moved)
		gmem_fail(GMEM_UNMOVABLE, "%s: wanted all pages to keep their pfns, got %zu moved",
			  call, moved);
	return arrived;
}

static void check_return(const char *call, long want, long got, size_t arrived)
{
	if (want != got)
		gmem_fail(GMEM_LIVENESS,
			  "%s: %zu of %d pages are on the node: wanted a return of %ld, got %ld",
			  call, arrived, NPAGES, want, got);
}

static void send_by_move_pages(FIXTURE_DATA(migrate_status) * self, int node)
{
	struct gmem_region *region = self->region;
	int status[NPAGES], ret;
	size_t arrived;

	ret = __gmem_numa_move(0, gmem_region_host(region, 0), NPAGES, region->page_size, node,
			       false, status);
	gmem_numa_move(self->migration->control->mem, NPAGES, region->page_size, node, false);
	arrived = count_arrived(self, node, "move_pages");
	check_return("move_pages", NPAGES - arrived, ret, arrived);
	for (size_t page = 0; page < NPAGES; page++)
		if (arrived == NPAGES && status[page] != node)
			gmem_fail(GMEM_LIVENESS, "move_pages: page %zu: wanted status %d, got %d",
				  page, node, status[page]);
}

static void send_by_mbind(FIXTURE_DATA(migrate_status) * self, int node, bool strict)
{
	const char *call = strict ? "mbind(STRICT)" : "mbind";
	struct gmem_region *region = self->region;
	size_t arrived;
	int ret;

	ret = __gmem_numa_mbind(gmem_region_host(region, 0), gmem_region_size(region), node,
				strict);
	gmem_numa_mbind(self->migration->control->mem, gmem_region_size(region), node);
	arrived = count_arrived(self, node, call);
	check_return(call, strict && arrived != NPAGES ? -EIO : 0, ret, arrived);
}

/*
 * migrate_pages(2) moves all memory of this process, and its return value counts every page
 * that did not move; so it may be larger than the number of ours that stayed.
 */
static void send_by_migrate_pages(FIXTURE_DATA(migrate_status) * self, int node)
{
	long ret = __gmem_numa_migrate(gmem_numa_other(node), node);
	size_t arrived = count_arrived(self, node, "migrate_pages");

	if (ret < (long)(NPAGES - arrived))
		gmem_fail(GMEM_LIVENESS,
			  "migrate_pages: wanted it to return %zu or more, for pages that stayed, got %ld",
			  NPAGES - arrived, ret);
}

TEST_F_TIMEOUT(migrate_status, what_it_did, GMEM_CASE_TIMEOUT)
{
	int node[2];

	GMEM_CASE_BEGIN();
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_write_on_host(self->guest, 0, NPAGES);
	gmem_migration_snapshot(self->migration);
	for (int nth = 0; nth < 2; nth++)
		node[nth] = gmem_numa_node(nth);
	send_by_move_pages(self, node[1]);
	send_by_mbind(self, node[0], true);
	send_by_mbind(self, node[1], true);
	send_by_mbind(self, node[0], false);
	send_by_migrate_pages(self, node[1]);
	self->tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&self->tally, GMEM_CONTROL | GMEM_VERIFIED | GMEM_PLACED |
		       (self->region->movable ? GMEM_MOVED : GMEM_STAYED));
}

TEST_HARNESS_MAIN
