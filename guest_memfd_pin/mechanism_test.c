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

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_page.h"
#include "gmem_mechanism.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"
#include "gmem_variant.h"

/* A huge page, for khugepaged to want. */
#define NPAGES	512
/* [0, CLEAN) are the guest's, [CLEAN, UNMAPPED) the host reads, the rest it has read. */
#define CLEAN	64
#define UNMAPPED 288
/* Seconds for the guest to write one page while a mechanism is at work. */
#define PATIENCE 30

FIXTURE(mechanism) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_stage2 *witness;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(mechanism) {
	__u64 flags;
	const struct gmem_trigger *row;
};

#define VARIANT(_flags, _row) \
FIXTURE_VARIANT_ADD(mechanism, _flags##_##_row) { \
	.flags = GMEM_FLAGS_##_flags, \
	.row = &gmem_mechanism_##_row, \
};
GMEM_MECHANISMS(VARIANT, optin_mmap_shared)
GMEM_MECHANISMS(VARIANT, mmap_shared)
GMEM_NOTIFYING_MECHANISMS(VARIANT, optin_mmap_shared_alias)
GMEM_NOTIFYING_MECHANISMS(VARIANT, mmap_shared_alias)

FIXTURE_SETUP(mechanism)
{
}

FIXTURE_TEARDOWN(mechanism)
{
	gmem_guest_free(self->guest);
	gmem_stage2_free(self->witness);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

static const char *about(const struct gmem_scene *scene)
{
	static char text[160];

	snprintf(text, sizeof(text), "(%s, flags %s, policy %s)",
		 scene->region->movable ? "movable" : "unmovable",
		 gmem_flags_name(scene->region->flags), gmem_policy_name());
	return text;
}

/* Or the mechanisms that spare what is dirty would prove nothing. */
static void check_clean(const struct gmem_scene *scene)
{
	__u64 flags[NPAGES];

	gmem_page_flags(scene->frames, NPAGES, flags);
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

static void check_nothing_dropped(const struct gmem_scene *scene)
{
	size_t allocated = gmem_region_allocated(scene->region);

	if (allocated != NPAGES)
		gmem_fail(GMEM_C5, "%s: wanted all %d pages in the file, got %zu %s",
			  scene->trigger->name, NPAGES, allocated, about(scene));
}

/* Again and again, until the guest wrote while it was at work. */
static void let_loose(struct gmem_scene *scene, bool aliased, struct gmem_guest *guest,
		      struct gmem_tally *tally)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	do {
		if (!aliased)
			unmap_some(scene->region);
		gmem_scene_pull(scene, guest, tally);
		check_nothing_dropped(scene);
		gmem_scene_count(scene, tally);
	} while (!tally->raced && gmem_deadline_poll(&deadline));
}

static void check_untouched(struct gmem_scene *scene, struct gmem_stage2 *witness,
			    struct gmem_tally *tally)
{
	__u64 first, unmaps = gmem_stage2_unmaps(witness, &first);

	if (scene->trigger->notifies_all)
		tally->control += unmaps;
	if (!tally->control)
		gmem_broken("%s took no ordinary memory either", scene->trigger->name);
	if (tally->moved)
		gmem_fail(GMEM_C5,
			  "%s: page %zu: wanted the same frame, got %#llx instead of %#llx (%llu moves) %s",
			  scene->trigger->name, scene->moved_page, scene->moved_to,
			  scene->moved_from, tally->moved, about(scene));
	if (unmaps && !scene->trigger->notifies_all)
		gmem_fail(GMEM_C5,
			  "%s: wanted no stage-2 unmap, got %llu, the first at page %llu %s",
			  scene->trigger->name, unmaps, first, about(scene));
}

TEST_F_TIMEOUT(mechanism, leaves_it_alone, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	self->region = gmem_variant_region(&gmem_vm_default, variant->flags, NPAGES);
	self->scene = gmem_scene_create(variant->row, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, 0, CLEAN);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_guest_pause(self->guest);
	gmem_scene_look(self->scene);
	check_clean(self->scene);
	self->witness = gmem_stage2_watch(self->region);

	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, 0, CLEAN);
	let_loose(self->scene, variant->flags & GMEM_ALIAS, self->guest, &tally);
	gmem_guest_pause(self->guest);
	check_untouched(self->scene, self->witness, &tally);
	/* What nobody wrote has to read as zeros, too. */
	gmem_guest_blame(self->guest, GMEM_C5);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
