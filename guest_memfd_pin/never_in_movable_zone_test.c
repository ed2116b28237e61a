// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unmovable guest_memfd is never in ZONE_MOVABLE or CMA.
 *
 * Contract: C7: unmovable memory is never there, whatever the caller asks for; C4: a
 *	     trigger does not move it there.
 * Method:   the file is allocated under a task policy that allows only a node that has
 *	     ZONE_MOVABLE and no other zone.  It is allocated again on a node with other
 *	     zones: by-address triggers ask for its pages to move from there to the first
 *	     node, the other triggers compact.  Finally it is allocated on a node where
 *	     most of the free memory is CMA.  The zone of every pfn is checked after
 *	     every step.
 * Guards:   broken if pages of the control that have the same policy, are sent to the
 *	     same node or are allocated in turns with the file are not in ZONE_MOVABLE or
 *	     CMA, or if the trigger did not move the control.
 * Needs:    an expectation with unmovable memory; two nodes; ZONE_MOVABLE or a memory
 *	     block that is offline; a CMA area; kprobe events for memory that the host
 *	     does not map; compaction.
 * Kills:    unmovable-gets-movable-gfp, opt-in-ignored, migrate-core-ignores-unmovable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_cma.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_cma_squeeze.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
#define ROUNDS	2

GMEM_FIXTURE(never_in_movable_zone)

GMEM_TYPE_VARIANT(never_in_movable_zone, default, mmap)
GMEM_TYPE_VARIANT(never_in_movable_zone, default, shared)
GMEM_TYPE_VARIANT(never_in_movable_zone, default, optin)
GMEM_TYPE_VARIANT(never_in_movable_zone, sw_protected, none)

GMEM_TYPE_TRIGGER_VARIANT(never_in_movable_zone, default, none, compact_memory)
GMEM_TYPE_TRIGGER_VARIANT(never_in_movable_zone, default, mmap_shared, move_pages)
GMEM_TYPE_TRIGGER_VARIANT(never_in_movable_zone, default, mmap_shared, mbind)
GMEM_TYPE_TRIGGER_VARIANT(never_in_movable_zone, default, mmap_shared, migrate_pages)
GMEM_TYPE_TRIGGER_VARIANT(never_in_movable_zone, default, optin_mmap_shared, move_pages)
GMEM_TYPE_TRIGGER_VARIANT(never_in_movable_zone, sw_protected, mmap, compact_memory)

static void check_region(struct gmem_region *region, const char *when, struct gmem_tally *tally)
{
	struct gmem_zone zone;
	u64 pfns[NPAGES];

	gmem_pfn_read(region, pfns);
	for (size_t page = 0; page < region->npages; page++) {
		gmem_zone_of(pfns[page], &zone);
		if (zone.movable || zone.cma)
			gmem_fail(GMEM_PLACEMENT,
				  "%s: page %zu: wanted neither ZONE_MOVABLE nor CMA, got node %d, zone %s%s (pfn %#lx, %s, expect %s)",
				  when, page, zone.node, zone.name, zone.cma ? ", CMA" : "",
				  pfns[page], region->name, gmem_expect_name());
	}
	tally->placed += region->npages;
}

/* Pages of the control show that ZONE_MOVABLE has room, and that gmem_zone_of() knows it. */
static void check_control(struct gmem_anon *control, const char *when)
{
	struct gmem_zone zone;

	gmem_anon_snapshot(control);
	for (size_t page = 0; page < control->npages; page++) {
		gmem_zone_of(control->pfns[page], &zone);
		if (!zone.movable)
			gmem_broken("%s: control page %zu: wanted Movable, got node %d, zone %s",
				    when, page, zone.node, zone.name);
	}
}

/* Allocates region and control under a policy that allows only the node @movable. */
static void allocate(FIXTURE_DATA(never_in_movable_zone) * self, int movable,
		     struct gmem_tally *tally)
{
	const char *when = "allocated under a policy of ZONE_MOVABLE alone";

	gmem_numa_bind(movable);
	gmem_anon_touch(self->control, 0, NPAGES);
	gmem_region_allocate(self->region, 0, NPAGES);
	gmem_numa_bind(-1);
	check_control(self->control, when);
	check_region(self->region, when, tally);
	tally->control += NPAGES;
	gmem_anon_discard(self->control, 0, NPAGES);
	gmem_region_discard(self->region);
}

/* Fires the trigger, which asks for the node @movable if it can. */
static void migrate(struct gmem_migration *migration, int movable, struct gmem_tally *tally)
{
	const struct gmem_trigger *trigger = migration->trigger;

	gmem_migration_snapshot(migration);
	for (int round = 0; round < ROUNDS; round++) {
		if (trigger->by_address)
			migration->node = movable;
		gmem_migration_fire(migration, NULL, tally);
		if (trigger->by_address)
			check_control(migration->control, trigger->name);
		check_region(migration->region, trigger->name, tally);
	}
	/* allocate() has counted NPAGES already. */
	if (tally->control == NPAGES)
		gmem_broken("%s moved no anonymous memory either", trigger->name);
	gmem_check_stayed(GMEM_UNMOVABLE, trigger->name, migration, tally);
}

TEST_F_TIMEOUT(never_in_movable_zone, whatever_is_asked_for, GMEM_CASE_TIMEOUT)
{
	unsigned int required = GMEM_CONTROL | GMEM_PLACED;
	struct gmem_tally tally = {};
	int movable;

	GMEM_CASE_BEGIN();
	gmem_require_unmovable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	gmem_skip_if(gmem_pagemap_missing());
	gmem_skip_if(gmem_numa_missing());
	movable = gmem_zone_movable_node();
	self->control = gmem_anon_create(NPAGES);
	allocate(self, movable, &tally);
	if (variant->trigger) {
		required |= GMEM_STAYED;
		self->migration = gmem_migration_create(variant->trigger, self->region);
		check_region(self->region, "allocated on a node with other zones", &tally);
		migrate(self->migration, movable, &tally);
	}
	gmem_case_pass(&tally, required);
}

GMEM_FIXTURE(cma)

GMEM_TYPE_VARIANT(cma, default, mmap_shared)
GMEM_TYPE_VARIANT(cma, default, optin_mmap_shared)
GMEM_TYPE_VARIANT(cma, sw_protected, none)

TEST_F_TIMEOUT(cma, is_not_used, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_unmovable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	gmem_skip_if(gmem_pagemap_missing());
	gmem_skip_if(gmem_numa_missing());
	gmem_skip_if(gmem_cma_missing());
	self->control = gmem_anon_create(NPAGES);
	tally.control = gmem_cma_allocate_in_turns(self->region, self->control);
	check_region(self->region, "allocated where most free memory is CMA", &tally);
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
