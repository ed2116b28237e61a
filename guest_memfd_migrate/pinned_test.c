// SPDX-License-Identifier: GPL-2.0-only
/*
 * A folio that is held does not move, stays whole, and moves once it is let go.
 *
 * Contract: C8: a migration that fails leaves frame, data and mappings as they
 *	     were, and works once the obstacle is gone.
 * Method:   the first, a middle and the last page are held, by vmsplice() into a pipe
 *	     or as fixed buffers of io_uring; all pages are sent to the other node and
 *	     back while one vCPU rewrites them; the held ones must keep their frame.
 *	     They are let go (the pipe is read, and must have what the guest then
 *	     has); all are sent again until the formerly held ones have moved too; a
 *	     hole is punched, which would hang on a lock that the failure leaked.
 * Guards:   fails if no other page moved; broken if the guest wrote nothing
 *	     meanwhile or nothing was compared.
 * Needs:    a policy with movable memory; two nodes.
 * Kills:    pinned-folio-moved, lock-leaked-on-error, end-skipped-on-error,
 *	     src-ref-leak-on-error, migration-entry-left-on-failure
 */
#include <sys/uio.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "mm/gmem_gup_pin.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
#define ROUNDS	6
#define TRIES	50

static const size_t held[] = { 0, 17, NPAGES - 1 };

/* Who holds pages: pins or references them, and lets them go again.  The latter
 * returns how many bytes it compared.
 */
struct holder {
	void (*hold)(struct gmem_region *region, const struct iovec *pages);
	u64 (*let_go)(struct gmem_region *region);
};

static const struct holder holder_pipe, holder_io_uring;

GMEM_FIXTURE_WITH(pinned, ,
	GMEM_MEMBERS(
		const struct holder *holder;
	))

#define VARIANT(_flags, _holder) \
GMEM_VARIANT(pinned, _flags##_by_##_holder, GMEM_CONFIG(default, _flags), \
	     .holder = &holder_##_holder)
VARIANT(optin_mmap_shared, pipe)
VARIANT(optin_mmap_shared, io_uring)
VARIANT(mmap_shared, pipe)
VARIANT(mmap_shared, io_uring)

static int pipe_ends[2];

/* The pipe then has a reference to each of the pages, not a copy. */
static void pipe_hold(struct gmem_region *region, const struct iovec *pages)
{
	if (pipe(pipe_ends))
		gmem_broken("pipe: %m");
	for (int i = 0; i < ARRAY_SIZE(held); i++)
		if (vmsplice(pipe_ends[1], &pages[i], 1, 0) != region->page_size)
			gmem_broken("vmsplice of page %zu: %m", held[i]);
}

/* Reads the pipe empty; with the guest paused, it must show the present data. */
static u64 pipe_let_go(struct gmem_region *region)
{
	char *data = malloc(region->page_size);

	for (int i = 0; i < ARRAY_SIZE(held); i++) {
		if (!data || read(pipe_ends[0], data, region->page_size) != region->page_size)
			gmem_broken("reading page %zu from the pipe: %m", held[i]);
		if (memcmp(data, gmem_region_host(region, held[i]), region->page_size))
			gmem_fail(GMEM_ATOMICITY,
				  "held page %zu: the holder sees other data than the host",
				  held[i]);
	}
	free(data);
	return ARRAY_SIZE(held) * region->page_size;
}

static const struct holder holder_pipe = { pipe_hold, pipe_let_go };

static int ring;

/* Fixed buffers are pinned for as long as they are registered (FOLL_LONGTERM). */
static void io_uring_hold(struct gmem_region *region, const struct iovec *pages)
{
	ring = gmem_gup_pin(pages, ARRAY_SIZE(held));
}

static u64 io_uring_let_go(struct gmem_region *region)
{
	gmem_gup_unpin(ring);
	return 0;
}

static const struct holder holder_io_uring = { io_uring_hold, io_uring_let_go };

static void hold(struct gmem_region *region, const struct holder *holder)
{
	struct iovec pages[ARRAY_SIZE(held)];

	for (int i = 0; i < ARRAY_SIZE(held); i++)
		pages[i] = (struct iovec) {
			.iov_base = gmem_region_host(region, held[i]),
			.iov_len = region->page_size,
		};
	holder->hold(region, pages);
}

static void must_stay(struct gmem_migration *migration, const u64 *pfns)
{
	for (int i = 0; i < ARRAY_SIZE(held); i++)
		if (migration->pfns[held[i]] != pfns[i])
			gmem_fail(GMEM_ATOMICITY, "held page %zu: wanted the same frame %#lx, got %#lx",
				  held[i], pfns[i],
				  migration->pfns[held[i]]);
}

static void must_move(struct gmem_migration *migration, struct gmem_guest *guest,
		      const u64 *pfns, struct gmem_tally *tally)
{
	bool moved[ARRAY_SIZE(held)] = {};

	for (int try = 0; try < TRIES; try++) {
		int left = ARRAY_SIZE(held);

		gmem_migration_fire(migration, guest, tally);
		for (int i = 0; i < ARRAY_SIZE(held); i++) {
			moved[i] |= migration->pfns[held[i]] != pfns[i];
			left -= moved[i];
		}
		if (!left)
			return;
	}
	gmem_fail(GMEM_ATOMICITY, "wanted pages that were let go to move, got the same frame %d times",
		  TRIES);
}

TEST_F_TIMEOUT(pinned, stays_and_moves_once_let_go, GMEM_CASE_TIMEOUT)
{
	u64 pfns[ARRAY_SIZE(held)];
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	hold(self->region, variant->holder);
	gmem_migration_snapshot(self->migration);
	for (int i = 0; i < ARRAY_SIZE(held); i++)
		pfns[i] = self->migration->pfns[held[i]];

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	for (int round = 0; round < ROUNDS; round++) {
		gmem_migration_fire(self->migration, self->guest, &tally);
		must_stay(self->migration, pfns);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	if (!tally.moved)
		gmem_fail(GMEM_LIVENESS, "wanted the pages that are not held to move, got none");
	gmem_guest_pause(self->guest);
	tally.verified += variant->holder->let_go(self->region);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	must_move(self->migration, self->guest, pfns, &tally);
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_region_discard(self->region);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
