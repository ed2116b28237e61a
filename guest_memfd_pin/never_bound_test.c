// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable guest_memfd stays in its frame also while no slot has ever bound it.
 *
 * Contract: C4: same frame and same contents under every trigger, from the first page
 *	     on that is allocated.
 * Method:   a file that no slot binds is allocated, and written where the host can;
 *	     the trigger fires and all frames are compared.  Then a slot is made, and
 *	     guest and host compare every byte.
 * Guards:   broken unless ordinary pages beside it moved and every frame was seen to
 *	     stay, and bytes were compared if anybody can reach them.
 * Needs:    a policy with unmovable memory; two nodes; compaction; kprobe events for
 *	     what the host does not map.
 * Kills:    unmovable-set-at-bind, opt-in-ignored, migrate-core-ignores-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
#define ROUNDS	2

FIXTURE(never_bound) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(never_bound) {
	const struct gmem_vm_type *type;
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define VARIANT(_type, _flags, _trigger) \
FIXTURE_VARIANT_ADD(never_bound, _type##_##_flags##_##_trigger) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
VARIANT(default, mmap_shared, move_pages)
VARIANT(default, mmap_shared, compact_memory)
VARIANT(default, none, compact_memory)
VARIANT(default, optin_mmap_shared, move_pages)
VARIANT(sw_protected, none, compact_memory)

FIXTURE_SETUP(never_bound)
{
}

FIXTURE_TEARDOWN(never_bound)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

TEST_F_TIMEOUT(never_bound, stays_put, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_STAYED | GMEM_CONTROL;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_unmovable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_region_create_unbound(variant->type, gmem_flags(variant->flags),
						  NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);
	if (self->region->guest_reaches)
		self->guest = gmem_guest_create_idle(self->region);
	if (self->region->host_maps)
		gmem_guest_write_on_host(self->guest, 0, NPAGES);
	gmem_scene_look(self->scene);
	for (int round = 0; round < ROUNDS; round++)
		gmem_scene_fire(self->scene, NULL, &tally);
	if (!tally.control)
		gmem_broken("%s moved no ordinary memory either", variant->trigger->name);
	if (tally.moved)
		gmem_fail(GMEM_C4,
			  "%s: page %zu, not bound yet: wanted the same frame, got %#llx instead of %#llx (%llu moves, flags %s, %s VM, policy %s)",
			  variant->trigger->name, self->scene->moved_page, self->scene->moved_to,
			  self->scene->moved_from, tally.moved,
			  gmem_flags_name(self->region->flags), variant->type->name,
			  gmem_policy_name());
	gmem_region_bind(self->region);
	if (self->guest) {
		required |= GMEM_VERIFIED;
		tally.verified += gmem_guest_verify(self->guest);
	}
	gmem_case_pass(&tally, required);
}

TEST_HARNESS_MAIN
