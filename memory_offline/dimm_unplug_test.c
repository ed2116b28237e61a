// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DIMM can be unplugged from under movable guest_memfd, and not from under unmovable.
 *
 * Contract: C9: ejecting a DIMM with movable memory finishes while the guest writes, and
 *	     with unmovable memory it is refused; C7: movable memory is allocated in
 *	     ZONE_MOVABLE; C1: guest and host read what was written, and zeros where
 *	     nothing was; C2: of movable memory each stage-2 mapping was dropped; C4:
 *	     unmovable memory keeps frames, contents and stage-2 mappings.
 * Method:   file and ordinary pages are in a DIMM, whose eject button in sysfs is pressed
 *	     while one vCPU rewrites half of the file.  A probe sees what the kernel tells
 *	     the firmware (_OST), and QEMU is asked over QMP whether the DIMM is gone.
 *	     Movable memory is in ZONE_MOVABLE; unmovable memory is put into ZONE_NORMAL
 *	     by the file's policy, and punched in the end.  QEMU plugs the DIMM anew
 *	     each time.
 * Guards:   broken unless the DIMM went before with as many ordinary pages in it, and
 *	     unless the guest wrote meanwhile; fails if the DIMM does not go once
 *	     unmovable memory is punched.
 * Needs:    a QMP port; a DIMM with the id "dimm" of two blocks that are offline, and
 *	     that are all memory of their node; kprobe events.
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-forever, dirty-refused,
 *	     untouched-refused, opt-in-ignored
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_block.h"
#include "mm/gmem_dimm.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_unplug.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	64
#define TRIES	50

/* Failures to migrate a page that say that the kernel goes on and on. */
#define ATTEMPTS (NPAGES * 30)

static int find(struct gmem_unplug *unplug)
{
	return gmem_dimm_find(unplug->spare);
}

static void prove(struct gmem_unplug *unplug)
{
	gmem_dimm_eject(unplug->block);
	if (gmem_dimm_wait(ATTEMPTS) != GMEM_DIMM_GONE)
		gmem_broken("the DIMM was not ejected with nothing but ordinary pages in it");
	gmem_dimm_plug(unplug->spare);
}

static const struct gmem_unplug_kind eject = {
	.name = "eject",
	.where = "the DIMM",
	.find = find,
	.online = gmem_unplug_online_spare,
	.prove = prove,
};

GMEM_UNPLUG_FIXTURE(dimm)

GMEM_CONFIG_VARIANT(dimm, optin_mmap)
GMEM_CONFIG_VARIANT(dimm, optin_mmap_shared)
GMEM_CONFIG_VARIANT(dimm, mmap)

static enum gmem_dimm_state press(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	u64 before = gmem_guest_progress(unplug->guest);
	enum gmem_dimm_state state = GMEM_DIMM_REFUSED;

	/* A refusal may come so soon that the guest has written nothing meanwhile. */
	for (int try = 0; state == GMEM_DIMM_REFUSED && !tally->raced && try < TRIES; try++) {
		gmem_dimm_eject(unplug->block);
		state = gmem_dimm_wait(ATTEMPTS);
		tally->raced = gmem_guest_progress(unplug->guest) - before;
	}
	return state;
}

TEST_F_TIMEOUT(dimm, goes_if_movable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&eject, &variant->config, NPAGES,
				   true);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	/* Pages that are still being migrated have no frame that could be looked at. */
	if (press(unplug, &tally) != GMEM_DIMM_GONE)
		gmem_fail(GMEM_LIVENESS,
			  "eject: wanted it gone, got it still after up to %d failures to migrate a page (%s)",
			  ATTEMPTS, unplug->region->name);
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_unmapped(unplug);
	gmem_unplug_verify(unplug, &tally);
	gmem_dimm_plug(unplug->spare);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED | GMEM_RACED |
			       GMEM_VERIFIED);
}

/* Back to how it was: the DIMM goes once the pages are punched. */
static void free_dimm(struct gmem_unplug *unplug, enum gmem_dimm_state state)
{
	gmem_region_discard(unplug->region);
	if (state == GMEM_DIMM_REFUSED)
		gmem_dimm_eject(unplug->block);
	if (gmem_dimm_wait(ATTEMPTS) != GMEM_DIMM_GONE)
		gmem_fail(GMEM_LIVENESS, "eject: wanted it gone once punched, got it still (%s)",
			  unplug->region->name);
	gmem_dimm_plug(unplug->spare);
}

TEST_F_TIMEOUT(dimm, stays_if_unmovable, GMEM_CASE_TIMEOUT)
{
	enum gmem_dimm_state state;
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&eject, &variant->config, NPAGES,
				   false);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	state = press(unplug, &tally);
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_stayed(unplug, &tally);
	gmem_unplug_verify(unplug, &tally);
	free_dimm(unplug, state);
	/* What was refused may have moved no ordinary page yet. */
	tally.control += gmem_anon_moved(unplug->migration->control);
	if (state != GMEM_DIMM_REFUSED)
		gmem_fail(GMEM_LIVENESS,
			  "eject: wanted a refusal, got none after %d failures to migrate a page, until they were punched (%s)",
			  ATTEMPTS, unplug->region->name);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
