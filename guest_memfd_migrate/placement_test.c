// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd uses ZONE_MOVABLE and CMA, on the node that was asked for.
 *
 * Contract: C7: movable memory uses ZONE_MOVABLE and CMA; it is allocated on the node
 *	     that set_mempolicy(2) or mbind(2) names, again after it was punched, and
 *	     moved to the node that a by-address trigger names.
 * Method:   one node has ZONE_MOVABLE and nothing else, where only allocations can
 *	     land that are movable.  The file is allocated under the task's policy,
 *	     under a policy of its own against the task's, and by faults of the guest,
 *	     for that node and another in turn, punched in between; and it is sent
 *	     from node to node; and it is allocated on a node where CMA is most of what
 *	     is free.  The place of every frame is looked at each time.
 * Guards:   broken if ordinary pages under the same policy or trigger lie elsewhere,
 *	     or if nothing was looked at.
 * Needs:    a policy with movable memory; two nodes; ZONE_MOVABLE or a memory block
 *	     that is offline; a CMA area; kprobe events for what the host does not map.
 * Kills:    gfp-not-movable, mempolicy-lost
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_cma.h"
#include "gmem_control.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
#define TRIES	10

FIXTURE(allocation) {
	struct gmem_region *region;
	struct gmem_control *control;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(allocation) {
	__u64 flags;
};

#define ALLOCATION(_flags) \
FIXTURE_VARIANT_ADD(allocation, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
ALLOCATION(optin)
ALLOCATION(optin_mmap)
ALLOCATION(optin_shared)
ALLOCATION(optin_mmap_shared)
ALLOCATION(none)
ALLOCATION(mmap_shared)

FIXTURE_SETUP(allocation)
{
}

FIXTURE_TEARDOWN(allocation)
{
	gmem_guest_free(self->guest);
	gmem_control_free(self->control);
	gmem_region_free(self->region);
}

/* True if @frame is on @node, and in ZONE_MOVABLE if @movable. */
static bool is_there(__u64 frame, int node, bool movable, struct gmem_place *place)
{
	gmem_place_of(frame, place);
	return place->node == node && (place->movable || !movable);
}

/* Fails unless all of @region is on @node, and in ZONE_MOVABLE if @movable. */
static void check_region(struct gmem_region *region, int node, bool movable, const char *how,
			 struct gmem_tally *tally)
{
	__u64 frames[NPAGES];
	struct gmem_place place;

	gmem_frame_read(region, frames);
	for (size_t page = 0; page < region->npages; page++) {
		if (!is_there(frames[page], node, movable, &place))
			gmem_fail(GMEM_C7,
				  "%s: page %zu: wanted node %d%s, got node %d, zone %s (frame %#llx, flags %s, policy %s)",
				  how, page, node, movable ? ", zone Movable" : "", place.node,
				  place.zone, frames[page], gmem_flags_name(region->flags),
				  gmem_policy_name());
	}
	tally->placed += region->npages;
}

/* The same of ordinary pages, without which there is nothing to want. */
static void check_control(struct gmem_control *control, int node, bool movable,
			  const char *how, struct gmem_tally *tally)
{
	struct gmem_place place;

	gmem_control_moved(control);
	for (size_t page = 0; page < control->npages; page++) {
		if (!is_there(control->frames[page], node, movable, &place))
			gmem_broken("%s: ordinary page %zu: wanted node %d, got node %d, zone %s",
				    how, page, node, place.node, place.zone);
	}
	tally->control += control->npages;
}

static void by_task_policy(FIXTURE_DATA(allocation) * self, int node, bool movable,
			   struct gmem_tally *tally)
{
	const char *how = "set_mempolicy";

	gmem_numa_bind(node);
	gmem_control_touch(self->control, 0, NPAGES);
	gmem_region_allocate(self->region, 0, NPAGES);
	gmem_numa_bind(-1);
	check_control(self->control, node, movable, how, tally);
	check_region(self->region, node, movable, how, tally);
	gmem_control_discard(self->control, 0, NPAGES);
	gmem_region_discard(self->region);
}

/* Needs a mapping to name the pages by, not one that the host can access. */
static void by_file_policy(FIXTURE_DATA(allocation) * self, int node, bool movable,
			   int other, struct gmem_tally *tally)
{
	struct gmem_region *region = self->region;

	gmem_numa_mbind(region->host, NPAGES * region->page_size, node);
	gmem_numa_bind(other);
	gmem_region_allocate(region, 0, NPAGES);
	gmem_numa_bind(-1);
	check_region(region, node, movable, "mbind, allocated by fallocate", tally);
	gmem_region_discard(region);
}

static void by_guest_faults(FIXTURE_DATA(allocation) * self, int node, bool movable,
			    struct gmem_tally *tally)
{
	struct gmem_region *region = self->region;

	gmem_numa_mbind(region->host, NPAGES * region->page_size, node);
	self->guest = gmem_guest_create(region);
	check_region(region, node, movable, "mbind, allocated by the guest", tally);
	tally->verified += gmem_guest_verify(self->guest);
}

TEST_F_TIMEOUT(allocation, goes_where_the_policy_says, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_CONTROL | GMEM_PLACED;
	struct gmem_tally tally = {};
	int movable, ordinary;

	GMEM_CASE_BEGIN();
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	if (!self->region->movable)
		gmem_skip_if(GMEM_SKIP_no_policy_movable);
	gmem_skip_if(gmem_frame_missing());
	gmem_skip_if(gmem_numa_missing());
	ordinary = gmem_numa_node(1);
	movable = gmem_place_movable_node();
	self->control = gmem_control_create(NPAGES);

	/* And back: what the first round freed is what the third finds. */
	by_task_policy(self, movable, true, &tally);
	by_task_policy(self, ordinary, false, &tally);
	by_task_policy(self, movable, true, &tally);
	if (self->region->host) {
		required |= GMEM_VERIFIED;
		by_file_policy(self, ordinary, false, movable, &tally);
		by_file_policy(self, movable, true, ordinary, &tally);
		by_guest_faults(self, movable, true, &tally);
	}
	gmem_case_pass(&tally, required);
}

FIXTURE(migration) {
	struct gmem_region *region;
	struct gmem_scene *scene;
};

FIXTURE_VARIANT(migration) {
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define MIGRATION(_flags, _trigger) \
FIXTURE_VARIANT_ADD(migration, _flags##_##_trigger) { \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
MIGRATION(optin_mmap_shared, move_pages)
MIGRATION(optin_mmap_shared, mbind)
MIGRATION(optin_mmap_shared, migrate_pages)
MIGRATION(mmap_shared, move_pages)

FIXTURE_SETUP(migration)
{
}

FIXTURE_TEARDOWN(migration)
{
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

static bool all_there(struct gmem_scene *scene, int node, bool movable)
{
	struct gmem_place place;

	for (size_t page = 0; page < scene->region->npages; page++)
		if (!is_there(scene->frames[page], node, movable, &place))
			return false;
	return true;
}

/* A page that something else refers to for a moment is left out: send it again. */
static void send_to(struct gmem_scene *scene, int node, bool movable, struct gmem_tally *tally)
{
	const char *how = scene->trigger->name;
	bool arrived = false;

	for (int try = 0; !arrived && try < TRIES; try++) {
		scene->node = node;
		gmem_scene_fire(scene, NULL, tally);
		arrived = all_there(scene, node, movable);
	}
	check_control(scene->control, node, movable, how, tally);
	check_region(scene->region, node, movable, how, tally);
}

TEST_F_TIMEOUT(migration, goes_where_the_trigger_says, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int movable;

	GMEM_CASE_BEGIN();
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	if (!self->region->movable)
		gmem_skip_if(GMEM_SKIP_no_policy_movable);
	gmem_skip_if(gmem_numa_missing());
	movable = gmem_place_movable_node();
	self->scene = gmem_scene_create(variant->trigger, self->region);
	gmem_scene_look(self->scene);
	check_region(self->region, gmem_numa_node(0), false, "set_mempolicy", &tally);

	send_to(self->scene, gmem_numa_node(1), false, &tally);
	send_to(self->scene, gmem_numa_node(0), false, &tally);
	send_to(self->scene, movable, true, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED);
}

FIXTURE(cma) {
	struct gmem_region *region;
	struct gmem_control *control;
};

FIXTURE_VARIANT(cma) {
	__u64 flags;
};

#define CMA(_flags) \
FIXTURE_VARIANT_ADD(cma, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
CMA(optin_mmap)
CMA(mmap)

FIXTURE_SETUP(cma)
{
}

FIXTURE_TEARDOWN(cma)
{
	gmem_control_free(self->control);
	gmem_region_free(self->region);
}

TEST_F_TIMEOUT(cma, is_used, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	__u64 frames[NPAGES];

	GMEM_CASE_BEGIN();
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	if (!self->region->movable)
		gmem_skip_if(GMEM_SKIP_no_policy_movable);
	gmem_skip_if(gmem_frame_missing());
	gmem_skip_if(gmem_numa_missing());
	gmem_skip_if(gmem_cma_missing());
	self->control = gmem_control_create(NPAGES);
	gmem_numa_bind(gmem_cma_squeeze(-1));
	/* In turns: what the one is given, the other could have been. */
	for (size_t page = 0; page < NPAGES; page++) {
		gmem_control_touch(self->control, page, 1);
		gmem_region_allocate(self->region, page, 1);
	}
	gmem_numa_bind(-1);
	gmem_control_moved(self->control);
	tally.control = gmem_place_in_cma(self->control->frames, NPAGES);
	if (!tally.control)
		gmem_broken("no ordinary page was put into CMA");
	gmem_frame_read(self->region, frames);
	tally.placed = gmem_place_in_cma(frames, NPAGES);
	if (!tally.placed)
		gmem_fail(GMEM_C7,
			  "wanted pages in CMA, as %llu of %d ordinary ones are, got none (flags %s)",
			  tally.control, NPAGES, gmem_flags_name(self->region->flags));
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
