// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that movable guest_memfd fragments can be had in huge pages; what unmovable
 * guest_memfd fragments cannot, and the test says how much that is.
 *
 * Contract: C9: compaction clears a node of movable guest_memfd as of ordinary memory,
 *	     and as many huge pages can be had; C1, C2: what the guest writes meanwhile
 *	     is read back; C4: unmovable memory keeps its frames and stage-2 mappings.
 * Method:   all of a node that can be had in huge pages is, save for 24, which single
 *	     pages take, a few of which stay while the others are freed: each of those
 *	     24 has something in its way.  Then 16 are asked for.  First ordinary memory
 *	     is in the way, then the file, which a vCPU checks and rewrites.  Printed
 *	     are free areas, the fragmentation index, and the huge pages lost.
 * Guards:   broken unless the layout cost huge pages, ordinary memory gave them back,
 *	     and most of what was in the way lay apart.
 * Needs:    a pool of huge pages; compaction; two nodes; kprobe events for unmovable
 *	     memory.
 * Kills:    compaction-still-checks-inaccessible, no-invalidate, copy-half-page,
 *	     gfp-not-movable, opt-in-ignored
 */
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/sizes.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_buddyinfo.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "observe/gmem_pfn.h"
#include "trigger/gmem_compaction.h"
#include "trigger/gmem_fixture.h"

/* Huge pages that something is in the way of, and how many pages each. */
#define HUGE	24
#define PER_HUGE 8
#define NPAGES	(HUGE * PER_HUGE)
/* So many of them are asked for: the last ones take memory that is kept free. */
#define WANTED	16
#define TRIES	4
/* Bytes of the node that are left free: more than the kernel insists on. */
#define RESERVE	SZ_8M
/* Attempts that yield no huge page, after which there is none. */
#define IN_VAIN	2

GMEM_FIXTURE_WITH(high_order,
	GMEM_MEMBERS(
		int node;
		size_t per_huge;	/* pages in a huge page */
		long most;		/* huge pages that can be had */
		u64 before[NPAGES], after[NPAGES];
	),
	)

GMEM_TYPE_VARIANT(high_order, default, optin_mmap_shared)
GMEM_TYPE_VARIANT(high_order, default, optin_mmap)
GMEM_TYPE_VARIANT(high_order, default, mmap_shared)
GMEM_TYPE_VARIANT(high_order, sw_protected, mmap)

/* Takes all huge pages that can be had. */
static void take_all(FIXTURE_DATA(high_order) * self)
{
	long was, now = gmem_hugetlb_pool(self->node);

	for (int vain = 0; vain < IN_VAIN; vain += now == was) {
		was = now;
		/* Compaction gives up for a while after a failure, unless it is asked for. */
		gmem_compaction_run(self->node);
		gmem_hugetlb_resize(self->node, was + 1000000);
		now = gmem_hugetlb_pool(self->node);
	}
	self->most = now;
}

static void set_up(FIXTURE_DATA(high_order) * self, const FIXTURE_VARIANT(high_order) * variant)
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
	if (self->most < 2 * HUGE)
		gmem_skip(GMEM_SKIP_no_huge_pages, "node %d has %ld huge pages, wanted %d",
			  self->node, self->most, 2 * HUGE);
}

/* With ordinary memory if there is no file. */
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
 * Allocates the first @npages of @region or, if that is NULL, of @control.  Filler of the same
 * kind, between which they are allocated one by one, takes all that @node has free, huge pages
 * and small pieces, in whatever order, but for @reserve bytes; and is freed.  Returns how many
 * pages of filler there are to each one.
 */
static size_t disperse(int node, struct gmem_region *region, struct gmem_anon *control,
		     size_t npages, size_t reserve)
{
	size_t page_size = getpagesize(), free = gmem_numa_free(node), stretch;
	struct gmem_anon *filler;
	int fd = -1;

	if (free < reserve + npages * page_size)
		gmem_broken("%zu bytes are free on node %d, too few to fill", free, node);
	stretch = (free - reserve) / page_size / npages;
	filler = gmem_anon_create(npages * stretch);
	if (region)
		fd = vm_create_guest_memfd(region->vm, npages * stretch * page_size,
					   gmem_config_flags(&region->config));
	/* Not all that is free can be had: the kernel keeps some of it for itself. */
	gmem_numa_prefer(node);
	for (size_t page = 0; page < npages; page++) {
		if (region)
			gmem_region_allocate(region, page, 1);
		else
			gmem_anon_touch(control, page, 1);
		fill(filler, fd, page * stretch, stretch - 1);
	}
	gmem_numa_bind(-1);
	gmem_anon_free(filler);
	if (region)
		close(fd);
	return stretch;
}

/* Counts the blocks of @size pages in which the @count @pfns lie. */
static size_t count_blocks(const u64 *pfns, size_t count, size_t size)
{
	size_t blocks = 0;

	for (size_t page = 0; page < count; page++) {
		size_t same = 0;

		while (pfns[same] / size != pfns[page] / size)
			same++;
		blocks += same == page;
	}
	return blocks;
}

static void clear_way(FIXTURE_DATA(high_order) * self, struct gmem_region *region)
{
	if (region)
		gmem_region_discard(region);
	else
		gmem_anon_discard(self->control, 0, NPAGES);
}

