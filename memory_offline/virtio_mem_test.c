// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-mem unplugs memory that holds movable guest_memfd, and keeps unmovable guest_memfd.
 *
 * Contract: C9: a virtio-mem device with movable memory shrinks to nothing while the guest
 *	     writes; with unmovable memory it stays as large as that needs; C7: movable
 *	     memory is allocated in ZONE_MOVABLE; C1: guest and host read what was
 *	     written, and zeros where nothing was; C2: each stage-2 mapping of movable
 *	     memory was dropped; C4: unmovable memory keeps its pfns, contents and
 *	     stage-2 mappings.
 * Method:   the device grows by a memory block, which is all memory of its node and
 *	     holds file and control.  Then QEMU requests that its size be 0, while one
 *	     vCPU rewrites half of the file, and reports the size that is left.  Movable
 *	     memory is in ZONE_MOVABLE.  Unmovable memory is in ZONE_NORMAL, where the
 *	     device shrinks to a part, and to nothing once the file is punched; a kprobe
 *	     counts the attempts to allocate the file's range (alloc_contig_range()).
 * Guards:   broken unless the device shrank to nothing before with as many pages of the
 *	     control in it, unless the driver tried several times to get unmovable memory
 *	     and unplugged the rest, and unless the guest wrote meanwhile; fails if the
 *	     device does not shrink to nothing once unmovable memory is punched.
 * Needs:    a QMP port; a virtio-mem device with the id "virtio-mem" that has nothing
 *	     plugged, of the node of two blocks that are offline; kprobe events.
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-forever, dirty-refused,
 *	     untouched-refused, opt-in-ignored
 */
#include <stdio.h>
#include <unistd.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_block.h"
#include "mm/gmem_kprobe.h"
#include "mm/gmem_virtio_mem.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_unplug.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	64

/* The driver has to try this often to get a page that it cannot have. */
#define ATTEMPTS 4
/* The device is asked this often to shrink before the test gives up on those attempts. */
#define REQUESTS (10 * ATTEMPTS)

static int find_device(struct gmem_unplug *unplug)
{
	int node = gmem_virtio_mem_find(unplug->found);

	gmem_sysctl_set("/sys/devices/system/memory/auto_online_blocks",
			unplug->zone_movable ? "online_movable" : "online_kernel");
	return node;
}

/*
 * For ZONE_NORMAL another block of the node is online meanwhile, so that the kernel's own
 * allocations are made there (see gmem_block_online_kernel()).
 */
static void grow_device(struct gmem_unplug *unplug)
{
	if (!unplug->zone_movable)
		gmem_block_online(unplug->found[0], "online_movable");
	unplug->block = gmem_virtio_mem_grow(gmem_block_pages() * getpagesize(), true);
	if (!unplug->zone_movable)
		gmem_block_offline(unplug->found[0]);
}

static void prove_shrinks(struct gmem_unplug *unplug)
{
	if (gmem_virtio_mem_shrink(0))
		gmem_broken("the device did not shrink with nothing but the control in it");
}

static const struct gmem_unplug_kind shrinking = {
	.name = "shrinking",
	.where = "the device",
	.find = find_device,
	.online = grow_device,
	.prove = prove_shrinks,
};

GMEM_UNPLUG_FIXTURE(virtio_mem)

GMEM_CONFIG_VARIANT(virtio_mem, optin_mmap)
GMEM_CONFIG_VARIANT(virtio_mem, optin_mmap_shared)
GMEM_CONFIG_VARIANT(virtio_mem, mmap)
GMEM_CONFIG_VARIANT(virtio_mem, mmap_shared)

TEST_F_TIMEOUT(virtio_mem, shrinks_if_movable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	u64 left, before;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&shrinking, &variant->config, NPAGES, true);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	before = gmem_guest_progress(unplug->guest);
	left = gmem_virtio_mem_shrink(0);
	tally.raced = gmem_guest_progress(unplug->guest) - before;
	if (left)
		gmem_fail(GMEM_LIVENESS, "wanted a device of 0 bytes, got %lu (%s)", left,
			  unplug->region->name);
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_unmapped(unplug);
	gmem_unplug_verify(unplug, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_PLACED | GMEM_RACED |
			       GMEM_VERIFIED);
}

/* Returns the smallest size in bytes that the device can have while all pages stay. */
static u64 smallest_size(const struct gmem_unplug *unplug)
{
	u64 unit = gmem_virtio_mem_unit(), pages = unit / getpagesize();
	const u64 *pfns = unplug->migration->pfns;
	u64 units = 0;

	for (int page = 0; page < NPAGES; page++) {
		int first = 0;	/* page in the same unit */

		while (pfns[first] / pages != pfns[page] / pages)
			first++;
		units += first == page;
	}
	return units * unit;
}

static void count_attempt(const char *line, void *arg)
{
	(*(size_t *)arg)++;
}

/*
 * Requests a size of 0 until the driver has tried ATTEMPTS times to get the first page.  It may
 * unplug everything else before it tries.  Returns the size that is left.  The device is asked
 * for another size in between, but only while it still has the block: once that is unplugged it
 * must not come back without the care that grow_device() takes.
 */
static u64 try_to_shrink(const struct gmem_unplug *unplug, u64 need)
{
	u64 pfn = unplug->migration->pfns[0], left = need;
	struct gmem_kprobe *probe;
	size_t attempts = 0;
	char filter[64];

	snprintf(filter, sizeof(filter), "start <= %lu && end > %lu", pfn, pfn);
	probe = gmem_kprobe_create("contig", 'r',
				   "alloc_contig_range_noprof start=$arg1:u64 end=$arg2:u64",
				   filter);
	for (int try = 0; left >= need && attempts < ATTEMPTS && try < REQUESTS; try++) {
		gmem_kprobe_arm(probe);
		left = gmem_virtio_mem_shrink(need);
		if (left >= need)
			__gmem_virtio_mem_request_other();
		gmem_kprobe_disarm(probe);
		gmem_kprobe_for_each(probe, count_attempt, &attempts);
	}
	if (left >= need && attempts < ATTEMPTS)
		gmem_broken("the driver tried %zu times to get pfn %#lx, wanted %d", attempts, pfn,
			    ATTEMPTS);
	gmem_kprobe_free(probe);
	return left;
}

TEST_F_TIMEOUT(virtio_mem, stays_if_unmovable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	u64 left, need, before;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&shrinking, &variant->config, NPAGES, false);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	need = smallest_size(unplug);
	before = gmem_guest_progress(unplug->guest);
	left = try_to_shrink(unplug, need);
	tally.raced = gmem_guest_progress(unplug->guest) - before;
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_stayed(unplug, &tally);
	if (left < need)
		gmem_fail(GMEM_LIVENESS, "wanted a device of %lu bytes at least, got %lu (%s)",
			  need, left, unplug->region->name);
	if (left > need)
		gmem_broken("wanted a device of no more than %lu bytes, got %lu", need, left);
	gmem_unplug_verify(unplug, &tally);

	gmem_region_discard(unplug->region);
	left = gmem_virtio_mem_shrink(0);
	if (left)
		gmem_fail(GMEM_LIVENESS,
			  "wanted a device of 0 bytes once the file is punched, got %lu (%s)", left,
			  unplug->region->name);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
