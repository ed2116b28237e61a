/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame oracle: which page frame backs a page, before and after.
 *
 * Two ways, chosen by what the region allows, and both give frame numbers (PFN):
 *  - pagemap, where the host maps the memory: the frame of its PTE;
 *  - lookup, where it cannot: fallocate(2) over pages that exist looks each one up,
 *    and a kprobe at __filemap_get_folio_mpol()'s return sees the address of its
 *    folio.  It changes neither mappings nor contents nor page flags.
 *
 * A folio's address becomes a frame number by a line, base and stride, laid through
 * pages of a guest_memfd of our own that both ways see, on both nodes; the kernel's
 * memory map is linear where it is virtually mapped, and where it is not the pages
 * are off the line and the case is BROKEN.  No layout of the kernel's is assumed.
 *
 * Each way proves itself before its first answer in a case: a page whose frame is
 * held by somebody else, and which is freed and allocated again, must be seen to
 * have another frame, and pages that stayed, whose frames are held too, must not.
 * If not, the case is BROKEN.
 */
#ifndef GMEM_FRAME_H
#define GMEM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "gmem_case.h"

struct gmem_region;

/* GMEM_SKIP_none if frames of mapped memory can be seen. */
enum gmem_skip gmem_frame_missing(void);

/* Reads the frame of each of the @count pages of @page_size bytes mapped from
 * @addr on into @frames; the pages must have been touched.  A page without a PTE
 * reads as 0.  Rests on /proc/self/pagemap.
 */
void gmem_frame_read_mapped(void *addr, size_t count, size_t page_size, __u64 *frames);

/* Reads the frame of every page in use of @region, all of them allocated, into
 * @frames: by pagemap where the host maps it, for which it reads from every page,
 * else by lookup.  BROKEN if one cannot be seen.
 */
void gmem_frame_read(struct gmem_region *region, __u64 *frames);

/* The same, always by lookup, which touches no page.  Skips the case (no_kprobes)
 * where that is impossible.
 */
void gmem_frame_lookup(struct gmem_region *region, __u64 *frames);

/* True if @frame is one of @count @frames. */
bool gmem_frame_among(__u64 frame, const __u64 *frames, size_t count);

#endif /* GMEM_FRAME_H */
