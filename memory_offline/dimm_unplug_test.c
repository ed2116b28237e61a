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
 *	     while one vCPU rewrites half of the file.  QEMU is asked over QMP whether the
 *	     DIMM is gone, or what the kernel told the firmware (_OST).  Movable memory
 *	     is in ZONE_MOVABLE; unmovable memory is put into ZONE_NORMAL by the file's
 *	     policy, and punched in the end.  QEMU plugs the DIMM anew each time.
 * Guards:   broken unless the DIMM went before with as many ordinary pages in it, and
 *	     unless the guest wrote meanwhile; fails if the DIMM does not go once
 *	     unmovable memory is punched.
 * Needs:    a QMP port; a DIMM with the id "dimm" of two blocks that are offline, and
 *	     that are all memory of their node; kprobe events.
 * Kills:    no-invalidate, copy-before-invalidate, half-page-copied, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-for-ever, dirty-refused,
 *	     untouched-refused, isolation-refused, opt-in-ignored
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_dimm.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
#define TOUCHED	(NPAGES / 2)

/* Failures to migrate a page that say that the kernel goes on and on. */
#define ATTEMPTS (NPAGES * 30)

/* Of the DIMM; the memory is in the first. */
static long blocks[2];
static int node;

FIXTURE(dimm) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_stage2 *witness;
	struct gmem_guest *guest;
	const char *flags;
};

FIXTURE_VARIANT(dimm) {
	__u64 flags;
};

#define VARIANT(_flags) \
FIXTURE_VARIANT_ADD(dimm, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
VARIANT(optin_mmap)
VARIANT(optin_mmap_shared)
VARIANT(mmap)

FIXTURE_SETUP(dimm)
{
}

FIXTURE_TEARDOWN(dimm)
{
	gmem_guest_free(self->guest);
	gmem_stage2_free(self->witness);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

static void put_online(bool movable)
{
	if (movable)
		gmem_block_online(blocks[0], "online_movable");
	else
		gmem_block_online_kernel(blocks[0], blocks[1]);
}

/* The DIMM goes from under ordinary pages, and is plugged again. */
static void prove_dimm(struct gmem_control *control)
{
	gmem_control_touch_on(control, node);
	gmem_control_moved(control);
	if (gmem_block_holds(blocks[0], control->frames, NPAGES) < NPAGES)
		gmem_broken("not all ordinary pages are in block %ld", blocks[0]);
	gmem_dimm_eject(blocks[0]);
	if (gmem_dimm_wait(ATTEMPTS) != GMEM_DIMM_GONE)
		gmem_broken("the DIMM was not ejected with nothing but ordinary pages in it");
	gmem_dimm_plug(blocks);
	gmem_control_discard(control, 0, NPAGES);
}

static void place(struct gmem_scene *scene)
{
	put_online(scene->region->movable);
	prove_dimm(scene->control);
	put_online(scene->region->movable);
	gmem_scene_allocate_by_policy(scene, node);
}

static const struct gmem_trigger eject = {
	.name = "eject",
	.missing = gmem_numa_missing,
	.place = place,
};

static void set_up(FIXTURE_DATA(dimm) * self)
{
	node = gmem_dimm_spare(blocks);
	self->flags = gmem_flags_name(self->region->flags);
	self->scene = gmem_scene_create(&eject, self->region);
	gmem_scene_look(self->scene);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, 0, TOUCHED);
	gmem_guest_wait_rounds(self->guest, 1);
	self->witness = gmem_stage2_watch(self->region);
}

/* How many pages are in the DIMM. */
static size_t held(FIXTURE_DATA(dimm) * self)
{
	return gmem_block_holds(blocks[0], self->scene->frames, NPAGES) +
	       gmem_block_holds(blocks[1], self->scene->frames, NPAGES);
}

static enum gmem_dimm_state press(FIXTURE_DATA(dimm) * self, struct gmem_tally *tally)
{
	__u64 before = gmem_guest_progress(self->guest);
	enum gmem_dimm_state state;

	gmem_dimm_eject(blocks[0]);
	state = gmem_dimm_wait(ATTEMPTS);
	tally->raced = gmem_guest_progress(self->guest) - before;
	return state;
}

static void verify(FIXTURE_DATA(dimm) * self, struct gmem_tally *tally)
{
	gmem_guest_pause(self->guest);
	tally->verified += gmem_guest_verify(self->guest);
}

static void check_unmapped(FIXTURE_DATA(dimm) * self)
{
	__u64 first, unmaps = gmem_stage2_unmaps(self->witness, &first);

	if (unmaps < TOUCHED)
		gmem_fail(GMEM_C2,
			  "eject: wanted a stage-2 unmap of each of %d pages, got %llu (flags %s)",
			  TOUCHED, unmaps, self->flags);
}

TEST_F_TIMEOUT(dimm, goes_if_movable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	set_up(self);
	tally.placed = held(self);
	if (tally.placed < NPAGES)
		gmem_fail(GMEM_C7,
			  "wanted all %d pages in the DIMM, which is ZONE_MOVABLE, got %llu (flags %s)",
			  NPAGES, tally.placed, self->flags);
	/* Pages that are still being migrated have no frame that could be looked at. */
	if (press(self, &tally) != GMEM_DIMM_GONE)
		gmem_fail(GMEM_C9,
			  "eject: wanted it gone, got it still after up to %d failures to migrate a page (flags %s)",
			  ATTEMPTS, self->flags);
	gmem_scene_count(self->scene, &tally);
	check_unmapped(self);
	verify(self, &tally);
	gmem_dimm_plug(blocks);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED | GMEM_RACED |
			       GMEM_VERIFIED);
}

static void check_stayed(FIXTURE_DATA(dimm) * self, const struct gmem_tally *tally)
{
	__u64 first, unmaps = gmem_stage2_unmaps(self->witness, &first);
	struct gmem_scene *scene = self->scene;

	if (tally->moved)
		gmem_fail(GMEM_C4,
			  "eject: page %zu: wanted the same frame, got %#llx instead of %#llx (%llu moves, flags %s)",
			  scene->moved_page, scene->moved_to, scene->moved_from, tally->moved,
			  self->flags);
	if (unmaps)
		gmem_fail(GMEM_C4,
			  "eject: wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s)",
			  unmaps, first, self->flags);
}

/* Back to how it was: the DIMM goes once the pages are punched. */
static void free_dimm(FIXTURE_DATA(dimm) * self, enum gmem_dimm_state state)
{
	gmem_region_discard(self->region);
	if (state == GMEM_DIMM_REFUSED)
		gmem_dimm_eject(blocks[0]);
	if (gmem_dimm_wait(ATTEMPTS) != GMEM_DIMM_GONE)
		gmem_fail(GMEM_C9, "eject: wanted it gone once punched, got it still (flags %s)",
			  self->flags);
	gmem_dimm_plug(blocks);
}

TEST_F_TIMEOUT(dimm, stays_if_unmovable, GMEM_CASE_TIMEOUT)
{
	enum gmem_dimm_state state;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_unmovable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	set_up(self);
	if (held(self) < NPAGES)
		gmem_broken("wanted all %d pages in the DIMM, got %zu", NPAGES, held(self));
	state = press(self, &tally);
	gmem_scene_count(self->scene, &tally);
	check_stayed(self, &tally);
	verify(self, &tally);
	free_dimm(self, state);
	if (state != GMEM_DIMM_REFUSED)
		gmem_fail(GMEM_C9,
			  "eject: wanted a refusal, got none after %d failures to migrate a page, until they were punched (flags %s)",
			  ATTEMPTS, self->flags);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
