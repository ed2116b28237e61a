// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that is punched out while it moves is gone, and one that is written again stays.
 *
 * Contract: C11: a page that was punched out reads as zeros until somebody writes it,
 *	     whatever moved meanwhile, and neither call hangs; C8: a migration that
 *	     finds the file's lock taken gives up and leaves the page as it was; C1:
 *	     contents.
 * Method:   one thread punches holes of 1 to 8 pages into the first half of the file
 *	     and brings pages back, by a write, a read or fallocate(2); another sends
 *	     all pages to the other node and back.  In one variant the vCPU rewrites the
 *	     second half only; the host alone uses the first half, and compares each
 *	     page with what it wrote before it punches, and with zeros after.  In the
 *	     other variant the vCPU writes all pages, and the host must find nothing that
 *	     the vCPU had written before the punch.  At the end the vCPU writes every
 *	     page once more, and guest and host compare every byte.
 * Guards:   broken unless pages of the second half moved while enough holes were
 *	     punched, pages of the first half moved before they were punched (in the
 *	     variant where only the host writes them), anonymous pages moved, the guest
 *	     wrote meanwhile and bytes were compared; fails if a page does not move once
 *	     nothing is in its way.
 * Needs:    memory that is expected to be movable; two nodes.
 * Kills:    trylock-fail-returns-zero, blocking-invalidate-lock, no-invalidate,
 *	     copy-half-page, uptodate-dropped, sync-mode-skips-invalidate
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_worker.h"
#include "mm/gmem_pagemap.h"
#include "trigger/gmem_fixture.h"
#include "trigger/gmem_mover.h"
#include "vm/gmem_pattern.h"

#define HALF	32
#define NPAGES	(2 * HALF)
#define MAX_HOLE	8	/* pages of the largest hole */
#define HOLES	300		/* how many holes are enough */

GMEM_FIXTURE_WITH(punch_hole_race, GMEM_MEMBERS(
	struct gmem_tally tally;
	unsigned int random;
	u64 key;
	/* The state of the first half, if only the host uses that. */
	u16 generation[HALF];	/* what the host wrote last */
	bool written[HALF];	/* and has not punched out since */
	u64 pfns[HALF];		/* where the page was when the host wrote it */
	u64 moved_before_punch;	/* pages */
), GMEM_MEMBERS(
	bool beside;		/* the guest uses the second half only */
))

GMEM_VARIANT(punch_hole_race, optin_mmap_shared_beside_the_guest,
	     GMEM_CONFIG(default, optin_mmap_shared), .beside = true)
GMEM_VARIANT(punch_hole_race, optin_mmap_shared_under_the_guest,
	     GMEM_CONFIG(default, optin_mmap_shared))
GMEM_VARIANT(punch_hole_race, mmap_shared_beside_the_guest,
	     GMEM_CONFIG(default, mmap_shared), .beside = true)
GMEM_VARIANT(punch_hole_race, mmap_shared_under_the_guest,
	     GMEM_CONFIG(default, mmap_shared))

/* Fails unless the page holds what the host wrote last, or zeros if it was punched since. */
static void check_page(FIXTURE_DATA(punch_hole_race) * self, size_t page, const char *when)
{
	u64 words = self->region->page_size / sizeof(u64);
	struct gmem_mismatch bad;

	if (!gmem_check_page(gmem_region_host(self->region, page), words, GMEM_EVERY_WORD,
			     self->key, page, self->written[page] ? self->generation[page] : 0,
			     &bad))
		gmem_fail(GMEM_LIFECYCLE, "host: page %zu word %lu, %s: want %#lx, got %#lx (%s)",
			  page, bad.word, when, bad.want, bad.got,
			  gmem_mismatch_name(gmem_mismatch_class(self->key, &bad)));
	self->tally.verified += self->region->page_size;
}

static u64 pfn_of(FIXTURE_DATA(punch_hole_race) * self, size_t page)
{
	u64 pfn;

	gmem_pagemap_read(gmem_region_host(self->region, page), 1, self->region->page_size, &pfn);
	return pfn;
}

