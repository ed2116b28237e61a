// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd is allocated where the memory policy says, ZONE_MOVABLE included.
 *
 * Contract: C7: movable memory uses ZONE_MOVABLE; it is allocated on the node that
 *	     set_mempolicy(2) or mbind(2) names, again after it was punched.
 * Method:   the file is allocated under the task's memory policy, under a memory policy
 *	     of its own against the task's, and by faults of the guest, for one node and
 *	     another in turn, and punched in between.  Node and zone of every page are
 *	     looked up each time.  In one case the node has ZONE_MOVABLE alone, where the
 *	     kernel puts nothing but movable allocations.
 * Guards:   broken if anonymous pages under the same memory policy lie elsewhere, or if
 *	     nothing was looked up.
 * Needs:    memory that is expected to be movable; two nodes; for the one case
 *	     ZONE_MOVABLE or a memory block that is offline; kprobe events for memory
 *	     that the host does not map.
 * Kills:    gfp-not-movable, mempolicy-lost
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64

GMEM_FIXTURE(allocation)

GMEM_CONFIG_VARIANT(allocation, optin)
GMEM_CONFIG_VARIANT(allocation, optin_mmap)
GMEM_CONFIG_VARIANT(allocation, optin_shared)
GMEM_CONFIG_VARIANT(allocation, optin_mmap_shared)
GMEM_CONFIG_VARIANT(allocation, none)
GMEM_CONFIG_VARIANT(allocation, mmap_shared)

static void allocate_by_task_policy(FIXTURE_DATA(allocation) * self, int node, bool movable,
				    struct gmem_tally *tally)
{
	const char *how = "set_mempolicy";

	gmem_numa_bind(node);
	gmem_anon_touch(self->control, 0, NPAGES);
	gmem_region_allocate(self->region, 0, NPAGES);
	gmem_numa_bind(-1);
	tally->control += gmem_zone_check_control(self->control, node, movable, how);
	tally->placed += gmem_zone_check_region(self->region, node, movable, how);
	gmem_anon_discard(self->control, 0, NPAGES);
	gmem_region_discard(self->region);
}

/*
 * mbind(2) takes addresses, so the file needs a mapping here; whether the host can access the
 * pages through it does not matter.  The task's policy names @other, which must lose.
 */
static void allocate_by_file_policy(FIXTURE_DATA(allocation) * self, int node, bool movable,
				    int other, struct gmem_tally *tally)
{
	struct gmem_region *region = self->region;

	gmem_numa_mbind(region->host, gmem_region_size(region), node);
	gmem_numa_bind(other);
	gmem_region_allocate(region, 0, NPAGES);
	gmem_numa_bind(-1);
	tally->placed += gmem_zone_check_region(region, node, movable,
						"mbind, allocated by fallocate");
	gmem_region_discard(region);
}

static void allocate_by_guest_faults(FIXTURE_DATA(allocation) * self, int node, bool movable,
				     struct gmem_tally *tally)
{
	struct gmem_region *region = self->region;

	gmem_numa_mbind(region->host, gmem_region_size(region), node);
	self->guest = gmem_guest_create(region);
	tally->placed += gmem_zone_check_region(region, node, movable,
						"mbind, allocated by the guest");
	tally->verified += gmem_guest_verify(self->guest);
}

static void prepare(FIXTURE_DATA(allocation) * self, const struct gmem_config *config)
{
	gmem_require_movable(config);
	self->region = gmem_region_create(config, NPAGES);
	gmem_skip_if(gmem_pagemap_missing());
	gmem_skip_if(gmem_numa_missing());
}

/*
 * Allocates on @node, which has ZONE_MOVABLE alone if @movable is set, and on @other, which
 * has other zones.
 */
static void check_both(FIXTURE_DATA(allocation) * self, int node, bool movable, int other)
{
	unsigned int required = GMEM_CONTROL | GMEM_PLACED;
	struct gmem_tally tally = {};

	self->control = gmem_anon_create(NPAGES);
	/* The third round allocates from what the first one freed. */
	allocate_by_task_policy(self, node, movable, &tally);
	allocate_by_task_policy(self, other, false, &tally);
	allocate_by_task_policy(self, node, movable, &tally);
	if (self->region->host) {
		required |= GMEM_VERIFIED;
		allocate_by_file_policy(self, other, false, node, &tally);
		allocate_by_file_policy(self, node, movable, other, &tally);
		allocate_by_guest_faults(self, node, movable, &tally);
	}
	gmem_case_pass(&tally, required);
}

TEST_F_TIMEOUT(allocation, goes_to_the_node_of_the_policy, GMEM_CASE_TIMEOUT)
{
	GMEM_CASE_BEGIN();
	prepare(self, &variant->config);
	check_both(self, gmem_numa_node(0), false, gmem_numa_node(1));
}

TEST_F_TIMEOUT(allocation, goes_to_zone_movable, GMEM_CASE_TIMEOUT)
{
	int node;

	GMEM_CASE_BEGIN();
	prepare(self, &variant->config);
	node = gmem_zone_movable_node();
	check_both(self, node, true, gmem_numa_node(1));
}

TEST_HARNESS_MAIN
