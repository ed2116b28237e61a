// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages can be allocated from memory that movable guest_memfd fragments, but not if it is
 * unmovable; the test says how many huge pages that costs.
 *
 * Contract: C9: compaction moves movable guest_memfd as it moves anonymous memory, so that as
 *	     many huge pages can be allocated; C1, C2: what the guest writes meanwhile is
 *	     read back; C4: unmovable memory keeps its pfns and stage-2 mappings.
 * Method:   the pool takes all huge pages of a node but 24.  Single pages fill the memory
 *	     of these, and all but a few in each are freed, so that every one of the 24 is
 *	     obstructed.  Then the pool asks for 16 of them.  The obstacles are pages of
 *	     the control first, and then the file, which a vCPU checks and rewrites.  The
 *	     test prints free areas, the fragmentation index, and the huge pages lost.
 * Guards:   broken unless the layout obstructed huge pages, the pool got them back from
 *	     the control, and the obstacles lay in most of the 24.
 * Needs:    a pool of huge pages; compaction; two nodes; kprobe events for unmovable
 *	     memory.
 * Kills:    compaction-still-checks-inaccessible, no-invalidate, copy-half-page,
 *	     gfp-not-movable, opt-in-ignored
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/sizes.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_result.h"
#include "mm/gmem_buddyinfo.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_pfn.h"
#include "trigger/gmem_compaction.h"
#include "trigger/gmem_fixture.h"

/* Huge pages that are obstructed, and the average number of pages in each that do so. */
#define OBSTRUCTED 24
#define OBSTACLES 8
#define NPAGES	(OBSTRUCTED * OBSTACLES)
/* The pool asks for fewer, because the last ones would take memory that the kernel keeps free. */
#define WANTED	16
/* Attempts at a layout, and at what can fail while a page is in use for a moment. */
#define TRIES	4
/* Bytes of the node that stay free, which is more than its watermarks demand. */
#define LEFT_FREE SZ_8M
/* The pool has all huge pages that there are when this many attempts in a row add none. */
#define MAX_VAIN	2

GMEM_FIXTURE_WITH(high_order, GMEM_MEMBERS(
	int node;
	size_t per_huge;	/* pages in a huge page */
	long available;		/* huge pages that the pool can get */
	u64 before[NPAGES], after[NPAGES];	/* pfns of the file */
), GMEM_MEMBERS())

GMEM_TYPE_VARIANT(high_order, default, optin_mmap_shared)
GMEM_TYPE_VARIANT(high_order, default, optin_mmap)
GMEM_TYPE_VARIANT(high_order, default, mmap_shared)
GMEM_TYPE_VARIANT(high_order, sw_protected, mmap)

/* Has the pool take all huge pages that the node can give. */
static void take_all(FIXTURE_DATA(high_order) * self)
{
	long before, now = gmem_hugetlb_pool(self->node);

	for (int vain = 0; vain < MAX_VAIN; vain += now == before) {
		before = now;
		/* After a failure compaction is deferred, unless somebody triggers it. */
		gmem_compaction_run(self->node);
		gmem_hugetlb_resize(self->node, before + 1000000);
		now = gmem_hugetlb_pool(self->node);
	}
	self->available = now;
}

static void set_up(FIXTURE_DATA(high_order) * self,
		   const FIXTURE_VARIANT(high_order) * variant)
{
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->node = gmem_numa_node(0);
	gmem_skip_if(gmem_pagemap_missing());
	gmem_skip_if(gmem_hugetlb_missing(self->node));
	gmem_skip_if(gmem_compaction_missing());
	self->per_huge = gmem_hugetlb_page_size() / getpagesize();
	self->control = gmem_anon_create(NPAGES);
	gmem_compaction_keep_holes();
	gmem_hugetlb_keep(self->node);
	take_all(self);
	if (self->available < 2 * OBSTRUCTED)
		gmem_skip(GMEM_SKIP_no_huge_pages, "node %d has %ld huge pages, wanted %d",
			  self->node, self->available, 2 * OBSTRUCTED);
}

