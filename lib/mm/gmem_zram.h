/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk of compressed memory (zram), of this case's own: somewhere to swap to on a
 * machine without disks, or a block device whose page cache can be dropped.
 *
 * Rests on /sys/class/zram-control and /sys/block/zramN; taken down by gmem_restore.
 */
#ifndef GMEM_ZRAM_H
#define GMEM_ZRAM_H

#include <stddef.h>

#include "case/gmem_result.h"

/* GMEM_SKIP_none if such disks, and swapping, can be had. */
enum gmem_skip_reason gmem_zram_missing(void);

/* Creates a disk of @size bytes, all zeros.  Returns its device's path, to be kept
 * by nobody beyond the next call.  BROKEN on error.
 */
const char *gmem_zram_create(size_t size);

/* Creates a disk of @size bytes and swaps to it until the case ends. */
void gmem_zram_swapon(size_t size);

#endif /* GMEM_ZRAM_H */
