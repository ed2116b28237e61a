// SPDX-License-Identifier: GPL-2.0-only
/* Triggers that ask for huge pages where none is free, so that the kernel has to compact. */
#include <stdlib.h>
#include <linux/sizes.h>
#include <sys/uio.h>

#include "case/gmem_alloc.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_gup_pin.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "mm/gmem_thp.h"
#include "trigger/gmem_compaction.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

/*
 * Bytes of the node that stay free.  With less the kernel does not compact, and an allocation of
 * a small page may wake the OOM killer.
 */
#define MARGIN		SZ_16M
/* Bytes at the low end of the node for region and control, and at the high end for holes. */
#define LOW		SZ_64M
#define HIGH		SZ_128M
/* The kernel compacts for a huge page only if that many pages are free. */
#define HUGE_HOLES	8192

/* Describes each contiguous run of pages that @filler still has; returns how many there are. */
static unsigned int find_runs(const struct gmem_anon *filler, struct iovec *run)
{
	u64 *pfns = gmem_zalloc(filler->npages, sizeof(*pfns));
	unsigned int runs = 0;

	gmem_pagemap_read(filler->mem, filler->npages, filler->page_size, pfns);
	for (size_t page = 0; page < filler->npages; page++) {
		if (!pfns[page])
			continue;
		if (!page || !pfns[page - 1])
			run[runs++].iov_base = filler->mem + page * filler->page_size;
		run[runs - 1].iov_len += filler->page_size;
	}
	free(pfns);
	return runs;
}

/* Pins the walls between the holes, because compaction would use the holes up for them. */
static void pin_walls(struct gmem_migration *migration)
{
	struct gmem_fillers *fillers = gmem_compaction_fillers(migration);
	unsigned int runs = 0;
	size_t most = 0;
	struct iovec *run;

	for (size_t i = 0; i < fillers->count; i++)
		most += fillers->filler[i]->npages;
	run = gmem_zalloc(most, sizeof(*run));
	for (size_t i = 0; i < fillers->count; i++)
		runs += find_runs(fillers->filler[i], run + runs);
	fillers->ring = gmem_gup_pin(run, runs);
	free(run);
}

/*
 * Takes all memory that is free in huge pages.  It asks for no more than there is, because
 * failed attempts make compaction skip the pageblocks that it has tried.
 */
static void take_free(int node)
{
	for (int i = 0; i < 2; i++) {
		gmem_compaction_run(node);
		gmem_hugetlb_take_free(node, 0);
	}
}

/*
 * Compaction for one huge page stops once it has that page, and the next one goes on from there.
 * Movable memory below region and control would therefore be moved first, and use up the holes.
 * When compaction begins anew, it looks for pages to move in the lower half of the zone and for
 * holes in the upper half, and gives up if it finds only one of the two
 * (__reset_isolation_suitable()).  So the pool takes everything that huge pages can be made of,
 * except for the lowest memory, where region and control lie, and the highest, where the holes
 * are.  The fillers take what else is free all over the node, so that region and control get
 * the lowest memory.
 */
static void huge_allocate(struct gmem_migration *migration)
{
	size_t size = gmem_hugetlb_page_size(), page_size = migration->region->page_size;
	int node = gmem_numa_node(0);
	struct gmem_hugetlb_map *map;
	size_t above;
	u64 top;

	gmem_compaction_keep_holes();
	gmem_hugetlb_keep(node);
	take_free(node);
	map = gmem_hugetlb_map_pool(node);
	gmem_hugetlb_release_highest(map, HIGH / size);
	gmem_compaction_add_filler(migration, (gmem_numa_free(node) - MARGIN) / page_size);
	gmem_hugetlb_release_lowest(map, LOW / size);
	gmem_hugetlb_unmap(map);
	gmem_compaction_add_filler(migration, 2 * MARGIN / page_size);
	gmem_migration_allocate(migration);

	top = gmem_compaction_top(migration);
	above = gmem_compaction_above(migration, top);
	if (above < 2 * HUGE_HOLES)
		gmem_broken("wanted %u pages of filler above region and control, got %zu",
			    2 * HUGE_HOLES, above);
	gmem_compaction_make_holes(migration, top);
	pin_walls(migration);
}

/*
 * Compaction goes on from where it stopped, and skips pageblocks in which it found nothing.  After
 * each failure it is deferred for twice as many attempts as before, up to 64
 * (COMPACT_MAX_DEFER_SHIFT), and only then begins anew with every pageblock.  That many attempts
 * are more than it takes to get there twice.
 */
#define ATTEMPTS 400

static enum gmem_skip_reason hugetlb_missing(void)
{
	enum gmem_skip_reason why = gmem_hugetlb_missing(gmem_numa_node(0));

	/* With base pages of 64 KiB, a huge page has 512 MiB and does not fit. */
	if (!why && gmem_hugetlb_page_size() > LOW)
		why = GMEM_SKIP_no_huge_pages;
	return why ? why : gmem_compaction_missing();
}

/* Asks for more huge pages than are free, so that the kernel has to make some. */
static void hugetlb_fire(struct gmem_migration *migration)
{
	int node = gmem_numa_node(0);
	long before = gmem_hugetlb_pool(node);

	for (int attempt = 0; attempt < ATTEMPTS && !gmem_compaction_done(migration); attempt++)
		gmem_hugetlb_resize(node, before + 1000000);
	gmem_hugetlb_resize(node, before);
}

const struct gmem_trigger gmem_trigger_hugetlb = {
	.name = "hugetlb",
	.rounds = 2,
	.missing = hugetlb_missing,
	.allocate = huge_allocate,
	.fire = hugetlb_fire,
	.cleanup = gmem_compaction_cleanup,
};

static enum gmem_skip_reason thp_missing(void)
{
	enum gmem_skip_reason why = gmem_thp_missing();

	/* The pool of huge pages first takes what is free without compaction. */
	return why ? why : hugetlb_missing();
}

static void thp_allocate(struct gmem_migration *migration)
{
	huge_allocate(migration);
	gmem_thp_compact_on_fault();
}

/* Faults huge pages in, after the pool has taken those that are free. */
static void thp_fire(struct gmem_migration *migration)
{
	int node = gmem_numa_node(0);
	long before = gmem_hugetlb_pool(node);
	struct gmem_thp *thp;

	gmem_hugetlb_take_free(node, 0);
	thp = gmem_thp_create(ATTEMPTS, node);
	for (int attempt = 0; attempt < ATTEMPTS && gmem_numa_free(node) > MARGIN &&
	     !gmem_compaction_done(migration); attempt++)
		gmem_thp_fault(thp);
	gmem_thp_free(thp);
	gmem_hugetlb_resize(node, before);
}

const struct gmem_trigger gmem_trigger_thp = {
	.name = "thp",
	.rounds = 2,
	.missing = thp_missing,
	.allocate = thp_allocate,
	.fire = thp_fire,
	.cleanup = gmem_compaction_cleanup,
};
