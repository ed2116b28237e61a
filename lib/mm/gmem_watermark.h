/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free memory that the kernel withholds from allocations, and that gets in the way of tests
 * that fill or fragment a node.  Both settings last until the case ends.
 *
 * This rests on files in /proc/sys/vm, which are named below.
 */
#ifndef GMEM_WATERMARK_H
#define GMEM_WATERMARK_H

/*
 * Lowers the watermarks if they are high (min_free_kbytes).  They are high where huge pages
 * are in use, and below them the kernel neither compacts nor hands out pages.  The kernel is
 * also told not to raise them when memory is fragmented (watermark_boost_factor).
 */
void gmem_watermark_lower(void);

/*
 * Shrinks the free lists of each CPU (pcp) to nearly nothing (percpu_pagelist_high_fraction).
 * Pages on these lists are not available to other CPUs, and compaction does not see them.
 */
void gmem_watermark_shrink_pcp(void);

#endif /* GMEM_WATERMARK_H */
