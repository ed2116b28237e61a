/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pfns of the pages that this process maps, from /proc/self/pagemap.
 *
 *	gmem_skip_if(gmem_pagemap_missing());
 *	gmem_pagemap_read(mem, npages, page_size, pfns);
 *
 * Before its first answer in a case this observer proves itself (gmem_proof.h).
 */
#ifndef GMEM_PAGEMAP_H
#define GMEM_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

/* Returns GMEM_SKIP_none if the kernel shows pfns to this process. */
enum gmem_skip_reason gmem_pagemap_missing(void);

/*
 * Reads the pfn of each of the @count pages of @page_size bytes that are mapped from @addr on
 * into @pfns.  The pfn is 0 if a page has no PTE, because nobody touched the page or because
 * it is being migrated.
 */
void gmem_pagemap_read(void *addr, size_t count, size_t page_size, u64 *pfns);

/* Returns true if @pfn is one of the @count @pfns. */
bool gmem_pfn_among(u64 pfn, const u64 *pfns, size_t count);

#endif /* GMEM_PAGEMAP_H */
