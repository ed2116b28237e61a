// SPDX-License-Identifier: GPL-2.0-only
/*
 * A gigantic page can be had of a range with movable guest_memfd in it, and not of one
 * with unmovable.
 *
 * Contract: C9: the kernel empties the range of movable memory while the guest writes,
 *	     and of unmovable memory it cannot; C1: guest and host read what was written,
 *	     and zeros where nothing was; C2: of movable memory each stage-2 mapping was
 *	     dropped; C4: unmovable memory keeps frames, contents and stage-2 mappings.
 * Method:   a virtio-mem device grows to 1 GiB, which is all memory of its node, is
 *	     ZONE_NORMAL, as gigantic pages are not movable themselves, and holds the
 *	     file and ordinary pages.  Then the node's pool is to get a page of 1 GiB
 *	     (alloc_contig_pages()), which can be no other range, while one vCPU rewrites
 *	     half of the file.  Unmovable memory is punched in the end.
 * Guards:   broken unless the page was had before with as many ordinary pages in the
 *	     range, and unless the guest wrote meanwhile; fails if it cannot be had once
 *	     unmovable memory is punched.
 * Needs:    huge pages of 1 GiB; a QMP port; a virtio-mem device with the id "virtio-mem"
 *	     at a multiple of 1 GiB that has nothing plugged, of the node of two blocks
 *	     that are offline; no KASAN; kprobe events.
 * Kills:    no-invalidate, copy-half-page, range-end-off-by-one, isolation-thinks-unmovable,
 *	     eagain-forever, opt-in-ignored
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_restore.h"
#include "mm/gmem_block.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_virtio_mem.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_unplug.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	64
/* Refusals that one has to expect while a vCPU writes, and that are believed. */
#define TRIES	10

/* Onlining a block then takes memory of the block's node, in the way of what is tested. */
static bool blocks_have_shadow(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[256];
	bool found = false;

	if (!file)
		gmem_broken("/proc/kallsyms: %m");
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, " kasan_mem_notifier\n");
	fclose(file);
	return found;
}

static int find(struct gmem_unplug *unplug)
{
	int node = gmem_virtio_mem_find(unplug->spare);

	gmem_skip_if(gmem_gigantic_missing());
	if (blocks_have_shadow())
		gmem_skip_if(GMEM_SKIP_kasan_shadow);
	if (gmem_virtio_mem_address() % GMEM_GIGANTIC)
		gmem_skip(GMEM_SKIP_no_virtio_mem, "the device is at %#lx, no multiple of 1 GiB",
			  gmem_virtio_mem_address());
	gmem_sysctl_set("/sys/devices/system/memory/auto_online_blocks", "offline");
	return node;
}

/*
 * As in gmem_block_online_kernel(), memory of the kernel's own goes elsewhere: also what
 * describes the blocks, which are all there before the first is online.
 */
static void grow(struct gmem_unplug *unplug)
{
	unplug->nblocks = GMEM_GIGANTIC / (gmem_block_pages() * getpagesize());
	unplug->block = gmem_virtio_mem_grow(GMEM_GIGANTIC, false);
	gmem_block_online(unplug->spare[0], "online_movable");
	for (long nth = 0; nth < unplug->nblocks; nth++)
		gmem_block_online(unplug->block + nth, "online_kernel");
	gmem_block_offline(unplug->spare[0]);
}

static bool take(int node)
{
	for (int try = 0; try < TRIES; try++)
		if (gmem_gigantic_take(node))
			return true;
	return false;
}

static void prove(struct gmem_unplug *unplug)
{
	gmem_gigantic_keep(unplug->node);
	if (!take(unplug->node))
		gmem_broken("no gigantic page could be had of ordinary pages alone");
	gmem_gigantic_release(unplug->node);
	if (gmem_virtio_mem_shrink(0))
		gmem_broken("the device did not shrink with nothing in it");
}

static const struct gmem_unplug_kind gigantic = {
	.name = "gigantic page",
	.where = "the range",
	.always_normal = true,
	.find = find,
	.online = grow,
	.prove = prove,
};

GMEM_UNPLUG_FIXTURE(gigantic)

GMEM_CONFIG_VARIANT(gigantic, optin_mmap_shared)
GMEM_CONFIG_VARIANT(gigantic, mmap_shared)

TEST_F_TIMEOUT(gigantic, had_if_movable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	u64 before;
	bool had;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&gigantic, &variant->config, NPAGES, true);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	before = gmem_guest_progress(unplug->guest);
	had = take(unplug->node);
	tally.raced = gmem_guest_progress(unplug->guest) - before;
	gmem_migration_count(unplug->migration, &tally);
	if (!had)
		gmem_fail(GMEM_LIVENESS,
			  "wanted a gigantic page, as with ordinary memory, got none in %d attempts with %zu of %d pages in the range (%s)",
			  TRIES, gmem_unplug_held(unplug), NPAGES, unplug->region->name);
	if (gmem_unplug_held(unplug))
		gmem_fail(GMEM_LIVENESS, "wanted the range empty, got %zu of %d pages in it (%s)",
			  gmem_unplug_held(unplug), NPAGES, unplug->region->name);
	gmem_unplug_check_unmapped(unplug);
	gmem_unplug_verify(unplug, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

/* A refusal may come so soon that the guest has written nothing meanwhile. */
static bool take_while_it_writes(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	u64 before = gmem_guest_progress(unplug->guest);
	bool had = false;

	for (int try = 0; !had && !tally->raced && try < TRIES; try++) {
		had = take(unplug->node);
		tally->raced = gmem_guest_progress(unplug->guest) - before;
	}
	return had;
}

TEST_F_TIMEOUT(gigantic, not_had_if_unmovable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	bool had;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&gigantic, &variant->config, NPAGES, false);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	had = take_while_it_writes(unplug, &tally);
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_stayed(unplug, &tally);
	if (had)
		gmem_fail(GMEM_LIVENESS,
			  "wanted no gigantic page over unmovable memory, got one (%s)",
			  unplug->region->name);
	gmem_unplug_verify(unplug, &tally);

	gmem_region_discard(unplug->region);
	if (!take(unplug->node))
		gmem_fail(GMEM_LIVENESS, "wanted a gigantic page once punched, got none (%s)",
			  unplug->region->name);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
