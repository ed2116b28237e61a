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

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_longterm.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	64
#define ROUNDS	6
#define TRIES	50

static const size_t held[] = { 0, 17, NPAGES - 1 };

FIXTURE(held) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

/* Who holds pages: pins or references them, and lets them go again.  The latter
 * returns how many bytes it compared.
 */
struct holder {
	void (*hold)(struct gmem_region *region, const struct iovec *pages);
	__u64 (*let_go)(struct gmem_region *region);
};

static const struct holder holder_pipe, holder_io_uring;

FIXTURE_VARIANT(held) {
	__u64 flags;
	const struct holder *holder;
};

#define VARIANT(_flags, _holder) \
FIXTURE_VARIANT_ADD(held, _flags##_by_##_holder) { \
	.flags = GMEM_FLAGS_##_flags, \
	.holder = &holder_##_holder, \
};
VARIANT(optin_mmap_shared, pipe)
VARIANT(optin_mmap_shared, io_uring)
VARIANT(mmap_shared, pipe)
VARIANT(mmap_shared, io_uring)

FIXTURE_SETUP(held)
{
}

FIXTURE_TEARDOWN(held)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

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
static __u64 pipe_let_go(struct gmem_region *region)
{
	char *data = malloc(region->page_size);

	for (int i = 0; i < ARRAY_SIZE(held); i++) {
		if (!data || read(pipe_ends[0], data, region->page_size) != region->page_size)
			gmem_broken("reading page %zu from the pipe: %m", held[i]);
		if (memcmp(data, gmem_region_host(region, held[i]), region->page_size))
			gmem_fail(GMEM_C8,
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
	ring = gmem_longterm_pin(pages, ARRAY_SIZE(held));
}

static __u64 io_uring_let_go(struct gmem_region *region)
{
	gmem_longterm_release(ring);
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

static void must_stay(struct gmem_scene *scene, const __u64 *frames)
{
	for (int i = 0; i < ARRAY_SIZE(held); i++)
		if (scene->frames[held[i]] != frames[i])
			gmem_fail(GMEM_C8, "held page %zu: wanted the same frame %#llx, got %#llx",
				  held[i], (unsigned long long)frames[i],
				  (unsigned long long)scene->frames[held[i]]);
}

static void must_move(struct gmem_scene *scene, struct gmem_guest *guest,
		      const __u64 *frames, struct gmem_tally *tally)
{
	bool moved[ARRAY_SIZE(held)] = {};

	for (int try = 0; try < TRIES; try++) {
		int left = ARRAY_SIZE(held);

		gmem_scene_fire(scene, guest, tally);
		for (int i = 0; i < ARRAY_SIZE(held); i++) {
			moved[i] |= scene->frames[held[i]] != frames[i];
			left -= moved[i];
		}
		if (!left)
			return;
	}
	gmem_fail(GMEM_C8, "wanted pages that were let go to move, got the same frame %d times",
		  TRIES);
}

TEST_F_TIMEOUT(held, stays_and_moves_once_let_go, GMEM_CASE_TIMEOUT)
{
	__u64 frames[ARRAY_SIZE(held)];
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	self->scene = gmem_scene_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	hold(self->region, variant->holder);
	gmem_scene_look(self->scene);
	for (int i = 0; i < ARRAY_SIZE(held); i++)
		frames[i] = self->scene->frames[held[i]];

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	for (int round = 0; round < ROUNDS; round++) {
		gmem_scene_fire(self->scene, self->guest, &tally);
		must_stay(self->scene, frames);
		gmem_guest_wait_rounds(self->guest, 1);
	}
	if (!tally.moved)
		gmem_fail(GMEM_C9, "wanted the pages that are not held to move, got none");
	gmem_guest_pause(self->guest);
	tally.verified += variant->holder->let_go(self->region);

	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);
	must_move(self->scene, self->guest, frames, &tally);
	gmem_guest_pause(self->guest);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_region_discard(self->region);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
