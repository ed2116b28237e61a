// SPDX-License-Identifier: GPL-2.0-only
/*
 * A folio that is pinned does not move, stays whole, and moves once it is unpinned.
 *
 * Contract: C8: a migration that fails leaves pfn, data and mappings as they were,
 *	     and works once the obstacle is gone.
 * Method:   the first, a middle and the last page are pinned, by vmsplice() into a pipe,
 *	     which references them, or as fixed buffers of io_uring; all pages are sent
 *	     to the other node and back while one vCPU rewrites them; the pinned ones
 *	     must keep their pfns.  They are unpinned (the pipe is read, and must have
 *	     what the host then sees); all are sent again until the formerly pinned ones
 *	     have moved too; a hole is punched, which would hang on a lock that the
 *	     failure leaked.
 * Guards:   fails if no other page moved; broken if the guest wrote nothing
 *	     meanwhile or nothing was compared.
 * Needs:    memory that is expected to be movable; two nodes.
 * Kills:    pinned-folio-moved, lock-leaked-on-error, end-skipped-on-error,
 *	     src-ref-leak-on-error, migration-entry-left-on-failure
 */
#include <sys/uio.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_alloc.h"
#include "mm/gmem_gup_pin.h"
#include "trigger/gmem_fixture.h"

#define NPAGES	64
#define ROUNDS	6
#define TRIES	50

static const size_t pinned_pages[] = { 0, 17, NPAGES - 1 };

#define NPINNED	((int)ARRAY_SIZE(pinned_pages))

/* A way to keep pages where they are. */
struct pinner {
	void (*pin)(struct gmem_region *region, const struct iovec *pages);
	/* Returns how many bytes it compared. */
	u64 (*unpin)(struct gmem_region *region);
};

static const struct pinner pinner_pipe, pinner_io_uring;

GMEM_FIXTURE_WITH(pinned, GMEM_MEMBERS(), GMEM_MEMBERS(
	const struct pinner *pinner;
))

#define VARIANT(_flags, _pinner) \
GMEM_VARIANT(pinned, _flags##_by_##_pinner, GMEM_CONFIG(default, _flags), \
	     .pinner = &pinner_##_pinner)
VARIANT(optin_mmap_shared, pipe)
VARIANT(optin_mmap_shared, io_uring)
VARIANT(mmap_shared, pipe)
VARIANT(mmap_shared, io_uring)

static int pipe_ends[2];

/* vmsplice(2) gives the pipe a reference to each of the pages, not a copy. */
static void pipe_pin(struct gmem_region *region, const struct iovec *pages)
{
	if (pipe(pipe_ends))
		gmem_broken("pipe: %m");
	for (int i = 0; i < NPINNED; i++)
		if (vmsplice(pipe_ends[1], &pages[i], 1, 0) != region->page_size)
			gmem_broken("vmsplice of page %zu: %m", pinned_pages[i]);
}

/*
 * Reads the pipe empty.  It refers to the pages themselves, so while the guest is paused it
 * must have what the host sees now.
 */
static u64 pipe_unpin(struct gmem_region *region)
{
	char *data = gmem_zalloc(1, region->page_size);

	for (int i = 0; i < NPINNED; i++) {
		size_t page = pinned_pages[i];

		if (read(pipe_ends[0], data, region->page_size) != region->page_size)
			gmem_broken("reading page %zu from the pipe: %m", page);
		if (memcmp(data, gmem_region_host(region, page), region->page_size))
			gmem_fail(GMEM_ATOMICITY,
				  "pinned page %zu: wanted the pipe to have what the host sees, got other data",
				  page);
	}
	free(data);
	return NPINNED * region->page_size;
}

static const struct pinner pinner_pipe = { pipe_pin, pipe_unpin };

static int ring;

/* Fixed buffers are pinned for as long as they are registered (FOLL_LONGTERM). */
static void io_uring_pin(struct gmem_region *region, const struct iovec *pages)
{
	ring = gmem_gup_pin(pages, NPINNED);
}

static u64 io_uring_unpin(struct gmem_region *region)
{
	gmem_gup_unpin(ring);
	return 0;
}

static const struct pinner pinner_io_uring = { io_uring_pin, io_uring_unpin };

static void pin(struct gmem_region *region, const struct pinner *pinner)
{
	struct iovec pages[NPINNED];

	for (int i = 0; i < NPINNED; i++)
		pages[i] = (struct iovec) {
			.iov_base = gmem_region_host(region, pinned_pages[i]),
			.iov_len = region->page_size,
		};
	pinner->pin(region, pages);
}

/* Fails if a pinned page has left the pfn in @before. */
static void check_pinned_stayed(struct gmem_migration *migration, const u64 *before)
{
	for (int i = 0; i < NPINNED; i++) {
		size_t page = pinned_pages[i];

		if (migration->pfns[page] != before[i])
			gmem_fail(GMEM_ATOMICITY,
				  "pinned page %zu: wanted the same pfn %#lx, got %#lx",
				  page, before[i], migration->pfns[page]);
	}
}

/* Fires until each page that was pinned has left the pfn in @before. */
static void move_unpinned(struct gmem_migration *migration, struct gmem_guest *guest,
			  const u64 *before, struct gmem_tally *tally)
{
	bool moved[NPINNED] = {};

	for (int try = 0; try < TRIES; try++) {
		int left = NPINNED;

		gmem_migration_fire(migration, guest, tally);
		for (int i = 0; i < NPINNED; i++) {
			moved[i] |= migration->pfns[pinned_pages[i]] != before[i];
			left -= moved[i];
		}
		if (!left)
			return;
	}
	gmem_fail(GMEM_ATOMICITY,
		  "wanted pages that were unpinned to move, got the same pfn %d times",
		  TRIES);
}

TEST_F_TIMEOUT(pinned, stays_and_moves_once_let_go, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	u64 before[NPINNED];

	GMEM_CASE_BEGIN();
	gmem_require_movable(&variant->config);
	self->region = gmem_region_create(&variant->config, NPAGES);
	self->migration = gmem_migration_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	pin(self->region, variant->pinner);
	gmem_migration_snapshot(self->migration);
	for (int i = 0; i < NPINNED; i++)
		before[i] = self->migration->pfns[pinned_pages[i]];

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	for (int round = 0; round < ROUNDS; round++) {
		gmem_migration_fire(self->migration, self->guest, &tally);
		check_pinned_stayed(self->migration, before);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	if (!tally.moved)
		gmem_fail(GMEM_LIVENESS, "wanted the pages that are not pinned to move, got none");
	gmem_guest_pause(self->guest);
	tally.verified += variant->pinner->unpin(self->region);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	move_unpinned(self->migration, self->guest, before, &tally);
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_region_discard(self->region);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
