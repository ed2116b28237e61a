// SPDX-License-Identifier: GPL-2.0-only
/*
 * Neither guest nor host can access a poisoned guest_memfd page, and every other page they can.
 *
 * Contract: C12: an access ends in EHWPOISON and KVM_EXIT_MEMORY_FAULT, or in SIGBUS,
 *	     until the page is punched; the kernel reports what it did; it moves and
 *	     unmaps no other page, movable or not; C1: other pages keep their contents,
 *	     and the page that replaces it is all zeros; C2: nobody can access the
 *	     poisoned pfn.
 * Method:   the guest has written one page, and the host has mapped it if it can.  The
 *	     test tells the kernel, by address or by pfn, that the page is broken, while
 *	     the guest writes other pages.  Then guest and host read it.  It is punched,
 *	     and the guest repeats its access.  Pfns are compared by lookup before and
 *	     after, and all bytes at the end; a probe counts stage-2 unmaps.  The other
 *	     case compares what the kernel reports with the poison flag of the pfn.
 * Guards:   broken unless the guest wrote meanwhile and bytes were compared; fails
 *	     unless the pfn is poisoned, and counted, and the guest is stopped.
 * Needs:    memory failure handling with HWPOISON_INJECT; kprobe events; two nodes.
 * Kills:    error-folio-no-zap, hwpoison-check-dropped, error-folio-truncates,
 *	     hard-offline-reports-failure
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "kselftest_harness.h"

#include "case/gmem_case.h"
#include "case/gmem_result.h"
#include "mm/gmem_poison.h"
#include "observe/gmem_pfn.h"
#include "observe/gmem_unmap_probe.h"
#include "trigger/gmem_offline.h"
#include "trigger/gmem_variant.h"
#include "vm/gmem_guest.h"
#include "vm/gmem_region.h"

#define NPAGES	16
/* The page that is poisoned.  The guest writes pages from OTHERS on meanwhile. */
#define POISONED 5
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

/* MADV_HWPOISON sends SIGBUS to its caller, too, as if that had accessed the page. */
static void catch_sigbus(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGBUS, &action, NULL))
		gmem_broken("sigaction: %m");
}

/* Fails the case unless a read at @addr raises SIGBUS for a poisoned page. */
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
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "host: page %d: wanted SIGBUS with code %d, got code %d (0 is no signal)",
			  POISONED, BUS_MCEERR_AR, code);
}

/* The first access meets the entry that replaced the page's PTE; the second one has no PTE. */
static void check_host(char *addr, size_t page_size)
{
	check_host_access(addr);
	if (madvise(addr, page_size, MADV_DONTNEED))
		gmem_broken("MADV_DONTNEED of a poisoned page: %m");
	check_host_access(addr);
}

/* Poisons page POISONED, and returns what the kernel reports: 0 or -errno. */
static int poison_page(struct gmem_offline *offline)
{
	catch_sigbus();
	if (offline->region->host_maps)
		(void)READ_ONCE(*(char *)gmem_region_host(offline->region, POISONED));
	return __gmem_offline_page(offline, POISONED);
}

static void check_poisoned(const struct gmem_offline *offline)
{
	if (!gmem_poison_has(offline->pfns[POISONED]))
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "%s: wanted pfn %#lx to be poisoned, got no such flag",
			  offline->how->name, offline->pfns[POISONED]);
	if (gmem_offline_count(offline) != 1)
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "%s: wanted 1 more page in HardwareCorrupted, got %ld",
			  offline->how->name, gmem_offline_count(offline));
}

static void check_unmaps(struct gmem_offline *offline)
{
	u64 first, unmaps = gmem_unmap_probe_count(offline->probe, &first);

	if (!unmaps)
		gmem_fail(GMEM_STAGE2, "%s: wanted page %d unmapped from stage-2, got no unmap",
			  offline->how->name, POISONED);
	if (unmaps > 1 || first != POISONED)
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "%s: wanted only page %d unmapped from stage-2, got %lu unmaps, the first at page %lu",
			  offline->how->name, POISONED, unmaps, first);
}

/* Fails the case unless all pfns are as before, but for page POISONED once it is @punched. */
static void check_pfns(struct gmem_offline *offline, bool punched, struct gmem_tally *tally)
{
	u64 before = offline->pfns[POISONED], now[NPAGES];
	bool same;

	gmem_pfn_lookup(offline->region, now);
	gmem_offline_check_others(offline, POISONED, now);
	same = now[POISONED] == before;
	if (same == punched)
		gmem_fail(GMEM_MEMORY_FAILURE, "page %d: wanted %s than %#lx, got %#lx", POISONED,
			  punched ? "another pfn" : "no other pfn", before, now[POISONED]);
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
	poison_page(offline);
	gmem_guest_wait_rounds(guest, 1);
	tally.raced = gmem_guest_progress(guest) - before;
	gmem_guest_pause(guest);
	check_poisoned(offline);
	check_pfns(offline, false, &tally);

	/* The guest cannot read the page until another one replaces it, which is all zeros. */
	gmem_guest_forget(guest, POISONED, 1);
	gmem_guest_run_on(guest, GMEM_GUEST_CHECK, POISONED, 1);
	gmem_guest_wait_poison(guest, POISONED);
	if (region->host_maps)
		check_host(gmem_region_host(region, POISONED), region->page_size);
	check_unmaps(offline);

	gmem_region_punch(region, POISONED, 1);
	gmem_guest_run_on(guest, GMEM_GUEST_CHECK, POISONED, 1);
	gmem_guest_pause(guest);
	check_pfns(offline, true, &tally);
	tally.verified = gmem_guest_verify(guest);
	gmem_poison_take_back();
	gmem_case_pass(&tally, GMEM_STAYED | GMEM_RACED | GMEM_VERIFIED);
}

/* This is a case of its own, because a kernel may do the right thing and report another. */
TEST_F_TIMEOUT(hard_offline, report_is_what_was_done, GMEM_CASE_TIMEOUT)
{
	struct gmem_offline *offline;
	struct gmem_tally tally = {};
	u64 pfn;
	int err;

	GMEM_CASE_BEGIN();
	offline = gmem_offline_begin(variant->how, &variant->config, NPAGES, false);
	self->offline = offline;
	pfn = offline->pfns[POISONED];
	err = poison_page(offline);
	if (gmem_poison_has(pfn) != !err)
		gmem_fail(GMEM_MEMORY_FAILURE,
			  "%s: reported %s, wanted what was done, got frame %#lx %s",
			  variant->how->name, err ? strerror(-err) : "as done", pfn,
			  err ? "poisoned" : "not poisoned");
	tally.placed = 1;
	gmem_region_discard(offline->region);
	gmem_poison_take_back();
	gmem_case_pass(&tally, GMEM_PLACED);
}

TEST_HARNESS_MAIN
