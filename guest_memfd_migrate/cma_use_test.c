// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel puts movable guest_memfd into CMA areas.
 *
 * Contract: C7: movable memory uses CMA.
 * Method:   on a node where at least half of the free memory is CMA, pages of the file
 *	     and anonymous pages are allocated in turns; then it is looked up which of
 *	     them are in CMA.
 * Guards:   broken if no anonymous page was put into CMA.
 * Needs:    memory that is expected to be movable; a CMA area; two nodes; kprobe events
 *	     for memory that the host does not map.
 * Kills:    gfp-not-movable
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

GMEM_FIXTURE(cma_use)

GMEM_CONFIG_VARIANT(cma_use, optin_mmap)
GMEM_CONFIG_VARIANT(cma_use, mmap)

TEST_F_TIMEOUT(cma_use, comes_with_movable_memory, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	u64 pfns[NPAGES];

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	gmem_skip_if(gmem_pagemap_missing());
	gmem_skip_if(gmem_numa_missing());
	gmem_skip_if(gmem_cma_missing());
	self->control = gmem_anon_create(NPAGES);
	tally.control = gmem_cma_allocate_in_turns(self->region, self->control);
	gmem_pfn_read(self->region, pfns);
	tally.placed = gmem_zone_in_cma(pfns, NPAGES);
	if (!tally.placed)
		gmem_fail(GMEM_PLACEMENT,
			  "wanted pages in CMA, as %lu of %d anonymous ones are, got none (%s)",
			  tally.control, NPAGES, self->region->name);
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
