// SPDX-License-Identifier: GPL-2.0-only
/* Mechanisms that reclaim memory: swapping, demotion, and dropping caches. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <sys/mman.h>

#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_cgroup.h"
#include "mm/gmem_zram.h"
#include "trigger/gmem_damon.h"
#include "trigger/gmem_mechanism.h"
#include "trigger/gmem_migration.h"
#include "trigger/gmem_trigger.h"
#include "vm/gmem_region.h"

/* The control can only be reclaimed by swapping it out. */
#define SWAP_SIZE	SZ_64M
/* Several requests are needed: each reclaims a part, and nothing that was used since the last. */
#define MAX_REQUESTS	20

static void swap_allocate(struct gmem_migration *migration)
{
	gmem_zram_swapon(SWAP_SIZE);
	gmem_migration_allocate(migration);
}

static enum gmem_skip_reason memcg_missing(void)
{
	return gmem_cgroup_offers("memory") ? GMEM_SKIP_none : GMEM_SKIP_no_memcg;
}

static enum gmem_skip_reason cgroup_missing(void)
{
	return memcg_missing() ?: gmem_zram_missing();
}

static void cgroup_allocate(struct gmem_migration *migration)
{
	gmem_cgroup_enter("memory");
	swap_allocate(migration);
}

/* Returns the bytes of the control that are left.  Asking for much more takes a long time. */
static size_t control_left(const struct gmem_migration *migration)
{
	return gmem_anon_present(migration->control) * migration->control->page_size;
}

static void request_reclaim(size_t bytes)
{
	int err = __gmem_cgroup_write("memory.reclaim", bytes);

	/* EAGAIN means that the kernel has reclaimed less than it was asked for. */
	if (err && err != -EAGAIN)
		gmem_broken("memory.reclaim: %s", strerror(-err));
}

static void memory_reclaim_fire(struct gmem_migration *migration)
{
	size_t left;

	for (int i = 0; i < MAX_REQUESTS && (left = control_left(migration)); i++)
		request_reclaim(left);
}

const struct gmem_trigger gmem_trigger_memory_reclaim = {
	.name = "memory_reclaim",
	.missing = cgroup_missing,
	.allocate = cgroup_allocate,
	.fire = memory_reclaim_fire,
};

/* Demotion is reclaim that sends memory to a slower node instead of freeing it. */

#define DEMOTION	"/sys/kernel/mm/numa/demotion_enabled"
#define MEMORY_TIERS	"/sys/devices/virtual/memory_tiering/memory_tier[0-9]*"

static enum gmem_skip_reason demotion_missing(void)
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

static void demotion_allocate(struct gmem_migration *migration)
{
	gmem_sysctl_set(DEMOTION, "true");
	gmem_cgroup_enter("memory");
	gmem_migration_allocate(migration);
}

static void demotion_fire(struct gmem_migration *migration)
{
	for (int i = 0; i < MAX_REQUESTS && !gmem_mechanism_moved_half(migration); i++)
		request_reclaim(gmem_anon_size(migration->control));
}

const struct gmem_trigger gmem_trigger_demotion = {
	.name = "demotion",
	.missing = demotion_missing,
	.allocate = demotion_allocate,
	.fire = demotion_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};

/* Sets the limit below the usage by what is left of the control; the write reclaims at once. */
static void memory_high_fire(struct gmem_migration *migration)
{
	size_t left;

	for (int i = 0; i < MAX_REQUESTS && (left = control_left(migration)); i++) {
		long high = gmem_cgroup_read("memory.current") - left;
		int err = __gmem_cgroup_write("memory.high", high > 0 ? high : 0);

		/* Lift the limit again, because it slows down everybody who allocates. */
		err = err ?: __gmem_cgroup_write("memory.high", LONG_MAX);
		if (err)
			gmem_broken("memory.high: %s", strerror(-err));
	}
}

const struct gmem_trigger gmem_trigger_memory_high = {
	.name = "memory_high",
	.missing = cgroup_missing,
	.allocate = cgroup_allocate,
	.fire = memory_high_fire,
};

static void madv_pageout_fire(struct gmem_migration *migration)
{
	gmem_mechanism_advise(migration, MADV_PAGEOUT, "MADV_PAGEOUT");
}

const struct gmem_trigger gmem_trigger_madv_pageout = {
	.name = "madv_pageout",
	.by_address = true,
	.missing = gmem_zram_missing,
	.allocate = swap_allocate,
	.fire = madv_pageout_fire,
};

static void madv_free_fire(struct gmem_migration *migration)
{
	gmem_mechanism_advise_control(migration, MADV_FREE, "MADV_FREE");
	gmem_mechanism_advise_region(migration, gmem_region_host(migration->region, 0), MADV_FREE,
				     "MADV_FREE", EINVAL);
	gmem_mechanism_count(migration, migration->control->npages);
}

const struct gmem_trigger gmem_trigger_madv_free = {
	.name = "madv_free",
	.by_address = true,
	.fire = madv_free_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};

static enum gmem_skip_reason damon_pageout_missing(void)
{
	return gmem_damon_missing() ?: gmem_zram_missing();
}

static void damon_pageout_fire(struct gmem_migration *migration)
{
	gmem_damon_fire(migration, "pageout");
}

const struct gmem_trigger gmem_trigger_damon_pageout = {
	.name = "damon_pageout",
	.missing = damon_pageout_missing,
	.allocate = swap_allocate,
	.fire = damon_pageout_fire,
};

/* The control of drop_caches is the page cache of a block device. */

#define CACHE_SIZE	SZ_1M

/* Counts the pages of the device that are in the page cache, by mincore(2). */
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

static void drop_caches_fire(struct gmem_migration *migration)
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
	gmem_mechanism_count(migration, gmem_mechanism_fewer(before, cached_pages(fd)));
}

const struct gmem_trigger gmem_trigger_drop_caches = {
	.name = "drop_caches",
	.missing = gmem_zram_missing,
	.fire = drop_caches_fire,
	.acted_upon = gmem_mechanism_acted_upon,
	.cleanup = gmem_mechanism_cleanup,
};
