// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that want huge pages where none is free, so that the kernel has to make some. */
#include <stdlib.h>
#include <linux/sizes.h>
#include <sys/uio.h>

#include "gmem_compaction.h"
#include "gmem_control.h"
#include "gmem_frame.h"
#include "gmem_hugetlb.h"
#include "gmem_hugetlb_map.h"
#include "gmem_longterm.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_thp.h"
#include "gmem_trigger.h"

/* Bytes of the node below which the kernel compacts no more, and whoever wants a small
 * page of it may well meet the OOM killer.
 */
#define MARGIN SZ_16M
/* Bytes at the low end of the node for the scene, and at the high end for its holes. */
#define LOW SZ_64M
#define HIGH SZ_128M
/* Free pages that the kernel wants to see before it compacts for a huge page. */
#define HUGE_HOLES 8192

/* The pages of @filler that are left, run by run; returns how many runs. */
static unsigned int runs_of(const struct gmem_control *filler, struct iovec *run)
{
	__u64 *frames = calloc(filler->npages, sizeof(*frames));
	unsigned int runs = 0;

	if (!frames)
		gmem_broken("out of memory");
	gmem_frame_read_mapped(filler->mem, filler->npages, filler->page_size, frames);
	for (size_t page = 0; page < filler->npages; page++) {
		if (!frames[page])
			continue;
		if (!page || !frames[page - 1])
			run[runs++].iov_base = filler->mem + page * filler->page_size;
		run[runs - 1].iov_len += filler->page_size;
	}
	free(frames);
	return runs;
}

/* Compaction would move the walls of the holes as well, and use the holes up for them. */
static void pin_walls(struct gmem_scene *scene)
{
	size_t most = 0;
	unsigned int runs = 0;
	struct iovec *run;

	for (size_t i = 0; i < scene->nfillers; i++)
		most += scene->filler[i]->npages;
	run = calloc(most, sizeof(*run));
	if (!run)
		gmem_broken("out of memory");
	for (size_t i = 0; i < scene->nfillers; i++)
		runs += runs_of(scene->filler[i], run + runs);
	scene->ring = gmem_longterm_pin(run, runs);
	free(run);
}

/* Not by asking for more than there are: compaction would skip the blocks they are in. */
static void take_free(int node)
{
	for (int i = 0; i < 2; i++) {
		gmem_compaction_run(node);
		gmem_hugetlb_take_free(node, 0);
	}
}

/*
 * Compaction for one huge page stops as soon as it has it, and the next one goes on from
 * there: whatever movable memory lies below the scene would be moved first, and use up
 * the holes.  And when it begins anew, it looks for something to move in the lower half
 * of the zone, for holes in the upper one, and for nothing any more if it finds only one
 * of the two (__reset_isolation_suitable()).  So all that huge pages can be made of
 * becomes such, but for the lowest memory, where the scene lies, and the highest, where
 * the holes are; once with filler for what is free all over the node.
 */
static void huge_place(struct gmem_scene *scene)
{
	size_t size = gmem_hugetlb_page_size(), page_size = scene->region->page_size;
	int node = gmem_numa_node(0);
	struct gmem_hugetlb_map *map;
	size_t above;
	__u64 top;

	gmem_compaction_keep_holes();
	gmem_hugetlb_keep(node);
	take_free(node);
	map = gmem_hugetlb_map_pool(node);
	gmem_hugetlb_release_highest(map, HIGH / size);
	gmem_compaction_add_filler(scene, (gmem_numa_free(node) - MARGIN) / page_size);
	gmem_hugetlb_release_lowest(map, LOW / size);
	gmem_hugetlb_unmap(map);
	gmem_compaction_add_filler(scene, 2 * MARGIN / page_size);
	gmem_scene_allocate(scene);

	top = gmem_compaction_top(scene);
	above = gmem_compaction_above(scene, top);
	if (above < 2 * HUGE_HOLES)
		gmem_broken("only %zu pages of filler above the scene, wanted %u", above,
			    2 * HUGE_HOLES);
	gmem_compaction_make_holes(scene, top);
	pin_walls(scene);
}

/*
 * Compaction goes on from where it was last, skips blocks that yielded nothing then,
 * and after each failure lets twice as many attempts pass, up to 64
 * (COMPACT_MAX_DEFER_SHIFT): only then does it begin anew, with every block.  So try
 * for longer than that takes, twice.
 */
#define ATTEMPTS 400

static enum gmem_skip hugetlb_missing(void)
{
	enum gmem_skip why = gmem_hugetlb_missing(gmem_numa_node(0));

	/* With pages of 64 KiB they are of 512 MiB. */
	if (!why && gmem_hugetlb_page_size() > LOW)
		why = GMEM_SKIP_no_huge_pages;
	return why ? why : gmem_compaction_missing();
}

/* Asks for more than there is: what is not free as a whole has to be made so. */
static void hugetlb_fire(struct gmem_scene *scene)
{
	int node = gmem_numa_node(0);
	long was = gmem_hugetlb_pool(node);

	for (int attempt = 0; attempt < ATTEMPTS && !gmem_compaction_done(scene); attempt++)
		gmem_hugetlb_resize(node, was + 1000000);
	gmem_hugetlb_resize(node, was);
}

const struct gmem_trigger gmem_trigger_hugetlb = {
	.name = "hugetlb",
	.rounds = 2,
	.missing = hugetlb_missing,
	.place = huge_place,
	.fire = hugetlb_fire,
};

static enum gmem_skip thp_missing(void)
{
	enum gmem_skip why = gmem_thp_missing();

	/* The pool takes what needs no compaction. */
	return why ? why : hugetlb_missing();
}

static void thp_place(struct gmem_scene *scene)
{
	huge_place(scene);
	gmem_thp_compact_on_fault();
}

/* Faults in huge pages, after the pool has taken those that are free. */
static void thp_fire(struct gmem_scene *scene)
{
	int node = gmem_numa_node(0);
	long was = gmem_hugetlb_pool(node);
	struct gmem_thp *thp;

	gmem_hugetlb_take_free(node, 0);
	thp = gmem_thp_create(ATTEMPTS, node);
	for (int attempt = 0; attempt < ATTEMPTS && gmem_numa_free(node) > MARGIN &&
	     !gmem_compaction_done(scene); attempt++)
		gmem_thp_fault(thp);
	gmem_thp_free(thp);
	gmem_hugetlb_resize(node, was);
}

const struct gmem_trigger gmem_trigger_thp = {
	.name = "thp",
	.rounds = 2,
	.missing = thp_missing,
	.place = thp_place,
	.fire = thp_fire,
};
