/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gigantic page: one that the kernel has to empty a range of memory for
 * (alloc_contig_pages()), by way of the node's pool
 * (/sys/devices/system/node/nodeN/hugepages/hugepages-1048576kB).
 */
#ifndef GMEM_GIGANTIC_H
#define GMEM_GIGANTIC_H

#include <stdbool.h>
#include <linux/sizes.h>

#include "gmem_case.h"

/* Bytes; the page lies at a multiple of that. */
#define GMEM_GIGANTIC SZ_1G

/* GMEM_SKIP_none if the kernel has pages of that size. */
enum gmem_skip gmem_gigantic_missing(void);

/* Has @node's pool, of none, be given back when the case ends.  BROKEN if it has some. */
void gmem_gigantic_keep(int node);

/* Asks for one on @node; true if it was had. */
bool gmem_gigantic_take(int node);

/* Gives it back. */
void gmem_gigantic_release(int node);

#endif /* GMEM_GIGANTIC_H */
