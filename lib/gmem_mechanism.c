// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms: what the kernel must never do to guest_memfd. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "gmem_balancing.h"
#include "gmem_case.h"
#include "gmem_cgroup.h"
#include "gmem_control.h"
#include "gmem_damon.h"
#include "gmem_deadline.h"
#include "gmem_file.h"
#include "gmem_mechanism.h"
#include "gmem_numa.h"
#include "gmem_region.h"
#include "gmem_scene.h"
#include "gmem_undo.h"
#include "gmem_zram.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

/* Seconds for what the kernel's threads do within milliseconds. */
#define PATIENCE 30

static size_t region_size(const struct gmem_scene *scene)
{
	return scene->region->npages * scene->region->page_size;
}

static size_t control_size(const struct gmem_scene *scene)
{
	return scene->control->npages * scene->control->page_size;
}

/* By how much a count went down; one that went up proves nothing. */
static size_t fewer(size_t before, size_t after)
{
	return before > after ? before - after : 0;
}

static enum gmem_skip never_missing(void)
{
	return GMEM_SKIP_none;
}

/* Advises the kernel on ordinary memory, which must work, lest the row be void. */
static void advise_control(struct gmem_scene *scene, int advice, const char *name)
{
	if (madvise(scene->control->mem, control_size(scene), advice))
		gmem_broken("%s of ordinary memory: %m", name);
}

/* The same on guest_memfd: accepted and ignored, or refused with @want. */
static void advise_region(struct gmem_scene *scene, void *mem, int advice,
			  const char *name, int want)
{
	int got = madvise(mem, region_size(scene), advice) ? errno : 0;

	if (got != want)
		gmem_fail(GMEM_C5, "%s of guest_memfd: wanted errno %d (%s), got %d (%s)", name,
			  want, strerror(want), got, strerror(got));
}

static void advise(struct gmem_scene *scene, int advice, const char *name)
{
	advise_region(scene, gmem_region_host(scene->region, 0), advice, name, 0);
	advise_control(scene, advice, name);
}

/* NUMA balancing: by reads from the second node of what is on the first. */

static void touch_all(void *arg)
{
	struct gmem_scene *scene = arg;

	for (size_t page = 0; page < scene->region->npages; page++)
		(void)READ_ONCE(*(char *)gmem_region_host(scene->region, page));
	for (size_t page = 0; page < scene->control->npages; page++)
		(void)READ_ONCE(scene->control->mem[page * scene->control->page_size]);
}

/* gmem_scene_count() looks again: count here what it could not see any more. */
static bool control_moved(void *arg)
{
	struct gmem_scene *scene = arg;

	scene->took += gmem_control_moved(scene->control);
	return scene->took > scene->control->npages / 2;
}

static void balancing_place(struct gmem_scene *scene)
{
	/* The vCPU's thread to be inherits this, and leaves the other node to the reader. */
	gmem_numa_run_on(gmem_numa_node(0));
	gmem_balancing_on();
	gmem_scene_allocate(scene);
}

/* In the first scan, or by the fault after it, a page is only known to be remote. */
#define SCANS 3

/* There, which is where guest_memfd is not, and back, if once is not enough. */
static void balancing_fire(struct gmem_scene *scene)
{
	gmem_balancing_run(scene->node, SCANS, touch_all, control_moved, scene);
	scene->node = gmem_numa_other(scene->node);
}

const struct gmem_trigger gmem_mechanism_numa_balancing = {
	.name = "numa_balancing",
	.missing = gmem_balancing_missing,
	.place = balancing_place,
	.fire = balancing_fire,
};

static void balancing_policy_place(struct gmem_scene *scene)
{
	size_t spare = scene->region->page_size;

	balancing_place(scene);
	/* With the spare page, lest that become a mapping, to be scanned, of its own. */
	gmem_numa_balance(gmem_region_host(scene->region, 0), region_size(scene) + spare);
	gmem_numa_balance(scene->control->mem, control_size(scene));
}

const struct gmem_trigger gmem_mechanism_numa_balancing_policy = {
	.name = "numa_balancing_policy",
	.missing = gmem_balancing_missing,
	.place = balancing_policy_place,
	.fire = balancing_fire,
};

/* DAMON, on all of physical memory that the scene lies in. */

static void widen(const __u64 *frames, size_t count, __u64 *first, __u64 *last)
{
	for (size_t i = 0; i < count; i++) {
		*first = frames[i] < *first ? frames[i] : *first;
		*last = frames[i] > *last ? frames[i] : *last;
	}
}

