/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A node's pool of huge pages of the default size
 * (/sys/devices/system/node/nodeN/hugepages): the quick way to take its memory.
 */
#ifndef GMEM_HUGETLB_H
#define GMEM_HUGETLB_H

#include <stddef.h>

#include "gmem_case.h"

/* GMEM_SKIP_none if @node has such a pool. */
enum gmem_skip gmem_hugetlb_missing(int node);

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

#endif /* GMEM_HUGETLB_H */
