// SPDX-License-Identifier: GPL-2.0-only
/* Allocates, counts and frees the pages of a region. */
#include <linux/falloc.h>
#include <linux/mman.h>
#include <linux/unistd.h>
#include <sys/syscall.h>

#include "kvm_util.h"

#include "case/gmem_result.h"
#include "case/gmem_watchdog.h"
#include "vm/gmem_region.h"

void gmem_region_allocate(struct gmem_region *region, size_t first, size_t count)
{
	gmem_watchdog_arm(GMEM_LIVENESS, "allocating guest_memfd");
	if (fallocate(region->fd, FALLOC_FL_KEEP_SIZE, first * region->page_size,
		      count * region->page_size))
		gmem_broken("fallocate of guest_memfd pages %zu+%zu: %m", first, count);
	gmem_watchdog_disarm();
}

void gmem_region_punch(struct gmem_region *region, size_t first, size_t count)
{
	gmem_watchdog_arm(GMEM_LIVENESS, "punching a hole into guest_memfd");
	if (fallocate(region->fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
		      first * region->page_size, count * region->page_size))
		gmem_broken("PUNCH_HOLE of guest_memfd pages %zu+%zu: %m", first, count);
	gmem_watchdog_disarm();
}

void gmem_region_discard(struct gmem_region *region)
{
	gmem_region_punch(region, 0, region->npages);
}

void gmem_region_punch_sentinel(struct gmem_region *region)
{
	gmem_region_punch(region, region->npages, 1);
}

size_t gmem_region_allocated(const struct gmem_region *region)
{
	struct cachestat_range range = { .len = gmem_region_size(region) };
	struct cachestat stat;

	if (syscall(__NR_cachestat, region->fd, &range, &stat, 0))
		gmem_broken("cachestat of guest_memfd: %m");
	return stat.nr_cache;
}

void *gmem_region_host(const struct gmem_region *region, size_t page)
{
	if (!region->host_maps)
		gmem_broken("the host cannot map guest_memfd (%s)", region->name);
	return region->host + page * region->page_size;
}
