// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory block of ZONE_NORMAL with movable guest_memfd can go offline, too, but not while
 * one of its pages is pinned.
 *
 * Contract: C9: the kernel does not take movable guest_memfd for memory that cannot be
 *	     isolated, which it checks in ZONE_NORMAL only; with a pinned page offlining is
 *	     refused, or tried again until a signal comes, and succeeds once the page is
 *	     unpinned; C8: a pinned page keeps its pfn; C1: what was written is read back
 *	     from the new pages.
 * Method:   file and control are on a node of which only one block is online, as
 *	     ZONE_NORMAL.  The block is taken offline with the control alone in it, and then
 *	     with both.  In the other case a page of the file has a longterm pin of io_uring
 *	     first, which is then released.  Guest and host compare every byte.
 * Guards:   broken unless the block went offline before with as many pages of the control
 *	     in it, and holds all pages of the file.
 * Needs:    an expectation with movable memory; two blocks that are offline, of a node with
 *	     no other memory; io_uring for the pin.
 * Kills:    isolation-thinks-unmovable, pinned-folio-moved
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_block.h"
#include "mm/gmem_gup_pin.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
/* After this many failures to migrate a page the test gives up. */
#define ATTEMPTS (50 * NPAGES)
/* The page that is pinned.  It will not move after this many failures to migrate it. */
#define PINNED	5
#define REFUSALS 20

/* These two blocks are all memory of the node.  The memory under test is in the first one. */
static long blocks[2];
static int node;

GMEM_FIXTURE(normal_zone)

GMEM_CONFIG_VARIANT(normal_zone, optin_mmap_shared)
GMEM_CONFIG_VARIANT(normal_zone, mmap_shared)

/* Takes the block offline with the control in it, which proves that it can go offline. */
static void prove_block(struct gmem_anon *control)
{
	gmem_anon_touch_on(control, node);
	gmem_anon_snapshot(control);
	if (gmem_block_holds(blocks[0], control->pfns, NPAGES) < NPAGES)
		gmem_broken("not all pages of the control are in block %ld", blocks[0]);
	gmem_block_offline(blocks[0]);
	gmem_anon_discard(control, 0, NPAGES);
}

static void allocate_in_block(struct gmem_migration *migration)
{
	gmem_block_online_kernel(blocks[0], blocks[1]);
	prove_block(migration->control);
	gmem_block_online_kernel(blocks[0], blocks[1]);
	gmem_migration_allocate_by_policy(migration, node);
}

static const struct gmem_trigger offline = {
	.name = "offline",
	.missing = gmem_numa_missing,
	.allocate = allocate_in_block,
};

/* Returns how many pages of the file were in the block at the last snapshot. */
static size_t pages_in_block(const struct gmem_migration *migration)
{
	return gmem_block_holds(blocks[0], migration->pfns, NPAGES);
}

static void begin(FIXTURE_DATA(normal_zone) * self, const struct gmem_config *config)
{
	gmem_require_movable(config);
	self->region = gmem_region_create(config, NPAGES);
	node = gmem_block_find_offline_node(blocks);
	self->migration = gmem_migration_create(&offline, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_migration_snapshot(self->migration);
	if (pages_in_block(self->migration) < NPAGES)
		gmem_broken("wanted all %d pages in block %ld, got %zu", NPAGES, blocks[0],
			    pages_in_block(self->migration));
}

static void check_goes_offline(struct gmem_migration *migration, struct gmem_tally *tally)
{
	int err = __gmem_block_offline(blocks[0], ATTEMPTS);

	gmem_migration_count(migration, tally);
	if (err)
		gmem_fail(GMEM_LIVENESS,
			  "wanted block %ld offline, got %s with %zu of %d pages in it", blocks[0],
			  strerror(-err), pages_in_block(migration), NPAGES);
}

TEST_F_TIMEOUT(normal_zone, goes_offline, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	begin(self, &variant->config);
	check_goes_offline(self->migration, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

static void check_refused(struct gmem_migration *migration, struct gmem_tally *tally)
{
	u64 before = migration->pfns[PINNED];
	int err = __gmem_block_offline(blocks[0], REFUSALS);

	gmem_migration_count(migration, tally);
	if (migration->pfns[PINNED] != before)
		gmem_fail(GMEM_ATOMICITY,
			  "page %d is pinned: wanted the same frame, got %#lx instead of %#lx",
			  PINNED, migration->pfns[PINNED], before);
	if ((err != -EBUSY && err != -EINTR) || !gmem_block_is_online(blocks[0]))
		gmem_fail(GMEM_LIVENESS, "page %d is pinned: wanted EBUSY or EINTR, got %s",
			  PINNED, strerror(-err));
}

TEST_F_TIMEOUT(normal_zone, waits_for_a_pin, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct iovec page;
	int ring;

	GMEM_CASE_BEGIN();
	begin(self, &variant->config);
	page.iov_base = gmem_region_host(self->region, PINNED);
	page.iov_len = self->region->page_size;
	ring = gmem_gup_pin(&page, 1);
	check_refused(self->migration, &tally);
	gmem_gup_unpin(ring);
	check_goes_offline(self->migration, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_STAYED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
