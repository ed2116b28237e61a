// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory block goes offline over movable guest_memfd, and not over unmovable.
 *
 * Contract: C9: offlining a block with movable memory finishes while the guest writes,
 *	     and over unmovable memory it is refused or ended by a signal; C7: movable
 *	     memory is allocated in ZONE_MOVABLE; C1, C2: of movable memory no page is
 *	     left in the block, each stage-2 mapping was dropped, and guest and host
 *	     read what was written, and zeros where nothing was; C4: unmovable memory
 *	     keeps frames, contents and stage-2 mappings.
 * Method:   file and ordinary pages are on a node of which one block alone is online.
 *	     One vCPU rewrites half of the file while a child writes "offline" to the
 *	     block's state; the child gets a signal once the kernel has failed often
 *	     enough to migrate a page.  Movable memory is in ZONE_MOVABLE and, where the
 *	     host maps it, sent back, again and again.  Unmovable memory is in
 *	     ZONE_NORMAL, and punched in the end.
 * Guards:   broken unless the block went offline before with as many ordinary pages in
 *	     it, and unless the guest wrote meanwhile; fails if the block does not go
 *	     offline once unmovable memory is punched.
 * Needs:    two blocks that are offline, of a node with no other memory; kprobe events.
 * Kills:    no-invalidate, copy-before-invalidate, half-page-copied, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-for-ever, dirty-refused,
 *	     untouched-refused, isolation-refused, opt-in-ignored
 */
#include <errno.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_profile.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	128
#define TOUCHED	(NPAGES / 2)
#define TRIES	50

/* Of one node; the memory is in the first. */
static long blocks[2];
static int node;

FIXTURE(block) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_stage2 *witness;
	struct gmem_guest *guest;
	const char *flags;
};

FIXTURE_VARIANT(block) {
	const struct gmem_vm_type *type;
	__u64 flags;
};

#define VARIANT(_type, _flags) \
FIXTURE_VARIANT_ADD(block, _type##_##_flags) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
};
VARIANT(default, optin_mmap)
VARIANT(default, optin_mmap_shared)
VARIANT(default, mmap)
VARIANT(default, mmap_shared)
VARIANT(sw_protected, mmap)

FIXTURE_SETUP(block)
{
}

FIXTURE_TEARDOWN(block)
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

/* Ordinary pages leave the block, which is offline then. */
static void prove_block(struct gmem_control *control)
{
	gmem_control_touch_on(control, node);
	gmem_control_moved(control);
	if (gmem_block_holds(blocks[0], control->frames, NPAGES) < NPAGES)
		gmem_broken("not all ordinary pages are in block %ld", blocks[0]);
	gmem_block_offline(blocks[0]);
	gmem_control_moved(control);
	if (gmem_block_holds(blocks[0], control->frames, NPAGES))
		gmem_broken("block %ld went offline with ordinary pages in it", blocks[0]);
	gmem_control_discard(control, 0, NPAGES);
}

static void place(struct gmem_scene *scene)
{
	put_online(scene->region->movable);
	prove_block(scene->control);
	put_online(scene->region->movable);
	gmem_scene_allocate_by_policy(scene, node);
}

static const struct gmem_trigger offline = {
	.name = "offline",
	.missing = gmem_numa_missing,
	.place = place,
};

static void set_up(FIXTURE_DATA(block) * self)
{
	node = gmem_block_spare(blocks);
	self->flags = gmem_flags_name(self->region->flags);
	self->scene = gmem_scene_create(&offline, self->region);
	gmem_scene_look(self->scene);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, 0, TOUCHED);
	gmem_guest_wait_rounds(self->guest, 1);
	self->witness = gmem_stage2_watch(self->region);
}

/* Returns 0 or -errno. */
static int take_offline(FIXTURE_DATA(block) * self, int attempts, struct gmem_tally *tally)
{
	__u64 before = gmem_guest_progress(self->guest);
	int err = __gmem_block_offline(blocks[0], attempts);

	tally->raced += gmem_guest_progress(self->guest) - before;
	if (err == -ETIME)
		gmem_fail(GMEM_C9, "offlining: wanted a signal to end it, got nothing (flags %s)",
			  self->flags);
	gmem_scene_count(self->scene, tally);
	return err;
}

static void verify(FIXTURE_DATA(block) * self, struct gmem_tally *tally)
{
	gmem_guest_pause(self->guest);
	tally->verified += gmem_guest_verify(self->guest);
}

