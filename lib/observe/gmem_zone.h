/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The place of a frame: its node, its zone, and whether a CMA area has it.
 *
 *	node = gmem_zone_movable_node();
 *	gmem_pfn_read(region, frames);
 *	gmem_zone_of(frames[0], &zone);
 *
 * Rests on /proc/zoneinfo; where the spans of two zones overlap, on the frame's
 * memory block in sysfs; and on debugfs' cma directory.  Before its first answer
 * in a case it is asked for pages of ours on each of two nodes, where it must name
 * the node that mbind(2) was given, and the zone that sysfs gives their block: two
 * right answers that differ.  That ZONE_MOVABLE and CMA are told from other memory
 * is for the test's ordinary pages to show, beside those under test.
 *
 * The type of a frame's pageblock is left out.  Of an unmodified kernel only
 * page_owner=on tells it frame by frame, with which it takes twice as long on an
 * emulated CPU to allocate a page, write and free it; and it promises little, as
 * memory of one type falls back to blocks of another, which may then change type.
 */
#ifndef GMEM_ZONE_H
#define GMEM_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct gmem_anon;
struct gmem_region;

struct gmem_zone {
	int node;
	char name[16];		/* "DMA32", "Normal", "Movable", ... */
	bool movable;		/* the zone is ZONE_MOVABLE */
	bool cma;		/* in a CMA area, which debugfs has to show */
};

/* Where @pfn is now; BROKEN if it is in no zone, or in nobody knows which. */
void gmem_zone_of(u64 pfn, struct gmem_zone *zone);

/* How many of @count @pfns are in a CMA area. */
size_t gmem_zone_in_cma(const u64 *pfns, size_t count);

/* The id of a node that has a ZONE_MOVABLE.  Where there is none, a memory block
 * that is offline becomes one until the case ends.  Skips the case
 * (no_zone_movable) if that is impossible.  To be called before the first
 * gmem_zone_of(), which remembers the zones.
 */
int gmem_zone_movable_node(void);

/* True if all of @pfns are on @node, and in ZONE_MOVABLE if @movable. */
bool gmem_zone_all_there(const u64 *pfns, size_t count, int node, bool movable);

/*
 * Looks up where all of @region is, and fails by C7 unless that is @node, and
 * ZONE_MOVABLE if @movable; @how says what it has been put there by.  Returns the
 * number of pages.
 */
size_t gmem_zone_check_region(struct gmem_region *region, int node, bool movable,
			       const char *how);

/* The same of ordinary pages, without which there is nothing to want: BROKEN. */
size_t gmem_zone_check_control(struct gmem_anon *control, int node, bool movable,
				const char *how);

#endif /* GMEM_ZONE_H */
