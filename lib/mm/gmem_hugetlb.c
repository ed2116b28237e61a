// SPDX-License-Identifier: GPL-2.0-only
/* The hugetlb pools of a node: resized, mapped as a whole, and of gigantic pages. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <sys/mman.h>

#include "case/gmem_alloc.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_buddyinfo.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"

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

enum gmem_skip_reason gmem_hugetlb_missing(int node)
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
	gmem_restore_write(path, was);
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
	long more = gmem_buddyinfo_free(node, order) - left;

	if (more > 0)
		gmem_hugetlb_resize(node, gmem_hugetlb_pool(node) + more);
}

struct huge_page {
	u64 pfn;
	char *mem;
};

struct gmem_hugetlb_map {
	int node;
	size_t page_size;
	struct huge_page *page;		/* sorted by pfn */
	long first, end;		/* the pages in [first, end) are not released yet */
};

static int compare_pfns(const void *a, const void *b)
{
	const struct huge_page *page_a = a, *page_b = b;

	return (page_a->pfn > page_b->pfn) - (page_a->pfn < page_b->pfn);
}

struct gmem_hugetlb_map *gmem_hugetlb_map_pool(int node)
{
	struct gmem_hugetlb_map *map = gmem_zalloc(1, sizeof(*map));
	size_t size = gmem_hugetlb_page_size();
	long pages = gmem_hugetlb_pool(node);
	char *mem;

	if (!pages)
		gmem_broken("node %d has no huge pages", node);
	map->page = gmem_zalloc(pages, sizeof(*map->page));
	map->node = node;
	map->end = pages;
	map->page_size = size;
	mem = mmap(NULL, pages * size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (mem == MAP_FAILED)
		gmem_broken("mmap of %ld huge pages: %m", pages);
	/* A policy of the thread would bind page tables, too; the node may be full. */
	gmem_numa_mbind(mem, pages * size, node);
	for (long i = 0; i < pages; i++) {
		struct huge_page *page = &map->page[i];

		page->mem = mem + i * size;
		WRITE_ONCE(*page->mem, 1);
		gmem_pagemap_read(page->mem, 1, getpagesize(), &page->pfn);
	}
	qsort(map->page, pages, sizeof(*map->page), compare_pfns);
	return map;
}

static void unmap(struct gmem_hugetlb_map *map, long first, long pages)
{
	for (long i = first; i < first + pages; i++)
		munmap(map->page[i].mem, map->page_size);
}

/* Unmaps the pages first, as the kernel removes only unused pages from the pool. */
static void release(struct gmem_hugetlb_map *map, long first, long pages)
{
	if (pages > map->end - map->first)
		gmem_broken("wanted %ld huge pages that are mapped on node %d, got %ld", pages,
			    map->node, map->end - map->first);
	unmap(map, first, pages);
	gmem_hugetlb_resize(map->node, gmem_hugetlb_pool(map->node) - pages);
}

void gmem_hugetlb_release_lowest(struct gmem_hugetlb_map *map, long pages)
{
	release(map, map->first, pages);
	map->first += pages;
}

void gmem_hugetlb_release_highest(struct gmem_hugetlb_map *map, long pages)
{
	release(map, map->end - pages, pages);
	map->end -= pages;
}

void gmem_hugetlb_unmap(struct gmem_hugetlb_map *map)
{
	/* One munmap() of all could hit mappings made since where pages were released. */
	unmap(map, map->first, map->end - map->first);
	free(map->page);
	free(map);
}

static void gigantic_path(int node, char *path, size_t size)
{
	snprintf(path, size,
		 "/sys/devices/system/node/node%d/hugepages/hugepages-%lukB/nr_hugepages",
		 node, GMEM_GIGANTIC / 1024UL);
}

/* This asks for the kernel's pool, as a node without memory has no pool yet. */
enum gmem_skip_reason gmem_gigantic_missing(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB",
		 GMEM_GIGANTIC / 1024UL);
	return gmem_file_exists(path) ? GMEM_SKIP_none : GMEM_SKIP_no_huge_pages;
}

void gmem_gigantic_keep(int node)
{
	char path[128];

	gigantic_path(node, path, sizeof(path));
	if (gmem_file_read_long(path))
		gmem_broken("node %d has gigantic pages already", node);
	gmem_restore_write(path, "0");
}

bool gmem_gigantic_take(int node)
{
	char path[128];

	/* The kernel gives up the range if a page in it is not on its LRU list yet. */
	gmem_numa_drain();
	gigantic_path(node, path, sizeof(path));
	gmem_file_write(path, "1");
	return gmem_file_read_long(path) == 1;
}

void gmem_gigantic_release(int node)
{
	char path[128];

	gigantic_path(node, path, sizeof(path));
	gmem_file_write(path, "0");
}
