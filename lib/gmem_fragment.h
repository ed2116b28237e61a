/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How fragmented the free memory of a node is, for people to read: nothing here
 * decides anything.  Rests on /proc/buddyinfo, and debugfs' extfrag (CONFIG_COMPACTION,
 * CONFIG_DEBUG_FS) where the kernel has it.
 */
#ifndef GMEM_FRAGMENT_H
#define GMEM_FRAGMENT_H

/* Prints @when, and per zone of @node how many free areas of each order it has, and
 * how far fragmentation is what keeps it from having more of them (extfrag_index:
 * -1.000 for there are some, from 0 lack of memory to 1 fragmentation).
 */
void gmem_fragment_print(int node, const char *when);

#endif /* GMEM_FRAGMENT_H */
