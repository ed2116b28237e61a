// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DIMM with movable guest_memfd in it can be unplugged, and one with unmovable cannot.
 *
 * Contract: C9: ejecting a DIMM with movable memory finishes while the guest writes, and
 *	     with unmovable memory it is refused; C7: movable memory is allocated in
 *	     ZONE_MOVABLE; C1: guest and host read what was written, and zeros where
 *	     nothing was; C2: each stage-2 mapping of movable memory was dropped; C4:
 *	     unmovable memory keeps its pfns, contents and stage-2 mappings.
 * Method:   file and control are in a DIMM.  The test presses the DIMM's eject button in
 *	     sysfs while one vCPU rewrites half of the file.  A kprobe sees what the kernel
 *	     tells the firmware (_OST), and the test asks QEMU over QMP whether the DIMM is
 *	     gone.  Movable memory is in ZONE_MOVABLE.  Unmovable memory is put into
 *	     ZONE_NORMAL by the file's policy, and punched in the end.  QEMU plugs the DIMM
 *	     again each time.
 * Guards:   broken unless the DIMM was ejected before with as many pages of the control in
 *	     it, and unless the guest wrote meanwhile; fails if the DIMM cannot be ejected
 *	     once unmovable memory is punched.
 * Needs:    a QMP port; a DIMM with the id "dimm" that has two blocks, both offline, which
 *	     are all memory of their node; kprobe events.
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-forever, dirty-refused,
 *	     untouched-refused, opt-in-ignored
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_dimm.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_unplug.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	64
/* Presses of the button, until the guest has written pages before the refusal. */
#define TRIES	50
/* A kernel that has failed to migrate a page this often will not give up. */
#define ATTEMPTS (NPAGES * 30)

static int find_dimm(struct gmem_unplug *unplug)
{
	return gmem_dimm_find(unplug->found);
}

static void prove_ejectable(struct gmem_unplug *unplug)
{
	gmem_dimm_eject(unplug->block);
	if (gmem_dimm_wait(ATTEMPTS) != GMEM_DIMM_GONE)
		gmem_broken("the DIMM was not ejected with nothing but the control in it");
	gmem_dimm_plug(unplug->found);
}

static const struct gmem_unplug_kind eject = {
	.name = "eject",
	.where = "the DIMM",
	.find = find_dimm,
	.online = gmem_unplug_online_first,
	.prove = prove_ejectable,
};

GMEM_UNPLUG_FIXTURE(dimm)

GMEM_CONFIG_VARIANT(dimm, optin_mmap)
GMEM_CONFIG_VARIANT(dimm, optin_mmap_shared)
GMEM_CONFIG_VARIANT(dimm, mmap)

/* Presses the eject button while the guest writes.  Returns what became of the last press. */
static enum gmem_dimm_state eject_dimm(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	u64 before = gmem_guest_progress(unplug->guest);
	enum gmem_dimm_state state = GMEM_DIMM_REFUSED;

	/* A refusal may come before the guest has written anything. */
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
	unplug = gmem_unplug_begin(&eject, &variant->config, NPAGES, true);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	/* While the kernel still tries to migrate pages, they have no pfn that could be read. */
	if (eject_dimm(unplug, &tally) != GMEM_DIMM_GONE)
		gmem_fail(GMEM_LIVENESS,
			  "eject: wanted the DIMM gone, got it still there after up to %d failures to migrate a page (%s)",
			  ATTEMPTS, unplug->region->name);
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_unmapped(unplug);
	gmem_unplug_verify(unplug, &tally);
	gmem_dimm_plug(unplug->found);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED | GMEM_RACED |
			       GMEM_VERIFIED);
}

/* Fails the case unless the DIMM can be ejected once the pages are punched, and plugs it again. */
static void check_ejected_when_free(struct gmem_unplug *unplug, enum gmem_dimm_state state)
{
	gmem_region_discard(unplug->region);
	/* A request that was not refused still goes on. */
	if (state == GMEM_DIMM_REFUSED)
		gmem_dimm_eject(unplug->block);
	if (gmem_dimm_wait(ATTEMPTS) != GMEM_DIMM_GONE)
		gmem_fail(GMEM_LIVENESS,
			  "eject: wanted the DIMM gone once the file is punched, got it still there (%s)",
			  unplug->region->name);
	gmem_dimm_plug(unplug->found);
}

TEST_F_TIMEOUT(dimm, stays_if_unmovable, GMEM_CASE_TIMEOUT)
{
	enum gmem_dimm_state state;
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&eject, &variant->config, NPAGES, false);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	state = eject_dimm(unplug, &tally);
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_stayed(unplug, &tally);
	gmem_unplug_verify(unplug, &tally);
	check_ejected_when_free(unplug, state);
	/* The control may not have moved before the request was refused, so it is counted again. */
	tally.control += gmem_anon_moved(unplug->migration->control);
	if (state != GMEM_DIMM_REFUSED)
		gmem_fail(GMEM_LIVENESS,
			  "eject: wanted a refusal, got none after %d failures to migrate a page, until they were punched (%s)",
			  ATTEMPTS, unplug->region->name);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
