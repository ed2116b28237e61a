// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soft offline of a guest_memfd page does what it reports, and no more.
 *
 * Contract: C12: reported as done, the frame is out of use and another one has the
 *	     contents; reported as failed, nothing has changed; neighbours keep their
 *	     frames; C4: unmovable memory keeps frame and stage-2 mapping; C9: movable
 *	     memory does move; C1: and is read back.
 * Method:   pages are offlined one by one, by address or by frame: never mapped by
 *	     the host, mapped once, mapped still.  In one case the guest has written
 *	     them; they are offlined twice while it writes the pages beside them, as
 *	     the first time must not have made them clean, and once while it writes
 *	     them, too.  In the other one nobody has.  What was reported is compared
 *	     with frames by lookup, which maps nothing, with their poison flag and the
 *	     kernel's count, and all bytes are compared at the end.
 * Guards:   broken unless an ordinary page beside it was offlined and did move, the
 *	     guest wrote meanwhile, and bytes were compared.
 * Needs:    memory failure handling with HWPOISON_INJECT; kprobe events; two nodes.
 * Kills:    soft-offline-unmovable-succeeds, soft-offline-frame-stays-in-use,
 *	     opt-in-ignored, migrate-core-ignores-unmovable, dirty-refused,
 *	     eagain-forever, no-invalidate, copy-half-page,
 *	     uptodate-dropped, soft-offline-evicts
 */
#include <sys/mman.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_poison.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_offline.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	16
/* The guest lets pages below be, where it is not to write to what is offlined. */
#define IDLE	8
#define TRIES	10

/* What is offlined, and what of it the host maps, where it can. */
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

/* What was reported, and what has become of the frame, which is now @now. */
static void check_report(const struct gmem_offline *offline, const struct target *target,
			 int err, u64 now)
{
	u64 pfn = offline->pfns[target->page];
	bool poisoned = gmem_poison_has(pfn);
	bool moved = now != pfn;
	bool done = !err;

	fprintf(stderr, "# %s: %s: reported %s; frame %#lx, then %#lx\n", offline->how->name,
		target->name, done ? "as done" : strerror(-err), pfn, now);
	if (moved == done && poisoned == done)
		return;
	gmem_fail(GMEM_MEMORY_FAILURE, "%s: %s: reported %s, wanted %s, got %s, %#lx after %#lx, %s",
		  offline->how->name, target->name, done ? "as done" : strerror(-err),
		  done ? "another frame, and the old one poisoned" : "no change",
		  moved ? "another frame" : "the same frame", now, pfn,
		  poisoned ? "poisoned" : "not poisoned");
}

/* Returns what was reported, which is what happened. */
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

/* One refusal of a page that is in use is no failure, where it is to move. */
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

/* Of an ordinary page it is done, and reported. */
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
		gmem_broken("%s: an ordinary page of frame %#lx: reported %s, frame is now %#lx",
			    how->name, pfn, err ? strerror(-err) : "as done",
			    control->pfns[0]);
	gmem_anon_free(control);
}

/* All targets, while the guest writes [@first, NPAGES). */
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
	struct gmem_offline *offline = gmem_offline_begin(variant->how, &variant->config, NPAGES, written);

	map_on_host(offline->region);
	if (!offline->region->movable)
		offline->probe = gmem_unmap_probe_start(offline->region);
	return offline;
}

static void end(struct gmem_offline *offline, struct gmem_tally *tally)
{
	unsigned int required = GMEM_STAYED | GMEM_CONTROL | GMEM_RACED | GMEM_VERIFIED;
	u64 first, unmaps = 0;

	if (offline->region->movable)
		required |= GMEM_MOVED;
	else
		unmaps = gmem_unmap_probe_count(offline->probe, &first);
	if (unmaps)
		gmem_fail(GMEM_UNMOVABLE, "%s: wanted no stage-2 unmap, got %lu, the first at page %lu",
			  offline->how->name, unmaps, first);
	tally->verified = gmem_guest_verify(offline->guest);
	offline_control(offline->how, tally);
	if (gmem_offline_count(offline) != tally->moved + tally->control)
		gmem_fail(GMEM_MEMORY_FAILURE, "%s: wanted %lu more frames in HardwareCorrupted, got %ld",
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
	offline_all(self->offline, IDLE, &tally);
	/* Again, as nobody has made them dirty since; then while they are written, too. */
	offline_all(self->offline, IDLE, &tally);
	offline_all(self->offline, 0, &tally);
	end(self->offline, &tally);
}

TEST_F_TIMEOUT(soft_offline, clean, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};

	GMEM_CASE_BEGIN();
	self->offline = begin(variant, false);
	offline_all(self->offline, IDLE, &tally);
	end(self->offline, &tally);
}

TEST_HARNESS_MAIN
