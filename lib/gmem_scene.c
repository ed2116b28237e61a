// SPDX-License-Identifier: GPL-2.0-only
/* A scene: a region and a control side by side, and what a trigger moved. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest.h"

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_longterm.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"

/* Pages of the one, then of the other, while allocating. */
#define TURN 8

void gmem_scene_allocate_on(struct gmem_scene *scene, int node)
{
	gmem_numa_bind(node);
	for (size_t page = 0; page < scene->region->npages; page += TURN) {
		size_t left = scene->region->npages - page;
		size_t count = left < TURN ? left : TURN;

		gmem_control_touch(scene->control, page, count);
		gmem_region_allocate(scene->region, page, count);
	}
	gmem_numa_bind(-1);
}

/* On the first node, so that the first way to go is the second. */
void gmem_scene_allocate(struct gmem_scene *scene)
{
	gmem_scene_allocate_on(scene, gmem_numa_node(0));
}

void gmem_scene_allocate_by_policy(struct gmem_scene *scene, int node)
{
	struct gmem_region *region = scene->region;

	gmem_control_touch_on(scene->control, node);
	gmem_numa_mbind(region->host, gmem_region_size(region), node);
	gmem_region_allocate(region, 0, region->npages);
}

void gmem_scene_discard(struct gmem_scene *scene)
{
	gmem_control_discard(scene->control, 0, scene->control->npages);
	gmem_region_discard(scene->region);
}

struct gmem_scene *gmem_scene_create(const struct gmem_trigger *trigger,
				     struct gmem_region *region)
{
	struct gmem_scene *scene = calloc(1, sizeof(*scene));

	gmem_skip_if(gmem_frame_missing());
	if (trigger->missing)
		gmem_skip_if(trigger->missing());
	if (!scene)
		gmem_broken("out of memory");
	scene->trigger = trigger;
	scene->region = region;
	scene->control = gmem_control_create(region->npages);
	scene->frames = calloc(region->npages, sizeof(*scene->frames));
	if (!scene->frames)
		gmem_broken("out of memory");

	if (trigger->place)
		trigger->place(scene);
	else
		gmem_scene_allocate(scene);
	scene->node = gmem_numa_node(1);
	return scene;
}

void gmem_scene_free(struct gmem_scene *scene)
{
	if (!scene)
		return;
	if (scene->ring)
		gmem_longterm_release(scene->ring);
	for (int i = 0; i < ARRAY_SIZE(scene->filler); i++)
		gmem_control_free(scene->filler[i]);
	gmem_control_free(scene->next_owner);
	gmem_control_free(scene->control);
	free(scene->frames);
	free(scene);
}

void gmem_scene_look(struct gmem_scene *scene)
{
	gmem_frame_read(scene->region, scene->frames);
	gmem_control_moved(scene->control);
}

static void count_moved(struct gmem_scene *scene, struct gmem_tally *tally)
{
	size_t npages = scene->region->npages;
	__u64 *now = calloc(npages, sizeof(*now));

	if (!now)
		gmem_broken("out of memory");
	gmem_frame_read(scene->region, now);
	for (size_t page = 0; page < npages; page++) {
		if (now[page] == scene->frames[page]) {
			tally->stayed++;
			continue;
		}
		if (!tally->moved++) {
			scene->moved_page = page;
			scene->moved_from = scene->frames[page];
			scene->moved_to = now[page];
		}
	}
	memcpy(scene->frames, now, npages * sizeof(*now));
	free(now);
}

void gmem_scene_pull(struct gmem_scene *scene, struct gmem_guest *guest,
		     struct gmem_tally *tally)
{
	__u64 before;

	if (guest) {
		gmem_guest_give_way(guest);
		before = gmem_guest_progress(guest);
	}
	scene->trigger->fire(scene);
	if (guest)
		tally->raced += gmem_guest_progress(guest) - before;
}

void gmem_scene_count(struct gmem_scene *scene, struct gmem_tally *tally)
{
	tally->control += gmem_control_moved(scene->control) + scene->took;
	scene->took = 0;
	count_moved(scene, tally);
}

void gmem_scene_fire(struct gmem_scene *scene, struct gmem_guest *guest,
		     struct gmem_tally *tally)
{
	gmem_scene_pull(scene, guest, tally);
	gmem_scene_count(scene, tally);
}

/* Firings after which a page that is free to move is taken for one that is not. */
#define TRIES	50

void gmem_scene_move_all(struct gmem_scene *scene, struct gmem_tally *tally)
{
	size_t npages = scene->region->npages, stays = 0;
	__u64 *before = calloc(npages, sizeof(*before));

	if (!before)
		gmem_broken("out of memory");
	gmem_scene_look(scene);
	memcpy(before, scene->frames, npages * sizeof(*before));
	for (int try = 0; try < TRIES && stays < npages; try++) {
		gmem_scene_fire(scene, NULL, tally);
		while (stays < npages && scene->frames[stays] != before[stays])
			stays++;
	}
	if (!tally->control)
		gmem_broken("%s moved no ordinary memory either", scene->trigger->name);
	if (stays < npages)
		gmem_fail(GMEM_C8,
			  "page %zu: wanted it to move once nothing is in its way, got the same frame %#llx %d times",
			  stays, (unsigned long long)before[stays], TRIES);
	free(before);
}
