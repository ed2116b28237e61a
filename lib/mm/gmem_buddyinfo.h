/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How fragmented the free memory of a node is.
 *
 *	gmem_buddyinfo_read(node, &before);
 *	... fragment or compact the node ...
 *	gmem_buddyinfo_read(node, &after);
 *	gmem_buddyinfo_print("compaction", &before, &after);
 *
 * This rests on /proc/buddyinfo, and on debugfs' extfrag (CONFIG_COMPACTION,
 * CONFIG_DEBUG_FS) where the kernel has it.
 */
#ifndef GMEM_BUDDYINFO_H
#define GMEM_BUDDYINFO_H

#include <stdbool.h>

/* No architecture has more orders than this. */
#define GMEM_ORDERS 16

struct gmem_buddyinfo {
	long areas[GMEM_ORDERS];	/* free areas of each order, summed over the zones */
	/*
	 * The fragmentation index of each order: why an allocation of the order would fail,
	 * from 0 for lack of memory to 1 for fragmentation, or -1 if it would not.  It is
	 * the highest of all zones.
	 */
	double index[GMEM_ORDERS];
	bool has_index;			/* the kernel offers the index */
	int orders;			/* number of orders that the kernel has */
};

/*
 * Reads the state of @node into @buddyinfo.  BROKEN if there is no /proc/buddyinfo; the index
 * is optional.
 */
void gmem_buddyinfo_read(int node, struct gmem_buddyinfo *buddyinfo);

/*
 * Prints both states to stderr, order by order, for people to read.  @what names what happened
 * between the two.
 */
void gmem_buddyinfo_print(const char *what, const struct gmem_buddyinfo *before,
			  const struct gmem_buddyinfo *after);

/*
 * Returns how many areas of @order could be allocated on @node: larger free areas count as
 * the number of areas of @order that they hold.
 */
long gmem_buddyinfo_free(int node, unsigned int order);

#endif /* GMEM_BUDDYINFO_H */
