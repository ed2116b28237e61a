/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flags of a frame's page, as /proc/kpageflags has them: KPF_* of
 * <linux/kernel-page-flags.h>.
 *
 * Before its first answer in a case it is asked for an ordinary page of ours, which
 * must be anonymous and evictable, and unevictable once it is locked in memory.
 */
#ifndef GMEM_KPAGEFLAGS_H
#define GMEM_KPAGEFLAGS_H

#include <stddef.h>
#include <linux/types.h>

/* Reads the flags of each of @count frames into @flags; BROKEN if that fails.  Of a
 * folio that may be on its way to a list, KPF_LRU and KPF_UNEVICTABLE are to be
 * believed only after gmem_kpageflags_drain().
 */
void gmem_kpageflags_read(const u64 *pfns, size_t count, u64 *flags);

/* Has every CPU put the folios that it keeps to itself onto their LRU lists.  Rests
 * on move_pages(2), which does so first, of a page that need not move.
 */
void gmem_kpageflags_drain(void);

#endif /* GMEM_KPAGEFLAGS_H */
