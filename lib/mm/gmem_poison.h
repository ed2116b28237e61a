/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory failure: the ways to make the kernel take a page out of use, either softly, because
 * the page is about to fail, or hard, because it has failed.
 *
 *	err = __gmem_poison(&gmem_poison_soft_offline_page, NULL, pfn);
 *	... gmem_poison_has(pfn), gmem_poison_count() ...
 *	gmem_poison_take_back();
 *
 * The failures are only injected (CONFIG_HWPOISON_INJECT), so the pages can be used again
 * afterwards.
 */
#ifndef GMEM_POISON_H
#define GMEM_POISON_H

#include <stdbool.h>
#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_poison {
	const char *name;
	int advice;		/* for madvise(2) on the page's address, if @file is NULL */
	const char *file;	/* file to which the page is written, or NULL */
	bool by_number;		/* @file takes a pfn, and not a physical address */
};

extern const struct gmem_poison gmem_poison_soft_offline_page;
extern const struct gmem_poison gmem_poison_madv_soft_offline;
extern const struct gmem_poison gmem_poison_hard_offline_page;
extern const struct gmem_poison gmem_poison_madv_hwpoison;
extern const struct gmem_poison gmem_poison_corrupt_pfn;

/*
 * Returns GMEM_SKIP_none if the kernel handles memory failure, and has both @how and debugfs'
 * hwpoison/unpoison-pfn.
 */
enum gmem_skip_reason gmem_poison_missing(const struct gmem_poison *how);

/*
 * Takes @pfn, whose page is mapped at @addr, out of use.  @addr may be NULL if @how has a
 * file.  Returns what the kernel reports, which is 0 or -errno; the functions below and the
 * pfns tell what the kernel did.  The page comes back into use when the case ends.
 */
int __gmem_poison(const struct gmem_poison *how, void *addr, u64 pfn);

/* Returns true if the kernel has poisoned @pfn (KPF_HWPOISON of /proc/kpageflags). */
bool gmem_poison_has(u64 pfn);

/* Returns how many pages are out of use: HardwareCorrupted of /proc/meminfo, in pages. */
long gmem_poison_count(void);

/*
 * Brings all pages that this case took out of use back now; nothing may use the pages any
 * more.  BROKEN if that fails.  Fails the case (C12) if the kernel's count of such pages is
 * not what it was before the first one.
 */
void gmem_poison_take_back(void);

#endif /* GMEM_POISON_H */
