// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd moves, and keeps what it holds, also while no slot binds it.
 *
 * Contract: C11: before the first slot is made, after the last one is deleted, beside
 *	     one whose pages the guest writes, and when VM and descriptor are gone and
 *	     only a mapping is left; C1, C2: what was written is read back, by the guest
 *	     through a slot that is made later; C9: it does move.
 * Method:   all pages are written, by the guest where a slot has been there; then the
 *	     trigger fires until every page has moved.  The slot is made, or made anew,
 *	     and guest and host compare every byte; or the host alone, where there is
 *	     no VM any more.
 * Guards:   fails if a page does not move; broken if ordinary pages did not move, or
 *	     nothing was compared.
 * Needs:    a policy with movable memory; two nodes; compaction.
 * Kills:    unbound-refused, copy-half-page, uptodate-dropped
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_pattern.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define THIRD	24
#define NPAGES	(3 * THIRD)
#define ROUNDS	3

FIXTURE(unbound) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(unbound) {
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define VARIANT(_flags, _trigger) \
FIXTURE_VARIANT_ADD(unbound, _flags##_##_trigger) { \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
VARIANT(optin_mmap_shared, move_pages)
VARIANT(optin_mmap_shared, compact_memory)
VARIANT(mmap_shared, move_pages)
VARIANT(mmap_shared, compact_memory)

FIXTURE_SETUP(unbound)
{
}

FIXTURE_TEARDOWN(unbound)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* By itself, a page may be passed over once or twice; compaction stops somewhere. */
static void move_unbound(struct gmem_scene *scene, struct gmem_tally *tally)
{
	if (scene->trigger->by_address) {
		gmem_scene_move_all(scene, tally);
		return;
	}
	gmem_scene_look(scene);
	for (int round = 0; round < ROUNDS; round++)
		gmem_scene_fire(scene, NULL, tally);
	if (!tally->control)
		gmem_broken("%s moved no ordinary memory either", scene->trigger->name);
	if (!tally->moved)
		gmem_fail(GMEM_C9, "%s: wanted pages to move, got none", scene->trigger->name);
}

TEST_F_TIMEOUT(unbound, before_the_first_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create_unbound(&gmem_vm_default, gmem_flags(variant->flags),
						  NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_write_on_host(self->guest, 0, NPAGES);
	move_unbound(self->scene, &tally);
	gmem_region_bind(self->region);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_F_TIMEOUT(unbound, after_the_last_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_region_unbind(self->region);
	move_unbound(self->scene, &tally);
	gmem_region_bind(self->region);
	gmem_guest_blame(self->guest, GMEM_C2);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

static struct gmem_region *create_three_slots(__u64 flags)
{
	__u64 gpa = gmem_region_gpa(), size = THIRD * getpagesize();
	const struct gmem_slot slots[] = {
		{ .first = 0, .count = THIRD, .gpa = gpa },
		{ .first = THIRD, .count = THIRD, .gpa = gpa + size },
		{ .first = 2 * THIRD, .count = THIRD, .gpa = gpa + 2 * size },
	};

	return gmem_region_create_slots(&gmem_vm_default, flags, NPAGES, slots,
					ARRAY_SIZE(slots));
}

TEST_F_TIMEOUT(unbound, beside_a_slot, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = create_three_slots(gmem_flags(variant->flags));
	self->scene = gmem_scene_create(variant->trigger, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_region_unbind_slot(self->region, 0);
	gmem_region_unbind_slot(self->region, 2);
	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, THIRD, THIRD);
	move_unbound(self->scene, &tally);
	gmem_guest_pause(self->guest);
	gmem_region_bind_slot(self->region, 0);
	gmem_region_bind_slot(self->region, 2);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_F_TIMEOUT(unbound, when_a_mapping_is_left, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);
	gmem_pattern_write(self->region->host, 0, NPAGES);
	gmem_region_keep_mapping(self->region);
	move_unbound(self->scene, &tally);
	tally.verified += gmem_pattern_check(self->region->host, 0, NPAGES, GMEM_C1, "host");
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
