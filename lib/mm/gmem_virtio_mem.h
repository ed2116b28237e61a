/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio-mem device, which QEMU resizes and the kernel's driver follows.
 *
 *	node = gmem_virtio_mem_find(others);
 *	block = gmem_virtio_mem_grow(size, true);
 *	...
 *	left = gmem_virtio_mem_shrink(0);
 *
 * Rests on QMP, and on the driver (CONFIG_VIRTIO_MEM), which adds memory by blocks and
 * brings them online as /sys/devices/system/memory/auto_online_blocks says.
 */
#ifndef GMEM_VIRTIO_MEM_H
#define GMEM_VIRTIO_MEM_H

#include <stdbool.h>
#include <linux/types.h>

/* Finds the device with id "virtio-mem", of which nothing is plugged, and two blocks of
 * its node as gmem_block_find_offline_node() has them; returns that node.  At the end of the case the
 * device shrinks to nothing.  Skips the case (no_qmp, no_virtio_mem, no_spare_blocks)
 * without it.
 */
int gmem_virtio_mem_find(long others[2]);

/* Where its memory begins, a physical address. */
u64 gmem_virtio_mem_address(void);

/* Has the device grow to @size bytes, of whole memory blocks, and returns the first
 * block's id once all are @online, or there but offline: as auto_online_blocks has it.
 * BROKEN if that does not happen.
 */
long gmem_virtio_mem_grow(u64 size, bool online);

/* The number of bytes that are plugged and unplugged as one: of the device, or a pageblock,
 * which the driver does not divide, if that is larger.
 */
u64 gmem_virtio_mem_unit(void);

/* Requests nothing, again and again, until the device has @want bytes or less, or the
 * driver has had several chances.  Returns how many it has.
 */
u64 gmem_virtio_mem_shrink(u64 want);

/* The same, but an error is passed over. */
u64 __gmem_virtio_mem_shrink(u64 want);

/* Requests a unit: what was requested last does not reach the driver if it is requested
 * again.
 */
void __gmem_virtio_mem_request_other(void);

#endif /* GMEM_VIRTIO_MEM_H */
