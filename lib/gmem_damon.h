/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DAMON on physical addresses, through its sysfs interface: one scheme that applies
 * one action to all of a range over and over, however hot or cold the memory is.
 * It works until the case ends, when gmem_undo switches it off.
 */
#ifndef GMEM_DAMON_H
#define GMEM_DAMON_H

#include <linux/types.h>

#include "gmem_case.h"

/* GMEM_SKIP_none if DAMON can be had, and nobody else has it. */
enum gmem_skip gmem_damon_missing(void);

/*
 * Starts DAMON with @action ("pageout", "migrate_cold", ...) on the physical
 * addresses [@start, @end); @node is where the migrating actions send memory.
 * BROKEN on error.
 */
void gmem_damon_start(const char *action, __u64 start, __u64 end, int node);

/* Bytes that the action has been tried on since the start. */
__u64 gmem_damon_tried(void);

#endif /* GMEM_DAMON_H */
