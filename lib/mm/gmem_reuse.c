// SPDX-License-Identifier: GPL-2.0-only
/* Gives the pages that a region has left to another owner. */
#include <sched.h>
#include <unistd.h>
#include <linux/bits.h>
#include <sys/mman.h>

#include "case/gmem_result.h"
#include "mm/gmem_anon.h"
#include "mm/gmem_numa.h"
#include "mm/gmem_pagemap.h"
#include "mm/gmem_reuse.h"
#include "mm/gmem_watermark.h"

/*
 * Bytes of the node's free memory that stay free.  This is more than the lowered watermarks, so
 * that the kernel does not call the OOM killer.
 */
#define MARGIN		BIT(24)
/* The most bytes to take in huge pages. */
#define HUGE_SIZE	BIT(30)
/* Pages to take on each CPU first. */
#define PER_CPU		4096
/* Pages to take at a time afterwards: the first step is small pages, the others are huge. */
#define STEP		16384

/* Returns how many of the owner's pages [@first, @first + @npages) have one of @pfns. */
static size_t count_among(const struct gmem_anon *owner, size_t first, size_t npages,
			  const u64 *pfns, size_t count)
{
	u64 low = -1ULL, high = 0;
	size_t found = 0;

	/* Nearly all pages are outside the range of @pfns, which is quick to check. */
	for (size_t i = 0; i < count; i++) {
		low = pfns[i] < low ? pfns[i] : low;
		high = pfns[i] > high ? pfns[i] : high;
	}
	for (size_t page = first; page < first + npages; page++)
		if (owner->pfns[page] >= low && owner->pfns[page] <= high)
			found += gmem_pfn_among(owner->pfns[page], pfns, count);
	return found;
}

/*
 * Creates the owner, of @small small pages and HUGE_SIZE bytes in huge pages, all that may be
 * taken.  The kernel clears huge pages faster, but they cannot come from smaller free areas.
 */
static struct gmem_anon *create_owner(size_t small)
{
	size_t page_size = getpagesize();
	struct gmem_anon *owner = gmem_anon_create(small + HUGE_SIZE / page_size);

	madvise(owner->mem + small * page_size, HUGE_SIZE, MADV_HUGEPAGE);
	return owner;
}

/* Returns how many pages the owner may still take; more may have become free meanwhile. */
static size_t pages_left(const struct gmem_anon *owner, size_t taken)
{
	size_t free = gmem_numa_free(gmem_numa_node(0));
	size_t npages = free < MARGIN ? 0 : (free - MARGIN) / owner->page_size;

	return npages < owner->npages - taken ? npages : owner->npages - taken;
}

/*
 * Allocates up to @npages more of the owner's pages, from page *@taken on, and returns how many
 * of @pfns they have.
 */
static size_t take(struct gmem_anon *owner, size_t *taken, size_t npages,
		   const u64 *pfns, size_t count)
{
	size_t first = *taken, most = pages_left(owner, first);

	if (npages > most)
		npages = most;
	*taken += npages;
	gmem_anon_touch(owner, first, npages);
	gmem_pagemap_read(owner->mem + first * owner->page_size, npages, owner->page_size,
			  owner->pfns + first);
	return count_among(owner, first, npages, pfns, count);
}

static void run_on(const cpu_set_t *cpus)
{
	if (sched_setaffinity(0, sizeof(*cpus), cpus))
		gmem_broken("sched_setaffinity: %m");
}

/*
 * Takes small pages on every CPU in turn.  A page that is freed is on a free list of the CPU
 * that freed it at first, and only that CPU can get it from there, as a small page.  The
 * trigger may have run on any CPU.
 */
static size_t take_on_each_cpu(struct gmem_anon *owner, const cpu_set_t *cpus,
			       size_t *taken, const u64 *pfns, size_t count)
{
	size_t reused = 0;
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, cpus))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		run_on(&one);
		reused += take(owner, taken, PER_CPU, pfns, count);
	}
	run_on(cpus);
	return reused;
}

size_t gmem_reuse_pfns(const u64 *pfns, size_t count)
{
	static struct gmem_anon *owner;
	size_t taken = 0, reused;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		gmem_broken("sched_getaffinity: %m");
	gmem_watermark_lower();
	gmem_anon_free(owner);
	owner = create_owner(CPU_COUNT(&cpus) * PER_CPU + STEP);
	gmem_numa_bind(gmem_numa_node(0));
	reused = take_on_each_cpu(owner, &cpus, &taken, pfns, count);
	/* Go on until most pfns are there; the last ones may not be free at all. */
	while (reused < count / 4 * 3 && pages_left(owner, taken))
		reused += take(owner, &taken, STEP, pfns, count);
	gmem_numa_bind(-1);
	return reused;
}
