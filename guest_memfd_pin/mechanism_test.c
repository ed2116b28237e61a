// SPDX-License-Identifier: GPL-2.0-only
/*
 * No mechanism but migration on request touches guest_memfd, movable or not.
 *
 * Contract: C5: NUMA balancing, KSM, reclaim, swap, DAMON, khugepaged, access tracking
 *	     and madvise() never move, unmap, merge, collapse or drop it.
 * Method:   some pages are checked and rewritten by a vCPU in a loop, others are only
 *	     read by the host, and so clean, which is when most mechanisms act; half
 *	     of these the host has unmapped again.  One mechanism is let loose on all,
 *	     in ways that take the ordinary memory beside them.  Then nothing must
 *	     have been dropped from the file (cachestat), every frame be the same, no
 *	     stage-2 unmap have been requested, and every byte be right.  Clearing
 *	     soft-dirty bits tells MMU notifiers of all addresses, so stage-2 mappings
 *	     may go there.  Where the slot is aliased, MMU notifiers reach the guest,
 *	     and nothing but aging may come of them.
 * Guards:   broken unless the mechanism took ordinary pages, the guest wrote
 *	     meanwhile, every frame was seen to stay, bytes were compared, the clean
 *	     pages are clean, and the probe saw a hole punched into the spare page.
 * Needs:    a host mapping; two nodes with CPUs, DAMON, KSM, huge pages, a memory
 *	     cgroup, zram, idle page tracking: each for its rows; kprobe events.
 * Kills:    movable-not-unevictable, numa-hinting-default-policy, collapse-allowed
 */
#include <linux/kernel-page-flags.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_deadline.h"
#include "mm/gmem_kpageflags.h"
#include "observe/gmem_pfn.h"
#include "trigger/gmem_fixture.h"
#include "trigger/gmem_mechanism.h"

/* A huge page, for khugepaged to want. */
#define NPAGES	512
/* [0, CLEAN) are the guest's, [CLEAN, UNMAPPED) the host reads, the rest it has read. */
#define CLEAN	64
#define UNMAPPED 288
GMEM_FIXTURE(mechanism)

GMEM_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, optin_mmap_shared)
GMEM_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, mmap_shared)
GMEM_NOTIFYING_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, optin_mmap_shared_alias)
GMEM_NOTIFYING_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, mmap_shared_alias)

static const char *about(const struct gmem_migration *migration)
{
	static char text[160];

	snprintf(text, sizeof(text), "(%s, flags %s, expect %s)",
		 migration->region->movable ? "movable" : "unmovable",
		 migration->region->name, gmem_expect_name());
	return text;
}

/* Or the mechanisms that spare what is dirty would prove nothing. */
static void check_clean(const struct gmem_migration *migration)
{
	u64 flags[NPAGES];

	gmem_kpageflags_read(migration->pfns, NPAGES, flags);
	for (size_t page = CLEAN; page < NPAGES; page++)
		if (flags[page] & BIT_ULL(KPF_DIRTY))
			gmem_broken("page %zu is dirty although it was only read", page);
}

/* Looking at frames has mapped all pages on the host.  Where the slot is aliased, this
 * would be a reason to unmap them from stage-2.
 */
static void unmap_some(const struct gmem_region *region)
{
	if (madvise(gmem_region_host(region, UNMAPPED), (NPAGES - UNMAPPED) * region->page_size,
		    MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED of guest_memfd: %m");
}

static void check_nothing_dropped(const struct gmem_migration *migration)
{
	size_t allocated = gmem_region_allocated(migration->region);

	if (allocated != NPAGES)
		gmem_fail(GMEM_MECHANISM_ONLY, "%s: wanted all %d pages in the file, got %zu %s",
			  migration->trigger->name, NPAGES, allocated, about(migration));
}

/* Again and again, until the guest wrote while it was at work. */
static void let_loose(struct gmem_migration *migration, bool aliased, struct gmem_guest *guest,
		      struct gmem_tally *tally)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	do {
		if (!aliased)
			unmap_some(migration->region);
		gmem_migration_trigger(migration, guest, tally);
		check_nothing_dropped(migration);
		gmem_migration_count(migration, tally);
	} while (!tally->raced && gmem_deadline_poll(&deadline));
}

static void check_untouched(struct gmem_migration *migration, struct gmem_unmap_probe *probe,
			    struct gmem_tally *tally)
{
	u64 first, unmaps = gmem_unmap_probe_count(probe, &first);

	if (migration->trigger->notifies_all)
		tally->control += unmaps;
	if (!tally->control)
		gmem_broken("%s acted upon no anonymous memory either", migration->trigger->name);
	gmem_check_stayed(GMEM_MECHANISM_ONLY, migration->trigger->name, migration, tally);
	if (unmaps && !migration->trigger->notifies_all)
		gmem_fail(GMEM_MECHANISM_ONLY,
			  "%s: wanted no stage-2 unmap, got %lu, the first at page %lu %s",
			  migration->trigger->name, unmaps, first, about(migration));
}

TEST_F_TIMEOUT(mechanism, leaves_it_alone, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, 0, CLEAN);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_guest_pause(self->guest);
	gmem_migration_snapshot(self->migration);
	check_clean(self->migration);
	self->probe = gmem_unmap_probe_start(self->region);

	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, 0, CLEAN);
	let_loose(self->migration, variant->config.aliased, self->guest, &tally);
	gmem_guest_pause(self->guest);
	check_untouched(self->migration, self->probe, &tally);
	/* What nobody wrote has to read as zeros, too. */
	gmem_guest_blame(self->guest, GMEM_MECHANISM_ONLY);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
