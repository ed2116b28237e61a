// SPDX-License-Identifier: GPL-2.0-only
/*
 * A broken guest_memfd page is out of reach for guest and host, and no other page is.
 *
 * Contract: C12: an access ends in EHWPOISON and KVM_EXIT_MEMORY_FAULT, or in SIGBUS,
 *	     until the page is punched out; what is reported is what was done; no
 *	     other page is moved or unmapped, movable or not; C1: others keep their
 *	     contents, and a page in its place is all zeros; C2: nobody reaches the
 *	     broken frame.
 * Method:   one page that the guest has written, and the host mapped where it can, is
 *	     said to be broken, by address or by frame, while the guest writes others;
 *	     then the guest reads it, and the host.  It is punched out, and the guest
 *	     goes on where it was.  Frames are compared by lookup, before and after,
 *	     and all bytes at the end; a probe counts stage-2 unmaps.  Apart from
 *	     that, what is reported is compared with the frame's poison flag.
 * Guards:   broken unless the guest wrote meanwhile and bytes were compared; fails
 *	     unless the frame is poisoned, and counted, and the guest is stopped.
 * Needs:    memory failure handling with HWPOISON_INJECT; kprobe events; two nodes.
 * Kills:    error-folio-no-zap, hwpoison-check-dropped, error-folio-truncates
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "gmem_case.h"
#include "gmem_frame.h"
#include "gmem_guest.h"
#include "gmem_poison.h"
#include "gmem_region.h"
#include "gmem_stage2.h"
#include "gmem_variant.h"

#define NPAGES	16
/* The page that breaks; the guest writes those from OTHERS on meanwhile. */
#define BROKEN	5
#define OTHERS	6

FIXTURE(hard_offline) {
	struct gmem_region *region;
	struct gmem_guest *guest;
	struct gmem_stage2 *witness;
};

FIXTURE_VARIANT(hard_offline) {
	const struct gmem_vm_type *type;
	__u64 flags;
	const struct gmem_poison *how;
};

#define VARIANT(_type, _flags, _how) \
FIXTURE_VARIANT_ADD(hard_offline, _type##_##_flags##_##_how) { \
	.type = &gmem_vm_##_type, \
	.flags = GMEM_FLAGS_##_flags, \
	.how = &gmem_poison_##_how, \
};
VARIANT(default, optin_mmap_shared, hard_offline_page)
VARIANT(default, optin_mmap_shared, madv_hwpoison)
VARIANT(default, optin_mmap, corrupt_pfn)
VARIANT(default, mmap_shared, hard_offline_page)
VARIANT(default, mmap_shared, madv_hwpoison)
VARIANT(default, mmap, corrupt_pfn)
VARIANT(sw_protected, none, corrupt_pfn)

FIXTURE_SETUP(hard_offline)
{
}

FIXTURE_TEARDOWN(hard_offline)
{
	gmem_guest_free(self->guest);
	gmem_stage2_free(self->witness);
	gmem_region_free(self->region);
}

static sigjmp_buf access_ended;
static int in_access, signal_code;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	WRITE_ONCE(signal_code, info->si_code);
	if (READ_ONCE(in_access))
		siglongjmp(access_ended, 1);
}

/* MADV_HWPOISON sends one as well: as if the caller had run into the page. */
static void expect_sigbus(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGBUS, &action, NULL))
		gmem_broken("sigaction: %m");
}

static void check_host_access(char *addr)
{
	int code;

	WRITE_ONCE(signal_code, 0);
	WRITE_ONCE(in_access, 1);
	if (!sigsetjmp(access_ended, true))
		(void)READ_ONCE(*addr);
	WRITE_ONCE(in_access, 0);
	code = READ_ONCE(signal_code);
	if (code != BUS_MCEERR_AR)
		gmem_fail(GMEM_C12, "host: page %d: wanted SIGBUS with code %d, got %s %d", BROKEN,
			  BUS_MCEERR_AR, code ? "code" : "its contents", code);
}

