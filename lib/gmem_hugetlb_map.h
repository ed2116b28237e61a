/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's whole pool of huge pages, mapped, so that memory of one's choice can be given
 * back: the kernel takes out of a pool what nobody uses.
 *
 *	map = gmem_hugetlb_map_pool(node);
 *	gmem_hugetlb_release_lowest(map, 16);
 *	gmem_hugetlb_unmap(map);
 */
#ifndef GMEM_HUGETLB_MAP_H
#define GMEM_HUGETLB_MAP_H

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

#endif /* GMEM_HUGETLB_MAP_H */
