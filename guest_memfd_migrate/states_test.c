// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page keeps what it holds, in whatever state it was when it moved.
 *
 * Contract: C1: written bytes are read back, pages that nobody wrote read as
 *	     zeros; C2: a vCPU that comes back from a pause reaches the new frames,
 *	     and not the old ones, which have another owner by then.
 * Method:   a quarter of the pages is only allocated; one is read and one written by
 *	     the guest; the last is written by the host where it can, else written
 *	     by the guest and read once more.  The guest is paused while the trigger
 *	     fires until most pages of each state have moved; then guest and, by a new
 *	     mapping, host compare every byte with what the state says.  Then
 *	     ordinary memory takes the old frames, the host writes every page where it
 *	     can, and all is compared again.
 * Guards:   fails unless a page of every state moved; broken if ordinary pages
 *	     beside it did not move, no old frame was taken, or nothing was compared.
 * Needs:    a policy with movable memory; compaction; two nodes for move_pages.
 * Kills:    uptodate-dropped, copy-half-page, no-invalidate, range-end-off-by-one,
 *	     dirty-refused
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_region.h"
#include "gmem_reuse.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define QUARTER	32
#define NPAGES	(4 * QUARTER)
#define ROUNDS	10

static const char * const state_name[] = {
	"allocated", "guest-read", "guest-written", "host- or twice touched"
};

#define NSTATES	((int)ARRAY_SIZE(state_name))

FIXTURE(states) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(states) {
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define VARIANT(_flags, _trigger) \
FIXTURE_VARIANT_ADD(states, _flags##_##_trigger) { \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
VARIANT(optin_mmap, compact_memory)
VARIANT(optin_mmap_shared, compact_memory)
VARIANT(optin_mmap_shared, move_pages)
VARIANT(mmap, compact_memory)
VARIANT(mmap_shared, compact_memory)
VARIANT(mmap_shared, move_pages)

FIXTURE_SETUP(states)
{
}

FIXTURE_TEARDOWN(states)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

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

/* How many pages of each state have left @frames. */
static void count_left(const struct gmem_scene *scene, const __u64 *frames, int *left)
{
	memset(left, 0, NSTATES * sizeof(*left));
	for (size_t page = 0; page < NPAGES; page++)
		left[page / QUARTER] += scene->frames[page] != frames[page];
}

static bool most_left(const int *left)
{
	for (int state = 0; state < NSTATES; state++)
		if (left[state] < QUARTER / 2)
			return false;
	return true;
}

static void move_every_state(struct gmem_scene *scene, __u64 *frames,
			     struct gmem_tally *tally)
{
	int left[ARRAY_SIZE(state_name)];

	gmem_scene_look(scene);
	memcpy(frames, scene->frames, NPAGES * sizeof(*frames));
	for (int round = 0; round < ROUNDS; round++) {
		gmem_scene_fire(scene, NULL, tally);
		count_left(scene, frames, left);
		if (most_left(left))
			return;
	}
	if (!tally->control)
		gmem_broken("%s moved no ordinary memory either", scene->trigger->name);
	for (int state = 0; state < NSTATES; state++)
		if (!left[state])
			gmem_fail(GMEM_C9, "%s: wanted a %s page to move, got none in %d rounds",
				  scene->trigger->name, state_name[state], ROUNDS);
}

/* What was left behind must be out of reach, whoever has it now. */
static __u64 check_reach(struct gmem_scene *scene, struct gmem_guest *guest,
			 const __u64 *frames)
{
	__u64 old[NPAGES];
	size_t count = 0;

	for (size_t page = 0; page < NPAGES; page++)
		if (scene->frames[page] != frames[page])
			old[count++] = frames[page];
	if (!gmem_reuse(scene, old, count))
		gmem_broken("none of the %zu old frames could be had for other memory", count);
	if (scene->region->host_maps)
		gmem_guest_write_on_host(guest, 0, NPAGES);
	gmem_guest_blame(guest, GMEM_C2);
	return gmem_guest_verify(guest);
}

TEST_F_TIMEOUT(states, survive_a_move, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	__u64 frames[NPAGES];

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	self->scene = gmem_scene_create(variant->trigger, self->region);
	self->guest = gmem_guest_create_idle(self->region);
	make_states(self->region, self->guest);
	move_every_state(self->scene, frames, &tally);
	tally.verified += gmem_guest_verify(self->guest);
	tally.verified += check_reach(self->scene, self->guest, frames);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
