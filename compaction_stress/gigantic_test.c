// SPDX-License-Identifier: GPL-2.0-only
/*
 * A gigantic page can be allocated where movable guest_memfd lies, and not where unmovable
 * guest_memfd does.
 *
 * Contract: C9: the kernel empties the range of movable memory while the guest writes, and
 *	     cannot empty it of unmovable memory; C1: guest and host read what was
 *	     written, and zeros where nothing was; C2: each stage-2 mapping of movable
 *	     memory was dropped; C4: unmovable memory keeps its pfns, contents and
 *	     stage-2 mappings.
 * Method:   a virtio-mem device grows to 1 GiB, which is all memory of its node and holds
 *	     file and control.  It is ZONE_NORMAL, because gigantic pages are not movable
 *	     themselves.  Then the node's pool is asked for a page of 1 GiB
 *	     (alloc_contig_pages()), for which there is no other range, while one vCPU
 *	     rewrites half of the file.  Unmovable memory is punched in the end.
 * Guards:   broken unless the page was allocated before with as many pages of the control
 *	     in the range, and unless the guest wrote meanwhile; fails if it cannot be
 *	     allocated once unmovable memory is punched.
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
#include "case/gmem_result.h"
#include "mm/gmem_block.h"
#include "mm/gmem_hugetlb.h"
#include "mm/gmem_virtio_mem.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_unplug.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	64
/* Single refusals are expected while a vCPU writes; this many in a row are final. */
#define TRIES	10

/*
 * Whether KASAN allocates the shadow of a block that is brought online, which it does in the
 * block's own node.  That memory would lie in the range, and cannot move.
 */
static bool blocks_have_shadow(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	bool found = false;
	char line[256];

	if (!file)
		gmem_broken("/proc/kallsyms: %m");
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, " kasan_mem_notifier\n");
	fclose(file);
	return found;
}

static int find_device(struct gmem_unplug *unplug)
{
	int node = gmem_virtio_mem_find(unplug->found);

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
 * Another block of the node is online meanwhile, so that the kernel's own allocations are made
 * there (see gmem_block_online_kernel()).  All blocks are added before the first one is brought
 * online, because the memory that describes them has to lie elsewhere, too.
 */
static void grow_device(struct gmem_unplug *unplug)
{
	unplug->nblocks = GMEM_GIGANTIC / (gmem_block_pages() * getpagesize());
	unplug->block = gmem_virtio_mem_grow(GMEM_GIGANTIC, false);
	gmem_block_online(unplug->found[0], "online_movable");
	for (long nth = 0; nth < unplug->nblocks; nth++)
		gmem_block_online(unplug->block + nth, "online_kernel");
	gmem_block_offline(unplug->found[0]);
}

static bool take_page(int node)
{
	for (int try = 0; try < TRIES; try++)
		if (gmem_gigantic_take(node))
			return true;
	return false;
}

static void prove_available(struct gmem_unplug *unplug)
{
	gmem_gigantic_keep(unplug->node);
	if (!take_page(unplug->node))
		gmem_broken("no gigantic page with nothing but the control in the range");
	gmem_gigantic_release(unplug->node);
	if (gmem_virtio_mem_shrink(0))
		gmem_broken("the device did not shrink with nothing in it");
}

static const struct gmem_unplug_kind gigantic = {
	.name = "gigantic page",
	.where = "the range",
	.always_normal = true,
	.find = find_device,
	.online = grow_device,
	.prove = prove_available,
};

GMEM_UNPLUG_FIXTURE(gigantic)

GMEM_CONFIG_VARIANT(gigantic, optin_mmap_shared)
GMEM_CONFIG_VARIANT(gigantic, mmap_shared)

TEST_F_TIMEOUT(gigantic, had_if_movable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	u64 before;
	bool taken;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&gigantic, &variant->config, NPAGES, true);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	before = gmem_guest_progress(unplug->guest);
	taken = take_page(unplug->node);
	tally.raced = gmem_guest_progress(unplug->guest) - before;
	gmem_migration_count(unplug->migration, &tally);
	if (!taken)
		gmem_fail(GMEM_LIVENESS,
			  "wanted a gigantic page, as with the control alone, got none in %d attempts with %zu of %d pages in the range (%s)",
			  TRIES, gmem_unplug_held(unplug), NPAGES, unplug->region->name);
	if (gmem_unplug_held(unplug))
		gmem_fail(GMEM_LIVENESS, "wanted the range empty, got %zu of %d pages in it (%s)",
			  gmem_unplug_held(unplug), NPAGES, unplug->region->name);
	gmem_unplug_check_unmapped(unplug);
	gmem_unplug_verify(unplug, &tally);
	gmem_case_pass(&tally, GMEM_MOVED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

/* A refusal may come before the guest has written anything, so that it takes several attempts. */
static bool take_while_guest_writes(struct gmem_unplug *unplug, struct gmem_tally *tally)
{
	u64 before = gmem_guest_progress(unplug->guest);
	bool taken = false;

	for (int try = 0; !taken && !tally->raced && try < TRIES; try++) {
		taken = take_page(unplug->node);
		tally->raced = gmem_guest_progress(unplug->guest) - before;
	}
	return taken;
}

TEST_F_TIMEOUT(gigantic, not_had_if_unmovable, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	struct gmem_unplug *unplug;
	bool taken;

	GMEM_CASE_BEGIN();
	unplug = gmem_unplug_begin(&gigantic, &variant->config, NPAGES, false);
	self->unplug = unplug;
	gmem_unplug_check_placed(unplug, &tally);
	taken = take_while_guest_writes(unplug, &tally);
	gmem_migration_count(unplug->migration, &tally);
	gmem_unplug_check_stayed(unplug, &tally);
	if (taken)
		gmem_fail(GMEM_LIVENESS,
			  "wanted no gigantic page over unmovable memory, got one (%s)",
			  unplug->region->name);
	gmem_unplug_verify(unplug, &tally);

	gmem_region_discard(unplug->region);
	if (!take_page(unplug->node))
		gmem_fail(GMEM_LIVENESS,
			  "wanted a gigantic page once the file is punched, got none (%s)",
			  unplug->region->name);
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED);
}

TEST_HARNESS_MAIN
