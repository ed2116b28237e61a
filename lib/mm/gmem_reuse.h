/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives the pages that a region has left to another owner, so that an access through a stale
 * mapping becomes visible.
 *
 *	gmem_migration_fire(migration, NULL, &tally);
 *	if (!gmem_reuse_pfns(old, count))
 *		gmem_broken("...");
 */
#ifndef GMEM_REUSE_H
#define GMEM_REUSE_H

#include <stddef.h>
#include <linux/types.h>

/*
 * Allocates anonymous memory on the first node until it has the @count @pfns, as far as they
 * are free; the kernel clears the pages.  It takes up to 1 GiB, 64 MiB, and 16 MiB for each
 * CPU of the node's free memory.  Returns how many of the @pfns it got (/proc/self/pagemap).
 * They stay allocated until the next call or the end of the case.
 */
size_t gmem_reuse_pfns(const u64 *pfns, size_t count);

#endif /* GMEM_REUSE_H */
