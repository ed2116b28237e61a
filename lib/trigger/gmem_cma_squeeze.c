// SPDX-License-Identifier: GPL-2.0-only
/* The CMA squeeze: makes a node run so short of other memory that the kernel has to lend CMA. */
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

/* The limit keeps a squeeze on a large machine from taking most of its memory. */
#define MAX_HUGE	2048

/*
 * Reads the number of free pages of @node, how many of them are in CMA areas, and how many the
 * kernel wants to keep free, which is the sum of the high watermarks.
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

/*
 * Takes memory of @node that is not CMA until about @pages pages of it are free: huge pages as
 * long as there are some, because that is fast, and then small ones.
 */
static void leave_other_memory(int node, long pages)
{
	long huge = SZ_2M / getpagesize(), free, cma, wanted;
	struct gmem_anon *filler;
	char pool[128], number[32];

	read_free(node, &free, &cma, &wanted);
	if ((free - cma - pages) / huge > MAX_HUGE)
		gmem_skip(GMEM_SKIP_no_cma,
			  "%ld pages of CMA are too few: %ld pages of the node are free", pages,
			  free);
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

static void take_cma(size_t pages)
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
		gmem_broken("pfn %#lx: wanted it in the CMA area that it begins, got it in none",
			    gmem_cma_base_pfn());
	chunk = gmem_cma_chunk();
	lent = chunk < most ? chunk : most;
	read_free(zone.node, &free, &cma, &wanted);
	/* Less other memory than @lent is left, and it must stay above the watermarks. */
	if (lent < wanted + 4 * huge)
		gmem_skip(GMEM_SKIP_no_cma, "%zu pages of CMA are too few: the node keeps %ld free",
			  lent, wanted);
	/*
	 * While the chunk is taken the kernel lends none of it.  To empty it, the kernel also
	 * drains the free pages that each CPU keeps to itself, which would be allocated first.
	 * When the chunk is freed, CPUs may keep some of its pages again, which do not count as
	 * free.  So it is emptied once more, and less other memory than CMA is left.
	 */
	gmem_watermark_shrink_pcp();
	take_cma(chunk);
	leave_other_memory(zone.node, lent - 2 * huge);
	gmem_cma_free(lent);
	take_cma(lent);
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
