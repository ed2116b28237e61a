// SPDX-License-Identifier: GPL-2.0-only
/* Transparent huge pages, allocated by page faults. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/compiler.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <sys/mman.h>

#include "case/gmem_alloc.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "mm/gmem_thp.h"

#define THP	"/sys/kernel/mm/transparent_hugepage"

struct gmem_thp {
	char *area;
	size_t size;		/* of @area, in bytes */
	char *next;		/* the huge page to touch next */
};

enum gmem_skip_reason gmem_thp_missing(void)
{
	char enabled[64];

	if (__gmem_file_read(THP "/enabled", enabled, sizeof(enabled)) < 0 ||
	    strstr(enabled, "[never]") ||
	    gmem_file_read_long(THP "/hpage_pmd_size") != SZ_2M)
		return GMEM_SKIP_no_thp;
	return GMEM_SKIP_none;
}

void gmem_thp_compact_on_fault(void)
{
	gmem_sysctl_set(THP "/defrag", "madvise");
}

struct gmem_thp *gmem_thp_create(size_t most, int node)
{
	struct gmem_thp *thp = gmem_zalloc(1, sizeof(*thp));

	/* One more huge page, as the first address that is aligned is not at the beginning. */
	thp->size = (most + 1) * SZ_2M;
	thp->area = mmap(NULL, thp->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (thp->area == MAP_FAILED)
		gmem_broken("mmap of %zu bytes: %m", thp->size);
	if (madvise(thp->area, thp->size, MADV_HUGEPAGE))
		gmem_broken("MADV_HUGEPAGE: %m");
	/* A policy of the thread would bind page tables, too; the node may be full. */
	gmem_numa_mbind(thp->area, thp->size, node);
	thp->next = (char *)(((unsigned long)thp->area + SZ_2M - 1) & -SZ_2M);
	return thp;
}

void gmem_thp_fault(struct gmem_thp *thp)
{
	size_t page_size = getpagesize();
	u64 pfns[2];

	if (thp->next + SZ_2M > thp->area + thp->size)
		gmem_broken("no room for another huge page");
	WRITE_ONCE(*thp->next, 1);
	/* Only a huge page also maps the second small page. */
	gmem_pagemap_read(thp->next, 2, page_size, pfns);
	if (!pfns[1] && madvise(thp->next, page_size, MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED: %m");
	thp->next += SZ_2M;
}

void gmem_thp_free(struct gmem_thp *thp)
{
	munmap(thp->area, thp->size);
	free(thp);
}
