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

#include "mm/gmem_gup_pin.h"
#include "mm/gmem_numa.h"
#include "observe/gmem_account.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_fixture.h"

/* So many that what CPUs and others do beside is small against it. */
#define NPAGES	1024
#define SLACK	(NPAGES / 4)

GMEM_FIXTURE_WITH(accounting,
	GMEM_MEMBERS(
		struct gmem_account before;	/* there was a file */
		bool locked;
	),
	GMEM_MEMBERS(
		bool locked;		/* in memory, by mlock(2) */
	))

#define VARIANT(_flags) \
GMEM_VARIANT(accounting, _flags, GMEM_CONFIG(default, _flags)) \
GMEM_VARIANT(accounting, _flags##_locked, GMEM_CONFIG(default, _flags), \
	     .locked = true)
VARIANT(optin_mmap_shared)
VARIANT(mmap_shared)

/* How many pages of the file each node has. */
static void count_pages(const struct gmem_migration *migration, long pages[2])
{
	struct gmem_zone zone;

	pages[0] = 0;
	pages[1] = 0;
	for (size_t page = 0; page < NPAGES; page++) {
		gmem_zone_of(migration->pfns[page], &zone);
		pages[zone.node == gmem_numa_node(1)]++;
	}
}

/* Every node and the cgroup must be charged for the file's pages, where they are. */
static void check_counters(FIXTURE_DATA(accounting) * self, const struct gmem_account *there,
			   const char *when, struct gmem_tally *tally)
{
	struct gmem_account now;
	long pages[2];

	gmem_migration_snapshot(self->migration);
	count_pages(self->migration, pages);
	gmem_account_read(&now);
	gmem_account_check(&self->before, &now, pages, self->locked, SLACK, when);
	if (labs(there->charged - now.charged) > SLACK)
		gmem_fail(GMEM_ACCOUNTING, "%s: wanted %ld pages charged to the cgroup, got %ld", when,
			  there->charged, now.charged);
	tally->placed += NPAGES;
}

static void create(FIXTURE_DATA(accounting) * self, const struct gmem_config *config)
{
	self->region = gmem_region_create(config, NPAGES);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_skim(self->guest);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_guest_pause(self->guest);
	if (self->locked && mlock(self->region->host, gmem_region_size(self->region)))
		gmem_broken("mlock of guest_memfd: %m");
	gmem_migration_snapshot(self->migration);
}

static void destroy(FIXTURE_DATA(accounting) * self)
{
	gmem_guest_free(self->guest);
	gmem_migration_free(self->migration);
	gmem_region_free(self->region);
	self->guest = NULL;
	self->migration = NULL;
	self->region = NULL;
}

/* Creates the file, of which each counter must take note. */
static void begin(FIXTURE_DATA(accounting) * self, const struct gmem_config *config, struct gmem_account *there,
		  struct gmem_tally *tally)
{
	long charged;

	gmem_account_begin();
	create(self, config);
	destroy(self);
	gmem_account_read(&self->before);
	create(self, config);
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
	u64 moved = tally->moved;

	gmem_migration_fire(self->migration, NULL, tally);
	gmem_require_control(self->migration, tally);
	if (tally->moved - moved != NPAGES)
		gmem_fail(GMEM_ACCOUNTING,
			  "wanted all %d pages to move a %d. time, with nobody using them, got %lu",
			  NPAGES, time, tally->moved - moved);
}

TEST_F_TIMEOUT(accounting, follows_what_moves, GMEM_CASE_TIMEOUT)
{
	struct gmem_account there;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->locked = variant->locked;
	begin(self, &variant->config, &there, &tally);
	for (int time = 1; time <= 3; time++) {
		all_must_move(self, time, &tally);
		check_counters(self, &there, "moved", &tally);
	}
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	do
		gmem_migration_fire(self->migration, self->guest, &tally);
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
	u64 moved = tally->moved;

	gmem_migration_fire(self->migration, NULL, tally);
	gmem_require_control(self->migration, tally);
	if (tally->moved != moved)
		gmem_fail(self->region->movable ? GMEM_ATOMICITY : GMEM_UNMOVABLE,
			  "page %zu: wanted the same frame, got %#lx instead of %#lx",
			  self->migration->moved_page, self->migration->moved_to,
			  self->migration->moved_from);
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
	begin(self, &variant->config, &there, &tally);
	if (self->region->movable) {
		all.iov_base = gmem_region_host(self->region, 0);
		all.iov_len = gmem_region_size(self->region);
		ring = gmem_gup_pin(&all, 1);
	}
	for (int i = 0; i < 2; i++) {
		none_must_move(self, &tally);
		check_counters(self, &there, "refused", &tally);
	}
	if (ring >= 0) {
		gmem_gup_unpin(ring);
		all_must_move(self, 1, &tally);
		check_counters(self, &there, "let go and moved", &tally);
	}
	tally.verified += gmem_guest_verify(self->guest);
	end(self);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_VERIFIED | GMEM_PLACED);
}

TEST_HARNESS_MAIN
