// SPDX-License-Identifier: GPL-2.0-only
/* A node's pool of huge pages. */
#include <stdio.h>
#include <unistd.h>

#include "gmem_case.h"
#include "gmem_file.h"
#include "gmem_fragment.h"
#include "gmem_hugetlb.h"
#include "gmem_undo.h"

size_t gmem_hugetlb_page_size(void)
{
	char line[128];
	size_t kib = 0;
	FILE *file;

	file = fopen("/proc/meminfo", "re");
	if (!file)
		gmem_broken("/proc/meminfo: %m");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Hugepagesize: %zu kB", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

static void pool_path(int node, char *path, size_t size)
{
	snprintf(path, size,
		 "/sys/devices/system/node/node%d/hugepages/hugepages-%zukB/nr_hugepages",
		 node, gmem_hugetlb_page_size() / 1024);
}

enum gmem_skip gmem_hugetlb_missing(int node)
{
	char path[128];

	pool_path(node, path, sizeof(path));
	return gmem_file_exists(path) ? GMEM_SKIP_none : GMEM_SKIP_no_huge_pages;
}

void gmem_hugetlb_keep(int node)
{
	char path[128], was[32];

	pool_path(node, path, sizeof(path));
	snprintf(was, sizeof(was), "%ld", gmem_hugetlb_pool(node));
	gmem_undo_write(path, was);
}

long gmem_hugetlb_pool(int node)
{
	char path[128];

	pool_path(node, path, sizeof(path));
	return gmem_file_read_long(path);
}

void gmem_hugetlb_resize(int node, long pages)
{
	char path[128], text[32];

	pool_path(node, path, sizeof(path));
	snprintf(text, sizeof(text), "%ld", pages);
	gmem_file_write(path, text);
}

void gmem_hugetlb_take_free(int node, long left)
{
	unsigned int order = __builtin_ctzl(gmem_hugetlb_page_size() / getpagesize());
	long more = gmem_fragment_free(node, order) - left;

	if (more > 0)
		gmem_hugetlb_resize(node, gmem_hugetlb_pool(node) + more);
}
