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
#include <linux/sizes.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_compaction.h"
#include "gmem_control.h"
#include "gmem_disperse.h"
#include "gmem_fragment.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_hugetlb.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_stage2.h"
#include "gmem_variant.h"

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

FIXTURE(high_order) {
	struct gmem_region *region;
	struct gmem_control *control;
	struct gmem_stage2 *witness;
	struct gmem_guest *guest;
	int node;
	size_t per_huge;	/* pages in a huge page */
	long most;		/* huge pages that can be had */
	__u64 before[NPAGES], after[NPAGES];
};

FIXTURE_VARIANT(high_order) {
	const struct gmem_vm_type *type;
	__u64 flags;
};

#define HIGH_ORDER(_type, _flags) \
FIXTURE_VARIANT_ADD(high_order, _type##_##_flags) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
};
HIGH_ORDER(default, optin_mmap_shared)
HIGH_ORDER(default, optin_mmap)
HIGH_ORDER(default, mmap_shared)
HIGH_ORDER(sw_protected, mmap)

FIXTURE_SETUP(high_order)
{
}

FIXTURE_TEARDOWN(high_order)
{
	gmem_guest_free(self->guest);
	gmem_stage2_free(self->witness);
	gmem_control_free(self->control);
	gmem_region_free(self->region);
}

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
	self->region = gmem_region_create(variant->type, gmem_flags(variant->flags), NPAGES);
	self->node = gmem_numa_node(0);
	gmem_skip_if(gmem_frame_missing());
	gmem_skip_if(gmem_hugetlb_missing(self->node));
	gmem_skip_if(gmem_compaction_missing());
	self->per_huge = gmem_hugetlb_page_size() / getpagesize();
	self->control = gmem_control_create(NPAGES);
	gmem_compaction_keep_holes();
	gmem_hugetlb_keep(self->node);
	take_all(self);
	if (self->most < 2 * HUGE)
		gmem_skip(GMEM_SKIP_no_huge_pages, "node %d has %ld huge pages, wanted %d",
			  self->node, self->most, 2 * HUGE);
}

static void clear_way(FIXTURE_DATA(high_order) * self, struct gmem_region *region)
{
	if (region)
		gmem_region_discard(region);
	else
		gmem_control_discard(self->control, 0, NPAGES);
}

/* Huge pages that are free as they are. */
static size_t in_no_way(FIXTURE_DATA(high_order) * self)
{
	return gmem_fragment_free(self->node, __builtin_ctzl(self->per_huge));
}

/* Puts pages of @region, or ordinary ones, in the way of HUGE huge pages. */
static void lay_out(FIXTURE_DATA(high_order) * self, struct gmem_region *region)
{
	size_t stretch, free;

	for (int try = 0; try < TRIES; try++) {
		gmem_hugetlb_resize(self->node, self->most - HUGE);
		free = gmem_numa_free(self->node);
		stretch = gmem_disperse(self->node, region, self->control, NPAGES, RESERVE);
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
	struct gmem_fragment before, after;

	gmem_fragment_read(self->node, &before);
	for (int try = 0; got < WANTED && try < TRIES; try++) {
		gmem_hugetlb_resize(self->node, rest + WANTED);
		got = gmem_hugetlb_pool(self->node) - rest;
		if (got < WANTED)
			gmem_compaction_run(self->node);
	}
	gmem_fragment_read(self->node, &after);
	gmem_fragment_print(in_the_way, &before, &after);
	return got;
}

/* BROKEN unless the @frames lie in most of the huge pages. */
static void check_spread(FIXTURE_DATA(high_order) * self, const __u64 *frames)
{
	size_t spread = gmem_disperse_blocks(frames, NPAGES, self->per_huge);

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
		gmem_control_moved(self->control);
		check_spread(self, self->control->frames);
		got = take_back(self, "ordinary memory in the way, then taken");
		tally->control = gmem_control_moved(self->control);
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
	__u64 start;
	long got;

	lay_out(self, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_frame_lookup(self->region, self->before);
	check_spread(self, self->before);
	if (!self->region->movable)
		self->witness = gmem_stage2_watch(self->region);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	start = gmem_guest_progress(self->guest);
	got = take_back(self, "guest_memfd in the way, then taken");
	gmem_guest_wait_rounds(self->guest, 1);
	tally->raced = gmem_guest_progress(self->guest) - start;
	gmem_guest_pause(self->guest);

	gmem_frame_lookup(self->region, self->after);
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
	__u64 first, unmaps = gmem_stage2_unmaps(self->witness, &first);
	const char *flags = gmem_flags_name(self->region->flags);

	if (tally->moved)
		gmem_fail(GMEM_C4,
			  "wanted the same frames, got %llu of %d pages with another one (flags %s, %s VM)",
			  tally->moved, NPAGES, flags, self->region->type->name);
	if (unmaps)
		gmem_fail(GMEM_C4,
			  "wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s, %s VM)",
			  unmaps, first, flags, self->region->type->name);
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
		gmem_fail(GMEM_C9,
			  "wanted %d huge pages, as with ordinary memory, got %ld with %llu of %d movable pages moved (flags %s)",
			  WANTED, got, tally.moved, NPAGES,
			  gmem_flags_name(self->region->flags));
	tally.verified = gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       (movable ? GMEM_MOVED : GMEM_STAYED));
}

TEST_HARNESS_MAIN
