/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pfns of a region's pages, which a test compares before and after a trigger.
 *
 *	gmem_pfn_read(region, before);
 *	... fire a trigger ...
 *	gmem_pfn_read(region, after);
 *
 * A pfn can be seen in two ways:
 *  - by pagemap, where the host maps the memory (gmem_pagemap.h);
 *  - by lookup, where it cannot: fallocate(2) looks up each page that already exists, and a
 *    kprobe at the return of __filemap_get_folio_mpol() sees the address of the page's folio.
 *    This changes neither mappings nor contents nor page flags.
 *
 * A folio's address becomes a pfn by a linear equation, of a base and a stride.  It is
 * computed from pages of another guest_memfd, on both nodes, whose pfns are seen in both ways.
 * The kernel's memory map is linear where it is virtually mapped; where it is not, some pages
 * do not fit the equation and the case is BROKEN.  No layout of the kernel is assumed.
 *
 * Each way proves itself before its first answer in a case (gmem_proof.h).
 */
#ifndef GMEM_PFN_H
#define GMEM_PFN_H

#include <linux/types.h>

struct gmem_region;

/*
 * Reads the pfn of every page in use of @region, all of which must be allocated, into @pfns.
 * Where the host maps the region, this reads a byte of each page, and then pagemap; elsewhere
 * it looks the folios up.  The case is BROKEN if a pfn cannot be seen.
 */
void gmem_pfn_read(struct gmem_region *region, u64 *pfns);

/*
 * Reads the same pfns by lookup, which touches no page, whether or not the host maps the
 * region.  Skips the case (no_kprobes) where that is impossible.
 */
void gmem_pfn_lookup(struct gmem_region *region, u64 *pfns);

#endif /* GMEM_PFN_H */
