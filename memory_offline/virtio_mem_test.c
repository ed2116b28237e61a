// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-mem gives back memory that held movable guest_memfd, and keeps unmovable.
 *
 * Contract: C9: shrinking a virtio-mem device to nothing finishes while the guest of
 *	     movable memory writes, and leaves the device as large as unmovable memory
 *	     needs; C7: movable memory is allocated in ZONE_MOVABLE; C1: guest and host
 *	     read what was written, and zeros where nothing was; C2: of movable memory
 *	     each stage-2 mapping was dropped; C4: unmovable memory keeps frames,
 *	     contents and stage-2 mappings.
 * Method:   the device grows by a memory block, which is all memory of its node and
 *	     holds the file and ordinary pages.  Then QEMU requests its size to be 0
 *	     while one vCPU rewrites half of the file, and is asked for the size.
 *	     Movable memory is in ZONE_MOVABLE.  Unmovable memory is in ZONE_NORMAL, where
 *	     the device shrinks to some part, and to nothing once it is punched; a
 *	     probe at the allocation of contiguous memory counts attempts at it.
 * Guards:   broken unless the device shrank to nothing before with as many ordinary
 *	     pages in it, unless the driver tried to have unmovable memory several times
 *	     and gave back the rest, and unless the guest wrote meanwhile; fails if
 *	     it keeps some once unmovable memory is punched.
 * Needs:    a QMP port; a virtio-mem device with the id "virtio-mem" that has nothing
 *	     plugged, of the node of two blocks that are offline; kprobe events.
 * Kills:    no-invalidate, copy-before-invalidate, half-page-copied, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-for-ever, dirty-refused,
 *	     untouched-refused, opt-in-ignored
 */
#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_block.h"
#include "gmem_case.h"
#include "gmem_control.h"
#include "gmem_guest.h"
#include "gmem_numa.h"
#include "gmem_probe.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_stage2.h"
#include "gmem_trigger.h"
#include "gmem_undo.h"
#include "gmem_variant.h"
#include "gmem_virtio_mem.h"

#define NPAGES	64
#define TOUCHED	(NPAGES / 2)

/* How often the driver should have tried to have a page that it cannot get. */
#define ATTEMPTS 4

/* The block that the device grows by, and two others of its node. */
static long block, others[2];
static int node;

FIXTURE(virtio_mem) {
	struct gmem_region *region;
	struct gmem_scene *scene;
	struct gmem_stage2 *witness;
	struct gmem_guest *guest;
	const char *flags;
};

FIXTURE_VARIANT(virtio_mem) {
	__u64 flags;
};

#define VARIANT(_flags) \
FIXTURE_VARIANT_ADD(virtio_mem, _flags) { \
	.flags = GMEM_FLAGS_##_flags, \
};
VARIANT(optin_mmap)
VARIANT(optin_mmap_shared)
VARIANT(mmap)
VARIANT(mmap_shared)

FIXTURE_SETUP(virtio_mem)
{
}

FIXTURE_TEARDOWN(virtio_mem)
{
	gmem_guest_free(self->guest);
	gmem_stage2_free(self->witness);
	gmem_scene_free(self->scene);
	gmem_region_free(self->region);
}

/* As in gmem_block_online_kernel(), memory of the kernel's own goes elsewhere. */
static void grow(bool movable)
{
	if (!movable)
		gmem_block_online(others[0], "online_movable");
	block = gmem_virtio_mem_grow();
	if (!movable)
		gmem_block_offline(others[0]);
}

/* The device shrinks to nothing with ordinary pages in it. */
static void prove_device(struct gmem_control *control)
{
	gmem_control_touch_on(control, node);
	gmem_control_moved(control);
	if (gmem_block_holds(block, control->frames, NPAGES) < NPAGES)
		gmem_broken("not all ordinary pages are in block %ld", block);
	if (gmem_virtio_mem_shrink(0))
		gmem_broken("the device did not shrink with nothing but ordinary pages in it");
	gmem_control_discard(control, 0, NPAGES);
}

static void place(struct gmem_scene *scene)
{
	grow(scene->region->movable);
	prove_device(scene->control);
	grow(scene->region->movable);
	gmem_scene_allocate_by_policy(scene, node);
}

static const struct gmem_trigger shrinking = {
	.name = "shrink",
	.missing = gmem_numa_missing,
	.place = place,
};

static size_t held(FIXTURE_DATA(virtio_mem) * self)
{
	return gmem_block_holds(block, self->scene->frames, NPAGES);
}

static void set_up(FIXTURE_DATA(virtio_mem) * self)
{
	node = gmem_virtio_mem_find(others);
	gmem_sysctl_set("/sys/devices/system/memory/auto_online_blocks",
			self->region->movable ? "online_movable" : "online_kernel");
	self->flags = gmem_flags_name(self->region->flags);
	self->scene = gmem_scene_create(&shrinking, self->region);
	gmem_scene_look(self->scene);
	if (held(self) < NPAGES && self->region->movable)
		gmem_fail(GMEM_C7,
			  "wanted all %d pages in the device, which is ZONE_MOVABLE, got %zu (flags %s)",
			  NPAGES, held(self), self->flags);
	if (held(self) < NPAGES)
		gmem_broken("wanted all %d pages in the device, got %zu", NPAGES, held(self));
	self->guest = gmem_guest_create_idle(self->region);
	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, 0, TOUCHED);
	gmem_guest_wait_rounds(self->guest, 1);
	self->witness = gmem_stage2_watch(self->region);
}

