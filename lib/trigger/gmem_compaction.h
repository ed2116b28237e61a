/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the triggers that compact memory share: where region and control must lie so that
 * compaction moves them.
 *
 * Compaction moves pages that lie low in a zone into free pages that lie high in it.  A
 * migration therefore needs holes above it.  They are made of fillers: anonymous memory that
 * fills the zone around the migration, and of which every second group of pages is freed.
 */
#ifndef GMEM_COMPACTION_H
#define GMEM_COMPACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_anon;
struct gmem_migration;

/* The fillers of one migration, which triggers that compact keep in migration->private. */
struct gmem_fillers {
	struct gmem_anon *filler[5];
	size_t count;
	int ring;		/* what gmem_gup_pin() returned; 0: the fillers are not pinned */
};

/* Returns the fillers of @migration, of which there are none at first. */
struct gmem_fillers *gmem_compaction_fillers(struct gmem_migration *migration);

/* Frees all fillers.  It is the cleanup() of triggers that compact. */
void gmem_compaction_cleanup(struct gmem_migration *migration);

/* Returns GMEM_SKIP_none if the kernel can compact, and moves unevictable memory when it does. */
enum gmem_skip_reason gmem_compaction_missing(void);

/*
 * Allocates region and control low on the first node, with holes of at least @min_holes pages
 * above them, and keeps the kernel from filling the holes before the trigger fires.  The case
 * is BROKEN if no such place is found.
 */
void gmem_compaction_allocate(struct gmem_migration *migration, size_t min_holes);

/*
 * The rest are the steps of gmem_compaction_allocate(), for callers that choose the place
 * themselves.  This is the first step: it keeps the kernel from filling holes of its own
 * accord until the case ends.
 */
void gmem_compaction_keep_holes(void);

/* Adds a filler: @npages pages of anonymous memory on the first node. */
void gmem_compaction_add_filler(struct gmem_migration *migration, size_t npages);

/* Returns the highest pfn of the pages that compaction ought to move. */
u64 gmem_compaction_top(struct gmem_migration *migration);

/* Returns how many pages of the fillers lie above @pfn. */
size_t gmem_compaction_above(struct gmem_migration *migration, u64 pfn);

/* Frees all filler below @pfn, and half of the filler above it, which makes the holes. */
void gmem_compaction_make_holes(struct gmem_migration *migration, u64 pfn);

/* Compacts @node by /sys/devices/system/node/nodeN/compact.  The case is BROKEN on error. */
void gmem_compaction_run(int node);

/* Whether more than half of the control has moved since the last snapshot. */
bool gmem_compaction_done(struct gmem_migration *migration);

#endif /* GMEM_COMPACTION_H */
