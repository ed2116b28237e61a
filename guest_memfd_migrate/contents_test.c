// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd keeps every byte that its guest wrote while it moved.
 *
 * Contract: C1, C2: whichever side of the copy a store races with, it is read
 *	     back from the new frame; C9: movable memory does move.
 * Method:   one vCPU checks and rewrites every word of every page in a loop, never
 *	     exiting, while move_pages() sends all pages to the other node and back,
 *	     or compaction moves them within theirs; then guest and, by a new
 *	     mapping, host compare every byte.
 * Guards:   fails if no frame changed; broken if ordinary pages beside it did not
 *	     move either, the guest wrote nothing meanwhile, or nothing was compared.
 * Needs:    a policy with movable memory; two nodes for move_pages; compaction.
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page,
 *	     no-remote-tlb-flush, range-end-off-by-one, eagain-forever, dirty-refused,
 *	     unmap-without-start-end, warn-left-in-callback, x86-rmaps-skipped,
 *	     arm64-range-pages-minus-1
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	128

FIXTURE(contents) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(contents) {
	const struct gmem_vm_type *type;
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define VARIANT(_type, _flags, _trigger) \
FIXTURE_VARIANT_ADD(contents, _type##_##_flags##_##_trigger) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
GMEM_MOVABLE_VARIANTS(VARIANT)

FIXTURE_SETUP(contents)
{
}

FIXTURE_TEARDOWN(contents)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* Fires until enough has moved; one refusal of a hot page is not a failure. */
static void move_around(struct gmem_scene *scene, struct gmem_guest *guest,
			struct gmem_tally *tally)
{
	int rounds = scene->trigger->rounds;

	gmem_scene_look(scene);
	for (int round = 0; round < rounds; round++) {
		gmem_scene_fire(scene, guest, tally);
		/* The next move must find the guest in the new frames. */
		if (guest)
			gmem_guest_wait_rounds(guest, 1);
	}
	if (!tally->control)
		gmem_broken("%s moved no ordinary memory either", scene->trigger->name);
	if (!tally->moved)
		gmem_fail(GMEM_C9,
			  "%s: wanted movable pages to move, got %llu of %zu pages staying %d times, while %llu ordinary pages moved",
			  scene->trigger->name, tally->stayed / rounds, scene->region->npages,
			  rounds, tally->control);
}

TEST_F_TIMEOUT(contents, survive_moves_under_guest_writes, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_MOVED | GMEM_CONTROL;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_variant_region(variant->type, variant->flags, NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);

	/* Nobody can read or write what neither guest nor host reach. */
	if (self->region->guest_reaches) {
		required |= GMEM_RACED | GMEM_VERIFIED;
		self->guest = gmem_guest_create(self->region);
		gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	move_around(self->scene, self->guest, &tally);
	if (self->guest) {
		gmem_guest_pause(self->guest);
		tally.verified += gmem_guest_verify(self->guest);
	}
	gmem_case_pass(&tally, required);
}

TEST_HARNESS_MAIN
