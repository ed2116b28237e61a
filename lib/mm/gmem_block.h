/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory blocks: what the kernel brings online and takes offline as one.
 * Rests on /sys/devices/system/memory (CONFIG_MEMORY_HOTPLUG).
 */
#ifndef GMEM_BLOCK_H
#define GMEM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* True if @pfn is in a memory block that is online; @node is then its node and
 * @zone (of @size bytes) its zone's name, or "none" if it straddles two.
 */
bool gmem_block_of(u64 pfn, int *node, char *zone, size_t size);

/* Brings a block that is offline online as ZONE_MOVABLE, until the case ends, when
 * it is taken offline again.  Returns false if there is none that could be.
 */
bool gmem_block_online_movable(void);

/* How many pages a block has. */
u64 gmem_block_pages(void);

/* The id of the block that has @pfn: N of memoryN. */
long gmem_block_id(u64 pfn);

/* How many of @count @pfns are in block @id. */
size_t gmem_block_holds(long id, const u64 *pfns, size_t count);

/* Finds two blocks that are offline, of a node that has no other memory, and returns
 * that node: what is allocated on it is in the block that is online.  At the end of
 * the case both are offline again.  Skips the case (no_spare_blocks) without them.
 */
int gmem_block_find_offline_node(long ids[2]);

/* The same, but returns -1 without them, and nothing is put back at the end. */
int __gmem_block_find_offline_node(long ids[2]);

/* Brings block @id online: @as is "online_movable" or "online_kernel".  BROKEN on error. */
void gmem_block_online(long id, const char *as);

/*
 * Brings block @id online as ZONE_NORMAL, for memory that does not move.  BROKEN on
 * error.  A node that gets its first memory gets kernel threads with it, which are
 * allocated in that memory unless it is ZONE_MOVABLE, and keep it from going offline
 * again.  So that they are elsewhere, block @other of the node is online meanwhile.
 */
void gmem_block_online_kernel(long id, long other);

/*
 * Has blocks that are brought online without saying as what become ZONE_MOVABLE, up to
 * three times as much as the rest, until the case ends.  Returns false if the kernel has
 * no such policy (memory_hotplug.online_policy).
 */
bool gmem_block_prefer_movable(void);

bool gmem_block_exists(long id);

/* A block that is about to change is neither. */
bool gmem_block_is_online(long id);
bool gmem_block_is_offline(long id);

/*
 * Takes block @id offline in a child process, which gets a signal once the kernel has
 * failed to migrate a page @attempts times since (pgmigrate_fail of /proc/vmstat), or
 * after a deadline.  Returns 0, or the -errno of the write to the block's state: -EINTR
 * if that signal ended it, -ETIME if nothing did.
 */
int __gmem_block_offline(long id, u64 attempts);

/* The same of a block that has nothing to keep it; BROKEN on error. */
void gmem_block_offline(long id);

/* How often the kernel failed to migrate a page so far: pgmigrate_fail. */
u64 gmem_block_failures(void);

#endif /* GMEM_BLOCK_H */
