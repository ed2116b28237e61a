// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel counts of guest_memfd follows it, and is gone when it is.
 *
 * Contract: C10: page cache, unevictable, isolated and locked pages of each node, the
 *	     cgroup's charge, references, and the VM itself.
 * Method:   in a cgroup of its own a file is allocated on one node; every page is sent
 *	     to the other node, back, and there once more, which no page is that kept a
 *	     reference too many; then under a vCPU that writes.  Or no page moves, as all
 *	     are pinned, or unmovable; the vCPU must go on, and pages that are let go must
 *	     move.  After each step every node must be charged for the pages that are in
 *	     its frames, and the cgroup for all; in the end, for none.
 * Guards:   broken unless every counter saw the file being allocated.  A first file that
 *	     is allocated and freed makes the kernel fill its own lists and caches.
 * Needs:    a memory cgroup; two nodes; debugfs' kvm directory.
 * Kills:    nr-file-zone-skew, memcg-not-migrated, dst-ref-leak-on-success,
 *	     src-ref-leak-on-error, end-skipped-on-error, isolated-not-returned,
 *	     vm-ref-leak
 */
#include <sys/mman.h>
#include <sys/uio.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_account.h"
#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_longterm.h"
#include "gmem_numa.h"
#include "gmem_place.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

/* So many that what CPUs and others do beside is small against it. */
#define NPAGES	1024
#define SLACK	(NPAGES / 4)

FIXTURE(accounting) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
	struct gmem_account before;	/* there was a file */
	bool locked;
};

FIXTURE_VARIANT(accounting) {
	__u64 flags;
	bool locked;		/* in memory, by mlock(2) */
};

#define VARIANT(_flags) \
FIXTURE_VARIANT_ADD(accounting, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
}; \
FIXTURE_VARIANT_ADD(accounting, _flags##_locked) { \
	.flags = GMEM_FLAGS_##_flags, \
	.locked = true, \
};
VARIANT(optin_mmap_shared)
VARIANT(mmap_shared)

FIXTURE_SETUP(accounting)
{
}

FIXTURE_TEARDOWN(accounting)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* How many pages of the file each node has. */
static void count_pages(const struct gmem_scene *scene, long pages[2])
{
	struct gmem_place place;

	pages[0] = 0;
	pages[1] = 0;
	for (size_t page = 0; page < NPAGES; page++) {
		gmem_place_of(scene->frames[page], &place);
		pages[place.node == gmem_numa_node(1)]++;
	}
}

/* Every node and the cgroup must be charged for the file's pages, where they are. */
static void check_counters(FIXTURE_DATA(accounting) * self, const struct gmem_account *there,
			   const char *when, struct gmem_tally *tally)
{
	struct gmem_account now;
	long pages[2];

	gmem_scene_look(self->scene);
	count_pages(self->scene, pages);
	gmem_account_read(&now);
	gmem_account_check(&self->before, &now, pages, self->locked, SLACK, when);
	if (labs(there->charged - now.charged) > SLACK)
		gmem_fail(GMEM_C10, "%s: wanted %ld pages charged to the cgroup, got %ld", when,
			  there->charged, now.charged);
	tally->placed += NPAGES;
}

static void create(FIXTURE_DATA(accounting) * self, __u64 flags)
{
	self->region = gmem_region_create(&gmem_vm_default, flags, NPAGES);
	self->scene = gmem_scene_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_skim(self->guest);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_guest_pause(self->guest);
	if (self->locked && mlock(self->region->host, gmem_region_size(self->region)))
		gmem_broken("mlock of guest_memfd: %m");
	gmem_scene_look(self->scene);
}

static void destroy(FIXTURE_DATA(accounting) * self)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
	self->guest = NULL;
	self->scene = NULL;
	self->region = NULL;
}

/* Creates the file, of which each counter must take note. */
static void begin(FIXTURE_DATA(accounting) * self, __u64 flags, struct gmem_account *there,
		  struct gmem_tally *tally)
{
	long charged;

