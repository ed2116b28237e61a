// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory block with movable guest_memfd can go offline, and one with unmovable cannot.
 *
 * Contract: C9: offlining a block with movable memory finishes while the guest writes;
 *	     with unmovable memory it is refused, or ended by a signal; C7: movable
 *	     memory is allocated in ZONE_MOVABLE; C1, C2: no page of movable memory is
 *	     left in the block, each stage-2 mapping was dropped, and guest and host
 *	     read what was written, and zeros where nothing was; C4: unmovable memory
 *	     keeps its pfns, contents and stage-2 mappings.
 * Method:   file and control are on a node of which only one block is online.  One
 *	     vCPU rewrites half of the file while a child writes "offline" to the
 *	     block's state.  The child gets a signal once the kernel has failed often
 *	     enough to migrate a page.  Movable memory is in ZONE_MOVABLE; if the host
 *	     maps it, it is sent back several times, and the block taken offline again.
 *	     Unmovable memory is in ZONE_NORMAL, and punched in the end.
 * Guards:   broken unless the block went offline before with as many pages of the
 *	     control in it, and unless the guest wrote meanwhile; fails if the block does
 *	     not go offline once unmovable memory is punched.
 * Needs:    two blocks that are offline, of a node with no other memory; kprobe events.
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-forever, dirty-refused,
 *	     untouched-refused, opt-in-ignored, offline-never-gives-up
 */
#include <errno.h>
#include <string.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_profile.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_block.h"
#include "mm/gmem_numa.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_unplug.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	128
/* A page that is in use for a moment is migrated within this many attempts. */
#define TRIES	50

GMEM_UNPLUG_FIXTURE(block)

GMEM_TYPE_VARIANT(block, default, optin_mmap)
GMEM_TYPE_VARIANT(block, default, optin_mmap_shared)
GMEM_TYPE_VARIANT(block, default, mmap)
GMEM_TYPE_VARIANT(block, default, mmap_shared)
GMEM_TYPE_VARIANT(block, sw_protected, mmap)

/*
 * Takes the block offline unless the kernel fails to migrate pages @attempts times.  Returns 0 or
 * -errno, as __gmem_block_offline() does.
 */
static int try_offline(struct gmem_unplug *unplug, int attempts, struct gmem_tally *tally)
{
	u64 before = gmem_guest_progress(unplug->guest);
	int err = __gmem_block_offline(unplug->block, attempts);

	tally->raced += gmem_guest_progress(unplug->guest) - before;
	if (err == -ETIME)
		gmem_fail(GMEM_LIVENESS, "offlining: wanted a signal to end it, got nothing (%s)",
			  unplug->region->name);
	gmem_migration_count(unplug->migration, tally);
	return err;
}

/* Fails the case unless the block goes offline, and no page is left in it. */
static void check_goes_offline(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	int err = try_offline(unplug, NPAGES * TRIES, tally);
	size_t held = gmem_unplug_held(unplug);

	if (err)
		gmem_fail(GMEM_LIVENESS,
			  "wanted block %ld offline, got %s with %zu of %d pages in it (%s)",
			  unplug->block, strerror(-err), held, NPAGES, unplug->region->name);
	if (held)
		gmem_fail(GMEM_LIVENESS, "block %ld is offline: wanted no page in it, got %zu (%s)",
			  unplug->block, held, unplug->region->name);
}

/* Brings the block online again, and sends all pages there. */
static void send_back(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	struct gmem_region *region = unplug->region;

	gmem_block_online(unplug->block, "online_movable");
	/* A page does not move while it is in use, but that takes only a moment. */
	for (int try = 0; try < TRIES && gmem_unplug_held(unplug) < NPAGES; try++) {
		gmem_numa_move(region->host, NPAGES, region->page_size, unplug->node, false);
		gmem_migration_count(unplug->migration, tally);
	}
	tally->placed = 0;
	gmem_unplug_check_placed(unplug, tally);
}

TEST_F_TIMEOUT(block, leaves_if_movable, gmem_profile_timeout())
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	int rounds;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&gmem_unplug_block, &variant->config, NPAGES, true);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	check_goes_offline(unplug, &tally);
	gmem_unplug_check_unmapped(unplug);
	/* Memory that the host does not map cannot be sent back. */
	rounds = unplug->region->host_maps ? gmem_rounds(2, 20, 100) : 1;
	for (int round = 1; round < rounds; round++) {
		send_back(unplug, &tally);
		check_goes_offline(unplug, &tally);
	}
	gmem_unplug_verify(unplug, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED | GMEM_RACED |
			       GMEM_VERIFIED);
}

TEST_F_TIMEOUT(block, stays_if_unmovable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	int err = 0;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&gmem_unplug_block, &variant->config, NPAGES, false);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	/* A refusal may come before the guest has written anything. */
	for (int try = 0; !tally.raced && try < TRIES; try++)
		err = try_offline(unplug, 2 * NPAGES, &tally);
	gmem_unplug_check_stayed(unplug, &tally);
	if ((err != -EBUSY && err != -EINTR) || !gmem_block_is_online(unplug->block))
		gmem_fail(GMEM_LIVENESS, "offlining: wanted EBUSY or EINTR, got %s (%s)",
			  strerror(-err), unplug->region->name);
	gmem_unplug_verify(unplug, &tally);

	gmem_region_discard(unplug->region);
	err = __gmem_block_offline(unplug->block, NPAGES * TRIES);
	if (err)
		gmem_fail(GMEM_LIVENESS, "wanted block %ld offline once punched, got %s (%s)",
			  unplug->block, strerror(-err), unplug->region->name);
	/* The control may not have moved before the attempt was refused, so it is counted again. */
	tally.control += gmem_anon_moved(unplug->migration->control);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
