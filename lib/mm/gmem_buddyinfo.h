/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How fragmented the free memory of a node is.  Rests on /proc/buddyinfo, and debugfs'
 * extfrag (CONFIG_COMPACTION, CONFIG_DEBUG_FS) where the kernel has it.
 */
#ifndef GMEM_BUDDYINFO_H
#define GMEM_BUDDYINFO_H

#include <stdbool.h>

/* As many as an architecture has, and more. */
#define GMEM_ORDERS 16

struct gmem_buddyinfo {
	long areas[GMEM_ORDERS];	/* free areas of each order, of all zones */
	/* How far it is fragmentation that keeps an order from being allocated: from 0
	 * for lack of memory to 1; -1 if there is an area.  The worst of all zones.
	 */
	double index[GMEM_ORDERS];
	bool has_index;
	int orders;		/* that there are */
};

/* BROKEN if the kernel does not tell; an index is not required. */
void gmem_buddyinfo_read(int node, struct gmem_buddyinfo *fragment);

/* Prints both, order by order, for people to read; @what says between which events. */
void gmem_buddyinfo_print(const char *what, const struct gmem_buddyinfo *before,
			 const struct gmem_buddyinfo *after);

/* Areas of @order that are free on @node, larger ones counted by how many they hold. */
long gmem_buddyinfo_free(int node, unsigned int order);

#endif /* GMEM_BUDDYINFO_H */
