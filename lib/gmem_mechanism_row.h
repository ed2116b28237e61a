/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rows of gmem_mechanism.h share with each other. */
#ifndef GMEM_MECHANISM_ROW_H
#define GMEM_MECHANISM_ROW_H

#include <stdbool.h>
#include <stddef.h>

struct gmem_scene;

/*
 * Advises the kernel on the scene's ordinary memory by madvise(2); @name is the
 * advice's.  BROKEN if it is refused, as the row would be void.
 */
void gmem_mechanism_advise_control(struct gmem_scene *scene, int advice, const char *name);

/*
 * The same on a mapping @mem of all of the scene's region: fails by C5 unless it ends
 * with the errno @want, or 0 if the advice is to be accepted, and ignored.
 */
void gmem_mechanism_advise_region(struct gmem_scene *scene, void *mem, int advice,
				  const char *name, int want);

/* Advises the kernel on both, which must accept it. */
void gmem_mechanism_advise(struct gmem_scene *scene, int advice, const char *name);

/*
 * True once more than half of the control of the scene @arg has moved since this was
 * first asked.  gmem_scene_count() looks again and could not see it any more: it is
 * counted in scene->took here.
 */
bool gmem_mechanism_took_half(void *arg);

/* By how much a count went down; one that went up proves nothing. */
size_t gmem_mechanism_fewer(size_t before, size_t after);

#endif /* GMEM_MECHANISM_ROW_H */
