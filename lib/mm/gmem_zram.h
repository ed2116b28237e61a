/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A zram device (compressed memory) of the case's own: swap space on a machine without disks,
 * or a block device whose page cache can be dropped.
 *
 *	gmem_skip_if(gmem_zram_missing());
 *	gmem_zram_swapon(SZ_64M);
 *
 * This rests on /sys/class/zram-control and /sys/block/zramN.  The device is removed when the
 * case ends.
 */
#ifndef GMEM_ZRAM_H
#define GMEM_ZRAM_H

#include <stddef.h>

#include "case/gmem_result.h"

/* Returns GMEM_SKIP_none if the kernel has zram and swap. */
enum gmem_skip_reason gmem_zram_missing(void);

/*
 * Creates a device of @size bytes, all zeros.  Returns the path of the device, in a buffer
 * that the next call overwrites.  BROKEN on error.
 */
const char *gmem_zram_create(size_t size);

/* Creates a device of @size bytes and swaps to it until the case ends.  BROKEN on error. */
void gmem_zram_swapon(size_t size);

#endif /* GMEM_ZRAM_H */