/* Allocates pages [@first, @first + @count) of the file @fd, or of @filler if that is -1. */
static void fill(struct gmem_anon *filler, int fd, size_t first, size_t count)
{
	size_t page_size = getpagesize();

	if (fd < 0)
		gmem_anon_touch(filler, first, count);
	else if (count && fallocate(fd, FALLOC_FL_KEEP_SIZE, first * page_size,
				    count * page_size))
		gmem_broken("fallocate of %zu pages of filler: %m", count);
}

/*
 * Spreads NPAGES pages of @region or, if that is NULL, of the control over all memory that is
 * free, but for LEFT_FREE bytes.  After each page it allocates filler, which is memory of the same
 * kind, and which it frees in the end.  The kernel may give out huge pages and small pieces in
 * any order.  Returns how many pages it allocates for each of the NPAGES, filler included.
 */
static size_t spread_out(FIXTURE_DATA(high_order) * self, struct gmem_region *region)
{
	size_t page_size = getpagesize(), free = gmem_numa_free(self->node), stretch;
	struct gmem_anon *filler;
	int fd = -1;

	if (free < LEFT_FREE + NPAGES * page_size)
		gmem_broken("%zu bytes are free on node %d, too few to fill", free, self->node);
	stretch = (free - LEFT_FREE) / page_size / NPAGES;
	filler = gmem_anon_create(NPAGES * stretch);
	if (region)
		fd = vm_create_guest_memfd(region->vm, NPAGES * stretch * page_size,
					   gmem_config_flags(&region->config));
	/* The node may not give all that is free, so the policy must not bind to it. */
	gmem_numa_prefer(self->node);
	for (size_t page = 0; page < NPAGES; page++) {
		if (region)
			gmem_region_allocate(region, page, 1);
		else
			gmem_anon_touch(self->control, page, 1);
		fill(filler, fd, page * stretch, stretch - 1);
	}
	gmem_numa_bind(-1);
	gmem_anon_free(filler);
	if (region)
		close(fd);
	return stretch;
}

/* Returns in how many huge pages the NPAGES @pfns lie. */
static size_t count_huge(FIXTURE_DATA(high_order) * self, const u64 *pfns)
{
	size_t huge = 0;

	for (size_t page = 0; page < NPAGES; page++) {
		size_t first = 0;	/* page in the same huge page */

		while (pfns[first] / self->per_huge != pfns[page] / self->per_huge)
			first++;
		huge += first == page;
	}
	return huge;
}

/* Frees the pages of @region or, if that is NULL, of the control. */
static void free_obstacles(FIXTURE_DATA(high_order) * self, struct gmem_region *region)
{
	if (region)
		gmem_region_discard(region);
	else
		gmem_anon_discard(self->control, 0, NPAGES);
}

/* Returns how many huge pages are free as a whole. */
static size_t free_huge(FIXTURE_DATA(high_order) * self)
{
	return gmem_buddyinfo_free(self->node, __builtin_ctzl(self->per_huge));
}

/* Obstructs OBSTRUCTED huge pages with pages of @region or, if that is NULL, of the control. */
static void lay_out(FIXTURE_DATA(high_order) * self, struct gmem_region *region)
{
	size_t stretch, free;

	for (int try = 0; try < TRIES; try++) {
		gmem_hugetlb_resize(self->node, self->available - OBSTRUCTED);
		free = gmem_numa_free(self->node);
		stretch = spread_out(self, region);
		if (stretch > self->per_huge)
			gmem_broken("%zu pages are free in small pieces, too many to fill",
				    stretch * NPAGES);
		if (free_huge(self) < OBSTRUCTED - WANTED)
			return;
		fprintf(stderr,
			"# LAYOUT %d: one page in %zu of %zu free bytes left %zu huge pages free\n",
			try, stretch, free, free_huge(self));
		free_obstacles(self, region);
		take_all(self);
	}
	gmem_broken("each of %d layouts left %d huge pages or more free", TRIES,
		    OBSTRUCTED - WANTED);
}

/*
 * Asks for WANTED huge pages, and prints how the node's free areas change; @what says what is
 * printed.  Returns how many huge pages the pool got.
 */
