/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives pages that a region has left to another owner, so that whoever still reaches them
 * is seen to.
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
 * Has anonymous memory take the @count @pfns on the first node, and clear them.  It takes
 * what is free there: up to 1 GiB, 64 MiB, and 16 MiB for each CPU.  Returns how many of the
 * pfns it got (/proc/self/pagemap); they stay taken until the next call or the end of the
 * case.
 */
size_t gmem_reuse_pfns(const u64 *pfns, size_t count);

#endif /* GMEM_REUSE_H */
