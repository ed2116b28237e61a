/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scene: a region and a control, allocated side by side where a trigger has
 * reason to move them, and the count of what it moved.
 *
 *	scene = gmem_scene_create(&gmem_trigger_move_pages, region);
 *	guest = gmem_guest_create(region);
 *	gmem_scene_look(scene);
 *	gmem_scene_fire(scene, guest, &tally);
 *	gmem_scene_free(scene);
 */
#ifndef GMEM_SCENE_H
#define GMEM_SCENE_H

#include <stddef.h>
#include <linux/types.h>

struct gmem_control;
struct gmem_guest;
struct gmem_region;
struct gmem_tally;
struct gmem_trigger;

struct gmem_scene {
	const struct gmem_trigger *trigger;
	struct gmem_region *region;
	struct gmem_control *control;
	struct gmem_control *filler[5];	/* what place() wants around them */
	size_t nfillers;
	int ring;		/* that pins what is left of them; 0: none */
	struct gmem_control *next_owner; /* of frames that the region left */
	int node;		/* where by-address triggers send memory next */
	__u64 *frames;		/* of the region, as of the last look */
	size_t took;		/* pages of ordinary memory acted upon in place */
	/* The first page of the region that was seen to move. */
	size_t moved_page;
	__u64 moved_from, moved_to;
};

/* Skips the case if the trigger cannot fire here. */
struct gmem_scene *gmem_scene_create(const struct gmem_trigger *trigger,
				     struct gmem_region *region);

/* Frees the scene and its control, not the region.  NULL is fine. */
void gmem_scene_free(struct gmem_scene *scene);

/* Takes note of every frame, as what the next firing is compared with. */
void gmem_scene_look(struct gmem_scene *scene);

/* Fires the trigger once and adds to @tally what moved, what stayed, and what
 * @guest (may be NULL) wrote meanwhile.
 */
void gmem_scene_fire(struct gmem_scene *scene, struct gmem_guest *guest,
		     struct gmem_tally *tally);

/* Fires until every page has left the frame that it has now; fails the case (C8) if
 * one never does.  For pages that nothing keeps from moving any more.
 */
void gmem_scene_move_all(struct gmem_scene *scene, struct gmem_tally *tally);

/* The two halves of gmem_scene_fire(), for a test that has something to see before
 * frames are looked at, which brings back what was dropped.
 */
void gmem_scene_pull(struct gmem_scene *scene, struct gmem_guest *guest,
		     struct gmem_tally *tally);
void gmem_scene_count(struct gmem_scene *scene, struct gmem_tally *tally);

/* For triggers: allocates all pages of region and control, taking turns, so that
 * neither lies where the other does not; on the first node.
 */
void gmem_scene_allocate(struct gmem_scene *scene);

/* The same under a policy that binds to @node: what may not be there goes elsewhere. */
void gmem_scene_allocate_on(struct gmem_scene *scene, int node);

/* The same on @node, and nothing else: the region, which must have a mapping, by a
 * policy of the file's own.
 */
void gmem_scene_allocate_by_policy(struct gmem_scene *scene, int node);

/* For triggers: frees all those pages again. */
void gmem_scene_discard(struct gmem_scene *scene);

#endif /* GMEM_SCENE_H */
