/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pfns of a region's pages, before and after a trigger.
 *
 *	gmem_pfn_read(region, before);
 *	... trigger ...
 *	gmem_pfn_read(region, after);
 *
 * There are two ways to see a pfn, and what the host may map decides which is taken:
 *  - pagemap, where the host maps the memory (gmem_pagemap.h);
 *  - lookup, where it cannot: fallocate(2) over pages that exist looks each of them up, and
 *    a kprobe at the return of __filemap_get_folio_mpol() sees the address of its folio.
 *    This changes neither mappings nor contents nor page flags.
 *
 * The address of a folio becomes a pfn by a straight line, base and stride, through the
 * pages of another guest_memfd, on both nodes, whose pfns are seen in both ways.  The
 * kernel's memory map is linear where it is virtually mapped; where it is not, pages are off
 * the line and the case is BROKEN.  No layout of the kernel is assumed.
 *
 * Each way proves itself before its first answer in a case (gmem_proof.h).
 */
#ifndef GMEM_PFN_H
#define GMEM_PFN_H

#include <linux/types.h>

struct gmem_region;

/*
 * Reads the pfn of every page in use of @region, all of which are allocated, into @pfns.
 * Where the host maps the region this takes pagemap, and reads a byte of each page first;
 * else it takes lookup.  The case is BROKEN if a pfn cannot be seen.
 */
void gmem_pfn_read(struct gmem_region *region, u64 *pfns);

/*
 * Does the same by lookup, which touches no page, whether or not the host maps the region.
 * Skips the case (no_kprobes) where that is impossible.
 */
void gmem_pfn_lookup(struct gmem_region *region, u64 *pfns);

#endif /* GMEM_PFN_H */
