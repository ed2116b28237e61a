// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that the guest faults in while it moves is the right one.
 *
 * Contract: C1, C2: a stage-2 fault that races with a migration maps the new frame
 *	     or waits for it; C9: it does not wait for ever.
 * Method:   round by round the slot is deleted and made anew, so that nothing is
 *	     mapped in stage-2; then the guest checks and rewrites every page, faulting
 *	     each one in, while move_pages() sends all of them to the other node and
 *	     back until the guest is through.  At the end every byte is compared.
 * Guards:   fails if no page moved; broken if ordinary pages did not move, no fault
 *	     raced with a firing, or nothing was compared.
 * Needs:    a policy with movable memory; two nodes.
 * Kills:    no-invalidate, uptodate-dropped, trylock-fail-returns-zero,
 *	     end-skipped-on-error
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_guest.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_variant.h"

#define NPAGES	128
#define ROUNDS	8
#define PATIENCE 30

FIXTURE(faults) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(faults) {
	__u64 flags;
};

#define VARIANT(_flags) \
FIXTURE_VARIANT_ADD(faults, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
VARIANT(optin_mmap_shared)
VARIANT(optin_mmap_shared_alias)
VARIANT(mmap_shared)
VARIANT(mmap_shared_alias)

FIXTURE_SETUP(faults)
{
}

FIXTURE_TEARDOWN(faults)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* Fires until the guest, which starts with nothing mapped, is through once. */
static void fault_all_in(struct gmem_scene *scene, struct gmem_guest *guest,
			 struct gmem_tally *tally)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);

	gmem_region_rebind(scene->region);
	gmem_guest_run(guest, GMEM_GUEST_WRITE);
	do {
		gmem_scene_fire(scene, guest, tally);
		if (!gmem_deadline_poll(&deadline))
			gmem_fail(GMEM_C9, "vCPU: stuck after %llu pages while all pages move",
				  gmem_guest_progress(guest));
	} while (!gmem_guest_passed(guest));
	gmem_guest_pause(guest);
}

TEST_F_TIMEOUT(faults, see_the_right_page, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_variant_region(&gmem_vm_default, variant->flags, NPAGES);
	self->scene = gmem_scene_create(&gmem_trigger_move_pages, self->region);
	self->guest = gmem_guest_create(self->region);
	gmem_scene_look(self->scene);
	for (int round = 0; round < ROUNDS; round++)
		fault_all_in(self->scene, self->guest, &tally);
	if (!tally.moved)
		gmem_fail(GMEM_C9, "wanted movable pages to move, got none in %d rounds", ROUNDS);
	tally.verified += gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
