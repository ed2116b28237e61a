/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives frames that a region has left to another owner.
 *
 *	gmem_scene_fire(scene, NULL, &tally);
 *	if (!gmem_reuse(scene, old, count))
 *		gmem_broken("...");
 */
#ifndef GMEM_REUSE_H
#define GMEM_REUSE_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_scene;

/* Has ordinary memory take the @count @frames on the first node that the region has
 * left, and clear them: it takes what is free there, up to 1 GiB, 64 MiB, and 16 MiB
 * for each CPU.  Returns how many of the frames it got; they stay taken as long as the
 * scene is there.  The frames are read from /proc/self/pagemap.
 */
size_t gmem_reuse(struct gmem_scene *scene, const __u64 *frames, size_t count);

#endif /* GMEM_REUSE_H */
