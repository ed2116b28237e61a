// SPDX-License-Identifier: GPL-2.0-only
/* A gigantic page, of a node's pool. */
#include <stdio.h>

#include "gmem_case.h"
#include "gmem_file.h"
#include "gmem_gigantic.h"
#include "gmem_numa.h"
#include "gmem_undo.h"

static void pool_path(int node, char *path, size_t size)
{
	snprintf(path, size,
		 "/sys/devices/system/node/node%d/hugepages/hugepages-%lukB/nr_hugepages",
		 node, GMEM_GIGANTIC / 1024UL);
}

/* The node may have no memory yet, and then no pool. */
enum gmem_skip gmem_gigantic_missing(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB",
		 GMEM_GIGANTIC / 1024UL);
	return gmem_file_exists(path) ? GMEM_SKIP_none : GMEM_SKIP_no_huge_pages;
}

void gmem_gigantic_keep(int node)
{
	char path[128];

	pool_path(node, path, sizeof(path));
	if (gmem_file_read_long(path))
		gmem_broken("node %d has gigantic pages already", node);
	gmem_undo_write(path, "0");
}

bool gmem_gigantic_take(int node)
{
	char path[128];

	/* The range is given up for a page that is not on its LRU list yet. */
	gmem_numa_drain();
	pool_path(node, path, sizeof(path));
	gmem_file_write(path, "1");
	return gmem_file_read_long(path) == 1;
}

void gmem_gigantic_release(int node)
{
	char path[128];

	pool_path(node, path, sizeof(path));
	gmem_file_write(path, "0");
}
