// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page moves right in whichever slot of whichever order binds it.
 *
 * Contract: C2: the stage-2 mapping of exactly the page that moves is dropped,
 *	     in the slot that binds it; C1: contents.
 * Method:   one file bound by four slots, at file offsets other than 0, in an order
 *	     of guest addresses unlike that of the file, with gaps between.  With the
 *	     guest paused, move_pages() sends all pages to the other node, the host
 *	     rewrites them, and the guest must read that.  Then one vCPU rewrites all
 *	     pages while they are sent to and fro, first all at once, then the first
 *	     and the last page of each slot alone.
 * Guards:   fails if a page that was named did not move in the end; broken if the
 *	     guest wrote nothing meanwhile or nothing was compared.
 * Needs:    a policy with movable memory; two nodes.
 * Kills:    first-slot-only, range-end-off-by-one, no-invalidate
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	128
#define ROUNDS	10
#define TRIES	50

FIXTURE(slots) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(slots) {
	__u64 flags;
};

FIXTURE_VARIANT_ADD(slots, optin) {
	.flags = GMEM_FLAGS_optin_mmap_shared,
};

FIXTURE_VARIANT_ADD(slots, plain) {
	.flags = GMEM_FLAGS_mmap_shared,
};

FIXTURE_SETUP(slots)
{
}

FIXTURE_TEARDOWN(slots)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* File order 0 1 2 3, guest order 2 0 3 1, a slot of one page among them. */
static const struct { size_t first, count, at; } layout[] = {
	{ 0,  40, 200 },
	{ 40, 1,  500 },
	{ 41, 23, 0 },
	{ 64, 64, 300 },
};

static struct gmem_region *create_region(__u64 flags)
{
	struct gmem_slot slots[ARRAY_SIZE(layout)];

	for (int i = 0; i < ARRAY_SIZE(layout); i++)
		slots[i] = (struct gmem_slot) {
			.first = layout[i].first,
			.count = layout[i].count,
			.gpa = gmem_region_gpa() + layout[i].at * getpagesize(),
		};
	return gmem_region_create_slots(&gmem_vm_default, flags, NPAGES, slots,
					ARRAY_SIZE(slots));
}

/* Moves @page alone; a hot page may refuse a few times. */
static void move_alone(struct gmem_scene *scene, size_t page, struct gmem_tally *tally)
{
	struct gmem_region *region = scene->region;
	__u64 before = scene->frames[page];

	for (int try = 0; try < TRIES; try++) {
		gmem_numa_move(gmem_region_host(region, page), 1, region->page_size,
			       scene->node, false);
		gmem_scene_look(scene);
		if (scene->frames[page] != before) {
			tally->moved++;
			return;
		}
	}
	gmem_fail(GMEM_C9, "page %zu: wanted it to move, got the same frame %#llx after %d tries",
		  page, (unsigned long long)before, TRIES);
}

static __u64 move_in_a_pause(struct gmem_scene *scene, struct gmem_guest *guest,
			     struct gmem_tally *tally)
{
	__u64 verified;

	gmem_scene_fire(scene, NULL, tally);
	gmem_guest_write_on_host(guest, 0, NPAGES);
	gmem_guest_blame(guest, GMEM_C2);
	verified = gmem_guest_verify(guest);
	gmem_guest_blame(guest, GMEM_C1);
	return verified;
}

TEST_F_TIMEOUT(slots, each_page_moves_in_its_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = create_region(gmem_flags(variant->flags));
	self->scene = gmem_scene_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_scene_look(self->scene);
	tally.verified += move_in_a_pause(self->scene, self->guest, &tally);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	for (int round = 0; round < ROUNDS; round++) {
		gmem_scene_fire(self->scene, self->guest, &tally);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	for (int i = 0; i < ARRAY_SIZE(layout); i++) {
		move_alone(self->scene, layout[i].first, &tally);
		if (layout[i].count > 1)
			move_alone(self->scene, layout[i].first + layout[i].count - 1, &tally);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
