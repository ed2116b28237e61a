// SPDX-License-Identifier: GPL-2.0-only
/*
 * Movable guest_memfd is moved by compaction only where unevictable memory may be.
 *
 * Contract: C4: with vm.compact_unevictable_allowed at 0 compaction moves no
 *	     guest_memfd, movable or not; C9: once that is 1, it does; C1, C2: every
 *	     byte that the guest writes meanwhile is read back.
 * Method:   file and ordinary memory lie below holes; compaction of all memory is
 *	     asked for with the sysctl at 0, and then at 1, while a vCPU checks and
 *	     rewrites every page.
 * Guards:   broken unless ordinary pages beside it moved with the sysctl at 0; that
 *	     the file then moves from where it was left shows that it lay in the way.
 * Needs:    a policy with movable memory; compaction of unevictable memory; two nodes.
 * Kills:    compaction-still-checks-inaccessible, no-invalidate, copy-half-page
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_guest.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_trigger.h"
#include "gmem_undo.h"
#include "gmem_variant.h"

#define UNEVICTABLE "/proc/sys/vm/compact_unevictable_allowed"
#define NPAGES	128

FIXTURE(unevictable) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_guest *guest;
};

FIXTURE_VARIANT(unevictable) {
	__u64 flags;
	const struct gmem_trigger *trigger;
};

#define UNEVICTABLE_VARIANT(_flags, _trigger) \
FIXTURE_VARIANT_ADD(unevictable, _flags##_##_trigger) { \
	.flags = GMEM_FLAGS_##_flags, \
	.trigger = &gmem_trigger_##_trigger, \
};
UNEVICTABLE_VARIANT(optin_mmap_shared, compact_memory)
UNEVICTABLE_VARIANT(optin_mmap_shared, compact_node)
UNEVICTABLE_VARIANT(mmap_shared, compact_memory)

FIXTURE_SETUP(unevictable)
{
}

FIXTURE_TEARDOWN(unevictable)
{
	gmem_guest_free(self->guest);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* Fires with the sysctl at @allowed. */
static void compact(struct gmem_scene *scene, struct gmem_guest *guest, const char *allowed,
		    struct gmem_tally *tally)
{
	gmem_sysctl_set(UNEVICTABLE, allowed);
	gmem_scene_fire(scene, guest, tally);
	gmem_guest_wait_rounds(guest, 1);
}

TEST_F_TIMEOUT(unevictable, is_left_alone_by_compaction, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {}, forbidden = {};
	struct gmem_scene *scene;

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	scene = gmem_scene_create(variant->trigger, self->region);
	self->scene = scene;
	self->guest = gmem_guest_create(self->region);
	gmem_scene_look(scene);
	gmem_guest_run(self->guest, GMEM_GUEST_WRITE);

	compact(scene, self->guest, "0", &forbidden);
	if (!forbidden.control)
		gmem_broken("%s moved no ordinary memory", scene->trigger->name);
	if (forbidden.moved)
		gmem_fail(GMEM_C4,
			  "%s: page %zu: wanted the same frame with compact_unevictable_allowed at 0, got %#llx instead of %#llx (%llu moves)",
			  scene->trigger->name, scene->moved_page, scene->moved_to,
			  scene->moved_from, forbidden.moved);
	tally = forbidden;

	compact(scene, self->guest, "1", &tally);
	if (!tally.moved)
		gmem_fail(GMEM_C9,
			  "%s: wanted movable pages to move with compact_unevictable_allowed at 1, got %llu of %zu staying where ordinary ones had moved from",
			  scene->trigger->name, tally.stayed - forbidden.stayed,
			  self->region->npages);
	gmem_guest_pause(self->guest);
	tally.verified = gmem_guest_verify(self->guest);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_STAYED | GMEM_CONTROL | GMEM_RACED |
		       GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
