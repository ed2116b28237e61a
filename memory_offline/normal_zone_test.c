// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory block of ZONE_NORMAL goes offline, too, if guest_memfd in it is movable.
 *
 * Contract: C9: the kernel does not take movable guest_memfd for memory that cannot be
 *	     isolated, which it does not ask of ZONE_MOVABLE; C1: what was written is
 *	     read back from the new frames.
 * Method:   file and ordinary pages are on a node of which one block alone is online, as
 *	     ZONE_NORMAL.  The block is taken offline, with ordinary pages alone and then
 *	     with both; guest and host compare every byte.
 * Guards:   broken unless the block went offline before with as many ordinary pages in
 *	     it, and holds all pages of the file.
 * Needs:    a policy with movable memory; two blocks that are offline, of a node with no
 *	     other memory.
 * Kills:    isolation-thinks-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
/* Failures to migrate a page after which offlining is given up. */
#define ATTEMPTS (50 * NPAGES)

/* Of one node; the memory is in the first. */
static long blocks[2];
static int node;

FIXTURE(normal_zone) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(normal_zone) {
	__u64 flags;
};

#define VARIANT(_flags) \
FIXTURE_VARIANT_ADD(normal_zone, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
VARIANT(optin_mmap_shared)
VARIANT(mmap_shared)

FIXTURE_SETUP(normal_zone)
{
}

FIXTURE_TEARDOWN(normal_zone)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* Ordinary pages leave the block, which is offline then. */
static void prove_block(struct gmem_control *control)
{
	gmem_control_touch_on(control, node);
	gmem_control_moved(control);
	if (gmem_block_holds(blocks[0], control->frames, NPAGES) < NPAGES)
		gmem_broken("not all ordinary pages are in block %ld", blocks[0]);
	gmem_block_offline(blocks[0]);
	gmem_control_discard(control, 0, NPAGES);
}

static void place(struct gmem_scene *scene)
{
	gmem_block_online_kernel(blocks[0], blocks[1]);
	prove_block(scene->control);
	gmem_block_online_kernel(blocks[0], blocks[1]);
	gmem_scene_allocate_by_policy(scene, node);
}

static const struct gmem_trigger offline = {
	.name = "offline",
	.missing = gmem_numa_missing,
	.place = place,
};

static size_t held(const struct gmem_scene *scene)
{
	return gmem_block_holds(blocks[0], scene->frames, NPAGES);
}

TEST_F_TIMEOUT(normal_zone, goes_offline, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int err;

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	node = gmem_block_spare(blocks);
	self->scene = gmem_scene_create(&offline, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_scene_look(self->scene);
	if (held(self->scene) < NPAGES)
		gmem_broken("wanted all %d pages in block %ld, got %zu", NPAGES, blocks[0],
			    held(self->scene));
	err = __gmem_block_offline(blocks[0], ATTEMPTS);
	gmem_scene_count(self->scene, &tally);
	if (err)
		gmem_fail(GMEM_C9, "wanted block %ld offline, got %s with %zu of %d pages in it",
			  blocks[0], strerror(-err), held(self->scene), NPAGES);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
