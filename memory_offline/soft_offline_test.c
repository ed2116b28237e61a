// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soft offline of a guest_memfd page does what it reports, and no more.
 *
 * Contract: C12: if success is reported, the old pfn is out of use and another one has
 *	     the contents; if failure is reported, nothing has changed; other pages keep
 *	     their pfns; C4: unmovable memory keeps pfn and stage-2 mapping; C9: movable
 *	     memory does move; C1: every byte is read back.
 * Method:   pages are offlined one by one, by address or by pfn: one that the host never
 *	     mapped, one that it mapped once, and one that it still maps.  In one case the
 *	     guest has written them.  They are offlined twice while it writes the pages
 *	     beside them, because the first time must not have made them clean, and once
 *	     more while it writes them, too.  In the other case nobody has written them.
 *	     The report is compared with pfns by lookup, which maps nothing, with their
 *	     poison flag and with the kernel's count, and all bytes are compared at the end.
 * Guards:   broken unless a page of the control was offlined and did move, the guest
 *	     wrote meanwhile, and bytes were compared.
 * Needs:    memory failure handling with HWPOISON_INJECT; kprobe events; two nodes.
 * Kills:    soft-offline-unmovable-succeeds, soft-offline-frame-stays-in-use,
 *	     opt-in-ignored, migrate-core-ignores-unmovable, dirty-refused,
 *	     eagain-forever, no-invalidate, copy-half-page,
 *	     uptodate-dropped, soft-offline-evicts
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_poison.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_offline.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	16
/* All pages that are offlined lie below this one.  The guest may write from here on only. */
#define BESIDE	8
/* A page that is in use for a moment is offlined within this many attempts. */
#define TRIES	10

/* The pages that are offlined, and how the host has mapped them if it can. */
static const struct target {
	size_t page;
	bool mapped_once, mapped_still;
	const char *name;
} targets[] = {
	{ 1, false, false, "page 1 (never mapped)" },
	{ 3, true, false, "page 3 (mapped once)" },
	{ 5, true, true, "page 5 (mapped)" },
};

GMEM_OFFLINE_FIXTURE(soft_offline)