static size_t held(FIXTURE_DATA(block) * self)
{
	return gmem_block_holds(blocks[0], self->scene->frames, NPAGES);
}

static void check_placed(FIXTURE_DATA(block) * self, struct gmem_tally *tally)
{
	tally->placed = held(self);
	if (tally->placed < NPAGES)
		gmem_fail(GMEM_C7,
			  "wanted all %d pages in block %ld of ZONE_MOVABLE, like ordinary ones, got %llu (flags %s)",
			  NPAGES, blocks[0], tally->placed, self->flags);
}

static void leave(FIXTURE_DATA(block) * self, struct gmem_tally *tally)
{
	int err = take_offline(self, NPAGES * TRIES, tally);

	if (err)
		gmem_fail(GMEM_C9,
			  "wanted block %ld offline, got %s with %zu of %d pages in it (flags %s)",
			  blocks[0], strerror(-err), held(self), NPAGES, self->flags);
	if (held(self))
		gmem_fail(GMEM_C9, "block %ld is offline: wanted no page in it, got %zu (flags %s)",
			  blocks[0], held(self), self->flags);
}

/* A page may be in use for a moment: send it again. */
static void come_back(FIXTURE_DATA(block) * self, struct gmem_tally *tally)
{
	struct gmem_region *region = self->region;

	put_online(true);
	for (int try = 0; try < TRIES && held(self) < NPAGES; try++) {
		gmem_numa_move(region->host, NPAGES, region->page_size, node, false);
		gmem_scene_count(self->scene, tally);
	}
	check_placed(self, tally);
}

static void check_unmapped(FIXTURE_DATA(block) * self)
{
	__u64 first, unmaps = gmem_stage2_unmaps(self->witness, &first);

	if (unmaps < TOUCHED)
		gmem_fail(GMEM_C2,
			  "offlining: wanted a stage-2 unmap of each of %d pages, got %llu (flags %s)",
			  TOUCHED, unmaps, self->flags);
}

TEST_F_TIMEOUT(block, leaves_if_movable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int rounds;

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_region_create(variant->type, gmem_flags(variant->flags), NPAGES);
	set_up(self);
	check_placed(self, &tally);
	leave(self, &tally);
	check_unmapped(self);
	/* What the host does not map cannot be sent back. */
	rounds = self->region->host_maps ? gmem_rounds(2, 20, 100) : 1;
	for (int round = 1; round < rounds; round++) {
		come_back(self, &tally);
		leave(self, &tally);
	}
	verify(self, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED | GMEM_RACED |
			       GMEM_VERIFIED);
}

static void check_stayed(FIXTURE_DATA(block) * self, const struct gmem_tally *tally)
{
	__u64 first, unmaps = gmem_stage2_unmaps(self->witness, &first);
	struct gmem_scene *scene = self->scene;

	if (tally->moved)
		gmem_fail(GMEM_C4,
			  "offlining: page %zu: wanted the same frame, got %#llx instead of %#llx (%llu moves, flags %s)",
			  scene->moved_page, scene->moved_to, scene->moved_from, tally->moved,
			  self->flags);
	if (unmaps)
		gmem_fail(GMEM_C4,
			  "offlining: wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s)",
			  unmaps, first, self->flags);
}

TEST_F_TIMEOUT(block, stays_if_unmovable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int err;

	GMEM_CASE_BEGIN();
	gmem_policy_want_unmovable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_region_create(variant->type, gmem_flags(variant->flags), NPAGES);
	set_up(self);
	if (held(self) < NPAGES)
		gmem_broken("wanted all %d pages in block %ld, got %zu", NPAGES, blocks[0],
			    held(self));
	err = take_offline(self, 2 * NPAGES, &tally);
	check_stayed(self, &tally);
	if ((err != -EBUSY && err != -EINTR) || !gmem_block_is_online(blocks[0]))
		gmem_fail(GMEM_C9, "offlining: wanted EBUSY or EINTR, got %s (flags %s)",
			  strerror(-err), self->flags);
	verify(self, &tally);

	gmem_region_discard(self->region);
	err = __gmem_block_offline(blocks[0], NPAGES * TRIES);
	if (err)
		gmem_fail(GMEM_C9, "wanted block %ld offline once punched, got %s (flags %s)",
			  blocks[0], strerror(-err), self->flags);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
