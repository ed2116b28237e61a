/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's pool of huge pages of the default size
 * (/sys/devices/system/node/nodeN/hugepages): the quick way to take its memory.
 */
#ifndef GMEM_HUGETLB_H
#define GMEM_HUGETLB_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/sizes.h>

#include "case/gmem_result.h"

/* GMEM_SKIP_none if @node has such a pool. */
enum gmem_skip_reason gmem_hugetlb_missing(int node);

/* Bytes of a huge page, which is also that of THP; 0: there are none. */
size_t gmem_hugetlb_page_size(void);

/* Puts @node's pool back to its present size when the case ends. */
void gmem_hugetlb_keep(int node);

/* Huge pages in the pool. */
long gmem_hugetlb_pool(int node);

/* Grows or shrinks the pool to @pages, as far as that is possible. */
void gmem_hugetlb_resize(int node, long pages);

/*
 * Has the pool take all of the node's memory that is free in huge pages (/proc/buddyinfo),
 * except for @left of them: what is free as a whole needs no compaction.
 */
void gmem_hugetlb_take_free(int node, long left);

/*
 * A node's whole pool, mapped, so that memory of one's choice can be given back: the kernel
 * takes out of a pool what nobody uses.
 *
 *	map = gmem_hugetlb_map_pool(node);
 *	gmem_hugetlb_release_lowest(map, 16);
 *	gmem_hugetlb_unmap(map);
 */
struct gmem_hugetlb_map;

/* Maps all of @node's pool, of which nobody may use any, and looks where its pages lie
 * (/proc/self/pagemap).  BROKEN if the pool is empty.
 */
struct gmem_hugetlb_map *gmem_hugetlb_map_pool(int node);

/* Takes @pages out of the pool, those of the map that lie lowest.  BROKEN if there are
 * not as many.
 */
void gmem_hugetlb_release_lowest(struct gmem_hugetlb_map *map, long pages);

/* The same for those that lie highest. */
void gmem_hugetlb_release_highest(struct gmem_hugetlb_map *map, long pages);

/* The pages that are left stay in the pool. */
void gmem_hugetlb_unmap(struct gmem_hugetlb_map *map);

/*
 * A gigantic page: the kernel has to empty a range of memory for it (alloc_contig_pages()),
 * by way of the node's pool (nodeN/hugepages/hugepages-1048576kB).
 */

/* Bytes; the page lies at a multiple of that. */
#define GMEM_GIGANTIC SZ_1G

/* GMEM_SKIP_none if the kernel has pages of that size. */
enum gmem_skip_reason gmem_gigantic_missing(void);

/* Has @node's pool, of none, be given back when the case ends.  BROKEN if it has some. */
void gmem_gigantic_keep(int node);

/* Asks for one on @node; true if it was had. */
bool gmem_gigantic_take(int node);

/* Gives it back. */
void gmem_gigantic_release(int node);

#endif /* GMEM_HUGETLB_H */
