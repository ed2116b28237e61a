// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that merge pages and collapse them into huge pages: KSM and khugepaged. */
#include <errno.h>
#include <linux/compiler.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "case/gmem_deadline.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_thp.h"
#include "trigger/gmem_mechanism.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

#define KSM		"/sys/kernel/mm/ksm"
#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged"

/*
 * Waits until @counter, of the scans that have ended, has grown by @scans.  The first of them may
 * have begun before this is called; all others begin later.
 */
static void wait_scans(const char *counter, unsigned int scans)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	long until = gmem_file_read_long(counter) + scans;

	while (gmem_file_read_long(counter) < until)
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("%s: wanted %ld, got %ld", counter, until,
				    gmem_file_read_long(counter));
}

static enum gmem_skip_reason ksm_missing(void)
{
	return gmem_file_exists(KSM "/full_scans") ? GMEM_SKIP_none : GMEM_SKIP_no_ksm;
}

/* The pages of the control are equal, as are those of the region that hold zeros. */
static void ksm_allocate(struct gmem_migration *migration)
{
	gmem_migration_allocate(migration);
	gmem_sysctl_set(KSM "/sleep_millisecs", "1");
	gmem_sysctl_set(KSM "/pages_to_scan", "100000");
	gmem_sysctl_set(KSM "/run", "1");
}

/* A first scan notes what a page holds; a later one merges the page if that has not changed. */
#define KSM_SCANS 3

static void ksm_fire(struct gmem_migration *migration)
{
	gmem_mechanism_advise(migration, MADV_MERGEABLE, "MADV_MERGEABLE");
	wait_scans(KSM "/full_scans", KSM_SCANS);
}

const struct gmem_trigger gmem_trigger_ksm = {
	.name = "ksm",
	.by_address = true,
	.missing = ksm_missing,
	.allocate = ksm_allocate,
	.fire = ksm_fire,
};

static void ksm_process_fire(struct gmem_migration *migration)
{
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		gmem_broken("PR_SET_MEMORY_MERGE: %m");
	wait_scans(KSM "/full_scans", KSM_SCANS);
}

const struct gmem_trigger gmem_trigger_ksm_process = {
	.name = "ksm_process",
	.missing = ksm_missing,
	.allocate = ksm_allocate,
	.fire = ksm_process_fire,
};

/*
 * Maps the region once more, aligned to a huge page, and touches every page: only what is as
 * large as a huge page and aligned to it can become one.
 */
static char *map_aligned(struct gmem_migration *migration)
{
	size_t size = gmem_region_size(migration->region);
	char *area, *mem;

	if (size != SZ_2M)
		gmem_broken("wanted a region of %u bytes, got %zu", SZ_2M, size);
	area = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		gmem_broken("out of memory");
	mem = (char *)(((unsigned long)area + size - 1) & -size);
	if (mmap(mem, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, migration->region->fd,
		 0) == MAP_FAILED)
		gmem_broken("mmap of guest_memfd: %m");
	for (size_t page = 0; page < migration->region->npages; page++)
		(void)READ_ONCE(mem[page * migration->region->page_size]);
	return mem;
}

static void madv_collapse_fire(struct gmem_migration *migration)
{
	char *mem = map_aligned(migration);

	/* The control was created with MADV_NOHUGEPAGE, which this overrides. */
	gmem_mechanism_advise_control(migration, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	gmem_mechanism_advise_control(migration, MADV_COLLAPSE, "MADV_COLLAPSE");
	gmem_mechanism_advise_region(migration, mem, MADV_COLLAPSE, "MADV_COLLAPSE", EINVAL);
	munmap(mem, gmem_region_size(migration->region));
}

const struct gmem_trigger gmem_trigger_madv_collapse = {
	.name = "madv_collapse",
	.by_address = true,
	.missing = gmem_thp_missing,
	.fire = madv_collapse_fire,
};

static void khugepaged_allocate(struct gmem_migration *migration)
{
	gmem_migration_allocate(migration);
	gmem_sysctl_set(KHUGEPAGED "/pages_to_scan", "100000");
	gmem_sysctl_set(KHUGEPAGED "/scan_sleep_millisecs", "1");
}

static void khugepaged_fire(struct gmem_migration *migration)
{
	char *mem = map_aligned(migration);

	gmem_mechanism_advise_control(migration, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	gmem_mechanism_advise_region(migration, mem, MADV_HUGEPAGE, "MADV_HUGEPAGE", 0);
	wait_scans(KHUGEPAGED "/full_scans", 2);
	munmap(mem, gmem_region_size(migration->region));
}

const struct gmem_trigger gmem_trigger_khugepaged = {
	.name = "khugepaged",
	.by_address = true,
	.missing = gmem_thp_missing,
	.allocate = khugepaged_allocate,
	.fire = khugepaged_fire,
};
