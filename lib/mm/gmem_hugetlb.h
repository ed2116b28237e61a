/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hugetlb pools of a node (/sys/devices/system/node/nodeN/hugepages), which are a quick
 * way to take the node's memory.
 *
 *	gmem_hugetlb_keep(node);
 *	gmem_hugetlb_take_free(node, 24);
 */
#ifndef GMEM_HUGETLB_H
#define GMEM_HUGETLB_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/sizes.h>

#include "case/gmem_result.h"

/* Returns GMEM_SKIP_none if @node has a pool of huge pages of the default size. */
enum gmem_skip_reason gmem_hugetlb_missing(int node);

/*
 * Returns the default size of a huge page in bytes, which is also the size of a THP, or 0 if
 * the kernel has no huge pages.
 */
size_t gmem_hugetlb_page_size(void);

/* Arranges that @node's pool gets its present size again when the case ends. */
void gmem_hugetlb_keep(int node);

/* Returns the number of huge pages in @node's pool. */
long gmem_hugetlb_pool(int node);

/* Asks for a pool of @pages huge pages on @node; the kernel comes as close as it can. */
void gmem_hugetlb_resize(int node, long pages);

/*
 * Grows the pool by all huge pages that are free on @node (/proc/buddyinfo), except for @left
 * of them.  This needs no compaction, because only areas count that are free as a whole.
 */
void gmem_hugetlb_take_free(int node, long left);

/*
 * A mapping of a node's whole pool.  The kernel removes only unused pages from a pool, so
 * the mapping decides which memory is given back.
 *
 *	map = gmem_hugetlb_map_pool(node);
 *	gmem_hugetlb_release_lowest(map, 16);
 *	gmem_hugetlb_unmap(map);
 */
struct gmem_hugetlb_map;

/*
 * Maps all of @node's pool, which nobody else may be using, and reads the pfns of its pages
 * (/proc/self/pagemap).  BROKEN if the pool is empty.
 */
struct gmem_hugetlb_map *gmem_hugetlb_map_pool(int node);

/*
 * Removes the @pages huge pages with the lowest pfns of the map from the pool.  BROKEN if the
 * map has fewer pages.
 */
void gmem_hugetlb_release_lowest(struct gmem_hugetlb_map *map, long pages);

/* Removes the @pages huge pages with the highest pfns in the same way. */
void gmem_hugetlb_release_highest(struct gmem_hugetlb_map *map, long pages);

/* Unmaps and frees @map.  The pages that it still maps stay in the pool. */
void gmem_hugetlb_unmap(struct gmem_hugetlb_map *map);

/*
 * A gigantic page.  To get one, the kernel has to migrate everything out of a range of memory
 * (alloc_contig_pages()).  It is asked for through a node's pool of gigantic pages
 * (nodeN/hugepages/hugepages-1048576kB).
 */

/* The size of a gigantic page in bytes, to which the page is also aligned. */
#define GMEM_GIGANTIC SZ_1G

/* Returns GMEM_SKIP_none if the kernel has gigantic pages. */
enum gmem_skip_reason gmem_gigantic_missing(void);

/*
 * Arranges that @node's pool of gigantic pages, which must be empty now, is empty again when
 * the case ends.  BROKEN if the pool has pages.
 */
void gmem_gigantic_keep(int node);

/* Asks for one gigantic page on @node, and returns true if the kernel could provide it. */
bool gmem_gigantic_take(int node);

/* Frees the gigantic page of @node. */
void gmem_gigantic_release(int node);

#endif /* GMEM_HUGETLB_H */
