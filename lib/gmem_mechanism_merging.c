// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that merge and collapse: KSM and khugepaged. */
#include <errno.h>
#include <string.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "gmem_case.h"
#include "gmem_deadline.h"
#include "gmem_file.h"
#include "gmem_mechanism.h"
#include "gmem_mechanism_row.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_thp.h"
#include "gmem_undo.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

/* Seconds for what the kernel's threads do within milliseconds. */
#define PATIENCE 30

#define KSM		"/sys/kernel/mm/ksm"
#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged"

/* Waits until the kernel's thread has begun and ended a scan since now, and more. */
static void wait_scans(const char *counter, unsigned int scans)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	long until = gmem_file_read_long(counter) + scans;

	while (gmem_file_read_long(counter) < until)
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("%s: %ld, wanted %ld", counter, gmem_file_read_long(counter),
				    until);
}

static enum gmem_skip ksm_missing(void)
{
	return gmem_file_exists(KSM "/full_scans") ? GMEM_SKIP_none : GMEM_SKIP_no_ksm;
}

/* The control's pages are equal, and so are those of the region that hold zeros. */
static void ksm_place(struct gmem_scene *scene)
{
	gmem_scene_allocate(scene);
	gmem_sysctl_set(KSM "/sleep_millisecs", "1");
	gmem_sysctl_set(KSM "/pages_to_scan", "100000");
	gmem_sysctl_set(KSM "/run", "1");
}

/* A page is merged if it is found unchanged; a first scan remembers what it holds. */
#define KSM_SCANS 3

static void ksm_fire(struct gmem_scene *scene)
{
	gmem_mechanism_advise(scene, MADV_MERGEABLE, "MADV_MERGEABLE");
	wait_scans(KSM "/full_scans", KSM_SCANS);
}

const struct gmem_trigger gmem_mechanism_ksm = {
	.name = "ksm",
	.by_address = true,
	.missing = ksm_missing,
	.place = ksm_place,
	.fire = ksm_fire,
};

static void ksm_process_fire(struct gmem_scene *scene)
{
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		gmem_broken("PR_SET_MEMORY_MERGE: %m");
	wait_scans(KSM "/full_scans", KSM_SCANS);
}

const struct gmem_trigger gmem_mechanism_ksm_process = {
	.name = "ksm_process",
	.missing = ksm_missing,
	.place = ksm_place,
	.fire = ksm_process_fire,
};

/* Huge pages: only what is aligned to one, and as large, can become one. */

/* Maps the region once more, aligned, and touches every page. */
static char *map_aligned(struct gmem_scene *scene)
{
	size_t size = gmem_region_size(scene->region);
	char *area, *mem;

	if (size != SZ_2M)
		gmem_broken("a region of %zu bytes cannot become a huge page", size);
	area = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		gmem_broken("out of memory");
	mem = (char *)(((unsigned long)area + size - 1) & -size);
	if (mmap(mem, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, scene->region->fd,
		 0) == MAP_FAILED)
		gmem_broken("mmap of guest_memfd: %m");
	for (size_t page = 0; page < scene->region->npages; page++)
		(void)READ_ONCE(mem[page * scene->region->page_size]);
	return mem;
}

static void madv_collapse_fire(struct gmem_scene *scene)
{
	char *mem = map_aligned(scene);

	/* Overrides the control's own MADV_NOHUGEPAGE. */
	gmem_mechanism_advise_control(scene, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	gmem_mechanism_advise_control(scene, MADV_COLLAPSE, "MADV_COLLAPSE");
	gmem_mechanism_advise_region(scene, mem, MADV_COLLAPSE, "MADV_COLLAPSE", EINVAL);
	munmap(mem, gmem_region_size(scene->region));
}

const struct gmem_trigger gmem_mechanism_madv_collapse = {
	.name = "madv_collapse",
	.by_address = true,
	.missing = gmem_thp_missing,
	.fire = madv_collapse_fire,
};

static void khugepaged_place(struct gmem_scene *scene)
{
	gmem_scene_allocate(scene);
	gmem_sysctl_set(KHUGEPAGED "/pages_to_scan", "100000");
	gmem_sysctl_set(KHUGEPAGED "/scan_sleep_millisecs", "1");
}

static void khugepaged_fire(struct gmem_scene *scene)
{
	char *mem = map_aligned(scene);

	gmem_mechanism_advise_control(scene, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	gmem_mechanism_advise_region(scene, mem, MADV_HUGEPAGE, "MADV_HUGEPAGE", 0);
	wait_scans(KHUGEPAGED "/full_scans", 2);
	munmap(mem, gmem_region_size(scene->region));
}

const struct gmem_trigger gmem_mechanism_khugepaged = {
	.name = "khugepaged",
	.by_address = true,
	.missing = gmem_thp_missing,
	.place = khugepaged_place,
	.fire = khugepaged_fire,
};
