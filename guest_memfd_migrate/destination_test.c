// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd goes to the node that a by-address trigger names.
 *
 * Contract: C7: movable memory is moved to the node that was asked for, and into
 *	     ZONE_MOVABLE where a node has nothing else.
 * Method:   the file is sent to the second node, back to the first, and to one that has
 *	     ZONE_MOVABLE alone; the place of every frame is looked at each time.
 * Guards:   broken if ordinary pages that were sent along lie elsewhere, or if nothing
 *	     was looked at; fails if nothing moved.
 * Needs:    a policy with movable memory; two nodes; ZONE_MOVABLE or a memory block
 *	     that is offline.
 * Kills:    gfp-not-movable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
#define TRIES	10

FIXTURE(destination) {
	struct gmem_region *region;
	struct gmem_scene *scene;
};

FIXTURE_VARIANT(destination) {
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define VARIANT(_flags, _trigger) \
FIXTURE_VARIANT_ADD(destination, _flags##_##_trigger) { \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
VARIANT(optin_mmap_shared, move_pages)
VARIANT(optin_mmap_shared, mbind)
VARIANT(optin_mmap_shared, migrate_pages)
VARIANT(mmap_shared, move_pages)

FIXTURE_SETUP(destination)
{
}

FIXTURE_TEARDOWN(destination)
{
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* A page that something else refers to for a moment is left out: send it again. */
static void send_to(struct gmem_scene *scene, int node, bool movable, struct gmem_tally *tally)
{
	const char *how = scene->trigger->name;
	bool arrived = false;

	for (int try = 0; !arrived && try < TRIES; try++) {
		scene->node = node;
		gmem_scene_fire(scene, NULL, tally);
		arrived = gmem_place_all_there(scene->frames, scene->region->npages, node,
					       movable);
	}
	tally->control += gmem_place_check_control(scene->control, node, movable, how);
	tally->placed += gmem_place_check_region(scene->region, node, movable, how);
}

TEST_F_TIMEOUT(destination, goes_where_the_trigger_says, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int movable;

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	gmem_skip_if(gmem_numa_missing());
	movable = gmem_place_movable_node();
	self->scene = gmem_scene_create(variant->trigger, self->region);
	gmem_scene_look(self->scene);
	tally.placed += gmem_place_check_region(self->region, gmem_numa_node(0), false,
						"set_mempolicy");

	send_to(self->scene, gmem_numa_node(1), false, &tally);
	send_to(self->scene, gmem_numa_node(0), false, &tally);
	send_to(self->scene, movable, true, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
