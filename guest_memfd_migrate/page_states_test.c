// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page keeps its contents when it moves, whoever had accessed it before.
 *
 * Contract: C1: written bytes are read back, pages that nobody wrote read as
 *	     zeros; C2: a vCPU that comes back from a pause reaches the new pfns, and
 *	     not the old ones, which have another owner by then.
 * Method:   there are four states, and a quarter of the pages is in each: only allocated;
 *	     read by the guest; written by the guest; written by the host where it can,
 *	     or else written and then read by the guest.  The guest is paused while the
 *	     trigger fires until half of the pages of each state have moved; then guest
 *	     and, through a new mapping, host compare every byte with what the state
 *	     says.  Then anonymous memory takes the old pfns, the host writes every page
 *	     where it can, and all is compared again.
 * Guards:   fails unless a page of every state moved; broken if anonymous pages beside
 *	     them did not move, no old pfn was taken, or nothing was compared.
 * Needs:    memory that is expected to be movable; compaction; two nodes for move_pages.
 * Kills:    uptodate-dropped, copy-half-page, no-invalidate, range-end-off-by-one,
 *	     dirty-refused
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_reuse.h"
#include "trigger/gmem_fixture.h"

#define QUARTER	32
#define NPAGES	(4 * QUARTER)
#define ROUNDS	10

static const char * const state_name[] = {
	"allocated", "guest-read", "guest-written", "host-written or written-and-read"
};

#define NSTATES	((int)ARRAY_SIZE(state_name))

GMEM_FIXTURE(page_states)

GMEM_TRIGGER_VARIANT(page_states, optin_mmap, compact_memory)
GMEM_TRIGGER_VARIANT(page_states, optin_mmap_shared, compact_memory)
GMEM_TRIGGER_VARIANT(page_states, optin_mmap_shared, move_pages)
GMEM_TRIGGER_VARIANT(page_states, mmap, compact_memory)
GMEM_TRIGGER_VARIANT(page_states, mmap_shared, compact_memory)
GMEM_TRIGGER_VARIANT(page_states, mmap_shared, move_pages)

/* Has the guest do @work once on the quarter of the pages that is to be in @state. */
static void guest_does(struct gmem_guest *guest, enum gmem_guest_work work, int state)
{
	gmem_guest_run_on(guest, work, state * QUARTER, QUARTER);
	gmem_guest_wait_rounds(guest, 1);
	gmem_guest_pause(guest);
}

static void make_states(struct gmem_region *region, struct gmem_guest *guest)
{
	guest_does(guest, GMEM_GUEST_READ, 1);
	guest_does(guest, GMEM_GUEST_WRITE, 2);
	if (region->host_maps) {
		gmem_guest_write_on_host(guest, 3 * QUARTER, QUARTER);
		return;
	}
	guest_does(guest, GMEM_GUEST_WRITE, 3);
	guest_does(guest, GMEM_GUEST_READ, 3);
}

/* Counts the pages of each state that have left @pfns. */
static void count_left(const struct gmem_migration *migration, const u64 *pfns, int *left)
{
	memset(left, 0, NSTATES * sizeof(*left));
	for (size_t page = 0; page < NPAGES; page++)
		left[page / QUARTER] += migration->pfns[page] != pfns[page];
}

static bool half_left(const int *left)
{
	for (int state = 0; state < NSTATES; state++)
		if (left[state] < QUARTER / 2)
			return false;
	return true;
}

/* Stores the pfns from before the move in @pfns. */
static void move_every_state(struct gmem_migration *migration, u64 *pfns,
			     struct gmem_tally *tally)
{
	int left[NSTATES];

	gmem_migration_snapshot(migration);
	memcpy(pfns, migration->pfns, NPAGES * sizeof(*pfns));
	for (int round = 0; round < ROUNDS; round++) {
		gmem_migration_fire(migration, NULL, tally);
		count_left(migration, pfns, left);
		if (half_left(left))
			return;
	}
	gmem_require_control(migration, tally);
	for (int state = 0; state < NSTATES; state++)
		if (!left[state])
			gmem_fail(GMEM_LIVENESS,
				  "%s: wanted a %s page to move, got none in %d rounds",
				  migration->trigger->name, state_name[state], ROUNDS);
}

/*
 * Gives the old @pfns to another owner, so that a guest which still reaches them is seen to.
 * Returns the bytes compared.
 */
static u64 check_reach(struct gmem_migration *migration, struct gmem_guest *guest,
		       const u64 *pfns)
{
	u64 old[NPAGES];
	size_t count = 0;

	for (size_t page = 0; page < NPAGES; page++)
		if (migration->pfns[page] != pfns[page])
			old[count++] = pfns[page];
	if (!gmem_reuse_pfns(old, count))
		gmem_broken("wanted other memory to get some of %zu old pfns, got none", count);
	if (migration->region->host_maps)
		gmem_guest_write_on_host(guest, 0, NPAGES);
	gmem_guest_blame(guest, GMEM_STAGE2);
	return gmem_guest_verify(guest);
}

TEST_F_TIMEOUT(page_states, survive_a_move, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	u64 pfns[NPAGES];

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(variant->trigger, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	make_states(self->region, self->guest);
	move_every_state(self->migration, pfns, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	tally.verified += check_reach(self->migration, self->guest, pfns);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
