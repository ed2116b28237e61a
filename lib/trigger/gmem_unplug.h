/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that is to go away from under a guest: a file and ordinary pages lie in it,
 * and the guest rewrites half of the file meanwhile.
 *
 *	unplug = gmem_unplug_begin(&kind, &variant->config, 64, true);
 *	gmem_unplug_check_placed(unplug, &tally);
 *	... take it away ...
 *	gmem_migration_count(unplug->scene, &tally);
 *	gmem_unplug_check_unmapped(unplug);
 *	gmem_unplug_verify(unplug, &tally);
 *	gmem_unplug_free(unplug);
 *
 * What goes away, and how, is for the test to say: a memory block, a DIMM, a device.
 */
#ifndef GMEM_UNPLUG_H
#define GMEM_UNPLUG_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "vm/gmem_config.h"

struct gmem_guest;
struct gmem_region;
struct gmem_migration;
struct gmem_unmap_probe;
struct gmem_tally;
struct gmem_unplug;

struct gmem_unplug_kind {
	const char *name;	/* of what takes it away: "offlining" */
	const char *where;	/* what the memory is in: "the block" */
	bool always_normal;	/* ZONE_NORMAL, also for movable memory */
	/* Finds two blocks of a node without other memory, and returns it; skips the case
	 * if there are none.
	 */
	int (*find)(struct gmem_unplug *unplug);
	/* Brings the memory online, as all that its node has, and as ZONE_MOVABLE or
	 * ZONE_NORMAL, and says which block it is.  BROKEN on error.
	 */
	void (*online)(struct gmem_unplug *unplug);
	/* Takes it away, with nothing but ordinary pages in it, so that it can be brought
	 * online again.  BROKEN if it does not go.
	 */
	void (*prove)(struct gmem_unplug *unplug);
};

/* A memory block that goes offline. */
extern const struct gmem_unplug_kind gmem_unplug_block;

struct gmem_unplug {
	const struct gmem_unplug_kind *kind;
	bool zone_movable;
	int node;
	long spare[2];		/* blocks that were found */
	long block;		/* that all of the memory is in, or the first of those */
	long nblocks;		/* one unless online() says otherwise */
	struct gmem_region *region;
	struct gmem_migration *migration;
	struct gmem_guest *guest;
	struct gmem_unmap_probe *probe;
};

/*
 * Brings memory of @kind online, sees ordinary pages put into it and taken out as it
 * goes, and has it again, with ordinary pages and a file of @npages in it.  A guest runs
 * that has written the first half of them and goes on to; the others were never touched.
 * Skips the case unless guest_memfd of @config is expected to be @movable.
 */
struct gmem_unplug *gmem_unplug_begin(const struct gmem_unplug_kind *kind,
				      const struct gmem_config *config, size_t npages,
				      bool movable);

/* For a kind's online(): brings the first of the two blocks that were found online. */
void gmem_unplug_online_spare(struct gmem_unplug *unplug);

/* NULL is fine. */
void gmem_unplug_free(struct gmem_unplug *unplug);

/* How many of the file's pages were in the memory when the scene was last looked at. */
size_t gmem_unplug_held(const struct gmem_unplug *unplug);

/* Fails by C7 unless all pages are in the block, where that is ZONE_MOVABLE; where it is
 * not, nothing promises that they are: BROKEN.  Adds them to @tally otherwise.
 */
void gmem_unplug_check_placed(struct gmem_unplug *unplug, struct gmem_tally *tally);

/* Of movable memory: fails by C2 unless each page that the guest had was unmapped. */
void gmem_unplug_check_unmapped(struct gmem_unplug *unplug);

/* Of unmovable memory: fails by C4 if @tally has a page that moved, or one was unmapped. */
void gmem_unplug_check_stayed(struct gmem_unplug *unplug, const struct gmem_tally *tally);

/* Ends the guest's work, and compares every byte. */
void gmem_unplug_verify(struct gmem_unplug *unplug, struct gmem_tally *tally);

/* The fixture of tests that take memory away. */
#define GMEM_UNPLUG_FIXTURE(_name) \
FIXTURE(_name) { \
	struct gmem_unplug *unplug; \
}; \
FIXTURE_VARIANT(_name) { \
	struct gmem_config config; \
}; \
FIXTURE_SETUP(_name) \
{ \
} \
FIXTURE_TEARDOWN(_name) \
{ \
	gmem_unplug_free(self->unplug); \
}

#endif /* GMEM_UNPLUG_H */
