// SPDX-License-Identifier: GPL-2.0-only
/* CMA areas: memory set aside at boot, lent to movable allocations only. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/sizes.h>

#include "gmem_case.h"
#include "gmem_cma.h"
#include "gmem_control.h"
#include "gmem_file.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_reserve.h"
#include "gmem_undo.h"

#define CMA	"/sys/kernel/debug/cma"
#define POOL	"/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages"

/* Huge pages to take at most: on a large machine it would be most of its memory. */
#define MOST_HUGE	2048

/* The first area's directory. */
static bool find_area(char *path, size_t size)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir(CMA);

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		found = entry->d_name[0] != '.';
		snprintf(path, size, CMA "/%s", entry->d_name);
	}
	closedir(dir);
	return found;
}

enum gmem_skip gmem_cma_missing(void)
{
	char path[300];

	if (!find_area(path, sizeof(path)) ||
	    !gmem_file_exists("/sys/kernel/mm/hugepages/hugepages-2048kB"))
		return GMEM_SKIP_no_cma;
	return GMEM_SKIP_none;
}

static long read_in(const char *dir, const char *file)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return gmem_file_read_long(path);
}

static void write_in(const char *dir, const char *file, const char *text)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	gmem_file_write(path, text);
}

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

/* The first area's directory, which has to be there. */
static void open_area(char *path, size_t size)
{
	if (!find_area(path, size))
		gmem_broken("no CMA area");
}

size_t gmem_cma_chunk(void)
{
	char area[300];

	open_area(area, sizeof(area));
	return read_in(area, "maxchunk");
}

/* At the end, give back whatever of the first area is allocated by debugfs. */
static void give_back_at_end(const char *area)
{
	char path[320], number[32];
	static bool arranged;

	if (arranged)
		return;
	arranged = true;
	snprintf(path, sizeof(path), "%s/free", area);
	snprintf(number, sizeof(number), "%ld", read_in(area, "count"));
	gmem_undo_write(path, number);
}

int __gmem_cma_alloc(size_t pages)
{
	char area[300], path[320], number[32];

	open_area(area, sizeof(area));
	give_back_at_end(area);
	snprintf(path, sizeof(path), "%s/alloc", area);
	snprintf(number, sizeof(number), "%zu", pages);
	return __gmem_file_write(path, number);
}

void gmem_cma_free(size_t pages)
{
	char area[300], number[32];

	open_area(area, sizeof(area));
	snprintf(number, sizeof(number), "%zu", pages);
	write_in(area, "free", number);
}

/* Huge pages, as far as there are, until about @pages of what @node has free are left
 * beside CMA, then small ones.
 */
static void leave(int node, long pages)
{
	long huge = SZ_2M / getpagesize(), free, cma, wanted;
	struct gmem_control *filler;
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
	filler = gmem_control_create(free - cma - pages);
	gmem_numa_mbind(filler->mem, filler->npages * filler->page_size, node);
	gmem_control_touch(filler, 0, filler->npages);
}

static void take(size_t pages, const char *area)
{
	if (__gmem_cma_alloc(pages))
		gmem_broken("cannot allocate %zu pages of CMA area %s", pages, area);
}

int gmem_cma_squeeze(size_t most)
{
	long huge = SZ_2M / getpagesize(), free, cma, wanted;
	struct gmem_place place;
	size_t chunk, lent;
	char area[300];

	open_area(area, sizeof(area));
	gmem_place_of(read_in(area, "base_pfn"), &place);
	if (!place.cma)
		gmem_broken("the first frame of CMA area %s is said not to be CMA", area);
	chunk = gmem_cma_chunk();
	lent = chunk < most ? chunk : most;
	read_free(place.node, &free, &cma, &wanted);
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
	gmem_reserve_share();
	take(chunk, area);
	leave(place.node, lent - 2 * huge);
	gmem_cma_free(lent);
	take(lent, area);
	gmem_cma_free(lent);
	return place.node;
}

size_t gmem_cma_allocate_in_turns(struct gmem_region *region, struct gmem_control *control)
{
	size_t lent;

	gmem_numa_bind(gmem_cma_squeeze(-1));
	for (size_t page = 0; page < region->npages; page++) {
		gmem_control_touch(control, page, 1);
		gmem_region_allocate(region, page, 1);
	}
	gmem_numa_bind(-1);
	gmem_control_look(control);
	lent = gmem_place_in_cma(control->frames, control->npages);
	if (!lent)
		gmem_broken("no ordinary page was put into CMA");
	return lent;
}