/* By the entry that replaced its mapping, and once more by a fault. */
static void check_host(char *addr, size_t page_size)
{
	check_host_access(addr);
	if (madvise(addr, page_size, MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED of a broken page: %m");
	check_host_access(addr);
}

/* Has page BROKEN break; returns what is reported. */
static int break_page(struct gmem_region *region, const struct gmem_poison *how, __u64 frame)
{
	char *addr = NULL;

	expect_sigbus();
	if (region->host_maps) {
		addr = gmem_region_host(region, BROKEN);
		(void)READ_ONCE(*addr);
	}
	return __gmem_poison(how, addr, frame);
}

static void check_broken(const struct gmem_poison *how, __u64 frame, long before)
{
	if (!gmem_poison_has(frame))
		gmem_fail(GMEM_C12, "%s: wanted frame %#llx to be poisoned, got no such flag",
			  how->name, frame);
	if (gmem_poison_count() != before + 1)
		gmem_fail(GMEM_C12, "%s: wanted %ld unusable frames in /proc/meminfo, got %ld",
			  how->name, before + 1, gmem_poison_count());
}

static void check_unmaps(struct gmem_stage2 *witness, const struct gmem_poison *how)
{
	__u64 first, unmaps = gmem_stage2_unmaps(witness, &first);

	if (!unmaps)
		gmem_fail(GMEM_C2, "%s: wanted page %d unmapped from stage-2, got no unmap",
			  how->name, BROKEN);
	if (unmaps > 1 || first != BROKEN)
		gmem_fail(GMEM_C12,
			  "%s: wanted only page %d unmapped from stage-2, got %llu unmaps, the first at page %llu",
			  how->name, BROKEN, unmaps, first);
}

/* All frames are what they were; of page BROKEN as long as it is there. */
static void check_frames(struct gmem_region *region, const __u64 *frames, bool punched,
			 struct gmem_tally *tally)
{
	__u64 now[NPAGES];

	gmem_frame_lookup(region, now);
	for (size_t page = 0; page < NPAGES; page++) {
		bool same = now[page] == frames[page];

		if (same == (punched && page == BROKEN))
			gmem_fail(GMEM_C12, "page %zu: wanted %s frame than %#llx, got %#llx", page,
				  same ? "another" : "no other", frames[page], now[page]);
		tally->stayed += same;
	}
}

TEST_F_TIMEOUT(hard_offline, out_of_reach, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	__u64 frames[NPAGES], before;
	long count;

	GMEM_CASE_BEGIN();
	gmem_skip_if(gmem_poison_missing(variant->how));
	self->region = gmem_variant_region(variant->type, variant->flags, NPAGES);
	self->guest = gmem_guest_create(self->region);
	gmem_frame_lookup(self->region, frames);
	self->witness = gmem_stage2_watch(self->region);

	gmem_guest_run_on(self->guest, GMEM_GUEST_WRITE, OTHERS, NPAGES - OTHERS);
	gmem_guest_wait_rounds(self->guest, 1);
	before = gmem_guest_progress(self->guest);
	count = gmem_poison_count();
	break_page(self->region, variant->how, frames[BROKEN]);
	gmem_guest_wait_rounds(self->guest, 1);
	tally.raced = gmem_guest_progress(self->guest) - before;
	gmem_guest_pause(self->guest);
	check_broken(variant->how, frames[BROKEN], count);
	check_frames(self->region, frames, false, &tally);

	/* It reads a word of zeros only once there is another page. */
	gmem_guest_forget(self->guest, BROKEN, 1);
	gmem_guest_run_on(self->guest, GMEM_GUEST_CHECK, BROKEN, 1);
	gmem_guest_wait_poison(self->guest, BROKEN);
	if (self->region->host_maps)
		check_host(gmem_region_host(self->region, BROKEN), self->region->page_size);
	check_unmaps(self->witness, variant->how);

	gmem_region_punch(self->region, BROKEN, 1);
	gmem_guest_run_on(self->guest, GMEM_GUEST_CHECK, BROKEN, 1);
	gmem_guest_pause(self->guest);
	check_frames(self->region, frames, true, &tally);
	tally.verified = gmem_guest_verify(self->guest);
	gmem_poison_take_back();
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_RACED | GMEM_VERIFIED);
}

/* What is reported does not depend on the rest of it: one case for each way to do it. */
FIXTURE(hard_report) {
	struct gmem_region *region;
};

FIXTURE_VARIANT(hard_report) {
	__u64 flags;
	const struct gmem_poison *how;
};

#define REPORT(_flags, _how) \
FIXTURE_VARIANT_ADD(hard_report, _flags##_##_how) { \
	.flags = GMEM_FLAGS_##_flags, \
	.how = &gmem_poison_##_how, \
};
REPORT(optin_mmap_shared, hard_offline_page)
REPORT(mmap_shared, madv_hwpoison)
REPORT(mmap_shared, corrupt_pfn)

FIXTURE_SETUP(hard_report)
{
}

FIXTURE_TEARDOWN(hard_report)
{
	gmem_region_free(self->region);
}

TEST_F_TIMEOUT(hard_report, is_what_was_done, GMEM_CASE_TIMEOUT)
{
	struct gmem_tally tally = {};
	__u64 frames[NPAGES];
	int err;

	GMEM_CASE_BEGIN();
	gmem_skip_if(gmem_poison_missing(variant->how));
	self->region = gmem_variant_region(&gmem_vm_default, variant->flags, NPAGES);
	gmem_frame_read(self->region, frames);
	err = break_page(self->region, variant->how, frames[BROKEN]);
	if (gmem_poison_has(frames[BROKEN]) != !err)
		gmem_fail(GMEM_C12, "%s: reported %s, wanted what was done, got frame %#llx %s",
			  variant->how->name, err ? strerror(-err) : "as done", frames[BROKEN],
			  err ? "poisoned" : "not poisoned");
	tally.placed = 1;
	gmem_region_discard(self->region);
	gmem_poison_take_back();
	gmem_case_pass(&tally, GMEM_PLACED);
}

TEST_HARNESS_MAIN
