// SPDX-License-Identifier: GPL-2.0-only
/* A whole pool of huge pages, mapped to choose among them by where they lie. */
#include <stdlib.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <sys/mman.h>

#include "gmem_case.h"
#include "gmem_frame.h"
#include "gmem_hugetlb.h"
#include "gmem_hugetlb_map.h"
#include "gmem_numa.h"

struct huge_page {
	__u64 frame;
	char *mem;
};

struct gmem_hugetlb_map {
	int node;
	size_t page_size;
	struct huge_page *page;		/* sorted by frame */
	long first, end;		/* those that have not been released */
};

static int by_frame(const void *a, const void *b)
{
	const struct huge_page *page_a = a, *page_b = b;

	return (page_a->frame > page_b->frame) - (page_a->frame < page_b->frame);
}

struct gmem_hugetlb_map *gmem_hugetlb_map_pool(int node)
{
	struct gmem_hugetlb_map *map = calloc(1, sizeof(*map));
	size_t size = gmem_hugetlb_page_size();
	long pages = gmem_hugetlb_pool(node);
	char *mem;

	if (!pages)
		gmem_broken("node %d has no huge pages", node);
	if (!map)
		gmem_broken("out of memory");
	map->page = calloc(pages, sizeof(*map->page));
	if (!map->page)
		gmem_broken("out of memory");
	map->node = node;
	map->end = pages;
	map->page_size = size;
	mem = mmap(NULL, pages * size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (mem == MAP_FAILED)
		gmem_broken("mmap of %ld huge pages: %m", pages);
	/* Not the whole process: the node may have nothing left for its page tables. */
	gmem_numa_mbind(mem, pages * size, node);
	for (long i = 0; i < pages; i++) {
		struct huge_page *page = &map->page[i];

		page->mem = mem + i * size;
		WRITE_ONCE(*page->mem, 1);
		gmem_frame_read_mapped(page->mem, 1, getpagesize(), &page->frame);
	}
	qsort(map->page, pages, sizeof(*map->page), by_frame);
	return map;
}

static void unmap(struct gmem_hugetlb_map *map, long first, long pages)
{
	for (long i = first; i < first + pages; i++)
		munmap(map->page[i].mem, map->page_size);
}

/* What is mapped the kernel cannot take out of the pool: all but those that shall go. */
static void release(struct gmem_hugetlb_map *map, long first, long pages)
{
	if (pages > map->end - map->first)
		gmem_broken("node %d has %ld huge pages, wanted %ld", map->node,
			    map->end - map->first, pages);
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
	/* Not at one go: something else may have been mapped where pages were released. */
	unmap(map, map->first, map->end - map->first);
	free(map->page);
	free(map);
}