	gmem_account_begin();
	create(self, flags);
	destroy(self);
	gmem_account_read(&self->before);
	create(self, flags);
	gmem_account_read(there);
	/* The control is as many pages. */
	charged = there->charged - self->before.charged;
	if (charged < 2 * NPAGES - SLACK)
		gmem_broken("of %d pages the cgroup is charged for %ld", 2 * NPAGES, charged);
	check_counters(self, there, "allocated", tally);
	if (gmem_account_vms(getpid()) != 1)
		gmem_broken("wanted one VM in debugfs, got %d", gmem_account_vms(getpid()));
}

static void end(FIXTURE_DATA(accounting) * self)
{
	destroy(self);
	gmem_account_wait_vms(getpid());
	gmem_account_wait(&self->before, SLACK);
}

static void all_must_move(FIXTURE_DATA(accounting) * self, int time, struct gmem_tally *tally)
{
	__u64 moved = tally->moved;

	gmem_scene_fire(self->scene, NULL, tally);
	if (!tally->control)
		gmem_broken("%s moved no ordinary memory either", self->scene->trigger->name);
	if (tally->moved - moved != NPAGES)
		gmem_fail(GMEM_C10,
			  "wanted all %d pages to move a %d. time, with nobody using them, got %llu",
			  NPAGES, time, tally->moved - moved);
}

TEST_F_TIMEOUT(accounting, follows_what_moves, GMEM_CASE_TIMEOUT)
{
	struct gmem_account there;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->locked = variant->locked;
	begin(self, gmem_flags(variant->flags), &there, &tally);
	for (int time = 1; time <= 3; time++) {
		all_must_move(self, time, &tally);
		check_counters(self, &there, "moved", &tally);
	}
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	do
		gmem_scene_fire(self->scene, self->guest, &tally);
	while (!tally.raced);
	gmem_guest_pause(self->guest);
	check_counters(self, &there, "moved under the guest", &tally);
	tally.verified += gmem_guest_verify(self->guest);
	end(self);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       GMEM_PLACED);
}

/* The region's pages alone, none of which may move. */
static void none_must_move(FIXTURE_DATA(accounting) * self, struct gmem_tally *tally)
{
	__u64 moved = tally->moved;

	gmem_scene_fire(self->scene, NULL, tally);
	if (!tally->control)
		gmem_broken("%s moved no ordinary memory either", self->scene->trigger->name);
	if (tally->moved != moved)
		gmem_fail(self->region->movable ? GMEM_C8 : GMEM_C4,
			  "page %zu: wanted the same frame, got %#llx instead of %#llx",
			  self->scene->moved_page, self->scene->moved_to,
			  self->scene->moved_from);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_guest_pause(self->guest);
}

TEST_F_TIMEOUT(accounting, stays_with_what_is_refused, GMEM_CASE_TIMEOUT)
{
	struct gmem_account there;
	struct gmem_tally tally = {};
	struct iovec all;
	int ring = -1;

	GMEM_CASE_BEGIN();
	self->locked = variant->locked;
	begin(self, gmem_flags(variant->flags), &there, &tally);
	if (self->region->movable) {
		all.iov_base = gmem_region_host(self->region, 0);
		all.iov_len = gmem_region_size(self->region);
		ring = gmem_longterm_pin(&all, 1);
	}
	for (int i = 0; i < 2; i++) {
		none_must_move(self, &tally);
		check_counters(self, &there, "refused", &tally);
	}
	if (ring >= 0) {
		gmem_longterm_release(ring);
		all_must_move(self, 1, &tally);
		check_counters(self, &there, "let go and moved", &tally);
	}
	tally.verified += gmem_guest_verify(self->guest);
	end(self);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_VERIFIED | GMEM_PLACED);
}

TEST_HARNESS_MAIN
