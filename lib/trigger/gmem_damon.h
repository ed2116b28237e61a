/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DAMON on physical addresses, through its sysfs interface (/sys/kernel/mm/damon/admin): one
 * scheme applies one action to a whole range of memory over and over, however hot or cold the
 * memory is.  It goes on until the case ends, when gmem_restore switches it off.
 */
#ifndef GMEM_DAMON_H
#define GMEM_DAMON_H

#include "case/gmem_result.h"

struct gmem_migration;

/* Returns GMEM_SKIP_none if the kernel has DAMON and nobody else uses it. */
enum gmem_skip_reason gmem_damon_missing(void);

/*
 * Has DAMON apply @action ("pageout", "migrate_cold", ...) twice to the range of physical
 * memory in which region and control lie; the actions that migrate send it to the second node.
 * The first call starts DAMON, which goes on until the case ends: each further call only waits.
 * The case is BROKEN on error, or if DAMON makes no progress.
 */
void gmem_damon_fire(struct gmem_migration *migration, const char *action);

#endif /* GMEM_DAMON_H */
