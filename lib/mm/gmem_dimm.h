/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DIMM that the kernel can eject and QEMU can plug again.
 *
 *	node = gmem_dimm_find(blocks);
 *	... bring blocks online, use them ...
 *	gmem_dimm_eject(blocks[0]);
 *	if (gmem_dimm_wait(attempts) == GMEM_DIMM_GONE)
 *		gmem_dimm_plug(blocks);
 *
 * This rests on the DIMM's eject button in sysfs (CONFIG_ACPI_HOTPLUG_MEMORY), to which the
 * link firmware_node of its memory blocks leads, on QMP, and on a kprobe event that sees
 * what the kernel reports to the firmware.  QEMU knows only the last report, and not
 * whether the kernel has sent the same report again.
 */
#ifndef GMEM_DIMM_H
#define GMEM_DIMM_H

#include <linux/types.h>

/* The state of an eject request. */
enum gmem_dimm_state {
	GMEM_DIMM_GONE,		/* the kernel reported success, and QEMU has removed the DIMM */
	GMEM_DIMM_REFUSED,	/* the kernel reported a failure to the firmware (_OST) */
	GMEM_DIMM_BUSY,		/* the kernel has not reported an outcome so far */
};

/*
 * Finds the DIMM with the id "dimm", and returns its node; @blocks are two blocks as
 * gmem_block_find_offline_node() finds them.  The DIMM is plugged again at the end of the case.
 * Skips the case (no_qmp, no_dimm, no_offline_blocks, no_kprobes) if something is missing.
 */
int gmem_dimm_find(long blocks[2]);

/* Presses the eject button of the DIMM that @block belongs to. */
void gmem_dimm_eject(long block);

/*
 * Waits until the DIMM is gone or the request is refused, and returns which.  Gives up with
 * GMEM_DIMM_BUSY when the kernel has failed @attempts times to migrate a page since the call,
 * or when a deadline has passed.
 */
enum gmem_dimm_state gmem_dimm_wait(u64 attempts);

/*
 * Plugs a DIMM that is gone, and waits until its blocks are there, which are offline.
 * @blocks is set as by gmem_dimm_find().  BROKEN if the kernel does not accept the DIMM.
 */
void gmem_dimm_plug(long blocks[2]);

#endif /* GMEM_DIMM_H */
