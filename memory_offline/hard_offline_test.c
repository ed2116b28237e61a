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
 * Kills:    error-folio-no-zap, hwpoison-check-dropped, error-folio-truncates,
 *	     hard-offline-reports-failure
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "mm/gmem_poison.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_offline.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	16
/* The page that breaks; the guest writes those from OTHERS on meanwhile. */
#define BROKEN	5
#define OTHERS	6

GMEM_OFFLINE_FIXTURE(hard_offline)

#define VARIANT(_type, _flags, _how) \
GMEM_VARIANT(hard_offline, _type##_##_flags##_##_how, GMEM_CONFIG(_type, _flags), \
	     .how = &gmem_poison_##_how)
VARIANT(default, optin_mmap_shared, hard_offline_page)
VARIANT(default, optin_mmap_shared, madv_hwpoison)
VARIANT(default, optin_mmap, corrupt_pfn)
VARIANT(default, mmap_shared, hard_offline_page)
VARIANT(default, mmap_shared, madv_hwpoison)
VARIANT(default, mmap, corrupt_pfn)
VARIANT(sw_protected, none, corrupt_pfn)

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
		gmem_fail(GMEM_MEMORY_FAILURE, "host: page %d: wanted SIGBUS with code %d, got %s %d", BROKEN,
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
static int break_page(struct gmem_offline *offline)
{
	expect_sigbus();
	if (offline->region->host_maps)
		(void)READ_ONCE(*(char *)gmem_region_host(offline->region, BROKEN));
	return __gmem_offline_page(offline, BROKEN);
}

static void check_broken(const struct gmem_offline *offline)
{
	if (!gmem_poison_has(offline->pfns[BROKEN]))
		gmem_fail(GMEM_MEMORY_FAILURE, "%s: wanted frame %#lx to be poisoned, got no such flag",
			  offline->how->name, offline->pfns[BROKEN]);
	if (gmem_offline_count(offline) != 1)
		gmem_fail(GMEM_MEMORY_FAILURE, "%s: wanted 1 more unusable frame in /proc/meminfo, got %ld",
			  offline->how->name, gmem_offline_count(offline));
}

static void check_unmaps(struct gmem_offline *offline)
{
	u64 first, unmaps = gmem_unmap_probe_count(offline->probe, &first);

	if (!unmaps)
		gmem_fail(GMEM_STAGE2, "%s: wanted page %d unmapped from stage-2, got no unmap",
			  offline->how->name, BROKEN);
	if (unmaps > 1 || first != BROKEN)
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "%s: wanted only page %d unmapped from stage-2, got %lu unmaps, the first at page %lu",
			  offline->how->name, BROKEN, unmaps, first);
}

/* All frames are what they were; of page BROKEN as long as it is there. */
static void check_frames(struct gmem_offline *offline, bool punched, struct gmem_tally *tally)
{
	u64 was = offline->pfns[BROKEN], now[NPAGES];
	bool same;

	gmem_pfn_lookup(offline->region, now);
	gmem_offline_check_others(offline, BROKEN, now);
	same = now[BROKEN] == was;
	if (same == punched)
		gmem_fail(GMEM_MEMORY_FAILURE, "page %d: wanted %s frame than %#lx, got %#lx", BROKEN,
			  punched ? "another" : "no other", was, now[BROKEN]);
	tally->stayed += NPAGES - punched;
}

TEST_F_TIMEOUT(hard_offline, out_of_reach, GMEM_CASE_TIMEOUT)
{
	struct gmem_offline *offline;
	struct gmem_tally tally = {};
	struct gmem_region *region;
	struct gmem_guest *guest;
	u64 before;

	GMEM_CASE_BEGIN();
	offline = gmem_offline_begin(variant->how, &variant->config, NPAGES, true);
	self->offline = offline;
	region = offline->region;
	guest = offline->guest;
	offline->probe = gmem_unmap_probe_start(region);

	gmem_guest_run_on(guest, GMEM_GUEST_WRITE, OTHERS, NPAGES - OTHERS);
	gmem_guest_wait_rounds(guest, 1);
	before = gmem_guest_progress(guest);
	break_page(offline);
	gmem_guest_wait_rounds(guest, 1);
	tally.raced = gmem_guest_progress(guest) - before;
	gmem_guest_pause(guest);
	check_broken(offline);
	check_frames(offline, false, &tally);

	/* It reads a word of zeros only once there is another page. */
	gmem_guest_forget(guest, BROKEN, 1);
	gmem_guest_run_on(guest, GMEM_GUEST_CHECK, BROKEN, 1);
	gmem_guest_wait_poison(guest, BROKEN);
	if (region->host_maps)
		check_host(gmem_region_host(region, BROKEN), region->page_size);
	check_unmaps(offline);

	gmem_region_punch(region, BROKEN, 1);
	gmem_guest_run_on(guest, GMEM_GUEST_CHECK, BROKEN, 1);
	gmem_guest_pause(guest);
	check_frames(offline, true, &tally);
	tally.verified = gmem_guest_verify(guest);
	gmem_poison_take_back();
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_RACED | GMEM_VERIFIED);
}

/* What is reported does not depend on the rest of it. */
TEST_F_TIMEOUT(hard_offline, report_is_what_was_done, GMEM_CASE_TIMEOUT)
{
	struct gmem_offline *offline;
	struct gmem_tally tally = {};
	u64 pfn;
	int err;

	GMEM_CASE_BEGIN();
	offline = gmem_offline_begin(variant->how, &variant->config, NPAGES, false);
	self->offline = offline;
	pfn = offline->pfns[BROKEN];
	err = break_page(offline);
	if (gmem_poison_has(pfn) != !err)
		gmem_fail(GMEM_MEMORY_FAILURE, "%s: reported %s, wanted what was done, got frame %#lx %s",
			  variant->how->name, err ? strerror(-err) : "as done", pfn,
			  err ? "poisoned" : "not poisoned");
	tally.placed = 1;
	gmem_region_discard(offline->region);
	gmem_poison_take_back();
	gmem_case_pass(&tally, GMEM_PLACED);
}

TEST_HARNESS_MAIN
