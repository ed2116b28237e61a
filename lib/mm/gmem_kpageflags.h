/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flags of the page at a pfn, from /proc/kpageflags: KPF_* of
 * <linux/kernel-page-flags.h>.
 *
 *	gmem_kpageflags_drain();
 *	gmem_kpageflags_read(pfns, count, flags);
 *
 * Before its first answer in a case this observer proves itself: an anonymous page of ours
 * must be shown as anonymous and evictable, and as unevictable once it is locked in memory.
 */
#ifndef GMEM_KPAGEFLAGS_H
#define GMEM_KPAGEFLAGS_H

#include <stddef.h>
#include <linux/types.h>

/*
 * Reads the flags of each of the @count @pfns into @flags; BROKEN on error.  A folio may be
 * waiting in a CPU's batch to get onto its LRU list; KPF_LRU and KPF_UNEVICTABLE are only
 * reliable after gmem_kpageflags_drain().
 */
void gmem_kpageflags_read(const u64 *pfns, size_t count, u64 *flags);

/*
 * Makes every CPU put the folios in its batches onto their LRU lists.  This rests on
 * move_pages(2), which does so before it moves anything; the page that it is given need not
 * move.  Skips the case (no_numa, no_numa_migration) without it.
 */
void gmem_kpageflags_drain(void);

#endif /* GMEM_KPAGEFLAGS_H */
