// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable guest_memfd keeps frame, contents and stage-2 mapping.
 *
 * Contract: C4: same frame and no stage-2 unmapping under every trigger.
 * Method:   one vCPU checks and rewrites every page in a loop while the trigger
 *	     fires; a probe counts every stage-2 unmap request in the range, the
 *	     frames are compared one by one, and every byte at the end.  The slot
 *	     has no userspace_addr, so host mappings cannot cause unmaps.
 * Guards:   broken unless ordinary pages beside it moved, the guest wrote
 *	     meanwhile, every frame was seen to stay, bytes were compared, and the
 *	     probe saw a hole punched into the spare page before and after.
 * Needs:    a policy with unmovable memory; kprobe events; two nodes for
 *	     move_pages; compaction.
 * Kills:    opt-in-ignored, migrate-core-ignores-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_guest.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	128
#define ROUNDS	2

/* Seconds in which a guest must have written during a firing. */
#define PATIENCE 30

FIXTURE(stays_put) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_stage2 *witness;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(stays_put) {
	const struct gmem_vm_type *type;
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define VARIANT(_type, _flags, _trigger) \
FIXTURE_VARIANT_ADD(stays_put, _type##_##_flags##_##_trigger) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
GMEM_UNMOVABLE_VARIANTS(VARIANT)

FIXTURE_SETUP(stays_put)
{
}

FIXTURE_TEARDOWN(stays_put)
{
	gmem_guest_free(self->guest);
	gmem_stage2_free(self->witness);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* A firing may be over before the machine lets the guest's CPU run: then once more. */
static void fire_and_race(struct gmem_scene *scene, struct gmem_guest *guest,
			  struct gmem_tally *tally)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	for (int round = 0; round < ROUNDS; round++)
		gmem_scene_fire(scene, guest, tally);
	while (guest && !tally->raced && gmem_deadline_poll(&deadline))
		gmem_scene_fire(scene, guest, tally);
}

static void check_stayed(struct gmem_scene *scene, struct gmem_stage2 *witness,
			 struct gmem_tally *tally)
{
	__u64 first, unmaps = gmem_stage2_unmaps(witness, &first);

	if (!tally->control)
		gmem_broken("%s moved no ordinary memory either", scene->trigger->name);
	if (tally->moved)
		gmem_fail(GMEM_C4,
			  "%s: page %zu: wanted the same frame, got %#llx instead of %#llx (%llu moves, flags %s, %s VM, policy %s)",
			  scene->trigger->name, scene->moved_page, scene->moved_to,
			  scene->moved_from, tally->moved, gmem_flags_name(scene->region->flags),
			  scene->region->type->name, gmem_policy_name());
	if (unmaps)
		gmem_fail(GMEM_C4,
			  "%s: wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s, %s VM)",
			  scene->trigger->name, unmaps, first,
			  gmem_flags_name(scene->region->flags), scene->region->type->name);
}

TEST_F_TIMEOUT(stays_put, under_guest_writes, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_STAYED | GMEM_CONTROL;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_unmovable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_variant_region(variant->type, variant->flags, NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);

	/* Nobody can read or write what neither guest nor host reach. */
	if (self->region->guest_reaches) {
		required |= GMEM_RACED | GMEM_VERIFIED;
		self->guest = gmem_guest_create(self->region);
	}
	gmem_scene_look(self->scene);
	self->witness = gmem_stage2_watch(self->region);
	if (self->guest) {
		gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	fire_and_race(self->scene, self->guest, &tally);
	if (self->guest)
		gmem_guest_pause(self->guest);
	check_stayed(self->scene, self->witness, &tally);
	if (self->guest)
		tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, required);
}

TEST_HARNESS_MAIN
