// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot can be deleted and created while the pages that it binds move.
 *
 * Contract: C11: no call hangs, and the VM goes on; C2: a memslot that was created again
 *	     maps what the file holds then; C1: contents.
 * Method:   two memslots bind one file.  One thread deletes the first memslot and creates
 *	     it again, over and over; another sends all pages to the other node and back;
 *	     the vCPU checks and rewrites the second memslot's pages.  After many such
 *	     rebinds the memslot stays, the host rewrites its pages, and the vCPU, which
 *	     has to fault them in, must read what the host wrote while they still move.
 *	     At the end all pages have to move, and guest and host compare every byte.
 * Guards:   broken unless enough pages moved while the memslot was rebound often enough,
 *	     anonymous pages moved, the guest wrote meanwhile and bytes were compared.
 * Needs:    memory that is expected to be movable; two nodes.
 * Kills:    no-invalidate-lock, trylock-fail-returns-zero, no-invalidate
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_worker.h"
#include "trigger/gmem_fixture.h"
#include "trigger/gmem_mover.h"
#include "vm/gmem_memslot.h"

/*
 * Pages of the memslot that is deleted and created, and of the one that stays.  The first has
 * most of the pages, so that migration spends most of its time on them: with fewer, a callback
 * without the file's lock survived 80 rebinds.
 */
#define CHURNED	256
#define KEPT	32
#define NPAGES	(CHURNED + KEPT)
#define ROUNDS	2
#define REBINDS	40		/* in a round */

GMEM_FIXTURE(slot_churn)

GMEM_CONFIG_VARIANT(slot_churn, optin_mmap_shared)
GMEM_CONFIG_VARIANT(slot_churn, mmap_shared)

static struct gmem_region *create_region(const struct gmem_config *config)
{
	u64 gpa = gmem_region_gpa();
	const struct gmem_memslot slots[] = {
		{ .first = 0, .count = CHURNED, .gpa = gpa },
		{ .first = CHURNED, .count = KEPT, .gpa = gpa + CHURNED * getpagesize() },
	};

	return gmem_region_create_slots(config, NPAGES, slots, ARRAY_SIZE(slots));
}

static void rebind(void *arg)
{
	gmem_region_rebind_slot(arg, 0);
}

/*
 * Rebinds the first memslot over and over.  The vCPU uses the second one, because it must not
 * access pages of a memslot that is being deleted.
 */
static void churn(struct gmem_region *region, struct gmem_guest *guest,
		  struct gmem_mover *mover, struct gmem_tally *tally)
{
	u64 before = gmem_guest_progress(guest);
	struct gmem_worker *churner;

	gmem_guest_run_on(guest, GMEM_GUEST_WRITE, CHURNED, KEPT);
	churner = gmem_worker_start("deleting and creating a memslot", rebind, region);
	gmem_mover_wait(mover);
	gmem_worker_wait(churner, REBINDS);
	gmem_worker_stop(churner);
	gmem_guest_wait_rounds(guest, 1);
	gmem_guest_pause(guest);
	tally->raced += gmem_guest_progress(guest) - before;
}

/*
 * Has the guest read what the host wrote last.  The memslot was just created, so stage-2 maps
 * none of it, and the guest faults every page in.
 */
static void read_back(struct gmem_guest *guest)
{
	gmem_guest_write_on_host(guest, 0, CHURNED);
	gmem_guest_blame(guest, GMEM_STAGE2);
	gmem_guest_run_on(guest, GMEM_GUEST_WRITE, 0, CHURNED);
	gmem_guest_wait_rounds(guest, 2);
	gmem_guest_pause(guest);
	gmem_guest_blame(guest, GMEM_CONTENTS);
}

TEST_F_TIMEOUT(slot_churn, harms_nothing, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_mover *mover;

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = create_region(&variant->config);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	mover = gmem_mover_start(self->region, 0, NPAGES);
	for (int round = 0; round < ROUNDS; round++) {
		churn(self->region, self->guest, mover, &tally);
		read_back(self->guest);
	}
	tally.moved += gmem_mover_stop(mover);
	gmem_migration_move_all(self->migration, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
