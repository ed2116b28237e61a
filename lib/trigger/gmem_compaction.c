// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that compact memory on demand, and where memory must lie for compaction. */
#include <stdio.h>
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

#define COMPACT_MEMORY		"/proc/sys/vm/compact_memory"
#define COMPACT_UNEVICTABLE	"/proc/sys/vm/compact_unevictable_allowed"
#define PROACTIVENESS		"/proc/sys/vm/compaction_proactiveness"

enum gmem_skip_reason gmem_compaction_missing(void)
{
	if (!gmem_file_exists(COMPACT_MEMORY))
		return GMEM_SKIP_no_compaction;
	/* PREEMPT_RT kernels have 0 by default, and guest_memfd is unevictable. */
	if (gmem_file_read_long(COMPACT_UNEVICTABLE) != 1)
		return GMEM_SKIP_no_compaction;
	return GMEM_SKIP_none;
}

/* The pages of a hole, and of the wall between two holes. */
#define HOLE		64
/* A filler has so many pages more than the holes need. */
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

static u64 highest_pfn(const u64 *pfns, size_t count, u64 so_far)
{
	for (size_t page = 0; page < count; page++)
		so_far = pfns[page] > so_far ? pfns[page] : so_far;
	return so_far;
}

/*
 * An unmovable region does not count, because the kernel allocates it from other pageblocks,
 * which may lie anywhere.
 */
u64 gmem_compaction_top(struct gmem_migration *migration)
{
	u64 top;

	gmem_anon_moved(migration->control);
	top = highest_pfn(migration->control->pfns, migration->control->npages, 0);
	if (!migration->region->movable)
		return top;
	gmem_pfn_lookup(migration->region, migration->pfns);
	return highest_pfn(migration->pfns, migration->region->npages, top);
}

void gmem_compaction_add_filler(struct gmem_migration *migration, size_t npages)
{
	struct gmem_fillers *fillers = gmem_compaction_fillers(migration);
	struct gmem_anon *filler = gmem_anon_create(npages);

	if (fillers->count == ARRAY_SIZE(fillers->filler))
		gmem_broken("wanted one more filler, got room for %zu", fillers->count);
	gmem_numa_bind(gmem_numa_node(0));
	gmem_anon_touch(filler, 0, npages);
	gmem_numa_bind(-1);
	fillers->filler[fillers->count++] = filler;
}

/*
 * Frees all of @filler below @pfn, and every second group of HOLE pfns above it.  Where compaction
 * has found nothing so far, it looks for free pages at every 32nd pfn only, and could miss
 * smaller holes.
 */
static void make_holes(struct gmem_anon *filler, u64 pfn)
{
	size_t first = 0;

	/* Neighbouring pages are freed in one call, because each call runs MMU notifiers. */
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
 * Pages on a CPU's own free list are free, but compaction cannot see them as holes.  And
 * kcompactd would fill the holes before the trigger fires: it wakes twice a second, and whenever
 * kswapd has dealt with a boosted watermark.
 */
void gmem_compaction_keep_holes(void)
{
	gmem_watermark_lower();
	gmem_watermark_shrink_pcp();
	gmem_sysctl_set(PROACTIVENESS, "0");
}

/*
 * Returns how many pages of holes are wanted: one for every movable page of the node, because all
 * of them may lie below the migration and be moved first, but at most a sixteenth of what is
 * free.
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
 * Compaction moves pages that lie low in a zone, the lowest first, into holes that lie high in
 * it; it does not use a pageblock that is free as a whole.  So this allocates a filler, half of
 * which becomes holes, and then region and control.  The allocator may go through memory upwards
 * or downwards, so that too little filler may lie above them; then it allocates a filler after
 * them as well, and if that is not enough, it tries both once more with other memory.  In the
 * end no filler is left below region and control, and the walls between the holes stay allocated
 * as long as the migration.
 */
void gmem_compaction_allocate(struct gmem_migration *migration, size_t min_holes)
{
	struct gmem_fillers *fillers = gmem_compaction_fillers(migration);
	size_t wanted = 2 * (min_holes + holes_wanted(migration));
	/* The kernel hands out single free pages from anywhere first, which make no holes. */
	size_t fill = wanted + MIN_FILL;
	size_t above = 0;
	u64 top = 0;

	gmem_compaction_keep_holes();
	while (above < wanted && fillers->count < ARRAY_SIZE(fillers->filler)) {
		bool again = fillers->count % 2 == 0;

		/* The next filler takes what is freed here, so that both get other memory. */
		if (again && fillers->count)
			gmem_migration_discard(migration);
		gmem_compaction_add_filler(migration, fill);
		if (again)
			gmem_migration_allocate(migration);
		top = gmem_compaction_top(migration);
		above = gmem_compaction_above(migration, top);
	}
	if (above < wanted)
		gmem_broken("%zu fillers of %zu pages: wanted %zu above the migration, got %zu",
			    fillers->count, fill, wanted, above);
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
