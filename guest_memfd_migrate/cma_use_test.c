// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd is put into CMA areas.
 *
 * Contract: C7: movable memory uses CMA.
 * Method:   on a node where CMA is most of what is free, pages of the file and ordinary
 *	     ones are allocated in turns; the place of every frame is looked at.
 * Guards:   broken if no ordinary page was put into CMA.
 * Needs:    a policy with movable memory; a CMA area; two nodes; kprobe events for what
 *	     the host does not map.
 * Kills:    gfp-not-movable
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_cma.h"
#include "gmem_control.h"
#include "gmem_frame.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_variant.h"

#define NPAGES	64

FIXTURE(cma_use) {
	struct gmem_region *region;
	struct gmem_control *control;
};

FIXTURE_VARIANT(cma_use) {
	__u64 flags;
};

#define VARIANT(_flags) \
FIXTURE_VARIANT_ADD(cma_use, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
VARIANT(optin_mmap)
VARIANT(mmap)

FIXTURE_SETUP(cma_use)
{
}

FIXTURE_TEARDOWN(cma_use)
{
	gmem_control_free(self->control);
	gmem_region_free(self->region);
}

TEST_F_TIMEOUT(cma_use, comes_with_movable_memory, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	__u64 frames[NPAGES];

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	gmem_skip_if(gmem_frame_missing());
	gmem_skip_if(gmem_numa_missing());
	gmem_skip_if(gmem_cma_missing());
	self->control = gmem_control_create(NPAGES);
	tally.control = gmem_cma_allocate_in_turns(self->region, self->control);
	gmem_frame_read(self->region, frames);
	tally.placed = gmem_place_in_cma(frames, NPAGES);
	if (!tally.placed)
		gmem_fail(GMEM_C7,
			  "wanted pages in CMA, as %llu of %d ordinary ones are, got none (flags %s)",
			  tally.control, NPAGES, gmem_flags_name(self->region->flags));
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
