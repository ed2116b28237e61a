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

/* True if @frame is in a memory block that is online; @node is then its node and
 * @zone (of @size bytes) its zone's name, or "none" if it straddles two.
 */
bool gmem_block_of(__u64 frame, int *node, char *zone, size_t size);

/* Brings a block that is offline online as ZONE_MOVABLE, until the case ends, when
 * it is taken offline again.  Returns false if there is none that could be.
 */
bool gmem_block_online_movable(void);

#endif /* GMEM_BLOCK_H */
