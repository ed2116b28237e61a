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
	const struct gmem_trigger *trigger;
	struct gmem_region *region;
	struct gmem_anon *control;
	int node;		/* where by-address triggers send memory next */
	u64 *pfns;		/* of the region, as of the last snapshot */
	void *private;		/* the trigger's own, which its cleanup() frees */
	/* The first page of the region that was seen to move. */
	size_t moved_page;
	u64 moved_from, moved_to;
};

/*
 * Allocates @region and a control, which has as many pages, where @trigger has reason to move
 * them.  Skips the case if the trigger cannot fire here.
 */
struct gmem_migration *gmem_migration_create(const struct gmem_trigger *trigger,
					     struct gmem_region *region);

/* Frees the migration and its control, not the region.  It may be NULL. */
void gmem_migration_free(struct gmem_migration *migration);

/* Notes the pfn of every page, with which the pages are compared after the next firing. */
void gmem_migration_snapshot(struct gmem_migration *migration);

/*
 * Fires the trigger once, and adds to @tally how many pages moved and stayed, and how many
 * pages @guest, which may be NULL, wrote meanwhile.
 */
void gmem_migration_fire(struct gmem_migration *migration, struct gmem_guest *guest,
			 struct gmem_tally *tally);

/*
 * The two halves of gmem_migration_fire(), for a test that looks at something between them:
 * reading pfns maps again what was unmapped.
 */
void gmem_migration_trigger(struct gmem_migration *migration, struct gmem_guest *guest,
			    struct gmem_tally *tally);
void gmem_migration_count(struct gmem_migration *migration, struct gmem_tally *tally);

/*
 * Fires until every page has left the pfn that it has now.  Nothing may keep the pages from
 * moving: fails the case (C8) if one never does.
 */
void gmem_migration_move_all(struct gmem_migration *migration, struct gmem_tally *tally);

/*
 * The case is BROKEN unless @tally has a page of the control that moved: a trigger that moves
 * no anonymous memory either proves nothing.
 */
#define gmem_require_control(migration, tally) \
	__gmem_require_control(GMEM_HERE, migration, tally)
void __gmem_require_control(const struct gmem_location *at,
			    const struct gmem_migration *migration,
			    const struct gmem_tally *tally);

/* Fails the case (@clause) if @tally has a page of the region that moved; @how says by what. */
#define gmem_check_stayed(clause, how, migration, tally) \
	__gmem_check_stayed(GMEM_HERE, clause, how, migration, tally)
void __gmem_check_stayed(const struct gmem_location *at, enum gmem_clause clause, const char *how,
			 const struct gmem_migration *migration, const struct gmem_tally *tally);

/*
 * For triggers: these allocate all pages of region and control in turns, so that neither lies
 * where the other does not.  The first does so on the first node; the second under a policy
 * that binds to @node, so that what may not be there goes elsewhere.
 */
void gmem_migration_allocate(struct gmem_migration *migration);
void gmem_migration_allocate_on(struct gmem_migration *migration, int node);

/*
 * For triggers: allocates the pages on @node, and nothing else there: the region, which the
 * host has to map, by a policy of the file's own.
 */
void gmem_migration_allocate_by_policy(struct gmem_migration *migration, int node);

/* For triggers: frees all those pages again. */
void gmem_migration_discard(struct gmem_migration *migration);

#endif /* GMEM_MIGRATION_H */
