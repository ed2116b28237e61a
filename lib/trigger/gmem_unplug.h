/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The set-up of tests that take memory away while a guest uses it.  The memory holds a region
 * and a control, and the guest rewrites the first half of the region meanwhile.
 *
 *	unplug = gmem_unplug_begin(&kind, &variant->config, 64, true);
 *	gmem_unplug_check_placed(unplug, &tally);
 *	... take the memory away ...
 *	gmem_migration_count(unplug->migration, &tally);
 *	gmem_unplug_check_unmapped(unplug);
 *	gmem_unplug_verify(unplug, &tally);
 *	gmem_unplug_free(unplug);
 *
 * The memory is a memory block, a DIMM, or part of a virtio-mem device.  The test takes it
 * away, and its struct gmem_unplug_kind says how the memory comes.
 */
#ifndef GMEM_UNPLUG_H
#define GMEM_UNPLUG_H

#include <stdbool.h>
#include <stddef.h>

#include "case/gmem_case.h"
#include "vm/gmem_config.h"

struct gmem_guest;
struct gmem_migration;
struct gmem_region;
struct gmem_tally;
struct gmem_unmap_probe;
struct gmem_unplug;

struct gmem_unplug_kind {
	const char *name;	/* what the operation is called in messages: "offlining" */
	const char *where;	/* what the memory is called there: "the block" */
	bool always_normal;	/* the memory is ZONE_NORMAL even if the region is movable */
	/*
	 * Finds two blocks of a node that has no other memory, notes them in @unplug, and returns
	 * the node.  Skips the case if there are none.
	 */
	int (*find)(struct gmem_unplug *unplug);
	/*
	 * Brings the memory online, as the only memory of its node, in ZONE_MOVABLE or ZONE_NORMAL
	 * as unplug->zone_movable says, and sets unplug->block.  The case is BROKEN on error.
	 */
	void (*online)(struct gmem_unplug *unplug);
	/*
	 * Takes the memory away while only the control is in it, so that online() can bring it
	 * again.  The case is BROKEN if that fails.
	 */
	void (*prove)(struct gmem_unplug *unplug);
};

/* The memory is a memory block that goes offline. */
extern const struct gmem_unplug_kind gmem_unplug_block;

struct gmem_unplug {
	const struct gmem_unplug_kind *kind;
	bool zone_movable;	/* the memory is to be ZONE_MOVABLE */
	int node;
	long found[2];		/* the two blocks that were found offline */
	long block;		/* the first block of the memory */
	long nblocks;		/* of the memory: 1 unless online() sets it */
	struct gmem_region *region;
	struct gmem_migration *migration;
	struct gmem_guest *guest;
	struct gmem_unmap_probe *probe;
};

/*
 * Brings memory of @kind online and takes it away with a control in it, to show that the control
 * leaves it.  Then brings the memory online again, and allocates a control and a region of
 * @npages pages of @config in it.  The guest has written the first half of the region and goes
 * on writing it; nobody has touched the other half.  Skips the case unless guest_memfd of
 * @config is expected to be movable, if @movable, or unmovable, if not.
 */
struct gmem_unplug *gmem_unplug_begin(const struct gmem_unplug_kind *kind,
				      const struct gmem_config *config, size_t npages,
				      bool movable);

/* Kinds use this as online().  It brings the first of the blocks online that find() noted. */
void gmem_unplug_online_first(struct gmem_unplug *unplug);

/* Frees @unplug, which may be NULL, and all that belongs to it. */
void gmem_unplug_free(struct gmem_unplug *unplug);

/* Returns how many of the region's pages were in the memory at the last snapshot. */
size_t gmem_unplug_held(const struct gmem_unplug *unplug);

/*
 * Adds the region's pages to @tally if all of them are in the memory.  If not, the case fails
 * (C7) where the memory is ZONE_MOVABLE; where it is not, the case is BROKEN, because nothing
 * promises that the pages are there.
 */
#define gmem_unplug_check_placed(unplug, tally) \
	gmem_unplug_check_placed_at(GMEM_HERE, unplug, tally)
void gmem_unplug_check_placed_at(const struct gmem_location *at, struct gmem_unplug *unplug,
				 struct gmem_tally *tally);

/*
 * Fails the case (C2) unless each page that the guest had mapped was unmapped.  It is for
 * regions that are movable.
 */
#define gmem_unplug_check_unmapped(unplug) gmem_unplug_check_unmapped_at(GMEM_HERE, unplug)
void gmem_unplug_check_unmapped_at(const struct gmem_location *at, struct gmem_unplug *unplug);

/*
 * Fails the case (C4) if @tally has a page that moved, or if a page was unmapped.  It is for
 * regions that are unmovable.
 */
void gmem_unplug_check_stayed(struct gmem_unplug *unplug, const struct gmem_tally *tally);

/* Pauses the guest, and compares every byte. */
void gmem_unplug_verify(struct gmem_unplug *unplug, struct gmem_tally *tally);

/* Defines the fixture of the tests @_name, which take memory away. */
#define GMEM_UNPLUG_FIXTURE(_name) \
GMEM_FIXTURE_OF(_name, GMEM_MEMBERS(struct gmem_unplug *unplug;), \
		GMEM_MEMBERS(struct gmem_config config;), \
		gmem_unplug_free(self->unplug))

#endif /* GMEM_UNPLUG_H */
