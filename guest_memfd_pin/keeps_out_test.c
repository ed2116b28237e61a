// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable guest_memfd keeps out of ZONE_MOVABLE and of CMA.
 *
 * Contract: C7: unmovable memory is never there, whatever is asked for; C4: nor does
 *	     it follow the trigger.
 * Method:   the file is allocated under a task policy that allows one node only,
 *	     which has ZONE_MOVABLE and nothing else; then anew on an ordinary node,
 *	     from which by-address triggers ask for it to be sent to the movable one,
 *	     while the others compact; and on a node where CMA is most of what is
 *	     free.  The place of every frame is looked at after every step.
 * Guards:   broken if ordinary pages under the same policy, sent to the same node or
 *	     allocated in turns with those under test are not in ZONE_MOVABLE or CMA,
 *	     or if the trigger did not move ordinary pages.
 * Needs:    a policy with unmovable memory; two nodes; ZONE_MOVABLE or a memory block
 *	     that is offline; a CMA area; kprobe events for what the host does not
 *	     map; compaction.
 * Kills:    unmovable-gets-movable-gfp, opt-in-ignored, migrate-core-ignores-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_cma.h"
#include "gmem_control.h"
#include "gmem_frame.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
#define ROUNDS	2

FIXTURE(keeps_out) {
	struct gmem_region *region;
	struct gmem_control *control;
	struct gmem_scene *scene;
};

FIXTURE_VARIANT(keeps_out) {
	const struct gmem_vm_type *type;
	__u64 flags;
	const struct gmem_trigger *trigger;	/* NULL: none */
};

#define ALLOCATION(_type, _flags) \
FIXTURE_VARIANT_ADD(keeps_out, _type##_##_flags) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
};
ALLOCATION(default, mmap)
ALLOCATION(default, shared)
ALLOCATION(default, optin)
ALLOCATION(sw_protected, none)

#define MIGRATION(_type, _flags, _trigger) \
FIXTURE_VARIANT_ADD(keeps_out, _type##_##_flags##_##_trigger) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
MIGRATION(default, none, compact_memory)
MIGRATION(default, mmap_shared, move_pages)
MIGRATION(default, mmap_shared, mbind)
MIGRATION(default, mmap_shared, migrate_pages)
MIGRATION(default, optin_mmap_shared, move_pages)
MIGRATION(sw_protected, mmap, compact_memory)

FIXTURE_SETUP(keeps_out)
{
}

FIXTURE_TEARDOWN(keeps_out)
{
	gmem_scene_free(self->scene);
	gmem_control_free(self->control);
	gmem_region_free(self->region);
}

static void check_region(struct gmem_region *region, const char *when,
			 struct gmem_tally *tally)
{
	__u64 frames[NPAGES];
	struct gmem_place place;

	gmem_frame_read(region, frames);
	for (size_t page = 0; page < region->npages; page++) {
		gmem_place_of(frames[page], &place);
		if (place.movable || place.cma)
			gmem_fail(GMEM_C7,
				  "%s: page %zu: wanted neither ZONE_MOVABLE nor CMA, got node %d, zone %s%s (frame %#llx, flags %s, %s VM, policy %s)",
				  when, page, place.node, place.zone, place.cma ? ", CMA" : "",
				  frames[page], gmem_flags_name(region->flags),
				  region->type->name, gmem_policy_name());
	}
	tally->placed += region->npages;
}

/* Ordinary pages do get there: there is room, and the zones are told apart. */
static void check_control(struct gmem_control *control, const char *when)
{
	struct gmem_place place;

	gmem_control_look(control);
	for (size_t page = 0; page < control->npages; page++) {
		gmem_place_of(control->frames[page], &place);
		if (!place.movable)
			gmem_broken("%s: ordinary page %zu: wanted Movable, got node %d, zone %s",
				    when, page, place.node, place.zone);
	}
}

static void allocate(FIXTURE_DATA(keeps_out) * self, int movable, struct gmem_tally *tally)
{
	const char *when = "allocated under a policy of ZONE_MOVABLE alone";

	gmem_numa_bind(movable);
	gmem_control_touch(self->control, 0, NPAGES);
	gmem_region_allocate(self->region, 0, NPAGES);
	gmem_numa_bind(-1);
	check_control(self->control, when);
	check_region(self->region, when, tally);
	tally->control += NPAGES;
	gmem_control_discard(self->control, 0, NPAGES);
	gmem_region_discard(self->region);
}

static void migrate(struct gmem_scene *scene, int movable, struct gmem_tally *tally)
{
	const struct gmem_trigger *trigger = scene->trigger;

	gmem_scene_look(scene);
	for (int round = 0; round < ROUNDS; round++) {
		if (trigger->by_address)
			scene->node = movable;
		gmem_scene_fire(scene, NULL, tally);
		if (trigger->by_address)
			check_control(scene->control, trigger->name);
		check_region(scene->region, trigger->name, tally);
	}
	if (tally->control == NPAGES)
		gmem_broken("%s moved no ordinary memory either", trigger->name);
	if (tally->moved)
		gmem_fail(GMEM_C4,
			  "%s: page %zu: wanted the same frame, got %#llx instead of %#llx",
			  trigger->name, scene->moved_page, scene->moved_to, scene->moved_from);
}

TEST_F_TIMEOUT(keeps_out, whatever_is_asked_for, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_CONTROL | GMEM_PLACED;
	struct gmem_tally tally = {};
	int movable;

	GMEM_CASE_BEGIN();
	gmem_policy_want_unmovable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_region_create(variant->type, gmem_flags(variant->flags), NPAGES);
	gmem_skip_if(gmem_frame_missing());
	gmem_skip_if(gmem_numa_missing());
	movable = gmem_place_movable_node();
	self->control = gmem_control_create(NPAGES);
	allocate(self, movable, &tally);
	if (variant->trigger) {
		required |= GMEM_STAYED;
		self->scene = gmem_scene_create(variant->trigger, self->region);
		check_region(self->region, "allocated on an ordinary node", &tally);
		migrate(self->scene, movable, &tally);
	}
	gmem_case_pass(&tally, required);
}

FIXTURE(cma) {
	struct gmem_region *region;
	struct gmem_control *control;
};

FIXTURE_VARIANT(cma) {
	const struct gmem_vm_type *type;
	__u64 flags;
};

#define CMA(_type, _flags) \
FIXTURE_VARIANT_ADD(cma, _type##_##_flags) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
};
CMA(default, mmap_shared)
CMA(default, optin_mmap_shared)
CMA(sw_protected, none)

FIXTURE_SETUP(cma)
{
}

FIXTURE_TEARDOWN(cma)
{
	gmem_control_free(self->control);
	gmem_region_free(self->region);
}

TEST_F_TIMEOUT(cma, is_not_used, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_unmovable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_region_create(variant->type, gmem_flags(variant->flags), NPAGES);
	gmem_skip_if(gmem_frame_missing());
	gmem_skip_if(gmem_numa_missing());
	gmem_skip_if(gmem_cma_missing());
	self->control = gmem_control_create(NPAGES);
	tally.control = gmem_cma_allocate_in_turns(self->region, self->control);
	check_region(self->region, "most of what is free is CMA", &tally);
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