#define VARIANT(_type, _flags, _how) \
GMEM_VARIANT(soft_offline, _type##_##_flags##_##_how, GMEM_CONFIG(_type, _flags), \
	     .how = &gmem_poison_##_how)
VARIANT(default, optin_mmap_shared, soft_offline_page)
VARIANT(default, optin_mmap_shared, madv_soft_offline)
VARIANT(default, optin_mmap, soft_offline_page)
VARIANT(default, mmap_shared, soft_offline_page)
VARIANT(default, mmap_shared, madv_soft_offline)
VARIANT(default, mmap_shared_alias, madv_soft_offline)
VARIANT(sw_protected, none, soft_offline_page)

static void map_on_host(struct gmem_region *region)
{
	for (int i = 0; i < ARRAY_SIZE(targets) && region->host_maps; i++) {
		char *addr = gmem_region_host(region, targets[i].page);

		if (targets[i].mapped_once)
			(void)READ_ONCE(*addr);
		if (!targets[i].mapped_still && madvise(addr, region->page_size, MADV_DONTNEED))
			gmem_broken("MADV_DONTNEED of guest_memfd: %m");
	}
}

/* Fails the case unless @err, which was reported, agrees with pfn @now and the poison flag. */
static void check_report(const struct gmem_offline *offline, const struct target *target,
			 int err, u64 now)
{
	u64 pfn = offline->pfns[target->page];
	bool poisoned = gmem_poison_has(pfn);
	bool moved = now != pfn;
	bool done = !err;

	fprintf(stderr, "# %s: %s: reported %s; pfn %#lx, then %#lx\n", offline->how->name,
		target->name, done ? "as done" : strerror(-err), pfn, now);
	if (moved == done && poisoned == done)
		return;
	gmem_fail(GMEM_MEMORY_FAILURE,
		  "%s: %s: reported %s, wanted %s, got %s, %#lx after %#lx, %s",
		  offline->how->name, target->name, done ? "as done" : strerror(-err),
		  done ? "another pfn, and the old one poisoned" : "no change",
		  moved ? "another pfn" : "the same pfn", now, pfn,
		  poisoned ? "poisoned" : "not poisoned");
}

/* Has @target offlined, and returns what was reported, which agrees with what was done. */
static int try_target(struct gmem_offline *offline, const struct target *target,
		      struct gmem_tally *tally)
{
	struct gmem_region *region = offline->region;
	u64 now[NPAGES];
	int err;

	err = __gmem_offline_page(offline, target->page);
	gmem_pfn_lookup(region, now);
	check_report(offline, target, err, now[target->page]);
	gmem_offline_check_others(offline, target->page, now);
	if (!region->movable && !err)
		gmem_fail(GMEM_UNMOVABLE,
			  "%s: %s: wanted the same frame, got %#lx instead of %#lx (%s)",
			  offline->how->name, target->name, now[target->page],
			  offline->pfns[target->page], region->name);
	tally->moved += !err;
	tally->stayed += NPAGES - !err;
	memcpy(offline->pfns, now, sizeof(now));
	return err;
}

/* The kernel may refuse a movable page while it is in use, but not each time. */
static void offline_target(struct gmem_offline *offline, const struct target *target,
			   struct gmem_tally *tally)
{
	int err = try_target(offline, target, tally);

	for (int try = 1; err && offline->region->movable; try++) {
		if (try == TRIES)
			gmem_fail(GMEM_LIVENESS, "%s: %s: wanted it offlined, got %s %d times",
				  offline->how->name, target->name, strerror(-err), TRIES);
		err = try_target(offline, target, tally);
	}
}

/* The case is BROKEN unless a page of the control is offlined, and that is reported. */
static void offline_control(const struct gmem_poison *how, struct gmem_tally *tally)
{
	struct gmem_anon *control = gmem_anon_create(1);
	u64 pfn;
	int err;

	gmem_anon_touch(control, 0, 1);
	gmem_anon_snapshot(control);
	pfn = control->pfns[0];
	err = __gmem_poison(how, control->mem, pfn);
	tally->control = gmem_anon_moved(control);
	if (err || !tally->control || !gmem_poison_has(pfn))
		gmem_broken("%s: the control at pfn %#lx: reported %s, the pfn is now %#lx",
			    how->name, pfn, err ? strerror(-err) : "as done", control->pfns[0]);
	gmem_anon_free(control);
}

/* Has all targets offlined while the guest writes pages [@first, NPAGES). */
static void offline_all(struct gmem_offline *offline, size_t first, struct gmem_tally *tally)
{
	struct gmem_guest *guest = offline->guest;
	u64 before;

	gmem_guest_run_on(guest, GMEM_GUEST_WRITE, first, NPAGES - first);
	gmem_guest_wait_rounds(guest, 1);
	before = gmem_guest_progress(guest);
	for (int i = 0; i < ARRAY_SIZE(targets); i++)
		offline_target(offline, &targets[i], tally);
	gmem_guest_wait_rounds(guest, 1);
	tally->raced += gmem_guest_progress(guest) - before;
	gmem_guest_pause(guest);
}

static struct gmem_offline *begin(const FIXTURE_VARIANT(soft_offline) * variant, bool written)
{
	struct gmem_offline *offline;

	offline = gmem_offline_begin(variant->how, &variant->config, NPAGES, written);
	map_on_host(offline->region);
	if (!offline->region->movable)
		offline->probe = gmem_unmap_probe_start(offline->region);
	return offline;
}

static void end(struct gmem_offline *offline, struct gmem_tally *tally)
{
	unsigned int required = GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED;

	if (offline->region->movable)
		required |= GMEM_MOVED;
	else
		gmem_check_not_unmapped(GMEM_UNMOVABLE, offline->how->name, offline->probe);
	tally->verified = gmem_guest_verify(offline->guest);
	offline_control(offline->how, tally);
	if (gmem_offline_count(offline) != tally->moved + tally->control)
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "%s: wanted %lu more pages in HardwareCorrupted, got %ld",
			  offline->how->name, tally->moved + tally->control,
			  gmem_offline_count(offline));
	gmem_poison_take_back();
	gmem_case_pass(tally, required);
}

TEST_F_TIMEOUT(soft_offline, written, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	self->offline = begin(variant, true);
	offline_all(self->offline, BESIDE, &tally);
	/* Nobody has written the targets since: the first time must have kept them dirty. */
	offline_all(self->offline, BESIDE, &tally);
	offline_all(self->offline, 0, &tally);
	end(self->offline, &tally);
}

TEST_F_TIMEOUT(soft_offline, clean, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	self->offline = begin(variant, false);
	offline_all(self->offline, BESIDE, &tally);
	end(self->offline, &tally);
}

TEST_HARNESS_MAIN
