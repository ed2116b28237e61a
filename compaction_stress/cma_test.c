// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CMA area that was lent to guest_memfd can be had back, as a whole, at any time.
 *
 * Contract: C9: allocating the area succeeds, also where compaction is told to leave
 *	     unevictable memory alone; C1, C2: what the guest writes meanwhile is read
 *	     back from the new frames; C7: movable memory is lent CMA, unmovable memory
 *	     never; C4: and that memory stays where it is when the area is taken.
 * Method:   the area is most of what its node has free while file and ordinary memory
 *	     are allocated in turns; then all of it is allocated through debugfs while a
 *	     vCPU checks and rewrites the file, and given back.  The same again with
 *	     compact_unevictable_allowed at 0, which is for compaction alone.
 * Guards:   broken unless ordinary pages were lent CMA, too, and left it; and unless
 *	     the area can be had from ordinary memory alone if it cannot be from both.
 * Needs:    a CMA area; two nodes; kprobe events for unmovable memory.
 * Kills:    no-invalidate, copy-half-page, gfp-not-movable, eagain-forever,
 *	     compaction-still-checks-inaccessible, unmovable-gets-movable-gfp
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_cma.h"
#include "gmem_control.h"
#include "gmem_file.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_reserve.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"
#include "gmem_trigger.h"
#include "gmem_undo.h"
#include "gmem_variant.h"

#define UNEVICTABLE "/proc/sys/vm/compact_unevictable_allowed"

/* Bytes of CMA that are left to be lent, and of the file. */
#define LENT	SZ_32M
#define FILE_SIZE SZ_4M
/* Pages of the file to each ordinary one. */
#define PER_CONTROL 4
/* One refusal of a hot page is no failure. */
#define TRIES	20

FIXTURE(cma) {
	struct gmem_region *region;
	struct gmem_control *control;
	struct gmem_stage2 *witness;
	struct gmem_guest *guest;
	__u64 *before, *after;
	size_t npages;
	size_t chunk;		/* the area, as far as nobody else has it */
};

FIXTURE_VARIANT(cma) {
	const struct gmem_vm_type *type;
	__u64 flags;
	const char *unevictable;	/* value of compact_unevictable_allowed */
};

#define CMA(_name, _type, _flags, _unevictable) \
FIXTURE_VARIANT_ADD(cma, _name) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
	.unevictable = _unevictable, \
};
CMA(optin_mmap_shared, default, optin_mmap_shared, "1")
CMA(optin_mmap_shared_not_compacted, default, optin_mmap_shared, "0")
CMA(mmap_shared, default, mmap_shared, "1")
CMA(sw_protected_mmap, sw_protected, mmap, "1")

FIXTURE_SETUP(cma)
{
}

FIXTURE_TEARDOWN(cma)
{
	gmem_guest_free(self->guest);
	gmem_stage2_free(self->witness);
	gmem_control_free(self->control);
	gmem_region_free(self->region);
	free(self->before);
	free(self->after);
}

/* What ordinary memory and file are given, in turns, the other could have been. */
static void allocate_in_turns(FIXTURE_DATA(cma) * self)
{
	for (size_t page = 0; page < self->npages; page++) {
		if (page % PER_CONTROL == 0)
			gmem_control_touch(self->control, page / PER_CONTROL, 1);
		gmem_region_allocate(self->region, page, 1);
	}
}

static void set_up(FIXTURE_DATA(cma) * self, const FIXTURE_VARIANT(cma) * variant,
		   bool movable)
{
	size_t page_size = getpagesize();

	self->npages = FILE_SIZE / page_size;
	if (movable)
		gmem_policy_want_movable(variant->type, gmem_flags(variant->flags));
	else
		gmem_policy_want_unmovable(variant->type, gmem_flags(variant->flags));
	self->region = gmem_region_create(variant->type, gmem_flags(variant->flags),
					  self->npages);
	gmem_skip_if(gmem_frame_missing());
	gmem_skip_if(gmem_numa_missing());
	gmem_skip_if(gmem_cma_missing());
	gmem_reserve_lower();
	gmem_sysctl_set(UNEVICTABLE, variant->unevictable);
	self->control = gmem_control_create(self->npages / PER_CONTROL);
	self->before = calloc(self->npages, sizeof(*self->before));
	self->after = calloc(self->npages, sizeof(*self->after));
	if (!self->before || !self->after)
		gmem_broken("out of memory");

	/* A small area will do, and is soon filled. */
	gmem_numa_bind(gmem_cma_squeeze(LENT / page_size));
	self->chunk = gmem_cma_chunk();
	allocate_in_turns(self);
	gmem_numa_bind(-1);
	gmem_control_look(self->control);
	if (!gmem_place_in_cma(self->control->frames, self->control->npages))
		gmem_broken("no ordinary page was put into CMA");
}