/* Huge pages that are free as they are. */
static size_t in_no_way(FIXTURE_DATA(high_order) * self)
{
	return gmem_buddyinfo_free(self->node, __builtin_ctzl(self->per_huge));
}

/* Puts pages of @region, or ordinary ones, in the way of HUGE huge pages. */
static void lay_out(FIXTURE_DATA(high_order) * self, struct gmem_region *region)
{
	size_t stretch, free;

	for (int try = 0; try < TRIES; try++) {
		gmem_hugetlb_resize(self->node, self->most - HUGE);
		free = gmem_numa_free(self->node);
		stretch = disperse(self->node, region, self->control, NPAGES, RESERVE);
		if (stretch > self->per_huge)
			gmem_broken("%zu pages are free in small pieces, too many to fill",
				    stretch * NPAGES);
		if (in_no_way(self) < HUGE - WANTED)
			return;
		fprintf(stderr,
			"# LAYOUT %d: of %zu bytes one in %zu pages, %zu huge pages are free\n",
			try, free, stretch, in_no_way(self));
		clear_way(self, region);
		take_all(self);
	}
	gmem_broken("%d layouts left %d huge pages or more free", TRIES, HUGE - WANTED);
}

/* Asks for WANTED huge pages, and prints what that does to what is free.  Returns how
 * many there were.
 */
static long take_back(FIXTURE_DATA(high_order) * self, const char *in_the_way)
{
	long rest = self->most - HUGE, got = 0;
	struct gmem_buddyinfo before, after;

	gmem_buddyinfo_read(self->node, &before);
	for (int try = 0; got < WANTED && try < TRIES; try++) {
		gmem_hugetlb_resize(self->node, rest + WANTED);
		got = gmem_hugetlb_pool(self->node) - rest;
		if (got < WANTED)
			gmem_compaction_run(self->node);
	}
	gmem_buddyinfo_read(self->node, &after);
	gmem_buddyinfo_print(in_the_way, &before, &after);
	return got;
}

/* BROKEN unless the @pfns lie in most of the huge pages. */
static void check_spread(FIXTURE_DATA(high_order) * self, const u64 *pfns)
{
	size_t spread = count_blocks(pfns, NPAGES, self->per_huge);

	if (spread < HUGE / 2)
		gmem_broken("%d pages lie in %zu huge pages, wanted %d", NPAGES, spread, HUGE);
}

/* What the layout costs if ordinary memory is in the way: nothing.  Had without moving
 * any of it, huge pages came from elsewhere, and next time there are fewer of those.
 */
static void with_ordinary_memory(FIXTURE_DATA(high_order) * self, struct gmem_tally *tally)
{
	long got;

	for (int try = 0; !tally->control && try < TRIES; try++) {
		lay_out(self, NULL);
		gmem_anon_moved(self->control);
		check_spread(self, self->control->pfns);
		got = take_back(self, "ordinary memory in the way, then taken");
		tally->control = gmem_anon_moved(self->control);
		if (got < WANTED)
			gmem_broken("ordinary memory in the way: wanted %d huge pages, got %ld",
				    WANTED, got);
		clear_way(self, NULL);
		take_all(self);
	}
}

/* The same with the file in the way, which the guest works on.  Returns how many huge
 * pages there were.
 */
static long with_guest_memfd(FIXTURE_DATA(high_order) * self, struct gmem_tally *tally)
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
	got = take_back(self, "guest_memfd in the way, then taken");
	gmem_guest_wait_rounds(self->guest, 1);
	tally->raced = gmem_guest_progress(self->guest) - start;
	gmem_guest_pause(self->guest);

	gmem_pfn_lookup(self->region, self->after);
	for (size_t page = 0; page < NPAGES; page++)
		tally->moved += self->before[page] != self->after[page];
	tally->stayed = NPAGES - tally->moved;
	fprintf(stderr,
		"# HUGE PAGES of %d: %d with ordinary memory in the way, %ld with %s guest_memfd, which costs %ld\n",
		WANTED, WANTED, got, self->region->movable ? "movable" : "unmovable",
		WANTED - got);
	return got;
}

static void check_unmovable(FIXTURE_DATA(high_order) * self, long got,
			    const struct gmem_tally *tally)
{
	if (tally->moved)
		gmem_fail(GMEM_UNMOVABLE,
			  "wanted the same frames, got %lu of %d pages with another one (%s)",
			  tally->moved, NPAGES, self->region->name);
	gmem_check_not_unmapped(GMEM_UNMOVABLE, "making huge pages", self->probe);
	if (got >= WANTED)
		gmem_broken("unmovable guest_memfd was not in the way of huge pages");
}

TEST_F_TIMEOUT(high_order, can_be_had, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	bool movable;
	long got;

	GMEM_CASE_BEGIN();
	set_up(self, variant);
	movable = self->region->movable;
	with_ordinary_memory(self, &tally);
	got = with_guest_memfd(self, &tally);
	if (!movable)
		check_unmovable(self, got, &tally);
	else if (!tally.moved || got < WANTED)
		gmem_fail(GMEM_LIVENESS,
			  "wanted %d huge pages, as with ordinary memory, got %ld with %lu of %d movable pages moved (%s)",
			  WANTED, got, tally.moved, NPAGES,
			  self->region->name);
	tally.verified = gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       (movable ? GMEM_MOVED : GMEM_STAYED));
}

TEST_HARNESS_MAIN
