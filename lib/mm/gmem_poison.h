/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory failure: ways to have the kernel take a frame out of use, softly, because it
 * is about to break, or hard, because it is broken.
 *
 *	err = __gmem_poison(&gmem_poison_soft_offline_page, NULL, frame);
 *	... gmem_poison_has(frame), gmem_poison_count() ...
 *	gmem_poison_take_back();
 *
 * Frames are only said to be broken (CONFIG_HWPOISON_INJECT), and come back into use.
 */
#ifndef GMEM_POISON_H
#define GMEM_POISON_H

#include <stdbool.h>
#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_poison {
	const char *name;
	int advice;		/* to madvise(2) about the address it is mapped at */
	const char *file;	/* that takes the frame; NULL: by advice */
	bool by_number;		/* as a frame number, not as a physical address */
};

extern const struct gmem_poison gmem_poison_soft_offline_page;
extern const struct gmem_poison gmem_poison_madv_soft_offline;
extern const struct gmem_poison gmem_poison_hard_offline_page;
extern const struct gmem_poison gmem_poison_madv_hwpoison;
extern const struct gmem_poison gmem_poison_corrupt_pfn;

/* GMEM_SKIP_none if the kernel handles memory failure, @how is there, and so is
 * debugfs' hwpoison/unpoison-pfn.
 */
enum gmem_skip_reason gmem_poison_missing(const struct gmem_poison *how);

/*
 * Takes @pfn, which is that of the page at @addr, out of use.  @addr may be NULL if
 * @how goes by frames.  Returns what the kernel reports, 0 or -errno: what it did is
 * for the functions below and the frame oracle to say.  The frame comes back into use
 * when the case ends.
 */
int __gmem_poison(const struct gmem_poison *how, void *addr, u64 pfn);

/* True if the kernel holds @pfn to be unusable (KPF_HWPOISON of /proc/kpageflags). */
bool gmem_poison_has(u64 pfn);

/* How many frames are out of use: HardwareCorrupted of /proc/meminfo, in pages. */
long gmem_poison_count(void);

/*
 * Brings all frames of this case back into use now, for which nothing may use them any
 * more.  BROKEN if that cannot be done; fails the case (C12) if the count is not what
 * it was before the first one.
 */
void gmem_poison_take_back(void);

#endif /* GMEM_POISON_H */
