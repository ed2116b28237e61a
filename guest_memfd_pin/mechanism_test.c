// SPDX-License-Identifier: GPL-2.0-only
/*
 * No mechanism but migration on request touches guest_memfd, movable or not.
 *
 * Contract: C5: NUMA balancing, KSM, reclaim, swap, DAMON, khugepaged, access tracking
 *	     and madvise() never move, unmap, merge, collapse or drop it.
 * Method:   a vCPU checks and rewrites some pages in a loop.  The host only reads the
 *	     others, so that they are clean, because most mechanisms act on clean pages;
 *	     it unmaps half of these again.  One mechanism runs over all of them, in a
 *	     way that acts on the control.  Afterwards no page may have been dropped
 *	     from the file (cachestat), every pfn must be the same, no stage-2 unmap may
 *	     have been requested, and every byte must be right.  Clearing soft-dirty
 *	     bits notifies the MMU of all addresses, so that stage-2 mappings may be
 *	     dropped there.  If the memslot is aliased, MMU notifiers reach the guest,
 *	     and may do nothing but age its pages.
 * Guards:   broken unless the mechanism acted on the control, the guest wrote
 *	     meanwhile, every pfn was seen to stay, bytes were compared, the clean
 *	     pages are clean, and the probe saw a hole punched into the sentinel.
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
#include "trigger/gmem_fixture.h"

/* The file has the size of a huge page of 2 MiB, which khugepaged could collapse. */
#define NPAGES	512
/*
 * The guest writes pages [0, CLEAN).  The host only reads the others; it keeps pages
 * [CLEAN, UNMAPPED) mapped and unmaps the rest.
 */
#define CLEAN	64
#define UNMAPPED 288

GMEM_FIXTURE(mechanism)

GMEM_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, optin_mmap_shared)
GMEM_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, mmap_shared)
GMEM_NOTIFYING_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, optin_mmap_shared_alias)
GMEM_NOTIFYING_MECHANISMS(GMEM_TRIGGER_VARIANT, mechanism, mmap_shared_alias)

/* Some mechanisms leave dirty pages alone, and would prove nothing about them. */
static void check_clean(const struct gmem_migration *migration)
{
	u64 flags[NPAGES];

	gmem_kpageflags_read(migration->pfns, NPAGES, flags);
	for (size_t page = CLEAN; page < NPAGES; page++)
		if (flags[page] & BIT_ULL(KPF_DIRTY))
			gmem_broken("page %zu is dirty although it was only read", page);
}

/*
 * Unmaps some pages on the host again, because reading pfns has mapped them all.  This is not for
 * aliased memslots, where the MMU notifier unmaps the pages from stage-2, too.
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
		gmem_fail(GMEM_MECHANISM_ONLY,
			  "%s: wanted all %d pages in the file, got %zu (%s, expect %s)",
			  migration->trigger->name, NPAGES, allocated, migration->region->name,
			  gmem_expect_name());
}

/* Fires the trigger until the guest has written pages while it ran. */
static void run_mechanism(struct gmem_migration *migration, bool aliased,
			  struct gmem_guest *guest, struct gmem_tally *tally)
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
	const struct gmem_trigger *trigger = migration->trigger;
	u64 first;

	if (trigger->notifies_all)
		tally->control += gmem_unmap_probe_count(probe, &first);
	if (!tally->control)
		gmem_broken("%s acted upon no anonymous memory either", trigger->name);
	gmem_check_stayed(GMEM_MECHANISM_ONLY, trigger->name, migration, tally);
	if (!trigger->notifies_all)
		gmem_check_not_unmapped(GMEM_MECHANISM_ONLY, trigger->name, probe);
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
	run_mechanism(self->migration, variant->config.aliased, self->guest, &tally);
	gmem_guest_pause(self->guest);
	check_untouched(self->migration, self->probe, &tally);
	/* This also checks that pages which nobody wrote read as zeros. */
	gmem_guest_blame(self->guest, GMEM_MECHANISM_ONLY);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
