/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio-mem device, whose size QEMU requests and the kernel's driver follows.
 *
 *	node = gmem_virtio_mem_find(others);
 *	block = gmem_virtio_mem_grow(size, true);
 *	...
 *	left = gmem_virtio_mem_shrink(0);
 *
 * This rests on QMP, and on the driver (CONFIG_VIRTIO_MEM).  The driver adds memory by
 * blocks, and brings them online as /sys/devices/system/memory/auto_online_blocks says.
 */
#ifndef GMEM_VIRTIO_MEM_H
#define GMEM_VIRTIO_MEM_H

#include <stdbool.h>
#include <linux/types.h>

/*
 * Finds the device with the id "virtio-mem", which must have no memory plugged, and returns
 * its node; @others are two blocks of the same node as gmem_block_find_offline_node() finds
 * them.  At the end of the case all memory of the device is unplugged.  Skips the case
 * (no_qmp, no_virtio_mem, no_offline_blocks) if something is missing.
 */
int gmem_virtio_mem_find(long others[2]);

/* Returns the physical address at which the device's memory begins. */
u64 gmem_virtio_mem_address(void);

/*
 * Requests @size bytes, which must be whole memory blocks.  Returns the id of the first block
 * when all blocks are online, or, if @online is false, there and offline; auto_online_blocks
 * has to agree.  BROKEN if that does not happen.
 */
long gmem_virtio_mem_grow(u64 size, bool online);

/*
 * Returns the number of bytes that can be unplugged separately: the device's block size, or
 * the size of a pageblock if that is larger, as the driver does not divide pageblocks.
 */
u64 gmem_virtio_mem_unit(void);

/*
 * Requests a size of 0 until the device has at most @want bytes plugged, or until the driver
 * has had several attempts.  Returns how many bytes are plugged.  BROKEN if QEMU does not
 * answer.
 */
u64 gmem_virtio_mem_shrink(u64 want);

/*
 * Requests a size other than 0, of one block of the device.  A request for the size that was
 * requested last does not reach the driver, so a repeated request needs another one between.
 */
void __gmem_virtio_mem_request_other(void);

#endif /* GMEM_VIRTIO_MEM_H */
