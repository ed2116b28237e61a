/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DAMON on physical addresses, through its sysfs interface: one scheme that applies
 * one action to all of a range over and over, however hot or cold the memory is.
 * It works until the case ends, when gmem_restore switches it off.
 */
#ifndef GMEM_DAMON_H
#define GMEM_DAMON_H

#include "case/gmem_result.h"

struct gmem_migration;

/* GMEM_SKIP_none if DAMON can be had, and nobody else has it. */
enum gmem_skip_reason gmem_damon_missing(void);

/*
 * Has DAMON apply @action ("pageout", "migrate_cold", ...) to all of physical memory
 * that the scene lies in, twice; the migrating actions send it to the second node.
 * DAMON is started by the first call and goes on until the case ends: firing again is
 * waiting.  BROKEN on error, or if it does not get on.
 */
void gmem_damon_fire(struct gmem_migration *migration, const char *action);

#endif /* GMEM_DAMON_H */
