// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that compact memory on demand, and where a scene must lie for compaction. */
#include "kselftest.h"

#include "gmem_case.h"
#include "gmem_compaction.h"
#include "gmem_control.h"
#include "gmem_file.h"
#include "gmem_frame.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_reserve.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_undo.h"

#define COMPACT_MEMORY	"/proc/sys/vm/compact_memory"
#define PROACTIVENESS "/proc/sys/vm/compaction_proactiveness"
#define COMPACT_UNEVICTABLE "/proc/sys/vm/compact_unevictable_allowed"

enum gmem_skip gmem_compaction_missing(void)
{
	if (!gmem_file_exists(COMPACT_MEMORY))
		return GMEM_SKIP_no_compaction;
	/* 0 is the default of PREEMPT_RT; guest_memfd is unevictable. */
	if (gmem_file_read_long(COMPACT_UNEVICTABLE) != 1)
		return GMEM_SKIP_no_compaction;
	return GMEM_SKIP_none;
}

/* Frames in a hole, and in the wall between two. */
#define HOLE	64
/* Pages of filler even where next to nothing lies below. */
#define MIN_FILL	4096

size_t gmem_compaction_above(struct gmem_scene *scene, __u64 frame)
{
	size_t above = 0;

	for (size_t i = 0; i < scene->nfillers; i++) {
		struct gmem_control *filler = scene->filler[i];

		gmem_control_moved(filler);
		for (size_t page = 0; page < filler->npages; page++)
			above += filler->frames[page] > frame;
	}
	return above;
}

static __u64 highest(const __u64 *frames, size_t count, __u64 so_far)
{
	for (size_t page = 0; page < count; page++)
		so_far = frames[page] > so_far ? frames[page] : so_far;
	return so_far;
}

/* Unmovable memory comes from pageblocks of its own, which may lie anywhere. */
__u64 gmem_compaction_top(struct gmem_scene *scene)
{
	__u64 top;

	gmem_control_moved(scene->control);
	top = highest(scene->control->frames, scene->control->npages, 0);
	if (!scene->region->movable)
		return top;
	gmem_frame_lookup(scene->region, scene->frames);
	return highest(scene->frames, scene->region->npages, top);
}

void gmem_compaction_add_filler(struct gmem_scene *scene, size_t npages)
{
	struct gmem_control *filler = gmem_control_create(npages);

	gmem_numa_bind(gmem_numa_node(0));
	gmem_control_touch(filler, 0, npages);
	gmem_numa_bind(-1);
	scene->filler[scene->nfillers++] = filler;
}

/*
 * Frees all filler below @frame, and every second HOLE frames of what lies above.
 * Where it has found nothing, compaction looks for free pages at every 32nd frame
 * only: smaller holes may escape it.
 */
static void make_holes(struct gmem_control *filler, __u64 frame)
{
	size_t first = 0;

	/* Neighbours in one call: each call notifies the VM's MMU, too. */
	for (size_t page = 0; page <= filler->npages; page++) {
		if (page < filler->npages &&
		    (filler->frames[page] < frame || filler->frames[page] / HOLE % 2))
			continue;
		if (page > first)
			gmem_control_discard(filler, first, page - first);
		first = page + 1;
	}
}

void gmem_compaction_make_holes(struct gmem_scene *scene, __u64 frame)
{
	for (size_t i = 0; i < scene->nfillers; i++)
		make_holes(scene->filler[i], frame);
}

/*
 * Pages on a CPU's free list are free, yet no hole that compaction could see; and
 * kcompactd would come first, which dislikes holes: it wakes twice a second, and
 * whenever kswapd has seen to a boosted watermark.
 */
void gmem_compaction_keep_holes(void)
{
	gmem_reserve_lower();
	gmem_reserve_share();
	gmem_sysctl_set(PROACTIVENESS, "0");
}

/*
 * Holes for everything movable on the node, as all of it may lie below the scene
 * and be moved first; but no more than the node has room for.
 */
static size_t holes_wanted(struct gmem_scene *scene)
{
	int node = gmem_numa_node(0);
	size_t movable = gmem_numa_movable(node) / scene->region->page_size;
	size_t wanted = movable + 4 * scene->region->npages;
	size_t most = gmem_numa_free(node) / scene->region->page_size / 16;

	return wanted < most ? wanted : most;
}

/*
 * Compaction moves what lies low in a zone into holes that lie high in it, the
 * lowest first; a pageblock that is free as a whole is no hole to it.  So allocate
 * filler, half of which becomes holes, and then the scene; as the allocator may walk
 * through memory either way, allocate more filler after it if too little lies above;
 * and if that does not help, try both further on.  Leave no filler below the scene,
 * and keep the holes' walls for as long as it lasts.
 */
void gmem_compaction_place(struct gmem_scene *scene, size_t min_holes)
{
	size_t wanted = 2 * (min_holes + holes_wanted(scene));
	/* Room to spare: free lists hand out single pages from anywhere first. */
	size_t fill = wanted + MIN_FILL;
	size_t above = 0;
	__u64 top = 0;

	gmem_compaction_keep_holes();
	while (above < wanted && scene->nfillers < ARRAY_SIZE(scene->filler)) {
		bool place = scene->nfillers % 2 == 0;

		/* What the filler takes now, the scene cannot be given again. */
		if (place && scene->nfillers)
			gmem_scene_discard(scene);
		gmem_compaction_add_filler(scene, fill);
		if (place)
			gmem_scene_allocate(scene);
		top = gmem_compaction_top(scene);
		above = gmem_compaction_above(scene, top);
	}
	if (above < wanted)
		gmem_broken("found no place with %zu pages above it (%zu fillers of %zu pages)",
			    wanted, scene->nfillers, fill);
	gmem_compaction_make_holes(scene, top);
}

static void compact_place(struct gmem_scene *scene)
{
	gmem_compaction_place(scene, 0);
}

static void compact_fire(struct gmem_scene *scene)
{
	gmem_file_write(COMPACT_MEMORY, "1");
}

const struct gmem_trigger gmem_trigger_compact_memory = {
	.name = "compact_memory",
	.rounds = 2,
	.missing = gmem_compaction_missing,
	.place = compact_place,
	.fire = compact_fire,
};

static void compact_node_path(int node, char *path, size_t size)
{
	snprintf(path, size, "/sys/devices/system/node/node%d/compact", node);
}

void gmem_compaction_run(int node)
{
	char path[64];

	compact_node_path(node, path, sizeof(path));
	gmem_file_write(path, "1");
}

static enum gmem_skip compact_node_missing(void)
{
	char path[64];

	compact_node_path(gmem_numa_node(0), path, sizeof(path));
	return gmem_file_exists(path) ? gmem_compaction_missing() : GMEM_SKIP_no_compaction;
}

static void compact_node_fire(struct gmem_scene *scene)
{
	gmem_compaction_run(gmem_numa_node(0));
}

const struct gmem_trigger gmem_trigger_compact_node = {
	.name = "compact_node",
	.rounds = 2,
	.missing = compact_node_missing,
	.place = compact_place,
	.fire = compact_node_fire,
};

bool gmem_compaction_done(struct gmem_scene *scene)
{
	return gmem_control_away(scene->control) > scene->control->npages / 2;
}
