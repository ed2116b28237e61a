// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CMA area that has movable guest_memfd in it can be allocated as a whole at any time.
 *
 * Contract: C9: allocating the area succeeds, also while compaction must leave unevictable
 *	     memory alone; C1, C2: what the guest writes meanwhile is read back from the
 *	     new pages; C7: movable memory is put into CMA, unmovable memory never is;
 *	     C4: unmovable memory keeps its pfns while the area is allocated.
 * Method:   file and control are allocated in turns while most of the node's free memory
 *	     is CMA.  Then the whole area is allocated through debugfs while a vCPU checks
 *	     and rewrites the file, and freed.  One variant does so with
 *	     compact_unevictable_allowed at 0, which must affect compaction only.
 * Guards:   broken unless pages of the control were put into CMA, too, and left it; and
 *	     unless the area can be allocated with the control alone in it if it cannot be
 *	     with both.
 * Needs:    a CMA area; two nodes; kprobe events for unmovable memory.
 * Kills:    no-invalidate, copy-half-page, gfp-not-movable, eagain-forever,
 *	     compaction-still-checks-inaccessible, unmovable-gets-movable-gfp
 */
#include <stdio.h>
#include <unistd.h>
#include <linux/sizes.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_alloc.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_cma.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "mm/gmem_watermark.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_cma_squeeze.h"
#include "trigger/gmem_fixture.h"

#define UNEVICTABLE "/proc/sys/vm/compact_unevictable_allowed"

/* Bytes of CMA that stay free for file and control; a small area is soon filled. */
#define FREE_CMA SZ_32M
/* Bytes of the file. */
#define FILE_SIZE SZ_4M
/* Pages of the file for each page of the control. */
#define PER_CONTROL 4
/* A page that is in use for a moment leaves the area within this many attempts. */
#define TRIES	20

GMEM_FIXTURE_WITH(cma, GMEM_MEMBERS(
	u64 *before, *after;	/* pfns of the file */
	size_t npages;		/* of the file */
	size_t chunk;		/* pages of the area that can be allocated */
), GMEM_MEMBERS(
	const char *unevictable;	/* value of compact_unevictable_allowed */
))

#define CMA(_name, _type, _flags, _unevictable) \
GMEM_VARIANT(cma, _name, GMEM_CONFIG(_type, _flags), \
	     .unevictable = _unevictable)
CMA(optin_mmap_shared, default, optin_mmap_shared, "1")
CMA(optin_mmap_shared_not_compacted, default, optin_mmap_shared, "0")
CMA(mmap_shared, default, mmap_shared, "1")
CMA(sw_protected_mmap, sw_protected, mmap, "1")

/* Allocates file and control in turns, so that a page of either could have been the other's. */
static void allocate_in_turns(FIXTURE_DATA(cma) * self)
{
	for (size_t page = 0; page < self->npages; page++) {
		if (page % PER_CONTROL == 0)
			gmem_anon_touch(self->control, page / PER_CONTROL, 1);
		gmem_region_allocate(self->region, page, 1);
	}
}

static void set_up(FIXTURE_DATA(cma) * self, const FIXTURE_VARIANT(cma) * variant,
		   bool movable)
{
	size_t page_size = getpagesize();

	self->npages = FILE_SIZE / page_size;
	if (movable)
		gmem_require_movable(&variant->config);
	else
		gmem_require_unmovable(&variant->config);
	self->region = gmem_region_create(&variant->config, self->npages);
	gmem_skip_if(gmem_pagemap_missing());
	gmem_skip_if(gmem_numa_missing());
	gmem_skip_if(gmem_cma_missing());
	gmem_watermark_lower();
	gmem_sysctl_set(UNEVICTABLE, variant->unevictable);
	self->control = gmem_anon_create(self->npages / PER_CONTROL);
	self->before = gmem_zalloc(self->npages, sizeof(*self->before));
	self->after = gmem_zalloc(self->npages, sizeof(*self->after));

	gmem_numa_bind(gmem_cma_squeeze(FREE_CMA / page_size));
	self->chunk = gmem_cma_chunk();
	allocate_in_turns(self);
	gmem_numa_bind(-1);
	gmem_anon_snapshot(self->control);
	if (!gmem_zone_in_cma(self->control->pfns, self->control->npages))
		gmem_broken("no page of the control was put into CMA");
}

/*
 * Allocates the whole area, and fails the case if that is impossible.  The case is BROKEN if it is
 * impossible without the file, too.
 */