/* Once it has begun, DAMON goes on until the case ends; firing again is waiting. */
static void damon(struct gmem_scene *scene, const char *action)
{
	struct gmem_deadline deadline = gmem_deadline_in(PATIENCE);
	size_t page_size = scene->region->page_size;
	static __u64 first = -1, last, until;

	if (!until) {
		widen(scene->frames, scene->region->npages, &first, &last);
		widen(scene->control->frames, scene->control->npages, &first, &last);
		gmem_damon_start(action, first * page_size, (last + 1) * page_size,
				 gmem_numa_node(1));
	}
	/* Twice, so that once was begun after the last look and ended before now. */
	until += 2 * (last + 1 - first) * page_size;
	while (gmem_damon_tried() < until)
		if (!gmem_deadline_poll(&deadline))
			gmem_broken("DAMON %s: tried %llu bytes of %llu", action,
				    gmem_damon_tried(), until);
}

static enum gmem_skip damon_migrate_missing(void)
{
	return gmem_numa_node(1) < 0 ? GMEM_SKIP_no_numa : gmem_damon_missing();
}

static void damon_migrate_hot_fire(struct gmem_scene *scene)
{
	damon(scene, "migrate_hot");
}

const struct gmem_trigger gmem_mechanism_damon_migrate_hot = {
	.name = "damon_migrate_hot",
	.missing = damon_migrate_missing,
	.fire = damon_migrate_hot_fire,
};

static void damon_migrate_cold_fire(struct gmem_scene *scene)
{
	damon(scene, "migrate_cold");
}

const struct gmem_trigger gmem_mechanism_damon_migrate_cold = {
	.name = "damon_migrate_cold",
	.missing = damon_migrate_missing,
	.fire = damon_migrate_cold_fire,
};

/* KSM */

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
	advise(scene, MADV_MERGEABLE, "MADV_MERGEABLE");
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

#define THP		"/sys/kernel/mm/transparent_hugepage"

static enum gmem_skip thp_missing(void)
{
	char enabled[64];

	if (__gmem_file_read(THP "/enabled", enabled, sizeof(enabled)) < 0 ||
	    strstr(enabled, "[never]") ||
	    gmem_file_read_long(THP "/hpage_pmd_size") != SZ_2M)
		return GMEM_SKIP_no_thp;
	return GMEM_SKIP_none;
}

