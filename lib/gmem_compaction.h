/* SPDX-License-Identifier: GPL-2.0-only */
/* What triggers have in common that compact memory: where a scene must lie for it. */
#ifndef GMEM_COMPACTION_H
#define GMEM_COMPACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "gmem_case.h"

struct gmem_scene;

/* GMEM_SKIP_none if the kernel can compact, and takes unevictable memory along. */
enum gmem_skip gmem_compaction_missing(void);

/*
 * Allocates the scene low on the first node, with at least @min_holes pages of holes
 * above it for compaction to fill, and keeps the kernel from filling them unasked.
 */
void gmem_compaction_place(struct gmem_scene *scene, size_t min_holes);

/*
 * The steps of the above, for whoever has a place of his own in mind.  First of all:
 * keeps the kernel from filling holes unasked, until the case ends.
 */
void gmem_compaction_keep_holes(void);

/* Gives the scene one more filler: @npages of ordinary memory on the first node. */
void gmem_compaction_add_filler(struct gmem_scene *scene, size_t npages);

/* The highest frame of what ought to move (pagemap, gmem_frame.h). */
__u64 gmem_compaction_top(struct gmem_scene *scene);

/* How many of the fillers' frames lie above @frame. */
size_t gmem_compaction_above(struct gmem_scene *scene, __u64 frame);

/* Frees what filler lies below @frame, and of what lies above it one half, in holes. */
void gmem_compaction_make_holes(struct gmem_scene *scene, __u64 frame);

/* Compacts @node (/sys/devices/system/node/nodeN/compact).  BROKEN if it cannot. */
void gmem_compaction_run(int node);

/* True once most of the scene's ordinary memory has moved since the last look. */
bool gmem_compaction_done(struct gmem_scene *scene);

#endif /* GMEM_COMPACTION_H */