static void allocate_area(FIXTURE_DATA(cma) * self, struct gmem_tally *tally)
{
	size_t in_cma = gmem_zone_in_cma(self->control->pfns, self->control->npages);
	int err = -1;

	for (int try = 0; err && try < TRIES; try++)
		err = __gmem_cma_alloc(self->chunk);
	if (err) {
		gmem_guest_pause(self->guest);
		gmem_pfn_read(self->region, self->after);
		gmem_region_discard(self->region);
		if (__gmem_cma_alloc(self->chunk))
			gmem_broken("%zu pages of CMA cannot be allocated without the file either",
				    self->chunk);
		gmem_fail(GMEM_LIVENESS,
			  "wanted all %zu pages of CMA, got errno %d %d times with %zu of %zu pages of the file in there (%s)",
			  self->chunk, -err, TRIES,
			  gmem_zone_in_cma(self->after, self->npages), self->npages,
			  self->region->name);
	}
	gmem_anon_snapshot(self->control);
	if (gmem_zone_in_cma(self->control->pfns, self->control->npages))
		gmem_broken("pages of the control are still in CMA that was allocated");
	tally->control += in_cma;
}

/* Fails the case if a page of the file is still in the area, and counts those that moved. */
static void check_left(FIXTURE_DATA(cma) * self, size_t in_cma, struct gmem_tally *tally)
{
	size_t left = gmem_zone_in_cma(self->after, self->npages);

	if (left)
		gmem_fail(GMEM_STAGE2,
			  "wanted no page in CMA that was allocated, got %zu of %zu (%s)",
			  left, in_cma, self->region->name);
	for (size_t page = 0; page < self->npages; page++)
		tally->moved += self->after[page] != self->before[page];
}

TEST_F_TIMEOUT(cma, is_given_back, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	size_t in_cma;
	u64 start;

	GMEM_CASE_BEGIN();
	set_up(self, variant, true);
	self->guest = gmem_guest_create(self->region);
	gmem_pfn_read(self->region, self->before);
	in_cma = gmem_zone_in_cma(self->before, self->npages);
	if (!in_cma)
		gmem_fail(GMEM_PLACEMENT,
			  "wanted pages in CMA, as those of the control are, got none of %zu (%s)",
			  self->npages, self->region->name);
	tally.placed = in_cma;
	fprintf(stderr, "# CMA: %zu pages, of which the file has %zu and the control %zu\n",
		self->chunk, in_cma,
		gmem_zone_in_cma(self->control->pfns, self->control->npages));

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	start = gmem_guest_progress(self->guest);
	allocate_area(self, &tally);
	gmem_guest_wait_rounds(self->guest, 1);
	tally.raced = gmem_guest_progress(self->guest) - start;
	gmem_guest_pause(self->guest);
	gmem_pfn_read(self->region, self->after);
	check_left(self, in_cma, &tally);
	tally.verified = gmem_guest_verify(self->guest);

	/* All of the freed area is free again if nobody has kept a page of it. */
	gmem_cma_free(self->chunk);
	if (gmem_cma_chunk() != self->chunk)
		gmem_fail(GMEM_LIVENESS, "wanted %zu pages of CMA free again, got %zu",
			  self->chunk, gmem_cma_chunk());
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       GMEM_PLACED);
}

static void check_stayed(FIXTURE_DATA(cma) * self, struct gmem_tally *tally)
{
	gmem_check_not_unmapped(GMEM_UNMOVABLE, "CMA allocation", self->probe);
	gmem_pfn_lookup(self->region, self->after);
	for (size_t page = 0; page < self->npages; page++)
		if (self->after[page] != self->before[page])
			gmem_fail(GMEM_UNMOVABLE,
				  "page %zu: wanted the same frame, got %#lx instead of %#lx (%s)",
				  page, self->after[page], self->before[page], self->region->name);
	tally->stayed = self->npages;
}

TEST_F_TIMEOUT(cma, is_not_lent, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	size_t in_cma;
	u64 start;

	GMEM_CASE_BEGIN();
	set_up(self, variant, false);
	self->guest = gmem_guest_create(self->region);
	gmem_pfn_lookup(self->region, self->before);
	in_cma = gmem_zone_in_cma(self->before, self->npages);
	if (in_cma)
		gmem_fail(GMEM_PLACEMENT, "wanted no page in CMA, got %zu of %zu (%s)",
			  in_cma, self->npages, self->region->name);
	tally.placed = self->npages;

	self->probe = gmem_unmap_probe_start(self->region);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	start = gmem_guest_progress(self->guest);
	allocate_area(self, &tally);
	gmem_guest_wait_rounds(self->guest, 1);
	tally.raced = gmem_guest_progress(self->guest) - start;
	gmem_guest_pause(self->guest);
	check_stayed(self, &tally);
	tally.verified = gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       GMEM_PLACED);
}

TEST_HARNESS_MAIN
