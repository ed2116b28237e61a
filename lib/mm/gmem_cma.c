// SPDX-License-Identifier: GPL-2.0-only
/* The first CMA area. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_cma.h"

#define CMA	"/sys/kernel/debug/cma"

/* Copies the path of the first area's directory to @path; false if there is no area. */
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

/* Copies the path of the first area's directory to @path; BROKEN if there is no area. */
static void require_area(char *path, size_t size)
{
	if (!find_area(path, size))
		gmem_broken("no CMA area");
}

size_t gmem_cma_chunk(void)
{
	char area[300];

	require_area(area, sizeof(area));
	return read_in(area, "maxchunk");
}

/*
 * Arranges that all pages that are allocated through debugfs are freed when the case ends.
 * The kernel frees what there is if it is asked to free more, such as the whole area.
 */
static void free_at_end(const char *area)
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

	require_area(area, sizeof(area));
	free_at_end(area);
	snprintf(path, sizeof(path), "%s/alloc", area);
	snprintf(number, sizeof(number), "%zu", pages);
	return __gmem_file_write(path, number);
}

void gmem_cma_free(size_t pages)
{
	char area[300], number[32];

	require_area(area, sizeof(area));
	snprintf(number, sizeof(number), "%zu", pages);
	write_in(area, "free", number);
}

u64 gmem_cma_base_pfn(void)
{
	char area[300];

	require_area(area, sizeof(area));
	return read_in(area, "base_pfn");
}
