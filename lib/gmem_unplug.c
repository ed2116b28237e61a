// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is to go away from under a guest. */
#include <stdlib.h>

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"
#include "gmem_trigger.h"
#include "gmem_unplug.h"

/* What is placed: a trigger's place() knows but its scene. */
static struct gmem_unplug *placing;

static size_t holds(const struct gmem_unplug *unplug, const __u64 *frames, size_t count)
{
	size_t held = 0;

	for (long nth = 0; nth < unplug->nblocks; nth++)
		held += gmem_block_holds(unplug->block + nth, frames, count);
	return held;
}

/* Ordinary pages leave the memory as it goes. */
static void prove(struct gmem_unplug *unplug, struct gmem_control *control)
{
	const struct gmem_unplug_kind *kind = unplug->kind;

	gmem_control_touch_on(control, unplug->node);
	gmem_control_look(control);
	if (holds(unplug, control->frames, control->npages) < control->npages)
		gmem_broken("%s: not all ordinary pages are in %s", kind->name, kind->place);
	kind->prove(unplug);
	gmem_control_look(control);
	if (holds(unplug, control->frames, control->npages))
		gmem_broken("%s: %s went with ordinary pages in it", kind->name, kind->place);
	gmem_control_discard(control, 0, control->npages);
}

static void place(struct gmem_scene *scene)
{
	const struct gmem_unplug_kind *kind = placing->kind;

	kind->online(placing);
	prove(placing, scene->control);
	kind->online(placing);
	gmem_scene_allocate_by_policy(scene, placing->node);
}

static const struct gmem_trigger by_hand = {
	.name = "unplug",
	.missing = gmem_numa_missing,
	.place = place,
};

struct gmem_unplug *gmem_unplug_begin(const struct gmem_unplug_kind *kind,
				      const struct gmem_vm_type *type, __u64 flags,
				      size_t npages, bool movable)
{
	struct gmem_unplug *unplug;

	if (movable)
		gmem_policy_want_movable(type, flags);
	else
		gmem_policy_want_unmovable(type, flags);
	unplug = calloc(1, sizeof(*unplug));
	if (!unplug)
		gmem_broken("out of memory");
	unplug->kind = kind;
	unplug->flags = gmem_flags_name(flags);
	unplug->zone_movable = movable && !kind->always_normal;
	unplug->nblocks = 1;
	unplug->node = kind->find(unplug);
	unplug->region = gmem_region_create(type, flags, npages);
	placing = unplug;
	unplug->scene = gmem_scene_create(&by_hand, unplug->region);
	gmem_scene_look(unplug->scene);
	unplug->guest = gmem_guest_create_idle(unplug->region);
	gmem_guest_run_on(unplug->guest, GMEM_GUEST_WRITE, 0, npages / 2);
	gmem_guest_wait_rounds(unplug->guest, 1);
	unplug->witness = gmem_stage2_watch(unplug->region);
	return unplug;
}

void gmem_unplug_online_spare(struct gmem_unplug *unplug)
{
	unplug->block = unplug->spare[0];
	if (unplug->zone_movable)
		gmem_block_online(unplug->block, "online_movable");
	else
		gmem_block_online_kernel(unplug->block, unplug->spare[1]);
}

static int find_block(struct gmem_unplug *unplug)
{
	return gmem_block_spare(unplug->spare);
}

static void prove_block(struct gmem_unplug *unplug)
{
	gmem_block_offline(unplug->block);
}

const struct gmem_unplug_kind gmem_unplug_block = {
	.name = "offlining",
	.place = "the block",
	.find = find_block,
	.online = gmem_unplug_online_spare,
	.prove = prove_block,
};

void gmem_unplug_free(struct gmem_unplug *unplug)
{
	if (!unplug)
		return;
	gmem_guest_free(unplug->guest);
	gmem_stage2_free(unplug->witness);
	gmem_scene_free(unplug->scene);
	gmem_region_free(unplug->region);
	free(unplug);
}

size_t gmem_unplug_held(const struct gmem_unplug *unplug)
{
	return holds(unplug, unplug->scene->frames, unplug->region->npages);
}

void gmem_unplug_check_placed(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	size_t held = gmem_unplug_held(unplug), npages = unplug->region->npages;

	if (held < npages && !unplug->zone_movable)
		gmem_broken("wanted all %zu pages in %s, got %zu", npages, unplug->kind->place,
			    held);
	if (held < npages)
		gmem_fail(GMEM_C7,
			  "wanted all %zu pages in %s, which is ZONE_MOVABLE, like ordinary ones, got %zu (flags %s)",
			  npages, unplug->kind->place, held, unplug->flags);
	tally->placed += held;
}

void gmem_unplug_check_unmapped(struct gmem_unplug *unplug)
{
	__u64 first, unmaps = gmem_stage2_unmaps(unplug->witness, &first);
	size_t touched = unplug->region->npages / 2;

	if (unmaps < touched)
		gmem_fail(GMEM_C2,
			  "%s: wanted a stage-2 unmap of each of %zu pages, got %llu (flags %s)",
			  unplug->kind->name, touched, unmaps, unplug->flags);
}

void gmem_unplug_check_stayed(struct gmem_unplug *unplug, const struct gmem_tally *tally)
{
	__u64 first, unmaps = gmem_stage2_unmaps(unplug->witness, &first);
	struct gmem_scene *scene = unplug->scene;

	if (tally->moved)
		gmem_fail(GMEM_C4,
			  "%s: page %zu: wanted the same frame, got %#llx instead of %#llx (%llu moves, flags %s)",
			  unplug->kind->name, scene->moved_page, scene->moved_to,
			  scene->moved_from, tally->moved, unplug->flags);
	if (unmaps)
		gmem_fail(GMEM_C4,
			  "%s: wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s)",
			  unplug->kind->name, unmaps, first, unplug->flags);
}

void gmem_unplug_verify(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	gmem_guest_pause(unplug->guest);
	tally->verified += gmem_guest_verify(unplug->guest);
}
