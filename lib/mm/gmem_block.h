/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory blocks, the units in which the kernel brings memory online and takes it offline.
 *
 *	node = gmem_block_find_offline_node(ids);
 *	gmem_block_online(ids[0], "online_movable");
 *	... use the memory of @node ...
 *	gmem_block_offline(ids[0]);
 *
 * This rests on /sys/devices/system/memory (CONFIG_MEMORY_HOTPLUG).  A block's id is the N of
 * its directory memoryN.
 */
#ifndef GMEM_BLOCK_H
#define GMEM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/*
 * Returns true if @pfn is in a memory block that is online.  Then *@node is the block's node,
 * and @zone, a buffer of @size bytes, has the name of its zone, or "none" if the block
 * straddles two zones.
 */
bool gmem_block_of(u64 pfn, int *node, char *zone, size_t size);

/*
 * Brings one offline block online as ZONE_MOVABLE until the case ends.  Returns false if no
 * block can be brought online so.
 */
bool gmem_block_online_movable(void);

/* Returns the number of pages of a block.  BROKEN if the kernel has no memory blocks. */
u64 gmem_block_pages(void);

/* Returns how many of the @count @pfns are in block @id. */
size_t gmem_block_holds(long id, const u64 *pfns, size_t count);

/*
 * Finds a node whose memory is all offline, in two blocks at least, and returns it; @ids are
 * the node's two lowest blocks.  If the caller brings one block online, all memory of the
 * node is in that block.  At the end of the case both blocks are taken offline.  Skips the
 * case (no_offline_blocks) if there is no such node.
 */
int gmem_block_find_offline_node(long ids[2]);

/*
 * Finds that node, or returns -1 if there is none.  It does not arrange that the blocks are
 * taken offline at the end.
 */
int __gmem_block_find_offline_node(long ids[2]);

/* Brings block @id online; @as is "online_movable" or "online_kernel".  BROKEN on error. */
void gmem_block_online(long id, const char *as);

/*
 * Brings block @id online as ZONE_NORMAL, for memory that does not move.  BROKEN on error.
 * When a node gets its first memory, the kernel starts threads for the node, and allocates
 * them in that memory unless it is ZONE_MOVABLE; such a block cannot go offline again.
 * Block @other of the same node is therefore online as ZONE_MOVABLE while this one is
 * brought online.
 */
void gmem_block_online_kernel(long id, long other);

/*
 * Makes blocks that are brought online without a named zone become ZONE_MOVABLE until the
 * case ends, as long as the movable memory is at most three times the rest.  Returns false if
 * the kernel has no such setting (memory_hotplug.online_policy).
 */
bool gmem_block_prefer_movable(void);

/* Returns true if the kernel has a block @id. */
bool gmem_block_exists(long id);

/*
 * Return true if block @id is online or offline, as the name says.  Both return false while
 * the state of the block changes.
 */
bool gmem_block_is_online(long id);
bool gmem_block_is_offline(long id);

/*
 * Takes block @id offline in a child process.  The child gets a signal as soon as the kernel
 * has failed @attempts times to migrate a page (pgmigrate_fail of /proc/vmstat), or when a
 * deadline has passed.  Returns 0, or the -errno of the write to the block's state: -EINTR
 * if the signal ended the write, and -ETIME if even the signal did not.
 */
int __gmem_block_offline(long id, u64 attempts);

/* Takes block @id, which nothing keeps online, offline.  BROKEN on error. */
void gmem_block_offline(long id);

/* Returns how often the kernel has failed to migrate a page so far (pgmigrate_fail). */
u64 gmem_block_failures(void);

#endif /* GMEM_BLOCK_H */