/* Takes the whole area.  If it cannot be had: is that because of the file? */
static void take_area(FIXTURE_DATA(cma) * self, struct gmem_tally *tally)
{
	size_t lent = gmem_place_in_cma(self->control->frames, self->control->npages);
	int err = -1;

	for (int try = 0; err && try < TRIES; try++)
		err = __gmem_cma_alloc(self->chunk);
	if (err) {
		gmem_guest_pause(self->guest);
		gmem_frame_read(self->region, self->after);
		gmem_region_discard(self->region);
		if (__gmem_cma_alloc(self->chunk))
			gmem_broken("%zu pages of CMA cannot be had from ordinary memory either",
				    self->chunk);
		gmem_fail(GMEM_C9,
			  "wanted all %zu pages of CMA, got errno %d %d times: %zu of %zu pages of the file are in there (flags %s)",
			  self->chunk, -err, TRIES,
			  gmem_place_in_cma(self->after, self->npages), self->npages,
			  gmem_flags_name(self->region->flags));
	}
	gmem_control_look(self->control);
	if (gmem_place_in_cma(self->control->frames, self->control->npages))
		gmem_broken("ordinary pages are still in CMA that was allocated");
	tally->control += lent;
}

static void check_left(FIXTURE_DATA(cma) * self, size_t lent, struct gmem_tally *tally)
{
	size_t left = gmem_place_in_cma(self->after, self->npages);

	if (left)
		gmem_fail(GMEM_C2,
			  "wanted no page in CMA that was allocated, got %zu of %zu (flags %s)",
			  left, lent, gmem_flags_name(self->region->flags));
	for (size_t page = 0; page < self->npages; page++)
		tally->moved += self->after[page] != self->before[page];
}

TEST_F_TIMEOUT(cma, is_given_back, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	size_t lent;
	__u64 start;

	GMEM_CASE_BEGIN();
	set_up(self, variant, true);
	self->guest = gmem_guest_create(self->region);
	gmem_frame_read(self->region, self->before);
	lent = gmem_place_in_cma(self->before, self->npages);
	if (!lent)
		gmem_fail(GMEM_C7,
			  "wanted pages in CMA, as ordinary ones are, got none of %zu (flags %s)",
			  self->npages, gmem_flags_name(self->region->flags));
	tally.placed = lent;
	fprintf(stderr, "# CMA: %zu pages, %zu lent to the file, %zu to ordinary memory\n",
		self->chunk, lent,
		gmem_place_in_cma(self->control->frames, self->control->npages));

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	start = gmem_guest_progress(self->guest);
	take_area(self, &tally);
	gmem_guest_wait_rounds(self->guest, 1);
	tally.raced = gmem_guest_progress(self->guest) - start;
	gmem_guest_pause(self->guest);
	gmem_frame_read(self->region, self->after);
	check_left(self, lent, &tally);
	tally.verified = gmem_guest_verify(self->guest);

	/* And as it was: the area can be had, and nothing in it is used. */
	gmem_cma_free(self->chunk);
	if (gmem_cma_chunk() != self->chunk)
		gmem_fail(GMEM_C9, "wanted %zu pages of CMA back, got %zu", self->chunk,
			  gmem_cma_chunk());
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       GMEM_PLACED);
}

static void check_stayed(FIXTURE_DATA(cma) * self, struct gmem_tally *tally)
{
	__u64 first, unmaps = gmem_stage2_unmaps(self->witness, &first);
	const char *flags = gmem_flags_name(self->region->flags);

	if (unmaps)
		gmem_fail(GMEM_C4,
			  "wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s)",
			  unmaps, first, flags);
	gmem_frame_lookup(self->region, self->after);
	for (size_t page = 0; page < self->npages; page++)
		if (self->after[page] != self->before[page])
			gmem_fail(GMEM_C4,
				  "page %zu: wanted the same frame, got %#llx instead of %#llx (flags %s)",
				  page, self->after[page], self->before[page], flags);
	tally->stayed = self->npages;
}

TEST_F_TIMEOUT(cma, is_not_lent, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	size_t lent;
	__u64 start;

	GMEM_CASE_BEGIN();
	set_up(self, variant, false);
	self->guest = gmem_guest_create(self->region);
	gmem_frame_lookup(self->region, self->before);
	lent = gmem_place_in_cma(self->before, self->npages);
	if (lent)
		gmem_fail(GMEM_C7, "wanted no page in CMA, got %zu of %zu (flags %s, %s VM)",
			  lent, self->npages, gmem_flags_name(self->region->flags),
			  self->region->type->name);
	tally.placed = self->npages;

	self->witness = gmem_stage2_watch(self->region);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	start = gmem_guest_progress(self->guest);
	take_area(self, &tally);
	gmem_guest_wait_rounds(self->guest, 1);
	tally.raced = gmem_guest_progress(self->guest) - start;
	gmem_guest_pause(self->guest);
	check_stayed(self, &tally);
	tally.verified = gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       GMEM_PLACED);
}

TEST_HARNESS_MAIN
