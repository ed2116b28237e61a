/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration: a region and a control side by side, the trigger that moves them, and the
 * count of what it moved.
 *
 *	migration = gmem_migration_create(&gmem_trigger_move_pages, region);
 *	guest = gmem_guest_create(region);
 *	gmem_migration_snapshot(migration);
 *	gmem_migration_fire(migration, guest, &tally);
 *	gmem_require_control(migration, &tally);
 *	gmem_migration_free(migration);
 */
#ifndef GMEM_MIGRATION_H
#define GMEM_MIGRATION_H

#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_anon;
struct gmem_guest;
struct gmem_region;
struct gmem_tally;
struct gmem_trigger;

struct gmem_migration {
	const struct gmem_trigger *trigger;	/* fired next; a test may set another one */
	const struct gmem_trigger *creator;	/* chose where the pages lie */
	struct gmem_region *region;
	struct gmem_anon *control;
	int node;		/* where triggers by address send memory next */
	u64 *pfns;		/* of the region, as of the last snapshot */
	void *private;		/* the data of the creator, which its cleanup() frees */
	size_t moved_page;	/* the first page of the region that was seen to move, */
	u64 moved_from;		/* the pfn that it had, */
	u64 moved_to;		/* and the one that it got */
};

/*
 * Creates a control with as many pages as @region, and allocates both where @trigger has reason
 * to move them.  Skips the case if the trigger cannot fire here, or without pagemap.
 */
struct gmem_migration *gmem_migration_create(const struct gmem_trigger *trigger,
					     struct gmem_region *region);

/* Frees @migration, which may be NULL, and its control, but not its region. */
void gmem_migration_free(struct gmem_migration *migration);

/* Notes the pfn of every page of region and control, for comparison after the next firing. */
void gmem_migration_snapshot(struct gmem_migration *migration);

/*
 * Fires the trigger once, and adds to @tally how many pages moved and stayed, and how many
 * pages @guest, which may be NULL, wrote meanwhile.
 */
void gmem_migration_fire(struct gmem_migration *migration, struct gmem_guest *guest,
			 struct gmem_tally *tally);

/*
 * These are the two halves of gmem_migration_fire().  A test calls them one by one if it has to
 * look at something before the pages are counted, because counting reads pfns, which maps the
 * pages on the host again.
 */
void gmem_migration_trigger(struct gmem_migration *migration, struct gmem_guest *guest,
			    struct gmem_tally *tally);
void gmem_migration_count(struct gmem_migration *migration, struct gmem_tally *tally);

/*
 * Fires until every page has left the pfn that it has now.  The caller makes sure that nothing
 * keeps the pages from moving: the case fails (C8) if one never moves.
 */
#define gmem_migration_move_all(migration, tally) \
	gmem_migration_move_all_at(GMEM_HERE, migration, tally)
void gmem_migration_move_all_at(const struct gmem_location *at, struct gmem_migration *migration,
				struct gmem_tally *tally);

/*
 * The case is BROKEN unless @tally has a page of the control that moved: a trigger that moves
 * no anonymous memory either proves nothing.
 */
#define gmem_require_control(migration, tally) \
	gmem_require_control_at(GMEM_HERE, migration, tally)
void gmem_require_control_at(const struct gmem_location *at,
			     const struct gmem_migration *migration,
			     const struct gmem_tally *tally);

/* Fails the case (@clause) if @tally has a page of the region that moved; @how says by what. */
#define gmem_check_stayed(clause, how, migration, tally) \
	gmem_check_stayed_at(GMEM_HERE, clause, how, migration, tally)
void gmem_check_stayed_at(const struct gmem_location *at, enum gmem_clause clause, const char *how,
			  const struct gmem_migration *migration, const struct gmem_tally *tally);

/*
 * Triggers call these in allocate().  They allocate a few pages of the control and of the region
 * in turns, so that both lie in the same parts of memory.  The first function allocates on the
 * first node.  The second one allocates under a memory policy that binds to @node; pages that
 * must not lie there still go to another node, as unmovable pages do if @node has only
 * ZONE_MOVABLE.
 */
void gmem_migration_allocate(struct gmem_migration *migration);
void gmem_migration_allocate_on(struct gmem_migration *migration, int node);

/*
 * Triggers call this in allocate().  It allocates the pages on @node, where the kernel must not
 * allocate anything for itself meanwhile.  So the policy of the thread does not change: the
 * region, which the host has to map, gets its pages by a policy of the file.
 */
void gmem_migration_allocate_by_policy(struct gmem_migration *migration, int node);

/* Triggers call this in allocate().  It frees all pages of region and control again. */
void gmem_migration_discard(struct gmem_migration *migration);

#endif /* GMEM_MIGRATION_H */
