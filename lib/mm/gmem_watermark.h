/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free memory that the kernel keeps from those who ask for it, which tests that fill
 * or fragment a node can do without.  Both settings last until the case ends.
 */
#ifndef GMEM_WATERMARK_H
#define GMEM_WATERMARK_H

/* Lowers the watermarks, if they are high (vm.min_free_kbytes): with huge pages in
 * use they are, and below them the kernel neither compacts nor hands out pages.  Nor
 * does it raise them from then on when memory is fragmented (vm.watermark_boost_factor).
 */
void gmem_watermark_lower(void);

/* Has CPUs keep next to no free pages to themselves (vm.percpu_pagelist_high_fraction):
 * other CPUs cannot be given such pages, and compaction does not see them.
 */
void gmem_watermark_shrink_pcp(void);

#endif /* GMEM_WATERMARK_H */
