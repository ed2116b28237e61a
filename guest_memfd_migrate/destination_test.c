// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd goes to the node that a by-address trigger names.
 *
 * Contract: C7: movable memory is moved to the node that was asked for, and into
 *	     ZONE_MOVABLE where a node has nothing else.
 * Method:   the file is sent to the second node, back to the first, and to a node that
 *	     has ZONE_MOVABLE alone; node and zone of every page are looked up each time.
 * Guards:   broken if anonymous pages that were sent along lie elsewhere, or if nothing
 *	     was looked up; fails if nothing moved.
 * Needs:    memory that is expected to be movable; two nodes; ZONE_MOVABLE or a memory
 *	     block that is offline.
 * Kills:    gfp-not-movable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_numa.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
#define TRIES	10

GMEM_FIXTURE(destination)

GMEM_TRIGGER_VARIANT(destination, optin_mmap_shared, move_pages)
GMEM_TRIGGER_VARIANT(destination, optin_mmap_shared, mbind)
GMEM_TRIGGER_VARIANT(destination, optin_mmap_shared, migrate_pages)
GMEM_TRIGGER_VARIANT(destination, mmap_shared, move_pages)

/* Sends the pages until all arrive: the kernel leaves out a page that has an extra reference. */
static void send_to(struct gmem_migration *migration, int node, bool movable,
		    struct gmem_tally *tally)
{
	const char *how = migration->trigger->name;
	bool arrived = false;

	for (int try = 0; !arrived && try < TRIES; try++) {
		migration->node = node;
		gmem_migration_fire(migration, NULL, tally);
		arrived = gmem_zone_all_there(migration->pfns, migration->region->npages, node,
					      movable);
	}
	tally->control += gmem_zone_check_control(migration->control, node, movable, how);
	tally->placed += gmem_zone_check_region(migration->region, node, movable, how);
}

TEST_F_TIMEOUT(destination, goes_where_the_trigger_says, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	int movable;

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	gmem_skip_if(gmem_numa_missing());
	movable = gmem_zone_movable_node();
	self->migration = gmem_migration_create(variant->trigger, self->region);
	gmem_migration_snapshot(self->migration);
	tally.placed += gmem_zone_check_region(self->region, gmem_numa_node(0), false,
					       "set_mempolicy");

	send_to(self->migration, gmem_numa_node(1), false, &tally);
	send_to(self->migration, gmem_numa_node(0), false, &tally);
	send_to(self->migration, movable, true, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
