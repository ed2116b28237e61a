// SPDX-License-Identifier: GPL-2.0-only
/* Allocates memory where the kernel has next to nothing to give but CMA. */
#include <stdio.h>
#include <unistd.h>
#include <linux/sizes.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_cma.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_watermark.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_cma_squeeze.h"
#include "vm/gmem_region.h"

#define POOL	"/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages"

/* At most so many huge pages are taken: on a large machine they would be most of its memory. */
#define MOST_HUGE	2048

/* Free pages of @node, how many of them are in CMA areas, and how many the kernel
 * wants to be free.
 */
static void read_free(int node, long *free, long *cma, long *wanted)
{
	char line[256];
	int here = -1;
	long pages;
	FILE *file;

	*free = 0;
	*cma = 0;
	*wanted = 0;
	file = fopen("/proc/zoneinfo", "re");
	if (!file)
		gmem_broken("/proc/zoneinfo: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %d, zone", &here) == 1 || here != node)
			continue;
		if (sscanf(line, " pages free %ld", &pages) == 1)
			*free += pages;
		else if (sscanf(line, " high %ld", &pages) == 1)
			*wanted += pages;
		else if (sscanf(line, " nr_free_cma %ld", &pages) == 1)
			*cma += pages;
	}
	fclose(file);
}

/* Huge pages, as far as there are, until about @pages of what @node has free are left
 * beside CMA, then small ones.
 */
static void leave(int node, long pages)
{
	long huge = SZ_2M / getpagesize(), free, cma, wanted;
	struct gmem_anon *filler;
	char pool[128], number[32];

	read_free(node, &free, &cma, &wanted);
	if ((free - cma - pages) / huge > MOST_HUGE)
		gmem_skip(GMEM_SKIP_no_cma, "%ld pages of CMA are too few beside %ld that are free",
			  pages, free);
	snprintf(pool, sizeof(pool), POOL, node);
	snprintf(number, sizeof(number), "%ld",
		 gmem_file_read_long(pool) + (free - cma - pages) / huge);
	gmem_sysctl_set(pool, number);

	read_free(node, &free, &cma, &wanted);
	if (free - cma <= pages)
		return;
	filler = gmem_anon_create(free - cma - pages);
	gmem_numa_mbind(filler->mem, filler->npages * filler->page_size, node);
	gmem_anon_touch(filler, 0, filler->npages);
}

static void take(size_t pages)
{
	if (__gmem_cma_alloc(pages))
		gmem_broken("cannot allocate %zu pages of the CMA area", pages);
}

int gmem_cma_squeeze(size_t most)
{
	long huge = SZ_2M / getpagesize(), free, cma, wanted;
	struct gmem_zone zone;
	size_t chunk, lent;

	gmem_zone_of(gmem_cma_base_pfn(), &zone);
	if (!zone.cma)
		gmem_broken("the first frame of the CMA area is said not to be CMA");
	chunk = gmem_cma_chunk();
	lent = chunk < most ? chunk : most;
	read_free(zone.node, &free, &cma, &wanted);
	/* Of what is not CMA, less is left than that, and that has to last. */
	if (lent < wanted + 4 * huge)
		gmem_skip(GMEM_SKIP_no_cma, "%zu pages of CMA are too few beside %ld to keep free",
			  lent, wanted);
	/*
	 * Nobody is lent any of it meanwhile; and, as the area is cleared for that, every
	 * CPU gives back the free pages that it keeps to itself: they would be handed
	 * out first.  Of those of the area that are freed it may keep some again, and
	 * they do not count as free.
	 */
	gmem_watermark_shrink_pcp();
	take(chunk);
	leave(zone.node, lent - 2 * huge);
	gmem_cma_free(lent);
	take(lent);
	gmem_cma_free(lent);
	return zone.node;
}

size_t gmem_cma_allocate_in_turns(struct gmem_region *region, struct gmem_anon *control)
{
	size_t lent;

	gmem_numa_bind(gmem_cma_squeeze(-1));
	for (size_t page = 0; page < region->npages; page++) {
		gmem_anon_touch(control, page, 1);
		gmem_region_allocate(region, page, 1);
	}
	gmem_numa_bind(-1);
	gmem_anon_snapshot(control);
	lent = gmem_zone_in_cma(control->pfns, control->npages);
	if (!lent)
		gmem_broken("no anonymous page was put into CMA");
	return lent;
}
