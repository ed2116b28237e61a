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

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_guest.h"
#include "gmem_longterm.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
/* Failures to migrate a page after which offlining is given up. */
#define ATTEMPTS (50 * NPAGES)
/* The page that is pinned, and failures to migrate it after which that is believed. */
#define PINNED	5
#define REFUSALS 20

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
	gmem_control_look(control);
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

static void begin(FIXTURE_DATA(normal_zone) * self, __u64 flags)
{
	gmem_policy_want_movable(&gmem_vm_default, flags);
	self->region = gmem_region_create(&gmem_vm_default, flags, NPAGES);
	node = gmem_block_spare(blocks);
	self->scene = gmem_scene_create(&offline, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_scene_look(self->scene);
	if (held(self->scene) < NPAGES)
		gmem_broken("wanted all %d pages in block %ld, got %zu", NPAGES, blocks[0],
			    held(self->scene));
}

static void goes(struct gmem_scene *scene, struct gmem_tally *tally)
{
	int err = __gmem_block_offline(blocks[0], ATTEMPTS);

	gmem_scene_count(scene, tally);
	if (err)
		gmem_fail(GMEM_C9, "wanted block %ld offline, got %s with %zu of %d pages in it",
			  blocks[0], strerror(-err), held(scene), NPAGES);
}

TEST_F_TIMEOUT(normal_zone, goes_offline, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	begin(self, gmem_flags(variant->flags));
	goes(self->scene, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

static void stays(struct gmem_scene *scene, struct gmem_tally *tally)
{
	__u64 frame = scene->frames[PINNED];
	int err = __gmem_block_offline(blocks[0], REFUSALS);

	gmem_scene_count(scene, tally);
	if (scene->frames[PINNED] != frame)
		gmem_fail(GMEM_C8,
			  "page %d is pinned: wanted the same frame, got %#llx instead of %#llx",
			  PINNED, scene->frames[PINNED], frame);
	if ((err != -EBUSY && err != -EINTR) || !gmem_block_is_online(blocks[0]))
		gmem_fail(GMEM_C9, "page %d is pinned: wanted EBUSY or EINTR, got %s", PINNED,
			  strerror(-err));
}

TEST_F_TIMEOUT(normal_zone, waits_for_a_pin, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct iovec page;
	int ring;

	GMEM_CASE_BEGIN();
	begin(self, gmem_flags(variant->flags));
	page.iov_base = gmem_region_host(self->region, PINNED);
	page.iov_len = self->region->page_size;
	ring = gmem_longterm_pin(&page, 1);
	stays(self->scene, &tally);
	gmem_longterm_release(ring);
	goes(self->scene, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_STAYED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
