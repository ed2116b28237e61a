// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that compact memory on demand, and where a scene must lie for compaction. */
#include <stdlib.h>

#include "kselftest.h"

#include "case/gmem_alloc.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_gup_pin.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_watermark.h"
#include "observe/gmem_pfn.h"
#include "trigger/gmem_compaction.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

#define COMPACT_MEMORY	"/proc/sys/vm/compact_memory"
#define PROACTIVENESS "/proc/sys/vm/compaction_proactiveness"
#define COMPACT_UNEVICTABLE "/proc/sys/vm/compact_unevictable_allowed"

enum gmem_skip_reason gmem_compaction_missing(void)
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

struct gmem_fillers *gmem_compaction_fillers(struct gmem_migration *migration)
{
	if (!migration->private)
		migration->private = gmem_zalloc(1, sizeof(struct gmem_fillers));
	return migration->private;
}

void gmem_compaction_cleanup(struct gmem_migration *migration)
{
	struct gmem_fillers *fillers = migration->private;

	if (!fillers)
		return;
	if (fillers->ring)
		gmem_gup_unpin(fillers->ring);
	for (size_t i = 0; i < fillers->count; i++)
		gmem_anon_free(fillers->filler[i]);
	free(fillers);
}

size_t gmem_compaction_above(struct gmem_migration *migration, u64 pfn)
{
	struct gmem_fillers *fillers = gmem_compaction_fillers(migration);
	size_t above = 0;

	for (size_t i = 0; i < fillers->count; i++) {
		struct gmem_anon *filler = fillers->filler[i];

		gmem_anon_moved(filler);
		for (size_t page = 0; page < filler->npages; page++)
			above += filler->pfns[page] > pfn;
	}
	return above;
}

static u64 highest(const u64 *pfns, size_t count, u64 so_far)
{
	for (size_t page = 0; page < count; page++)
		so_far = pfns[page] > so_far ? pfns[page] : so_far;
	return so_far;
}

/* Unmovable memory comes from pageblocks of its own, which may lie anywhere. */
u64 gmem_compaction_top(struct gmem_migration *migration)
{
	u64 top;

	gmem_anon_moved(migration->control);
	top = highest(migration->control->pfns, migration->control->npages, 0);
	if (!migration->region->movable)
		return top;
	gmem_pfn_lookup(migration->region, migration->pfns);
	return highest(migration->pfns, migration->region->npages, top);
}

void gmem_compaction_add_filler(struct gmem_migration *migration, size_t npages)
{
	struct gmem_fillers *fillers = gmem_compaction_fillers(migration);
	struct gmem_anon *filler = gmem_anon_create(npages);

	if (fillers->count == ARRAY_SIZE(fillers->filler))
		gmem_broken("%zu fillers are too few", fillers->count);
	gmem_numa_bind(gmem_numa_node(0));
	gmem_anon_touch(filler, 0, npages);
	gmem_numa_bind(-1);
	fillers->filler[fillers->count++] = filler;
}

/*
 * Frees all filler below @pfn, and every second HOLE frames of what lies above.
 * Where it has found nothing, compaction looks for free pages at every 32nd frame
 * only: smaller holes may escape it.
 */
static void make_holes(struct gmem_anon *filler, u64 pfn)
{
	size_t first = 0;

	/* Neighbours in one call: each call notifies the VM's MMU, too. */
	for (size_t page = 0; page <= filler->npages; page++) {
		if (page < filler->npages &&
		    (filler->pfns[page] < pfn || filler->pfns[page] / HOLE % 2))
			continue;
		if (page > first)
			gmem_anon_discard(filler, first, page - first);
		first = page + 1;
	}
}

void gmem_compaction_make_holes(struct gmem_migration *migration, u64 pfn)
{
	struct gmem_fillers *fillers = gmem_compaction_fillers(migration);

	for (size_t i = 0; i < fillers->count; i++)
		make_holes(fillers->filler[i], pfn);
}

/*
 * Pages on a CPU's free list are free, yet no hole that compaction could see; and
 * kcompactd would come first, which dislikes holes: it wakes twice a second, and
 * whenever kswapd has seen to a boosted watermark.
 */
void gmem_compaction_keep_holes(void)
{
	gmem_watermark_lower();
	gmem_watermark_shrink_pcp();
	gmem_sysctl_set(PROACTIVENESS, "0");
}

/*
 * Holes for everything movable on the node, as all of it may lie below the scene
 * and be moved first; but no more than the node has room for.
 */
static size_t holes_wanted(struct gmem_migration *migration)
{
	int node = gmem_numa_node(0);
	size_t movable = gmem_numa_movable(node) / migration->region->page_size;
	size_t wanted = movable + 4 * migration->region->npages;
	size_t most = gmem_numa_free(node) / migration->region->page_size / 16;

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
void gmem_compaction_allocate(struct gmem_migration *migration, size_t min_holes)
{
	struct gmem_fillers *fillers = gmem_compaction_fillers(migration);
	size_t wanted = 2 * (min_holes + holes_wanted(migration));
	/* Room to spare: free lists hand out single pages from anywhere first. */
	size_t fill = wanted + MIN_FILL;
	size_t above = 0;
	u64 top = 0;

	gmem_compaction_keep_holes();
	while (above < wanted && fillers->count < ARRAY_SIZE(fillers->filler)) {
		bool again = fillers->count % 2 == 0;

		/* What the filler takes now, the scene cannot be given again. */
		if (again && fillers->count)
			gmem_migration_discard(migration);
		gmem_compaction_add_filler(migration, fill);
		if (again)
			gmem_migration_allocate(migration);
		top = gmem_compaction_top(migration);
		above = gmem_compaction_above(migration, top);
	}
	if (above < wanted)
		gmem_broken("found no place with %zu pages above it (%zu fillers of %zu pages)",
			    wanted, fillers->count, fill);
	gmem_compaction_make_holes(migration, top);
}

static void compact_allocate(struct gmem_migration *migration)
{
	gmem_compaction_allocate(migration, 0);
}

static void compact_fire(struct gmem_migration *migration)
{
	gmem_file_write(COMPACT_MEMORY, "1");
}

const struct gmem_trigger gmem_trigger_compact_memory = {
	.name = "compact_memory",
	.rounds = 2,
	.missing = gmem_compaction_missing,
	.allocate = compact_allocate,
	.fire = compact_fire,
	.cleanup = gmem_compaction_cleanup,
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

static enum gmem_skip_reason compact_node_missing(void)
{
	char path[64];

	compact_node_path(gmem_numa_node(0), path, sizeof(path));
	return gmem_file_exists(path) ? gmem_compaction_missing() : GMEM_SKIP_no_compaction;
}

static void compact_node_fire(struct gmem_migration *migration)
{
	gmem_compaction_run(gmem_numa_node(0));
}

const struct gmem_trigger gmem_trigger_compact_node = {
	.name = "compact_node",
	.rounds = 2,
	.missing = compact_node_missing,
	.allocate = compact_allocate,
	.fire = compact_node_fire,
	.cleanup = gmem_compaction_cleanup,
};

bool gmem_compaction_done(struct gmem_migration *migration)
{
	return gmem_anon_away(migration->control) > migration->control->npages / 2;
}