static void verify(FIXTURE_DATA(virtio_mem) * self, struct gmem_tally *tally)
{
	gmem_guest_pause(self->guest);
	tally->verified += gmem_guest_verify(self->guest);
}

TEST_F_TIMEOUT(virtio_mem, shrinks_if_movable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	__u64 left, first, unmaps, before;

	GMEM_CASE_BEGIN();
	gmem_policy_want_movable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	set_up(self);
	tally.placed = held(self);
	before = gmem_guest_progress(self->guest);
	left = gmem_virtio_mem_shrink(0);
	tally.raced = gmem_guest_progress(self->guest) - before;
	if (left)
		gmem_fail(GMEM_C9, "wanted a device of 0 bytes, got %llu (flags %s)", left,
			  self->flags);
	gmem_scene_count(self->scene, &tally);
	unmaps = gmem_stage2_unmaps(self->witness, &first);
	if (unmaps < TOUCHED)
		gmem_fail(GMEM_C2,
			  "shrinking: wanted a stage-2 unmap of each of %d pages, got %llu (flags %s)",
			  TOUCHED, unmaps, self->flags);
	verify(self, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED | GMEM_RACED |
			       GMEM_VERIFIED);
}

/* What the device cannot be smaller than, in bytes, as long as the pages stay. */
static __u64 needed(FIXTURE_DATA(virtio_mem) * self)
{
	__u64 unit = gmem_virtio_mem_unit(), pages = unit / getpagesize();
	__u64 *frames = self->scene->frames;
	__u64 units = 0;

	for (int page = 0; page < NPAGES; page++) {
		int same = 0;

		while (frames[same] / pages != frames[page] / pages)
			same++;
		units += same == page;
	}
	return units * unit;
}

static void count(const char *line, void *arg)
{
	(*(size_t *)arg)++;
}

/*
 * Asks for nothing until the driver has tried often enough to have the first page: it may
 * give back everything else before it tries.  Returns the size in the end.  What was
 * given back whole is not to come back, see gmem_block_online_kernel().
 */
static __u64 shrink_in_vain(FIXTURE_DATA(virtio_mem) * self, __u64 need)
{
	__u64 frame = self->scene->frames[0], left = need;
	struct gmem_probe *probe;
	size_t attempts = 0;
	char filter[64];

	snprintf(filter, sizeof(filter), "start <= %llu && end > %llu", frame, frame);
	probe = gmem_probe_create("contig", 'r',
				  "alloc_contig_range_noprof start=$arg1:u64 end=$arg2:u64",
				  filter);
	for (int try = 0; left >= need && attempts < ATTEMPTS && try < 10 * ATTEMPTS; try++) {
		gmem_probe_arm(probe);
		left = gmem_virtio_mem_shrink(need);
		if (left >= need)
			__gmem_virtio_mem_request_other();
		gmem_probe_disarm(probe);
		gmem_probe_for_each(probe, count, &attempts);
	}
	if (left >= need && attempts < ATTEMPTS)
		gmem_broken("the driver tried to have frame %#llx %zu times, wanted %d", frame,
			    attempts, ATTEMPTS);
	gmem_probe_free(probe);
	return left;
}

static void check_stayed(FIXTURE_DATA(virtio_mem) * self, const struct gmem_tally *tally)
{
	__u64 first, unmaps = gmem_stage2_unmaps(self->witness, &first);
	struct gmem_scene *scene = self->scene;

	if (tally->moved)
		gmem_fail(GMEM_C4,
			  "shrinking: page %zu: wanted the same frame, got %#llx instead of %#llx (%llu moves, flags %s)",
			  scene->moved_page, scene->moved_to, scene->moved_from, tally->moved,
			  self->flags);
	if (unmaps)
		gmem_fail(GMEM_C4,
			  "shrinking: wanted no stage-2 unmap, got %llu, the first at page %llu (flags %s)",
			  unmaps, first, self->flags);
}

TEST_F_TIMEOUT(virtio_mem, stays_if_unmovable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	__u64 left, need, before;

	GMEM_CASE_BEGIN();
	gmem_policy_want_unmovable(&gmem_vm_default, gmem_flags(variant->flags));
	self->region = gmem_region_create(&gmem_vm_default, gmem_flags(variant->flags), NPAGES);
	set_up(self);
	need = needed(self);
	before = gmem_guest_progress(self->guest);
	left = shrink_in_vain(self, need);
	tally.raced = gmem_guest_progress(self->guest) - before;
	gmem_scene_count(self->scene, &tally);
	check_stayed(self, &tally);
	if (left < need)
		gmem_fail(GMEM_C9, "wanted a device of %llu bytes at least, got %llu (flags %s)",
			  need, left, self->flags);
	if (left > need)
		gmem_broken("wanted a device of no more than %llu bytes, got %llu", need, left);
	verify(self, &tally);

	gmem_region_discard(self->region);
	left = gmem_virtio_mem_shrink(0);
	if (left)
		gmem_fail(GMEM_C9, "wanted a device of 0 bytes once punched, got %llu (flags %s)",
			  left, self->flags);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
