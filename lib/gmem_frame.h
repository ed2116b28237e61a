/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame oracle: which page frame backs a page, before and after.
 *
 * Two ways, chosen by what the region allows:
 *  - pagemap, where the host maps the memory: the frame number of its PTE;
 *  - a probe, where it cannot: fallocate(2) over pages that exist looks each one
 *    up, which a kprobe at __filemap_get_folio_mpol()'s return observes.  It
 *    changes neither mappings nor contents.  The value is the folio's address.
 * Values of one way compare with each other, and mean "same frame" if equal.
 */
#ifndef GMEM_FRAME_H
#define GMEM_FRAME_H

#include <stddef.h>
#include <linux/types.h>

#include "gmem_case.h"

struct gmem_region;

/* GMEM_SKIP_none if frames of mapped memory can be seen. */
enum gmem_skip gmem_frame_missing(void);

/* Reads the frame of each of the @count pages of @page_size bytes mapped from
 * @addr on into @frames; the pages must have been touched.  A page without a PTE
 * reads as 0.
 */
void gmem_frame_read_mapped(void *addr, size_t count, size_t page_size, __u64 *frames);

/* What /proc/kpageflags says of @frame, read by pagemap: bits of
 * <linux/kernel-page-flags.h>.
 */
__u64 gmem_frame_flags(__u64 frame);

/* Reads the frame of every page in use of @region, all of them allocated, into
 * @frames.  BROKEN if one cannot be seen.
 */
void gmem_frame_read(struct gmem_region *region, __u64 *frames);

#endif /* GMEM_FRAME_H */
