// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's counters follow guest_memfd when it moves, and drop it when it is freed.
 *
 * Contract: C10: page cache, unevictable, isolated and locked pages of each node, the
 *	     cgroup's charge, references, and the VM itself.
 * Method:   the case has a cgroup of its own and allocates a file on one node.  In one
 *	     test every page is sent to the other node, back, and over again; a leaked
 *	     reference would prevent the third move.  Then the pages move under a vCPU
 *	     that writes.  In the other test no page moves, as all are pinned or
 *	     unmovable; the vCPU must go on, and unpinned pages must move.  After each
 *	     step every node must be charged for the pages that lie on it, and the cgroup
 *	     for all; once the file is freed, for none.
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

#include "case/gmem_deadline.h"
#include "mm/gmem_gup_pin.h"
#include "mm/gmem_numa.h"
#include "observe/gmem_account.h"
#include "observe/gmem_zone.h"
#include "trigger/gmem_fixture.h"

/* The file is large, so that what others allocate meanwhile is small beside it. */
#define NPAGES	1024
#define SLACK	(NPAGES / 4)

GMEM_FIXTURE_WITH(accounting, GMEM_MEMBERS(
	struct gmem_account before;	/* the file was allocated */
	bool locked;
), GMEM_MEMBERS(
	bool locked;		/* in memory, by mlock(2) */
))

GMEM_CONFIG_VARIANT(accounting, optin_mmap_shared)
GMEM_VARIANT(accounting, optin_mmap_shared_locked, GMEM_CONFIG(default, optin_mmap_shared),
	     .locked = true)
GMEM_CONFIG_VARIANT(accounting, mmap_shared)
GMEM_VARIANT(accounting, mmap_shared_locked, GMEM_CONFIG(default, mmap_shared),
	     .locked = true)

/* Counts the pages of the file on each node. */
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

/* Fails unless the nodes and the cgroup are charged for the file's pages where they lie. */
static void check_counters(FIXTURE_DATA(accounting) * self, const struct gmem_account *allocated,
			   const char *when, struct gmem_tally *tally)
{
	struct gmem_account now;
	long pages[2];

	gmem_migration_snapshot(self->migration);
	count_pages(self->migration, pages);
	gmem_account_read(&now);
	gmem_account_check(&self->before, &now, pages, self->locked, SLACK, when);
	if (labs(allocated->charged - now.charged) > SLACK)
		gmem_fail(GMEM_ACCOUNTING, "%s: wanted %ld pages charged to the cgroup, got %ld",
			  when, allocated->charged, now.charged);
	tally->placed += NPAGES;
}

static void create(FIXTURE_DATA(accounting) * self, const struct gmem_config *config)
{
	self->region = gmem_region_create(config, NPAGES);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_stamp_lines(self->guest);
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

/* Creates the file; the case is BROKEN unless each counter sees that. */
static void create_counted(FIXTURE_DATA(accounting) * self, const struct gmem_config *config,
			   struct gmem_account *allocated, struct gmem_tally *tally)
{
	long charged;

	gmem_account_begin();
	create(self, config);
	destroy(self);
	gmem_account_read(&self->before);
	create(self, config);
	gmem_account_read(allocated);
	/* The control has as many pages as the file. */
	charged = allocated->charged - self->before.charged;
	if (charged < 2 * NPAGES - SLACK)
		gmem_broken("allocated %d pages: wanted the cgroup to be charged for them, got %ld",
			    2 * NPAGES, charged);
	check_counters(self, allocated, "allocated", tally);
	if (gmem_account_vms(getpid()) != 1)
		gmem_broken("wanted one VM in debugfs, got %d", gmem_account_vms(getpid()));
}

/* Fails unless all counters return to where they were before the file was created. */
static void destroy_counted(FIXTURE_DATA(accounting) * self)
{
	destroy(self);
	gmem_account_wait_vms(getpid());
	gmem_account_wait(&self->before, SLACK);
}

static void check_all_move(FIXTURE_DATA(accounting) * self, int nth, struct gmem_tally *tally)
{
	u64 before = tally->moved;

	gmem_migration_fire(self->migration, NULL, tally);
	gmem_require_control(self->migration, tally);
	if (tally->moved - before != NPAGES)
		gmem_fail(GMEM_ACCOUNTING,
			  "move %d: wanted all %d pages to move, as nobody uses them, got %lu",
			  nth, NPAGES, tally->moved - before);
}

/* Fires until the guest has written meanwhile; a guest that never does is stuck. */
static void move_under_guest(FIXTURE_DATA(accounting) * self, struct gmem_tally *tally)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	do
		gmem_migration_fire(self->migration, self->guest, tally);
	while (!tally->raced && gmem_deadline_poll(&deadline));
	gmem_guest_pause(self->guest);
}

TEST_F_TIMEOUT(accounting, follows_what_moves, GMEM_CASE_TIMEOUT)
{
	struct gmem_account allocated;
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->locked = variant->locked;
	create_counted(self, &variant->config, &allocated, &tally);
	for (int nth = 1; nth <= 3; nth++) {
		check_all_move(self, nth, &tally);
		check_counters(self, &allocated, "moved", &tally);
	}
	move_under_guest(self, &tally);
	check_counters(self, &allocated, "moved under the guest", &tally);
	tally.verified += gmem_guest_verify(self->guest);
	destroy_counted(self);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED |
		       GMEM_PLACED);
}

/* Fails if a page of the region moves, or if the guest cannot write to one afterwards. */
static void check_none_moves(FIXTURE_DATA(accounting) * self, struct gmem_tally *tally)
{
	gmem_migration_fire(self->migration, NULL, tally);
	gmem_require_control(self->migration, tally);
	gmem_check_stayed(self->region->movable ? GMEM_ATOMICITY : GMEM_UNMOVABLE, "move_pages",
			  self->migration, tally);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	gmem_guest_wait_rounds(self->guest, 1);
	gmem_guest_pause(self->guest);
}

TEST_F_TIMEOUT(accounting, stays_with_what_is_refused, GMEM_CASE_TIMEOUT)
{
	struct gmem_account allocated;
	struct gmem_tally tally = {};
	struct iovec all;
	int ring = -1;

	GMEM_CASE_BEGIN();
	self->locked = variant->locked;
	create_counted(self, &variant->config, &allocated, &tally);
	if (self->region->movable) {
		all.iov_base = gmem_region_host(self->region, 0);
		all.iov_len = gmem_region_size(self->region);
		ring = gmem_gup_pin(&all, 1);
	}
	for (int i = 0; i < 2; i++) {
		check_none_moves(self, &tally);
		check_counters(self, &allocated, "refused", &tally);
	}
	if (ring >= 0) {
		gmem_gup_unpin(ring);
		check_all_move(self, 1, &tally);
		check_counters(self, &allocated, "unpinned and moved", &tally);
	}
	tally.verified += gmem_guest_verify(self->guest);
	destroy_counted(self);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_VERIFIED | GMEM_PLACED);
}

TEST_HARNESS_MAIN
