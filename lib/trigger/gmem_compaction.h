/* SPDX-License-Identifier: GPL-2.0-only */
/* What triggers have in common that compact memory: where a scene must lie for it. */
#ifndef GMEM_COMPACTION_H
#define GMEM_COMPACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_anon;
struct gmem_migration;

/*
 * Anonymous memory around region and control, in which there are holes for compaction to
 * fill.  It is migration->private of triggers that compact.
 */
struct gmem_fillers {
	struct gmem_anon *filler[5];
	size_t count;
	int ring;		/* pins what is left of the fillers; 0: nothing does */
};

/* The fillers of @migration; there are none at first. */
struct gmem_fillers *gmem_compaction_fillers(struct gmem_migration *migration);

/* Frees all fillers: the cleanup() of triggers that compact. */
void gmem_compaction_cleanup(struct gmem_migration *migration);

/* GMEM_SKIP_none if the kernel can compact, and takes unevictable memory along. */
enum gmem_skip_reason gmem_compaction_missing(void);

/*
 * Allocates the scene low on the first node, with at least @min_holes pages of holes
 * above it for compaction to fill, and keeps the kernel from filling them unasked.
 */
void gmem_compaction_allocate(struct gmem_migration *migration, size_t min_holes);

/*
 * The steps of the above, for whoever has a place of his own in mind.  First of all:
 * keeps the kernel from filling holes unasked, until the case ends.
 */
void gmem_compaction_keep_holes(void);

/* Gives the scene one more filler: @npages of ordinary memory on the first node. */
void gmem_compaction_add_filler(struct gmem_migration *migration, size_t npages);

/* The highest frame of what ought to move (pagemap, gmem_pfn.h). */
u64 gmem_compaction_top(struct gmem_migration *migration);

/* How many of the fillers' frames lie above @pfn. */
size_t gmem_compaction_above(struct gmem_migration *migration, u64 pfn);

/* Frees what filler lies below @pfn, and of what lies above it one half, in holes. */
void gmem_compaction_make_holes(struct gmem_migration *migration, u64 pfn);

/* Compacts @node (/sys/devices/system/node/nodeN/compact).  BROKEN if it cannot. */
void gmem_compaction_run(int node);

/* True once most of the scene's ordinary memory has moved since the last look. */
bool gmem_compaction_done(struct gmem_migration *migration);

#endif /* GMEM_COMPACTION_H */
