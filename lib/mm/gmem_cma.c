// SPDX-License-Identifier: GPL-2.0-only
/* CMA areas: memory set aside at boot, lent to movable allocations only. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_cma.h"

#define CMA	"/sys/kernel/debug/cma"

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

enum gmem_skip_reason gmem_cma_missing(void)
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
	gmem_restore_write(path, number);
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

u64 gmem_cma_base_pfn(void)
{
	char area[300];

	open_area(area, sizeof(area));
	return read_in(area, "base_pfn");
}
