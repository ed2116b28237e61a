/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a pfn lies: its node, its zone, and whether it is in a CMA area.
 *
 *	node = gmem_zone_movable_node();
 *	gmem_pfn_read(region, pfns);
 *	gmem_zone_of(pfns[0], &zone);
 *
 * This rests on /proc/zoneinfo, on the pfn's memory block in sysfs where the spans of two
 * zones overlap, and on debugfs' cma directory.  Before its first answer in a case it is asked
 * about a page of this process on each of two nodes.  It must name the node that mbind(2) was
 * given and the zone that sysfs gives for the block, so that it has given two different answers,
 * both right.  That it tells ZONE_MOVABLE and CMA from other memory is for the test to show, by
 * the control, beside the memory under test.
 *
 * The migratetype of the pfn's pageblock is left out.  An unmodified kernel tells it page by
 * page only with page_owner=on, which makes allocating, writing and freeing a page take twice
 * as long on an emulated CPU.  It also promises little, because an allocation of one type can
 * fall back to a block of another, whose type may then change.
 */
#ifndef GMEM_ZONE_H
#define GMEM_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "case/gmem_result.h"

struct gmem_anon;
struct gmem_region;

struct gmem_zone {
	int node;
	char name[16];		/* "DMA32", "Normal", "Movable", ... */
	bool movable;		/* the zone is ZONE_MOVABLE */
	bool cma;		/* the pfn is in a CMA area that debugfs shows */
};

/*
 * Tells where @pfn lies now.  The case is BROKEN if it is in no zone, or if it is unclear in
 * which.
 */
void gmem_zone_of(u64 pfn, struct gmem_zone *zone);

/* Returns how many of the @count @pfns are in a CMA area. */
size_t gmem_zone_in_cma(const u64 *pfns, size_t count);

/*
 * Returns the id of a node that has a ZONE_MOVABLE.  Where there is none, a memory block that
 * is offline becomes one until the case ends; the case is skipped (no_zone_movable) if that is
 * impossible.  It must be called before the first gmem_zone_of(), which remembers the zones.
 */
int gmem_zone_movable_node(void);

/* Whether all @count @pfns are on @node, and, if @movable, in ZONE_MOVABLE. */
bool gmem_zone_all_there(const u64 *pfns, size_t count, int node, bool movable);

/*
 * Reads where all pages of @region are, and returns their number.  Fails the case (C7) unless
 * they are on @node, and, if @movable, in ZONE_MOVABLE; @how says what has put them there.
 */
#define gmem_zone_check_region(region, node, movable, how) \
	gmem_zone_check_region_at(GMEM_HERE, region, node, movable, how)
size_t gmem_zone_check_region_at(const struct gmem_location *at, struct gmem_region *region,
				 int node, bool movable, const char *how);

/*
 * Does the same for @control, and returns the number of its pages.  The case is BROKEN if they
 * are elsewhere, because the region cannot be expected to be there then.
 */
size_t gmem_zone_check_control(struct gmem_anon *control, int node, bool movable, const char *how);

#endif /* GMEM_ZONE_H */
