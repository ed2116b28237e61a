// SPDX-License-Identifier: GPL-2.0-only
/* The trigger that takes longterm pins, before which the kernel moves pages out of ZONE_MOVABLE. */
#include <sys/uio.h>

#include "mm/gmem_anon.h"
#include "mm/gmem_gup_pin.h"
#include "mm/gmem_numa.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

static void longterm_pin_allocate(struct gmem_migration *migration)
{
	gmem_migration_allocate_on(migration, gmem_zone_movable_node());
}

/* Whether pinning works is not judged, only whether pages moved. */
static void longterm_pin_fire(struct gmem_migration *migration)
{
	const struct iovec region = {
		gmem_region_host(migration->region, 0), gmem_region_size(migration->region)
	};
	const struct iovec control = {
		migration->control->mem, gmem_anon_size(migration->control)
	};
	int ring = __gmem_gup_pin(&region, 1);

	if (ring >= 0)
		gmem_gup_unpin(ring);
	gmem_gup_unpin(gmem_gup_pin(&control, 1));
}

const struct gmem_trigger gmem_trigger_longterm_pin = {
	.name = "longterm_pin",
	.by_address = true,
	.rounds = 1,
	.missing = gmem_numa_missing,
	.allocate = longterm_pin_allocate,
	.fire = longterm_pin_fire,
};
