/* SPDX-License-Identifier: GPL-2.0-only */
/* What triggers have in common that compact memory: where a scene must lie for it. */
#ifndef GMEM_COMPACTION_H
#define GMEM_COMPACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "gmem_case.h"

struct gmem_scene;

/* GMEM_SKIP_none if the kernel can compact, and takes unevictable memory along. */
enum gmem_skip gmem_compaction_missing(void);

/*
 * Allocates the scene low on the first node, with at least @min_holes pages of holes
 * above it for compaction to fill, and keeps the kernel from filling them unasked.
 */
void gmem_compaction_place(struct gmem_scene *scene, size_t min_holes);

/* True once most of the scene's ordinary memory has moved since the last look. */
bool gmem_compaction_done(struct gmem_scene *scene);

#endif /* GMEM_COMPACTION_H */
