// SPDX-License-Identifier: GPL-2.0-only
/*
 * A movable folio is unevictable, and keeps its flags when it moves.
 *
 * Contract: C5: unevictable before and after, or reclaim would take it; C1: dirty
 *	     and up to date if it was, or what was written would be dropped as clean
 *	     or zeroed as new, and neither if it was not.
 * Method:   some pages are only allocated, some are read and some written by the host;
 *	     where the host cannot, the guest writes all of them.  Before and after the
 *	     trigger, and after every CPU has drained its lists, their flags are read
 *	     from /proc/kpageflags.  The pfns are looked up without touching the pages,
 *	     before the flags are read and after.
 * Guards:   fails if no page moved, broken if anonymous pages did not move either.
 *	     /proc/kpageflags proves itself with an anonymous page that is then locked.
 * Needs:    memory that is expected to be movable; two nodes; compaction; kprobe events.
 * Kills:    movable-not-unevictable, uptodate-dropped, dirty-dropped
 */
#include <linux/kernel-page-flags.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_deadline.h"
#include "mm/gmem_kpageflags.h"
#include "observe/gmem_pfn.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
#define ROUNDS	2
#define WRITTEN	(BIT(KPF_DIRTY) | BIT(KPF_UPTODATE))

GMEM_FIXTURE_WITH(page_flags, GMEM_MEMBERS(
	u64 pfns[NPAGES];	/* as of the last look, like the flags */
	u64 flags[NPAGES];
	bool written[NPAGES];
), GMEM_MEMBERS())

GMEM_TRIGGER_VARIANT(page_flags, optin_mmap, compact_memory)
GMEM_TRIGGER_VARIANT(page_flags, optin_mmap_shared, compact_memory)
GMEM_TRIGGER_VARIANT(page_flags, optin_mmap_shared, move_pages)
GMEM_TRIGGER_VARIANT(page_flags, mmap, compact_memory)
GMEM_TRIGGER_VARIANT(page_flags, mmap_shared, move_pages)

/*
 * Puts the pages into different states.  Where neither host nor guest can access them, all
 * stay as fallocate(2) made them.
 */
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

/* Returns the first page that is on no LRU list, or -1. */
static int off_lru(const u64 *flags)
{
	for (int page = 0; page < NPAGES; page++)
		if (!(flags[page] & BIT(KPF_LRU)))
			return page;
	return -1;
}

/*
 * Reads pfns and flags that belong together.  This may take several tries, because kcompactd
 * takes a folio off its LRU list for a moment, or moves it.
 */
static void read_flags(FIXTURE_DATA(page_flags) * self, u64 *pfns, u64 *flags)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_TIMEOUT_S);
	u64 again[NPAGES];

	do {
		gmem_kpageflags_drain();
		gmem_pfn_lookup(self->region, pfns);
		gmem_kpageflags_read(pfns, NPAGES, flags);
		gmem_pfn_lookup(self->region, again);
		if (!memcmp(pfns, again, sizeof(again)) && off_lru(flags) < 0)
			return;
	} while (gmem_deadline_poll(&deadline));
	if (off_lru(flags) < 0)
		gmem_broken("reading the flags: wanted pages to stay meanwhile, got other pfns");
	gmem_fail(GMEM_MECHANISM_ONLY, "page %d: wanted it on an LRU list, got flags %#lx",
		  off_lru(flags), flags[off_lru(flags)]);
}

static void check_page(FIXTURE_DATA(page_flags) * self, int page, u64 flags, const char *when)
{
	if (!(flags & BIT(KPF_UNEVICTABLE)))
		gmem_fail(GMEM_MECHANISM_ONLY,
			  "%s: page %d: wanted an unevictable folio, got flags %#lx", when, page,
			  flags);
	if (self->written[page] && (flags & WRITTEN) != WRITTEN)
		gmem_fail(GMEM_CONTENTS,
			  "%s: page %d was written: wanted it dirty and up to date, got flags %#lx",
			  when, page, flags);
}

static void note_flags(FIXTURE_DATA(page_flags) * self)
{
	read_flags(self, self->pfns, self->flags);
	for (int page = 0; page < NPAGES; page++)
		check_page(self, page, self->flags[page], "before any trigger");
	gmem_anon_moved(self->migration->control);
}

static void fire_and_compare(FIXTURE_DATA(page_flags) * self, struct gmem_tally *tally)
{
	const struct gmem_trigger *trigger = self->migration->trigger;
	u64 pfns[NPAGES], flags[NPAGES];

	trigger->fire(self->migration);
	tally->control += gmem_anon_moved(self->migration->control);
	read_flags(self, pfns, flags);
	for (int page = 0; page < NPAGES; page++) {
		tally->moved += pfns[page] != self->pfns[page];
		check_page(self, page, flags[page], trigger->name);
		if ((flags[page] ^ self->flags[page]) & WRITTEN)
			gmem_fail(GMEM_CONTENTS,
				  "%s: page %d: wanted flags %#lx of the mask %#lx, got %#lx",
				  trigger->name, page, self->flags[page] & WRITTEN, WRITTEN,
				  flags[page] & WRITTEN);
	}
	tally->placed += NPAGES;
	memcpy(self->pfns, pfns, sizeof(pfns));
}

TEST_F_TIMEOUT(page_flags, are_kept, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	use_pages(self);
	note_flags(self);
	for (int round = 0; round < ROUNDS; round++)
		fire_and_compare(self, &tally);
	if (tally.control && !tally.moved)
		gmem_fail(GMEM_LIVENESS, "%s: wanted pages to move, got none",
			  variant->trigger->name);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED);
}

TEST_HARNESS_MAIN