/* Allocates a punched page by a write or by fallocate(2), or leaves the hole to a later read. */
static void bring_back(FIXTURE_DATA(punch_hole_race) * self, size_t page)
{
	switch (rand_r(&self->random) % 4) {
	case 0:
		break;
	case 1:
		gmem_region_allocate(self->region, page, 1);
		break;
	default:
		self->generation[page] = gmem_next_generation(self->generation[page]);
		gmem_stamp_page(gmem_region_host(self->region, page),
				self->region->page_size / sizeof(u64), GMEM_EVERY_WORD,
				self->key, page, self->generation[page]);
		self->written[page] = true;
		self->pfns[page] = pfn_of(self, page);
	}
}

/* Returns how many pages the hole has, of which *first is the first. */
static size_t choose_hole(FIXTURE_DATA(punch_hole_race) * self, size_t *first)
{
	*first = rand_r(&self->random) % (HALF - MAX_HOLE + 1);
	return 1 + rand_r(&self->random) % MAX_HOLE;
}

/* Punches once where the guest does not write, so that the host knows every word. */
static void punch_beside_guest(void *arg)
{
	FIXTURE_DATA(punch_hole_race) * self = arg;
	size_t first, count = choose_hole(self, &first);

	for (size_t page = first; page < first + count; page++) {
		check_page(self, page, "moved");
		self->moved_before_punch += self->written[page] &&
					    pfn_of(self, page) != self->pfns[page];
	}
	gmem_region_punch(self->region, first, count);
	for (size_t page = first; page < first + count; page++) {
		self->written[page] = false;
		if (rand_r(&self->random) % 2)
			check_page(self, page, "punched out");
		bring_back(self, page);
	}
}

/*
 * Punches once where the guest writes.  Afterwards each word must be zero, or of a later
 * generation than the one that the page held before.
 */
static void punch_under_guest(void *arg)
{
	FIXTURE_DATA(punch_hole_race) * self = arg;
	size_t first, count = choose_hole(self, &first);
	u16 written[MAX_HOLE];
	struct gmem_mismatch bad;

	for (size_t i = 0; i < count; i++)
		written[i] = gmem_guest_generation(self->guest, first + i);
	gmem_region_punch(self->region, first, count);
	for (size_t i = 0; i < count; i++) {
		if (!__gmem_guest_seen_on_host(self->guest, first + i,
					       gmem_next_generation(written[i]), true, &bad))
			gmem_fail(GMEM_LIFECYCLE,
				  "host: page %zu word %lu, punched out: want 0, or %#lx or later, got %#lx (%s)",
				  first + i, bad.word, bad.want, bad.got,
				  gmem_mismatch_name(gmem_mismatch_class(self->key, &bad)));
		self->tally.verified += self->region->page_size / GMEM_EVERY_LINE;
	}
}

static void punch_and_move(FIXTURE_DATA(punch_hole_race) * self, void (*punch)(void *))
{
	u64 before = gmem_guest_progress(self->guest);
	struct gmem_worker *puncher;
	struct gmem_mover *mover;

	puncher = gmem_worker_start("punching holes", punch, self);
	mover = gmem_mover_start(self->region, HALF, HALF);
	gmem_mover_wait(mover);
	gmem_worker_wait(puncher, HOLES);
	/* On two CPUs the vCPU may not have run so far, because the workers use one each. */
	gmem_guest_wait_rounds(self->guest, 1);
	self->tally.moved += gmem_mover_stop(mover);
	gmem_worker_stop(puncher);
	self->tally.raced += gmem_guest_progress(self->guest) - before;
	if (punch == punch_beside_guest && !self->moved_before_punch)
		gmem_broken("wanted pages to move before they were punched out, got none");
}

TEST_F_TIMEOUT(punch_hole_race, is_gone, GMEM_CASE_TIMEOUT)
{
	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->random = gmem_seed();
	self->key = gmem_pattern_key(gmem_seed());
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_stamp_lines(self->guest);
	if (variant->beside)
		gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, HALF, HALF);
	else
		gmem_guest_run(self->guest, GMEM_GUEST_OVERWRITE);
	gmem_guest_wait_rounds(self->guest, 1);

	punch_and_move(self, variant->beside ? punch_beside_guest : punch_under_guest);
	gmem_guest_pause(self->guest);
	gmem_migration_move_all(self->migration, &self->tally);
	for (size_t page = 0; page < HALF && variant->beside; page++)
		check_page(self, page, "at the end");

	gmem_guest_run(self->guest, GMEM_GUEST_OVERWRITE);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_guest_pause(self->guest);
	self->tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&self->tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
