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
 * Kills:    no-invalidate, copy-before-invalidate, copy-half-page, uptodate-dropped,
 *	     range-end-off-by-one, gfp-not-movable, eagain-forever, dirty-refused,
 *	     untouched-refused, opt-in-ignored
 */
#include <unistd.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_restore.h"
#include "mm/gmem_block.h"
#include "mm/gmem_kprobe.h"
#include "mm/gmem_virtio_mem.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_unplug.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	64

/* How often the driver should have tried to have a page that it cannot get. */
#define ATTEMPTS 4

static int find(struct gmem_unplug *unplug)
{
	int node = gmem_virtio_mem_find(unplug->spare);

	gmem_sysctl_set("/sys/devices/system/memory/auto_online_blocks",
			unplug->zone_movable ? "online_movable" : "online_kernel");
	return node;
}

/* As in gmem_block_online_kernel(), memory of the kernel's own goes elsewhere. */
static void grow(struct gmem_unplug *unplug)
{
	if (!unplug->zone_movable)
		gmem_block_online(unplug->spare[0], "online_movable");
	unplug->block = gmem_virtio_mem_grow(gmem_block_pages() * getpagesize(), true);
	if (!unplug->zone_movable)
		gmem_block_offline(unplug->spare[0]);
}

static void prove(struct gmem_unplug *unplug)
{
	if (gmem_virtio_mem_shrink(0))
		gmem_broken("the device did not shrink with nothing but ordinary pages in it");
}

static const struct gmem_unplug_kind shrinking = {
	.name = "shrinking",
	.where = "the device",
	.find = find,
	.online = grow,
	.prove = prove,
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

/* What the device cannot be smaller than, in bytes, as long as the pages stay. */
static u64 needed(const struct gmem_unplug *unplug)
{
	u64 unit = gmem_virtio_mem_unit(), pages = unit / getpagesize();
	const u64 *pfns = unplug->migration->pfns;
	u64 units = 0;

	for (int page = 0; page < NPAGES; page++) {
		int same = 0;

		while (pfns[same] / pages != pfns[page] / pages)
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
static u64 shrink_in_vain(const struct gmem_unplug *unplug, u64 need)
{
	u64 pfn = unplug->migration->pfns[0], left = need;
	struct gmem_kprobe *probe;
	size_t attempts = 0;
	char filter[64];

	snprintf(filter, sizeof(filter), "start <= %lu && end > %lu", pfn, pfn);
	probe = gmem_kprobe_create("contig", 'r',
				  "alloc_contig_range_noprof start=$arg1:u64 end=$arg2:u64",
				  filter);
	for (int try = 0; left >= need && attempts < ATTEMPTS && try < 10 * ATTEMPTS; try++) {
		gmem_kprobe_arm(probe);
		left = gmem_virtio_mem_shrink(need);
		if (left >= need)
			__gmem_virtio_mem_request_other();
		gmem_kprobe_disarm(probe);
		gmem_kprobe_for_each(probe, count, &attempts);
	}
	if (left >= need && attempts < ATTEMPTS)
		gmem_broken("the driver tried to have frame %#lx %zu times, wanted %d", pfn,
			    attempts, ATTEMPTS);
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
	need = needed(unplug);
	before = gmem_guest_progress(unplug->guest);
	left = shrink_in_vain(unplug, need);
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
		gmem_fail(GMEM_LIVENESS, "wanted a device of 0 bytes once punched, got %lu (%s)",
			  left, unplug->region->name);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