static long take_back(FIXTURE_DATA(high_order) * self, const char *what)
{
	long rest = self->available - OBSTRUCTED, got = 0;
	struct gmem_buddyinfo before, after;

	gmem_buddyinfo_read(self->node, &before);
	for (int try = 0; got < WANTED && try < TRIES; try++) {
		gmem_hugetlb_resize(self->node, rest + WANTED);
		got = gmem_hugetlb_pool(self->node) - rest;
		if (got < WANTED)
			gmem_compaction_run(self->node);
	}
	gmem_buddyinfo_read(self->node, &after);
	gmem_buddyinfo_print(what, &before, &after);
	return got;
}

/* The case is BROKEN unless the NPAGES @pfns obstruct most of the huge pages. */
static void check_spread(FIXTURE_DATA(high_order) * self, const u64 *pfns)
{
	size_t huge = count_huge(self, pfns);

	if (huge < OBSTRUCTED / 2)
		gmem_broken("%d pages lie in %zu huge pages, wanted %d", NPAGES, huge,
			    OBSTRUCTED);
}

/*
 * Shows that the layout costs no huge pages if the control obstructs them.  If the pool got them
 * without a move of the control, they came from elsewhere, and there are fewer of those the next
 * time.
 */
static void take_from_control(FIXTURE_DATA(high_order) * self, struct gmem_tally *tally)
{
	long got;

	for (int try = 0; !tally->control && try < TRIES; try++) {
		lay_out(self, NULL);
		gmem_anon_moved(self->control);
		check_spread(self, self->control->pfns);
		got = take_back(self, "obstructed by the control, then taken");
		tally->control = gmem_anon_moved(self->control);
		if (got < WANTED)
			gmem_broken("obstructed by the control: wanted %d huge pages, got %ld",
				    WANTED, got);
		free_obstacles(self, NULL);
		take_all(self);
	}
}

/*
 * Obstructs huge pages with the file, which the guest writes while the pool asks for them.
 * Returns how many huge pages the pool got.
 */
static long take_from_guest_memfd(FIXTURE_DATA(high_order) * self, struct gmem_tally *tally)
{
	u64 start;
	long got;

	lay_out(self, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_pfn_lookup(self->region, self->before);
	check_spread(self, self->before);
	if (!self->region->movable)
		self->probe = gmem_unmap_probe_start(self->region);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	start = gmem_guest_progress(self->guest);
	got = take_back(self, "obstructed by guest_memfd, then taken");
	gmem_guest_wait_rounds(self->guest, 1);
	tally->raced = gmem_guest_progress(self->guest) - start;
	gmem_guest_pause(self->guest);

	gmem_pfn_lookup(self->region, self->after);
	for (size_t page = 0; page < NPAGES; page++)
		tally->moved += self->before[page] != self->after[page];
	tally->stayed = NPAGES - tally->moved;
	fprintf(stderr,
		"# HUGE PAGES of %d: got %d with the control in the way, %ld with %s guest_memfd, which costs %ld\n",
		WANTED, WANTED, got, self->region->movable ? "movable" : "unmovable",
		WANTED - got);
	return got;
}

static void check_unmovable(FIXTURE_DATA(high_order) * self, long got,
			    const struct gmem_tally *tally)
{
	if (tally->moved)
		gmem_fail(GMEM_UNMOVABLE,
			  "wanted the same frame for every page, got another one for %lu of %d (%s)",
			  tally->moved, NPAGES, self->region->name);
	gmem_check_not_unmapped(GMEM_UNMOVABLE, "making huge pages", self->probe);
	if (got >= WANTED)
		gmem_broken("unmovable guest_memfd did not obstruct huge pages");
}

TEST_F_TIMEOUT(high_order, can_be_had, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	bool movable;
	long got;

	GMEM_CASE_BEGIN();
	set_up(self, variant);
	movable = self->region->movable;
	take_from_control(self, &tally);
	got = take_from_guest_memfd(self, &tally);
	if (!movable)
		check_unmovable(self, got, &tally);
	else if (!tally.moved || got < WANTED)
		gmem_fail(GMEM_LIVENESS,
			  "wanted %d huge pages, as with the control, got %ld with %lu of %d movable pages moved (%s)",
			  WANTED, got, tally.moved, NPAGES, self->region->name);
	tally.verified = gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       (movable ? GMEM_MOVED : GMEM_STAYED));
}

TEST_HARNESS_MAIN