/* Maps the region once more, aligned, and touches every page. */
static char *map_aligned(struct gmem_scene *scene)
{
	size_t size = region_size(scene);
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
	advise_control(scene, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	advise_control(scene, MADV_COLLAPSE, "MADV_COLLAPSE");
	advise_region(scene, mem, MADV_COLLAPSE, "MADV_COLLAPSE", EINVAL);
	munmap(mem, region_size(scene));
}

const struct gmem_trigger gmem_mechanism_madv_collapse = {
	.name = "madv_collapse",
	.by_address = true,
	.missing = thp_missing,
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

	advise_control(scene, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	advise_region(scene, mem, MADV_HUGEPAGE, "MADV_HUGEPAGE", 0);
	wait_scans(KHUGEPAGED "/full_scans", 2);
	munmap(mem, region_size(scene));
}

const struct gmem_trigger gmem_mechanism_khugepaged = {
	.name = "khugepaged",
	.by_address = true,
	.missing = thp_missing,
	.place = khugepaged_place,
	.fire = khugepaged_fire,
};

/* Reclaim: swaps the control out, as nothing else frees anonymous memory. */

#define SWAP_SIZE	SZ_64M
/* Requests to reclaim: each takes some, and spares what was used since the last. */
#define MAX_REQUESTS	20

static void swap_place(struct gmem_scene *scene)
{
	gmem_zram_swapon(SWAP_SIZE);
	gmem_scene_allocate(scene);
}

static enum gmem_skip memcg_missing(void)
{
	return gmem_cgroup_offers("memory") ? GMEM_SKIP_none : GMEM_SKIP_no_memcg;
}

static enum gmem_skip cgroup_missing(void)
{
	return memcg_missing() ?: gmem_zram_missing();
}

static void cgroup_place(struct gmem_scene *scene)
{
	gmem_cgroup_enter("memory");
	swap_place(scene);
}

/* What is left of the control, in bytes.  Asking for much more takes a long time. */
static size_t control_left(const struct gmem_scene *scene)
{
	return gmem_control_present(scene->control) * scene->control->page_size;
}

static void request_reclaim(size_t bytes)
{
	int err = __gmem_cgroup_write("memory.reclaim", bytes);

	/* EAGAIN: there was less to be had. */
	if (err && err != -EAGAIN)
		gmem_broken("memory.reclaim: %s", strerror(-err));
}

static void memory_reclaim_fire(struct gmem_scene *scene)
{
	size_t left;

	for (int i = 0; i < MAX_REQUESTS && (left = control_left(scene)); i++)
		request_reclaim(left);
}

const struct gmem_trigger gmem_mechanism_memory_reclaim = {
	.name = "memory_reclaim",
	.missing = cgroup_missing,
	.place = cgroup_place,
	.fire = memory_reclaim_fire,
};

/* Demotion: reclaim that sends memory to a slower node instead of freeing it. */

#define DEMOTION	"/sys/kernel/mm/numa/demotion_enabled"
#define MEMORY_TIERS	"/sys/devices/virtual/memory_tiering/memory_tier[0-9]*"

static enum gmem_skip demotion_missing(void)
{
	size_t tiers = 0;
	glob_t found;

	if (!glob(MEMORY_TIERS, 0, NULL, &found)) {
		tiers = found.gl_pathc;
		globfree(&found);
	}
	if (tiers < 2 || !gmem_file_exists(DEMOTION))
		return GMEM_SKIP_no_tiers;
	return memcg_missing();
}

static void demotion_place(struct gmem_scene *scene)
{
	gmem_sysctl_set(DEMOTION, "true");
	gmem_cgroup_enter("memory");
	gmem_scene_allocate(scene);
}

static void demotion_fire(struct gmem_scene *scene)
{
	for (int i = 0; i < MAX_REQUESTS && !control_moved(scene); i++)
		request_reclaim(control_size(scene));
}

const struct gmem_trigger gmem_mechanism_demotion = {
	.name = "demotion",
	.missing = demotion_missing,
	.place = demotion_place,
	.fire = demotion_fire,
};

/* Lowers the limit by what the control has; writing it reclaims at once. */
static void memory_high_fire(struct gmem_scene *scene)
{
	size_t left;

	for (int i = 0; i < MAX_REQUESTS && (left = control_left(scene)); i++) {
		long high = gmem_cgroup_read("memory.current") - left;
		int err = __gmem_cgroup_write("memory.high", high > 0 ? high : 0);

		/* Or whoever allocates would be slowed down from now on. */
		err = err ?: __gmem_cgroup_write("memory.high", LONG_MAX);
		if (err)
			gmem_broken("memory.high: %s", strerror(-err));
	}
}

const struct gmem_trigger gmem_mechanism_memory_high = {
	.name = "memory_high",
	.missing = cgroup_missing,
	.place = cgroup_place,
	.fire = memory_high_fire,
};

static void madv_pageout_fire(struct gmem_scene *scene)
{
	advise(scene, MADV_PAGEOUT, "MADV_PAGEOUT");
}

const struct gmem_trigger gmem_mechanism_madv_pageout = {
	.name = "madv_pageout",
	.by_address = true,
	.missing = gmem_zram_missing,
	.place = swap_place,
	.fire = madv_pageout_fire,
};

static void madv_free_fire(struct gmem_scene *scene)
{
	advise_control(scene, MADV_FREE, "MADV_FREE");
	advise_region(scene, gmem_region_host(scene->region, 0), MADV_FREE, "MADV_FREE", EINVAL);
	scene->took += scene->control->npages;
}

const struct gmem_trigger gmem_mechanism_madv_free = {
	.name = "madv_free",
	.by_address = true,
	.missing = never_missing,
	.fire = madv_free_fire,
};

static enum gmem_skip damon_pageout_missing(void)
{
	return gmem_damon_missing() ?: gmem_zram_missing();
}

static void damon_pageout_fire(struct gmem_scene *scene)
{
	damon(scene, "pageout");
}

const struct gmem_trigger gmem_mechanism_damon_pageout = {
	.name = "damon_pageout",
	.missing = damon_pageout_missing,
	.place = swap_place,
	.fire = damon_pageout_fire,
};

/* Dropping caches: drops those of a block device, which is ordinary memory here. */

#define CACHE_SIZE	SZ_1M

/* Pages of the device in the page cache, as mincore(2) sees them. */
static size_t cached_pages(int fd)
{
	char present[CACHE_SIZE / SZ_4K];
	size_t pages = 0;
	void *mem;

	mem = mmap(NULL, CACHE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED || mincore(mem, CACHE_SIZE, (unsigned char *)present))
		gmem_broken("mincore of a block device: %m");
	for (size_t page = 0; page < CACHE_SIZE / getpagesize(); page++)
		pages += present[page] & 1;
	munmap(mem, CACHE_SIZE);
	return pages;
}

static void drop_caches_fire(struct gmem_scene *scene)
{
	static char buf[CACHE_SIZE];
	static int fd = -1;
	size_t before;

	if (fd < 0)
		fd = open(gmem_zram_create(CACHE_SIZE), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, buf, sizeof(buf), 0) != sizeof(buf))
		gmem_broken("reading a block device: %m");
	before = cached_pages(fd);
	gmem_file_write("/proc/sys/vm/drop_caches", "3");
	scene->took += fewer(before, cached_pages(fd));
}

const struct gmem_trigger gmem_mechanism_drop_caches = {
	.name = "drop_caches",
	.missing = gmem_zram_missing,
	.fire = drop_caches_fire,
};

/* Access tracking: takes the accessed bit, and looks again. */

/* Pages of the control that were referenced, by the kernel's account of its mapping. */
static size_t referenced_pages(const struct gmem_scene *scene)
{
	unsigned long start, end, address = (unsigned long)scene->control->mem;
	bool inside = false;
	char line[256];
	size_t kib;
	FILE *file;

	file = fopen("/proc/self/smaps", "re");
	if (!file)
		gmem_broken("/proc/self/smaps: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= address && address < end;
		if (inside && sscanf(line, "Referenced: %zu kB", &kib) == 1) {
			fclose(file);
			return kib * 1024 / scene->control->page_size;
		}
	}
	gmem_broken("/proc/self/smaps does not tell what was referenced");
}

static void madv_cold_fire(struct gmem_scene *scene)
{
	size_t before;

	gmem_control_touch(scene->control, 0, scene->control->npages);
	before = referenced_pages(scene);
	advise(scene, MADV_COLD, "MADV_COLD");
	scene->took += fewer(before, referenced_pages(scene));
}

const struct gmem_trigger gmem_mechanism_madv_cold = {
	.name = "madv_cold",
	.by_address = true,
	.missing = never_missing,
	.fire = madv_cold_fire,
};

static void clear_refs_fire(struct gmem_scene *scene)
{
	size_t before;

	gmem_control_touch(scene->control, 0, scene->control->npages);
	before = referenced_pages(scene);
	gmem_file_write("/proc/self/clear_refs", "1");
	scene->took += fewer(before, referenced_pages(scene));
}

const struct gmem_trigger gmem_mechanism_clear_refs = {
	.name = "clear_refs",
	.missing = never_missing,
	.fire = clear_refs_fire,
};

static void clear_soft_dirty_fire(struct gmem_scene *scene)
{
	gmem_file_write("/proc/self/clear_refs", "4");
}

const struct gmem_trigger gmem_mechanism_clear_soft_dirty = {
	.name = "clear_soft_dirty",
	.notifies_all = true,
	.missing = never_missing,
	.fire = clear_soft_dirty_fire,
};

#define PAGE_IDLE	"/sys/kernel/mm/page_idle/bitmap"
#define IDLE_BITS	64	/* a word of the bitmap, which is read and written whole */

static enum gmem_skip page_idle_missing(void)
{
	return gmem_file_exists(PAGE_IDLE) ? GMEM_SKIP_none : GMEM_SKIP_no_page_idle;
}

static void mark_idle(int fd, const __u64 *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		__u64 word = BIT_ULL(frames[i] % IDLE_BITS);

		if (pwrite(fd, &word, sizeof(word), frames[i] / IDLE_BITS * sizeof(word)) !=
		    sizeof(word))
			gmem_broken(PAGE_IDLE ": frame %#llx: %m", frames[i]);
	}
}

static size_t count_idle(int fd, const __u64 *frames, size_t count)
{
	size_t idle = 0;
	__u64 word;

	for (size_t i = 0; i < count; i++) {
		if (pread(fd, &word, sizeof(word), frames[i] / IDLE_BITS * sizeof(word)) !=
		    sizeof(word))
			gmem_broken(PAGE_IDLE ": frame %#llx: %m", frames[i]);
		idle += !!(word & BIT_ULL(frames[i] % IDLE_BITS));
	}
	return idle;
}

static void page_idle_fire(struct gmem_scene *scene)
{
	struct gmem_control *control = scene->control;
	int fd = open(PAGE_IDLE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		gmem_broken(PAGE_IDLE ": %m");
	mark_idle(fd, scene->frames, scene->region->npages);
	mark_idle(fd, control->frames, control->npages);
	/* Reading looks at the accessed bits anew. */
	count_idle(fd, scene->frames, scene->region->npages);
	scene->took += count_idle(fd, control->frames, control->npages);
	close(fd);
}

const struct gmem_trigger gmem_mechanism_page_idle = {
	.name = "page_idle",
	.missing = page_idle_missing,
	.fire = page_idle_fire,
};
