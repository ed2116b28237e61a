/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process is shown of the machine's memory blocks. */
#ifndef GMEM_BLOCK_VIEW_H
#define GMEM_BLOCK_VIEW_H

#include <stddef.h>

/*
 * Has this process, and whoever it starts, see the @count memory blocks @ids alone in
 * /sys/devices/system/memory: in a mount namespace of its own (unshare(2)).  Returns 0 or
 * -errno.
 */
int __gmem_block_view(const long *ids, size_t count);

#endif /* GMEM_BLOCK_VIEW_H */
