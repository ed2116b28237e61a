// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory block of ZONE_NORMAL goes offline, too, if guest_memfd in it is movable, and
 * not before a page in it that somebody has pinned is let go.
 *
 * Contract: C9: the kernel does not take movable guest_memfd for memory that cannot be
 *	     isolated, which it does not ask of ZONE_MOVABLE; what is pinned is refused, or
 *	     tried again until a signal comes, and goes once it is let go; C8: meanwhile it
 *	     stays in its frame; C1: what was written is read back from the new frames.
 * Method:   file and ordinary pages are on a node of which one block alone is online, as
 *	     ZONE_NORMAL.  The block is taken offline, with ordinary pages alone and then
 *	     with both; or first with a page of the file pinned for long, as io_uring does,
 *	     and then without.  Guest and host compare every byte.
 * Guards:   broken unless the block went offline before with as many ordinary pages in
 *	     it, and holds all pages of the file.
 * Needs:    a policy with movable memory; two blocks that are offline, of a node with no
 *	     other memory; io_uring for the pin.
 * Kills:    isolation-thinks-unmovable, pinned-folio-moved
 */
#include <errno.h>
#include <sys/uio.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_block.h"
#include "mm/gmem_gup_pin.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
/* Failures to migrate a page after which offlining is given up. */
#define ATTEMPTS (50 * NPAGES)
/* The page that is pinned, and failures to migrate it after which that is believed. */
#define PINNED	5
#define REFUSALS 20

/* Of one node; the memory is in the first. */
static long blocks[2];
static int node;

GMEM_FIXTURE(normal_zone)

GMEM_CONFIG_VARIANT(normal_zone, optin_mmap_shared)
GMEM_CONFIG_VARIANT(normal_zone, mmap_shared)

/* Ordinary pages leave the block, which is offline then. */
static void prove_block(struct gmem_anon *control)
{
	gmem_anon_touch_on(control, node);
	gmem_anon_snapshot(control);
	if (gmem_block_holds(blocks[0], control->pfns, NPAGES) < NPAGES)
		gmem_broken("not all ordinary pages are in block %ld", blocks[0]);
	gmem_block_offline(blocks[0]);
	gmem_anon_discard(control, 0, NPAGES);
}

static void place(struct gmem_migration *migration)
{
	gmem_block_online_kernel(blocks[0], blocks[1]);
	prove_block(migration->control);
	gmem_block_online_kernel(blocks[0], blocks[1]);
	gmem_migration_allocate_by_policy(migration, node);
}

static const struct gmem_trigger offline = {
	.name = "offline",
	.missing = gmem_numa_missing,
	.allocate = place,
};

static size_t held(const struct gmem_migration *migration)
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
	if (held(self->migration) < NPAGES)
		gmem_broken("wanted all %d pages in block %ld, got %zu", NPAGES, blocks[0],
			    held(self->migration));
}

static void goes(struct gmem_migration *migration, struct gmem_tally *tally)
{
	int err = __gmem_block_offline(blocks[0], ATTEMPTS);

	gmem_migration_count(migration, tally);
	if (err)
		gmem_fail(GMEM_LIVENESS, "wanted block %ld offline, got %s with %zu of %d pages in it",
			  blocks[0], strerror(-err), held(migration), NPAGES);
}

TEST_F_TIMEOUT(normal_zone, goes_offline, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	begin(self, &variant->config);
	goes(self->migration, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

static void stays(struct gmem_migration *migration, struct gmem_tally *tally)
{
	u64 pfn = migration->pfns[PINNED];
	int err = __gmem_block_offline(blocks[0], REFUSALS);

	gmem_migration_count(migration, tally);
	if (migration->pfns[PINNED] != pfn)
		gmem_fail(GMEM_ATOMICITY,
			  "page %d is pinned: wanted the same frame, got %#lx instead of %#lx",
			  PINNED, migration->pfns[PINNED], pfn);
	if ((err != -EBUSY && err != -EINTR) || !gmem_block_is_online(blocks[0]))
		gmem_fail(GMEM_LIVENESS, "page %d is pinned: wanted EBUSY or EINTR, got %s", PINNED,
			  strerror(-err));
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
	stays(self->migration, &tally);
	gmem_gup_unpin(ring);
	goes(self->migration, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_STAYED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
