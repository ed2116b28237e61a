// SPDX-License-Identifier: GPL-2.0-only
/*
 * A movable folio is unevictable, and keeps its flags when it moves.
 *
 * Contract: C5: unevictable before and after, or reclaim would take it; C1: dirty
 *	     and up to date if it was, or what was written would be dropped as clean
 *	     or zeroed as new, and neither if it was not.
 * Method:   pages that are merely allocated, read and written by the host, or written
 *	     by the guest where the host cannot; their flags are read from
 *	     /proc/kpageflags, after every CPU has drained its lists, before the
 *	     trigger and after it.  Frames are looked up without touching the pages,
 *	     before the flags are read and after.
 * Guards:   fails if no page moved, broken if ordinary pages did not move either.
 *	     /proc/kpageflags proves itself with an ordinary page that is then locked.
 * Needs:    a policy with movable memory; two nodes; compaction; kprobe events.
 * Kills:    movable-not-unevictable, uptodate-dropped, dirty-dropped
 */
#include <linux/kernel-page-flags.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_deadline.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_page.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
#define ROUNDS	2
#define PATIENCE 10

#define WRITTEN	(BIT_ULL(KPF_DIRTY) | BIT_ULL(KPF_UPTODATE))

FIXTURE(page_flags) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
	__u64 frames[NPAGES];
	__u64 flags[NPAGES];
	bool written[NPAGES];
};

FIXTURE_VARIANT(page_flags) {
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define VARIANT(_flags, _trigger) \
FIXTURE_VARIANT_ADD(page_flags, _flags##_##_trigger) { \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
VARIANT(optin_mmap, compact_memory)
VARIANT(optin_mmap_shared, compact_memory)
VARIANT(optin_mmap_shared, move_pages)
VARIANT(mmap, compact_memory)
VARIANT(mmap_shared, move_pages)

FIXTURE_SETUP(page_flags)
{
}

FIXTURE_TEARDOWN(page_flags)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* Where neither host nor guest can, all pages are as fallocate(2) made them. */
static void use_pages(FIXTURE_DATA(page_flags) * self)
{
	if (!self->region->host_maps) {
		if (self->region->guest_reaches)
			self->guest = gmem_guest_create(self->region);
		for (int page = 0; page < NPAGES; page++)
			self->written[page] = self->region->guest_reaches;
		return;
	}
	for (int page = 0; page < NPAGES; page++) {
		char *host = gmem_region_host(self->region, page);

		if (page % 4 == 1)
			(void)READ_ONCE(*host);
		if (page % 4 >= 2)
			WRITE_ONCE(*host, 1);
		self->written[page] = page % 4 >= 2;
	}
}

/* The first page that is on no list, or -1. */
static int off_lru(const __u64 *flags)
{
	for (int page = 0; page < NPAGES; page++)
		if (!(flags[page] & BIT_ULL(KPF_LRU)))
			return page;
	return -1;
}

/* Whoever else compacts takes a folio off its list for a moment, or moves it. */
static void read_flags(FIXTURE_DATA(page_flags) * self, __u64 *frames, __u64 *flags)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	__u64 again[NPAGES];

	do {
		gmem_page_drain();
		gmem_frame_lookup(self->region, frames);
		gmem_page_flags(frames, NPAGES, flags);
		gmem_frame_lookup(self->region, again);
		if (!memcmp(frames, again, sizeof(again)) && off_lru(flags) < 0)
			return;
	} while (gmem_deadline_poll(&deadline));
	if (off_lru(flags) < 0)
		gmem_broken("pages move although nobody asked for it");
	gmem_fail(GMEM_C5, "page %d: wanted it on an LRU list, got flags %#llx", off_lru(flags),
		  flags[off_lru(flags)]);
}

static void check_page(FIXTURE_DATA(page_flags) * self, int page, __u64 flags, const char *when)
{
	if (!(flags & BIT_ULL(KPF_UNEVICTABLE)))
		gmem_fail(GMEM_C5, "%s: page %d: wanted an unevictable folio, got flags %#llx",
			  when, page, flags);
	if (self->written[page] && (flags & WRITTEN) != WRITTEN)
		gmem_fail(GMEM_C1,
			  "%s: page %d was written: wanted it dirty and up to date, got flags %#llx",
			  when, page, flags);
}

static void note_flags(FIXTURE_DATA(page_flags) * self)
{
	read_flags(self, self->frames, self->flags);
	for (int page = 0; page < NPAGES; page++)
		check_page(self, page, self->flags[page], "before any trigger");
	gmem_control_moved(self->scene->control);
}

static void fire_and_compare(FIXTURE_DATA(page_flags) * self, struct gmem_tally *tally)
{
	const struct gmem_trigger *trigger = self->scene->trigger;
	__u64 frames[NPAGES], flags[NPAGES];

	trigger->fire(self->scene);
	tally->control += gmem_control_moved(self->scene->control);
	read_flags(self, frames, flags);
	for (int page = 0; page < NPAGES; page++) {
		tally->moved += frames[page] != self->frames[page];
		check_page(self, page, flags[page], trigger->name);
		if ((flags[page] ^ self->flags[page]) & WRITTEN)
			gmem_fail(GMEM_C1, "%s: page %d: wanted flags %#llx in %#llx, got %#llx",
				  trigger->name, page, self->flags[page] & WRITTEN,
				  (__u64)WRITTEN, flags[page] & WRITTEN);
	}
	tally->placed += NPAGES;
	memcpy(self->frames, frames, sizeof(frames));
}

TEST_F_TIMEOUT(page_flags, are_kept, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);
	use_pages(self);
	note_flags(self);
	for (int round = 0; round < ROUNDS; round++)
		fire_and_compare(self, &tally);
	if (tally.control && !tally.moved)
		gmem_fail(GMEM_C9, "%s: wanted pages to move, got none", variant->trigger->name);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
