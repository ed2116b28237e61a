/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DIMM that the kernel can eject and QEMU plug again.
 *
 *	node = gmem_dimm_find(blocks);
 *	... bring blocks online, use them ...
 *	gmem_dimm_eject(blocks[0]);
 *	if (gmem_dimm_wait(attempts) == GMEM_DIMM_GONE)
 *		gmem_dimm_plug(blocks);
 *
 * Rests on the DIMM's eject button in sysfs (CONFIG_ACPI_HOTPLUG_MEMORY), which the
 * link firmware_node of its memory blocks leads to, on QMP, and on a kprobe event:
 * QEMU could tell what the kernel said last, but not whether it has said it again.
 */
#ifndef GMEM_DIMM_H
#define GMEM_DIMM_H

#include <linux/types.h>

/* Of an eject request. */
enum gmem_dimm_state {
	GMEM_DIMM_GONE,		/* QEMU has it no more, and the kernel said so */
	GMEM_DIMM_REFUSED,	/* the kernel told the firmware that it failed (_OST) */
	GMEM_DIMM_BUSY,		/* neither so far */
};

/* Finds the DIMM with id "dimm", whose blocks are as gmem_block_find_offline_node() has them, and
 * returns its node.  It is plugged again at the end of the case.  Skips the case
 * (no_qmp, no_dimm, no_spare_blocks, no_kprobes) without it.
 */
int gmem_dimm_find(long blocks[2]);

/* Presses the eject button of the DIMM that @block is of. */
void gmem_dimm_eject(long block);

/* Waits for the DIMM to be gone or the request refused, until the kernel has failed to
 * migrate a page @attempts times since, or a deadline has passed.
 */
enum gmem_dimm_state gmem_dimm_wait(u64 attempts);

/* Plugs a DIMM that is gone, and waits for its blocks, which are offline.  BROKEN if they
 * do not appear.
 */
void gmem_dimm_plug(long blocks[2]);

#endif /* GMEM_DIMM_H */
