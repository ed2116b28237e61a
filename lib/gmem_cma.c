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

/* Takes a page of the area and gives it back, for which every CPU gives back the
 * free pages that it keeps to itself: they would be handed out first.
 */
static void drain(const char *area)
{
	write_in(area, "alloc", "1");
	write_in(area, "free", "1");
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

int __gmem_cma_alloc(size_t pages)
{
	char area[300], path[320], number[32];
	int err;

	open_area(area, sizeof(area));
	snprintf(number, sizeof(number), "%zu", pages);
	snprintf(path, sizeof(path), "%s/alloc", area);
	err = __gmem_file_write(path, number);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/free", area);
	gmem_undo_write(path, number);
	return 0;
}

void gmem_cma_free(size_t pages)
{
	char area[300], number[32];

	open_area(area, sizeof(area));
	snprintf(number, sizeof(number), "%zu", pages);
	write_in(area, "free", number);
}

int gmem_cma_squeeze(void)
{
	long huge = SZ_2M / getpagesize(), free, cma, wanted;
	char area[300], pool[128], number[32];
	struct gmem_control *filler;
	struct gmem_place place;

	open_area(area, sizeof(area));
	gmem_place_of(read_in(area, "base_pfn"), &place);
	if (!place.cma)
		gmem_broken("the first frame of CMA area %s is said not to be CMA", area);
	drain(area);
	read_free(place.node, &free, &cma, &wanted);
	/* Of what is not CMA, as much is left, and that has to last. */
	if (cma < wanted + 2 * huge)
		gmem_skip(GMEM_SKIP_no_cma, "%ld pages of CMA are too few beside %ld to keep free",
			  cma, wanted);
	if ((free - 2 * cma) / huge > MOST_HUGE)
		gmem_skip(GMEM_SKIP_no_cma, "%ld pages of CMA are too few beside %ld that are free",
			  cma, free);
	snprintf(pool, sizeof(pool), POOL, place.node);
	snprintf(number, sizeof(number), "%ld",
		 gmem_file_read_long(pool) + (free - 2 * cma) / huge + 1);
	gmem_sysctl_set(pool, number);

	/* The last of them may have been taken from the area: small pages do the rest. */
	filler = gmem_control_create(2 * huge);
	gmem_numa_mbind(filler->mem, 2 * huge * filler->page_size, place.node);
	gmem_control_touch(filler, 0, 2 * huge);
	return place.node;
}
